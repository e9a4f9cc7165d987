"""A page asks the database as often for many rows as for few."""

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.bench.addresses import addresses
from tests.bench.merchant import lay_out

EACH_ITS_OWN_PARTS = {"explain", "order"}  # single things: their questions follow from what they are made of


def _counts(operator: Client, skus: int, orders: int) -> dict[str, int]:
    """The queries of each page in a market of that size, which is gone afterwards."""
    with transaction.atomic():
        lay_out(skus, orders)
        counts = {}
        for name, address in addresses().items():
            with CaptureQueriesContext(connection) as captured:
                answer = operator.get(address)
            assert answer.status_code == 200, address
            counts[name] = len(captured)
        transaction.set_rollback(True)
    return counts


@pytest.mark.slow
def test_two_hundred_rows_take_as_many_queries_as_ten(operator: Client) -> None:
    few, many = _counts(operator, 10, 10), _counts(operator, 200, 200)
    differing = {name: (few[name], many[name]) for name in few if few[name] != many[name]}
    assert {name: pair for name, pair in differing.items() if name not in EACH_ITS_OWN_PARTS} == {}
    assert max(many.values()) <= 30
