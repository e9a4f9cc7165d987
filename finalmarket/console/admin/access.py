"""Keys of programs, and what they did: written by verbs, on the page of the keys."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from finalmarket.access.models import ApiKey, AuditEntry, IdempotentCall, StaffBinding, Work
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


@admin.register(StaffBinding)
class StaffBindingAdmin(ReadOnlyAdmin):
    """Where people of the staff work: said under Settings, Users."""

    list_display = ("user", "location_ids")
    list_select_related = ("user",)
    ordering = ("user",)


@admin.register(Work)
class WorkAdmin(ReadOnlyAdmin):
    """Files brought in and out: begun on the page of files."""

    list_display = ("id", "kind", "subject", "file_name", "state", "rows_done", "asked_by", "asked_at", "ended_at")
    exclude: ClassVar = ["given", "made", "found"]
    ordering = ("-id",)
