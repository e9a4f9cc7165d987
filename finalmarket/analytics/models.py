"""Figures per channel and day, the rates that turn them into the merchant's currency, and what is to be told anew."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from finalmarket.analytics.lake.models import LakeChange, LakeState
from finalmarket.analytics.metrics import AnalyticsManager
from finalmarket.analytics.segments_models import CustomerValue, Segment, SegmentChange, SegmentMember, ValueModel
from finalmarket.catalog.models import CURRENCY_CODE
from finalmarket.channels.configuration import validate_time_zone
from finalmarket.channels.models import SalesChannel

__all__ = [
    "AnalyticsChange", "ChannelAnalytics", "CustomerValue", "ExchangeRate", "LakeChange", "LakeState", "Merchant",
    "Segment", "SegmentChange", "SegmentMember", "ValueModel",
]  # fmt: skip


def _amount(**options: Any) -> models.DecimalField[Any, Any]:
    return models.DecimalField(max_digits=20, decimal_places=4, **options)


class ChannelAnalytics(models.Model):
    """One channel's figures of one day in its own time zone, computed from the order book and never typed in.

    A row for each currency in which orders were placed, the channel's own always among them. Revenue is goods after
    discount, without tax and shipping, by the day of the order. Rates are null without a base. Amounts in the
    merchant's currency are converted by the rate of the day; null where there were orders and no rate is known.
    """

    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.CASCADE, related_name="analytics")
    date = models.DateField()
    currency = models.CharField(max_length=3, validators=[CURRENCY_CODE])
    orders_count = models.PositiveIntegerField(default=0)
    revenue = models.DecimalField(max_digits=16, decimal_places=4, default=Decimal(0))
    refunds = models.DecimalField(max_digits=16, decimal_places=4, default=Decimal(0))
    net_revenue = models.DecimalField(max_digits=16, decimal_places=4, default=Decimal(0))
    average_order_value = models.DecimalField(max_digits=16, decimal_places=4, null=True)
    unique_customers = models.PositiveIntegerField(default=0)
    new_customers = models.PositiveIntegerField(default=0)
    returning_customers = models.PositiveIntegerField(default=0)
    arrived_customers = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Persons whose first order on this channel this day holds"
    )
    sessions = models.PositiveIntegerField(default=0)
    ordering_sessions = models.PositiveIntegerField(default=0)
    conversion_rate = models.DecimalField(max_digits=7, decimal_places=6, null=True)
    units_sold = models.PositiveIntegerField(default=0)
    units_returned = models.PositiveIntegerField(default=0)
    return_rate = models.DecimalField(max_digits=7, decimal_places=6, null=True)
    customer_count = models.PositiveIntegerField(default=0, help_text="Buyers to date")
    channel_rate = models.DecimalField(
        max_digits=24, decimal_places=12, null=True, help_text="One unit of the currency in that of the channel"
    )
    merchant_currency = models.CharField(max_length=3, blank=True, default="", db_default="")
    merchant_rate = models.DecimalField(
        max_digits=24, decimal_places=12, null=True, help_text="One unit of the currency in that of the merchant"
    )
    merchant_revenue = _amount(null=True)
    merchant_refunds = _amount(null=True)
    merchant_net_revenue = _amount(null=True)
    merchant_average_order_value = _amount(null=True)

    objects: ClassVar[AnalyticsManager] = AnalyticsManager()

    class Meta:
        db_table = "channel_analytics"
        verbose_name_plural = "channel analytics"
        ordering: ClassVar = ["-date", "sales_channel"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sales_channel", "date", "currency"], name="channel_analytics_one_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.sales_channel} on {self.date}"


class ExchangeRate(models.Model):
    """What one unit of `base` is worth in `quote`, from a day on until the next rate of the two."""

    base = models.CharField(max_length=3, validators=[CURRENCY_CODE])
    quote = models.CharField(max_length=3, validators=[CURRENCY_CODE])
    date = models.DateField()
    rate = models.DecimalField(max_digits=20, decimal_places=10, help_text="Units of the quote for one of the base")

    class Meta:
        db_table = "exchange_rates"
        ordering: ClassVar = ["-date", "base", "quote"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["base", "quote", "date"], name="exchange_rates_one_a_day"),
            models.CheckConstraint(condition=Q(rate__gt=0) & ~Q(base=F("quote")), name="exchange_rates_possible"),
        ]

    def __str__(self) -> str:
        return f"1 {self.base} = {self.rate.normalize():f} {self.quote} from {self.date}"


class Merchant(models.Model):
    """What is said of the merchant: one row. Without it, the currency of the first channel is the merchant's.

    New channels begin with its currency and time zone; days that are of no channel are days of this time zone.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(max_length=100, blank=True, default="", help_text="As customers know it")
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    currency = models.CharField(
        max_length=3, validators=[CURRENCY_CODE], help_text="Figures of all channels are told in it, besides their own"
    )

    class Meta:
        db_table = "merchant"
        verbose_name_plural = "merchant"
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="merchant_one")]

    def __str__(self) -> str:
        return f"The merchant counts in {self.currency}"


class AnalyticsChange(models.Model):
    """A change on which daily figures depend, noted by triggers within its own transaction (see changes.sql).

    Rows are only added there, so that no order waits for another one of the same day. A worker takes them in the
    transaction that tells the figures anew (analytics/incremental.py): what is killed in between stays to be done.
    `at` is when an order was placed, `noted_at` since when the figures lack the change.
    """

    class Kind(models.TextChoices):
        DAY = "day", "A day of a channel"
        ORDER = "order", "An order of a person"
        PERSON = "person", "Who is one person"
        RATES = "rates", "Rates from a day on"
        EVERYTHING = "everything", "All days of a channel"

    kind = models.CharField(max_length=10, choices=Kind)
    sales_channel_id = models.BigIntegerField(null=True)
    day = models.DateField(null=True)
    customer_id = models.BigIntegerField(null=True)
    order_id = models.BigIntegerField(null=True)
    at = models.DateTimeField(null=True)
    noted_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "analytics_changes"

    def __str__(self) -> str:
        return f"{self.kind} of channel {self.sales_channel_id} on {self.day}"
