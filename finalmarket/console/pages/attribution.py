"""Which channels the revenue is owed to, by all models side by side."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import page, show
from finalmarket.console.pages.paths import DAYS, PathFilters, answered, names
from finalmarket.journeys.attribution import MODELS, MOST_ORDER, Attribution, attribute, currencies
from finalmarket.journeys.attribution_rules import HALF_LIFE_DAYS

WORDS = {
    "first": ("First touch", "Everything to the channel where the journey began."),
    "last": ("Last touch", "Everything to the channel where it ended."),
    "linear": ("Linear", "The same to every touch."),
    "time_decay": ("Time decay", "A touch gets half of what one gets that lies a half-life later."),
    "position": ("Position", "40 % to the first, 40 % to the last, 20 % to those between."),
    "markov": ("Markov", "In proportion to the orders that would be lost without the channel."),
    "shapley": ("Shapley", "The fair share of each channel in what the channels of a path brought together."),
}


class AttributionFilters(PathFilters):
    """What orders are attributed, and how."""

    since = asked.day("Ordered from")
    currency = forms.CharField(label="Currency", required=False, max_length=3, widget=forms.Select())
    half_life = forms.FloatField(
        label="Half-life, days",
        required=False,
        min_value=0.1,
        max_value=365,
        widget=forms.NumberInput(attrs={"placeholder": f"{HALF_LIFE_DAYS:g}", "step": "any"}),
    )
    order = asked.choice("Markov order", "1", [(str(number), str(number)) for number in range(2, MOST_ORDER + 1)])


@page("orders.view_order")
def attribution(request: HttpRequest) -> HttpResponse:
    """Net revenue and orders by channel, as each model gives them."""
    filters = AttributionFilters(request)

    def answer() -> dict[str, Any]:
        about = filters.asked()
        known = currencies(about)
        given = filters.given
        wanted = given.get("currency", "")
        chosen = wanted if wanted in known else next(iter(known), "")
        filters.fields["currency"].widget.choices = [(code, code) for code in known]
        found = attribute(
            about, chosen, half_life_days=given.get("half_life") or HALF_LIFE_DAYS, order=int(given.get("order") or 1)
        )
        return {"found": found, "rows": _rows(found, names()), "totals": _totals(found)}

    context = {
        "filters": filters, "here": "attribution", "days": DAYS, "since": filters.since_day,
        "models": [WORDS[name] for name in MODELS], "half_life": HALF_LIFE_DAYS,
    }  # fmt: skip
    return show(request, "attribution.html", "Attribution", context | answered(request, answer))


def _rows(found: Attribution, known: dict[int, str]) -> list[dict[str, Any]]:
    """A row for each channel: what each model gives it, and which part of the whole that is."""
    return [
        {
            "name": known.get(int(str(channel)), str(channel)),
            "shares": [
                {"share": share, "part": share.value / found.value if found.value else None}
                for share in (found.models[name][channel] for name in MODELS)
            ],
        }
        for channel in found.channels
    ]


def _totals(found: Attribution) -> list[Any]:
    """The sum of every column: what each model has given away."""
    return [sum(share.value for share in found.models[name].values()) for name in MODELS]
