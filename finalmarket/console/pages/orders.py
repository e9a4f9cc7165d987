"""The order book as a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse

from finalmarket.console import finding
from finalmarket.console.at_places import orders_of
from finalmarket.console.counting import bounded_count
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import page, places, show
from finalmarket.console.people import may_see_buyers
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.orders.models import Order, OrderLine

ORDER = ("-placed_at", "-id")
STANDING = "standing"


class OrderFilters(asked.Filters):
    """What the list of orders can be narrowed by."""

    q = asked.text("Search", "Number, external id, e-mail, phone or SKU")
    channel = asked.ChannelField()
    state = asked.choice("State", "All states", [(STANDING, "Not cancelled"), *Order.State.choices])
    payment = asked.choice("Payment", "All payments", list(Order.PaymentState.choices))
    since = asked.day("From")
    until = asked.day("To")
    problem = forms.BooleanField(label="With a problem", required=False)
    customer = asked.number()
    currency = forms.CharField(max_length=3, required=False, widget=forms.HiddenInput())


@page("orders.view_order", is_of_places=True)
def orders(request: HttpRequest) -> HttpResponse:
    """All orders, newest first, narrowed by filters and a search."""
    filters = OrderFilters(request)
    chosen = _narrowed(filters.given, may_see_buyers(request.user)).filter(orders_of(places(request)))
    _, count = bounded_count(chosen)
    slice_ = cut(chosen.select_related("sales_channel").defer("raw"), ORDER, request.GET, asked.PAGE_SIZE)
    context = {
        "filters": filters,
        "slice": slice_,
        "count": count,
        "units": _units(slice_.rows),
        "is_search_cut": bool(filters.given.get("q")) and count == f"{finding.MOST_FOUND:,}",
        "most_found": finding.MOST_FOUND,
    }
    return show(request, "orders.html", "Orders", context)


def _narrowed(given: dict[str, Any], sees_buyers: bool) -> QuerySet[Order]:
    """Apply the filters; days are those of the channel that an order came by. To find by the buyer is to see them."""
    chosen: QuerySet[Order] = Order.objects.filter(asked.in_days(given, at="placed_at", channel="sales_channel"))
    if text := given.get("q"):
        chosen = chosen.filter(pk__in=finding.orders(text, by_buyer=sees_buyers))
    if channel := given.get("channel"):
        chosen = chosen.filter(sales_channel_id=int(channel))
    if (state := given.get("state")) == STANDING:
        chosen = chosen.exclude(state=Order.State.CANCELLED)
    elif state:
        chosen = chosen.filter(state=state)
    if currency := given.get("currency"):
        chosen = chosen.filter(currency=currency)
    if payment := given.get("payment"):
        chosen = chosen.filter(payment_state=payment)
    if given.get("problem"):
        chosen = chosen.exclude(problem="")
    if customer := given.get("customer"):
        profiles = OmnichannelCustomer.objects.filter(Q(pk=customer) | Q(merged_into=customer))
        chosen = chosen.filter(customer__in=list(profiles.values_list("pk", flat=True)))
    return chosen


def _units(shown: Sequence[Order]) -> dict[int, int]:
    """Count the units of goods of the orders shown."""
    counted = (
        OrderLine.objects.filter(order__in=[order.pk for order in shown], kind="goods")
        .order_by()
        .values_list("order")
        .annotate(units=Sum("quantity"))
    )
    return {order: units or 0 for order, units in counted}
