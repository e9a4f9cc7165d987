"""What is claimed is looked for once: no plan of the database may claim more rows than were asked for."""

import re
from pathlib import Path

import pytest

from tests.architecture.test_house_rules import PACKAGE, ROOT

ONCE = re.compile(r"(\bAS( MATERIALIZED)?|\bARRAY) ?$")
LOOKED_FOR = re.compile(r"LIMIT\s[^()]*?FOR (NO KEY )?UPDATE[^()]*?SKIP LOCKED")
FILES = [path for path in (*PACKAGE.rglob("*.sql"), *PACKAGE.rglob("*.py")) if "SKIP LOCKED" in path.read_text("utf-8")]


def _opener(text: str, place: int) -> str:
    """What stands before the parenthesis in which this place lies; nothing for a statement of its own."""
    depth = 0
    for at in range(place - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(text[at], 0)
        if depth < 0:
            return text[max(0, at - 40) : at]
    return ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_rows_that_are_claimed_up_to_a_limit_are_looked_for_once(path: Path) -> None:
    """As a join or behind IN the database may look again for each row of the table, pass over those that this very
    statement has claimed, and so claim them all. A CTE with a lock and ARRAY(...) are looked for once."""
    text = re.sub(r"--.*", lambda comment: " " * len(comment[0]), path.read_text("utf-8"))
    wrong = []
    for found in LOOKED_FOR.finditer(text):
        opener = _opener(text, found.start())
        if opener.strip() and "WITH" not in opener and not ONCE.search(opener):
            wrong.append(f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}: ({opener.strip()} (")
    assert not wrong
