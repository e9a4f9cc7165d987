"""Instagram under the conformance suite."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.meta import Instagram
from finalmarket.connectors.records import Delivery
from finalmarket.sandbox.platforms.meta import Instagram as StandIn
from finalmarket.sandbox.platforms.meta import instagram as ids
from tests.connectors.cases import Case
from tests.connectors.meta_description import instagram

HOOK_URL = "https://hub.example/hooks/instagram-1"


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    secrets = {"access_token": ids.TOKEN, "app_secret": ids.APP_SECRET}
    return Account(secrets, {"app_id": ids.APP_ID}, base_url=address)


def seed_conversations(stand_in: Any, count: int) -> Sequence[str]:
    """People write, one a second after the other."""
    made = []
    for number in range(count):
        stand_in.world.clock.advance(timedelta(seconds=1))
        made.append(stand_in.say(f"Is number {number} still there?"))
    return made


def seed_interactions(stand_in: Any, count: int) -> Sequence[str]:
    """Comments below one post, one a second after the other."""
    post = next(iter(stand_in.state["posts"]), None) or stand_in.post()
    made = []
    for number in range(count):
        stand_in.world.clock.advance(timedelta(seconds=1))
        made.append(stand_in.comment(post, f"Nice {number}"))
    return made


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """A delivery as Meta signs it: messages are told in another place than the rest."""
    at = int(sent_at.timestamp())
    entry: dict[str, Any] = {"id": ids.USER_ID, "time": at}
    if topic == "messages":
        entry["messaging"] = [{"sender": {"id": "1"}, "recipient": {"id": ids.USER_ID}, "timestamp": at * 1000,
                               "message": {"mid": "mid.7", "text": "Hello"}}]  # fmt: skip
    else:
        value = {"id": "17900000007", "text": "Nice", "from": {"id": "1", "username": "ada"}, "media": {"id": "18"}}
        entry["changes"] = [{"field": topic, "value": value}]
    body = json.dumps({"object": "instagram", "entry": [entry]}).encode()
    signed = hmac.digest(account.secrets.get("app_secret", "").encode(), body, "sha256").hex()
    return Delivery(HOOK_URL, {"X-Hub-Signature-256": f"sha256={signed}"}, body, sent_at)


def case() -> Case:
    """See cases."""
    return Case(
        connector=Instagram, stand_in=StandIn, account=account, describe=instagram,
        ignore=("/oauth/access_token",), page_sizes={"conversations": 20, "interactions": 50},
        wordless=("conversations", "interactions"), seed_conversations=seed_conversations,
        seed_interactions=seed_interactions, deliver=deliver, signature_headers=("X-Hub-Signature-256",),
        unknown_topic="weather",
    )  # fmt: skip
