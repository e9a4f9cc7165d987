"""How HubSpot is connected, what it signs and what its errors mean, beside what the suite looks at."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NeedsAttention, Rejected, RetryLater, Unintelligible, WebhookRefused
from finalmarket.connectors.platforms.hubspot import HubSpot, decoded, scopes
from finalmarket.connectors.records import Delivery
from finalmarket.kernel import clock
from finalmarket.sandbox.platforms.hubspot import CLIENT_ID, CLIENT_SECRET, PORTAL
from finalmarket.sandbox.platforms.hubspot.gate import letter
from tests.connectors.cases.hubspot import HOOK, account, case, deliver, describe
from tests.connectors.conformance.stage import DOUBLE, START, Stage, always, on_a_double, staged

BACK = "https://hub.example/oauth"


def authorized(stage: Stage) -> tuple[dict[str, str], dict[str, str]]:
    """What the account's owner comes back with, and the secrets that it is turned into."""
    url = stage.connector.authorization_url(BACK, "state-1", "")
    page = httpx2.get(url, follow_redirects=False, trust_env=False)
    query = {name: values[0] for name, values in parse_qs(urlsplit(page.headers["location"]).query).items()}
    return query, dict(stage.connector.exchange(query, BACK, ""))


def test_the_round_trip_in_the_browser_lets_one_in() -> None:
    with staged(case()) as stage:
        query, given = authorized(stage)
        assert query["state"] == "state-1"
        settings = {"client_id": CLIENT_ID}
        connector = stage.with_account(
            Account({**given, "client_secret": CLIENT_SECRET}, settings, base_url=stage.address)
        )
        assert connector.check() == f"HubSpot account {PORTAL} (STANDARD)"


def test_a_code_is_good_once_and_for_one_address() -> None:
    with staged(case()) as stage:
        query, _ = authorized(stage)
        with pytest.raises(NeedsAttention, match="anew"):
            stage.connector.exchange(query, BACK, "")
        with pytest.raises(NeedsAttention, match="no authorization code"):
            stage.connector.exchange({"state": "state-1"}, BACK, "")


def test_a_token_that_ended_is_renewed_and_kept() -> None:
    with staged(case()) as stage:
        _, given = authorized(stage)
        kept: dict[str, str] = {}
        secrets = {**given, "client_secret": CLIENT_SECRET}
        connector = stage.with_account(
            Account(secrets, {"client_id": CLIENT_ID}, base_url=stage.address, keep=kept.update)
        )
        connector.check()
        assert kept == {}
        stage.time.advance(timedelta(minutes=29))
        connector.check()
        assert kept["access_token"] not in ("", given["access_token"])
        assert kept["access_token_ends_at"] > given["access_token_ends_at"]


def test_token_calls_are_as_the_client_library_makes_them() -> None:
    with staged(case()) as stage:
        authorized(stage)
        (call,) = [one for one in stage.watched.exchanges if one.path == "/oauth/v1/token"]
        judge, json_headers = describe(), {"content-type": "application/json"}
        assert judge.request_faults("POST", call.path, call.query, call.request_headers, call.request_body) == []
        assert judge.answer_faults("POST", call.path, call.request_body, 200, json_headers, call.answer_body) == []


def test_the_address_of_consent_is_the_one_that_the_client_library_makes() -> None:
    oauth = pytest.importorskip("hubspot.utils.oauth", reason="NOT CHECKED: hubspot-api-client is not installed")
    connector = HubSpot(replace(account(""), base_url=""))
    theirs = oauth.get_auth_url(
        CLIENT_ID, BACK, scope=tuple(scopes("orders")), optional_scope=("communication_preferences.read_write",),
        state="state-1",
    )  # fmt: skip
    ours = connector.authorization_url(BACK, "state-1", "")
    assert parse_qs(urlsplit(ours).query) == parse_qs(urlsplit(theirs).query)
    assert ours.partition("?")[0] == theirs.partition("?")[0]


def test_without_a_client_id_nobody_is_sent_anywhere() -> None:
    with pytest.raises(NeedsAttention, match="Client ID"):
        HubSpot(Account({"access_token": "made-up-token"})).authorization_url(BACK, "state-1", "")


# Signatures, by HubSpot's own verifier.


def signature() -> Any:
    module = pytest.importorskip("hubspot.utils.signature", reason="NOT CHECKED: hubspot-api-client is not installed")
    return module.Signature


def test_what_the_sandbox_signs_is_what_the_client_library_signs() -> None:
    sent = letter(HOOK, [{"eventId": 1, "subscriptionType": "contact.creation"}], START, CLIENT_SECRET)
    stamp = sent.headers["X-HubSpot-Request-Timestamp"]
    theirs = signature().get_signature(CLIENT_SECRET, sent.body.decode(), "v3", HOOK, "POST", stamp)
    assert theirs == sent.headers["X-HubSpot-Signature-v3"]


def test_what_the_client_library_signs_is_accepted() -> None:
    body, stamp = json.dumps([{"eventId": 1, "note": "Grüße"}], ensure_ascii=False), str(int(START.timestamp() * 1000))
    signed = signature().get_signature(CLIENT_SECRET, body, "v3", HOOK, "POST", stamp)
    headers = {"X-HubSpot-Signature-v3": signed, "X-HubSpot-Request-Timestamp": stamp}
    connector = HubSpot(account(DOUBLE))
    connector.verify_webhook(Delivery(HOOK, headers, body.encode(), START))
    with pytest.raises(WebhookRefused):
        connector.verify_webhook(Delivery(HOOK + "?other=1", headers, body.encode(), START))


def test_some_signs_of_an_address_are_decoded_before_it_is_signed() -> None:
    assert decoded("https://a.example/x%3Ay%2fz%40%21%24%27%28%29%2A%2C%3B%3F") == "https://a.example/x:y/z@!$'()*,;?"
    assert decoded("https://a.example/%20%25%C3%BC%26") == "https://a.example/%20%25%C3%BC%26"


def test_newer_subscriptions_name_contacts_by_their_type() -> None:
    connector, base = HubSpot(account(DOUBLE)), deliver(account(DOUBLE), topic="contact.creation", sent_at=START)
    (event,) = json.loads(base.body)

    def kind(**told: Any) -> tuple[str, str]:
        (read,) = connector.read_webhook(replace(base, body=json.dumps([{**event, **told}]).encode()))
        return read.kind, read.topic

    assert kind(subscriptionType="object.deletion", objectTypeId="0-1") == ("customers", "object.deletion")
    assert kind(subscriptionType="object.deletion", objectTypeId="0-3") == ("unknown", "object.deletion")


def test_a_delivery_of_many_events_is_read_whole() -> None:
    delivery = deliver(account(DOUBLE), topic="contact.creation", sent_at=START)
    (event,) = json.loads(delivery.body)
    many = [{**event, "eventId": number, "objectId": number} for number in range(100)]
    read = HubSpot(account(DOUBLE)).read_webhook(replace(delivery, body=json.dumps(many).encode()))
    assert [one.external_id for one in read] == [str(number) for number in range(100)]
    with pytest.raises(Unintelligible):
        HubSpot(account(DOUBLE)).read_webhook(replace(delivery, body=b'[{"eventId": 1}]'))


# What its errors mean.


@pytest.mark.parametrize(("status", "told", "kind", "seconds"), [
    (429, {"category": "RATE_LIMITS", "policyName": "TEN_SECONDLY_ROLLING"}, RetryLater, 10.0),
    (429, {"policyName": "DAILY"}, RetryLater, 3600.0),
    (423, {}, RetryLater, None),
    (477, {}, RetryLater, None),
    (403, {"category": "MISSING_SCOPES", "message": "needs crm.objects.orders.write"}, NeedsAttention, None),
    (409, {"category": "CONFLICT", "message": "Contact already exists. Existing ID: 1"}, Rejected, None),
])  # fmt: skip
def test_each_error_has_its_consequence(
    status: int, told: dict[str, str], kind: type[Exception], seconds: float | None
) -> None:
    connector = on_a_double(case(), always(status, json.dumps(told).encode()))
    with clock.steered(START), pytest.raises(kind) as raised:
        connector.http.call("POST", "/crm/v3/objects/contacts", json={})
    assert getattr(raised.value, "retry_after", None) == seconds


def test_a_batch_that_was_taken_in_part_is_no_success() -> None:
    told = {
        "status": "COMPLETE", "results": [], "startedAt": "2026-06-01T12:00:00Z", "completedAt": "2026-06-01T12:00:00Z",
        "numErrors": 1, "errors": [{"category": "VALIDATION_ERROR", "message": "no such thing"}],
    }  # fmt: skip
    connector = on_a_double(case(), always(207, json.dumps(told).encode()))
    with pytest.raises(Rejected, match="no such thing"):
        connector._objects.upsert("contacts", "email", {"a@example.com": {"firstname": "Ada"}})
