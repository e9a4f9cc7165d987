"""docs/defects.md: the table of what is planted, made from the entries; a test keeps the two in step."""

from __future__ import annotations

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


def table(defects: Sequence[Defect]) -> str:
    """The defects as tables, one for each room."""
    parts = [f"{len(defects)} defects, each planted alone."]
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


def written(text: str, defects: Sequence[Defect]) -> str:
    """The page with the tables of today. Raises ValueError where it has no place for them."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has no lines {BEGIN} and {END} to write the tables between")
    return f"{before}{BEGIN}\n\n{table(defects)}\n\n{END}{after}"


def write(page: Path = PAGE) -> None:
    """Write the tables of today into the page."""
    page.write_text(written(page.read_text("utf-8"), read_all()), "utf-8")
