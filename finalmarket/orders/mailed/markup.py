"""HTML into plain text: lines where a reader sees lines, cells of tables parted by tabs, without quotes of earlier
messages. Nothing is rendered, fetched or believed."""

from __future__ import annotations

import re
from html.parser import HTMLParser

LINE_TAGS = "address article br dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre section table tr ul"
EMPTY_TAGS = "area base br col embed hr img input link meta param source track wbr"
LINES = frozenset(LINE_TAGS.split())
CELLS = frozenset({"td", "th"})
SILENT = frozenset({"script", "style", "head", "title", "template"})
EMPTY = frozenset(EMPTY_TAGS.split())
QUOTES = ("gmail_quote", "yahoo_quoted", "moz-cite-prefix", "protonmail_quote")
MOST_DEPTH = 100
AROUND_TABS, BLANKS = re.compile(r" *\t *"), re.compile(" +")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.open: list[tuple[str, bool]] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in LINES:
            self.parts.append("\n")
        if tag in CELLS and self.parts and not self.parts[-1].endswith("\n"):
            self.parts.append("\t")
        if tag in EMPTY or len(self.open) >= MOST_DEPTH:
            return
        is_silent = tag in SILENT or _is_quote(tag, attrs)
        self.open.append((tag, is_silent))
        self.silent += is_silent

    def handle_endtag(self, tag: str) -> None:
        if not any(known == tag for known, _ in self.open):
            return
        while self.open:
            known, was_silent = self.open.pop()
            self.silent -= was_silent
            if known == tag:
                break
        if tag in LINES:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            words = " ".join(data.split())
            blank = " " if data[:1].isspace() else ""
            self.parts.append(f"{blank}{words}{' ' if data[-1:].isspace() and words else ''}")


def text_of_html(markup: str) -> str:
    """Return what a reader sees of a page of HTML, as lines.

    >>> text_of_html("<p>Hello,</p><table><tr><td>COAT-M</td><td>3</td></tr></table>")
    'Hello,\\nCOAT-M\\t3'
    """
    reader = _Reader()
    reader.feed(_without_comments(markup))
    reader.close()
    lines = (BLANKS.sub(" ", AROUND_TABS.sub("\t", line)).strip(" ") for line in "".join(reader.parts).split("\n"))
    return "\n".join(line for line in lines if line.strip())


def _is_quote(tag: str, attrs: list[tuple[str, str | None]]) -> bool:
    if tag == "blockquote":
        return True
    names = next((value or "" for name, value in attrs if name == "class"), "")
    return any(quote in names for quote in QUOTES)


def _without_comments(markup: str) -> str:
    """Without comments; one that has no end takes the rest along. In one pass, however many there are."""
    kept, at = [], 0
    while (start := markup.find("<!", at)) >= 0:
        kept.append(markup[at:start])
        mark = "-->" if markup.startswith("<!--", start) else ">"
        end = markup.find(mark, start)
        if end < 0:
            return "".join(kept)
        at = end + len(mark)
    kept.append(markup[at:])
    return "".join(kept)
