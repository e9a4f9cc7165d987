"""Clover's webhooks, read: pure functions, no calls (https://docs.clover.com/dev/docs/webhooks)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from finalmarket.connectors.platforms.clover.words import moment
from finalmarket.connectors.records import Event, Raw

KINDS: Mapping[str, str] = {"O": "orders", "I": "stock", "C": "customers"}
CODE = re.compile(r"[0-9A-Za-z-]{8,64}")


def verification_code(body: bytes) -> str:
    """The code by which Clover makes sure that an address is its developer's; "" in every other delivery."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    code = raw["verificationCode"] if isinstance(raw, dict) and set(raw) == {"verificationCode"} else None
    return code if isinstance(code, str) and CODE.fullmatch(code) else ""


def events_of(raw: Raw, merchant_id: str) -> list[Event]:
    """What happened at this merchant: a delivery may be of many, those of others are left out."""
    told = [(name, change) for name, changes in raw["merchants"].items() for change in changes]
    return [event_of(name, change) for name, change in told if name == merchant_id]


def event_of(merchant: str, change: Raw) -> Event:
    """What `{"objectId": "O:<id>", "type": "UPDATE", "ts": <ms>}` says. An item that is new or gone is news of the
    listings, one that changed may be one of its stock."""
    topic, _, name = str(change["objectId"]).partition(":")
    kind = KINDS.get(topic, "unknown")
    if topic == "I" and change.get("type") in ("CREATE", "DELETE"):
        kind = "listings"
    at = change.get("ts")
    return Event(
        event_id=f"{merchant}/{change['objectId']}/{change.get('type')}/{at}", topic=topic, kind=kind,
        external_id=name, occurred_at=moment(at) if isinstance(at, int) else None,
    )  # fmt: skip
