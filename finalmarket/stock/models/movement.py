"""The ledger line."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.stock.models.holds import Reservation
from finalmarket.stock.models.places import StockLocation


class StockMovement(models.Model):
    """One immutable line of the ledger: what changed, by how much, where, for which channel, by whom and why.

    The database refuses UPDATE, DELETE and TRUNCATE. No personal data stand here.
    """

    class Kind(models.TextChoices):
        RECEIVE = "receive", "Received"
        ADJUST = "adjust", "Adjusted"
        COUNT = "count", "Counted"
        TRANSFER_OUT = "transfer_out", "Sent to another location"
        TRANSFER_IN = "transfer_in", "Arrived from another location"
        RESERVE = "reserve", "Reserved"
        RELEASE = "release", "Released"
        EXPIRE = "expire", "Hold expired"
        ALLOCATE = "allocate", "Promised to an order"
        DEALLOCATE = "deallocate", "Promise taken back"
        FULFIL = "fulfil", "Shipped or handed over"
        SALE = "sale", "Sold on the spot"
        RETURN = "return", "Returned"
        SHORT = "short", "Found short"
        FENCE = "fence", "Ring fence changed"
        BACKORDER = "backorder", "Promised beyond stock"
        BACKFILL = "backfill", "Backorder met"

    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=14, choices=Kind)
    variant = models.ForeignKey(
        Variant, on_delete=models.PROTECT, related_name="movements", db_constraint=False, db_index=False
    )
    location = models.ForeignKey(
        StockLocation, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False, null=True
    )
    sales_channel = models.ForeignKey(
        SalesChannel, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False, null=True
    )
    on_hand_delta = models.IntegerField(default=0)
    reserved_delta = models.IntegerField(default=0)
    allocated_delta = models.IntegerField(default=0)
    fence_delta = models.IntegerField(default=0)
    backordered_delta = models.IntegerField(default=0)
    reservation = models.ForeignKey(
        Reservation, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False, null=True
    )
    reference = models.CharField(max_length=100, blank=True, default="", help_text="order:12, transfer:3, count:7")
    actor = models.CharField(max_length=100, default="system")
    reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        db_table = "stock_movement"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["variant", "id"], name="stock_movement_variant"),
            BrinIndex(fields=["at"], name="stock_movement_at"),
            # What was given to promises or taken from them unasked: their orders are looked for every minute.
            models.Index(
                fields=["at", "reservation"], name="stock_movement_met", condition=Q(kind__in=["backfill", "short"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.variant_id}"
