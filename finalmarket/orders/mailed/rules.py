"""Plain rules that read wishes in a text: "3 x COAT-M", "COAT-M: 3", tables, "please send me two of the blue coat".

Pure: what is named is a matter of words here; which goods are meant is found in the catalogue (matching.py). A rule
that is not sure says so (`is_plain` False): its line counts only if the catalogue knows what it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from finalmarket.orders.mailed.wording import (
    ARTICLES,
    COUNT,
    COUNT_HEADS,
    ITEM_HEADS,
    LABELS,
    NAME_HEADS,
    NOT_GOODS,
    UNIT,
    WANTS,
    number_of,
)

MOST_LINES, MOST_LINE_CHARACTERS, MOST_WISHES = 500, 400, 100
MOST_WORDS_OF_LINE = 14
BULLET = re.compile(r"^\s*(?:[-*•·–—+]\s+|\(?\d{1,3}[.)]\s+)")
TIMES = r"[x×*✕]"
LINE_RULES = tuple(
    (re.compile(pattern, re.IGNORECASE), is_plain)
    for pattern, is_plain in (
        (rf"^(?P<n>{COUNT})\s*{TIMES}\s*(?P<what>\S.*)$", True),
        (rf"^(?P<n>{COUNT})\s*{UNIT}\b\.?\s*(?:of\s+|von\s+|à\s+)?(?P<what>\S.*)$", True),
        (rf"^(?P<what>.+?)\s*[:=]\s*(?P<n>{COUNT})\s*(?:{UNIT})?\.?$", True),
        (rf"^(?P<what>.+?)\s+{TIMES}\s*(?P<n>{COUNT})\s*(?:{UNIT})?\.?$", True),
        (
            r"^(?P<what>.+?)[\s,;:(–-]+(?:qty|quantity|menge|anzahl|units?|pcs|stück)\.?\s*[:=]?\s*"
            rf"(?P<n>{COUNT})\)?\.?$",
            True,
        ),
        (rf"^(?P<what>.+?)[\s,;:–-]+(?P<n>{COUNT})\s*{UNIT}\.?$", True),
        (rf"^(?P<what>.+?)\s+\((?P<n>{COUNT})\s*(?:{UNIT})?\)$", True),
        (rf"^(?P<n>{COUNT})\s+(?:of\s+(?:the\s+)?|von\s+(?:den\s+|der\s+)?)?(?P<what>\S.*)$", False),
        (rf"^(?P<what>.+?)[,;–-]\s*(?P<n>{COUNT})$", False),
    )
)
IN_SENTENCE = re.compile(
    rf"(?<![\w.,/-])(?P<n>{COUNT})\s*(?:{TIMES}\s+|{UNIT}\s+)?"
    r"(?:of\s+|von\s+|vom\s+)?(?:(?:the|your|those|these|our|my|more|der|die|das|den|dem|des|ihrer?|eurer?)\s+)*"
    r"(?P<what>[^\s,;.!?()][^,;!?()\n]*)",
    re.IGNORECASE,
)
BEHIND = re.compile(
    rf"(?P<what>[^\s,;()]+)\s*(?:\(\s*(?P<n>{COUNT})\s*(?:{UNIT})?\s*\)|\s{TIMES}\s?(?P<times>\d{{1,7}})\b)",
    re.IGNORECASE,
)
PRICE = re.compile(r"\s*(?:@|à|zu je|at)\s*[€$£]?\s*\d[\d.,]*\s*(?:(?:€|eur|usd|gbp|each|je)\s*)*$", re.IGNORECASE)
NEXT = re.compile(
    rf"\s+(?:and|und|plus|as well as|sowie|\+|&)\s+(?=(?:{COUNT})|the\b|\S+$|\S+\s*(?:\(|{TIMES})\s?\d)", re.IGNORECASE
)
ENDS = re.compile(
    r"(?:\.(?:\s|$)|\s+(?:to|for|by|until|please|thanks|thank|if|because|so that|an|für|bis|bitte|danke)\b)"
)
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-ZÄÖÜ0-9])")


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that is wished for: the words around it, what is named, and how many (None: that is not said).

    `also` is another name that stands beside it, in a column of its own. `is_plain` says that it cannot be anything but
    a wish, known goods or not.
    """

    text: str
    what: str
    units: int | None
    is_plain: bool
    also: str = ""


def wishes_in(text: str, rows: Sequence[Sequence[str]] = ()) -> list[Wish]:
    """Return what is wished for in a text and in the rows of an attached table, in their order; at most 100."""
    found: list[Wish] = []
    heads: _Heads | None = None
    for line in _lines(text):
        if len(cells := _cells(line)) > 1:
            heads = _heads(cells) or heads
            found += [] if _heads(cells) else _of_row(line, cells, heads)
        else:
            found += _of_line(line)
    heads = None
    for row in rows:
        heads = _heads(row) or heads
        found += [] if _heads(row) else _of_row("; ".join(row), row, heads)
    return found[:MOST_WISHES]


def _lines(text: str) -> Iterable[str]:
    """The lines as they were meant: what a mailer broke in the middle of a sentence is put together."""
    whole: list[str] = []
    for raw in text.split("\n")[:MOST_LINES]:
        line = raw.strip(" ")[:MOST_LINE_CHARACTERS]
        goes_on = line[:1].islower() and whole and len(whole[-1]) > 40 and not BULLET.match(line)
        if goes_on and len(whole[-1]) + len(line) < MOST_LINE_CHARACTERS:
            whole[-1] = f"{whole[-1]} {line}"
        else:
            whole.append(line)
    return [line for line in whole if line.strip()]


# Tables.


@dataclass(frozen=True, slots=True)
class _Heads:
    item: int
    count: int
    name: int | None


def _cells(line: str) -> list[str]:
    """The cells of a line of a table; one for a line that is none."""
    if "\t" in line:
        parts = line.split("\t")
    elif line.count("|") >= 1:
        parts = line.strip("|").split("|")
    elif line.count(";") >= 1 and not line.rstrip().endswith(";"):
        parts = line.split(";")
    else:
        parts = re.split(r" {3,}", line)
    cells = [part.strip() for part in parts]
    return cells if len([cell for cell in cells if cell]) > 1 else [line.strip()]


def _heads(cells: Sequence[str]) -> _Heads | None:
    """What the columns are called, if this is the line that says so."""
    items = [at for at, cell in enumerate(cells) if ITEM_HEADS.match(cell.strip("* "))]
    counts = [at for at, cell in enumerate(cells) if COUNT_HEADS.match(cell.strip("* "))]
    if not items or not counts:
        return None
    names = [at for at in items if NAME_HEADS.match(cells[at].strip("* "))]
    item = next((at for at in items if at not in names), items[0])
    return _Heads(item, counts[-1], next((at for at in names if at != item), None))


def _of_row(line: str, cells: Sequence[str], heads: _Heads | None) -> list[Wish]:
    if heads is not None and max(heads.item, heads.count) < len(cells):
        what, units = cells[heads.item], number_of(_bare(cells[heads.count]))
        also = cells[heads.name] if heads.name is not None and heads.name < len(cells) else ""
        return [Wish(line.strip(), what or also, units, True, also)] if (what or also) and units else []
    numbers = [at for at, cell in enumerate(cells) if number_of(_bare(cell)) is not None and len(_bare(cell)) <= 5]
    words = [cell for at, cell in enumerate(cells) if at not in numbers and re.search(r"[^\W\d_]", cell)]
    if not numbers or not words:
        return []
    at = numbers[1] if len(numbers) > 1 and numbers[0] == 0 else numbers[0]  # a first column counts the lines
    also = words[1] if len(words) > 1 else ""
    return [Wish(line.strip(), words[0], number_of(_bare(cells[at])), False, also)]


def _bare(cell: str) -> str:
    """A number without its unit: "3 pcs", "x3"."""
    return re.sub(rf"^{TIMES}\s*|\s*(?:{TIMES}|{UNIT}\.?)$", "", cell.strip(), flags=re.IGNORECASE).strip()


# Lines and sentences.


def _of_line(line: str) -> list[Wish]:
    bare = BULLET.sub("", line).strip().rstrip(",;")
    is_listed = bare != line.strip().rstrip(",;")
    if len(bare.split()) <= MOST_WORDS_OF_LINE and not _is_sentence(bare):
        for rule, is_plain in LINE_RULES:
            found = rule.match(bare)
            units = number_of(found["n"]) if found else None
            if found is None or units is None or not _is_thing(_named(found["what"])):
                continue
            is_sure = is_plain and found["n"].lower() not in ARTICLES
            return [Wish(line.strip(), _named(found["what"]), units, is_sure or (is_listed and is_plain))]
        if is_listed:
            return [Wish(line.strip(), _named(bare), None, False)]
    return [wish for sentence in SENTENCE.split(bare) for wish in _of_sentence(sentence)]


def _is_sentence(line: str) -> bool:
    return bool(WANTS.search(line)) or (line[-1:] in ".!?" and len(line.split()) > 6)


def _of_sentence(sentence: str) -> list[Wish]:
    is_wish = bool(WANTS.search(sentence))
    found = []
    for part in NEXT.split(sentence.replace(", ", " and ") if is_wish else sentence):
        behind = BEHIND.search(part)
        if behind is not None:
            units = number_of(behind["n"] or behind["times"])
            found.append(Wish(sentence.strip()[:MOST_LINE_CHARACTERS], _named(behind["what"]), units, False))
            continue
        at = 0
        while match := IN_SENTENCE.search(part, at):
            units, what = number_of(match["n"]), _named(ENDS.split(match["what"], maxsplit=1)[0])
            if units is not None and _is_thing(what):
                is_plain = is_wish and match["n"].lower() not in ARTICLES
                found.append(Wish(sentence.strip()[:MOST_LINE_CHARACTERS], what, units, is_plain))
                break  # what follows within the same part is about the same thing
            at = match.start("what")
    return found


def _is_thing(what: str) -> bool:
    """Whether it can be something to be sold, and no label, time, money or paper."""
    return bool(re.search(r"[^\W\d_]", what)) and not NOT_GOODS.match(what) and not LABELS.match(what)


def _named(words: str) -> str:
    """What is named, without quotes and marks around it and a price behind it."""
    return PRICE.sub("", re.sub(r"\s+(?:and|und|plus)$", "", words)).strip(" \t\"'“”„»«:,;.–-*")[:200]
