"""Stock takes while selling goes on."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from finalmarket.catalog.models import BundleComponent, Variant
from finalmarket.kernel.errors import UserError
from finalmarket.stock import counts, ledger
from finalmarket.stock.models import StockLocation, StockMovement
from finalmarket.stock.policies import set_policy
from tests.stock.shelves import (
    assert_books_agree,
    lines_of,
    new_channel,
    new_place,
    new_variant,
    pool,
    promise,
    put,
    shelf,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def good() -> Variant:
    return new_variant("LAMP")


@pytest.fixture
def place(good: Variant) -> StockLocation:
    location = new_place("north")
    put(good, location, 10)
    return location


def test_what_left_after_the_counting_is_no_difference(good: Variant, place: StockLocation) -> None:
    order = promise(new_channel(), good, 4)
    count = counts.start(place.pk)
    counts.record(count.pk, good.pk, 9)
    ledger.close("fulfil", [(order, 0, None)], actor="test")
    put(good, place, 3)
    (found,) = counts.apply(count.pk, actor="ann", reason="year end")
    assert (found.booked, found.difference) == (10, -1)
    assert shelf(good, place).on_hand == 8
    said = StockMovement.objects.get(variant=good, kind="count")
    assert (said.on_hand_delta, said.reference, said.actor) == (-1, f"count:{count.pk}", "ann")
    assert said.reason == "counted 9, booked 10: year end"
    assert_books_agree()


def test_what_left_before_the_counting_is_in_the_books(good: Variant, place: StockLocation) -> None:
    count = counts.start(place.pk)
    ledger.close("fulfil", [(promise(new_channel(), good, 4), 0, None)], actor="test")
    counts.record(count.pk, good.pk, 6)
    (found,) = counts.apply(count.pk, actor="ann")
    assert (found.booked, found.difference, shelf(good, place).on_hand) == (6, 0, 6)
    assert not StockMovement.objects.filter(variant=good, kind="count").exists()


def test_counting_again_replaces_what_was_written(good: Variant, place: StockLocation) -> None:
    count = counts.start(place.pk)
    counts.record(count.pk, good.pk, 3)
    counts.record(count.pk, good.pk, 12)
    assert [found.difference for found in counts.preview(count.pk)] == [2]
    counts.apply(count.pk, actor="ann")
    assert (pool(good).on_hand, count.lines.get().difference) == (12, 2)
    assert_books_agree()


def test_a_variant_that_nobody_booked_there_can_be_found(place: StockLocation) -> None:
    surprise = new_variant()
    count = counts.start(place.pk)
    counts.record(count.pk, surprise.pk, 2)
    counts.apply(count.pk, actor="ann")
    assert shelf(surprise, place).on_hand == 2
    assert_books_agree()


def test_a_count_below_what_is_promised_makes_the_promise_short(good: Variant, place: StockLocation) -> None:
    order = promise(new_channel(), good, 8)
    count = counts.start(place.pk)
    counts.record(count.pk, good.pk, 5)
    counts.apply(count.pk, actor="ann")
    assert [(line.quantity, line.short) for line in lines_of(order)] == [(5, 3)]
    assert_books_agree()


def test_a_count_never_takes_more_than_the_books_still_have(good: Variant, place: StockLocation) -> None:
    order = promise(new_channel(), good, 9)
    count = counts.start(place.pk)
    counts.record(count.pk, good.pk, 0)
    ledger.close("fulfil", [(order, 0, None)], actor="test")
    (found,) = counts.apply(count.pk, actor="ann")
    assert (found.booked, found.difference, shelf(good, place).on_hand) == (10, -1, 0)
    assert_books_agree()


def test_the_moment_of_counting_may_be_named_afterwards(good: Variant, place: StockLocation) -> None:
    counted_at = timezone.now()
    put(good, place, 5)
    count = counts.start(place.pk)
    counts.record(count.pk, good.pk, 10, counted_at=counted_at)
    assert [(found.booked, found.difference) for found in counts.apply(count.pk, actor="ann")] == [(10, 0)]
    assert shelf(good, place).on_hand == 15


def test_a_count_that_makes_no_sense_is_refused_in_words(good: Variant, place: StockLocation) -> None:
    count = counts.start(place.pk)
    with pytest.raises(UserError, match="nothing was counted"):
        counts.apply(count.pk, actor="ann")
    with pytest.raises(UserError, match="nobody can count -1"):
        counts.record(count.pk, good.pk, -1)
    with pytest.raises(UserError, match="lies in the future"):
        counts.record(count.pk, good.pk, 1, counted_at=timezone.now() + timedelta(hours=1))
    with pytest.raises(UserError, match="there is no variant"):
        counts.record(count.pk, good.pk + 1, 1)
    with pytest.raises(UserError, match="there is no stock location"):
        counts.start(place.pk + 1)


def test_a_count_is_applied_once_or_dropped(good: Variant, place: StockLocation) -> None:
    count = counts.start(place.pk)
    counts.record(count.pk, good.pk, 4)
    counts.apply(count.pk, actor="ann")
    with pytest.raises(UserError, match="is over: it is applied"):
        counts.apply(count.pk, actor="ann")
    dropped = counts.start(place.pk)
    counts.record(dropped.pk, good.pk, 1)
    counts.cancel(dropped.pk)
    with pytest.raises(UserError, match="is over: it is cancelled"):
        counts.record(dropped.pk, good.pk, 1)
    assert shelf(good, place).on_hand == 4


def test_a_stock_take_of_many_costs_as_many_statements_as_one_of_two(place: StockLocation) -> None:
    def statements(goods: list[Variant]) -> int:
        count = counts.start(place.pk)
        for units, good in enumerate(goods):
            put(good, place, 5)
            counts.record(count.pk, good.pk, units)
        with CaptureQueriesContext(connection) as asked:
            found = counts.apply(count.pk, actor="ann")
        assert [one.difference for one in found] == [units - 5 for units in range(len(goods))]
        assert {line.variant_id: line.difference for line in count.lines.all()} == {
            one.variant_id: one.difference for one in found
        }
        return len(asked)

    goods = [new_variant() for _ in range(14)]
    assert statements(goods[:2]) == statements(goods[2:])
    assert_books_agree()


def test_fences_give_way_to_what_counts_found_missing(good: Variant, place: StockLocation) -> None:
    pot, web = new_variant(), new_channel()
    put(pot, place, 10)
    set_policy(good.pk, web.pk, fence_quantity=8)
    set_policy(pot.pk, web.pk, fence_quantity=3)
    count = counts.start(place.pk)
    for variant in (good, pot):
        counts.record(count.pk, variant.pk, 5)
    counts.apply(count.pk, actor="ann")
    assert (pool(good).fenced, pool(pot).fenced) == (5, 3)
    said = StockMovement.objects.get(variant=good, kind="fence", fence_delta__lt=0)
    assert (said.fence_delta, said.reason) == (-3, "counted 5, booked 10")
    assert_books_agree()


def test_a_count_of_what_became_a_bundle_meanwhile_changes_nothing(good: Variant, place: StockLocation) -> None:
    became = new_variant("SET")
    count = counts.start(place.pk)
    counts.record(count.pk, good.pk, 4)
    counts.record(count.pk, became.pk, 1)
    BundleComponent.objects.create(bundle=became, component=good, quantity=1)
    with pytest.raises(UserError, match="SET is a bundle"):
        counts.apply(count.pk, actor="ann")
    assert (shelf(good, place).on_hand, count.state) == (10, "open")
