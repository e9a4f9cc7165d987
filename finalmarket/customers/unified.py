"""The unified profile: what all rooms know of a person, for one or for thousands at once.

Each room adds its part: a function that takes persons (the profile that stands for each, with all profiles of it) and
returns for each what it knows, by name, in a number of queries that does not grow with them. So this room, which stands
below the others, needs to know nothing of orders or journeys.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias

from django.db.models import Q

from finalmarket.customers.models import Consent, CustomerIdentity, OmnichannelCustomer
from finalmarket.customers.next_step import next_steps
from finalmarket.customers.preferences import NEWSLETTER, views_of
from finalmarket.customers.survivorship import Shown, survive

Members: TypeAlias = Mapping[int, Sequence[int]]
Known: TypeAlias = Mapping[int, Mapping[str, Any]]
Part: TypeAlias = Callable[[Members], Known]

PARTS: list[Part] = []
"""What the rooms above add, in the order in which they were registered; see `add_part`."""


def add_part(part: Part) -> None:
    """Register what a room knows of persons; called once, when the room is ready."""
    if part not in PARTS:
        PARTS.append(part)


def profiles_of(customer_ids: Collection[int], *, is_advised: bool = True) -> dict[int, dict[str, Any]]:
    """Return the unified profiles of the persons of these profiles, by the profile asked for; unknown ones are left
    out. A constant number of queries. All profiles of one and the same person have the same unified profile.

    Of the order book: `total_orders`, `total_spent` (net of refunds, in the currency most used), `spent_by_currency`,
    `first_order_at`, `last_order_at`, `favorite_channel`, `lifetime_value`, `open_carts`, `wishes`. Of this room:
    `customer_segment`, `identities`, `preferences` (over all channels, each with why it counts: see preferences.py),
    `channel_preferences`, `consents`. Of journeys: `open_journeys`, `last_journey`. Of all of it: `next_best_action`
    with its reason, which is left out for whoever advises (not `is_advised`).
    """
    people = persons_of(customer_ids)
    members = {person.id: person.profiles for person in people.values()}
    found: dict[int, dict[str, Any]] = {person.id: _own(person) for person in people.values()}
    for part in (_known_here, *PARTS):
        for person, values in part(members).items():
            found[person].update(values)
    agreed = {person for person, known in found.items() if known["consents"].get(NEWSLETTER, {}).get("is_granted")}
    for number, views in views_of({person.id: person for person in people.values()}.values(), agreed).items():
        found[number] |= {"preferences": views.overall, "channel_preferences": views.channels}
    for person, step in next_steps(found).items() if is_advised else ():
        found[person]["next_best_action"] = step
    return {asked: found[person.id] for asked, person in people.items()}


def persons_of(customer_ids: Collection[int]) -> dict[int, Shown]:
    """Return the persons of these profiles as they are shown, by the profile asked for; unknown ones are left out."""
    asked = OmnichannelCustomer.objects.filter(pk__in=set(customer_ids)).values_list("pk", "merged_into_id")
    person_of = {pk: merged_into or pk for pk, merged_into in asked}
    persons = set(person_of.values())
    profiles: dict[int, list[OmnichannelCustomer]] = defaultdict(list)
    # Two questions in one, each by its index; an OR over both columns would read the whole table.
    rows = OmnichannelCustomer.objects.filter(pk__in=persons).union(
        OmnichannelCustomer.objects.filter(merged_into__in=persons)
    )
    for row in rows:
        profiles[row.merged_into_id or row.pk].append(row)
    shown = {person: survive(found) for person, found in profiles.items()}
    return {pk: shown[person] for pk, person in person_of.items()}


def by_profile(members: Members) -> dict[int, int]:
    """Return the person of each profile, for parts that read rows by profile."""
    return {profile: person for person, profiles in members.items() for profile in profiles}


def _own(person: Shown) -> dict[str, Any]:
    return {
        "customer": person.id, "profiles": list(person.profiles), "name": str(person), "email": person.email,
        "phone": person.phone, "country": person.country, "language": person.language,
        "customer_segment": person.segment, "first_seen_at": person.first_seen_at,
    }  # fmt: skip


def _known_here(members: Members) -> Known:
    person_of = by_profile(members)
    found: dict[int, dict[str, Any]] = {person: {"identities": [], "consents": {}} for person in members}
    known = CustomerIdentity.objects.filter(customer__in=person_of).order_by("kind", "value")
    for profile, kind, value in known.values_list("customer", "kind", "value"):
        mine = found[person_of[profile]]["identities"]
        if {"kind": kind, "value": value} not in mine[-1:]:
            mine.append({"kind": kind, "value": value})
    said = Consent.objects.filter(Q(customer__in=person_of)).select_related("sales_channel").order_by("at", "pk")
    for entry in said.defer("proof"):
        found[person_of[entry.customer_id]]["consents"][entry.purpose] = {
            "is_granted": entry.is_granted, "at": entry.at,
            "channel": entry.sales_channel.name if entry.sales_channel else None, "source": entry.source,
        }  # fmt: skip
    return found
