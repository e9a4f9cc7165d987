"""The manager of `ChannelInventory`: the rows that say what each channel may sell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection, models

if TYPE_CHECKING:
    from finalmarket.catalog.models import Product
    from finalmarket.channels.models import SalesChannel


class ChannelInventoryManager(models.Manager[Any]):
    """Keeps one policy row per listing, and marks listings whose number must be told anew."""

    def sync_for_product(self, product: Product) -> int:
        """Give every listing of `product` its inventory row and mark its stock as due; return the listings marked."""
        return _sync("variant.product_id = %s", product.pk)

    def sync_for_channel(self, channel: SalesChannel) -> int:
        """Give every listing of `channel` its inventory row and mark its stock as due; return the listings marked."""
        return _sync("listing.sales_channel_id = %s", channel.pk)


def _sync(condition: str, key: int) -> int:
    """Run the two set-based statements for the listings that `condition` selects; `condition` is ours, never input."""
    listings = f"""FROM channel_products listing JOIN variants variant ON variant.id = listing.variant_id
                    WHERE {condition}"""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO channel_inventories (variant_id, sales_channel_id)
                SELECT listing.variant_id, listing.sales_channel_id {listings}
                ORDER BY 1, 2 ON CONFLICT DO NOTHING""",
            [key],
        )
        cursor.execute(
            f"""INSERT INTO due_changes AS due (listing_id, what, version, settled_version, claimed_version, attempts,
                                                last_error)
                SELECT listing.id, 'stock', 1, 0, 0, 0, '' {listings} ORDER BY 1
                ON CONFLICT (listing_id, what) DO UPDATE SET version = due.version + 1
                """,
            [key],
        )
        return int(cursor.rowcount)
