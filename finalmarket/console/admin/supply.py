"""On which terms goods come, which advice about orders reads; and what demand is expected, which it computes."""

from __future__ import annotations

from django.contrib import admin

from finalmarket.advice.models import DemandForecast, SupplyTerm
from finalmarket.console import finding
from finalmarket.console.admin.records import ReadOnlyAdmin, RecordAdmin


@admin.register(SupplyTerm)
class SupplyTermAdmin(RecordAdmin):
    """Lead times and service levels: for a supplier, a location, both, or (neither named) for all goods."""

    list_display = ("__str__", "supplier", "location", "lead_time_days", "review_days", "order_days", "service_level")
    list_select_related = ("location",)
    list_filter = ("location",)
    search_fields = ("supplier",)
    ordering = ("id",)


@admin.register(DemandForecast)
class DemandForecastAdmin(ReadOnlyAdmin):
    """What is expected to be asked for, computed every night."""

    list_display = ("variant", "location", "rate", "week_sd", "method", "mase", "known_days", "silent_days", "last_day")
    list_select_related = ("variant", "location")
    list_filter = ("location",)
    search_fields = ("variant__sku",)
    ordering = ("-id",)
    search_help_text = "SKU, barcode or product title"
    finds = finding.within("variant", finding.variants)
