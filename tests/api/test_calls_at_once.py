"""Reservations that come at once pass the door together, and each is answered for itself."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from finalmarket.access import keys
from finalmarket.stock import desk
from finalmarket.stock.check import differences
from finalmarket.stock.models import Reservation, StockMovement
from tests.api.calling import Program
from tests.api.conftest import open_house
from tests.api.tea import Shop
from tests.tracking.wire import served

pytestmark = pytest.mark.committed_database
Call = tuple[str, str, dict[str, Any]]


@pytest.fixture
def shop() -> Shop:
    return Shop(open_house())


def send(port: int, call: Call) -> tuple[int, dict[str, Any]]:
    """Reserve by a key, under a token."""
    key, token, body = call
    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": token, "Content-Type": "application/json"}
    try:
        wire.request("POST", "/api/v1/stock/reservations", json.dumps(body).encode(), headers)
        answer = wire.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        wire.close()


def at_once(calls: Sequence[Call]) -> list[tuple[int, dict[str, Any]]]:
    """Send all of them in the same moment; the answers in their order."""
    together = threading.Barrier(len(calls))

    def go(port: int, call: Call) -> tuple[int, dict[str, Any]]:
        together.wait()
        return send(port, call)

    with served() as port, ThreadPoolExecutor(len(calls)) as callers:
        return list(callers.map(lambda call: go(port, call), calls))


def test_each_of_many_calls_at_once_is_answered_for_itself(shop: Shop) -> None:
    good = [Program("stock:write", name=f"till {number}") for number in range(4)]
    revoked, reader = Program("stock:write"), Program("stock:read")
    keys.revoke(revoked.row.pk)
    bound = Program("stock:write", channels=[shop.till.pk])
    slow = Program("stock:write", calls=1)
    unknown = {"channel": shop.web.pk, "lines": [{"sku": "NO-SUCH", "quantity": 1}]}
    wanted: list[tuple[Call, int]] = [
        *(((one.key, "cart", shop.wish(1)), 201) for one in good), ((revoked.key, "cart", shop.wish(1)), 401),
        ((reader.key, "cart", shop.wish(1)), 403), ((bound.key, "cart", shop.wish(1)), 403),
        (("fm_nothing", "cart", shop.wish(1)), 401), ((good[0].key, "other", unknown), 422),
        ((good[1].key, "many", shop.wish(1_000)), 409), ((slow.key, "cart", shop.wish(1)), 201),
    ]  # fmt: skip
    answers = at_once([call for call, _ in wanted])
    assert [status for status, _ in answers] == [status for _, status in wanted]
    assert Reservation.objects.count() == 5
    holds = StockMovement.objects.filter(kind="reserve").values_list("actor", flat=True)
    assert sorted(set(holds)) == ["api:till 0", "api:till 1", "api:till 2", "api:till 3", "api:web shop"]
    assert differences() == []


def test_the_same_call_sixteen_times_at_once_is_one_reservation(shop: Shop) -> None:
    answers = at_once([(shop.program.key, "cart-81", shop.wish(2))] * 16)
    assert {status for status, _ in answers} == {201}
    assert len({said["id"] for _, said in answers}) == Reservation.objects.count() == 1


def test_a_key_that_was_ended_meanwhile_opens_nothing_for_calls_that_wait(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, kept = Program("stock:write", name="ended"), Program("stock:write", name="kept")
    looked = keys.admit_each

    def end_and_look(shown: Sequence[str]) -> list[Any]:
        keys.revoke(ended.row.pk)
        return looked(shown)

    monkeypatch.setattr(keys, "admit_each", end_and_look)
    answers = at_once([(ended.key, "cart", shop.wish(1)), (kept.key, "cart", shop.wish(1))])
    assert [status for status, _ in answers] == [401, 201]


def test_what_the_desk_has_against_one_of_them_is_told_to_that_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    settled = desk.settle_for_each

    def settle(wishes: Sequence[tuple[str, Any]]) -> list[Any]:
        answers = settled(wishes)
        return [desk.DeskDown("lost") if asked.key.endswith(":bad") else one
                for (_, asked), one in zip(wishes, answers, strict=True)]  # fmt: skip

    monkeypatch.setattr(desk, "settle_for_each", settle)
    calls = [(shop.program.key, name, shop.wish(1)) for name in ("bad", "good", "fine")]
    assert [status for status, _ in at_once(calls)] == [503, 201, 201]
