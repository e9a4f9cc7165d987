"""Journeys: start one, add steps, end it; look at one and at many.

A key that is bound to channels sees the journeys that began on one of them or have a step there; of their steps and
orders those of its channels alone, for a journey is joined by what its person does anywhere. It starts none for people
whom its channels have never met, and none long ago, which would tell the journeys of other channels anew.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from finalmarket.api.door import Done, caller_of, channel_of, check_match, read, write
from finalmarket.api.paging import page
from finalmarket.api.problems import Problem, fault
from finalmarket.api.v1.met import check_is_met
from finalmarket.api.v1.shapes import About, Key, Moment, Number, Paged, Said, nobody, whose
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.persons import members
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney, JourneyTouchpoint
from finalmarket.journeys.record import MOST_WORD_CHARACTERS
from finalmarket.kernel import clock
from finalmarket.orders.models import Order

router = Router(tags=["journeys"])
Intent = Literal["browse", "research", "purchase", "support", "return", "review"]
State = Literal["open", "completed", "abandoned"]
NEWEST = ("-started_at", "-id")
IN_ORDER = ("occurred_at", "id")
MOST_LATE = timedelta(hours=1)
"""So late a key that is bound to channels may tell that a journey has begun."""
WORDS_OF_THE_VERB = {"self", "channel", "action", "occurred_at", "interaction"}


class Journey(BaseModel):
    """What one customer wants, from the first touch to its outcome."""

    id: int
    customer: int = Field(description="The profile on which it arrived")
    channel: int = Field(description="Where it began")
    intent: Intent
    state: State
    outcome: str
    order: int | None = Field(description="The order that it led to, if the key may see it")
    step: str = Field(description="The furthest step that was reached")
    is_recognised: bool = Field(description="Found in what the customer did; ends by itself, not by a call")
    reason: str = Field(description="Why it has this intent")
    visits: int
    touchpoints: int = Field(description="How many steps the key may see")
    value: Decimal | None = Field(description="The order's goods after discount")
    currency: str
    started_at: AwareDatetime
    last_touch_at: AwareDatetime | None = Field(description="Of a bound key: when its channels were touched last")
    ended_at: AwareDatetime | None
    duration_seconds: int | None


class Journeys(BaseModel):
    """A page of journeys, the one that began last first."""

    items: list[Journey]
    next: str | None


class Touchpoint(BaseModel):
    """One step of a journey."""

    id: int
    channel: int
    action: str
    data: dict[str, Any]
    interaction: int | None
    occurred_at: AwareDatetime
    switched_from: int | None = Field(
        description="The channel of the step before, where it was another one that the key may see"
    )


class Touchpoints(BaseModel):
    """A page of steps, in the order in which they happened."""

    items: list[Touchpoint]
    next: str | None


class JourneyStart(About):
    """What is said to start a journey."""

    channel: Number
    intent: Intent
    started_at: Moment | None = None


class Step(Said):
    """What is said to add a step."""

    channel: Number
    action: str = Field(min_length=1, max_length=MOST_WORD_CHARACTERS, description="A word for what was done")
    occurred_at: Moment | None = None
    interaction: Number | None = Field(None, description="The record of it; from then on it belongs to this journey")
    data: dict[str, Any] = Field(default_factory=dict, description="Kept as given, at most 32 KiB")

    @model_validator(mode="after")
    def _can_be_kept(self) -> "Step":
        if taken := sorted(self.data.keys() & WORDS_OF_THE_VERB):
            raise ValueError(f"data cannot have a field {taken[0]}; name it in another way")
        return self


class Completion(Said):
    """What is said to complete a journey."""

    outcome: str = Field("success", min_length=1, max_length=MOST_WORD_CHARACTERS)
    order: Number | None = Field(None, description="The order of the same person that it led to")
    at: Moment | None = None


class Abandonment(Said):
    """What is said to give a journey up."""

    outcome: str = Field("abandoned", min_length=1, max_length=MOST_WORD_CHARACTERS)
    at: Moment | None = None


class JourneyFilters(Paged):
    """By what journeys are narrowed."""

    customer: Number | None = Field(None, description="Of the person to whom this profile belongs")
    channel: Number | None = Field(None, description="That began on this channel")
    state: State | None = None
    intent: Intent | None = None


EXAMPLE: dict[str, Any] = {
    "id": 17, "customer": 4, "channel": 1, "intent": "purchase", "state": "open", "outcome": "", "order": None,
    "step": "", "is_recognised": False, "reason": "", "visits": 0, "touchpoints": 1, "value": None, "currency": "",
    "started_at": "2026-05-04T12:00:00Z", "last_touch_at": None, "ended_at": None, "duration_seconds": None,
}  # fmt: skip
COMPLETED = {**EXAMPLE, "state": "completed", "outcome": "success", "ended_at": "2026-05-04T12:20:00Z",
             "duration_seconds": 1200}  # fmt: skip
ABANDONED = {**COMPLETED, "state": "abandoned", "outcome": "abandoned"}
STEP = {
    "id": 31, "channel": 2, "action": "view_product", "data": {"sku": "TEA-100"}, "interaction": None,
    "occurred_at": "2026-05-04T12:05:00Z", "switched_from": 1,
}  # fmt: skip


@write(
    router, "POST", "/journeys", scope="journeys:write", status=201, answer=Journey, example=EXAMPLE,
    body={"customer": 4, "channel": 1, "intent": "purchase"},
)  # fmt: skip
def start_journey(request: HttpRequest, told: JourneyStart) -> Done:
    """Start a journey. While it is open, what the customer does of that kind joins it; it ends by a call alone. A key
    that is bound to channels names by number whom these have met, and starts none more than an hour ago."""
    channel = channel_of(request, told.channel)
    if caller_of(request).channels:
        check_is_met(request, told.customer)
        _check_is_now(told.started_at)
    (number,) = whose(request, [(told, channel.country)], moments=[told.started_at])
    if number is None:
        raise nobody(told)
    customer = OmnichannelCustomer.objects.get(pk=number)
    journey = customer.journeys.start(channel, told.intent, started_at=told.started_at)
    return _done(request, journey, headers={"Location": f"/api/v1/journeys/{journey.pk}"})


@read(
    router, "/journeys", scope="journeys:read", answer=Journeys, example={"items": [EXAMPLE], "next": None},
    filters=JourneyFilters,
)  # fmt: skip
def list_journeys(request: HttpRequest, asked: Query[JourneyFilters]) -> Journeys:
    """List journeys, the one that began last first."""
    rows = _visible(request)
    if asked.customer is not None:
        rows = rows.filter(customer__in=members(asked.customer))
    if asked.channel is not None:
        rows = rows.filter(start_channel=channel_of(request, asked.channel, "query.channel"))
    for word in ("state", "intent"):
        if value := getattr(asked, word):
            rows = rows.filter(**{word: value})
    found, following = page(rows, NEWEST, request, asked.limit, asked.cursor)
    return Journeys(items=_shown(request, found), next=following)


@read(router, "/journeys/{journey}", scope="journeys:read", answer=Journey, example=EXAMPLE)
def get_journey(request: HttpRequest, journey: Key) -> Journey:
    """Show one journey."""
    return _shown(request, [_journey(request, journey)])[0]


@read(
    router, "/journeys/{journey}/touchpoints", scope="journeys:read", answer=Touchpoints,
    example={"items": [STEP], "next": None}, filters=Paged,
)  # fmt: skip
def list_touchpoints(request: HttpRequest, journey: Key, asked: Query[Paged]) -> Touchpoints:
    """List the steps of a journey in the order in which they happened. A key that is bound to channels sees those that
    happened there."""
    rows = _steps(request).filter(journey=_journey(request, journey))
    found, following = page(rows, IN_ORDER, request, asked.limit, asked.cursor)
    return Touchpoints(items=[_step(request, one) for one in found], next=following)


@write(
    router, "POST", "/journeys/{journey}/touchpoints", scope="journeys:write", status=201, answer=Journey,
    example=EXAMPLE, matches=True, body={"channel": 2, "action": "view_product", "data": {"sku": "TEA-100"}},
)  # fmt: skip
def add_touchpoint(request: HttpRequest, journey: Key, told: Step) -> Done:
    """Add a step to a journey that was started by a call and is open, on this or another channel."""
    row = _locked(request, journey)
    channel = channel_of(request, told.channel)
    interaction = _interaction(request, row, told.interaction)
    row.add_touchpoint(
        channel, told.action, occurred_at=told.occurred_at, interaction=interaction, **told.data
    )  # fmt: skip
    return _done(request, row)


@write(
    router, "POST", "/journeys/{journey}/complete", scope="journeys:write", status=200, answer=Journey,
    example=COMPLETED, matches=True, body={"outcome": "success"},
)  # fmt: skip
def complete_journey(request: HttpRequest, journey: Key, told: Completion) -> Done:
    """End a journey with what it was for. Ending it again with the same outcome changes nothing."""
    row = _locked(request, journey)
    row.complete(told.outcome, order=_order(request, row, told.order), at=told.at)
    return _done(request, row)


@write(
    router, "POST", "/journeys/{journey}/abandon", scope="journeys:write", status=200, answer=Journey,
    example=ABANDONED, matches=True, body={"outcome": "abandoned"},
)  # fmt: skip
def abandon_journey(request: HttpRequest, journey: Key, told: Abandonment) -> Done:
    """End a journey without what it was for."""
    row = _locked(request, journey)
    row.abandon(told.outcome, at=told.at)
    return _done(request, row)


def _check_is_now(started_at: datetime | None) -> None:
    """Nothing that was told of other channels before is told anew by a bound key."""
    if started_at is not None and started_at < clock.now() - MOST_LATE:
        what = "a key that is bound to channels starts no journey more than an hour ago"
        raise fault("body.started_at", what, "Leave it out, or say it in time.")


def _visible(request: HttpRequest) -> QuerySet[CrossChannelJourney]:
    """The journeys that the caller may see."""
    rows = CrossChannelJourney.objects.all()
    channels = caller_of(request).channels
    if not channels:
        return rows
    there = _steps(request).filter(journey=OuterRef("pk"))
    return rows.filter(Q(start_channel__in=channels) | Exists(there))


def _steps(request: HttpRequest) -> QuerySet[JourneyTouchpoint]:
    """The steps that the caller may see."""
    rows = JourneyTouchpoint.objects.all()
    channels = caller_of(request).channels
    return rows.filter(sales_channel__in=channels) if channels else rows


def _journey(request: HttpRequest, number: int) -> CrossChannelJourney:
    found: CrossChannelJourney | None = _visible(request).filter(pk=number).first()
    if found is None:
        raise Problem("not-found", f"There is no journey {number} that this key may see.")
    return found


def _locked(request: HttpRequest, number: int) -> CrossChannelJourney:
    """Return a journey that nobody else can change until the end of the call, as the caller has seen it."""
    _journey(request, number)
    row: CrossChannelJourney | None = CrossChannelJourney.objects.select_for_update().filter(pk=number).first()
    if row is None:
        raise Problem("not-found", f"There is no journey {number} any more.")
    check_match(request, _shown(request, [row])[0])
    return row


def _interaction(request: HttpRequest, journey: CrossChannelJourney, number: int | None) -> ChannelInteraction | None:
    if number is None:
        return None
    found: ChannelInteraction | None = ChannelInteraction.objects.filter(
        pk=number, customer__in=members(journey.customer_id)
    ).first()
    if found is None or not caller_of(request).may_touch(found.sales_channel_id):
        what = f"this customer has no interaction {number} that this key may see"
        raise fault("body.interaction", what, "Leave it out, or name one of the same customer.")
    return found


def _order(request: HttpRequest, journey: CrossChannelJourney, number: int | None) -> Order | None:
    if number is None:
        return None
    found: Order | None = Order.objects.filter(pk=number, customer__in=members(journey.customer_id)).first()
    if found is None or not caller_of(request).may_touch(found.sales_channel_id):
        what = f"this customer has no order {number} that this key may see"
        raise fault("body.order", what, "Leave it out, or name one of the same customer.")
    return found


def _done(request: HttpRequest, row: CrossChannelJourney, headers: dict[str, str] | None = None) -> Done:
    row.refresh_from_db()
    return Done(f"journey {row.pk}", _shown(request, [row])[0], headers=headers or {})


def _shown(request: HttpRequest, rows: Sequence[CrossChannelJourney]) -> list[Journey]:
    """Journeys as the caller may see them."""
    steps = _steps(request).filter(journey__in=[row.pk for row in rows]).order_by()
    told = {one: (count, last) for one, count, last in
            steps.values_list("journey").annotate(Count("id"), Max("occurred_at"))}  # fmt: skip
    shown = [_journey_shown(row, told.get(row.pk, (0, None))[0]) for row in rows]
    channels = caller_of(request).channels
    if not channels:
        return shown
    ordered = [row.order_id for row in rows if row.order_id is not None]
    own = set(Order.objects.filter(pk__in=ordered, sales_channel__in=channels).values_list("pk", flat=True))
    return [_of_its_channels(one, told.get(one.id, (0, None))[1], own) for one in shown]


def _of_its_channels(journey: Journey, last_touch_at: datetime | None, orders: set[int]) -> Journey:
    """The journey without what happened on channels that the key is not for, and an order that was placed there (the
    reason names it)."""
    hidden: dict[str, Any] = {"last_touch_at": last_touch_at}
    if journey.order is not None and journey.order not in orders:
        hidden |= {"order": None, "value": None, "currency": "", "reason": ""}
    return journey.model_copy(update=hidden)


def _journey_shown(row: CrossChannelJourney, touchpoints: int) -> Journey:
    words = ("intent", "state", "outcome", "step", "is_recognised", "reason", "visits", "currency", "started_at",
             "last_touch_at", "ended_at")  # fmt: skip
    return Journey.model_validate(
        {
            "id": row.pk, "customer": row.customer_id, "channel": row.start_channel_id, "order": row.order_id,
            "touchpoints": touchpoints, "value": row.value,
            "duration_seconds": None if row.duration is None else int(row.duration.total_seconds()),
            **{word: getattr(row, word) for word in words},
        }
    )  # fmt: skip


def _step(request: HttpRequest, row: JourneyTouchpoint) -> Touchpoint:
    before = row.switched_from_id
    return Touchpoint(
        id=row.pk, channel=row.sales_channel_id, action=row.action, data=row.data, interaction=row.interaction_id,
        occurred_at=row.occurred_at,
        switched_from=before if before is not None and caller_of(request).may_touch(before) else None,
    )  # fmt: skip
