"""The lines of the original add-on's description that promise something, each under a key of its place there."""

from __future__ import annotations

import re
from pathlib import Path

CHAPTERS = {
    "Models Created": "M",
    "Database Migration": "D",
    "Tables Created": "T",
    "Seed File": "S",
    "Documentation": "G",
    "Features Implemented": "F",
    "Feature Coverage": "N",
    "Usage Examples": "U",
    "Success Metrics": "X",
    "Conclusion": "C",
}
PROSE = ("What Was Delivered", "Status", "Statistics", "Code Metrics")
LINE = re.compile(r"(?:- | )+(?P<text>\S.*)|(?P<number>\d+)\. (?P<item>.+)")


class _Place:
    """Where a reader of the description is: in which chapter, under which numbered part, after how many lines."""

    def __init__(self) -> None:
        self.chapter, self.part, self.count = "", 0, 0

    def enter(self, heading: str) -> None:
        """Go on under a heading: a chapter that counts, one that only tells, or a part of the chapter."""
        title = re.sub(r" *\(\d+\)$", "", heading.strip()).rstrip(":")
        if title in CHAPTERS:
            self.chapter, self.part, self.count = CHAPTERS[title], 0, 0
        elif title.startswith(PROSE) or title == "":
            self.chapter = ""
        elif self.chapter in ("F", "U", "X") and title not in FEATURE_HEADINGS:
            self.part, self.count = self.part + 1, 0

    def key(self) -> str:
        """The key of the next line here."""
        self.count += 1
        return f"{self.chapter}{self.part}.{self.count}" if self.part else f"{self.chapter}{self.count}"


FEATURE_HEADINGS = (
    "Channel Types", "Integration Types", "Features", "Metrics Tracked", "Analytics Features", "Interaction Types",
)  # fmt: skip


def promises(page: Path) -> dict[str, str]:
    """Return every line of the description that promises something: its key, and what it says.

    `M3.2` is the second line of the third model, `F5.4` the fourth of the fifth feature, `U2` the second example.
    """
    found: dict[str, str] = {}
    place, is_code = _Place(), False
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            is_code = not is_code
        elif is_code:
            continue
        elif heading := re.match(r"#{2,4} (.*)", line):
            place.enter(heading[1])
            if place.chapter == "U" and place.part:
                found[f"U{place.part}"] = heading[1].strip()
        elif place.chapter and (match := LINE.fullmatch(line)):
            _note(found, place, match)
    return found


def _note(found: dict[str, str], place: _Place, match: re.Match[str]) -> None:
    """Write down a line; a numbered item of the models begins a part, elsewhere it is a line like others."""
    if match["number"] and place.chapter == "M":
        place.part, place.count = int(match["number"]), 0
        return
    found[place.key()] = (match["item"] or match["text"]).replace("*", "").strip()
