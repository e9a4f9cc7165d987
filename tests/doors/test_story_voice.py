"""Voice: somebody asks a speaker what is in stock, where their order is, and for the usual; one sale comes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.access import rates
from finalmarket.api.alexa.model import interaction_model
from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import SalesChannel
from finalmarket.customers import persons
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.kernel import clock
from finalmarket.orders import fulfilment
from finalmarket.orders.drafts import Address
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order, TaxRate
from finalmarket.stock.models import ChannelSource
from tests.doors.alexa import Alexa, alexa
from tests.doors.stories import assert_one_sale, stand
from tests.doors.test_alexa_linking import Linking
from tests.orders.market import Market, draft, line, open_market

__all__ = ["alexa"]
pytestmark = pytest.mark.django_db
HOME = Address(name="Ann Lee", street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE")


@dataclass
class Kitchen:
    """A shop that is spoken to, and Ann with a speaker."""

    market: Market
    voice: SalesChannel
    alexa: Alexa
    ann: OmnichannelCustomer
    tea: Variant
    linking: Linking

    def link(self, email: str = "ann@example.com") -> None:
        """Ann links her account, or somebody else does."""
        self.alexa.access_token = self.linking.exchange(self.linking.code_by_mail(email)).json()["access_token"]

    def says(self, name: str, **slots: str) -> str:
        """What Ann hears when she says something."""
        return str(self.alexa.intent(name, **slots)["outputSpeech"]["text"])


@pytest.fixture
def kitchen(alexa: Alexa, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kitchen]:
    """Ann ordered two green teas a month ago, on the web."""
    monkeypatch.setattr("django.conf.settings.MAIL_IS_SET", True)
    rates.forget()
    market, linking = open_market(), Linking()
    voice = linking.channel
    alexa.token = linking.skill.token
    tea = market.goods("TEA-GREEN", price="4.50", warehouse=40, north=3)
    Variant.objects.filter(pk=tea.pk).update(title="Green, 100 g")
    market.product.title = "Sencha"
    market.product.save()
    black = Product.objects.create(title="Assam", slug="assam")
    other = Variant.objects.create(product=black, sku="TEA-BLACK", title="Black")
    VariantPrice.objects.create(variant=other, currency="EUR", amount=3)
    for product in (market.product, black):
        voice.add_product(product)
        market.web.add_product(product)
    ann = linking.ann
    taken = take(
        replace(
            draft(market.web, "w1", line("TEA-GREEN", 2, "4.50"), email="ann@example.com", shipping_address=HOME),
            placed_at=clock.now() - timedelta(days=30), happened=False,
        )
    )  # fmt: skip
    for parcel in taken.order.fulfilments.all():
        fulfilment.ship(parcel.pk, carrier="DHL", tracking_number="123", actor="test")
    yield Kitchen(market, voice, alexa, ann, Variant.objects.select_related("product").get(pk=tea.pk), linking)
    rates.forget()


def test_the_usual_is_ordered_by_voice(kitchen: Kitchen) -> None:
    kitchen.link()
    before = stand(kitchen.voice, "TEA-GREEN")
    assert kitchen.says("StockIntent", product="sencha green") == (
        "Yes, Sencha (Green, 100 g) is in stock. It costs €4.50. What would you like?"
    )
    assert kitchen.says("ReorderIntent") == (
        "Your usual is 2 times Sencha (Green, 100 g), for €9.00 together, sent to Berlin. Shall I order it?"
    )
    assert Order.objects.count() == 1
    done = kitchen.alexa.intent("AMAZON.YesIntent")
    order = assert_one_sale(kitchen.voice, "TEA-GREEN", 2, before=before, customer="ann@example.com")
    assert order.number in done["outputSpeech"]["text"]
    assert order.number in done["card"]["content"]
    assert done["shouldEndSession"] is True
    assert order.shipping_address["city"] == "Berlin"
    assert (order.total, order.payment_state) == (9, "unpaid")


@pytest.mark.parametrize(
    ("locale", "heard"),
    [
        ("en-GB", "for €13.90 together with delivery, sent to Berlin."),
        ("de-DE", "zusammen für 13,90\xa0€ mit Versand, nach Berlin."),
    ],
    ids=["English", "German"],
)
def test_the_usual_is_sent_for_the_fee_that_was_said_with_it(kitchen: Kitchen, locale: str, heard: str) -> None:
    TaxRate.objects.create(country="DE", rate=Decimal("0.19"))
    kitchen.voice.refresh_from_db()
    kitchen.voice.configuration |= {"delivery_fee": "4.90"}
    kitchen.voice.save()
    kitchen.link()
    kitchen.alexa.locale = locale
    assert heard in kitchen.says("ReorderIntent")
    before = stand(kitchen.voice, "TEA-GREEN")
    kitchen.says("AMAZON.YesIntent")
    order = assert_one_sale(kitchen.voice, "TEA-GREEN", 2, before=before, customer=kitchen.ann)
    assert (order.total, order.shipping, order.tax) == (Decimal("13.90"), Decimal("4.90"), Decimal("2.22"))


def test_however_often_yes_is_heard_it_is_ordered_once(kitchen: Kitchen) -> None:
    kitchen.link()
    kitchen.alexa.intent("ReorderIntent", count="3")
    offered = kitchen.alexa.attributes
    before = stand(kitchen.voice, "TEA-GREEN")
    first = kitchen.says("AMAZON.YesIntent")
    for request_id in ("", "amzn1.echo-api.request.again", "amzn1.echo-api.request.again"):
        kitchen.alexa.attributes = offered  # the answer was lost on the way, and the session goes on as it was
        again = kitchen.alexa.intent("AMAZON.YesIntent", request_id=request_id)
        assert again["outputSpeech"]["text"] == first
    assert_one_sale(kitchen.voice, "TEA-GREEN", 3, before=before, customer=kitchen.ann)


@pytest.mark.parametrize("answer", ["AMAZON.NoIntent", "AMAZON.StopIntent", "AMAZON.FallbackIntent", "StockIntent"])
def test_whatever_is_no_yes_orders_nothing(kitchen: Kitchen, answer: str) -> None:
    kitchen.link()
    kitchen.says("ReorderIntent")
    kitchen.alexa.intent(answer)
    assert Order.objects.count() == 1


def test_a_yes_to_nothing_orders_nothing(kitchen: Kitchen) -> None:
    kitchen.link()
    assert kitchen.says("AMAZON.YesIntent").startswith("There is nothing to say yes or no to.")
    kitchen.says("ReorderIntent")
    kitchen.says("AMAZON.NoIntent")
    assert kitchen.says("AMAZON.YesIntent").startswith("There is nothing to say yes or no to.")
    assert Order.objects.count() == 1


def test_an_offer_to_one_person_is_no_yes_of_another(kitchen: Kitchen) -> None:
    kitchen.link()
    kitchen.says("ReorderIntent")
    offered = {"offer": {**kitchen.alexa.attributes["offer"], "person": kitchen.ann.pk + 1}}
    kitchen.alexa.attributes = offered
    assert kitchen.says("AMAZON.YesIntent").startswith("There is nothing")
    assert Order.objects.count() == 1


def test_another_price_than_was_said_is_never_charged(kitchen: Kitchen) -> None:
    kitchen.link()
    kitchen.says("ReorderIntent")
    kitchen.tea.prices.update(amount=5)
    assert kitchen.says("AMAZON.YesIntent").startswith("The price has changed")
    assert Order.objects.count() == 1


def test_goods_that_somebody_else_took_meanwhile_are_not_sold_twice(kitchen: Kitchen) -> None:
    kitchen.link()
    kitchen.says("ReorderIntent")
    take(replace(draft(kitchen.market.web, "w2", line("TEA-GREEN", 40, "4.50")), happened=False))
    assert kitchen.says("AMAZON.YesIntent").startswith("Sorry, Sencha (Green, 100 g) is not there any more")
    assert Order.objects.count() == 2


def test_who_is_not_known_hears_of_stock_and_is_asked_to_link(kitchen: Kitchen) -> None:
    assert "is in stock" in kitchen.says("StockIntent", product="TEA-GREEN")
    for intent in ("OrderStatusIntent", "ReorderIntent", "AMAZON.YesIntent"):
        told = kitchen.alexa.intent(intent)
        assert told["card"] == {"type": "LinkAccount"}
        assert "link your account" in told["outputSpeech"]["text"]


@pytest.mark.parametrize(
    ("slots", "heard"),
    [
        ({"product": "tea-green", "store": "north store"}, "Yes, North store has 3 of Sencha (Green, 100 g)."),
        ({"product": "sencha", "store": "south"}, "Sorry, South store has no Sencha (Green, 100 g) at the moment."),
        ({"product": "sencha", "store": "atlantis"}, "I know no store called atlantis."),
        ({"product": "assam black"}, "Sorry, Assam (Black) is not in stock at the moment."),
        ({"product": "flux capacitor"}, "I know nothing called flux capacitor here."),
        ({}, "Which article would you like to know about?"),
    ],
)
def test_what_is_asked_of_stock_is_answered(kitchen: Kitchen, slots: dict[str, str], heard: str) -> None:
    assert kitchen.says("StockIntent", **slots).startswith(heard)


def test_of_a_store_nobody_hears_how_much_it_has_unless_that_is_little(kitchen: Kitchen) -> None:
    kitchen.market.receive(kitchen.tea, 2, kitchen.market.north)
    assert kitchen.says("StockIntent", product="sencha", store="north").startswith("Yes, North store has 5 of Sencha")
    kitchen.market.receive(kitchen.tea, 1, kitchen.market.north)
    heard = kitchen.says("StockIntent", product="sencha", store="north")
    assert heard.startswith("Yes, North store has Sencha (Green, 100 g).")


def test_only_stores_from_which_the_shop_sells_are_spoken_of(kitchen: Kitchen) -> None:
    assert kitchen.says("StockIntent", product="sencha", store="warehouse").startswith(
        "I know no store called warehouse."
    )
    ChannelSource.objects.create(sales_channel=kitchen.voice, location=kitchen.market.south)
    assert kitchen.says("StockIntent", product="sencha", store="north").startswith("I know no store called north.")
    assert kitchen.says("StockIntent", product="sencha", store="south").startswith("Sorry, South store has no Sencha")
    told = json.dumps(interaction_model(kitchen.voice, "en", "my shop"))
    assert ("South store" in told, "North store" in told, "Warehouse" in told) == (True, False, False)


def test_what_cannot_be_bought_is_at_no_store_either(kitchen: Kitchen) -> None:
    kitchen.voice.listings.update(publish_until=clock.now() - timedelta(days=1))
    for store in ("", "north"):
        heard = kitchen.says("StockIntent", product="sencha", store=store)
        assert heard.startswith("Sorry, Sencha (Green, 100 g) cannot be bought here at the moment.")


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_what_is_not_on_sale_any_more_is_not_known_nor_anybodys_usual(kitchen: Kitchen, status: str) -> None:
    kitchen.link()
    kitchen.says("ReorderIntent")
    offered = kitchen.alexa.attributes
    Product.objects.filter(title="Sencha").update(status=status)
    assert kitchen.says("StockIntent", product="sencha").startswith("I know nothing called sencha here.")
    assert kitchen.says("ReorderIntent").startswith("You have not bought that here before")
    assert "Sencha" not in json.dumps(interaction_model(kitchen.voice, "en", "my shop"))
    kitchen.alexa.attributes = offered
    kitchen.says("AMAZON.YesIntent")
    assert Order.objects.count() == 1


def test_what_alexa_recognised_in_our_model_goes_before_what_it_sounds_like(kitchen: Kitchen) -> None:
    told = kitchen.alexa.intent("StockIntent", product="ascii green", ids={"product": str(kitchen.tea.pk)})
    assert told["outputSpeech"]["text"].startswith("Yes, Sencha (Green, 100 g)")


def test_a_question_without_goods_asks_for_them(kitchen: Kitchen) -> None:
    told = kitchen.alexa.intent("StockIntent")
    assert told["directives"] == [{"type": "Dialog.ElicitSlot", "slotToElicit": "product"}]
    assert told["shouldEndSession"] is False


def test_where_an_order_is_is_told_to_whose_it_is(kitchen: Kitchen) -> None:
    kitchen.link()
    order = Order.objects.get()
    assert kitchen.says("OrderStatusIntent").startswith(f"Your order {order.number} of ")
    assert "is on its way with DHL" in kitchen.says("OrderStatusIntent", number=order.number.partition("-")[2])
    assert kitchen.says("OrderStatusIntent", number="999").startswith("I find no order 999 of yours.")
    for parcel in order.fulfilments.all():
        fulfilment.deliver(parcel.pk, actor="test")
    assert "was delivered on" in kitchen.says("OrderStatusIntent")


def test_an_order_of_somebody_else_is_none(kitchen: Kitchen) -> None:
    kitchen.link()
    taken = take(replace(draft(kitchen.market.web, "w9", line("TEA-GREEN"), email="eve@example.com"), happened=False))
    assert kitchen.says("OrderStatusIntent", number=taken.order.number).startswith("I find no order")


def test_who_is_taken_for_the_same_person_hears_nothing_of_the_others_orders(kitchen: Kitchen) -> None:
    """Anybody may claim with a public key that two addresses have one account, and makes them one person."""
    hers = Order.objects.get()
    bought = draft(kitchen.market.web, "w9", line("TEA-GREEN", 5, "4.50"), email="eve@example.com",
                   shipping_address=replace(HOME, city="Paris"))  # fmt: skip
    eves = take(replace(bought, placed_at=clock.now() - timedelta(days=900), happened=False)).order
    for email in ("ann@example.com", "eve@example.com"):
        resolve(Contact(email=email, account="web:x1"), source="test")
    persons.settle()
    assert eves.customer is not None
    assert persons.members(eves.customer.pk) == [kitchen.ann.pk, eves.customer.pk]

    kitchen.link("eve@example.com")
    assert f"order {eves.number} of" in kitchen.says("OrderStatusIntent")
    assert kitchen.says("OrderStatusIntent", number=hers.number).startswith(f"I find no order {hers.number} of yours.")
    assert kitchen.says("ReorderIntent").startswith("You have not bought that here before")
    kitchen.link()
    assert f"order {hers.number} of" in kitchen.says("OrderStatusIntent")
    assert kitchen.says("OrderStatusIntent", number=eves.number).startswith(f"I find no order {eves.number} of yours.")
    assert "2 times" in kitchen.says("ReorderIntent")


def test_it_speaks_german_where_the_device_does(kitchen: Kitchen) -> None:
    kitchen.link()
    kitchen.alexa.locale = "de-DE"
    assert kitchen.says("StockIntent", product="sencha").startswith(
        "Ja, Sencha (Green, 100 g) ist auf Lager und kostet 4,50\xa0€."
    )
    assert kitchen.says("ReorderIntent").endswith("Soll ich es bestellen?")
    assert kitchen.says("AMAZON.YesIntent").startswith("Erledigt.")


def test_it_speaks_english_where_it_has_no_other_words(kitchen: Kitchen) -> None:
    for locale in ("ja-JP", "", "en-XX", "xx"):
        kitchen.alexa.locale = locale
        assert kitchen.says("AMAZON.HelpIntent").startswith("You can say:")


def test_open_help_stop_and_the_end(kitchen: Kitchen) -> None:
    assert kitchen.alexa.ask(kitchen.alexa.request("LaunchRequest"))["shouldEndSession"] is False
    assert kitchen.alexa.intent("AMAZON.HelpIntent")["shouldEndSession"] is False
    for intent in ("AMAZON.StopIntent", "AMAZON.CancelIntent", "AMAZON.NavigateHomeIntent"):
        assert kitchen.alexa.intent(intent)["shouldEndSession"] is True
    assert kitchen.says("SomethingElse").startswith("I did not get that.")
    ended: Any = kitchen.alexa.request("SessionEndedRequest", reason="USER_INITIATED")
    assert kitchen.alexa.ask(ended) == {}


def test_what_is_offered_stays_offered_while_she_asks_for_help(kitchen: Kitchen) -> None:
    kitchen.link()
    kitchen.says("ReorderIntent")
    kitchen.says("AMAZON.HelpIntent")
    assert kitchen.says("AMAZON.YesIntent").startswith("Done.")


def test_a_token_that_is_over_is_nobodys(kitchen: Kitchen) -> None:
    kitchen.link()
    with clock.steered() as time:
        time.advance(timedelta(hours=2))
        assert kitchen.alexa.intent("OrderStatusIntent")["card"] == {"type": "LinkAccount"}


@pytest.mark.parametrize(
    "offer", [None, 3, {}, {"key": "k"}, {"key": "k", "address": {"x": 1}, "at": "?", "total": "a"}]
)
def test_an_offer_that_cannot_be_read_is_none(kitchen: Kitchen, offer: Any) -> None:
    kitchen.link()
    kitchen.alexa.attributes = {"offer": {**offer, "person": kitchen.ann.pk} if isinstance(offer, dict) else offer}
    assert kitchen.says("AMAZON.YesIntent").startswith("There is nothing")
