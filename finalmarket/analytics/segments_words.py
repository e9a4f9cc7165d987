"""Rules in words, and why a person is in a segment or not: every condition with what it found."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection

from finalmarket.analytics.segments_rules import NUMBERS, WORDS, Compiler, Rule, leaves, mark_of
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("segments.sql"))
MOST_SHOWN = 5
MOST_REASON_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition of a rule, whether it holds for somebody, and in words."""

    holds: bool
    words: str


def rule_in_words(rule: Rule) -> str:
    """Return a checked rule as a sentence."""
    return _in_words(rule, _channel_names([rule])) or "everybody else"


def _in_words(rule: Rule, channels: Mapping[int, str], *, is_within: bool = False) -> str:
    for word, joint in (("all", " and "), ("any", " or ")):
        if word in rule:
            parts = [_in_words(part, channels, is_within=True) for part in rule[word]]
            return f"({joint.join(parts)})" if is_within and len(parts) > 1 else joint.join(parts)
    if "not" in rule:
        return f"not ({_in_words(rule['not'], channels)})"
    return _condition(rule, channels) if "field" in rule else ""


def _condition(leaf: Rule, channels: Mapping[int, str]) -> str:
    name, words = leaf["field"], WORDS[leaf["field"]]
    if name == "consent":
        return f"{'agreed to' if leaf['is'] else 'refused'} {leaf['purpose']}"
    if "in" in leaf:
        shown = [channels.get(one, f"channel {one}") if name == "channel" else str(one) for one in leaf["in"]]
        listed = ", ".join(shown[:MOST_SHOWN]) + (f" and {len(shown) - MOST_SHOWN} more" if shown[MOST_SHOWN:] else "")
        within = f" within {leaf['within_days']} days" if "within_days" in leaf else ""
        return f"{words} {listed}{within}"
    return f"{words} {_bounds(leaf)}"


def _bounds(leaf: Rule) -> str:
    if "top" in leaf:
        return f"among the highest {_percent(leaf['top'])}"
    said = [f"{word.replace('_', ' ')} {leaf[word]}" for word in ("at_least", "at_most") if word in leaf]
    return " and ".join(said)


def _percent(part: Any) -> str:
    return f"{(Decimal(part) * 100).normalize():f} %"


def explained(
    rule: Rule, marks: Mapping[str, Any], persons: Collection[int], currency: str = ""
) -> dict[int, list[Finding]]:
    """Return every condition of a checked rule with what it found of each of these persons; whoever is no person of
    their own is left out. Two queries."""
    parts = list(leaves(rule))
    if not parts:
        return {person: [] for person in persons}
    compiler = Compiler(marks, is_for_few=True)
    columns = ", ".join(f"{compiler.condition(leaf)}, {_fact(leaf)}" for leaf in parts)
    values = {**compiler.parameters, "persons": sorted(persons), "now": clock.now(), "today": clock.now().date()}
    channels = _channel_names([rule])
    found: dict[int, list[Finding]] = {}
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["explain"].replace("{columns}", columns), values)
        for person, *cells in cursor.fetchall():
            pairs = zip(parts, cells[::2], cells[1::2], strict=True)
            found[person] = [
                Finding(holds, _told(leaf, holds, fact, marks, channels, currency)) for leaf, holds, fact in pairs
            ]
    return found


def _fact(leaf: Rule) -> str:
    number = NUMBERS.get(leaf["field"])
    return f"({number.sql})::numeric" if number else "NULL::numeric"


def _told(
    leaf: Rule, holds: bool, fact: Decimal | None, marks: Mapping[str, Any], channels: Mapping[int, str], currency: str
) -> str:
    number = NUMBERS.get(leaf["field"])
    if number is None:
        return ("" if holds else "not: ") + _condition(leaf, channels)
    shown = _shown(fact, number.unit, currency)
    if "top" not in leaf:
        return f"{number.words} {shown} ({_bounds(leaf)})"
    mark = marks.get(mark_of(leaf))
    since = f": from {_shown(Decimal(mark), number.unit, currency)}" if mark is not None else ": nobody is"
    return f"{number.words} {shown} ({'' if holds else 'not '}{_bounds(leaf)}{since})"


def _shown(fact: Decimal | None, unit: str, currency: str) -> str:
    if fact is None:
        return "unknown"
    if unit == "money":
        return f"{fact:,.2f} {currency}".strip()
    if unit == "part":
        return f"{fact * 100:.0f} %"
    return f"{fact.normalize():,f}" if fact == fact.to_integral_value() else f"{fact:,.2f}"


def why_moved(findings: Sequence[Finding], name_before: str, *, rises: bool) -> str:
    """Return why somebody moved, from what was found of the rule that decided it: the new one for who rises, the one
    before for who does not."""
    chosen = [one.words for one in findings if one.holds is rises]
    if not chosen:
        return ""
    return ", ".join(chosen) if rises else f"no longer {name_before}: {', '.join(chosen)}"


def _channel_names(rules: Collection[Rule]) -> dict[int, str]:
    wanted = {one for rule in rules for leaf in leaves(rule) if leaf["field"] == "channel" for one in leaf["in"]}
    return dict(SalesChannel.objects.filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}


def chunks(persons: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Yield the persons in parts of at most that size."""
    for begin in range(0, len(persons), size):
        yield persons[begin : begin + size]
