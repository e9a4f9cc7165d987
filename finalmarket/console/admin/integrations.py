"""Accounts on outside platforms, and the records of what went through them. Secrets are never shown."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from finalmarket.console.admin.records import KeptAdmin, ReadOnlyAdmin, ReadOnlyTable, RecordAdmin, RecordTable, pilled
from finalmarket.console.people import may_see_people
from finalmarket.integrations.models import (
    ChannelIntegration,
    Credential,
    DeadLetter,
    DriftFinding,
    DueNotice,
    ExternalId,
    IntegrationHealth,
    ListingLink,
    NameElsewhere,
    OutgoingDelivery,
    OutgoingEvent,
    PlaceMapping,
    PushRecord,
    RateBudget,
    StreamCursor,
    SyncRun,
    UnlinkedListing,
    WebhookDelivery,
    WebhookEndpoint,
)

WHERE_SECRETS_GO = ("platform_name", "integration_type", "base_url")


class CredentialTable(ReadOnlyTable):
    """Which secrets are kept; what they say is never shown."""

    model = Credential
    fields = ("name", "updated_at")
    readonly_fields = ("updated_at",)
    ordering = ("name",)


class PlaceTable(RecordTable):
    """Which channel and which shelf a place of the platform is."""

    model = PlaceMapping
    fields = ("place", "sales_channel", "stock_location", "is_master")
    ordering = ("place",)
    autocomplete_fields = ("sales_channel", "stock_location")


class CursorTable(ReadOnlyTable):
    """How far each stream was pulled."""

    model = StreamCursor
    fields = ("stream", "since", "pulled_at")
    ordering = ("stream",)


@admin.register(ChannelIntegration)
class IntegrationAdmin(KeptAdmin):
    """Accounts on outside platforms. The status is what connecting and syncing found."""

    list_display = ("platform_name", "account_label", "integration_type", "state", "sales_channel", "updated_at")
    list_select_related = ("sales_channel",)
    list_filter = ("integration_type", "status")
    search_fields = ("platform_name", "account_label")
    autocomplete_fields = ("sales_channel",)
    fields = (
        "platform_name", "integration_type", "account_label", "sales_channel", "base_url", "status", "status_reason",
        "account_name", "settings", "push_from", "connected_at", "subscribed_at",
    )  # fmt: skip
    readonly_fields = ("status", "status_reason", "account_name", "settings", "connected_at", "subscribed_at")
    inlines = (CredentialTable, PlaceTable, CursorTable)

    state = pilled("status")

    def get_readonly_fields(self, request: HttpRequest, obj: ChannelIntegration | None = None) -> Any:
        """Where secrets are kept, also where they go: another place takes connecting anew, which asks for them."""
        fixed = super().get_readonly_fields(request, obj)
        return (*fixed, *WHERE_SECRETS_GO) if obj is not None and obj.credentials.exists() else fixed


class _OfIntegration(ReadOnlyAdmin):
    list_select_related = ["integration"]
    list_filter = ["integration"]
    ordering = ("-id",)


@admin.register(Credential)
class CredentialAdmin(_OfIntegration):
    """Names of secrets; the secrets themselves stay encrypted. A secret that is no longer wanted can be deleted."""

    list_display = ("name", "integration", "updated_at")
    fields = ("integration", "name", "updated_at")
    readonly_fields = ("updated_at",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may delete credentials."""
        return bool(request.user.has_perm("integrations.delete_credential"))


@admin.register(IntegrationHealth)
class HealthAdmin(_OfIntegration):
    """How accounts are doing: the last good and the last bad, and webhooks that were refused."""

    list_display = ("integration", "failures_in_row", "last_failure", "breaker_open_until", "refused_webhook_count")
    ordering = ("integration",)


@admin.register(RateBudget)
class BudgetAdmin(_OfIntegration):
    """The calls that accounts have left."""

    list_display = ("integration", "bucket", "tokens", "capacity", "per_second", "refilled_at")


@admin.register(StreamCursor)
class CursorAdmin(_OfIntegration):
    """How far each stream of each account was pulled."""

    list_display = ("integration", "stream", "since", "pulled_at")
    list_filter = ["integration", "stream"]


@admin.register(PlaceMapping)
class PlaceAdmin(RecordAdmin):
    """Which channel a place of a platform sells on, and which of our shelves one of its locations is."""

    list_display = ("place", "integration", "sales_channel", "stock_location", "is_master")
    list_select_related = ("integration", "sales_channel", "stock_location")
    list_filter = ("integration",)
    autocomplete_fields = ("integration", "sales_channel", "stock_location")
    search_fields = ("=place",)
    search_help_text = "The whole place"
    ordering = ("integration", "place")


@admin.register(ExternalId)
class ExternalIdAdmin(_OfIntegration):
    """What platforms call our records."""

    list_display = ("external_id", "kind", "local_id", "integration")
    search_fields = ("=external_id",)
    search_help_text = "The whole external id"


@admin.register(ListingLink)
class LinkAdmin(_OfIntegration):
    """Which listing there is which of ours, what it was told and what it shows."""

    list_display = ("external_key", "listing", "integration", "told_quantity", "shown_quantity", "is_doubtful")
    list_select_related = ["integration", "listing__variant", "listing__sales_channel"]
    search_fields = ("=external_key", "=external_sku")
    search_help_text = "The whole key or SKU there"


@admin.register(UnlinkedListing)
class UnlinkedAdmin(_OfIntegration):
    """Listings that stand on a platform and are none of ours yet, with our best guess."""

    list_display = ("title", "external_sku", "barcode", "integration", "state", "suggested_variant", "score")
    list_select_related = ["integration", "suggested_variant"]
    list_filter = ["integration", "state"]
    search_fields = ("=external_key", "=external_sku")
    search_help_text = "The whole key or SKU there"


@admin.register(SyncRun)
class SyncRunAdmin(_OfIntegration):
    """Runs of streams: when, how much, how they ended."""

    list_display = ("id", "integration", "stream", "started_at", "ended_at", "outcome", "seen_count", "failed_count")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(_OfIntegration):
    """Webhooks as they came in; what they say of persons is not shown."""

    list_display = ("event_id", "integration", "topic", "received_at", "handled_at", "attempts", "outcome")
    fields = ("integration", "event_id", "topic", "received_at", "handled_at", "attempts", "next_try_at", "outcome")


@admin.register(DeadLetter)
class DeadLetterAdmin(_OfIntegration):
    """Records that could not be taken or sent, and why."""

    list_display = ("id", "integration", "stream", "external_id", "reason", "attempts", "at", "settled_at")
    of_people = ("external_id", "reason", "payload")  # words of the platform, and a record as it gave it

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> DeadLetter | None:
        """The letter, which goes by its reason; for those who may not see people by its number."""
        found: DeadLetter | None = super().get_object(request, object_id, from_field)
        if found is not None and not may_see_people(request.user):
            found.reason = f"Letter {found.pk}"
        return found


@admin.register(DueNotice)
class NoticeAdmin(_OfIntegration):
    """Events that a platform has yet to hear of, or heard of."""

    list_display = ("id", "integration", "kind", "local_id", "state", "attempts", "next_try_at", "last_error")
    list_filter = ["integration", "kind", "state"]


@admin.register(PushRecord)
class PushRecordAdmin(_OfIntegration):
    """What every listing was told, and what became of it."""

    list_display = ("id", "integration", "listing", "what", "value", "sent_at", "outcome", "reason")
    list_select_related = ["integration", "listing__variant", "listing__sales_channel"]


@admin.register(DriftFinding)
class DriftAdmin(_OfIntegration):
    """Where a platform showed something else than it was told."""

    list_display = ("id", "integration", "listing", "location", "told", "shown", "should", "at")
    list_select_related = ["integration", "listing__variant", "listing__sales_channel"]


@admin.register(WebhookEndpoint)
class EndpointAdmin(ReadOnlyAdmin):
    """Who hears of our events; added and changed on the console's page, where the secret is shown once."""

    list_display = ("url", "is_active", "disabled_reason", "failing_since", "created_at")
    fields = ("url", "description", "topics", "is_active", "failing_since", "disabled_reason", "created_at")


@admin.register(OutgoingEvent)
class OutgoingEventAdmin(ReadOnlyAdmin):
    """Events of our own."""

    list_display = ("id", "topic", "subject_id", "at", "prepared_at")
    fields = ("topic", "subject_id", "at", "prepared_at")
    ordering = ("-id",)


@admin.register(OutgoingDelivery)
class OutgoingDeliveryAdmin(ReadOnlyAdmin):
    """Tellings of events to endpoints."""

    list_display = ("id", "endpoint", "event", "state", "attempts", "next_try_at", "last_status", "last_error")
    list_select_related = ["endpoint", "event"]
    list_filter = ["state"]
    ordering = ("-id",)


@admin.register(NameElsewhere)
class NameElsewhereAdmin(ReadOnlyAdmin):
    """That an account has yet to erase somebody; whom, stays encrypted."""

    list_display = ("id", "integration", "noted_at")
    list_select_related = ("integration",)
    fields = ("integration", "noted_at")
    ordering = ("-id",)
