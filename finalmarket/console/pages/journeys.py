"""Journeys of customers: all of them, and one with its steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from finalmarket.console import finding
from finalmarket.console.counting import bounded_count
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import page, show
from finalmarket.console.people import may_see_people
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys import behind
from finalmarket.journeys.models import CrossChannelJourney, JourneyTouchpoint
from finalmarket.journeys.paths_asked import Asked, limits
from finalmarket.kernel.errors import UserError, sentence

ORDER = ("-started_at", "-id")
MOST_TOUCHES = 500
CASES = ("support", "return", "review")
"""Intents of journeys that may be about an order; they have not led to it (analytics/statistics.sql)."""
LED_TO = {"order": "An order", "completed": "Something else", "abandoned": "Nothing", "open": "Nothing yet"}


class JourneyFilters(asked.Filters):
    """What the list of journeys can be narrowed by."""

    q = asked.text("Customer", "Name, or a whole e-mail address or phone number")
    channel = asked.ChannelField(label="Touches")
    intent = asked.choice("Intent", "All intents", list(CrossChannelJourney.Intent.choices))
    state = asked.choice("State", "All states", list(CrossChannelJourney.State.choices))
    began_on = asked.ChannelField(label="Began on")
    led_to = asked.choice("Led to", "Anything", list(LED_TO.items()))
    since = asked.day("Began from")
    until = asked.day("to")
    segment = asked.choice("Segment", "All customers", list(OmnichannelCustomer.Segment.choices))
    behind = forms.CharField(max_length=300, required=False, widget=forms.HiddenInput())

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        if not may_see_people(request.user):  # to find is to see
            del self.fields["q"]
            self.cleaned_data.pop("q", None)


@page("journeys.view_crosschanneljourney")
def journeys(request: HttpRequest) -> HttpResponse:
    """All journeys, newest first, or those behind a number of a page about paths."""
    filters = JourneyFilters(request)
    chosen = _narrowed(filters.given)
    if words := filters.given.get("behind"):
        chosen = chosen.filter(pk__in=_behind(request, filters.given, words))
    _, count = bounded_count(chosen)
    listed = chosen.select_related("customer__merged_into", "start_channel", "order")
    slice_ = cut(listed.defer("order__raw", "customer__attributes"), ORDER, request.GET, asked.PAGE_SIZE)
    context = {
        "filters": filters,
        "slice": slice_,
        "count": count,
        "touches": _touches(slice_.rows),
        "most_behind": behind.MOST_BEHIND,
        "here": "journeys",
    }
    return show(request, "journeys.html", "Journeys", context)


def _narrowed(given: dict[str, Any]) -> QuerySet[CrossChannelJourney]:
    """Apply the filters; days are those of the channel on which a journey began. A customer is found with everything
    merged into the same person."""
    in_days = asked.in_days(given, at="started_at", channel="start_channel")
    chosen: QuerySet[CrossChannelJourney] = CrossChannelJourney.objects.filter(in_days)
    if text := given.get("q"):
        profiles = OmnichannelCustomer.objects.filter(pk__in=finding.customers(text))
        persons = list(profiles.values_list(Coalesce("merged_into_id", "pk"), flat=True))
        chosen = chosen.filter(Q(customer__in=persons) | Q(customer__merged_into__in=persons))
    if channel := given.get("channel"):
        steps = JourneyTouchpoint.objects.filter(sales_channel_id=int(channel))
        chosen = chosen.filter(pk__in=steps.values("journey"))
    if intent := given.get("intent"):
        chosen = chosen.filter(intent=intent)
    if segment := given.get("segment"):
        own = Q(customer__merged_into=None, customer__segment=segment)
        chosen = chosen.filter(own | Q(customer__merged_into__segment=segment))
    if state := given.get("state"):
        chosen = chosen.filter(state=state)
    if channel := given.get("began_on"):
        chosen = chosen.filter(start_channel_id=int(channel))
    if led_to := given.get("led_to"):
        ordered = Q(order__isnull=False) & ~Q(intent__in=CASES)
        chosen = chosen.filter(ordered) if led_to == "order" else chosen.filter(state=led_to).exclude(ordered)
    return chosen


def _behind(request: HttpRequest, given: dict[str, Any], words: str) -> list[int]:
    """The journeys behind a number, of those that the filters leave; none, and why, where it cannot be told."""
    channel = given.get("channel")
    try:
        about = Asked(
            given.get("since"),
            given.get("until"),
            given.get("segment", ""),
            int(channel) if channel else None,
            given.get("intent", ""),
        )
        with limits():
            return behind.journeys(about, words)
    except UserError as error:
        messages.error(request, sentence(str(error)))
        return []


def _touches(shown: Sequence[CrossChannelJourney]) -> dict[int, dict[str, int]]:
    """Count the steps and channels of the journeys shown."""
    counted = (
        JourneyTouchpoint.objects.filter(journey__in=[journey.pk for journey in shown])
        .order_by()
        .values("journey")
        .annotate(steps=Count("id"), channels=Count("sales_channel", distinct=True))
    )
    return {row["journey"]: row for row in counted}


@page("journeys.view_crosschanneljourney")
def journey(request: HttpRequest, key: int) -> HttpResponse:
    """One journey: whose it is, what it is for and why we think so, and every step of it."""
    known = CrossChannelJourney.objects.select_related("customer__merged_into", "start_channel", "order")
    one = get_object_or_404(known, pk=key)
    steps = list(one.touchpoints.select_related("sales_channel").order_by("occurred_at", "id")[: MOST_TOUCHES + 1])
    context = {
        "journey": one,
        "person": one.customer.merged_into or one.customer,
        "steps": _told(steps[:MOST_TOUCHES]),
        "is_cut": len(steps) > MOST_TOUCHES,
        "most": MOST_TOUCHES,
        "here": "journeys",
    }
    return show(request, "journey.html", f"{one.get_intent_display()} journey", context)


def _told(steps: Sequence[JourneyTouchpoint]) -> list[dict[str, Any]]:
    """The steps with the time since the one before, and whether the channel was changed."""
    told = []
    before: JourneyTouchpoint | None = None
    for step in steps:
        told.append(
            {
                "step": step,
                "after": step.occurred_at - before.occurred_at if before else None,
                "is_switch": before is not None and before.sales_channel_id != step.sales_channel_id,
            }
        )
        before = step
    return told
