"""A buyer pays on a platform's page: asked for once, taken once, whoever finds out that they agreed (for workers
that are killed, see test_desk_cut.py)."""

from __future__ import annotations

import os
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from django.db import transaction
from django.test import Client

from finalmarket.integrations import pull
from finalmarket.integrations.connect import PUBLIC_URL
from finalmarket.integrations.desk import page_book, pages
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, ExternalId, PaymentPage
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders import fulfilment, payments
from finalmarket.orders.aftersales import cancel, cancel_units
from finalmarket.orders.models import Order
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.practice_office import PracticeOffice
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.integrations.counter import Counter, history, open_counter
from tests.orders.market import together

SHOP = "https://shop.example/thanks?order=1"
HOUSE = "https://house.example"
LOST = (Fault.ERROR_AFTER, Fault.TIME_OUT, Fault.RESET_AFTER, Fault.TRUNCATED, Fault.MALFORMED)


@pytest.fixture
def order(counter: Counter) -> Order:
    """An order of two pieces of tea for 20.00 that nobody has paid."""
    return counter.order(("TEA", 2))


def start(counter: Counter, order: Order, back_url: str = SHOP) -> PaymentPage:
    """Ask for what the order still costs."""
    return pages.start_payment(order.pk, counter.integration, back_url, actor="ann")


def agree(page: PaymentPage) -> str:
    """The buyer says yes on the platform's page; where that leads them."""
    return httpx2.get(page.approve_url).headers["location"]


def come_back(page: PaymentPage, verb: str = "return") -> Any:
    """The buyer's browser asks for the way back."""
    return Client().get(f"/pay/{page.token}/{verb}")


def paid(order: Order) -> list[tuple[str, str, Decimal]]:
    """The payments of the order."""
    return list(order.payments.order_by("pk").values_list("tender", "state", "amount"))


def state(page: PaymentPage) -> str:
    return str(PaymentPage.objects.values_list("state", flat=True).get(pk=page.pk))


def held(counter: Counter, state: str = "reserved") -> list[str]:
    """What became of payments there, by their amounts."""
    return [one["amount"] for one in counter.effects("payment", state=state)]


# Opening.


def test_a_buyer_is_asked_for_what_the_order_still_costs(counter: Counter, order: Order) -> None:
    payments.receive(order.pk, tender="gift_card", amount=Decimal(5), external_id="g1", actor="ann")
    page = start(counter, order)
    there = counter.office.state["payments"][page.external_id]
    assert (page.state, page.amount, there["amount"], there["currency"]) == (
        "started", Decimal("15.00"), "15.00", "EUR",
    )  # fmt: skip
    assert there["order"] == order.number
    assert there["return_url"] == f"{HOUSE}/pay/{page.token}/return"
    assert there["cancel_url"] == f"{HOUSE}/pay/{page.token}/cancel"
    assert there["reserve_only"] is True
    assert paid(order) == [("gift_card", "captured", Decimal("5.0000"))]


def test_while_a_page_is_open_it_is_the_one(counter: Counter, order: Order) -> None:
    assert start(counter, order).pk == start(counter, order).pk
    assert len(held(counter, "waiting")) == 1


def test_people_who_ask_at_once_open_one_page(counter: Counter, order: Order) -> None:
    ended = together(lambda _: start(counter, order).pk, 6)
    assert len(set(ended)) == 1, ended
    assert len(held(counter, "waiting")) == 1


def test_a_page_of_another_amount_takes_the_place_of_the_first_and_the_first_takes_nothing(
    counter: Counter, order: Order
) -> None:
    first = start(counter, order)
    cancel_units(order.pk, {order.lines.get().pk: 1}, key="one", reason="one is enough", actor="ann")
    second = start(counter, order)
    assert (second.amount, state(first)) == (Decimal("10.00"), "cancelled")
    agree(first)
    come_back(first)
    assert paid(order) == []
    agree(second)
    come_back(second)
    assert paid(order) == [("practice_office", "authorised", Decimal("10.0000"))]


def test_goods_that_have_left_are_paid_for_at_once(counter: Counter, order: Order) -> None:
    fulfilment.ship(counter.parcel(order).pk, actor="ann")
    page = start(counter, order)
    agree(page)
    come_back(page)
    assert paid(order) == [("practice_office", "captured", Decimal("20.0000"))]
    assert held(counter, "taken") == ["20.00"]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda order: payments.receive(order.pk, tender="cash", amount=Decimal(20), external_id="c", actor="ann"),
         "nothing is to be paid"),
        (lambda order: cancel(order.pk, reason="no", actor="ann"), "nothing is to be paid"),
        (lambda order: ChannelIntegration.objects.update(status="paused"), "is paused"),
        (lambda order: os.environ.pop(PUBLIC_URL), PUBLIC_URL),
    ],
)  # fmt: skip
def test_what_cannot_be_paid_is_said_before_anybody_is_asked(
    counter: Counter, order: Order, spoil: Any, words: str
) -> None:
    spoil(order)
    with pytest.raises(UserError, match=words):
        start(counter, order)
    assert counter.office.state["payments"] == {}
    assert PaymentPage.objects.count() == 0


def test_no_buyer_at_a_platform_outside_is_led_back_to_an_address_of_this_machine(
    counter: Counter, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PUBLIC_URL, "http://127.0.0.1:8000")
    with monkeypatch.context() as patch, pytest.raises(UserError, match=PUBLIC_URL):
        patch.setattr(counter.integration, "base_url", "")  # the platform itself
        start(counter, order)
    assert PaymentPage.objects.count() == 0
    assert start(counter, order).state == "started"  # a stand-in on this machine


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "//shop.example", "shop.example", "https://me:you@shop.example/", "https://shop.example/\\x",
     "https://shop.example/\nLocation: x", "https://shop.example/" + "x" * 1000, "ftp://shop.example/"],
)  # fmt: skip
def test_a_buyer_is_led_on_to_web_addresses_only(counter: Counter, order: Order, address: str) -> None:
    with pytest.raises(UserError, match="address to go on to"):
        start(counter, order, address)
    assert PaymentPage.objects.count() == 0


def test_opening_refuses_to_be_part_of_something_that_may_yet_be_undone(counter: Counter, order: Order) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="outside of a transaction"):
        start(counter, order)


@pytest.mark.parametrize("fault", [*LOST, Fault.ERROR_BEFORE, Fault.RESET_BEFORE])
def test_asked_for_again_after_an_answer_that_got_lost_it_is_the_same_payment(
    counter: Counter, order: Order, fault: Fault
) -> None:
    counter.office.faults.then(fault)
    with pytest.raises(UserError):
        start(counter, order)
    page = start(counter, order)
    (there,) = counter.office.state["payments"].values()
    assert (page.state, there["id"], there["amount"]) == ("started", page.external_id, "20.00")
    assert PaymentPage.objects.count() == 1


# Coming back.


def test_a_buyer_who_agreed_and_comes_back_has_the_amount_reserved_and_is_led_on(
    counter: Counter, order: Order
) -> None:
    page = start(counter, order)
    assert agree(page) == f"{HOUSE}/pay/{page.token}/return"
    answer = come_back(page)
    assert (answer.status_code, answer.headers["Location"]) == (302, SHOP)
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer.headers["Cache-Control"]
    assert paid(order) == [("practice_office", "authorised", Decimal("20.0000"))]
    assert (state(page), Order.objects.get(pk=order.pk).payment_state) == ("done", "authorised")
    known = ExternalId.objects.get(integration=counter.integration, kind="payment")
    assert (known.external_id, known.local_id) == (page.external_id, order.payments.get().pk)


def test_a_buyer_who_comes_back_again_and_again_pays_once(counter: Counter, order: Order) -> None:
    page = start(counter, order)
    agree(page)
    for _ in range(5):
        assert come_back(page).headers["Location"] == SHOP
    assert held(counter) == ["20.00"]
    assert len(paid(order)) == 1


def test_a_buyer_who_has_not_agreed_is_led_on_and_has_paid_nothing(counter: Counter, order: Order) -> None:
    page = start(counter, order)
    assert come_back(page).headers["Location"] == SHOP
    assert (paid(order), state(page)) == ([], "started")


def test_a_buyer_who_gave_up_is_led_on_and_may_still_think_better_of_it(counter: Counter, order: Order) -> None:
    page = start(counter, order)
    assert httpx2.get(f"{page.approve_url}?answer=no").headers["location"] == f"{HOUSE}/pay/{page.token}/cancel"
    assert come_back(page, "cancel").headers["Location"] == SHOP
    assert (paid(order), state(page)) == ([], "cancelled")
    agree(page)
    come_back(page)
    assert (paid(order)[0][1], state(page)) == ("authorised", "done")


def test_without_an_address_to_go_on_to_a_buyer_reads_thanks(counter: Counter, order: Order) -> None:
    page = start(counter, order, "")
    agree(page)
    answer = come_back(page)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert b"Thank you" in answer.content


@pytest.mark.parametrize("token", ["nobody", "x" * 43, "%00" * 30, "a" * 400, "..%2f..%2fadmin", "%F0%9F%98%80" * 20])
@pytest.mark.parametrize("verb", ["return", "cancel"])
def test_a_token_of_nobody_is_always_answered_alike(counter: Counter, order: Order, token: str, verb: str) -> None:
    start(counter, order)
    answer = Client().get(f"/pay/{token}/{verb}?next=https://elsewhere.example/")
    assert (answer.status_code, answer.content) in ((404, b"There is no such payment."), (404, answer.content))
    assert "Location" not in answer.headers
    if "%2f" not in token:
        assert answer.content == b"There is no such payment."


def test_the_way_back_leads_nowhere_but_to_the_stored_address(counter: Counter, order: Order) -> None:
    page = start(counter, order)
    agree(page)
    for query in ("?next=https://elsewhere.example/", "?back_url=https://elsewhere.example/", "?url=//x.example"):
        assert Client().get(f"/pay/{page.token}/return{query}").headers["Location"] == SHOP


@pytest.mark.parametrize("method", ["post", "put", "delete", "head", "options"])
def test_the_way_back_is_fetched_and_nothing_else(counter: Counter, order: Order, method: str) -> None:
    page = start(counter, order)
    agree(page)
    assert getattr(Client(), method)(f"/pay/{page.token}/return").status_code == 405
    assert paid(order) == []


def test_however_often_the_way_back_is_asked_for_the_platform_is_asked_rarely(counter: Counter, order: Order) -> None:
    page = start(counter, order)
    with clock.steered() as hands:
        before = len(counter.office.world.journal.entries(what="request"))
        for _ in range(20):
            come_back(page)
        assert len(counter.office.world.journal.entries(what="request")) - before == 1
        hands.advance(page_book.PATIENCE)
        come_back(page)
        assert len(counter.office.world.journal.entries(what="request")) - before == 2


@pytest.mark.parametrize("fault", [*LOST, Fault.ERROR_BEFORE, Fault.RESET_BEFORE, Fault.TOO_MANY])
def test_a_buyer_is_led_on_though_the_platform_fails_and_a_worker_finishes_it(
    counter: Counter, order: Order, fault: Fault
) -> None:
    page = start(counter, order)
    agree(page)
    counter.office.faults.then(fault)
    assert come_back(page).headers["Location"] == SHOP
    counter.finish_pages()
    assert held(counter) == ["20.00"]
    assert paid(order) == [("practice_office", "authorised", Decimal("20.0000"))]


def test_a_buyer_who_agreed_and_never_came_back_is_found_by_asking(counter: Counter, order: Order) -> None:
    page = start(counter, order)
    agree(page)
    assert pages.look() == 0
    with clock.steered(clock.now() + timedelta(minutes=2)):
        assert pages.look() == 1
    counter.finish_pages(minutes=2)
    assert (paid(order)[0][1], state(page)) == ("authorised", "done")
    with clock.steered(clock.now() + timedelta(hours=2)):
        assert pages.look() == 0


def test_a_buyer_who_never_came_is_given_up_after_days(counter: Counter, order: Order) -> None:
    page = start(counter, order)
    with clock.steered(clock.now() + timedelta(days=4)):
        assert pages.look() == 0
    assert state(page) == "cancelled"
    assert start(counter, order).pk != page.pk


def test_what_is_not_due_any_more_is_not_taken(counter: Counter, order: Order) -> None:
    page = start(counter, order)
    agree(page)
    payments.receive(order.pk, tender="cash", amount=Decimal(20), external_id="c", actor="ann")
    come_back(page)
    assert held(counter) == []
    assert state(page) == "cancelled"


# The platform's own news.


def test_the_platforms_webhook_finishes_what_the_buyer_agreed_to(counter: Counter, order: Order) -> None:
    page = start(counter, order)
    counter.office.approve(page.external_id)
    counter.deliver()
    counter.finish_pages()
    assert held(counter) == ["20.00"]
    assert (paid(order)[0][1], state(page)) == ("authorised", "done")


def test_a_pull_finishes_it_too(counter: Counter, order: Order) -> None:
    page = start(counter, order)
    counter.office.approve(page.external_id)
    pull.pull(counter.integration.pk, "payments")
    counter.finish_pages()
    assert (paid(order)[0][1], state(page)) == ("authorised", "done")


def test_the_way_back_the_webhook_and_a_worker_at_once_take_effect_once(
    counter: Counter, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_book, "PATIENCE", timedelta(0))
    page = start(counter, order)
    agree(page)
    acts = [
        lambda: pages.come_back(page.token), lambda: pages.finish(page.pk),
        lambda: pull.pull(counter.integration.pk, "payments"), counter.deliver,
    ] * 2  # fmt: skip
    ended = together(lambda number: acts[number](), len(acts))
    assert [one for one in ended if isinstance(one, BaseException)] == []
    counter.finish_pages()
    counter.deliver()
    assert held(counter) == ["20.00"]
    assert paid(order) == [("practice_office", "authorised", Decimal("20.0000"))]
    assert (state(page), ExternalId.objects.filter(kind="payment").count()) == ("done", 1)
    assert len(history(order, "paid")) == 1
    assert DeadLetter.objects.count() == 0


def test_two_platforms_that_are_paid_at_once_are_not_both_taken(counter: Counter, order: Order, world: World) -> None:
    other = PracticeOffice(world, account="second")
    with served(other, most_seconds_silent=0.2) as (address,):
        second = open_counter(other, address)
        opened = [start(counter, order), start(second, order)]
        for page in opened:
            agree(page)
        for page in opened:
            come_back(page)
        assert [held(counter), held(second)] == [["20.00"], []]
    assert len(paid(order)) == 1


def test_a_payment_that_was_made_and_does_not_fit_is_put_before_a_person(counter: Counter, order: Order) -> None:
    page = start(counter, order)
    agree(page)
    payments.receive(order.pk, tender="cash", amount=Decimal(5), external_id="c", actor="ann")
    counter.office.state["payments"][page.external_id]["state"] = "reserved"
    counter.office._changed("payment.changed", counter.office.state["payments"][page.external_id])
    counter.deliver()
    counter.deliver()
    assert "was made, but does not fit" in Order.objects.get(pk=order.pk).problem
    assert len(history(order, "problem")) == 1
    assert DeadLetter.objects.get().stream == "payments"


def test_a_payment_that_the_bank_refused_ends_its_page(counter: Counter, order: Order) -> None:
    page = start(counter, order)
    counter.office.fail(page.external_id)
    counter.deliver()
    assert (state(page), paid(order)) == ("failed", [])
