"""Orders are found over the REST API by whom they are for, page by page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock
from finalmarket.orders.models import Order
from tests.api.calling import Program, problem, told
from tests.api.orders.conftest import Shop


def test_orders_are_found_by_what_is_known_of_them(shop: Shop) -> None:
    first = shop.placed(1, external_id="a")
    second = told(shop.program.post("/orders", shop.said(1, email="lee@example.com", external_id="b")), 201)

    def found(**asked: Any) -> list[int]:
        return [one["id"] for one in told(shop.program.get("/orders", **asked))["items"]]

    assert found() == [second["id"], first["id"]]
    assert found(number=first["number"]) == [first["id"]]
    assert found(channel=shop.web.pk, external_id="b") == [second["id"]]
    assert found(email="lee@example.com") == [second["id"]]
    assert found(customer=shop.ann.pk) == [first["id"]]
    assert found(payment_state="unpaid") == [second["id"]]
    assert found(variant=shop.tea.pk) == [second["id"], first["id"]]
    assert found(variant=shop.cup.pk) == found(state="cancelled") == found(until=first["placed_at"]) == []
    assert found(since=(clock.now() - timedelta(hours=1)).isoformat()) == [second["id"], first["id"]]
    said = problem(shop.program.get("/orders", external_id="a"), "invalid", 422)
    assert said["errors"][0]["where"] == "query.external_id"


def test_a_page_of_orders_costs_the_same_number_of_questions_however_long(shop: Shop) -> None:
    def questions(limit: int) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            told(shop.program.get("/orders", limit=limit))
        return len(asked)

    shop.placed(1)
    few = questions(5)
    for _ in range(4):
        shop.placed(1)
    assert questions(5) == few


def test_a_key_of_some_channels_sees_and_changes_theirs_alone_newest_first(shop: Shop) -> None:
    third = SalesChannel.objects.create(name="Third", channel_type="web", country="DE")
    price = [{"sku": "TEA-100", "unit_price": "5.00"}]
    orders = [
        told(shop.program.post("/orders", shop.said(1, channel=channel, lines=price)), 201)["id"]
        for channel in (shop.web, shop.till, third, shop.till, shop.web, third)
    ]
    mine = Program("orders:read", "orders:write", channels=[shop.till.pk, third.pk])
    seen = [one["id"] for page in mine.pages("/orders", limit=1) for one in page]
    assert seen == [orders[5], orders[3], orders[2], orders[1]]
    assert [one["id"] for one in told(mine.get("/orders", limit=3))["items"]] == seen[:3]
    problem(mine.get("/orders", channel=shop.web.pk), "not-allowed", 403)
    for path in ("", "/history", "/parcels"):
        problem(mine.get(f"/orders/{orders[0]}{path}"), "not-found", 404)
    problem(mine.post(f"/orders/{orders[0]}/cancel", {"reason": "mine"}), "not-found", 404)
    problem(mine.post("/orders", shop.said(1)), "not-allowed", 403)


def test_a_key_of_some_channels_orders_by_number_for_whom_these_have_met(shop: Shop) -> None:
    mine = Program("orders:write", channels=[shop.till.pk])
    body = shop.said(1, channel=shop.till, lines=[{"sku": "TEA-100", "unit_price": "5.00"}])
    strange, nobody = ({**body, "customer": number} for number in (shop.ann.pk, 10**9))
    for one in (strange, nobody):
        said = problem(mine.post("/orders", one), "not-allowed", 403)
        assert "body.customer" in said["detail"]
    assert not Order.objects.exists()
    told(mine.post("/orders", body), 201)  # by what they say of themselves
    assert told(mine.post("/orders", strange), 201)["customer"] == shop.ann.pk


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "orders_newest"),
        ({"state": "open"}, "orders_"),
        ({"payment_state": "unpaid"}, "orders_"),
        ({"since": "2020-01-01T00:00:00Z"}, "orders_newest"),
    ],
)
def test_a_page_of_orders_is_entered_by_an_index_and_not_sorted(shop: Shop, asked: dict[str, str], index: str) -> None:
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort", "incremental_sort"):  # of so few rows nobody can say which is best
            cursor.execute(f"SET LOCAL enable_{way} = off")
        with CaptureQueriesContext(connection) as queries:
            told(shop.program.get("/orders", **asked))
        (page,) = [one["sql"] for one in queries if 'FROM "orders"' in one["sql"] and "LIMIT 51" in one["sql"]]
        cursor.execute(f"EXPLAIN {page}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert f"Index Scan using {index}" in plan
    assert "Sort" not in plan
