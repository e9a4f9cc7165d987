"""Stock advice: what to order, send, open or give up, each with its reason; accepted or dismissed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from finalmarket.advice import replenishment_decide
from finalmarket.advice.models import DemandForecast, StockAdvice
from finalmarket.console import finding
from finalmarket.console.counting import bounded_count
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import actor, attempt, back, page, show
from finalmarket.console.pages.stock import location_choices
from finalmarket.kernel.jobs import enqueue

Kind = StockAdvice.Kind
PUT_OFF = [("7", "a week"), ("30", "a month"), ("90", "three months")]
MOST_KEY_DIGITS = 18
# What accepting does is a verb of the stock, so it needs the right to that verb too.
NEEDS = {
    Kind.REORDER: "stock.add_expectedreceipt",
    Kind.TRANSFER: "stock.add_transfer",
    Kind.RELEASE_FENCE: "stock.change_channelinventory",
    Kind.RAISE_FENCE: "stock.change_channelinventory",
}
NUMBERS = {
    "free": "free", "coming": "on the way", "backordered": "promised beyond stock", "rate": "units a day",
    "days_of_cover": "days it lasts", "cover_days": "days it must last", "demand": "expected demand in these days",
    "spread": "give or take", "reorder_point": "reorder point", "service_level": "service level",
    "lead_days": "lead time, days", "review_days": "days between two looks", "order_days": "days an order brings",
    "supplier": "supplier", "lost_units": "units missed on average", "for_others": "of these for stores",
    "gain_units": "units that would sell", "tied": "share that only this place can serve",
    "source_free": "free at the source", "source_keeps": "the source keeps", "left": "left in the fence",
    "allotment": "allotment", "sold": "sold in 90 days", "need": "needed by the channel", "unfenced": "not fenced",
    "others_need": "needed by the others", "last_sold_days": "days since the last sale",
    "on_shelf_days": "days on the shelf", "cost": "cost of a unit", "method": "method", "known_days": "days looked at",
    "silent_days": "days without stock, left out", "lately_silent": "of the last 28 without stock",
}  # fmt: skip


class AdviceFilters(asked.Filters):
    """What advice can be narrowed by."""

    q = asked.text("Search", "SKU, barcode or product title")
    kind = asked.choice("What to do", "Everything", list(Kind.choices))
    location = forms.ChoiceField(choices=location_choices, required=False)


@page("advice.view_stockadvice")
def stock_advice(request: HttpRequest) -> HttpResponse:
    """Open advice, what matters most first."""
    filters = AdviceFilters(request)
    chosen = _narrowed(filters.given).select_related("variant__product", "location", "source", "sales_channel")
    counts = StockAdvice.objects.filter(state=StockAdvice.State.OPEN).values_list("kind").annotate(count=Count("pk"))
    found = cut(chosen, ("-rank", "-id"), request.GET, asked.PAGE_SIZE)
    context = {
        "filters": filters, "slice": found, "put_off": PUT_OFF, "rows": [(one, _numbers(one)) for one in found.rows],
        "counts": [(kind, label, dict(counts).get(kind, 0)) for kind, label in Kind.choices],
        "count": bounded_count(chosen)[1],
        "computed_at": DemandForecast.objects.aggregate(at=Max("computed_at"))["at"],
    }  # fmt: skip
    return show(request, "stock_advice.html", "Stock advice", context)


@page("advice.change_stockadvice", "POST")
def decide_advice(request: HttpRequest, verb: str) -> HttpResponse:
    """Accept or dismiss the chosen pieces, or have all advice computed anew."""
    if verb not in VERBS:
        raise Http404(f"there is no verb {verb}")
    attempt(request, lambda: VERBS[verb](request))
    return back(request, reverse("console:stock_advice"))


def _accept(request: HttpRequest) -> str:
    chosen = _chosen(request)
    for kind in set(StockAdvice.objects.filter(pk__in=chosen).values_list("kind", flat=True)):
        if kind in NEEDS and not request.user.has_perm(NEEDS[Kind(kind)]):
            raise PermissionDenied(f"{request.user} may not {NEEDS[Kind(kind)]}")
    done = replenishment_decide.accept(chosen, actor=actor(request))
    made = sorted({one.outcome for one in done if one.outcome})
    return f"{len(done)} accepted. {_made(made)}".strip()


def _dismiss(request: HttpRequest) -> str:
    days = request.POST.get("days", "")
    if days not in dict(PUT_OFF):
        raise ValidationError("Choose for how long from the list.")
    done = replenishment_decide.dismiss(_chosen(request), actor=actor(request), days=int(days))
    return f"{len(done)} dismissed; the same is not advised again for {dict(PUT_OFF)[days]}."


def _compute(request: HttpRequest) -> str:
    if enqueue("advice.stock", queueing_lock="advice.stock") is None:
        return "It is about to be computed already."
    return "A worker computes it now; look again in a minute."


VERBS: dict[str, Callable[[HttpRequest], str]] = {"accept": _accept, "dismiss": _dismiss, "compute": _compute}
WORDS = {"transfer": "draft transfers", "receipt": "expected receipts", "fence": "ring fences changed"}


def _made(outcomes: list[str]) -> str:
    """What came of it, in words: 2 draft transfers."""
    kinds = [outcome.partition(":")[0] for outcome in outcomes]
    said = [f"{kinds.count(kind)} {word}" for kind, word in WORDS.items() if kind in kinds]
    return f"{', '.join(said)}." if said else ""


def _chosen(request: HttpRequest) -> list[int]:
    keys = request.POST.getlist("advice")[: asked.PAGE_SIZE]
    if not keys:
        raise ValidationError("Choose the advice first.")
    if not all(key.isascii() and key.isdigit() and len(key) <= MOST_KEY_DIGITS for key in keys):
        raise ValidationError("Choose the advice from the list.")
    return [int(key) for key in keys]


def _narrowed(given: dict[str, Any]) -> QuerySet[StockAdvice]:
    chosen = StockAdvice.objects.filter(state=StockAdvice.State.OPEN)
    if text := given.get("q"):
        chosen = chosen.filter(variant__in=finding.variants(text))
    if kind := given.get("kind"):
        chosen = chosen.filter(kind=kind)
    if location := given.get("location"):
        chosen = chosen.filter(location_id=int(location))
    return chosen


def _numbers(one: StockAdvice) -> list[tuple[str, Any]]:
    """The numbers behind a piece of advice, by their names in words."""
    return [(word, one.numbers[name]) for name, word in NUMBERS.items() if one.numbers.get(name) not in (None, "")]
