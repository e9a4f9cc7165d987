"""Segments that users make: written, changed, taken away, and looked at before they are. Also the rules of the built-in
ones are changed here."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.db import DatabaseError, connection, transaction

from finalmarket.analytics import segments
from finalmarket.analytics.models import Segment
from finalmarket.analytics.segments_models import MOST_NAME_CHARACTERS
from finalmarket.analytics.segments_rules import SEGMENTS, Compiler, checked
from finalmarket.analytics.segments_words import QUERIES
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError

MOST_SEGMENTS = 200
PATIENCE = "20s"


def preview(rule: Any) -> int:
    """Return how many persons fulfil a rule now. Raises UserError for a rule that is none, or that takes too long."""
    compiler = Compiler()
    found = checked(rule)
    compiler.marks = segments.marks(found)
    text = QUERIES["count"].replace("{condition}", compiler.condition(found))
    now = clock.now()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{PATIENCE}'")
            cursor.execute(text, {**compiler.parameters, "now": now, "today": now.date()})
            number = int(cursor.fetchone()[0])
            cursor.execute("SET LOCAL statement_timeout = DEFAULT")
    except DatabaseError as error:
        if "statement timeout" not in str(error):
            raise
        raise UserError("the rule takes too long to look at; narrow it by orders, value or days first") from error
    return number


@transaction.atomic
def make(name: str, rule: Any, *, actor: str) -> Segment:
    """Make a segment and find its members; return it. Raises UserError for a name or rule that is none, a name that is
    taken, and more segments than there may be."""
    found = checked(rule)
    plain = _name(name)
    with segments.hold():
        if Segment.objects.filter(rank=None).count() >= MOST_SEGMENTS:
            raise UserError(f"there are {MOST_SEGMENTS} segments already; take one away first")
        key = _key(plain)
        if key in SEGMENTS or Segment.objects.filter(key=key).exists():
            raise UserError(f"a segment is named so already (its key would be {key}, too)")
        segment = Segment.objects.create(key=key, name=plain, rule=found, created_by=actor[:100])
        segments.follow_rule(segment)
    return segment


def held(key: str) -> Segment | None:
    """Return the segment of this key, which nobody else computes or changes until the end of the caller's transaction;
    None where there is none."""
    with segments.hold():
        return Segment.objects.filter(key=key).first()


@transaction.atomic
def change(segment: Segment, *, name: str | None = None, rule: Any = None) -> None:
    """Give a segment another name, or another rule and find its members anew; of a built-in one everybody is sorted
    anew. Raises UserError for what cannot be."""
    if segment.key == SEGMENTS[-1] and rule is not None:
        raise UserError("prospects are whoever no other rule holds for: there is no rule to change")
    said: dict[str, Any] = {}
    if name is not None:
        said["name"] = segment.name = _name(name)
    if rule is not None:
        said["rule"] = segment.rule = checked(rule, is_built_in=segment.is_built_in)
    with segments.hold():  # before its row is locked, as whoever sorts does
        if said and not Segment.objects.filter(pk=segment.pk).update(**said):
            raise UserError(f"{segment} was taken away meanwhile")
        if rule is not None:
            segments.follow_rule(segment)


@transaction.atomic
def take_away(segment: Segment) -> None:
    """Take a segment away; its members leave it, which is told to platforms. Raises UserError for a built-in one."""
    if segment.is_built_in:
        raise UserError(f"{segment} is built in and stays; its rule can be changed")
    segments.dissolve(segment)
    segment.delete()


def _name(name: str) -> str:
    plain = " ".join(name.split())
    if not plain or len(plain) > MOST_NAME_CHARACTERS or not plain.isprintable():
        raise UserError(f"a segment has a name of 1 to {MOST_NAME_CHARACTERS} characters")
    return plain


def _key(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    key = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:50].strip("_")
    if not key or not key[0].isalpha():
        key = f"segment_{key}".strip("_")[:50]
    return key
