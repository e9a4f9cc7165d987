"""What comes in from Square: orders, customers, listings, stock."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from finalmarket.connectors.answers import fields_in, if_there, part_in
from finalmarket.connectors.errors import Rejected, Unintelligible
from finalmarket.connectors.paging import in_parts, read_cursor, read_each, read_one, walk, write_cursor
from finalmarket.connectors.platforms.square import rounds
from finalmarket.connectors.platforms.square.amounts import changed_at
from finalmarket.connectors.platforms.square.calls import Located, items
from finalmarket.connectors.platforms.square.returns import is_given, refund_record, refunds_by_sale, sales_of
from finalmarket.connectors.platforms.square.rounds import Round
from finalmarket.connectors.platforms.square.words import (
    customer_record,
    is_order,
    listing_record,
    order_record,
    sold_variations,
    stock_record,
)
from finalmarket.connectors.records import (
    CustomerRecord,
    ListingRecord,
    ListingRef,
    OrderRecord,
    Page,
    Raw,
    RefundRecord,
    StockRecord,
    Unreadable,
)
from finalmarket.connectors.refusals import understood

ORDERS_A_PAGE = 100
ITEMS_A_PAGE = 100
CUSTOMERS_A_PAGE = 100  # the most
LOCATIONS_A_SEARCH = 10  # the most
ORDERS_A_LOOK_UP = 100  # the most
SHOWN_STATES = ("OPEN", "COMPLETED", "CANCELED")  # a draft is no order yet
CURSOR_ENDED = "INVALID_CURSOR"


class Reading(Located):
    """Pulls."""

    # Orders.

    def pull_orders(self, cursor: str, since: datetime | None) -> Iterator[Page[OrderRecord]]:
        """Orders of all locations, oldest change first (in groups of ten locations, where there are more)."""
        return walk(self._page_of_orders, rounds.first(cursor, since))

    def _page_of_orders(self, cursor: str) -> Page[OrderRecord]:
        this = Round.read(cursor)
        ids = sorted(str(one["id"]) for one in self.locations)
        groups = [ids[start : start + LOCATIONS_A_SEARCH] for start in range(0, len(ids), LOCATIONS_A_SEARCH)]
        if not groups:
            return Page((), cursor, is_last=True)
        group = groups[min(this.part, len(groups) - 1)]
        raws, following = self._searched(this, "orders", lambda: orders_wanted(this, group), is_sorted=True)
        records, unreadable = self._sales(this.sift(raws))
        is_last = this.follow(following, len(groups))
        return Page(records, this.write(), is_last, unreadable)

    def _searched(
        self, this: Round, stream: str, wanted: Callable[[], Raw], *, is_sorted: bool
    ) -> tuple[list[Raw], str]:
        """A page of a search, and Square's cursor of the next one. Where that has ended, the search begins anew."""
        for _ in range(2):
            try:
                data = fields_in(self.http.call("POST", f"/v2/{stream}/search", json=wanted(), repeatable=True))
                break
            except Rejected as refused:
                if refused.code != CURSOR_ENDED or not this.page:
                    raise
                this.ask_again(is_sorted=is_sorted)
        following = str(data.get("cursor") or "")
        if following and following == this.page:
            raise Unintelligible("the platform gave the same cursor a second time; going on would never end")
        return items(data, stream), following

    def _sales(self, raws: Sequence[Raw]) -> tuple[tuple[OrderRecord, ...], tuple[Unreadable, ...]]:
        """Sales among these orders, and those to which others of them give money back."""
        returns = [raw for raw in raws if raw.get("returns")]
        told, lost = read_each(returns, lambda raw: (refunds_by_sale(raw), changed_at(raw)), lambda raw: raw["id"])
        refunds: dict[str, list[RefundRecord]] = {}
        changes: dict[str, str] = {}
        for by_sale, changed in told:
            for sale, money_back in by_sale.items():
                refunds.setdefault(sale, []).extend(money_back)
                changes[sale] = max(changed, changes.get(sale, ""))
        here = {str(raw.get("id")) for raw in raws}
        more = self._looked_up([sale for sale in refunds if sale not in here])
        sales = [raw for raw in (*raws, *more) if is_order(raw)]
        records, unreadable = read_each(
            sales,
            lambda raw: order_record(raw, refunds.get(str(raw["id"]), ()), changes.get(str(raw["id"]), "")),
            lambda raw: raw["id"],
        )
        # An exchange is a sale of its own, which stands; only the money back belongs to none.
        return records, (*unreadable, *lost)

    def _looked_up(self, ids: Sequence[str]) -> list[Raw]:
        """Orders by id; Square leaves out those that it does not know."""
        found: list[Raw] = []
        for some in in_parts(ids, ORDERS_A_LOOK_UP):
            body = {"order_ids": list(some)}
            found += items(
                fields_in(self.http.call("POST", "/v2/orders/batch-retrieve", json=body, repeatable=True)), "orders"
            )
        return found

    def pull_order(self, external_id: str) -> OrderRecord | None:
        """One sale with the money that was given back. Asked for a mere return, it answers with the sale it goes to."""
        found = self._looked_up([external_id])
        if found and not is_order(found[0]) and found[0].get("returns"):
            found = self._looked_up(sales_of(found[0])[:1])
        if not found or not is_order(found[0]):
            return None
        with understood():
            refunds = self._refunds_of(found[0])
            changed = max((at for at, _ in refunds), default="")
            return order_record(found[0], [refund for _, refund in refunds], changed)

    def _refunds_of(self, raw: Raw) -> list[tuple[str, RefundRecord]]:
        """What was given back of an order's payments, each with its moment: the order itself does not tell."""
        found = []
        for payment_id in dict.fromkeys(tender.get("payment_id") for tender in raw.get("tenders") or ()):
            payment = self._one(f"/v2/payments/{quote(payment_id, safe='')}", "payment") if payment_id else None
            for refund_id in (payment or {}).get("refund_ids") or ():
                refund = self._one(f"/v2/refunds/{quote(refund_id, safe='')}", "refund")
                if refund is not None and is_given(refund):
                    found.append((changed_at(refund), refund_record(refund)))
        return found

    def _one(self, path: str, name: str) -> Raw | None:
        """One thing; None where Square has none of it."""
        return if_there(lambda: part_in(self.http.call("GET", path), name))

    # Customers.

    def pull_customers(self, cursor: str, since: datetime | None) -> Iterator[Page[CustomerRecord]]:
        """Customers changed since then, in the order of their making: Square cannot sort them by their change."""
        return walk(self._page_of_customers, rounds.first(cursor, since))

    def _page_of_customers(self, cursor: str) -> Page[CustomerRecord]:
        this = Round.read(cursor)
        raws, following = self._searched(this, "customers", lambda: customers_wanted(this), is_sorted=False)
        records, unreadable = read_each(this.sift(raws), customer_record, lambda raw: raw["id"])
        is_last = this.follow(following, 1)
        return Page(records, this.write(), is_last, unreadable)

    def pull_customer(self, external_id: str) -> CustomerRecord | None:
        """One customer."""
        raw = self._one(f"/v2/customers/{quote(external_id, safe='')}", "customer")
        return None if raw is None else read_one(raw, customer_record)

    # Listings and stock.

    stock_read_limit = 100

    def pull_listings(self, cursor: str) -> Iterator[Page[ListingRecord]]:
        """All variations of all items that are goods; from the last page's cursor on, those changed since."""
        return walk(self._page_of_listings, cursor)

    def _page_of_listings(self, cursor: str) -> Page[ListingRecord]:
        place = read_cursor(cursor)
        body = {"object_types": ["ITEM"], "limit": ITEMS_A_PAGE}
        wanted = {"begin_time": place.get("since"), "cursor": place.get("page")}
        try:
            data = fields_in(self._catalogue({**body, **given(wanted)}))
        except Rejected as refused:
            if refused.code != CURSOR_ENDED or not place.get("page"):
                raise
            place = {"since": place.get("since")}
            data = fields_in(self._catalogue({**body, **given({"begin_time": place["since"]})}))
        goods, no_goods = read_each(items(data, "objects"), sold_variations, lambda raw: raw["id"])
        raws = [{"item": item, "variation": variation} for item, variation in itertools.chain(*goods)]
        records, unreadable = read_each(
            raws, lambda raw: listing_record(raw["item"], raw["variation"]),
            lambda raw: raw["variation"]["id"],
        )  # fmt: skip
        page = str(data.get("cursor") or "")
        # What changes while we read is newer than the catalogue was at the first page.
        latest = place.get("latest") or data.get("latest_time") or place.get("since")
        following = (
            write_cursor(since=place.get("since"), page=page, latest=latest) if page else write_cursor(since=latest)
        )
        return Page(records, following, is_last=not page, unreadable=(*no_goods, *unreadable))

    def _catalogue(self, wanted: Raw) -> Any:
        return self.http.call("POST", "/v2/catalog/search", json=wanted, repeatable=True)

    def pull_stock(self, refs: Sequence[ListingRef], location: str = "") -> Sequence[StockRecord]:
        """What is in stock of these variations at one location: the given one, or the one that stock is set at."""
        if not refs:
            return ()
        skus = {ref.key: ref.sku for ref in refs}
        body: dict[str, Any] = {
            "catalog_object_ids": list(skus), "location_ids": [self.place_of(location)], "states": ["IN_STOCK"],
            "limit": 1000,
        }  # fmt: skip
        counts = self.all_of("/v2/inventory/counts/batch-retrieve", body, "counts")
        ours = [raw for raw in counts if raw.get("catalog_object_id") in skus]
        return [read_one(raw, partial(stock_record, sku=skus[raw["catalog_object_id"]])) for raw in ours]


def given(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty."""
    return {name: value for name, value in wanted.items() if value not in (None, "")}


def orders_wanted(this: Round, locations: Sequence[str]) -> Raw:
    """The search for orders: by change, oldest first. Square wants the filter and the order to name one moment."""
    chosen: dict[str, Any] = {"state_filter": {"states": list(SHOWN_STATES)}}
    if this.start:
        chosen["date_time_filter"] = {"updated_at": {"start_at": this.start}}
    query = {"filter": chosen, "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"}}
    body = {"location_ids": list(locations), "query": query, "limit": ORDERS_A_PAGE, "return_entries": False}
    return {**body, **given({"cursor": this.page})}


def customers_wanted(this: Round) -> Raw:
    """The search for customers."""
    query: dict[str, Any] = {"sort": {"field": "CREATED_AT", "order": "ASC"}}
    if this.start:
        query["filter"] = {"updated_at": {"start_at": this.start}}
    return {"query": query, "limit": CUSTOMERS_A_PAGE, **given({"cursor": this.page})}
