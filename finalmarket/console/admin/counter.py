"""What people at a counter, on the phone and in the mail room have under way. Worked on by the pages of the console."""

from __future__ import annotations

from django.contrib import admin

from finalmarket.console import finding
from finalmarket.console.admin.records import ReadOnlyAdmin, ReadOnlyTable, pilled
from finalmarket.integrations.models import OwnLetter
from finalmarket.orders.models import MailDoor, OrderRequest, OrderRequestLine, PhoneCall, Pickup


@admin.register(Pickup)
class PickupAdmin(ReadOnlyAdmin):
    """Orders that are collected at a store."""

    list_display = ("order", "location", "pickup_state", "created_at", "ready_at", "ended_at")
    list_select_related = ("order", "location")
    exclude = ("code",)
    search_fields = ("order__number",)
    search_help_text = "Order number, external id, e-mail address or SKU"
    finds = finding.of_orders("order")
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
    finds = finding.of_persons("customer")
    ordering = ("-id",)


class RequestLineTable(ReadOnlyTable):
    """What was read in a mail."""

    model = OrderRequestLine


@admin.register(OrderRequest)
class OrderRequestAdmin(ReadOnlyAdmin):
    """Mails that ask for goods."""

    list_display = ("subject", "sales_channel", "request_state", "order", "sent_at", "decided_by")
    list_select_related = ("sales_channel", "order")
    list_filter = ("sales_channel", "state")
    search_fields = ("=email",)
    search_help_text = "Whole e-mail address of the sender"
    ordering = ("-id",)
    inlines = (RequestLineTable,)

    request_state = pilled("state")


@admin.register(OrderRequestLine)
class OrderRequestLineAdmin(ReadOnlyAdmin):
    """Lines of mails that ask for goods."""

    list_display = ("request", "position", "named", "quantity", "variant", "certainty")
    list_select_related = ("request", "variant")
    search_fields = ("variant__sku",)
    search_help_text = "SKU, barcode or product title"
    finds = finding.within("variant", finding.variants)
    ordering = ("-id",)


@admin.register(MailDoor)
class MailDoorAdmin(ReadOnlyAdmin):
    """Where mail comes in; the secret in its address is not kept."""

    list_display = ("sales_channel", "made_by", "made_at", "used_at")
    list_select_related = ("sales_channel",)
    exclude = ("digest",)
    ordering = ("sales_channel",)


@admin.register(OwnLetter)
class OwnLetterAdmin(ReadOnlyAdmin):
    """Letters that a person has sent."""

    list_display = ("subject", "kind", "email", "sales_channel", "actor", "created_at")
    list_select_related = ("sales_channel",)
    list_filter = ("kind",)
    search_fields = ("=email",)
    search_help_text = "Whole e-mail address"
    ordering = ("-id",)
