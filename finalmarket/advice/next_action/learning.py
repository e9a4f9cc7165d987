"""Learning from settled decisions, and whether what was learned is trusted with the next ones.

The policy that learned decides only once its value, estimated off-policy on decisions that it did not learn from, is
distinguishably above that of the rules: the whole interval of the gain, by SNIPS and by the doubly robust estimator,
lies above zero, and the log is long enough. Until then, and again when it is not so any more, the rules decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
from django.db import transaction

from finalmarket.advice.models import ActionPolicy, NextAction
from finalmarket.advice.next_action.advising import EXPLORE
from finalmarket.advice.next_action.catalogue import NAMES, NO_ACTION
from finalmarket.advice.next_action.context import FIGURES
from finalmarket.advice.policy.choosing import Softmax, chance_of, mixed, one_hot
from finalmarket.advice.policy.linear import LinearModel
from finalmarket.advice.policy.off_policy import Estimate, Gain, Log, Numbers, Target, estimate, gain
from finalmarket.kernel import clock
from finalmarket.kernel.plural import plural

FEWEST_DECISIONS, FEWEST_EFFECTIVE = 500, 100.0
MOST_DECISIONS, FOLDS, SEED = 200_000, 5, 7
OF, OVER = "the policy that learned", "the rules"


@dataclass(frozen=True, slots=True)
class Settled:
    """Settled decisions as figures: contexts, which action was chosen (its place in NAMES), its reward and propensity,
    which actions were eligible, and the chances that the rules give them."""

    contexts: Numbers
    done: Any
    rewards: Numbers
    propensities: Numbers
    eligible: Any
    by_rules: Numbers

    def rows(self, chosen: Any) -> Settled:
        """Return a part of them."""
        return Settled(*(cast("Any", getattr(self, name))[chosen] for name in self.__slots__))

    @property
    def log(self) -> Log:
        """What estimators need."""
        return Log(self.rewards, self.propensities)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the policy that learned is trusted, why, and the figures behind it."""

    is_trusted: bool
    text: str
    estimates: Mapping[str, Mapping[str, Estimate]]
    gains: Mapping[str, Gain]

    def figures(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return {
            "estimates": {
                policy: {name: asdict(one) for name, one in found.items()} for policy, found in self.estimates.items()
            },
            "gains": {name: asdict(one) for name, one in self.gains.items()},
        }


@transaction.atomic
def learn() -> int:
    """Take what was settled since the last time into the model; return how many decisions that were. What was learned
    of contexts of another shape is forgotten and learned anew."""
    policy = _locked()
    model = _model(policy)
    if model is None:
        model = LinearModel(len(FIGURES))
        NextAction.objects.exclude(learned_at=None).update(learned_at=None)
        policy.learned_rows = 0
    fresh = NextAction.objects.filter(learned_at=None).exclude(settled_at=None).order_by("id")
    taken = []
    for row in fresh.select_for_update(skip_locked=True)[:MOST_DECISIONS]:
        taken.append(row.pk)
        if len(row.context) == len(FIGURES) and row.action in NAMES and row.reward is not None:
            model.of(row.action).learn(np.array(row.context, np.float64), row.reward)
            policy.learned_rows += 1
    if taken:
        NextAction.objects.filter(pk__in=taken).update(learned_at=clock.now())
        policy.version += 1
        policy.state = model.state()
        policy.save()
    return len(taken)


@transaction.atomic
def judge() -> Verdict:
    """Value what was learned against the rules, and write down whether it is trusted."""
    policy = _locked()
    verdict = verdict_on(read())
    policy.is_trusted, policy.verdict = verdict.is_trusted and _model(policy) is not None, verdict.text[:500]
    policy.figures, policy.evaluated_at = verdict.figures(), clock.now()
    policy.save()
    return verdict


def read() -> Settled | None:
    """Read the newest settled decisions; None where there are none that can be used."""
    rows = NextAction.objects.exclude(settled_at=None).exclude(reward=None).order_by("-id")
    columns = rows.values_list("context", "action", "reward", "propensity", "probabilities", "by_rule")
    usable = [
        row for row in columns[:MOST_DECISIONS]
        if len(row[0]) == len(FIGURES) and row[1] in NAMES and set(row[4]) <= set(NAMES) and row[5] in row[4]
    ]  # fmt: skip
    if not usable:
        return None
    chances = np.array([[row[4].get(name, 0.0) for name in NAMES] for row in usable])
    return Settled(
        np.array([row[0] for row in usable], np.float64), np.array([NAMES.index(row[1]) for row in usable]),
        np.array([row[2] for row in usable], np.float64), np.array([row[3] for row in usable], np.float64),
        chances > 0, _chances_by_rules(chances, [row[5] for row in usable]),
    )  # fmt: skip


def _chances_by_rules(chances: Numbers, choices: Sequence[str]) -> Numbers:
    """What the rules would have given to each action that was eligible."""
    eligible = chances > 0
    first = one_hot(np.array([NAMES.index(name) for name in choices]), len(NAMES))
    return mixed(first, eligible, EXPLORE)


def verdict_on(settled: Settled | None) -> Verdict:
    """Say whether choosing by what was learned is distinguishably better than the rules, on decisions that were not
    learned from: the log is parted into folds, each judged by what the others teach. Pure."""
    count = 0 if settled is None else int(settled.rewards.size)
    if settled is None or count < FEWEST_DECISIONS:
        so_far = plural(count, "decision is", "decisions are")
        text = f"{so_far} settled; the rules decide until there are {FEWEST_DECISIONS} to judge by"
        return Verdict(False, text, {}, {})
    learned, ruled, idle = _crossed(settled)
    estimates = {
        name: {one: estimate(one, settled.log, target, seed=SEED) for one in ("ips", "snips", "dr")}
        for name, target in (("learned", learned), ("rules", ruled), (NO_ACTION, idle))
    }
    gains = {name: gain(name, settled.log, learned, ruled, of=OF, over=OVER) for name in ("snips", "dr")}
    effective = estimates["learned"]["snips"].effective_rows
    if effective < FEWEST_EFFECTIVE:
        text = f"the log is worth only {effective:.0f} decisions of the policy that learned: the rules decide"
        return Verdict(False, text, estimates, gains)
    is_better = all(one.low > 0 for one in gains.values())
    text = f"{gains['snips'].text}; {'it decides' if is_better else 'the rules decide'}"
    return Verdict(is_better, text, estimates, gains)


def _crossed(settled: Settled) -> tuple[Target, Target, Target]:
    """The policy that learned, the rules, and doing nothing where that may be done, over all rows."""
    size = settled.rewards.size
    fold = np.array([int(chance_of(SEED, number) * FOLDS) for number in range(size)])
    columns = np.zeros((3, 3, size))
    idle = settled.eligible & (np.array(NAMES) == NO_ACTION)
    idle = np.where(idle.any(axis=1, keepdims=True), idle, settled.by_rules)
    for number in range(FOLDS):
        here = fold == number
        learning, judged = settled.rows(~here), settled.rows(here)
        model = LinearModel(settled.contexts.shape[1])
        for place, name in enumerate(NAMES):
            mine = learning.done == place
            model.of(name).learn_many(learning.contexts[mine], learning.rewards[mine])
        means = model.means(judged.contexts, NAMES)
        chosen = Softmax(model, EXPLORE).probabilities(judged.contexts, NAMES, judged.eligible)
        own = np.arange(judged.rewards.size), judged.done
        for target, chances in enumerate((chosen, judged.by_rules, idle[here])):
            columns[target][:, here] = chances[own], means[own], (chances * means).sum(axis=1)
    return Target(*columns[0]), Target(*columns[1]), Target(*columns[2])


def _locked() -> ActionPolicy:
    """The one row of the policy, held until the end of the transaction."""
    ActionPolicy.objects.bulk_create([ActionPolicy(pk=1)], ignore_conflicts=True)
    return ActionPolicy.objects.select_for_update().get(pk=1)


def _model(policy: ActionPolicy) -> LinearModel | None:
    """The model as it was kept; None where nothing was, or of contexts of another shape."""
    if not policy.state or int(policy.state["size"]) != len(FIGURES):
        return None
    return LinearModel.restored(policy.state)
