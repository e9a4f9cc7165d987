"""One SKU: where it lies, who may sell it, what holds it, and everything that ever happened to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.console import finding
from finalmarket.console.keyset import cut
from finalmarket.console.pages.frame import actor, attempt, back, page, show
from finalmarket.console.pages.stock import rows_of
from finalmarket.stock import ledger
from finalmarket.stock.models import ExpectedReceipt, ReservationLine, StockItem, StockLocation, StockMovement
from finalmarket.stock.policies import set_safety

LEDGER_LINES = 30
SHOWN = 20


class StockChange(forms.Form):
    """A change of what lies at one location, as a person enters it."""

    what = forms.ChoiceField(
        label="What happened",
        choices=[
            ("receive", "Goods arrived"),
            ("adjust", "Lost or found (− or +)"),
            ("count", "Counted anew"),
            ("safety", "Safety stock is now"),
        ],
    )
    location = forms.ModelChoiceField(StockLocation.objects.filter(is_active=True), label="Where")
    quantity = forms.IntegerField(min_value=-1_000_000, max_value=1_000_000, label="Units")
    reason = forms.CharField(max_length=200, label="Why")


@page("stock.view_stockitem")
def sku(request: HttpRequest, key: int) -> HttpResponse:
    """Everything about the stock of one SKU."""
    variant = get_object_or_404(Variant.objects.select_related("product", "stock_pool"), pk=key)
    movements = StockMovement.objects.filter(variant=variant).select_related("location", "sales_channel")
    context = {
        "variant": variant,
        "pool": variant.stock_pool,
        "items": _items(variant),
        "channels": _channels(variant),
        "components": list(variant.components.select_related("component__stock_pool")),
        "holds": _holds(variant),
        "promised": finding.rows("orders_waiting", variant=variant.pk, most=SHOWN),
        "expected": list(
            ExpectedReceipt.objects.filter(variant=variant, state="expected")
            .select_related("location")
            .order_by("expected_at")[:SHOWN]
        ),
        "slice": cut(movements, ("-id",), request.GET, LEDGER_LINES),
        "form": StockChange(),
    }
    return show(request, "sku.html", variant.sku, context)


@page("stock.add_stockmovement", "POST")
def change_stock(request: HttpRequest, key: int) -> HttpResponse:
    """Receive, adjust or count units at one location."""
    variant = get_object_or_404(Variant, pk=key)
    form = StockChange(request.POST)
    attempt(request, lambda: _carry_out(variant, form, actor(request)))
    return back(request, reverse("console:sku", args=[key]))


def _carry_out(variant: Variant, form: StockChange, who: str) -> str:
    if not form.is_valid():
        raise forms.ValidationError(
            [f"{form[name].label}: {' '.join(map(str, texts))}" for name, texts in form.errors.items()]
        )
    given = form.cleaned_data
    verbs: dict[str, Callable[[Variant, dict[str, Any], str], str]] = {
        "receive": _receive,
        "adjust": _adjust,
        "count": _count,
        "safety": _keep_safe,
    }
    return verbs[given["what"]](variant, given, who)


def _receive(variant: Variant, given: dict[str, Any], who: str) -> str:
    receipt = ledger.Receipt(variant.pk, given["location"].pk, given["quantity"], given["reason"])
    ledger.receive([receipt], actor=who)
    return f"{given['quantity']} of {variant.sku} received at {given['location']}."


def _adjust(variant: Variant, given: dict[str, Any], who: str) -> str:
    left = ledger.adjust(variant.pk, given["location"].pk, given["quantity"], reason=given["reason"], actor=who)
    return f"{variant.sku}: {left} are on hand at {given['location']} now."


def _count(variant: Variant, given: dict[str, Any], who: str) -> str:
    place, units = given["location"].pk, given["quantity"]
    difference = ledger.set_on_hand(variant.pk, place, units, reason=given["reason"], actor=who)
    return f"{variant.sku}: {given['quantity']} are on hand at {given['location']} now, a difference of {difference:+}."


def _keep_safe(variant: Variant, given: dict[str, Any], who: str) -> str:
    set_safety(variant.pk, given["location"].pk, given["quantity"], actor=who, reason=given["reason"])
    return f"{variant.sku}: {given['quantity']} units at {given['location']} are never promised."


def _items(variant: Variant) -> QuerySet[StockItem]:
    return StockItem.objects.filter(variant=variant).select_related("location").order_by("location__priority", "id")


def _channels(variant: Variant) -> list[tuple[Any, ...]]:
    """Every channel with its policy for this variant, and what it may sell."""
    channels = list(SalesChannel.objects.exclude(status="archived").order_by("name"))
    policies = {policy.sales_channel_id: policy for policy in variant.channel_inventories.all()}
    cells = rows_of([variant], channels)[0]["cells"]
    return [
        (channel, policies.get(channel.pk), address, cell)
        for channel, (_, address, cell) in zip(channels, cells, strict=True)
    ]


def _holds(variant: Variant) -> QuerySet[ReservationLine]:
    """The holds that end last come first."""
    held = ReservationLine.objects.filter(variant=variant, state="held", quantity__gt=0)
    return held.select_related("reservation", "sales_channel", "location").order_by("-expires_at")[:SHOWN]
