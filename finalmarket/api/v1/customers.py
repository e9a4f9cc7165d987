"""Customers: who they are over all channels, found by what they are known by, merged and parted."""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from finalmarket.api.door import Done, read, write
from finalmarket.api.problems import fault
from finalmarket.api.v1.agreements import Preference
from finalmarket.api.v1.shapes import Filters, Key, Number, Said, customer_or_404, source_of
from finalmarket.customers import merging
from finalmarket.customers.models import CustomerIdentity
from finalmarket.customers.persons import members
from finalmarket.customers.resolve import identity
from finalmarket.customers.survivorship import Shown
from finalmarket.customers.unified import persons_of

router = Router(tags=["customers"])
KINDS = ("email", "phone", "account", "loyalty", "device")
MOST_CARRIERS, MOST_FOUND = 500, 20


class Known(BaseModel):
    """What a person is known by."""

    kind: str
    value: str


class Word(BaseModel):
    """The last word of a person on a purpose."""

    is_granted: bool
    at: AwareDatetime
    channel: str | None
    source: str


class JourneyInShort(BaseModel):
    """A journey as the profile shows it."""

    id: int
    intent: str
    state: str
    outcome: str
    step: str
    channel: str
    started_at: AwareDatetime
    last_touch_at: AwareDatetime | None


class NextStep(BaseModel):
    """What to do next, and why. What it is expected to bring is null where nothing is known of it."""

    action: str
    text: str
    reason: str = Field(description="All reasons in one line")
    reasons: list[str]
    expected_value: Decimal | None
    currency: str


class Profile(BaseModel):
    """What all rooms know of a person, over all channels. Money is a decimal number in a text."""

    model_config = ConfigDict(extra="allow")

    customer: int = Field(description="The profile that stands for the person")
    profiles: list[int] = Field(description="All profiles of the person")
    name: str
    email: str
    phone: str
    country: str
    language: str
    customer_segment: str
    first_seen_at: AwareDatetime
    identities: list[Known]
    preferences: dict[str, Preference] = Field(description="Over all channels")
    channel_preferences: dict[str, dict[str, Preference]] = Field(description="What was said on a channel, by its name")
    consents: dict[str, Word]
    total_orders: int
    total_spent: Decimal
    currency: str | None
    spent_by_currency: dict[str, Decimal]
    first_order_at: AwareDatetime | None
    last_order_at: AwareDatetime | None
    favorite_channel: str | None
    lifetime_value: Decimal
    open_journeys: list[JourneyInShort]
    last_journey: JourneyInShort | None
    next_best_action: NextStep


class Person(BaseModel):
    """A person as a list shows them."""

    customer: int
    profiles: list[int]
    name: str
    email: str
    phone: str
    country: str
    language: str
    customer_segment: str


class People(BaseModel):
    """The persons who are known by a value; more than one where it is shared."""

    items: list[Person]


class CustomerFilters(Filters):
    """By what a customer is looked for: exactly one of these."""

    email: str = Field("", max_length=320)
    phone: str = Field("", max_length=50)
    account: str = Field("", max_length=320, description="As it was told, with who gave it out in front")
    loyalty: str = Field("", max_length=320)
    device: str = Field("", max_length=320)
    country: str = Field("", pattern="^([A-Z]{2})?$", description="Where a phone number without +49 is dialled")

    @model_validator(mode="after")
    def _is_one(self) -> "CustomerFilters":
        if sum(bool(getattr(self, kind)) for kind in KINDS) != 1:
            raise ValueError(f"say exactly one of {', '.join(KINDS)}")
        return self


class Merge(Said):
    """What is said to merge two customers."""

    other: Number
    reason: str = Field("", max_length=500)


class Unmerge(Said):
    """What is said to part profiles from a person."""

    profiles: list[Number] = Field(min_length=1, max_length=200, description="Those that are somebody else")
    reason: str = Field("", max_length=500)


class Decided(BaseModel):
    """What came of a decision: the person of the customer that was named, and the decision in the log."""

    customer: int
    profiles: list[int]
    decision: UUID


LANGUAGE = {"value": "de", "why": "said on Web shop", "at": "2026-05-04T12:00:00Z"}
PERSON = {
    "customer": 4, "profiles": [4, 9], "name": "Ann Lee", "email": "ann@example.com", "phone": "", "country": "DE",
    "language": "de", "customer_segment": "regular",
}  # fmt: skip
PROFILE: dict[str, Any] = {
    **PERSON, "first_seen_at": "2026-01-02T09:00:00Z", "identities": [{"kind": "email", "value": "ann@example.com"}],
    "preferences": {"language": LANGUAGE}, "channel_preferences": {"Web shop": {"language": LANGUAGE}}, "consents": {},
    "total_orders": 2, "total_spent": "59.80",
    "currency": "EUR", "spent_by_currency": {"EUR": "59.80"}, "first_order_at": "2026-02-01T10:00:00Z",
    "last_order_at": "2026-04-01T10:00:00Z", "favorite_channel": "Web shop", "lifetime_value": "59.80",
    "open_journeys": [], "last_journey": None,
    "next_best_action": {
        "action": "cart_reminder", "text": "Remind them of their cart", "reason": "2 units lie in their cart",
        "reasons": ["2 units lie in their cart"], "expected_value": "1.50", "currency": "EUR",
    },
}  # fmt: skip
DECIDED = {"customer": 4, "profiles": [4, 9], "decision": "0f0e6a3c-2f0b-4c53-9d53-8d3a6c1e7b11"}
PARTED = {**DECIDED, "profiles": [4]}


@read(router, "/customers", scope="customers:read", answer=People, example={"items": [PERSON]}, filters=CustomerFilters)
def find_customers(request: HttpRequest, asked: Query[CustomerFilters]) -> People:
    """Find the persons who are known by an e-mail address, a number or an id; at most twenty."""
    kind = next(kind for kind in KINDS if getattr(asked, kind))
    found = identity(kind, getattr(asked, kind), asked.country)
    if found is None:
        raise fault(
            f"query.{kind}", "it is none that is valid", "Write it in full; a phone number with +49 or country."
        )
    carriers = CustomerIdentity.objects.filter(kind=found[0], value=found[1]).order_by("customer_id")
    people = persons_of(list(carriers.values_list("customer_id", flat=True)[:MOST_CARRIERS]))
    persons = {person.id: person for person in people.values()}
    return People(items=[_person(persons[number]) for number in sorted(persons)[:MOST_FOUND]])


@read(router, "/customers/{customer}", scope="customers:read", answer=Profile, example=PROFILE)
def get_customer(request: HttpRequest, customer: Key) -> Profile:
    """Show the person of a profile over all channels: orders, spend, preferences, consents, journeys, next step."""
    known: Mapping[str, Any] = customer_or_404(customer).unified_profile()
    channels = {name: _plain(said) for name, said in known["channel_preferences"].items()}
    told = {"preferences": _plain(known["preferences"]), "channel_preferences": channels}
    return Profile.model_validate({**known, **told, "next_best_action": asdict(known["next_best_action"])})


def _plain(preferences: Mapping[str, Any]) -> dict[str, Any]:
    return {name: asdict(one) for name, one in preferences.items()}


@write(
    router, "POST", "/customers/{customer}/merge", scope="customers:merge", status=200, answer=Decided, example=DECIDED,
    body={"other": 9, "reason": "the same person on the phone"},
)  # fmt: skip
def merge_customers(request: HttpRequest, customer: Key, told: Merge) -> Done:
    """Say that two customers are one person. No row moves; unmerge gives both back exactly."""
    customer_or_404(customer)
    row = merging.merge(customer, told.other, actor=source_of(request), reason=told.reason)
    return Done(f"customers {customer} and {told.other}", _decided(customer, row.decision))


@write(
    router, "POST", "/customers/{customer}/unmerge", scope="customers:merge", status=200, answer=Decided,
    example=PARTED, body={"profiles": [9], "reason": "mother and daughter"},
)  # fmt: skip
def unmerge_customers(request: HttpRequest, customer: Key, told: Unmerge) -> Done:
    """Say that some profiles are not the person of this one; it holds against evidence that comes later."""
    customer_or_404(customer)
    rows = merging.unmerge(customer, set(told.profiles), actor=source_of(request), reason=told.reason)
    leaving = ", ".join(map(str, sorted(set(told.profiles))))
    return Done(f"customer {customer} without {leaving}", _decided(customer, rows[0].decision))


def _decided(customer: int, decision: UUID) -> Decided:
    profiles = members(customer)
    return Decided(customer=profiles[0], profiles=sorted(profiles), decision=decision)


def _person(person: Shown) -> Person:
    return Person(
        customer=person.id, profiles=list(person.profiles), name=person.name, email=person.email, phone=person.phone,
        country=person.country, language=person.language, customer_segment=person.segment,
    )  # fmt: skip
