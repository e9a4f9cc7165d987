"""Running balances: a variant over all locations, and at one."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from finalmarket.catalog.models import Variant
from finalmarket.stock.models.places import StockLocation


class StockPool(models.Model):
    """A variant over all locations: the row that every writer of its stock locks first, in order of variant."""

    variant = models.OneToOneField(Variant, primary_key=True, on_delete=models.CASCADE, related_name="stock_pool")
    on_hand = models.IntegerField(default=0, db_default=0)
    reserved = models.IntegerField(default=0, db_default=0)
    allocated = models.IntegerField(default=0, db_default=0)
    safety = models.IntegerField(default=0, db_default=0)
    fenced = models.IntegerField(default=0, db_default=0, help_text="What is left in all ring fences together")
    backordered = models.IntegerField(default=0, db_default=0, help_text="Promised beyond what is on hand")
    backorder_limit = models.IntegerField(default=0, db_default=0, help_text="Most units promised beyond stock")
    alerts_due = models.BooleanField(default=False, db_default=False)

    class Meta:
        db_table = "stock_pool"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(on_hand__gte=0, reserved__gte=0, allocated__gte=0, safety__gte=0, fenced__gte=0)
                & Q(backordered__gte=0, backorder_limit__gte=0),
                name="stock_pool_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(on_hand__gte=F("reserved") + F("allocated")), name="stock_pool_promises_are_covered"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["variant"], name="stock_pool_alerts_due", condition=Q(alerts_due=True))
        ]

    def __str__(self) -> str:
        return f"{self.variant_id}: {self.on_hand} on hand"


class StockItem(models.Model):
    """One variant at one location: the running balance of its ledger lines."""

    # No index of their own: planned while the table is empty, a look-up by both would take one and read all of it.
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="stock_items", db_index=False)
    location = models.ForeignKey(StockLocation, on_delete=models.PROTECT, related_name="items", db_index=False)
    on_hand = models.IntegerField(default=0, db_default=0)
    reserved = models.IntegerField(default=0, db_default=0)
    allocated = models.IntegerField(default=0, db_default=0)
    safety = models.IntegerField(default=0, db_default=0, help_text="Units at this location that are never promised")
    low_stock_threshold = models.IntegerField(null=True, blank=True)

    class Meta:
        db_table = "stock_item"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["variant", "location"], name="stock_item_one_per_place"),
            models.CheckConstraint(
                condition=Q(on_hand__gte=0, reserved__gte=0, allocated__gte=0, safety__gte=0),
                name="stock_item_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(on_hand__gte=F("reserved") + F("allocated")), name="stock_item_promises_are_covered"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["location", "variant"], name="stock_item_location")]

    def __str__(self) -> str:
        return f"{self.on_hand} of {self.variant_id} at {self.location_id}"
