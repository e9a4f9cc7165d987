"""How a person is shown who has several profiles: chosen on reading, nothing is overwritten.

- Name, e-mail, phone, country, language and log-in: the oldest profile that has one gives it. The oldest stands for the
  person, so what is typed in the console on the person's page is what is shown.
- Segment: the highest. First seen: the earliest. Attributes: by name, from the oldest profile that has it.
- Orders, interactions, journeys, identities, consents: all of them.

`customer_persons` is the same as a view, for queries. Because it is a choice on reading, an unmerge gives every profile
back exactly what it had.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.persons import members

FIRST_THAT_HAS_ONE = ("name", "email", "phone", "country", "language", "user_id")
SEGMENTS = ("vip", "high_value", "regular", "new", "prospect")
OLDEST, HIGHEST, EARLIEST = "the oldest profile that has one", "the highest", "the earliest"


@dataclass(frozen=True, slots=True)
class Shown:
    """A person as they are shown. `given_by` names the profile that each field comes from, `profiles` all of them."""

    id: int
    profiles: tuple[int, ...]
    name: str
    email: str
    phone: str
    country: str
    language: str
    user_id: int | None
    segment: str
    first_seen_at: datetime
    attributes: dict[str, Any]
    given_by: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name or self.email or self.phone or f"Customer {self.id}"


def shown(customer_id: int) -> Shown:
    """Return the person of a profile as they are shown. Raises OmnichannelCustomer.DoesNotExist."""
    profiles = list(OmnichannelCustomer.objects.filter(pk__in=members(customer_id)).order_by("pk"))
    if not profiles:
        raise OmnichannelCustomer.DoesNotExist(f"there is no customer {customer_id}")
    return survive(profiles)


def presented(customer: OmnichannelCustomer) -> OmnichannelCustomer:
    """Return the profile that stands for the person of a profile, with what is shown of the person on it: to be read,
    never to be saved."""
    person = shown(customer.pk)
    profile = customer if customer.pk == person.id else OmnichannelCustomer.objects.get(pk=person.id)
    copied = copy(profile)
    for name in ("name", "email", "phone", "country", "language", "segment"):
        setattr(copied, name, getattr(person, name))
    return copied


def survive(profiles: Sequence[OmnichannelCustomer]) -> Shown:
    """Choose what is shown of these profiles as one person; pure. They may come in any order."""
    by_age = sorted(profiles, key=lambda profile: profile.pk)
    given_by: dict[str, int] = {}
    fields: dict[str, Any] = {}
    for name in FIRST_THAT_HAS_ONE:
        giver = next((profile for profile in by_age if getattr(profile, name)), by_age[0])
        fields[name] = getattr(giver, name)
        if fields[name]:
            given_by[name] = giver.pk
    highest = min(by_age, key=lambda profile: SEGMENTS.index(profile.segment))
    earliest = min(by_age, key=lambda profile: profile.first_seen_at)
    attributes: dict[str, Any] = {}
    for profile in by_age:
        attributes = profile.attributes | attributes
    return Shown(
        id=by_age[0].pk, profiles=tuple(profile.pk for profile in by_age), segment=highest.segment,
        first_seen_at=earliest.first_seen_at, attributes=attributes,
        given_by=given_by | {"segment": highest.pk, "first_seen_at": earliest.pk}, **fields,
    )  # fmt: skip


def rule_of(name: str) -> str:
    """Say by which rule a field is chosen."""
    return {"segment": HIGHEST, "first_seen_at": EARLIEST}.get(name, OLDEST)
