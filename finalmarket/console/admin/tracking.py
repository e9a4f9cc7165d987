"""What the tracking API knows of channels: written by its verbs, on the channel's tracking page."""

from __future__ import annotations

from django.contrib import admin

from finalmarket.console.admin.records import ReadOnlyAdmin
from finalmarket.journeys.models import EventName, SetAsideEvent, WriteKey


@admin.register(WriteKey)
class WriteKeyAdmin(ReadOnlyAdmin):
    """By what clients name channels."""

    list_display = ("key", "sales_channel", "space", "created_at", "created_by", "ends_at")
    list_select_related = ("sales_channel",)
    list_filter = ("sales_channel",)
    ordering = ("-id",)


@admin.register(EventName)
class EventNameAdmin(ReadOnlyAdmin):
    """Names of events that are none of the sixteen, and what they become."""

    list_display = ("name", "sales_channel", "becomes", "count", "last_seen_at")
    list_select_related = ("sales_channel",)
    list_filter = ("sales_channel", "becomes")
    ordering = ("-id",)


@admin.register(SetAsideEvent)
class SetAsideEventAdmin(ReadOnlyAdmin):
    """Events that could not be taken, and why."""

    list_display = ("received_at", "sales_channel", "dialect", "reason", "message_id")
    list_select_related = ("sales_channel",)
    list_filter = ("sales_channel", "dialect")
    ordering = ("-id",)
