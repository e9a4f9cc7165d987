"""The demo merchant's accounts on the sandbox: connected as a person would do it, so that the demo lives.

The sandbox is another process; what it holds is reached over HTTP as everything outside is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx2

from finalmarket.channels.models import ChannelProduct, SalesChannel
from finalmarket.connectors import registry
from finalmarket.connectors.contract import PullsListings
from finalmarket.connectors.errors import NotSupported
from finalmarket.integrations import adopt
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.kernel.errors import UserError
from finalmarket.stock import atp

MOST_LISTINGS = 60
"""So many listings of a channel stand on its platform already when it is connected."""


@dataclass(frozen=True, slots=True)
class Outside:
    """An account of the sandbox: where it is, and what lets us in."""

    platform: str
    address: str
    credentials: dict[str, str]


def open_accounts(sandbox: str) -> int:
    """Connect the demo's accounts to the sandbox at this address; return how many are connected now.

    Those that were connected before only learn the address, should it have changed. Raises UserError when the sandbox
    does not answer, or an account cannot be connected.
    """
    accounts = _accounts()
    with httpx2.Client(base_url=sandbox, timeout=30, trust_env=False) as client:
        found = [(accounts[one.platform], one) for one in _outside(client) if one.platform in accounts]
        for account, one in found:
            if account.status == ChannelIntegration.Status.NEW:
                if account.sales_channel is not None and _has_listings(one):
                    _put_up(client, one, account.sales_channel)
                _connect(account, one)
            else:
                ChannelIntegration.objects.filter(pk=account.pk).update(base_url=one.address)
    return len(found)


def _accounts() -> dict[str, ChannelIntegration]:
    """The demo's accounts on platforms that there is a connector for, by the platform's slug."""
    found = {}
    for account in ChannelIntegration.objects.select_related("sales_channel"):
        with suppress(NotSupported):
            found[registry.find(account.platform_name).slug] = account
    return found


def _outside(client: httpx2.Client) -> Iterator[Outside]:
    """The accounts of the sandbox."""
    try:
        listed = client.get("/_sandbox").raise_for_status().json()
    except (httpx2.HTTPError, ValueError) as error:
        raise UserError(f"the sandbox at {client.base_url} does not answer: {error}") from error
    for one in listed:
        yield Outside(one["platform"], one["address"], one["credentials"])


def _has_listings(outside: Outside) -> bool:
    """Whether goods stand there that can be looked through."""
    return issubclass(registry.find(outside.platform), PullsListings)


def _put_up(client: httpx2.Client, outside: Outside, channel: SalesChannel) -> None:
    """Let the account sell some of the channel's listings already, with the stock they have."""
    listings = list(
        ChannelProduct.objects.filter(sales_channel=channel, is_available=True)
        .select_related("variant__product", "sales_channel").prefetch_related("prices", "variant__prices")
        .order_by("id")[:MOST_LISTINGS]
    )  # fmt: skip
    levels = atp.levels([listing.variant_id for listing in listings], [channel.pk])
    wanted: list[dict[str, Any]] = [
        {
            "sku": listing.variant.sku, "title": listing.title or listing.variant.label, "price": str(listing.price()),
            "quantity": levels[listing.variant_id, channel.pk].offered, "barcode": listing.variant.barcode,
        }
        for listing in listings
        if listing.price() is not None
    ]  # fmt: skip
    answer = client.post(f"/_sandbox/{outside.platform}/main/listings", json=wanted)
    if answer.status_code != 200:
        raise UserError(f"the sandbox does not take listings for {outside.platform}: {answer.text[:200]}")


def _connect(account: ChannelIntegration, outside: Outside) -> None:
    """Connect, link by SKU where there are listings, and begin to tell."""
    account.connect({**outside.credentials, "base_url": outside.address}, actor="demo")
    if account.sales_channel is not None:
        if _has_listings(outside):
            adopt.look_through(account)
        account.start_pushing()
