"""Doors for agents: opened for a channel, with what they charge payments by, where they tell of orders, and what
requests are signed with."""

from __future__ import annotations

import secrets as chance
from collections.abc import Mapping
from urllib.parse import urlsplit

from django.db import transaction

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.contract import ChargesTokens
from finalmarket.integrations.desk.asking import accounts_that
from finalmarket.integrations.models import AgentDoor, ChannelIntegration, WebhookEndpoint
from finalmarket.integrations.outgoing.endpoints import open_endpoint, rotate_secret
from finalmarket.kernel import secrets
from finalmarket.kernel.errors import UserError
from finalmarket.orders.shopping import allows_test_payments

SCOPE = "agents:buy"
"""What a key has to have that an agent buys with."""
TOPICS = ("order.created", "order.updated", "order.shipped", "order.delivered", "order.cancelled", "order.refunded")
SECRET_BYTES = 32
LINKS = (
    "terms_of_use", "privacy_policy", "return_policy", "shipping_policy", "contact_us", "about_us", "faq", "support",
)  # fmt: skip


def payers() -> list[ChannelIntegration]:
    """The accounts by which agents' payments can be charged."""
    return accounts_that(ChargesTokens)[0]


@transaction.atomic
def open_door(channel: SalesChannel) -> AgentDoor:
    """Let agents buy on a channel; one that they buy on already is returned. Keys with the scope agents:buy, bound to
    this channel alone, open it."""
    if channel.status == SalesChannel.Status.ARCHIVED:
        raise UserError(f"{channel} is archived")
    return AgentDoor.objects.get_or_create(sales_channel=channel)[0]


@transaction.atomic
def change_door(door: AgentDoor, *, payment: int | None, links: Mapping[str, str]) -> AgentDoor:
    """Say by which account payments are charged (None: by none), and which pages agents show buyers. Raises UserError
    for an account that cannot, and for what is no address."""
    found = next((one for one in payers() if one.pk == payment), None)
    if payment is not None and found is None:
        raise UserError("choose an active account whose platform charges agents' tokens, such as Stripe")
    kept = {name: url.strip() for name, url in links.items() if name in LINKS and url.strip()}
    for url in kept.values():
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or len(url) > 500:
            raise UserError(f"{url[:100]!r} is no address such as https://shop.example/terms")
    door.payment, door.links = found, kept
    door.save(update_fields=["payment", "links"])
    return door


def can_be_paid(door: AgentDoor) -> bool:
    """Whether an order of agents can be paid at all."""
    return door.payment is not None or allows_test_payments(door.sales_channel)


@transaction.atomic
def tell_at(door: AgentDoor, url: str) -> str:
    """Have an agent's platform told of the channel's orders at this address; return the secret that the telling is
    signed with, which is shown this once. Another address takes the place of the one before. Raises UserError."""
    before = door.endpoint
    endpoint, secret = open_endpoint(url, TOPICS, description=f"orders of {door}"[:200])
    endpoint.dialect, endpoint.sales_channel = WebhookEndpoint.Dialect.AGENT, door.sales_channel
    endpoint.save(update_fields=["dialect", "sales_channel"])
    door.endpoint = endpoint
    door.save(update_fields=["endpoint"])
    if before is not None:
        before.delete()
    return secret


def new_telling_secret(door: AgentDoor) -> str:
    """Sign what is told with another secret from now on; return it. Raises UserError where nothing is told."""
    if door.endpoint is None:
        raise UserError("nobody is told of orders yet; enter an address first")
    return rotate_secret(door.endpoint)


def demand_signatures(door: AgentDoor) -> str:
    """Take only requests that are signed with the secret that is returned; it is shown this once."""
    secret = chance.token_urlsafe(SECRET_BYTES)
    door.request_secret = secrets.encrypt(secret).encode()
    door.save(update_fields=["request_secret"])
    return secret


def waive_signatures(door: AgentDoor) -> None:
    """Let the key alone prove who asks."""
    door.request_secret = None
    door.save(update_fields=["request_secret"])


def request_secret(door: AgentDoor) -> str:
    """What requests are signed with; "" where they need not be."""
    return secrets.decrypt(bytes(door.request_secret).decode()) if door.request_secret else ""
