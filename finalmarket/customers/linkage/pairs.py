"""Which pairs are looked at: those that agree in something, as far as the machine has time for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

Rule = tuple[str, ...]

_BEGIN = re.compile(r"substr\((\w+),.*\)")

BLOCKS: tuple[Rule, ...] = (
    ("email",), ("phone",), ("email_name",), ("first_name", "surname"), ("surname", "birth_date"),
    ("first_name", "birth_date"), ("birth_date", "postcode"), ("birth_date", "city"),
    ("birth_date", "substr(postcode, 1, 3)"), ("street", "postcode"), ("street", "city"), ("postcode", "surname"),
    ("postcode", "first_name"), ("city", "surname"), ("city", "first_name"), ("surname", "substr(birth_date, 1, 4)"),
    ("postcode", "substr(birth_date, 1, 4)"), ("city", "substr(birth_date, 1, 4)"),
    ("substr(postcode, 1, 3)", "surname"), ("substr(postcode, 1, 3)", "first_name"),
    ("substr(first_name, 1, 3)", "substr(surname, 1, 4)"),
    ("substr(first_name, 1, 2)", "substr(surname, 1, 2)", "substr(birth_date, 1, 4)"),
    ("birth_date",), ("surname",), ("first_name",), ("street",), ("postcode",),
)  # fmt: skip
"""A pair is looked at that agrees in all columns of one of these. Broad ones pay in small shops only."""

CERTAIN: tuple[Rule, ...] = (
    ("email",), ("first_name", "surname", "birth_date"), ("first_name", "surname", "phone"),
    ("first_name", "surname", "street", "postcode"),
)  # fmt: skip
"""Whoever agrees in these is one person; counted to know how many pairs there are."""
FOUND_BY_CERTAIN = 0.6
"""The share of all pairs of one person that agree so, as is assumed."""

FOR_TRAINING: tuple[Rule, ...] = (
    ("first_name", "surname"), ("birth_date",), ("email_name",), ("phone",), ("postcode",), ("street",),
)  # fmt: skip

PAIRS_PER_PERSON = 150
TRAINING_PAIRS_PER_PERSON = 40
FEWEST_TRAINING_PAIRS = 50


def columns_of(rule: Rule) -> set[str]:
    """The columns that a rule asks for."""
    return {_BEGIN.sub(r"\1", part) for part in rule}


def affordable(connection: Any, rules: Iterable[Rule], columns: set[str], budget: int) -> list[Rule]:
    """Return the rules that can be asked of these columns, narrowest first, as long as all their pairs together stay
    within the budget."""
    counted = sorted((count(connection, rule), rule) for rule in rules if columns_of(rule) <= columns)
    kept, spent = [], 0
    for number, rule in counted:
        spent += number
        if spent > budget:
            break
        kept.append(rule)
    return kept


def count(connection: Any, rule: Rule) -> int:
    """Count the pairs that agree in all columns of a rule."""
    filled = " AND ".join(f"{part} IS NOT NULL" for part in rule)
    rows = connection.execute(
        f"SELECT coalesce(sum(number * (number - 1) // 2), 0)::BIGINT FROM ("  # noqa: S608
        f"SELECT count(*) AS number FROM records WHERE {filled} GROUP BY {', '.join(rule)})"
    ).fetchall()
    return int(rows[0][0])


def count_distinct(connection: Any, rules: Sequence[Rule]) -> int:
    """Count the pairs that agree in one of these rules or several."""
    if not rules:
        return 0
    each = " UNION ".join(
        "SELECT l.person, r.person FROM records l JOIN records r ON l.person < r.person AND "  # noqa: S608
        + " AND ".join(f"l.{part} = r.{part}" for part in rule)
        for rule in rules
    )
    return int(connection.execute(f"SELECT count(*) FROM ({each})").fetchall()[0][0])  # noqa: S608
