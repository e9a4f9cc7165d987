"""PayPal's webhooks: proved by PayPal's own certificate, which comes from PayPal's own hosts only."""

from __future__ import annotations

import zlib
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import WebhookRefused
from finalmarket.connectors.platforms import paypal
from finalmarket.connectors.platforms.paypal import PayPal, certificates
from finalmarket.connectors.records import Delivery
from finalmarket.sandbox.platforms.paypal.account import certificate, certificate_path
from finalmarket.sandbox.webhooks import Letter
from tests.connectors.cases.paypal import WEBHOOK_ID, account, answer, case, deliver
from tests.connectors.conformance.stage import DOUBLE, START, staged

TOPIC = "PAYMENT.CAPTURE.COMPLETED"


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    paypal._fetched.clear()


def _asked(answers: Any = answer, base_url: str = DOUBLE) -> tuple[PayPal, list[httpx2.URL]]:
    """A connector, and the addresses that it asks."""
    asked: list[httpx2.URL] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url)
        assert "authorization" not in request.headers, "the way to a certificate tells no secret"
        found: httpx2.Response = answers(request)
        return found

    given = replace(account(base_url), base_url=base_url)
    return PayPal(given, transport=httpx2.MockTransport(handle)), asked


def _delivery(**headers: str) -> Delivery:
    made = deliver(account(DOUBLE), topic=TOPIC, sent_at=START)
    return replace(made, headers={**made.headers, **headers})


def test_what_is_signed_is_the_transmission_its_moment_the_webhook_and_the_checksum_of_the_body() -> None:
    made = _delivery()
    text = "|".join(
        [made.header("PAYPAL-TRANSMISSION-ID"), "2026-06-01T12:00:00Z", WEBHOOK_ID, str(zlib.crc32(made.body))]
    )
    key: Any = x509.load_pem_x509_certificate(certificate()).public_key()
    key.verify(b64decode(made.header("PAYPAL-TRANSMISSION-SIG")), text.encode(), PKCS1v15(), SHA256())
    connector, _ = _asked()
    connector.verify_webhook(made)


@pytest.mark.parametrize(
    "address",
    [
        "https://api.paypal.com.example.org/v1/notifications/certs/CERT-1",
        "https://example.org/v1/notifications/certs/CERT-1",
        "https://api.paypal.com@example.org/v1/notifications/certs/CERT-1",
        "https://notpaypal.com/v1/notifications/certs/CERT-1",
        "https://www.paypal.com/v1/notifications/certs/CERT-1",
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/../../../files/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/CERT-1?next=https://example.org",
        "https://api.paypal.com/elsewhere/CERT-1",
        "https://[api.paypal.com/v1/notifications/certs/CERT-1",
        "//api.paypal.com/v1/notifications/certs/CERT-1",
    ],
)
def test_a_certificate_of_another_host_is_not_even_asked_for(address: str) -> None:
    connector, asked = _asked()
    with pytest.raises(WebhookRefused, match="not one of PayPal's"):
        connector.verify_webhook(_delivery(**{"PAYPAL-CERT-URL": address}))
    assert asked == []


@pytest.mark.parametrize(("base_url", "host"), [("", "api.paypal.com"), (DOUBLE, "platform.invalid")])
def test_the_certificate_is_fetched_once_from_paypal_or_from_what_stands_in_for_it(base_url: str, host: str) -> None:
    connector, asked = _asked(base_url=base_url)
    connector.verify_webhook(_delivery())
    connector.verify_webhook(_delivery())
    assert [(url.host, url.path.removeprefix("/double/main")) for url in asked] == [(host, certificate_path())]


def test_paypals_own_sandbox_gets_its_certificates_where_they_are() -> None:
    connector, asked = _asked(base_url="https://api-m.sandbox.paypal.com")
    connector.verify_webhook(_delivery())
    assert [url.host for url in asked] == ["api.paypal.com"]


def _pem(**_: Any) -> Any:
    return lambda request: httpx2.Response(200, content=b"-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----")


@pytest.mark.parametrize(
    "answers",
    [
        lambda request: httpx2.Response(500),
        lambda request: httpx2.Response(302, headers={"Location": "https://example.org/cert"}),
        lambda request: httpx2.Response(200, json={}),
        lambda request: httpx2.Response(200, content=b""),
        lambda request: httpx2.Response(200, content=certificate("certs.example.org")),
        lambda request: httpx2.Response(200, content=certificate("evilpaypal.com")),
        _pem(),
    ],
)
def test_what_is_no_certificate_of_paypals_is_refused_and_not_remembered(answers: Any) -> None:
    connector, _ = _asked(answers)
    with pytest.raises(WebhookRefused):
        connector.verify_webhook(_delivery())
    healthy, asked = _asked()
    healthy.verify_webhook(_delivery())
    assert len(asked) == 1


def test_a_certificate_holds_for_its_time_only() -> None:
    for at in (datetime(2019, 12, 31, tzinfo=UTC), datetime(2060, 1, 2, tzinfo=UTC)):
        with pytest.raises(WebhookRefused, match="not valid"):
            certificates.key_of(certificate(), at)


def test_a_delivery_of_another_algorithm_is_refused_before_anything_is_asked() -> None:
    connector, asked = _asked()
    for algorithm in ("SHA1withRSA", "none", "HS256"):
        with pytest.raises(WebhookRefused):
            connector.verify_webhook(_delivery(**{"PAYPAL-AUTH-ALGO": algorithm}))
    assert asked == []


def test_a_capture_a_refund_and_a_dispute_are_news_of_their_payment() -> None:
    connector, _ = _asked()
    named = {}
    for topic in PayPal.webhook_topics:
        (event,) = connector.read_webhook(deliver(account(DOUBLE), topic=topic, sent_at=START))
        assert (event.kind, event.record, event.occurred_at) == ("payments", None, START)
        named[topic] = event.external_id
    assert named["PAYMENT.CAPTURE.COMPLETED"] == named["CHECKOUT.ORDER.APPROVED"] == "5O190127TN364715T"
    assert named["PAYMENT.CAPTURE.REFUNDED"] == named["CUSTOMER.DISPUTE.CREATED"] == "42311647XV020574X"


def test_what_the_sandbox_sends_is_proved_and_leads_to_the_payment(monkeypatch: pytest.MonkeyPatch) -> None:
    with staged(case()) as stage:
        letters: list[Letter] = []
        monkeypatch.setattr(stage.stand_in.sender, "send", letters.append)
        url = "https://hub.example/hooks/1"
        given = stage.connector.subscribe(url)
        assert stage.connector.subscribe(url) == given
        order = stage.stand_in.pay("20.00")
        secrets = {**stage.connector.account.secrets, **given}
        connector = stage.with_account(Account(secrets, base_url=stage.address))
        for letter in letters:
            delivery = Delivery(letter.url, letter.headers, letter.body, stage.world.clock.now())
            connector.verify_webhook(delivery)
            (event,) = connector.read_webhook(delivery)
            assert connector.pull_payment(event.external_id).external_id == order
        assert [letter.name for letter in letters] == ["CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED"]
        connector.close()


def test_a_webhook_of_ours_that_wants_other_events_is_changed_and_not_doubled() -> None:
    with staged(case()) as stage:
        (name,) = stage.connector.subscribe("https://hub.example/hooks/1").values()
        stage.stand_in.state["webhooks"][name]["event_types"] = [{"name": "PAYMENT.CAPTURE.COMPLETED"}]
        assert stage.connector.subscribe("https://hub.example/hooks/1") == {"webhook_id": name}
        told = {one["name"] for one in stage.stand_in.state["webhooks"][name]["event_types"]}
        assert told == set(PayPal.webhook_topics)
        assert len(stage.stand_in.state["webhooks"]) == 1


def test_a_delivery_that_was_signed_long_ago_asks_for_nothing() -> None:
    connector, asked = _asked()
    with pytest.raises(WebhookRefused, match="too far from the present"):
        connector.verify_webhook(replace(_delivery(), received_at=START + timedelta(hours=1)))
    assert asked == []
