"""eBay's doors: consent in the browser, tokens, and notifications from subscription to signature."""

from __future__ import annotations

import hashlib
import json
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NeedsAttention, Rejected, WebhookRefused
from finalmarket.connectors.platforms.ebay import Ebay
from finalmarket.connectors.platforms.ebay.calls import SCOPES
from finalmarket.connectors.records import Delivery
from finalmarket.sandbox.platforms.ebay.account import RU_NAME
from finalmarket.sandbox.platforms.ebay.desk import KEY_NAME
from tests.connectors.cases import ebay
from tests.connectors.conformance.stage import START, Stage, changed, staged


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(ebay.case()) as made:
        yield made


def keeping(stage: Stage, **secrets: str) -> tuple[Any, dict[str, str]]:
    """The connector for an account that remembers what it is to keep."""
    kept: dict[str, str] = {}
    account = replace(changed(stage.connector.account, **secrets), keep=kept.update)
    return stage.with_account(account), kept


# Consent and tokens.


def test_a_seller_who_agrees_is_connected(stage: Stage) -> None:
    address = stage.connector.authorization_url("https://hub.example/back", "state-1", "verifier")
    asked = parse_qs(urlsplit(address).query)
    assert asked["redirect_uri"] == [RU_NAME]
    assert asked["scope"] == [" ".join(SCOPES)]
    sent_back = httpx2.get(address, follow_redirects=False)
    query = dict(parse_qsl(urlsplit(sent_back.headers["Location"]).query))
    assert query["state"] == "state-1"
    given = stage.connector.exchange(query, "https://hub.example/back", "verifier")
    assert given["seller"] == "sandbox_seller"
    connected = stage.with_account(changed(stage.connector.account, refresh_token=given["refresh_token"]))
    assert connected.check() == "sandbox_seller on EBAY_DE"
    with pytest.raises(NeedsAttention):  # a code is good once
        stage.connector.exchange(query, "https://hub.example/back", "verifier")


def test_without_a_ru_name_nobody_is_sent_away(stage: Stage) -> None:
    account = replace(stage.connector.account, settings={})
    with pytest.raises(NeedsAttention, match="RuName"):
        stage.with_account(account).authorization_url("https://hub.example/back", "s", "v")


def test_a_token_that_ended_is_renewed_by_itself(stage: Stage) -> None:
    connector, kept = keeping(stage)
    connector.check()
    first = kept["access_token"]
    stage.time.advance(timedelta(hours=3))
    connector.check()
    assert kept["access_token"] != first


def test_ebays_own_sandbox_has_hosts_of_its_own() -> None:
    connector = Ebay(Account({}, base_url="https://api.sandbox.ebay.com"))
    assert connector.address("https://apiz.ebay.com/x") == "https://apiz.sandbox.ebay.com/x"
    assert connector.address("https://auth.ebay.com/x") == "https://auth.sandbox.ebay.com/x"


# Notifications.


@contextmanager
def listening(answer: Any) -> Iterator[tuple[str, list[Delivery]]]:
    """An address that answers challenges by `answer` and keeps what is delivered."""
    came: list[Delivery] = []

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            told = answer(f"http://127.0.0.1:{self.server.server_port}{parts.path}", dict(parse_qsl(parts.query)))  # type: ignore[attr-defined]
            self.send_response(200 if told else 405)
            self.end_headers()
            self.wfile.write(told[1].encode() if told else b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append(Delivery("https://hub.example/hooks/1", dict(self.headers), body, START))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hooks/token-1/", came
    finally:
        server.shutdown()
        server.server_close()


def test_a_sale_is_notified_to_an_address_that_answered_the_challenge(stage: Stage) -> None:
    connector, kept = keeping(stage, notification_key="")
    with listening(connector.answer_challenge) as (url, came):
        connector.subscribe(url)
        order = stage.stand_in.order((ebay.plenty(stage.stand_in), 1))
        assert stage.stand_in.sender.wait()
    (delivery,) = came
    connector.verify_webhook(delivery)
    (event,) = connector.read_webhook(delivery)
    assert (event.kind, event.external_id) == ("orders", order)
    assert kept["notification_key"].startswith(f"{KEY_NAME} SHA1 ")


def test_an_address_that_does_not_answer_the_challenge_gets_nothing(stage: Stage) -> None:
    with listening(lambda url, query: None) as (url, _), pytest.raises(Rejected, match="Challenge"):
        stage.connector.subscribe(url)
    assert stage.stand_in.state["subscriptions"] == {}


def test_the_answer_to_a_challenge_is_the_hash_of_code_token_and_address(stage: Stage) -> None:
    token = "a-verification-token-of-forty-letters-00"
    connector = stage.with_account(changed(stage.connector.account, verification_token=token))
    url = "https://hub.example/hooks/token-1/"
    kind, text = connector.answer_challenge(url, {"challenge_code": "a8628072-3d33-45ee"})
    assert kind == "application/json"
    assert json.loads(text) == {
        "challengeResponse": hashlib.sha256(f"a8628072-3d33-45ee{token}{url}".encode()).hexdigest()
    }
    assert connector.answer_challenge(url, {"hub.challenge": "1"}) is None


def test_a_public_key_is_asked_for_once(stage: Stage) -> None:
    connector, kept = keeping(stage, notification_key="")
    stage.stand_in.state["config"] = {"alertEmail": "a@example.com"}
    connector.subscribe("https://hub.example/hooks/1")
    with listening(connector.answer_challenge) as (url, came):
        stage.stand_in.state["destinations"][next(iter(stage.stand_in.state["destinations"]))]["deliveryConfig"][
            "endpoint"
        ] = url
        stage.stand_in.notify("MARKETPLACE_ACCOUNT_DELETION", {"username": "ada", "userId": "u-1"})
        assert stage.stand_in.sender.wait()
    connector.verify_webhook(came[0])
    later = stage.with_account(changed(stage.connector.account, **kept))
    later.verify_webhook(came[0])
    asked = [one for one in stage.watched.exchanges if "/public_key/" in one.path]
    assert len(asked) == 1
    (event,) = later.read_webhook(came[0])
    assert (event.kind, event.external_id) == ("erase", "ada")


def test_a_key_that_ebay_does_not_have_proves_nothing(stage: Stage) -> None:
    stranger = changed(stage.connector.account, notification_key=ebay.made_up_secret("a stranger"))
    delivery = ebay.deliver(stranger, topic="ORDER_CONFIRMATION", sent_at=START)
    with pytest.raises(WebhookRefused, match="cannot be had"):
        stage.connector.verify_webhook(delivery)


def test_a_signature_by_another_key_under_a_known_name_is_refused(stage: Stage) -> None:
    stranger = changed(stage.connector.account, notification_key=ebay.made_up_secret("a stranger"))
    delivery = ebay.deliver(stranger, topic="ORDER_CONFIRMATION", sent_at=START)
    told = json.loads(b64decode(delivery.header("X-EBAY-SIGNATURE")))
    told["kid"] = stage.connector.account.secrets["notification_key"].split(" ")[0]
    header = b64encode(json.dumps(told).encode()).decode()
    with pytest.raises(WebhookRefused, match="does not fit"):
        stage.connector.verify_webhook(replace(delivery, headers={"X-EBAY-SIGNATURE": header}))


def test_that_another_seller_left_the_application_is_none_of_ours(stage: Stage) -> None:
    delivery = ebay.deliver(stage.connector.account, topic="AUTHORIZATION_REVOCATION", sent_at=START)
    (ours,) = stage.connector.read_webhook(delivery)
    assert ours.kind == "uninstalled"
    account = replace(stage.connector.account, settings={"seller": "somebody_else"})
    (other,) = stage.with_account(account).read_webhook(delivery)
    assert other.kind == "unknown"


def test_a_subscription_that_goes_elsewhere_comes_here(stage: Stage) -> None:
    stage.connector.subscribe("https://hub.example/hooks/old")
    stage.connector.subscribe("https://hub.example/hooks/new")
    state = stage.stand_in.state
    ends = {state["destinations"][one["destinationId"]]["deliveryConfig"]["endpoint"]
            for one in state["subscriptions"].values()}  # fmt: skip
    assert ends == {"https://hub.example/hooks/new"}
    assert len(state["subscriptions"]) == 4


def test_ebay_wants_an_address_for_alerts_first(stage: Stage) -> None:
    account = replace(stage.connector.account, settings={**stage.connector.account.settings, "alert_email": ""})
    with pytest.raises(NeedsAttention, match="e-mail"):
        stage.with_account(account).subscribe("https://hub.example/hooks/1")
