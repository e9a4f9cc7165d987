"""Figures per channel and day."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models

from finalmarket.analytics.lake.models import LakeChange, LakeState
from finalmarket.analytics.metrics import AnalyticsManager
from finalmarket.catalog.models import CURRENCY_CODE
from finalmarket.channels.models import SalesChannel

__all__ = ["ChannelAnalytics", "LakeChange", "LakeState"]


class ChannelAnalytics(models.Model):
    """One channel's figures of one day in its own time zone, computed from the order book and never typed in.

    Revenue is goods after discount, without tax and shipping, by the day of the order. Rates are null without a base.
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
    sessions = models.PositiveIntegerField(default=0)
    ordering_sessions = models.PositiveIntegerField(default=0)
    conversion_rate = models.DecimalField(max_digits=7, decimal_places=6, null=True)
    units_sold = models.PositiveIntegerField(default=0)
    units_returned = models.PositiveIntegerField(default=0)
    return_rate = models.DecimalField(max_digits=7, decimal_places=6, null=True)
    customer_count = models.PositiveIntegerField(default=0, help_text="Buyers to date")

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
