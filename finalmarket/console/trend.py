"""A chart of figures by day, laid out here and drawn as SVG: lines over days, with a scale that ends on a round number.

Pure: it knows names and numbers, and the template that draws it knows only places. Days without a value are left out of
a line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

WIDTH, HEIGHT = 1120, 260
LEFT, RIGHT, TOP, BOTTOM = 76, 12, 14, 26
HUES = 10
MOST_MARKS = 60
"""With more days than that, single days get no mark of their own."""
MOST_TICKS = 8
Amount = Decimal | int | None


@dataclass(frozen=True, slots=True)
class Mark:
    """One day of one line."""

    x: float
    y: float
    words: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of figures: its path, and a mark for each day."""

    label: str
    hue: str
    path: str
    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True)
class Trend:
    """The chart: lines, the days below, the amounts on the left."""

    title: str
    lines: Sequence[Line] = ()
    days: Sequence[tuple[float, str]] = ()
    amounts: Sequence[tuple[float, str]] = ()
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    day_line: int = HEIGHT - 8


@dataclass(frozen=True, slots=True)
class Row:
    """What is drawn: a value for each day, and the page with the rows behind a day."""

    label: str
    values: Sequence[Amount]
    addresses: Mapping[int, str] = field(default_factory=dict)
    hue: str = "0"


def draw(title: str, days: Sequence[date], rows: Sequence[Row], *, is_share: bool = False) -> Trend:
    """Lay out rows of figures over `days`; `is_share`: they lie between 0 and 1 and are told in percent.

    A chart without any value above zero has no lines.
    """
    most = max((value for row in rows for value in row.values if value is not None), default=0)
    if not most:
        return Trend(title)
    top = _round_up(float(most))
    across = (WIDTH - LEFT - RIGHT) / max(1, len(days) - 1)

    def place(at: int, value: Amount) -> tuple[float, float]:
        return LEFT + at * across, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * float(value or 0) / top

    lines = [_line(row, days, place, is_share=is_share) for row in rows]
    every = max(1, math.ceil(len(days) / MOST_TICKS))
    ticks = [(LEFT + at * across, f"{days[at]:%d %b}") for at in range(0, len(days), every)]
    amounts = [
        (place(0, Decimal(top) * part / 4)[1], _said(Decimal(str(top)) * part / 4, is_share)) for part in range(5)
    ]
    return Trend(title, lines, ticks, amounts)


def _line(row: Row, days: Sequence[date], place: Any, *, is_share: bool) -> Line:
    parts: list[str] = []
    marks = []
    is_drawing = False
    for at, value in enumerate(row.values):
        if value is None:
            is_drawing = False
            continue
        x, y = place(at, value)
        parts.append(f"{'L' if is_drawing else 'M'}{x:.1f},{y:.1f}")
        is_drawing = True
        if len(days) <= MOST_MARKS:
            words = f"{row.label}, {days[at]:%d %b %Y}: {_said(value, is_share)}"
            marks.append(Mark(x, y, words, row.addresses.get(at, "")))
    return Line(row.label, row.hue, " ".join(parts), marks)


def _round_up(most: float) -> float:
    """The next of 1, 2, 2.5, 5, 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= most * (1 - 1e-9))


def _said(value: Decimal | int, is_share: bool) -> str:
    if is_share:
        return f"{value * 100:.1f} %"
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.2f}"
