"""What people are worth, and the segments they are in: computed, never typed in."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from finalmarket.analytics.models import CustomerValue, Segment, SegmentChange, SegmentMember, ValueModel
from finalmarket.console import finding
from finalmarket.console.admin.records import ReadOnlyAdmin

PERSON = "Person: name, e-mail address or phone number"


@admin.register(ValueModel)
class ValueModelAdmin(ReadOnlyAdmin):
    """What expectations were computed with."""

    list_display = ("id", "name", "persons", "currency", "horizon_days", "fitted_at", "refreshed_at")
    ordering = ("-id",)


class _OfPerson(ReadOnlyAdmin):
    list_select_related: ClassVar[tuple[str, ...]] = ("person",)
    search_fields = ("person__name",)
    search_help_text = PERSON
    finds = finding.of_persons("person")


@admin.register(CustomerValue)
class CustomerValueAdmin(_OfPerson):
    """What each person brought and is expected to bring."""

    list_display = (
        "person", "orders", "value", "expected_value", "lifetime_value", "currency", "alive", "last_order_on",
    )  # fmt: skip
    ordering = ("-person",)


@admin.register(Segment)
class SegmentAdmin(ReadOnlyAdmin):
    """Groups of persons; the page Segments makes and changes them."""

    list_display = ("name", "key", "rank", "created_by", "sorted_at")
    ordering = ("rank", "name")


@admin.register(SegmentMember)
class SegmentMemberAdmin(_OfPerson):
    """Who is in the segments that users made."""

    list_display = ("person", "segment", "since")
    list_select_related: ClassVar[tuple[str, ...]] = ("person", "segment")
    list_filter = ("segment",)
    ordering = ("-id",)


@admin.register(SegmentChange)
class SegmentChangeAdmin(_OfPerson):
    """Who moved between segments, when and why."""

    list_display = ("id", "person", "was", "becomes", "cause", "reason", "at")
    list_filter = ("becomes",)
    ordering = ("-id",)
