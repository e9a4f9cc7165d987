"""Intercom under the conformance suite."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.intercom import Intercom
from finalmarket.connectors.platforms.intercom.changes import PAGE
from finalmarket.connectors.platforms.intercom.words import TICKET
from finalmarket.connectors.records import Delivery
from finalmarket.connectors.talk import TicketContent
from finalmarket.sandbox.platforms.intercom import CLIENT_ID, CLIENT_SECRET, TOKEN
from finalmarket.sandbox.platforms.intercom import Intercom as StandIn
from finalmarket.sandbox.platforms.intercom.gate import letter, notification
from tests.connectors.cases import Case
from tests.connectors.descriptions import openapi
from tests.connectors.descriptions.resources import Resources

_count = itertools.count(1)


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    return Account({"access_token": TOKEN, "client_secret": CLIENT_SECRET}, {"client_id": CLIENT_ID}, base_url=address)


@cache
def description() -> Resources:
    """The published description, put right where Intercom's prose says otherwise: searches can be sorted (it is an
    open issue of the file that it does not say so); an attribute that is no list has the fields of all attributes."""
    sort = {
        "type": "object", "properties": {"field": {"type": "string"}, "order": {"enum": ["ascending", "descending"]}},
        "required": ["field", "order"],
    }  # fmt: skip
    types = {"data_type": {"enum": ["string", "integer", "float", "boolean", "datetime", "date"]}}
    overrides = {
        "#/components/schemas/search_request/properties/sort": sort,
        "#/components/schemas/create_data_attribute_request/oneOf": [
            {"properties": types, "required": ["data_type"], "additionalProperties": True}
        ],
    }
    return openapi(
        "intercom", "api.intercom.io.yaml", overrides=overrides,
        undescribed_errors={"$ref": "#/components/schemas/error"},
    )  # fmt: skip


def seed_conversations(stand_in: Any, count: int) -> list[str]:
    """Two conversations and a ticket in turn, each changed a second after the other."""
    made = []
    for number in range(count):
        at = stand_in.now() - timedelta(seconds=count - number)
        email = f"asker-{number % 7}@example.org"
        name = stand_in.write_in(email, f"Where is parcel {next(_count)}?", at=at)
        if number % 3 == 2:
            talk = stand_in.state["conversations"].pop(name)
            told = {"_default_title_": "Late", "_default_description_": "It is late"}
            ticket = stand_in._new_ticket(talk["contacts"]["contacts"][0]["id"], told)
            ticket |= {"created_at": int(at.timestamp()), "updated_at": int(at.timestamp())}
            name = TICKET + ticket["id"]
        made.append(name)
    return made


def seed_customers(stand_in: Any, count: int) -> list[str]:
    """Contacts, each changed a second after the other."""
    made = []
    for number in range(count):
        contact = stand_in._new_contact(stand_in.now() - timedelta(seconds=count - number))
        contact |= {"name": "Customer", "email": f"customer-{next(_count)}@example.org"}
        made.append(contact["id"])
    return made


def seed_unknown_conversation(stand_in: Any) -> tuple[str, str]:
    """A conversation that came by a channel that no documentation knows."""
    (name,) = seed_conversations(stand_in, 1)
    stand_in.state["conversations"][name]["source"]["type"] = "carrier_pigeon"
    return name, "carrier_pigeon"


def ticket(stand_in: Any) -> TicketContent:
    """A complaint about an order; another one at every call."""
    number = next(_count)
    return TicketContent(
        key=f"ticket-{number}", subject="A cup is broken", text=f"The cup of order FM-{number} came broken.",
        name="Ada Lovelace", email="ada@example.org", order_number=f"FM-{number}", context="Sent on Monday by DHL",
        priority="high", tags=("broken",),
    )  # fmt: skip


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """One notification of that topic."""
    item = {"type": topic.partition(".")[0], "id": "65a00000"}
    if topic == "contact.merged":
        now = int(sent_at.timestamp())
        item |= {"updated_at": now, "name": "Ada", "merged_from": {"type": "contact", "id": "65a00001"}}  # type: ignore[dict-item]
    told = notification(topic, item, 1, sent_at)
    made = letter("https://hub.example/hooks/token-1", told, account.secrets.get("client_secret", ""))
    return Delivery(made.url, made.headers, made.body, sent_at)


def case() -> Case:
    """See cases."""
    return Case(
        connector=Intercom,
        stand_in=StandIn,
        account=account,
        describe=description,
        ignore=("/oauth", "/auth/"),
        page_sizes={"conversations": PAGE, "customers": PAGE},
        seed_conversations=seed_conversations,
        seed_customers=seed_customers,
        seed_unknown_conversation=seed_unknown_conversation,
        ticket=ticket,
        deliver=deliver,
        unknown_topic="weather.changed",
        signature_headers=("X-Hub-Signature",),
        subscribes_by_hand=True,
    )
