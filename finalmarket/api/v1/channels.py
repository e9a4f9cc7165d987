"""Sales channels: opened, changed, paused; how they are doing; and from which locations they sell.

A key that is bound to channels sees these alone, and opens none.
"""

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.analytics.health import health_of
from finalmarket.api.door import Done, caller_of, check_match, read, write
from finalmarket.api.paging import page
from finalmarket.api.problems import Problem
from finalmarket.api.v1.analytics import ChannelWord, Found
from finalmarket.api.v1.goods import channel_seen, channels_seen, check_locations
from finalmarket.api.v1.shapes import Key, Number, Paged, Said
from finalmarket.channels import verbs
from finalmarket.channels.models import SalesChannel
from finalmarket.stock.locations import set_sources
from finalmarket.stock.models import ChannelSource

router = Router(tags=["channels"])
Kind = Literal["web", "mobile", "marketplace", "social", "store", "phone", "email", "chat", "voice", "kiosk"]
Status = Literal["active", "inactive", "archived"]
MOST_INT = 2**31 - 1


class Source(BaseModel):
    """A location that the channel sells from; the lowest rank goes first."""

    location: int
    rank: int


class Channel(BaseModel):
    """One place where the merchant sells."""

    id: int
    name: str
    slug: str
    channel_type: Kind
    status: Status
    is_paused: bool = Field(description="It takes no new holds; orders still arrive")
    pause_reason: str
    configuration: dict[str, Any] = Field(description="Its keys depend on the type")
    currency: str
    country: str
    time_zone: str
    sources: list[Source] = Field(description="Empty: it sells from all active locations")
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Channels(BaseModel):
    """A page of channels."""

    items: list[Channel]
    next: str | None


class ChannelChange(Said):
    """What is said to change a channel: what is left out stays as it is."""

    name: str | None = Field(None, min_length=1, max_length=200)
    status: Status | None = None
    configuration: dict[str, Any] | None = Field(None, description="The whole of it")
    currency: str | None = Field(None, pattern="^[A-Z]{3}$")
    country: str | None = Field(None, pattern="^([A-Z]{2})?$")
    time_zone: str | None = Field(None, max_length=64, description="Of the IANA database, such as Europe/Berlin")

    def said(self) -> dict[str, Any]:
        """What was said; null is as good as left out."""
        return self.model_dump(exclude_none=True)


class ChannelOpening(ChannelChange):
    """What is said to open a channel."""

    name: str = Field(min_length=1, max_length=200)
    slug: str | None = Field(None, pattern=r"^[-a-zA-Z0-9_]{1,100}$", description="By default made from the name")
    channel_type: Kind


class Pause(Said):
    """Why it is paused."""

    reason: str = Field(min_length=1, max_length=300)


class SourceSaid(Said):
    """A location and its rank."""

    location: Number
    rank: int = Field(100, ge=0, le=MOST_INT)


class Sources(Said):
    """All locations that the channel is to sell from; none: all active ones."""

    sources: list[SourceSaid] = Field(max_length=500)


class ChannelFilters(Paged):
    """By what channels are narrowed."""

    channel_type: Kind | None = None
    status: Status | None = None


CHANNEL: dict[str, Any] = {
    "id": 1, "name": "Web shop", "slug": "web-shop", "channel_type": "web", "status": "active", "is_paused": False,
    "pause_reason": "", "configuration": {"hold_minutes": 15}, "currency": "EUR", "country": "DE",
    "time_zone": "Europe/Berlin", "sources": [{"location": 1, "rank": 1}], "created_at": "2026-05-04T12:00:00Z",
    "updated_at": "2026-05-04T12:00:00Z",
}  # fmt: skip
PAUSED = {**CHANNEL, "is_paused": True, "pause_reason": "stock take"}
HEALTH = {"channel": 1, "name": "Web shop", "word": "healthy", "findings": [],
          "reason": "19 orders in the last day, about 20 are usual for this day of the week"}  # fmt: skip


@read(
    router, "/channels", scope="channels:read", answer=Channels, example={"items": [CHANNEL], "next": None},
    filters=ChannelFilters,
)  # fmt: skip
def list_channels(request: HttpRequest, asked: Query[ChannelFilters]) -> Channels:
    """List sales channels."""
    rows = channels_seen(request).prefetch_related("sources")
    for word in ("channel_type", "status"):
        if value := getattr(asked, word):
            rows = rows.filter(**{word: value})
    found, following = page(rows, ("id",), request, asked.limit, asked.cursor)
    return Channels(items=[_shown(one) for one in found], next=following)


@read(router, "/channels/{channel}", scope="channels:read", answer=Channel, example=CHANNEL)
def get_channel(request: HttpRequest, channel: Key) -> Channel:
    """Show one sales channel."""
    return _shown(channel_seen(request, channel))


@read(router, "/channels/{channel}/health", scope="channels:read", answer=ChannelWord, example=HEALTH)
def get_channel_health(request: HttpRequest, channel: Key) -> ChannelWord:
    """Say how a channel is doing, held against what is usual for it. Its figures are under /analytics."""
    row = channel_seen(request, channel)
    found = health_of(row)
    return ChannelWord(
        channel=row.pk, name=row.name, word=found.word, reason=found.reason,
        findings=[Found(word=one.word, reason=one.reason) for one in found.findings],
    )  # fmt: skip


@write(
    router, "POST", "/channels", scope="channels:write", status=201, answer=Channel, example=CHANNEL,
    body={"name": "Web shop", "channel_type": "web", "currency": "EUR", "country": "DE"},
)  # fmt: skip
def open_channel(request: HttpRequest, told: ChannelOpening) -> Done:
    """Open a sales channel. Not for keys that are bound to channels."""
    if caller_of(request).channels:
        raise Problem("not-allowed", "A key that is bound to channels opens no others.")
    made = verbs.open_channel(told.said())
    return _done(made.pk, headers={"Location": f"/api/v1/channels/{made.pk}"})


@write(
    router, "PATCH", "/channels/{channel}", scope="channels:write", status=200, answer=Channel, example=CHANNEL,
    body={"status": "inactive"}, matches=True,
)  # fmt: skip
def change_channel(request: HttpRequest, channel: Key, told: ChannelChange) -> Done:
    """Change a sales channel; what its platform shows of its listings is told anew where it matters."""
    _matched(request, channel)
    verbs.change_channel(channel, told.said())
    return _done(channel)


@write(
    router, "POST", "/channels/{channel}/pause", scope="channels:write", status=200, answer=Channel, example=PAUSED,
    body={"reason": "stock take"}, matches=True,
)  # fmt: skip
def pause_channel(request: HttpRequest, channel: Key, told: Pause) -> Done:
    """Take no new holds on a channel until it is resumed; sales that already happened still come in."""
    _matched(request, channel).pause(told.reason)
    return _done(channel)


@write(
    router, "POST", "/channels/{channel}/resume", scope="channels:write", status=200, answer=Channel, example=CHANNEL,
    matches=True,
)  # fmt: skip
def resume_channel(request: HttpRequest, channel: Key) -> Done:
    """Sell again on a paused channel."""
    _matched(request, channel).resume()
    return _done(channel)


@write(
    router, "PUT", "/channels/{channel}/sources", scope="channels:write", status=200, answer=Channel, example=CHANNEL,
    body={"sources": [{"location": 1, "rank": 1}]}, matches=True,
)  # fmt: skip
def set_channel_sources(request: HttpRequest, channel: Key, told: Sources) -> Done:
    """Say from which locations a channel sells. A bound key chooses among those that its channels name already."""
    _matched(request, channel)
    check_locations(request, [one.location for one in told.sources], "body.sources")
    if caller_of(request).channels and not told.sources:
        raise Problem("not-allowed", "body.sources: a key that is bound to channels cannot open all locations to one.")
    set_sources(channel, [(one.location, one.rank) for one in told.sources])
    return _done(channel)


def _matched(request: HttpRequest, number: int) -> SalesChannel:
    """Return a channel that nobody else can change until the end of the call, as the caller has seen it."""
    channel_seen(request, number)
    row = SalesChannel.objects.select_for_update().get(pk=number)
    check_match(request, _shown(row))
    return row


def _done(number: int, headers: dict[str, str] | None = None) -> Done:
    row = SalesChannel.objects.get(pk=number)
    return Done(f"channel {number}", _shown(row), headers=headers or {})


def _shown(row: SalesChannel) -> Channel:
    sources: list[ChannelSource] = sorted(row.sources.all(), key=lambda one: (one.rank, one.location_id))
    words = [name for name in Channel.model_fields if name != "sources"]
    return Channel.model_validate(
        {
            **{word: getattr(row, word) for word in words},
            "sources": [Source(location=one.location_id, rank=one.rank) for one in sources],
        }
    )
