"""Marking listings whose platforms have to be told: set by set, as stock does (stock_mark_due)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from django.db import connection

What = Literal["stock", "price", "content"]
Of = Literal["listings", "variants", "products", "channels"]
EVERYTHING: tuple[What, ...] = ("content", "price", "stock")

_FOUND: dict[Of, str] = {
    "listings": "SELECT id FROM channel_products WHERE id = ANY (%(ids)s)",
    "variants": "SELECT id FROM channel_products WHERE variant_id = ANY (%(ids)s)",
    "products": """SELECT listing.id FROM variants variant
                   JOIN channel_products listing ON listing.variant_id = variant.id
                   WHERE variant.product_id = ANY (%(ids)s)""",
    "channels": "SELECT id FROM channel_products WHERE sales_channel_id = ANY (%(ids)s)",
}


def mark_due(of: Of, ids: Iterable[int], *whats: What) -> int:
    """Mark these listings, or all listings of these variants, products or channels, as due; return the rows marked.

    A row that waits already, unclaimed, is only locked, so that whoever claims it next sees the change. To be called in
    the transaction of the change, after it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO due_changes AS due
                    (listing_id, what, version, settled_version, claimed_version, attempts, last_error)
                SELECT changed.id, what, 1, 0, 0, 0, ''
                FROM ({_FOUND[of]}) changed CROSS JOIN unnest(%(whats)s::text[]) what ORDER BY changed.id, what
                ON CONFLICT (listing_id, what)
                DO UPDATE SET version = due.version + 1, due_since = statement_timestamp()
                    WHERE due.version <= greatest(due.settled_version, due.claimed_version)""",  # noqa: S608  ours
            {"ids": sorted(set(ids)), "whats": list(whats)},
        )
        return int(cursor.rowcount)
