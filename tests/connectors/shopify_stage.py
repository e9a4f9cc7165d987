"""What the tests of Shopify share: what was sent, what is shown, and an order of two shirts."""

from __future__ import annotations

import json
from typing import Any

from finalmarket.connectors.records import (
    ListingRef,
    StockLevel,
)
from tests.connectors.cases.shopify import (
    MAIN_LOCATION,
    seed_listings,
)
from tests.connectors.conformance.stage import Stage


def level(ref: ListingRef, quantity: int, shown: int | None, **changes: Any) -> StockLevel:
    facts = {"key": f"{ref.sku}-{quantity}", "location": MAIN_LOCATION, **changes}
    return StockLevel(ref=ref, quantity=quantity, shown=shown, **facts)


def shown(stage: Stage) -> dict[str, int]:
    found: dict[str, int] = stage.stand_in.shown_stock()
    return found


def sent(stage: Stage, operation: str) -> list[dict[str, Any]]:
    """The variables of every request for an operation."""
    return [
        json.loads(exchange.request_body)["variables"]
        for exchange in stage.watched.exchanges
        if exchange.operation == operation
    ]


def two_shirts(stage: Stage, **facts: Any) -> tuple[str, str]:
    """An order of two units; its id and its line's."""
    (ref,) = seed_listings(stage.stand_in, 1)
    order = stage.stand_in.state.orders[stage.stand_in.order((ref.sku, 2), **facts)]
    return order["id"], order["lines"][0]["id"]
