"""Attribution by the removal effect in a Markov chain of any order: exact, by linear algebra. Nothing is simulated.

Anderl, Becker, von Wangenheim and Schumann (2016), "Mapping the customer journey", International Journal of Research
in Marketing 33(3), 457-474, for the model; Kemeny and Snell (1960), "Finite Markov Chains", chapter III, for absorbing
chains. numpy and scipy are imported here and nowhere else, so that who does not ask for this model does not load them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from finalmarket.journeys.attribution_rules import Channel, ChannelPath, Credit, Credits, channels_of
from finalmarket.kernel.later import later

if TYPE_CHECKING:
    from scipy import sparse
    from scipy.sparse import linalg
else:
    sparse = later("scipy.sparse")
    linalg = later("scipy.sparse.linalg")

Vector = Any
"""A numpy array of floats."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The absorbing chain of some paths. A state is the last channels of a path, at most as many as the order.

    `moves[i, j]` is the chance to go on from state i to state j, `converting[i]` the chance to convert from there, and
    `earning[i]` the value that leaves state i with a conversion, on average of all who come by; `start` is where paths
    begin.
    """

    channels: list[Channel]
    last: Vector
    start: Vector
    moves: Any
    converting: Vector
    earning: Vector

    def probability_of_conversion(self) -> float:
        """Return the chance that a path of the chain ends in a conversion."""
        return float(self.start @ self._absorbed(self.converting)) if len(self.start) else 0.0

    def removal_effects(self) -> dict[Channel, tuple[float, float]]:
        """Return for each channel which share of the conversions, and of the value, is lost when whoever touches the
        channel is lost.

        What is lost is computed as such: those who arrive at the channel for the first time, times the chance that they
        would have converted. A difference of two almost equal probabilities would drown small channels.
        """
        if not len(self.start):
            return dict.fromkeys(self.channels, (0.0, 0.0))
        chances, values = self._absorbed(self.converting), self._absorbed(self.earning)
        whole, worth = float(self.start @ chances), float(self.start @ values)
        effects = {}
        for number, channel in enumerate(self.channels):
            touched = np.flatnonzero(self.last == number)
            arriving = self._first_arrivals(touched, np.flatnonzero(self.last != number))
            lost, lost_value = float(arriving @ chances[touched]), float(arriving @ values[touched])
            effects[channel] = (lost / whole if whole else 0.0, lost_value / worth if worth else 0.0)
        return effects

    def _absorbed(self, leaving: Vector) -> Vector:
        """Solve x = leaving + moves x: what comes of each state in the end."""
        return linalg.splu(sparse.csc_matrix(sparse.identity(len(leaving)) - self.moves)).solve(leaving)

    def _first_arrivals(self, touched: Vector, others: Vector) -> Vector:
        """Return for each state of `touched` the share of paths that come there before to any other of them."""
        arriving = self.start[touched]
        if len(others):
            among = self.moves[others][:, others]
            visits = linalg.splu(sparse.csc_matrix(sparse.identity(len(others)) - among.T)).solve(self.start[others])
            arriving = arriving + self.moves[others][:, touched].T @ visits
        return arriving


def chain_of(paths: Sequence[ChannelPath], order: int = 1) -> Chain:
    """Return the chain of `order` that the paths follow, with the observed shares as chances.

    Raises ValueError for an order below 1.
    """
    if order < 1:
        raise ValueError(f"the order of a chain is at least 1, not {order}")
    channels = channels_of(paths)
    number = {channel: at for at, channel in enumerate(channels)}
    counts = _Counts()
    for path in paths:
        if path.channels and path.conversions + path.nulls > 0:
            counts.add([number[channel] for channel in path.channels], path, order)
    size = len(counts.states)
    seen = np.array(counts.seen, dtype=float)
    ends = np.array(counts.ends, dtype=float).reshape(size, 2)
    begun = np.array(counts.begun, dtype=float)
    rows, columns = np.array(counts.rows, dtype=int), np.array(counts.columns, dtype=int)
    times = np.array(counts.times, dtype=float)
    moves = sparse.csc_matrix((times / seen[rows], (rows, columns)), shape=(size, size))
    return Chain(
        channels, np.array([state[-1] for state in counts.states], dtype=int), begun / begun.sum() if size else begun,
        moves.tocsr(), ends[:, 0] / seen, ends[:, 1] / seen,
    )  # fmt: skip


class _Counts:
    """How often paths went from state to state, and how they ended."""

    def __init__(self) -> None:
        self.states: dict[tuple[int, ...], int] = {}
        self.seen: list[int] = []
        self.begun: list[int] = []
        self.ends: list[list[float]] = []
        self.rows: list[int] = []
        self.columns: list[int] = []
        self.times: list[int] = []

    def add(self, channels: list[int], path: ChannelPath, order: int) -> None:
        """Count one path as often as it was gone."""
        times = path.conversions + path.nulls
        before = None
        for at in range(1, len(channels) + 1):
            state = self._number(tuple(channels[max(0, at - order) : at]))
            self.seen[state] += times
            if before is None:
                self.begun[state] += times
            else:
                self.rows.append(before)
                self.columns.append(state)
                self.times.append(times)
            before = state
        if before is not None:
            self.ends[before][0] += path.conversions
            self.ends[before][1] += float(path.value)

    def _number(self, state: tuple[int, ...]) -> int:
        if state not in self.states:
            self.states[state] = len(self.states)
            self.seen.append(0)
            self.begun.append(0)
            self.ends.append([0.0, 0.0])
        return self.states[state]


def markov(paths: Sequence[ChannelPath], order: int = 1) -> Credits:
    """Share conversions and value in the proportion of the removal effects. Raises ValueError for an order below 1."""
    effects = chain_of(paths, order).removal_effects()
    conversions = sum(path.conversions for path in paths if path.channels)
    value = float(sum(path.value for path in paths if path.channels))
    lost = sum(effect for effect, _ in effects.values())
    lost_value = sum(effect for _, effect in effects.values())
    return {
        channel: Credit(
            conversions * effect / lost if lost else 0.0, value * of_value / lost_value if lost_value else 0.0
        )
        for channel, (effect, of_value) in effects.items()
    }
