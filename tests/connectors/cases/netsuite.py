"""NetSuite under the conformance suite.

The published description knows customers, sales orders, fulfilments and adjustments; SuiteQL is described in prose
only, so its form is written down here after it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from finalmarket.connectors.books import MovementNotice, OrderContent, OrderContentLine
from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.netsuite import PAGE, NetSuite
from finalmarket.connectors.records import Address, FulfilmentNotice, ListingRef
from finalmarket.sandbox.platforms.netsuite import NetSuite as StandIn
from finalmarket.sandbox.platforms.netsuite.door import ACCOUNT, CERTIFICATE_ID, CLIENT_ID, PRIVATE_KEY
from tests.connectors.cases import Case
from tests.connectors.descriptions import Description, openapi

_count = itertools.count(1)
TEXT = {"type": "string"}
COUNT = {"type": "integer"}
SUITEQL: dict[str, Any] = {
    "openapi": "3.0.1", "info": {"title": "SuiteQL, after the help's prose", "version": "1"},
    "paths": {
        "/services/rest/query/v1/suiteql": {
            "post": {
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 1000}},
                    {"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0}},
                    {"name": "Prefer", "in": "header", "required": True,
                     "schema": {"type": "string", "enum": ["transient"]}},
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {
                        "type": "object", "required": ["q"], "additionalProperties": False, "properties": {"q": TEXT},
                    }}},
                },
                "responses": {
                    "200": {"description": "rows", "content": {"application/json": {"schema": {
                        "type": "object", "required": ["items", "hasMore", "count", "offset", "links"],
                        "properties": {
                            "items": {"type": "array", "items": {
                                "type": "object", "required": ["links"],
                                "properties": {"links": {"type": "array"}}, "additionalProperties": TEXT,
                            }},
                            "hasMore": {"type": "boolean"}, "count": COUNT, "offset": COUNT, "links": {"type": "array"},
                        },
                    }}}},
                    "default": {"description": "an error", "content": {"application/json": {"schema": {
                        "type": "object", "required": ["title", "status", "o:errorDetails"],
                    }}}},
                },
            },
        },
    },
}  # fmt: skip


# The older of the two files has the id of a customer as a number; by the help ("Using External IDs") an external id
# such as eid:CID001 may stand wherever an internal one can.
NAMED = {f"#/paths/~1customer~1{{id}}/{method}/parameters/0/schema": TEXT for method in ("get", "put", "patch")}


@cache
def describe() -> Description:
    """NetSuite's own tables, and SuiteQL."""
    files = ("record-v1-2026.1.transcribed.openapi.json", "customer_metadata.json")
    return openapi("netsuite", *files, beside=[SUITEQL], overrides=NAMED)


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    secrets = {"client_id": CLIENT_ID, "certificate_id": CERTIFICATE_ID, "private_key": PRIVATE_KEY}
    settings = {
        "account": ACCOUNT, "adjustment_account": "58", "location": "1", "customer": "1", "ship_method": "90",
        "other_item": "91",
    }  # fmt: skip
    return Account(secrets, settings, base_url=address)


def seed_listings(books: Any, count: int) -> Sequence[ListingRef]:
    """Items at 10.00, five of each in the main warehouse."""
    first = len(books.listings())
    skus = [f"SKU-{number:05d}" for number in range(first, first + count)]
    return [ref_of(books.add_listing(sku, f"Shirt {sku}", Decimal("10.00"), 5), sku) for sku in skus]


def ref_of(item: str, sku: str) -> ListingRef:
    """What NetSuite calls an item."""
    return ListingRef(key=item, sku=sku, ids={"item": item})


def seed_customers(books: Any, count: int) -> Sequence[str]:
    """Customers, each entered a second after the other."""
    return [
        books.sign_up(
            {"firstName": "Ada", "lastName": f"Buyer {number}", "email": f"buyer{next(_count)}@example.com"},
            at=books.now() - timedelta(seconds=count - number),
        )
        for number in range(count)
    ]


def order_content(books: Any) -> OrderContent:
    """An order of two lines by a customer whom NetSuite knows; the second line was cancelled in part."""
    number = next(_count)
    tea, cup = seed_listings(books, 2)
    (customer,) = seed_customers(books, 1)
    return OrderContent(
        key=f"order-key-{number}", number=f"FM-{number:04d}", placed_at=datetime(2026, 6, 1, 9, 30, tzinfo=UTC),
        updated_at=datetime(2026, 6, 1, 9, 30, tzinfo=UTC), currency="EUR", total=Decimal("37.85"),
        tax=Decimal("5.97"), customer_id=customer, channel="shop", email="buyer@example.com",
        shipping_address=Address(
            name="Ada Lovelace", street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE"
        ),
        lines=(
            OrderContentLine(
                line_id=f"{number}-a", sku=tea.sku, item_id=tea.key, title="Tea", quantity=2,
                unit_price=Decimal("9.95"), tax=Decimal("3.18"),
            ),
            OrderContentLine(
                line_id=f"{number}-b", sku=cup.sku, title="Cup", quantity=3, cancelled_quantity=1,
                unit_price=Decimal("5.00"), discount=Decimal("1.55"), tax=Decimal("2.15"),
            ),
            OrderContentLine(
                line_id=f"{number}-c", title="Shipping", kind="shipping", unit_price=Decimal("4.50"),
                tax=Decimal("0.64"),
            ),
        ),
    )  # fmt: skip


def told_order(books: Any) -> tuple[str, list[str]]:
    """An order that stands in the stand-in; its id and those of its lines."""
    content = order_content(books)
    order = books._new("orders", {"lines": [], "status": {"id": "B"}}, f"eid:finalmarket-{content.number}")
    rows = [line for line in content.lines if line.kind == "goods"]
    items = {item["itemId"]: item["id"] for item in books.state["items"].values()}
    for line in rows:
        named = f"{line.title} (#{line.line_id})"
        books._line(order, {"item": {"id": items[line.sku]}, "quantity": line.quantity, "description": named})
    return order["id"], [str(row["line"]) for row in order["lines"]]


def fulfilment(books: Any) -> FulfilmentNotice:
    """A parcel with a part of an order."""
    order, lines = told_order(books)
    return FulfilmentNotice(
        key=f"parcel-{order}", order_id=order, lines=((lines[0], 1),), shipped_at=books.now(), carrier="DHL",
        tracking_number=f"TRACK-{order}", tracking_url=f"https://track.example.com/{order}", location="1",
    )  # fmt: skip


def movements(books: Any, count: int) -> Sequence[MovementNotice]:
    """Movements of every kind, in turn."""
    kinds = (("receive", 4), ("loss", -1), ("transfer", 2), ("adjust", -2), ("sale", -1), ("return", 1))
    found = []
    for (kind, units), ref in zip(itertools.cycle(kinds), seed_listings(books, count), strict=False):
        found.append(
            MovementNotice(
                key=f"movement-{next(_count)}", kind=kind, sku=ref.sku, quantity=units, at=books.now(), location="1",
                item_id=ref.key if kind != "loss" else "", to_location="2" if kind == "transfer" else "",
            )
        )  # fmt: skip
    return found


def case() -> Case:
    """See cases."""
    return Case(
        connector=NetSuite,
        stand_in=StandIn,
        account=account,
        describe=describe,
        ignore=("/services/rest/auth/oauth2/v1/token",),
        page_sizes={"customers": PAGE, "listings": PAGE},
        seed_customers=seed_customers,
        seed_listings=seed_listings,
        location="1",
        another_location=lambda _: "2",
        missing_ref=ref_of("99999999", "NO-SUCH-SKU"),
        stock_of=lambda books, ref: int(books.state["items"][ref.key]["stock"]["1"]),
        fulfilment=fulfilment,
        order_content=order_content,
        movements=movements,
    )
