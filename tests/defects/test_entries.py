"""The planted defects fit the product as it is: each place is there once, each test exists, the page lists all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.defects import page
from tests.defects.copy import Copy, shared
from tests.defects.defect import Defect, chosen, mistakes, read_all
from tests.defects.judging import read

DEFECTS = read_all()
ANY = DEFECTS[0]


def test_every_defect_still_has_its_place_and_its_test() -> None:
    assert not mistakes(DEFECTS)


def test_there_are_as_many_as_were_promised_and_of_every_room() -> None:
    assert len(DEFECTS) >= 40
    assert {defect.room for defect in DEFECTS} == set(page.ROOMS)


def test_the_page_lists_every_defect() -> None:
    text = page.PAGE.read_text("utf-8")
    assert text == page.written(text, DEFECTS), "write it anew: python -m tests.defects --page"


def test_readme_tells_how_many_there_are() -> None:
    assert f"[{len(DEFECTS)} defects](docs/defects.md)" in (page.PAGE.parents[1] / "README.md").read_text("utf-8")


def test_what_a_run_found_stays_on_the_page_until_the_next_and_nothing_is_said_where_there_was_none() -> None:
    empty = f"{page.BEGIN}\n\n{page.END}"
    before = page.written(empty, DEFECTS)
    assert "Run at commit" not in before
    held = page.ran("0123456789", "2026-11-28 08:00 UTC", 41, 41, 0)
    after = page.written(before, DEFECTS, held)
    assert f"\n\n{held}\n\n### " in after
    assert page.written(after, DEFECTS) == after
    again = page.written(after, DEFECTS, page.ran("9876543210", "2026-11-29 08:00 UTC", 40, 41, 2))
    assert again.count("Run at commit") == 1
    assert "40 of 41 turned their test red, and 2 of these tests were red without any defect." in again


def test_a_stale_entry_says_what_to_do() -> None:
    stale = replace(
        ANY, before="a text that stands nowhere", test="tests/stock/test_holds.py::test_nothing_of_the_kind"
    )
    said = mistakes([stale])
    assert len(said) == 2
    assert "stands there no more; write it anew" in said[0]
    assert "there is no test" in said[1]


def test_a_place_that_is_not_the_only_one_is_no_place() -> None:
    assert "times; write it anew" in mistakes([replace(ANY, before="\n")])[0]


def test_an_id_that_stands_twice_is_said() -> None:
    assert "every defect has an id of its own" in mistakes([ANY, ANY])[0]


def test_an_id_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no defect nonsense"):
        chosen(DEFECTS, ["nonsense"])


def test_every_defect_is_dealt_out_once_and_those_of_the_database_come_last() -> None:
    hands = shared(DEFECTS, 2)
    assert sorted(defect.id for hand in hands for defect in hand) == sorted(defect.id for defect in DEFECTS)
    for hand in hands:
        assert [defect.is_in_the_database for defect in hand] == sorted(one.is_in_the_database for one in hand)


def test_a_defect_stands_in_the_copy_while_it_is_planted_and_is_gone_afterwards(tmp_path: Path) -> None:
    defect = Defect("one", "stock", "", "product.py", "reserve(1)", "reserve(2)", "tests/x.py::test_x")
    file = tmp_path / defect.file
    file.write_text("reserve(1)\n")
    times = [file.stat().st_mtime]
    copy = Copy(tmp_path, tmp_path)
    with copy.planted(defect):
        assert file.read_text() == "reserve(2)\n"
        times.append(file.stat().st_mtime)
    assert file.read_text() == "reserve(1)\n"
    times.append(file.stat().st_mtime)
    assert len({int(moment) for moment in times}) == 3, "Python would take the compiled file of another text"


def _saw(
    test: str = ANY.test, when: str = "call", outcome: str = "failed", error: str = "AssertionError"
) -> dict[str, str]:
    return {"test": test, "when": when, "outcome": outcome, "error": error, "message": "assert 1 == 2"}


@pytest.mark.parametrize(
    ("code", "seen", "outcome"),
    [
        (1, [_saw()], "killed"),
        (1, [_saw(test=f"{ANY.test}[eBay]")], "killed"),
        (1, [_saw(outcome="passed", error=""), _saw(when="teardown")], "killed"),
        (0, [_saw(outcome="passed", error="")], "survived"),
        (0, [_saw(outcome="skipped", error="Skipped")], "broken"),
        (1, [_saw(error="NameError")], "broken"),
        (1, [_saw(error="ImportError")], "broken"),
        (1, [_saw(when="setup")], "broken"),
        (1, [_saw(test="tests/stock/test_holds.py::test_another")], "broken"),
        (2, [_saw(when="collect", error="")], "broken"),
        (4, [], "broken"),
        (None, [], "broken"),
    ],
)
def test_only_the_named_test_red_by_its_own_words_proves_anything(
    code: int | None, seen: list[dict[str, str]], outcome: str
) -> None:
    assert read(replace(ANY, error=""), code, seen)[0] == outcome


def test_an_exception_that_was_expected_instead_of_an_assertion_has_to_be_that_one() -> None:
    defect = replace(ANY, error="DeadlockDetected")
    assert read(defect, 1, [_saw(error="DeadlockDetected")])[0] == "killed"
    assert read(defect, 1, [_saw()])[0] == "broken"
