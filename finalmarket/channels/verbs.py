"""Channels and listings opened, changed and ended from outside. Each is one transaction; what a platform must be told
is due afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from django.db import transaction

from finalmarket.catalog.models import Variant
from finalmarket.channels.due import EVERYTHING, mark_due
from finalmarket.channels.models import ChannelProduct, SalesChannel
from finalmarket.kernel.errors import UserError

TOLD = frozenset({"status", "currency"})
"""What, changed on a channel, changes what its platform shows of every listing."""
SALE = frozenset({"publish_from", "publish_until", "is_available"})
"""What, changed on a listing, changes whether it can be bought, and with it the stock that is shown."""


@transaction.atomic
def open_channel(fields: Mapping[str, Any]) -> SalesChannel:
    """Open a sales channel. Raises ValidationError for fields that do not fit, and a name that another one has."""
    channel = SalesChannel(**fields)
    channel.full_clean()
    channel.save(force_insert=True)
    channel.refresh_from_db()
    return channel


@transaction.atomic
def change_channel(channel_id: int, fields: Mapping[str, Any]) -> SalesChannel:
    """Change fields of a channel. Raises UserError for an unknown one, ValidationError for fields that do not fit."""
    channel = SalesChannel.objects.select_for_update().filter(pk=channel_id).first()
    if channel is None:
        raise UserError(f"there is no sales channel {channel_id}")
    changed = {name for name, value in fields.items() if getattr(channel, name) != value}
    for name in changed:
        setattr(channel, name, fields[name])
    channel.full_clean()
    channel.save()
    if changed & TOLD:
        mark_due("channels", [channel.pk], *EVERYTHING)
    return channel


@transaction.atomic
def list_variant(
    channel: SalesChannel, variant_id: int, fields: Mapping[str, Any], prices: Mapping[str, Decimal | None]
) -> tuple[ChannelProduct, bool]:
    """List a variant on a channel; return its listing and whether it is new. One that is there is changed.

    `prices` go before the variant's own, by currency; None takes one away. Raises UserError for an unknown variant,
    ValidationError for fields that do not fit.
    """
    variant = Variant.objects.select_related("product").filter(pk=variant_id).first()
    if variant is None:
        raise UserError(f"there is no variant {variant_id}")
    listing, is_new = ChannelProduct.objects.get_or_create(sales_channel=channel, variant=variant)
    change_listing(listing.pk, fields, prices)
    if is_new:
        mark_due("listings", [listing.pk], "content", "price")
        cast("Any", channel).inventories.sync_for_product(variant.product)  # the work is in stock/inventory.py
    listing.refresh_from_db()
    return listing, is_new


@transaction.atomic
def change_listing(
    listing_id: int, fields: Mapping[str, Any], prices: Mapping[str, Decimal | None] | None = None
) -> ChannelProduct:
    """Change fields and prices of a listing; what its platform shows of them is due to be told.

    Raises UserError for an unknown listing, ValidationError for fields or prices that do not fit.
    """
    rows = ChannelProduct.objects.select_for_update(of=("self",)).select_related("sales_channel", "variant")
    listing = rows.filter(pk=listing_id).first()
    if listing is None:
        raise UserError(f"there is no listing {listing_id}")
    changed = {name for name, value in fields.items() if getattr(listing, name) != value}
    if changed:
        for name in changed:
            setattr(listing, name, fields[name])
        listing.full_clean(validate_unique=False)
        listing.save()
        mark_due("listings", [listing.pk], "content", *(("stock",) if changed & SALE else ()))
    for currency, amount in (prices or {}).items():
        listing.set_price(amount, currency)
    return listing


@transaction.atomic
def unlist(listing_id: int) -> None:
    """Take a listing off its channel. Orders, stock and its policy stay as they are.

    Raises UserError for an unknown listing.
    """
    if not ChannelProduct.objects.filter(pk=listing_id).delete()[0]:
        raise UserError(f"there is no listing {listing_id}")
