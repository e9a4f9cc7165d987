"""The verbs that change stock. Each is one transaction, joins the caller's, and locks pools in order of variant first.

Balances, movements and reservations are written by the functions of `stock/sql/` alone, and those are called from here
and from `stock/reserve.py` alone. Quantities are whole units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from finalmarket.kernel.errors import UserError
from finalmarket.stock.refusals import NotAsExpected, refuse_places, refuse_variants, refuse_wrong
from finalmarket.stock.reserve import Mode, Request, reserve

EXPIRED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Receipt:
    """Units that arrived at a location."""

    variant_id: int
    location_id: int
    quantity: int
    reason: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Units that a customer returned and that go back on the shelf."""

    variant_id: int
    location_id: int
    quantity: int
    channel_id: int | None = None
    reason: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Sale:
    """Units that were sold and left at once, as in a history that is brought in."""

    variant_id: int
    location_id: int
    quantity: int
    channel_id: int
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Movement:
    """One line for the ledger; deltas in units."""

    kind: str
    variant_id: int
    location_id: int | None
    on_hand: int = 0
    fence: int = 0
    channel_id: int | None = None
    reference: str = ""
    reason: str = ""


def lock(variant_ids: Iterable[int]) -> None:
    """Take the pool locks of all variants that the transaction will touch, in their order, components included.

    A transaction that calls more than one verb begins with this, so that no two of them wait for each other.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT stock_lock(%(ids)s::bigint[] || ARRAY(
                   SELECT component_id FROM bundle_components WHERE bundle_id = ANY (%(ids)s::bigint[])))""",
            {"ids": sorted(set(variant_ids))},
        )


def lock_with_listings(variant_ids: Iterable[int]) -> None:
    """Lock the pools of these variants and of their components, then the due rows of the listings of all of them and of
    the bundles that they are part of.

    Two transactions without a common variant may share a bundle's listing: locked in steps, verb by verb, its due rows
    would make them wait for each other. Whoever goes on in steps, several variants long, begins with this.
    """
    variants = sorted(set(variant_ids))
    lock(variants)
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH pools(variant_id) AS (
                   SELECT unnest(%(variants)s::bigint[])
                   UNION
                   SELECT component_id FROM bundle_components WHERE bundle_id = ANY (%(variants)s::bigint[])
               )
               SELECT FROM due_changes due WHERE due.what = 'stock' AND due.listing_id = ANY (ARRAY(
                   SELECT listing.id FROM pools JOIN channel_products listing USING (variant_id)
                   UNION ALL
                   SELECT listing.id FROM pools JOIN bundle_components part ON part.component_id = pools.variant_id
                   JOIN channel_products listing ON listing.variant_id = part.bundle_id))
               ORDER BY due.listing_id FOR UPDATE""",
            {"variants": variants},
        )


def post(movements: Sequence[Movement], *, actor: str) -> None:
    """Apply `movements` to the balances and write them to the ledger. The caller holds the locks."""
    if not movements:
        return
    zeros = [0] * len(movements)
    _call(
        "stock_post",
        [m.kind for m in movements],
        [m.variant_id for m in movements],
        [m.location_id for m in movements],
        [m.channel_id for m in movements],
        [m.on_hand for m in movements],
        zeros,
        zeros,
        [m.fence for m in movements],
        zeros,
        [None] * len(movements),
        [m.reference for m in movements],
        actor,
        [m.reason for m in movements],
    )


@transaction.atomic
def receive(receipts: Sequence[Receipt], *, actor: str) -> None:
    """Add units that arrived; promises made beyond stock are met from them first, the oldest before the others.

    Raises UserError for a quantity below one, an unknown variant or location, or a bundle (it has no stock of its own).
    """
    _add("receive", receipts, actor)


@transaction.atomic
def take_back(returns: Sequence[TakeBack], *, actor: str) -> None:
    """Put returned units back on the shelf. Raises UserError as `receive` does."""
    _add("return", returns, actor)


def _add(kind: str, rows: Sequence[Receipt] | Sequence[TakeBack], actor: str) -> None:
    refuse_wrong(rows)
    variants = sorted({row.variant_id for row in rows})
    lock(variants)
    post(
        [
            Movement(
                kind,
                row.variant_id,
                row.location_id,
                on_hand=row.quantity,
                channel_id=getattr(row, "channel_id", None),
                reference=row.reference,
                reason=row.reason,
            )
            for row in rows
        ],
        actor=actor,
    )
    backfill(variants, actor=actor)


def backfill(variant_ids: Sequence[int], *, actor: str) -> int:
    """Meet what waits for goods, the oldest promise first; return the units met. The caller holds the locks."""
    return int(_call("stock_backfill", list(variant_ids), actor))


def trim_fences(variant_ids: Sequence[int], *, actor: str, reason: str) -> None:
    """Take off ring fences what is not there any more. The caller holds the locks."""
    _call("stock_trim_fences", list(variant_ids), actor, reason)


@transaction.atomic
def sell(sales: Sequence[Sale], *, actor: str) -> None:
    """Take units off the shelf that were sold and handed over at once. Raises UserError when they are not there.

    Units promised to others are never taken; for a sale that must be booked whatever the books say, reserve with
    `Mode.SALE` and fulfil.
    """
    refuse_wrong(sales)
    variants = sorted({sale.variant_id for sale in sales})
    lock(variants)
    expire(variants)
    wanted: dict[tuple[int, int], int] = {}
    for sale in sales:
        wanted[sale.variant_id, sale.location_id] = wanted.get((sale.variant_id, sale.location_id), 0) + sale.quantity
    free = {key: item[0] - item[1] for key, item in balances(variants).items()}
    for (variant, location), quantity in wanted.items():
        if quantity > free.get((variant, location), 0):
            raise UserError(
                f"cannot sell {quantity} of variant {variant} at location {location}: "
                f"{free.get((variant, location), 0)} are free there"
            )
    post(
        [
            Movement(
                "sale",
                sale.variant_id,
                sale.location_id,
                on_hand=-sale.quantity,
                channel_id=sale.channel_id,
                reference=sale.reference,
            )
            for sale in sales
        ],
        actor=actor,
    )
    trim_fences(variants, actor=actor, reason="sold elsewhere")


@transaction.atomic
def adjust(
    variant_id: int,
    location_id: int,
    delta: int,
    *,
    reason: str,
    actor: str,
    reference: str = "",
    expected: int | None = None,
    kind: str = "adjust",
) -> int:
    """Change what is on hand at a location by `delta` units; return what is on hand afterwards.

    With `expected`, nothing happens unless exactly so many are on hand (compare and set). A loss that reaches into
    promises is not refused: the hold that expires last gives way first, its units become `short`, an alert opens.
    Raises NotAsExpected (a UserError) for a missed expectation, UserError for a loss of more than is on hand.
    """
    if not reason.strip():
        raise UserError("an adjustment needs a reason")
    refuse_variants([variant_id])
    refuse_places([location_id])
    lock([variant_id])
    on_hand, promised = balances([variant_id]).get((variant_id, location_id), (0, 0))
    if expected is not None and on_hand != expected:
        raise NotAsExpected(on_hand, expected)
    if on_hand + delta < 0:
        raise UserError(f"cannot take {-delta} units away: {on_hand} are on hand")
    if delta == 0:
        return on_hand
    if promised > on_hand + delta:
        expire([variant_id])
        _, promised = balances([variant_id]).get((variant_id, location_id), (0, 0))
    missing = promised - (on_hand + delta)
    if missing > 0:
        _call("stock_make_room", variant_id, location_id, missing, actor, reason)
    post(
        [Movement(kind, variant_id, location_id, on_hand=delta, reference=reference, reason=reason)],
        actor=actor,
    )
    if delta < 0:
        trim_fences([variant_id], actor=actor, reason=reason)
    else:
        backfill([variant_id], actor=actor)
    return on_hand + delta


@transaction.atomic
def set_on_hand(
    variant_id: int, location_id: int, quantity: int, *, reason: str, actor: str, expected: int | None = None,
    reference: str = "",
) -> int:  # fmt: skip
    """Make `quantity` units be on hand at a location, by an adjustment of the difference; return the difference."""
    if quantity < 0:
        raise UserError(f"on hand cannot be {quantity}")
    refuse_variants([variant_id])
    refuse_places([location_id])
    lock([variant_id])
    on_hand, _ = balances([variant_id]).get((variant_id, location_id), (0, 0))
    adjust(
        variant_id, location_id, quantity - on_hand, reason=reason, actor=actor, expected=expected, reference=reference
    )
    return quantity - on_hand


@transaction.atomic
def confirm(reservation_ids: Sequence[int], *, actor: str, reference: str = "") -> dict[int, str]:
    """Turn holds into promises to an order; return "confirmed" or "refused: why" for each.

    A hold past its end that nobody released still counts. One that lost units is taken anew if they are free.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT variant_id FROM reservation_line WHERE reservation_id = ANY (%s)", [list(reservation_ids)]
        )
        lock(row[0] for row in cursor.fetchall())
    confirmed = set(_call("stock_confirm", list(reservation_ids), actor, reference))
    return {number: "confirmed" if number in confirmed else _confirm_anew(number, actor) for number in reservation_ids}


def _confirm_anew(reservation_id: int, actor: str) -> str:
    """Promise again what a hold has lost; the promise stands under the number that the caller knows."""
    from finalmarket.stock.models import Reservation

    found = Reservation.objects.filter(pk=reservation_id).first()
    if found is None:
        return "refused: there is no such reservation"
    if found.state in ("confirmed", "closed"):
        return "confirmed"
    wanted: dict[tuple[int, int], int] = {}
    for line in found.lines.all():
        if line.state != "released" or found.state == "released":
            key = line.line, line.variant_id
            wanted[key] = wanted.get(key, 0) + line.promised + line.short
    release([reservation_id], actor=actor, reason="taken anew")
    kept = [(line, variant, units) for (line, variant), units in sorted(wanted.items()) if units > 0]
    lines = tuple((variant, units) for _, variant, units in kept)
    request = Request(found.key, found.sales_channel_id, lines, Mode.ALLOCATE, location_id=found.location_id)
    verdict = reserve([request], actor=actor)[0]
    if verdict.outcome != "granted":
        return f"refused: {verdict.reason or verdict.outcome}"
    _call("stock_adopt", reservation_id, verdict.reservation_id, [line for line, _, _ in kept])
    return "confirmed"


@transaction.atomic
def release(reservation_ids: Sequence[int], *, actor: str, reason: str = "") -> int:
    """Give back all units of these holds; return how many. What is no hold any more is passed over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reservation_id, position FROM reservation_line WHERE reservation_id = ANY (%s) ORDER BY 1, 2",
            [list(reservation_ids)],
        )
        lines = [(reservation, position, None) for reservation, position in cursor.fetchall()]
    return sum(close("release", lines, actor=actor, reason=reason))


@transaction.atomic
def close(
    kind: str,
    lines: Sequence[tuple[int, int, int | None]],
    *,
    actor: str,
    reference: str = "",
    reason: str = "",
) -> list[int]:
    """End open units of reservation lines: (reservation id, position, units; None for all). Return the units ended.

    `kind`: "release" (a hold), "deallocate" (a promise is taken back), "fulfil" (promised goods leave: on hand goes
    down). Never more than is open; what is in another state is passed over with 0.
    """
    if not lines:
        return []
    ended: list[int] = _call(
        "stock_close",
        kind,
        [line[0] for line in lines],
        [line[1] for line in lines],
        [line[2] for line in lines],
        actor,
        [reference] * len(lines),
        reason,
    )
    if kind != "fulfil":
        backfill(_variants_of(lines), actor=actor)
    return ended


def expire(variant_ids: Sequence[int]) -> None:
    """Let all holds on these variants go that are past their end. The caller holds the locks."""
    while int(_call("stock_expire", list(variant_ids), EXPIRED_AT_ONCE)) == EXPIRED_AT_ONCE:
        continue


@transaction.atomic
def expire_holds(*, most: int = 1000) -> int:
    """Let holds go that are past their end, at most `most` lines, each with its movement; return how many.

    Nothing depends on it: expired holds stop counting when they are read. It keeps their number small, and gives their
    units to whoever waits for goods.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT reservation_id, position FROM reservation_line
               WHERE state = 'held' AND expires_at <= clock_timestamp()
               ORDER BY expires_at, reservation_id, position LIMIT %s""",
            [most],
        )
        lines = [(reservation, position, None) for reservation, position in cursor.fetchall()]
    close("expire", lines, actor="system", reason="the hold ran out")
    return len(lines)


@transaction.atomic
def move_promise(
    reservation_id: int, position: int, location_id: int, quantity: int, *, actor: str, reason: str
) -> int:
    """Move up to `quantity` promised units of a line to another location, if free there; return how many."""
    return int(_call("stock_move_promise", reservation_id, position, location_id, quantity, actor, reason))


def balances(variant_ids: Sequence[int]) -> dict[tuple[int, int], tuple[int, int]]:
    """Return on hand and promised units by variant and location. The caller holds the locks."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT variant_id, location_id, on_hand, reserved + allocated FROM stock_item
               WHERE variant_id = ANY (%s)""",
            [list(variant_ids)],
        )
        return {(variant, location): (on_hand, promised) for variant, location, on_hand, promised in cursor.fetchall()}


def _variants_of(lines: Sequence[tuple[int, int, int | None]]) -> list[int]:
    """Return the variants of these reservation lines, no others: only theirs are locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT variant_id FROM unnest(%s::bigint[], %s::smallint[]) asked(reservation, pos)
               JOIN reservation_line line ON line.reservation_id = asked.reservation AND line.position = asked.pos
               ORDER BY 1""",
            [[line[0] for line in lines], [line[1] for line in lines]],
        )
        return [row[0] for row in cursor.fetchall()]


SIGNATURES = {
    "stock_post": "%s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::int[], %s::int[], %s::int[], %s::int[], "
    "%s::int[], %s::bigint[], %s::text[], %s, %s::text[]",
    "stock_backfill": "%s::bigint[], %s",
    "stock_trim_fences": "%s::bigint[], %s, %s",
    "stock_make_room": "%s, %s, %s, %s, %s",
    "stock_confirm": "%s::bigint[], %s, %s",
    "stock_close": "%s, %s::bigint[], %s::smallint[], %s::int[], %s, %s::text[], %s",
    "stock_expire": "%s::bigint[], %s",
    "stock_adopt": "%s, %s, %s::smallint[]",
    "stock_move_promise": "%s, %s::smallint, %s, %s, %s, %s",
}


def _call(function: str, *arguments: Any) -> Any:
    """Call one of the stock functions and return its only value."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}({SIGNATURES[function]})", arguments)
        row = cursor.fetchone()
    return row[0] if row else None
