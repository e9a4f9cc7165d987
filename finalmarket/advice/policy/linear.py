"""What is known of each action: a Bayesian linear regression of its reward on the context, kept up outcome by outcome.

With the prior N(0, I / ridge) on the coefficients of an action and outcomes (x, y), the posterior has the precision
A = ridge I + sum x x', the mean A^-1 sum x y, and the variance of x's prediction is s2 x' A^-1 x (the disjoint linear
model of Li et al. 2010). One more outcome changes A by a matrix of rank one, so its inverse is kept by the formula of
Sherman and Morrison (1950) and never computed anew; the order of outcomes does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from finalmarket.advice.policy.off_policy import Numbers

RIDGE = 1.0
PRIOR_VARIANCE, PRIOR_ROWS = 0.25, 2.0
"""Before anything is known an outcome is thought to vary as a fair coin does, as if two outcomes had said so."""


@dataclass(slots=True)
class Regression:
    """What is known of one action."""

    inverse: Numbers
    moment: Numbers
    rows: int = 0
    squares: float = 0.0

    @classmethod
    def blank(cls, size: int, ridge: float = RIDGE) -> Regression:
        """Know nothing yet of contexts of `size` numbers."""
        return cls(np.eye(size) / ridge, np.zeros(size))

    @property
    def mean(self) -> Numbers:
        """The coefficients as they are most likely."""
        return self.inverse @ self.moment

    @property
    def noise(self) -> float:
        """The variance of an outcome around its prediction: of what was seen and of the prior together."""
        left_over = max(0.0, self.squares - float(self.moment @ self.mean))
        return (left_over + PRIOR_ROWS * PRIOR_VARIANCE) / (self.rows + PRIOR_ROWS)

    def learn(self, context: Numbers, reward: float) -> None:
        """Take one outcome in (Sherman and Morrison)."""
        turned = self.inverse @ context
        self.inverse -= np.outer(turned, turned) / (1.0 + float(context @ turned))
        self.moment += reward * context
        self.rows += 1
        self.squares += reward * reward

    def learn_many(self, contexts: Numbers, rewards: Numbers) -> None:
        """Take many outcomes in at once; the same as one after the other, but for rounding."""
        turned = np.linalg.inv(np.linalg.inv(self.inverse) + contexts.T @ contexts).astype(np.float64)
        self.inverse = (turned + turned.T) / 2
        self.moment = self.moment + contexts.T @ rewards
        self.rows += len(rewards)
        self.squares += float(rewards @ rewards)


@dataclass(slots=True)
class LinearModel:
    """What is known of all actions, by name, for contexts of `size` numbers."""

    size: int
    ridge: float = RIDGE
    actions: dict[str, Regression] = field(default_factory=dict)

    def of(self, action: str) -> Regression:
        """Return what is known of an action; nothing yet, where it is new."""
        if action not in self.actions:
            self.actions[action] = Regression.blank(self.size, self.ridge)
        return self.actions[action]

    def means(self, contexts: Numbers, actions: Sequence[str]) -> Numbers:
        """Return the reward to be expected of each action (columns) in each context (rows)."""
        return contexts @ np.column_stack([self.of(action).mean for action in actions])

    def spreads(self, contexts: Numbers, actions: Sequence[str]) -> Numbers:
        """Return the standard deviation of that expectation: how little is known of it."""
        columns = []
        for action in actions:
            known = self.of(action)
            variance = np.einsum("ij,jk,ik->i", contexts, known.inverse, contexts) * known.noise
            columns.append(np.sqrt(np.maximum(variance, 0.0)))
        return np.column_stack(columns)

    def state(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        return {
            "size": self.size, "ridge": self.ridge,
            "actions": {
                name: {
                    "inverse": known.inverse.tolist(), "moment": known.moment.tolist(), "rows": known.rows,
                    "squares": known.squares,
                }
                for name, known in sorted(self.actions.items())
            },
        }  # fmt: skip

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> LinearModel:
        """Return the model that `state` was taken of."""
        model = cls(int(state["size"]), float(state["ridge"]))
        for name, kept in state["actions"].items():
            model.actions[name] = Regression(
                np.array(kept["inverse"]), np.array(kept["moment"]), int(kept["rows"]), float(kept["squares"])
            )
        return model
