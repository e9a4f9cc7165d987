"""The first page: how the channels are doing, and what needs a person."""

from __future__ import annotations

from decimal import Decimal

from django.http import HttpRequest, HttpResponse

from finalmarket.console import figures
from finalmarket.console.counting import COUNTED_AT_MOST
from finalmarket.console.pages.frame import page, show
from finalmarket.orders.models import Order

SHOWN = 8


@page("orders.view_order")
def overview(request: HttpRequest) -> HttpResponse:
    """Orders, revenue and stock alerts per channel, the newest orders, and orders with a problem."""
    found = figures.figures()
    alerts = figures.add_alerts(found)
    orders = Order.objects.select_related("sales_channel").defer("raw").order_by("-placed_at", "-id")
    troubled = orders.exclude(problem="")
    context = {
        "found": found,
        "orders_today": sum(one.orders_today for one in found),
        "orders": sum(one.orders for one in found),
        "revenue_today": _by_currency(found, "revenue_today"),
        "revenue": _by_currency(found, "revenue"),
        "alerts": alerts,
        "is_capped": alerts >= COUNTED_AT_MOST,
        "chart": figures.chart(found),
        "newest": list(orders[:SHOWN]),
        "troubled": list(troubled[:SHOWN]),
        "days": figures.DAYS,
    }
    return show(request, "overview.html", "Overview", context)


def _by_currency(found: list[figures.ChannelFigures], name: str) -> list[tuple[Decimal, str]]:
    """Sum a figure by currency, the largest first; amounts of different currencies are never added."""
    sums: dict[str, Decimal] = {}
    for one in found:
        sums[one.channel.currency] = sums.get(one.channel.currency, Decimal(0)) + getattr(one, name)
    return sorted(((amount, currency) for currency, amount in sums.items() if amount), reverse=True)
