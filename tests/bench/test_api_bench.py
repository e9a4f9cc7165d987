"""The bench of the API measures a real server over HTTP: what is answered is there, and what fails is no figure."""

from __future__ import annotations

from collections import Counter

import pytest

from finalmarket.bench import api
from finalmarket.bench.api_load import Asked, request
from finalmarket.bench.ingest_house import THREADS
from finalmarket.bench.report import Pace
from finalmarket.cli import bench, serve
from finalmarket.orders.models import Order, OrderLine
from finalmarket.stock.models import Reservation
from tests.conftest import TestDatabase

pytestmark = pytest.mark.committed_database


def test_reservations_and_lists_are_measured_beside_doing_nothing(
    committed_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "WARM_UP_SECONDS", 0.1)
    monkeypatch.setattr(api, "CALLERS", 8)
    pace = Pace(runs=1, seconds=0.2)
    found = {
        one.name: one for one in api.measure(committed_database.name, pace, lambda words: None, orders=500, skus=20)
    }
    assert {"http_noop", "http_noop_first", "http_hot_sku", "http_spread", "http_orders_list_p95_ms"} <= found.keys()
    assert found["http_hot_sku"].ratio
    assert all(one.value > 0 for one in found.values())
    assert Reservation.objects.exists()
    assert Order.objects.count() == 500
    assert OrderLine.objects.count() == 750


def test_the_house_that_is_measured_takes_as_many_requests_at_once_as_the_one_that_is_served() -> None:
    measured, served = (
        next(option.default for option in command.params if option.name == "threads")
        for command in (bench.api, serve.command)
    )
    assert measured == served == THREADS


def test_an_answer_that_was_not_expected_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "ask", lambda *words: Asked(1.0, Counter({201: 9, 429: 1}), [0.1] * 10))
    with pytest.raises(RuntimeError, match="429"):
        api._ask(0, [], 1.0, 201)


def test_a_request_says_how_long_it_is_and_under_which_key() -> None:
    told = request("POST", "/x", "fm_k", b"{}", "once")
    assert told.startswith(b"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer fm_k\r\n")
    assert b"\r\nIdempotency-Key: once\r\n" in told
    assert told.endswith(b"\r\nContent-Length: 2\r\n\r\n{}")
