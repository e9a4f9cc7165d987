"""Event webhooks: proved by the key of the webhook (ECDSA on P-256), and read one event for itself.

What is signed is the text of the timestamp and the raw body. The time is not held against a delivery: SendGrid tries
for a day, and does not say that it signs anew; an event that comes twice is known by its id.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from finalmarket.connectors.errors import Unintelligible, WebhookRefused
from finalmarket.connectors.paging import READING_ERRORS
from finalmarket.connectors.platforms.sendgrid.words import KEY, interaction_id
from finalmarket.connectors.records import Delivery, Event, Raw
from finalmarket.connectors.talk import InteractionRecord

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
TOPICS: Mapping[str, str] = {
    "delivered": "email_delivered", "open": "email_open", "click": "email_click", "bounce": "email_bounce",
    "dropped": "unknown", "spamreport": "email_complaint", "unsubscribe": "unsubscribe",
    "group_unsubscribe": "unsubscribe", "group_resubscribe": "subscribe",
}  # fmt: skip
"""The events that we want, and what each means; some mean it only at times (`_kind`)."""
FLAGS: Mapping[str, str] = {topic: {"spamreport": "spam_report"}.get(topic, topic) for topic in TOPICS}
"""What the settings of a webhook call them."""
NOT_REACHED = ("bounced address", "invalid")  # why a mail was dropped: the address is no good
# What a list of suppressions tells, too: named alike, so that it counts once.
LISTED = frozenset({"bounce", "spamreport", "unsubscribe", "group_unsubscribe"})


def require_genuine(delivery: Delivery, keys: Sequence[str]) -> None:
    """Raise WebhookRefused unless one of these public keys (base64 of DER) proves the delivery."""
    if not keys:
        raise WebhookRefused("no public key is set for this account: subscribe anew, or enter it in the settings")
    timestamp, signed = delivery.header(TIMESTAMP), _bytes(delivery.header(SIGNATURE))
    if not timestamp or not signed:
        raise WebhookRefused("the delivery carries no signature")
    message = timestamp.encode() + delivery.body
    if not any(_proves(key, signed, message) for key in keys):
        raise WebhookRefused("the signature does not fit the body")


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""


def _proves(key: str, signed: bytes, message: bytes) -> bool:
    try:
        public = load_der_public_key(_bytes(key))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise WebhookRefused("the public key that is set is none: copy it anew from SendGrid") from None
    if not isinstance(public, EllipticCurvePublicKey) or not isinstance(public.curve, SECP256R1):
        raise WebhookRefused("the public key that is set is not of the curve P-256: copy it anew from SendGrid")
    try:
        public.verify(signed, message, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def events_of(body: bytes, group: int | None) -> list[Event]:
    """The events of a delivery. One that cannot be read is unknown, and the others stand. Raises Unintelligible where
    the delivery is no list. `group` is the unsubscribe group of the newsletters, None for the global list."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, list):
        raise Unintelligible("the delivery holds no list of events")
    return [_event(raw, group) for raw in told]


def _event(raw: Any, group: int | None) -> Event:
    told = raw if isinstance(raw, dict) else {}
    topic, name = str(told.get("event") or ""), told.get("sg_event_id")
    if not isinstance(name, str) or not name:
        name = hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()
    try:
        record = interaction_record(told, group) if topic in TOPICS else None
    except READING_ERRORS:
        record = None
    if record is None:
        return Event(event_id=name, topic=topic, kind="unknown")
    return Event(
        event_id=name, topic=topic, kind="interactions", external_id=record.external_id, occurred_at=record.at,
        record=record,
    )  # fmt: skip


def interaction_record(raw: Raw, group: int | None) -> InteractionRecord:
    """What an event tells."""
    topic, seconds, email = raw["event"], int(raw["timestamp"]), str(raw["email"])
    kind, unknown = _kind(raw, group)
    name = str(raw["sg_event_id"])
    if topic in LISTED and kind == TOPICS[topic]:
        name = interaction_id(kind, email, seconds)
    return InteractionRecord(
        external_id=name, kind=kind, at=datetime.fromtimestamp(seconds, UTC), email=email,
        device=_device(str(raw.get("useragent") or "")), url=str(raw.get("url") or ""),
        message_key=str(raw.get(KEY) or ""), subject=str(raw.get("marketing_campaign_name") or ""),
        unknown=unknown, raw=raw,
    )  # fmt: skip


def _kind(raw: Raw, group: int | None) -> tuple[str, tuple[str, ...]]:
    """What an event means, and its words that we do not know. A bounce of type `blocked` passes by; a mail that was
    dropped tells of the address only where that is no good; joining a group is a consent only where it is ours."""
    topic = raw["event"]
    if topic == "bounce":
        how = str(raw.get("type") or "bounce")
        known = how in ("bounce", "blocked")
        return ("email_bounce" if how == "bounce" else "unknown"), (() if known else (f"bounce {how}",))
    if topic == "dropped":
        reason = str(raw.get("reason") or "").strip().lower()
        return ("email_bounce" if reason.startswith(NOT_REACHED) else "unknown"), ()
    if topic == "group_resubscribe" and (group is None or raw.get("asm_group_id") != group):
        return "unknown", ()
    if topic == "group_unsubscribe" and group is not None and raw.get("asm_group_id") != group:
        return "unknown", ()
    return TOPICS[topic], ()


def _device(agent: str) -> str:
    """What sort of device a browser says it is on."""
    if any(word in agent for word in ("Mobile", "iPhone", "Android")):
        return "mobile"
    return "desktop" if agent else ""
