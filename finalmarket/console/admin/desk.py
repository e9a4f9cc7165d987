"""Labels that were bought and payments that were begun; both from the page of an order."""

from __future__ import annotations

from django.contrib import admin

from finalmarket.console.admin.records import ReadOnlyAdmin, pilled
from finalmarket.integrations.models import PaymentPage, ShippingLabel


@admin.register(ShippingLabel)
class ShippingLabelAdmin(ReadOnlyAdmin):
    """Labels for parcels, and where the parcels are."""

    list_display = ("id", "integration", "fulfilment", "carrier", "tracking_number", "state_in_words", "tracking_state")
    list_select_related = ("integration", "fulfilment__order")
    list_filter = ("integration", "state")
    search_fields = ("=tracking_number", "=label_id")
    search_help_text = "The whole tracking number, or the label's id there"
    ordering = ("-id",)

    state_in_words = pilled("state")


@admin.register(PaymentPage)
class PaymentPageAdmin(ReadOnlyAdmin):
    """Payments that buyers were asked to make. What leads to them is not shown here."""

    list_display = ("id", "integration", "order", "amount", "currency", "state_in_words", "created_at", "ended_at")
    list_select_related = ("integration", "order")
    list_filter = ("integration", "state")
    fields = (
        "integration", "order", "external_id", "amount", "currency", "state", "last_error", "created_at", "asked_at",
        "ended_at",
    )  # fmt: skip
    search_fields = ("=external_id",)
    search_help_text = "The whole id there"
    ordering = ("-id",)

    state_in_words = pilled("state")
