"""Lost journeys: where those who meant to buy left, what that costs, and what the others did instead."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from finalmarket.advice import lost_paths
from finalmarket.advice.models import LostStep
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import actor, attempt, back, page, show
from finalmarket.kernel import clock
from finalmarket.kernel.jobs import enqueue

MUTED_DAYS = 30
PERMISSION = "advice.view_loststep"


class LostFilters(asked.Filters):
    """What lost steps can be narrowed by."""

    channel = asked.ChannelField()


@page(PERMISSION)
def lost_journeys(request: HttpRequest) -> HttpResponse:
    """Steps at which journeys are lost, the dearest first. There are at most a hundred."""
    filters = LostFilters(request)
    steps = LostStep.objects.filter(Q(muted_until=None) | Q(muted_until__lte=clock.now()))
    if channel := filters.given.get("channel"):
        steps = steps.filter(sales_channel_id=int(channel))
    found = list(steps.select_related("sales_channel").order_by("-lost_value", "-pk"))
    sums: dict[str, Decimal] = {}
    for step in found:
        sums[step.currency] = sums.get(step.currency, Decimal(0)) + step.lost_value
    context = {
        "filters": filters, "steps": found, "sums": sorted(sums.items()),
        "most": max((step.lost_value for step in found), default=Decimal(0)),
        "muted": LostStep.objects.filter(muted_until__gt=clock.now()).count(), "days": lost_paths.DAYS,
        "muted_days": MUTED_DAYS, "journeys": f"{reverse('console:journeys')}?",
    }  # fmt: skip
    return show(request, "lost_journeys.html", "Lost journeys", context)


@page("advice.change_loststep", "POST")
def mute_lost(request: HttpRequest, key: int) -> HttpResponse:
    """Do not show a step for a month."""
    attempt(request, lambda: _mute(request, key))
    return back(request, reverse("console:lost_journeys"))


@page("advice.change_loststep", "POST")
def compute_lost(request: HttpRequest) -> HttpResponse:
    """Have the lost steps computed anew."""
    attempt(request, _compute)
    return back(request, reverse("console:lost_journeys"))


def _mute(request: HttpRequest, key: int) -> str:
    lost_paths.mute(key, MUTED_DAYS, actor=actor(request))
    return f"It is not shown for {MUTED_DAYS} days."


def _compute() -> str:
    if enqueue("advice.lost_paths", queueing_lock="advice.lost_paths") is None:
        return "It is about to be computed already."
    return "A worker computes it now; on a long history that takes some minutes."
