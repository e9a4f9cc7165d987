"""The first page: how the channels are doing, and what needs a person."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from finalmarket.analytics.rollup import today
from finalmarket.console import figures
from finalmarket.console.counting import COUNTED_AT_MOST
from finalmarket.console.pages.frame import page, places, show
from finalmarket.console.tiles import tiles
from finalmarket.orders.models import Order

SHOWN = 8


@page("orders.view_order|analytics.view_channelanalytics", is_of_places=True)
def overview(request: HttpRequest) -> HttpResponse:
    """Orders, revenue and stock alerts per channel, the newest orders, and orders with a problem; for those who are
    bound to stores, these."""
    if places(request) is not None:
        return redirect("console:stores")
    found = figures.figures()
    alerts = figures.add_alerts(found)
    days = [today(one.channel) for one in found]
    sees_orders = request.user.has_perm("orders.view_order")
    day = max(days, default=None)
    context = {
        "found": [(one, day, _first(day)) for one, day in zip(found, days, strict=True)],
        "day": day,
        "first_day": _first(day) if day else None,
        "lists_orders": sees_orders and len(set(days)) == 1,
        "not_listed": _("It is another day where some channels are: their orders stand behind the numbers below.")
        if sees_orders
        else _("You may not see orders."),
        "orders_today": sum(one.orders_today for one in found),
        "orders": sum(one.orders for one in found),
        "revenue_today": _by_currency(found, "revenue_today"),
        "revenue": _by_currency(found, "revenue"),
        "alerts": alerts,
        "is_capped": alerts >= COUNTED_AT_MOST,
        "chart": figures.chart(found),
        "tiles": tiles(request),
        "days": figures.DAYS,
    }
    return show(request, "overview.html", "Overview", context | _orders(request))


def _first(day: date) -> date:
    """The first of the days that end with `day`."""
    return day - timedelta(days=figures.DAYS - 1)


def _orders(request: HttpRequest) -> dict[str, Any]:
    """The newest orders, and those that need a person."""
    if not request.user.has_perm("orders.view_order"):
        return {"sees_orders": False}
    orders = Order.objects.select_related("sales_channel").defer("raw").order_by("-placed_at", "-id")
    return {
        "sees_orders": True,
        "newest": list(orders[:SHOWN]),
        "troubled": list(orders.exclude(problem="")[:SHOWN]),
    }


def _by_currency(found: list[figures.ChannelFigures], name: str) -> list[tuple[Decimal, str]]:
    """Sum a figure by currency, the largest first; amounts of different currencies are never added."""
    sums: dict[str, Decimal] = {}
    for one in found:
        sums[one.channel.currency] = sums.get(one.channel.currency, Decimal(0)) + getattr(one, name)
    return sorted(((amount, currency) for currency, amount in sums.items() if amount), reverse=True)
