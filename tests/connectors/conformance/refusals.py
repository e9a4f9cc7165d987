"""Batches: as large as the platform takes them, and one bad record stops no other."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.contract import (
    PushesCancellations,
    PushesFulfilments,
    PushesListings,
    PushesPrices,
    PushesRefunds,
    PushesStock,
)
from finalmarket.connectors.errors import ConnectorError, Rejected
from finalmarket.connectors.records import ListingRef, PriceLevel, StockLevel
from tests.connectors.cases import Case
from tests.connectors.conformance.stage import Stage, always, check, needed, on_a_double, staged

MOST_RECORDS = 1_000  # of a batch: larger ones take long and show nothing more


def _levels(stage: Stage, refs: list[ListingRef]) -> list[StockLevel]:
    place = stage.case.location
    return [
        StockLevel(ref=ref, quantity=20 + number, key=f"stock-{number}", location=place, shown=5)
        for number, ref in enumerate(refs)
    ]


def _prices(stage: Stage, refs: list[ListingRef]) -> list[PriceLevel]:
    currency = stage.case.currency
    return [
        PriceLevel(ref=ref, amount=Decimal("11.05") + number, currency=currency, key=f"price-{number}")
        for number, ref in enumerate(refs)
    ]


def _refs(stage: Stage, count: int) -> list[ListingRef]:
    return list(needed(stage.case.seed_listings, "seed_listings")(stage.stand_in, count))


@check(PushesStock)
def a_full_batch_of_stock_is_applied_to_the_unit(case: Case) -> None:
    with staged(case) as stage:
        levels = _levels(stage, _refs(stage, min(MOST_RECORDS, stage.connector.stock_batch_limit)))
        assert list(stage.connector.push_stock(levels)) == []
        shown = {level.ref.key: needed(case.stock_of, "stock_of")(stage.stand_in, level.ref) for level in levels}
        assert shown == {level.ref.key: level.quantity for level in levels}


@check(PushesPrices)
def a_full_batch_of_prices_is_applied_to_the_cent(case: Case) -> None:
    with staged(case) as stage:
        levels = _prices(stage, _refs(stage, min(MOST_RECORDS, stage.connector.price_batch_limit)))
        assert list(stage.connector.push_prices(levels)) == []
        shown = {level.ref.key: needed(case.price_of, "price_of")(stage.stand_in, level.ref) for level in levels}
        assert shown == {level.ref.key: level.amount for level in levels}


@check(PushesStock)
def nothing_to_tell_is_told_without_a_call(case: Case) -> None:
    connector = on_a_double(case, always(500))
    assert list(connector.push_stock([])) == []
    if issubclass(case.connector, PushesPrices):
        assert list(connector.push_prices([])) == []
    if issubclass(case.connector, PushesListings):
        assert list(connector.push_listings([])) == []


@check(PushesStock)
def a_stock_level_that_is_refused_comes_back_by_its_key_and_the_others_stand(case: Case) -> None:
    with staged(case) as stage:
        first, last = _refs(stage, 2)
        levels = _levels(stage, [first, needed(case.missing_ref, "missing_ref"), last])
        (refused,) = stage.connector.push_stock(levels)
        _is_refusal_of(refused, needed(case.missing_ref, "missing_ref"))
        truth = needed(case.stock_of, "stock_of")
        assert [truth(stage.stand_in, ref) for ref in (first, last)] == [20, 22]


@check(PushesPrices)
def a_price_that_is_refused_comes_back_by_its_key_and_the_others_stand(case: Case) -> None:
    with staged(case) as stage:
        first, last = _refs(stage, 2)
        levels = _prices(stage, [first, needed(case.missing_ref, "missing_ref"), last])
        (refused,) = stage.connector.push_prices(levels)
        _is_refusal_of(refused, needed(case.missing_ref, "missing_ref"))
        truth = needed(case.price_of, "price_of")
        assert [truth(stage.stand_in, ref) for ref in (first, last)] == [Decimal("11.05"), Decimal("13.05")]


def _is_refusal_of(refused: Any, ref: ListingRef) -> None:
    assert isinstance(refused, Rejected)
    assert refused.key == ref.key
    assert refused.reason.strip()


@check(PushesListings)
def new_listings_are_named_in_their_order_and_a_refused_one_stops_no_other(case: Case) -> None:
    with staged(case) as stage:
        first, last = needed(case.new_listings, "new_listings")(stage.stand_in, 2)
        bad = needed(case.bad_listing, "bad_listing")
        one, two, three = stage.connector.push_listings([first, bad, last])
        assert isinstance(one, ListingRef)
        assert isinstance(three, ListingRef)
        assert (one.sku, three.sku) == (first.ref.sku, last.ref.sku)
        assert isinstance(two, Rejected)
        assert two.key == bad.ref.key
        assert two.reason.strip()


@check(PushesListings)
def a_listing_that_is_there_is_changed_and_not_made_again(case: Case) -> None:
    with staged(case) as stage:
        (content,) = needed(case.new_listings, "new_listings")(stage.stand_in, 1)
        (made,) = stage.connector.push_listings([content])
        changed = replace(content, ref=made, key=f"{content.key}-2", title="Another title")
        (again,) = stage.connector.push_listings([changed])
        assert again == made


@check(PushesFulfilments)
def a_parcel_of_an_order_that_is_not_there_is_rejected(case: Case) -> None:
    with staged(case) as stage:
        notice = needed(case.fulfilment, "fulfilment")(stage.stand_in)
        before = stage.effects()
        with pytest.raises(Rejected):
            stage.connector.push_fulfilment(replace(notice, order_id=_other(notice.order_id), key="parcel-other"))
        assert stage.effects() == before


@check(PushesFulfilments)
def two_parcels_are_two(case: Case) -> None:
    with staged(case) as stage:
        make = needed(case.fulfilment, "fulfilment")
        first, second = make(stage.stand_in), make(stage.stand_in)
        one, two = stage.connector.push_fulfilment(first), stage.connector.push_fulfilment(second)
        assert one != two or one == ""


@check(PushesRefunds)
def two_refunds_are_two_and_one_refund_has_one_name(case: Case) -> None:
    with staged(case) as stage:
        make = needed(case.refund, "refund")
        first, second = make(stage.stand_in), make(stage.stand_in)
        one, two = stage.connector.push_refund(first), stage.connector.push_refund(second)
        assert one != two
        assert stage.connector.push_refund(first) == one


@check(PushesRefunds)
def a_refund_of_more_than_was_paid_is_rejected(case: Case) -> None:
    with staged(case) as stage:
        notice = needed(case.refund, "refund")(stage.stand_in)
        before = stage.effects()
        with pytest.raises(Rejected):
            stage.connector.push_refund(replace(notice, amount=notice.amount * 1000, key="refund-too-much"))
        assert stage.effects() == before


@check(PushesCancellations)
def an_order_that_is_not_there_cannot_be_cancelled(case: Case) -> None:
    with staged(case) as stage:
        order = needed(case.cancellable_order, "cancellable_order")(stage.stand_in)
        with pytest.raises(ConnectorError) as caught:
            stage.connector.push_cancellation(_other(order), "the buyer changed their mind", "cancel-other")
        assert isinstance(caught.value, Rejected)


def _other(name: str) -> str:
    """An id of the same making that the platform does not have."""
    return name[:-1] + ("0" if name[-1] != "0" else "9") if name[-1].isdigit() else name[:-1] + "q"
