"""What comes in: orders, listings, and what Amazon shows of the stock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from finalmarket.connectors.answers import if_there, part_in, rows_in
from finalmarket.connectors.errors import Rejected, Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.moments import to_millisecond
from finalmarket.connectors.paging import in_parts, read_cursor, read_each, read_one, walk, write_cursor
from finalmarket.connectors.platforms.amazon import calls
from finalmarket.connectors.platforms.amazon.calls import Seller
from finalmarket.connectors.platforms.amazon.listings import (
    fba_stock_record,
    is_amazons,
    listing_record,
    stock_record,
)
from finalmarket.connectors.platforms.amazon.orders import moment, order_record
from finalmarket.connectors.records import ListingRecord, ListingRef, OrderRecord, Page, Raw, StockRecord
from finalmarket.kernel import clock

ORDERS_A_PAGE = 100
LISTINGS_A_PAGE = 20
MOST_LISTINGS_PAGED = 1_000  # of one search, says the model; beyond, a new one begins where it ended
MOST_MARKETPLACES = 50  # of one order search
MOST_FBA_PAGES = 60  # of at most fifty SKUs
MOST_BEGINNINGS = 5  # of one search whose page tokens end
# Amazon keeps orders of two years, and in Singapore, Japan and Australia those since 2016.
BEGINNING = datetime(2016, 1, 1, tzinfo=UTC)
# "Most updated orders data are available two minutes after": what comes later is met by reading a little twice.
USUAL_DELAY = timedelta(minutes=2)
OVERLAP = timedelta(minutes=3)
# A token of a page lives for a day; what Amazon answers to one that ended, it answers to any wrong parameter.
REFUSED_TOKEN = frozenset({"InvalidInput", "BAD_REQUEST", "InvalidRequest"})
BUYER_DATA = ("BUYER", "RECIPIENT")
ORDER_DATA = ("PROCEEDS", "PROMOTION", "CANCELLATION", "FULFILLMENT", "PACKAGES", "TAX", "PAYMENT")
LISTING_DATA = ("summaries", "attributes", "offers", "fulfillmentAvailability", "productTypes")


# Orders.


def pull_orders(
    seller: Seller, cursor: str, since: datetime | None, *, has_buyer_data: bool
) -> Iterator[Page[OrderRecord]]:
    """See PullsOrders. One search in three minutes is all that Amazon allows in the long run: the pages are big."""
    first = cursor or write_cursor(since=to_millisecond((since or BEGINNING).astimezone(UTC)))
    yield from walk(lambda at: _orders_page(seller, at, _order_data(has_buyer_data)), first)


def pull_order(seller: Seller, order_id: str, *, has_buyer_data: bool) -> OrderRecord | None:
    """See PullsOrders."""
    params = {"includedData": _order_data(has_buyer_data)}
    answer = if_there(lambda: seller.call(calls.GET_ORDER, order_id=order_id, params=params))
    return None if answer is None else read_one(part_in(answer, "order"), order_record)


def _orders_page(seller: Seller, cursor: str, data: Sequence[str]) -> Page[OrderRecord]:
    at = read_cursor(cursor)
    params = {
        "lastUpdatedAfter": at["since"],
        "marketplaceIds": seller.marketplace_ids[:MOST_MARKETPLACES],
        "maxResultsPerPage": ORDERS_A_PAGE,
        "includedData": data,
    }
    asked_at = clock.now()
    answer, begun = _page(seller, calls.SEARCH_ORDERS, params, "paginationToken", at)
    records, unreadable = read_each(rows_in(answer, "orders"), order_record, lambda raw: raw["orderId"])
    # The first page says up to which moment this search sees; the next search begins there, a little before.
    horizon = at.get("until") or answer.data.get("lastUpdatedBefore") or to_millisecond(asked_at - USUAL_DELAY)
    following = _following(answer, at.get("page", ""))
    if following:
        onward = write_cursor(since=at["since"], until=horizon, page=following, begun=begun)
        return Page(records, onward, unreadable=unreadable)
    later = max(moment(at["since"]), moment(horizon) - OVERLAP)
    return Page(records, write_cursor(since=to_millisecond(later)), is_last=True, unreadable=unreadable)


def _order_data(has_buyer_data: bool) -> tuple[str, ...]:
    return (*BUYER_DATA, *ORDER_DATA) if has_buyer_data else ORDER_DATA


# Listings.


def pull_listings(seller: Seller, cursor: str) -> Iterator[Page[ListingRecord]]:
    """See PullsListings."""
    yield from walk(lambda at: _listings_page(seller, at), cursor)


def _listings_page(seller: Seller, cursor: str) -> Page[ListingRecord]:
    at = read_cursor(cursor)
    params = {
        "marketplaceIds": seller.marketplace_ids,
        "includedData": LISTING_DATA,
        "sortBy": "createdDate",
        "sortOrder": "ASC",
        "pageSize": LISTINGS_A_PAGE,
        "createdAfter": at.get("after", ""),
    }
    answer, begun = _page(seller, calls.SEARCH_LISTINGS, params, "pageToken", at)
    raws = rows_in(answer, "items")
    places = tuple(seller.marketplace_ids)
    records, unreadable = read_each(raws, lambda raw: listing_record(raw, places), lambda raw: raw["sku"])
    is_anew = begun != at.get("begun", 1)
    seen = len(raws) if is_anew else int(at.get("seen", 0)) + len(raws)
    following = _following(answer, at.get("page", ""))
    if following and seen < MOST_LISTINGS_PAGED:
        onward = write_cursor(after=at.get("after"), page=following, seen=seen, begun=begun)
        return Page(records, onward, unreadable=unreadable)
    if seen >= MOST_LISTINGS_PAGED and int(answer.data.get("numberOfResults") or 0) > seen:
        return Page(records, write_cursor(after=_youngest(raws)), unreadable=unreadable)
    return Page(records, "", is_last=True, unreadable=unreadable)


def _youngest(raws: Sequence[Raw]) -> str:
    """When the youngest item of a page was made: the items of the next search are as old or younger. Raises
    Unintelligible where no item tells it."""
    youngest = read_one(raws, _last_made)
    if not youngest:
        raise Unintelligible("the listings do not tell from which moment on the next search has to begin")
    return youngest


def _last_made(raws: Sequence[Raw]) -> str:
    """The last day on which one of these items was made; "" where none tells. Every marketplace has a day of its own,
    and an item that came to a further one late is as old as on the first: what was made between comes after it."""
    told = [[str(summary["createdDate"]) for summary in raw.get("summaries") or []] for raw in raws]
    return max((min(dates, key=moment) for dates in told if dates), key=moment, default="")


# Stock.


def pull_stock(seller: Seller, refs: Sequence[ListingRef], location: str) -> Sequence[StockRecord]:
    """See PullsStock: of "" or a fulfilment channel the merchant's own quantities, of FBA or AMAZON_... what Amazon
    holds for the main marketplace."""
    wanted = {ref.sku or ref.key: ref.key for ref in refs}
    found = _fba_stock(seller, list(wanted), location) if is_amazons(location) else _own_stock(seller, wanted, location)
    return [
        StockRecord(key=wanted[record.sku], sku=record.sku, quantity=record.quantity, location=location)
        for record in found
        if record.sku in wanted
    ]


def _own_stock(seller: Seller, skus: Sequence[str] | dict[str, str], location: str) -> Iterator[StockRecord]:
    # A list is divided by commas, so a SKU that holds one has to be asked for alone.
    listed = [sku for sku in skus if "," not in sku]
    for some in in_parts(listed, LISTINGS_A_PAGE):
        params = {
            "marketplaceIds": seller.marketplace_ids,
            "identifiersType": "SKU",
            "identifiers": some,
            "includedData": ("summaries", "fulfillmentAvailability"),
            "pageSize": LISTINGS_A_PAGE,
        }
        for raw in rows_in(seller.call(calls.SEARCH_LISTINGS, params=params), "items"):
            record = stock_record(raw, location)
            if record is not None:
                yield record
    for sku in skus:
        if "," in sku:
            yield from _stock_of_one(seller, sku, location)


def _stock_of_one(seller: Seller, sku: str, location: str) -> Iterator[StockRecord]:
    params = {"marketplaceIds": seller.marketplace_ids, "includedData": ("summaries", "fulfillmentAvailability")}
    answer = if_there(lambda: seller.call(calls.GET_LISTING, sku=sku, params=params))
    record = None if answer is None else stock_record(answer.data, location)
    if record is not None:
        yield record


def _fba_stock(seller: Seller, skus: Sequence[str], location: str) -> Iterator[StockRecord]:
    listed = [sku for sku in skus if "," not in sku]
    asked: list[dict[str, Any]] = [{"sellerSku": sku} for sku in skus if "," in sku]
    if listed:
        asked.insert(0, {"sellerSkus": listed})
    for choice in asked:
        token = ""
        for _ in range(MOST_FBA_PAGES):
            params = {
                "details": True, "granularityType": "Marketplace", "granularityId": seller.main_marketplace_id,
                "marketplaceIds": [seller.main_marketplace_id], **choice, "nextToken": token,
            }  # fmt: skip
            answer = seller.call(calls.FBA_INVENTORY, params=params)
            for raw in part_in(answer, "payload").get("inventorySummaries") or []:
                yield fba_stock_record(raw, location)
            token = _following(answer, token)
            if not token:
                break


# Both.


def _page(
    seller: Seller, operation: calls.Operation, params: dict[str, Any], name: str, at: dict[str, Any]
) -> tuple[Answer, int]:
    """A page, and how often this search was begun. Where the token of the page has ended, the search begins anew:
    records come twice, none is lost."""
    token, begun = at.get("page", ""), int(at.get("begun", 1))
    if token:
        try:
            return seller.call(operation, params={**params, name: token}), begun
        except Rejected as error:
            if error.code not in REFUSED_TOKEN or begun >= MOST_BEGINNINGS:
                raise
    return seller.call(operation, params=params), begun + 1 if token else begun


def _following(answer: Answer, token: str) -> str:
    """The token of the next page; "" after the last one. Raises Unintelligible where it is that of this page again."""
    pagination = answer.data.get("pagination")
    following = str(pagination.get("nextToken") or "") if isinstance(pagination, dict) else ""
    if following and following == token:
        raise Unintelligible("Amazon gave the same page token a second time; going on would never end")
    return following
