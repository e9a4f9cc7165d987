"""What platforms that keep books were told, what they count, and which of their items is which variant."""

from __future__ import annotations

from django.contrib import admin

from finalmarket.console.admin.records import ReadOnlyAdmin, RecordAdmin, pilled
from finalmarket.integrations.models import DueEvent, DueRecord, ItemLink, MasterCount, OutsideFigure


@admin.register(DueRecord)
class DueRecordAdmin(ReadOnlyAdmin):
    """Orders and customers that platforms keep, and whether they know how these stand."""

    list_display = ("id", "integration", "what", "local_id", "external_id", "told_at", "attempts", "last_error")
    list_select_related = ("integration",)
    list_filter = ("integration", "what")
    search_fields = ("=external_id",)
    search_help_text = "The whole id there"
    ordering = ("-id",)


@admin.register(DueEvent)
class DueEventAdmin(ReadOnlyAdmin):
    """Events and movements, and whether platforms were told of them."""

    list_display = ("id", "integration", "kind", "local_id", "state_in_words", "attempts", "sent_at", "last_error")
    list_select_related = ("integration",)
    list_filter = ("integration", "kind", "state")
    ordering = ("-id",)

    state_in_words = pilled("state")


@admin.register(ItemLink)
class ItemLinkAdmin(RecordAdmin):
    """Which item of a platform that sells nothing is which variant of ours."""

    list_display = ("external_key", "integration", "variant", "external_sku", "linked_by", "linked_at")
    list_select_related = ("integration", "variant")
    list_filter = ("integration",)
    search_fields = ("=external_key", "=external_sku")
    search_help_text = "The whole key or SKU there"
    autocomplete_fields = ("integration", "variant")
    ordering = ("-id",)


@admin.register(MasterCount)
class MasterCountAdmin(ReadOnlyAdmin):
    """The last number that the master of a location told of a variant."""

    list_display = ("variant", "location", "integration", "quantity", "counted_at", "taken_at")
    list_select_related = ("variant", "location", "integration")
    list_filter = ("integration", "location")
    ordering = ("-id",)


@admin.register(OutsideFigure)
class OutsideFigureAdmin(ReadOnlyAdmin):
    """What analytics platforms counted, day by day."""

    list_display = (
        "day", "integration", "source", "sessions", "users", "purchases", "revenue", "currency", "pulled_at",
    )  # fmt: skip
    list_select_related = ("integration",)
    list_filter = ("integration",)
    date_hierarchy = "day"
    ordering = ("-day", "source")
