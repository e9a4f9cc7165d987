"""How an action is chosen, with the probability of each known exactly, so that every decision can be valued later.

Thompson sampling chooses by a draw from the posterior; the probability of what it chose is an integral that can only
be approached. Here the actions are weighed by a softmax over optimistic expectations (the posterior mean and a share of
its standard deviation, as LinUCB adds it), mixed with a small uniform part: what is uncertain is tried, what is known
to be better is chosen more often, and every propensity is a closed formula, at least `explore / number of actions`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from finalmarket.advice.policy.linear import LinearModel
from finalmarket.advice.policy.off_policy import Numbers

Mask: TypeAlias = NDArray[np.bool_]

EXPLORE = 0.1
TEMPERATURE = 0.02
OPTIMISM = 0.5


@dataclass(frozen=True, slots=True)
class Softmax:
    """A policy that learned: chances follow optimistic expectations. `temperature` is in units of reward; the smaller,
    the more the best is preferred. `explore` is the share that is spread evenly over all eligible actions."""

    model: LinearModel
    explore: float = EXPLORE
    temperature: float = TEMPERATURE
    optimism: float = OPTIMISM

    def probabilities(self, contexts: Numbers, actions: Sequence[str], eligible: Mask) -> Numbers:
        """Return the exact probability of each action (columns) in each context (rows), zero where not eligible."""
        hopes = self.model.means(contexts, actions)
        if self.optimism:
            hopes = hopes + self.optimism * self.model.spreads(contexts, actions)
        return mixed(softmax(hopes / self.temperature, eligible), eligible, self.explore)


@dataclass(frozen=True, slots=True)
class Greedy:
    """Always the action with the best expectation, the first of equals; for valuing what was learned."""

    model: LinearModel

    def probabilities(self, contexts: Numbers, actions: Sequence[str], eligible: Mask) -> Numbers:
        """Return one for the best eligible action of each context, zero for the others."""
        hopes = np.where(eligible, self.model.means(contexts, actions), -np.inf)
        return one_hot(hopes.argmax(axis=1), len(actions))


def softmax(scores: Numbers, eligible: Mask) -> Numbers:
    """Return the softmax of each row over its eligible entries; every row has at least one."""
    kept = np.where(eligible, scores, -np.inf)
    lifted = np.exp(kept - kept.max(axis=1, keepdims=True))
    chances: Numbers = lifted / lifted.sum(axis=1, keepdims=True)
    return chances


def mixed(chances: Numbers, eligible: Mask, explore: float) -> Numbers:
    """Mix chances with a uniform part over what is eligible."""
    blend: Numbers = (1 - explore) * chances + explore * eligible / eligible.sum(axis=1, keepdims=True)
    return blend


def one_hot(chosen: NDArray[np.intp], size: int) -> Numbers:
    """Return rows with a one where an action is chosen."""
    rows = np.zeros((chosen.size, size))
    rows[np.arange(chosen.size), chosen] = 1.0
    return rows


def draw(probabilities: Numbers, chances: Numbers) -> NDArray[np.intp]:
    """Choose an action in each row by a number between 0 and 1; what has no probability is never chosen."""
    reached = probabilities.cumsum(axis=1)
    chosen = (chances[:, None] * reached[:, -1:] >= reached).sum(axis=1)
    last = probabilities.shape[1] - 1 - (probabilities[:, ::-1] > 0).argmax(axis=1)
    within: NDArray[np.intp] = np.minimum(chosen, last)
    return within


def chance_of(*about: object) -> float:
    """Return a number between 0 and 1 that follows from its words alone: the same question is answered in the same way
    on every page and by every worker, and a run can be repeated."""
    digest = hashlib.sha256("\x1f".join(map(str, about)).encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56
