"""From our words to the practice office's: the bodies of its writes. Amounts travel as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from finalmarket.connectors.books import MovementNotice, OrderContent, OrderContentLine
from finalmarket.connectors.records import CustomerContent, FulfilmentNotice, PaymentRequest
from finalmarket.connectors.shipping import Shipment
from finalmarket.connectors.talk import AnalyticsEvent, EventItem, MessageContent, TicketContent

Body = dict[str, Any]


def _at(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat() if moment else ""


def _exact(amount: Decimal | None) -> str:
    return "" if amount is None else str(amount)


def order(content: OrderContent) -> Body:
    """An order, whole; it is named by its number."""
    return {
        "number": content.number, "key": content.key, "placed_at": _at(content.placed_at),
        "updated_at": _at(content.updated_at), "currency": content.currency, "total": str(content.total),
        "tax": str(content.tax), "refunded": str(content.refunded), "state": content.state,
        "payment_state": content.payment_state, "channel": content.channel, "customer": content.customer_id,
        "name": content.name, "email": content.email, "phone": content.phone,
        "accepts_email": content.accepts_email, "ship_to": asdict(content.shipping_address),
        "bill_to": asdict(content.billing_address), "tracking_number": content.tracking_number,
        "tracking_url": content.tracking_url, "carrier": content.carrier,
        "lines": [_order_line(line) for line in content.lines],
    }  # fmt: skip


def _order_line(line: OrderContentLine) -> Body:
    return {
        "reference": line.line_id, "item": line.item_id, "sku": line.sku, "title": line.title, "kind": line.kind,
        "quantity": line.quantity, "cancelled": line.cancelled_quantity, "price": str(line.unit_price),
        "discount": str(line.discount), "tax": str(line.tax),
    }  # fmt: skip


def movement(notice: MovementNotice) -> Body:
    """A movement of stock."""
    return {
        "key": notice.key, "kind": notice.kind, "item": notice.item_id, "sku": notice.sku,
        "quantity": notice.quantity, "at": _at(notice.at), "location": notice.location,
        "to_location": notice.to_location, "reason": notice.reason, "order": notice.order_number,
    }  # fmt: skip


def fulfilment(notice: FulfilmentNotice) -> Body:
    """A parcel of an order."""
    return {
        "lines": [{"id": line_id, "quantity": units} for line_id, units in notice.lines],
        "carrier": notice.carrier, "number": notice.tracking_number, "tracking_url": notice.tracking_url,
        "location": notice.location, "shipped_at": _at(notice.shipped_at),
    }  # fmt: skip


def customer(content: CustomerContent) -> Body:
    """A customer, with what they agreed to and the groups they belong to."""
    return {
        "id": content.external_id, "name": content.name, "email": content.email, "phone": content.phone,
        "language": content.language, "address": asdict(content.address), "accepts_email": content.accepts_email,
        "consents": dict(content.consents), "segments": list(content.segments), "orders": content.order_count,
        "spent": str(content.spent), "currency": content.currency, "last_order_at": _at(content.last_order_at),
    }  # fmt: skip


def event(told: AnalyticsEvent) -> Body:
    """Something that a customer did."""
    return {
        "key": told.key, "name": told.name, "at": _at(told.at), "client": told.client_id, "user": told.user_id,
        "session": told.session_id, "device": told.device, "allows_ads": told.allows_ads, "channel": told.channel,
        "order": told.order_number, "amount": _exact(told.amount), "tax": _exact(told.tax),
        "shipping": _exact(told.shipping), "currency": told.currency, "items": [_event_item(i) for i in told.items],
        "values": dict(told.values),
    }  # fmt: skip


def _event_item(item: EventItem) -> Body:
    return {
        "sku": item.sku, "title": item.title, "quantity": item.quantity, "price": str(item.unit_price),
        "brand": item.brand, "category": item.category,
    }  # fmt: skip


def message(content: MessageContent) -> Body:
    """A message to one person; `reference` is what it is found by afterwards."""
    values: Mapping[str, str] = content.values
    return {
        "reference": content.key, "purpose": content.purpose, "to": content.to_email, "to_name": content.to_name,
        "subject": content.subject, "text": content.text, "html": content.html, "language": content.language,
        "template": content.template, "values": dict(values),
    }  # fmt: skip


def ticket(content: TicketContent) -> Body:
    """A ticket."""
    return {
        "reference": content.key, "subject": content.subject, "text": content.text, "name": content.name,
        "email": content.email, "phone": content.phone, "customer": content.customer_id,
        "order": content.order_number, "context": content.context, "priority": content.priority,
        "tags": list(content.tags),
    }  # fmt: skip


def shipment(told: Shipment) -> Body:
    """A parcel that is to be sent."""
    return {
        "order": told.order_number, "sender": asdict(told.sender), "receiver": asdict(told.receiver),
        "receiver_email": told.receiver_email, "currency": told.currency, "size": asdict(told.size),
        "items": [{**asdict(item), "unit_value": str(item.unit_value)} for item in told.items],
    }  # fmt: skip


def payment(request: PaymentRequest) -> Body:
    """A payment that a buyer is to approve."""
    return {
        "order": request.order_number, "amount": str(request.amount), "currency": request.currency,
        "return_url": request.return_url, "cancel_url": request.cancel_url,
        "reserve_only": request.is_authorise_only, "description": request.description, "email": request.email,
    }  # fmt: skip
