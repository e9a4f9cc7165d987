"""The journeys behind a number: who reads that forty went from the shop to the store can see which forty.

A number is named in a few words that fit into an address: `path:3-7:ordered` are the journeys that went from channel 3
to channel 7 and led to an order. The words are those of `GRAMMAR`; what they find is what paths.py counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from finalmarket.journeys.paths_asked import Asked, chosen_with, rows
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("behind.sql"))
MOST_BEHIND = 1_000
ENDS = "ordered|completed|abandoned|open"
CHANNEL = r"[0-9]{1,10}"
PLACE = rf"(?P<where>{CHANNEL}):(?P<action>[a-z0-9_]{{1,100}}):(?P<role>came|left)"
DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
GRAMMAR: Mapping[str, str] = {
    "any": rf"any(?::(?P<outcome>{ENDS}))?",
    "path": rf"path:(?P<channels>{CHANNEL}(?:-{CHANNEL})*)(?::(?P<outcome>{ENDS}))?",
    "change": rf"change:(?P<first>{CHANNEL})-(?P<second>{CHANNEL})",
    "step": r"step:(?P<step>[0-9]{1,4})(?::(?P<outcome>on|ordered|ended|open))?",
    "role": rf"role:(?P<where>{CHANNEL}):(?P<role>present|opened|assisted|closed)",
    "ordered": rf"ordered(?::(?P<where>{CHANNEL}))?",
    "loop": rf"loop:(?P<first>{CHANNEL})-(?P<second>{CHANNEL})(?::(?P<outcome>{ENDS}))?",
    "place": rf"place:{PLACE}",
    "lost": rf"lost:{PLACE}:(?P<first_day>{DAY}):(?P<last_day>{DAY})",
}
"""How each number is named, as regular expressions."""
OF_STAYS = {"path", "change", "step", "role", "loop"}


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a page about paths: which question it answers, and about what."""

    question: str
    values: Mapping[str, Any]


def read(words: str) -> Number:
    """Return the number that is named so. Raises UserError where none is."""
    for question, form in GRAMMAR.items():
        if found := re.fullmatch(form, words):
            try:
                return Number(question, {name: _value(name, text) for name, text in found.groupdict().items()})
            except ValueError:
                break  # a day that no calendar has
    raise UserError(f"no number is named {words[:60]!r}; come here by a link on a page about journeys")


def journeys(asked: Asked, words: str, most: int = MOST_BEHIND) -> list[int]:
    """Return the keys of the journeys behind the number that is named so, of those asked about, the newest first, at
    most `most`. Raises UserError where no number is named so."""
    number = read(words)
    fragments = ("stays",) if number.question in OF_STAYS else ()
    found = f"{chosen_with(asked, *fragments)}\n{QUERIES[number.question]}"
    statement = QUERIES["newest"].replace("{found}", found)
    return [row["id"] for row in rows(statement, {**asked.values, **number.values, "most": most})]


def _value(name: str, text: str | None) -> Any:
    """What is said, as the question takes it: numbers of channels and steps, or words; "" for any outcome."""
    if name == "channels":
        return [int(one) for one in (text or "").split("-")]
    if name in ("first", "second", "step", "where"):
        return int(text) if text else None
    if name in ("first_day", "last_day"):
        return date.fromisoformat(text or "")
    return text or ""
