"""How every list of records behaves: searched by index, counted within bounds, a constant number of queries a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import F, Model, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin as UnfoldAdmin
from unfold.admin import TabularInline as UnfoldTable
from unfold.views import ChangeList as UnfoldList

from finalmarket.access.roles import places_of
from finalmarket.console.counting import BoundedPaginator
from finalmarket.console.finding import Search
from finalmarket.console.people import may_see_people
from finalmarket.console.templatetags.console import pill
from finalmarket.customers.models import OmnichannelCustomer

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline

    Admin = ModelAdmin[Any]
    Table = TabularInline[Any, Any]
    RecordsPage = ChangeList
else:
    Admin, Table, RecordsPage = UnfoldAdmin, UnfoldTable, UnfoldList

ASKED_OF_FILTERS = frozenset({"exact", "id__exact", "isnull", "gte", "lt", "year", "month", "day"})
"""What filters, and our own links to filtered lists, ask of a field."""


def pilled(field: str) -> Callable[..., SafeString]:
    """Return a column that shows a field with choices as a coloured word."""

    @admin.display(description=field.replace("_", " "))
    def column(site: Any, record: Any) -> SafeString:
        word = getattr(record, f"get_{field}_display", None)
        return pill(getattr(record, field), word() if word else "")

    return column


def persons_of(model: type[Model]) -> tuple[str, ...]:
    """The fields of a record that lead to a person."""
    return tuple(field.name for field in model._meta.fields if field.related_model is OmnichannelCustomer)


def _by_number(field: str) -> Callable[[Any], str]:
    """Return a column that tells a person by number."""

    @admin.display(description=field)
    def column(record: Any) -> str:
        number = getattr(record, f"{field}_id")
        return "–" if number is None else f"Customer {number}"

    return column


class RecordList(RecordsPage):
    """A list without a second count over the whole table."""

    def get_filters(self, request: HttpRequest) -> Any:
        """Read the filters from the address; what is none is answered as a wrong value of one is."""
        try:
            return super().get_filters(request)
        except DisallowedModelAdminLookup as error:
            raise IncorrectLookupParameters from error

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the page; the header then names no total of its own."""
        super().get_results(request)
        self.full_result_count = self.result_count


class RecordAdmin(Admin):
    """Records that can be added, changed and, where nothing hangs on them, deleted.

    `finds` turns the typed text into a condition on indexed columns; `search_fields` then only names, for the reader
    and for the search box, what it looks at. `of_people` names fields that hold words of people or about them.
    """

    list_per_page = 25
    actions = None  # records are changed one by one, or by Bulk edit, which shows first what would change
    list_max_show_all = 0
    sortable_by = ()  # sorting a million rows by a column without an index reads them all
    show_full_result_count = False
    paginator = BoundedPaginator
    compressed_fields = True
    warn_unsaved_form = True
    finds: ClassVar[Search | None] = None
    of_people: ClassVar[tuple[str, ...]] = ()

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Its columns; a person is told by number to those who may not see people, and words of theirs are not."""
        columns = [*super().get_list_display(request)]
        if may_see_people(request.user):
            return columns
        persons = persons_of(self.model)
        return [_by_number(one) if one in persons else one for one in columns if one not in self.of_people]

    def get_exclude(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """What is left out of its page: whose it is and what is said of them, for those who may not see people."""
        hidden = super().get_exclude(request, obj) or ()
        return (*hidden,) if may_see_people(request.user) else (*hidden, *persons_of(self.model), *self.of_people)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Whether the address may narrow the list so: by its filters alone. Whatever else could be asked of a record
        would tell what its page hides, letter by letter."""
        filters: list[Any] = [*(self.get_list_filter(request) if request else self.list_filter), self.date_hierarchy]
        names = {one if isinstance(one, str) else one.parameter_name for one in filters if one}
        return lookup in names or any(lookup == f"{name}__{asked}" for name in names for asked in ASKED_OF_FILTERS)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list that counts once."""
        return RecordList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by `finds` where there is one; never with doubles; what was added last comes first.

        The order is no index's order on purpose: the database would walk along it through everything, in the hope to
        meet the few rows that were found.
        """
        find = type(self).finds
        if find is None:
            return super().get_search_results(request, queryset, search_term)
        if not search_term.strip():
            return queryset, False
        return queryset.filter(find(search_term, request.user)).order_by((F("pk") + 0).desc()), False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Who has the right, and is not bound to stores: records are of the whole house."""
        return places_of(request.user) is None and super().has_view_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Who has the right, and is not bound to stores."""
        return places_of(request.user) is None and super().has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who has the right, and is not bound to stores."""
        return places_of(request.user) is None and super().has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Who has the right, and is not bound to stores."""
        return places_of(request.user) is None and super().has_delete_permission(request, obj)


class KeptAdmin(RecordAdmin):
    """Records that others refer to: they are switched off or archived, never deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes them."""
        return False


class ReadOnlyAdmin(KeptAdmin):
    """Records that a verb of their room writes, and nobody else."""

    warn_unsaved_form = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds them by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes them by hand."""
        return False


class RecordTable(Table):
    """Rows that belong to a record and are edited on its page."""

    extra = 0
    per_page = 50
    show_change_link = False
    of_people: ClassVar[tuple[str, ...]] = ()

    def get_exclude(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """What is left out of its rows: words of people, for those who may not see people."""
        hidden = super().get_exclude(request, obj) or ()
        return (*hidden,) if may_see_people(request.user) else (*hidden, *self.of_people)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Its columns, without what is left out: where they are named, nothing else leaves it out."""
        hidden = self.get_exclude(request, obj)
        return [one for one in super().get_fields(request, obj) if one not in hidden]


class ReadOnlyTable(RecordTable):
    """Rows that are shown on the page of their record and written by a verb."""

    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody adds them by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes them by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes them by hand."""
        return False
