"""What the operator says of values and kinds: blocked, allowed all the same, and how many persons they may join.

Persons follow: whatever hangs on what was said is computed anew after the commit.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction

from finalmarket.customers.known_by import STRENGTH, Identity, identity
from finalmarket.customers.models import BlockedIdentity, IdentityLimit, SharedIdentity
from finalmarket.customers.persons import settle_soon
from finalmarket.customers.rules import QUERIES
from finalmarket.kernel.errors import UserError


@transaction.atomic
def block(kind: str, value: str, *, actor: str, reason: str = "", country: str = "") -> BlockedIdentity:
    """Have a value join nobody from now on, and part whom it joined; `reception@` stands for all addresses that begin
    so. Persons follow when the transaction is committed. Raises UserError for what is no value of its kind."""
    return _say(kind, value, country, is_blocked=True, actor=actor, reason=reason)


@transaction.atomic
def allow(kind: str, value: str, *, actor: str, reason: str = "", country: str = "") -> BlockedIdentity:
    """Have a value count as somebody's own although it is blocked or looks like a desk's address."""
    return _say(kind, value, country, is_blocked=False, actor=actor, reason=reason)


def _say(kind: str, raw: str, country: str, *, is_blocked: bool, actor: str, reason: str) -> BlockedIdentity:
    value = blockable(kind, raw, country)
    entry, _ = BlockedIdentity.objects.update_or_create(
        kind=kind, value=value, defaults={"is_blocked": is_blocked, "actor": actor[:100], "reason": reason[:300]}
    )
    mark_carriers([(kind, value)])
    return entry


def blockable(kind: str, raw: str, country: str = "") -> str:
    """Return the value as it is kept. Raises UserError for what is no value of its kind."""
    if kind not in STRENGTH:
        raise UserError(f"{kind!r} is no kind of identity; known are {', '.join(STRENGTH)}")
    name = raw.strip().casefold()
    if kind == "email" and name.endswith("@") and len(name) > 1 and name.count("@") == 1:
        return name
    found = identity(kind, raw, country)
    if found is None:
        raise UserError(f"{raw[:60]!r} is no {kind}; write an address as ann@example.com, a number as +4930123456")
    return found[1]


@transaction.atomic
def limit(kind: str, *, most_persons: int, most_profiles: int) -> IdentityLimit:
    """Set how many persons and profiles a value of a kind may be seen with and still join them. All persons that hang
    on values of the kind are computed anew when the transaction is committed. Raises UserError for no kind."""
    if kind not in STRENGTH:
        raise UserError(f"{kind!r} is no kind of identity; known are {', '.join(STRENGTH)}")
    if most_persons < 0 or most_profiles < 0:
        raise UserError("a limit is no less than 0")
    row, _ = IdentityLimit.objects.update_or_create(
        kind=kind, defaults={"most_persons": most_persons, "most_profiles": most_profiles}
    )
    mark_kind(kind)
    return row


def mark_carriers(values: Iterable[Identity]) -> None:
    """Have the persons of all carriers of these values computed anew."""
    for kind, value in values:
        with connection.cursor() as cursor:
            query = "mark_carriers_by_name" if kind == "email" and value.endswith("@") else "mark_carriers"
            cursor.execute(QUERIES[query], {"kind": kind, "value": value})
    settle_soon()


def mark_kind(kind: str) -> None:
    """Have all persons computed anew that hang on values of this kind."""
    SharedIdentity.objects.filter(kind=kind).delete()
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["mark_kind"], [kind])
    settle_soon()
