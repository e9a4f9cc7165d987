"""Playing seeds: thirty days, then calm, then the reckoning."""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import connection

from finalmarket.integrations import notices
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.integrations.told_again import SHOWN_AFTER
from finalmarket.kernel.database import database_ready
from finalmarket.kernel.jobs import declared
from tests.simulation import laws
from tests.simulation.database import Stage, stage
from tests.simulation.machine import Machine
from tests.simulation.play import DAYS, Play
from tests.simulation.town import Town, build, public_address

MOST_ROUNDS = 40
DAYS_BETWEEN_LOOKS = 10
SHARE_OF_LAST_TURNS = 0.05
LEDGER = """
    SELECT kind, variant_id, location_id, sales_channel_id, on_hand_delta, reserved_delta, allocated_delta, fence_delta,
           reservation_id, reference, actor, reason, at FROM stock_movement ORDER BY id"""


class Broken(AssertionError):
    """A law is broken; the message holds the command that shows it again."""


@dataclass
class Played:
    """What came of a run: `digest` is that of its trace and its ledger."""

    seed: int
    digest: str
    counts: Counter[str]
    wrong: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    day: int = 0

    def replay(self) -> str:
        """The command that plays it again."""
        return f"python -m tests.simulation {self.seed}"

    def __str__(self) -> str:
        first = "; ".join(self.wrong[:5])
        return f"seed {self.seed}, day {self.day}: {first}\n    replay: {self.replay()}"


class Theatre:
    """A database and a town in it, for as many runs as wanted."""

    def __init__(self, at: Stage, town: Town) -> None:
        self._stage, self._town = at, town

    def play(self, seed: int, *, keep_lines: bool = False, days: int = DAYS) -> Played:
        """Play a seed from the opening to the reckoning. What the house does wrong is in `wrong`, and not raised."""
        self._stage.open()
        machine = Machine(seed)
        machine.keeps_lines = keep_lines
        played = Played(seed, "", machine.counts)
        with machine.running():
            try:
                play = Play(machine, self._town)
                for played.day in range(1, days + 1):
                    for _ in play.day():
                        played.wrong += laws.after_a_move()
                    if played.day % DAYS_BETWEEN_LOOKS == 0:
                        played.wrong += laws.after_some_days(play)
                    if played.wrong:
                        break
                if not played.wrong:
                    _calm_down(play)
                    played.wrong += laws.at_the_end(play)
            except Exception as error:
                played.wrong.append(f"{type(error).__name__}: {error}")
                if keep_lines:
                    raise
            played.digest = _digest(machine)
        played.lines = machine.lines
        return played


def _calm_down(play: Play) -> None:
    """All is well outside; workers work until nothing waits."""
    with play.machine.process():
        _come_to_rest(play, play.machine)


def _come_to_rest(play: Play, machine: Machine) -> None:
    machine.otherwise, machine.cut_at = None, None
    machine.note("calm")
    machine.down.clear()
    for _, mend in play.ends:
        mend()
    for account in play.town.accounts:
        play.let_in(account)
    machine.pass_time(600)
    machine.otherwise, machine.share_of_turns = play.meanwhile, SHARE_OF_LAST_TURNS
    with machine.process():
        _round(play)  # what others change just now has to be told all the same, and what fails now, too
    machine.otherwise, play.share_of_cuts = None, 0.0
    for there in play.there.values():
        there.faults.stop()
    for account in play.town.accounts:
        play.let_in(account)  # a token may have been refused twice just now
    machine.pass_time(60)
    for account in play.town.accounts:
        play.job("integrations.pull", account)
    notices.find(timedelta(days=60))
    _settle(play)
    machine.pass_time(SHOWN_AFTER.total_seconds() + 60)
    for account in play.town.accounts:
        if account.name in play.to_sweep:
            play.job("integrations.drift", account)
            play.job("integrations.prices", account)
    _settle(play)


def _settle(play: Play) -> None:
    for _ in range(MOST_ROUNDS):
        if not _round(play):
            return
        play.machine.pass_time(240)
    stuck = ChannelIntegration.objects.exclude(status="active").values_list("platform_name", "status_reason")
    raise Broken(f"something waits for ever: {list(laws.waits(play))}, accounts that are not active: {list(stuck)}")


def _round(play: Play) -> bool:
    """Workers do what waits, once; whether anything did."""
    accounts = {account.name: account for account in play.town.accounts}
    play.look_again()
    for by_the_minute in ("stock.expire_holds", "orders.bring_in_step"):
        declared()[by_the_minute].run()
    waiting = list(laws.waits(play))
    for name, job in waiting:
        play.job(job, accounts[name])
    return bool(waiting)


def _digest(machine: Machine) -> str:
    if machine.is_dead or not connection.connection or connection.in_atomic_block:
        return machine.digest
    with connection.cursor() as cursor:
        cursor.execute(LEDGER)
        ledger = repr(cursor.fetchall())
    return hashlib.sha256((machine.digest + ledger).encode()).hexdigest()


@contextmanager
def theatre(worker: str = "main") -> Iterator[Theatre]:
    """Within it seeds can be played, in this process and this thread."""
    name, value = public_address()
    before = os.environ.get(name)
    os.environ[name] = value
    logging.disable(logging.CRITICAL)
    try:
        with stage(worker) as at:
            machine = Machine(0)
            with machine.running():
                town = build(machine)
            at.keep()
            yield Theatre(at, town)
    finally:
        logging.disable(logging.NOTSET)
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before


def play_all(seeds: Iterable[int], worker: str = "main") -> Iterator[Played]:
    """Play seeds one after another."""
    with theatre(worker) as open_theatre:
        for seed in seeds:
            yield open_theatre.play(seed)


def main() -> int:
    """See __main__.py."""
    database_ready()
    arguments = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    arguments.add_argument("seed", nargs="?", type=int, help="the seed to replay, with its trace")
    arguments.add_argument("--from", dest="first", type=int, default=0, help="the first of many seeds")
    arguments.add_argument("--seeds", type=int, default=20, help="how many")
    asked = arguments.parse_args()
    if asked.seed is not None:
        with theatre() as open_theatre:
            played = open_theatre.play(asked.seed, keep_lines=True)
        print("\n".join(played.lines))  # noqa: T201
        print(played if played.wrong else f"seed {asked.seed}: all laws hold; {played.digest}")  # noqa: T201
        return int(bool(played.wrong))
    return _play_many(asked.first, asked.seeds)


def _play_many(first: int, seeds: int) -> int:
    begun, cpu, wrong, counts = time.monotonic(), time.process_time(), 0, Counter[str]()
    for played in play_all(range(first, first + seeds)):
        counts.update(played.counts)
        wrong += bool(played.wrong)
        if played.wrong:
            print(played)  # noqa: T201
    spent = f"{time.monotonic() - begun:.1f} s, {time.process_time() - cpu:.1f} s of them in Python"
    print(f"{seeds} seeds, {wrong} wrong, {spent}")  # noqa: T201
    for name, count in sorted(counts.items()):
        print(f"  {count:8,} {name}")  # noqa: T201
    return int(bool(wrong))
