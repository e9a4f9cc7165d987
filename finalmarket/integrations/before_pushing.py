"""What a merchant sees, and may take over, before a platform is told anything: the dry run, the opening stock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Sum

from finalmarket.channels.listing import with_prices
from finalmarket.channels.models import ChannelProduct
from finalmarket.connectors.contract import Connector, PullsListings, PullsStock, PushesPrices, PushesStock
from finalmarket.connectors.errors import ConnectorError, RetryLater
from finalmarket.integrations import pull
from finalmarket.integrations.accounts import open_connector
from finalmarket.integrations.adopt import shown_by
from finalmarket.integrations.intake_map import source_of
from finalmarket.integrations.links import ref_of
from finalmarket.integrations.models import ChannelIntegration, ListingLink, PlaceMapping
from finalmarket.integrations.syncing import refuse_unless_active
from finalmarket.kernel import failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import quantize
from finalmarket.orders.models import OrderLine
from finalmarket.stock import atp, ledger
from finalmarket.stock.models import StockLocation, StockMovement

LINKS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Change:
    """What telling would change on one listing: `what` is stock, price or listing (it would be made there); `there` is
    what the platform shows now ("" where it shows none), `to_be` what it would be told."""

    sku: str
    external_key: str
    what: str
    there: str
    to_be: str


def dry_run(integration: ChannelIntegration) -> list[Change]:
    """What would change on the platform if it were told now; nothing is told. Asks for all that it shows.

    Raises UserError if the account is not active, or if the platform cannot be asked.
    """
    refuse_unless_active(integration)
    with closing(open_connector(integration)) as there:
        try:
            prices = _prices_there(there)
            return [
                change for links in _linked(integration) for change in _changes(there, links, prices)
            ]  # fmt: skip
        except RetryLater as error:
            raise UserError(
                f"{there.name} has no more answers for now ({error.reason}); look again in a minute"
            ) from error
        except ConnectorError as error:
            raise UserError(f"{there.name} could not be asked what it shows: {error.reason}") from error


def _linked(integration: ChannelIntegration) -> Iterator[list[ListingLink]]:
    """All linked listings, some at a time."""
    last = 0
    rows = ListingLink.objects.filter(integration=integration).select_related(
        "listing__variant", "listing__sales_channel"
    )
    while True:
        links = list(rows.filter(pk__gt=last).order_by("pk")[:LINKS_AT_ONCE])
        if not links:
            return
        yield links
        last = links[-1].pk


def _changes(there: Connector, every: Sequence[ListingLink], prices: dict[str, Decimal]) -> Iterator[Change]:
    for link in every:
        if not link.ids:
            yield Change(link.listing.variant.sku, "", "listing", "", "made new")
    links = [link for link in every if link.ids]
    shown = shown_by(there, [ref_of(link) for link in links])
    levels = atp.levels((link.listing.variant_id for link in links), (link.listing.sales_channel_id for link in links))
    listings = {
        listing.pk: listing
        for listing in ChannelProduct.objects.filter(pk__in=[link.listing_id for link in links])
        .select_related("sales_channel", "variant")
        .prefetch_related(*with_prices())
    }
    for link in links:
        listing = listings[link.listing_id]
        offered = levels[listing.variant_id, listing.sales_channel_id].offered
        seen = shown.get(link.external_key)
        if isinstance(there, PushesStock) and seen != offered:
            yield Change(listing.variant.sku, link.external_key, "stock", _word(seen), str(offered))
        price, priced = listing.price(), prices.get(link.external_key)
        if isinstance(there, PushesPrices) and price is not None and price != priced:
            yield Change(
                listing.variant.sku,
                link.external_key,
                "price",
                _word(priced),
                str(quantize(price, listing.sales_channel.currency)),
            )


def _word(value: object) -> str:
    return "" if value is None else str(value)


def _prices_there(there: Any) -> dict[str, Decimal]:
    if not isinstance(there, PullsListings):
        return {}
    return {
        record.ref.key: record.price
        for page in there.pull_listings("")
        for record in page.records
        if record.price is not None
    }


def take_opening_stock(integration: ChannelIntegration, location: StockLocation, *, actor: str) -> int:
    """Put on the shelf of `location` what the platform shows of linked listings, and what its open orders still wait
    for; return the units. It is done once: no variant may have moved there before.

    Raises UserError otherwise, if the account is not active or cannot be asked, and if its newest orders could not be
    pulled to their end (the number shown has them taken off already).
    """
    refuse_unless_active(integration)
    if not pull.catch_up_orders(integration, is_strict=True):
        raise UserError(
            "the newest orders of the platform are not known: they could not be pulled up to this moment; try again"
            " in a few minutes"
        )
    return _post(integration, location, _shown_units(integration, location), actor)


@failpoints.around("adopt.open")
@transaction.atomic
def _post(integration: ChannelIntegration, location: StockLocation, units: dict[int, int], actor: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"opening stock:{location.pk}"])
    moved = StockMovement.objects.filter(variant__in=units, location=location).select_related("variant").first()
    if moved is not None:
        raise UserError(
            f"{moved.variant} has moved at {location.name} before: opening stock is for a location that was never used"
        )
    for variant_id, waiting in _waited_for(integration, list(units)).items():
        units[variant_id] += waiting
    receipts = [
        ledger.Receipt(variant_id, location.pk, count, reason="opening stock", reference=f"opening:{integration.pk}")
        for variant_id, count in sorted(units.items())
        if count > 0
    ]
    if receipts:
        ledger.receive(receipts, actor=actor)
    return sum(receipt.quantity for receipt in receipts)


def _shown_units(integration: ChannelIntegration, location: StockLocation) -> dict[int, int]:
    """What the platform shows, by variant: at the place that is mapped to our location, else everywhere."""
    place = PlaceMapping.objects.filter(integration=integration, stock_location=location).exclude(place="").first()
    units: dict[int, int] = {}
    with closing(open_connector(integration)) as there:
        if not isinstance(there, PullsStock):
            raise UserError(f"{there.name} cannot be asked what it shows")
        try:
            for links in _linked(integration):
                shown = shown_by(there, [ref_of(link) for link in links], place.place if place else "")
                units |= {link.listing.variant_id: max(0, shown.get(link.external_key, 0)) for link in links}
        except ConnectorError as error:
            raise UserError(f"{there.name} could not be asked what it shows: {error.reason}") from error
    return units


def _waited_for(integration: ChannelIntegration, variants: Sequence[int]) -> dict[int, int]:
    """Units that open orders of this account wait for: sold there, and still on the shelf."""
    lines = OrderLine.objects.filter(
        order__source=source_of(integration.pk), order__state__in=["open", "partly_fulfilled"], variant__in=variants
    )
    waits = lines.values("variant_id").annotate(
        units=Sum(F("quantity") - F("cancelled_quantity") - F("fulfilled_quantity"))
    )
    return {row["variant_id"]: int(row["units"]) for row in waits}
