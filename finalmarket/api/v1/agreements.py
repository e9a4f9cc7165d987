"""What customers prefer, and what they agreed to."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router
from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.api.door import Done, channel_of, read, write
from finalmarket.api.paging import page
from finalmarket.api.v1.shapes import Filters, Key, Moment, Number, Paged, Said, customer_or_404, source_of
from finalmarket.customers import consents, preferences
from finalmarket.customers.models import Consent
from finalmarket.customers.persons import members
from finalmarket.journeys.record import storable

router = Router(tags=["customers"])
Name = Annotated[str, Path(min_length=1, max_length=preferences.MOST_KEY_CHARACTERS)]
NEWEST = ("-at", "-id")


class Preference(BaseModel):
    """One preference as it counts, and why."""

    value: str | int | bool | None
    why: str = Field(description="said here, said on another channel, shown by a platform, default, the consent ledger")
    at: AwareDatetime | None


class Preferences(BaseModel):
    """What the person of a profile prefers, on a channel or over all of them."""

    customer: int
    channel: int | None
    preferences: dict[str, Preference]


class PreferenceFilters(Filters):
    """For which channel it is asked."""

    channel: Number | None = Field(None, description="Without one: what holds over all channels")


class PreferenceIn(Said):
    """What is said of a preference."""

    channel: Number
    value: bool | int | str | None = Field(description="null takes it back")
    at: Moment | None = None


class ConsentIn(Said):
    """What a person agreed to, or withdrew."""

    purpose: str = Field(min_length=1, max_length=consents.MOST_PURPOSE_CHARACTERS)
    is_granted: bool
    channel: Number | None = Field(None, description="Without one it is meant for all channels")
    proof: dict[str, Any] = Field(
        default_factory=dict, description="What proves it: the text shown, a form, an address"
    )
    at: Moment | None = None


class ConsentEntry(BaseModel):
    """One line of the consent ledger."""

    id: int
    customer: int
    purpose: str
    is_granted: bool
    channel: int | None
    source: str
    at: AwareDatetime


class ConsentEntries(BaseModel):
    """A page of the consent ledger of a person, the newest word first."""

    items: list[ConsentEntry]
    next: str | None


PREFERENCES = {
    "customer": 4, "channel": 1,
    "preferences": {"language": {"value": "de", "why": "said here", "at": "2026-05-04T12:00:00Z"}},
}  # fmt: skip
ENTRY = {
    "id": 12, "customer": 4, "purpose": "newsletter", "is_granted": True, "channel": 1, "source": "api:web shop",
    "at": "2026-05-04T12:00:00Z",
}  # fmt: skip


@read(
    router, "/customers/{customer}/preferences", scope="customers:read", answer=Preferences, example=PREFERENCES,
    filters=PreferenceFilters,
)  # fmt: skip
def get_preferences(request: HttpRequest, customer: Key, asked: Query[PreferenceFilters]) -> Preferences:
    """Show what a person prefers, with the reason of each: said here, said elsewhere, shown by a platform, default."""
    customer_or_404(customer)
    if asked.channel is not None:
        channel_of(request, asked.channel, "query.channel")
    found = preferences.view(customer, asked.channel)
    shown = {name: Preference(value=one.value, why=one.why, at=one.at) for name, one in sorted(found.items())}
    return Preferences(customer=customer, channel=asked.channel, preferences=shown)


@write(
    router, "PUT", "/customers/{customer}/preferences/{name}", scope="customers:write", status=204, answer=None,
    body={"channel": 1, "value": "de"},
)  # fmt: skip
def set_preference(request: HttpRequest, customer: Key, name: Name, told: PreferenceIn) -> Done:
    """Write what a customer prefers on a channel; of two words the newer counts, whichever comes in first."""
    customer_or_404(customer)
    channel = channel_of(request, told.channel)
    preferences.set_preference(
        customer, channel.pk, name, told.value, source=source_of(request), at=told.at
    )  # fmt: skip
    return Done(f"customer {customer}")


@read(
    router, "/customers/{customer}/consents", scope="customers:read", answer=ConsentEntries,
    example={"items": [ENTRY], "next": None}, filters=Paged,
)  # fmt: skip
def list_consents(request: HttpRequest, customer: Key, asked: Query[Paged]) -> ConsentEntries:
    """List what a person agreed to and withdrew, the newest word first."""
    customer_or_404(customer)
    rows = Consent.objects.filter(customer__in=members(customer)).defer("proof")
    found, following = page(rows, NEWEST, request, asked.limit, asked.cursor)
    return ConsentEntries(items=[_entry(one) for one in found], next=following)


@write(
    router, "POST", "/customers/{customer}/consents", scope="customers:write", status=201, answer=ConsentEntry,
    example=ENTRY, body={"purpose": "newsletter", "is_granted": True, "channel": 1, "proof": {"form": "checkout"}},
)  # fmt: skip
def say_consent(request: HttpRequest, customer: Key, told: ConsentIn) -> Done:
    """Write that a customer agrees to a purpose, or withdraws. Nothing in the ledger is ever changed."""
    customer_or_404(customer)
    channel = channel_of(request, told.channel).pk if told.channel is not None else None
    at: datetime | None = told.at
    row = consents.say(
        customer, told.purpose, told.is_granted, channel_id=channel, source=source_of(request),
        proof=storable(told.proof), at=at,
    )  # fmt: skip
    return Done(f"customer {customer}", _entry(row))


def _entry(row: Consent) -> ConsentEntry:
    return ConsentEntry(
        id=row.pk, customer=row.customer_id, purpose=row.purpose, is_granted=row.is_granted,
        channel=row.sales_channel_id, source=row.source, at=row.at,
    )  # fmt: skip
