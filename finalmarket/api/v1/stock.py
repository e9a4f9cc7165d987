"""Stock: what lies where, what each channel may sell of it, why, and what happened to it.

Units throughout. A key that is bound to channels sees the goods that are listed on them, the locations that they sell
from, and of the history what their channels did.
"""

from typing import Any, Literal

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, Field, field_validator

from finalmarket.api.door import caller_of, channel_of, read
from finalmarket.api.fields import is_wanted
from finalmarket.api.paging import page
from finalmarket.api.problems import Problem
from finalmarket.api.v1.goods import (
    channels_seen,
    listed_only,
    location_asked,
    locations_seen,
    of_channels,
)
from finalmarket.api.v1.shapes import Filters, Key, Number, Paged
from finalmarket.catalog.models import Variant
from finalmarket.channels.models import ChannelProduct
from finalmarket.stock import atp
from finalmarket.stock.models import StockItem, StockMovement, StockPool
from finalmarket.stock.why import Explanation

router = Router(tags=["stock"])
MOST_NAMED = 200
Kind = Literal[
    "receive", "adjust", "count", "transfer_out", "transfer_in", "reserve", "release", "expire", "allocate",
    "deallocate", "fulfil", "sale", "return", "short", "fence", "backorder", "backfill",
]  # fmt: skip


class AtPlace(BaseModel):
    """What lies at one location. `free`: neither held nor promised; safety stock is part of it."""

    location: int
    on_hand: int
    reserved: int
    allocated: int
    free: int
    safety: int
    low_stock_threshold: int | None


class OnChannel(BaseModel):
    """What one channel may sell now. `beyond`: the part that is not on the shelf; `reason`: why it cannot be bought."""

    channel: int
    available: int
    beyond: int
    status: Literal["in_stock", "low", "out"]
    reason: str


class Level(BaseModel):
    """Stock of one variant: over all places, at each, and for each channel. Holds that have ended count as reserved
    until they are swept; `available` never counts them. A bundle has no stock of its own, its channels tell."""

    variant: int
    sku: str
    on_hand: int
    reserved: int = Field(description="Held for carts and checkouts")
    allocated: int = Field(description="Promised to orders")
    safety: int
    fenced: int
    backordered: int
    backorder_limit: int
    locations: list[AtPlace]
    channels: list[OnChannel]


class Levels(BaseModel):
    """A page of levels."""

    items: list[Level]
    next: str | None


class Summand(BaseModel):
    """One summand of an explanation; `details` say which receipts, holds, orders or places are behind it."""

    kind: str
    quantity: int
    text: str
    details: list[str] = Field(description="Not shown to a key that is bound to channels: others are named in them")


class Explained(BaseModel):
    """Why a channel may sell `total` units: the parts add up to it. `reason`: why it cannot be bought, if it cannot."""

    variant: int
    sku: str
    channel: int
    total: int
    reason: str
    parts: list[Summand]
    components: list["Explained"] = Field(description="Of a bundle")


class Movement(BaseModel):
    """One line of the ledger; it never changes."""

    id: int
    at: AwareDatetime
    kind: Kind
    variant: int
    location: int | None
    channel: int | None
    on_hand: int
    reserved: int
    allocated: int
    fence: int
    backordered: int
    reservation: int | None
    reference: str
    actor: str
    reason: str


class Movements(BaseModel):
    """A page of movements, the newest first."""

    items: list[Movement]
    next: str | None


class LevelFilters(Paged):
    """By what levels are narrowed."""

    sku: str = Field("", max_length=100)
    variants: str = Field("", max_length=4_000, description=f"Numbers with commas between, at most {MOST_NAMED}")
    product: Number | None = None
    location: Number | None = Field(None, description="Of which something lies there, or lay there once")
    channel: Number | None = Field(None, description="Listed on this channel; only its number is told")

    @field_validator("variants")
    @classmethod
    def _are_numbers(cls, text: str) -> str:
        numbers = [one.strip() for one in text.split(",")] if text else []
        if len(numbers) > MOST_NAMED or not all(one.isascii() and one.isdigit() and len(one) < 19 for one in numbers):
            raise ValueError(f"give at most {MOST_NAMED} numbers with commas between")
        return text


class ForChannel(Filters):
    """For which channel."""

    channel: Number


class MovementFilters(Paged):
    """By what the history of a variant is narrowed."""

    location: Number | None = None
    channel: Number | None = None
    kind: Kind | None = None


LEVEL: dict[str, Any] = {
    "variant": 7, "sku": "TEA-100", "on_hand": 50, "reserved": 2, "allocated": 1, "safety": 0, "fenced": 0,
    "backordered": 0, "backorder_limit": 0,
    "locations": [{"location": 1, "on_hand": 50, "reserved": 2, "allocated": 1, "free": 47, "safety": 0,
                   "low_stock_threshold": None}],
    "channels": [{"channel": 1, "available": 47, "beyond": 0, "status": "in_stock", "reason": ""}],
}  # fmt: skip
EXPLAINED: dict[str, Any] = {
    "variant": 7, "sku": "TEA-100", "channel": 1, "total": 47, "reason": "", "components": [], "parts": [
        {"kind": "ledger_receive", "quantity": 50, "text": "received", "details": ["+50 2026-05-04 by api:docs"]},
        {"kind": "reserved", "quantity": -2, "text": "held for carts and checkouts", "details": []},
        {"kind": "allocated", "quantity": -1, "text": "promised to orders", "details": []},
    ],
}  # fmt: skip
MOVEMENT: dict[str, Any] = {
    "id": 1, "at": "2026-05-04T12:00:00Z", "kind": "receive", "variant": 7, "location": 1, "channel": None,
    "on_hand": 50, "reserved": 0, "allocated": 0, "fence": 0, "backordered": 0, "reservation": None,
    "reference": "po:81", "actor": "api:docs", "reason": "",
}  # fmt: skip


@read(
    router, "/stock/levels", scope="stock:read", answer=Levels, example={"items": [LEVEL], "next": None},
    filters=LevelFilters,
)  # fmt: skip
def list_levels(request: HttpRequest, asked: Query[LevelFilters]) -> Levels:
    """List what there is of each variant: in all, at each location, and for each channel."""
    rows = listed_only(request, Variant.objects.select_related("stock_pool"))
    if asked.sku:
        rows = rows.filter(sku=asked.sku)
    if asked.variants:
        rows = rows.filter(pk__in=[int(one) for one in asked.variants.split(",")])
    if asked.product is not None:
        rows = rows.filter(product=asked.product)
    if asked.location is not None:
        items = StockItem.objects.filter(location=location_asked(request, asked.location))
        rows = rows.filter(Exists(items.filter(variant=OuterRef("pk"))))
    if asked.channel is not None:
        channel = channel_of(request, asked.channel, "query.channel")
        rows = rows.filter(Exists(ChannelProduct.objects.filter(sales_channel=channel, variant=OuterRef("pk"))))
    found, following = page(rows, ("id",), request, asked.limit, asked.cursor)
    return Levels(items=_levels(request, found, asked.channel), next=following)


@read(router, "/stock/levels/{variant}", scope="stock:read", answer=Level, example=LEVEL)
def get_level(request: HttpRequest, variant: Key) -> Level:
    """Show what there is of one variant."""
    return _levels(request, [variant_seen(request, variant)], None)[0]


@read(
    router, "/stock/levels/{variant}/explain", scope="stock:read", answer=Explained, example=EXPLAINED,
    filters=ForChannel,
)  # fmt: skip
def explain_level(request: HttpRequest, variant: Key, asked: Query[ForChannel]) -> Explained:
    """Why may a channel sell so many? Every receipt, hold, order, fence, buffer and rule behind the number."""
    channel = channel_of(request, asked.channel, "query.channel")
    return _explained(atp.explain(variant_seen(request, variant), channel), not caller_of(request).channels)


@read(
    router, "/stock/levels/{variant}/movements", scope="stock:read", answer=Movements,
    example={"items": [MOVEMENT], "next": None}, filters=MovementFilters,
)  # fmt: skip
def list_movements(request: HttpRequest, variant: Key, asked: Query[MovementFilters]) -> Movements:
    """List what happened to a variant: every change of what is on hand, held or promised, with who and why."""
    rows = of_channels(request, StockMovement.objects.filter(variant=variant_seen(request, variant)))
    if asked.location is not None:
        rows = rows.filter(location=location_asked(request, asked.location))
    if asked.channel is not None:
        rows = rows.filter(sales_channel=channel_of(request, asked.channel, "query.channel"))
    if asked.kind:
        rows = rows.filter(kind=asked.kind)
    found, following = page(rows, ("-id",), request, asked.limit, asked.cursor)
    return Movements(items=[_movement(one) for one in found], next=following)


def variant_seen(request: HttpRequest, number: int) -> Variant:
    """Return a variant with its pool. Raises Problem where there is none that the caller may see."""
    found = listed_only(request, Variant.objects.select_related("stock_pool")).filter(pk=number).first()
    if found is None:
        raise Problem("not-found", f"There is no variant {number} that this key may see.")
    return found


def level_of(request: HttpRequest, variant: int) -> Level:
    """Return the level of a variant. Raises Problem where there is none that the caller may see."""
    return _levels(request, [variant_seen(request, variant)], None)[0]


def _levels(request: HttpRequest, variants: list[Variant], channel: int | None) -> list[Level]:
    keys = [one.pk for one in variants]
    places = _places(request, keys) if is_wanted(request, "locations") else {}
    sold = _sold(request, keys, channel) if is_wanted(request, "channels") else {}
    return [_level(one, places.get(one.pk, []), sold.get(one.pk, [])) for one in variants]


def _places(request: HttpRequest, variants: list[int]) -> dict[int, list[AtPlace]]:
    items: QuerySet[StockItem] = StockItem.objects.filter(variant__in=variants).order_by("variant_id", "location_id")
    if caller_of(request).channels:
        items = items.filter(location__in=locations_seen(request))
    found: dict[int, list[AtPlace]] = {}
    for one in items:
        words = ("on_hand", "reserved", "allocated", "safety", "low_stock_threshold")
        free = one.on_hand - one.reserved - one.allocated
        at = AtPlace.model_validate(
            {"location": one.location_id, "free": free, **{word: getattr(one, word) for word in words}}
        )
        found.setdefault(one.variant_id, []).append(at)
    return found


def _sold(request: HttpRequest, variants: list[int], channel: int | None) -> dict[int, list[OnChannel]]:
    meant = [channel]
    if channel is None:
        meant = list(channels_seen(request).exclude(status="archived").values_list("pk", flat=True))
    found: dict[int, list[OnChannel]] = {}
    for (variant, number), level in sorted(atp.levels(variants, [one for one in meant if one is not None]).items()):
        told = OnChannel.model_validate(
            {"channel": number, "available": level.available, "beyond": level.beyond, "status": level.status,
             "reason": level.reason}
        )  # fmt: skip
        found.setdefault(variant, []).append(told)
    return found


def _level(variant: Variant, places: list[AtPlace], sold: list[OnChannel]) -> Level:
    pool = getattr(variant, "stock_pool", None) or StockPool(variant=variant)
    words = ("on_hand", "reserved", "allocated", "safety", "fenced", "backordered", "backorder_limit")
    return Level.model_validate(
        {"variant": variant.pk, "sku": variant.sku, "locations": places, "channels": sold,
         **{word: getattr(pool, word) for word in words}}
    )  # fmt: skip


def _explained(found: Explanation, has_details: bool) -> Explained:
    return Explained(
        variant=found.variant_id, sku=found.sku, channel=found.channel_id, total=found.total, reason=found.reason,
        parts=[
            Summand(
                kind=part.kind, quantity=part.quantity, text=part.text,
                details=[f"{one.quantity:+d} {one.text}" for one in part.details] if has_details else [],
            )
            for part in found.parts
        ],
        components=[_explained(one, has_details) for one in found.components],
    )  # fmt: skip


def _movement(row: StockMovement) -> Movement:
    deltas = {name: getattr(row, f"{name}_delta") for name in ("on_hand", "reserved", "allocated", "fence")}
    return Movement.model_validate(
        {
            "id": row.pk, "at": row.at, "kind": row.kind, "variant": row.variant_id, "location": row.location_id,
            "channel": row.sales_channel_id, "backordered": row.backordered_delta, "reservation": row.reservation_id,
            "reference": row.reference, "actor": row.actor, "reason": row.reason, **deltas,
        }
    )  # fmt: skip
