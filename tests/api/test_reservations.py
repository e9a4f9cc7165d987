"""Reservations over the REST API: held once and for the right caller, and never one unit too many."""

from __future__ import annotations

import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from finalmarket.access.models import IdempotentCall
from finalmarket.stock import counts, desk, ledger
from finalmarket.stock.models import Reservation, StockMovement
from tests.api.calling import Program, problem, told
from tests.api.conftest import House, open_house
from tests.api.tea import Shop
from tests.stock.shelves import new_variant
from tests.tracking.wire import served


@pytest.fixture
def shop(house: House) -> Shop:
    return Shop(house)


def test_units_are_held_and_what_is_left_is_what_others_may_have(shop: Shop) -> None:
    answer = shop.program.post("/stock/reservations", shop.wish(58))
    held = told(answer, 201)
    assert held["lines"] == [{"variant": shop.tea.pk, "quantity": 58}]
    assert answer.headers["Location"] == f"/api/v1/stock/reservations/{held['id']}"
    assert told(shop.program.get(f"/stock/reservations/{held['id']}"))["state"] == "held"
    said = problem(shop.program.post("/stock/reservations", shop.wish(3)), "not-enough", 409)
    assert said["stands"] == {"available": 2}
    assert told(shop.program.get(f"/stock/levels/{shop.tea.pk}"))["channels"][0]["available"] == 2


def test_asked_again_under_its_key_it_is_the_very_same_reservation_and_leaves_no_row_of_the_call(shop: Shop) -> None:
    first, second = (shop.program.post("/stock/reservations", shop.wish(2), token="cart-81") for _ in range(2))
    assert first.content == second.content
    assert first.headers["ETag"] == second.headers["ETag"]
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert Reservation.objects.count() == 1
    assert IdempotentCall.objects.count() == 0
    assert shop.tea.stock_pool.reserved == 2


@pytest.mark.parametrize("change", [{"lines": [{"sku": "TEA-100", "quantity": 3}]}, {"hold_seconds": 60}])
def test_a_key_that_holds_something_stands_for_no_other_wish(shop: Shop, change: dict[str, Any]) -> None:
    told(shop.program.post("/stock/reservations", shop.wish(2), token="cart-81"), 201)
    answer = shop.program.post("/stock/reservations", {**shop.wish(2), **change}, token="cart-81")
    problem(answer, "other-call", 422)


def test_the_same_word_of_two_programs_names_two_reservations(shop: Shop) -> None:
    other = Program("stock:write", name="app")
    for program in (shop.program, other):
        told(program.post("/stock/reservations", shop.wish(1), token="cart"), 201)
    assert Reservation.objects.count() == 2


def test_a_key_of_255_characters_is_a_key_like_any_other(shop: Shop) -> None:
    answers = {shop.program.post("/stock/reservations", shop.wish(1), token="k" * 255).content for _ in range(2)}
    assert len(answers) == 1
    assert Reservation.objects.count() == 1


def test_all_lines_are_held_or_none(shop: Shop) -> None:
    cup = new_variant("CUP")
    body = {"channel": shop.web.pk, "lines": [{"sku": "TEA-100", "quantity": 1}, {"variant": cup.pk, "quantity": 1}]}
    said = problem(shop.program.post("/stock/reservations", body), "not-enough", 409)
    assert said["detail"].startswith("Line 1: 1 wanted")
    assert Reservation.objects.count() == 0


def test_a_line_of_nothing_and_a_channel_of_nobody_are_named(shop: Shop) -> None:
    nothing = {"channel": shop.web.pk, "lines": [{"sku": "TEA-100", "quantity": 1}, {"sku": "NONE", "quantity": 1}]}
    said = problem(shop.program.post("/stock/reservations", nothing), "invalid", 422)
    assert said["errors"][0]["where"] == "body.lines.1.sku"
    nothing["lines"][1] = {"variant": 10**9, "quantity": 1}  # type: ignore[index]
    said = problem(shop.program.post("/stock/reservations", nothing), "invalid", 422)
    assert said["errors"][0]["where"] == "body.lines.1"
    said = problem(shop.program.post("/stock/reservations", {**shop.wish(1), "channel": 10**9}), "invalid", 422)
    assert said["errors"][0]["where"] == "body.channel"


def test_a_paused_channel_holds_nothing_and_says_why(shop: Shop) -> None:
    shop.web.pause("stock take")
    assert "paused" in problem(shop.program.post("/stock/reservations", shop.wish(1)), "refused", 422)["detail"]


def test_many_wishes_are_settled_in_their_order_each_by_itself(shop: Shop) -> None:
    wishes = [shop.wish(40, key="a"), shop.wish(30, key="b"), shop.wish(20, key="c"), shop.wish(1, key="d")]
    wishes[3]["lines"][0]["sku"] = "NONE"
    items = told(shop.program.post("/stock/reservations/bulk", {"items": wishes}))["items"]
    assert [one["state"] for one in items] == ["held", "refused", "held", "refused"]
    assert items[1]["problem"]["stands"] == {"available": 20}
    assert items[3]["problem"]["errors"][0]["where"] == "body.items.3.lines.0.sku"
    again = told(shop.program.post("/stock/reservations/bulk", {"items": wishes}))["items"]
    assert [one["state"] for one in again] == ["again", "refused", "again", "refused"]
    assert [one["reservation"] for one in again] == [one["reservation"] for one in items]


def test_a_hold_becomes_a_promise_and_leaves_or_is_given_back(shop: Shop) -> None:
    first, second = (told(shop.program.post("/stock/reservations", shop.wish(5)), 201)["id"] for _ in range(2))
    confirmed = told(shop.program.post(f"/stock/reservations/{first}/confirm", {"reference": "order 81"}))
    assert (confirmed["state"], confirmed["expires_at"]) == ("confirmed", None)
    closed = told(shop.program.post(f"/stock/reservations/{first}/fulfil", {"reference": "order 81"}))
    assert closed["state"] == "closed"
    assert told(shop.program.post(f"/stock/reservations/{second}/release"))["state"] == "released"
    level = told(shop.program.get(f"/stock/levels/{shop.tea.pk}"))
    assert (level["on_hand"], level["reserved"], level["allocated"]) == (55, 0, 0)


def test_a_promise_that_was_confirmed_here_can_be_given_back(shop: Shop) -> None:
    number = told(shop.program.post("/stock/reservations", shop.wish(5)), 201)["id"]
    told(shop.program.post(f"/stock/reservations/{number}/confirm"))
    told(shop.program.post(f"/stock/reservations/{number}/release", {"reason": "order cancelled"}))
    assert told(shop.program.get(f"/stock/levels/{shop.tea.pk}"))["allocated"] == 0


def test_a_promise_that_is_short_is_given_back_whole_and_takes_no_goods_that_come(shop: Shop) -> None:
    number = told(shop.program.post("/stock/reservations", shop.wish(60)), 201)["id"]
    told(shop.program.post(f"/stock/reservations/{number}/confirm"))
    count = counts.start(shop.warehouse.pk)
    counts.record(count.pk, shop.tea.pk, 47)
    counts.apply(count.pk, actor="ann")
    assert told(shop.program.post(f"/stock/reservations/{number}/release"))["state"] == "closed"
    ledger.receive([ledger.Receipt(shop.tea.pk, shop.store.pk, 5)], actor="ann")
    level = told(shop.program.get(f"/stock/levels/{shop.tea.pk}"))
    assert (level["on_hand"], level["reserved"], level["allocated"]) == (62, 0, 0)


def test_a_hold_from_one_place_is_confirmed_anew_from_there_alone(shop: Shop) -> None:
    wish = {**shop.wish(5), "location": shop.store.pk}
    first, second = (told(shop.program.post("/stock/reservations", wish), 201)["id"] for _ in range(2))
    for number in (first, second):
        told(shop.program.post(f"/stock/reservations/{number}/release"))
    told(shop.program.post("/stock/reservations", {**shop.wish(5), "location": shop.store.pk}), 201)
    confirmed = told(shop.program.post(f"/stock/reservations/{first}/confirm"))
    assert {one["location"] for one in confirmed["lines"] if one["quantity"]} == {shop.store.pk}
    problem(shop.program.post(f"/stock/reservations/{second}/confirm"), "refused", 422)


def test_what_was_never_confirmed_does_not_leave(shop: Shop) -> None:
    number = told(shop.program.post("/stock/reservations", shop.wish(5)), 201)["id"]
    problem(shop.program.post(f"/stock/reservations/{number}/fulfil"), "refused", 422)


def test_the_ledger_says_which_key_of_the_api_held_units(shop: Shop) -> None:
    told(shop.program.post("/stock/reservations", shop.wish(2)), 201)
    assert StockMovement.objects.get(kind="reserve", location=shop.warehouse).actor == "api:web shop"


@pytest.mark.committed_database
def test_over_http_forty_callers_of_one_hot_sku_get_what_there_is_and_not_one_unit_more() -> None:
    shop = Shop(open_house())
    together = threading.Barrier(40)
    with served() as port, ThreadPoolExecutor(40) as callers:

        def call(number: int) -> int:
            wire = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            headers = {"Authorization": f"Bearer {shop.program.key}", "Idempotency-Key": f"buyer-{number}",
                       "Content-Type": "application/json"}  # fmt: skip
            together.wait()
            try:
                wire.request("POST", "/api/v1/stock/reservations", json.dumps(shop.wish(2)), headers)
                return wire.getresponse().status
            finally:
                wire.close()

        statuses = list(callers.map(call, range(40)))
    assert sorted(statuses) == [201] * 30 + [409] * 10
    assert shop.tea.stock_pool.reserved == 60


@pytest.mark.parametrize(
    ("headers", "kind", "status"),
    [
        ({"Authorization": "Basic eDp5"}, "not-let-in", 401),
        ({"Authorization": "Bearer fm_nothing"}, "not-let-in", 401),
        ({"Idempotency-Key": ""}, "no-idempotency-key", 400),
    ],
)
def test_the_short_way_lets_nobody_in_whom_the_long_way_would_not(
    shop: Shop, headers: dict[str, str], kind: str, status: int
) -> None:
    sent = {"Authorization": f"Bearer {shop.program.key}", "Idempotency-Key": "x", **headers}
    answer = shop.program.client.generic(
        "POST", "/api/v1/stock/reservations", json.dumps(shop.wish(1)), "application/json", headers=sent
    )
    problem(answer, kind, status)
    assert Reservation.objects.count() == 0


def test_on_the_short_way_a_call_counts_and_what_is_said_is_looked_at(shop: Shop) -> None:
    few = Program("stock:write", calls=2)
    assert few.post("/stock/reservations", shop.wish(1)).headers["RateLimit"].startswith('"key";r=1;')
    said = problem(few.post("/stock/reservations", {**shop.wish(1), "colour": "red"}), "invalid", 422)
    assert said["errors"][0]["where"] == "body.colour"
    problem(few.post("/stock/reservations", shop.wish(1)), "too-fast", 429)
    problem(shop.program.write("POST", "/stock/reservations", b"{"), "unreadable", 400)
    problem(shop.program.write("POST", "/stock/reservations?dry_run=1", shop.wish(1)), "invalid", 422)


@pytest.mark.parametrize("error", [desk.DeskFull, desk.DeskTimeout, desk.DeskDown])
def test_where_the_stock_room_cannot_answer_the_caller_is_told_to_repeat_the_very_same_call(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def settle(*_: Any, **__: Any) -> None:
        raise error("no verdict in 30 s")

    monkeypatch.setattr(desk, "settle", settle)
    monkeypatch.setattr(desk, "settle_for_each", settle)
    for path, body in (("", shop.wish(1)), ("/bulk", {"items": [shop.wish(1)]})):
        answer = shop.program.post(f"/stock/reservations{path}", body)
        problem(answer, "away", 503)
        assert int(answer.headers["Retry-After"]) > 0
