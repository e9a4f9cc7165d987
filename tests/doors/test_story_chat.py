"""Chat: in a conversation on the chat platform somebody asks what is in stock and where their order is, and orders, by
a link or by a word; agents are told by notes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from finalmarket.access import shop_keys
from finalmarket.customers import persons
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations import connect, pull
from finalmarket.integrations.chat import answering
from finalmarket.integrations.models import ChannelIntegration, ChatAnswer, ChatTalk
from finalmarket.kernel import clock
from finalmarket.orders import shopping
from finalmarket.orders.intake import take
from finalmarket.orders.models import Cart, Order, TaxRate
from tests.doors.conversations import ANN, HOME, PLATFORMS, Desk, open_desk
from tests.doors.stories import assert_one_sale, stand
from tests.laws.cut_off import cut_off
from tests.orders.market import draft, line

pytestmark = pytest.mark.committed_database
EVE = "eve@example.com"


@pytest.fixture(params=PLATFORMS, ids=["intercom", "zendesk"])
def desk(request: pytest.FixtureRequest, committed_database: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Forty coats; Ann has ordered one on the web, and it is under way."""
    monkeypatch.setattr("django.conf.settings.MAIL_IS_SET", True)
    monkeypatch.setenv("FINALMARKET_PUBLIC_URL", "https://hub.example")
    with open_desk(request.param) as opened:
        yield opened


def test_stock_is_asked_and_two_coats_are_ordered_by_a_link(desk: Desk) -> None:
    shop_keys.create(desk.channel)
    before = stand(desk.channel, "COAT-M")
    assert desk.customer("Is COAT-M in stock?") == ["Things (COAT-M): in stock, 119.00 EUR. To order it: /buy COAT-M"]
    (said,) = desk.customer("/buy COAT-M 2")
    link = re.search(r"https://hub\.example/shop/chat/cart/\?cart=([0-9a-f-]{36})", said)
    assert link is not None, said
    assert "238.00 EUR" in said
    page = shopping.buy(
        Cart.objects.get(token=link[1]), shopping.Purchase(name="Ann Lee", email=ANN, address=HOME), actor="shopper"
    )  # what the shop's pages do
    assert page.outcome == "created"
    order = assert_one_sale(desk.channel, "COAT-M", 2, before=before, customer=ANN)
    assert order.total == 238


def test_no_link_to_an_address_of_this_machine_is_sent_into_the_world(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_keys.create(desk.channel)
    monkeypatch.setenv("FINALMARKET_PUBLIC_URL", "http://127.0.0.1:8000")
    (said,) = desk.customer("/buy COAT-M 2")
    assert "http://127.0.0.1:8000/shop/chat/cart/" in said  # the conversation is on a stand-in on this machine
    monkeypatch.setattr(connect, "_is_of_this_machine", lambda address: ":8000" in address)  # it stands elsewhere
    (said,) = desk.customer("/buy COAT-M 2")
    assert "127.0.0.1" not in said


def test_an_order_is_placed_by_a_word_once_she_has_proved_who_she_is(desk: Desk) -> None:
    before = stand(desk.channel, "COAT-M")
    (asked,) = desk.customer("/buy COAT-M")
    assert "a code of six digits is on its way" in asked
    assert desk.prove().startswith("Thank you, I know who you are now.")
    (offer,) = desk.customer("/buy COAT-M")
    assert offer.endswith("Or say yes, and I order it to Berlin; you pay later.")
    assert Order.objects.count() == 1
    (done,) = desk.customer("yes please")
    order = assert_one_sale(desk.channel, "COAT-M", 1, before=before, customer=ANN)
    assert order.number in done
    assert desk.customer("yes") == []  # nothing is offered any more
    assert Order.objects.count() == 2


def test_what_is_ordered_by_a_word_is_sent_for_the_fee_that_was_said_with_it(desk: Desk) -> None:
    TaxRate.objects.create(country="DE", rate=Decimal("0.19"))
    desk.channel.configuration |= {"delivery_fee": "4.90", "free_delivery_from": "200"}
    desk.channel.save()
    desk.customer("/order")
    desk.prove()
    before = stand(desk.channel, "COAT-M")
    (offer,) = desk.customer("/buy COAT-M")
    assert offer.startswith("1 × Things: 123.90 EUR, 4.90 EUR of it for delivery. Or say yes")
    (done,) = desk.customer("yes")
    order = assert_one_sale(desk.channel, "COAT-M", 1, before=before, customer=ANN)
    assert (order.total, order.shipping, order.tax) == (Decimal("123.90"), Decimal("4.90"), Decimal("19.78"))
    assert "123.90 EUR" in done
    (offer,) = desk.customer("/buy COAT-M 2")
    assert offer.startswith("2 × Things: 238.00 EUR. Or say yes")


def test_where_an_order_is_is_told_to_whose_it_is_and_to_nobody_else(desk: Desk) -> None:
    order = Order.objects.get()
    (asked,) = desk.customer("Where is my order?")
    assert order.number not in asked
    assert desk.customer("000000") == ["That code is not right, or not any more."]
    desk.prove()
    (told,) = desk.customer(f"Where is my order {order.number}?")
    assert told == f"Order {order.number} of {order.placed_at:%Y-%m-%d}: Coat: on its way (DHL 42)."
    eve = take(replace(draft(desk.market.web, "w2", line("COAT-M", 1, "119.00"), email="eve@example.com"),
                       happened=False)).order  # fmt: skip
    assert desk.customer(f"/order {eve.number}") == ["I find no such order of yours."]


def test_who_is_taken_for_the_same_person_is_told_nothing_of_the_others_orders(desk: Desk) -> None:
    """Anybody may claim with a public key that two addresses have one account, and makes them one person."""
    hers = Order.objects.get()
    bought = draft(
        desk.market.web, "w2", line("COAT-M", 1, "119.00"), email=EVE, shipping_address=replace(HOME, city="Paris")
    )
    eves = take(replace(bought, placed_at=clock.now(), happened=False)).order
    for email in (ANN, EVE):
        resolve(Contact(email=email, account="web:x1"), source="test")
    persons.settle()
    assert hers.customer and eves.customer
    assert persons.members(eves.customer.pk) == [hers.customer.pk, eves.customer.pk]

    for email, own, foreign, city in ((EVE, eves, hers, "Paris"), (ANN, hers, eves, "Berlin")):
        desk.email, desk.talk = email, ""
        desk.customer("/order")
        desk.prove()
        assert desk.customer("/order")[0].startswith(f"Order {own.number} of ")
        assert desk.customer(f"/order {foreign.number}") == ["I find no such order of yours."]
        assert f"I order it to {city};" in desk.customer("/buy COAT-M")[0]


def test_agents_are_told_by_notes_that_customers_do_not_see(desk: Desk) -> None:
    order = Order.objects.get()
    desk.customer("Hello, can somebody help me?")
    (note,) = desk.agent(f"/order {order.number}")
    assert note.startswith(f"Order {order.number} on Web shop")
    (note,) = desk.agent("/stock COAT-M")
    assert "39 can be sold on Chat, 119.00 EUR. Warehouse: 39 free." in note
    eve = take(replace(draft(desk.market.web, "w2", line("COAT-M", 1, "119.00"), email="eve@example.com"),
                       happened=False)).order  # fmt: skip
    assert desk.agent(f"/order {eve.number}") == ["This customer has no such order."]


def test_what_is_for_people_is_left_to_them(desk: Desk) -> None:
    assert desk.customer("Hello, do you have any idea why it is so late?") == []
    assert desk.customer("I am not happy") == []
    assert desk.customer("no") == []
    assert set(ChatAnswer.objects.values_list("state", flat=True)) <= {"silent"}


def test_whoever_is_killed_after_ordering_orders_and_answers_once_all_the_same(desk: Desk) -> None:
    desk.customer("/order")
    desk.prove()
    desk.customer("/buy COAT-M")
    before = stand(desk.channel, "COAT-M")
    desk.there.go_on(desk.talk, "yes")
    for where in ("chat.before_write", "chat.after_write", "chat.before_say", "chat.after_say"):
        assert cut_off(desk.work, f"{where}@1") == "", where
    desk.work()
    assert_one_sale(desk.channel, "COAT-M", 1, before=before, customer=ANN)
    thanks = [text for author, text in desk.seen() if author == "agent" and text.startswith("Thank you: order")]
    assert len(thanks) == 1


def test_nothing_is_answered_before_it_is_the_accounts_duty_or_after_a_day(desk: Desk) -> None:
    ChannelIntegration.objects.update(duties={})
    desk.account.refresh_from_db()
    assert desk.customer("/stock COAT-M") == []
    ChannelIntegration.objects.update(duties={"answers": True}, push_from=clock.now() - timedelta(days=9))
    desk.account.refresh_from_db()
    with clock.steered(clock.now() + timedelta(hours=25)):
        desk.work()
    assert not ChatAnswer.objects.exists()


def test_another_address_in_the_conversation_is_nobody_who_has_proved_anything(desk: Desk) -> None:
    desk.customer("/order")
    desk.prove()
    ChatTalk.objects.update(address="somebody@example.com")  # as it would be if the platform showed another before
    (asked,) = desk.customer("/order")
    assert "I have to know who you are" in asked


def test_a_pull_hears_what_is_asked(desk: Desk) -> None:
    desk.talk = desk.there.begin_talk("/stock COAT-M", ANN)
    run = pull.pull(desk.account.pk, "conversations")
    assert run is not None
    answering.answer(desk.account.pk)
    waiting = ChatAnswer.objects.filter(state="said")
    # Exports of some platforms end a minute ago: then it is heard in the next round.
    assert waiting.count() == 1 or "zendesk" in desk.account.platform_name
