"""Puts scored pairs before a person: found among all customers, guarded against chains, with the reason in words.

Nothing is merged here. A pair that somebody rejected or parted is never suggested; a suggestion of ours that is still
open and does not hold any more is withdrawn; what others suggest (a CRM that merged two contacts) is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import structlog
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from finalmarket.customers.linkage.guard import Guarded, guard
from finalmarket.customers.linkage.reading import QUERIES, apart, records
from finalmarket.customers.linkage.scoring import Pair, score
from finalmarket.customers.linkage.words import evidence
from finalmarket.customers.persons import hold
from finalmarket.kernel import clock

SOURCE = "linkage"
MOST_SUGGESTIONS = 5_000


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two persons that may be one: how probable that is (0 to 1), and why."""

    one: int
    other: int
    score: Decimal
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """What a run found: how many persons were compared, the suggestions (the surest first), how many groups they make
    and how many pairs the guard held back; what the weights rest on; and what was written."""

    persons: int
    suggestions: list[Suggestion]
    groups: int
    held_back: int
    learned: tuple[str, ...]
    notes: tuple[str, ...]
    new: int = 0
    withdrawn: int = 0


def find_duplicates(*, dry_run: bool = False) -> Found:
    """Compare all persons and suggest who may be one; with `dry_run` nothing is written.

    At most 5,000 suggestions wait at a time, the surest ones. Raises UserError where the extra is not installed.
    """
    scored = score(records())
    guarded = guard(scored.pairs, apart=apart())
    suggestions = _suggestions(guarded)
    new, withdrawn = (0, 0) if dry_run else _write(suggestions)
    structlog.get_logger(__name__).info(
        "persons compared", persons=scored.persons, suggested=len(suggestions), new=new, withdrawn=withdrawn,
        held_back=len(guarded.held_back), learned=scored.weights.learned, notes=scored.weights.notes, dry_run=dry_run,
    )  # fmt: skip
    return Found(
        scored.persons, suggestions, len(guarded.groups), len(guarded.held_back), scored.weights.learned,
        scored.weights.notes, new, withdrawn,
    )  # fmt: skip


def _suggestions(guarded: Guarded) -> list[Suggestion]:
    size = {person: len(group) for group in guarded.groups for person in group}
    return [
        Suggestion(pair.one, pair.other, _rounded(pair), evidence(pair, size[pair.one]))
        for pair in guarded.joining[:MOST_SUGGESTIONS]
    ]


def _rounded(pair: Pair) -> Decimal:
    """Three places; nothing is ever certain."""
    return min(Decimal(f"{pair.probability:.3f}"), Decimal("0.999"))


@transaction.atomic
def _write(suggestions: Sequence[Suggestion]) -> tuple[int, int]:
    """Write what is suggested, the surest last, so that the page shows it first; return how many are new, and how many
    were withdrawn. What was decided since it was read counts: the persons are held."""
    hold()
    decided = apart()
    shown = [one for one in reversed(suggestions) if (one.one, one.other) not in decided]
    values: dict[str, Any] = {
        "source": SOURCE, "now": clock.now(),
        "one": [one.one for one in shown], "other": [one.other for one in shown],
        "score": [one.score for one in shown], "evidence": [Jsonb(one.evidence) for one in shown],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["withdraw"], values)
        withdrawn = cursor.rowcount
        cursor.execute(QUERIES["suggest"], values)
        return sum(is_new for (is_new,) in cursor.fetchall()), withdrawn
