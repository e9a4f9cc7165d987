"""Mailchimp under the conformance suite."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import urlencode

from finalmarket.connectors.books import OrderContent, OrderContentLine
from finalmarket.connectors.contract import Account
from finalmarket.connectors.moments import utc
from finalmarket.connectors.platforms.mailchimp import Mailchimp
from finalmarket.connectors.platforms.mailchimp.hooks import SIGNATURE
from finalmarket.connectors.platforms.mailchimp.words import interaction_id, member_id
from finalmarket.connectors.records import Address, Delivery
from finalmarket.sandbox.platforms.mailchimp import CLIENT_ID, CLIENT_SECRET, KEY, LIST
from finalmarket.sandbox.platforms.mailchimp import Mailchimp as StandIn
from finalmarket.sandbox.platforms.mailchimp.hooks import signature
from tests.connectors.cases import Case
from tests.connectors.descriptions import openapi
from tests.connectors.descriptions.resources import Resources

WEBHOOK_SECRET = "signing-secret-of-the-case"
HOME = Address(name="Ada Lovelace", street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE")
FEED = "#/paths/~1lists~1{list_id}~1members~1{subscriber_hash}~1activity-feed/get/parameters"
# The file lists each filter as a whole list; its own words say that they are separated by commas, and show three.
FILTERS = ("bounce", "click", "open", "unsub", "sent")
_count = itertools.count(1)


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    secrets = {"access_token": KEY, "client_secret": CLIENT_SECRET, "webhook_secret": WEBHOOK_SECRET}
    return Account(secrets, {"list_id": LIST, "client_id": CLIENT_ID}, base_url=address)


@cache
def description() -> Resources:
    """The published description, with the one list of filters put right."""
    whole = openapi("mailchimp", "mailchimp.com.json")
    operation = whole.find("GET", "/3.0/lists/a/members/b/activity-feed")
    assert operation is not None
    listed = operation[0].told["parameters"]
    place = next(number for number, one in enumerate(listed) if one.get("name") == "activity_filters")
    schema = {"type": "array", "items": {"type": "string", "enum": list(FILTERS)}}
    return openapi("mailchimp", "mailchimp.com.json", overrides={f"{FEED}/{place}/schema": schema})


def seed_customers(stand_in: Any, count: int) -> list[str]:
    """Members, each changed a second after the other."""
    return [
        stand_in.sign_up(
            f"reader-{next(_count)}@example.org", at=stand_in.now() - timedelta(seconds=count - number),
            FNAME="Reader", LNAME=str(number),
        )
        for number in range(count)
    ]  # fmt: skip


def seed_interactions(stand_in: Any, count: int) -> list[str]:
    """What members did with mails, each one thing, in the order in which they came to the audience."""
    made = []
    for number in range(count):
        at = (stand_in.now() - timedelta(seconds=count - number)).replace(microsecond=0)
        email = f"reader-{next(_count)}@example.org"
        stand_in.sign_up(email, at=at - timedelta(hours=1))
        stand_in.act(email, "open", at=at - timedelta(days=1000))  # long ago, for the rates
        stand_in.state["activity"][member_id(email)].clear()
        if number % 3 == 1:
            stand_in.act(email, "bounce", at=at, bounce_type="hard", bounce_has_open_activity=True)
            made.append(interaction_id("email_bounce", member_id(email), at))
        else:
            stand_in.act(email, "click", at=at, link_clicked="https://shop.example.org/tea")
            more = ("click", "c1", "https://shop.example.org/tea")
            made.append(interaction_id("email_click", member_id(email), at, *more))
    return made


def seed_unknown_interaction(stand_in: Any) -> tuple[str, str]:
    """A bounce of a sort that no documentation knows."""
    seed_interactions(stand_in, 1)
    (member,) = stand_in.state["activity"]
    (told,) = stand_in.state["activity"][member]
    told |= {"activity_type": "bounce", "bounce_type": "teleported"}
    return interaction_id("email_bounce", member, utc(told["created_at_timestamp"])), "teleported"


def spoil(stand_in: Any, name: str) -> None:
    """Leave out of a bounce whether it was for good, which the description allows."""
    for member, told in stand_in.state["activity"].items():
        for one in told:
            if interaction_id("email_bounce", member, utc(one["created_at_timestamp"])) == name:
                del one["bounce_type"]


def order_content(stand_in: Any) -> OrderContent:
    """An order of two articles with postage; another one at every call."""
    number = next(_count)
    at = stand_in.now().astimezone(UTC)
    lines = (
        OrderContentLine(line_id="1", sku="TEA", title="Tea", quantity=2, unit_price=Decimal("10.50")),
        OrderContentLine(
            line_id="2", sku="Cup / blue", title="Cup", unit_price=Decimal("7.00"), discount=Decimal("1.00")
        ),
        OrderContentLine(line_id="3", title="Postage", unit_price=Decimal("3.90"), kind="shipping"),
    )  # fmt: skip
    return OrderContent(
        key=f"order-{number}", number=f"FM-{number}", placed_at=at, updated_at=at, currency="EUR",
        total=Decimal("30.90"), tax=Decimal("4.93"), lines=lines, channel="web", name="Ada Lovelace",
        email="ada@example.org", shipping_address=HOME, billing_address=HOME, accepts_email=True,
    )  # fmt: skip


def form(topic: str, sent_at: datetime, **data: str) -> bytes:
    """An event as Mailchimp writes it."""
    told = {"type": topic, "fired_at": f"{sent_at:%Y-%m-%d %H:%M:%S}"}
    data = {"email": "ada@example.org", "id": "8a25ff1d98", "list_id": LIST, **data}
    return urlencode(told | {f"data[{name}]": value for name, value in data.items()}).encode()


def delivery_of(account: Account, body: bytes, sent_at: datetime) -> Delivery:
    """A body, signed with the account's secret."""
    signed = signature(account.secrets.get("webhook_secret", ""), int(sent_at.timestamp()), body)
    headers = {"Content-Type": "application/x-www-form-urlencoded", SIGNATURE: signed}
    return Delivery("https://hub.example/hooks/token-1", headers, body, sent_at)


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """One event of that topic."""
    more = {"new_email": "king@example.org", "old_email": "ada@example.org"} if topic == "upemail" else {}
    return delivery_of(account, form(topic, sent_at, **more), sent_at)


def case() -> Case:
    """See cases."""
    return Case(
        connector=Mailchimp,
        stand_in=StandIn,
        account=account,
        describe=description,
        ignore=("/oauth2/",),
        page_sizes={"customers": 500, "interactions": 20},
        seed_customers=seed_customers,
        seed_interactions=seed_interactions,
        seed_unknown_interaction=seed_unknown_interaction,
        spoil={"interactions": spoil},
        order_content=order_content,
        deliver=deliver,
        unknown_topic="weather",
        signature_headers=(SIGNATURE,),
        signs_time=True,
        subscriptions=lambda stand_in: sorted(hook["url"] for hook in stand_in.state["hooks"].values()),
    )
