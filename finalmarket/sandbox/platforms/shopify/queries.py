"""What can be asked of a shop: the fields of QueryRoot that a hub uses."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.shopify import views
from finalmarket.sandbox.platforms.shopify.query_language import QueryFault
from finalmarket.sandbox.platforms.shopify.shop import Shop, Thing
from finalmarket.sandbox.platforms.shopify.views import View
from finalmarket.sandbox.stand_in import part_of

MOST_IDS = 250
Query = Callable[[Shop, View, Fault | None], Any]
_SINCE = re.compile(r"updated_at:>='(?P<at>[^']+)'")
_BEYOND = re.compile(r"id:>(?P<number>\d+)")
_SKU = re.compile(r"sku:'(?P<sku>(?:[^'\\]|\\.)*)'")


def account(shop: Shop, asked: View, fault: Fault | None) -> View:
    """shop"""
    return {
        "__typename": "Shop", "name": shop.name, "myshopifyDomain": shop.domain, "currencyCode": shop.currency,
    }  # fmt: skip


def installation(shop: Shop, asked: View, fault: Fault | None) -> View:
    """currentAppInstallation"""
    scopes = [{"__typename": "AccessScope", "handle": scope} for scope in shop.scopes]
    return {"__typename": "AppInstallation", "accessScopes": scopes}


def locations(shop: Shop, asked: View, fault: Fault | None) -> View:
    """locations"""
    nodes = [
        {"__typename": "Location", "id": one["id"], "name": one["name"], "isActive": one["is_active"]}
        for one in shop.locations.values()
    ]
    return views.connection(nodes)(asked)


def orders(shop: Shop, asked: View, fault: Fault | None) -> View:
    """orders, by the moment of their change"""
    found = list(shop.orders.values())
    since = _since(asked)
    if since is not None:
        found = [one for one in found if one["updated"] >= since]
    return _by_change(found, asked, fault, lambda one: views.order(shop, one))


def customers(shop: Shop, asked: View, fault: Fault | None) -> View:
    """customers, by the moment of their change; the filter goes by whole days"""
    found = list(shop.customers.values())
    since = _since(asked)
    if since is not None:
        found = [one for one in found if one["updated"].date() >= since.date()]
    return _by_change(found, asked, fault, views.customer)


def _since(asked: View) -> datetime | None:
    match = _SINCE.fullmatch(asked.get("query") or "")
    if asked.get("query") and match is None:
        raise QueryFault(f"this practice shop does not search by {asked['query']!r}")
    return datetime.fromisoformat(match["at"]) if match else None


def _by_change(found: list[Thing], asked: View, fault: Fault | None, view: Callable[[Thing], View]) -> View:
    """One page in the order of change. The cursor names the last one by its moment and id, so that what changes
    meanwhile moves to the end and shifts nothing."""
    if asked.get("sortKey") != "UPDATED_AT":
        raise QueryFault("this practice shop sorts by UPDATED_AT")
    found.sort(key=lambda one: (one["updated"], len(one["id"]), one["id"]))
    return _page(found, asked, fault, view, _place)


def _place(one: Thing) -> str:
    return f"{one['updated'].isoformat(timespec='microseconds')} {views.number(one['id']):>20}"


def _page(
    found: list[Thing], asked: View, fault: Fault | None, view: Callable[[Thing], View], place: Callable[[Thing], str]
) -> View:
    if fault is Fault.CURSOR_EXPIRED and asked.get("after"):
        raise views.INVALID_CURSOR
    after = views.read_cursor(asked["after"]) if asked.get("after") else ""
    start = bisect_right(found, after, key=place)
    page, following = part_of(found, start, views.page_size(asked), fault)
    last = found[following - 1] if following else found[-1] if found else None
    cursor = views.write_cursor(place(last)) if last else None
    return {
        "nodes": [view(one) for one in page],
        "pageInfo": views.page_info(following is not None, cursor),
    }


def variants(shop: Shop, asked: View, fault: Fault | None) -> View:
    """productVariants, by id; found by SKU as loosely as a search does"""
    found = list(shop.variants.values())
    query = asked.get("query") or ""
    beyond, sku = _BEYOND.fullmatch(query), _SKU.fullmatch(query)
    if beyond:
        found = [one for one in found if int(views.number(one["id"])) > int(beyond["number"])]
    elif sku:
        wanted = re.sub(r"\\(.)", r"\1", sku["sku"]).lower()
        found = [one for one in found if one["sku"].lower().startswith(wanted)]
    elif query:
        raise QueryFault(f"this practice shop does not search by {query!r}")
    return _page(
        found, asked, fault, lambda one: views.variant(shop, one), lambda one: f"{views.number(one['id']):>20}"
    )


def nodes(shop: Shop, asked: View, fault: Fault | None) -> Sequence[View | None]:
    """nodes, of inventory items"""
    if len(asked["ids"]) > MOST_IDS:
        raise QueryFault(
            f"The input array size of {len(asked['ids'])} is greater than the maximum allowed of {MOST_IDS}.",
            "MAX_INPUT_SIZE_EXCEEDED",
        )
    found = (shop.items.get(each) for each in asked["ids"])
    return [views.inventory_item(shop, one) if one else None for one in found]


def customer_by_identifier(shop: Shop, asked: View, fault: Fault | None) -> View | None:
    """customerByIdentifier"""
    ((field, value),) = asked["identifier"].items()
    names = {"emailAddress": "email", "phoneNumber": "phone", "id": "id"}
    found = shop.customer_by(names[field], value)
    return views.customer(found) if found else None


def publications(shop: Shop, asked: View, fault: Fault | None) -> View:
    """publications"""
    return views.connection(
        [
            {"__typename": "Publication", "id": one["id"],
             "channels": views.connection([{"__typename": "Channel", "name": one["name"]}])}
            for one in shop.publications.values()
        ]
    )(asked)  # fmt: skip


def subscriptions(shop: Shop, asked: View, fault: Fault | None) -> View:
    """webhookSubscriptions, of one address"""
    found = [one for one in shop.subscriptions.values() if asked.get("uri") in (None, one["uri"])]
    return views.connection([subscription(one) for one in found])(asked)


def subscription(one: Thing) -> View:
    """WebhookSubscription."""
    return {"__typename": "WebhookSubscription", "id": one["id"], "topic": one["topic"], "uri": one["uri"]}


def _one(things: Callable[[Shop], dict[str, Thing]], view: Callable[[Shop, Thing], View]) -> Query:
    def find(shop: Shop, asked: View, fault: Fault | None) -> View | None:
        found = things(shop).get(asked["id"])
        return view(shop, found) if found else None

    return find


def _within_orders(list_name: str, view: Callable[[Shop, Thing, Thing], View]) -> Query:
    """Something that lies within an order, by its id."""

    def find(shop: Shop, asked: View, fault: Fault | None) -> View | None:
        found = shop.part(list_name, asked["id"])
        return view(shop, *found) if found else None

    return find


QUERIES: dict[str, Query] = {
    "shop": account,
    "currentAppInstallation": installation,
    "locations": locations,
    "orders": orders,
    "order": _one(lambda shop: shop.orders, views.order),
    "refund": _within_orders("refunds", views.refund),
    "fulfillment": _within_orders("fulfillments", lambda shop, order, each: views.fulfilment(each)),
    "fulfillmentOrder": _within_orders("fulfillment_orders", lambda shop, order, each: views.fulfilment_order(each)),
    "productVariants": variants,
    "product": _one(lambda shop: shop.products, views.product),
    "nodes": nodes,
    "customers": customers,
    "customer": _one(lambda shop: shop.customers, lambda shop, one: views.customer(one)),
    "customerByIdentifier": customer_by_identifier,
    "publications": publications,
    "webhookSubscriptions": subscriptions,
}
