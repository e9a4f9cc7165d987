"""The goods of orders that already happened: they leave the stock through the ledger and stand in parcels.

Works on the temporary tables of `past.sql`, which hold the new lines of a batch; thousands of lines are one statement.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from finalmarket.kernel.sql import Queries
from finalmarket.stock import ledger

SQL = Queries(Path(__file__).with_name("past.sql"))


def take(cursor: Any, actor: str) -> int:
    """Take the goods of the new lines off the stock, as far as they are there; return the units that are short.

    What is promised to others is not there. The lines are served in their order.
    """
    cursor.execute(SQL["parts"])
    cursor.execute(SQL["variants"])
    variants = [variant_id for (variant_id,) in cursor.fetchall()]
    if not variants:
        return 0
    ledger.lock(variants)
    cursor.execute(SQL["share"])
    cursor.execute("SELECT coalesce(sum(quantity - taken), 0) FROM past_parts")
    (short_units,) = cursor.fetchone()
    cursor.execute(SQL["leave"], [actor])
    cursor.execute(SQL["trim"], [actor])
    if short_units:
        cursor.execute(SQL["fall_short"])
        cursor.execute(SQL["warn"])
    return int(short_units)


def pack(cursor: Any) -> None:
    """Write the parcels: one for each order and location, with all its goods, whether the books held them or not."""
    cursor.execute(SQL["find_parcels"])
    cursor.execute(SQL["parcels"])
    cursor.execute(SQL["pack"])
