"""Booking a change of what lies at one location, by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from finalmarket.catalog.models import Variant
from finalmarket.console.pages.frame import actor, attempt, back, page, places
from finalmarket.stock import ledger
from finalmarket.stock.models import StockLocation
from finalmarket.stock.policies import set_safety


class StockChange(forms.Form):
    """A change of what lies at one location, as a person enters it."""

    what = forms.ChoiceField(
        label="What happened",
        choices=[
            ("receive", "Goods arrived"),
            ("adjust", "Lost or found (− or +)"),
            ("count", "Counted anew"),
            ("safety", "Safety stock is now"),
        ],
    )
    location = forms.ModelChoiceField(StockLocation.objects.filter(is_active=True), label="Where")
    quantity = forms.IntegerField(min_value=-1_000_000, max_value=1_000_000, label="Units")
    reason = forms.CharField(max_length=200, label="Why")

    def __init__(self, *args: Any, places: frozenset[int] | None = None) -> None:
        super().__init__(*args)
        if places is not None:
            own = StockLocation.objects.filter(is_active=True, pk__in=sorted(places))
            self.fields["location"] = forms.ModelChoiceField(own, label="Where")


@page("stock.add_stockmovement", "POST", is_of_places=True)
def change_stock(request: HttpRequest, key: int) -> HttpResponse:
    """Receive, adjust or count units at one location."""
    variant = get_object_or_404(Variant, pk=key)
    form = StockChange(request.POST, places=places(request))
    attempt(request, lambda: _carry_out(variant, form, actor(request)))
    return back(request, reverse("console:sku", args=[key]))


def _carry_out(variant: Variant, form: StockChange, who: str) -> str:
    if not form.is_valid():
        raise forms.ValidationError(
            [f"{form[name].label}: {' '.join(map(str, texts))}" for name, texts in form.errors.items()]
        )
    given = form.cleaned_data
    verbs: dict[str, Callable[[Variant, dict[str, Any], str], str]] = {
        "receive": _receive,
        "adjust": _adjust,
        "count": _count,
        "safety": _keep_safe,
    }
    return verbs[given["what"]](variant, given, who)


def _receive(variant: Variant, given: dict[str, Any], who: str) -> str:
    receipt = ledger.Receipt(variant.pk, given["location"].pk, given["quantity"], given["reason"])
    ledger.receive([receipt], actor=who)
    return f"{given['quantity']} of {variant.sku} received at {given['location']}."


def _adjust(variant: Variant, given: dict[str, Any], who: str) -> str:
    left = ledger.adjust(variant.pk, given["location"].pk, given["quantity"], reason=given["reason"], actor=who)
    return f"{variant.sku}: {left} are on hand at {given['location']} now."


def _count(variant: Variant, given: dict[str, Any], who: str) -> str:
    place, units = given["location"].pk, given["quantity"]
    difference = ledger.set_on_hand(variant.pk, place, units, reason=given["reason"], actor=who)
    return f"{variant.sku}: {given['quantity']} are on hand at {given['location']} now, a difference of {difference:+}."


def _keep_safe(variant: Variant, given: dict[str, Any], who: str) -> str:
    set_safety(variant.pk, given["location"].pk, given["quantity"], actor=who, reason=given["reason"])
    return f"{variant.sku}: {given['quantity']} units at {given['location']} are never promised."
