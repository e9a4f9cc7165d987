"""Whether the books' own order explains a history: one order to try instead of all (see linearizable.py).

The ledger numbers what took effect in the order in which it held the lock. If a counter that goes through the grants
and releases in that order gives each of them a moment between question and answer, the history is linearizable. And if
not, the house is wrong either way: its answers fit no order, or its ledger does not tell the order in which things
happened.

An order is possible when nothing stands before what was answered before it was asked: so the latest question of all up
to a place may not come after the answer of what stands there. A refusal takes nothing, so each can be put for itself
into a gap between two places: not before one whose predecessors were all answered before it was asked, not after one
whose successors were asked after its answer, and where too little is left. Of these the first is taken: whoever asked
after another's answer then never comes before them.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from itertools import accumulate

from tests.laws.history import RELEASE, History, Operation


def ordered(history: History) -> Iterator[str]:
    """What the order of the books does not explain, in sentences."""
    effects = sorted([*history.grants, *history.releases], key=lambda one: one.place or 0)
    asked = list(accumulate((one.invoked for one in effects), max))
    left = list(accumulate((_change(one) for one in effects), initial=history.units))
    for place, one in enumerate(effects):
        if asked[place] > one.answered:
            yield f"operation {one.number} was answered before another was asked that stands before it in the books"
        if left[place + 1] < 0:
            yield f"operation {one.number} was granted a unit, though none was left: one unit too many is sold"
    yield from _wrong_refusals(history, effects, asked, left)


def _change(one: Operation) -> int:
    return one.units if one.verb == RELEASE else -one.units


def _wrong_refusals(
    history: History, effects: list[Operation], asked: list[int], left: list[int]
) -> Iterator[str]:  # fmt: skip
    answered = list(accumulate((one.answered for one in reversed(effects)), min))[::-1]
    nothing = [gap for gap, units in enumerate(left) if units <= 0]
    for one in history.refusals:
        first = bisect.bisect_left(answered, one.invoked)  # all before this gap may have been answered before
        last = bisect.bisect_right(asked, one.answered)
        at = bisect.bisect_left(nothing, first)
        if at == len(nothing) or nothing[at] > last:
            yield f"operation {one.number} was refused, though units were left all the time by the order of the books"
