"""Who is one person and why: what the operator says of values, what people said of persons, and what became of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from finalmarket.console.admin.records import ReadOnlyAdmin, RecordAdmin, pilled
from finalmarket.customers import blocking
from finalmarket.customers.models import (
    BlockedIdentity,
    CustomerMerge,
    ErasedIdentity,
    IdentityLimit,
    PersonChange,
    PersonFollower,
    PersonMark,
    PrivacyRequest,
    SharedIdentity,
)
from finalmarket.kernel.errors import UserError


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


@admin.register(PersonChange)
class ChangeAdmin(ReadOnlyAdmin):
    """Which profile went from which person to which, when and because of what."""

    list_display = ("customer_id", "was", "becomes", "cause", "at")
    ordering = ("-id",)


@admin.register(PersonMark)
class MarkAdmin(ReadOnlyAdmin):
    """Profiles whose person is to be computed anew; gone within a minute."""

    list_display = ("id", "customer_id")
    ordering = ("id",)


@admin.register(PersonFollower)
class FollowerAdmin(ReadOnlyAdmin):
    """How far the rooms have followed the changes of persons."""

    list_display = ("name", "last_change")
    ordering = ("name",)


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(ReadOnlyAdmin):
    """Who asked for an export or an erasure of whom, and what became of it."""

    list_display = ("kind_in_words", "person_id", "state_in_words", "actor", "source", "requested_at", "done_at")
    list_filter = ("kind", "state")
    ordering = ("-id",)

    kind_in_words, state_in_words = pilled("kind"), pilled("state")


@admin.register(ErasedIdentity)
class ErasedIdentityAdmin(ReadOnlyAdmin):
    """Digests by which late news of erased persons is known; nothing can be read from them."""

    list_display = ("id", "customer_id", "erased_at", "came_back_at")
    ordering = ("-id",)
