"""The proof that balances, ledger and holds agree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from finalmarket.stock.questions import QUERIES


@dataclass(frozen=True, slots=True)
class Difference:
    """One number that is not what it must be.

    `place` is a location's code, a channel's slug, or "pool" (all locations together); `what` names the number and
    what it is held against.
    """

    variant_id: int
    sku: str
    place: str
    what: str
    expected: int
    found: int

    def __str__(self) -> str:
        return f"{self.sku} ({self.place}): {self.what}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a check has looked at."""

    variants: int
    items: int
    movements: int
    open_lines: int
    policies: int


def differences(variant_ids: Iterable[int] | None = None) -> list[Difference]:
    """Return every balance that differs from the ledger or the open holds, of these variants (default: of all).

    One statement, so one moment; it may run while stock is being sold. Empty when all agrees.
    """
    wanted = [] if variant_ids is None else sorted(set(variant_ids))
    of_these = "true" if variant_ids is None else "variant_id = ANY (%(variants)s::bigint[])"
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["differences"].replace("{of_these}", of_these), {"variants": wanted})
        return [
            Difference(variant, sku, place, f"{counter}, against {source}", expected, found)
            for variant, sku, place, counter, source, expected, found in cursor.fetchall()
        ]


def extent() -> Extent:
    """Return how many rows a check of everything compares."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["proved"])
        row = cursor.fetchone()
    return Extent(*row)
