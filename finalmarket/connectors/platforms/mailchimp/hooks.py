"""Webhooks of an audience: signed forms, `X-Mailchimp-Signature: t=<seconds>,v1=<hex>`, HMAC-SHA256 of `<t>.<body>`.

Mailchimp tells the secret once, when a webhook is made. It gives deliveries no ids: what happened, to whom and when is
what they are known by. Changes that come through its API, our own among them, are not asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qsl, quote

from finalmarket.connectors.answers import fields_in, if_there, rows_in
from finalmarket.connectors.errors import Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.moments import utc
from finalmarket.connectors.platforms.mailchimp.words import interaction_id, member_id
from finalmarket.connectors.records import Delivery, Event, Raw
from finalmarket.connectors.signing import hmac_hex, require_sent_recently, require_signature, timed_parts
from finalmarket.connectors.talk import InteractionRecord

Call = Callable[..., Answer]

SIGNATURE = "X-Mailchimp-Signature"
TOPICS = ("subscribe", "unsubscribe", "profile", "upemail", "cleaned")
SOURCES = {"user": True, "admin": True, "api": False}
MOST_FIELDS = 500


def subscribe(call: Call, path: str, url: str, held: Mapping[str, str]) -> Mapping[str, str]:
    """Have changes sent to `url`. A webhook of ours whose secret we do not hold is replaced: it is told only once.
    Others are left alone."""
    wanted = {"events": {**dict.fromkeys(TOPICS, True), "campaign": False}, "sources": SOURCES}
    ours = [hook for hook in rows_in(call("GET", f"{path}/webhooks"), "webhooks") if hook.get("url") == url]
    name = held.get("webhook_id") if held.get("webhook_secret") else None
    kept = next((hook for hook in ours if name and hook.get("id") == name), None)
    for hook in ours:
        if hook is not kept:
            _remove(call, path, str(hook.get("id")))
    if kept is None:
        made = fields_in(call("POST", f"{path}/webhooks", json={"url": url, **wanted}, repeatable=True), "id")
        secret = made.get("signing_secret")
        if not isinstance(secret, str) or not secret:
            raise Unintelligible("Mailchimp gives no secret to prove its webhooks by")
        return {"webhook_secret": secret, "webhook_id": str(made["id"])}
    if any(kept.get(name) != value for name, value in wanted.items()):
        call("PATCH", f"{path}/webhooks/{quote(str(name), safe='')}", json=wanted, repeatable=True)
    return {}


def _remove(call: Call, path: str, name: str) -> None:
    if_there(lambda: call("DELETE", f"{path}/webhooks/{quote(name, safe='')}", repeatable=True))


def require_genuine(delivery: Delivery, secrets: Sequence[str]) -> None:
    """Raise WebhookRefused unless one of these secrets signed the delivery, a moment ago."""
    seconds, given = timed_parts(delivery.header(SIGNATURE))
    require_signature(given, secrets, seconds.encode() + b"." + delivery.body, hmac_hex)
    require_sent_recently(seconds, delivery.received_at)


def events_of(body: bytes) -> list[Event]:
    """What a delivery says: the member is to be asked for, and what they said of mail comes along. Raises
    Unintelligible where it is none."""
    try:
        told = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
        topic = told["type"]
        at = utc(told["fired_at"]) if told.get("fired_at") else None
    except (KeyError, ValueError):
        raise Unintelligible("the delivery tells of no event") from None
    email = told.get("data[new_email]") if topic == "upemail" else told.get("data[email]")
    if topic not in TOPICS or not email or at is None:
        return [Event(event_id=_event_id(told), topic=topic, kind="unknown", occurred_at=at)]
    member = member_id(email)
    events = [
        Event(event_id=_event_id(told), topic=topic, kind="customers", external_id=member, occurred_at=at)
    ]  # fmt: skip
    record = _interaction(topic, told, email, at)
    if record is not None:
        events.append(
            Event(
                event_id=f"{_event_id(told)}-said", topic=topic, kind="interactions", external_id=record.external_id,
                occurred_at=at, record=record,
            )
        )  # fmt: skip
    return events


def _event_id(told: Raw) -> str:
    """What an event is known by, since it has no id of its own."""
    whom = told.get("data[email]") or told.get("data[new_email]") or told.get("data[id]") or ""
    return "-".join((str(told.get("type")), member_id(whom), str(told.get("fired_at", ""))))[:200]


def _interaction(topic: str, told: Raw, email: str, at: datetime) -> InteractionRecord | None:
    """What a person said of mail, or what became of their address; None where it was neither: who is deleted by the
    merchant has not left."""
    reason = told.get("data[reason]", "")
    if topic == "subscribe":
        kind = "subscribe"
    elif (
        topic == "unsubscribe" and told.get("data[action]") != "delete"
    ):  # a merchant who deletes is no person who leaves
        kind = "email_complaint" if reason == "abuse" else "unsubscribe"
    elif topic == "cleaned":
        kind = "email_complaint" if reason == "abuse" else "email_bounce"
    else:
        return None
    return InteractionRecord(
        external_id=interaction_id(kind, member_id(email), at), kind=kind, at=at, email=email,
        customer_id=member_id(email), raw=told,
    )  # fmt: skip
