"""Shopify: what comes in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from finalmarket.connectors.errors import Rejected, Unintelligible
from finalmarket.connectors.paging import READING_ERRORS, Mapped, read_cursor, read_each, read_one, walk, write_cursor
from finalmarket.connectors.platforms.shopify.entrance import Entrance
from finalmarket.connectors.platforms.shopify.orders import moment, order_record
from finalmarket.connectors.platforms.shopify.words import customer_record, gid, listing_record, number_of, stamp
from finalmarket.connectors.records import (
    CustomerRecord,
    ListingRecord,
    ListingRef,
    OrderRecord,
    Page,
    Raw,
    StockRecord,
)

ORDERS_A_PAGE = 7
VARIANTS_A_PAGE = 50
CUSTOMERS_A_PAGE = 50
# Changes may become visible after later ones did: every run looks back a little.
OVERLAP = timedelta(minutes=2)
MOST_PAGES_WITHIN = 200


class Incoming(Entrance):
    """Pulls."""

    stock_read_limit = 100

    # Orders and customers: by the moment they changed.

    def pull_orders(self, cursor: str, since: datetime | None) -> Iterator[Page[OrderRecord]]:
        """See PullsOrders."""
        return self._changes("Orders", "orders", ORDERS_A_PAGE, cursor, since, self._order)

    def pull_order(self, external_id: str) -> OrderRecord | None:
        """See PullsOrders."""
        raw = self.ask("Order", {"id": gid("Order", external_id)})["order"]
        return None if raw is None else read_one(raw, self._order)

    def pull_customers(self, cursor: str, since: datetime | None) -> Iterator[Page[CustomerRecord]]:
        """See PullsCustomers."""
        return self._changes("Customers", "customers", CUSTOMERS_A_PAGE, cursor, since, customer_record)

    def pull_customer(self, external_id: str) -> CustomerRecord | None:
        """See PullsCustomers."""
        raw = self.ask("Customer", {"id": gid("Customer", external_id)})["customer"]
        return None if raw is None else read_one(raw, customer_record)

    def _changes(
        self, document: str, field: str, size: int, cursor: str, since: datetime | None, read: Callable[[Raw], Mapped]
    ) -> Iterator[Page[Mapped]]:
        """Pages of what changed, the oldest change first. The cursor holds the moment from which on is asked; within a
        run also Shopify's page, and the newest change seen, from which the place is found again when the page ended."""

        def fetch(cursor: str) -> Page[Mapped]:
            parts = read_cursor(cursor)
            start, newest = str(parts.get("since", "")), str(parts.get("newest", ""))
            try:
                found = self._page(document, field, size, parts.get("page"), changed_since(start))
            except Rejected as error:
                if "page" not in parts or not is_ended_cursor(error):
                    raise
                start = earlier(newest) or start
                found = self._page(document, field, size, None, changed_since(start))
            newest = max([newest, *map(changed_at, found["nodes"])])
            records, unreadable = read_each(found["nodes"], read, lambda raw: raw["id"])
            if found["pageInfo"]["hasNextPage"]:
                following = write_cursor(since=start, page=found["pageInfo"]["endCursor"], newest=newest)
                return Page(records, following, False, unreadable)
            return Page(records, write_cursor(since=earlier(newest) or start), True, unreadable)

        return walk(fetch, cursor or write_cursor(since=stamp(since) if since else ""))

    def _page(self, document: str, field: str, size: int, after: str | None, filter_text: str | None) -> Raw:
        """One page; a smaller one where Shopify finds it too dear."""
        first = self._sizes.get(document, size)
        while True:
            try:
                return connection(self.ask(document, {"first": first, "after": after, "filter": filter_text}), field)
            except Rejected as error:
                if error.code != "MAX_COST_EXCEEDED" or first == 1:
                    raise
                first = self._sizes[document] = first // 2

    @cached_property
    def _sizes(self) -> dict[str, int]:
        """Page sizes, where the usual one proved too dear, by document."""
        return {}

    # The rest of an order whose lists are longer than one page of them.

    def _order(self, raw: Raw) -> OrderRecord:
        """The order with all its lines, refunds and parcels."""
        whole = dict(raw)
        for field, document in (("lineItems", "OrderLines"), ("shippingLines", "OrderShipping")):
            whole[field] = self.whole_list(raw, field, document, "order")
        whole["refunds"] = [
            {**refund, "refundLineItems": self.whole_list(refund, "refundLineItems", "RefundLines", "refund")}
            for refund in raw["refunds"]
        ]
        whole["fulfillments"] = [self.whole_parcel(parcel) for parcel in raw["fulfillments"]]
        return order_record(whole)

    def whole_parcel(self, raw: Raw) -> Raw:
        """A parcel with all its lines."""
        field = "fulfillmentLineItems"
        return {**raw, field: self.whole_list(raw, field, "ParcelLines", "fulfillment")}

    def whole_list(self, owner: Raw, field: str, document: str, root: str) -> Raw:
        """A list of something, read to its end. Raises ValueError where that does not come."""
        nodes, page = list(owner[field]["nodes"]), owner[field]["pageInfo"]
        for _ in range(MOST_PAGES_WITHIN):
            if not page["hasNextPage"]:
                return {"nodes": nodes, "pageInfo": page}
            more = connection(self.ask(document, {"id": owner["id"], "after": page["endCursor"]})[root] or {}, field)
            nodes += more["nodes"]
            page = more["pageInfo"]
        raise ValueError(f"{owner['id']} has more {field} than can be read")

    # Listings and stock.

    def pull_listings(self, cursor: str) -> Iterator[Page[ListingRecord]]:
        """See PullsListings: every variant of every product, by id. A run that ended begins anew."""

        def fetch(cursor: str) -> Page[ListingRecord]:
            parts = read_cursor(cursor)
            beyond = str(parts.get("beyond", ""))
            try:
                data = self._variants(parts.get("page"), beyond)
            except Rejected as error:
                if "page" not in parts or not is_ended_cursor(error):
                    raise
                beyond = str(parts.get("last", ""))
                data = self._variants(None, beyond)
            found, currency = connection(data, "productVariants"), data["shop"]["currencyCode"]
            records, unreadable = read_each(
                found["nodes"], lambda raw: listing_record(raw, currency), lambda raw: raw["id"]
            )
            if not found["pageInfo"]["hasNextPage"]:
                return Page(records, write_cursor(), True, unreadable)
            last = number_of(found["nodes"][-1]["id"]) if found["nodes"] else parts.get("last", "")
            following = write_cursor(page=found["pageInfo"]["endCursor"], beyond=beyond, last=last)
            return Page(records, following, False, unreadable)

        return walk(fetch, cursor or write_cursor())

    def _variants(self, after: str | None, beyond: str) -> Raw:
        """One page of variants, those beyond an id if one is given."""
        filter_text = f"id:>{beyond}" if beyond else None
        return self.ask("Variants", {"first": VARIANTS_A_PAGE, "after": after, "filter": filter_text})

    def pull_stock(self, refs: Sequence[ListingRef], location: str = "") -> Sequence[StockRecord]:
        """See PullsStock: what is available. An item that is not stocked at a named location shows 0 there."""
        named = location or self.account.settings.get("location", "")
        found: list[StockRecord] = []
        for place in [gid("Location", named)] if named else self.open_locations:
            found += self._stock_at(refs, place, is_named=bool(named))
        return found

    def _stock_at(self, refs: Sequence[ListingRef], place: str, *, is_named: bool) -> Iterator[StockRecord]:
        items = list(dict.fromkeys(ref.ids["item"] for ref in refs if ref.ids.get("item")))
        if not items:
            return
        nodes = self.ask("Stock", {"items": items, "location": place})["nodes"]
        found = {node["id"]: node for node in nodes if node and node["__typename"] == "InventoryItem"}
        for ref in refs:
            node = found.get(ref.ids.get("item", ""))
            if node is None or (node["inventoryLevel"] is None and not is_named):
                continue
            quantity = available(node["inventoryLevel"])
            yield StockRecord(key=ref.key, quantity=quantity, location=place, sku=node.get("sku") or "")

    @cached_property
    def open_locations(self) -> Sequence[str]:
        """The ids of the shop's active locations, asked for once."""
        nodes = self.ask("Locations")["locations"]["nodes"]
        return [node["id"] for node in nodes if node["isActive"]]


def available(level: Mapping[str, Any] | None) -> int:
    """The available quantity of an inventory level."""
    if level is None:
        return 0
    return next((int(one["quantity"]) for one in level["quantities"] if one["name"] == "available"), 0)


def changed_since(start: str) -> str | None:
    """Shopify's filter for what changed at that moment or later."""
    return f"updated_at:>='{start}'" if start else None


def changed_at(raw: Raw) -> str:
    """When a record changed, as text that sorts; "" where it does not say."""
    try:
        return stamp(moment(raw["updatedAt"]))
    except READING_ERRORS:
        return ""


def earlier(text: str) -> str:
    """A moment, moved back by the overlap; "" for none."""
    return stamp(moment(text) - OVERLAP) if text else ""


def is_ended_cursor(error: Rejected) -> bool:
    """Whether Shopify refused a page cursor; it has no code of its own for that."""
    return "cursor" in error.reason.lower()


def connection(owner: Raw, field: str) -> Raw:
    """A list with its page information. Raises Unintelligible where there is none."""
    found = owner.get(field)
    if not isinstance(found, dict) or not isinstance(found.get("nodes"), list) or "pageInfo" not in found:
        raise Unintelligible(f"Shopify's answer has no list of {field}")
    return found
