"""Is what buyers were told of one SKU what a single counter could have told them? The judge of histories (history.py).

A history is right when it is **linearizable** (Herlihy and Wing, "Linearizability: a correctness condition for
concurrent objects", 1990): every operation can be given one moment between question and answer so that, done one after
another at these moments, a plain counter answers just the same. An operation of unknown outcome that the books know of
took effect at some moment after its question; one that they do not know of never did (as in Jepsen's histories). A
refusal is **wrong** when no such order exists: while it was under way, there were certainly enough units at every
moment. Linearizability is local (their theorem 1), so many SKUs are judged one by one.

To decide it is NP-complete for arbitrary objects (Gibbons and Korach, "Testing shared memories", 1997), and searched
for by tools such as Knossos. A counter needs no such search:

- **Without releases**, for any quantities: units only ever go. To move a grant's moment forward to its question, and a
  refusal's back to its answer, makes no grant worse (all prefixes of a sum that fits do fit) and every refusal better.
  So that one order decides: linearizable if and only if all grants together fit into the stock, and each refusal of n
  units finds less than n left once every grant asked for before its answer is taken off.
- **With releases**, of single units (history_swept.py): a sweep in the order of the answers that puts every moment
  off for as long as it can, with the few places at which a choice is left tried both ways. See there why it is exact.

- **With the books' order** at hand (history_ordered.py), that one order is tried, in n log n: how thousands of buyers
  at once are judged. What it explains is linearizable.

Holds of several units that are also given back pack like knapsacks; such a history is turned away with a sentence.

    python -m tests.laws.linearizable FILE ...     ends with 1 if a history is wrong, with 2 if one is unreadable
"""

from __future__ import annotations

import bisect
import sys
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from tests.laws.history import RESERVE, UNKNOWN, History, Operation, Unreadable, read
from tests.laws.history_ordered import ordered
from tests.laws.history_swept import swept

MOST_SENTENCES = 20


def complaints(history: History) -> list[str]:
    """What is wrong with the history, in sentences; none if and only if it is linearizable, every operation of unknown
    outcome was found to have one, and what is left is what was there less what was taken. Raises Unreadable for a
    history that this checker cannot decide."""
    unresolved = list(_unresolved(history))
    if unresolved:
        return unresolved
    return [*_groundless(history), *_unaccounted(history), *_out_of_order(history)]


def _unresolved(history: History) -> Iterator[str]:
    for one in history.operations.values():
        if not one.told:
            yield f"operation {one.number} has no end: nobody wrote down what came of it"
        elif one.told == UNKNOWN and len(one.found) != 1:
            yield f"the unknown outcome of operation {one.number} resolves to {len(one.found)} outcomes, not to one"
        elif one.told != UNKNOWN and any(found != one.told for found in one.found):
            yield f"operation {one.number} was told {one.told!r}, and the books say otherwise"


def _groundless(history: History) -> Iterator[str]:
    """Releases of what was not held."""
    given_back: set[int] = set()
    for one in history.releases:
        hold = history.operations.get(one.of)
        if hold is None or hold.verb != RESERVE or not hold.took_effect:
            yield f"operation {one.number} gives back what operation {one.of} never got"
        elif one.of in given_back:
            yield f"operation {one.number} gives back once more what operation {one.of} got"
        elif one.invoked < hold.answered:
            yield f"operation {one.number} gives back what operation {one.of} was not yet told to have"
        given_back.add(one.of)


def _unaccounted(history: History) -> Iterator[str]:
    taken = sum(one.units for one in history.grants) - sum(one.units for one in history.releases)
    left = history.units - taken
    if left < 0:
        yield f"oversold by {-left}: {taken} units are held, and {history.units} were there"
    if history.left is not None and history.left != left:
        yield f"{history.units} were there and {taken} are held, but the books say that {history.left} are left"


def _out_of_order(history: History) -> Iterator[str]:
    effects = [*history.grants, *history.releases]
    if not history.releases:
        yield from _wrong_refusals(history)
    elif any(one.units != 1 for one in history.operations.values()):
        raise Unreadable("holds of several units that are also given back cannot be decided without a search")
    elif any(one.place is not None for one in effects):
        yield from ordered(history) if all(one.place is not None for one in effects) else _unbooked(effects)
    else:
        yield from swept(history)


def _unbooked(effects: Sequence[Operation]) -> Iterator[str]:
    yield from (f"operation {one.number} is not in the books" for one in effects if one.place is None)


def _wrong_refusals(history: History) -> Iterator[str]:
    """Nothing is given back: a refusal is right if and only if too little is left after all that was asked for before
    its answer and granted."""
    grants = sorted(history.grants, key=lambda one: one.invoked)
    asked = [one.invoked for one in grants]
    sums = [0, *accumulate(one.units for one in grants)]
    for one in history.refusals:
        # What is asked in the very nanosecond of the answer may have come before it.
        left = history.units - sums[bisect.bisect_right(asked, one.answered)]
        if left >= one.units:
            yield f"operation {one.number} was refused {one.units}, and {left} were certainly left all the time"


def judge(path: Path) -> list[str]:
    """What is wrong with the history in a file; raises Unreadable, or OSError."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        return complaints(read(lines))


def main(paths: list[str]) -> int:
    """Judge these files; 0 when all are right, 1 when one is wrong, 2 when one cannot be read."""
    if not paths:
        print("say which file: python -m tests.laws.linearizable FILE ...")  # noqa: T201
        return 2
    worst = 0
    for path in paths:
        try:
            wrong = judge(Path(path))
        except (Unreadable, OSError) as error:
            print(f"{path}: unreadable: {error}")  # noqa: T201
            worst = 2
            continue
        for sentence in wrong[:MOST_SENTENCES]:
            print(f"{path}: {sentence}")  # noqa: T201
        print(f"{path}: {f'wrong: {len(wrong)} complaints' if wrong else 'linearizable, every unit accounted for'}")  # noqa: T201
        worst = max(worst, int(bool(wrong)))
    return worst


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
