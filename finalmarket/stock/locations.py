"""Places where stock lies: opened and changed, and from which of them a channel sells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from finalmarket.channels.due import mark_due
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.errors import UserError
from finalmarket.stock.models import ChannelSource, StockItem, StockLocation
from finalmarket.stock.policies import touch
from finalmarket.stock.refusals import refuse_places


@transaction.atomic
def open_location(fields: Mapping[str, Any]) -> StockLocation:
    """Open a location. Raises ValidationError for fields that do not fit, and for a code that another one has."""
    location = StockLocation(**fields)
    location.full_clean()
    location.save(force_insert=True)
    return location


@transaction.atomic
def change_location(location_id: int, fields: Mapping[str, Any]) -> StockLocation:
    """Change fields of a location. Switched on or off, what lies there counts anew on every channel.

    Raises UserError for an unknown location, ValidationError for fields that do not fit.
    """
    location = StockLocation.objects.select_for_update().filter(pk=location_id).first()
    if location is None:
        raise UserError(f"there is no stock location {location_id}")
    was_active = location.is_active
    for name, value in fields.items():
        setattr(location, name, value)
    location.full_clean()
    location.save()
    if location.is_active != was_active:
        there = StockItem.objects.filter(location=location).exclude(on_hand=0)
        touch(list(there.values_list("variant_id", flat=True)))
    return location


@transaction.atomic
def set_sources(channel_id: int, places: Sequence[tuple[int, int]]) -> None:
    """Let a channel sell from these locations, pairs of location and rank (lower goes first), and from no others; from
    all active ones with an empty list. Its stock is due to be told.

    Raises UserError for an unknown location, and for one that stands twice.
    """
    locations = [location for location, _ in places]
    if len(set(locations)) < len(locations):
        raise UserError("a location stands twice among the sources of the channel")
    refuse_places(locations)
    channel = SalesChannel.objects.select_for_update().get(pk=channel_id)
    ChannelSource.objects.filter(sales_channel=channel).exclude(location__in=locations).delete()
    ChannelSource.objects.bulk_create(
        [ChannelSource(sales_channel=channel, location_id=location, rank=rank) for location, rank in places],
        update_conflicts=True, unique_fields=["sales_channel", "location"], update_fields=["rank"],
    )  # fmt: skip
    mark_due("channels", [channel.pk], "stock")
