"""One peer beside ours: the same buyers press at both in turn, then race for last units at both."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from finalmarket.bench.report import Figure, figure
from tests.bench.peers import goods
from tests.bench.peers.crowd import Buyer, Pressed, press, race
from tests.bench.peers.processes import NotThere
from tests.bench.peers.tally import Races, races

CALLERS = 16
RACERS = 8
WARM_UP_BUYERS = 32
MOST_BUYERS = 4_000
SPARE = 1.3
"""Carts that are made ready for each that the pace so far would use up."""


class System(Protocol):
    """What is measured: a shop with the goods of goods.py behind a port."""

    name: str
    port: int

    def carts(self, wanted: Sequence[int]) -> list[Buyer]:
        """Buyers with a unit of each wanted SKU, ready to press."""
        ...

    def sold(self, wanted: Sequence[int]) -> dict[str, int]:
        """Units in orders, by SKU."""
        ...


class Ours(System, Protocol):
    """Ours can be asked for the hold alone."""

    def holds(self, wanted: Sequence[int]) -> list[Buyer]:
        """Buyers who only take a hold."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is measured: runs, seconds for each measurement, seconds for all races, and how many at most."""

    runs: int = 5
    seconds: float = 2.0
    race_seconds: float = 60.0
    races: int = len(goods.LAST)


@dataclass
class Runs:
    """Orders a second of both, and holds a second of ours, in order of the runs."""

    theirs: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    holds: list[float] = field(default_factory=list)


@dataclass
class Beside:
    """Measures one peer beside ours."""

    peer: System
    ours: Ours
    pace: Pace
    say: Callable[[str], None]
    answers: Counter[str] = field(default_factory=Counter)
    _carts_needed: dict[str, int] = field(default_factory=dict)

    def speeds(self) -> list[Figure]:
        """Orders a second on one hot SKU and over a thousand. Raises NotThere where a system does not sell."""
        hot, spread = Runs(), Runs()
        for system in (self.peer, self.ours):
            self._carts_needed[system.name] = WARM_UP_BUYERS
            pace = self._orders(system, spread=True, seed=0, seconds=30.0)
            self._carts_needed[system.name] = int(pace * self.pace.seconds * SPARE) + CALLERS
        for number in range(1, self.pace.runs + 1):
            self.say(f"{self.peer.name}: run {number} of {self.pace.runs}")
            for runs, is_spread in ((hot, False), (spread, True)):
                runs.theirs.append(self._orders(self.peer, is_spread, number, self.pace.seconds))
                runs.ours.append(self._orders(self.ours, is_spread, number, self.pace.seconds))
                runs.holds.append(self._holds(is_spread, number))
        return [*self._figures("hot", hot), *self._figures("spread", spread)]

    def races(self) -> tuple[Races, Races]:
        """Races for last units at both in turn: theirs, ours."""
        end = time.monotonic() + self.pace.race_seconds
        raced: list[int] = []
        for number in goods.LAST[: self.pace.races]:
            if raced and time.monotonic() > end:
                break
            for system in (self.peer, self.ours):
                told = race(system.port, system.carts([number] * RACERS))
                self._note(system, "race", told)
            raced.append(number)
        self.say(f"{self.peer.name}: {len(raced)} races for a last unit, {RACERS} buyers each")
        stock = {goods.sku(number): goods.units(number) for number in raced}
        return races(stock, self.peer.sold(raced), RACERS), races(stock, self.ours.sold(raced), RACERS)

    def _orders(self, system: System, spread: bool, seed: int, seconds: float) -> float:
        """Orders a second, by what is in the order rows afterwards."""
        wanted = goods.wishes(spread, min(self._carts_needed[system.name], MOST_BUYERS), seed)
        watched = goods.SPREAD if spread else [goods.HOT]
        before = sum(system.sold(watched).values())
        told = press(system.port, deque(system.carts(wanted)), callers=CALLERS, seconds=seconds)
        made = sum(system.sold(watched).values()) - before
        self._note(system, "order", told)
        if made < told.presses / 2:
            raise NotThere(f"{told.presses} buyers pressed and {made} orders are there: {_words(told)}")
        return made / told.seconds

    def _holds(self, spread: bool, seed: int) -> float:
        buyers = deque(self.ours.holds(goods.wishes(spread, MOST_BUYERS, seed)))
        told = press(self.ours.port, buyers, callers=CALLERS, seconds=self.pace.seconds)
        if set(told.statuses) != {201}:
            raise NotThere(f"our house refused holds: {_words(told)}")
        return told.presses / told.seconds

    def _note(self, system: System, what: str, told: Pressed) -> None:
        for status, count in told.statuses.items():
            self.answers[f"{system.name} {what} {status}"] += count

    def _figures(self, name: str, runs: Runs) -> list[Figure]:
        peer = self.peer.name
        beside, hold = "ours: the checkout of the shopper's API", "ours: the hold alone, POST /stock/reservations"
        orders = "orders/s"
        return [
            figure(f"{peer}_{name}", orders, runs.theirs, baseline_name=beside, baselines=runs.ours),
            figure(f"ours_{name}_beside_{peer}", orders, runs.ours, baseline_name=hold, baselines=runs.holds),
        ]


def _words(told: Pressed) -> str:
    said = "; ".join(f"{status}: {bodies[0][:300]}" for status, bodies in told.samples.items())
    return f"{dict(told.statuses)}, such as {said}"
