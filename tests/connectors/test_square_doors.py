"""Square: how a hub is let in, and how it hears of what happens, over HTTP against the stand-in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from finalmarket.connectors.auth import new_verifier
from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NeedsAttention, RetryLater, WebhookRefused
from finalmarket.connectors.platforms.square import Square
from finalmarket.connectors.records import CustomerRecord, Delivery
from finalmarket.kernel import clock
from finalmarket.sandbox.faults import Fault, Faults
from finalmarket.sandbox.platforms.square.doors import APPLICATION_ID
from tests.connectors.cases.square import account, case, deliver, seed_listings
from tests.connectors.conformance.stage import START, Stage, staged

CALLBACK = "https://hub.example/oauth/square"


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Square with its stand-in; at the end nothing may have been against the published description."""
    with staged(case()) as made:
        yield made


# How we are let in.


def test_a_token_that_ended_is_renewed_before_it_is_used_and_kept(stage: Stage) -> None:
    kept: dict[str, str] = {}
    given = account(stage.address)
    ends_at = (stage.world.clock.now() + timedelta(seconds=60)).isoformat()
    connector = stage.with_account(
        replace(given, secrets={**given.secrets, "access_token_ends_at": ends_at}, keep=kept.update)
    )
    assert connector.check() == "Sandbox shop main (IE)"
    assert kept["access_token"] in stage.stand_in.state.tokens
    assert kept["access_token"] != given.secrets["access_token"]
    assert kept["access_token_ends_at"] == (clock.now() + timedelta(days=30)).isoformat()
    connector.close()


def test_the_round_trip_with_a_secret_gives_tokens_that_work(stage: Stage) -> None:
    given = account(stage.address)
    blank = stage.with_account(replace(given, secrets={"application_secret": given.secrets["application_secret"]}))
    asked = parse_qs(urlsplit(blank.authorization_url(CALLBACK, "state-1", new_verifier())).query)
    assert (asked["state"], asked["redirect_uri"], asked["session"]) == (["state-1"], [CALLBACK], ["false"])
    assert "ORDERS_WRITE" in asked["scope"][0].split(" ")
    assert "code_challenge" not in asked
    secrets = blank.exchange({"code": stage.stand_in.new_code(), "state": "state-1"}, CALLBACK, "")
    assert secrets["merchant_id"] == stage.stand_in.merchant_id
    connected = stage.with_account(replace(given, secrets={**given.secrets, **secrets}))
    assert connected.check()
    for one in (blank, connected):
        one.close()


def test_the_round_trip_without_a_secret_is_proved_by_pkce_and_each_refresh_token_works_once(stage: Stage) -> None:
    kept: dict[str, str] = {}
    given = Account({}, {"application_id": APPLICATION_ID}, base_url=stage.address)
    blank, verifier = stage.with_account(given), new_verifier()
    url = blank.authorization_url(CALLBACK, "state-1", verifier)
    answer = httpx2.get(url, follow_redirects=False, trust_env=False)
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    secrets = blank.exchange({"code": back["code"][0]}, CALLBACK, verifier)
    stage.time.advance(timedelta(days=31))
    connected = stage.with_account(replace(given, secrets=secrets, keep=kept.update))
    assert connected.check()
    assert kept["refresh_token"] != secrets["refresh_token"]
    again = stage.with_account(replace(given, secrets=secrets))
    with pytest.raises(NeedsAttention):
        again.check()
    for one in (blank, connected, again):
        one.close()


@pytest.mark.parametrize("query", [{"error": "access_denied", "error_description": "user_denied"}, {"code": "used-up"}])
def test_a_round_trip_that_came_to_nothing_needs_attention(stage: Stage, query: dict[str, str]) -> None:
    with pytest.raises(NeedsAttention):
        stage.connector.exchange(query, CALLBACK, "")


def test_another_verifier_than_the_one_that_began_is_refused(stage: Stage) -> None:
    blank = stage.with_account(Account({}, {"application_id": APPLICATION_ID}, base_url=stage.address))
    asked = parse_qs(urlsplit(blank.authorization_url(CALLBACK, "s", new_verifier())).query)
    code = stage.stand_in.new_code(challenge=asked["code_challenge"][0])
    with pytest.raises(NeedsAttention):
        blank.exchange({"code": code}, CALLBACK, new_verifier())
    blank.close()


def test_one_call_too_many_is_waited_out(stage: Stage) -> None:
    stage.stand_in.faults = Faults()
    stage.stand_in.faults.then(Fault.TOO_MANY_WAIT)
    with pytest.raises(RetryLater) as caught:
        stage.connector.check()
    assert (caught.value.code, caught.value.retry_after) == ("RATE_LIMITED", 1.0)


# Webhooks.


@contextmanager
def mailbox() -> Iterator[tuple[str, list[Delivery]]]:
    """An address that takes deliveries, and those that came."""
    came: list[Delivery] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append(Delivery(address, dict(self.headers), body, START))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = f"http://127.0.0.1:{server.server_address[1]}/hooks/1"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield address, came
    finally:
        server.shutdown()
        server.server_close()


def test_a_sale_is_told_at_once_and_the_news_leads_to_it(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    with mailbox() as (address, came):
        given = account(stage.address)
        secrets = stage.connector.subscribe(address)
        connector = stage.with_account(replace(given, secrets={**given.secrets, **secrets}))
        sale = stage.stand_in.order((ref.sku, 1))
        assert stage.stand_in.sender.wait()
        for delivery in came:
            connector.verify_webhook(delivery)
        events = [event for delivery in came for event in connector.read_webhook(delivery)]
        assert {(event.kind, event.external_id) for event in events} == {("orders", sale), ("stock", ref.key)}
        with pytest.raises(WebhookRefused):
            connector.verify_webhook(replace(came[0], url=f"{address}/elsewhere"))
        connector.close()


def test_a_subscription_that_is_there_is_completed_and_keeps_its_key(stage: Stage) -> None:
    url = "https://hub.example/hooks/1"
    first = stage.connector.subscribe(url)
    (hook,) = stage.stand_in.state.subscriptions.values()
    hook |= {"event_types": ["order.created"], "enabled": False}
    assert stage.connector.subscribe(url) == first
    assert hook["enabled"]
    assert set(hook["event_types"]) >= set(Square.webhook_topics)
    assert len(stage.stand_in.state.subscriptions) == 1


def test_a_sellers_token_may_not_subscribe_for_the_application(stage: Stage) -> None:
    given = account(stage.address)
    secrets = {name: value for name, value in given.secrets.items() if name != "application_token"}
    connector = stage.with_account(replace(given, secrets=secrets))
    with pytest.raises(NeedsAttention):
        connector.subscribe("https://hub.example/hooks/1")
    connector.close()


def test_what_happened_to_another_merchant_of_the_application_is_left_out() -> None:
    given = account("http://platform.invalid")
    delivery = deliver(given, topic="order.updated", sent_at=START)
    mine = Square(replace(given, secrets={**given.secrets, "merchant_id": "MLSANDBOX0001"}))
    other = Square(replace(given, secrets={**given.secrets, "merchant_id": "ML-SOMEBODY-ELSE"}))
    assert [event.external_id for event in mine.read_webhook(delivery)] == ["THING1"]
    assert other.read_webhook(delivery) == ()


@pytest.mark.parametrize(
    ("topic", "kind", "name"),
    [
        ("payment.updated", "orders", "ORDER1"),
        ("refund.updated", "orders", "RETURN1"),
        ("inventory.count.updated", "stock", "VAR1"),
        ("catalog.version.updated", "listings", ""),
        ("customer.updated", "customers", "THING1"),
        ("oauth.authorization.revoked", "uninstalled", "THING1"),
    ],
)
def test_each_kind_of_news_names_what_it_is_about(topic: str, kind: str, name: str) -> None:
    given = account("http://platform.invalid")
    (event,) = Square(given).read_webhook(deliver(given, topic=topic, sent_at=START))
    assert (event.kind, event.external_id, event.occurred_at) == (kind, name, START)


def test_a_deleted_customer_is_told_whole_since_nothing_is_left_to_ask_for() -> None:
    given = account("http://platform.invalid")
    (event,) = Square(given).read_webhook(deliver(given, topic="customer.deleted", sent_at=START))
    assert isinstance(event.record, CustomerRecord)
    assert event.record.is_deleted
    assert event.record.version == "2026-06-01T12:00:00.000Z"
