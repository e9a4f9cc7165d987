"""Own words of mails, tickets that were opened, wished goods that were out, and customers who may be one person."""

from __future__ import annotations

from django.contrib import admin

from finalmarket.console.admin.records import ReadOnlyAdmin, RecordAdmin, pilled
from finalmarket.customers.models import MergeSuggestion
from finalmarket.integrations.models import MailText, Ticket, WishedStock


@admin.register(MailText)
class MailTextAdmin(RecordAdmin):
    """What mails of an account say in the merchant's own words; checked for names that nothing is filled in for."""

    list_display = ("integration", "purpose", "language", "template", "subject")
    list_select_related = ("integration",)
    list_filter = ("integration", "purpose")
    autocomplete_fields = ("integration",)
    ordering = ("integration", "purpose", "language")


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin):
    """Tickets about orders of ours; opened from the page of an order."""

    list_display = ("id", "integration", "external_id", "order", "priority", "actor", "created_at")
    list_select_related = ("integration", "order")
    list_filter = ("integration",)
    fields = ("integration", "order", "external_id", "key", "subject", "text", "priority", "actor", "created_at")
    search_fields = ("=external_id",)
    search_help_text = "The whole id there"
    ordering = ("-id",)


@admin.register(WishedStock)
class WishedStockAdmin(ReadOnlyAdmin):
    """Whether wished goods can be bought, as it was looked at."""

    list_display = ("variant", "sales_channel", "out_since", "back_at", "looked_at")
    list_select_related = ("variant", "sales_channel")
    ordering = ("-id",)


@admin.register(MergeSuggestion)
class MergeSuggestionAdmin(ReadOnlyAdmin):
    """Pairs of profiles that may be one person, and what a person decided."""

    list_display = ("id", "first", "second", "source", "state_in_words", "decided_by", "decided_at")
    list_select_related = ("first", "second")
    list_filter = ("state",)
    ordering = ("-id",)

    state_in_words = pilled("state")
