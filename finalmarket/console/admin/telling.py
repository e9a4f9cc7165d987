"""Records whose change platforms have to be told of: the listings that show them are marked as due with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest

from finalmarket.channels.due import EVERYTHING, Of, mark_due

if TYPE_CHECKING:
    from finalmarket.console.admin.records import RecordAdmin as Admin
else:
    Admin = object


class TellsPlatforms(Admin):
    """An admin page whose changes platforms hear of. `due_listings` says of what the listings are due, and by which
    field of the record they are found; `due_fields` which of its own fields concern them (None: all of them).

    Stands before the other base in the class statement."""

    due_listings: ClassVar[tuple[Of, str]]
    due_fields: ClassVar[frozenset[str] | None] = None

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Store the rows that hang on the record, then mark."""
        super().save_related(request, form, formsets, change)
        changed = set(form.changed_data) if self.due_fields is None else self.due_fields & set(form.changed_data)
        if changed or any(formset.has_changed() for formset in formsets):
            mark_due(self.due_listings[0], [self._key(form.instance)], *EVERYTHING)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete, then mark."""
        gone = [self._key(obj)]
        super().delete_model(request, obj)
        mark_due(self.due_listings[0], gone, *EVERYTHING)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete, then mark."""
        gone = [self._key(record) for record in queryset]
        super().delete_queryset(request, queryset)
        mark_due(self.due_listings[0], gone, *EVERYTHING)

    def _key(self, record: Any) -> int:
        return int(getattr(record, self.due_listings[1]))
