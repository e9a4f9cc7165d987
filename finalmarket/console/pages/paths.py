"""Where journeys lead: paths and what breaks them off, funnels, and where journeys are abandoned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from finalmarket.channels.models import SalesChannel
from finalmarket.console import sankey
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import page, show
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys import funnels, paths
from finalmarket.journeys.funnels import FunnelStep
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney
from finalmarket.journeys.paths_asked import Asked, limits
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError, sentence

DAYS = 30
STEPS_DRAWN = 5
SHOWN = 15
FUNNEL_STEPS = 6
USUAL_FUNNEL = ("product_view", "add_to_cart", "checkout_start", "checkout_complete")


class PathFilters(asked.Filters):
    """What journeys a page about paths is narrowed to. Without days, the last DAYS."""

    since = asked.day("Began from")
    until = asked.day("to")
    channel = asked.ChannelField(label="Touches")
    intent = asked.choice("Intent", "All intents", list(CrossChannelJourney.Intent.choices))
    segment = asked.choice("Segment", "All customers", list(OmnichannelCustomer.Segment.choices))

    @property
    def shared(self) -> str:
        """What goes along to another page about paths: the filters that all of them have."""
        return urlencode({name: self.data[name] for name in PathFilters.base_fields if self.data.get(name)})

    @property
    def rows(self) -> str:
        """The address of the list of these very journeys; `&behind=` and the name of a number go after it."""
        asked_for = {name: self.data[name] for name in PathFilters.base_fields if self.data.get(name)}
        since = self.since_day
        return f"{reverse('console:journeys')}?{urlencode(asked_for | ({'since': since.isoformat()} if since else {}))}"

    @property
    def since_day(self) -> date | None:
        """The first day, also where none was given."""
        given: date | None = self.given.get("since")
        return given or (None if self.given.get("until") else clock.now().date() - timedelta(days=DAYS - 1))

    def asked(self) -> Asked:
        """Return what is asked for. Raises UserError when the period ends before it begins."""
        given = self.given
        return Asked(
            since=self.since_day,
            until=given.get("until"),
            segment=given.get("segment", ""),
            channel=int(given["channel"]) if given.get("channel") else None,
            intent=given.get("intent", ""),
        )


def answered(request: HttpRequest, answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Answer the questions of a page within their limits; where that is not possible, tell why and show none."""
    try:
        with limits():
            return answer()
    except UserError as error:
        messages.error(request, sentence(str(error)))
        return {"refused": sentence(str(error))}


def names() -> dict[int, str]:
    """The names of all channels."""
    return dict(SalesChannel.objects.values_list("pk", "name"))


@page("journeys.view_crosschanneljourney")
def walked(request: HttpRequest) -> HttpResponse:
    """Paths over channels: drawn, the most frequent ones, changes, loops, and how long it takes to an order."""
    filters = PathFilters(request)
    known = names()

    def answer() -> dict[str, Any]:
        about = filters.asked()
        flows = paths.flows(about, STEPS_DRAWN)
        return {
            "population": paths.population(about),
            "drawn": sankey.draw(flows, known, STEPS_DRAWN),
            "steps": paths.drop_off(flows),
            "top": paths.top_paths(about, SHOWN),
            "transitions": paths.transitions(about, SHOWN),
            "assists": paths.assisted(about),
            "times": paths.time_to_convert(about),
            "loops": paths.loops(about, SHOWN),
        }

    found = answered(request, answer)
    return show(request, "paths.html", "Paths", _framed(filters, known, "paths") | found)


@page("journeys.view_crosschanneljourney")
def abandonment(request: HttpRequest) -> HttpResponse:
    """Where journeys are abandoned, by channel and step."""
    filters = PathFilters(request)

    def answer() -> dict[str, Any]:
        about = filters.asked()
        return {"population": paths.population(about), "places": paths.abandonment(about)}

    found = answered(request, answer)
    return show(request, "abandonment.html", "Abandonment", _framed(filters, names(), "abandonment") | found)


class FunnelFilters(PathFilters):
    """The steps of a funnel besides what journeys it is about."""

    days = forms.IntegerField(label="Within days", required=False, min_value=1, max_value=3650)
    one_journey = forms.BooleanField(label="Within one journey", required=False)

    def __init__(self, request: HttpRequest, words: Sequence[tuple[str, str]]) -> None:
        super().__init__(request)
        channels = self.fields["channel"].choices  # type: ignore[attr-defined]
        for number in range(1, FUNNEL_STEPS + 1):
            self.fields[f"step{number}"] = forms.ChoiceField(
                label=f"Step {number}", required=False, choices=[("", "–"), ("any", "Anything"), *words]
            )
            self.fields[f"at{number}"] = forms.ChoiceField(
                label="on", required=False, choices=[("", "Any channel"), *list(channels)[1:]]
            )
        self.is_usual = not any(self.data.get(f"step{number}") for number in range(1, FUNNEL_STEPS + 1))
        if self.is_usual:
            usual = {f"step{number}": action for number, action in enumerate(USUAL_FUNNEL, start=1)}
            self.data = {**self.data, **usual}
        self.full_clean()

    @property
    def given(self) -> dict[str, Any]:
        """The filters that were set; the usual steps, shown where none was, are not."""
        given = super().given
        return {name: value for name, value in given.items() if not (self.is_usual and name.startswith("step"))}

    def steps(self) -> list[FunnelStep]:
        """The steps that are set, or the usual ones; these again where none that was set is understood."""
        given = super().given
        chosen = [
            FunnelStep(
                "" if given[f"step{number}"] == "any" else given[f"step{number}"],
                int(given[f"at{number}"]) if given.get(f"at{number}") else None,
            )
            for number in range(1, FUNNEL_STEPS + 1)
            if given.get(f"step{number}")
        ]
        return chosen or [FunnelStep(action) for action in USUAL_FUNNEL]

    @property
    def limits(self) -> dict[str, Any]:
        """Within what the steps have to lie."""
        given = super().given
        window = timedelta(days=given["days"]) if given.get("days") else None
        return {"window": window, "within_journey": bool(given.get("one_journey"))}

    @property
    def pairs(self) -> list[tuple[Any, Any]]:
        """The two fields of each step, for the form."""
        return [(self[f"step{number}"], self[f"at{number}"]) for number in range(1, FUNNEL_STEPS + 1)]

    @property
    def plain(self) -> list[Any]:
        """The fields that are no step's."""
        return [field for field in self if not field.name.startswith(("step", "at"))]


@page("journeys.view_crosschanneljourney")
def funnel(request: HttpRequest) -> HttpResponse:
    """A funnel of up to FUNNEL_STEPS steps, put together in the address."""
    known = names()
    filters = FunnelFilters(request, _words())

    def answer() -> dict[str, Any]:
        about = filters.asked()
        stages = funnels.funnel(about, filters.steps(), **filters.limits)
        return {"population": paths.population(about), "stages": _shown(stages, known)}

    found = answered(request, answer)
    return show(request, "funnel.html", "Funnel", _framed(filters, known, "funnel") | found)


class ReachedFilters(FunnelFilters):
    """A funnel, and a step of it that somebody came to."""

    reached = asked.number()


@page("journeys.view_crosschanneljourney")
def funnel_persons(request: HttpRequest) -> HttpResponse:
    """The persons who came to a step of a funnel."""
    filters = ReachedFilters(request, _words())
    reached = filters.given.get("reached") or 1

    def answer() -> dict[str, Any]:
        found = funnels.persons_at(filters.asked(), filters.steps(), reached, **filters.limits)
        persons = OmnichannelCustomer.objects.filter(pk__in=found)
        slice_ = cut(persons.defer("attributes"), ("-id",), request.GET, asked.PAGE_SIZE)
        return {"slice": slice_, "count": f"{len(found):,}"}

    more = {"reached": reached, "most": funnels.MOST_PERSONS}
    found = answered(request, answer)
    framed = _framed(filters, names(), "funnel") | more | found
    return show(request, "funnel_persons.html", "Persons in a funnel", framed)


def _words() -> list[tuple[str, str]]:
    """What can be done: the sixteen interactions, and other words that newer journeys have for their steps."""
    known = list(ChannelInteraction.InteractionType.choices)
    others = sorted(set(paths.actions()) - {word for word, _ in known})
    return [*known, *((word, word.replace("_", " ").capitalize()) for word in others)]


def _shown(stages: Sequence[funnels.Stage], known: dict[int, str]) -> list[dict[str, Any]]:
    """The stages in words, with their share of the first and of the one before."""
    words = dict(ChannelInteraction.InteractionType.choices)
    shown = []
    for number, stage in enumerate(stages):
        before = stages[number - 1].persons if number else stage.persons
        action = stage.step.action
        shown.append(
            {
                "stage": stage,
                "label": words.get(action, action.replace("_", " ").capitalize()) if action else "Anything",
                "channel": known.get(stage.step.channel, "") if stage.step.channel is not None else "",
                "of_first": stage.persons / stages[0].persons if stages[0].persons else None,
                "of_before": stage.persons / before if before and number else None,
                "lost": before - stage.persons,
            }
        )
    return shown


def _framed(filters: PathFilters, known: dict[int, str], here: str) -> dict[str, Any]:
    return {"filters": filters, "names": known, "here": here, "days": DAYS, "since": filters.since_day}
