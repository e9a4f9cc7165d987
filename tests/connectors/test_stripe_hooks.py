"""Stripe's webhooks, its errors, and its stand-in, over HTTP."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import (
    ConnectorError,
    NeedsAttention,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    WebhookRefused,
)
from finalmarket.connectors.platforms.stripe import Stripe
from finalmarket.connectors.records import Delivery, Event, RefundNotice
from finalmarket.kernel import clock
from finalmarket.sandbox.platforms.stripe.account import KEY
from tests.connectors.cases.stripe import about, account, case, deliver
from tests.connectors.conformance.stage import START, Stage, staged

HUB = "https://hub.example/hooks/token-1"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


# Webhooks.


@contextmanager
def _mailbox() -> Iterator[tuple[str, list[Delivery]]]:
    """An address that takes in what is sent to it."""
    letters: list[Delivery] = []

    class Box(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            letters.append(Delivery(self.path, dict(self.headers), body, clock.now()))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Box)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hooks", letters
    finally:
        server.shutdown()
        server.server_close()


def _holding(stage: Stage, given: Mapping[str, str]) -> Any:
    """The connector, its account holding what the platform gave."""
    known = stage.connector.account
    return stage.with_account(replace(known, secrets={**known.secrets, **given}))


def _read(connector: Any, letters: list[Delivery]) -> list[Event]:
    for letter in letters:
        connector.verify_webhook(letter)
    return [event for letter in letters for event in connector.read_webhook(letter)]


def test_what_happens_is_told_to_the_address_that_was_subscribed(stage: Stage) -> None:
    with _mailbox() as (url, letters):
        connector = _holding(stage, stage.connector.subscribe(url))
        name = stage.stand_in.pay(5_000, capture=False)
        connector.capture_payment(name, Decimal("50.00"), "EUR", "k-1")
        refund = connector.push_refund(
            RefundNotice(key="r-1", order_id="A1", payment_id=name, amount=Decimal("10.00"), currency="EUR")
        )
        ada = stage.stand_in.sign_up({"name": "Ada"})["id"]
        assert stage.stand_in.sender.wait()
    events = _read(connector, letters)
    assert [(event.topic, event.kind, event.external_id) for event in events] == [
        ("payment_intent.created", "payments", name), ("charge.succeeded", "payments", name),
        ("payment_intent.amount_capturable_updated", "payments", name), ("charge.captured", "payments", name),
        ("payment_intent.succeeded", "payments", name), ("refund.created", "payments", name),
        ("charge.refunded", "payments", name), ("customer.created", "customers", ada),
    ]  # fmt: skip
    assert refund in letters[5].body.decode()
    assert all(START <= event.occurred_at < START + timedelta(minutes=1) for event in events if event.occurred_at)


def test_while_a_secret_is_rolled_both_sign_and_either_is_enough(stage: Stage) -> None:
    with _mailbox() as (url, letters):
        given = stage.connector.subscribe(url)
        new = stage.stand_in.roll_secret(given["webhook_endpoint_id"])
        stage.stand_in.pay(5_000)
        assert stage.stand_in.sender.wait()
        for secret in (given["webhook_secret"], new):
            assert _read(_holding(stage, {"webhook_secret": secret}), letters)
        stage.time.advance(timedelta(days=2))
        letters.clear()
        stage.stand_in.pay(5_000)
        assert stage.stand_in.sender.wait()
        assert _read(_holding(stage, {"webhook_secret": new}), letters)
        with pytest.raises(WebhookRefused):
            _read(_holding(stage, {"webhook_secret": given["webhook_secret"]}), letters)


def test_a_subscription_stands_once_and_is_put_right_where_somebody_changed_it(stage: Stage) -> None:
    given = stage.connector.subscribe(HUB)
    connector = _holding(stage, given)
    (endpoint,) = stage.stand_in.state["webhook_endpoints"].values()
    assert set(endpoint["enabled_events"]) == set(Stripe.webhook_topics)
    endpoint |= {"status": "disabled", "enabled_events": ["charge.failed"]}
    assert connector.subscribe(HUB) == {}
    assert (endpoint["status"], set(endpoint["enabled_events"])) == ("enabled", set(Stripe.webhook_topics))
    before = stage.effects()
    assert connector.subscribe(HUB) == {}
    assert stage.effects() == before


def test_an_endpoint_whose_secret_we_lost_is_replaced_and_those_of_others_stay(stage: Stage) -> None:
    other = stage.connector.subscribe("https://elsewhere.example.org/")["webhook_endpoint_id"]
    lost = stage.connector.subscribe(HUB)["webhook_endpoint_id"]
    stage.time.advance(timedelta(days=2))
    given = stage.connector.subscribe(HUB)
    assert set(stage.stand_in.state["webhook_endpoints"]) == {other, given["webhook_endpoint_id"]}
    assert given["webhook_endpoint_id"] != lost
    del stage.stand_in.state["webhook_endpoints"][given["webhook_endpoint_id"]]  # by hand, within the same day
    again = stage.connector.subscribe(HUB)
    assert set(stage.stand_in.state["webhook_endpoints"]) == {other, again["webhook_endpoint_id"]}


def test_an_event_brings_its_payment_along_only_where_it_tells_all_of_it(stage: Stage) -> None:
    ours = stage.connector.account
    begun = deliver(ours, topic="payment_intent.created", sent_at=START)
    (event,) = stage.connector.read_webhook(begun)
    assert event.record == replace(event.record, external_id="pi_1", state="pending", amount=Decimal("10.00"))
    charged = about("payment_intent.succeeded", 1) | {"status": "succeeded", "latest_charge": "ch_1"}
    shown = charged | {"latest_charge": about("charge.succeeded", 1)}
    for body in (
        json.loads(begun.body) | {"data": {"object": charged}},
        json.loads(begun.body) | {"data": {"object": shown}},
        json.loads(begun.body) | {"api_version": "2019-02-19"},
    ):
        (event,) = stage.connector.read_webhook(replace(begun, body=json.dumps(body).encode()))
        assert (event.kind, event.external_id, event.record) == ("payments", "pi_1", None)


@pytest.mark.parametrize("spoil", ["v1=", "v0=", "t="])
def test_only_the_scheme_in_force_counts(stage: Stage, spoil: str) -> None:
    delivery = deliver(stage.connector.account, topic="charge.refunded", sent_at=START)
    header = delivery.headers["Stripe-Signature"]
    spoiled = header.replace("v1=", "v0=") if spoil == "v0=" else header.replace(spoil, "x" + spoil)
    with pytest.raises(WebhookRefused):
        stage.connector.verify_webhook(replace(delivery, headers={"Stripe-Signature": spoiled}))


# How we are let in, and what errors mean.


def test_basic_credentials_open_the_stand_in_too(stage: Stage) -> None:
    basic = base64.b64encode(f"{KEY}:".encode()).decode()
    assert httpx2.get(f"{stage.address}/v1/balance", headers={"Authorization": f"Basic {basic}"}).status_code == 200
    assert httpx2.get(f"{stage.address}/v1/balance").status_code == 401


def test_the_check_names_the_mode_and_the_currencies(stage: Stage) -> None:
    stage.stand_in.pay(5_000, "usd")
    stage.stand_in.pay(5_000, "eur")
    assert stage.connector.check() == "a Stripe account in test mode, with a balance in EUR, USD"


def test_a_publishable_key_is_told_from_a_secret_one() -> None:
    with pytest.raises(NeedsAttention, match="publishable"):
        Stripe(Account({"secret_key": "pk_test_of_the_browser"})).check()


@pytest.mark.parametrize(
    ("key", "calls"), [("sk_test_1", 25), ("rk_test_1", 25), ("sk_live_1", 100), ("rk_live_1", 100)]
)
def test_test_keys_have_a_slower_pace(key: str, calls: int) -> None:
    assert Stripe(Account({"secret_key": key})).http.rates[""].per_second == calls


ERRORS: list[tuple[int, dict[str, str], type[ConnectorError], str]] = [
    (400, {"type": "invalid_request_error", "code": "parameter_unknown"}, Rejected, "parameter_unknown"),
    (400, {"type": "idempotency_error"}, Rejected, "idempotency_error"),
    (401, {"type": "invalid_request_error"}, NeedsAttention, "invalid_request_error"),
    (401, {"type": "invalid_request_error", "code": "api_key_expired"}, NeedsAttention, "api_key_expired"),
    (402, {"type": "card_error", "code": "card_declined", "decline_code": "lost_card"}, Rejected, "card_declined"),
    (403, {"type": "invalid_request_error"}, NeedsAttention, "invalid_request_error"),
    (400, {"type": "invalid_request_error", "code": "livemode_mismatch"}, NeedsAttention, "livemode_mismatch"),
    (409, {"type": "invalid_request_error", "code": "idempotency_key_in_use"}, RetryLater, "idempotency_key_in_use"),
    (409, {"type": "invalid_request_error"}, RetryLater, "conflict"),
    (424, {"type": "api_error"}, RetryLater, "dependency_failed"),
    (429, {"type": "invalid_request_error", "code": "lock_timeout"}, RetryLater, "lock_timeout"),
    (429, {"type": "invalid_request_error", "code": "rate_limit"}, RetryLater, "rate_limit"),
    (500, {"type": "api_error"}, RetryLater, "api_error"),
]


@pytest.mark.parametrize(("status", "error", "kind", "code"), ERRORS)
def test_each_error_says_what_to_do(status: int, error: dict[str, str], kind: type[ConnectorError], code: str) -> None:
    answer = httpx2.Response(status, json={"error": {**error, "message": "No."}})
    connector = Stripe(account("http://double.invalid"), transport=httpx2.MockTransport(lambda request: answer))
    with pytest.raises(kind) as caught:
        connector.pull_payment("pi_1")
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert "No." in caught.value.reason
    assert error.get("decline_code", "") in caught.value.reason


def test_a_failure_of_a_write_without_a_key_leaves_its_outcome_unknown() -> None:
    answer = httpx2.Response(500, json={"error": {"type": "api_error", "message": "No."}})
    connector = Stripe(account("http://double.invalid"), transport=httpx2.MockTransport(lambda request: answer))
    with pytest.raises(OutcomeUnknown):
        connector.http.call("POST", "/v1/refunds", form={"charge": "ch_1"})


# The stand-in.


def test_every_call_of_the_stand_in_is_as_described(stage: Stage) -> None:
    there = stage.stand_in
    paid, bare = there.pay(5_000), there.charge_without_intent(5_000, capture=False)
    dispute, endpoint = there.dispute(there.pay(700)), stage.connector.subscribe(HUB)["webhook_endpoint_id"]
    refund, customer = there.give_back(paid, 100)["id"], there.sign_up({"email": "ada@example.com"})["id"]
    charge, event = there.one("payment_intents", paid)["latest_charge"], next(iter(there.state["events"]))
    for path in (
        "balance", "payment_intents?limit=1&expand[]=data.latest_charge.refunds",
        f"payment_intents?ending_before={paid}", f"charges?payment_intent={paid}",
        f"charges/{charge}?expand[0]=refunds", f"refunds?charge={charge}",
        f"refunds/{refund}", f"disputes?charge={charge}", f"disputes/{dispute}", "customers?email=ada@example.com",
        "customers/search?query=email:'ada@example.com'", f"customers/{customer}", "events?type=charge.*",
        f"events/{event}", "webhook_endpoints", f"webhook_endpoints/{endpoint}",
    ):  # fmt: skip
        assert stage.connector.http.call("GET", f"/v1/{path}").data["object"]
    for path, form in (
        (f"charges/{bare}/capture", {"amount": "100"}), (f"customers/{customer}", {"metadata[a]": "b", "email": ""}),
        (f"webhook_endpoints/{endpoint}", {"disabled": "true"}),
    ):  # fmt: skip
        assert stage.connector.http.call("POST", f"/v1/{path}", form=form).data["object"]
    for path in (f"webhook_endpoints/{endpoint}", f"customers/{customer}"):
        assert stage.connector.http.call("DELETE", f"/v1/{path}").data["deleted"]
    assert stage.connector.http.call("GET", f"/v1/customers/{customer}").data["deleted"]
    described = [one for one in stage.watched.exchanges if one.operation]
    assert len(described) == len(stage.watched.exchanges), "a call was judged by no description"


@pytest.mark.parametrize(
    ("path", "form", "code"),
    [("customers", {"nickname": "A"}, "parameter_unknown"), ("webhook_endpoints", {"url": HUB}, "parameter_missing"),
     ("refunds", {"charge": "ch_1", "amount": "1.5"}, "parameter_invalid_integer"),
     ("refunds", {"charge": "ch_1"}, "resource_missing"), ("customers", {"email": "nobody"}, "email_invalid")],
)  # fmt: skip
def test_the_stand_in_refuses_what_stripe_refuses(path: str, form: dict[str, str], code: str) -> None:
    with staged(replace(case(), describe=None)) as stage, pytest.raises(Rejected) as caught:
        stage.connector.http.call("POST", f"/v1/{path}", form=form)
    assert caught.value.code == code


def test_what_shoppers_do_comes_in_as_it_happened(stage: Stage) -> None:
    for _ in range(150):
        stage.stand_in.shop(stage.world.chance)
    pages = stage.connector.pull_payments("", None)
    came = {record.external_id: record for page in pages for record in page.records}
    assert {record.state for record in came.values()} == {"captured", "authorised", "refunded", "disputed"}
    assert {
        name: (
            int(record.amount * 100),
            int(record.captured * 100),
            int(sum(one.amount for one in record.refunds) * 100),
        )
        for name, record in came.items()
    } == {
        name: (facts["amount"], facts["captured"], facts["refunded"]) for name, facts in stage.stand_in.paid().items()
    }
