"""What is told of mutants: shares, survivors, and entries that say nothing true any more."""

from __future__ import annotations

import importlib
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutants import page
from tests.mutants.__main__ import ASK
from tests.mutants.mutant import (
    LEAST_SHARE,
    Count,
    Equivalent,
    Mutant,
    changed,
    counts,
    read_equivalent,
    stale,
    survivors,
)

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
HELD = Mutant("m.x_room__mutmut_1", "stock/formula.py", "room", "    return used", "    return used + 1", "killed")
LEFT = replace(HELD, becomes="    return used - 0", outcome="survived")
SAME = Equivalent("stock/formula.py", "room", "return used", "return  used - 0", "nothing is taken away")


def test_the_modules_and_the_tests_that_mutmut_is_told_of_are_there() -> None:
    named = [
        *SETTINGS["only_mutate"],
        *(one.partition("::")[0] for one in SETTINGS["pytest_add_cli_args_test_selection"]),
    ]
    assert not [name for name in named if not (ROOT / name).is_file()]


def test_stock_money_and_signatures_are_among_the_mutated() -> None:
    assert {
        "finalmarket/stock/formula.py", "finalmarket/kernel/money.py", "finalmarket/connectors/money.py",
        "finalmarket/orders/amounts.py", "finalmarket/connectors/signing.py",
        "finalmarket/integrations/outgoing/dialects.py",
    } <= set(SETTINGS["only_mutate"])  # fmt: skip


def test_every_equivalent_mutant_is_of_a_mutated_module_and_has_a_reason() -> None:
    known = read_equivalent()
    assert not [one for one in known if one.module not in SETTINGS["only_mutate"]]
    assert all(len(one.why.split()) > 3 for one in known)


def test_an_entry_without_a_reason_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "equivalent.toml"
    page.write_text('[[equivalent]]\nmodule = "a"\nfunction = "f"\nwas = "1"\nbecomes = "2"\nwhy = " "\n')
    with pytest.raises(ValueError, match="say why"):
        read_equivalent(page)


def test_mutants_that_are_no_other_than_the_original_do_not_count() -> None:
    timed_out = replace(HELD, outcome="timeout")
    assert counts([HELD, timed_out, LEFT], [SAME]) == [Count("stock/formula.py", 2, 0, 1)]
    assert counts([HELD, timed_out, LEFT], []) == [Count("stock/formula.py", 2, 1, 0)]
    assert counts([HELD, timed_out, LEFT], [])[0].share == pytest.approx(2 / 3)
    assert survivors([HELD, LEFT], []) == [LEFT]
    assert survivors([HELD, LEFT], [SAME]) == []


@pytest.mark.parametrize("outcome", ["survived", "no tests", "suspicious", "not checked", "skipped", "segfault"])
def test_only_a_test_that_goes_red_or_never_ends_counts(outcome: str) -> None:
    assert counts([replace(HELD, outcome=outcome)], [])[0].killed == 0


def test_an_entry_that_is_true_no_more_is_said() -> None:
    assert stale([SAME], [LEFT]) == []
    assert "not made any more" in stale([SAME], [HELD])[0]
    assert "was noticed" in stale([SAME], [replace(LEFT, outcome="killed")])[0]


def test_the_lines_that_differ_are_read_from_a_diff() -> None:
    diff = "--- a.py\n+++ a.py\n@@ -1,3 +1,3 @@\n def f():\n-    return 1\n+    return 2\n     # end"
    assert changed(diff) == ("    return 1", "    return 2")


def test_the_table_of_the_page_is_written_in_its_place_and_can_be_written_again(tmp_path: Path) -> None:
    there = tmp_path / "page.md"
    there.write_text(f"before\n{page.BEGIN}\n{page.END}\nafter\n")
    page.write([Count("finalmarket/a.py", 19, 1, 2), Count("finalmarket/b.py", 5, 0, 0)], there)
    once = there.read_text()
    assert "| `a.py` | 19 | 1 | 2 | 95.0% |" in once
    assert "| all | 24 | 1 | 2 | 96.0% |" in once
    assert once.startswith("before\n") and once.endswith("after\n")
    page.write([Count("finalmarket/a.py", 19, 1, 2), Count("finalmarket/b.py", 5, 0, 0)], there)
    assert there.read_text() == once


def test_mutmut_is_asked_by_names_that_it_has() -> None:
    for module, name in re.findall(r"^from (mutmut\.\S+) import (\w+)$", ASK, re.MULTILINE):
        assert hasattr(importlib.import_module(module), name), f"{module}.{name}"


def test_what_the_page_says_of_mutants_keeps_the_promise() -> None:
    _, _, told = page.PAGE.read_text("utf-8").partition(page.BEGIN)
    shares = [float(share) for share in re.findall(r"([\d.]+)% \|$", told, re.MULTILINE)]
    assert len(shares) == len(SETTINGS["only_mutate"]) + 1
    assert min(shares) >= 100 * LEAST_SHARE
