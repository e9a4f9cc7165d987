"""Filling an empty house with the demo: all of it in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from finalmarket.analytics import rollup, segments
from finalmarket.analytics.models import AnalyticsChange
from finalmarket.catalog.models import Product
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.demo import goods, merchant, offers, paths, people, present, shops, supply, year
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import Order
from finalmarket.stock import sweep
from finalmarket.stock.models import StockLocation

LEAST_SCALE, MOST_SCALE = 0.05, 50
LOCK = 7_262_001  # of the advisory lock that lets one process at a time fill the house
Told = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Filled:
    """What a call of `fill` came to; `was_there` says that nothing had to be done."""

    was_there: bool
    channels: int
    orders: int
    customers: int


def fill(*, seed: int, scale: float, now: datetime, told: Told = lambda step, done: None) -> Filled:
    """Fill an empty house with a year that ends at `now`; a house that has the demo is left as it is.

    It is one transaction: a run that is killed leaves nothing behind. The same seed, scale and moment give the same
    data. `told` hears what is being done and which share of all is done (0 to 1). Raises UserError for a scale below
    0.05 or above 50, and for a house with other data in it.
    """
    check_scale(scale)
    with transaction.atomic(), clock.steered(now):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        was_there = is_here()
        if not was_there:
            _refuse_strangers()
            _write(seed, scale, now, told)
        return Filled(
            was_there, SalesChannel.objects.count(), Order.objects.count(), OmnichannelCustomer.objects.count()
        )


def check_scale(scale: float) -> None:
    """Raise UserError for a scale below 0.05 or above 50, and for what is no number."""
    if not LEAST_SCALE <= scale <= MOST_SCALE:
        raise UserError(f"the scale must be a number between {LEAST_SCALE} and {MOST_SCALE}, not {scale:g}")


def is_here() -> bool:
    """Whether the house has the demo, which it is known by its channels."""
    names = [about[0] for about in merchant.CHANNELS.values()]
    return SalesChannel.objects.filter(name__in=names).count() == len(names) and Order.objects.exists()


def is_empty() -> bool:
    """Whether nothing is in the house yet."""
    return not any(
        model._default_manager.exists() for model in (SalesChannel, Product, StockLocation, OmnichannelCustomer, Order)
    )


def _refuse_strangers() -> None:
    if not is_empty():
        raise UserError(
            "this house is not empty: the demo would mix with data of your own, so nothing was written; "
            "give it an empty database (FINALMARKET_DATA or DATABASE_URL)"
        )


def _write(seed: int, scale: float, now: datetime, told: Told) -> None:
    told("channels and stock locations", 0.0)
    _read_by_index(False)
    house = merchant.build()
    told("catalogue", 0.01)
    items = goods.build()
    shelves = offers.build(house, items, seed)
    supply.decide_before(house)
    told("customers", 0.12)
    crowds = people.build(house, seed, scale, now)
    told("a year of orders", 0.16)
    planned = year.plan(house, shelves, crowds, seed, scale, now)
    end = supply.ending(shelves, items, planned, seed)
    year.write(house, planned, end.units, now, lambda done: told("a year of orders", 0.2 + 0.45 * done))
    # The planner knows nothing yet of rows that this transaction has just written, and would read whole tables.
    _read_by_index(True)
    told("stock policies and deliveries", 0.66)
    supply.decide_after(house, shelves, end, seed)
    supply.on_the_way(house, shelves, end, now, seed)
    told("open orders and carts", 0.7)
    present.build(house, shelves, crowds, end, seed, now)
    told("journeys", 0.82)
    paths.build(house, shelves, crowds, planned, seed, scale, now)
    _read_by_index(False)
    told("segments and figures", 0.9)
    merchant.tell_rates(now)
    shops.open_shops(house)
    segments.restate()
    rollup.restate_all()
    AnalyticsChange.objects.all().delete()  # all of it is in the figures
    sweep.refresh_alerts()
    told("done", 1.0)


def _read_by_index(by_index: bool) -> None:
    """From here on; functions forget what they planned before, when tables were empty perhaps."""
    with connection.cursor() as cursor:
        cursor.execute("DISCARD PLANS")
        cursor.execute(f"SET LOCAL enable_seqscan = {'off' if by_index else 'on'}")
