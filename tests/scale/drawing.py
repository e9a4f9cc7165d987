"""Draws a plot as SVG: both axes logarithmic, so that the exponent of a growth is the slope of its line.

Written by hand: a page of lines and words, which follows the reader's light or dark, is read out by its title and
description, and is the same text for the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from tests.scale.curve import Plot, Point, Series, number, short

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 76, 200, 52, 56
LABEL_PIXELS = 15
COLOURS = (("#1f5fbf", "#7db0ff"), ("#b3541e", "#ffab70"), ("#2e7d32", "#7ddc8a"), ("#7a3fb0", "#cfa3ff"))
STYLE = """
  svg { font: 13px system-ui, sans-serif; --ink: #1c1e21; --faint: #d0d4da; --quiet: #5a6270; --paper: #ffffff }
  %s
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e8eaed; --faint: #3a3f47; --quiet: #a6adb8; --paper: #15171a }
    %s
  }
  text { fill: var(--ink) } .quiet { fill: var(--quiet) } .paper { fill: var(--paper) }
  .grid { stroke: var(--faint) } .limit { --own: var(--quiet); stroke-dasharray: 5 5 }
  polyline { fill: none; stroke: var(--own); stroke-width: 2 } .span { stroke: var(--own); stroke-width: 1.5 }
  .dot { fill: var(--own) }
"""


class _Axis:
    """Turns amounts into pixels, by their logarithms; `ticks` are the powers of ten that it shows."""

    def __init__(self, values: Sequence[float], begin: float, end: float, is_wide: bool) -> None:
        self.low, self.high = math.log10(min(values)), math.log10(max(values))
        if not is_wide:
            self.low, self.high = math.floor(self.low + 1e-9), math.ceil(self.high - 1e-9)
        if self.high - self.low < 1e-9:
            self.low, self.high = self.low - 0.5, self.high + 0.5
        self.begin, self.end = begin, end
        self.ticks = [10.0**power for power in range(math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9) + 1)]

    def at(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return round(self.begin + share * (self.end - self.begin), 1)


def svg(plot: Plot) -> str:
    """The plot as one SVG document."""
    points = [point for series in plot.series for point in series.points]
    across = _Axis([point.work for point in points], LEFT, WIDTH - RIGHT, True)
    up = _Axis([value for point in points for value in point.values if value > 0], HEIGHT - BOTTOM, TOP, False)
    lines = [*_head(plot), *_grid(plot, across, up), *_lines(plot, across, up), *_labels(plot, up), "</svg>"]
    return "\n".join(lines) + "\n"


def _head(plot: Plot) -> Iterator[str]:
    own = [f".c{place} {{ --own: %s }}" for place in range(len(COLOURS))]
    light, dark = (" ".join(rule % pair[which] for rule, pair in zip(own, COLOURS, strict=True)) for which in (0, 1))
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="title description">'
    )
    yield f'<title id="title">{escape(plot.title)}</title>'
    yield f'<desc id="description">{escape(described(plot))}</desc>'
    yield f"<style>{STYLE % (light, dark)}</style>"
    yield f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
    yield f'<text x="{LEFT}" y="26" font-size="16" font-weight="600">{escape(plot.title)}</text>'
    yield f'<text class="quiet" x="{LEFT}" y="43">{escape(plot.unit)}</text>'


def described(plot: Plot) -> str:
    """The plot in sentences, for those who do not see it."""
    told = [f"{plot.unit}, by {plot.work}."]
    for series in plot.series:
        pairs = ", ".join(f"{number(one.median)} at {short(one.work)}" for one in series.points)
        exponent = series.exponent()
        grows = f", exponent {exponent}" if exponent and not series.is_limit else ""
        told.append(f"{series.name}: {pairs}{grows}.")
    return " ".join(told)


def _grid(plot: Plot, across: _Axis, up: _Axis) -> Iterator[str]:
    for value in up.ticks:
        y = up.at(value)
        yield f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}"/>'
        yield f'<text class="quiet" x="{LEFT - 8}" y="{y + 4:g}" text-anchor="end">{short(value)}</text>'
    for value in sorted({point.work for series in plot.series for point in series.points}):
        x = across.at(value)
        yield f'<line class="grid" x1="{x}" y1="{HEIGHT - BOTTOM}" x2="{x}" y2="{HEIGHT - BOTTOM + 5}"/>'
        yield f'<text class="quiet" x="{x}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{short(value)}</text>'
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield f'<text class="quiet" x="{middle:g}" y="{HEIGHT - 14}" text-anchor="middle">{escape(plot.work)}</text>'


def _lines(plot: Plot, across: _Axis, up: _Axis) -> Iterator[str]:
    for place, series in enumerate(plot.series):
        yield f'<g class="{_class(series, place)}">'
        path = " ".join(f"{across.at(one.work)},{up.at(one.median)}" for one in series.points if one.median > 0)
        yield f'<polyline points="{path}"/>'
        for point in series.points:
            yield from _dot(point, across, up)
        yield "</g>"


def _dot(point: Point, across: _Axis, up: _Axis) -> Iterator[str]:
    """The median, and the span of the runs."""
    if point.median <= 0:
        return
    x = across.at(point.work)
    low, high = (up.at(value) for value in (max(min(point.values), 10.0**up.low), max(point.values)))
    yield f'<line class="span" x1="{x}" y1="{low}" x2="{x}" y2="{high}"/>'
    yield f'<circle class="dot" cx="{x}" cy="{up.at(point.median)}" r="3.5"/>'


def _class(series: Series, place: int) -> str:
    return "limit" if series.is_limit else f"c{place % len(COLOURS)}"


def _labels(plot: Plot, up: _Axis) -> Iterator[str]:
    """Names at the ends of the lines, moved apart where they would lie on each other."""
    ends = [(up.at(series.points[-1].median), place) for place, series in enumerate(plot.series) if series.points]
    lowest = float(TOP)
    for y, place in sorted(ends):
        lowest = max(lowest, y)
        series = plot.series[place]
        colour = f'class="{_class(series, place)}" style="fill: var(--own)"'
        yield f'<text {colour} x="{WIDTH - RIGHT + 10}" y="{lowest + 4:g}">{escape(series.name)}</text>'
        lowest += LABEL_PIXELS
