"""The page about what was promised is true and whole: what it names exists, and no line of the original is left out."""

from __future__ import annotations

import ast
import os
import re
from functools import cache
from pathlib import Path

import pytest

from finalmarket.channels.models import SalesChannel
from tests.docs.original import promises

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "promise.md"
KEY = re.compile(r"[A-Z]\d+(?:\.\d+)?")
SHORT = 4
"""Letters of a word that have to be the same for two words to be akin."""


def rows() -> dict[str, tuple[str, str, str]]:
    """What the page says: by key, what is promised, where it is met, what shows it."""
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| line |")
    ]
    assert all(len(row) == 4 and KEY.fullmatch(row[0]) for row in cells)
    assert len({row[0] for row in cells}) == len(cells), "a key stands twice"
    return {key: (promised, where, shown) for key, promised, where, shown in cells}


@cache
def names_in(path: Path) -> frozenset[str]:
    """The names of the tests of a file, read, not run."""
    found = ast.parse(path.read_text(encoding="utf-8")).body
    return frozenset(node.name for node in found if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


def is_test(named: str) -> bool:
    """Whether `tests/...py::test_name` is a test that there is."""
    file, _, name = named.partition("::")
    return (ROOT / file).is_file() and (not name or name in names_in(ROOT / file))


def test_every_test_that_the_page_names_exists() -> None:
    named = re.findall(r"`(tests/[^`]+)`", PAGE.read_text(encoding="utf-8"))
    assert not [one for one in named if not is_test(one)]


def test_every_line_is_shown_by_a_test_and_stands_somewhere() -> None:
    bare = [key for key, (_, where, shown) in rows().items() if not where or not re.findall(r"`tests/\S+::\w+`", shown)]
    assert not bare


def test_every_place_that_the_page_names_exists() -> None:
    named = [(key, place) for key, (_, where, _) in rows().items() for place in re.findall(r"`([^`]+)`", where)]
    assert not [(key, place) for key, place in named if not (ROOT / "finalmarket" / place).exists()]


@pytest.mark.parametrize("kind", SalesChannel.ChannelType.values)
def test_every_type_of_channel_has_a_story_that_ends_in_one_sale(kind: str) -> None:
    story = ROOT / "tests" / "doors" / f"test_story_{kind}.py"
    called = {
        node.func.id
        for node in ast.walk(ast.parse(story.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert "assert_one_sale" in called


@pytest.fixture(scope="module")
def original() -> dict[str, str]:
    """What the original add-on promised; it lies beside the folder of real data and is no part of the project."""
    folder = os.environ.get("FINALMARKET_TEST_DATA")
    page = Path(folder).parent / "ORIGINAL.md" if folder else None
    if page is None or not page.is_file():
        pytest.skip("no description of the original: set FINALMARKET_TEST_DATA to the folder beside it")
    return promises(page)


def test_no_line_of_the_original_is_left_out_and_none_is_made_up(original: dict[str, str]) -> None:
    assert len(original) > 150
    assert set(rows()) == set(original)


def test_every_row_speaks_of_the_line_whose_key_it_has(original: dict[str, str]) -> None:
    strangers = {key: line for key, line in original.items() if not akin(line, " ".join(rows()[key][:2]))}
    assert not strangers


def akin(line: str, told: str) -> bool:
    """Whether a row shares a word of the line, or names the same number."""
    return bool(stems(line) & stems(told))


def stems(text: str) -> set[str]:
    """The beginnings of the words of a text that say something."""
    words = re.findall(r"[a-z]{3,}", text.lower())
    return {word[:SHORT] for word in words} - {"and", "per", "the"}
