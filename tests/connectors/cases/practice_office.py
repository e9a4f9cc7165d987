"""What the conformance suite needs to know of the practice office."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from finalmarket.connectors.books import MovementNotice, OrderContent, OrderContentLine
from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.practice_office import PracticeOffice
from finalmarket.connectors.records import (
    Address,
    Delivery,
    FulfilmentNotice,
    ListingRef,
    PaymentRequest,
    RefundNotice,
)
from finalmarket.connectors.shipping import ParcelSize, Shipment, ShippedItem
from finalmarket.connectors.talk import AnalyticsEvent, EventItem, MessageContent, TicketContent
from finalmarket.sandbox.platforms.practice_office import PAGE, TOKEN
from finalmarket.sandbox.platforms.practice_office import PracticeOffice as Office
from tests.connectors.cases import Authorised, Case

SECOND = timedelta(seconds=1)
TEN = Decimal("10.00")
BERLIN = Address(name="A. Shopper", street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE")
MUNICH = Address(name="The House", street="Marienplatz 1", postcode="80331", city="Munich", country="DE")


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    return Account({"token": TOKEN, "webhook_secret": "practice-office-webhook-secret-0"}, base_url=address)


def seed_listings(office: Office, count: int) -> Sequence[ListingRef]:
    """Items at 10.00, five of each."""
    first = len(office.listings())
    skus = [f"SKU-{number:05d}" for number in range(first, first + count)]
    keys = [office.add_listing(sku, f"Shirt {sku}", TEN, 5) for sku in skus]
    return [ListingRef(key=key, sku=sku, ids={"item": key}) for key, sku in zip(keys, skus, strict=True)]


def each_second(office: Office, count: int, add: Any) -> Sequence[str]:
    """So many of something, one a second."""
    ids = []
    for _ in range(count):
        office.world.clock.advance(SECOND)
        ids.append(str(add()))
    return ids


def seed_customers(office: Office, count: int) -> Sequence[str]:
    """Customers."""
    return each_second(
        office, count, lambda: office.add_customer(f"shopper{len(office.state['customers'])}@example.com")
    )  # fmt: skip


def seed_payments(office: Office, count: int) -> Sequence[str]:
    """Payments that were taken."""
    return each_second(office, count, lambda: office.add_payment(TEN, state="taken"))


def seed_conversations(office: Office, count: int) -> Sequence[str]:
    """Conversations, each with a question and an answer."""

    def talk() -> str:
        number = office.say("Where is my order?", email="shopper@example.com", subject="My order", order="FM-1")
        return office.say("On its way.", conversation=number, author="agent")

    return each_second(office, count, talk)


def seed_interactions(office: Office, count: int) -> Sequence[str]:
    """Product pages that were seen."""
    return each_second(office, count, lambda: office.interact("product_seen", email="a@example.com", sku="SKU-00001"))


def unknown_payment(office: Office) -> tuple[str, str]:
    """A payment in a state that nobody knows."""
    return office.add_payment(TEN, state="quarantined"), "quarantined"


def unknown_conversation(office: Office) -> tuple[str, str]:
    """A conversation by a channel that nobody knows."""
    return office.say("Hello?", email="a@example.com", channel="carrier_pigeon"), "carrier_pigeon"


def unknown_interaction(office: Office) -> tuple[str, str]:
    """Somebody does something new."""
    return office.interact("danced", email="a@example.com"), "danced"


def unknown_parcel(office: Office) -> tuple[str, str, str, str]:
    """A parcel that went a way that nobody knows."""
    office.add_parcel("ELSEWHERE-1", "Green Post")
    office.move_parcel("ELSEWHERE-1", "beamed_up")
    return "", "ELSEWHERE-1", "Green Post", "beamed_up"


def numbered(office: Office) -> str:
    """A number that no two calls get."""
    return str(office._next())


def order_content(office: Office) -> OrderContent:
    """An order of two lines, one of them shipping."""
    (ref,) = seed_listings(office, 1)
    number = f"FM-{numbered(office)}"
    return OrderContent(
        key=f"{number}-1", number=number, placed_at=office.now(), updated_at=office.now(), currency="EUR",
        total=Decimal("22.90"), tax=Decimal("3.66"), channel="web", payment_state="paid", email="a@example.com",
        name="A. Shopper", shipping_address=BERLIN,
        lines=(
            OrderContentLine(line_id=f"{number}-a", sku=ref.sku, item_id=ref.key, title="Shirt", quantity=2,
                             unit_price=TEN),
            OrderContentLine(line_id=f"{number}-b", title="Parcel", unit_price=Decimal("2.90"), kind="shipping"),
        ),
    )  # fmt: skip


def movements(office: Office, count: int) -> Sequence[MovementNotice]:
    """Sales of one unit each."""
    (ref,) = seed_listings(office, 1)
    return [
        MovementNotice(
            key=f"movement-{numbered(office)}", kind="sale", sku=ref.sku, item_id=ref.key, quantity=-1,
            at=office.now() + SECOND, location="main", order_number="FM-1",
        )
        for _ in range(count)
    ]  # fmt: skip


def another_location(office: Office) -> str:
    """A store room behind."""
    office.add_location("behind")
    return "behind"


def fulfilment(office: Office) -> FulfilmentNotice:
    """A parcel for a new order."""
    number = f"FM-{numbered(office)}"
    line = {
        "id": f"{number}-1", "reference": "a", "item": "", "sku": "A", "quantity": 2, "cancelled": 0, "price": "1.00",
    }  # fmt: skip
    order = {"id": f"O-{number}", "number": number, "lines": [line], "parcels": [], "is_invoiced": False}
    office.state["orders"][order["id"]] = order
    return FulfilmentNotice(
        key=f"parcel-{number}", order_id=f"O-{number}", lines=((f"{number}-1", 1),), shipped_at=office.now(),
        carrier="DHL", tracking_number=f"TRACK-{number}",
    )  # fmt: skip


def refund(office: Office) -> RefundNotice:
    """A part of a payment that was taken."""
    payment = office.add_payment(TEN, state="taken")
    return RefundNotice(
        key=f"refund-{payment}", order_id="FM-1", payment_id=payment, amount=Decimal("4.00"), currency="EUR"
    )  # fmt: skip


def shipment(office: Office) -> Shipment:
    """A shirt that goes to Berlin."""
    return Shipment(
        key=f"shipment-{numbered(office)}", order_number="FM-1", sender=MUNICH, receiver=BERLIN, currency="EUR",
        size=ParcelSize(weight_g=400, length_mm=300, width_mm=200, height_mm=50),
        items=(ShippedItem(sku="A", title="Shirt", quantity=1, unit_value=TEN, weight_g=300, origin="PT"),),
    )  # fmt: skip


def message(office: Office) -> MessageContent:
    """An order is confirmed."""
    number = numbered(office)
    return MessageContent(
        key=f"message-{number}", purpose="order_confirmed", to_email=f"shopper{number}@example.com",
        subject="Your order", text="Thank you.", html="<p>Thank you.</p>", language="en",
    )  # fmt: skip


def ticket(office: Office) -> TicketContent:
    """A complaint about an order."""
    return TicketContent(
        key=f"ticket-{numbered(office)}", subject="It arrived broken", text="One cup is broken.", name="A. Shopper",
        email="shopper@example.com", order_number="FM-1", context="FM-1: 2 cups, delivered", tags=("damage",),
    )  # fmt: skip


def analytics_events(office: Office, count: int) -> Sequence[AnalyticsEvent]:
    """Purchases."""
    return [
        AnalyticsEvent(
            key=f"event-{numbered(office)}", name="purchase", at=office.now() - timedelta(minutes=1),
            client_id="visitor-1", session_id="session-1", channel="web", order_number="FM-1", amount=TEN,
            currency="EUR", items=(EventItem(sku="A", title="Shirt", unit_price=TEN),),
        )
        for _ in range(count)
    ]  # fmt: skip


def payment_request(office: Office) -> PaymentRequest:
    """A payment of 22.90."""
    number = numbered(office)
    return PaymentRequest(
        key=f"payment-{number}", order_number=f"FM-{number}", amount=Decimal("22.90"), currency="EUR",
        return_url="https://shop.example.org/thanks", cancel_url="https://shop.example.org/cart",
    )  # fmt: skip


def authorised(office: Office) -> Authorised:
    """A payment that waits to be captured."""
    return Authorised(payment_id=office.add_payment(TEN), amount=TEN, currency="EUR")


def brought(topic: str, sent_at: datetime) -> dict[str, Any]:
    """The records that two of the topics bring along."""
    at = sent_at.isoformat()
    if topic == "interaction.seen":
        return {
            "id": "N1", "kind": "mail_opened", "at": at, "email": "a@example.com", "customer": "", "device": "phone",
            "location": "", "url": "", "sku": "", "reference": "message-1", "subject": "Your order",
        }  # fmt: skip
    return {
        "number": "PO0000000001", "carrier": "Green Post", "label": "B1", "state": "moving", "changed": 7,
        "shipped_at": at, "delivered_at": "", "expected_at": at, "steps": [], "tracking_url": "",
    }  # fmt: skip


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """A webhook as the office signs it."""
    event: dict[str, Any] = {
        "event": f"E-{topic}-{sent_at.timestamp()}",
        "topic": topic,
        "id": "X1",
        "at": sent_at.isoformat(),
    }
    if topic in ("interaction.seen", "parcel.moved"):
        event |= {"record": brought(topic, sent_at)}
    body, seconds = json.dumps(event).encode(), str(int(sent_at.timestamp()))
    secret = account.secrets.get("webhook_secret", "").encode()
    signed = hmac.digest(secret, f"{seconds}.".encode() + body, "sha256")
    headers = {"Office-Time": seconds, "Office-Signature": b64encode(signed).decode()}
    return Delivery("https://hub.example/hooks/1", headers, body, received_at=sent_at)


def case() -> Case:
    """The practice office under the suite."""
    return Case(
        connector=PracticeOffice,
        stand_in=Office,
        account=account,
        describe=None,
        page_sizes=dict.fromkeys(("customers", "payments", "listings", "conversations", "interactions"), PAGE),
        seed_customers=seed_customers,
        seed_payments=seed_payments,
        seed_unknown_payment=unknown_payment,
        seed_listings=seed_listings,
        seed_conversations=seed_conversations,
        seed_interactions=seed_interactions,
        seed_unknown_conversation=unknown_conversation,
        seed_unknown_interaction=unknown_interaction,
        seed_unknown_parcel=unknown_parcel,
        location="main",
        another_location=another_location,
        missing_ref=ListingRef(key="I0", sku="NO-SUCH-SKU", ids={"item": "I0"}),
        fulfilment=fulfilment,
        refund=refund,
        authorised_payment=authorised,
        order_content=order_content,
        movements=movements,
        shipment=shipment,
        message=message,
        ticket=ticket,
        analytics_events=analytics_events,
        payment_request=payment_request,
        approve=lambda office, payment: office.approve(payment),
        deliver=deliver,
        signature_headers=("Office-Time", "Office-Signature"),
        signs_time=True,
    )
