"""What a merge would make of two persons, shown before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from finalmarket.customers import erased
from finalmarket.customers.known_by import account_space
from finalmarket.customers.models import CustomerIdentity, CustomerMerge, OmnichannelCustomer
from finalmarket.customers.persons import members
from finalmarket.customers.survivorship import FIRST_THAT_HAS_ONE, Shown, rule_of, survive
from finalmarket.kernel.errors import UserError

NOT_COUNTED = {"omnichannel_customers", "customer_identities", "customer_merges", "merge_suggestions", "person_marks"}


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two persons: how they are shown, what they have, what they are known by, and how many rows of each
    table hang on them."""

    shown: Shown
    profile: dict[str, Any]
    identities: list[dict[str, Any]]
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class Survivor:
    """A field of the person that both would be: its value, which profile gives it, by which rule, and what would not be
    shown any more."""

    name: str
    value: Any
    given_by: int | None
    rule: str
    hidden: Any


@dataclass(frozen=True, slots=True)
class Preview:
    """What a merge would do. `conflicts` are what speaks against it, in words; they forbid nothing."""

    one: Side
    other: Side
    survivors: list[Survivor]
    conflicts: list[str]


def preview(one: int, other: int) -> Preview:
    """Return what a merge of the persons of two profiles would do; nothing is changed.

    Raises UserError where they are one person already, for a profile that does not exist, and for somebody who was
    erased.
    """
    left, right = members(one), members(other)
    for profile, found in ((one, left), (other, right)):
        if not found:
            raise UserError(f"there is no customer {profile}")
    if left[0] == right[0]:
        raise UserError(f"customers {one} and {other} are one person already")
    erased.refuse([*left, *right])
    profiles = {row.pk: row for row in OmnichannelCustomer.objects.filter(pk__in=[*left, *right])}
    sides = [_side([profiles[pk] for pk in side]) for side in (left, right)]
    both = survive(list(profiles.values()))
    conflicts = [*_parted(left, right), *_conflicts(*sides)]
    return Preview(sides[0], sides[1], [_survivor(name, both, sides) for name in SHOWN], conflicts)


SHOWN = (*FIRST_THAT_HAS_ONE, "segment", "first_seen_at")


def _survivor(name: str, both: Shown, sides: Sequence[Side]) -> Survivor:
    value = getattr(both, name)
    hidden = [getattr(side.shown, name) for side in sides if getattr(side.shown, name) not in (value, "", None)]
    return Survivor(
        name.removesuffix("_id"), value, both.given_by.get(name), rule_of(name), hidden[0] if hidden else ""
    )


def _side(profiles: Sequence[OmnichannelCustomer]) -> Side:
    ids = [profile.pk for profile in profiles]
    known = CustomerIdentity.objects.filter(customer__in=ids).order_by("kind", "value", "id")
    return Side(
        shown=survive(profiles),
        profile=profiles[0].unified_profile(),
        identities=[dict(row) for row in known.values("customer_id", "kind", "value", "source", "created_at")],
        rows=rows_of(ids),
    )


def rows_of(ids: Sequence[int]) -> dict[str, int]:
    """Count the rows that hang on these profiles, by table, in all rooms; tables without any are left out."""
    counted: dict[str, int] = {}
    for relation in OmnichannelCustomer._meta.related_objects:
        model = relation.related_model
        if isinstance(model, str) or model._meta.db_table in NOT_COUNTED:
            continue
        table = model._meta.db_table
        rows = model._default_manager.filter(**{f"{relation.field.name}__in": ids})
        if number := rows.count():
            counted[table] = counted.get(table, 0) + number
    return dict(sorted(counted.items()))


def _parted(left: Sequence[int], right: Sequence[int]) -> list[str]:
    """What people said against it before; a merge undoes that."""
    said = CustomerMerge.objects.filter(kind=CustomerMerge.Kind.PART, undone_at=None)
    rows = said.filter(first__in=left, second__in=right) | said.filter(first__in=right, second__in=left)
    decisions = {(row.actor, row.reason, row.at.date()) for row in rows}
    return [
        f"{actor} said on {day} that they are two persons{f' ({reason})' if reason else ''}"
        for actor, reason, day in sorted(decisions, key=lambda said: (said[2], said[0]))
    ]


def _conflicts(one: Side, other: Side) -> list[str]:
    """What tells the two apart."""
    found = []
    if one.shown.user_id and other.shown.user_id:
        found.append("both have a log-in of their own; both keep working")
    mine, theirs = _spaces(one), _spaces(other)
    for space in sorted(mine.keys() & theirs.keys()):
        if mine[space].isdisjoint(theirs[space]):
            what = "loyalty numbers" if space == "loyalty" else f"accounts at {space}"
            found.append(f"they have different {what}: {_list(mine[space])} and {_list(theirs[space])}")
    if one.shown.country and other.shown.country and one.shown.country != other.shown.country:
        found.append(f"they live in different countries: {one.shown.country} and {other.shown.country}")
    return found


def _spaces(side: Side) -> dict[str, set[str]]:
    spaces: dict[str, set[str]] = {}
    for row in side.identities:
        space = account_space(row["value"]) if row["kind"] == "account" else ""
        space = "loyalty" if row["kind"] == "loyalty" else space
        if space:
            spaces.setdefault(space, set()).add(row["value"])
    return spaces


def _list(values: set[str]) -> str:
    return ", ".join(sorted(values)[:3]) + (" ..." if len(values) > 3 else "")
