"""What people at a counter, on the phone and in the mail room have under way. Worked on by the pages of the console."""

from __future__ import annotations

from django.contrib import admin

from finalmarket.console import finding
from finalmarket.console.admin.records import ReadOnlyAdmin, pilled
from finalmarket.orders.models import PhoneCall, Pickup


@admin.register(Pickup)
class PickupAdmin(ReadOnlyAdmin):
    """Orders that are collected at a store."""

    list_display = ("order", "location", "pickup_state", "created_at", "ready_at", "ended_at")
    list_select_related = ("order", "location")
    exclude = ("code",)
    search_fields = ("order__number",)
    search_help_text = "Order number, external id, e-mail address or SKU"
    finds = finding.within("order", finding.orders)
    ordering = ("-id",)

    pickup_state = pilled("state")


@admin.register(PhoneCall)
class PhoneCallAdmin(ReadOnlyAdmin):
    """Calls, and the orders that came of them."""

    list_display = ("started_at", "agent", "direction", "customer", "order", "ended_at")
    list_select_related = ("customer", "order")
    list_filter = ("sales_channel",)
    search_fields = ("customer__name",)
    search_help_text = "Customer: name, e-mail address or phone number"
    finds = finding.within("customer", finding.customers)
    ordering = ("-id",)
