"""The year of orders: planned first, then stocked and written quarter by quarter, so that everything sold was there."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import F

from finalmarket.demo import comebacks, days
from finalmarket.demo.baskets import Basket, Till
from finalmarket.demo.merchant import CHANNELS, House
from finalmarket.demo.offers import Shelf
from finalmarket.demo.people import Crowd
from finalmarket.demo.sources import chance
from finalmarket.kernel import failpoints
from finalmarket.orders import past
from finalmarket.orders.models import Fulfilment
from finalmarket.stock import ledger

LINES_AT_ONCE = 1_000
QUARTER_DAYS = 92
Pile = Mapping[tuple[int, str], int]
"""Units by variant id and location code."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The orders of a year in the order in which they were placed, and what came back of them."""

    baskets: list[Basket]
    comebacks: list[comebacks.Comeback]

    def demand(self) -> Counter[tuple[int, str]]:
        """Return the units that leave, by variant id and location code; bundles by component."""
        return _units_of(self.baskets)

    def restocked(self) -> Counter[tuple[int, str]]:
        """Return the units that go back on the shelf."""
        units: Counter[tuple[int, str]] = Counter()
        for comeback in self.comebacks:
            for variant_id, location, count in comeback.restocked():
                units[variant_id, location] += count
        return units


def plan(
    house: House, shelves: Mapping[str, Shelf], crowds: Mapping[str, Crowd], seed: int, scale: float, now: datetime,
) -> Plan:  # fmt: skip
    """Plan the orders of the year that ends at `now`; nothing is written."""
    till = Till(house, shelves, crowds)
    baskets: list[Basket] = []
    last: date = now.date()
    for key, about in CHANNELS.items():
        dice = chance(seed, f"orders {key}")
        for at in days.moments(key, about[4], dice, last, scale):
            basket = till.fill(key, at, dice) if at < now - timedelta(hours=3) else None
            if basket is not None:
                baskets.append(basket)
    baskets.sort(key=lambda basket: (basket.at, basket.external_id))
    return Plan(baskets, comebacks.plan(baskets, now, chance(seed, "returns")))


def write(
    house: House, planned: Plan, closing: Pile, now: datetime, told: Callable[[float], None] = lambda done: None
) -> None:
    """Receive what each quarter sells and write its orders, then what came back. `closing` is what is left on the shelf
    in the end; of what it does not name nothing is. `told` hears the share that is done (0 to 1)."""
    kept = {variant_id for variant_id, _ in closing}
    gone = {variant_id for variant_id, _ in planned.demand() if variant_id not in kept}
    planned = Plan(planned.baskets, comebacks.without_restock(planned.comebacks, gone))
    restocked = planned.restocked()
    left = {place: max(0, units - restocked[place]) for place, units in closing.items()}
    done = 0
    for number, quarter in enumerate(_quarters(planned.baskets)):
        _receive(house, _units_of(quarter), number)
        for batch in _batches(quarter):
            _write_batch(house, batch)
            done += len(batch)
            told(done / len(planned.baskets))
            failpoints.hit("demo.after_batch")
    _receive(house, Counter(left), 9)
    comebacks.write(house, planned.comebacks)
    _deliver(now)


def _quarters(baskets: Sequence[Basket]) -> list[list[Basket]]:
    start = baskets[0].at if baskets else None
    groups = itertools.groupby(baskets, lambda basket: (basket.at - start).days // QUARTER_DAYS if start else 0)
    return [list(group) for _, group in groups]


def _batches(baskets: Sequence[Basket]) -> Iterable[list[Basket]]:
    batch: list[Basket] = []
    lines = 0
    for basket in baskets:
        batch.append(basket)
        lines += len(basket.lines) + 1
        if lines >= LINES_AT_ONCE:
            yield batch
            batch, lines = [], 0
    if batch:
        yield batch


def _write_batch(house: House, batch: Sequence[Basket]) -> None:
    lines = [line for number, basket in enumerate(batch) for line in basket.past_lines(number)]
    written = past.write(past.HistoricOrders([basket.order(house) for basket in batch], lines), actor="demo")
    line_ids = iter(written.line_ids)
    for basket, order_id in zip(batch, written.order_ids, strict=True):
        basket.order_id = order_id
        count = len(basket.lines) + (1 if basket.shipping else 0)
        basket.line_ids = list(itertools.islice(line_ids, count))


def _units_of(baskets: Iterable[Basket]) -> Counter[tuple[int, str]]:
    units: Counter[tuple[int, str]] = Counter()
    for basket in baskets:
        for line in basket.lines:
            for part, each in line.item.contents():
                units[part.variant_id, basket.location] += line.quantity * each
    return units


def _receive(house: House, units: Mapping[tuple[int, str], int], number: int) -> None:
    receipts = [
        ledger.Receipt(variant_id, house.locations[code], count, "delivery", f"delivery {number + 1} to {code}")
        for (variant_id, code), count in sorted(units.items())
        if count > 0
    ]
    if receipts:
        ledger.receive(receipts, actor="demo")


def _deliver(now: datetime) -> None:
    """Let parcels of more than three days ago have arrived, and tell who carried them; stores handed over at once."""
    parcels = Fulfilment.objects.filter(state=Fulfilment.State.SHIPPED)
    over_the_counter = parcels.filter(order__sales_channel__channel_type__in=["store", "kiosk"])
    over_the_counter.update(state=Fulfilment.State.DELIVERED, delivered_at=F("shipped_at"))
    parcels.filter(carrier="").update(carrier="DHL")
    parcels.filter(shipped_at__lt=now - timedelta(days=3)).update(
        state=Fulfilment.State.DELIVERED, delivered_at=F("shipped_at") + timedelta(days=2, hours=5)
    )
