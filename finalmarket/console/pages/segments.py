"""Segments: how many and what they are worth, who moved and why, and a builder for segments of one's own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from finalmarket.analytics import lifetime_value_stored, segments_made
from finalmarket.analytics.models import Segment, SegmentChange, SegmentMember, ValueModel
from finalmarket.analytics.segments_figures import figures, moves
from finalmarket.analytics.segments_rules import checked
from finalmarket.analytics.segments_words import rule_in_words
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import actor, attempt, back, page, show
from finalmarket.console.pages.segments_form import Builder, conditions, parsed
from finalmarket.console.people import may_see_people
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.unified import persons_of
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError, sentence

SEEN = "analytics.view_segment|analytics.view_channelanalytics"
MADE, CHANGED, REMOVED = "analytics.add_segment", "analytics.change_segment", "analytics.delete_segment"
MOVES_DAYS, MOST_MOVES = 30, 50


@dataclass(frozen=True, slots=True)
class Line:
    """A segment on the page, with its rule in words and its figures."""

    segment: Segment
    rule: str
    persons: int = 0
    share: float | None = None
    value: Decimal = Decimal(0)
    expected: Decimal = Decimal(0)


@page(SEEN)
def segments(request: HttpRequest) -> HttpResponse:
    """All segments with their figures, the moves of the last days, and the builder."""
    return _shown(request, Builder())


@page(MADE, "POST")
def preview_segment(request: HttpRequest) -> HttpResponse:
    """Say how many persons a rule would hold, without keeping it."""
    builder = Builder.of(request.POST)
    try:
        rule = checked(builder.rule())
        found: dict[str, Any] = {"number": segments_made.preview(rule), "rule": rule_in_words(rule)}
    except UserError as error:
        found = {"refused": sentence(str(error))}
    return _shown(request, builder, found)


@page(MADE, "POST")
def make_segment(request: HttpRequest) -> HttpResponse:
    """Keep a segment that was built."""
    builder = Builder.of(request.POST)
    made: list[Segment] = []
    done = attempt(request, lambda: _make(builder, actor(request), made))
    return back(request, reverse("console:segment", args=[made[0].pk])) if done else _shown(request, builder)


def _make(builder: Builder, who: str, made: list[Segment]) -> str:
    segment = segments_made.make(builder.name, builder.rule(), actor=who)
    made.append(segment)
    return f"{segment} is a segment now; its members are told to every platform that hears of people."


def _shown(request: HttpRequest, builder: Builder, preview: dict[str, Any] | None = None) -> HttpResponse:
    known, counted = list(Segment.objects.all()), figures()
    everybody = sum(one.persons for key, one in counted.items() if key in _built_in(known))
    model = lifetime_value_stored.latest()
    lines = [_line(one, counted.get(one.key), everybody) for one in known]
    context = {
        "built_in": [line for line in lines if line.segment.is_built_in],
        "made": [line for line in lines if not line.segment.is_built_in],
        "model": model, "learned": model.learned if model else {}, "currency": model.currency if model else "",
        "builder": builder, "conditions": conditions(), "preview": preview,
        "sees_people": may_see_people(request.user),
        "is_sorted": any(one.sorted_at for one in known), "may_make": request.user.has_perm(MADE),
        "moves_days": MOVES_DAYS, **_moves(known),
    }  # fmt: skip
    return show(request, "segments.html", "Segments", context)


def _built_in(known: list[Segment]) -> set[str]:
    return {one.key for one in known if one.is_built_in}


def _line(segment: Segment, counted: Any, everybody: int) -> Line:
    words = rule_in_words(segment.rule)
    if counted is None:
        return Line(segment, words)
    share = counted.persons / everybody if everybody else None
    return Line(segment, words, counted.persons, share, counted.value, counted.expected)


def _moves(known: list[Segment]) -> dict[str, Any]:
    """Who moved between built-in segments lately: counted by way, and the newest one by one."""
    since = clock.now() - timedelta(days=MOVES_DAYS)
    names = {one.key: one.name for one in known}
    newest = SegmentChange.objects.filter(at__gt=since).exclude(cause="first").exclude(was="").exclude(becomes="")
    rows = list(newest.order_by("-id")[:MOST_MOVES])
    people = persons_of([row.person_id for row in rows])
    ways = [(names.get(was, was), names.get(becomes, becomes), number) for was, becomes, number in moves(since)]
    return {
        "ways": ways,
        "newest": [(row, people.get(row.person_id), names.get(row.was), names.get(row.becomes)) for row in rows],
    }


@page(SEEN)
def segment(request: HttpRequest, key: int) -> HttpResponse:
    """One segment: its rule, its members, and what can be changed."""
    found = get_object_or_404(Segment, pk=key)
    slice_ = cut(_members(found), ("-pk",), request.GET, asked.PAGE_SIZE)
    numbers = [row.person_id if isinstance(row, SegmentMember) else row.pk for row in slice_.rows]
    people, worth = persons_of(numbers), lifetime_value_stored.value_of(numbers)
    model: ValueModel | None = lifetime_value_stored.latest()
    context = {
        "segment": found, "rule": rule_in_words(found.rule), "rule_text": json.dumps(found.rule, indent=2),
        "slice": slice_, "sees_people": may_see_people(request.user), "currency": model.currency if model else "",
        "people": [(people[one], worth.get(one)) for one in numbers if one in people],
        "counted": figures().get(found.key), "may_change": request.user.has_perm(CHANGED),
        "may_remove": request.user.has_perm(REMOVED) and not found.is_built_in,
        "has_rule": not found.is_built_in or bool(found.rule),
    }  # fmt: skip
    return show(request, "segment.html", found.name, context)


def _members(found: Segment) -> QuerySet[Any]:
    if found.is_built_in:
        return OmnichannelCustomer.objects.filter(segment=found.key, merged_into=None, erased_at=None).only("pk")
    return SegmentMember.objects.filter(segment=found)


@page(CHANGED, "POST")
def change_segment(request: HttpRequest, key: int) -> HttpResponse:
    """Give a segment another name and rule; its persons are sorted anew at once."""
    found = get_object_or_404(Segment, pk=key)
    attempt(request, lambda: _change(found, request.POST.get("name", ""), request.POST.get("rule", "").strip()))
    return back(request, reverse("console:segment", args=[key]))


def _change(found: Segment, name: str, text: str) -> str:
    rule = parsed(text) if text else None
    segments_made.change(found, name=name, rule=rule if rule != found.rule else None)
    return f"{found.name} is changed."


@page(REMOVED, "POST")
def remove_segment(request: HttpRequest, key: int) -> HttpResponse:
    """Take a segment away that is not built in."""
    found = get_object_or_404(Segment, pk=key)
    done = attempt(request, lambda: _remove(found))
    return back(request, reverse("console:segments") if done else reverse("console:segment", args=[key]))


def _remove(found: Segment) -> str:
    segments_made.take_away(found)
    return f"{found.name} is gone; its members are told to platforms without it."
