# ruff: noqa: S608 (the SQL put together here is ours, never input)
"""Listings: what a channel sells, since when and until when, under which title and at which price of its own.

The console's bulk edit is this plan on rows of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from finalmarket.bulk.columns import Column
from finalmarket.bulk.due import mark_due
from finalmarket.bulk.naming import channel_named, find_variants
from finalmarket.bulk.plan import Given, Importer, Plan, make_plan
from finalmarket.bulk.stage import Stage
from finalmarket.bulk.values import AMOUNT, CURRENCY, FLAG, MOMENT, OBJECT, PROSE, SKU, line_of_text
from finalmarket.channels.models import SalesChannel

CONTENT = ("available", "title", "description", "publish_from", "publish_until", "attributes")
FIELD = {"available": "is_available"}
STORED = "new.action IN ('create', 'change')"


class Listings(Importer):
    """Listings by channel and SKU."""

    name = "listings"
    key: ClassVar = ("channel", "sku")
    own: ClassVar = {
        "variant_id": "bigint",
        "channel_id": "bigint",
        "listing_id": "bigint",
        "is_priced_anew": "boolean",
        "is_told_anew": "boolean",
    }
    on: ClassVar = "old.channel_id = new.channel_id AND old.variant_id = new.variant_id"
    columns: Sequence[Column] = (
        Column("channel", line_of_text(200), "The channel's name or short name.", is_required=True),
        Column("sku", SKU, "The SKU of a variant that exists.", is_required=True),
        Column("available", FLAG, "no: not sold on this channel; empty: yes.", empty=True),
        Column("price", AMOUNT, "The price on this channel; empty: the variant's own price holds."),
        Column("currency", CURRENCY, "The currency of the price: the channel's; empty or absent: that."),
        Column("title", line_of_text(500), "The title on this channel; empty: the product's.", empty=""),
        Column("description", PROSE, "The description on this channel; empty: the product's.", empty=""),
        Column("publish_from", MOMENT, "Sold from this moment, 2026-12-01T00:00+01:00; without +01:00 it is UTC."),
        Column("publish_until", MOMENT, "Sold until this moment."),
        Column("attributes", OBJECT, "More for this channel, as a JSON object.", empty="{}"),
    )

    def __init__(self, channel: SalesChannel | None = None) -> None:
        self.channel = channel
        if channel is not None:  # one channel is meant: the column may be left out
            first = Column("channel", line_of_text(200), "The channel; may be left out.", empty=channel.slug)
            self.columns = (first, *Listings.columns[1:])

    def current(self) -> str:
        """The listings that are stored."""
        of_channel = f"WHERE listing.sales_channel_id = {int(self.channel.pk)}" if self.channel else ""
        return f"""SELECT true AS found, listing.id AS listing_id, channel.id AS channel_id, listing.variant_id,
                          channel.slug AS channel, variant.sku, listing.is_available AS available,
                          price.amount AS price, channel.currency, listing.title, listing.description,
                          listing.publish_from, listing.publish_until, listing.attributes
                   FROM channel_products listing JOIN variants variant ON variant.id = listing.variant_id
                   JOIN sales_channels channel ON channel.id = listing.sales_channel_id
                   LEFT JOIN listing_prices price ON price.listing_id = listing.id AND price.currency = channel.currency
                   {of_channel}"""

    def marks(self, stage: Stage) -> dict[str, str]:
        """What the platform must be told of a changed row: a price, or content."""
        content = [f"old.{name} IS DISTINCT FROM new.{name}" for name in CONTENT if stage.has(name)]
        return {
            "is_priced_anew": "old.price IS DISTINCT FROM new.price" if stage.has("price") else "false",
            "is_told_anew": " OR ".join(content) or "false",
            "listing_id": "old.listing_id",
        }

    def check(self, stage: Stage) -> None:
        """Refuse unknown channels and SKUs, foreign currencies, windows that end before they begin, contradictions."""
        _find_channels(stage, self.channel)
        find_variants(stage)
        stage.refuse(
            "currency",
            "channel.name || ' sells in ' || channel.currency || ', not in ' || new.currency",
            "new.currency <> channel.currency",
            "JOIN sales_channels channel ON channel.id = new.channel_id",
        )
        stage.refuse_contradictions(("channel_id", "sku"), "listing", shown="sku")
        _check_windows(stage)

    def write(self, stage: Stage) -> None:
        """Store listings with their prices and inventory rows; what the platforms must be told is due."""
        _write_listings(stage)
        if stage.has("price"):
            _write_prices(stage)
        stage.run(
            """INSERT INTO channel_inventories (variant_id, sales_channel_id)
               SELECT variant_id, channel_id FROM {stage} WHERE action = 'create' ORDER BY 1, 2
               ON CONFLICT DO NOTHING"""
        )
        for what, changed in (("stock", "false"), ("content", "new.is_told_anew"), ("price", "new.is_priced_anew")):
            mark_due(
                stage,
                what,
                f"""SELECT new.listing_id FROM {{stage}} new
                    WHERE new.action = 'create' OR (new.action = 'change' AND {changed})""",
            )


def _find_channels(stage: Stage, only: SalesChannel | None) -> None:
    if only is not None:
        stage.run("UPDATE {stage} SET channel = %s WHERE channel IS NULL", [only.slug])
    stage.run(
        """UPDATE {stage} new SET channel_id = channel.id, channel = channel.slug,
                                  currency = coalesce(new.currency, channel.currency)
           FROM sales_channels channel
           WHERE lower(new.channel) IN (lower(channel.slug), lower(channel.name)) AND new.action IS NULL"""
    )
    stage.refuse("channel", "'there is no such channel'", "new.channel_id IS NULL")
    if only is not None:
        stage.refuse("channel", "'is another channel than the one asked for'", f"new.channel_id <> {int(only.pk)}")


def _check_windows(stage: Stage) -> None:
    """Refuse a window that would end before it begins, with what is stored standing in for an absent column."""
    begins = "new.publish_from" if stage.has("publish_from") else "listing.publish_from"
    ends = "new.publish_until" if stage.has("publish_until") else "listing.publish_until"
    if stage.has("publish_from") or stage.has("publish_until"):
        stage.refuse(
            "publish_until" if stage.has("publish_until") else "publish_from",
            "'the listing would end before it begins'",
            f"{ends} <= {begins}",
            """LEFT JOIN channel_products listing
               ON listing.sales_channel_id = new.channel_id AND listing.variant_id = new.variant_id""",
        )


def _write_listings(stage: Stage) -> None:
    given = {FIELD.get(name, name): f"new.{name}" for name in CONTENT if stage.has(name)}
    empty = {"is_available": "true", "title": "''", "description": "''", "attributes": "'{}'"}
    filled = empty | given
    changed = "".join(f", {field} = {value}" for field, value in given.items())
    stage.run(
        f"""UPDATE channel_products listing SET updated_at = now(){changed}
            FROM {{stage}} new WHERE listing.id = new.listing_id AND new.action = 'change'"""
    )
    stage.run(
        f"""INSERT INTO channel_products (sales_channel_id, variant_id, sync_state, sync_error, updated_at,
                                          {", ".join(filled)})
            SELECT new.channel_id, new.variant_id, 'local', '', now(), {", ".join(filled.values())}
            FROM {{stage}} new WHERE new.action = 'create' ORDER BY new.line"""
    )
    stage.run(
        """UPDATE {stage} new SET listing_id = listing.id FROM channel_products listing
           WHERE listing.sales_channel_id = new.channel_id AND listing.variant_id = new.variant_id
             AND new.action = 'create'"""
    )


def _write_prices(stage: Stage) -> None:
    stage.run(
        f"""DELETE FROM listing_prices gone USING {{stage}} new
            WHERE gone.listing_id = new.listing_id AND gone.currency = new.currency
              AND {STORED} AND new.price IS NULL"""
    )
    stage.run(
        f"""INSERT INTO listing_prices (listing_id, currency, amount)
            SELECT new.listing_id, new.currency, new.price FROM {{stage}} new
            WHERE {STORED} AND new.price IS NOT NULL ORDER BY new.listing_id
            ON CONFLICT (listing_id, currency) DO UPDATE SET amount = excluded.amount"""
    )


def plan(given: Given, *, channel: str | SalesChannel | None = None, **reading: Any) -> Plan:
    """Plan listings from a file or from rows; see `plan.py`. Raises UserError for a file that cannot be used."""
    return make_plan(importer(channel), given, **reading)


def importer(channel: str | SalesChannel | None = None) -> Listings:
    """The importer of all listings, or of those of one channel."""
    return Listings(channel_named(channel) if isinstance(channel, str) else channel)
