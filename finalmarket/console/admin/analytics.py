"""Daily figures: computed from the order book, never typed in. Exchange rates, and the merchant's currency."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from finalmarket.analytics.models import (
    AnalyticsChange,
    ChannelAnalytics,
    ExchangeRate,
    LakeChange,
    LakeState,
    Merchant,
)
from finalmarket.console.admin.records import KeptAdmin, ReadOnlyAdmin, RecordAdmin


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
        "merchant_revenue",
        "merchant_currency",
        "unique_customers",
        "conversion_rate",
        "return_rate",
    )
    list_select_related = ("sales_channel",)
    list_filter = ("sales_channel", "currency")
    ordering = ("-date", "sales_channel")


@admin.register(ExchangeRate)
class ExchangeRateAdmin(RecordAdmin):
    """What one unit of a currency is worth in another, from a day on. Figures follow a change within a second."""

    list_display = ("date", "base", "quote", "rate")
    list_filter = ("base", "quote")
    date_hierarchy = "date"
    ordering = ("-date", "base", "quote")


@admin.register(Merchant)
class MerchantAdmin(KeptAdmin):
    """The currency in which the merchant counts."""

    list_display = ("currency",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """There is one merchant."""
        return super().has_add_permission(request) and not Merchant.objects.exists()


@admin.register(AnalyticsChange)
class AnalyticsChangeAdmin(ReadOnlyAdmin):
    """What has changed, and waits to be told in the daily figures."""

    list_display = ("id", "kind", "sales_channel_id", "day", "at")
    list_filter = ("kind",)
    ordering = ("-id",)


@admin.register(LakeChange)
class LakeChangeAdmin(ReadOnlyAdmin):
    """Days that the lake has not seen since they changed."""

    list_display = ("stream", "day")
    list_filter = ("stream",)
    ordering = ("-id",)


@admin.register(LakeState)
class LakeStateAdmin(ReadOnlyAdmin):
    """How far the lake has come."""

    list_display = ("token",)
    ordering = ("id",)
