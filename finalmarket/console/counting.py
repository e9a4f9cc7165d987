"""Counts that never read a whole table: exact up to a bound, an estimate or "more than" beyond it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from finalmarket.console.finding import rows

COUNTED_AT_MOST = 10_000

if TYPE_CHECKING:
    RecordPaginator = Paginator[Any]
else:
    RecordPaginator = Paginator


def bounded_count(queryset: QuerySet[Any]) -> tuple[int, str]:
    """Return how many rows there are, at most COUNTED_AT_MOST, and the count in words for a person.

    An unfiltered table beyond the bound is named by the database's own estimate.
    """
    counted = queryset.order_by()[: COUNTED_AT_MOST + 1].count()
    if counted <= COUNTED_AT_MOST:
        return counted, f"{counted:,}"
    if queryset.query.where or queryset.query.combinator:
        return COUNTED_AT_MOST, _("more than {count}").format(count=f"{COUNTED_AT_MOST:,}")
    estimate = rows("rows_estimated", table=f'"{queryset.model._meta.db_table}"')[0]["reltuples"]
    return COUNTED_AT_MOST, _("about {count}").format(count=f"{max(estimate, counted):,}")


def counted_together(parts: Sequence[QuerySet[Any]]) -> str:
    """Return how many rows there are in these parts, which have none in common, in words for a person."""
    counts = [bounded_count(part) for part in parts]
    if len(counts) == 1:
        return counts[0][1]
    total = sum(number for number, words in counts)
    if total <= COUNTED_AT_MOST and all(words == f"{number:,}" for number, words in counts):
        return f"{total:,}"
    return _("more than {count}").format(count=f"{COUNTED_AT_MOST:,}")


class BoundedPaginator(RecordPaginator):
    """Pages over the first COUNTED_AT_MOST rows: further in, a search or a filter finds rows and paging does not."""

    template_name = "console/records_pagination.html"

    @cached_property
    def _bounded(self) -> tuple[int, str]:
        return bounded_count(cast("QuerySet[Any]", self.object_list))

    @property
    def count(self) -> int:
        """Rows that can be paged through."""
        return self._bounded[0]

    @property
    def count_in_words(self) -> str:
        """How many rows there are, for a person."""
        return self._bounded[1]

    @property
    def is_bounded(self) -> bool:
        """Whether there are rows that paging does not reach."""
        return self.count >= COUNTED_AT_MOST and self.count_in_words != f"{COUNTED_AT_MOST:,}"
