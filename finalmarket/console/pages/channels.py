"""Sales channels: all of them at a glance, and one with its trend and its listings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from finalmarket.analytics.health import health_of_all
from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.analytics.rollup import today
from finalmarket.catalog.models import Variant
from finalmarket.channels.listing import with_prices
from finalmarket.channels.models import ChannelProduct, SalesChannel
from finalmarket.console import figures, finding
from finalmarket.console.counting import COUNTED_AT_MOST
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked, shopfront, tracking
from finalmarket.console.pages.frame import attempt, back, page, show
from finalmarket.kernel import clock

ICONS = {
    "web": "language",
    "mobile": "smartphone",
    "marketplace": "local_mall",
    "social": "group",
    "store": "store",
    "phone": "call",
    "email": "mail",
    "chat": "chat",
    "voice": "mic",
    "kiosk": "countertops",
}
BEST_SELLERS = 10


class ListingFilters(asked.Filters):
    """What the listings of a channel can be narrowed by."""

    q = asked.text("Search", "SKU, barcode or title")


@page("channels.view_saleschannel")
def channels(request: HttpRequest) -> HttpResponse:
    """Every channel as a card."""
    found = figures.figures()
    figures.add_alerts(found)
    figures.add_listings(found)
    healths = health_of_all([one.channel for one in found])
    cards = [
        {
            "figures": one, "icon": ICONS[one.channel.channel_type], "health": healths[one.channel.pk],
            "first_day": today(one.channel) - timedelta(days=figures.DAYS - 1),
        }
        for one in found
    ]  # fmt: skip
    context = {"cards": cards, "days": figures.DAYS, "counted_at_most": COUNTED_AT_MOST}
    return show(request, "channels.html", "Channels", context)


@page("channels.view_saleschannel")
def channel(request: HttpRequest, key: int) -> HttpResponse:
    """One channel: what it sold day by day, its best sellers and its listings."""
    one = get_object_or_404(SalesChannel, pk=key)
    found = figures.figures(one)
    figures.add_alerts(found)
    figures.add_listings(found)
    day = today(one)
    filters = ListingFilters(request)
    listings = one.listings.select_related("variant__product").prefetch_related(*with_prices())
    if text := filters.given.get("q"):
        listings = listings.filter(variant__in=finding.variants(text))
    slice_ = cut(listings.defer("description", "attributes"), ("id",), request.GET, asked.PAGE_SIZE)
    sold = _sold(one, [listing.variant_id for listing in slice_.rows])
    by_variant = {row["variant"]: row for row in sold}
    context = {
        "channel": one,
        "heard": f"figures:{one.pk}",
        "day": day,
        "first_day": day - timedelta(days=figures.DAYS - 1),
        "counted_at_most": COUNTED_AT_MOST,
        "icon": ICONS[one.channel_type],
        "figures": found[0],
        "rates": figures.rates(one),
        "health": health_of_all([one])[one.pk],
        "metrics": ChannelAnalytics.objects.performance_metrics(one),
        "chart": _trend_chart(one, found[0]),
        "days": figures.DAYS,
        "filters": filters,
        "slice": slice_,
        "listings": [_listing_row(one, listing, by_variant) for listing in slice_.rows],
        "best": _best(sold),
        "tracking": tracking.card_of(one),
        "shop": shopfront.address_of(one),
    }
    return show(request, "channel.html", one.name, context)


@page("channels.change_saleschannel", "POST")
def pause(request: HttpRequest, key: int) -> HttpResponse:
    """Pause a channel for the reason given, or let it sell again."""
    one = get_object_or_404(SalesChannel, pk=key)

    def verb() -> str:
        if request.POST.get("resume"):
            one.resume()
            return f"{one.name} sells again."
        one.pause(request.POST.get("reason", "").strip()[:300] or f"paused by {request.user}")
        return f"{one.name} is paused: it takes no new holds; orders that were placed already still come in."

    attempt(request, verb)
    return back(request, reverse("console:channels"))


def _trend_chart(one: SalesChannel, found: figures.ChannelFigures) -> dict[str, Any]:
    drawn = figures.chart([found])
    if drawn["series"]:
        back = range(figures.DAYS - 1, -1, -1)
        drawn["kind"], drawn["stacked"] = "line", False
        drawn["series"][0]["label"] = f"Revenue, {one.currency}"
        orders = [found.orders_by_day.get(ago, 0) for ago in back]
        drawn["series"].append({"label": "Orders", "values": orders, "axis": "right", "kind": "bar"})
        drawn["title"] = "Revenue and orders by day"
    return drawn


def _sold(one: SalesChannel, variants: list[int]) -> list[dict[str, Any]]:
    """Return what the best sellers and these variants sold on the channel over the last days, best first."""
    since = clock.now() - timedelta(days=figures.DAYS)
    return finding.rows("listings_sold", channel=one.pk, since=since, variants=variants, best=BEST_SELLERS)


def _best(sold: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The best sellers with their variants."""
    best = [row for row in sold if row["rank"] <= BEST_SELLERS]
    named = Variant.objects.select_related("product").in_bulk([row["variant"] for row in best])
    return [row | {"variant": named[row["variant"]]} for row in best if row["variant"] in named]


def _listing_row(one: SalesChannel, listing: ChannelProduct, sold: dict[int, dict[str, Any]]) -> dict[str, Any]:
    listing.sales_channel = one
    return {
        "listing": listing,
        "title": listing.title or listing.variant.label,
        "price": listing.price(),
        "reason": listing.reason_not_sellable(),
        "sold": sold.get(listing.variant_id),
    }
