"""Clover under the conformance suite.

Clover publishes no description: objects are judged by the data classes of its own SDK, calls by the list of them below,
which follows its reference.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.clover import Clover
from finalmarket.connectors.records import CustomerContent, Delivery, ListingContent, ListingRef, RefundNotice
from finalmarket.sandbox.platforms.clover import Clover as StandIn
from finalmarket.sandbox.platforms.clover.store import AUTH_CODE, MERCHANT, TOKEN
from tests.connectors.cases import Case
from tests.connectors.descriptions import Description, vendor_apis
from tests.connectors.descriptions.dialect import Document
from tests.connectors.descriptions.resources import Resources

ERRORS = {"type": "object"}
HOME = "/v3/merchants/{mId}"
LIST = ("filter", "expand", "limit", "offset")
REFUND = {
    "type": "object",
    "required": ["id", "charge", "amount", "status"],
    "properties": {
        "id": {"type": "string"}, "charge": {"type": "string"}, "amount": {"type": "integer"},
        "status": {"type": "string"},
    },
}  # fmt: skip
REFUNDS = {"type": "object", "required": ["data"], "properties": {"data": {"type": "array", "items": REFUND}}}
REFUND_ASKED = {
    "type": "object",
    "required": ["charge"],
    "properties": {"charge": {"type": "string"}, "amount": {"type": "integer"}},
}
_count = itertools.count(1)


def _object(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _list(name: str) -> dict[str, Any]:
    elements = {"type": "array", "items": _object(name)}
    return {"type": "object", "required": ["elements"], "properties": {"elements": elements}}


def _call(answer: Any, asked: Any = None, query: Sequence[str] = ()) -> dict[str, Any]:
    """One call, as an OpenAPI operation. A filter may come several times."""
    kinds = {"filter": {"type": "array", "items": {"type": "string"}}, "limit": {"type": "integer"}}
    told: dict[str, Any] = {
        "parameters": [{"name": name, "in": "query", "schema": kinds.get(name, {})} for name in query],
        "responses": {"200": {"content": {"application/json": {"schema": answer}}}},
    }
    if asked is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": asked}}}
    return told


@cache
def describe() -> Description:
    """The calls, with the objects of the vendor's own SDK."""
    objects = json.loads((vendor_apis() / "clover" / "clover-v3-objects.derived.schema.json").read_text())["$defs"]
    order, item, customer, stock = map(
        _object, ("order.Order", "inventory.Item", "customers.Customer", "inventory.ItemStock")
    )
    expand = ("expand",)
    paths: Mapping[str, Any] = {
        HOME: {"get": _call(_object("merchant.Merchant"))},
        f"{HOME}/orders": {"get": _call(_list("order.Order"), query=LIST)},
        f"{HOME}/orders/{{id}}": {"get": _call(order, query=expand)},
        f"{HOME}/items": {"get": _call(_list("inventory.Item"), query=LIST), "post": _call(item, item)},
        f"{HOME}/items/{{id}}": {"get": _call(item, query=expand), "post": _call(item, item)},
        f"{HOME}/item_stocks/{{id}}": {"get": _call(stock), "post": _call(stock, stock)},
        f"{HOME}/customers": {"get": _call(_list("customers.Customer"), query=LIST), "post": _call(customer, customer)},
        f"{HOME}/customers/{{id}}": {
            "get": _call(customer, query=expand),
            "post": _call(customer, customer),
            "delete": _call(customer),
        },
        "/v1/refunds": {"get": _call(REFUNDS, query=("charge", "limit")), "post": _call(REFUND, REFUND_ASKED)},
    }
    return Resources([Document({"openapi": "3.1.0", "paths": paths, "$defs": objects})], ERRORS)


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    secrets = {"access_token": TOKEN, "webhook_auth_code": AUTH_CODE}
    return Account(secrets, {"merchant_id": MERCHANT}, base_url=address)


def _moments(shop: Any, count: int) -> list[datetime]:
    """So many moments up to the present one, a second apart."""
    return [shop.now() - timedelta(seconds=count - number) for number in range(count)]


def seed_listings(shop: Any, count: int) -> list[ListingRef]:
    """Items with a stock of 5, for 10.00."""
    refs = []
    for _ in range(count):
        sku = f"SKU-{next(_count)}"
        key = shop.add_listing(sku, f"Thing {sku}", Decimal("10.00"), 5)
        refs.append(ListingRef(key=key, sku=sku, ids={"item": key}))
    return refs


def sku_of(shop: Any) -> str:
    """Something to sell, of which there is plenty."""
    if "PLENTY" not in shop.listings():
        shop.add_listing("PLENTY", "Plenty", Decimal("10.00"), 100_000)
    return "PLENTY"


def _seed_orders(shop: Any, count: int) -> list[str]:
    sku = sku_of(shop)
    return [
        shop.order((sku, 1 + number % 3), online=number % 2 == 1, at=at)
        for number, at in enumerate(_moments(shop, count))
    ]


def _seed_customers(shop: Any, count: int) -> list[str]:
    return [
        shop.new_customer(
            {"firstName": "Buyer", "lastName": str(number),
             "emailAddresses": [{"id": shop.new_id(), "emailAddress": f"buyer-{next(_count)}@example.com"}]},
            at=at,
        )["id"]
        for number, at in enumerate(_moments(shop, count))
    ]  # fmt: skip


def _seed_unknown_order(shop: Any) -> tuple[str, str]:
    name = shop.order((sku_of(shop), 1))
    shop.state["orders"][name]["payments"][0]["result"] = "TELEPORTED"
    return name, "TELEPORTED"


def _refund(shop: Any) -> RefundNotice:
    order = shop.order((sku_of(shop), 2), online=True)
    payment = shop.state["orders"][order]["payments"][0]["id"]
    return RefundNotice(
        key=f"refund-key-{next(_count)}", order_id=order, payment_id=payment, amount=Decimal("12.50"), currency="USD",
        reason="return",
    )  # fmt: skip


def _new_listings(shop: Any, count: int) -> list[ListingContent]:
    numbers = [next(_count) for _ in range(count)]
    return [
        ListingContent(
            ref=ListingRef(key=f"NEW-{number}", sku=f"NEW-{number}"), key=f"listing-{number}", title=f"New {number}",
            barcode=f"{number:012d}", price=Decimal("19.90"), currency="USD",
        )
        for number in numbers
    ]  # fmt: skip


def _customer(shop: Any) -> CustomerContent:
    number = next(_count)
    return CustomerContent(key=f"customer-{number}", name="Ada Lovelace", email=f"ada-{number}@example.org")


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """A delivery with the app's auth code; nothing of it is signed."""
    change = {"objectId": f"{topic}:GHIVJT2ABCRSC", "type": "UPDATE", "ts": int(sent_at.timestamp() * 1000)}
    body = json.dumps({"appId": "PRACTICEAPP01", "merchants": {MERCHANT: [change]}}).encode()
    headers = {"Content-Type": "application/json", "X-Clover-Auth": account.secrets.get("webhook_auth_code", "")}
    return Delivery("https://hub.example/hooks/clover-1", headers, body, sent_at)


def case() -> Case:
    """See cases."""
    return Case(
        connector=Clover, stand_in=StandIn, account=account, describe=describe, ignore=("/oauth/v2/",),
        currency="USD", page_sizes={"orders": 100, "listings": 100, "customers": 100},
        seed_orders=_seed_orders, seed_customers=_seed_customers, seed_listings=seed_listings,
        seed_unknown_order=_seed_unknown_order,
        missing_ref=ListingRef(key="NOSUCHITEM001", sku="NO-SUCH-SKU", ids={"item": "NOSUCHITEM001"}),
        stock_of=lambda shop, ref: int(shop.state["items"][ref.key]["itemStock"]["quantity"]),
        price_of=lambda shop, ref: Decimal(shop.state["items"][ref.key]["price"]) / 100,
        new_listings=_new_listings,
        bad_listing=ListingContent(
            ref=ListingRef(key="BAD", sku="BAD"), key="listing-bad", title="", price=Decimal("1.00"), currency="USD"
        ),
        refund=_refund, customer=_customer, deliver=deliver, subscribes_by_hand=True, unknown_topic="WX",
        signature_headers=("X-Clover-Auth",), signs_body=False,
    )  # fmt: skip
