"""What the client repeats and what it does not, and what it makes of answers: on a wire of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from finalmarket.client import Client, ConnectionLost, NotChanged, errors

JOURNEY: dict[str, Any] = {
    "id": 17, "customer": 4, "channel": 1, "value": "12.50", "currency": "EUR", "started_at": "2026-05-04T12:00:00Z",
    "state": "open",
}  # fmt: skip
Answers = Iterator[httpx2.Response | Exception]


def said(kind: str, status: int, **headers: str) -> httpx2.Response:
    body = {"type": f"urn:finalmarket:problem:{kind}", "title": "x", "status": status, "detail": "y", "errors": []}
    return httpx2.Response(status, json=body, headers=headers)


class Wire:
    """Answers in turn; notes what came and how long was waited."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self._answers: Answers = iter(answers)
        self.came: list[httpx2.Request] = []
        self.waited: list[float] = []

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.came.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def house(self, patience_seconds: float = 60.0) -> Client:
        """A client on this wire."""
        transport = httpx2.MockTransport(self.answer)
        return Client(
            "https://shop.example", key="fm_k", transport=transport, sleep=self.waited.append,
            patience_seconds=patience_seconds,
        )  # fmt: skip

    @property
    def tokens(self) -> list[str]:
        return [one.headers.get("Idempotency-Key", "") for one in self.came]


def start(house: Client, **how: Any) -> Any:
    return house.journeys.start_journey(channel=1, customer=4, intent="purchase", **how)


LOST: list[Callable[[], httpx2.Response | Exception]] = [
    lambda: httpx2.ConnectError("refused"),
    lambda: httpx2.ReadTimeout("no answer"),
    lambda: httpx2.RemoteProtocolError("cut off"),
    lambda: said("under-way", 409, **{"Retry-After": "1"}),
    lambda: said("too-fast", 429, **{"Retry-After": "3"}),
    lambda: said("away", 503, **{"Retry-After": "2"}),
    lambda: httpx2.Response(502, text="<html>proxy</html>"),
]


@pytest.mark.parametrize("lost", LOST)
def test_a_write_is_repeated_under_the_same_key_until_it_is_answered(
    lost: Callable[[], httpx2.Response | Exception],
) -> None:
    wire = Wire(lost(), lost(), httpx2.Response(201, json=JOURNEY))
    assert start(wire.house()).id == 17
    assert len(wire.came) == 3
    assert len(set(wire.tokens)) == 1
    assert wire.tokens[0]
    assert len({one.content for one in wire.came}) == 1


def test_it_waits_as_long_as_the_house_says() -> None:
    wire = Wire(said("too-fast", 429, **{"Retry-After": "7"}), httpx2.Response(201, json=JOURNEY))
    start(wire.house())
    assert wire.waited == [7.0]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (said("not-as-expected", 409), errors.NotAsExpected),
        (said("not-enough", 409), errors.NotEnough),
        (said("changed", 412), errors.Changed),
        (said("invalid", 422), errors.Invalid),
        (said("refused", 422), errors.Refused),
        (said("other-call", 422), errors.OtherCall),
        (said("not-let-in", 401), errors.NotLetIn),
        (said("broken", 500), errors.Broken),
        (said("of-tomorrow", 418), errors.ApiProblem),
    ],
)
def test_what_would_be_no_other_a_second_time_is_told_at_once(
    answer: httpx2.Response, kind: type[Exception]
) -> None:  # fmt: skip
    wire = Wire(answer)
    with pytest.raises(kind) as caught:
        start(wire.house())
    assert type(caught.value) is kind
    assert len(wire.came) == 1
    assert wire.waited == []


def test_its_patience_ends_and_the_last_word_of_the_house_is_told() -> None:
    wire = Wire(*[said("away", 503, **{"Retry-After": "4"}) for _ in range(9)])
    with pytest.raises(errors.Away) as caught:
        start(wire.house(patience_seconds=10))
    assert wire.waited == [4.0, 4.0]
    assert caught.value.retry_after_seconds == 4.0


def test_its_patience_ends_also_where_the_house_says_to_come_again_at_once() -> None:
    wire = Wire(*[said("too-fast", 429, **{"Retry-After": "0"}) for _ in range(99)])
    with pytest.raises(errors.TooFast):
        start(wire.house(patience_seconds=1))
    assert wire.waited == [0.2] * 5


def test_whoever_lost_an_answer_for_good_is_told_the_key_to_repeat_it_under() -> None:
    wire = Wire(*[httpx2.ReadTimeout("no answer") for _ in range(99)])
    with pytest.raises(ConnectionLost) as caught:
        start(wire.house(patience_seconds=2), idempotency_key="order-4711")
    assert caught.value.idempotency_key == "order-4711"
    assert set(wire.tokens) == {"order-4711"}


def test_every_write_goes_under_a_key_of_its_own_and_reads_under_none() -> None:
    page: dict[str, Any] = {"items": [], "next": None}
    answers = [httpx2.Response(201, json=JOURNEY), httpx2.Response(201, json=JOURNEY), httpx2.Response(200, json=page)]
    wire = Wire(*answers)
    house = wire.house()
    start(house)
    start(house)
    house.journeys.list_journeys(state="open", customer=4)
    first, second, third = wire.tokens
    assert first != second
    assert third == ""
    assert dict(wire.came[2].url.params) == {"state": "open", "customer": "4"}


def test_an_answer_is_typed_and_keeps_what_this_version_does_not_know() -> None:
    wire = Wire(httpx2.Response(200, json={**JOURNEY, "colour": "red"}, headers={"ETag": '"abc"'}))
    journey = wire.house().journeys.get_journey(17)
    assert journey.value == Decimal("12.50")
    assert journey.started_at == datetime(2026, 5, 4, 12, tzinfo=UTC)
    assert journey.etag == '"abc"'
    assert journey.model_extra == {"colour": "red"}


def test_a_field_that_was_not_asked_for_is_none() -> None:
    wire = Wire(httpx2.Response(200, json={"id": 17}))
    journey = wire.house().journeys.get_journey(17, fields=["id"])
    assert journey.model_dump(include={"id", "state"}) == {"id": 17, "state": None}
    assert str(wire.came[0].url.params["fields"]) == "id"


def test_what_has_not_changed_is_told_without_its_body() -> None:
    wire = Wire(httpx2.Response(304))
    with pytest.raises(NotChanged):
        wire.house().journeys.get_journey(17, if_none_match='"abc"')
    assert wire.came[0].headers["If-None-Match"] == '"abc"'


def test_what_is_left_out_is_not_said_and_none_is_said_as_null_and_amounts_as_text() -> None:
    wire = Wire(httpx2.Response(200, json={"id": 2}), httpx2.Response(200, json={"order": 1}))
    house = wire.house()
    house.webhooks.change_webhook(2, topics=["order.*"])
    assert wire.came[0].content == b'{"topics":["order.*"]}'
    token = "0f0e6a3c-2f0b-4c53-9d53-8d3a6c1e7b11"
    house.carts.check_out_cart(token, tip=Decimal("1.10"), shipping_address=None)
    assert wire.came[1].content == b'{"shipping_address":null,"tip":"1.10"}'


def test_a_name_in_an_address_cannot_lead_elsewhere() -> None:
    wire = Wire(httpx2.Response(200, json={"key": "vip"}))
    wire.house().segments.get_segment("../customers?x=1#y")
    assert wire.came[0].url.raw_path == b"/api/v1/segments/..%2Fcustomers%3Fx%3D1%23y"


def test_the_key_is_in_no_word_about_the_client() -> None:
    house = Wire().house()
    assert "fm_k" not in repr(house) + str(house)
