"""The page about security decides every requirement of level 1 once, and what it links to is there."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
LEVEL_1 = re.findall(  # those of ASVS 5.0.0 that bear an L of 1
    r"\S+",
    """
    1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.3.1 1.3.2 1.5.1  2.1.1 2.2.1 2.2.2 2.3.1
    3.2.1 3.2.2 3.3.1 3.4.1 3.4.2 3.5.1 3.5.2 3.5.3  4.1.1 4.4.1  5.2.1 5.2.2 5.3.1 5.3.2
    6.1.1 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.3.1 6.3.2 6.4.1 6.4.2
    7.2.1 7.2.2 7.2.3 7.2.4 7.4.1 7.4.2  8.1.1 8.2.1 8.2.2 8.3.1  9.1.1 9.1.2 9.1.3 9.2.1
    10.4.1 10.4.2 10.4.3 10.4.4 10.4.5  11.3.1 11.3.2 11.4.1  12.1.1 12.2.1 12.2.2  13.4.1  14.2.1 14.3.1
    15.1.1 15.2.1 15.3.1""",
)
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
DECISIONS = ("met", "not applicable: ", "operator", "left")


def rows() -> list[tuple[str, str, str, str]]:
    """The rows of the table."""
    return ROW.findall((ROOT / "docs" / "security.md").read_text(encoding="utf-8"))


def test_every_requirement_of_level_1_is_decided_once() -> None:
    assert len(LEVEL_1) == 70
    assert [one[0] for one in rows()] == LEVEL_1
    assert [one for one in rows() if not one[2].startswith(DECISIONS)] == []
    assert [one for one in rows() if one[2].rstrip(":") in ("not applicable", "left")] == [], "say why"


def test_every_test_and_every_setting_that_the_page_names_is_there() -> None:
    missing = []
    for number, _, decision, shown in rows():
        tests, named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", shown), re.findall(r"setting `(\w+)`", shown)
        is_shown = bool(tests or named) != (shown == "nothing of ours" and decision.startswith(("left", "operator")))
        missing += [] if is_shown else [f"{number}: nothing"]
        missing += [f"{number}: {name}" for name in named if not hasattr(settings, name)]
        for file, test in tests:
            path = ROOT / file
            if not path.is_file() or (test and f"def {test}(" not in path.read_text(encoding="utf-8")):
                missing.append(f"{number}: {file}::{test}")
    assert missing == []


def test_it_is_said_how_a_vulnerability_is_reported() -> None:
    assert "private" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "SECURITY.md" in (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
