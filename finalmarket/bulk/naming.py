"""What rows and options name: variants by SKU, channels by name."""

from __future__ import annotations

from finalmarket.bulk.stage import Stage
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.errors import UserError


def find_variants(stage: Stage) -> None:
    """Fill `variant_id` from `sku`; a row whose SKU is unknown is refused, with the one that differs by case only."""
    stage.run(
        """UPDATE {stage} new SET variant_id = variant.id FROM variants variant
           WHERE variant.sku = new.sku AND new.action IS NULL"""
    )
    stage.refuse(
        "sku",
        """'there is no such SKU' || coalesce((
               SELECT '; there is ' || min(near.sku) FROM variants near WHERE lower(near.sku) = lower(new.sku)), '')""",
        "new.variant_id IS NULL",
    )


def channel_named(name: str) -> SalesChannel:
    """The channel with this name or short name. Raises UserError with the names there are."""
    wanted = name.strip().casefold()
    channels = list(SalesChannel.objects.order_by("name"))
    for channel in channels:
        if wanted in {channel.slug.casefold(), channel.name.casefold()}:
            return channel
    known = ", ".join(f"{channel.name} ({channel.slug})" for channel in channels[:20]) or "none yet"
    raise UserError(f"there is no channel {name[:100]!r}; the channels are: {known}")
