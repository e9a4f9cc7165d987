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
from finalmarket.kernel.errors import UserError
from finalmarket.stock import ledger
from finalmarket.stock.models import StockLocation, StockMovement
from finalmarket.stock.policies import set_safety

BY_HAND = (StockMovement.Kind.RECEIVE, StockMovement.Kind.ADJUST, StockMovement.Kind.COUNT)


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
    seen = forms.IntegerField(min_value=0, max_value=2**63 - 1, label="The ledger", widget=forms.HiddenInput)

    def __init__(self, *args: Any, places: frozenset[int] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        if places is not None:
            own = StockLocation.objects.filter(is_active=True, pk__in=sorted(places))
            self.fields["location"] = forms.ModelChoiceField(own, label="Where")


def empty_form(variant: Variant, places: frozenset[int] | None = None) -> StockChange:
    """The form for a change of a variant; it remembers how far the ledger went when it was shown."""
    newest = StockMovement.objects.filter(variant=variant).order_by("-id").values_list("pk", flat=True).first()
    return StockChange(places=places, initial={"seen": newest or 0})


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
    if given["what"] != "safety":
        _refuse_twice(variant, given, who)
    return verbs[given["what"]](variant, given, who)


def _refuse_twice(variant: Variant, given: dict[str, Any], who: str) -> None:
    """Raise UserError where this person changed what lies there after the form was shown: they clicked twice, or sent
    an old page again. The lock lets the second of two clicks wait for the first."""
    ledger.lock([variant.pk])
    later = StockMovement.objects.filter(variant=variant, id__gt=given["seen"], location=given["location"])
    if later.filter(kind__in=BY_HAND, actor=who).exists():
        raise UserError(
            f"you have changed what lies of {variant.sku} at {given['location']} since this page was opened; look at "
            "the ledger below, and book what is still missing"
        )


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
