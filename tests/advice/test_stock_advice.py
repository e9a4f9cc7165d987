"""Advice about stock: what it says, on which numbers, and what comes of accepting and dismissing it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.advice import demand_series, replenishment_keep
from finalmarket.advice.models import DemandForecast, StockAdvice, SupplyTerm
from finalmarket.advice.replenishment_decide import accept, dismiss
from finalmarket.advice.replenishment_keep import refresh
from finalmarket.catalog.models import BundleComponent
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.stock import ledger, policies, receipts
from finalmarket.stock.models import (
    ChannelInventory,
    ChannelSource,
    ExpectedReceipt,
    StockLocation,
    StockMovement,
    Transfer,
)
from tests.advice.past_sales import sell
from tests.orders.market import Market, open_market

YEAR = 200


@pytest.fixture
def market(db: None) -> Market:
    """A market; the sales of its past are written straight into the books, so these do not agree with the stock."""
    market = open_market()
    ChannelSource.objects.create(sales_channel=market.till, location=market.north)
    return market


def open_advice(kind: str) -> list[StockAdvice]:
    return list(StockAdvice.objects.filter(kind=kind, state="open").order_by("id"))


def test_what_runs_out_before_a_delivery_can_come_is_ordered(market: Market) -> None:
    tea = market.goods("TEA", warehouse=30)
    sell(market.web, tea, market.warehouse, [2] * YEAR)
    refresh()
    (piece,) = open_advice("reorder")
    # 21 days at 2 a day ask for 42, one time in 20 for more than 53 (Poisson); 28 days more for 56.
    assert piece.numbers["demand"] == pytest.approx(42, abs=0.01)
    assert piece.numbers["reorder_point"] == 53
    assert piece.quantity == 53 + 56 - 30
    assert piece.location == market.warehouse
    assert piece.numbers["days_of_cover"] == 15
    assert "Warehouse has 30 free; at 2.0 a day that lasts 15 days." in piece.reason
    assert "19 times in 20 no more than 53" in piece.reason
    assert piece.worth is not None
    assert piece.worth == pytest.approx(Decimal("120"), abs=Decimal("5"))  # some 12 units of 10 euro would be missed


def test_what_lasts_is_not_ordered(market: Market) -> None:
    tea = market.goods("TEA", warehouse=54)
    sell(market.web, tea, market.warehouse, [2] * YEAR)
    refresh()
    assert open_advice("reorder") == []


def test_what_is_on_its_way_in_time_counts_and_what_comes_too_late_does_not(market: Market) -> None:
    tea, jam = market.goods("TEA", warehouse=10), market.goods("JAM", warehouse=10)
    for variant, days in ((tea, 5), (jam, 60)):
        sell(market.web, variant, market.warehouse, [2] * YEAR)
        receipts.announce(variant.pk, market.warehouse.pk, 60, clock.now() + timedelta(days=days), supplier="Nord")
    refresh()
    assert [(one.variant, one.numbers["supplier"]) for one in open_advice("reorder")] == [(jam, "Nord")]


def test_the_terms_of_a_supplier_at_a_place_go_before_all_others(market: Market) -> None:
    tea = market.goods("TEA", warehouse=300)
    sell(market.web, tea, market.warehouse, [2] * YEAR)
    receipts.cancel(receipts.announce(tea.pk, market.warehouse.pk, 1, clock.now(), supplier="Far East").pk)
    SupplyTerm.objects.create(lead_time_days=1, service_level=Decimal("0.5"))
    SupplyTerm.objects.create(location=market.warehouse, lead_time_days=2)
    SupplyTerm.objects.create(supplier="Far East", lead_time_days=90, service_level=Decimal("0.99"))
    refresh()
    assert open_advice("reorder") == []  # 97 days ask for 194, hardly ever for 230
    SupplyTerm.objects.create(supplier="Far East", location=market.warehouse, lead_time_days=200)
    refresh()
    (piece,) = open_advice("reorder")
    assert piece.numbers["lead_days"] == 200
    assert "99 times in 100" not in piece.reason


def test_days_without_stock_are_left_out_of_the_demand(market: Market) -> None:
    tea = market.goods("TEA", warehouse=2)
    ledger.post([ledger.Movement("adjust", tea.pk, market.warehouse.pk, on_hand=-2, reason="lost")], actor="test")
    sell(market.web, tea, market.warehouse, [2] * YEAR)
    with clock.steered(clock.now() + timedelta(days=21)):
        shelves = demand_series.read(clock.now())
    (row,) = [number for number, variant in enumerate(shelves.variant.tolist()) if variant == tea.pk]
    # Before the first delivery, which came and was lost on one day, the ledger knows nothing.
    assert shelves.lately_silent[row] == 21
    assert shelves.forecast.rate[row] > 1.6


def test_a_day_that_is_not_over_on_a_channel_is_not_looked_at_yet(market: Market) -> None:
    SalesChannel.objects.filter(pk=market.bazaar.pk).update(time_zone="America/Los_Angeles")
    with clock.steered(datetime(2026, 6, 10, 2, 40, tzinfo=UTC)):  # there it is twenty to eight on the ninth
        assert demand_series.read(clock.now()).last_day == date(2026, 6, 8)
        SalesChannel.objects.filter(pk=market.bazaar.pk).update(status="inactive")
        assert demand_series.read(clock.now()).last_day == date(2026, 6, 9)


def test_units_of_a_bundle_count_as_demand_of_its_parts(market: Market) -> None:
    tea = market.goods("TEA", warehouse=1)
    box = market.goods("BOX")
    BundleComponent.objects.create(bundle=box, component=tea, quantity=3)
    sell(market.web, box, None, [1] * YEAR)
    refresh()
    forecast = DemandForecast.objects.get(variant=tea)
    assert forecast.location == market.warehouse  # never packed: at the first place of the channel
    assert forecast.rate == pytest.approx(3)
    assert not DemandForecast.objects.filter(variant=box).exists()


@pytest.mark.parametrize("has_own_sources", [False, True])
def test_what_was_sent_from_a_place_that_is_closed_is_asked_for_at_the_channels_first_place(
    market: Market, has_own_sources: bool
) -> None:
    tea = market.goods("TEA", warehouse=3, north=2)
    if has_own_sources:
        for rank, location in enumerate((market.north, market.warehouse)):
            ChannelSource.objects.create(sales_channel=market.web, location=location, rank=rank)
    sell(market.web, tea, market.north, [2] * YEAR)
    sell(market.web, tea, market.warehouse, [1] * YEAR)
    StockLocation.objects.filter(pk=market.north.pk).update(is_active=False)
    shelves = demand_series.read(clock.now())
    refresh()
    told = DemandForecast.objects.filter(variant=tea)
    assert [one.location for one in told] == [market.warehouse]
    assert told[0].rate == pytest.approx(3)
    assert {one.location for one in open_advice("reorder")} == {market.warehouse}
    # What sells from this place alone, now that the other is closed, is tied to it, wherever it was sent from.
    (row,) = [number for number, variant in enumerate(shelves.variant.tolist()) if variant == tea.pk]
    assert shelves.tied[row] == (1.0 if has_own_sources else 0.0)


def test_a_store_that_runs_dry_gets_what_the_warehouse_does_not_need(market: Market) -> None:
    tea = market.goods("TEA", warehouse=500, north=2)
    sell(market.till, tea, market.north, [1] * YEAR)
    sell(market.web, tea, market.warehouse, [1] * YEAR)
    refresh()
    (piece,) = open_advice("transfer")
    assert (piece.source, piece.location) == (market.warehouse, market.north)
    assert piece.quantity == 29 - 2  # 21 days ask for 21, one time in 20 for more than 29
    assert piece.numbers["gain_units"] == pytest.approx(19, abs=1)
    assert "Warehouse has 500 free and needs 29 of them itself" in piece.reason
    assert open_advice("reorder") == []  # the transfer is enough, for both


def test_a_shelf_that_others_can_serve_for_needs_no_transfer(market: Market) -> None:
    tea = market.goods("TEA", warehouse=500)
    sell(market.web, tea, market.south, [1] * YEAR)
    refresh()
    assert open_advice("transfer") == []


def test_what_stores_lack_is_ordered_once_by_their_warehouse(market: Market) -> None:
    tea = market.goods("TEA", warehouse=3, north=2)
    sell(market.till, tea, market.north, [1] * YEAR)
    sell(market.web, tea, market.warehouse, [1] * YEAR)
    refresh()
    (piece,) = open_advice("reorder")
    assert piece.location == market.warehouse
    assert piece.numbers["for_others"] == 29 + 28 - 2
    assert piece.quantity == (29 + 28 - 3) + (29 + 28 - 2)
    assert "55 for North store" in piece.reason


def test_what_is_on_its_way_to_the_warehouse_for_a_store_is_not_ordered_again(market: Market) -> None:
    tea = market.goods("TEA", warehouse=3, north=2)
    sell(market.till, tea, market.north, [1] * YEAR)
    sell(market.web, tea, market.warehouse, [1] * YEAR)
    refresh()
    accept([one.pk for one in open_advice("reorder")], actor="olga")
    refresh()
    assert open_advice("reorder") == []


def test_what_the_warehouse_has_beyond_its_need_is_not_ordered_for_a_store(market: Market) -> None:
    tea = market.goods("TEA", warehouse=500, north=20)
    sell(market.till, tea, market.north, [1] * YEAR)
    sell(market.web, tea, market.warehouse, [1] * YEAR)
    refresh()
    assert open_advice("reorder") == []


def test_stores_share_what_their_warehouse_has_beyond_its_need_and_the_rest_is_ordered(market: Market) -> None:
    tea = market.goods("TEA", warehouse=29 + 50, north=20, south=20)
    pickup = SalesChannel.objects.create(name="Till South", channel_type="store", country="DE")
    ChannelSource.objects.create(sales_channel=pickup, location=market.south)
    sell(market.till, tea, market.north, [1] * YEAR)
    sell(pickup, tea, market.south, [1] * YEAR)
    sell(market.web, tea, market.warehouse, [1] * YEAR)
    refresh()
    (piece,) = open_advice("reorder")
    # Each store has 20 and lacks 37 to its 57; of these 74 the warehouse can give 50.
    assert (piece.location, piece.quantity) == (market.warehouse, 24)
    assert piece.reason.startswith("South store has 20 free")


def test_an_idle_ring_fence_is_opened_for_those_who_have_nothing(market: Market) -> None:
    tea = market.goods("TEA", warehouse=40)
    sell(market.web, tea, market.warehouse, [2] * YEAR)
    policies.set_policy(tea.pk, market.bazaar.pk, fence_quantity=35)
    refresh()
    (piece,) = open_advice("release_fence")
    assert piece.sales_channel == market.bazaar
    assert piece.quantity == 35  # the bazaar sold none, the others need 53 and can reach 5
    assert "35 units are fenced for Grand Bazaar" in piece.reason
    (done,) = accept([piece.pk], actor="olga")
    policy = ChannelInventory.objects.get(variant=tea, sales_channel=market.bazaar)
    assert (policy.fence_left, policy.fence_quantity) == (0, 0)
    assert (done.state, done.decided_by, done.outcome) == ("accepted", "olga", f"fence:{policy.pk}")


def test_a_channel_that_sells_from_its_fence_alone_gets_what_nobody_needs(market: Market) -> None:
    tea = market.goods("TEA", warehouse=300)
    sell(market.bazaar, tea, market.warehouse, [1] * YEAR)
    policies.set_policy(tea.pk, market.bazaar.pk, fence_quantity=3, uses_pool=False)
    refresh()
    (piece,) = open_advice("raise_fence")
    assert piece.quantity == 26
    accept([piece.pk], actor="olga")
    assert ChannelInventory.objects.get(variant=tea, sales_channel=market.bazaar).fence_left == 29


def test_what_nobody_bought_for_months_is_dead_and_told_at_cost(market: Market) -> None:
    tea, hat = market.goods("TEA", warehouse=40), market.goods("HAT", warehouse=7)
    tea.cost, tea.cost_currency = Decimal("2.50"), "EUR"
    tea.save()
    with clock.steered(clock.now() + timedelta(days=95)):
        refresh()
        dead = {one.variant.sku: one for one in open_advice("dead_stock")}
    assert (dead["TEA"].quantity, dead["TEA"].worth, dead["TEA"].currency) == (40, Decimal("100.00"), "EUR")
    assert "100.00 EUR are bound in it at cost" in dead["TEA"].reason
    assert dead["HAT"].worth is None
    assert "What it cost is not known" in dead["HAT"].reason
    assert hat.cost is None


def test_what_came_yesterday_is_not_dead_yet(market: Market) -> None:
    market.goods("TEA", warehouse=40)
    with clock.steered(clock.now() + timedelta(days=80)):
        refresh()
    assert open_advice("dead_stock") == []


def test_what_was_sold_out_for_months_is_not_dead_on_the_day_it_is_back(market: Market) -> None:
    tea = market.goods("TEA")
    sell(market.web, tea, market.warehouse, [1, *[0] * 100])
    for days, units in ((200, 1), (101, -1)):
        StockMovement.objects.create(
            kind="adjust", variant=tea, location=market.warehouse, on_hand_delta=units,
            at=clock.now() - timedelta(days=days),
        )  # fmt: skip
    market.receive(tea, 40, market.warehouse)
    refresh()
    assert open_advice("dead_stock") == []
    with clock.steered(clock.now() + timedelta(days=90)):  # and nobody bought one since
        refresh()
        (piece,) = open_advice("dead_stock")
    assert (piece.quantity, piece.numbers["is_dead"], piece.numbers["on_shelf_days"]) == (40, True, 90)


def test_more_than_a_year_needs_is_named(market: Market) -> None:
    tea = market.goods("TEA", warehouse=900)
    sell(market.web, tea, market.warehouse, [1] * YEAR)
    refresh()
    (piece,) = open_advice("dead_stock")
    assert piece.quantity == 900 - 365
    assert "535 more than a year needs" in piece.reason


def test_accepted_transfers_of_one_way_become_one_draft(market: Market) -> None:
    for sku in ("TEA", "JAM"):
        sell(market.till, market.goods(sku, warehouse=500, north=1), market.north, [1] * YEAR)
    refresh()
    pieces = open_advice("transfer")
    accept([one.pk for one in pieces], actor="olga")
    (draft,) = Transfer.objects.all()
    assert (draft.state, draft.source, draft.destination) == ("draft", market.warehouse, market.north)
    assert {line.variant_id: line.quantity for line in draft.lines.all()} == {
        one.variant_id: one.quantity for one in pieces
    }
    refresh()
    assert open_advice("transfer") == []  # what the draft brings counts


def test_an_accepted_order_is_expected_after_the_lead_time(market: Market) -> None:
    tea = market.goods("TEA", warehouse=3)
    sell(market.web, tea, market.warehouse, [1] * YEAR)
    with clock.steered(clock.now()):
        refresh()
        (piece,) = open_advice("reorder")
        accept([piece.pk], actor="olga")
        expected = ExpectedReceipt.objects.get(variant=tea)
        assert expected.quantity == piece.quantity
        assert expected.expected_at == clock.now() + timedelta(days=14)
        refresh()
    assert open_advice("reorder") == []


def test_what_is_accepted_during_a_computation_is_not_advised_again(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    tea = market.goods("TEA", warehouse=3)
    sell(market.web, tea, market.warehouse, [1] * YEAR)
    refresh()
    (piece,) = open_advice("reorder")
    computed = replenishment_keep.advise

    def advise_while_somebody_accepts(*given: Any) -> Any:
        found = computed(*given)
        accept([piece.pk], actor="olga")
        return found

    monkeypatch.setattr(replenishment_keep, "advise", advise_while_somebody_accepts)
    refresh()
    assert open_advice("reorder") == []
    piece.refresh_from_db()
    assert piece.state == "accepted"


def test_dismissed_advice_is_quiet_for_a_while_and_comes_back(market: Market) -> None:
    tea = market.goods("TEA", warehouse=3)
    sell(market.web, tea, market.warehouse, [1] * YEAR)
    refresh()
    (piece,) = open_advice("reorder")
    dismiss([piece.pk], actor="olga", days=10)
    refresh()
    assert open_advice("reorder") == []
    with clock.steered(clock.now() + timedelta(days=11)):
        refresh()
        assert len(open_advice("reorder")) == 1


def test_advice_that_holds_no_more_is_closed_and_cannot_be_accepted(market: Market) -> None:
    tea = market.goods("TEA", warehouse=3)
    sell(market.web, tea, market.warehouse, [1] * YEAR)
    refresh()
    (piece,) = open_advice("reorder")
    market.receive(tea, 500, market.warehouse)
    refresh()
    piece.refresh_from_db()
    assert piece.state == "gone"
    with pytest.raises(UserError, match="not so any more"):
        accept([piece.pk], actor="olga")


def test_all_of_the_chosen_advice_is_accepted_or_none(market: Market) -> None:
    tea = market.goods("TEA", warehouse=3)
    sell(market.web, tea, market.warehouse, [1] * YEAR)
    refresh()
    (piece,) = open_advice("reorder")
    with pytest.raises(UserError):
        accept([piece.pk, piece.pk + 1_000], actor="olga")
    assert ExpectedReceipt.objects.count() == 0
    assert len(open_advice("reorder")) == 1


def test_an_empty_house_has_nothing_to_advise(db: None) -> None:
    assert refresh().pieces == {}
