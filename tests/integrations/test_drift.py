"""What a platform shows is compared with what it should show: all drift is found and mended, and nothing else is."""

from __future__ import annotations

import os
import random
from datetime import timedelta
from decimal import Decimal

import pytest

from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import ChannelProduct
from finalmarket.connectors.errors import NOT_ASKED, RetryLater
from finalmarket.connectors.platforms.fake import Fake as FakeConnector
from finalmarket.integrations import drift
from finalmarket.integrations import pull as pulling
from finalmarket.integrations.lanes import lane
from finalmarket.integrations.models import DriftFinding, ListingLink, PlaceMapping, SyncRun
from finalmarket.integrations.pull import pull
from finalmarket.integrations.push import push
from finalmarket.kernel import clock, failpoints
from finalmarket.orders.models import Order
from finalmarket.sandbox.faults import Fault
from finalmarket.stock import ledger
from finalmarket.stock.models import StockLocation
from tests.integrations.stalls import Account

LATER = timedelta(minutes=10)
PULL_ORDERS = FakeConnector.pull_orders
NUMBERS = int(os.environ.get("FINALMARKET_PROOF_NUMBERS", "500"))


@pytest.fixture
def told(account: Account) -> Account:
    """An account that is in step."""
    push(account.integration.pk)
    return account


def sweep(account: Account, minutes: int = 10) -> SyncRun:
    """Sweep, so many minutes from now."""
    with clock.steered(clock.now() + timedelta(minutes=minutes)):
        run = drift.sweep(account.integration.pk)
    assert run is not None
    return run


def found(account: Account) -> list[tuple[str, int | None, int, int]]:
    """What was found: SKU, told, shown, should."""
    rows = DriftFinding.objects.filter(integration=account.integration).order_by("id")
    return list(rows.values_list("listing__variant__sku", "told", "shown", "should"))


def mend(account: Account, minutes: int = 20) -> None:
    """Let a worker push."""
    with clock.steered(clock.now() + timedelta(minutes=minutes)):
        push(account.integration.pk)


def test_what_a_platform_counted_off_for_an_order_that_was_called_off_before_it_came_in_is_told_again(
    told: Account,
) -> None:
    with told.shop.lock:
        told.shop.cancel_order(told.shop.order(("TEA", 2)))
    assert told.shop.shown_stock()["TEA"] == 8
    pull(told.integration.pk, "orders")
    assert Order.objects.get().state == "cancelled"
    mend(told)
    assert told.shop.shown_stock()["TEA"] == 10


def test_what_is_in_step_is_left_alone(told: Account) -> None:
    run = sweep(told)
    assert (run.outcome, run.seen_count, run.changed_count) == ("done", 3, 0)
    assert told.waits() == set()


def test_a_number_that_was_changed_there_is_found_and_mended(told: Account) -> None:
    with told.shop.lock:
        told.shop.show("TEA", 99)
    assert sweep(told).changed_count == 1
    assert found(told) == [("TEA", 10, 99, 10)]
    assert told.link("TEA").shown_quantity == 99
    mend(told)
    assert told.shop.shown_stock()["TEA"] == 10
    assert sweep(told, 30).changed_count == 0


def test_a_change_that_waits_explains_the_difference(told: Account) -> None:
    told.receive("TEA", 5)
    assert sweep(told).changed_count == 0


def test_a_change_that_came_while_the_platform_was_asked_explains_the_difference(
    told: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = FakeConnector.pull_stock

    def receive_meanwhile(self: FakeConnector, refs: object, location: str = "") -> object:
        answer = asked(self, refs, location)  # type: ignore[arg-type]
        told.receive("TEA", 1)
        return answer

    monkeypatch.setattr(FakeConnector, "pull_stock", receive_meanwhile)
    assert sweep(told).changed_count == 0


def test_a_number_told_while_the_platform_was_asked_explains_the_difference(
    told: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = FakeConnector.pull_stock
    told.receive("TEA", 5)

    def tell_meanwhile(self: FakeConnector, refs: object, location: str = "") -> object:
        answer = asked(self, refs, location)  # type: ignore[arg-type]
        monkeypatch.setattr(FakeConnector, "pull_stock", asked)
        push(told.integration.pk)
        return answer

    monkeypatch.setattr(FakeConnector, "pull_stock", tell_meanwhile)
    assert sweep(told).changed_count == 0
    assert told.shop.shown_stock()["TEA"] == 15


def test_an_order_that_had_not_come_in_explains_the_difference(told: Account) -> None:
    with told.shop.lock:
        told.shop.order(("TEA", 3))
    assert sweep(told, 0).changed_count == 0
    mend(told)
    assert told.shop.shown_stock()["TEA"] == 7


@pytest.fixture
def no_calls_left(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """This account's calls for orders are used up for now, until it is undone."""
    used_up = RetryLater("used up", retry_after=170.0, code=NOT_ASKED)
    monkeypatch.setattr(FakeConnector, "pull_orders", lambda *_: (_ for _ in ()).throw(used_up))
    return monkeypatch


def test_an_order_that_our_own_used_up_calls_keep_away_is_no_drift(
    told: Account, no_calls_left: pytest.MonkeyPatch
) -> None:
    with told.shop.lock:
        told.shop.order(("TEA", 1))
    run = sweep(told)
    assert (run.outcome, run.seen_count, found(told), told.waits()) == ("done", 3, [], set())
    assert run.error == "1 difference is left to the next sweep: the newest orders are not known"
    no_calls_left.undo()
    assert sweep(told, 70).error == ""
    assert (found(told), Order.objects.count()) == ([], 1)


def test_orders_that_somebody_else_pulls_at_this_moment_end_no_sweep(told: Account) -> None:
    with told.shop.lock:
        told.shop.order(("TEA", 1))
    with lane(told.integration.pk, "pull orders"):
        run = sweep(told)
    assert (run.outcome, run.changed_count) == ("done", 0)


def test_an_order_behind_more_orders_than_one_pull_takes_is_no_drift(
    told: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.receive("CUP", 90)
    mend(told, 5)
    with told.shop.lock:
        for sku in (*["CUP"] * 50, "TEA"):
            told.shop.order((sku, 1))
    monkeypatch.setattr(pulling, "MOST_PAGES", 1)
    assert sweep(told).changed_count == 0
    assert Order.objects.count() == 50


def test_a_number_that_stands_there_since_before_the_newest_orders_were_pulled_is_found_without_any_call_left(
    told: Account, no_calls_left: pytest.MonkeyPatch
) -> None:
    with told.shop.lock:
        told.shop.show("TEA", 99)
    assert sweep(told, 10).changed_count == 0
    assert sweep(told, 70).changed_count == 0  # nobody has pulled orders meanwhile
    with no_calls_left.context() as patch, clock.steered(clock.now() + timedelta(minutes=120)):
        patch.setattr(FakeConnector, "pull_orders", PULL_ORDERS)
        pull(told.integration.pk, "orders")
    assert sweep(told, 130).changed_count == 1
    assert found(told) == [("TEA", 10, 99, 10)]


def test_a_number_that_changed_since_the_newest_orders_were_pulled_may_have_been_sold(
    told: Account, no_calls_left: pytest.MonkeyPatch
) -> None:
    with told.shop.lock:
        told.shop.show("TEA", 99)
    sweep(told, 10)
    with no_calls_left.context() as patch, clock.steered(clock.now() + timedelta(minutes=60)):
        patch.setattr(FakeConnector, "pull_orders", PULL_ORDERS)
        pull(told.integration.pk, "orders")
    with told.shop.lock:
        told.shop.order(("TEA", 1))
    assert sweep(told, 70).changed_count == 0
    assert found(told) == []


def test_what_was_sold_during_a_look_that_took_too_long_is_no_drift_at_the_next(
    told: Account, no_calls_left: pytest.MonkeyPatch
) -> None:
    asked, shop = FakeConnector.pull_stock, told.shop
    with no_calls_left.context() as patch, clock.steered(clock.now() + timedelta(minutes=10)) as time:

        def tell_slowly(self: FakeConnector, refs: object, location: str = "") -> object:
            time.advance(timedelta(minutes=15))
            with patch.context() as calls:
                calls.setattr(FakeConnector, "pull_orders", PULL_ORDERS)
                pull(told.integration.pk, "orders")
            time.advance(timedelta(minutes=5))
            with shop.lock:
                shop.order(("TEA", 1))
            return asked(self, refs, location)  # type: ignore[arg-type]

        patch.setattr(FakeConnector, "pull_stock", tell_slowly)
        assert drift.sweep(told.integration.pk)
    assert sweep(told, 70).changed_count == 0
    assert found(told) == []


def test_a_refused_listing_is_in_the_dead_letters_and_not_told_again_every_hour(told: Account) -> None:
    with told.shop.lock:
        told.shop.state["locations"] = ["elsewhere"]
        ListingLink.objects.filter(listing=told.listings["TEA"]).update(location="main")
    told.adjust("TEA", -1)
    mend(told, 5)
    told.listings["TEA"].refresh_from_db()
    assert told.listings["TEA"].sync_state == "failed"
    assert sweep(told, 10).changed_count == 0


def test_what_the_platform_does_not_know_is_never_taken_as_gone(told: Account) -> None:
    with told.shop.lock:
        told.shop.state["listings"].pop(told.link("TEA").external_key)
    run = sweep(told)
    assert (run.seen_count, run.changed_count) == (3, 0)
    assert told.link("TEA").shown_quantity is None
    assert ChannelProduct.objects.filter(pk=told.listings["TEA"].pk).exists()


def test_a_window_that_closed_unnoticed_is_found(told: Account) -> None:
    ChannelProduct.objects.filter(pk=told.listings["TEA"].pk).update(publish_until=clock.now() - LATER)
    sweep(told)
    assert found(told) == [("TEA", 10, 10, 0)]


def test_each_location_is_compared_for_itself(account: Account) -> None:
    store = StockLocation.objects.create(code="store", name="Store", kind="store", priority=9)
    account.shop.state["locations"] = ["main", "shop-2"]
    for place, location in (("main", account.place), ("shop-2", store)):
        PlaceMapping.objects.create(integration=account.integration, place=place, stock_location=location)
    for variant in account.variants.values():
        ledger.receive([ledger.Receipt(variant.pk, store.pk, 3)], actor="test")
    push(account.integration.pk)
    with account.shop.lock:
        account.shop.state["listings"][account.link("TEA").external_key]["stock"] = {"main": 11, "shop-2": 2}
    sweep(account)
    finding = DriftFinding.objects.order_by("location").values_list("location", "told", "shown", "should")
    assert list(finding) == [("main", 10, 11, 10), ("shop-2", 3, 2, 3)]


def test_a_platform_that_fails_ends_the_sweep_with_its_reason(told: Account) -> None:
    told.shop.faults.then(Fault.ERROR_BEFORE)
    run = sweep(told)
    assert run.outcome == "failed"
    assert "broken" in run.error


def test_listings_that_were_not_looked_at_for_longest_come_first(told: Account) -> None:
    for sku, minutes in (("TEA", 1), ("CUP", 60), ("POT", 30)):
        ListingLink.objects.filter(listing=told.listings[sku]).update(
            shown_at=clock.now() - timedelta(minutes=minutes), told_at=clock.now() - timedelta(hours=2)
        )
    order = [told.listings[sku].pk for sku in ("CUP", "POT", "TEA")]
    assert next(drift._oldest_first(told.integration)) == order


@pytest.mark.parametrize("place", ["drift.after_read", "drift.before_mend", "drift.after_mend"])
def test_a_sweep_that_breaks_off_leaves_the_drift_to_the_next(told: Account, place: str) -> None:
    with told.shop.lock:
        told.shop.show("TEA", 99)
    with failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
        sweep(told)
    sweep(told, 20)
    mend(told, 30)
    assert told.shop.shown_stock()["TEA"] == 10
    assert len(found(told)) == 1


def test_one_in_a_hundred_of_all_numbers_is_found_and_mended_in_one_sweep_and_no_other(account: Account) -> None:
    skus = [f"SKU-{number:04d}" for number in range(NUMBERS)]
    fill(account, skus)
    with clock.steered(clock.now() + LATER):
        push(account.integration.pk)
    spoilt = set(random.Random(5).sample(skus, NUMBERS // 100))
    with account.shop.lock:
        for sku in spoilt:
            account.shop.show(sku, account.shop.shown_stock()[sku] + 7)
    run = sweep(account, 20)
    assert run.seen_count == NUMBERS + 3
    assert {sku for sku, *_ in found(account)} == spoilt
    assert run.changed_count == NUMBERS // 100
    mend(account, 30)
    shown = account.shop.shown_stock()
    assert {sku: shown[sku] for sku in skus} == dict.fromkeys(skus, 3)
    assert sweep(account, 40).changed_count == 0


def fill(account: Account, skus: list[str]) -> None:
    """Sell three of each of many SKUs here and there."""
    product = Product.objects.create(title="Many", slug="many")
    variants = Variant.objects.bulk_create(Variant(product=product, sku=sku) for sku in skus)
    VariantPrice.objects.bulk_create(
        VariantPrice(variant=variant, currency="EUR", amount=Decimal(1)) for variant in variants
    )
    listings = account.channel.add_product(product)
    ledger.receive([ledger.Receipt(variant.pk, account.place.pk, 3) for variant in variants], actor="test")
    with account.shop.lock:
        keys = {sku: account.shop.add_listing(sku, sku, Decimal(1), 3) for sku in skus}
    names = {variant.pk: variant.sku for variant in variants}
    ListingLink.objects.bulk_create(
        ListingLink(
            integration=account.integration, listing=listing, external_key=keys[names[listing.variant_id]],
            external_sku=names[listing.variant_id], ids={"key": keys[names[listing.variant_id]]}, told_quantity=3,
        )
        for listing in listings
    )  # fmt: skip
    from finalmarket.channels.models import DueChange

    DueChange.objects.filter(listing__in=listings).update(integration_id=account.integration.pk)
