"""What is known of many persons, and what is advised for each: one question of each kind, however many they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
from django.db import connection

from finalmarket.advice.models import NextAction
from finalmarket.advice.next_action.catalogue import NAMES, SELLING, Option, best_by_rule, options_of
from finalmarket.advice.next_action.context import context_of
from finalmarket.advice.next_action.known import Channel, Goods, Known
from finalmarket.advice.next_action.picking import QUERIES, pick
from finalmarket.advice.policy.choosing import Softmax, mixed, one_hot
from finalmarket.advice.policy.linear import LinearModel
from finalmarket.advice.policy.off_policy import Numbers
from finalmarket.advice.recommending.affinity import Pick
from finalmarket.customers.next_step import NextStep
from finalmarket.customers.unified import Members
from finalmarket.kernel import clock

RULES, LEARNED = "rules", "learned"
EXPLORE = 0.1
"""The share of decisions in which the rules let chance choose among what may be done: without it nothing is learned."""
TRIAL = "chosen by chance, to learn what it brings"
Contacts: TypeAlias = Callable[[Members, datetime], Mapping[int, Sequence[datetime]]]

CONTACTS: list[Contacts] = []
"""How higher rooms say what they sent to persons to sell something, since a moment; see `add_contacts`."""


def add_contacts(source: Contacts) -> None:
    """Register a room that writes to people, so that nobody is written to too often; called once, when it is ready."""
    if source not in CONTACTS:
        CONTACTS.append(source)


@dataclass(frozen=True, slots=True)
class Policy:
    """What chooses: the rules, or the model that learned, if it is trusted."""

    name: str = RULES
    version: int = 0
    model: LinearModel | None = None

    def probabilities(self, options: Sequence[Option], context: Numbers) -> dict[str, float]:
        """Return the exact probability of each option, by name, in the order of the catalogue."""
        names = [one.name for one in options]
        everything = np.ones((1, len(names)), bool)
        if self.model is None:
            best = names.index(best_by_rule(list(options)).name)
            chances = mixed(one_hot(np.array([best]), len(names)), everything, EXPLORE)
        else:
            chances = Softmax(self.model, EXPLORE).probabilities(context[None, :], names, everything)
        return dict(zip(names, chances[0].tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Advice:
    """What may be done for a person, with the probability of each, and what is shown: the decision that stands, else
    what is most probable. `by_rule` is what the rules alone choose, by what they assume, whoever decides."""

    person: int
    options: list[Option]
    probabilities: Mapping[str, float]
    context: Numbers
    policy: Policy
    by_rule: str
    standing: int | None = None
    picks: list[Pick] = field(default_factory=list)
    known: Known | None = None

    def option(self, name: str) -> Option | None:
        """Return the option of that name, None where it may not be done now."""
        return next((one for one in self.options if one.name == name), None)

    @property
    def best(self) -> Option:
        """The option that is most probable; of equals the first of the catalogue."""
        return max(self.options, key=lambda one: self.probabilities[one.name])


def advise(profiles: Mapping[int, Mapping[str, Any]], *, on: int | None = None) -> dict[int, Advice]:
    """Return what is advised for these persons, of whom the unified profiles are given by person; `on` a channel, by
    default on the one on which each is best spoken to. A constant number of queries; nothing is written."""
    if not profiles:
        return {}
    now = clock.now()
    channels, usual, policy = _house()
    members: Members = {person: profile["profiles"] for person, profile in profiles.items()}
    found = _known(members, profiles, now)
    for person, goods in _goods(members, now).items():
        found[person].goods = goods
    for one in found.values():
        one.channel = next((c for c in channels if c.id == on), None) if on else _preferred(one, channels)
        one.currency, one.usual_value = _worth(one, usual)
    pick(found, now)
    return {person: _advised(one, policy) for person, one in found.items()}


def next_steps(profiles: Mapping[int, Mapping[str, Any]]) -> dict[int, NextStep]:
    """Return the next best action of each person as their unified profile shows it: the decision that stands where it
    may still be done, else what the policy holds best now. (For customers/next_step.py.)"""
    advised = advise(profiles)
    ids = [one.standing for one in advised.values() if one.standing is not None]
    standing = NextAction.objects.in_bulk(ids) if ids else {}
    return {person: _step(one, standing.get(one.standing or 0)) for person, one in advised.items()}


def shown(advice: Advice, decided: NextAction | None) -> tuple[Option, tuple[str, ...]]:
    """Return what is shown of an advice, with its reasons: what was decided, if it may still be done, else the best."""
    option = advice.option(decided.action) if decided is not None else None
    if option is None or decided is None:
        return advice.best, advice.best.reasons
    return option, (*option.reasons, TRIAL) if decided.is_trial else option.reasons


def _step(advice: Advice, decided: NextAction | None) -> NextStep:
    chosen, reasons = shown(advice, decided)
    return NextStep(
        chosen.name, chosen.action.text, ", ".join(reasons), reasons, chosen.expected_value, chosen.currency
    )


def _advised(known: Known, policy: Policy) -> Advice:
    options, context = options_of(known), context_of(known)
    by_rule = best_by_rule(options).name  # before what was assumed gives way to what was learned
    if policy.model is not None:
        options = [_as_learned(one, policy.model, context, known) for one in options]
    chances = policy.probabilities(options, context)
    return Advice(known.person, options, chances, context, policy, by_rule, known.standing, known.picks, known)


def _as_learned(option: Option, model: LinearModel, context: Numbers, known: Known) -> Option:
    """What it brings beyond doing nothing, as it was learned, in place of what was assumed."""
    if option.name not in model.actions or known.usual_value is None:
        return option
    means = model.means(context[None, :], [option.name, NAMES[-1]])[0]
    gained = Decimal(repr(round(float(means[0] - means[1]), 6)))
    return replace(option, expected_value=(gained * known.usual_value).quantize(Decimal("0.01")))


def _rows(name: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[name], values)
        return list(cursor.fetchall())


def _asked(members: Members) -> dict[str, list[int]]:
    pairs = [(person, profile) for person, profiles in members.items() for profile in profiles]
    return {"people": [person for person, _ in pairs], "profiles": [profile for _, profile in pairs]}


def _known(members: Members, profiles: Mapping[int, Mapping[str, Any]], now: datetime) -> dict[int, Known]:
    found = {}
    for row in _rows("known", {**_asked(members), "now": now, "selling": list(SELLING)}):
        person, is_erased, arrived, reviewed, troubled, words, contacts, dismissed, standing = row
        found[person] = Known(
            person, profiles[person], now, is_erased, arrived, reviewed, troubled,
            [(purpose, channel, word) for purpose, channel, word in words or ()], list(contacts), frozenset(dismissed),
            standing,
        )  # fmt: skip
    for source in CONTACTS:
        for person, moments in source(members, now).items():
            found[person].contacts += moments
    return found


def _goods(members: Members, now: datetime) -> dict[int, dict[str, list[Goods]]]:
    found: dict[int, dict[str, list[Goods]]] = defaultdict(lambda: defaultdict(list))
    for row in _rows("goods", {**_asked(members), "now": now}):
        person, kind, variant, times, first, last, price, currency, channel, sku, title = row
        found[person][kind].append(Goods(variant, sku, title, times, first, last, price, currency, channel))
    return found


def _house() -> tuple[list[Channel], dict[str, Decimal], Policy]:
    channels, usual, policy = _rows("house", {})[0]
    values = {currency: Decimal(amount) for currency, amount in (usual or {}).items()}
    chosen = Policy()
    if policy:
        chosen = Policy(LEARNED, policy["version"], LinearModel.restored(policy["state"]))
    return [Channel(*row) for row in channels or ()], values, chosen


def _preferred(known: Known, channels: Sequence[Channel]) -> Channel | None:
    """The channel on which a person is best spoken to: which they buy on most, else where their cart lies, else where
    their last journey began, else where they wish, as long as it sells and may write; else the first that does."""
    profile = known.profile
    names = [profile.get("favorite_channel")]
    by_id = {one.id: one.name for one in channels}
    names += [by_id.get(line.channel or 0) for line in known.goods.get("cart", ())]
    names.append((profile.get("last_journey") or {}).get("channel"))
    fit = {one.name: one for one in channels if one.sells and one.writes}
    said = [by_id.get(channel or 0) for _, channel, word in known.words if word]
    return next((fit[name] for name in (*names, *said) if name in fit), next(iter(fit.values()), None))


def _worth(known: Known, usual: Mapping[str, Decimal]) -> tuple[str, Decimal | None]:
    """What an order of this person usually brings, in their currency; of whoever bought nothing, what one brings in the
    currency of their channel."""
    orders, currency = known.profile.get("total_orders", 0), known.profile.get("currency")
    if orders and currency:
        own: Decimal = known.profile["total_spent"] / orders
        if own > 0:
            return currency, own
    channel = known.channel.currency if known.channel else ""
    return channel, usual.get(channel)
