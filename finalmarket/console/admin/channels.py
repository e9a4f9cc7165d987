"""Sales channels, listings and their prices, and what platforms have yet to be told."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest

from finalmarket.analytics.models import Merchant
from finalmarket.channels.configuration import BY_TYPE, EVERY_CHANNEL, NOTES
from finalmarket.channels.models import ChannelProduct, DueChange, ListingPrice, SalesChannel
from finalmarket.console import finding
from finalmarket.console.admin.records import KeptAdmin, ReadOnlyAdmin, RecordAdmin, RecordTable, pilled
from finalmarket.console.admin.telling import TellsPlatforms
from finalmarket.stock.models import ChannelSource

OF_ONE_TYPE = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in BY_TYPE.items())
MEANT_FOR_PEOPLE = ", ".join(sorted({name for names in NOTES.values() for name in names}))
WHAT_ACTS = (
    f"Settings of every channel: {', '.join(EVERY_CHANNEL)}; {OF_ONE_TYPE}. The guide says what each does. Notes for "
    f"people, which change nothing: {MEANT_FOR_PEOPLE}."
)


class SourceTable(RecordTable):
    """The locations that a channel sells from, best first."""

    model = ChannelSource
    autocomplete_fields = ("location",)


@admin.register(SalesChannel)
class SalesChannelAdmin(TellsPlatforms, KeptAdmin):
    """Places where the merchant sells. The configuration is checked against the type when it is saved."""

    due_listings = ("channels", "pk")
    due_fields = frozenset({"status", "currency"})
    list_display = ("name", "channel_type", "state", "is_paused", "currency", "time_zone")
    list_filter = ("channel_type", "status", "is_paused")
    search_fields = ("name", "slug")
    ordering = ("name",)
    inlines = (SourceTable,)
    readonly_fields = ("is_paused", "pause_reason")
    fieldsets = (
        (None, {"fields": ("name", "slug", "channel_type", "status")}),
        ("Money and place", {"fields": ("currency", "country", "time_zone")}),
        ("Configuration", {"fields": ("configuration",), "description": WHAT_ACTS}),
        (
            "Pause",
            {"fields": ("is_paused", "pause_reason"), "description": "Paused on the channel's page."},
        ),
    )

    state = pilled("status")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new channel begins with the merchant's currency and time zone."""
        known = Merchant.objects.filter(pk=1).values("currency", "time_zone").first()
        return {**(known or {}), **super().get_changeform_initial_data(request)}


class ListingPriceTable(RecordTable):
    """Prices of a listing in place of the variant's own."""

    model = ListingPrice


@admin.register(ChannelProduct)
class ListingAdmin(TellsPlatforms, RecordAdmin):
    """Listings: one variant as one channel shows and sells it."""

    due_listings = ("listings", "pk")
    list_display = ("variant", "sales_channel", "is_available", "sync", "publish_from", "publish_until")
    list_select_related = ("variant", "sales_channel")
    list_filter = ("sales_channel", "is_available", "sync_state")
    search_fields = ("variant__sku",)
    search_help_text = "SKU, barcode or product title"
    finds = finding.within("variant", finding.variants)
    ordering = ("-id",)
    autocomplete_fields = ("variant", "sales_channel")
    readonly_fields = ("sync_state", "sync_error", "synced_at")
    inlines = (ListingPriceTable,)
    fieldsets = (
        (None, {"fields": ("sales_channel", "variant", "is_available", "publish_from", "publish_until")}),
        ("Content of this channel", {"fields": ("title", "description", "attributes")}),
        ("Sync", {"fields": ("sync_state", "sync_error", "synced_at")}),
    )

    sync = pilled("sync_state")


@admin.register(ListingPrice)
class ListingPriceAdmin(TellsPlatforms, RecordAdmin):
    """Price overrides of listings."""

    due_listings = ("listings", "listing_id")
    list_display = ("listing", "currency", "amount")
    list_select_related = ("listing__variant", "listing__sales_channel")
    search_fields = ("listing__variant__sku",)
    search_help_text = "SKU, barcode or product title"
    finds = finding.within("listing__variant", finding.variants)
    autocomplete_fields = ("listing",)
    ordering = ("-id",)


class _Waiting(admin.SimpleListFilter):
    title = "due"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[DueChange]) -> list[tuple[str, str]]:
        return [("yes", "Still to be told")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DueChange]) -> QuerySet[DueChange]:
        if self.value() == "yes":
            return queryset.filter(version__gt=F("settled_version")).order_by("due_since")
        return queryset


@admin.register(DueChange)
class DueChangeAdmin(ReadOnlyAdmin):
    """What platforms have yet to be told."""

    list_display = ("listing", "what", "version", "settled_version", "due_since", "attempts", "last_error")
    list_select_related = ("listing__variant", "listing__sales_channel")
    list_filter = (_Waiting,)
    search_fields = ("listing__variant__sku",)
    search_help_text = "SKU, barcode or product title"
    finds = finding.within("listing__variant", finding.variants)
    ordering = ("-id",)
