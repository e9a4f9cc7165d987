"""The sweep that decides whether a history of single units, with releases, is linearizable (see linearizable.py).

Events are taken in the order of time, and nothing is done before it must be ("just in time", as in Lowe, "Testing for
linearizability", 2017):

- A **grant** is done at its answer at the latest. If nothing is left then, a release under way has to be done first:
  the one that is answered soonest. Which one makes no difference otherwise: had another been chosen, the two could be
  swapped, since both are under way now and both do the same. Grants under way are chosen alike.
- A **release** is done at its answer at the latest.
- A **refusal** needs one moment, while it is under way, at which nothing is left. Where nothing is left anyway, all
  that are under way have their moment, at no cost. Otherwise just so many grants under way have to be done early. Units
  come back only by releases, so the best moments to try it are two: just before a release is done, for then as many
  grants as ever are under way; and at the refusal's own answer, when it is the last chance.

So there is one choice in all: whether to come down to nothing just before a release. Both are followed. Two courses
that have the same units left, the same operations done early, and the same last moment of nothing have one future,
and are one. What is left of the courses at the end is proof; where the last one ends is the complaint.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator
from typing import NamedTuple

from tests.laws.history import RELEASE, History, Operation, Unreadable

MOST_COURSES = 20_000
NEVER = -1


class Course(NamedTuple):
    """One way in which it may have gone: units left, what was done before its answer, and the last moment (number of
    an event) at which nothing was left."""

    left: int
    early: frozenset[int]
    nothing_at: int = NEVER


class UnderWay:
    """Operations that were asked and not answered, by the time of their answer."""

    def __init__(self) -> None:
        self._by_answer: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._by_answer)

    def add(self, one: Operation) -> None:
        """It was asked."""
        bisect.insort(self._by_answer, (one.answered, one.number))

    def remove(self, one: Operation) -> None:
        """It was answered."""
        del self._by_answer[bisect.bisect_left(self._by_answer, (one.answered, one.number))]

    def soonest(self, early: frozenset[int], count: int) -> frozenset[int] | None:
        """Of those that are not done yet, so many that are answered soonest; None where there are not so many."""
        chosen: list[int] = []
        for _, number in self._by_answer:
            if len(chosen) == count:
                break
            if number not in early:
                chosen.append(number)
        return frozenset(chosen) if len(chosen) == count else None


def swept(history: History) -> Iterator[str]:
    """The complaint about the first answer that no course explains, if there is one."""
    sweep = _Sweep(history)
    for index, (is_answer, one) in enumerate(_events(history)):
        sentence = sweep.answer(index, one) if is_answer else sweep.ask(index, one)
        if sentence:
            yield sentence
            return


def _events(history: History) -> list[tuple[bool, Operation]]:
    """Questions and answers in order; what nobody was told of is answered at the end of time, releases first. Whatever
    bears one time may have been in either order: questions come first."""
    moved = [*history.grants, *history.releases, *history.refusals]
    questions = [(float(one.invoked), False, False, one.number) for one in moved]
    answers = [(one.answered, True, math.isinf(one.answered) and one.verb != RELEASE, one.number) for one in moved]
    return [(is_answer, history.operations[number]) for _, is_answer, _, number in sorted(questions + answers)]


class _Sweep:
    def __init__(self, history: History) -> None:
        self._courses = {Course(history.units, frozenset())}
        self._grants, self._releases = UnderWay(), UnderWay()
        self._refusals: dict[int, int] = {}  # those under way, by number: the event at which they were asked, growing

    def ask(self, index: int, one: Operation) -> str:
        if one.was_refused:
            self._refusals[one.number] = index
        else:
            (self._releases if one.verb == RELEASE else self._grants).add(one)
        return ""

    def answer(self, index: int, one: Operation) -> str:
        """Follow all courses past an answer; the complaint where none goes on."""
        if one.was_refused:
            asked = self._refusals.pop(one.number)
            step = [course for old in self._courses for course in self._refuse(old, index, asked)]
            words = f"operation {one.number} was refused, though units were certainly left all the time"
        elif one.verb == RELEASE:
            step = [course for old in self._courses for course in self._release(old, index, one)]
            self._releases.remove(one)
            words = f"operation {one.number} cannot have given a unit back when it says"
        else:
            step = [course for old in self._courses for course in self._grant(old, index, one)]
            self._grants.remove(one)
            words = (
                f"operation {one.number} was granted a unit, though certainly none was left: one unit too many is sold"
            )
        self._courses = set(step)
        if len(self._courses) > MOST_COURSES:
            raise Unreadable(f"it may have gone in more than {MOST_COURSES} ways at operation {one.number}")
        return "" if self._courses else words

    def _grant(self, course: Course, index: int, one: Operation) -> Iterator[Course]:
        left, early, nothing_at = course
        if one.number in early:
            yield Course(left, early - {one.number}, nothing_at)
        elif left:
            yield _now(left - 1, early, nothing_at, index)
        else:
            first = self._releases.soonest(early, 1)
            if first is not None:
                yield Course(0, early | first, index)

    def _release(self, course: Course, index: int, one: Operation) -> Iterator[Course]:
        left, early, nothing_at = course
        if one.number in early:
            yield Course(left, early - {one.number}, nothing_at)
            return
        yield Course(left + 1, early, nothing_at if left else index)
        if left and self._refusals and next(reversed(self._refusals.values())) > nothing_at:
            chosen = self._grants.soonest(early, left) if left <= len(self._grants) else None
            if chosen is not None:
                yield Course(1, early | chosen, index)

    def _refuse(self, course: Course, index: int, asked: int) -> Iterator[Course]:
        left, early, nothing_at = course
        if not left or nothing_at > asked:
            yield course
        elif left <= len(self._grants):
            chosen = self._grants.soonest(early, left)
            if chosen is not None:
                yield Course(0, early | chosen, index)


def _now(left: int, early: frozenset[int], nothing_at: int, index: int) -> Course:
    return Course(left, early, nothing_at if left else index)
