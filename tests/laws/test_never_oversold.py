"""However many buyers come at once: what is granted is what was there, no unit more and no unit less."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.stock.desk import Desk
from finalmarket.stock.models import Reservation, ReservationLine, StockPool
from finalmarket.stock.reserve import Mode, Request, Verdict, reserve
from tests.stock import shelves

pytestmark = pytest.mark.committed_database

BUYERS = 1_000
TRIES = 6
PROCESSES = 4
WORKERS = 32
IN_TURN = multiprocessing.get_context("fork")


def eight_channels() -> list[SalesChannel]:
    return [shelves.new_channel() for _ in range(8)]


def wishes(channels: list[int], variant: int, buyers: Iterable[int]) -> list[list[Request]]:
    """What each buyer asks for, one unit at a time; buyer after buyer comes through another channel."""
    return [
        [Request(f"buyer {buyer}, try {n}", channels[buyer % len(channels)], ((variant, 1),)) for n in range(TRIES)]
        for buyer in buyers
    ]


def buy_by_threads(all_wishes: list[list[Request]]) -> Counter[str]:
    outcomes: list[str] = []
    start = threading.Barrier(len(all_wishes))
    desk = Desk()

    def buyer(requests: list[Request]) -> None:
        start.wait()
        for request in requests:
            outcomes.append(desk.reserve(request, timeout=120).outcome)

    threads = [threading.Thread(target=buyer, args=(requests,)) for requests in all_wishes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.close()
    return Counter(outcomes)


def buy_by_tasks(all_wishes: list[list[Request]]) -> Counter[str]:
    desk = Desk()

    async def buyer(requests: list[Request]) -> list[str]:
        return [(await desk.reserve_async(request, timeout=120)).outcome for request in requests]

    async def market() -> list[list[str]]:
        return await asyncio.gather(*[buyer(requests) for requests in all_wishes])

    outcomes = asyncio.run(market())
    desk.close()
    return Counter(outcome for given in outcomes for outcome in given)


def buy_by_processes(all_wishes: list[list[Request]]) -> Counter[str]:
    connections.close_all()
    answers = IN_TURN.SimpleQueue()
    start = IN_TURN.Barrier(PROCESSES)

    def process(share: list[list[Request]]) -> None:
        start.wait()
        answers.put(buy_by_tasks(share))

    processes = [IN_TURN.Process(target=process, args=(all_wishes[n::PROCESSES],)) for n in range(PROCESSES)]
    for one in processes:
        one.start()
    total: Counter[str] = sum((answers.get() for _ in processes), Counter())
    for one in processes:
        one.join()
    return total


WAYS = [buy_by_threads, buy_by_tasks, buy_by_processes]


@pytest.mark.parametrize("stock", [1, 500, 5_000])
@pytest.mark.parametrize("buy", WAYS)
def test_a_thousand_buyers_get_all_that_is_there_and_no_unit_more(
    buy: Callable[[list[list[Request]]], Counter[str]], stock: int, tried: Counter[str]
) -> None:
    channels = [channel.pk for channel in eight_channels()]
    variant = shelves.new_variant()
    shelves.put(variant, shelves.new_place(), stock)
    outcomes = buy(wishes(channels, variant.pk, range(BUYERS)))
    tried["requests"] = outcomes.total()
    tried["oversold"] = max(0, outcomes["granted"] - stock)
    tried["wrongly_refused"] = max(0, stock - outcomes["granted"])
    assert outcomes == {"granted": stock, "refused": BUYERS * TRIES - stock}
    assert shelves.pool(variant).reserved == stock
    assert Reservation.objects.filter(state="held").count() == stock


@pytest.mark.parametrize("buy", WAYS)
def test_who_asks_twice_under_one_key_holds_once(buy: Callable[[list[list[Request]]], Counter[str]]) -> None:
    channel, variant = shelves.new_channel(), shelves.new_variant()
    shelves.put(variant, shelves.new_place(), 300)
    one_key_each = [[Request(f"buyer {n % 100}", channel.pk, ((variant.pk, 2),))] for n in range(400)]
    assert buy(one_key_each) == {"granted": 100, "duplicate": 300}
    assert shelves.pool(variant).reserved == 200


@pytest.mark.parametrize("buy", WAYS)
def test_a_ring_fence_sells_out_to_the_unit_while_others_empty_the_pool(
    buy: Callable[[list[list[Request]]], Counter[str]],
) -> None:
    from finalmarket.stock.policies import set_policy

    fenced, *others = eight_channels()
    variant = shelves.new_variant()
    shelves.put(variant, shelves.new_place(), 700)
    set_policy(variant.pk, fenced.pk, fence_quantity=60, uses_pool=False)
    outcomes = buy(wishes([fenced.pk, *[channel.pk for channel in others]], variant.pk, range(BUYERS)))
    assert outcomes["granted"] == 700
    by_channel = Counter(Reservation.objects.values_list("sales_channel_id", flat=True))
    assert by_channel[fenced.pk] == 60


def a_random_order(chance: random.Random, number: int, channels: list[SalesChannel], goods: list[Variant]) -> Request:
    lines = tuple((chance.choice(goods).pk, chance.randint(1, 4)) for _ in range(chance.randint(1, 6)))
    mode = chance.choice([Mode.HOLD, Mode.ALLOCATE])
    return Request(f"order {number}", chance.choice(channels).pk, lines, mode)


def goods_with_bundles() -> tuple[list[Variant], dict[int, dict[int, int]]]:
    """Ten variants and two bundles that share a component; what each bundle consists of."""
    place, other = shelves.new_place(), shelves.new_place()
    single = [shelves.new_variant() for _ in range(10)]
    for variant in single:
        shelves.put(variant, place, 120)
        shelves.put(variant, other, 80)
    pair = shelves.new_bundle({single[0]: 1, single[1]: 2})
    trio = shelves.new_bundle({single[1]: 1, single[2]: 1, single[3]: 3})
    parts = {pair.pk: {single[0].pk: 1, single[1].pk: 2}, trio.pk: {single[1].pk: 1, single[2].pk: 1, single[3].pk: 3}}
    return [*single, pair, trio], parts


def taken_apart(request: Request, parts: dict[int, dict[int, int]]) -> Counter[int]:
    """The units of each variant that an order asks for, bundles taken apart."""
    units: Counter[int] = Counter()
    for variant, quantity in request.lines:
        for component, each in parts.get(variant, {variant: 1}).items():
            units[component] += quantity * each
    return units


def order_in_own_transaction(request: Request) -> Verdict:
    with transaction.atomic():
        return reserve([request])[0]


def order_several_in_one_transaction(requests: list[Request]) -> list[Verdict]:
    with transaction.atomic():
        return reserve(requests)


def test_orders_of_many_lines_hold_all_or_nothing_and_never_deadlock() -> None:
    channels = eight_channels()
    goods, parts = goods_with_bundles()
    chance = random.Random(20)
    orders = [a_random_order(chance, n, channels, goods) for n in range(960)]

    def worker(share: list[Request]) -> list[Verdict]:
        try:
            verdicts = [order_in_own_transaction(request) for request in share[:20]]
            return verdicts + order_several_in_one_transaction(share[20:])
        finally:
            connections.close_all()

    shares = [orders[n::WORKERS] for n in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as workers:
        verdicts = list(workers.map(worker, shares))

    held = _units_by_reservation()
    for share, given in zip(shares, verdicts, strict=True):
        for request, verdict in zip(share, given, strict=True):
            assert verdict.outcome in ("granted", "refused")
            if verdict.outcome == "granted":
                assert held.pop(verdict.reservation_id or 0) == taken_apart(request, parts)
    assert held == {}, "something is held that nobody was told of"
    for pool in StockPool.objects.all():
        assert 0 <= pool.reserved + pool.allocated <= pool.on_hand


def test_orders_refused_by_one_line_leave_every_other_line_free() -> None:
    channels = eight_channels()
    scarce, plenty = shelves.new_variant(), shelves.new_variant()
    place = shelves.new_place()
    shelves.put(scarce, place, 10)
    shelves.put(plenty, place, 100_000)
    both = [
        [Request(f"order {n}", channels[n % 8].pk, ((plenty.pk, 3), (scarce.pk, 1), (plenty.pk, 2)))]
        for n in range(BUYERS)
    ]
    assert buy_by_tasks(both) == {"granted": 10, "refused": BUYERS - 10}
    assert shelves.pool(plenty).reserved == 50


def _units_by_reservation() -> dict[int, Counter[int]]:
    held: dict[int, Counter[int]] = {}
    for reservation, variant, units in ReservationLine.objects.values_list("reservation_id", "variant_id", "quantity"):
        held.setdefault(reservation, Counter())[variant] += units
    return held
