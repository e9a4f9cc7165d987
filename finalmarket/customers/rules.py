"""Which values join nobody, and how many persons a value may join: defaults, and what the operator says."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from django.db import connection

from finalmarket.customers.graph import DEFAULT_LIMITS, Limit, Rules
from finalmarket.customers.known_by import Identity, looks_like_a_desk
from finalmarket.customers.models import IdentityLimit
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("persons.sql"))


def blocked_among(values: Collection[Identity]) -> frozenset[Identity]:
    """Return those of the values that are nobody's own: addresses of desks, and what the operator blocked."""
    if not values:
        return frozenset()
    names = {value: f"{value.partition('@')[0]}@" for kind, value in values if kind == "email"}
    asked = set(values) | {("email", name) for name in names.values()}
    kinds, words = zip(*sorted(asked), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["said_of"], [list(kinds), list(words)])
        said = {(kind, value): is_blocked for kind, value, is_blocked in cursor.fetchall()}
    return frozenset(one for one in values if _is_blocked(one, said, names))


def _is_blocked(one: Identity, said: dict[Identity, bool], names: dict[str, str]) -> bool:
    """What is said of the whole value goes before what is said of all addresses of that name."""
    whole = said.get(one)
    if whole is not None:
        return whole
    by_name = said.get(("email", names[one[1]])) if one[0] == "email" else None
    return looks_like_a_desk(*one) if by_name is None else by_name


def limits() -> dict[str, Limit]:
    """Return the limits of all kinds: the defaults, where the operator has not said otherwise."""
    said = {row.kind: Limit(row.most_persons, row.most_profiles) for row in IdentityLimit.objects.all()}
    return {kind: said.get(kind, limit) for kind, limit in DEFAULT_LIMITS.items()}


def rules_for(values: Collection[Identity]) -> Rules:
    """Return the rules as far as they are about these values."""
    return Rules(limits(), blocked_among(values) | shared_among(values))


def shared_among(values: Collection[Identity]) -> frozenset[Identity]:
    """Return those of the values that are known to have too many carriers."""
    if not values:
        return frozenset()
    kinds, words = zip(*sorted(values), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["shared_of"], [list(kinds), list(words)])
        return frozenset(cursor.fetchall())
