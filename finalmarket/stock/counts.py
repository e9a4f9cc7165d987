"""Stock takes while selling goes on.

Each variant is counted at a moment. A difference is what was counted less what the books said at that very moment;
sales and arrivals after it are no differences. Units throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.stock import ledger
from finalmarket.stock.adjusting import Change, adjust_each
from finalmarket.stock.models import StockCount, StockCountLine
from finalmarket.stock.questions import QUERIES
from finalmarket.stock.refusals import refuse_places, refuse_variants


@dataclass(frozen=True, slots=True)
class Counted:
    """What a count found of one variant: `booked` is what the books said when it was counted, `on_hand` what they say
    now."""

    variant_id: int
    sku: str
    counted: int
    counted_at: datetime
    booked: int
    on_hand: int

    @property
    def difference(self) -> int:
        """Units to add to the books, or below zero to take off; never more than the books still have."""
        return max(self.counted - self.booked, -self.on_hand)


def start(location_id: int, *, note: str = "") -> StockCount:
    """Begin a stock take at a location. Nothing is locked: selling goes on. Raises UserError for an unknown place."""
    refuse_places([location_id])
    return StockCount.objects.create(location_id=location_id, note=note)


@transaction.atomic
def record(
    count_id: int, variant_id: int, counted_quantity: int, *, counted_at: datetime | None = None
) -> StockCountLine:
    """Write down that so many units lie there, promised ones included, at that moment (default: now).

    Counting a variant again replaces what was written. Raises UserError for a count that is over, a number below zero,
    a moment in the future, an unknown variant, or a bundle.
    """
    _open(count_id)
    if counted_quantity < 0:
        raise UserError(f"nobody can count {counted_quantity} units")
    refuse_variants([variant_id])
    present = _database_now()
    if counted_at is not None and counted_at > present:
        raise UserError(f"the moment of counting lies in the future: {counted_at.isoformat()}")
    line, _ = StockCountLine.objects.update_or_create(
        count_id=count_id,
        variant_id=variant_id,
        defaults={"counted_quantity": counted_quantity, "counted_at": counted_at or present},
    )
    return line


def preview(count_id: int) -> list[Counted]:
    """Return what applying the count would find, variant by variant."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["counted"], {"count": count_id})
        return [Counted(*row) for row in cursor.fetchall()]


@transaction.atomic
def apply(count_id: int, *, actor: str, reason: str = "") -> list[Counted]:
    """Bring the books to what was counted, by movements of kind "count", and return what was found.

    A loss that reaches into promises makes them short, the hold that ends last before the others. Raises UserError
    when the count is over or nothing was counted.
    """
    count = _open(count_id)
    ledger.lock_with_listings(count.lines.values_list("variant_id", flat=True))
    found = preview(count_id)
    if not found:
        raise UserError(f"nothing was counted in count {count_id}")
    changes = [_change(count, counted, reason) for counted in found if counted.difference]
    for became in adjust_each(changes, actor=actor):
        if isinstance(became, UserError):
            raise became
    _write_differences(count, found)
    count.state, count.applied_at = StockCount.State.APPLIED, clock.now()
    count.save(update_fields=["state", "applied_at"])
    return found


@transaction.atomic
def cancel(count_id: int) -> None:
    """Drop a stock take; the books stay as they are. Raises UserError when it is over."""
    count = _open(count_id)
    count.state = StockCount.State.CANCELLED
    count.save(update_fields=["state"])


def _change(count: StockCount, counted: Counted, reason: str) -> Change:
    said = f"counted {counted.counted}, booked {counted.booked}"
    return Change(
        counted.variant_id,
        count.location_id,
        (f"{said}: {reason}" if reason else said)[:200],
        counted.difference,
        reference=f"count:{count.pk}",
        kind="count",
    )


def _write_differences(count: StockCount, found: Sequence[Counted]) -> None:
    """By one statement, however many were counted: the pools of all of them are locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE stock_count_lines line SET difference = counted.units
               FROM unnest(%s::bigint[], %s::int[]) counted(variant_id, units)
               WHERE line.count_id = %s AND line.variant_id = counted.variant_id""",
            [[counted.variant_id for counted in found], [counted.difference for counted in found], count.pk],
        )


def _open(count_id: int) -> StockCount:
    count = StockCount.objects.select_for_update().filter(pk=count_id).first()
    if count is None:
        raise UserError(f"there is no stock count {count_id}")
    if count.state != StockCount.State.OPEN:
        raise UserError(f"stock count {count_id} is over: it is {count.get_state_display().lower()}")
    return count


def _database_now() -> datetime:
    """The ledger's own clock: what was booked before and after the counting is told apart by it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (present,) = cursor.fetchone()
    moment: datetime = present
    return moment
