"""Customers, what they are known by, what they prefer and what they agreed to."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms import ModelForm
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
from finalmarket.customers import blocking
from finalmarket.customers.models import (
    BlockedIdentity,
    ChannelPreference,
    Consent,
    CustomerIdentity,
    CustomerMerge,
    IdentityLimit,
    OmnichannelCustomer,
    SharedIdentity,
)
from finalmarket.kernel.errors import UserError


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
    finds = finding.within("pk", finding.customers)
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
    finds = finding.within("customer", finding.customers)
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
    finds = finding.within("customer", finding.customers)
    autocomplete_fields = ("customer", "sales_channel")
    ordering = ("-id",)


@admin.register(Consent)
class ConsentAdmin(_OfCustomer):
    """The consent ledger: nothing in it is changed, a withdrawal is a new line."""

    list_display = ("customer", "purpose", "is_granted", "sales_channel", "source", "at")
    list_select_related = ("customer", "sales_channel")


class BlockedForm(ModelForm):  # type: ignore[type-arg]
    """What the operator says of a value, written as it is kept."""

    class Meta:
        model = BlockedIdentity
        fields = ("kind", "value", "is_blocked", "reason")

    def clean(self) -> dict[str, Any]:
        """Normalise the value; say what is wrong with one that is none of its kind."""
        given = super().clean() or self.cleaned_data
        if given.get("kind") and given.get("value"):
            try:
                given["value"] = blocking.blockable(given["kind"], given["value"])
            except UserError as error:
                raise ValidationError({"value": str(error)}) from error
        return given


@admin.register(BlockedIdentity)
class BlockedAdmin(RecordAdmin):
    """Values that join nobody, such as the address of a reception, and exceptions from what looks like one."""

    form = BlockedForm
    list_display = ("value", "kind", "is_blocked", "reason", "actor", "at")
    list_filter = ("kind", "is_blocked")
    ordering = ("kind", "value")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Have the persons follow who hang on the value."""
        obj.actor = request.user.get_username()[:100]
        super().save_model(request, obj, form, change)
        blocking.mark_carriers([(obj.kind, obj.value)])

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Have the persons follow who hung on the value."""
        super().delete_model(request, obj)
        blocking.mark_carriers([(obj.kind, obj.value)])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """The same for many."""
        values = list(queryset.values_list("kind", "value"))
        super().delete_queryset(request, queryset)
        blocking.mark_carriers(values)


@admin.register(IdentityLimit)
class LimitAdmin(RecordAdmin):
    """How many persons and profiles a value of a kind may be seen with and still join them."""

    list_display = ("kind", "most_persons", "most_profiles")
    ordering = ("kind",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Compute all persons anew that hang on values of the kind."""
        super().save_model(request, obj, form, change)
        blocking.mark_kind(obj.kind)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Back to the default, and all persons follow."""
        super().delete_model(request, obj)
        blocking.mark_kind(obj.kind)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """The same for many."""
        for row in queryset:
            self.delete_model(request, row)


@admin.register(SharedIdentity)
class SharedAdmin(ReadOnlyAdmin):
    """Values with more carriers than their kind allows: a kiosk, a desk, a filler such as 000000."""

    list_display = ("value", "kind", "since")
    list_filter = ("kind",)
    ordering = ("-id",)


@admin.register(CustomerMerge)
class MergeAdmin(ReadOnlyAdmin):
    """Who said of whom that they are one person, or two, when and why; what was undone stays in the log."""

    list_display = ("kind_in_words", "first", "second", "actor", "reason", "at", "undone_by", "undone_at")
    list_select_related = ("first", "second")
    list_filter = ("kind",)
    ordering = ("-id",)

    kind_in_words = pilled("kind")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may see customers."""
        return super().has_view_permission(request, obj) or request.user.has_perm("customers.view_omnichannelcustomer")
