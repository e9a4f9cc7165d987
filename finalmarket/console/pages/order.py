"""One order: its lines, money, parcels, returns, the stock it moved, and what can be done with it now."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from finalmarket.console.at_places import orders_of
from finalmarket.console.pages.desk import desk_of
from finalmarket.console.pages.frame import page, places, show
from finalmarket.console.pages.talk import tickets_of
from finalmarket.console.people import may_see_buyers
from finalmarket.orders.drafts import Address
from finalmarket.orders.fulfilment import REJECTIONS
from finalmarket.orders.models import Order, OrderEvent, OrderLine, OrderPromise, Refund, ReturnLine
from finalmarket.orders.states import refundable, still_due
from finalmarket.stock.models import StockMovement

MOVEMENTS = 100
Kind = OrderEvent.Kind
OF_PEOPLE = frozenset(
    {Kind.UPDATED, Kind.SHIPPED, Kind.CANCELLED, Kind.RETURNED, Kind.PAID, Kind.REFUNDED, Kind.PROBLEM, Kind.NOTE}
)
"""Entries of the history that repeat what somebody said or wrote, or where a parcel can be followed to."""
PARTS = (
    ("goods", "Goods"),
    ("discount", "Discount"),
    ("shipping", "Shipping"),
    ("fees", "Fees"),
    ("tip", "Tip"),
    ("tax", "Tax"),
)


@page("orders.view_order", is_of_places=True)
def order(request: HttpRequest, key: int) -> HttpResponse:
    """Everything about one order."""
    seen = Order.objects.filter(orders_of(places(request)))
    found = get_object_or_404(seen.select_related("sales_channel", "customer", "pickup__location").defer("raw"), pk=key)
    lines = list(found.lines.select_related("variant").order_by("position"))
    parcels = list(
        found.fulfilments.select_related("location")
        .prefetch_related("lines__variant", "lines__order_line")
        .order_by("id")
    )
    payments = list(found.payments.order_by("id"))
    returns = list(found.returns.prefetch_related("lines").select_related("exchange_order").order_by("id"))
    context = {
        "order": found,
        "lines": lines,
        "parts": [(word, getattr(found, name), name == "discount") for name, word in PARTS if getattr(found, name)],
        "parcels": parcels,
        "payments": payments,
        "returns": returns,
        "refunds": list(Refund.objects.filter(order=found).order_by("id")),
        "events": list(OrderEvent.objects.filter(order=found).order_by("id")),
        "movements": _movements(found, lines),
        "sees_buyers": may_see_buyers(request.user),
        "sees_ways": may_see_buyers(request.user) or request.user.has_perm("integrations.view_shippinglabel"),
        "of_people": OF_PEOPLE,
        "addresses": _addresses(found) if may_see_buyers(request.user) else [],
        "can": _possible(found, lines, payments),
        "rejections": REJECTIONS.items(),
        "dispositions": ReturnLine.Disposition.choices,
        "tickets": tickets_of(found, request.user),
        "desk": desk_of(found, parcels),
        "is_bound": places(request) is not None,
        "may_change": request.user.has_perm("orders.change_order") and places(request) is None,
        "form_key": secrets.token_hex(8),
    }
    return show(request, "order.html", f"Order {found.number}", context)


def _movements(found: Order, lines: Sequence[OrderLine]) -> list[StockMovement]:
    """The ledger lines of this order, oldest first: those of its promises, and those that name it."""
    promises = OrderPromise.objects.filter(order_line__in=[line.pk for line in lines])
    holds, variants = set(), {line.variant_id for line in lines if line.variant_id}
    for hold, variant in promises.values_list("reservation_id", "variant_id"):
        holds.add(hold)
        variants.add(variant)
    named = StockMovement.objects.filter(
        Q(reservation__in=holds) | Q(reference=f"order:{found.pk}"), variant__in=variants, at__gte=found.created_at
    )
    return list(named.select_related("variant", "location", "sales_channel").order_by("id")[:MOVEMENTS])


def _addresses(found: Order) -> list[tuple[str, list[str]]]:
    """The addresses as they are written on a parcel, those that are filled."""
    names = [field.name for field in fields(Address)]
    both = (("Ships to", found.shipping_address), ("Billed to", found.billing_address))
    filled = [(word, [str(address[name]) for name in names if address.get(name)]) for word, address in both]
    return [(word, lines) for word, lines in filled if lines]


def _possible(found: Order, lines: Sequence[OrderLine], payments: Sequence[Any]) -> dict[str, Any]:
    """What can be done with the order now; the verbs themselves decide for good."""
    goods = [line for line in lines if line.kind == "goods"]
    is_open = found.state in (Order.State.OPEN, Order.State.PARTLY_FULFILLED)
    return {
        "cancel": is_open and any(one.quantity > one.cancelled_quantity + one.fulfilled_quantity for one in goods),
        "return": [one for one in goods if one.fulfilled_quantity > one.returned_quantity],
        "refund": refundable(payments),
        "pay": still_due(found, payments) if found.state != Order.State.CANCELLED else 0,
    }
