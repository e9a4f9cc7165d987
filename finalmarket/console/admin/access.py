"""Keys of programs, and what they did: written by verbs, on the page of the keys."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from finalmarket.access.models import ApiKey, AuditEntry, IdempotentCall
from finalmarket.console.admin.records import ReadOnlyAdmin


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys of programs."""

    list_display = ("name", "prefix", "scopes", "created_at", "created_by", "expires_at", "ends_at", "last_used_at")
    exclude: ClassVar = ["digest"]
    ordering = ("-id",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """What programs did."""

    list_display = ("at", "key", "operation", "subject", "status")
    list_select_related = ("key",)
    ordering = ("-id",)


@admin.register(IdempotentCall)
class IdempotentCallAdmin(ReadOnlyAdmin):
    """What programs were answered in the last two days."""

    list_display = ("created_at", "token", "status")
    ordering = ("-id",)
