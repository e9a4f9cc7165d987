"""What journeys know of persons, for their unified profiles."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from finalmarket.customers.unified import Members, by_profile
from finalmarket.journeys.models import CrossChannelJourney

MOST_JOURNEYS = 20


def journeys_of(people: Members) -> dict[int, dict[str, Any]]:
    """Return the open journeys of these persons (`open_journeys`, newest first, at most 20 of each profile) and the one
    that began last (`last_journey`); one query."""
    person_of = by_profile(people)
    newest = Window(RowNumber(), partition_by="customer", order_by=[F("started_at").desc(), F("id").desc()])
    rows = CrossChannelJourney.objects.filter(customer__in=list(person_of)).annotate(place=newest)
    kept = rows.filter(place__lte=MOST_JOURNEYS).order_by("-started_at", "-id")
    open_: dict[int, list[dict[str, Any]]] = defaultdict(list)
    last: dict[int, dict[str, Any]] = {}
    for journey in kept.select_related("start_channel"):
        person = person_of[journey.customer_id]
        told = {
            "id": journey.pk, "intent": journey.intent, "state": journey.state, "outcome": journey.outcome,
            "step": journey.step, "channel": journey.start_channel.name, "started_at": journey.started_at,
            "last_touch_at": journey.last_touch_at,
        }  # fmt: skip
        last.setdefault(person, told)
        if journey.state == CrossChannelJourney.State.OPEN:
            open_[person].append(told)
    return {person: {"open_journeys": open_[person], "last_journey": last.get(person)} for person in people}
