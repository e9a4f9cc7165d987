"""SendGrid under the conformance suite."""

from __future__ import annotations

import hashlib
import itertools
import json
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.sendgrid import SendGrid
from finalmarket.connectors.platforms.sendgrid.events import SIGNATURE, TIMESTAMP
from finalmarket.connectors.platforms.sendgrid.words import interaction_id
from finalmarket.connectors.records import Delivery
from finalmarket.connectors.talk import MessageContent
from finalmarket.sandbox.platforms.sendgrid import KEY, SENDER, public_key, signature
from finalmarket.sandbox.platforms.sendgrid import SendGrid as StandIn
from tests.connectors.cases import Case
from tests.connectors.descriptions import openapi
from tests.connectors.descriptions.resources import Resources

FILES = (
    "tsg_mail_v3.json", "tsg_mc_contacts_v3.json", "tsg_mc_lists_v3.json", "tsg_mc_custom_fields_v3.json",
    "tsg_webhooks_v3.json", "tsg_suppressions_v3.json", "tsg_scopes_v3.json",
)  # fmt: skip
# Its values are those of the fields that a merchant has defined, under their ids; the file shows one of them.
OVERRIDES = {"#/components/schemas/ContactRequest/properties/custom_fields/additionalProperties": {"type": "string"}}
ERRORS = {"type": "object", "required": ["errors"]}
_count = itertools.count(1)
_private: dict[str, EllipticCurvePrivateKey] = {}


def made_up_key(words: str) -> str:
    """A public key made of these words; its private half is remembered."""
    number = int.from_bytes(hashlib.sha256(words.encode()).digest()[:31], "big") + 1
    key = derive_private_key(number, SECP256R1())
    _private[public_key(key)] = key
    return public_key(key)


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    secrets = {"api_key": KEY, "webhook_public_key": made_up_key("of the case")}
    return Account(secrets, {"from_email": SENDER, "from_name": "The shop"}, base_url=address)


@cache
def description() -> Resources:
    """The published description."""
    return openapi("sendgrid", *FILES, overrides=OVERRIDES, undescribed_errors=ERRORS)


def seed_interactions(stand_in: Any, count: int) -> list[str]:
    """Addresses on the lists, most of them on that of those who unsubscribed."""
    made = []
    for number in range(count):
        at = stand_in.now() - timedelta(seconds=count - number)
        email, seconds = f"reader-{next(_count)}@example.org", int(at.timestamp())
        if number % 5 == 1:
            stand_in.put_on("bounces", email, at=at, reason="550 unknown", status="5.1.1")
            made.append(interaction_id("email_bounce", email, seconds))
        else:
            stand_in.put_on("unsubscribes", email, at=at)
            made.append(interaction_id("unsubscribe", email, seconds))
    return made


def spoil(stand_in: Any, name: str) -> None:
    """Give a bounce a moment that is no whole second, which the description allows."""
    for entry in stand_in.state["bounces"].values():
        if interaction_id("email_bounce", entry["email"], entry["created"]) == name:
            entry["created"] += 0.5


def message(stand_in: Any) -> MessageContent:
    """A mail; another one at every call."""
    number = next(_count)
    return MessageContent(
        key=f"mail-{number}", purpose="order_confirmed", to_email="ada@example.org", to_name="Ada Lovelace",
        subject=f"Your order FM-{number}", text="Thank you.", html="<p>Thank you.</p>", language="en",
    )  # fmt: skip


def event(topic: str, seconds: int, **more: Any) -> dict[str, Any]:
    """An event as SendGrid writes it."""
    return {
        "email": "ada@example.org", "timestamp": seconds, "event": topic, "sg_event_id": f"event-of-{topic}",
        "sg_message_id": "m1.1", "smtp-id": "<m1@example.org>", "category": ["order_confirmed"],
        "finalmarket_key": "mail-1", **more,
    }  # fmt: skip


def delivery_of(account: Account, events: Any, sent_at: datetime) -> Delivery:
    """Events, signed with the private half of the account's key."""
    body, timestamp = json.dumps(events, indent=1).encode(), str(int(sent_at.timestamp()))
    key = _private.get(account.secrets.get("webhook_public_key", "")) or _private[made_up_key("of nobody")]
    headers = {"Content-Type": "application/json", SIGNATURE: signature(key, timestamp, body), TIMESTAMP: timestamp}
    return Delivery("https://hub.example/hooks/token-1", headers, body, sent_at)


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """One event of that topic."""
    return delivery_of(account, [event(topic, int(sent_at.timestamp()))], sent_at)


def case() -> Case:
    """See cases."""
    return Case(
        connector=SendGrid,
        stand_in=StandIn,
        account=account,
        describe=description,
        page_sizes={"interactions": 700},
        seed_interactions=seed_interactions,
        wordless=("interactions",),
        spoil={"interactions": spoil},
        message=message,
        deliver=deliver,
        made_up_secret=made_up_key,
        unknown_topic="weather_changed",
        signature_headers=(SIGNATURE, TIMESTAMP),
    )
