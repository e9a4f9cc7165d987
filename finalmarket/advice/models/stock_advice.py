"""What is expected to be asked for, on which terms goods come, and what is advised about stock."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.stock.models import StockLocation


class SupplyTerm(models.Model):
    """On which terms goods come: for one supplier at one location, for either alone, or for all (neither named).

    The most particular one counts: supplier and location, then supplier, then location, then the one for all.
    """

    location = models.ForeignKey(
        StockLocation, null=True, blank=True, on_delete=models.CASCADE, related_name="supply_terms"
    )
    supplier = models.CharField(max_length=200, blank=True, default="", help_text="As expected receipts name it")
    lead_time_days = models.PositiveIntegerField(
        default=14, validators=[MinValueValidator(1), MaxValueValidator(365)], help_text="From the order to the shelf"
    )
    review_days = models.PositiveIntegerField(
        default=7, validators=[MinValueValidator(1), MaxValueValidator(90)], help_text="Days between two looks at it"
    )
    order_days = models.PositiveIntegerField(
        default=28, validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="How many days of demand one order brings",
    )  # fmt: skip
    service_level = models.DecimalField(
        max_digits=5, decimal_places=4, default=Decimal("0.95"),
        validators=[MinValueValidator(Decimal("0.5")), MaxValueValidator(Decimal("0.999"))],
        help_text="Probability that nothing runs out before the next delivery",
    )  # fmt: skip

    class Meta:
        db_table = "supply_terms"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["location", "supplier"], name="supply_terms_once", nulls_distinct=False),
            models.CheckConstraint(
                condition=Q(service_level__gte=Decimal("0.5"), service_level__lte=Decimal("0.999")),
                name="supply_terms_service_level",
            ),
        ]

    def __str__(self) -> str:
        named = " ".join(filter(None, [self.supplier, self.location.name if self.location else ""]))
        return f"{named or 'all goods'}: {self.lead_time_days} days"


class DemandForecast(models.Model):
    """What is expected to be asked for of one variant at one place, in units a day, and how sure that is."""

    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="forecasts", db_index=False)
    location = models.ForeignKey(StockLocation, on_delete=models.CASCADE, related_name="forecasts")
    last_day = models.DateField(help_text="The last day that was looked at")
    rate = models.FloatField(help_text="Units a day")
    slope = models.FloatField(default=0)
    week_sd = models.FloatField(help_text="Standard deviation of a week's demand around its forecast")
    growth = models.FloatField(help_text="How that grows: week_sd x weeks ^ growth")
    profile: models.JSONField[Any, Any] = models.JSONField(help_text="Factors of the weekdays, Monday first")
    method = models.CharField(max_length=20)
    mase = models.FloatField(null=True, help_text="Error over that of the naive forecast")
    known_days = models.PositiveIntegerField()
    silent_days = models.PositiveIntegerField(help_text="Days without stock, which say nothing of demand")
    computed_at = models.DateTimeField()

    class Meta:
        db_table = "demand_forecasts"
        constraints: ClassVar = [models.UniqueConstraint(fields=["variant", "location"], name="demand_forecasts_one")]

    def __str__(self) -> str:
        return f"{self.rate:.2f} a day of {self.variant_id} at {self.location_id}"


class StockAdvice(models.Model):
    """One piece of advice about stock, with its reason in words and the numbers behind it.

    `location` is where it is about (of a transfer: where to), `source` where a transfer comes from, `sales_channel`
    whose ring fence it is about. `worth` is what the units would sell for, or of dead stock what they cost.
    """

    class Kind(models.TextChoices):
        REORDER = "reorder", "Order"
        TRANSFER = "transfer", "Transfer"
        RELEASE_FENCE = "release_fence", "Open a ring fence"
        RAISE_FENCE = "raise_fence", "Fill a ring fence"
        DEAD_STOCK = "dead_stock", "Dead stock"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ACCEPTED = "accepted", "Accepted"
        DISMISSED = "dismissed", "Dismissed"
        GONE = "gone", "Not so any more"

    kind = models.CharField(max_length=13, choices=Kind)
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="advice")
    location = models.ForeignKey(
        StockLocation, null=True, on_delete=models.CASCADE, related_name="advice", db_index=False
    )
    source = models.ForeignKey(StockLocation, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    sales_channel = models.ForeignKey(
        SalesChannel, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    quantity = models.PositiveIntegerField(help_text="Units")
    worth = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    rank = models.FloatField(default=0, help_text="What matters more stands first; worth, whatever the currency")
    reason = models.CharField(max_length=1000)
    numbers: models.JSONField[Any, Any] = models.JSONField(default=dict)
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    computed_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=100, blank=True, default="")
    muted_until = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=60, blank=True, default="", help_text="transfer:12, receipt:7, fence:3")

    class Meta:
        db_table = "stock_advice"
        verbose_name_plural = "stock advice"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "variant", "location", "source", "sales_channel"], name="stock_advice_one_open",
                condition=Q(state="open"), nulls_distinct=False,
            )
        ]  # fmt: skip
        indexes: ClassVar = [
            models.Index(fields=["kind", "-rank", "-id"], name="stock_advice_kind", condition=Q(state="open")),
            models.Index(fields=["-rank", "-id"], name="stock_advice_open", condition=Q(state="open")),
            models.Index(fields=["muted_until"], name="stock_advice_muted", condition=Q(state="dismissed")),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.quantity} of {self.variant_id}"
