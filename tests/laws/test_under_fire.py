"""Stock under fire: thousands of buyers at the real desk at once, who write down what they ask and what they are told;
and the judge of their histories (linearizable.py), who knows nothing of how the house does it.

A refusal is wrong when there were certainly enough units at every moment between question and answer. Some buyers lose
patience and never learn what became of their wish: each such wish is looked up in the books afterwards, and has to have
exactly one outcome.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from finalmarket.catalog.models import Product, Variant
from finalmarket.stock import ledger
from finalmarket.stock.desk import Desk, DeskTimeout
from finalmarket.stock.models import Reservation, StockMovement, StockPool
from finalmarket.stock.reserve import Request
from tests.laws.history import FAIL, OK, UNKNOWN, read
from tests.laws.linearizable import complaints
from tests.stock import shelves

pytestmark = pytest.mark.committed_database

REQUESTS = int(os.environ.get("FINALMARKET_PROOF_REQUESTS", "6000"))
BUYERS = int(os.environ.get("FINALMARKET_PROOF_BUYERS", "600"))
CHANNELS, PROCESSES = 8, 4
SHARE_GIVEN_BACK, SHARE_IMPATIENT = 0.25, 0.02
PATIENCE_SECONDS = 0.02
SEED = int(os.environ.get("FINALMARKET_SEED", "1"))
IN_TURN = multiprocessing.get_context("fork")
Event = dict[str, Any]


@dataclass
class Market:
    """What is on sale, and how often each of it is asked for."""

    channels: list[int]
    goods: list[int]
    units: int
    weights: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.weights = list(accumulate(1 / rank for rank in range(1, len(self.goods) + 1)))  # Zipf's law

    def draw(self, dice: random.Random) -> int:
        """What the next buyer wants."""
        return dice.choices(self.goods, cum_weights=self.weights)[0]


class Buyer:
    """Somebody who asks, is told, and writes both down."""

    def __init__(self, number: int, tries: int, market: Market, desk: Desk) -> None:
        self._number, self._tries, self._market, self._desk = number, tries, market, desk
        self._channel = market.channels[number % len(market.channels)]
        self._dice = random.Random(f"{SEED} {number}")
        self._holds: list[tuple[int, int, int]] = []  # operation, reservation, variant
        self.events: list[Event] = []

    async def buy(self) -> None:
        """Ask again and again; give some of it back."""
        for number in range(self._tries):
            op = self._number * 1_000 + number
            if self._holds and self._dice.random() < SHARE_GIVEN_BACK:
                await self._give_back(op)
            else:
                await self._ask(op)

    async def _ask(self, op: int) -> None:
        variant = self._market.draw(self._dice)
        request = Request(f"wish {op}", self._channel, ((variant, 1),))
        timeout = PATIENCE_SECONDS if self._dice.random() < SHARE_IMPATIENT else 300.0
        self._write("invoke", op, variant, verb="reserve", units=1)
        try:
            verdict = await self._desk.reserve_async(request, timeout=timeout)
        except DeskTimeout:
            self._write(UNKNOWN, op, variant)
            return
        assert verdict.outcome in ("granted", "refused"), verdict
        self._write(OK if verdict.outcome == "granted" else FAIL, op, variant)
        if verdict.outcome == "granted":
            self._holds.append((op, verdict.reservation_id or 0, variant))

    async def _give_back(self, op: int) -> None:
        of, reservation, variant = self._holds.pop(self._dice.randrange(len(self._holds)))
        self._write("invoke", op, variant, verb="release", of=of)
        assert await self._desk.release_async(reservation, timeout=300.0)
        self._write(OK, op, variant)

    def _write(self, kind: str, op: int, variant: int, **facts: Any) -> None:
        self.events.append({"kind": kind, "op": op, "at": time.monotonic_ns(), "variant": variant, **facts})


def buy_all(market: Market, numbers: Sequence[int], into: Path) -> None:
    """Buyers at the desk of this process; what they wrote down goes into a file."""
    desk, tries = Desk(), REQUESTS // BUYERS
    buyers = [Buyer(number, tries, market, desk) for number in numbers]

    async def come() -> None:
        await asyncio.gather(*[buyer.buy() for buyer in buyers])

    asyncio.run(come())
    desk.close()
    with into.open("w", encoding="utf-8") as file:
        for buyer in buyers:
            file.writelines(json.dumps(event) + "\n" for event in buyer.events)


def fire(market: Market, folder: Path) -> tuple[list[Event], float]:
    """All buyers at once, from several processes; what they wrote down, and the seconds that it took."""
    connections.close_all()
    start, paths = IN_TURN.Barrier(PROCESSES + 1), [folder / f"process-{n}.jsonl" for n in range(PROCESSES)]

    def process(number: int) -> None:
        start.wait()
        buy_all(market, range(number, BUYERS, PROCESSES), paths[number])

    processes = [IN_TURN.Process(target=process, args=(number,)) for number in range(PROCESSES)]
    for one in processes:
        one.start()
    start.wait()
    begun = time.monotonic()
    for one in processes:
        one.join()
    seconds = time.monotonic() - begun
    assert [one.exitcode for one in processes] == [0] * PROCESSES
    return [json.loads(line) for path in paths for line in path.open(encoding="utf-8")], seconds


def histories(market: Market, events: Sequence[Event]) -> Iterator[tuple[int, list[str]]]:
    """The history of each SKU: what was there, what buyers wrote down, what the books say of it."""
    places = booked(events)
    pools = {pool.variant_id: pool for pool in StockPool.objects.filter(variant_id__in=market.goods)}
    found: dict[int, list[Event]] = {variant: [] for variant in market.goods}
    for one in sorted(events, key=lambda one: one["at"]):
        found[one["variant"]].append(one)
    for variant, own in found.items():
        looked_up = [
            {"kind": "found", "op": one["op"], "outcome": OK if one["op"] in places else FAIL}
            for one in own if one["kind"] == UNKNOWN
        ]  # fmt: skip
        asked = [one["op"] for one in own if one["kind"] == "invoke"]
        written = [{"kind": "booked", "op": op, "place": places[op]} for op in asked if op in places]
        pool = pools[variant]
        left = {"kind": "left", "units": pool.on_hand - pool.reserved - pool.allocated}
        whole = [{"kind": "stock", "units": market.units}, *own, *looked_up, *written, left]
        yield variant, [json.dumps(event) for event in whole] if own else []


def booked(events: Sequence[Event]) -> dict[int, int]:
    """Where each operation stands in the ledger, of those that took effect."""
    names = {number: int(key.removeprefix("wish ")) for number, key in Reservation.objects.values_list("pk", "key")}
    given_back = {one["of"]: one["op"] for one in events if "of" in one}
    found: dict[int, int] = {}
    for place, kind, reservation in StockMovement.objects.order_by("pk").values_list("pk", "kind", "reservation_id"):
        if reservation is not None:
            op = names[reservation] if kind == "reserve" else given_back.get(names[reservation], 0)
            assert op or kind == "reserve", f"the books give back wish {names[reservation]}, which nobody asked for"
            assert op not in found, f"operation {op} stands in the books twice"
            found[op] = place
    return found


def new_goods(count: int, units: int) -> list[int]:
    """So many variants, so many units of each."""
    names = [f"fire-{number}" for number in range(count)]
    products = Product.objects.bulk_create(Product(title=name, slug=name) for name in names)
    variants = Variant.objects.bulk_create(
        Variant(product=product, sku=name) for product, name in zip(products, names, strict=True)
    )
    place = shelves.new_place().pk
    ledger.receive([ledger.Receipt(variant.pk, place, units) for variant in variants], actor="test")
    return [variant.pk for variant in variants]


@pytest.mark.parametrize("goods", [1, 1_000])
def test_under_fire_nothing_is_oversold_and_nothing_wrongly_refused(
    goods: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    units = REQUESTS // 4 if goods == 1 else max(1, REQUESTS // 10_000)
    variants = new_goods(goods, units)
    channels = [shelves.new_channel().pk for _ in range(CHANNELS)]
    market = Market(channels, variants, units)
    events, seconds = fire(market, tmp_path)
    wrong: list[str] = []
    for variant, lines in histories(market, events):
        wrong += [f"variant {variant}: {sentence}" for sentence in (complaints(read(lines)) if lines else [])]
    asked = sum(one["kind"] == "invoke" for one in events)
    record_property("seed", SEED)
    record_property("requests", asked)
    record_property(f"buyers at {'one SKU' if goods == 1 else f'{goods:,} SKUs'}", BUYERS)
    for kind, name in ((OK, "granted or given back"), (FAIL, "refused"), (UNKNOWN, "never told")):
        record_property(name, sum(one["kind"] == kind for one in events))
    record_property("oversold", sum("one unit too many" in one or "oversold" in one for one in wrong))
    record_property("wrongly_refused", sum("was refused" in one for one in wrong))
    record_property("seconds under fire", round(seconds, 1))
    assert asked == REQUESTS // BUYERS * BUYERS
    assert wrong == []
