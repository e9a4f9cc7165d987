"""A line's place in its order, which is its identity: what the file says, else its turn among the rows of that order.

Every row counts, refused or not, so that a row mended later comes to stand where it stood. A report of refused rows
holds few rows of an order, and their turns in it say nothing: it carries the place that each had in the first file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from django.db import connection

from finalmarket.bulk.landing import unsafe
from finalmarket.bulk.report import PLACE_COLUMNS
from finalmarket.bulk.row import Row
from finalmarket.bulk.tables import Table
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import Queries

SQL = Queries(Path(__file__).with_name("orders.sql"))
CARRIED = ("refused_line", *PLACE_COLUMNS)
BEYOND = 10_000_000
"""A refused row whose order was not known, or is another since it was mended, stands behind all others: at this and its
line."""


class Refused(NamedTuple):
    """A row with what a report says of its place: its line, its order ("": not known), its position within that."""

    row: Row
    line: Any
    order: Any
    position: Any


class Orders(Protocol):
    """Who can read the orders of rows."""

    table: Table

    def orders(self, rows: Sequence[Row]) -> list[str]: ...


class Turns:
    """Counts the rows of each order, batch by batch, in a temporary table: an order may come again far below."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(SQL["make_turns"])
            cursor.execute(SQL["clear_turns"])

    def before(self, turns: Mapping[str, int]) -> dict[str, int]:
        """Count the rows of a batch; return how many rows of each of its orders came before it."""
        with connection.cursor() as cursor:
            cursor.execute(SQL["count_turns"], [list(turns), list(turns.values())])
            return {name: counted - turns[name] for name, counted in cursor.fetchall()}


def carried(header: Sequence[str], columns: Mapping[str, str], file: Path) -> dict[str, str]:
    """The columns in which a report says where its rows stood; none in any other file. Raises UserError for a report
    that lost them, where no column says a line's position."""
    found = {name: name for name in CARRIED if name in header}
    if len(found) == len(CARRIED) or not found:
        return found
    if "position" in columns:
        return {}
    missing = " and ".join(name for name in CARRIED if name not in found)
    raise UserError(
        f"{file}, line 1: this report of refused rows lacks {missing},"
        " which say where each line stood in its order; mend the file that it is about, and import that again"
    )


def restored(orders: Sequence[Any], own: Sequence[Any], report: Sequence[Sequence[Any]]) -> list[Any]:
    """The positions of the rows of a report: what a row says itself, else what was carried. What cannot be read is
    passed on, for such a row is refused."""
    found = []
    for order, mine, line, told, position in zip(orders, own, *report, strict=True):
        if mine != "":
            found.append(mine)
        elif told in ("", order) or not isinstance(line, int):
            found.append(position)
        else:
            found.append(BEYOND + line)
    return found


def placed(reader: Orders, size: int) -> Iterator[Refused]:
    """Yield every row of a file with its place, as a report carries it; of the rows of a report as that one did."""
    header, rows = reader.table.header, reader.table.rows()
    kept = [header.index(name) for name in CARRIED if name in header]
    turns = Turns()
    while chunk := list(islice(rows, size)):
        if len(kept) == len(CARRIED):
            yield from (_as_carried(row, kept) for row in chunk)
            continue
        orders = reader.orders(chunk)
        next_turn = Counter(turns.before(Counter(order for order in orders if order)))
        for row, order in zip(chunk, orders, strict=True):
            position = next_turn[order] if order else BEYOND + row.line
            next_turn[order] += 1
            yield Refused(row, row.line, order, position)


def _as_carried(row: Row, kept: Sequence[int]) -> Refused:
    """A row of a report, its cells without what guards them there: the next report guards them again."""
    cells = [unsafe(cell) if isinstance(cell, str) else cell for cell in row.cells]
    line, order, position = (cells[at] if at < len(cells) else "" for at in kept)
    return Refused(Row(row.line, cells, row.columns, row.problem), line, order, position)
