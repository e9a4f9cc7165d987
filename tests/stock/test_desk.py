"""The desk brings concurrent callers together and gives each the verdict that is its own."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.stock import bells
from finalmarket.stock.desk import Desk, DeskClosed, DeskFull, DeskTimeout
from finalmarket.stock.models import Reservation
from finalmarket.stock.reserve import Mode, Request, Verdict
from tests.patience import PATIENCE_SECONDS, until
from tests.stock import blocked, shelves

pytestmark = pytest.mark.committed_database


@pytest.fixture
def shop() -> SalesChannel:
    return shelves.new_channel()


@pytest.fixture
def shirt() -> Variant:
    """A hundred of them lie on one shelf."""
    variant = shelves.new_variant("SHIRT")
    shelves.put(variant, shelves.new_place(), 100)
    return variant


@pytest.fixture
def desk() -> Iterator[Desk]:
    opened = Desk()
    yield opened
    opened.close()


def wish(shop: SalesChannel, variant: Variant, units: int = 1, key: str = "cart") -> Request:
    return Request(key, shop.pk, ((variant.pk, units),))


def calls_that_wrote() -> int:
    """How many transactions wrote the reservations that there are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM reservation")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def test_a_thread_gets_its_verdict(desk: Desk, shop: SalesChannel, shirt: Variant) -> None:
    granted = desk.reserve(wish(shop, shirt, 60, "first"))
    assert granted.outcome == "granted"
    assert shelves.lines_of(granted.reservation_id or 0)[0].quantity == 60
    refused = desk.reserve(wish(shop, shirt, 60, "second"))
    assert (refused.outcome, refused.available, refused.reservation_id) == ("refused", 40, None)


def test_a_task_gets_its_verdict(desk: Desk, shop: SalesChannel, shirt: Variant) -> None:
    assert asyncio.run(desk.reserve_async(wish(shop, shirt, 100))).outcome == "granted"
    assert asyncio.run(desk.reserve_async(wish(shop, shirt, 1, "late"))).outcome == "refused"


def test_callers_who_come_while_a_call_is_out_share_the_next_one(
    desk: Desk, shop: SalesChannel, shirt: Variant
) -> None:
    buyers = blocked.Buyers(desk)
    with blocked.pool_of(shirt):
        buyers.send(wish(shop, shirt, 1, "first"))
        until(blocked.a_desk_waits_for_a_lock, "the first call stands before the lock")
        buyers.send(*[wish(shop, shirt, n % 5, f"buyer {n}") for n in range(40)])
        until(lambda: desk.waiting == 40, "the others queue")
    buyers.wait()
    assert calls_that_wrote() == 2
    for n in range(40):
        verdict = buyers.verdicts[f"buyer {n}"]
        assert verdict.outcome == ("granted" if n % 5 else "invalid")
        if n % 5:
            assert [line.quantity for line in shelves.lines_of(verdict.reservation_id or 0)] == [n % 5]


def test_no_call_takes_more_than_its_measure(shop: SalesChannel, shirt: Variant) -> None:
    desk = Desk(most_per_call=8)
    buyers = blocked.Buyers(desk)
    with blocked.pool_of(shirt):
        buyers.send(wish(shop, shirt, 1, "first"))
        until(blocked.a_desk_waits_for_a_lock, "the first call stands before the lock")
        buyers.send(*[wish(shop, shirt, 1, f"buyer {n}") for n in range(20)])
        until(lambda: desk.waiting == 20, "the others queue")
    buyers.wait()
    desk.close()
    assert calls_that_wrote() == 1 + 3


def test_a_crowd_goes_in_halves(desk: Desk, shop: SalesChannel, shirt: Variant) -> None:
    buyers = blocked.Buyers(desk)
    with blocked.pool_of(shirt):
        buyers.send(wish(shop, shirt, 1, "first"))
        until(blocked.a_desk_waits_for_a_lock, "the first call stands before the lock")
        buyers.send(*[wish(shop, shirt, 1, f"buyer {n}") for n in range(90)])
        until(lambda: desk.waiting == 90, "the others queue")
    buyers.wait()
    assert calls_that_wrote() == 1 + 2
    assert shelves.pool(shirt).reserved == 91


def test_orders_of_many_lines_are_parted_over_several_calls(desk: Desk, shop: SalesChannel, shirt: Variant) -> None:
    hat = shelves.new_variant("HAT")
    shelves.put(hat, shelves.new_place(), 10_000)
    orders = [Request(f"order {n}", shop.pk, ((shirt.pk, 1),) * 3 + ((hat.pk, 1),) * 797) for n in range(5)]
    assert [verdict.outcome for verdict in desk.reserve_many(orders)] == ["granted"] * 5
    assert calls_that_wrote() == 3


def test_an_event_loop_is_woken_once_a_call_not_once_a_task(
    desk: Desk, shop: SalesChannel, shirt: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    wake_ups = 0

    async def market() -> list[Verdict]:
        loop = asyncio.get_running_loop()
        ring = loop.call_soon_threadsafe

        def counted(callback: Callable[..., object], *arguments: object) -> object:
            nonlocal wake_ups
            wake_ups += callback is bells.wake
            return ring(callback, *arguments)

        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
        with blocked.pool_of(shirt):
            first = asyncio.create_task(desk.reserve_async(wish(shop, shirt, 1, "first")))
            await asyncio.to_thread(until, blocked.a_desk_waits_for_a_lock, "the first call waits")
            others = [asyncio.create_task(desk.reserve_async(wish(shop, shirt, 1, f"{n}"))) for n in range(50)]
            await asyncio.to_thread(until, lambda: desk.waiting == 50, "the others queue")
        return await asyncio.gather(first, *others)

    assert {verdict.outcome for verdict in asyncio.run(market())} == {"granted"}
    assert wake_ups == 2


def test_a_caller_with_many_requests_gets_the_verdicts_in_their_order(
    desk: Desk, shop: SalesChannel, shirt: Variant
) -> None:
    desk.most_per_call = 40
    verdicts = desk.reserve_many([wish(shop, shirt, 1, f"{n}") for n in range(130)])
    assert [verdict.outcome for verdict in verdicts] == ["granted"] * 100 + ["refused"] * 30
    more = asyncio.run(desk.reserve_many_async([wish(shop, shirt, 1, f"{n}") for n in range(100)]))
    assert [verdict.reservation_id for verdict in more] == [verdict.reservation_id for verdict in verdicts[:100]]
    assert desk.reserve_many([]) == []


def test_who_acts_stands_in_the_ledger(desk: Desk, shop: SalesChannel, shirt: Variant) -> None:
    from finalmarket.stock.models import StockMovement

    desk.reserve(wish(shop, shirt, 1, "a"), actor="kiosk 7")
    desk.reserve(wish(shop, shirt, 1, "b"))
    actors = StockMovement.objects.filter(kind="reserve").order_by("id").values_list("actor", flat=True)
    assert list(actors) == ["kiosk 7", "desk"]


def test_a_key_may_hold_any_characters(desk: Desk, shop: SalesChannel, shirt: Variant) -> None:
    keys = ["NULL", "", '"', "\\", "{a,b}", "a,b", " ", "ключ 🧦", "'; --", "%s"]
    assert {verdict.outcome for verdict in desk.reserve_many([wish(shop, shirt, 1, key) for key in keys])} == {
        "granted"
    }
    assert list(Reservation.objects.order_by("id").values_list("key", flat=True)) == keys


def test_a_desk_refuses_to_run_inside_a_transaction(desk: Desk, shop: SalesChannel, shirt: Variant) -> None:
    with transaction.atomic(), pytest.raises(TransactionManagementError, match="commits on its own connection"):
        desk.reserve(wish(shop, shirt))
    assert not Reservation.objects.exists()


def test_a_full_desk_says_so_and_takes_nothing(shop: SalesChannel, shirt: Variant) -> None:
    desk = Desk(most_waiting=3)
    buyers = blocked.Buyers(desk)
    with blocked.pool_of(shirt):
        buyers.send(wish(shop, shirt, 1, "first"))
        until(blocked.a_desk_waits_for_a_lock, "the first call stands before the lock")
        buyers.send(*[wish(shop, shirt, 1, f"buyer {n}") for n in range(3)])
        until(lambda: desk.waiting == 3, "the desk is full")
        with pytest.raises(DeskFull, match="3 requests wait"):
            desk.reserve(wish(shop, shirt, 1, "one too many"))
    buyers.wait()
    desk.close()
    assert shelves.pool(shirt).reserved == 4


def test_a_caller_whose_time_is_up_before_its_turn_leaves_nothing_behind(
    desk: Desk, shop: SalesChannel, shirt: Variant
) -> None:
    buyers = blocked.Buyers(desk)
    with blocked.pool_of(shirt):
        buyers.send(wish(shop, shirt, 1, "first"))
        until(blocked.a_desk_waits_for_a_lock, "the first call stands before the lock")
        with pytest.raises(DeskTimeout, match="withdrawn before it was sent"):
            desk.reserve(wish(shop, shirt, 1, "thread"), timeout=0.001)
        with pytest.raises(DeskTimeout, match="withdrawn before it was sent"):
            asyncio.run(desk.reserve_async(wish(shop, shirt, 1, "task"), timeout=0.001))
        assert desk.waiting == 0
    buyers.wait()
    desk.close()
    assert list(Reservation.objects.values_list("key", flat=True)) == ["first"]


def test_a_caller_whose_time_is_up_at_the_database_finds_its_hold_under_its_key(
    desk: Desk, shop: SalesChannel, shirt: Variant
) -> None:
    buyers = blocked.Buyers(desk)
    with blocked.pool_of(shirt):
        buyers.send(wish(shop, shirt), timeout=0.2)
        until(blocked.a_desk_waits_for_a_lock, "the call stands before the lock")
        until(lambda: buyers.errors, "the caller has lost patience")
    assert "ask again under its key" in str(buyers.errors["cart"])
    assert desk.reserve(wish(shop, shirt)).outcome == "duplicate"
    assert shelves.pool(shirt).reserved == 1


def test_each_task_waits_no_longer_than_its_own_time_whoever_else_waits(
    desk: Desk, shop: SalesChannel, shirt: Variant
) -> None:
    async def ask(key: str, timeout: float) -> str:
        try:
            return (await desk.reserve_async(wish(shop, shirt, 1, key), timeout=timeout)).outcome
        except DeskTimeout:
            return "timeout"

    async def market() -> list[str]:
        patient = asyncio.create_task(ask("patient", 20))
        with blocked.pool_of(shirt):
            await asyncio.to_thread(until, blocked.a_desk_waits_for_a_lock, "the first call waits")
            hasty = [await asyncio.gather(ask("later", 0.02), ask("sooner", 0.01)), [await ask("last", 0.01)]]
            assert hasty == [["timeout", "timeout"], ["timeout"]]
        return [await patient, await ask("afterwards", 60)]

    assert asyncio.run(market()) == ["granted", "granted"]
    assert shelves.pool(shirt).reserved == 2


def test_an_event_loop_that_has_ended_is_not_kept(desk: Desk, shop: SalesChannel, shirt: Variant) -> None:
    async def market() -> weakref.ref[asyncio.AbstractEventLoop]:
        await desk.reserve_async(wish(shop, shirt))
        return weakref.ref(asyncio.get_running_loop())

    ended = asyncio.run(market())
    desk.close()
    gc.collect()
    assert ended() is None


def test_a_task_that_is_cancelled_before_its_turn_leaves_nothing_behind(
    desk: Desk, shop: SalesChannel, shirt: Variant
) -> None:
    async def market() -> None:
        with blocked.pool_of(shirt):
            first = asyncio.create_task(desk.reserve_async(wish(shop, shirt, 1, "first")))
            await asyncio.to_thread(until, blocked.a_desk_waits_for_a_lock, "the first call waits")
            second = asyncio.create_task(desk.reserve_async(wish(shop, shirt, 1, "second")))
            await asyncio.to_thread(until, lambda: desk.waiting == 1, "the second queues")
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
        await first

    asyncio.run(market())
    desk.close()
    assert list(Reservation.objects.values_list("key", flat=True)) == ["first"]


def test_holds_that_have_ended_are_worked_off_until_the_request_fits(desk: Desk, shop: SalesChannel) -> None:
    variant = shelves.new_variant()
    shelves.put(variant, shelves.new_place(), 1_200)
    ended = [Request(f"left {n}", shop.pk, ((variant.pk, 1),), hold_seconds=shelves.OVER) for n in range(1_200)]
    assert {verdict.outcome for verdict in desk.reserve_many(ended)} == {"granted"}
    assert desk.reserve(wish(shop, variant, 1_200)).outcome == "granted"


def test_a_hold_is_confirmed_and_released_at_the_desk(desk: Desk, shop: SalesChannel, shirt: Variant) -> None:
    kept, left = (desk.reserve(wish(shop, shirt, 10, key)).reservation_id or 0 for key in ("kept", "left"))
    assert desk.confirm(kept) == "confirmed"
    assert desk.confirm(kept) == "confirmed"
    assert desk.release(left) is True
    assert desk.release(left) is True
    assert desk.release(kept) is False
    pool = shelves.pool(shirt)
    assert (pool.reserved, pool.allocated) == (0, 10)


def test_a_hold_that_was_released_is_confirmed_anew_while_there_is_stock(
    desk: Desk, shop: SalesChannel, shirt: Variant
) -> None:
    first = desk.reserve(wish(shop, shirt, 80, "first")).reservation_id or 0
    assert asyncio.run(desk.release_async(first)) is True
    assert asyncio.run(desk.confirm_async(first)) == "confirmed"
    second = desk.reserve(wish(shop, shirt, 20, "second")).reservation_id or 0
    assert desk.release(second) is True
    assert desk.reserve(wish(shop, shirt, 20, "third")).outcome == "granted"
    assert desk.confirm(second).startswith("refused: ")


def test_released_units_meet_what_was_sold_short(desk: Desk, shop: SalesChannel, shirt: Variant) -> None:
    held = desk.reserve(wish(shop, shirt, 100)).reservation_id or 0
    sale = Request("till 4", shop.pk, ((shirt.pk, 3),), Mode.SALE)
    sold = desk.reserve(sale).reservation_id or 0
    assert sum(line.short for line in shelves.lines_of(sold)) == 3
    desk.release(held)
    assert sum(line.short for line in shelves.lines_of(sold)) == 0
    assert shelves.pool(shirt).allocated == 3


def test_a_closing_desk_settles_what_waits_and_takes_no_more(shop: SalesChannel, shirt: Variant) -> None:
    desk = Desk()
    buyers = blocked.Buyers(desk)
    with blocked.pool_of(shirt):
        buyers.send(wish(shop, shirt, 1, "first"))
        until(blocked.a_desk_waits_for_a_lock, "the first call stands before the lock")
        buyers.send(wish(shop, shirt, 1, "second"))
        until(lambda: desk.waiting == 1, "the second queues")
        closing = threading.Thread(target=desk.close)
        closing.start()
    closing.join(PATIENCE_SECONDS)
    buyers.wait()
    assert {verdict.outcome for verdict in buyers.verdicts.values()} == {"granted"}
    assert len(buyers.verdicts) == 2
    with pytest.raises(DeskClosed):
        desk.reserve(wish(shop, shirt, 1, "third"))
    until(lambda: not blocked.desk_backends(), "the connection is gone")
