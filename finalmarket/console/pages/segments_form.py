"""The builder of segments: rows of a form that become a rule, and a rule that is typed in as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from finalmarket.analytics.segments_rules import HAPPENED, NUMBERS, WORDS
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.errors import UserError

ROWS = 5
MOST_JSON_CHARACTERS = 20_000
SIGNS = {"at_least": "at least", "at_most": "at most", "top": "among the highest (percent)"}
HINTS = {"channel": "Names or numbers", "sku": "SKUs", "category": "Categories, by their slugs", "country": "DE, AT",
         "segment": "vip, high_value", "consent": "newsletter"}  # fmt: skip


def conditions() -> list[tuple[str, str]]:
    """Return what a row can ask for, with its words."""
    found = []
    for name, number in NUMBERS.items():
        for sign in ("at_least", "at_most", *(("top",) if number.has_top else ())):
            found.append((f"{name}:{sign}", f"{number.words.capitalize()}: {SIGNS[sign]}"))
    for sign in ("at_most", "at_least"):
        found.append((f"days_since_seen:{sign}", f"{WORDS['days_since_seen'].capitalize()}: {SIGNS[sign]}"))
    for name in ("segment", "country", *HAPPENED):
        found.append((f"{name}:in", f"{WORDS[name].capitalize()}: one of ({HINTS[name]})"))
    return [*found, ("consent:yes", "Agreed to (purpose)"), ("consent:no", "Refused (purpose)")]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the form as it was filled in."""

    number: int
    what: str = ""
    is_not: bool = False
    value: str = ""
    days: str = ""


@dataclass(frozen=True, slots=True)
class Builder:
    """The form as it was filled in."""

    name: str = ""
    joint: str = "all"
    rows: tuple[Row, ...] = tuple(Row(number) for number in range(ROWS))
    text: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Builder:
        """Read the form."""
        rows = tuple(
            Row(n, given.get(f"what-{n}", ""), given.get(f"not-{n}") == "not", given.get(f"value-{n}", "").strip(),
                given.get(f"days-{n}", "").strip())
            for n in range(ROWS)
        )  # fmt: skip
        joint = "any" if given.get("joint") == "any" else "all"
        return cls(given.get("name", "").strip(), joint, rows, given.get("rule", "").strip())

    def rule(self) -> Any:
        """Return the rule that the form says, not checked yet. Raises UserError for what cannot be read."""
        if self.text:
            return parsed(self.text)
        parts = [_condition(row) for row in self.rows if row.what]
        if not parts:
            raise UserError("choose at least one condition, or write a rule as JSON")
        return parts[0] if len(parts) == 1 else {self.joint: parts}


def parsed(text: str) -> Any:
    """Return a rule that was typed in as JSON. Raises UserError."""
    if len(text) > MOST_JSON_CHARACTERS:
        raise UserError(f"a rule has at most {MOST_JSON_CHARACTERS} characters")
    try:
        return json.loads(text, parse_float=str)
    except (ValueError, RecursionError) as error:
        words = 'write a rule such as {"field": "orders", "at_least": 3}, or choose conditions above'
        raise UserError(f"the rule is no JSON: {words} ({str(error)[:100]})") from error


def _condition(row: Row) -> dict[str, Any]:
    name, _, sign = row.what.partition(":")
    where = f"condition {row.number + 1}"
    if not row.value:
        raise UserError(f"{where} needs a value")
    if name == "consent":
        found: dict[str, Any] = {"field": name, "purpose": row.value, "is": sign == "yes"}
    elif sign == "in":
        found = {"field": name, "in": _listed(name, row.value)}
        if row.days:
            found["within_days"] = row.days
    else:
        found = {"field": name, sign: _part(row.value, where) if sign == "top" else row.value}
    return {"not": found} if row.is_not else found


def _listed(name: str, value: str) -> list[Any]:
    said = [one.strip() for one in value.split(",") if one.strip()]
    if name != "channel":
        return [one.upper() for one in said] if name == "country" else said
    names = {channel.lower(): number for number, channel in SalesChannel.objects.values_list("pk", "name")}
    return [_channel(one, names) for one in said]


def _channel(said: str, names: Mapping[str, int]) -> int:
    if said.lower() in names:
        return names[said.lower()]
    if said.isascii() and said.isdigit() and int(said) in names.values():
        return int(said)
    raise UserError(f"there is no sales channel {said[:40]!r}")


def _part(value: str, where: str) -> str:
    try:
        return format(Decimal(value.rstrip("% ")) / 100, "f")
    except InvalidOperation as error:
        raise UserError(f"{where}: {value[:20]!r} is no percentage") from error
