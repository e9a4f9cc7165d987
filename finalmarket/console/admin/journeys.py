"""Interactions, journeys and their touchpoints: recorded, never typed in."""

from __future__ import annotations

from django.contrib import admin

from finalmarket.console import finding
from finalmarket.console.admin.records import ReadOnlyAdmin, ReadOnlyTable, pilled
from finalmarket.journeys.models import (
    ChannelInteraction,
    CrossChannelJourney,
    JourneyChange,
    JourneyMark,
    JourneyTouchpoint,
)


class TouchpointTable(ReadOnlyTable):
    """The steps of a journey in order."""

    model = JourneyTouchpoint
    fields = ("occurred_at", "sales_channel", "action", "data")
    of_people = ("data",)
    ordering = ("occurred_at", "id")


class _OfCustomer(ReadOnlyAdmin):
    search_fields = ("customer__name",)
    search_help_text = "Customer: name, e-mail address or phone number"
    finds = finding.of_persons("customer")


@admin.register(CrossChannelJourney)
class JourneyAdmin(_OfCustomer):
    """What one customer wanted, from the first touch to its outcome."""

    list_display = (
        "id", "customer", "intent", "reason", "journey_state", "outcome", "step", "start_channel", "started_at",
    )  # fmt: skip
    list_select_related = ("customer", "start_channel")
    list_filter = ("state", "intent")
    ordering = ("-id",)
    inlines = (TouchpointTable,)

    journey_state = pilled("state")


@admin.register(ChannelInteraction)
class InteractionAdmin(_OfCustomer):
    """What customers did on channels."""

    list_display = ("id", "interaction_type", "customer", "sales_channel", "value_score", "occurred_at")
    of_people = ("context",)  # where they were, and what a mail to them was about
    list_select_related = ("customer", "sales_channel")
    list_filter = ("sales_channel",)
    ordering = ("-id",)


@admin.register(JourneyTouchpoint)
class TouchpointAdmin(ReadOnlyAdmin):
    """Steps of journeys."""

    list_display = ("id", "journey", "sales_channel", "action", "occurred_at")
    of_people = ("data",)  # what they looked for or wrote, as the context of an interaction is
    list_select_related = ("journey", "sales_channel")
    search_fields = ("journey__customer__name",)
    search_help_text = "Customer: name, e-mail address or phone number"
    finds = finding.of_persons("journey__customer")
    ordering = ("-id",)


@admin.register(JourneyMark)
class MarkAdmin(_OfCustomer):
    """Whose journeys are about to be told anew."""

    list_display = ("customer", "since", "version")
    list_select_related = ("customer",)
    ordering = ("customer_id",)


@admin.register(JourneyChange)
class ChangeAdmin(ReadOnlyAdmin):
    """Orders, returns and merges that no mark was made of yet."""

    list_display = ("id", "customer_id", "since")
    ordering = ("-id",)
