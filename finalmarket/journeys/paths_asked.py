"""Which journeys a question about paths is about, and the SQL that finds them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg import errors

from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("paths.sql"))
WORK_MEMORY = "256MB"  # for one question at a time: journeys are sorted in memory and not on disk
MOST_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """The journeys asked about: those that began from `since` to `until` (both included, days where their start channel
    is), touched `channel`, have the `intent`, and belong to persons of `segment`. What is not given is not asked for.
    """

    since: date | None = None
    until: date | None = None
    segment: str = ""
    channel: int | None = None
    intent: str = ""

    def __post_init__(self) -> None:
        if self.since and self.until and self.since > self.until:
            raise UserError(f"the period ends on {self.until}, before it begins on {self.since}")

    @property
    def values(self) -> dict[str, Any]:
        """The values of the conditions by name."""
        return asdict(self)

    def conditions(self, kind: str, *names: str) -> str:
        """Return the conditions that are asked for, of those named: fragments of paths.sql that begin with `kind`."""
        given = self.values
        parts = [QUERIES[f"{kind}_{name}"] for name in names if given[name] not in (None, "")]
        return "\nAND ".join(parts) or "true"

    def chosen(self) -> str:
        """Return the SQL that finds the journeys."""
        asked = self.conditions("chosen", "since", "until", "intent", "channel", "segment")
        return QUERIES["chosen"].replace("{conditions}", asked)


def chosen_with(asked: Asked, *fragments: str) -> str:
    """Return `WITH chosen AS (...)` and after it the named fragments of paths.sql, each under its own name."""
    parts = [f"chosen AS (\n{asked.chosen()}\n)", *(f"{name} AS (\n{QUERIES[name]}\n)" for name in fragments)]
    return "WITH " + ", ".join(parts)


@contextmanager
def limits(seconds: float | None = None) -> Iterator[None]:
    """Within it, questions have memory to sort in, and `seconds` each (MOST_SECONDS unless given).

    One that takes longer raises UserError.
    """
    most = seconds or MOST_SECONDS
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('work_mem', %s, true), set_config('statement_timeout', %s, true)",
                [WORK_MEMORY, f"{most}s"],
            )
            yield
            cursor.execute("SET LOCAL work_mem TO DEFAULT; SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, errors.QueryCanceled):
            raise UserError(f"the answer took longer than {most} seconds; ask for a shorter period") from error
        raise


def rows(statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Run one question and return its rows by column name."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
