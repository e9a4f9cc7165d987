"""Transfers: nothing is lost between two places but what was written off."""

import pytest

from finalmarket.catalog.models import Variant
from finalmarket.kernel.errors import UserError
from finalmarket.stock import ledger, transfers
from finalmarket.stock.models import StockLocation, StockMovement, Transfer
from finalmarket.stock.policies import set_backorder_limit, set_policy
from tests.stock.shelves import (
    OVER,
    assert_books_agree,
    hold,
    lines_of,
    new_bundle,
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
def north(good: Variant) -> StockLocation:
    place = new_place("north")
    put(good, place, 10)
    return place


@pytest.fixture
def south() -> StockLocation:
    return new_place("south")


def test_units_on_their_way_lie_nowhere_and_are_not_forgotten(
    good: Variant, north: StockLocation, south: StockLocation
) -> None:
    transfer = transfers.draft(north.pk, south.pk, [(good.pk, 6)])
    assert pool(good).on_hand == 10
    transfers.ship(transfer.pk, actor="ann")
    assert (pool(good).on_hand, transfers.in_transit([good.pk])) == (4, {good.pk: 6})
    transfers.receive(transfer.pk, {good.pk: 2}, actor="ben")
    assert (pool(good).on_hand, transfers.in_transit([good.pk])) == (6, {good.pk: 4})
    closed = transfers.receive(transfer.pk, {good.pk: 4}, actor="ben")
    assert (pool(good).on_hand, shelf(good, south).on_hand, transfers.in_transit([good.pk])) == (10, 6, {})
    assert closed.state == Transfer.State.RECEIVED
    who = StockMovement.objects.filter(reference=f"transfer:{transfer.pk}").values_list(
        "kind", "actor", "on_hand_delta"
    )
    assert set(who) == {("transfer_out", "ann", -6), ("transfer_in", "ben", 2), ("transfer_in", "ben", 4)}
    assert_books_agree()


def test_what_never_arrives_is_written_off_with_a_reason(
    good: Variant, north: StockLocation, south: StockLocation
) -> None:
    transfer = transfers.draft(north.pk, south.pk, [(good.pk, 6)])
    transfers.ship(transfer.pk, actor="ann")
    transfers.receive(transfer.pk, {good.pk: 5}, actor="ben")
    transfers.close(transfer.pk, reason="fell off the lorry", actor="ben")
    line = transfer.lines.get()
    assert (line.discrepancy, pool(good).on_hand, transfers.in_transit([good.pk])) == (-1, 9, {})
    said = StockMovement.objects.filter(variant=good).order_by("id").last()
    assert said is not None
    assert (said.reason, said.on_hand_delta) == ("1 lost in transit: fell off the lorry", 0)
    assert_books_agree()


def test_more_than_was_sent_is_taken_in_and_shows(good: Variant, north: StockLocation, south: StockLocation) -> None:
    transfer = transfers.draft(north.pk, south.pk, [(good.pk, 2)])
    transfers.ship(transfer.pk, actor="ann")
    transfers.receive(transfer.pk, {good.pk: 3}, actor="ben")
    assert (transfer.lines.get().discrepancy, pool(good).on_hand, shelf(good, south).on_hand) == (1, 11, 3)
    assert_books_agree()


def test_only_what_nobody_was_promised_can_be_sent_and_all_lines_or_none(
    good: Variant, north: StockLocation, south: StockLocation
) -> None:
    other, web = new_variant("CUP"), new_channel()
    put(other, north, 5)
    promise(web, good, 7)
    transfer = transfers.draft(north.pk, south.pk, [(good.pk, 4), (other.pk, 5)])
    with pytest.raises(UserError, match="LAMP: 4 wanted, 3 free at North"):
        transfers.ship(transfer.pk, actor="ann")
    assert (pool(good).on_hand, pool(other).on_hand) == (10, 5)
    assert_books_agree()


def test_an_ended_hold_does_not_stand_in_the_way(good: Variant, north: StockLocation, south: StockLocation) -> None:
    hold(new_channel(), good, 10, seconds=OVER)
    transfers.ship(transfers.draft(north.pk, south.pk, [(good.pk, 10)]).pk, actor="ann")
    assert pool(good).on_hand == 0
    assert_books_agree()


def test_a_ring_fence_is_not_sent_away(good: Variant, north: StockLocation, south: StockLocation) -> None:
    app = new_channel()
    set_policy(good.pk, app.pk, fence_quantity=8)
    transfer = transfers.draft(north.pk, south.pk, [(good.pk, 3)])
    with pytest.raises(UserError, match="3 wanted, 2 free at North, 8 are fenced"):
        transfers.ship(transfer.pk, actor="ann")


def test_goods_that_arrive_meet_who_waits(good: Variant, north: StockLocation, south: StockLocation) -> None:
    web = new_channel()
    transfer = transfers.draft(north.pk, south.pk, [(good.pk, 10)])
    transfers.ship(transfer.pk, actor="ann")
    set_backorder_limit(good.pk, 5)
    set_policy(good.pk, web.pk, allows_backorder=True)
    order = promise(web, good, 5)
    transfers.receive(transfer.pk, {good.pk: 10}, actor="ben")
    assert sum(line.quantity for line in lines_of(order) if line.location_id == south.pk) == 5
    assert_books_agree()


def test_a_transfer_that_is_called_back_returns_to_its_source(
    good: Variant, north: StockLocation, south: StockLocation
) -> None:
    transfer = transfers.draft(north.pk, south.pk, [(good.pk, 6)])
    transfers.ship(transfer.pk, actor="ann")
    transfers.cancel(transfer.pk, actor="ann")
    assert (shelf(good, north).on_hand, transfers.in_transit([good.pk])) == (10, {})
    assert_books_agree()


def test_a_transfer_goes_its_way_once(good: Variant, north: StockLocation, south: StockLocation) -> None:
    transfer = transfers.draft(north.pk, south.pk, [(good.pk, 6)])
    with pytest.raises(UserError, match="cannot be received: it is draft"):
        transfers.receive(transfer.pk, {good.pk: 1}, actor="ben")
    transfers.ship(transfer.pk, actor="ann")
    with pytest.raises(UserError, match="cannot be shipped: it is in transit"):
        transfers.ship(transfer.pk, actor="ann")
    with pytest.raises(UserError, match="is not on transfer"):
        transfers.receive(transfer.pk, {good.pk + 1: 1}, actor="ben")
    with pytest.raises(UserError, match="needs a reason"):
        transfers.close(transfer.pk, reason=" ", actor="ben")
    transfers.receive(transfer.pk, {good.pk: 1}, actor="ben")
    with pytest.raises(UserError, match=r"part of transfer .* has arrived: close it"):
        transfers.cancel(transfer.pk, actor="ann")
    transfers.close(transfer.pk, reason="lost", actor="ben")
    with pytest.raises(UserError, match="cannot be cancelled: it is received"):
        transfers.cancel(transfer.pk, actor="ann")
    assert ledger.set_on_hand(good.pk, south.pk, 1, reason="as booked", actor="ann") == 0


def test_a_transfer_that_makes_no_sense_is_refused_in_words(
    good: Variant, north: StockLocation, south: StockLocation
) -> None:
    bundle = new_bundle({good: 1}, "PAIR")
    for lines, says in (
        ([], "at least one line"),
        ([(good.pk, 0)], "a quantity must be above zero"),
        ([(good.pk, 1), (good.pk, 2)], "stands twice"),
        ([(bundle.pk, 1)], "PAIR is a bundle"),
        ([(good.pk + 99, 1)], "there is no variant"),
    ):
        with pytest.raises(UserError, match=says):
            transfers.draft(north.pk, south.pk, lines)
    with pytest.raises(UserError, match="two different locations"):
        transfers.draft(north.pk, north.pk, [(good.pk, 1)])
    with pytest.raises(UserError, match="there is no stock location"):
        transfers.draft(north.pk, south.pk + 99, [(good.pk, 1)])
