"""Papers around stock: expected receipts, transfers, stock takes, alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.stock.models.places import StockLocation

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class ExpectedReceipt(models.Model):
    """What a supplier is to deliver, and when: purchase orders in their lightest form."""

    class State(models.TextChoices):
        EXPECTED = "expected", "Expected"
        RECEIVED = "received", "Received"
        CANCELLED = "cancelled", "Cancelled"

    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="expected_receipts")
    location = models.ForeignKey(StockLocation, on_delete=models.PROTECT, related_name="expected_receipts")
    quantity = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    received_quantity = models.PositiveIntegerField(default=0)
    expected_at = models.DateTimeField()
    supplier = models.CharField(max_length=200, blank=True, default="")
    reference = models.CharField(max_length=100, blank=True, default="", help_text="Number of the purchase order")
    state = models.CharField(max_length=10, choices=State, default=State.EXPECTED)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "expected_receipts"
        indexes: ClassVar = [
            models.Index(
                fields=["variant", "expected_at"], name="expected_receipts_open", condition=Q(state="expected")
            )
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.variant_id} on {self.expected_at:%Y-%m-%d}"


class Transfer(models.Model):
    """Goods on their way from one location to another."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_TRANSIT = "in_transit", "In transit"
        RECEIVED = "received", "Received"
        CANCELLED = "cancelled", "Cancelled"

    source = models.ForeignKey(StockLocation, on_delete=models.PROTECT, related_name="transfers_out")
    destination = models.ForeignKey(StockLocation, on_delete=models.PROTECT, related_name="transfers_in")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    reference = models.CharField(max_length=100, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    shipped_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    lines: RelatedManager[TransferLine]

    class Meta:
        db_table = "transfers"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(source=F("destination")), name="transfers_two_places")
        ]

    def __str__(self) -> str:
        return f"Transfer {self.pk}: {self.source} to {self.destination}"


class TransferLine(models.Model):
    """One variant of a transfer: what was sent, what has arrived, and what was written off as lost on the way."""

    transfer = models.ForeignKey(Transfer, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    received_quantity = models.PositiveIntegerField(default=0)
    discrepancy = models.IntegerField(default=0, help_text="Arrived less sent, once the transfer is closed")

    class Meta:
        db_table = "transfer_lines"
        constraints: ClassVar = [models.UniqueConstraint(fields=["transfer", "variant"], name="transfer_lines_once")]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.variant_id}"


class StockCount(models.Model):
    """A stock take at one location, while selling goes on."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        APPLIED = "applied", "Applied"
        CANCELLED = "cancelled", "Cancelled"

    location = models.ForeignKey(StockLocation, on_delete=models.PROTECT, related_name="counts")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    note = models.CharField(max_length=200, blank=True, default="")
    started_at = models.DateTimeField(db_default=Now())
    applied_at = models.DateTimeField(null=True, blank=True)

    lines: RelatedManager[StockCountLine]

    class Meta:
        db_table = "stock_counts"
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"Count {self.pk} at {self.location}"


class StockCountLine(models.Model):
    """What was counted of one variant, and when; sales after that moment are not differences."""

    count = models.ForeignKey(StockCount, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    counted_quantity = models.PositiveIntegerField()
    counted_at = models.DateTimeField()
    difference = models.IntegerField(null=True, blank=True, help_text="Counted less booked, once applied")

    class Meta:
        db_table = "stock_count_lines"
        constraints: ClassVar = [models.UniqueConstraint(fields=["count", "variant"], name="stock_count_lines_once")]

    def __str__(self) -> str:
        return f"{self.counted_quantity} of {self.variant_id}"


class StockAlert(models.Model):
    """Low or no stock of one variant at one place (a channel or a location); at most one is open."""

    class Level(models.TextChoices):
        LOW = "low", "Low stock"
        OUT = "out", "Out of stock"
        SHORT = "short", "Sold more than there is"

    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="alerts")
    sales_channel = models.ForeignKey(SalesChannel, null=True, blank=True, on_delete=models.CASCADE)
    location = models.ForeignKey(StockLocation, null=True, blank=True, on_delete=models.CASCADE)
    level = models.CharField(max_length=5, choices=Level)
    quantity = models.IntegerField(help_text="What was available, or how much was short")
    threshold = models.IntegerField(default=0)
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "stock_alerts"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["variant", "sales_channel", "location"],
                name="stock_alerts_one_open",
                condition=Q(closed_at=None),
                nulls_distinct=False,
            )
        ]
        indexes: ClassVar = [models.Index(fields=["-opened_at"], name="stock_alerts_open", condition=Q(closed_at=None))]

    def __str__(self) -> str:
        return f"{self.level}: {self.variant_id}"
