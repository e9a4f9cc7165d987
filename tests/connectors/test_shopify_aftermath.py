"""Shopify: parcels, refunds and cancellations. Real HTTP, judged by the published schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.errors import OutcomeUnknown, Rejected
from finalmarket.connectors.records import (
    FulfilmentNotice,
    RefundNotice,
)
from finalmarket.sandbox.faults import Fault
from tests.connectors.cases.shopify import (
    cancellable_order,
    case,
    fulfilment,
    refund,
)
from tests.connectors.conformance.stage import Stage, staged
from tests.connectors.shopify_stage import sent, shown, two_shirts


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


# Parcels.


def notice(order_id: str, line_id: str, units: int, stage: Stage, **changes: Any) -> FulfilmentNotice:
    facts = {"key": "parcel-1", "tracking_number": "JD014", "carrier": "DHL", **changes}
    return FulfilmentNotice(order_id=order_id, lines=((line_id, units),), shipped_at=stage.world.clock.now(), **facts)


def test_two_parcels_of_one_order_are_two_and_each_counts_once(stage: Stage) -> None:
    order_id, line_id = two_shirts(stage)
    first = notice(order_id, line_id, 1, stage)
    second = replace(first, key="parcel-2", tracking_number="JD015")
    told = [stage.connector.push_fulfilment(each) for each in (first, second, first, second)]
    assert told[0] != told[1]
    assert told[2:] == told[:2]
    assert len(stage.stand_in.state.orders[order_id]["fulfillments"]) == 2


def test_a_parcel_without_a_number_counts_once_too(stage: Stage) -> None:
    order_id, line_id = two_shirts(stage)
    first = notice(order_id, line_id, 1, stage, tracking_number="", carrier="")
    told = [stage.connector.push_fulfilment(first) for _ in range(2)]
    stage.time.advance(timedelta(hours=1))
    second = notice(order_id, line_id, 1, stage, tracking_number="", carrier="", key="parcel-2")
    told += [stage.connector.push_fulfilment(second) for _ in range(2)]
    assert told[0] == told[1] != told[2] == told[3]


def test_two_parcels_that_are_alike_and_were_told_late_are_two(stage: Stage) -> None:
    order_id, line_id = two_shirts(stage)
    first = notice(order_id, line_id, 1, stage, tracking_number="", carrier="")
    second = replace(first, key="parcel-2", alike=1)
    stage.time.advance(timedelta(hours=1))
    told = [stage.connector.push_fulfilment(each) for each in (first, second, second)]
    assert told[0] != told[1] == told[2]
    assert len(stage.stand_in.state.orders[order_id]["fulfillments"]) == 2


def test_more_than_waits_is_refused(stage: Stage) -> None:
    order_id, line_id = two_shirts(stage)
    with pytest.raises(Rejected) as caught:
        stage.connector.push_fulfilment(notice(order_id, line_id, 3, stage))
    assert caught.value.code == "NOTHING_TO_FULFIL"
    assert caught.value.key == "parcel-1"


def test_a_parcel_that_names_no_lines_holds_all_that_waits(stage: Stage) -> None:
    order_id, line_id = two_shirts(stage)
    everything = replace(notice(order_id, line_id, 1, stage), lines=())
    stage.connector.push_fulfilment(everything)
    record = stage.connector.pull_order(order_id)
    assert record.fulfilments[0].lines == ((line_id, 2),)


def test_shopify_writes_to_the_customer_unless_the_settings_say_no(stage: Stage) -> None:
    account = stage.connector.account
    quiet = replace(account, settings={**account.settings, "notify_customers": "no"})
    for connector in (stage.connector, stage.with_account(quiet)):
        connector.push_fulfilment(fulfilment(stage.stand_in))
    said = [asked["fulfillment"]["notifyCustomer"] for asked in sent(stage, "mutation fulfillmentCreate")]
    assert said == [True, False]


def test_a_parcel_whose_news_was_lost_is_of_unknown_outcome_and_then_found() -> None:
    with staged(case()) as stage:
        stage.watched.answers_may_break = True
        told = fulfilment(stage.stand_in)
        stage.stand_in.faults.then(Fault.ERROR_AFTER)
        with pytest.raises(OutcomeUnknown):
            stage.connector.push_fulfilment(told)
        found = stage.connector.push_fulfilment(told)
        assert [each["id"] for each in stage.stand_in.state.orders[told.order_id]["fulfillments"]] == [found]


# Refunds and cancellations.


def test_a_refund_comes_back_with_the_order_and_restocks_nothing(stage: Stage) -> None:
    told = refund(stage.stand_in)
    before = shown(stage)
    refund_id = stage.connector.push_refund(told)
    record = stage.connector.pull_order(told.order_id)
    assert [(each.external_id, each.amount) for each in record.refunds] == [(refund_id, Decimal("10.00"))]
    assert record.refunds[0].reason.startswith("came back damaged (")
    assert record.lines[0].cancelled_quantity == 1
    assert shown(stage) == before


def test_a_refund_is_found_again_when_shopify_has_forgotten_its_key(stage: Stage) -> None:
    told = refund(stage.stand_in)
    first = stage.connector.push_refund(told)
    stage.time.advance(timedelta(days=3))
    assert stage.connector.push_refund(told) == first
    assert len(stage.stand_in.state.orders[told.order_id]["refunds"]) == 1


def test_a_refund_asked_for_again_on_a_stale_read_happens_once(stage: Stage) -> None:
    told = refund(stage.stand_in)
    stage.stand_in.remember()
    first = stage.connector.push_refund(told)
    stage.stand_in.faults.then(Fault.STALE_READ)
    assert stage.connector.push_refund(told) == first
    assert len(stage.stand_in.state.orders[told.order_id]["refunds"]) == 1


def test_what_was_authorised_first_goes_back_from_its_captures(stage: Stage) -> None:
    order_id, _ = two_shirts(stage, is_paid=False)
    order = stage.stand_in.state.orders[order_id]
    (held,) = order["transactions"]
    captures = [
        stage.stand_in.state.pay(order, "CAPTURE", Decimal(amount), "shopify_payments", parent=held["id"])["id"]
        for amount in ("15.00", "9.90")
    ]
    stage.connector.push_refund(
        RefundNotice(
            key="r", order_id=order_id, payment_id=held["id"], amount=Decimal("20.00"), currency="EUR", reason="late"
        )
    )
    back = [(each["parent"], each["amount"]) for each in order["transactions"] if each["kind"] == "REFUND"]
    assert back == [(captures[0], Decimal("15.00")), (captures[1], Decimal("5.00"))]


def test_money_goes_back_in_the_buyers_currency_at_the_rate_of_the_payment(stage: Stage) -> None:
    order_id, _ = two_shirts(stage, presentment="USD", rate=Decimal("1.25"))
    order = stage.stand_in.state.orders[order_id]
    told = RefundNotice(
        key="r", order_id=order_id, payment_id=order["transactions"][0]["id"], amount=Decimal("10.00"), currency="EUR"
    )
    stage.connector.push_refund(told)
    (asked,) = sent(stage, "mutation refundCreate")
    assert asked["input"]["currency"] == "USD"
    assert [each["amount"] for each in asked["input"]["transactions"]] == ["12.50"]
    assert stage.connector.pull_order(order_id).refunds[0].amount == Decimal("10.00")


def test_a_refund_in_a_currency_that_the_order_is_not_booked_in_is_refused(stage: Stage) -> None:
    with pytest.raises(Rejected) as caught:
        stage.connector.push_refund(replace(refund(stage.stand_in), currency="USD"))
    assert caught.value.code == "CURRENCY"


def test_a_cancelled_order_gives_back_no_money_by_itself_and_restocks_nothing(stage: Stage) -> None:
    order_id = cancellable_order(stage.stand_in)
    before = shown(stage)
    stage.connector.push_cancellation(order_id, "out of stock after all", "c-1")
    record = stage.connector.pull_order(order_id)
    assert record.is_cancelled
    assert (record.refunds, record.lines[0].cancelled_quantity) == ((), 1)
    assert shown(stage) == before
    assert stage.stand_in.state.orders[order_id]["cancel_reason"] == "INVENTORY"


def test_cancelling_lets_an_authorised_payment_go(stage: Stage) -> None:
    order_id, _ = two_shirts(stage, is_paid=False)
    stage.connector.push_cancellation(order_id, "customer", "c-1")
    assert [tender.state for tender in stage.connector.pull_order(order_id).tenders] == ["voided"]
