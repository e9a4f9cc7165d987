"""Stock takes: begun, counted SKU by SKU or by scanner while selling goes on, looked at, applied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from finalmarket.access.roles import may_work_at
from finalmarket.catalog.models import Variant
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import actor, attempt, back, page, places, show
from finalmarket.console.typed_lines import units_by_variant
from finalmarket.kernel.plural import plural
from finalmarket.stock import counts as verbs
from finalmarket.stock.models import StockCount, StockLocation


class CountForm(forms.Form):
    """Where is counted."""

    location = forms.ModelChoiceField(StockLocation.objects.filter(is_active=True), label="Where")
    note = forms.CharField(label="What is counted", max_length=200, required=False)


@page("stock.view_stockcount", is_of_places=True)
def counts(request: HttpRequest) -> HttpResponse:
    """All stock takes, newest first, and a form for one more."""
    chosen = _seen(request).select_related("location").annotate(skus=Count("lines"))
    form = CountForm()
    context = {
        "slice": cut(chosen, ("-id",), request.GET, asked.PAGE_SIZE), "form": form, "filters": asked.Filters(request)
    }  # fmt: skip
    return show(request, "counts.html", "Stock takes", context)


def _seen(request: HttpRequest) -> QuerySet[StockCount]:
    own = places(request)
    return StockCount.objects.all() if own is None else StockCount.objects.filter(location__in=sorted(own))


@page("stock.add_stockcount", "POST", is_of_places=True)
def start_count(request: HttpRequest) -> HttpResponse:
    """Begin a stock take; nothing is locked."""
    form = CountForm(request.POST)
    made: list[int] = []

    def verb() -> str:
        if not form.is_valid():
            raise ValidationError(
                [f"{form[name].label}: {' '.join(map(str, texts))}" for name, texts in form.errors.items()]
            )
        place = form.cleaned_data["location"]
        if not may_work_at(request.user, place.pk):
            raise PermissionDenied(f"{request.user} does not work at {place}")
        made.append(verbs.start(place.pk, note=form.cleaned_data["note"]).pk)
        return "Begun. Selling goes on: each count is held against the books of its own moment."

    if attempt(request, verb):
        return HttpResponseRedirect(reverse("console:count", args=made))
    return back(request, reverse("console:counts"))


@page("stock.view_stockcount", is_of_places=True)
def count(request: HttpRequest, key: int) -> HttpResponse:
    """One stock take: what was counted, and what the books would be changed by."""
    found = get_object_or_404(_seen(request).select_related("location"), pk=key)
    rows: list[dict[str, Any]] = []
    if found.state == StockCount.State.OPEN:
        preview = verbs.preview(found.pk)
        names = Variant.objects.select_related("product").in_bulk([one.variant_id for one in preview])
        rows = [
            {
                "variant": names[one.variant_id],
                "counted": one.counted,
                "booked": one.booked,
                "difference": one.difference,
            }
            for one in preview
        ]
    else:
        rows = [
            {"variant": line.variant, "counted": line.counted_quantity, "difference": line.difference}
            for line in found.lines.select_related("variant__product").order_by("variant__sku")
        ]
    context = {"count": found, "rows": rows, "is_open": found.state == StockCount.State.OPEN}
    return show(request, "count.html", f"Stock take {found.pk}", context)


@page("stock.change_stockcount", "POST", is_of_places=True)
def change_count(request: HttpRequest, key: int, verb: str) -> HttpResponse:
    """Carry out one of VERBS on a stock take."""
    if verb not in VERBS:
        raise Http404(f"there is no verb {verb}")
    found = get_object_or_404(_seen(request), pk=key)
    attempt(request, lambda: VERBS[verb](request, found, actor(request)))
    return back(request, reverse("console:count", args=[key]))


def _record(request: HttpRequest, found: StockCount, who: str) -> str:
    counted = units_by_variant(request.POST.get("lines", "")[:50_000])
    for variant, units in counted.items():
        verbs.record(found.pk, variant, units)
    some = plural(len(counted), "SKU is", "SKUs are")
    return f"{some} counted; counting one again takes the place of what stood there."


def _apply(request: HttpRequest, found: StockCount, who: str) -> str:
    done = verbs.apply(found.pk, actor=who, reason=request.POST.get("reason", "").strip()[:150])
    return f"The books say what was counted: {plural(sum(one.difference != 0 for one in done), 'SKU')} differed."


def _cancel(request: HttpRequest, found: StockCount, who: str) -> str:
    verbs.cancel(found.pk)
    return "Dropped: the books stay as they are."


VERBS: dict[str, Callable[[HttpRequest, StockCount, str], str]] = {
    "record": _record,
    "apply": _apply,
    "cancel": _cancel,
}
