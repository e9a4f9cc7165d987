"""Writing the lake: the days that changed, each once, going on wherever an export before was killed.

1. The database learns that this folder follows it, and which days are due: those that triggers noted, those of new
   interactions, or all days for a folder that is new or missed something (`_begin`).
2. Some due days at a time are written in one snapshot of the database: new files, then the manifest of each day. Only
   then the changes are taken away that the snapshot saw. Killed in between, the days are still due and are written
   anew: nothing is lost and nothing is doubled.
3. The small tables without days are written, and files that no manifest names any more are removed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import LiteralString

from psycopg.types.json import Jsonb

from finalmarket.analytics.lake.copying import Connection, copied, write_days, write_whole
from finalmarket.analytics.lake.layout import Head, Lake, Part
from finalmarket.analytics.lake.tables import DAILY, STREAMS, WHOLE, LakeTable
from finalmarket.journeys import ingest
from finalmarket.kernel import failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import Queries, open_connection

QUERIES = Queries(Path(__file__).with_name("export.sql"))
DAYS_AT_ONCE = 31
LOCK = 0x6C61_6B65  # "lake"
Say = Callable[[str], None]


@dataclass(slots=True)
class Exported:
    """What an export wrote: days that are other than before, and their rows by table. `is_full`: every day was due."""

    is_full: bool = False
    days: int = 0
    rows: dict[str, int] = field(default_factory=dict)


def export(
    folder: Path, *, everything: bool = False, days_at_once: int = DAYS_AT_ONCE, say: Say = lambda _: None
) -> Exported:
    """Write what changed since the last export to `folder`; with `everything` all days anew.

    `say` hears of the progress. Changes that happen meanwhile are the next export's. Memory stays flat. Raises
    UserError where the folder cannot be written, or somebody else exports to it.
    """
    lake = Lake(Path(folder))
    with lake.writing():
        connection = open_connection()
        try:
            connection.execute("SET datestyle = 'ISO'")
            if not _number(connection, f"SELECT pg_try_advisory_lock({LOCK})::int"):
                raise UserError("another export of this database is under way")
            done = _export(lake, connection, everything, days_at_once, say)
            connection.execute(f"SELECT pg_advisory_unlock({LOCK})")  # the end of a session shows a moment later
            return done
        finally:
            connection.close()


def _export(lake: Lake, connection: Connection, everything: bool, days_at_once: int, say: Say) -> Exported:
    done = Exported(is_full=_begin(lake, connection, everything))
    last = _number(connection, "SELECT coalesce(max(id), 0) FROM lake_changes")
    while days := _due_days(connection, last, days_at_once):
        _write_days(lake, connection, days, last, done)
        say(f"{days[0]} to {days[-1]}: {sum(done.rows.values()):,} rows so far")
    head = lake.head()
    with connection.transaction():
        _snapshot(connection)
        for table in WHOLE:
            head.whole[table.name] = _write_whole(lake, connection, table, head.whole.get(table.name))
    with failpoints.around("lake.head"):
        lake.write_head(head)
    lake.sweep()
    return done


def _begin(lake: Lake, connection: Connection, everything: bool) -> bool:
    """Have the database know this folder, and all due days be noted; return whether these are all days.

    The folder hears of the new token first, then the database: killed in between, either of them is known to it.
    """
    head, zones = lake.head(), _zones(connection)
    known, token = head.tokens, str(uuid.uuid4())
    everything = everything or head.zones != zones
    lake.write_head(Head([*known, token], head.zones, head.whole))
    mark = _mark(connection)
    with failpoints.around("lake.begin"), connection.transaction():
        is_full = _follow(connection, lake, token, mark, known=() if everything else known)
    lake.write_head(Head([token], zones, head.whole))
    return is_full


def _follow(connection: Connection, lake: Lake, token: str, mark: dict[str, int], known: Collection[str]) -> bool:
    """Note what is due, within a transaction; return whether these are all days."""
    row = connection.execute("SELECT token, marks FROM lake_state FOR UPDATE").fetchone()
    is_full = row is None or str(row[0]) not in known
    before: dict[str, int] = row[1] if row else {}
    safe = _safe(connection, before, mark)
    if is_full:
        connection.execute("DELETE FROM lake_changes")
        values = {"streams": list(STREAMS), "days": list(lake.days())}
        connection.execute(QUERIES["everything_is_due"], values)
    else:
        connection.execute(QUERIES["compact"])
        connection.execute(QUERIES["new_interactions_are_due"], {"safe": before["safe"]})
    failpoints.hit("lake.in_begin")
    connection.execute("DELETE FROM lake_state")
    connection.execute("INSERT INTO lake_state (token, marks) VALUES (%s, %s)", [token, Jsonb(mark | {"safe": safe})])
    return is_full


def _mark(connection: Connection) -> dict[str, int]:
    """The number that interactions have reached, and the transaction before which all began that drew one up to it."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [ingest.LOCK])  # no batch is between number and row
        reached = _number(connection, "SELECT last_value FROM interaction_ids")
        began = _number(connection, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    return {"reached": reached, "began": began}


def _safe(connection: Connection, before: dict[str, int], mark: dict[str, int]) -> int:
    """The number up to which the next statement sees every interaction that there will ever be.

    Numbers are drawn in order and transactions commit in any: a mark is safe when all have ended that began before it.
    """
    oldest = _number(connection, "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    ended = [found["reached"] for found in (before, mark) if found and found["began"] <= oldest]
    return max(ended, default=before.get("safe", 0))


def _due_days(connection: Connection, last: int, most: int) -> list[date]:
    return [day for (day,) in connection.execute(QUERIES["due_days"], {"last": last, "most": most})]


def _write_days(lake: Lake, connection: Connection, days: Sequence[date], last: int, done: Exported) -> None:
    """Write what is due of some days: files, manifests, and only then the changes are taken away."""
    before = {day: lake.day(day) for day in days}
    after = {day: dict(parts) for day, parts in before.items()}
    with connection.transaction():
        _snapshot(connection)
        due = connection.execute(QUERIES["due_of_days"], {"last": last, "days": list(days)}).fetchall()
        for table in DAILY:
            wanted = sorted({day for _, stream, day in due if stream == table.stream})
            if wanted:
                _write_table(lake, connection, table, wanted, after)
    for day, parts in after.items():
        if parts != before[day]:
            with failpoints.around("lake.manifest"):
                lake.write_day(day, parts)
            done.days += 1
            for name in [name for name, part in parts.items() if before[day].get(name) != part]:
                done.rows[name] = done.rows.get(name, 0) + parts[name].rows
    with failpoints.around("lake.forget"):
        connection.execute(QUERIES["written"], {"ids": [number for number, _, _ in due]})


def _write_table(
    lake: Lake, connection: Connection, table: LakeTable, days: Sequence[date], parts: dict[date, dict[str, Part]]
) -> None:
    """Write these days of a table, and put its files into `parts`; a day that has no rows has no file."""
    select = QUERIES[table.name].replace("{days}", QUERIES["days"].replace("{moment}", table.moment))
    batches = copied(connection, select, {"first": days[0], "last": days[-1], "days": list(days)}, table.schema)
    written = write_days(batches, table.schema, lambda day: lake.new_file(table.name, day))
    failpoints.hit(f"lake.after_{table.name}")
    for day in days:
        before = parts[day].pop(table.name, None)
        if day in written:
            parts[day][table.name] = lake.part(*written[day], before)


def _write_whole(lake: Lake, connection: Connection, table: LakeTable, before: Part | None) -> Part:
    path = lake.new_file(table.name, None)
    rows = write_whole(copied(connection, QUERIES[table.name], {}, table.schema), table.schema, path)
    return lake.part(path, rows, before)


def _snapshot(connection: Connection) -> None:
    """All statements of the transaction see the database as it is now."""
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _zones(connection: Connection) -> dict[str, str]:
    return {str(number): zone for number, zone in connection.execute("SELECT id, time_zone FROM sales_channels")}


def _number(connection: Connection, question: LiteralString) -> int:
    row = connection.execute(question).fetchone()
    return int(row[0]) if row else 0
