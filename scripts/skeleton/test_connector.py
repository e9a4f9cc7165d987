"""Example: what the conformance suite cannot know of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from finalmarket.connectors.platforms.example import order_record
from tests.connectors.cases.example import case, seed_listings

from tests.connectors.conformance.stage import staged

ORDER: dict[str, Any] = {
    "id": "ord_000007",
    "number": "000007",
    "state": "open",
    "created_at": "2026-03-01T09:00:00+01:00",
    "updated_at": "2026-03-01T09:05:00+01:00",
    "currency": "EUR",
    "email": "ada@example.org",
    "total": "29.97",
    "lines": [{"id": "line_1", "sku": "SHIRT-M", "title": "Shirt M", "quantity": 3, "unit_price": "9.99"}],
    "payment": {"id": "pay_1", "amount": "29.97", "state": "authorized"},
}


def test_an_order_is_read_to_the_cent() -> None:
    record = order_record(ORDER)
    (line,) = record.lines
    assert (line.sku, line.quantity, line.unit_price, record.total) == ("SHIRT-M", 3, Decimal("9.99"), Decimal("29.97"))
    assert record.version == "2026-03-01T08:05:00+00:00"
    assert [(tender.state, tender.amount) for tender in record.tenders] == [("authorised", Decimal("29.97"))]


def test_a_later_state_of_an_order_has_the_greater_version() -> None:
    later = order_record({**ORDER, "updated_at": "2026-03-01T08:30:00+00:00"})
    assert later.version > order_record(ORDER).version


def test_a_cancelled_order_is_read_as_cancelled() -> None:
    assert order_record({**ORDER, "state": "cancelled"}).is_cancelled
    assert not order_record(ORDER).is_cancelled


def test_a_shopper_on_the_platform_takes_stock_and_leaves_an_order() -> None:
    with staged(case()) as stage:
        (ref,) = seed_listings(stage.stand_in, 1)
        stage.stand_in.shop(stage.world.chance)
        (page,) = stage.connector.pull_orders("", None)
        (bought,) = page.records[0].lines
        (shown,) = stage.connector.pull_stock([replace(ref)])
        assert shown.quantity == 5 - bought.quantity
