"""Webhooks: only what the platform signed gets in, and whatever gets in can be read."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from finalmarket.connectors.contract import Account, ReceivesWebhooks
from finalmarket.connectors.errors import Unintelligible, WebhookRefused
from finalmarket.connectors.records import Delivery
from tests.connectors.cases import Case
from tests.connectors.conformance.stage import DOUBLE, START, always, changed, check, needed, on_a_double

KINDS = {
    "orders", "stock", "listings", "customers", "payments", "conversations", "interactions", "tracking", "erase",
    "data_request", "uninstalled", "unknown",
}  # fmt: skip
MINUTE = timedelta(minutes=1)


def _connector(case: Case, account: Account) -> Any:
    return on_a_double(case, case.webhook_answers or always(500), account=account)


def _genuine(case: Case, account: Account, topic: str = "") -> Delivery:
    made: Any = case.connector
    deliver = needed(case.deliver, "deliver")
    delivery: Delivery = deliver(account, topic=topic or made.webhook_topics[0], sent_at=START)
    return replace(delivery, received_at=START + timedelta(seconds=2))


def _is_refused(case: Case, account: Account, delivery: Delivery) -> None:
    with pytest.raises(WebhookRefused):
        _connector(case, account).verify_webhook(delivery)


@check(ReceivesWebhooks)
def every_topic_that_is_subscribed_to_is_accepted_and_understood(case: Case) -> None:
    made: Any = case.connector
    account = case.account(DOUBLE)
    connector = _connector(case, account)
    for topic in made.webhook_topics:
        delivery = _genuine(case, account, topic)
        connector.verify_webhook(delivery)
        events = connector.read_webhook(delivery)
        assert events, topic
        for event in events:
            assert event.kind in KINDS - {"unknown"}, f"{topic} is subscribed to, and read as unknown"
            assert event.event_id
            assert event.topic
            assert event.occurred_at is None or event.occurred_at.utcoffset() == timedelta(0)
        assert [event.event_id for event in connector.read_webhook(delivery)] == [event.event_id for event in events]


@check(ReceivesWebhooks)
def headers_are_found_whatever_their_case(case: Case) -> None:
    account = case.account(DOUBLE)
    delivery = _genuine(case, account)
    for spell in (str.lower, str.upper):
        headers = {spell(name): value for name, value in delivery.headers.items()}
        _connector(case, account).verify_webhook(replace(delivery, headers=headers))
        assert _connector(case, account).read_webhook(replace(delivery, headers=headers))


@check(ReceivesWebhooks)
def an_altered_body_is_refused_or_events_are_hints_only(case: Case) -> None:
    account = case.account(DOUBLE)
    delivery = _genuine(case, account)
    body = delivery.body
    places = sorted({0, len(body) // 3, len(body) // 2, len(body) - 1})
    altered = [body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :] for place in places]
    with suppress(ValueError):
        altered.append(json.dumps(json.loads(body), indent=3).encode())
    if not case.signs_body:
        assert not any(event.record for event in _connector(case, account).read_webhook(delivery)), "nobody signed it"
        return
    for other in [*altered, body + b"\n", b" " + body, b"", body[:-1], body + body]:
        _is_refused(case, account, replace(delivery, body=other))


@check(ReceivesWebhooks)
def a_missing_empty_or_altered_signature_is_refused(case: Case) -> None:
    account = case.account(DOUBLE)
    delivery = _genuine(case, account)
    assert needed(case.signature_headers or None, "signature_headers")
    for name in case.signature_headers:
        assert delivery.header(name), f"the delivery of the case has no {name}"
        rest = {key: value for key, value in delivery.headers.items() if key.lower() != name.lower()}
        value = delivery.header(name)
        _is_refused(case, account, replace(delivery, headers=rest))
        for other in ("", "nonsense", value[:-4], value + "AAAA", value[::-1], "\u00fc"):
            _is_refused(case, account, replace(delivery, headers={**rest, name: other}))
    _is_refused(case, account, replace(delivery, headers={}))


@check(ReceivesWebhooks)
def without_a_secret_nothing_gets_in(case: Case) -> None:
    made: Any = case.connector
    account = case.account(DOUBLE)
    emptied = changed(account, **dict.fromkeys(made.webhook_secrets, ""))
    gone = replace(
        account, secrets={name: value for name, value in account.secrets.items() if name not in made.webhook_secrets}
    )
    for bare in (emptied, gone):
        _is_refused(case, bare, _genuine(case, account))
        _is_refused(case, bare, _genuine(case, emptied))


@check(ReceivesWebhooks)
def what_another_accounts_secret_signed_is_refused(case: Case) -> None:
    made: Any = case.connector
    account = case.account(DOUBLE)
    other = changed(
        account, **dict.fromkeys(made.webhook_secrets, case.made_up_secret("the-secret-of-another-account"))
    )
    _is_refused(case, account, _genuine(case, other))
    _is_refused(case, other, _genuine(case, account))


@check(ReceivesWebhooks)
def both_secrets_hold_while_one_rotates_and_the_old_one_ends_with_it(case: Case) -> None:
    made: Any = case.connector
    before = case.account(DOUBLE)
    after = changed(before, **dict.fromkeys(made.webhook_secrets, case.made_up_secret("a-new-secret-of-this-account")))
    between = changed(after, **{f"{name}_previous": before.secrets[name] for name in made.webhook_secrets})
    old, new = _genuine(case, before), _genuine(case, after)
    _connector(case, between).verify_webhook(old)
    _connector(case, between).verify_webhook(new)
    _connector(case, after).verify_webhook(new)
    _is_refused(case, after, old)


@check(ReceivesWebhooks)
def a_recording_is_refused_where_the_time_is_signed(case: Case) -> None:
    account = case.account(DOUBLE)
    delivery = _genuine(case, account)
    for late in (-60 * MINUTE, -10 * MINUTE, 10 * MINUTE, 60 * MINUTE, timedelta(days=3650)):
        moved = replace(delivery, received_at=START + late)
        if case.signs_time:
            _is_refused(case, account, moved)
        else:
            _connector(case, account).verify_webhook(moved)
    for near in (-MINUTE, MINUTE):
        _connector(case, account).verify_webhook(replace(delivery, received_at=START + near))


@check(ReceivesWebhooks)
def an_unknown_topic_is_read_as_unknown(case: Case) -> None:
    account = case.account(DOUBLE)
    delivery = _genuine(case, account, case.unknown_topic)
    connector = _connector(case, account)
    connector.verify_webhook(delivery)
    events = connector.read_webhook(delivery)
    assert [event.kind for event in events] == ["unknown"]
    assert events[0].event_id


@check(ReceivesWebhooks)
def a_body_that_cannot_be_read_is_an_error_of_ours_or_unknown(case: Case) -> None:
    account = case.account(DOUBLE)
    delivery = _genuine(case, account)
    for body in (b"", b"{", b"[]", b"null", b"17", b'"text"', b"{}", b"\xff\xfe", b'{"type": {}}', b"[" * 100_000):
        try:
            events = _connector(case, account).read_webhook(replace(delivery, body=body))
        except Unintelligible:
            continue
        assert {event.kind for event in events} <= KINDS
