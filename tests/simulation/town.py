"""The merchant of the simulation: eight channels, of which five are accounts on platforms, goods, two places.

Made once for a process, by the verbs that people use; every run begins with it (database.py keeps it).
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.registry import connectors
from finalmarket.integrations import connect, links
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.kernel import clock
from finalmarket.sandbox.platforms.fake import Fake
from finalmarket.sandbox.stand_in import StandIn
from finalmarket.stock import ledger
from finalmarket.stock.models import StockLocation
from tests.connectors.cases import case_of
from tests.simulation.machine import Machine

PLATFORMS = ("north", "south", "east", "west", "middle")
GOODS = 6
UNITS = 12
PUBLIC = "https://house.example"
PRICE = Decimal("10.00")


@dataclass
class Account:
    """An account on a platform: its name there, and our number of it."""

    name: str
    number: int
    token: str
    channel: int
    listings: dict[int, int] = field(default_factory=dict)  # our listing by variant
    keys: dict[int, str] = field(default_factory=dict)  # the platform's name of a listing of ours


@dataclass
class Town:
    """All that is there at the beginning, by number."""

    web: int = 0
    app: int = 0
    till: int = 0
    places: list[int] = field(default_factory=list)
    goods: dict[int, str] = field(default_factory=dict)  # SKUs by variant
    accounts: list[Account] = field(default_factory=list)
    opening: dict[int, int] = field(default_factory=dict)  # units received, by variant
    kept: dict[str, bytes] = field(default_factory=dict)  # what each platform holds at the beginning

    def platforms(self, machine: Machine) -> dict[str, Any]:
        """The platforms of a run, as they were when the town was built."""
        found: dict[str, Any] = {}
        for account in self.accounts:
            there = Fake(machine.world, account=account.name)
            there.state = pickle.loads(self.kept[account.name])
            machine.add(there)
            found[account.name] = there
        return found


def build(machine: Machine) -> Town:
    """Build the town; the machine runs, and nothing goes wrong yet."""
    town = Town()
    town.web, town.app, town.till = (
        SalesChannel.objects.create(name=name, channel_type=kind, currency="EUR").pk
        for name, kind in (("Web shop", "web"), ("App", "mobile"), ("Till", "store"))
    )
    for rank, code in enumerate(("warehouse", "store")):
        town.places.append(StockLocation.objects.create(code=code, name=code.title(), priority=rank).pk)
    products = [Product.objects.create(title=f"Thing {n}", slug=f"thing-{n}") for n in range(GOODS)]
    for number, product in enumerate(products):
        variant = Variant.objects.create(product=product, sku=f"THING-{number}")
        VariantPrice.objects.create(variant=variant, currency="EUR", amount=PRICE)
        town.goods[variant.pk] = variant.sku
    for name in PLATFORMS:
        there = Fake(machine.world, account=name)
        address = machine.add(there)
        town.accounts.append(_account(name, there, address, products))
        town.kept[name] = pickle.dumps(there.state)
    receipts = [ledger.Receipt(variant, place, UNITS) for variant in town.goods for place in town.places]
    ledger.receive(receipts, actor="simulation")
    town.opening = dict.fromkeys(town.goods, UNITS * len(town.places))
    return town


def _account(name: str, there: StandIn, address: str, products: list[Product]) -> Account:
    connector = connectors()[there.slug]
    channel = SalesChannel.objects.create(name=f"Market {name}", channel_type="marketplace", currency="EUR")
    integration = ChannelIntegration.objects.create(
        sales_channel=channel, platform_name=connector.name, integration_type=connector.kind
    )
    integration.connect({**there.credentials(), "base_url": address}, actor="simulation")
    refs = case_of(there.slug).seed_listings
    assert refs is not None
    account = Account(name, integration.pk, integration.webhook_token, channel.pk)
    for product, ref in zip(products, refs(there, len(products)), strict=True):
        (listing,) = channel.add_product(product)
        links.link_listing(integration, listing, ref, linked_by="simulation")
        account.listings[listing.variant_id] = listing.pk
        account.keys[listing.pk] = ref.key
    integration.push_from = clock.now()
    integration.save()
    integration.refresh_from_db()
    account.token = integration.webhook_token
    return account


def public_address() -> tuple[str, str]:
    """The variable that says how the house is known from outside, and its value here."""
    return connect.PUBLIC_URL, PUBLIC
