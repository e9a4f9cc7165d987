"""Zendesk under the conformance suite."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.zendesk import TICKETS_PAGE, Zendesk
from finalmarket.connectors.platforms.zendesk.words import STATES
from finalmarket.connectors.records import Delivery
from finalmarket.connectors.talk import TicketContent
from finalmarket.sandbox.platforms.zendesk import API_TOKEN, CLIENT_ID, CLIENT_SECRET, EMAIL
from finalmarket.sandbox.platforms.zendesk import Zendesk as StandIn
from finalmarket.sandbox.platforms.zendesk.gate import event_of, letter
from tests.connectors.cases import Case
from tests.connectors.descriptions import openapi
from tests.connectors.descriptions.resources import Resources

FIELD = 360001
COMMENTS = "#/paths/~1api~1v2~1tickets~1{ticket_id}~1comments/get/parameters"
EXPORT = "#/paths/~1api~1v2~1incremental~1tickets~1cursor/parameters"
PARAMETERS = "#/components/parameters"
ERROR = {"type": "object", "anyOf": [{"required": ["error"]}, {"required": ["errors"]}]}
# The most recent minute is held back by exports.
HELD_BACK = timedelta(minutes=2)
_count = itertools.count(1)


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    secrets = {"api_token": API_TOKEN, "client_secret": CLIENT_SECRET, "webhook_secret": "c2lnbmluZy1zZWNyZXQ="}
    settings = {"subdomain": "sandbox", "email": EMAIL, "client_id": CLIENT_ID, "order_field": str(FIELD)}
    return Account(secrets, settings, base_url=address)


@cache
def description() -> Resources:
    """The published description, put right where its own prose says otherwise: exports go on by the cursor alone, and
    in pages of the size asked for, as those of users; comments are read on by cursor; the value of a ticket's field is
    its id with a value, as in every example; a new field of users has a body; further fields of users, which the file
    allows for all ways of writing one, are allowed in each; exports tell of deleted tickets too."""
    paging = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in ("page[size]", "page[after]")]
    size = {"name": "per_page", "in": "query", "schema": {"type": "integer"}}
    references = [{"$ref": f"{PARAMETERS}/{name}"} for name in ("IncrementalUnixTime", "IncrementalCursor")]
    value = {
        "type": "object", "properties": {"id": {"type": "integer"}, "value": {"type": "string"}},
        "required": ["id", "value"],
    }  # fmt: skip
    field = {"type": "object", "properties": {"user_field": {"$ref": "#/components/schemas/UserFieldObject"}}}
    schemas = "#/components/schemas"
    overrides = {
        "#/paths/~1api~1v2~1user_fields/post/requestBody": {"content": {"application/json": {"schema": field}}},
        f"{schemas}/TicketObject/properties/status/enum": [*STATES],
        f"{schemas}/UserCreateInput/additionalProperties": True,
        f"{schemas}/UserMergePropertiesInput/additionalProperties": True,
        f"{PARAMETERS}/IncrementalUnixTime/required": False, COMMENTS: paging, EXPORT: [*references, size],
        f"{schemas}/TicketUpdateInput/properties/custom_fields/items": value,
    }  # fmt: skip
    return openapi(
        "zendesk", "openapi-src.json", "third-party/openapi-webhooks.yaml", overrides=overrides,
        undescribed_errors=ERROR,
    )  # fmt: skip


def _moments(stand_in: Any, count: int) -> list[datetime]:
    return [stand_in.now() - HELD_BACK - timedelta(seconds=count - number) for number in range(count)]


def seed_conversations(stand_in: Any, count: int) -> list[str]:
    """Tickets of several people, each changed a second after the other."""
    return [
        str(stand_in.write_in(f"asker-{number % 7}@example.org", f"Where is parcel {next(_count)}?", at=at))
        for number, at in enumerate(_moments(stand_in, count))
    ]


def seed_customers(stand_in: Any, count: int) -> list[str]:
    """End users, each changed a second after the other."""
    return [
        str(stand_in._new_user("Customer", f"customer-{next(_count)}@example.org", at)["id"])
        for at in _moments(stand_in, count)
    ]


def seed_unknown_conversation(stand_in: Any) -> tuple[str, str]:
    """A ticket that came by a channel that no documentation knows."""
    (name,) = seed_conversations(stand_in, 1)
    stand_in.state["tickets"][int(name)]["via"]["channel"] = "carrier_pigeon"
    return name, "carrier_pigeon"


def ticket(stand_in: Any) -> TicketContent:
    """A complaint about an order; another one at every call."""
    number = next(_count)
    return TicketContent(
        key=f"ticket-{number}", subject="A cup is broken", text=f"The cup of order FM-{number} came broken.",
        name="Ada Lovelace", email="ada@example.org", order_number=f"FM-{number}", context="Sent on Monday by DHL",
        priority="high", tags=("Broken goods",),
    )  # fmt: skip


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """One event of that topic."""
    told = event_of(topic, 1, 35436, sent_at)
    made = letter("https://hub.example/hooks/token-1", told, sent_at, account.secrets.get("webhook_secret", ""))
    return Delivery(made.url, made.headers, made.body, sent_at)


def case() -> Case:
    """See cases."""
    return Case(
        connector=Zendesk,
        stand_in=StandIn,
        account=account,
        describe=description,
        ignore=("/oauth/",),
        page_sizes={"conversations": TICKETS_PAGE, "customers": 100},
        shown_after=timedelta(minutes=1),
        seed_conversations=seed_conversations,
        seed_customers=seed_customers,
        seed_unknown_conversation=seed_unknown_conversation,
        ticket=ticket,
        deliver=deliver,
        unknown_topic="zen:event-type:weather.changed",
        signature_headers=("X-Zendesk-Webhook-Signature", "X-Zendesk-Webhook-Signature-Timestamp"),
        signs_time=True,
    )
