"""What was sold without being there waits on its reservation line as `short`: goods that arrive meet it first. When
nobody wants those units any more (the order was cancelled), the claim is given up here."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, transaction

from finalmarket.stock import ledger
from finalmarket.stock.models import Reservation


@transaction.atomic
def give_up(claims: Sequence[tuple[int, int, int]]) -> int:
    """Take units off the shortfall of reservation lines: (reservation id, position, units). Return the units.

    Never more than is short. No balance changes, since what is short was never there; so no movement is written.
    """
    if not claims:
        return 0
    reservations, positions, units = (list(column) for column in zip(*claims, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT variant_id FROM reservation_line WHERE reservation_id = ANY (%s)", [reservations]
        )
        ledger.lock(row[0] for row in cursor.fetchall())
        cursor.execute(
            """WITH given_up AS (
                   SELECT line.reservation_id, line.position, least(line.short, claim.units) AS units
                   FROM unnest(%s::bigint[], %s::smallint[], %s::int[]) claim(reservation, pos, units)
                   JOIN reservation_line line ON line.reservation_id = claim.reservation AND line.position = claim.pos
                   WHERE claim.units > 0 AND line.short > 0
               ), changed AS (
                   UPDATE reservation_line line SET short = line.short - given_up.units,
                       state = CASE WHEN line.quantity = 0 AND line.short = given_up.units THEN 'closed'
                               ELSE line.state END
                   FROM given_up
                   WHERE line.reservation_id = given_up.reservation_id AND line.position = given_up.position
                   RETURNING given_up.units)
               SELECT coalesce(sum(units), 0) FROM changed""",
            [reservations, positions, units],
        )
        (total,) = cursor.fetchone()
        cursor.execute(
            """UPDATE reservation SET state = 'closed' WHERE id = ANY (%s) AND state = 'confirmed' AND NOT EXISTS (
                   SELECT FROM reservation_line line
                   WHERE line.reservation_id = reservation.id AND (line.quantity > 0 OR line.short > 0))""",
            [reservations],
        )
    return int(total)


@transaction.atomic
def let_go(reservation: Reservation, *, actor: str, reason: str) -> None:
    """Give back all that stands on a reservation, a hold or a promise that no order has. The caller holds its pools."""
    lines = list(reservation.lines.values_list("position", "short"))
    is_promise = reservation.state == Reservation.State.CONFIRMED
    if is_promise:  # first what is short: else the units that are given back would meet it
        give_up([(reservation.pk, position, short) for position, short in lines])
    kind = "deallocate" if is_promise else "release"
    ledger.close(kind, [(reservation.pk, position, None) for position, _ in lines], actor=actor, reason=reason)
