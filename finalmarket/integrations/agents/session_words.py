"""Carts, checkouts and goods in the words of agents (schemas of version 2026-04-17); amounts in the smallest unit."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.agents import sessions
from finalmarket.integrations.agents.completing import CARD, CHANGED, DECLINED, TEST
from finalmarket.integrations.agents.order_words import Object, minor, order_totals, order_words, total, totals_of
from finalmarket.integrations.agents.places import BASE, house
from finalmarket.integrations.agents.quoting import DELIVERY, Quote, Way, quote
from finalmarket.integrations.models import AgentDoor, AgentSession
from finalmarket.orders.models import Order, OrderLine
from finalmarket.orders.one_cart import Shown
from finalmarket.orders.shopping import allows_test_payments
from finalmarket.stock.models import StockLocation

VERSION = "2026-04-17"
HANDLER_VERSION = "2026-01-22"
State, Kind = AgentSession.State, AgentSession.Kind
LOW = 5
STATUSES = {
    State.PAYING: "complete_in_progress", State.COMPLETED: "completed", State.CANCELED: "canceled",
    "expired": "expired",
}  # fmt: skip
TROUBLES = {
    sessions.OUT_OF_STOCK: ("out_of_stock", "Not all of it is there any more."),
    DECLINED: ("payment_declined", "The payment was declined. Try another way to pay."),
    CHANGED: ("conflict", "The price has changed."),
}


def cart_words(session: AgentSession, reckoned: Quote) -> Object:
    """A cart: what is in it, and what that comes to about."""
    currency = session.sales_channel.currency
    return {
        "id": str(session.token), "currency": currency.lower(), "expires_at": session.expires_at.isoformat(),
        "line_items": [_line(*pair, currency) for pair in zip(reckoned.shown, reckoned.lines, strict=True)],
        "totals": totals_of(reckoned.parts, currency), "messages": _messages(session, reckoned),
        **({"buyer": session.buyer} if session.buyer else {}),
    }  # fmt: skip


def session_words(session: AgentSession, reckoned: Quote | None = None, interventions: Collection[str] = ()) -> Object:
    """A checkout as it stands; one that was completed shows its order. `interventions` are those that the agent is
    able to make: we ask for none."""
    order = session.order
    if session.state == State.COMPLETED and order is not None:
        return _head(session) | _ordered(session, order)
    found = reckoned or quote(session)
    currency = session.sales_channel.currency
    return _head(session) | {
        "status": _status(session, found),
        "line_items": [_line(*pair, currency) for pair in zip(found.shown, found.lines, strict=True)],
        "fulfillment_options": [_way(one, currency) for one in found.ways],
        "selected_fulfillment_options": [_chosen(found.way, [one.sku for one in found.shown])] if found.way else [],
        "totals": totals_of(found.parts, currency), "messages": _messages(session, found),
    }  # fmt: skip


def _head(session: AgentSession) -> Object:
    door = AgentDoor.objects.filter(sales_channel=session.sales_channel).select_related("payment").first()
    links = door.links if door else {}
    return {
        "id": str(session.token), "protocol": {"version": VERSION},
        "capabilities": {
            "payment": {"handlers": handlers(session.sales_channel, door)},
            "interventions": {"supported": []},
        },
        "currency": session.sales_channel.currency.lower(),
        "links": [{"type": name, "url": url} for name, url in links.items()],
        "created_at": session.created_at.isoformat(), "updated_at": session.updated_at.isoformat(),
        "expires_at": session.expires_at.isoformat(),
        **({"buyer": session.buyer} if session.buyer.get("email") else {}),
        **({"fulfillment_details": session.details} if session.details else {}),
        **({"locale": session.locale} if session.locale else {}),
    }  # fmt: skip


def handlers(channel: SalesChannel, door: AgentDoor | None) -> list[Object]:
    """The ways in which an agent may pay here."""
    found = []
    if door is not None and door.payment is not None:
        psp = door.payment.platform_name.lower()
        found.append(
            _handler(
                CARD, "dev.acp.tokenized.card", "Card", psp, "https://acp.dev/schemas/handlers/tokenized.card",
                spec="https://acp.dev/handlers/tokenized.card", is_delegated=True,
                config={"merchant_id": door.payment.account_name or str(door.payment), "psp": psp},
            )
        )  # fmt: skip
    if allows_test_payments(channel):
        place = f"{house()}{BASE}/test-payment"
        found.append(
            _handler(TEST, "dev.finalmarket.test", "For trying, without money", "test", place, spec=place,
                     is_delegated=False, config={})
        )  # fmt: skip
    return found


def _handler(
    key: str, name: str, shown: str, psp: str, schemas: str, *, spec: str, is_delegated: bool, config: Object
) -> Object:  # fmt: skip
    return {
        "id": key, "name": name, "display_name": shown, "version": HANDLER_VERSION, "spec": spec,
        "requires_delegate_payment": is_delegated, "requires_pci_compliance": False, "psp": psp,
        "config_schema": f"{schemas}/config.json", "instrument_schemas": [f"{schemas}/instrument.json"],
        "config": config,
    }  # fmt: skip


def _status(session: AgentSession, reckoned: Quote) -> str:
    standing = sessions.standing(session)
    if standing != State.OPEN:
        return STATUSES[standing]
    is_ready = not reckoned.faults and session.trouble != sessions.OUT_OF_STOCK
    return "ready_for_payment" if is_ready else "not_ready_for_payment"


def _messages(session: AgentSession, reckoned: Quote) -> list[Object]:
    standing = sessions.standing(session)
    if standing == State.CANCELED:
        return [{"type": "info", "content_type": "plain", "content": "Checkout session has been canceled."}]
    found = [_message(one.code, one.text, param=one.param) for one in reckoned.faults]
    if session.trouble in TROUBLES and not found:
        found.append(_message(*TROUBLES[session.trouble]))
    return found


def _message(code: str, text: str, **more: str) -> Object:
    return {"type": "error", "code": code, "content_type": "plain", "content": text, **more}


def _line(shown: Shown, line: OrderLine, currency: str) -> Object:
    product = line.variant
    left = max(0, shown.left)
    told: Object = {
        "id": f"line_{shown.wanted.variant_id}", "item": {"id": shown.sku, "name": shown.title},
        "quantity": shown.wanted.quantity, "name": shown.title, "sku": shown.sku,
        "unit_amount": minor(line.unit_price, currency), "availability_status": _availability(left),
        "available_quantity": left, "totals": _line_totals(line, currency),
    }  # fmt: skip
    if product is not None:
        options = [{"name": str(name), "value": str(value)} for name, value in product.option_values.items()]
        told |= {"product_id": str(product.product_id), "variant_options": options}
    return told


def _availability(left: int) -> str:
    return "out_of_stock" if left <= 0 else "low_stock" if left <= LOW else "in_stock"


def _line_totals(line: OrderLine, currency: str) -> list[Object]:
    whole, tax = minor(line.total, currency), minor(line.tax, currency)
    return [
        total("items_base_amount", "Base amount", line.quantity * line.unit_price, currency),
        {"type": "subtotal", "display_text": "Subtotal without tax", "amount": whole - tax},
        {"type": "tax", "display_text": "Tax", "amount": tax},
        {"type": "total", "display_text": "Total", "amount": whole},
    ]  # fmt: skip


def _way(way: Way, currency: str) -> Object:
    if way.place is None:
        return {"type": "shipping", "id": DELIVERY, "title": "Delivery",
                "totals": [total("total", "Delivery", way.fee, currency)]}  # fmt: skip
    return {
        "type": "pickup", "id": way.name, "title": f"Collect at {way.place.name}", "pickup_type": "in_store",
        "location": _place(way.place), "totals": [total("total", "Collection", way.fee, currency)],
    }  # fmt: skip


def _place(place: StockLocation) -> Object:
    address = {
        "name": place.name, "line_one": place.street, "city": place.city, "state": place.region,
        "country": place.country, "postal_code": place.postcode,
    }  # fmt: skip
    return {"name": place.name, "address": address} | ({"phone": place.phone} if place.phone else {})


def _chosen(way: Way, items: list[str]) -> Object:
    return {"type": "shipping" if way.place is None else "pickup", "option_id": way.name, "item_ids": items}


def _ordered(session: AgentSession, order: Order) -> Object:
    lines = list(order.lines.filter(kind=OrderLine.Kind.GOODS).select_related("variant"))
    kind = "shipping" if session.option == DELIVERY else "pickup"
    chosen: list[Any] = [{"type": kind, "option_id": session.option, "item_ids": [line.sku for line in lines]}]
    return {
        "status": "completed", "fulfillment_options": [], "messages": [], "totals": order_totals(order),
        "line_items": [
            {
                "id": f"line_{line.variant_id}", "item": {"id": line.sku, "name": line.title},
                "quantity": line.quantity, "name": line.title, "sku": line.sku,
                "unit_amount": minor(line.unit_price, order.currency), "totals": _line_totals(line, order.currency),
            }
            for line in lines
        ],
        "selected_fulfillment_options": chosen if session.option else [], "order": order_words(session),
    }  # fmt: skip
