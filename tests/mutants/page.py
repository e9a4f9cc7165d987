"""The table of mutants in docs/defects.md, as the last whole run left it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests import environment
from tests.mutants.mutant import Count

PAGE = environment.ROOT / "docs" / "defects.md"
BEGIN, END = "<!-- mutants: written by `make mutants` -->", "<!-- end of the mutants -->"


def table(counted: Sequence[Count], run: str = "") -> str:
    """How each module fared, and all of them, below what was run."""
    rows = [
        f"| `{one.module.removeprefix('finalmarket/')}` | {one.killed} | {one.survived} | {one.equivalent} "
        f"| {one.share:.1%} |"
        for one in counted
    ]
    killed, survived = sum(one.killed for one in counted), sum(one.survived for one in counted)
    total = Count("", killed, survived, sum(one.equivalent for one in counted))
    rows.append(f"| all | {killed} | {survived} | {total.equivalent} | {total.share:.1%} |")
    above = [run, ""] if run else []
    return "\n".join(
        [*above, "| module | noticed | survived | equivalent | share noticed |", "|---|---|---|---|---|", *rows]
    )


def write(counted: Sequence[Count], page: Path = PAGE, run: str = "") -> None:
    """Write the table into the page. Raises ValueError where the page has no place for it."""
    before, begin, rest = page.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name} has no lines {BEGIN} and {END} to write the table between")
    page.write_text(f"{before}{BEGIN}\n\n{table(counted, run)}\n\n{END}{after}", "utf-8")
