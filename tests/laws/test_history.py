"""The checker of histories is right: it agrees with trying every order, and it sees through what is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.laws.history import OK, RELEASE, RESERVE, History, Operation, Unreadable, read
from tests.laws.history_ordered import ordered
from tests.laws.linearizable import _groundless, complaints, main

ROOT = Path(__file__).resolve().parents[2]
ENDLESS = float("inf")
HISTORIES = int(os.environ.get("FINALMARKET_PROOF_HISTORIES", "300"))


def lines(*events: dict[str, Any]) -> list[str]:
    return [json.dumps(event) for event in events]


def asked(op: int, at: int, **facts: Any) -> dict[str, Any]:
    return {"kind": "invoke", "op": op, "at": at, "verb": "reserve", "units": 1, **facts}


def told(op: int, at: int, kind: str = "ok") -> dict[str, Any]:
    return {"kind": kind, "op": op, "at": at}


def two_units(*events: dict[str, Any]) -> list[str]:
    """Two units, of which two buyers get one each; then what else happened."""
    return lines({"kind": "stock", "units": 2}, asked(1, 10), asked(2, 11), told(1, 20), told(2, 30), *events)


SOLD_OUT = [asked(3, 40), told(3, 50, "fail")]


def judged(history: Iterable[str]) -> list[str]:
    return complaints(read(history))


# What is right.


def test_a_refusal_after_the_last_unit_went_is_right() -> None:
    assert judged(two_units(*SOLD_OUT, {"kind": "left", "units": 0})) == []


def test_a_refusal_while_the_last_grant_is_under_way_is_right() -> None:
    history = lines({"kind": "stock", "units": 1}, asked(1, 10), asked(2, 11), told(2, 12, "fail"), told(1, 20))
    assert judged(history) == []


def test_an_unknown_outcome_that_is_in_the_books_may_have_come_at_any_time_after_its_question() -> None:
    found = {"kind": "found", "op": 2, "outcome": "ok"}
    history = lines(
        {"kind": "stock", "units": 1}, asked(2, 10), told(2, 20, "unknown"), asked(3, 40), told(3, 50, "fail")
    )
    assert judged([*history, json.dumps(found)]) == []


# What is broken.


def test_one_extra_sale_is_seen() -> None:
    (sentence,) = judged(two_units(asked(3, 40), told(3, 50)))
    assert sentence == "oversold by 1: 3 units are held, and 2 were there"


def test_a_refusal_while_a_unit_was_certainly_left_is_seen() -> None:
    history = lines(
        {"kind": "stock", "units": 2},
        asked(1, 10),
        told(1, 20),
        asked(3, 30),
        told(3, 40, "fail"),
        asked(2, 50),
        told(2, 60),
    )
    assert judged(history) == ["operation 3 was refused 1, and 1 were certainly left all the time"]


def test_a_refusal_after_a_unit_came_back_is_seen() -> None:
    back = {"kind": "invoke", "op": 4, "at": 60, "verb": "release", "of": 1}
    wrong = judged(two_units(*SOLD_OUT, back, told(4, 70), asked(5, 80), told(5, 90, "fail")))
    assert wrong == ["operation 5 was refused, though units were certainly left all the time"]


def test_an_answer_before_its_question_is_seen() -> None:
    with pytest.raises(Unreadable, match="line 7: operation 3 was answered before it was asked"):
        judged(two_units(asked(3, 40), told(3, 39, "fail")))


def test_a_unit_that_is_held_by_nobody_is_seen() -> None:
    (sentence,) = judged(two_units({"kind": "left", "units": 1}))
    assert sentence == "2 were there and 2 are held, but the books say that 1 are left"


@pytest.mark.parametrize("found", [[], ["ok", "ok"], ["ok", "fail"]])
def test_an_unknown_outcome_has_to_resolve_to_just_one(found: list[str]) -> None:
    books = [{"kind": "found", "op": 3, "outcome": outcome} for outcome in found]
    (sentence,) = judged(two_units(asked(3, 40), told(3, 50, "unknown"), *books))
    assert sentence == f"the unknown outcome of operation 3 resolves to {len(found)} outcomes, not to one"


def test_a_unit_is_given_back_once_and_only_by_who_has_it() -> None:
    def back(op: int, of: int, at: int) -> list[dict[str, Any]]:
        return [{"kind": "invoke", "op": op, "at": at, "verb": "release", "of": of}, told(op, at + 5)]

    wrong = judged(two_units(*SOLD_OUT, *back(4, 1, 60), *back(5, 1, 70), *back(6, 3, 80), *back(7, 2, 25)))
    assert wrong[:3] == [
        "operation 5 gives back once more what operation 1 got",
        "operation 6 gives back what operation 3 never got",
        "operation 7 gives back what operation 2 was not yet told to have",
    ]


# What is no history.


@pytest.mark.parametrize(
    ("history", "sentence"),
    [
        ([], "the history is empty: it proves nothing"),
        (lines({"kind": "stock", "units": 2}), "nobody asked for anything: the history proves nothing"),
        ([*two_units(), '{"kind": "ok", "op": '], "line 6 is not JSON, perhaps it was cut off"),
        (two_units({"kind": "okay", "op": 1}), "line 6: there is no event of kind 'okay'"),
        (two_units(told(9, 40)), "line 6: operation 9 was answered before it was asked, or never asked"),
        (two_units(told(1, 40)), "line 6: operation 1 was answered before, with 'ok'"),
        (two_units(asked(1, 40)), "line 6: operation 1 was asked before"),
        (two_units(asked(3, 40, verb="steal")), "line 6: there is no verb 'steal'"),
        (two_units({"kind": "left", "units": "2"}), "line 6: \"units\" is '2', it has to be a whole number"),
        (two_units()[1:], "line 1: a history begins with what was there, not with 'invoke'"),
        (["[1, 2]"], 'line 1 is no event: it has no "kind"'),
    ],
)  # fmt: skip
def test_what_is_no_history_is_refused_with_the_line_and_the_reason(history: list[str], sentence: str) -> None:
    with pytest.raises(Unreadable) as refused:
        judged(history)
    assert str(refused.value).startswith(sentence)


def test_a_history_that_breaks_off_is_no_proof() -> None:
    (sentence,) = judged(two_units(asked(3, 40)))
    assert sentence == "operation 3 has no end: nobody wrote down what came of it"


def test_files_are_judged_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, wrong, cut = (tmp_path / name for name in ("good.jsonl", "wrong.jsonl", "cut.jsonl"))
    good.write_text("\n".join(two_units(*SOLD_OUT)))
    wrong.write_text("\n".join(two_units(asked(3, 40), told(3, 50))))
    cut.write_text("\n".join(two_units())[:-21])
    assert [main([str(path)]) for path in (good, wrong, cut)] == [0, 1, 2]
    assert [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()] == [
        "linearizable, every unit accounted for", "oversold by 1: 3 units are held, and 2 were there",
        "wrong: 1 complaints", "unreadable: line 5 is not JSON, perhaps it was cut off: Unterminated string "
        "starting at: line 1 column 10 (char 9)",
    ]  # fmt: skip
    run = [sys.executable, "-m", "tests.laws.linearizable", str(good)]
    assert subprocess.run(run, cwd=ROOT, check=False, capture_output=True).returncode == 0


# Against trying every order.


def is_linearizable(history: History) -> bool:
    """Wing and Gong's search: take any operation that nothing else was answered before, do it, and go on."""
    moved = [*history.grants, *history.releases, *history.refusals]

    def goes_on(left: int, waiting: tuple[Operation, ...]) -> bool:
        for one in waiting:
            if any(other.answered < one.invoked for other in waiting if other is not one):
                continue
            after = _done(left, one)
            if after is not None and goes_on(after, tuple(other for other in waiting if other is not one)):
                return True
        return not waiting

    return goes_on(history.units, tuple(moved))


def _done(left: int, one: Operation) -> int | None:
    """What is left after it; None where a counter answers otherwise."""
    if one.verb == RELEASE:
        return left + one.units
    is_enough = left >= one.units
    if one.was_refused:
        return None if is_enough else left
    return left - one.units if is_enough else None


@st.composite
def histories(draw: st.DrawFn, most_units: int, *, may_release: bool, most: int = 8) -> History:
    """Any answers at all to few operations at few moments: most are wrong, many nearly right."""
    history = History(draw(st.integers(0, 3)))
    for number in range(1, draw(st.integers(1, most)) + 1):
        began = draw(st.integers(0, 12))
        one = Operation(
            number, RESERVE, draw(st.integers(1, most_units)), began, answered=began + draw(st.integers(0, 9))
        )
        one.told = draw(st.sampled_from(["ok", "fail", "ok", "fail", "unknown"]))
        holds = [other.number for other in _not_given_back(history) if other.answered <= began]
        if may_release and holds and draw(st.booleans()):
            one.verb, one.of, one.told = RELEASE, draw(st.sampled_from(holds)), draw(st.sampled_from(["ok", "unknown"]))
        if one.told == "unknown":
            one.answered, one.found = ENDLESS, [draw(st.sampled_from(["ok", "fail"]))]
        history.operations[number] = one
    return history


def _not_given_back(history: History) -> Iterator[Operation]:
    gone = {one.of for one in history.operations.values() if one.verb == RELEASE}
    yield from (
        one for one in history.operations.values() if one.verb == RESERVE and one.told == OK and one.number not in gone
    )


@settings(max_examples=HISTORIES, derandomize=True, database=None)
@given(histories(1, may_release=True, most=6))
def test_some_order_of_the_books_explains_a_history_if_and_only_if_it_is_linearizable(history: History) -> None:
    assume(not list(_groundless(history)))
    effects = [*history.grants, *history.releases]

    def is_explained(order: Sequence[Operation]) -> bool:
        for place, one in enumerate(order):
            one.place = place
        return not list(ordered(history))

    assert any(is_explained(order) for order in permutations(effects)) == is_linearizable(history)


@settings(max_examples=HISTORIES, derandomize=True, database=None)
@given(histories(3, may_release=False))
def test_without_releases_the_rule_says_what_trying_every_order_says(history: History) -> None:
    assert (complaints(history) == []) == is_linearizable(history)


@settings(max_examples=HISTORIES, derandomize=True, database=None)
@given(histories(1, may_release=True))
def test_with_releases_the_sweep_says_what_trying_every_order_says(history: History) -> None:
    assert (complaints(history) == []) == is_linearizable(history)
