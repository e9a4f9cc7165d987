"""HubSpot under the conformance suite; the judge is HubSpot's own client library (hubspot-api-client)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from finalmarket.connectors.books import OrderContent, OrderContentLine
from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.hubspot import PAGE, HubSpot
from finalmarket.connectors.platforms.hubspot.custom import GROUP, PROPERTIES
from finalmarket.connectors.records import Address, CustomerContent, Delivery
from finalmarket.connectors.talk import TicketContent
from finalmarket.sandbox.platforms.hubspot import APP_ID, CLIENT_ID, CLIENT_SECRET, DEVELOPER_KEY, PORTAL, PRIVATE_TOKEN
from finalmarket.sandbox.platforms.hubspot import HubSpot as StandIn
from finalmarket.sandbox.platforms.hubspot.gate import letter
from tests.connectors.cases import Case
from tests.connectors.descriptions import Description
from tests.connectors.descriptions.client_library import client_library

_count = itertools.count(1)
HOOK = "https://hub.example/hooks/hubspot-1"
PARTS = (
    "crm.objects", "crm.objects.notes", "crm.contacts", "crm.deals", "crm.line_items", "crm.tickets", "crm.properties",
    "crm.associations.v4", "webhooks", "oauth", "communication_preferences",
)  # fmt: skip


@cache
def describe() -> Description:
    """What HubSpot's client library sends and takes."""
    return client_library("hubspot", *PARTS, developer_hapikey="hapikey")


def account(address: str) -> Account:
    """An account that the stand-in lets in, by the token of a private app."""
    secrets = {
        "access_token": PRIVATE_TOKEN, "client_secret": CLIENT_SECRET, "developer_api_key": DEVELOPER_KEY,
    }  # fmt: skip
    return Account(secrets, {"client_id": CLIENT_ID, "app_id": APP_ID}, base_url=address)


def prepare(crm: Any, *kinds: str) -> None:
    """Our properties are there already, as after the first time."""
    for kind in kinds:
        crm.state["groups"][kind, GROUP] = {"archived": False, "name": GROUP, "label": "x", "displayOrder": -1}
        for told in PROPERTIES[kind]:
            made = {"description": "", "options": [], "hasUniqueValue": False, **told}
            crm.state["properties"][kind][told["name"]] = made


def seed_customers(crm: Any, count: int) -> Sequence[str]:
    """Contacts, each entered a second after the other."""
    return [
        crm.sign_up(
            {"firstname": "Ada", "lastname": f"Buyer {number}", "email": f"buyer{next(_count)}@example.com"},
            at=crm.now() - timedelta(seconds=count - number),
        )
        for number in range(count)
    ]  # fmt: skip


def customer(crm: Any) -> CustomerContent:
    """Somebody new, with all that is known of them."""
    prepare(crm, "contacts")
    number = next(_count)
    return CustomerContent(
        key=f"customer-{number}", name="Ada Lovelace", email=f"Ada{number}@example.org".lower(), phone="+49301234567",
        language="de", accepts_email=True, consents={"email": True, "sms": False}, segments=("VIP",), order_count=3,
        spent=Decimal("89.70"), currency="EUR", last_order_at=datetime(2026, 5, 1, 9, 30, tzinfo=UTC),
        address=Address(street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE"),
    )  # fmt: skip


def order_content(crm: Any) -> OrderContent:
    """An order of three lines by a contact; the second line was cancelled in part."""
    prepare(crm, "orders", "deals", "line_items")
    number = next(_count)
    (buyer,) = seed_customers(crm, 1)
    return OrderContent(
        key=f"order-key-{number}", number=f"FM/{number:04d}", placed_at=datetime(2026, 6, 1, 9, 30, tzinfo=UTC),
        updated_at=datetime(2026, 6, 1, 9, 30, tzinfo=UTC), currency="EUR", total=Decimal("37.85"),
        tax=Decimal("5.97"), customer_id=buyer, channel="shop", email="buyer@example.com",
        shipping_address=Address(
            name="Ada Lovelace", street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE"
        ),
        lines=(
            OrderContentLine(
                line_id=f"{number}-a", sku="TEA", title="Tea", quantity=2, unit_price=Decimal("9.95"),
                tax=Decimal("3.18"),
            ),
            OrderContentLine(
                line_id=f"{number}-b", sku="CUP", title="Cup", quantity=3, cancelled_quantity=1,
                unit_price=Decimal("5.00"), discount=Decimal("1.55"), tax=Decimal("2.15"),
            ),
            OrderContentLine(
                line_id=f"{number}-c", title="Shipping", kind="shipping", unit_price=Decimal("4.50"),
                tax=Decimal("0.64"),
            ),
        ),
    )  # fmt: skip


def ticket(crm: Any) -> TicketContent:
    """A question about an order, from a contact."""
    prepare(crm, "tickets")
    (buyer,) = seed_customers(crm, 1)
    email = crm.state["objects"]["contacts"][buyer]["properties"]["email"]
    number = next(_count)
    return TicketContent(
        key=f"ticket-{number}", subject="Where is my order?", text="It should have come on Monday.", name="Ada Buyer",
        email=email, order_number=f"FM/{number:04d}", context="The parcel is in Berlin.", priority="high",
        tags=("parcel", "late"),
    )  # fmt: skip


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """A delivery with one event of that topic."""
    event = {
        "eventId": 100, "subscriptionId": 138, "portalId": PORTAL, "appId": int(APP_ID),
        "occurredAt": int(sent_at.timestamp() * 1000), "subscriptionType": topic, "attemptNumber": 0, "objectId": 123,
        "changeSource": "CRM",
    }  # fmt: skip
    if topic.endswith("propertyChange"):
        event |= {"propertyName": "email", "propertyValue": "ada@example.com"}
    if topic.endswith("merge"):
        event |= {"primaryObjectId": 123, "mergedObjectIds": [123, 456], "newObjectId": 789}
    sent = letter(HOOK, [event], sent_at, account.secrets.get("client_secret", ""))
    return Delivery(HOOK, sent.headers, sent.body, sent_at)


def case() -> Case:
    """See cases."""
    return Case(
        connector=HubSpot,
        stand_in=StandIn,
        account=account,
        describe=describe,
        # Whose account it is stands in no part of the library.
        ignore=("/account-info/v3/details", "/oauth/v1/token"),
        page_sizes={"customers": PAGE},
        seed_customers=seed_customers,
        customer=customer,
        order_content=order_content,
        ticket=ticket,
        deliver=deliver,
        unknown_topic="company.creation",
        signature_headers=("X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp"),
        signs_time=True,
    )
