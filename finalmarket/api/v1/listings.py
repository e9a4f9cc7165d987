"""Listings: which variants a channel sells, at which prices of its own, under which title, since when and until when.

A key that is bound to channels sees and changes the listings of these channels. Platforms are told of changes by
themselves. How many units a channel may sell is told by the levels of stock.
"""

from decimal import Decimal
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.api.door import Done, caller_of, channel_of, check_match, read, write
from finalmarket.api.paging import page, page_of_each
from finalmarket.api.problems import Problem, ProblemBody, body_of, problem_of
from finalmarket.api.v1.goods import MOST_SKU_CHARACTERS, Goods, of_channels, variant_of, variants_of
from finalmarket.api.v1.shapes import MOST_TEXT, Currency, Kept, Key, Moment, Money, Number, Paged, Said, said_of
from finalmarket.channels import verbs
from finalmarket.channels.listing import with_prices
from finalmarket.channels.models import ChannelProduct, SalesChannel
from finalmarket.integrations.models import ListingLink
from finalmarket.kernel import failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.plural import plural

router = Router(tags=["listings"])
SyncState = Literal["local", "due", "synced", "failed", "unlinked"]
MOST_AT_ONCE = 1_000


class Listing(BaseModel):
    """One variant as one channel sells it."""

    id: int
    channel: int
    variant: int
    sku: str
    is_available: bool = Field(description="Off: not sold on this channel")
    price: Decimal | None = Field(description="In the channel's currency, its own before the variant's; null: none")
    currency: str
    prices: dict[str, Decimal] = Field(description="Its own prices, in place of the variant's, by currency")
    title: str = Field(description="Empty: the product's")
    description: str = Field(description="Empty: the product's")
    attributes: dict[str, Any]
    publish_from: AwareDatetime | None
    publish_until: AwareDatetime | None
    reason: str = Field(description="Why it cannot be bought now, whatever its stock; empty where it can")
    sync_state: SyncState
    sync_error: str
    synced_at: AwareDatetime | None
    updated_at: AwareDatetime


class Listings(BaseModel):
    """A page of listings."""

    items: list[Listing]
    next: str | None


class ListingChange(Said):
    """What is said to change a listing: what is left out stays as it is. `price` is in the channel's currency, null
    takes it away so that the variant's own holds; `prices` are in others."""

    is_available: bool | None = None
    price: Money | None = None
    prices: dict[Currency, Money | None] = Field(default_factory=dict, max_length=50)
    title: str | None = Field(None, max_length=500)
    description: str | None = Field(None, max_length=MOST_TEXT)
    attributes: Kept | None = None
    publish_from: Moment | None = None
    publish_until: Moment | None = None

    def fields_said(self) -> dict[str, Any]:
        """What was said of its fields; null takes away what may be empty, and is as good as left out elsewhere."""
        return said_of(self, ("publish_from", "publish_until"), but={"price", "prices", "channel", "variant", "sku"})

    def prices_said(self, currency: str) -> dict[str, Decimal | None]:
        """What was said of its prices."""
        own = {currency: self.price} if "price" in self.model_fields_set else {}
        return {**self.prices, **own}


class ListingSaid(Goods, ListingChange):
    """A variant that a channel is to sell."""

    channel: Number


class ListingsSaid(Said):
    """Many listings; each is taken or refused by itself."""

    items: list[ListingSaid] = Field(min_length=1, max_length=MOST_AT_ONCE)


class ListedEach(BaseModel):
    """What became of one: listed anew, changed (which it may have been so already), or refused for the `problem`."""

    outcome: Literal["listed", "changed", "refused"]
    listing: int | None
    problem: ProblemBody | None


class AllListed(BaseModel):
    """What became of each, as they were said."""

    items: list[ListedEach]


class ListingFilters(Paged):
    """By what listings are narrowed."""

    channel: Number | None = None
    variant: Number | None = None
    sku: str = Field("", max_length=MOST_SKU_CHARACTERS)
    product: Number | None = None
    is_available: bool | None = None
    sync_state: SyncState | None = None


LISTING: dict[str, Any] = {
    "id": 21, "channel": 1, "variant": 7, "sku": "TEA-100", "is_available": True, "price": "5.5000", "currency": "EUR",
    "prices": {"EUR": "5.5000"}, "title": "", "description": "", "attributes": {}, "publish_from": None,
    "publish_until": None, "reason": "", "sync_state": "local", "sync_error": "", "synced_at": None,
    "updated_at": "2026-05-04T12:00:00Z",
}  # fmt: skip
SAID = {"channel": 1, "sku": "TEA-100", "price": "5.50"}
WORDS = (
    "is_available", "title", "description", "attributes", "publish_from", "publish_until", "sync_state", "sync_error",
    "synced_at", "updated_at",
)  # fmt: skip


@read(
    router, "/listings", scope="listings:read", answer=Listings, example={"items": [LISTING], "next": None},
    filters=ListingFilters,
)  # fmt: skip
def list_listings(request: HttpRequest, asked: Query[ListingFilters]) -> Listings:
    """List listings; those of one channel in the order of their variants."""
    rows = _rows()
    if asked.variant is not None:
        rows = rows.filter(variant=asked.variant)
    if asked.sku:
        rows = rows.filter(variant__sku=asked.sku)
    if asked.product is not None:
        rows = rows.filter(variant__product=asked.product)
    for word in ("is_available", "sync_state"):
        if (value := getattr(asked, word)) not in (None, ""):
            rows = rows.filter(**{word: value})
    if asked.channel is not None:
        rows = rows.filter(sales_channel=channel_of(request, asked.channel, "query.channel"))
        found, following = page(rows, ("variant_id",), request, asked.limit, asked.cursor)
    else:
        parts = [Q(sales_channel=one) for one in sorted(caller_of(request).channels)]
        order = ("variant_id", "id") if parts else ("id",)
        found, following = page_of_each(rows, parts, order, request, asked.limit, asked.cursor)
    return Listings(items=[_shown(one) for one in found], next=following)


@read(router, "/listings/{listing}", scope="listings:read", answer=Listing, example=LISTING)
def get_listing(request: HttpRequest, listing: Key) -> Listing:
    """Show one listing."""
    return _shown(_listing(request, listing))


@write(
    router, "POST", "/listings", scope="listings:write", status=201, answer=Listing, example=LISTING, body=SAID,
    also={200: Listing},
)  # fmt: skip
def add_listing(request: HttpRequest, told: ListingSaid) -> Done:
    """List a variant on a channel. One that is listed already is changed (200)."""
    channel = channel_of(request, told.channel)
    row, is_new = verbs.list_variant(
        channel, variant_of(told), told.fields_said(), told.prices_said(channel.currency)
    )  # fmt: skip
    headers = {"Location": f"/api/v1/listings/{row.pk}"} if is_new else {}
    return Done(f"listing {row.pk}", _shown(_fresh(row.pk)), 201 if is_new else 200, headers)


@write(
    router, "POST", "/listings/bulk", scope="listings:write", status=200, answer=AllListed,
    example={"items": [{"outcome": "listed", "listing": 21, "problem": None}]}, body={"items": [SAID]},
    outside=True,
)  # fmt: skip
def list_in_bulk(request: HttpRequest, told: ListingsSaid) -> Done:
    """List up to 1,000 variants, or change their listings, each by itself: what is refused spoils nothing else."""
    channels = {number: channel_of(request, number, "body.items") for number in {one.channel for one in told.items}}
    known = variants_of(told.items)
    items = [_list_one(place, one, channels[one.channel], known) for place, one in enumerate(told.items)]
    return Done(plural(sum(one.listing is not None for one in items), "listing"), AllListed(items=items))


@write(
    router, "PATCH", "/listings/{listing}", scope="listings:write", status=200, answer=Listing, example=LISTING,
    body={"price": "5.50", "is_available": True}, matches=True,
)  # fmt: skip
def change_listing(request: HttpRequest, listing: Key, told: ListingChange) -> Done:
    """Change a listing: its prices, its content, whether it is sold, and when."""
    currency = _matched(request, listing).sales_channel.currency
    verbs.change_listing(listing, told.fields_said(), told.prices_said(currency))
    return Done(f"listing {listing}", _shown(_fresh(listing)))


@write(router, "DELETE", "/listings/{listing}", scope="listings:write", status=204, answer=None, matches=True)
def remove_listing(request: HttpRequest, listing: Key) -> Done:
    """Take a listing off its channel. Refused where it is linked to a platform, which would go on selling it: switch it
    off there by `is_available` instead."""
    _matched(request, listing)
    if ListingLink.objects.filter(listing=listing).exists():
        raise Problem(
            "refused", f"Listing {listing} is linked to a platform, which would go on selling it.",
            "Set is_available to false: the platform is told to sell none.",
        )  # fmt: skip
    verbs.unlist(listing)
    return Done(f"listing {listing}")


def _rows() -> QuerySet[ChannelProduct]:
    return ChannelProduct.objects.select_related("sales_channel", "variant__product").prefetch_related(*with_prices())


def _listing(request: HttpRequest, number: int) -> ChannelProduct:
    found = of_channels(request, _rows().filter(pk=number)).first()
    if found is None:
        raise Problem("not-found", f"There is no listing {number} that this key may see.")
    return found


def _fresh(number: int) -> ChannelProduct:
    return _rows().get(pk=number)


def _matched(request: HttpRequest, number: int) -> ChannelProduct:
    """Return a listing that nobody else can change until the end of the call, as the caller has seen it."""
    _listing(request, number)
    ChannelProduct.objects.select_for_update().get(pk=number)
    row = _fresh(number)
    check_match(request, _shown(row))
    return row


def _list_one(place: int, told: ListingSaid, channel: SalesChannel, known: dict[int | str, int]) -> ListedEach:
    """One of many, in a transaction of its own: nobody waits for the locks of a thousand listings."""
    try:
        number = variant_of(told, known, f"body.items.{place}")
        with failpoints.around("api.one_listing_of_many"):
            row, is_new = verbs.list_variant(channel, number, told.fields_said(), told.prices_said(channel.currency))
    except (Problem, UserError, ValidationError) as error:
        return ListedEach(outcome="refused", listing=None, problem=body_of(problem_of(error)))
    return ListedEach(outcome="listed" if is_new else "changed", listing=row.pk, problem=None)


def _shown(row: ChannelProduct) -> Listing:
    return Listing.model_validate(
        {
            "id": row.pk, "channel": row.sales_channel_id, "variant": row.variant_id, "sku": row.variant.sku,
            "price": row.price(), "currency": row.sales_channel.currency,
            "prices": {one.currency: one.amount for one in sorted(row.prices.all(), key=lambda one: one.currency)},
            "reason": row.reason_not_sellable() or "",
            **{word: getattr(row, word) for word in WORDS},
        }
    )  # fmt: skip
