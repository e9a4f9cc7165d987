"""docs/defects.md: the table of what is planted, made from the entries; a test keeps the two in step. Above it stands
what the last whole run found, once there was one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tests.defects.defect import ROOT, Defect, read_all

PAGE = ROOT / "docs" / "defects.md"
BEGIN, END = "<!-- defects: written by `make proof-defects` -->", "<!-- end of the defects -->"
ROOMS = {
    "stock": "Stock", "orders": "Orders", "customers": "Customers", "journeys": "Journeys and attribution",
    "analytics": "Figures, advice and the lake", "integrations": "Integrations", "connectors": "Connectors",
    "doors": "Doors: API, console, files", "kernel": "Underneath",
}  # fmt: skip


RAN = re.compile(r"^Run at commit .+$", re.MULTILINE)


def ran(commit: str, at: str, red: int, planted: int, red_without: int) -> str:
    """What a whole run found, in a line."""
    more = f", and {red_without} of these tests were red without any defect" if red_without else ""
    return f"Run at commit {commit}, {at}: {red} of {planted} turned their test red{more}."


def table(defects: Sequence[Defect], run: str = "") -> str:
    """The defects as tables, one for each room, below what the last run found."""
    parts = [f"{len(defects)} defects, each planted alone.", *(["", run] if run else [])]
    for room, heading in ROOMS.items():
        rows = [
            f"| `{defect.id}` | {_cell(defect.says)} | `{defect.file.removeprefix('finalmarket/')}` | "
            f"[{defect.test_name.removeprefix('test_').replace('_', ' ')}](../{defect.test_file}) |"
            for defect in defects if defect.room == room
        ]  # fmt: skip
        if rows:
            parts += ["", f"### {heading}", "", "| defect | what becomes wrong | in | the test that goes red |",
                      "|---|---|---|---|", *rows]  # fmt: skip
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def written(text: str, defects: Sequence[Defect], run: str = "") -> str:
    """The page with the tables of today; what an earlier run found stays where there was none since. Raises ValueError
    where the page has no place for them."""
    before, begin, rest = text.partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has no lines {BEGIN} and {END} to write the tables between")
    earlier = RAN.search(inside)
    run = run or (earlier.group() if earlier else "")
    return f"{before}{BEGIN}\n\n{table(defects, run)}\n\n{END}{after}"


def write(page: Path = PAGE, run: str = "") -> None:
    """Write the tables of today into the page, and what a run has found where there was one."""
    page.write_text(written(page.read_text("utf-8"), read_all(), run), "utf-8")
