"""What our own webhooks are signed with, held against the standard's own library and a digest made by other means."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from finalmarket.integrations.models import OutgoingEvent, WebhookEndpoint
from finalmarket.integrations.outgoing import dialects
from finalmarket.kernel import clock, secrets

NEW, OLD = (f"whsec_{b64encode(letter * 32).decode()}" for letter in (b"n", b"o"))
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def endpoint(**more: object) -> WebhookEndpoint:
    """An endpoint of the standard's dialect, which is in no database."""
    return WebhookEndpoint(url="https://receiver.example", secret=secrets.encrypt(NEW).encode(), **more)


def heard(letter: dialects.Letter, secret: str) -> object:
    """What a receiver hears that knows this secret. Raises where the signature does not fit."""
    return Webhook(secret).verify(letter.body, dict(letter.headers))


def test_an_event_is_told_in_the_words_of_the_standard() -> None:
    at = clock.now()
    event = OutgoingEvent(pk=7, topic="order.created", subject_id=3, at=AT, data={"id": 3, "city": "Kołobrzeg"})
    letter = dialects.written(endpoint(), event, at)
    assert letter is not None
    assert heard(letter, NEW) == json.loads(letter.body) == {
        "type": "order.created", "timestamp": "2026-06-01T12:00:00+00:00", "data": {"id": 3, "city": "Kołobrzeg"},
    }  # fmt: skip
    assert letter.headers["content-type"] == "application/json"
    assert (letter.headers["webhook-id"], letter.headers["webhook-timestamp"]) == ("evt_7", str(int(at.timestamp())))
    assert "Kołobrzeg" in letter.body


def test_while_a_secret_is_replaced_either_of_the_two_is_enough() -> None:
    at = clock.now()
    rolling = endpoint(previous_secret=secrets.encrypt(OLD).encode(), previous_until=at + timedelta(days=1))
    headers = dialects.signed(rolling, 7, "{}", at)
    assert headers["webhook-signature"].count(" ") == 1
    assert headers["webhook-signature"].split(" ")[0] == dialects.signed(endpoint(), 7, "{}", at)["webhook-signature"]
    for secret in (NEW, OLD):
        Webhook(secret).verify("{}", headers)


def test_an_agent_is_told_by_the_signature_of_its_protocol() -> None:
    signature = dialects.merchant_signature("merchant-secret", '{"id":1}', AT)
    # printf '1780315200.{"id":1}' | openssl dgst -sha256 -hmac merchant-secret
    assert signature == "t=1780315200,v1=a2c0f669b45975c57f7f0bba0bb3c3e7fdebcde13f2359a04444e170b483bd77"


def test_an_agent_hears_of_a_whole_order_and_of_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {("order.created", 3): {"type": "order_create", "data": {"city": "Łódź"}}}
    monkeypatch.setattr(dialects, "event_of", lambda topic, subject: told.get((topic, subject)))
    agent = endpoint(dialect=WebhookEndpoint.Dialect.AGENT)
    letter = dialects.written(agent, OutgoingEvent(pk=7, topic="order.created", subject_id=3, at=AT), AT)
    assert letter is not None
    assert letter.body == '{"type": "order_create", "data": {"city": "Łódź"}}'
    assert dict(letter.headers) == {
        "content-type": "application/json", "Request-Id": "evt_7", "Timestamp": "2026-06-01T12:00:00+00:00",
        "Merchant-Signature": dialects.merchant_signature(NEW, letter.body, AT),
    }  # fmt: skip
    assert dialects.written(agent, OutgoingEvent(pk=8, topic="stock.changed", subject_id=3, at=AT), AT) is None
