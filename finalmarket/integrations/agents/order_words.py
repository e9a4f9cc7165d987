"""An order in the words of agents: the whole of it, every time, amounts in the currency's smallest unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Protocol

from finalmarket.catalog.models import BundleComponent
from finalmarket.connectors.money import to_minor
from finalmarket.integrations.agents.places import permalink
from finalmarket.integrations.models import AgentSession
from finalmarket.kernel.money import quantize
from finalmarket.orders.models import Fulfilment, FulfilmentLine, Order, OrderLine, Refund

Object = dict[str, Any]
CREATED = "order.created"
STATES: Mapping[str, str] = {
    Fulfilment.State.PENDING: "processing", Fulfilment.State.SHIPPED: "shipped",
    Fulfilment.State.DELIVERED: "delivered", Fulfilment.State.REJECTED: "failed",
    Fulfilment.State.CANCELLED: "canceled",
}  # fmt: skip


def minor(amount: Decimal, currency: str) -> int:
    """An amount as agents count it: in cents, yen or fils, rounded half up."""
    return to_minor(quantize(amount, currency), currency)


def total(kind: str, words: str, amount: Decimal, currency: str, **more: Any) -> Object:
    """One line of what it comes to."""
    return {"type": kind, "display_text": words, "amount": minor(amount, currency), **more}


def event_of(topic: str, order_id: int) -> Object | None:
    """What an agent is told of news of an order; None for one that no agent placed."""
    session = AgentSession.objects.select_related("cart__order").filter(cart__order=order_id).first()
    if session is None or session.order is None:
        return None
    return {"type": "order_create" if topic == CREATED else "order_update", "data": order_words(session)}


def order_words(session: AgentSession) -> Object:
    """The order that a session became, as it stands. Six queries."""
    order = Order.objects.defer("raw").get(pk=session.cart.order_id)
    lines = [line for line in order.lines.select_related("variant__product") if line.kind == OrderLine.Kind.GOODS]
    parcels = list(order.fulfilments.order_by("pk").prefetch_related("lines"))
    is_collected = session.option.startswith("pickup:")
    return {
        "type": "order", "id": str(order.pk), "checkout_session_id": str(session.token), "order_number": order.number,
        "permalink_url": permalink(session), "status": _status(order, parcels),
        "line_items": [_line(line, order.currency) for line in lines],
        "fulfillments": [_parcel(one, lines, is_collected=is_collected) for one in parcels],
        "adjustments": [_refund(one) for one in Refund.objects.filter(order=order).order_by("pk")],
        "totals": order_totals(order),
    }  # fmt: skip


def _status(order: Order, parcels: Iterable[Fulfilment]) -> str:
    if order.state == Order.State.CANCELLED:
        return "canceled"
    if order.problem:
        return "manual_review"
    if order.state != Order.State.FULFILLED:
        return "shipped" if order.state == Order.State.PARTLY_FULFILLED else "confirmed"
    gone = [one.state for one in parcels if one.state in (Fulfilment.State.SHIPPED, Fulfilment.State.DELIVERED)]
    return "completed" if gone and set(gone) == {Fulfilment.State.DELIVERED} else "shipped"


def _line(line: OrderLine, currency: str) -> Object:
    current = line.quantity - line.cancelled_quantity
    sent = line.fulfilled_quantity
    state = "removed" if not current else "fulfilled" if sent == current else "partial" if sent else "processing"
    product = {"product_id": str(line.variant.product_id)} if line.variant else {}
    return {
        "id": str(line.pk), "title": line.title or line.sku, **product,
        "quantity": {"ordered": line.quantity, "current": current, "fulfilled": sent},
        "unit_price": minor(line.unit_price, currency), "subtotal": minor(line.quantity * line.unit_price, currency),
        "status": state,
    }  # fmt: skip


def _parcel(parcel: Fulfilment, lines: Iterable[OrderLine], *, is_collected: bool) -> Object:
    packed = {line.pk: _units(parcel, line) for line in lines}
    told: Object = {
        "id": str(parcel.pk), "type": "pickup" if is_collected else "shipping", "status": STATES[parcel.state],
        "line_items": [{"id": str(number), "quantity": units} for number, units in packed.items() if units],
        "events": [
            {"id": f"{parcel.pk}-{kind}", "type": kind, "occurred_at": at.isoformat()}
            for kind, at in (("shipped", parcel.shipped_at), ("delivered", parcel.delivered_at)) if at
        ],
    }  # fmt: skip
    shown = {"carrier": parcel.carrier, "tracking_number": parcel.tracking_number, "tracking_url": parcel.tracking_url}
    return told | ({} if is_collected else {name: value for name, value in shown.items() if value})


def _units(parcel: Fulfilment, line: OrderLine) -> int:
    """How many units of a line are in a parcel; of a bundle those of which all parts are in it."""
    packed: list[FulfilmentLine] = [one for one in parcel.lines.all() if one.order_line_id == line.pk]
    if not packed or all(one.variant_id == line.variant_id for one in packed):
        return sum(one.quantity for one in packed)
    parts = dict(BundleComponent.objects.filter(bundle=line.variant_id).values_list("component_id", "quantity"))
    return min(one.quantity // parts.get(one.variant_id, 1) for one in packed)


def _refund(refund: Refund) -> Object:
    return {
        "id": str(refund.pk), "type": "refund", "occurred_at": refund.at.isoformat(), "status": "completed",
        "amount": minor(refund.amount, refund.order.currency), "currency": refund.order.currency.lower(),
    }  # fmt: skip


def order_totals(order: Order) -> list[Object]:
    """What an order came to: `total` stays what was ordered, what was given back stands apart."""
    found = totals_of(order, order.currency)
    if order.refunded:
        found.append(total("amount_refunded", "Refunded", order.refunded, order.currency))
    return found


class Reckoned(Protocol):
    """What an order, or the parts of one that may be, come to. Tax is a part of the prices, or added to them."""

    @property
    def goods(self) -> Decimal: ...
    @property
    def shipping(self) -> Decimal: ...
    @property
    def tax(self) -> Decimal: ...
    @property
    def total(self) -> Decimal: ...


def totals_of(parts: Reckoned, currency: str) -> list[Object]:
    """The lines of totals: subtotal, delivery and tax sum to the total, to the smallest unit."""
    whole, tax, sending = (minor(one, currency) for one in (parts.total, parts.tax, parts.shipping))
    subtotal = {"type": "subtotal", "display_text": "Subtotal without tax", "amount": whole - tax - sending}
    return [
        total("items_base_amount", "Items", parts.goods, currency), subtotal,
        total("fulfillment", "Delivery", parts.shipping, currency), total("tax", "Tax", parts.tax, currency),
        total("total", "Total", parts.total, currency),
    ]  # fmt: skip
