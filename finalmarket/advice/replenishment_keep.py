"""Advice about stock is computed as a whole and kept: new pieces are added, old ones brought up to date or closed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection, transaction

from finalmarket.advice import dead_stock, demand_series, replenishment, transfers
from finalmarket.advice.demand_series import QUERIES, Shelves
from finalmarket.advice.replenishment import Piece
from finalmarket.kernel import clock
from finalmarket.stock.models import StockLocation

LOCK = 7_240_519  # one computation at a time; any number that nobody else uses


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a computation found: shelves looked at, and pieces of advice by kind."""

    shelves: int
    pieces: dict[str, int]


@transaction.atomic
def refresh() -> Refreshed:
    """Compute all advice about stock anew and keep it. A second one at the same time waits for the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(QUERIES["open_advice"])
        were_open = [number for (number,) in cursor.fetchall()]
    now = clock.now()
    shelves = demand_series.read(now)
    pieces = advise(shelves, now)
    _keep_forecasts(shelves, now)
    _keep(pieces, were_open, now)
    counts: dict[str, int] = {}
    for piece in pieces:
        counts[piece.kind] = counts.get(piece.kind, 0) + 1
    return Refreshed(len(shelves), counts)


def advise(shelves: Shelves, now: datetime) -> list[Piece]:
    """Put together what there is to advise; nothing is kept."""
    if not len(shelves):
        return []
    goods = demand_series.goods_of(shelves.variant, now)
    places = list(StockLocation.objects.filter(is_active=True).order_by("priority", "pk"))
    names = {one.pk: one.name for one in StockLocation.objects.all()}
    terms = replenishment.terms_of(shelves, goods)
    position = replenishment.stand(shelves, terms, demand_series.incoming(shelves, now, terms.cover_days))
    sent, moved = transfers.between_places(shelves, position, goods, names)
    found, unfenced = _fences(shelves, now)
    return [
        *sent,
        *replenishment.reorder(shelves, position, moved, goods, replenishment.hub_of(places), names),
        *transfers.fences(shelves, position, found, unfenced, goods),
        *dead_stock.find(shelves, goods, names),
    ]


def _fences(shelves: Shelves, now: datetime) -> tuple[list[transfers.Fence], dict[int, int]]:
    since = clock.days_ago(demand_series.PRICED_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["fences"], {"priced_since": since, "now": now})
        found = [transfers.Fence(*row) for row in cursor.fetchall()]
        cursor.execute(QUERIES["pools"], {"variants": sorted({fence.variant for fence in found})})
        return found, dict(cursor.fetchall())


def _keep_forecasts(shelves: Shelves, now: datetime) -> None:
    told = shelves.forecast
    values: dict[str, Any] = {
        "variant": shelves.variant.tolist(), "location": shelves.location.tolist(), "last": told.last_day,
        "rate": told.rate.tolist(), "slope": told.slope.tolist(), "week_sd": told.week_sd.tolist(),
        "growth": told.growth.tolist(), "method": told.method, "mase": told.mase.tolist(),
        "profile": [json.dumps(row) for row in np.round(told.profile, 4).tolist()],
        "known_days": told.known_days.tolist(), "silent_days": told.silent_days.tolist(), "now": now,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["write_forecasts"], values)
        cursor.execute(QUERIES["drop_old_forecasts"], {"now": now})


def _keep(pieces: list[Piece], were_open: list[int], now: datetime) -> None:
    rows = [asdict(piece) | {"worth": None if piece.worth is None else str(piece.worth)} for piece in pieces]
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["lock_advice"])
        cursor.execute(QUERIES["write_advice"], {"pieces": json.dumps(rows), "were_open": were_open, "now": now})
        cursor.execute(QUERIES["close_advice"], {"now": now})
