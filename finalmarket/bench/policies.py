"""What learned policies are worth on logs of real experiments, beside always doing the same, chance, and doing nothing.

Two public logs are known by the file in their folder: the e-mail experiment of Hillstrom (2008), in which chance sent
one of two e-mails or none, and the Open Bandit Dataset (Saito et al. 2020), in which chance, and a Thompson sampler,
showed one of 80 products. No policy is valued on decisions that it was learned from.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
from numpy.typing import NDArray

from finalmarket.advice.policy.choosing import Greedy, Softmax
from finalmarket.advice.policy.linear import LinearModel
from finalmarket.advice.policy.off_policy import ESTIMATORS, Gain, Log, Numbers, Target, estimate, gain
from finalmarket.kernel.errors import UserError

EMAILS, PRODUCTS = "hillstrom.csv.gz", "random_all.parquet"
ARMS = ("No E-Mail", "Mens E-Mail", "Womens E-Mail")
NAMES = {"No E-Mail": "no_action", "Mens E-Mail": "always_mens", "Womens E-Mail": "always_womens"}
RANDOM, CONSTANT, LEARNED, SOFTMAX, TRUSTED = "random", "always_the_best", "learned", "learned_softmax", "trusted"
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Experiment:
    """A log of which the propensities are known: contexts, what was done (its number), what was rewarded."""

    contexts: Numbers
    done: NDArray[np.int64]
    rewards: Numbers
    propensities: Numbers
    actions: tuple[str, ...]

    def rows(self, chosen: NDArray[Any]) -> Experiment:
        """Return a part of it."""
        return Experiment(
            self.contexts[chosen], self.done[chosen], self.rewards[chosen], self.propensities[chosen], self.actions
        )

    @property
    def log(self) -> Log:
        """What estimators need of it."""
        return Log(self.rewards, self.propensities)


def evaluate(folder: Path, *, seed: int = 42, rows: int | None = None) -> dict[str, Any]:
    """Value policies on the log in `folder`; `rows` takes only so many of it. Returns what is printed. Raises UserError
    where no log that is known lies there."""
    if (folder / EMAILS).is_file():
        return _of_emails(folder, seed, rows)
    if (folder / PRODUCTS).is_file():
        return _of_products(folder, seed, rows)
    raise UserError(f"{folder} holds no log that is known: neither {EMAILS} nor {PRODUCTS}")


def _of_emails(folder: Path, seed: int, rows: int | None) -> dict[str, Any]:
    found: dict[str, Any] = {"data": folder.name, "references": _references(folder), "policies": {}, "gains": []}
    for outcome in ("visit", "spend"):
        experiment = read_emails(folder / EMAILS, outcome)
        experiment = experiment if rows is None else experiment.rows(np.arange(rows))
        targets = crossed(experiment, seed)
        found["policies"][outcome] = valued(experiment, targets, seed)
        found["gains"] += gains(experiment, targets, [*experiment.actions, RANDOM], outcome)
        found["rows"] = experiment.done.size
    return found


def _of_products(folder: Path, seed: int, rows: int | None) -> dict[str, Any]:
    chance, thompson = (read_products(folder / name, rows) for name in (PRODUCTS, "bts_all.parquet"))
    targets = crossed(chance, seed)
    worth = {
        "uniform_from_bts_log": valued(thompson, {"uniform": Target(_at(_uniform(thompson), thompson.done))}, seed),
        "bts_from_random_log": valued(
            chance, {"bts": Target(_at(shares_by_place(thompson, chance), chance.done))}, seed
        ),
        "click": valued(chance, {name: targets[name] for name in (RANDOM, CONSTANT, LEARNED, SOFTMAX, TRUSTED)}, seed),
    }
    return {
        "data": folder.name, "references": _references(folder), "rows": chance.done.size,
        "on_policy": {"random": chance.rewards.mean().item(), "bts": thompson.rewards.mean().item()},
        "policies": worth, "gains": gains(chance, targets, [RANDOM, CONSTANT], "click"),
    }  # fmt: skip


def read_emails(path: Path, outcome: str) -> Experiment:
    """Read the e-mail experiment; `outcome` is visit, conversion or spend. Chance gave every arm a third."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    places = {"zip_code": ("Surburban", "Urban"), "channel": ("Web", "Multichannel")}
    columns = [
        np.ones(len(rows)), _numbers(rows, "recency") / 12, np.log1p(_numbers(rows, "history")) / 8,
        _numbers(rows, "mens"), _numbers(rows, "womens"), _numbers(rows, "newbie"),
        *(np.array([row[name] == word for row in rows], float) for name, words in places.items() for word in words),
    ]  # fmt: skip
    done = np.array([ARMS.index(row["segment"]) for row in rows], np.int64)
    thirds = np.full(len(rows), 1 / 3)
    return Experiment(
        np.column_stack(columns), done, _numbers(rows, outcome), thirds, tuple(NAMES[arm] for arm in ARMS)
    )


def read_products(path: Path, rows: int | None = None) -> Experiment:
    """Read a log of the Open Bandit Dataset: which of 80 products was shown at which of three places, and the click."""
    table = parquet.read_table(path).slice(0, rows)
    items, places, clicks, chances = (
        table.column(name).to_numpy() for name in ("item_id", "position", "click", "propensity_score")
    )
    contexts = np.column_stack([np.ones(len(items)), places == 2, places == 3]).astype(float)
    actions = tuple(f"item_{number}" for number in range(80))
    return Experiment(contexts, items.astype(np.int64), clicks.astype(float), chances.astype(float), actions)


def crossed(experiment: Experiment, seed: int) -> dict[str, Target]:
    """Value nothing on rows that it was learned from: the log is parted into folds, and the policies that choose in one
    fold were learned from the others. Returns each policy over all rows of the log, by name."""
    fold = folds(experiment, FOLDS, seed)
    names = (RANDOM, *experiment.actions, CONSTANT, LEARNED, SOFTMAX, TRUSTED)
    columns = {name: np.zeros((3, experiment.done.size)) for name in names}
    for number in range(FOLDS):
        here = fold == number
        learning, choosing = experiment.rows(~here), experiment.rows(here)
        model = learned(learning)
        for name, chances in _policies(learning, choosing, model, seed).items():
            columns[name][:, here] = _in_figures(chances, choosing, model)
    return {name: Target(*rows) for name, rows in columns.items()}


def _policies(learning: Experiment, choosing: Experiment, model: LinearModel, seed: int) -> dict[str, Numbers]:
    """The chances that each policy gives all actions (columns) in each context (rows)."""
    best = best_constant(learning)
    found = {name: _always(choosing, number) for number, name in enumerate(choosing.actions)}
    found |= {RANDOM: _uniform(choosing), CONSTANT: _always(choosing, best)}
    found |= {LEARNED: _chosen(Greedy(model), choosing), SOFTMAX: _chosen(Softmax(model), choosing)}
    return found | {TRUSTED: found[LEARNED if is_trusted(learning, seed) else CONSTANT]}


def is_trusted(experiment: Experiment, seed: int) -> bool:
    """Whether choosing by context is distinguishably better than always doing what is best: learned on one half, tried
    on the other. What is not, is not used."""
    half = folds(experiment, 2, seed)
    learning, trying = experiment.rows(half == 0), experiment.rows(half == 1)
    chosen, always = _chosen(Greedy(learned(learning)), trying), _always(trying, best_constant(learning))
    return gain("snips", trying.log, Target(_at(chosen, trying.done)), Target(_at(always, trying.done))).low > 0


def best_constant(experiment: Experiment) -> int:
    """Return the action with the best mean reward; one that is never tried has none."""
    size = len(experiment.actions)
    counts = np.bincount(experiment.done, minlength=size)
    sums = np.bincount(experiment.done, experiment.rewards / experiment.propensities, minlength=size)
    return int(np.where(counts > 0, sums / max(1, experiment.done.size), -np.inf).argmax())


def folds(experiment: Experiment, count: int, seed: int) -> NDArray[np.int64]:
    """Part a log by chance, the rows of each action alike; return the fold of each row."""
    chance = np.random.default_rng(seed)
    fold = np.zeros(experiment.done.size, np.int64)
    for action in range(len(experiment.actions)):
        mine = chance.permutation(np.flatnonzero(experiment.done == action))
        fold[mine] = np.arange(mine.size) % count
    return fold


def learned(experiment: Experiment) -> LinearModel:
    """Learn of every action what came of it in its context."""
    model = LinearModel(experiment.contexts.shape[1])
    for number, action in enumerate(experiment.actions):
        mine = experiment.done == number
        model.of(action).learn_many(experiment.contexts[mine], experiment.rewards[mine])
    return model


def valued(experiment: Experiment, targets: Mapping[str, Target], seed: int) -> dict[str, dict[str, Any]]:
    """Value each target by each estimator, with bootstrap intervals."""
    return {
        name: {
            estimator: asdict(estimate(estimator, experiment.log, target, seed=seed))
            for estimator in ESTIMATORS if estimator != "dr" or target.predicted is not None
        }
        for name, target in targets.items()
    }  # fmt: skip


def gains(
    experiment: Experiment, targets: Mapping[str, Target], others: Iterable[str], outcome: str
) -> list[dict[str, Any]]:
    """Say what the learned policy brings beyond each of the others, by SNIPS, in figures and in words."""
    found = []
    for other in others:
        told: Gain = gain(
            "snips", experiment.log, targets[LEARNED], targets[other], of=f"the learned policy ({outcome})", over=other
        )
        found.append({"outcome": outcome, "over": other, **asdict(told)})
    return found


def shares_by_place(shown: Experiment, to: Experiment) -> Numbers:
    """How often the policy of one log showed each product at each place, as chances for the rows of another: the policy
    as it was on average over the week, since its chances moved from hour to hour."""
    place, wanted = (log.contexts @ np.array([0, 1, 2]) for log in (shown, to))
    chances = np.zeros((to.done.size, len(to.actions)))
    for number in range(3):
        counts = np.bincount(shown.done[place == number], minlength=len(to.actions))
        chances[wanted == number] = counts / max(1, counts.sum())
    return chances


def _chosen(policy: Greedy | Softmax, experiment: Experiment) -> Numbers:
    everything = np.ones((experiment.done.size, len(experiment.actions)), bool)
    return policy.probabilities(experiment.contexts, experiment.actions, everything)


def _always(experiment: Experiment, action: int) -> Numbers:
    chances = np.zeros((experiment.done.size, len(experiment.actions)))
    chances[:, action] = 1.0
    return chances


def _uniform(experiment: Experiment) -> Numbers:
    return np.full((experiment.done.size, len(experiment.actions)), 1 / len(experiment.actions))


def _in_figures(chances: Numbers, experiment: Experiment, model: LinearModel) -> tuple[Numbers, Numbers, Numbers]:
    """What estimators need: the chance of what was done, what the model predicts of it, and under all chances."""
    means = model.means(experiment.contexts, experiment.actions)
    return _at(chances, experiment.done), _at(means, experiment.done), (chances * means).sum(axis=1)


def _at(table: Numbers, done: NDArray[np.int64]) -> Numbers:
    """The entry of each row that belongs to what was done."""
    return table[np.arange(done.size), done]


def _numbers(rows: list[dict[str, str]], name: str) -> Numbers:
    return np.array([float(row[name]) for row in rows])


def _references(folder: Path) -> dict[str, Any]:
    path = folder / "expected.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def print_found(found: Mapping[str, Any], say: Callable[[str], Any]) -> None:
    """Tell what was found, for a reader."""
    say(f"{found['data']}: {found['rows']:,} decisions valued")
    for group, policies in found["policies"].items():
        say(f"\n{group:32s} {'value':>10s} {'95 % between':>22s} {'effective rows':>15s} {'greatest weight':>16s}")
        named = policies if not set(policies) <= set(ESTIMATORS) else {group: policies}
        for name, estimates in named.items():
            for one in estimates.values():
                say(
                    f"{name + ' ' + one['estimator']:32s} {one['value']:10.5f} {one['low']:10.5f} {one['high']:11.5f} "
                    f"{one['effective_rows']:15,.0f} {one['greatest_weight']:16,.1f}"
                )
    say("")
    for one in found["gains"]:
        say(one["text"][0].upper() + one["text"][1:] + ".")
    say("\nBeside it, the references that came with the log:")
    for name, value in _flat(found["references"]):
        say(f"  {name}: {value}")


def _flat(references: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The references line by line."""
    for name, value in references.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name} / ")
        else:
            yield f"{before}{name}", value
