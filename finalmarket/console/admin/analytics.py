"""Daily figures: computed from the order book, never typed in."""

from __future__ import annotations

from django.contrib import admin

from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.console.admin.records import ReadOnlyAdmin


@admin.register(ChannelAnalytics)
class ChannelAnalyticsAdmin(ReadOnlyAdmin):
    """One channel's figures of one day."""

    list_display = (
        "date",
        "sales_channel",
        "currency",
        "orders_count",
        "revenue",
        "net_revenue",
        "unique_customers",
        "conversion_rate",
        "return_rate",
    )
    list_select_related = ("sales_channel",)
    list_filter = ("sales_channel", "currency")
    ordering = ("-date", "sales_channel")
