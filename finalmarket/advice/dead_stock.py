"""What lies and does not sell: the money that is bound in it, at cost.

Dead is what nobody bought for DEAD_DAYS while it lay there, by the ledger, on each of these days: what was sold out for
months is not dead on the day it is back. Too much is what lasts longer than ENOUGH_DAYS at the rate that is expected,
beyond that. What costs nothing that we know of is named all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from finalmarket.advice.demand_series import DAYS, Goods, Shelves
from finalmarket.advice.replenishment import Piece, a_day

DEAD_DAYS = 90
ENOUGH_DAYS = 365
FEWEST_KNOWN_DAYS = 120


def find(shelves: Shelves, goods: Mapping[int, Goods], names: Mapping[int, str]) -> list[Piece]:
    """Name what is dead, and what there is too much of, with its value at cost."""
    told = shelves.forecast
    is_dead = (shelves.on_shelf_days >= DEAD_DAYS) & (shelves.last_sold_days >= DEAD_DAYS) & (shelves.free > 0)
    enough = np.ceil(told.rate * ENOUGH_DAYS).astype(np.int64)
    is_much = ~is_dead & (told.known_days >= FEWEST_KNOWN_DAYS) & (shelves.free > enough + 1) & (told.rate > 0)
    return [
        _piece(shelves, row, int(shelves.free[row]) - (0 if is_dead[row] else int(enough[row])), bool(is_dead[row]),
               goods[int(shelves.variant[row])], names)
        for row in np.flatnonzero(is_dead | is_much).tolist()
    ]  # fmt: skip


def _piece(shelves: Shelves, row: int, units: int, is_dead: bool, goods: Goods, names: Mapping[int, str]) -> Piece:
    place, free, rate = names[int(shelves.location[row])], int(shelves.free[row]), float(shelves.forecast.rate[row])
    days = int(shelves.last_sold_days[row])
    if is_dead:
        since = f"for {days} days" if days < DAYS else "in all the time that was looked at"
        reason = f"{place} has {free:,} free and nobody bought one {since}."
    else:
        reason = (
            f"{place} has {free:,} free; at {a_day(rate)} that lasts {free / rate / 365:,.1f} years, and "
            f"{units:,} more than a year needs."
        )
    worth = None if goods.cost is None else round(goods.cost * Decimal(units), 2)
    if worth is None:
        reason += " What it cost is not known: enter the variant's cost."
    else:
        reason += f" {worth:,.2f} {goods.cost_currency} are bound in it at cost."
    numbers = {
        "free": free, "rate": round(rate, 5), "last_sold_days": days if days < DAYS else None,
        "on_shelf_days": int(shelves.on_shelf_days[row]), "cost": None if goods.cost is None else str(goods.cost),
        "is_dead": is_dead,
    }  # fmt: skip
    return Piece(
        "dead_stock", int(shelves.variant[row]), units, reason, location_id=int(shelves.location[row]), worth=worth,
        currency=goods.cost_currency if worth is not None else "", rank=float(worth or 0), numbers=numbers,
    )  # fmt: skip
