"""Short words for the tests of the border post: an account on the practice platform, connected and linked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import ChannelProduct, DueChange, SalesChannel
from finalmarket.connectors.records import ListingRef
from finalmarket.integrations.accounts import keep_secrets
from finalmarket.integrations.links import link_listing
from finalmarket.integrations.models import ChannelIntegration, ListingLink, PushRecord
from finalmarket.kernel import clock
from finalmarket.sandbox.platforms.fake import TOKEN, Fake
from finalmarket.stock import ledger
from finalmarket.stock.models import StockLocation

SKUS = ("TEA", "CUP", "POT")


@dataclass
class Account:
    """A connected account: its records here, and the stand-in that it is connected to."""

    integration: ChannelIntegration
    channel: SalesChannel
    place: StockLocation
    shop: Fake
    variants: dict[str, Variant] = field(default_factory=dict)
    listings: dict[str, ChannelProduct] = field(default_factory=dict)

    def offer(self, sku: str, units: int = 10, *, linked: bool = True) -> ChannelProduct:
        """Sell so many units of a new SKU for 5.00 here and there; the platform shows none of them yet."""
        product = Product.objects.create(title=f"The {sku}", slug=f"{sku.lower()}-{self.integration.pk}", brand="House")
        variant = Variant.objects.create(product=product, sku=sku)
        VariantPrice.objects.create(variant=variant, currency="EUR", amount=Decimal("5.00"))
        (listing,) = self.channel.add_product(product)
        if units:
            ledger.receive([ledger.Receipt(variant.pk, self.place.pk, units)], actor="test")
        self.variants[sku], self.listings[sku] = variant, listing
        if linked:
            with self.shop.lock:
                key = self.shop.add_listing(sku, f"The {sku}", Decimal("5.00"), 0)
            link_listing(self.integration, listing, ListingRef(key=key, sku=sku, ids={"key": key}), linked_by="test")
        return listing

    def receive(self, sku: str, units: int) -> None:
        """Goods arrive."""
        ledger.receive([ledger.Receipt(self.variants[sku].pk, self.place.pk, units)], actor="test")

    def adjust(self, sku: str, delta: int) -> None:
        """A count finds more or less."""
        ledger.adjust(self.variants[sku].pk, self.place.pk, delta, reason="counted", actor="test")

    def link(self, sku: str) -> ListingLink:
        """The link as it stands in the database."""
        return ListingLink.objects.get(listing=self.listings[sku])

    def due(self, sku: str, what: str = "stock") -> DueChange:
        """The due row as it stands in the database."""
        return DueChange.objects.get(listing=self.listings[sku], what=what)

    def waits(self, what: str = "stock") -> set[str]:
        """The SKUs of which the platform has yet to be told something."""
        rows = DueChange.objects.filter(integration_id=self.integration.pk, what=what).select_related(
            "listing__variant"
        )
        return {row.listing.variant.sku for row in rows if row.version > row.settled_version}

    def records(self, sku: str, what: str = "stock") -> list[tuple[str, str]]:
        """What the platform was told of a listing and what became of it, oldest first."""
        rows = PushRecord.objects.filter(listing=self.listings[sku], what=what).order_by("id")
        return list(rows.values_list("value", "outcome"))

    def effects(self, name: str, **facts: Any) -> list[dict[str, Any]]:
        """What really changed there."""
        entries = self.shop.world.journal.entries(platform=self.shop.slug, what="effect", name=name)
        mine = [entry.facts for entry in entries if entry.facts["account"] == self.shop.account]
        return [one for one in mine if all(one.get(key) == value for key, value in facts.items())]

    def refreshed(self) -> ChannelIntegration:
        """The integration as it stands in the database."""
        return ChannelIntegration.objects.get(pk=self.integration.pk)


def connect(shop: Fake, address: str, *, skus: Sequence[str] = SKUS, units: int = 10, label: str = "") -> Account:
    """Connect an account of the practice platform: a channel of its own, and these SKUs linked, 10 units of each."""
    name = label or shop.account
    channel = SalesChannel.objects.create(name=f"Bazaar {name}", channel_type="marketplace", country="DE")
    place, _ = StockLocation.objects.get_or_create(code="warehouse", defaults={"name": "Warehouse"})
    integration = ChannelIntegration.objects.create(
        sales_channel=channel, platform_name=shop.slug, integration_type="marketplace", account_label=name,
        status="active", base_url=address, connected_at=clock.now(),
        push_from=clock.now(),
    )  # fmt: skip
    keep_secrets(integration, {"token": TOKEN})
    account = Account(integration, channel, place, shop)
    for sku in skus:
        account.offer(sku, units)
    return account
