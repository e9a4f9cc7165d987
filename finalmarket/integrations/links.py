"""Which of our listings is which of the platform's: from the link on, the integration tells it what changes here."""

from __future__ import annotations

from pathlib import Path

from django.db import connection, transaction

from finalmarket.channels.models import ChannelProduct, DueChange
from finalmarket.connectors.records import ListingRef
from finalmarket.integrations.models import ChannelIntegration, ListingLink
from finalmarket.kernel import failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("links.sql"))


@failpoints.around("links.link")
@transaction.atomic
def link_listing(
    integration: ChannelIntegration, listing: ChannelProduct, ref: ListingRef, location: str = "", linked_by: str = ""
) -> ListingLink:
    """Say that `listing` is what the platform calls `ref`, and that its stock, price and content have yet to be told.

    `location` is the platform's location of its stock, "" where it knows only one. Linking again changes the link.
    Raises UserError when another account tells this listing, or when another listing is linked to `ref`.
    """
    known = ListingLink.objects.select_for_update().filter(listing=listing).first()
    if known is not None and known.integration_id != integration.pk:
        raise UserError(f"{listing} is told by {known.integration} already; unlink it there first")
    other = ListingLink.objects.filter(integration=integration, external_key=ref.key).exclude(listing=listing).first()
    if other is not None:
        raise UserError(f"{ref.key} of {integration} is linked to {other.listing} already; unlink that first")
    link = known or ListingLink(integration=integration, listing=listing)
    if known is not None and known.external_key != ref.key:
        link = _forget_told(known)
    link.external_key, link.external_sku, link.ids = ref.key, ref.sku, dict(ref.ids)
    link.location, link.linked_by = location, linked_by
    link.save()
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["own"], {"integration": integration.pk, "listings": [listing.pk]})
    listing.sync_state, listing.sync_error = ChannelProduct.SyncState.DUE, ""
    return link


def _forget_told(link: ListingLink) -> ListingLink:
    """What another listing of the platform was told says nothing about this one."""
    link.told_quantity = link.told_price = link.told_at = link.shown_quantity = link.shown_at = None
    link.told_places, link.is_doubtful = {}, False
    return link


@failpoints.around("links.unlink")
@transaction.atomic
def unlink(listing: ChannelProduct) -> None:
    """Tell the platform nothing more of this listing; what stands there stays. One that is not linked stays so."""
    ListingLink.objects.filter(listing=listing).delete()
    DueChange.objects.filter(listing=listing).update(integration_id=None, claimed_until=None)
    ChannelProduct.objects.filter(pk=listing.pk).update(sync_state=ChannelProduct.SyncState.UNLINKED, sync_error="")
    listing.sync_state, listing.sync_error = ChannelProduct.SyncState.UNLINKED, ""


def ref_of(link: ListingLink) -> ListingRef:
    """What the platform calls the listing, as connectors take it."""
    return ListingRef(key=link.external_key, sku=link.external_sku, ids=link.ids)
