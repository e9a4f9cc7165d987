# ruff: noqa: S608 (the SQL put together here is ours, never input)
"""Prices: of variants by currency, or with a channel what its listings cost instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from finalmarket.bulk.columns import Column
from finalmarket.bulk.due import mark_due
from finalmarket.bulk.naming import channel_named, find_variants
from finalmarket.bulk.plan import Given, Importer, Plan, make_plan
from finalmarket.bulk.stage import Stage
from finalmarket.bulk.values import AMOUNT, CURRENCY, SKU
from finalmarket.channels.models import SalesChannel


class VariantPrices(Importer):
    """What a variant costs in a currency unless a listing says otherwise."""

    name = "prices"
    key: ClassVar = ("sku", "currency")
    own: ClassVar = {"variant_id": "bigint"}
    on: ClassVar = "old.variant_id = new.variant_id AND old.currency = new.currency"
    columns: Sequence[Column] = (
        Column("sku", SKU, "The SKU of a variant that exists.", is_required=True),
        Column("currency", CURRENCY, "ISO 4217, such as EUR.", is_required=True),
        Column("price", AMOUNT, "The price: digits with a point, at most four after it.", is_required=True),
        Column("compare_at", AMOUNT, "The former price, shown struck through; empty: none."),
    )

    def current(self) -> str:
        """The prices that are stored."""
        return """SELECT true AS found, variant.id AS variant_id, variant.sku, price.currency, price.amount AS price,
                         price.compare_at
                  FROM variant_prices price JOIN variants variant ON variant.id = price.variant_id"""

    def check(self, stage: Stage) -> None:
        """Refuse unknown SKUs, and two prices for one SKU and currency."""
        find_variants(stage)
        stage.refuse_contradictions(self.key, "SKU and currency")

    def write(self, stage: Stage) -> None:
        """Store the prices; listings that show them are due."""
        compare_at = ", compare_at = excluded.compare_at" if stage.has("compare_at") else ""
        stage.run(
            f"""INSERT INTO variant_prices (variant_id, currency, amount, compare_at)
                SELECT variant_id, currency, price, compare_at FROM {{stage}}
                WHERE action IN ('create', 'change') ORDER BY variant_id, currency
                ON CONFLICT (variant_id, currency) DO UPDATE SET amount = excluded.amount{compare_at}"""
        )
        mark_due(
            stage,
            "price",
            """SELECT DISTINCT listing.id FROM {stage} new
               JOIN channel_products listing ON listing.variant_id = new.variant_id
               JOIN sales_channels channel ON channel.id = listing.sales_channel_id AND channel.currency = new.currency
               WHERE new.action IN ('create', 'change') AND NOT EXISTS (
                   SELECT FROM listing_prices own WHERE own.listing_id = listing.id AND own.currency = new.currency)""",
        )


class ListingPrices(Importer):
    """What the listings of one channel cost, in place of the variants' own prices."""

    name = "listing_prices"
    key: ClassVar = ("sku",)
    own: ClassVar = {"variant_id": "bigint", "listing_id": "bigint"}
    on: ClassVar = "old.listing_id = new.listing_id"
    columns: Sequence[Column] = (
        Column("sku", SKU, "The SKU of a variant that is listed on the channel.", is_required=True),
        Column("currency", CURRENCY, "The currency of the channel; empty or absent: that."),
        Column(
            "price",
            AMOUNT,
            "The price on this channel; empty: the variant's own price holds.",
            is_required=True,
            may_be_empty=True,
        ),
    )

    def __init__(self, channel: SalesChannel) -> None:
        self.channel = channel

    def current(self) -> str:
        """The channel's listings with their own prices, if they have any."""
        return f"""SELECT true AS found, listing.id AS listing_id, variant.sku, channel.currency, price.amount AS price
                   FROM channel_products listing JOIN variants variant ON variant.id = listing.variant_id
                   JOIN sales_channels channel ON channel.id = listing.sales_channel_id
                   LEFT JOIN listing_prices price ON price.listing_id = listing.id AND price.currency = channel.currency
                   WHERE listing.sales_channel_id = {int(self.channel.pk)}"""

    def check(self, stage: Stage) -> None:
        """Refuse unknown SKUs, SKUs that the channel does not list, and currencies that it does not have."""
        find_variants(stage)
        stage.run(
            f"""UPDATE {{stage}} new SET listing_id = listing.id, currency = coalesce(new.currency, channel.currency)
                FROM channel_products listing JOIN sales_channels channel ON channel.id = listing.sales_channel_id
                WHERE listing.variant_id = new.variant_id AND channel.id = {int(self.channel.pk)}"""
        )
        named = f"JOIN sales_channels channel ON channel.id = {int(self.channel.pk)}"
        stage.refuse(
            "sku", "'is not listed on ' || channel.name || '; list it there first'", "new.listing_id IS NULL", named
        )
        stage.refuse(
            "currency",
            "channel.name || ' sells in ' || channel.currency || ', not in ' || new.currency",
            "new.currency <> channel.currency",
            named,
        )
        stage.refuse_contradictions(self.key, "SKU")

    def write(self, stage: Stage) -> None:
        """Store the prices, take away those that are empty now; the listings are due."""
        stage.run(
            """DELETE FROM listing_prices gone USING {stage} new
               WHERE gone.listing_id = new.listing_id AND gone.currency = new.currency
                 AND new.action = 'change' AND new.price IS NULL"""
        )
        stage.run(
            """INSERT INTO listing_prices (listing_id, currency, amount)
               SELECT listing_id, currency, price FROM {stage}
               WHERE action = 'change' AND price IS NOT NULL ORDER BY listing_id
               ON CONFLICT (listing_id, currency) DO UPDATE SET amount = excluded.amount"""
        )
        mark_due(stage, "price", "SELECT listing_id FROM {stage} WHERE action = 'change'")


def importer(channel: str | SalesChannel | None = None) -> Importer:
    """The importer of variants' prices, or with a channel (or its name) of its listings' prices."""
    if channel is None:
        return VariantPrices()
    return ListingPrices(channel_named(channel) if isinstance(channel, str) else channel)


def plan(given: Given, *, channel: str | SalesChannel | None = None, **reading: Any) -> Plan:
    """Plan prices from a file or from rows; see `plan.py`. Raises UserError for a file that cannot be used."""
    return make_plan(importer(channel), given, **reading)
