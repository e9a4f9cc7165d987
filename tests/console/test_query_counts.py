"""A page asks the database as often for many rows as for few."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.bench.addresses import addresses
from tests.bench.merchant import lay_out

FAR_IN = "records_listings_page_150"  # a page that only a big merchant has
ALWAYS = {"overview", "channels", "orders", "orders_state", "stock", "alerts", "channel", "sku",
          "records_orders_order", "records_channels_channelproduct", "records_stock_stockmovement"}  # fmt: skip


def _counts(operator: Client, skus: int, orders: int) -> dict[str, int]:
    """The queries of each page that has rows to show in a market of that size, which is gone afterwards."""
    with transaction.atomic():
        lay_out(skus, orders)
        counts = {}
        for name, address in addresses().items():
            if name == FAR_IN:
                continue
            with CaptureQueriesContext(connection) as captured:
                answer = operator.get(address)
            assert answer.status_code == 200, address
            if _has_rows(answer):
                counts[name] = len(captured)
        transaction.set_rollback(True)
    return counts


def _has_rows(answer: Any) -> bool:
    context = answer.context
    if "slice" in context:
        return bool(context["slice"].rows)
    return bool(context["cl"].result_list) if "cl" in context else True


@pytest.mark.slow
def test_many_rows_take_as_many_queries_as_few(operator: Client) -> None:
    few, many = _counts(operator, 60, 300), _counts(operator, 300, 900)
    both = few.keys() & many.keys()
    assert both >= ALWAYS
    assert {name: (few[name], many[name]) for name in both if few[name] != many[name]} == {}
    assert max(many.values()) <= 40  # the page of a customer asks every room
