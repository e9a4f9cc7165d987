"""Interactions: tell what customers did, one or 500 at once; look at what they did."""

from collections.abc import Sequence
from typing import Any, Literal

import pydantic
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from finalmarket.api.door import Done, caller_of, channel_of, read, write
from finalmarket.api.paging import page
from finalmarket.api.problems import Fault, Problem, faults
from finalmarket.api.v1.met import BY_CONTACT, check_is_met, unmet
from finalmarket.api.v1.shapes import About, Moment, Number, Paged, nobody, whose
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.persons import members
from finalmarket.journeys.models import ChannelInteraction
from finalmarket.journeys.record import MOST_MESSAGE_ID_CHARACTERS
from finalmarket.journeys.record_many import Outcome, Told, record_many

router = Router(tags=["interactions"])
MOST_AT_ONCE = 500
NEWEST = ("-occurred_at", "-id")
Type = Literal[
    "page_view", "product_view", "search", "add_to_cart", "remove_from_cart", "checkout_start", "checkout_complete",
    "cart_abandonment", "wishlist_add", "review_submit", "customer_service", "email_open", "email_click",
    "social_engagement", "store_visit", "phone_call",
]  # fmt: skip


class InteractionIn(About):
    """One thing that a customer did on a channel."""

    channel: Number
    type: Type
    occurred_at: Moment | None = Field(None, description="Now, where it is not said")
    message_id: str = Field(
        "", max_length=MOST_MESSAGE_ID_CHARACTERS,
        description="Yours: one that came before on the channel is answered with what it made then, for ever",
    )  # fmt: skip
    context: dict[str, Any] = Field(default_factory=dict, description="Kept as given, at most 32 KiB")


class Recorded(BaseModel):
    """What became of one thing that was told."""

    state: Literal["stored", "seen_before", "refused"]
    interaction: int | None
    occurred_at: AwareDatetime | None
    errors: list[Fault] = Field(description="Why it was refused")


class Batch(pydantic.BaseModel):
    """Up to 500 things that customers did; each is looked at by itself."""

    model_config = pydantic.ConfigDict(extra="forbid")
    interactions: list[Any] = Field(
        min_length=1, max_length=MOST_AT_ONCE, json_schema_extra={"x-items": "InteractionIn"}
    )


class BatchRecorded(BaseModel):
    """What became of each, in the order in which they were told."""

    stored: int
    seen_before: int
    refused: int
    items: list[Recorded]


class Interaction(BaseModel):
    """One thing that a customer did."""

    id: int
    customer: int = Field(description="The profile on which it arrived")
    channel: int
    type: str
    value_score: int
    context: dict[str, Any]
    message_id: str
    journey: int | None
    occurred_at: AwareDatetime
    received_at: AwareDatetime


class Interactions(BaseModel):
    """A page of interactions, the newest first."""

    items: list[Interaction]
    next: str | None


class InteractionFilters(Paged):
    """By what interactions are narrowed: by a customer, a channel, or both."""

    customer: Number | None = Field(None, description="Of the person to whom this profile belongs")
    channel: Number | None = None
    type: Type | None = None
    since: Moment | None = Field(None, description="That happened then or later")
    until: Moment | None = Field(None, description="That happened before")

    @model_validator(mode="after")
    def _is_narrow(self) -> "InteractionFilters":
        if self.customer is None and self.channel is None:
            raise ValueError("say a customer, a channel, or both")
        return self


ONE = {
    "channel": 1, "type": "product_view", "contact": {"email": "ann@example.com"}, "message_id": "m-4711",
    "occurred_at": "2026-05-04T12:00:00Z", "context": {"sku": "TEA-100"},
}  # fmt: skip
STORED = {"state": "stored", "interaction": 9001, "occurred_at": "2026-05-04T12:00:00Z", "errors": []}
EXAMPLE = {
    "id": 9001, "customer": 4, "channel": 1, "type": "product_view", "value_score": 2, "context": {"sku": "TEA-100"},
    "message_id": "m-4711", "journey": None, "occurred_at": "2026-05-04T12:00:00Z",
    "received_at": "2026-05-04T12:00:01Z",
}  # fmt: skip


@write(
    router, "POST", "/interactions", scope="interactions:write", status=201, answer=Recorded, example=STORED, body=ONE,
    also={200: Recorded},
)  # fmt: skip
def record_interaction(request: HttpRequest, told: InteractionIn) -> Done:
    """Tell one thing that a customer did. 201 when it is stored now, 200 when its message_id came before. A key that is
    bound to channels names by number whom these have met."""
    channel = channel_of(request, told.channel)
    check_is_met(request, told.customer)
    (outcome,) = _record(request, [told], {channel.pk: channel})
    if outcome is None:
        raise nobody(told)
    if outcome.state == "refused":
        raise Problem("refused", outcome.reason)
    return Done(f"interaction {outcome.interaction}", _recorded(outcome), 201 if outcome.state == "stored" else 200)


@write(
    router, "POST", "/interactions/bulk", scope="interactions:write", status=200, answer=BatchRecorded,
    example={"stored": 1, "seen_before": 0, "refused": 0, "items": [STORED]}, body={"interactions": [ONE]},
)  # fmt: skip
def record_interactions(request: HttpRequest, told: Batch) -> Done:
    """Tell up to 500 things at once. Each has its own outcome; what is refused spoils nothing else. A key that is bound
    to channels names by number whom these have met before."""
    results: dict[int, Recorded] = {}
    read_: dict[int, InteractionIn] = {}
    for place, raw in enumerate(told.interactions):
        try:
            read_[place] = InteractionIn.model_validate(raw)
        except pydantic.ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            results[place] = _refused(*faults(found, "body", "interactions", str(place)))
    channels = _channels(request, {one.channel for one in read_.values()})
    for place in [place for place, one in read_.items() if one.channel not in channels]:
        results[place] = _refused(_no_channel(place, read_.pop(place).channel))
    strangers = unmet(request, {one.customer for one in read_.values() if one.customer is not None})
    for place in [place for place, one in read_.items() if one.customer in strangers]:
        results[place] = _refused(_stranger(place, read_.pop(place).customer))
    outcomes = _record(request, list(read_.values()), channels)
    for (place, one), outcome in zip(read_.items(), outcomes, strict=True):
        results[place] = _recorded(outcome) if outcome else _refused(*nobody(one).errors)
    return Done(f"{len(results)} interactions", _batch([results[place] for place in range(len(results))]))


@read(
    router, "/interactions", scope="interactions:read", answer=Interactions, example={"items": [EXAMPLE], "next": None},
    filters=InteractionFilters,
)  # fmt: skip
def list_interactions(request: HttpRequest, asked: Query[InteractionFilters]) -> Interactions:
    """List what a customer did, or what was done on a channel, the newest first."""
    rows = ChannelInteraction.objects.all()
    if asked.customer is not None:
        rows = rows.filter(customer__in=members(asked.customer))
    if asked.channel is not None:
        rows = rows.filter(sales_channel=channel_of(request, asked.channel, "query.channel"))
    elif caller_of(request).channels:
        rows = rows.filter(sales_channel__in=caller_of(request).channels)
    bounds = {"interaction_type": asked.type, "occurred_at__gte": asked.since, "occurred_at__lt": asked.until}
    rows = rows.filter(**{word: value for word, value in bounds.items() if value is not None})
    found, following = page(rows, NEWEST, request, asked.limit, asked.cursor)
    return Interactions(items=[_shown(one) for one in found], next=following)


def _channels(request: HttpRequest, numbers: set[int]) -> dict[int, SalesChannel]:
    """Those of these channels that are there and that the caller may touch."""
    return SalesChannel.objects.in_bulk([number for number in numbers if caller_of(request).may_touch(number)])


def _no_channel(place: int, number: int) -> Fault:
    return Fault(
        where=f"body.interactions.{place}.channel", what=f"there is no sales channel {number} that this key may touch",
        what_to_do="Use the number of a channel of the key.",
    )  # fmt: skip


def _stranger(place: int, number: int | None) -> Fault:
    return Fault(
        where=f"body.interactions.{place}.customer", what=f"the channels of the key have not met customer {number}",
        what_to_do=BY_CONTACT,
    )  # fmt: skip


def _record(
    request: HttpRequest, told: Sequence[InteractionIn], channels: dict[int, SalesChannel]
) -> list[Outcome | None]:  # fmt: skip
    """The outcome of each; None where nobody is meant."""
    profiles = whose(
        request, [(one, channels[one.channel].country) for one in told], moments=[one.occurred_at for one in told]
    )
    rows = [
        Told(profile, channels[one.channel], one.type, one.occurred_at, one.message_id, one.context)
        for one, profile in zip(told, profiles, strict=True)
        if profile is not None
    ]
    outcomes = iter(record_many(rows))
    return [None if profile is None else next(outcomes) for profile in profiles]


def _recorded(outcome: Outcome) -> Recorded:
    if outcome.state == "refused":
        return _refused(Fault(where="", what=outcome.reason, what_to_do="Mend it and tell it again."))
    return Recorded(state=outcome.state, interaction=outcome.interaction, occurred_at=outcome.occurred_at, errors=[])


def _refused(*errors: Fault) -> Recorded:
    return Recorded(state="refused", interaction=None, occurred_at=None, errors=list(errors))


def _batch(items: list[Recorded]) -> BatchRecorded:
    counted = {state: sum(one.state == state for one in items) for state in ("stored", "seen_before", "refused")}
    return BatchRecorded(items=items, **counted)


def _shown(row: ChannelInteraction) -> Interaction:
    return Interaction(
        id=row.pk, customer=row.customer_id, channel=row.sales_channel_id, type=row.interaction_type,
        value_score=row.value_score, context=row.context, message_id=row.message_id, journey=row.journey_id,
        occurred_at=row.occurred_at, received_at=row.received_at,
    )  # fmt: skip
