"""A house as production serves it: figures of all processes, lines that belong together, and an end without loss."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connection

from finalmarket.access import keys
from finalmarket.stock.models import Reservation
from tests.conftest import TestDatabase
from tests.operations.processes import Running, status_of, text_of, web
from tests.operations.test_figures import read, value
from tests.orders.market import Market, open_market
from tests.patience import until


@dataclass
class Buyers:
    """Programs that reserve over HTTP until nobody answers: what they sent, and what was acknowledged."""

    market: Market
    token: str
    port: int
    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    cut_off: list[str] = field(default_factory=list)

    def start(self, number: int) -> list[threading.Thread]:
        threads = [threading.Thread(target=self.buy, args=(one,)) for one in range(number)]
        for thread in threads:
            thread.start()
        return threads

    def buy(self, number: int) -> None:
        turn = 0
        while True:
            turn += 1
            key = f"buyer-{number}-{turn}"
            line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                line.connect()
            except OSError:
                return
            self.sent.add(key)
            try:
                line.request("POST", "/api/v1/stock/reservations", json.dumps(self.body()), self.headers(key))
                answer = line.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                return
            finally:
                line.close()
            assert answer.status == 201, answer.status
            self.acknowledged.add(key)

    def body(self) -> dict[str, object]:
        sku = self.market.variants["TEA"].sku
        return {"channel": self.market.web.pk, "lines": [{"sku": sku, "quantity": 1}]}

    def headers(self, key: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.token}", "Idempotency-Key": key, "Content-Type": "application/json",
            "X-Request-Id": f"id-of-{key}",
        }  # fmt: skip


def opened(running: Running) -> Buyers:
    market = open_market()
    market.goods("TEA", warehouse=1_000_000)
    _, token = keys.create("till", list(keys.SCOPES), actor="test", calls_per_minute=60_000)
    return Buyers(market, token, int(running.address.rpartition(":")[2]))


def lines_of(running: Running) -> list[dict[str, object]]:
    return [json.loads(line) for line in list(running.said) if line.startswith("{")]


def test_told_to_stop_under_load_it_loses_nothing_and_cuts_nobody_off(
    committed_database: TestDatabase, record_property: Callable[[str, object], None]
) -> None:
    told = {"FINALMARKET_LOG": "json", "FINALMARKET_LOG_LEVEL": "INFO", "FINALMARKET_DRAIN_SECONDS": "2"}
    with web(committed_database.name, told, processes=2) as running:
        buyers = opened(running)
        assert status_of(f"{running.address}/readyz") == 200
        assert status_of(f"{running.address}/metrics") == 404
        threads = buyers.start(6)
        until(lambda: len(buyers.acknowledged) > 30, "they buy")
        figures = read(text_of(running.metrics))
        running.process.terminate()
        told_at = time.monotonic()
        until(lambda: status_of(f"{running.address}/readyz") == 503, "it says that it will stop")
        during = len(buyers.acknowledged)
        assert running.process.wait(30) == 0
        seconds = time.monotonic() - told_at
        for thread in threads:
            thread.join()

    kept = set(Reservation.objects.values_list("key", flat=True))
    connection.close()
    assert {key for key in buyers.acknowledged if not _is_in(key, kept)} == set(), "acknowledged and not in the books"
    unanswered = buyers.sent - buyers.acknowledged
    assert {key for key in unanswered if _is_in(key, kept)} == set(), "done, and the answer was cut off"
    assert len(buyers.acknowledged) > during, "it went on while it said that it would stop"
    route = {"method": "POST", "route": "/api/v1/stock/reservations", "status": "201"}
    assert 30 <= value(figures, "finalmarket_http_requests_total", **route) <= len(buyers.sent)
    assert value(figures, "finalmarket_books_up") == 1
    _lines_belong_together(running, buyers)
    record_property("acknowledged", len(buyers.acknowledged))
    record_property("lost or cut off", 0)
    record_property("seconds", round(seconds, 1))


def _is_in(key: str, kept: set[str]) -> bool:
    return any(one == key or one.endswith(f":{key}") for one in kept)


def _lines_belong_together(running: Running, buyers: Buyers) -> None:
    requests = [line for line in lines_of(running) if line.get("event") == "request"]
    ids = {str(line["request_id"]) for line in requests if line["route"] == "/api/v1/stock/reservations"}
    assert {f"id-of-{key}" for key in buyers.acknowledged} <= ids
    assert not [line for line in running.said if buyers.token in line]
