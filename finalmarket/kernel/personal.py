"""How a room lists what it keeps of people: every table with every column of text, JSON or bytes, and what becomes of
it when a person is erased. Export and erasure walk these lists; a test finds every column that none of them names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

EMPTY_TEXT, EMPTY_OBJECT, EMPTY_LIST = "''", "'{}'::jsonb", "'[]'::jsonb"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with what it holds of people.

    `whose` is the SQL condition under which a row is a person's, with %(profiles)s and %(orders)s (ids); "" where rows
    have no owner. `erased` says what each personal column becomes, as SQL. `searched` are the columns in which the
    words of a person are looked for, in rows that are not known to be theirs: `erased` is done to those that hold one.
    `is_deleted`: a person's row goes as a whole. `none` are columns that hold nothing of a customer, `kept` says why
    what is left stays.
    """

    name: str
    whose: str = ""
    erased: Mapping[str, str] = field(default_factory=dict)
    searched: tuple[str, ...] = ()
    is_deleted: bool = False
    none: tuple[str, ...] = ()
    kept: str = ""

    @property
    def columns(self) -> frozenset[str]:
        """All columns that the list knows."""
        return frozenset((*self.erased, *self.searched, *self.none))


def impersonal(name: str, *columns: str) -> Table:
    """A table that holds nothing of a customer."""
    return Table(name, none=columns)
