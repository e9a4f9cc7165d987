"""Stock alerts: what runs low, is out, or was sold beyond what there is; and putting them off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from finalmarket.console import finding
from finalmarket.console.counting import bounded_count
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import attempt, back, page, places, show
from finalmarket.console.pages.stock import location_choices
from finalmarket.kernel import clock
from finalmarket.kernel.plural import plural
from finalmarket.stock.alerts import snooze as snooze_alert
from finalmarket.stock.models import StockAlert

PUT_OFF = [("1", "a day"), ("7", "a week"), ("30", "a month")]


class AlertFilters(asked.Filters):
    """What the alerts can be narrowed by."""

    q = asked.text("Search", "SKU, barcode or product title")
    channel = asked.ChannelField()
    location = forms.ChoiceField(choices=location_choices, required=False)
    level = asked.choice("Level", "Every level", list(StockAlert.Level.choices))
    snoozed = forms.BooleanField(label="Put off", required=False)


@page("stock.view_stockalert", is_of_places=True)
def alerts(request: HttpRequest) -> HttpResponse:
    """Open alerts, newest first."""
    filters = AlertFilters(request)
    chosen = _narrowed(filters.given).filter(_here(request))
    _, count = bounded_count(chosen)
    related = chosen.select_related("variant__product", "sales_channel", "location")
    context = {
        "filters": filters,
        "count": count,
        "slice": cut(related, ("-opened_at", "-id"), request.GET, asked.PAGE_SIZE),
        "put_off": PUT_OFF,
        "is_snoozed": bool(filters.given.get("snoozed")),
    }
    return show(request, "alerts.html", "Stock alerts", context)


@page("stock.change_stockalert", "POST", is_of_places=True)
def snooze(request: HttpRequest) -> HttpResponse:
    """Put the chosen alerts off for some days; they come back by themselves if they are still open."""
    attempt(request, lambda: _put_off(request, request.POST.getlist("alert"), request.POST.get("days", "")))
    return back(request, reverse("console:alerts"))


def _here(request: HttpRequest) -> Q:
    """Who is bound to stores sees the alerts of these."""
    own = places(request)
    return Q() if own is None else Q(location__in=sorted(own))


def _put_off(request: HttpRequest, keys: list[str], days: str) -> str:
    if not keys:
        raise ValidationError("Choose the alerts first.")
    if days not in dict(PUT_OFF) or not all(key.isascii() and key.isdigit() and len(key) < 19 for key in keys):
        raise ValidationError("Choose for how long from the list.")
    until = clock.now() + timedelta(days=int(days))
    chosen = StockAlert.objects.filter(pk__in=[int(key) for key in keys[: asked.PAGE_SIZE]], closed_at=None)
    chosen = chosen.filter(_here(request))
    done = [snooze_alert(key, until) for key in chosen.order_by("pk").values_list("pk", flat=True)]
    put_off = plural(len(done), "alert is", "alerts are")
    return f"{put_off} put off for {dict(PUT_OFF)[days]}, unless it gets worse."


def _narrowed(given: dict[str, Any]) -> QuerySet[StockAlert]:
    chosen = StockAlert.objects.filter(closed_at=None)
    now = clock.now()
    if given.get("snoozed"):
        chosen = chosen.filter(snoozed_until__gt=now)
    else:
        chosen = chosen.filter(Q(snoozed_until=None) | Q(snoozed_until__lte=now))
    if text := given.get("q"):
        chosen = chosen.filter(variant__in=finding.variants(text))
    if channel := given.get("channel"):
        chosen = chosen.filter(sales_channel_id=int(channel))
    if location := given.get("location"):
        chosen = chosen.filter(location_id=int(location))
    if level := given.get("level"):
        chosen = chosen.filter(level=level)
    return chosen
