"""The shop grows: from a thousand SKUs to as many as the dose says, on one channel, on five and on twenty.

For each number of channels a scratch database is filled further and further, and measured at each size. All goods lie
in one place; each is listed on all channels, two of which have a policy.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from django.db import connections
from django.test import Client
from django.urls import reverse

from finalmarket.bench.buyers import trade
from finalmarket.bench.scratch import scratch_database
from finalmarket.catalog.models import Product, Variant
from finalmarket.channels.models import ChannelProduct, DueChange, SalesChannel
from finalmarket.cli.migrate import apply_migrations
from finalmarket.kernel.database import as_owner
from finalmarket.kernel.sql import Queries
from finalmarket.stock import ledger
from finalmarket.stock.check import differences
from finalmarket.stock.models import StockLocation
from finalmarket.stock.reserve import Request
from tests.scale import limits
from tests.scale.curve import Plot, Point, Series

STEPS = Queries(Path(__file__).with_name("skus.sql"))
KINDS = ("web", "mobile", "marketplace", "social", "store", "phone", "email", "chat", "voice", "kiosk")
FEWEST, CHANNELS = 1_000, (1, 5, 20)
AT_ONCE, UNITS = 100_000, 10_000
BUYERS, SECONDS, RUNS, PAGES, CHANGES = 32, 1.5, 3, 5, 50
Say = Callable[[str], None]


@dataclass
class Found:
    """What was measured at each size, with one number of channels."""

    channels: int
    reserve: list[Point] = field(default_factory=list)
    page: list[Point] = field(default_factory=list)
    change: list[Point] = field(default_factory=list)
    check: list[Point] = field(default_factory=list)
    frame: list[Point] = field(default_factory=list)
    scan: list[Point] = field(default_factory=list)
    copied: list[Point] = field(default_factory=list)
    safe_write: list[Point] = field(default_factory=list)


def measure(dose: int, data: Path, say: Say) -> list[Plot]:
    """Fill, measure, fill further. Raises RuntimeError where the books do not agree in the end."""
    sizes = [size for size in (FEWEST * 10**power for power in range(8)) if size <= dose]
    found = []
    for channels in CHANNELS:
        with scratch_database(lambda: apply_migrations(verbosity=0)):
            found.append(_with_channels(channels, sizes, data, say))
    return plots(found)


def _with_channels(channels: int, sizes: Sequence[int], data: Path, say: Say) -> Found:
    found, shop = Found(channels), _open(channels)
    for size in sizes:
        say(f"{size:,} SKUs on {channels} channels: filling")
        shop.grow(size)
        say(f"{size:,} SKUs on {channels} channels: measuring")
        found.reserve.append(Point(size, [shop.reservations_per_second() for _ in range(RUNS)]))
        found.copied.append(Point(size, [limits.copied_rows_per_second() for _ in range(RUNS)]))
        found.safe_write.append(Point(size, [limits.safe_writes_per_second(data, 0.5) for _ in range(RUNS)]))
        found.change.append(Point(size, [shop.change_ms() for _ in range(RUNS)]))
        pages, frames = shop.page_ms()
        found.page.append(Point(size, pages))
        found.frame.append(Point(size, frames))
        found.check.append(Point(size, [_checked_seconds() for _ in range(RUNS)]))
        found.scan.append(Point(size, [_scan_seconds() for _ in range(RUNS)]))
    return found


@dataclass
class _Shop:
    """A shop that can grow."""

    channels: list[int]
    place: int
    product: int
    variants: list[int] = field(default_factory=list)
    serial: count[int] = field(default_factory=count)
    dice: random.Random = field(default_factory=lambda: random.Random(1))

    def grow(self, size: int) -> None:
        """List and stock so many SKUs in all."""
        with as_owner(), connections["default"].cursor() as cursor:
            cursor.execute(STEPS["drop_references"])
            words: dict[str, Any] = {"product": self.product, "place": self.place, "units": UNITS}
            words |= {"channels": self.channels, "with_policy": self.channels[:2]}
            for first in range(len(self.variants) + 1, size + 1, AT_ONCE):
                cursor.execute("SELECT coalesce(max(id), 0) FROM variants")
                words |= {"first": first, "last": min(size, first + AT_ONCE - 1), "after": cursor.fetchall()[0][0]}
                for name in ("variants", "listings", "policies", "items", "pools", "movements"):
                    cursor.execute(STEPS[f"fill_{name}"], words)
            cursor.execute("VACUUM ANALYZE")
        self.variants = list(Variant.objects.order_by("pk").values_list("pk", flat=True))

    def reservations_per_second(self) -> float:
        """Units of any SKU, one each, by buyers of all channels at one desk."""

        def wish(buyer: int, visit: int) -> Request:
            channel = self.channels[buyer % len(self.channels)]
            return Request(f"{buyer}: {next(self.serial)}", channel, ((self.dice.choice(self.variants), 1),))

        return trade(BUYERS, SECONDS, wish).per_second

    def change_ms(self) -> float:
        """What a change of one SKU takes, committed, with all channels that are to be told of it written down."""
        chosen = self.dice.sample(self.variants, CHANGES)
        began = time.perf_counter()
        for variant in chosen:
            ledger.adjust(variant, self.place, 1, reason="scale", actor="scale")
        took = time.perf_counter() - began
        listings = ChannelProduct.objects.filter(variant__in=chosen)
        if DueChange.objects.filter(listing__in=listings).count() != CHANGES * len(self.channels):
            raise RuntimeError("a channel is not to be told of a change")
        return took / CHANGES * 1000

    def page_ms(self) -> tuple[list[float], list[float]]:
        """A page of the stock matrix in the middle of all SKUs, and the same page with nothing to look up."""
        from django.contrib.auth.models import User

        user, _ = User.objects.get_or_create(username="scale", is_staff=True, is_superuser=True)
        client = Client()
        client.force_login(user)
        matrix = f"{reverse('console:stock')}?q=SCALE-{len(self.variants) // 2}"
        pages, frames = [], []
        for number in range(PAGES + 1):
            page, frame = _asked_ms(client, matrix), _asked_ms(client, reverse("console:bulk"))
            if number:  # the first finds nothing prepared
                pages.append(page)
                frames.append(frame)
        return pages, frames


def _open(channels: int) -> _Shop:
    numbers = [
        SalesChannel.objects.create(
            name=f"Channel {n}", slug=f"channel-{n}", channel_type=KINDS[n % len(KINDS)], status="active"
        ).pk
        for n in range(channels)
    ]
    place = StockLocation.objects.create(code="scale", name="Warehouse").pk
    return _Shop(numbers, place, Product.objects.create(title="Goods", slug="goods").pk)


def _asked_ms(client: Client, address: str) -> float:
    began = time.perf_counter()
    answer = client.get(address)
    took = (time.perf_counter() - began) * 1000
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answers {answer.status_code}")
    return took


def _checked_seconds() -> float:
    began = time.perf_counter()
    if found := differences():
        raise RuntimeError(f"the stock differs from its ledger: {found[0]}")
    return time.perf_counter() - began


def _scan_seconds() -> float:
    """Reading every row that the check compares, once, and doing nothing with it."""
    with connections["default"].cursor() as cursor:
        began = time.perf_counter()
        cursor.execute(STEPS["scan"])
        cursor.fetchall()
        return time.perf_counter() - began


def plots(found: Sequence[Found]) -> list[Plot]:
    """What is drawn of it."""
    last, work = found[-1], "SKUs"
    by = [(f"{one.channels} channel{'s' if one.channels > 1 else ''}", one) for one in found]
    sizes = [point.work for point in last.reserve]
    largest = f"{int(sizes[-1]):,}"
    return [
        Plot("skus_reserve", "Reservations a second", "Units of any SKU, by 32 buyers at one desk.", work,
             "reservations/s, answered after their commit",
             [*(Series(name, one.reserve) for name, one in by), Series("COPY, rows/s", last.copied, True),
              Series("safe writes/s", last.safe_write, True)]),
        Plot("skus_page", "A page of the stock matrix", "What each channel may sell of the SKUs that a search finds.",
             work, "ms in the server",
             [*(Series(name, one.page) for name, one in by), Series("empty page", last.frame, True)]),
        Plot("skus_change", "A change of one SKU",
             "Counted, written to the ledger, and every channel that is to be told of it marked.",
             work, "ms, committed",
             [*(Series(name, one.change) for name, one in by),
              Series("one safe write", [_inverted(point) for point in last.safe_write], True)]),
        Plot("channels_change", f"A change of one of {largest} SKUs", "The same by the number of channels to be told.",
             "channels", "ms, committed",
             [Series("a change", [Point(one.channels, one.change[-1].values) for one in found])]),
        Plot("skus_check", "The check of all stock", "Balances, ledger and holds held against each other.", work, "s",
             [*(Series(name, one.check) for name, one in by), Series("reading the rows", last.scan, True)]),
    ]  # fmt: skip


def _inverted(point: Point) -> Point:
    """Milliseconds of one out of how many there are a second."""
    return Point(point.work, [1000 / value for value in point.values])
