"""The history of a variant: every movement with who and why, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from finalmarket.stock.models import StockMovement
from finalmarket.stock.questions import QUERIES

PAGE = 50
MOST_ON_A_PAGE = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement; deltas in units. `place` is a location's code, `channel` a channel's name, empty without one."""

    id: int
    at: datetime
    kind: str
    place: str
    channel: str
    on_hand: int
    reserved: int
    allocated: int
    fence: int
    backordered: int
    reservation_id: int | None
    reference: str
    actor: str
    reason: str

    @property
    def label(self) -> str:
        """What happened, in words."""
        return str(StockMovement.Kind(self.kind).label)


@dataclass(frozen=True, slots=True)
class Page:
    """Movements, the newest first; `before` asks for the next page and is None on the last one."""

    entries: list[Entry]
    before: int | None


def history(
    variant_id: int,
    *,
    before: int | None = None,
    limit: int = PAGE,
    location_id: int | None = None,
    kinds: Sequence[str] | None = None,
) -> Page:
    """Return the movements of a variant that are older than movement `before` (default: the newest), at most 500.

    `location_id` and `kinds` (of `StockMovement.Kind`) narrow it. The page is found by index, however long the history.
    """
    most = max(1, min(limit, MOST_ON_A_PAGE))
    with connection.cursor() as cursor:
        cursor.execute(
            QUERIES["history"],
            {
                "variant": variant_id,
                "before": before,
                "location": location_id,
                "kinds": None if kinds is None else list(kinds),
                "limit": most + 1,
            },
        )
        entries = [Entry(*row) for row in cursor.fetchall()]
    has_more = len(entries) > most
    return Page(entries[:most], entries[most - 1].id if has_more else None)
