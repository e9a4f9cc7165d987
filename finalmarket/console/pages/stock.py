"""The stock matrix: what each channel may sell of each SKU, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from finalmarket.catalog.models import Category, Product, Variant
from finalmarket.channels.models import ChannelProduct, SalesChannel
from finalmarket.console import finding
from finalmarket.console.counting import bounded_count
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import page, part, places, show
from finalmarket.console.pages.stock_here import matrix_here
from finalmarket.stock import atp
from finalmarket.stock.models import StockAlert, StockItem, StockLocation

LOW = atp.LOW_STOCK_THRESHOLD
NONE_AT_ALL = -(2**31)
FEW = 5_000
ROWS = 40
WORDS = {"in_stock": "in stock", "low": "low", "out": "out"}
ALERTS_MEANT = {"low": ["low"], "out": ["out", "short"], "any": ["low", "out", "short"]}


def category_choices() -> list[tuple[str, str]]:
    """Return every category with the names of those above it, for choosing."""
    known = {key: (name, parent) for key, name, parent in Category.objects.values_list("id", "name", "parent_id")}

    def path(key: int | None, depth: int = 0) -> str:
        if key not in known or depth > 8:
            return ""
        name, parent = known[key]
        above = path(parent, depth + 1)
        return f"{above} / {name}" if above else name

    return [("", "All categories"), *sorted(((str(key), path(key)) for key in known), key=lambda one: one[1])]


def location_choices() -> list[tuple[str, str]]:
    """Return every active location, for choosing."""
    known = StockLocation.objects.filter(is_active=True).values_list("pk", "name")
    return [("", "All locations"), *((str(key), name) for key, name in known)]


class StockFilters(asked.Filters):
    """What the matrix can be narrowed by."""

    q = asked.text("Search", "SKU, barcode or product title")
    category = forms.ChoiceField(choices=category_choices, required=False)
    status = asked.choice("Status", "Any status", [("low", "Low"), ("out", "Out"), ("any", "Low or out")])
    location = forms.ChoiceField(choices=location_choices, required=False, label="Lies at")


@page("stock.view_channelinventory|stock.view_stockitem", is_of_places=True)
def matrix(request: HttpRequest) -> HttpResponse:
    """SKUs by channels; each cell says what the channel may sell."""
    if (own := places(request)) is not None:
        return matrix_here(request, own)
    filters = StockFilters(request)
    chosen = _narrowed(filters.given)
    _, count = bounded_count(chosen)
    slice_ = cut(chosen.prefetch_related("product", "stock_pool"), ("sku",), request.GET, ROWS)
    channels = list(SalesChannel.objects.exclude(status="archived").order_by("name"))
    context = {
        "filters": filters,
        "slice": slice_,
        "count": count,
        "channels": channels,
        "rows": rows_of(slice_.rows, channels),
        "is_search_cut": bool(filters.given.get("q")) and count == f"{finding.MOST_FOUND:,}",
        "most_found": finding.MOST_FOUND,
        "is_fullwidth": "1",
    }
    return show(request, "stock.html", "Stock", context)


@page("stock.view_channelinventory")
def explain(request: HttpRequest, variant: int, channel: int) -> HttpResponse:
    """Why a channel may sell so many of a SKU: a panel beside the matrix, or a page of its own."""
    found = get_object_or_404(Variant.objects.select_related("product"), pk=variant)
    seller = get_object_or_404(SalesChannel, pk=channel)
    explanation = atp.explain(found, seller)
    context = {"explanation": explanation, "variant": found, "channel": seller}
    if request.headers.get("HX-Request"):
        return part(request, "explain_panel.html", context)
    return show(request, "explain.html", f"Why {explanation.total}?", context)


def _narrowed(given: dict[str, Any]) -> QuerySet[Variant]:
    """Apply the filters."""
    chosen = Variant.objects.all()
    if text := given.get("q"):
        chosen = chosen.filter(pk__in=finding.variants(text))
    if category := given.get("category"):
        below = Product.objects.filter(category__in=_with_those_below(int(category)))
        chosen = chosen.filter(product__in=below.values("pk"))
    if status := given.get("status"):
        chosen = chosen.filter(_running_out(status, is_alone=len(given) == 1))
    if location := given.get("location"):
        items = StockItem.objects.filter(location_id=int(location), on_hand__gt=0)
        chosen = chosen.filter(pk__in=items.values("variant"))
    return chosen


def _running_out(status: str, is_alone: bool) -> Q:
    """What is low or out: by what is free at all locations together, or by an open alert of a channel or location.

    The level of every SKU on every channel is not stored, so it cannot be searched; these two can. Three ways to the
    same rows, for speed: a few are looked up by their ids; where many are low, the walk along the SKUs finds a page of
    them soon; together with other filters, which the walk would rarely meet, sets are joined.
    """
    lowest, highest = {"low": (1, LOW), "out": (NONE_AT_ALL, 0), "any": (NONE_AT_ALL, LOW)}[status]
    levels = ALERTS_MEANT[status]
    if not is_alone:
        named = "ARRAY[" + ", ".join(f"'{level}'" for level in levels) + "]"  # all of it our own constants
        query = finding.QUERIES["running_out"] % {"lowest": lowest, "highest": highest, "levels": named, "most": "ALL"}
        return Q(pk__in=RawSQL(query, []))  # noqa: S611
    few = finding.rows("running_out", lowest=lowest, highest=highest, levels=levels, most=FEW + 1)
    if len(few) <= FEW:
        return Q(pk__in=RawSQL("SELECT unnest(%s::bigint[])", [[row["id"] for row in few]]))
    pool = "stock_pool__"
    free = F(pool + "on_hand") - F(pool + "reserved") - F(pool + "allocated") - F(pool + "safety")
    scarce = Q(GreaterThanOrEqual(free, lowest)) & Q(LessThanOrEqual(free, highest)) & ~Q(components__isnull=False)
    return scarce | Q(pk__in=StockAlert.objects.filter(closed_at=None, level__in=levels).values("variant"))


def _with_those_below(category: int) -> list[int]:
    below: dict[int | None, list[int]] = {}
    for key, parent in Category.objects.values_list("id", "parent_id"):
        below.setdefault(parent, []).append(key)
    found, waiting = [category], [category]
    while waiting:
        children = [key for key in below.get(waiting.pop(), []) if key not in found]
        found += children
        waiting += children
    return found


def rows_of(variants: Sequence[Variant], channels: Sequence[SalesChannel]) -> list[dict[str, Any]]:
    """Return one row a SKU with a cell for every channel; levels and listings are fetched by one query each."""
    if not variants:
        return []
    keys, channel_keys = [variant.pk for variant in variants], [channel.pk for channel in channels]
    levels = atp.levels(keys, channel_keys)
    listed = set(ChannelProduct.objects.filter(variant__in=keys).values_list("variant", "sales_channel"))
    why = reverse("console:explain", args=[0, 0])
    rows = []
    for variant in variants:
        cells = []
        for channel in channels:
            pair = variant.pk, channel.pk
            address = why.replace("/0/0/", f"/{variant.pk}/{channel.pk}/")
            cells.append((f"{variant.sku} on {channel.name}", address, _cell(levels.get(pair), pair in listed)))
        pool = variant.stock_pool
        promised = pool.reserved + pool.allocated
        rows.append({"variant": variant, "on_hand": pool.on_hand, "promised": promised, "cells": cells})
    return rows


def _cell(level: atp.Level | None, is_listed: bool) -> dict[str, Any] | None:
    """What a cell shows: the units on offer, the status in a word, and a tone for it."""
    if level is None or not is_listed:
        return None
    if level.reason:
        return {"units": level.offered, "word": "off", "tone": "quiet", "hint": level.reason}
    hint = f"{level.beyond} of them beyond what is on the shelf" if level.beyond else ""
    word = "on order" if level.beyond and level.beyond == level.available else WORDS[level.status]
    tone = {"in_stock": "good", "low": "warn", "out": "bad"}[level.status]
    return {"units": level.available, "word": word, "tone": "info" if word == "on order" else tone, "hint": hint}
