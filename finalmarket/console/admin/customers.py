"""Customers, what they are known by, what they prefer and what they agreed to."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from finalmarket.console import finding
from finalmarket.console.admin.records import (
    KeptAdmin,
    ReadOnlyAdmin,
    ReadOnlyTable,
    RecordAdmin,
    RecordTable,
    pilled,
)
from finalmarket.customers.models import ChannelPreference, Consent, CustomerIdentity, OmnichannelCustomer


class IdentityTable(ReadOnlyTable):
    """What a person is known by; written when they are recognised."""

    model = CustomerIdentity
    fields = ("kind", "value", "is_anchor", "source", "created_at")
    readonly_fields = ("created_at",)
    ordering = ("-is_anchor", "kind", "value")


class PreferenceTable(RecordTable):
    """What a person prefers on each channel."""

    model = ChannelPreference
    autocomplete_fields = ("sales_channel",)


class ConsentTable(ReadOnlyTable):
    """The consent ledger of a person, newest first."""

    model = Consent
    fields = ("purpose", "is_granted", "sales_channel", "source", "at")
    ordering = ("-at",)


@admin.register(OmnichannelCustomer)
class CustomerAdmin(KeptAdmin):
    """Persons: the list shows the profile that stands for each. E-mail and phone are identities, written when a person
    is recognised."""

    list_display = ("__str__", "email", "country", "segment_in_words", "first_seen_at")
    list_filter = ("segment",)
    search_fields = ("name", "identities__value")
    search_help_text = "Name, or a whole e-mail address or phone number"
    finds = finding.of_persons("pk")
    ordering = ("-id",)
    autocomplete_fields = ("user",)
    readonly_fields = ("email", "phone", "segment", "one_person", "first_seen_at")
    inlines = (IdentityTable, PreferenceTable, ConsentTable)
    fieldsets = (
        (None, {"fields": ("name", "email", "phone", "country", "language", "user")}),
        ("Standing", {"fields": ("segment", "one_person", "first_seen_at", "attributes")}),
    )

    segment_in_words = pilled("segment")

    @admin.display(description="person")
    def one_person(self, customer: OmnichannelCustomer) -> SafeString:
        """Where one sees which profiles are this person, and merges or unmerges them."""
        others = OmnichannelCustomer.objects.filter(merged_into=customer.merged_into_id or customer.pk).count()
        words = f"one of {others + 1} profiles of this person" if others else "the only profile of this person"
        return format_html('<a href="{}">{}</a>', reverse("console:one_person", args=[customer.pk]), words)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Persons only, for the list and wherever a customer is chosen."""
        return super().get_search_results(request, queryset.filter(merged_into=None), search_term)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Customers come with their first order or interaction."""
        return False


class _OfCustomer(ReadOnlyAdmin):
    list_select_related: ClassVar[tuple[str, ...]] = ("customer",)
    search_fields = ("customer__name",)
    search_help_text = "Customer: name, e-mail address or phone number"
    finds = finding.of_persons("customer")
    ordering = ("-id",)


@admin.register(CustomerIdentity)
class IdentityAdmin(_OfCustomer):
    """E-mail addresses, phone numbers, accounts and whom they belong to."""

    list_display = ("value", "kind", "customer", "is_anchor", "source", "created_at")
    list_filter = ("kind",)


@admin.register(ChannelPreference)
class PreferenceAdmin(RecordAdmin):
    """Preferences of customers by channel."""

    list_display = ("customer", "sales_channel", "updated_at")
    list_select_related = ("customer", "sales_channel")
    search_fields = ("customer__name",)
    search_help_text = "Customer: name, e-mail address or phone number"
    finds = finding.of_persons("customer")
    autocomplete_fields = ("customer", "sales_channel")
    ordering = ("-id",)


@admin.register(Consent)
class ConsentAdmin(_OfCustomer):
    """The consent ledger: nothing in it is changed, a withdrawal is a new line."""

    list_display = ("customer", "purpose", "is_granted", "sales_channel", "source", "at")
    list_select_related = ("customer", "sales_channel")
