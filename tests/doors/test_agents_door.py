"""Who may come in by the agents' door, in which words, and what is done with a call that comes twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from finalmarket.access import idempotency, keys, rates
from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.agents import doors
from finalmarket.integrations.models import AgentDoor, AgentSession
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from tests.doors.agent import CHECKOUT_API, Agent, judge, let_in
from tests.orders.market import open_market

pytestmark = pytest.mark.django_db
SAID = {"line_items": [{"id": "SCARF"}], "currency": "eur", "capabilities": {}}


@dataclass
class Shop:
    """A shop with scarves."""

    channel: SalesChannel
    other: SalesChannel
    agent: Agent
    door: AgentDoor


@pytest.fixture
def shop() -> Iterator[Shop]:
    rates.forget()
    market = open_market()
    market.goods("SCARF", warehouse=50)
    channel = SalesChannel.objects.create(name="Assistants", channel_type="chat", country="DE")
    channel.add_product(market.product)
    agent, door = let_in(channel)
    yield Shop(channel, market.web, agent, door)
    rates.forget()


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": ""}, 401, "unauthorized"),
        ({"Authorization": "Bearer fm_000000000000_nobody"}, 401, "unauthorized"),
        ({"Authorization": "Basic YTpi"}, 401, "unauthorized"),
        ({"API_Version": "2025-09-29"}, 400, "unsupported_api_version"),
        ({"API_Version": ""}, 400, "unsupported_api_version"),
        ({"Idempotency_Key": ""}, 400, "idempotency_key_required"),
        ({"Idempotency_Key": "k" * 256}, 400, "idempotency_key_required"),
        ({"Content_Type": "text/plain"}, 415, "unsupported_media_type"),
    ],
)
def test_a_call_without_what_it_needs_is_refused(shop: Shop, headers: dict[str, str], status: int, code: str) -> None:
    sent = {
        "Authorization": f"Bearer {shop.agent.key}", "API-Version": "2026-04-17", "Idempotency-Key": "k",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }  # fmt: skip
    kind = sent.pop("Content-Type", "application/json")
    answer = Client().post("/acp/checkout_sessions", SAID if kind == "application/json" else "x", kind, headers=sent)
    judge(f"{CHECKOUT_API}Error", answer.json())
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not AgentSession.objects.exists()


@pytest.mark.parametrize("wrong", ["scope", "all channels", "two channels", "no door", "door off", "paused channel"])
def test_a_key_that_is_not_for_this_opens_nothing(shop: Shop, wrong: str) -> None:
    channels = {"all channels": [], "two channels": [shop.channel.pk, shop.other.pk], "no door": [shop.other.pk]}
    scopes = ["carts:write"] if wrong == "scope" else [doors.SCOPE]
    _, key = keys.create("other", scopes, channels=channels.get(wrong, [shop.channel.pk]))
    if wrong == "door off":
        AgentDoor.objects.update(is_active=False)
    if wrong == "paused channel":
        SalesChannel.objects.filter(pk=shop.channel.pk).update(status="inactive")
    answer = Agent(key).call("POST", "checkout_sessions", SAID)
    assert (answer.status, answer.body["code"]) == (403, "forbidden")


def test_the_checkouts_of_another_channel_are_not_there(shop: Shop) -> None:
    shop.other.add_product(shop.channel.listings.get().variant.product)
    stranger, _ = let_in(shop.other)
    token = shop.agent.call("POST", "checkout_sessions", SAID).body["id"]
    for method, path in (("GET", ""), ("POST", ""), ("POST", "/cancel")):
        answer = stranger.call(method, f"checkout_sessions/{token}{path}", None if method == "GET" else {})
        assert (answer.status, answer.body["code"]) == (404, "not_found")
    assert shop.agent.call("GET", f"carts/{token}").status == 404
    assert shop.agent.call("GET", "checkout_sessions/nothing").status == 404


def test_a_write_that_comes_twice_is_done_once(shop: Shop) -> None:
    first = shop.agent.call("POST", "checkout_sessions", SAID, key="k")
    again = shop.agent.call("POST", "checkout_sessions", dict(reversed(SAID.items())), key="k")
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    assert again.headers["Idempotency-Key"] == "k"
    assert AgentSession.objects.count() == 1


def test_the_same_key_with_something_else_is_a_conflict_but_another_address_is_not(shop: Shop) -> None:
    shop.agent.call("POST", "checkout_sessions", SAID, key="k")
    other = shop.agent.call("POST", "checkout_sessions", {**SAID, "locale": "de-DE"}, key="k")
    assert (other.status, other.body["code"]) == (422, "idempotency_conflict")
    cart = shop.agent.call("POST", "carts", {"line_items": SAID["line_items"]}, key="k")
    assert cart.status == 201


def test_a_write_whose_first_call_has_not_ended_is_in_flight(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def under_way(*_: Any) -> None:
        raise idempotency.UnderWay("the first call has not ended")

    monkeypatch.setattr(idempotency, "claim", under_way)
    answer = shop.agent.call("POST", "checkout_sessions", SAID)
    assert (answer.status, answer.body["code"]) == (409, "idempotency_in_flight")
    assert int(answer.headers["Retry-After"]) >= 1


def test_what_was_refused_may_be_asked_again_under_its_key(shop: Shop) -> None:
    wrong = {**SAID, "line_items": [{"id": "NOTHING"}]}
    assert shop.agent.call("POST", "checkout_sessions", wrong, key="k").status == 400
    assert shop.agent.call("POST", "checkout_sessions", SAID, key="k").status == 201


def test_where_signatures_are_demanded_none_but_a_fresh_one_that_fits_is_taken(shop: Shop) -> None:
    secret = doors.demand_signatures(shop.door)
    assert shop.agent.call("POST", "checkout_sessions", SAID).body["code"] == "invalid_signature"
    shop.agent.secret = secret
    token = shop.agent.call("POST", "checkout_sessions", SAID).body["id"]
    assert shop.agent.call("GET", f"checkout_sessions/{token}").status == 200
    old = shop.agent.signed(b"", (clock.now() - timedelta(minutes=6)).isoformat())
    for wrong in (
        old, {**shop.agent.signed(b"x")}, {"Signature": "", "Timestamp": ""}, {"Signature": "ü", "Timestamp": "x"},
        {**shop.agent.signed(b"", "2026-01-01T00:00:00")},
    ):  # fmt: skip
        answer = shop.agent.call("GET", f"checkout_sessions/{token}", **wrong)
        assert (answer.status, answer.body["code"]) == (401, "invalid_signature")
    doors.waive_signatures(shop.door)
    shop.agent.secret = ""
    assert shop.agent.call("GET", f"checkout_sessions/{token}").status == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"x"', b"[" * 50_000, b'{"line_items": NaN}', b"\xff"])
def test_what_is_no_json_is_refused_as_that(shop: Shop, body: bytes) -> None:
    sent = {"Authorization": f"Bearer {shop.agent.key}", "API-Version": "2026-04-17", "Idempotency-Key": "k"}
    answer = Client().post("/acp/checkout_sessions", body, "application/json", headers=sent)
    judge(f"{CHECKOUT_API}Error", answer.json())
    assert answer.status_code == 400


def test_nul_in_what_an_agent_says_breaks_nothing(shop: Shop) -> None:
    said = {**SAID, "buyer": {"email": "ann@example.com", "first_name": "A\x00nn"}, "locale": "d\x00e"}
    answer = shop.agent.call("POST", "checkout_sessions", said)
    assert (answer.status, answer.body["buyer"]["first_name"]) == (201, "Ann")
    named = shop.agent.call("POST", "checkout_sessions", {**SAID, "line_items": [{"id": "SC\x00ARF"}]})
    assert (named.status, named.body["code"]) == (400, "invalid_item_id")


def test_too_large_too_fast_and_the_wrong_verb_are_told_as_such(shop: Shop) -> None:
    large = shop.agent.call("POST", "checkout_sessions", {**SAID, "metadata": {"x": "y" * 300_000}})
    assert (large.status, large.body["code"]) == (413, "too_large")
    wrong = shop.agent.call("PATCH", "checkout_sessions", SAID)
    assert (wrong.status, wrong.body["code"], wrong.headers["Allow"]) == (405, "method_not_allowed", "POST")
    with clock.steered():
        _, key = keys.create("slow", [doors.SCOPE], channels=[shop.channel.pk], calls_per_minute=1)
        slow = Agent(key)
        assert slow.call("POST", "carts", {"line_items": SAID["line_items"]}).status == 201
        again = slow.call("POST", "carts", {"line_items": SAID["line_items"]})
        assert (again.status, again.body["code"]) == (429, "rate_limited")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "shop.example", "https://"])
def test_what_agents_show_buyers_are_addresses(shop: Shop, url: str) -> None:
    with pytest.raises(UserError, match="no address such as"):
        doors.change_door(shop.door, payment=None, links={"terms_of_use": url})


def test_an_archived_channel_lets_no_agents_in(shop: Shop) -> None:
    shop.other.status = SalesChannel.Status.ARCHIVED
    with pytest.raises(UserError, match="archived"):
        doors.open_door(shop.other)
