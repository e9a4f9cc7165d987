"""PayPal, connector and stand-in, over HTTP; every exchange is judged by the published description."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.platforms.paypal import words
from finalmarket.connectors.records import PaymentRecord, PaymentRequest, RefundNotice
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms import paypal as sandbox
from tests.connectors.cases.paypal import case
from tests.connectors.conformance.stage import Stage, staged

HUB = "https://hub.example/hooks/token-1"
REQUEST = PaymentRequest(
    key="checkout-7", order_number="FM-7", amount=Decimal("59.90"), currency="EUR",
    return_url="https://shop.example.org/paid", cancel_url="https://shop.example.org/cart", email="ada@example.com",
)  # fmt: skip


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def _pull(stage: Stage, cursor: str = "", since: datetime | None = None) -> tuple[dict[str, PaymentRecord], str]:
    """The payments that come in, the last of each, and the cursor to go on from."""
    pages = list(stage.connector.pull_payments(cursor, since))
    assert [bad for page in pages for bad in page.unreadable] == []
    return {record.external_id: record for page in pages for record in page.records}, pages[-1].cursor


def _refund(payment_id: str, amount: str = "10.00", *, key: str = "refund-1", **told: Any) -> RefundNotice:
    notice = RefundNotice(key=key, order_id="A1", payment_id=payment_id, amount=Decimal(amount), currency="EUR")
    return replace(notice, **told)


def _capture_of(stage: Stage, order: str) -> str:
    return str(stage.stand_in.order(order)["purchase_units"][0]["payments"]["captures"][0]["id"])


# Paying on PayPal's page.


def test_a_buyer_agrees_and_the_amount_is_held_once_whoever_brings_the_news(stage: Stage) -> None:
    started = stage.connector.start_payment(REQUEST)
    assert started.approve_url.startswith("https://www.paypal.com/")
    assert stage.connector.pull_payment(started.external_id).state == "pending"
    stage.stand_in.approve(started.external_id, "ada@example.com")
    by_callback = stage.connector.finish_payment(started.external_id, "callback-7")
    by_webhook = stage.connector.finish_payment(started.external_id, "webhook-7")
    assert by_callback == by_webhook
    assert (by_callback.state, by_callback.amount, by_callback.captured) == ("authorised", Decimal("59.90"), Decimal(0))
    assert (by_callback.order_id, by_callback.email) == ("FM-7", "ada@example.com")
    assert stage.effects()["authorisation"] == 1


def test_two_who_finish_at_the_same_moment_hold_the_amount_once(stage: Stage) -> None:
    started = stage.connector.start_payment(REQUEST)
    stage.stand_in.approve(started.external_id)
    as_it_was = stage.stand_in.order(started.external_id) | {}
    find = stage.connector._find_payment
    stage.stand_in.hold_order(started.external_id)
    answers = iter([as_it_was])
    stage.connector._find_payment = lambda name: next(answers, None) or find(name)
    assert stage.connector.finish_payment(started.external_id, "late-7").state == "authorised"
    assert stage.effects()["authorisation"] == 1


def test_a_payment_that_the_buyer_has_not_agreed_to_is_not_finished(stage: Stage) -> None:
    started = stage.connector.start_payment(REQUEST)
    with pytest.raises(Rejected) as caught:
        stage.connector.finish_payment(started.external_id, "callback-7")
    assert (caught.value.key, caught.value.code) == ("callback-7", "ORDER_NOT_APPROVED")


def test_a_payment_that_is_to_be_taken_at_once_is_captured_when_it_is_finished(stage: Stage) -> None:
    started = stage.connector.start_payment(replace(REQUEST, is_authorise_only=False))
    stage.stand_in.approve(started.external_id)
    record = stage.connector.finish_payment(started.external_id, "callback-7")
    assert (record.state, record.captured) == ("captured", Decimal("59.90"))


@pytest.mark.parametrize(("amount", "currency"), [("10.005", "EUR"), ("100.5", "JPY"), ("100.5", "HUF"), ("0", "EUR")])
def test_amounts_that_paypal_does_not_take_are_refused_before_they_are_sent(
    stage: Stage, amount: str, currency: str
) -> None:
    with pytest.raises(Rejected):
        stage.connector.start_payment(replace(REQUEST, amount=Decimal(amount), currency=currency))
    assert stage.watched.exchanges == []


def test_yen_travel_without_and_euros_with_two_digits() -> None:
    assert words.money(Decimal("1500"), "JPY") == {"currency_code": "JPY", "value": "1500"}
    assert words.money(Decimal("1500.00"), "jpy") == {"currency_code": "JPY", "value": "1500"}
    assert words.money(Decimal("15.5"), "EUR") == {"currency_code": "EUR", "value": "15.50"}
    assert words.money(Decimal("1.5"), "TND") == {"currency_code": "TND", "value": "1.500"}


# Taking, letting go, giving back.


def test_two_shipments_take_their_parts_and_the_rest_is_let_go(stage: Stage) -> None:
    order = stage.stand_in.pay("100.00", capture=False)
    first = stage.connector.capture_payment(order, Decimal("30.00"), "EUR", "shipment-1")
    second = stage.connector.capture_payment(order, Decimal("30.00"), "EUR", "shipment-2")
    assert (first.captured, second.captured, second.state) == (Decimal("30.00"), Decimal("60.00"), "captured")
    assert first.version < second.version
    let_go = stage.connector.cancel_payment(order, "rest-1")
    assert (first.is_held, second.is_held, let_go.is_held) == (True, True, False)
    assert stage.connector.cancel_payment(order, "rest-1") == let_go
    with pytest.raises(Rejected) as caught:
        stage.connector.capture_payment(order, Decimal("30.00"), "EUR", "shipment-3")
    assert caught.value.code == "AUTHORIZATION_VOIDED"
    assert (stage.effects()["capture"], stage.effects()["void"]) == (2, 1)


def test_more_than_is_held_cannot_be_taken(stage: Stage) -> None:
    order = stage.stand_in.pay("100.00", capture=False)
    with pytest.raises(Rejected) as caught:
        stage.connector.capture_payment(order, Decimal("100.01"), "EUR", "shipment-1")
    assert (caught.value.code, caught.value.key) == ("MAX_CAPTURE_AMOUNT_EXCEEDED", "shipment-1")


def test_what_was_taken_already_cannot_be_let_go(stage: Stage) -> None:
    with pytest.raises(Rejected):
        stage.connector.cancel_payment(stage.stand_in.pay("10.00"), "void-1")


def test_a_refund_is_known_by_our_mark_long_after_paypal_forgot_the_key(stage: Stage) -> None:
    order = stage.stand_in.pay("50.00")
    made = stage.connector.push_refund(_refund(order))
    stage.time.advance(timedelta(days=60))
    assert stage.connector.push_refund(_refund(order)) == made
    record = stage.connector.pull_payment(order)
    assert [refund.external_id for refund in record.refunds] == [made]
    assert (record.state, record.refunds[0].amount) == ("captured", Decimal("10.00"))


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED"])
def test_a_refund_that_came_to_nothing_is_told_as_that(stage: Stage, status: str) -> None:
    order = stage.stand_in.pay("50.00")
    made = stage.connector.push_refund(_refund(order))
    before = stage.connector.pull_payment(order)
    stage.stand_in.order(order)["purchase_units"][0]["payments"]["refunds"][0]["status"] = status
    after = stage.connector.pull_payment(order)
    assert (before.failed_refunds, after.failed_refunds, after.refunds) == ((), (made,), ())
    assert before.version < after.version


def test_a_payment_given_back_in_parts_is_refunded_when_nothing_is_left(stage: Stage) -> None:
    order = stage.stand_in.pay("50.00")
    stage.connector.push_refund(_refund(order, "20.00", key="refund-1"))
    stage.connector.push_refund(_refund(order, "30.00", key="refund-2"))
    assert stage.connector.pull_payment(order).state == "refunded"


def test_a_refund_goes_to_the_capture_that_has_so_much_left(stage: Stage) -> None:
    order = stage.stand_in.pay("100.00", capture=False)
    stage.connector.capture_payment(order, Decimal("10.00"), "EUR", "shipment-1")
    stage.connector.capture_payment(order, Decimal("90.00"), "EUR", "shipment-2")
    stage.connector.push_refund(_refund(order, "40.00", key="refund-1"))
    stage.connector.push_refund(_refund(order, "50.00", key="refund-2"))
    with pytest.raises(Rejected, match=r"10\.00 of .* 0\.00 of"):
        stage.connector.push_refund(_refund(order, "20.00", key="refund-3"))
    assert stage.connector.push_refund(_refund(_capture_of(stage, order), "10.00", key="refund-4"))
    assert stage.connector.pull_payment(order).state == "refunded"


def test_a_refund_in_another_currency_is_refused(stage: Stage) -> None:
    with pytest.raises(Rejected, match="in EUR, not in USD"):
        stage.connector.push_refund(_refund(stage.stand_in.pay("50.00"), currency="USD"))


# What comes in.


def test_a_payment_is_the_same_one_by_its_order_and_by_its_capture(stage: Stage) -> None:
    order = stage.stand_in.pay("50.00", order_number="FM-9")
    assert stage.connector.pull_payment(_capture_of(stage, order)) == stage.connector.pull_payment(order)
    held = stage.stand_in.pay("50.00", capture=False)
    hold = stage.stand_in.order(held)["purchase_units"][0]["payments"]["authorizations"][0]["id"]
    assert stage.connector.pull_payment(hold).external_id == held


def test_disputes_come_in_and_end(stage: Stage) -> None:
    lost, won = stage.stand_in.pay("50.00"), stage.stand_in.pay("60.00")
    before, cursor = _pull(stage)
    assert {record.state for record in before.values()} == {"captured"}
    stage.time.advance(timedelta(days=20))
    disputes = [stage.stand_in.dispute(order) for order in (lost, won)]
    stage.time.advance(timedelta(minutes=10))
    during, cursor = _pull(stage, cursor)
    assert {name: record.state for name, record in during.items()} == {lost: "disputed", won: "disputed"}
    stage.stand_in.settle_dispute(disputes[0], "RESOLVED_BUYER_FAVOUR")
    stage.stand_in.settle_dispute(disputes[1], "RESOLVED_SELLER_FAVOUR")
    after, _ = _pull(stage, cursor)
    assert {name: record.state for name, record in after.items()} == {lost: "disputed", won: "captured"}
    assert all(before[name].version < during[name].version < after[name].version for name in (lost, won))


def test_what_the_report_shows_late_is_not_lost(stage: Stage) -> None:
    stage.stand_in.state["behind_seconds"] = 3 * 3600
    order = stage.stand_in.pay("50.00")
    stage.time.advance(timedelta(minutes=1))
    came, cursor = _pull(stage, "", stage.world.clock.now() - timedelta(days=1))
    assert came == {}
    stage.time.advance(timedelta(hours=1))
    came, cursor = _pull(stage, cursor)
    assert came == {}
    stage.time.advance(timedelta(hours=2, minutes=10))
    assert set(_pull(stage, cursor)[0]) == {order}


def test_events_tell_at_once_what_the_report_tells_late_or_never(stage: Stage) -> None:
    stage.stand_in.state["behind_seconds"] = 3 * 3600
    stage.connector.subscribe(HUB)
    _, cursor = _pull(stage)
    started = stage.connector.start_payment(REQUEST)
    stage.stand_in.approve(started.external_id)
    held = stage.stand_in.pay("10.00", capture=False)
    taken = stage.stand_in.pay("20.00")
    stage.connector.push_refund(_refund(taken, "5.00"))
    stage.time.advance(timedelta(minutes=1))
    came, cursor = _pull(stage, cursor)
    assert {name: record.state for name, record in came.items()} == {
        started.external_id: "pending", held: "authorised", taken: "captured",
    }  # fmt: skip
    assert [refund.amount for refund in came[taken].refunds] == [Decimal("5.00")]
    stage.stand_in.void(stage.stand_in.order(held)["purchase_units"][0]["payments"]["authorizations"][0]["id"])
    assert _pull(stage, cursor)[0][held].state == "voided"


def test_more_events_than_a_page_holds_all_come_in(stage: Stage) -> None:
    stage.stand_in.state["behind_seconds"] = 24 * 3600
    stage.connector.subscribe(HUB)
    _, cursor = _pull(stage)
    orders = set()
    for _ in range(110):
        orders.add(stage.stand_in.pay("10.00", capture=False))
        stage.time.advance(timedelta(seconds=2))
    assert set(_pull(stage, cursor)[0]) == orders


def test_a_window_with_more_rows_than_the_report_gives_is_read_in_parts(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "MOST_ROWS", 4)
    now = stage.stand_in.now()
    orders = [stage.stand_in.pay("10.00", at=now - timedelta(days=20 - number)) for number in range(20)]
    assert list(_pull(stage, "", now - timedelta(days=25))[0]) == orders


def test_fees_and_payouts_are_no_payments(stage: Stage) -> None:
    for code, amount in (("T0007", "-4.00"), ("T0100", "-0.35"), ("T0400", "-100.00"), ("T0200", "3.00")):
        stage.stand_in.add_row(code, amount)
    order = stage.stand_in.pay("10.00")
    stage.time.advance(timedelta(minutes=1))
    assert set(_pull(stage)[0]) == {order}


def test_a_payment_that_the_payments_api_does_not_have_is_set_aside(stage: Stage) -> None:
    stage.stand_in.add_row("T0000", "12.00")
    order = stage.stand_in.pay("10.00")
    stage.time.advance(timedelta(minutes=1))
    (*_, page) = stage.connector.pull_payments("", None)
    assert [record.external_id for record in page.records] == [order]
    assert [bad.reason for bad in page.unreadable] == ["told of, but the Payments API does not have it"]


def test_a_row_of_the_report_that_cannot_be_read_stops_no_other(stage: Stage) -> None:
    order = stage.stand_in.pay("10.00")
    stage.stand_in.state["rows"].append({**stage.stand_in.state["rows"][0], "transaction_id": "BROKEN1"})
    del stage.stand_in.state["rows"][-1]["transaction_amount"]
    stage.time.advance(timedelta(minutes=1))
    (*_, page) = stage.connector.pull_payments("", None)
    assert ([record.external_id for record in page.records], [bad.external_id for bad in page.unreadable]) == (
        [order], ["BROKEN1"],
    )  # fmt: skip


CAPTURE = {
    "id": "2GG279541U471931P", "status": "COMPLETED", "amount": {"currency_code": "EUR", "value": "20.00"},
    "custom_id": "A-17", "create_time": "2026-05-01T10:00:00Z", "update_time": "2026-05-01T12:30:00+02:00",
}  # fmt: skip


def test_a_capture_without_an_order_is_a_payment_by_its_own_name() -> None:
    record = words.payment_record(words.dressed(CAPTURE, "captures"))
    assert (record.external_id, record.order_id, record.state) == ("2GG279541U471931P", "A-17", "captured")
    assert record.version.startswith("2026-05-01T10:30:00Z.")
    given_back = words.payment_record(words.dressed({**CAPTURE, "status": "REFUNDED"}, "captures"))
    assert (given_back.state, [refund.amount for refund in given_back.refunds]) == ("refunded", [Decimal("20.00")])


def test_a_capture_keeps_the_name_of_an_order_that_is_gone() -> None:
    related = {"supplementary_data": {"related_ids": {"order_id": "5O190127TN364715T"}}}
    assert words.payment_record(words.dressed({**CAPTURE, **related}, "captures")).external_id == "5O190127TN364715T"


def test_a_part_that_was_given_back_of_a_payment_without_an_order_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="does not tell how much"):
        words.payment_record(words.dressed({**CAPTURE, "status": "PARTIALLY_REFUNDED"}, "captures"))


def test_the_shop_may_write_its_orders_number_as_the_invoice() -> None:
    both = words.dressed({**CAPTURE, "invoice_id": "INV-17"}, "captures")
    assert words.payment_record(both).order_id == "A-17"
    assert words.payment_record(both, order_field="invoice_id").order_id == "INV-17"
    assert words.payment_record(words.dressed(CAPTURE, "captures"), order_field="invoice_id").order_id == "A-17"


def test_an_access_token_is_kept_and_asked_for_anew_when_it_ends(stage: Stage) -> None:
    kept: dict[str, str] = {}
    connector = stage.with_account(replace(stage.connector.account, keep=kept.update))
    connector.check()
    first = kept["access_token"]
    stage.time.advance(timedelta(hours=8))
    connector.check()
    assert kept["access_token"] == first
    stage.time.advance(timedelta(hours=1))
    connector.check()
    assert kept["access_token"] != first
    stage.stand_in.faults.then(Fault.TOKEN_EXPIRED)
    connector.check()
    connector.close()
