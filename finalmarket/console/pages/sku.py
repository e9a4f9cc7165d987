"""One SKU: where it lies, who may sell it, what holds it, and everything that ever happened to it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.console import finding
from finalmarket.console.keyset import cut
from finalmarket.console.pages.frame import page, places, show
from finalmarket.console.pages.stock import rows_of
from finalmarket.console.pages.stock_change import empty_form
from finalmarket.console.pages.stock_here import sku_here
from finalmarket.stock.models import ExpectedReceipt, ReservationLine, StockItem, StockMovement

LEDGER_LINES = 30
SHOWN = 20


@page("stock.view_stockitem", is_of_places=True)
def sku(request: HttpRequest, key: int) -> HttpResponse:
    """Everything about the stock of one SKU."""
    variant = get_object_or_404(Variant.objects.select_related("product", "stock_pool"), pk=key)
    if (own := places(request)) is not None:
        return sku_here(request, variant, own)
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
        "form": empty_form(variant),
    }
    return show(request, "sku.html", variant.sku, context)


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
