"""Labels and payments from the page of an order: shown, bought, given back and asked for by whoever may, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from finalmarket.catalog.models import Variant
from finalmarket.integrations.connect import PUBLIC_URL
from finalmarket.integrations.models import PaymentPage, ShippingLabel
from finalmarket.orders.models import Fulfilment, Order
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.practice_office import PracticeOffice
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.console.reading import told
from tests.integrations.counter import Counter, open_counter

LOOKS = ("view_order",)
SENDS = (*LOOKS, "view_shippinglabel", "add_shippinglabel", "change_shippinglabel")
ASKS = (*LOOKS, "add_paymentpage")


@pytest.fixture
def counter(committed_database: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    monkeypatch.setenv(PUBLIC_URL, "https://house.example")
    office = PracticeOffice(World(seed=1))
    with served(office, most_seconds_silent=0.2) as (address,):
        yield open_counter(office, address)


def member(*rights: str) -> Client:
    """Somebody with these rights only, logged in."""
    user = User.objects.create_user("sue", password="open sesame 4", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


def shown(client: Client, order: Order) -> str:
    """The page of an order."""
    return client.get(reverse("console:order", args=[order.pk])).content.decode()


def rates(client: Client, counter: Counter, parcel: Fulfilment, **given: str) -> Any:
    """Ask what sending a parcel costs, with what the form holds unless said otherwise."""
    form = {"account": str(counter.integration.pk), "weight_g": "250", "length_mm": "", **given}
    return client.post(reverse("console:rates", args=[parcel.order_id, parcel.pk]), form, follow=True)


def offers(answer: Any) -> list[str]:
    """The offers on a page of rates, the cheapest first."""
    return re.findall(r'name="offer" value="([^"]+)"', answer.content.decode())


def buy(client: Client, parcel: Fulfilment, offer: str) -> Any:
    """Press the button beside a rate."""
    return client.post(reverse("console:buy_label", args=[parcel.order_id, parcel.pk]), {"offer": offer}, follow=True)


def test_a_label_is_chosen_from_what_services_cost_and_stands_beside_the_parcel(counter: Counter) -> None:
    client, parcel = member(*SENDS), counter.parcel()
    answer = rates(client, counter, parcel)
    page = answer.content.decode()
    assert page.index("€2.90") < page.index("€4.90") < page.index("€12.50")
    answer = buy(client, parcel, offers(answer)[1])
    label = ShippingLabel.objects.get()
    assert told(answer) == [f"Label bought: Green Post Parcel, {label.tracking_number}."]
    assert (label.service, label.actor) == ("Parcel", "sue")
    page = shown(client, parcel.order)
    assert label.label_url in page
    assert label.tracking_number in page


def test_the_form_knows_what_the_goods_weigh(counter: Counter) -> None:
    parcel = counter.parcel(counter.order(("TEA", 3)))
    assert 'name="weight_g" type="number" min="0" max="1000000" value="750"' in shown(member(*SENDS), parcel.order)


def test_where_a_parcel_is_stands_on_the_page_of_its_order(counter: Counter) -> None:
    client, parcel = member(*SENDS), counter.parcel()
    label = counter.label(parcel)
    counter.office.move_parcel(label.tracking_number, "in_the_van", words="In the van", place="Hannover <b>")
    counter.look(hours=2)
    page = shown(client, parcel.order)
    assert "out for delivery" in page
    assert "In the van" in page
    assert "Hannover &lt;b&gt;" in page
    assert reverse("console:void_label", args=[parcel.order_id, label.pk]) not in page


def test_a_label_is_given_back_from_the_page(counter: Counter) -> None:
    client, parcel = member(*SENDS), counter.parcel()
    label = counter.label(parcel)
    answer = client.post(reverse("console:void_label", args=[parcel.order_id, label.pk]), follow=True)
    assert told(answer) == [f"The label {label.tracking_number} is given back."]
    assert "Given back" in answer.content.decode()


def test_a_label_of_another_order_is_not_given_back_from_here(counter: Counter) -> None:
    client, label = member(*SENDS), counter.label(counter.parcel())
    other = counter.order()
    assert client.post(reverse("console:void_label", args=[other.pk, label.pk])).status_code == 404
    assert ShippingLabel.objects.get().state == "bought"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"account": "none"}, "Choose an account"), ({"account": "999999"}, "Choose an account"),
        ({"weight_g": "much"}, "no whole number"), ({"weight_g": "-5"}, "no whole number"),
        ({"weight_g": "50000"}, "no service that takes this parcel"),
    ],
)  # fmt: skip
def test_a_wrong_form_is_answered_in_a_sentence(counter: Counter, given: dict[str, str], words: str) -> None:
    client, parcel = member(*SENDS), counter.parcel()
    (said,) = told(rates(client, counter, parcel, **given))
    assert words in said
    assert ShippingLabel.objects.count() == 0


def test_what_the_catalogue_does_not_know_is_asked_for(counter: Counter) -> None:
    Variant.objects.update(weight_grams=None)
    client, parcel = member(*SENDS), counter.parcel()
    (said,) = told(rates(client, counter, parcel, weight_g=""))
    assert "say what it weighs" in said


def test_an_offer_that_was_not_made_here_or_for_another_parcel_buys_nothing(counter: Counter) -> None:
    client, parcel, other = member(*SENDS), counter.parcel(), counter.parcel()
    offer = offers(rates(client, counter, parcel))[0]
    for wanted, box in (
        ("", parcel),
        (offer[:-1], parcel),
        (signing.dumps({"parcel": parcel.pk}), parcel),
        (offer, other),
    ):
        (said,) = told(buy(client, box, wanted))
        assert "ask for the rates again" in said
    assert ShippingLabel.objects.count() == 0


def test_a_platform_that_fails_is_told_of_in_words_and_the_label_comes_all_the_same(counter: Counter) -> None:
    client, parcel = member(*SENDS), counter.parcel()
    offer = offers(rates(client, counter, parcel))[0]
    counter.office.faults.then(Fault.ERROR_AFTER)
    (said,) = told(buy(client, parcel, offer))
    assert "answer got lost" in said
    counter.look(minutes=2)
    assert ShippingLabel.objects.get().state == "bought"


@pytest.mark.parametrize("rights", [LOOKS, ("add_shippinglabel", "change_shippinglabel", "add_paymentpage"), ASKS])
def test_only_who_may_buys_labels(counter: Counter, rights: tuple[str, ...]) -> None:
    label = counter.label(counter.parcel())
    client, parcel = member(*rights), counter.parcel()
    for name, arguments in (
        ("rates", [parcel.order_id, parcel.pk]), ("buy_label", [parcel.order_id, parcel.pk]),
        ("void_label", [label.fulfilment.order_id, label.pk]),
    ):  # fmt: skip
        assert client.post(reverse(f"console:{name}", args=arguments)).status_code == 403
    if "view_order" in rights:
        assert reverse("console:rates", args=[parcel.order_id, parcel.pk]) not in shown(client, parcel.order)


def test_a_buyer_is_asked_for_payment_from_the_page(counter: Counter) -> None:
    client, order = member(*ASKS), counter.order()
    form = {"account": str(counter.integration.pk), "back_url": "https://shop.example/thanks"}
    answer = client.post(reverse("console:ask_for_payment", args=[order.pk]), form, follow=True)
    opened = PaymentPage.objects.get()
    assert told(answer) == ["10.00 EUR can be paid now: send the buyer the address that stands below."]
    assert f'value="{opened.approve_url}"' in answer.content.decode()
    assert opened.token not in answer.content.decode()


def test_an_order_that_is_paid_asks_for_nothing(counter: Counter) -> None:
    from decimal import Decimal

    from finalmarket.orders import payments

    client, order = member(*ASKS), counter.order()
    assert reverse("console:ask_for_payment", args=[order.pk]) in shown(client, order)
    payments.receive(order.pk, tender="cash", amount=Decimal(10), external_id="c", actor="ann")
    assert reverse("console:ask_for_payment", args=[order.pk]) not in shown(client, order)


@pytest.mark.parametrize(
    ("given", "words"), [({"back_url": "javascript:alert(1)"}, "address to go on to"), ({"account": ""}, "Choose")]
)
def test_a_wrong_form_asks_nobody_for_money(counter: Counter, given: dict[str, str], words: str) -> None:
    client, order = member(*ASKS), counter.order()
    form = {"account": str(counter.integration.pk), "back_url": "", **given}
    answer = client.post(reverse("console:ask_for_payment", args=[order.pk]), form, follow=True)
    assert words in told(answer)[0]
    assert PaymentPage.objects.count() == 0


def test_only_who_may_asks_for_payment(counter: Counter) -> None:
    client, order = member(*SENDS), counter.order()
    assert client.post(reverse("console:ask_for_payment", args=[order.pk])).status_code == 403
    assert reverse("console:ask_for_payment", args=[order.pk]) not in shown(client, order)


def test_these_verbs_are_posted_with_their_token(counter: Counter) -> None:
    client, order = member(*SENDS, "add_paymentpage"), counter.order()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    address = reverse("console:ask_for_payment", args=[order.pk])
    assert (client.get(address).status_code, strict.post(address).status_code) == (405, 403)


def test_many_labels_and_pages_take_as_many_queries_as_few(counter: Counter) -> None:
    client = member(*SENDS, "add_paymentpage")

    def queries(order: Order) -> int:
        with CaptureQueriesContext(connection) as captured:
            shown(client, order)
        return len(captured)

    one, many = counter.order(), counter.order(("TEA", 1), ("CUP", 1), ("POT", 1))
    counter.label(counter.parcel(one))
    first = PaymentPage.objects.create(
        integration=counter.integration, order=one, key="k", token="t", amount=10, currency="EUR", state="done"
    )
    few = queries(one)
    parcel = counter.parcel(many)
    for number in range(5):
        ShippingLabel.objects.create(
            integration=counter.integration, fulfilment=parcel, key=f"k{number}", state="voided", currency="EUR"
        )
        PaymentPage.objects.create(
            integration=counter.integration, order=many, key=f"k{number}", token=f"t{number}", amount=first.amount,
            currency="EUR", state="done",
        )  # fmt: skip
    assert queries(many) == few
