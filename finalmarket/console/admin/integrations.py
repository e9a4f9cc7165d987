"""Accounts on outside platforms, and the records of what went through them."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from finalmarket.console.admin.records import KeptAdmin, ReadOnlyAdmin, ReadOnlyTable, pilled
from finalmarket.integrations.models import (
    ChannelIntegration,
    Credential,
    DeadLetter,
    ExternalId,
    SyncRun,
    WebhookDelivery,
)


class CredentialTable(ReadOnlyTable):
    """Which secrets are kept; what they say is never shown."""

    model = Credential
    fields = ("name", "updated_at")
    readonly_fields = ("updated_at",)


@admin.register(ChannelIntegration)
class IntegrationAdmin(KeptAdmin):
    """Accounts on outside platforms. The status is what connecting and syncing found."""

    list_display = ("platform_name", "account_label", "integration_type", "state", "sales_channel", "updated_at")
    list_select_related = ("sales_channel",)
    list_filter = ("integration_type", "status")
    search_fields = ("platform_name", "account_label")
    autocomplete_fields = ("sales_channel",)
    readonly_fields = ("status",)
    inlines = (CredentialTable,)

    state = pilled("status")


class _OfIntegration(ReadOnlyAdmin):
    list_select_related = ("integration",)
    list_filter = ("integration",)
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


@admin.register(ExternalId)
class ExternalIdAdmin(_OfIntegration):
    """What platforms call our records."""

    list_display = ("external_id", "kind", "local_id", "integration")
    search_fields = ("=external_id",)
    search_help_text = "The whole external id"


@admin.register(SyncRun)
class SyncRunAdmin(_OfIntegration):
    """Runs of streams: when, how much, how they ended."""

    list_display = ("id", "integration", "stream", "started_at", "ended_at", "outcome", "seen_count", "failed_count")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(_OfIntegration):
    """Webhooks as they came in."""

    list_display = ("event_id", "integration", "topic", "received_at", "handled_at")
    fields = ("integration", "event_id", "topic", "received_at", "handled_at")


@admin.register(DeadLetter)
class DeadLetterAdmin(_OfIntegration):
    """Records that could not be taken or sent, and why."""

    list_display = ("id", "integration", "stream", "reason", "at", "settled_at")
