"""Salesforce under the conformance suite; its judge is derived, see tests/connectors/salesforce_description."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from finalmarket.connectors.books import OrderContent, OrderContentLine
from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.salesforce import PAGE, Salesforce
from finalmarket.connectors.records import Address, CustomerContent
from finalmarket.sandbox.platforms.salesforce import ACCOUNT, CLIENT_ID, CLIENT_SECRET, HOST, OTHER_PRODUCT, PRICEBOOK
from finalmarket.sandbox.platforms.salesforce import Salesforce as StandIn
from tests.connectors.cases import Case
from tests.connectors.descriptions import Description, openapi
from tests.connectors.salesforce_description import SALESFORCE

_count = itertools.count(1)


@cache
def describe() -> Description:
    """What the prose of Salesforce's guides says."""
    return openapi("salesforce", beside=[SALESFORCE])


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    settings = {
        "host": HOST, "account": ACCOUNT, "pricebook": PRICEBOOK, "other_product": OTHER_PRODUCT, "currency": "EUR",
    }  # fmt: skip
    return Account({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}, settings, base_url=address)


def seed_customers(org: Any, count: int) -> Sequence[str]:
    """Contacts, each entered a second after the other."""
    return [
        org.sign_up(
            {"FirstName": "Ada", "LastName": f"Buyer {number}", "Email": f"buyer{next(_count)}@example.com"},
            at=org.now() - timedelta(seconds=count - number),
        )
        for number in range(count)
    ]  # fmt: skip


def customer(org: Any) -> CustomerContent:
    """Somebody new, with all that is known of them."""
    number = next(_count)
    return CustomerContent(
        key=f"customer-{number}", name="Ada Lovelace", email=f"ada{number}@example.org", phone="+49301234567",
        language="de", accepts_email=True, consents={"email": True, "sms": False}, segments=("VIP",), order_count=3,
        spent=Decimal("89.70"), currency="EUR", last_order_at=datetime(2026, 5, 1, 9, 30, tzinfo=UTC),
        address=Address(street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE"),
    )  # fmt: skip


def order_content(org: Any) -> OrderContent:
    """An order of three lines by a contact; the second line was cancelled in part."""
    number = next(_count)
    for code in ("TEA", "CUP"):
        org.add_product(f"{code}-{number}", code.title(), Decimal("10.00"))
    (buyer,) = seed_customers(org, 1)
    return OrderContent(
        key=f"order-key-{number}", number=f"FM/{number:04d}", placed_at=datetime(2026, 6, 1, 9, 30, tzinfo=UTC),
        updated_at=datetime(2026, 6, 1, 9, 30, tzinfo=UTC), currency="EUR", total=Decimal("37.85"),
        tax=Decimal("5.97"), customer_id=buyer, channel="shop", email="buyer@example.com",
        shipping_address=Address(
            name="Ada Lovelace", street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE"
        ),
        lines=(
            OrderContentLine(
                line_id=f"{number}-a", sku=f"TEA-{number}", title="Tea", quantity=2, unit_price=Decimal("9.95"),
                tax=Decimal("3.18"),
            ),
            OrderContentLine(
                line_id=f"{number}-b", sku=f"CUP-{number}", title="Cup", quantity=3, cancelled_quantity=1,
                unit_price=Decimal("5.00"), discount=Decimal("1.55"), tax=Decimal("2.15"),
            ),
            OrderContentLine(
                line_id=f"{number}-c", title="Shipping", kind="shipping", unit_price=Decimal("4.50"),
                tax=Decimal("0.64"),
            ),
        ),
    )  # fmt: skip


def case() -> Case:
    """See cases."""
    return Case(
        connector=Salesforce,
        stand_in=StandIn,
        account=account,
        describe=describe,
        ignore=("/services/oauth2/token",),
        page_sizes={"customers": PAGE},
        seed_customers=seed_customers,
        customer=customer,
        order_content=order_content,
    )
