"""Orders by their last change, in windows of time that are small enough to come in one answer.

eBay says nowhere in which order it lists orders, and an offset into a list that changes meanwhile loses some. A window
that lies in the past and fits into one answer is whole, and is put in order here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from finalmarket.connectors.answers import fields_in, if_there, rows_in
from finalmarket.connectors.errors import Rejected, Unintelligible
from finalmarket.connectors.http import Http
from finalmarket.connectors.moments import to_millisecond, utc
from finalmarket.connectors.paging import read_cursor, read_each, read_one, walk, write_cursor
from finalmarket.connectors.platforms.ebay.calls import FULFILLMENT
from finalmarket.connectors.platforms.ebay.orders import order_record
from finalmarket.connectors.records import OrderRecord, Page, Raw
from finalmarket.kernel import clock

ORDERS_A_PAGE = 200
OLDEST = timedelta(days=729)  # "up to two years old"
OVERLAP = timedelta(minutes=5)  # what reaches the index late, and clocks that differ
INSTANT = timedelta(milliseconds=1)
MOST_TRIES = 100
MOST_OF_AN_INSTANT = 50  # pages
NO_SUCH_ORDER = ("32100", "34913")
WHOLE = {"fieldGroups": "TAX_BREAKDOWN"}  # totals with the taxes that eBay collects


def pull_orders(http: Http, cursor: str, since: datetime | None) -> Iterator[Page[OrderRecord]]:
    """See PullsOrders."""
    oldest = clock.now() - OLDEST
    begin = max(since.astimezone(UTC), oldest) if since else oldest
    yield from walk(lambda at: _page(http, at), cursor or write_cursor(since=to_millisecond(begin)))


def pull_order(http: Http, order_id: str) -> OrderRecord | None:
    """See PullsOrders."""
    path = f"{FULFILLMENT}/order/{quote(order_id, safe='')}"
    raw = if_there(lambda: fields_in(http.call("GET", path, params=WHOLE)), *NO_SUCH_ORDER)
    return None if raw is None else read_one(raw, lambda told: order_record(told, parcels_of(http, told)))


def parcels_of(http: Http, raw: Raw) -> list[Raw]:
    """The shipping fulfilments of an order, which the order itself only points to."""
    if not raw.get("fulfillmentHrefs"):
        return []
    path = f"{FULFILLMENT}/order/{quote(str(raw['orderId']), safe='')}/shipping_fulfillment"
    try:
        return rows_in(http.call("GET", path), "fulfillments")
    except Rejected as error:
        raise ValueError(f"its shipping fulfilments cannot be had: {error.reason}") from None


def _page(http: Http, cursor: str) -> Page[OrderRecord]:
    """The next window that holds orders, or all up to the present where there are none."""
    at = read_cursor(cursor)
    start, step = utc(at["since"]), timedelta(milliseconds=int(at.get("step") or 0))
    asked_at = horizon = clock.now()
    crowded: datetime | None = None  # up to there are more orders than a page holds
    for _ in range(MOST_TRIES):
        end = start + step if step and start + step < horizon else None
        total, raws = _ask(http, start, end)
        horizon = max(horizon, _latest(raws))  # eBay's clock may be ahead of ours
        if total > ORDERS_A_PAGE and (end or horizon) - start > INSTANT:
            crowded = end or horizon
        elif total > ORDERS_A_PAGE:
            raws = _instant(http, start, end, raws)
            break
        elif end is None or raws:
            break
        else:
            start = end
        step = max(INSTANT, (crowded - start) / 2) if crowded else step * 4
    else:
        raise Unintelligible("eBay counts the same orders in every window of time")
    raws = sorted(raws, key=lambda raw: (str(raw.get("lastModifiedDate")), str(raw.get("orderId"))))
    records, unreadable = read_each(
        raws, lambda raw: order_record(raw, parcels_of(http, raw)), lambda raw: raw["orderId"]
    )
    if end is None:
        later = max(start, asked_at - OVERLAP)
        return Page(records, write_cursor(since=to_millisecond(later)), is_last=True, unreadable=unreadable)
    following = step * 2 if total < ORDERS_A_PAGE // 2 else step
    onward = write_cursor(since=to_millisecond(end), step=following // INSTANT)
    return Page(records, onward, unreadable=unreadable)


def _latest(raws: list[Raw]) -> datetime:
    """The latest change of these orders, as far as they tell."""
    found = [datetime.min.replace(tzinfo=UTC)]
    for raw in raws:
        with suppress(ValueError, TypeError):
            found.append(utc(raw["lastModifiedDate"]) if raw.get("lastModifiedDate") else found[0])
    return max(found)


def _ask(http: Http, start: datetime, end: datetime | None, offset: int = 0) -> tuple[int, list[Raw]]:
    """How many orders changed in a window, both ends included, and the first of them from `offset` on."""
    until = to_millisecond(end) if end else ""
    params: dict[str, Any] = {
        "filter": f"lastmodifieddate:[{to_millisecond(start)}..{until}]", "limit": str(ORDERS_A_PAGE),
        "offset": str(offset), **WHOLE,
    }  # fmt: skip
    answer = http.call("GET", f"{FULFILLMENT}/order", params=params)
    total = fields_in(answer).get("total")
    if not isinstance(total, int):
        raise Unintelligible("eBay does not say how many orders there are", status=answer.status)
    return total, rows_in(answer, "orders")


def _instant(http: Http, start: datetime, end: datetime | None, first: list[Raw]) -> list[Raw]:
    """All orders of a window that cannot be narrower, page by page."""
    found = {str(raw.get("orderId")): raw for raw in first}
    for number in range(1, MOST_OF_AN_INSTANT):
        total, raws = _ask(http, start, end, number * ORDERS_A_PAGE)
        fresh = {name: raw for raw in raws if (name := str(raw.get("orderId"))) not in found}
        if raws and not fresh:
            raise Unintelligible("eBay gives the same orders on every page; going on would never end")
        found |= fresh
        if (number + 1) * ORDERS_A_PAGE >= total or not raws:
            return list(found.values())
    raise Unintelligible(f"more than {MOST_OF_AN_INSTANT} pages of orders changed within one instant")
