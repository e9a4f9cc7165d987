"""The page about the console shows its menu: every page with the roles that see it, and every kind of record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from finalmarket.access.roles import ROLES
from finalmarket.console.theme import RECORDS, WORK

PAGE = Path(__file__).parents[2] / "docs" / "console.md"


def rows(heading: str) -> list[list[str]]:
    """The rows of the table under a heading, without its head."""
    part = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def seen_by(item: dict[str, Any]) -> str:
    """The roles in whose menu a page stands."""
    needed = item["needs"].split("|")
    seen = [
        role.name for role in ROLES
        if any(role.grants(one) for one in needed) and (not role.is_of_places or item.get("is_of_places"))
    ]  # fmt: skip
    return "all" if len(seen) == len(ROLES) else ", ".join(seen)


def test_every_page_of_the_menu_stands_there_with_who_sees_it() -> None:
    menu = [[str(item["title"]), seen_by(item)] for item in WORK["items"]]
    assert [[title, seen] for title, _, seen in rows("Pages")] == menu


def test_every_kind_of_record_of_the_menu_stands_there() -> None:
    menu = [[str(group["title"]), ", ".join(str(item["title"]) for item in group["items"])] for group in RECORDS]
    assert rows("Records") == menu
