"""Orders come in from the platform: all of them, once, whatever happens on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.platforms.fake import order_record
from finalmarket.connectors.records import FulfilmentRecord, OrderRecord
from finalmarket.customers.models import CustomerIdentity
from finalmarket.integrations import pull as pulling
from finalmarket.integrations.models import (
    DeadLetter,
    IntegrationHealth,
    PlaceMapping,
    StreamCursor,
    SyncRun,
)
from finalmarket.integrations.orders_in import take_orders
from finalmarket.integrations.pull import backfill, catch_up_orders, pull
from finalmarket.integrations.storing import Stored, intake
from finalmarket.kernel import clock, failpoints
from finalmarket.orders import aftersales, fulfilment
from finalmarket.orders.models import Fulfilment, Order, Refund
from finalmarket.sandbox.faults import Fault
from finalmarket.stock import ledger
from finalmarket.stock.models import StockItem, StockLocation
from tests.integrations.conftest import Shop
from tests.integrations.stalls import Account, connect

pytestmark = pytest.mark.committed_database


def run(account: Account, stream: str = "orders") -> SyncRun:
    """Pull, and the run that came of it."""
    found = pull(account.integration.pk, stream)
    assert found is not None
    return found


def on_hand(account: Account, sku: str) -> tuple[int, int]:
    """Units on the shelf, and those promised to orders."""
    item = StockItem.objects.get(variant=account.variants[sku], location=account.place)
    return item.on_hand, item.allocated


def buy(account: Account, *lines: tuple[str, int], **words: Any) -> str:
    """Somebody buys on the platform."""
    with account.shop.lock:
        return account.shop.order(*lines, **words)


def test_an_order_comes_in_with_its_lines_its_payment_and_its_customer(account: Account) -> None:
    number = buy(account, ("TEA", 2), ("POT", 1))
    assert (run(account).outcome, run(account).seen_count) == ("done", 0)
    order = Order.objects.get(external_id=number)
    assert order.source == f"integration:{account.integration.pk}"
    assert order.sales_channel == account.channel
    assert order.total == Decimal("15.00")
    assert order.payment_state == "paid"
    assert [(line.sku, line.quantity) for line in order.lines.all()] == [("TEA", 2), ("POT", 1)]
    assert order.customer is not None
    assert CustomerIdentity.objects.filter(customer=order.customer, value="shopper@example.com").exists()
    assert on_hand(account, "TEA") == (10, 2)


def test_a_line_is_matched_by_its_listing_before_its_sku(account: Account) -> None:
    with account.shop.lock:
        listing = account.shop._listing(account.link("TEA").external_key)
        listing["sku"] = "POT"  # the platform calls it so, but it is our tea
        number = account.shop.order(("POT", 1))
        order = account.shop.state["orders"][number]
        order["lines"][0]["key"] = listing["key"]
    run(account)
    assert Order.objects.get().lines.get().variant == account.variants["TEA"]


def test_pages_are_read_to_the_end_and_the_next_pull_begins_behind_them(account: Account) -> None:
    account.receive("TEA", 500)
    numbers = [buy(account, ("TEA", 1)) for _ in range(120)]
    done = run(account)
    assert (done.seen_count, done.changed_count) == (120, 120)
    assert set(Order.objects.values_list("external_id", flat=True)) == set(numbers)
    requests = len(account.shop.world.journal.entries(what="request"))
    run(account)
    assert len(account.shop.world.journal.entries(what="request")) == requests + 1


def test_what_changes_there_changes_here(account: Account) -> None:
    number = buy(account, ("TEA", 2))
    run(account)
    with account.shop.lock:
        account.shop.cancel_order(number)
    assert run(account).changed_count == 1
    assert Order.objects.get().state == "cancelled"
    assert on_hand(account, "TEA") == (10, 0)


def test_a_cancelled_order_that_arrives_before_its_creation_stays_cancelled(account: Account) -> None:
    number = buy(account, ("TEA", 2))
    created = order_record(dict(account.shop.state["orders"][number]))
    cancelled = replace(created, version=f"{int(created.version) + 5:012d}", is_cancelled=True)
    for record in (cancelled, created, cancelled):
        take(account, record)
    order = Order.objects.get()
    assert (order.state, order.problem) == ("cancelled", "")
    assert on_hand(account, "TEA") == (10, 0)


def test_one_bad_record_is_set_aside_and_stops_nothing(account: Account) -> None:
    good, bad, unreadable = (buy(account, ("TEA", 1)) for _ in range(3))
    with account.shop.lock:
        account.shop.state["orders"][bad]["currency"] = "XXQ"
        account.shop.state["orders"][unreadable]["total"] = "much"
    done = run(account)
    assert (done.outcome, done.seen_count, done.failed_count) == ("partly", 3, 2)
    assert Order.objects.get().external_id == good
    letters = {letter.external_id: letter for letter in DeadLetter.objects.all()}
    assert 'unknown currency "XXQ"' in letters[bad].reason
    assert letters[bad].payload["raw"]["id"] == bad
    assert letters[unreadable].reason.startswith("cannot be read")
    assert (letters[bad].stream, letters[bad].settled_at) == ("orders", None)


def test_a_record_that_comes_in_after_all_settles_its_letter(account: Account) -> None:
    number = buy(account, ("TEA", 1))
    with account.shop.lock:
        account.shop.state["orders"][number]["currency"] = "XXQ"
    run(account)
    with account.shop.lock:
        account.shop.state["orders"][number]["currency"] = "EUR"
        account.shop._changed("order", account.shop.state["orders"][number])
    run(account)
    letter = DeadLetter.objects.get()
    assert letter.settled_at is not None
    assert Order.objects.count() == 1


def test_an_order_of_no_channel_is_set_aside_with_that_reason(account: Account) -> None:
    account.integration.sales_channel = None
    account.integration.save()
    buy(account, ("TEA", 1))
    run(account)
    assert Order.objects.count() == 0
    assert "belongs to no channel" in DeadLetter.objects.get().reason


def test_a_mapping_says_which_channel_and_which_shelf_an_order_belongs_to(account: Account) -> None:
    other = SalesChannel.objects.create(name="Till", channel_type="store")
    back_room = StockLocation.objects.create(code="back", name="Back room")
    ledger.receive([ledger.Receipt(account.variants["TEA"].pk, back_room.pk, 5)], actor="test")
    PlaceMapping.objects.create(
        integration=account.integration, place="main", sales_channel=None, stock_location=back_room
    )
    PlaceMapping.objects.create(integration=account.integration, place="", sales_channel=other)
    buy(account, ("TEA", 2))
    run(account)
    order = Order.objects.get()
    assert order.sales_channel == other
    assert Fulfilment.objects.get(order=order).location == back_room


def test_an_order_stays_where_it_came_in_when_the_mapping_changes(account: Account) -> None:
    number = buy(account, ("TEA", 1))
    run(account)
    other = SalesChannel.objects.create(name="Till", channel_type="store")
    PlaceMapping.objects.create(integration=account.integration, place="", sales_channel=other)
    with account.shop.lock:
        account.shop._changed("order", account.shop.state["orders"][number])
    run(account)
    assert Order.objects.get().sales_channel == account.channel


def test_a_parcel_that_the_platform_sent_leaves_our_shelf(account: Account) -> None:
    number = buy(account, ("TEA", 2), ("CUP", 1))
    run(account)
    with account.shop.lock:
        order = account.shop.state["orders"][number]
        parcel = {"id": "THEIRS", "lines": [{"id": f"{number}-1", "quantity": 2}], "carrier": "DHL",
                  "tracking_number": "JJD1", "tracking_url": "", "shipped_at": clock.now().isoformat()}  # fmt: skip
        order["fulfilments"].append(parcel)
        account.shop._changed("order", order)
    run(account)
    run(account)
    assert (on_hand(account, "TEA"), on_hand(account, "CUP")) == ((8, 0), (10, 1))
    sent = Fulfilment.objects.get(state="shipped")
    assert (sent.carrier, sent.tracking_number) == ("DHL", "JJD1")
    assert Order.objects.get().state == "partly_fulfilled"


def test_our_own_parcel_that_comes_back_as_an_echo_changes_nothing(account: Account) -> None:
    number = buy(account, ("TEA", 2))
    run(account)
    fulfilment.ship(Fulfilment.objects.get().pk, actor="test", carrier="DHL", tracking_number="JJD1")
    with account.shop.lock:
        order = account.shop.state["orders"][number]
        order["fulfilments"].append({"id": "F1", "lines": [{"id": f"{number}-1", "quantity": 2}], "carrier": "DHL",
                                     "tracking_number": "JJD1", "tracking_url": "",
                                     "shipped_at": clock.now().isoformat()})  # fmt: skip
        account.shop._changed("order", order)
    run(account)
    assert on_hand(account, "TEA") == (8, 0)
    assert Order.objects.get().problem == ""


def test_a_parcel_of_what_we_do_not_have_is_complained_of(account: Account) -> None:
    number = buy(account, ("TEA", 2))
    account.adjust("TEA", -10)
    run(account)
    with account.shop.lock:
        order = account.shop.state["orders"][number]
        order["fulfilments"].append({"id": "F1", "lines": [], "carrier": "", "tracking_number": "",
                                     "tracking_url": "", "shipped_at": ""})  # fmt: skip
        account.shop._changed("order", order)
    run(account)
    assert "the platform shipped what is not in stock here: TEA" in Order.objects.get().problem


def test_a_refund_that_the_platform_made_is_booked_once(account: Account) -> None:
    number = buy(account, ("TEA", 2))
    run(account)
    with account.shop.lock:
        order = account.shop.state["orders"][number]
        order["refunds"].append({"id": "R1", "amount": "3.00", "reason": "late"})
        account.shop._changed("order", order)
    run(account)
    backfill(account.integration, clock.days_ago(1))
    assert [refund.amount for refund in Refund.objects.all()] == [Decimal("3.00")]
    assert Order.objects.get().refunded == Decimal("3.00")


def test_a_refund_that_we_asked_for_is_not_booked_again_when_it_comes_back(account: Account) -> None:
    from finalmarket.integrations.models import DueNotice

    number = buy(account, ("TEA", 2))
    run(account)
    ours = Order.objects.get()
    aftersales.refund(ours.pk, Decimal("3.00"), key="ours", reason="late", actor="test")
    DueNotice.objects.create(integration=account.integration, kind="refund", local_id=Refund.objects.get().pk, key="k")
    with account.shop.lock:
        order = account.shop.state["orders"][number]
        order["refunds"].append({"id": "R1", "amount": "3.00", "reason": "late"})
        account.shop._changed("order", order)
    run(account)
    assert Order.objects.get().refunded == Decimal("3.00")
    DueNotice.objects.update(state="sent", external_id="R1")
    backfill(account.integration, clock.days_ago(1))
    assert Order.objects.get().refunded == Decimal("3.00")
    assert Refund.objects.count() == 1


def test_an_order_that_was_over_before_the_account_was_connected_moves_no_stock(account: Account) -> None:
    old = clock.now() - timedelta(days=5)
    shipped, waiting = buy(account, ("TEA", 1), at=old), buy(account, ("TEA", 1), at=old)
    with account.shop.lock:
        account.shop.state["orders"][shipped]["fulfilments"].append(
            {"id": "F1", "lines": [], "carrier": "", "tracking_number": "", "tracking_url": "", "shipped_at": ""}
        )
    run(account)
    assert Order.objects.get().external_id == waiting
    assert on_hand(account, "TEA") == (10, 1)


@pytest.mark.parametrize("place", ["pull.before_page", "pull.after_page", "pull.before_commit", "pull.after_commit"])
def test_a_pull_that_breaks_off_anywhere_goes_on_as_if_nothing_had_been(account: Account, place: str) -> None:
    account.receive("TEA", 500)
    numbers = [buy(account, ("TEA", 1)) for _ in range(120)]
    for visit in (1, 2):
        with failpoints.armed(f"{place}:raise@{visit}"), pytest.raises(failpoints.FailpointHit):
            pull(account.integration.pk, "orders")
    run(account)
    assert sorted(Order.objects.values_list("external_id", flat=True)) == sorted(numbers)
    assert on_hand(account, "TEA") == (510, 120)
    assert set(SyncRun.objects.exclude(outcome="done").values_list("outcome", "error")) == {("failed", "broken off")}


def test_records_and_cursor_are_one(account: Account) -> None:
    buy(account, ("TEA", 1))
    with failpoints.armed("pull.before_commit:raise"), pytest.raises(failpoints.FailpointHit):
        pull(account.integration.pk, "orders")
    assert Order.objects.count() == 0
    assert StreamCursor.objects.get(stream="orders").cursor == ""


def test_a_platform_that_fails_ends_its_own_run_only(account: Account) -> None:
    buy(account, ("TEA", 1))
    account.shop.faults.then(Fault.ERROR_BEFORE)
    failed = run(account)
    assert (failed.outcome, failed.error.startswith("500")) == ("failed", True)
    assert IntegrationHealth.objects.get().failures_in_row == 1
    assert run(account).outcome == "done"
    assert IntegrationHealth.objects.get().failures_in_row == 0
    assert Order.objects.count() == 1


def test_a_cursor_that_the_platform_gave_up_costs_an_overlap_and_no_order(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    from finalmarket.connectors.errors import Rejected
    from finalmarket.connectors.platforms.fake import Fake

    first = buy(account, ("TEA", 1))
    run(account)
    second = buy(account, ("TEA", 1))
    monkeypatch.setattr(Fake, "consequences", {"cursor_expired": Rejected})
    account.shop.faults.then(Fault.CURSOR_EXPIRED)
    done = run(account)
    assert (done.outcome, done.seen_count) == ("done", 2)  # the first came again and changed nothing
    assert done.changed_count == 1
    assert set(Order.objects.values_list("external_id", flat=True)) == {first, second}


def test_a_paused_account_is_not_pulled(account: Account) -> None:
    buy(account, ("TEA", 1))
    account.integration.pause("stock-taking")
    assert pull(account.integration.pk, "orders") is None
    account.integration.resume()
    assert run(account).changed_count == 1


def test_two_pulls_of_one_stream_never_run_at_once(account: Account) -> None:
    from finalmarket.integrations.lanes import lane

    with lane(account.integration.pk, "pull orders") as held:
        assert held is not None
        assert pull(account.integration.pk, "orders") is None
        assert pull(account.integration.pk, "customers") is not None


def test_catching_up_brings_the_newest_orders_and_is_cheap_when_there_is_nothing(account: Account) -> None:
    buy(account, ("TEA", 1))
    assert catch_up_orders(account.integration)
    assert Order.objects.count() == 1
    requests = len(account.shop.world.journal.entries(what="request"))
    runs = SyncRun.objects.count()
    assert catch_up_orders(account.integration)
    assert len(account.shop.world.journal.entries(what="request")) == requests
    with clock.steered(clock.now() + timedelta(seconds=6)):
        assert catch_up_orders(account.integration)
    assert SyncRun.objects.count() == runs  # nothing was seen: no run is kept of it


def test_catching_up_says_so_when_the_platform_cannot_be_asked(account: Account) -> None:
    account.shop.faults.then(Fault.ERROR_BEFORE)
    assert not catch_up_orders(account.integration)
    assert IntegrationHealth.objects.get().failures_in_row == 1


def test_catching_up_waits_for_the_pull_that_runs_elsewhere(account: Account) -> None:
    from finalmarket.integrations.lanes import lane

    pauses: list[float] = []
    with lane(account.integration.pk, "pull orders"):
        assert not catch_up_orders(account.integration, pause=pauses.append, patience_seconds=0.2)
    assert sum(pauses) == pytest.approx(0.2)


def test_two_accounts_of_one_platform_keep_their_orders_apart(account: Account, shop: Shop) -> None:
    from finalmarket.sandbox.platforms.fake import Fake
    from finalmarket.sandbox.wire import served

    second = Fake(account.shop.world, account="second")
    with served(second) as (address,):
        other = connect(second, address, skus=("JUG",), label="second")
        buy(account, ("TEA", 1))
        buy(other, ("JUG", 1))
        run(account)
        run(other)
    assert Order.objects.get(source=f"integration:{account.integration.pk}").sales_channel == account.channel
    assert Order.objects.get(source=f"integration:{other.integration.pk}").sales_channel == other.channel


def test_a_backfill_that_was_broken_off_goes_on_where_it_ended(account: Account) -> None:
    account.receive("TEA", 500)
    for _ in range(70):
        buy(account, ("TEA", 1))
    since = clock.days_ago(2)
    with failpoints.armed("pull.before_commit:raise@2"), pytest.raises(failpoints.FailpointHit):
        backfill(account.integration, since)
    assert Order.objects.count() == 50
    done = backfill(account.integration, since)
    assert done is not None
    assert (done.outcome, done.seen_count) == ("done", 20)
    assert done.stream == pulling.BACKFILL


def test_goods_that_a_till_handed_over_leave_the_shelf_at_once(account: Account) -> None:
    number = buy(account, ("TEA", 2))
    record = replace(order_record(dict(account.shop.state["orders"][number])), handed_over=True)
    stored = take(account, record)
    assert stored.outcome == "created"
    assert on_hand(account, "TEA") == (8, 0)
    assert (Order.objects.get().state, Fulfilment.objects.get().state) == ("fulfilled", "delivered")


def test_goods_that_are_handed_over_later_leave_the_shelf_then_and_once(account: Account) -> None:
    number = buy(account, ("TEA", 2), ("CUP", 1))
    first = order_record(dict(account.shop.state["orders"][number]))
    later = replace(first, version=f"{int(first.version) + 1:012d}", handed_over=True)
    assert [take(account, record).outcome for record in (first, later, later, first)] == [
        "created", "updated", "unchanged", "unchanged",
    ]  # fmt: skip
    assert (on_hand(account, "TEA"), on_hand(account, "CUP")) == ((8, 0), (9, 0))
    assert Order.objects.get().state == "fulfilled"


def test_what_the_platforms_own_warehouse_ships_leaves_the_shelf_there(account: Account) -> None:
    theirs = StockLocation.objects.create(code="fba", name="Their warehouse")
    ledger.receive([ledger.Receipt(account.variants["TEA"].pk, theirs.pk, 5)], actor="test")
    PlaceMapping.objects.create(integration=account.integration, place="THEIRS", stock_location=theirs)
    number = buy(account, ("TEA", 2))
    first = replace(order_record(dict(account.shop.state["orders"][number])), location="")
    take(account, first)
    parcel = FulfilmentRecord(external_id="F1", lines=((f"{number}-1", 2),), location="THEIRS", shipped_at=clock.now())
    take(account, replace(first, version=f"{int(first.version) + 1:012d}", fulfilments=(parcel,)))
    assert on_hand(account, "TEA") == (10, 0)
    assert StockItem.objects.get(variant=account.variants["TEA"], location=theirs).on_hand == 3


def test_a_sale_of_more_than_there_is_comes_in_and_says_what_is_short(account: Account) -> None:
    account.adjust("TEA", -9)
    buy(account, ("TEA", 2))
    run(account)
    order = Order.objects.get()
    assert (order.state, order.problem) == ("open", "short: 1 x TEA")
    assert on_hand(account, "TEA") == (1, 1)


def take(account: Account, record: OrderRecord) -> Stored:
    """Take one order as a pull does."""
    with intake(account.integration, "orders"):
        (stored,) = take_orders(account.integration, [record])
    return stored
