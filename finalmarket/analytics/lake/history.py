"""The tables of the lake as a question sees them: persons instead of profiles, and only what is asked about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ibis

from finalmarket.analytics.lake.asked import LakeAsked

if TYPE_CHECKING:
    import ibis.expr.types as ir

CASES = ("support", "return", "review")
"""Intents of journeys that may be about an order and do not lead to it."""


class History:
    """The tables that one engine shows, and what is asked about them."""

    def __init__(self, tables: Mapping[str, ir.Table], asked: LakeAsked) -> None:
        self.tables, self.asked = tables, asked

    def valid_orders(self) -> ir.Table:
        """Orders that were not cancelled, with their person; null for who is not known."""
        orders = self.tables["orders"]
        return self._with_person(orders.filter(orders.state != "cancelled"))

    def journeys(self) -> ir.Table:
        """The journeys asked about: begun in the period, and with a touch on the channel. `led_to` is the order they
        led to."""
        journeys = self._in_period(self.tables["journeys"])
        if self.asked.channel is not None:
            touches = self.tables["touchpoints"]
            there = touches.filter(touches.channel == self.asked.channel)
            journeys = journeys.semi_join(there, journeys.id == there.journey)
        journeys = journeys.mutate(
            led_to=ibis.ifelse(journeys.intent.isin(CASES), ibis.null("int64"), journeys.order_id)
        )
        return self._with_person(journeys)

    def orders_asked(self) -> ir.Table:
        """The valid orders of the period and the channel."""
        return self._in_period(self.on_channel(self.valid_orders()))

    def interactions(self) -> ir.Table:
        """The interactions of the period and the channel, with their person."""
        return self._with_person(self._in_period(self.on_channel(self.tables["interactions"])))

    def until(self, table: ir.Table) -> ir.Table:
        """The rows up to the end of the period."""
        return table if self.asked.until is None else table.filter(table.local_date <= ibis.literal(self.asked.until))

    def since(self, table: ir.Table) -> ir.Table:
        """The rows from the beginning of the period on."""
        return table if self.asked.since is None else table.filter(table.local_date >= ibis.literal(self.asked.since))

    def _in_period(self, table: ir.Table) -> ir.Table:
        return self.since(self.until(table))

    def on_channel(self, table: ir.Table) -> ir.Table:
        """The rows of the channel asked about."""
        return table if self.asked.channel is None else table.filter(table.channel == self.asked.channel)

    def _with_person(self, table: ir.Table) -> ir.Table:
        """A profile that is part of another one counts as that one."""
        merged = self.tables["persons"].rename(merged_customer="customer", merged_person="person")
        joined = table.left_join(merged, table.customer == merged.merged_customer)
        return joined.mutate(person=ibis.coalesce(joined.merged_person, joined.customer)).drop(
            "merged_customer", "merged_person"
        )


def only(condition: Any, value: Any) -> Any:
    """The value where the condition holds, else null."""
    return ibis.ifelse(condition, value, ibis.null(value.type()))
