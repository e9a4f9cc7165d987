"""The page for those who work on the house names the commands of the Makefile, and variables that the tests read."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "working-on-it.md"
OF_THE_ENVIRONMENT = re.compile(
    r"environ(?:\.get\(|\[)\s*[\"'](FINALMARKET_(?:TEST_\w+|CHROMIUM|PICTURES|VENDOR_APIS))"
)


def test_the_commands_are_those_of_the_makefile() -> None:
    there = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    told = re.findall(r"^\| `make ([a-z-]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(told) == sorted(set(there) - {"help"})


def test_what_tells_the_tests_where_things_are_is_named() -> None:
    read = {
        name for path in (ROOT / "tests").rglob("*.py")
        for name in OF_THE_ENVIRONMENT.findall(path.read_text(encoding="utf-8"))
    }  # fmt: skip
    told = set(re.findall(r"^\| `(FINALMARKET_\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert {"FINALMARKET_CHROMIUM", "FINALMARKET_TEST_DATABASE_URL"} <= read
    assert told == read
