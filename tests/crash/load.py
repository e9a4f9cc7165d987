"""Callers that go on whatever happens, as good programs do: what was not answered with yes is sent again, the same."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from tests.crash.house import Answer, CrashHouse, until

PAUSE_SECONDS = 0.1
"""Before the same is sent again: less than Retry-After asks for, since a test is in a hurry."""
TRIES = 3_000
LOOKED_AT = 500
"""So many of the newest yeses of a kind are looked at for the first after a moment."""


@dataclass(frozen=True, slots=True)
class Yes:
    """Something that was answered with yes: by what word it is known, its number in the house, and when its last try
    began and was answered."""

    word: str
    number: int | None
    began: float
    answered: float


@dataclass(frozen=True)
class Caller:
    """What one kind of caller does, and the question that says which of its words stand in the books, with their
    numbers, once for each time."""

    name: str
    act: Callable[[CrashHouse, str], Answer]
    question: str


CALLERS = (
    Caller(
        "reservations", CrashHouse.reserve,
        "SELECT split_part(key, ':', 2), id FROM reservation WHERE split_part(key, ':', 2) LIKE 'reservations-%'",
    ),
    Caller(
        "orders", CrashHouse.order, "SELECT external_id, id FROM orders WHERE external_id LIKE 'orders-%'",
    ),
    Caller(
        "events", CrashHouse.tell,
        "SELECT message_id, NULL FROM channel_interactions WHERE message_id LIKE 'events-%'",
    ),
    Caller(
        "webhooks", CrashHouse.bring, "SELECT event_id, NULL FROM webhook_deliveries WHERE event_id LIKE 'webhooks-%'",
    ),
)  # fmt: skip


@dataclass
class Load:
    """Everything that callers did so far. `kept` by kind; `refusals` are answers that were no yes, by status;
    `sentences` say why."""

    house: CrashHouse
    kept: dict[str, list[Yes]] = field(default_factory=lambda: {caller.name: [] for caller in CALLERS})
    refusals: Counter[int] = field(default_factory=Counter)
    untidy: list[str] = field(default_factory=list)
    sentences: set[str] = field(default_factory=set)
    longest_seconds: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    def go_on(self, caller: Caller, number: int) -> None:
        """Call until told to stop; what was begun is brought to its end."""
        for turn in count():
            if self._stop.is_set():
                return
            self._bring_to_its_end(caller, f"{caller.name}-{number}-{turn}")

    def _bring_to_its_end(self, caller: Caller, word: str) -> None:
        pause = threading.Event()
        for _ in range(TRIES):
            began = time.monotonic()
            answer = caller.act(self.house, word)
            self._note(caller, answer)
            if answer.is_yes:
                number = answer.told.get("id") if caller.name in ("reservations", "orders") else None
                self.kept[caller.name].append(Yes(word, number, began, time.monotonic()))
                return
            pause.wait(PAUSE_SECONDS)
        raise AssertionError(f"{word} was never answered with yes; the last answer was {answer}")

    def _note(self, caller: Caller, answer: Answer) -> None:
        with self._mutex:
            self.longest_seconds = max(self.longest_seconds, answer.seconds)
            if answer.is_yes:
                return
            self.refusals[answer.status] += 1
            if answer.is_clean_no():
                self.sentences.add(answer.reason)
            elif answer.status:
                self.untidy.append(f"{caller.name}: {answer.status} {dict(answer.headers)} {answer.body[:200]!r}")

    def yeses(self) -> int:
        """How many things were answered with yes."""
        return sum(map(len, self.kept.values()))

    def seconds_until_all_serve(self, since: float) -> float:
        """Wait until a call of every kind that began after `since` was answered with yes; return the seconds until the
        last of them."""
        until(lambda: all(self._first_after(name, since) for name in self.kept), "callers of every kind are served")
        return max(self._first_after(name, since) for name in self.kept) - since

    def _first_after(self, name: str, since: float) -> float:
        return next((yes.answered for yes in self.kept[name][-LOOKED_AT:] if yes.began > since), 0.0)

    def faults(self) -> list[str]:
        """What was answered with yes and is not there, or stands there twice, or under another number; and what the
        stock does not agree on."""
        found = [f"the stock differs from its ledger: {one}" for one in self.house.differences()]
        for caller in CALLERS:
            stands: dict[str, list[int | None]] = {}
            for word, number in self.house.ask(caller.question):
                stands.setdefault(word, []).append(number)
            found += wrong(caller.name, self.kept[caller.name], stands)
        return found


def wrong(name: str, kept: list[Yes], stands: Mapping[str, list[int | None]]) -> list[str]:
    """What of one kind is lost, doubled, or not what was answered; in sentences."""
    found = []
    for yes in kept:
        there = stands.get(yes.word, [])
        if not there:
            found.append(f"lost: {yes.word} of {name}")
        elif len(there) > 1:
            found.append(f"doubled: {yes.word} of {name} stands there {len(there)} times")
        elif yes.number is not None and there != [yes.number]:
            found.append(f"changed: {yes.word} of {name} was answered as {yes.number} and is {there[0]}")
    asked = {yes.word for yes in kept}
    return found + [f"nobody was told of {word} of {name}" for word in stands if word not in asked]


@contextmanager
def under_load(house: CrashHouse, *, callers_of_a_kind: int = 2) -> Iterator[Load]:
    """Within it callers of every kind call; at its end all that was begun is brought to its end."""
    load = Load(house)
    broken: list[BaseException] = []

    def call(caller: Caller, number: int) -> None:
        try:
            load.go_on(caller, number)
        except BaseException as error:
            broken.append(error)

    threads = [
        threading.Thread(target=call, args=(caller, number), daemon=True)
        for caller in CALLERS
        for number in range(callers_of_a_kind)
    ]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load._stop.set()
        for thread in threads:
            thread.join()
    assert not broken, broken
