"""The operations that are called, each with its own budget, and the account on whose behalf they are.

Paths, rates and bursts are those of Amazon's published models (see described_in); an account that was given more tells
so in the header x-amzn-RateLimit-Limit, which is learned from every answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from finalmarket.connectors.http import Answer, Http, retry_after
from finalmarket.connectors.rates import Budget, Rate

RATE_HEADER = "x-amzn-ratelimit-limit"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation by Amazon's name for it, which is also the name of its budget."""

    name: str
    method: str
    path: str
    rate: Rate


ITEMS = "/listings/2021-08-01/items/{seller_id}"
ITEM = ITEMS + "/{sku}"
FEEDS = "/feeds/2021-06-30"
NOTIFICATIONS = "/notifications/v1"

SEARCH_ORDERS = Operation("searchOrders", "GET", "/orders/2026-01-01/orders", Rate(0.0056, burst=20))
GET_ORDER = Operation("getOrder", "GET", "/orders/2026-01-01/orders/{order_id}", Rate(0.5, burst=30))
CONFIRM_SHIPMENT = Operation(
    "confirmShipment", "POST", "/orders/v0/orders/{order_id}/shipmentConfirmation", Rate(2, burst=10)
)
SEARCH_LISTINGS = Operation("searchListingsItems", "GET", ITEMS, Rate(5, burst=5))
GET_LISTING = Operation("getListingsItem", "GET", ITEM, Rate(5, burst=10))
PATCH_LISTING = Operation("patchListingsItem", "PATCH", ITEM, Rate(5, burst=5))
PUT_LISTING = Operation("putListingsItem", "PUT", ITEM, Rate(5, burst=10))
FBA_INVENTORY = Operation("getInventorySummaries", "GET", "/fba/inventory/v1/summaries", Rate(2, burst=2))
CREATE_FEED_DOCUMENT = Operation("createFeedDocument", "POST", FEEDS + "/documents", Rate(0.5, burst=15))
CREATE_FEED = Operation("createFeed", "POST", FEEDS + "/feeds", Rate(0.0083, burst=15))
GET_FEED = Operation("getFeed", "GET", FEEDS + "/feeds/{feed_id}", Rate(2, burst=15))
CANCEL_FEED = Operation("cancelFeed", "DELETE", FEEDS + "/feeds/{feed_id}", Rate(2, burst=15))
GET_FEED_DOCUMENT = Operation("getFeedDocument", "GET", FEEDS + "/documents/{document_id}", Rate(0.0222, burst=10))
PARTICIPATIONS = Operation(
    "getMarketplaceParticipations", "GET", "/sellers/v1/marketplaceParticipations", Rate(0.016, burst=15)
)
GET_DESTINATIONS = Operation("getDestinations", "GET", NOTIFICATIONS + "/destinations", Rate(1, burst=5))
CREATE_DESTINATION = Operation("createDestination", "POST", NOTIFICATIONS + "/destinations", Rate(1, burst=5))
GET_SUBSCRIPTION = Operation("getSubscription", "GET", NOTIFICATIONS + "/subscriptions/{topic}", Rate(1, burst=5))
CREATE_SUBSCRIPTION = Operation(
    "createSubscription", "POST", NOTIFICATIONS + "/subscriptions/{topic}", Rate(1, burst=5)
)

OPERATIONS: tuple[Operation, ...] = (
    SEARCH_ORDERS, GET_ORDER, CONFIRM_SHIPMENT, SEARCH_LISTINGS, GET_LISTING, PATCH_LISTING, PUT_LISTING, FBA_INVENTORY,
    CREATE_FEED_DOCUMENT, CREATE_FEED, GET_FEED, CANCEL_FEED, GET_FEED_DOCUMENT, PARTICIPATIONS, GET_DESTINATIONS,
    CREATE_DESTINATION, GET_SUBSCRIPTION, CREATE_SUBSCRIPTION,
)  # fmt: skip
RATES: Mapping[str, Rate] = {operation.name: operation.rate for operation in OPERATIONS}


@dataclass(frozen=True, slots=True)
class Seller:
    """The seller's account as all sections call it. `marketplace_ids` are those of the settings, the main one first."""

    http: Http
    seller_id: str
    marketplace_ids: Sequence[str]
    product_type: str

    @property
    def main_marketplace_id(self) -> str:
        """The marketplace that listings are read from and written to where only one can be named."""
        return self.marketplace_ids[0]

    def call(
        self,
        operation: Operation,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        repeatable: bool | None = None,
        headers: Mapping[str, str] | None = None,
        is_authorized: bool = True,
        **names: str,
    ) -> Answer:
        """Call an operation; `names` fill its path. Lists in `params` go out divided by commas, as the models say."""
        filled = {name: quote(value, safe="") for name, value in names.items()}
        return self.http.call(
            operation.method,
            operation.path.format(seller_id=quote(self.seller_id, safe=""), **filled),
            params=_query(params),
            json=json,
            headers=headers,
            bucket=operation.name,
            repeatable=repeatable,
            is_authorized=is_authorized,
        )


@dataclass(slots=True)
class Limits:
    """What Amazon told of the paces of its operations, by their names."""

    budget: Budget
    _told: dict[str, float] = field(default_factory=dict)

    def heed(self, answer: Answer, bucket: str) -> float | None:
        """Take over the pace that an answer tells; return the seconds to wait after a call too many. Amazon names no
        moment then, but one call of an operation comes back every 1/rate."""
        asked = retry_after(answer.headers)
        if bucket not in RATES:
            return asked
        self._learn(bucket, answer)
        if answer.status != 429:
            return asked
        self.budget.learn(bucket, left=0.0)
        return 1 / (self._told.get(bucket) or RATES[bucket].per_second) if asked is None else asked

    def _learn(self, bucket: str, answer: Answer) -> None:
        try:
            per_second = float(answer.header(RATE_HEADER))
        except ValueError:
            return
        if 0 < per_second < float("inf") and self._told.get(bucket) != per_second:
            self._told[bucket] = per_second
            self.budget.learn(bucket, per_second=per_second)


def _query(params: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if params is None:
        return None
    written: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, bool):
            written[name] = "true" if value else "false"
        elif isinstance(value, (list, tuple)):
            written[name] = ",".join(value)
        elif value not in (None, ""):
            written[name] = value
    return written
