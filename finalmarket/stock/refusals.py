"""What nobody may do with stock, said before anything moves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import connection

from finalmarket.kernel.errors import UserError

MOST_UNITS = 1_000_000_000


class NotAsExpected(UserError):
    """So many are on hand (`on_hand`), and not what the caller expected: nothing was changed."""

    def __init__(self, on_hand: int, expected: int) -> None:
        super().__init__(f"{on_hand} units are on hand, not {expected} as expected; look again and decide anew")
        self.on_hand = on_hand


def refuse_quantities(rows: Iterable[tuple[int, int]]) -> None:
    """Raise UserError for a quantity below one or beyond a billion, in pairs of variant id and units."""
    for variant_id, units in rows:
        if not 1 <= units <= MOST_UNITS:
            raise UserError(f"a quantity must be above zero and at most a billion, not {units} (variant {variant_id})")


def refuse_variants(variant_ids: Collection[int]) -> None:
    """Raise UserError for a variant that does not exist, and for a bundle: it has no stock of its own."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT asked.id, variant.sku
               FROM unnest(%s::bigint[]) asked(id) LEFT JOIN variants variant ON variant.id = asked.id
               WHERE variant.id IS NULL OR EXISTS (SELECT FROM bundle_components WHERE bundle_id = variant.id)
               LIMIT 1""",
            [list(variant_ids)],
        )
        found = cursor.fetchone()
    if found is None:
        return
    variant_id, sku = found
    if sku is None:
        raise UserError(f"there is no variant {variant_id}")
    raise UserError(f"{sku} is a bundle and has no stock of its own; use its components")


def refuse_places(location_ids: Collection[int]) -> None:
    """Raise UserError for a location that does not exist."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT asked.id FROM unnest(%s::bigint[]) asked(id)
               WHERE NOT EXISTS (SELECT FROM stock_locations WHERE id = asked.id) LIMIT 1""",
            [list(location_ids)],
        )
        if found := cursor.fetchone():
            raise UserError(f"there is no stock location {found[0]}")


def refuse_wrong(rows: Sequence[Any]) -> None:
    """Raise UserError when one of these rows (variant_id, location_id, quantity) cannot be moved."""
    refuse_quantities((row.variant_id, row.quantity) for row in rows)
    refuse_variants({row.variant_id for row in rows})
    refuse_places({row.location_id for row in rows})
