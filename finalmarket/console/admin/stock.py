"""Stock. Balances, ledger and holds are written by `stock/ledger.py` alone; policies are changed through its verbs."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from finalmarket.console import finding
from finalmarket.console.admin.records import (
    KeptAdmin,
    ReadOnlyAdmin,
    ReadOnlyTable,
    RecordAdmin,
    pilled,
)
from finalmarket.kernel.errors import UserError, sentence
from finalmarket.stock.models import (
    ChannelInventory,
    ChannelSource,
    ExpectedReceipt,
    Reservation,
    ReservationLine,
    StockAlert,
    StockCount,
    StockCountLine,
    StockItem,
    StockLocation,
    StockMovement,
    StockPool,
    Transfer,
    TransferLine,
)
from finalmarket.stock.policies import set_policy


@admin.register(StockLocation)
class LocationAdmin(KeptAdmin):
    """Where stock lies. A location that is no longer used is switched off."""

    list_display = ("name", "code", "kind", "country", "city", "priority", "can_ship", "is_active")
    list_filter = ("kind", "is_active")
    search_fields = ("name", "code", "city")
    ordering = ("priority", "id")


@admin.register(ChannelSource)
class ChannelSourceAdmin(RecordAdmin):
    """Which locations a channel sells from, best first."""

    list_display = ("sales_channel", "location", "rank")
    list_select_related = ("sales_channel", "location")
    list_filter = ("sales_channel", "location")
    autocomplete_fields = ("sales_channel", "location")


class _OfVariant(ReadOnlyAdmin):
    list_select_related: ClassVar[tuple[str, ...]] = ("variant",)
    search_fields = ("variant__sku",)
    search_help_text = "SKU, barcode or product title"
    finds = finding.within("variant", finding.variants)
    ordering = ("-pk",)


@admin.register(StockPool)
class StockPoolAdmin(_OfVariant):
    """A variant over all locations."""

    list_display = ("variant", "on_hand", "reserved", "allocated", "safety", "fenced", "backordered")


@admin.register(StockItem)
class StockItemAdmin(_OfVariant):
    """A variant at one location."""

    list_display = ("variant", "location", "on_hand", "reserved", "allocated", "safety")
    list_select_related = ("variant", "location")
    list_filter = ("location",)


@admin.register(StockMovement)
class MovementAdmin(_OfVariant):
    """The ledger, newest first. The database refuses to change or delete any of it."""

    list_display = (
        "at",
        "kind",
        "variant",
        "location",
        "on_hand_delta",
        "reserved_delta",
        "allocated_delta",
        "sales_channel",
        "reference",
        "actor",
        "reason",
    )
    list_select_related = ("variant", "location", "sales_channel")


class HoldLineTable(ReadOnlyTable):
    """The lines of a hold. They have no key of their own and so no page of their own."""

    model = ReservationLine
    fields = ("position", "variant", "location", "quantity", "short", "is_backorder", "state", "expires_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReservationLine]:
        """Lines in order, with what they name."""
        return super().get_queryset(request).select_related("variant", "location").order_by("position")


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    """Soft holds and hard promises."""

    list_display = ("key", "sales_channel", "hold_state", "created_at", "expires_at")
    list_select_related = ("sales_channel",)
    search_fields = ("=key",)
    search_help_text = "The whole key"
    ordering = ("-id",)
    inlines = (HoldLineTable,)

    hold_state = pilled("state")


@admin.register(ChannelInventory)
class ChannelInventoryAdmin(KeptAdmin):
    """How much of the pool each channel may sell. Changes go through the stock room, which keeps the ring fences."""

    list_display = (
        "variant",
        "sales_channel",
        "uses_pool",
        "fence_left",
        "cap",
        "percent",
        "buffer",
        "used",
        "told_quantity",
    )
    list_select_related = ("variant", "sales_channel")
    list_filter = ("sales_channel",)
    search_fields = ("variant__sku",)
    search_help_text = "SKU, barcode or product title"
    finds = finding.within("variant", finding.variants)
    ordering = ("-id",)
    readonly_fields = (
        "variant",
        "sales_channel",
        "fence_left",
        "used",
        "told_quantity",
        "told_at",
        "echo_quantity",
        "echoed_at",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A row comes with its listing."""
        return False

    def save_model(self, request: HttpRequest, obj: ChannelInventory, form: ModelForm[Any], change: bool) -> None:
        """Hand what was changed to the verb that takes the locks and writes the ledger."""
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        if changed:
            set_policy(obj.variant_id, obj.sales_channel_id, actor=request.user.get_username(), **changed)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the form; when the stock room refuses a change, say why and change nothing."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except UserError as error:
            self.message_user(request, sentence(str(error)), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


@admin.register(ExpectedReceipt)
class ExpectedReceiptAdmin(_OfVariant):
    """What suppliers are to deliver, and when."""

    list_display = ("variant", "location", "quantity", "received_quantity", "expected_at", "paper_state", "supplier")
    list_select_related = ("variant", "location")

    paper_state = pilled("state")


class TransferLineTable(ReadOnlyTable):
    """What was sent, what has arrived, what is missing."""

    model = TransferLine


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    """Goods on their way between locations."""

    list_display = ("id", "source", "destination", "paper_state", "reference", "created_at", "shipped_at", "closed_at")
    list_select_related = ("source", "destination")
    list_filter = ("state",)
    search_fields = ("reference",)
    ordering = ("-id",)
    inlines = (TransferLineTable,)

    paper_state = pilled("state")


@admin.register(TransferLine)
class TransferLineAdmin(_OfVariant):
    """Lines of transfers."""

    list_display = ("transfer", "variant", "quantity", "received_quantity", "discrepancy")
    list_select_related = ("transfer__source", "transfer__destination", "variant")


class CountLineTable(ReadOnlyTable):
    """What was counted."""

    model = StockCountLine


@admin.register(StockCount)
class StockCountAdmin(ReadOnlyAdmin):
    """Stock takes, while selling goes on."""

    list_display = ("id", "location", "paper_state", "note", "started_at", "applied_at")
    list_select_related = ("location",)
    list_filter = ("state", "location")
    ordering = ("-id",)
    inlines = (CountLineTable,)

    paper_state = pilled("state")


@admin.register(StockCountLine)
class StockCountLineAdmin(_OfVariant):
    """Lines of stock takes."""

    list_display = ("count", "variant", "counted_quantity", "counted_at", "difference")
    list_select_related = ("count__location", "variant")


@admin.register(StockAlert)
class StockAlertAdmin(_OfVariant):
    """Low and missing stock. Alerts open and close by themselves; they are snoozed on the alerts page."""

    list_display = ("variant", "alert_level", "sales_channel", "location", "quantity", "threshold", "opened_at")
    list_select_related = ("variant", "sales_channel", "location")
    list_filter = ("level", "sales_channel")

    alert_level = pilled("level")
