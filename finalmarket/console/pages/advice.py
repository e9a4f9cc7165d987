"""Advice for customers: what to do next for whom and why, what came of it, and whether what was learned is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from finalmarket.advice.models import ActionPolicy, AdviceRefresh, NextAction
from finalmarket.advice.next_action.advising import TRIAL, advise, shown
from finalmarket.advice.next_action.catalogue import CATALOGUE, NO_ACTION
from finalmarket.advice.next_action.decisions import QUERIES
from finalmarket.advice.next_action.decisions import answer as answer_decision
from finalmarket.advice.next_action.learning import FEWEST_DECISIONS
from finalmarket.channels.models import SalesChannel
from finalmarket.console.counting import bounded_count
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import actor, attempt, back, page, show
from finalmarket.console.people import may_see_people
from finalmarket.customers.survivorship import Shown
from finalmarket.customers.unified import persons_of, profiles_of
from finalmarket.kernel import clock

SEEN, ANSWERED = "advice.view_nextaction", "advice.change_nextaction"
ORDER = ("-id",)
LABELS = {name: action.label for name, action in CATALOGUE.items()}
WAITING, OPEN, SETTLED = "waiting", "open", "settled"
SUMMARY_DAYS, MOST_OF_A_PERSON = 90, 20
POLICY_WORDS = {"learned": "What learned", "rules": "The rules", NO_ACTION: "Doing nothing"}


class AdviceFilters(asked.Filters):
    """What the decisions can be narrowed by."""

    action = asked.choice("Action", "All but nothing", list(LABELS.items()))
    state = asked.choice(
        "State", "Waiting for an answer", [(OPEN, "Open, answered or not"), (SETTLED, "Closed, with what came of it")]
    )
    channel = asked.ChannelField()


@dataclass(frozen=True, slots=True)
class Row:
    """A decision as the list shows it."""

    decision: NextAction
    person: Shown
    label: str
    text: str
    reasons: list[str]


@page(SEEN)
def advice(request: HttpRequest) -> HttpResponse:
    """Decisions, the newest first, with what came of earlier ones and the verdict on the policy that learns."""
    filters = AdviceFilters(request)
    chosen = _narrowed(filters.given)
    _, count = bounded_count(chosen)
    slice_ = cut(chosen.select_related("sales_channel", "variant"), ORDER, request.GET, asked.PAGE_SIZE)
    people = persons_of([row.customer_id for row in slice_.rows])
    context = {
        "filters": filters, "count": count, "slice": slice_, "sees_people": may_see_people(request.user),
        "rows": [_row(row, people[row.customer_id]) for row in slice_.rows],
        "is_settled": filters.given.get("state") == SETTLED, "may_answer": request.user.has_perm(ANSWERED),
        "summary": _summary(), "summary_days": SUMMARY_DAYS, **_verdict(),
    }  # fmt: skip
    return show(request, "advice.html", "Advice", context)


@page(SEEN)
def customer_advice(request: HttpRequest, key: int) -> HttpResponse:
    """All that may be done for one person now, with reasons; goods that fit them; what was advised before."""
    found = profiles_of([key], is_advised=False)
    if key not in found:
        raise Http404(f"there is no customer {key}")
    profile, sees_people = found[key], may_see_people(request.user)
    person = profile["customer"]
    advised = advise({person: profile})[person]
    before = NextAction.objects.filter(customer__in=profile["profiles"]).select_related("sales_channel", "variant")
    history = list(before[:MOST_OF_A_PERSON])
    standing = next((one for one in history if one.pk == advised.standing), None)
    chosen, reasons = shown(advised, standing)
    known = advised.known
    title = profile["name"] if sees_people else f"Customer {person}"
    context = {
        "person": person, "title_of": title, "chosen": chosen, "reasons": reasons,
        "standing": standing if standing is not None and standing.action == chosen.name else None,
        "options": [(one, advised.probabilities[one.name]) for one in advised.options], "policy": advised.policy,
        "goods": [
            (pick, known.names[pick.goods], known.names.get(pick.because or 0), known.can_sell(pick.goods))
            for pick in advised.picks
        ] if known else [],
        "channel": SalesChannel.objects.filter(pk=known.channel.id).first() if known and known.channel else None,
        "history": [(one, LABELS.get(one.action, one.action)) for one in history],
        "may_answer": request.user.has_perm(ANSWERED),
    }  # fmt: skip
    return show(request, "customer_advice.html", f"Advice for {title}", context)


@page(ANSWERED, "POST")
def answer_advice(request: HttpRequest, key: int) -> HttpResponse:
    """Accept or dismiss a decision."""
    attempt(request, lambda: _answer(request, key))
    return back(request, reverse("console:advice"))


def _answer(request: HttpRequest, key: int) -> str:
    word = request.POST.get("answer", "")
    if word not in (NextAction.Answer.ACCEPTED, NextAction.Answer.DISMISSED):
        raise ValidationError("Accept the advice or dismiss it.")
    row = answer_decision(key, word, actor=actor(request))
    label = LABELS.get(row.action, row.action)
    if word == NextAction.Answer.ACCEPTED:
        return f"{label}: accepted. What they do until {row.closes_at:%d %b %Y} is put down to it."
    return f"{label}: dismissed. It is not advised for this person again for a month."


def _narrowed(given: Mapping[str, Any]) -> QuerySet[NextAction]:
    state = given.get("state", WAITING)
    chosen = NextAction.objects.all()
    chosen = chosen.exclude(settled_at=None) if state == SETTLED else chosen.filter(settled_at=None)
    if state == WAITING:
        chosen = chosen.filter(answer="", closes_at__gt=clock.now())
    action = given.get("action")
    chosen = chosen.filter(action=action) if action else chosen.exclude(action=NO_ACTION)
    if channel := given.get("channel"):
        chosen = chosen.filter(sales_channel_id=int(channel))
    return chosen


def _row(row: NextAction, person: Shown) -> Row:
    action = CATALOGUE.get(row.action)
    reasons = [*row.reasons, TRIAL] if row.is_trial else list(row.reasons)
    return Row(row, person, LABELS.get(row.action, row.action), action.text if action else "", reasons)


def _summary() -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["summary"], {"since": clock.now() - timedelta(days=SUMMARY_DAYS)})
        rows = cursor.fetchall()
    names = ("action", "decisions", "accepted", "dismissed", "settled", "orders", "replies", "unsubscribed")
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return [one | {"label": LABELS.get(one["action"], one["action"])} for one in found]


def _verdict() -> dict[str, Any]:
    """The verdict on the policy that learns, its figures in rows, and when goods were last put together."""
    policy = ActionPolicy.objects.first()
    figures = policy.figures if policy else {}
    estimates = [
        {"policy": POLICY_WORDS.get(name, name), **one}
        for name, found in figures.get("estimates", {}).items() for one in found.values()
    ]  # fmt: skip
    return {
        "policy": policy, "estimates": estimates, "gains": list(figures.get("gains", {}).values()),
        "fewest": FEWEST_DECISIONS, "refresh": AdviceRefresh.objects.first(),
    }  # fmt: skip
