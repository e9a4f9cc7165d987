"""Decisions: made and logged with their propensities, answered by people, settled by what happened.

A decision is drawn by a number that follows from the person, the day and the policy's version alone, so that it can be
repeated, and the log says with which probability. What is valued and learned is advising, whether or not somebody
follows the advice: that is what a policy decides about, and its propensity is exact; a log of only what was accepted
would depend on who accepts what.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import numpy as np
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce

from finalmarket.advice.models import NextAction
from finalmarket.advice.next_action.advising import Advice, advise
from finalmarket.advice.policy.choosing import chance_of, draw
from finalmarket.customers.unified import profiles_of
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("decisions.sql"))
WINDOW = timedelta(days=14)
"""How long an order, a reply or an unsubscription is put down to a decision."""
PERSONS_AT_ONCE, MOST_A_RUN, SETTLED_AT_ONCE = 200, 10_000, 5_000
SEED = "next action"


def decide_due(most: int = MOST_A_RUN) -> int:
    """Decide about those who are due, who waited longest first; return for how many."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["due"], {"now": clock.now(), "most": most})
        persons = [person for (person,) in cursor.fetchall()]
    return sum(
        decide(persons[start : start + PERSONS_AT_ONCE]) for start in range(0, len(persons), PERSONS_AT_ONCE)
    )  # fmt: skip


def decide(persons: Iterable[int]) -> int:
    """Decide what to do next for these persons and write it down; return how many decisions were made. Whoever has an
    open decision, on whichever of their profiles, keeps it, and nobody decides about those who were erased or are not
    there."""
    profiles = {one["customer"]: one for one in profiles_of(set(persons), is_advised=False).values()}
    advised = advise(profiles)
    rows = [_decided(one) for one in advised.values() if one.known is not None and not one.known.is_erased]
    with failpoints.around("advice.decide"), transaction.atomic():
        asked = [row.customer_id for row in rows]
        theirs = Q(customer__in=asked) | Q(customer__merged_into__in=asked)
        person = Coalesce("customer__merged_into", "customer")
        taken = set(NextAction.objects.filter(theirs, settled_at=None).values_list(person, flat=True))
        fresh = [row for row in rows if row.customer_id not in taken]
        # Two workers may decide about one person at once: the first one stands.
        NextAction.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)


def _decided(advice: Advice) -> NextAction:
    now = clock.now()
    names = [one.name for one in advice.options]
    chances = np.array([[advice.probabilities[name] for name in names]])
    lot = chance_of(SEED, advice.person, now.date(), advice.policy.name, advice.policy.version)
    chosen = advice.options[int(draw(chances, np.array([lot]))[0])]
    return NextAction(
        customer_id=advice.person, action=chosen.name, sales_channel_id=chosen.channel, variant_id=chosen.variant,
        policy=advice.policy.name, policy_version=advice.policy.version, by_rule=advice.by_rule,
        is_trial=chosen.name != advice.best.name,
        propensity=advice.probabilities[chosen.name], probabilities=dict(advice.probabilities),
        context=advice.context.tolist(), reasons=list(chosen.reasons), expected_value=chosen.expected_value,
        currency=chosen.currency, decided_at=now, closes_at=now + WINDOW,
    )  # fmt: skip


@transaction.atomic
def answer(decision: int, word: str, *, actor: str) -> NextAction:
    """Write down that somebody accepted or dismissed a decision; the last word counts while it is open. Accepting what
    sells counts as a message to the person. Raises UserError for another word, a decision that is not there or is
    closed, and without an actor."""
    if word not in (NextAction.Answer.ACCEPTED, NextAction.Answer.DISMISSED):
        raise UserError("advice is accepted or dismissed")
    if not actor.strip():
        raise UserError("say who answers")
    found = NextAction.objects.select_for_update(of=("self",)).filter(pk=decision).first()
    if found is None:
        raise UserError(f"there is no decision {decision}")
    if found.settled_at is not None or found.closes_at <= clock.now():
        raise UserError("this decision is closed; the next one is made by itself")
    found.answer, found.answered_at, found.answered_by = word, clock.now(), actor.strip()[:100]
    found.save(update_fields=["answer", "answered_at", "answered_by"])
    return found


def settle() -> int:
    """Put down to decisions whose time is over what came of them; return how many there were."""
    settled = 0
    while True:
        with failpoints.around("advice.settle"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(QUERIES["settle"], {"now": clock.now(), "most": SETTLED_AT_ONCE})
            done = int(cursor.rowcount)
        settled += done
        if done < SETTLED_AT_ONCE:
            return settled
