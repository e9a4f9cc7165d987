"""Listings of ours that a platform does not have yet: once published they are made there, and then told as all others.

A listing is published by a link that names nothing on the platform; telling its content makes it there and fills in
what it is called (telling_content.py). What stands there already is never made a second time: the account has to be
looked through first, and a SKU that was found there has to be linked instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from finalmarket.catalog.models import Product, VariantPrice
from finalmarket.channels.listing import with_prices
from finalmarket.channels.models import ChannelProduct, ListingPrice
from finalmarket.connectors.contract import PullsListings, PushesListings
from finalmarket.connectors.errors import NotSupported
from finalmarket.connectors.records import ListingRef
from finalmarket.integrations.accounts import connector_class
from finalmarket.integrations.adopt import STREAM, channel_of, location_of
from finalmarket.integrations.links import link_listing
from finalmarket.integrations.models import ChannelIntegration, SyncRun, UnlinkedListing
from finalmarket.integrations.syncing import refuse_unless_active
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError

MOST_AT_ONCE = 500


@dataclass(slots=True)
class Published:
    """What came of it: how many listings are made there now, and by SKU why the others are not."""

    count: int = 0
    refused: dict[str, str] = field(default_factory=dict)


def can_publish(integration: ChannelIntegration) -> bool:
    """Whether the account is one of a channel, on a platform that takes new listings."""
    try:
        return integration.sales_channel_id is not None and issubclass(connector_class(integration), PushesListings)
    except NotSupported:
        return False


def unpublished(integration: ChannelIntegration) -> QuerySet[ChannelProduct]:
    """Listings of the account's channel that are for sale, now or later, and stand on no platform that we know of."""
    return ChannelProduct.objects.filter(
        Q(publish_until=None) | Q(publish_until__gt=clock.now()), sales_channel=integration.sales_channel_id,
        sales_channel__isnull=False, is_available=True, link=None, variant__is_active=True,
        variant__product__status=Product.Status.ACTIVE,
    )  # fmt: skip


def first_to_publish(integration: ChannelIntegration, listings: QuerySet[ChannelProduct]) -> list[int]:
    """Of these listings as many as are published at once: the newest that nothing keeps from it, and then the others,
    whose reasons are worth hearing."""
    currency = integration.sales_channel.currency if integration.sales_channel else ""
    own = ListingPrice.objects.filter(listing=OuterRef("pk"), currency=currency)
    shared = VariantPrice.objects.filter(variant=OuterRef("variant"), currency=currency)
    found = _unlinked(integration).filter(external_sku=OuterRef("variant__sku"))
    can_be = (Exists(own) | Exists(shared)) & ~Exists(found)
    newest = listings.alias(can_be=can_be).order_by("-can_be", "-pk")
    return list(newest.values_list("pk", flat=True)[:MOST_AT_ONCE])


@transaction.atomic
def publish(integration: ChannelIntegration, listings: Sequence[int], *, actor: str) -> Published:
    """Have these listings of the account's channel made on the platform: each is told whole, then its price and stock.

    Whatever cannot be published is named with its reason, and keeps no other from it. Raises UserError for more than
    500 at once, for an account that is not active, has no channel or takes no listings, and for one that was never
    looked through to the end: what stands there already must not be made again.
    """
    _refuse_unless_ready(integration, listings)
    # Who else has them made at this moment goes first or waits.
    list(ChannelProduct.objects.select_for_update().filter(pk__in=listings).order_by("pk").values_list("pk"))
    rows = unpublished(integration).filter(pk__in=listings).select_related("variant__product", "sales_channel")
    there = _found_there(integration, [row.variant.sku for row in rows])
    done = Published()
    for listing in rows.prefetch_related(*with_prices()).order_by("pk"):
        reason = there.get(listing.variant.sku) or _published(integration, listing, actor)
        if reason:
            done.refused[listing.variant.sku] = reason
        else:
            done.count += 1
    return done


def _refuse_unless_ready(integration: ChannelIntegration, listings: Sequence[int]) -> None:
    refuse_unless_active(integration)
    channel_of(integration)
    connector = connector_class(integration)
    if not issubclass(connector, PushesListings):
        raise UserError(f"{connector.name} takes no new listings from outside; make them there, then look through it")
    if len(listings) > MOST_AT_ONCE:
        raise UserError(f"at most {MOST_AT_ONCE} listings are published at once; {len(listings)} were named")
    looked = SyncRun.objects.filter(integration=integration, stream=STREAM, outcome="done")
    if issubclass(connector, PullsListings) and not looked.exists():
        raise UserError(f"look through {integration} first, so that nothing that stands there is made a second time")


def _found_there(integration: ChannelIntegration, skus: Sequence[str]) -> Mapping[str, str]:
    """By SKU, why what was found on the platform under it keeps ours from being made there."""
    found = _unlinked(integration).filter(external_sku__in=skus)
    return {one.external_sku: f"{one} stands there under this SKU; link it instead" for one in found}


def _unlinked(integration: ChannelIntegration) -> QuerySet[UnlinkedListing]:
    return UnlinkedListing.objects.filter(integration=integration).exclude(state="linked")


def _published(integration: ChannelIntegration, listing: ChannelProduct, actor: str) -> str:
    """Publish the listing; return why it cannot be ("" once it is)."""
    sku = listing.variant.sku
    if listing.price() is None:
        return f"it has no price in {listing.sales_channel.currency}"
    ref = ListingRef(key=sku, sku=sku)
    try:
        link_listing(integration, listing, ref, location=location_of(integration), linked_by=actor)
    except UserError as error:
        return str(error)
    return ""
