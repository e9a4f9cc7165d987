"""Charts as SVG text, drawn here: bars that stand on each other, a line, and bars that lie. No script, no file besides.

Every chart has a title and says in words what it shows; its numbers stand in a table beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 860, 260
LEFT, RIGHT, TOP, BOTTOM = 64, 8, 10, 26
COLOURS = ("#2f6fbb", "#d9822b", "#3d9970", "#b5485d", "#7a5ca8", "#8c7355", "#c16aa8", "#5f6b76")
Series = Sequence[tuple[str, Sequence[float]]]


def stacked_bars(title: str, labels: Sequence[str], series: Series) -> str:
    """A bar for each label, made of the values of every series; what is below zero hangs below the line."""
    tops = [sum(max(values[n], 0) for _, values in series) for n in range(len(labels))]
    lows = [sum(min(values[n], 0) for _, values in series) for n in range(len(labels))]
    scale = _Scale(min(lows, default=0), max(tops, default=0))
    width = (WIDTH - LEFT - RIGHT) / max(len(labels), 1)
    parts = []
    above, below = [0.0] * len(labels), [0.0] * len(labels)
    for number, (name, values) in enumerate(series):
        for place, value in enumerate(values):
            if not value:
                continue
            stack = above if value > 0 else below
            begin, stack[place] = stack[place], stack[place] + value
            y, end = sorted((scale.y(begin), scale.y(stack[place])))
            parts.append(
                f'<rect x="{LEFT + place * width + width * 0.1:.1f}" y="{y:.1f}" width="{width * 0.8:.1f}" '
                f'height="{end - y:.1f}" fill="{COLOURS[number % len(COLOURS)]}">'
                f"<title>{escape(labels[place])}, {escape(name)}: {value:,.2f}</title></rect>"
            )
    return _chart(title, [*scale.lines(), *parts, *_labels(labels, width)]) + _legend([name for name, _ in series])


def line(title: str, labels: Sequence[str], values: Sequence[float | None]) -> str:
    """A line through the values, as shares; where there is none it is broken."""
    scale = _Scale(0, max((value for value in values if value is not None), default=0), is_share=True)
    width = (WIDTH - LEFT - RIGHT) / max(len(labels), 1)
    runs: list[list[str]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(f"{LEFT + (place + 0.5) * width:.1f},{scale.y(value):.1f}")
    parts = [
        f'<polyline points="{" ".join(run)}" fill="none" stroke="{COLOURS[0]}" stroke-width="2"/>'
        if len(run) > 1
        else f'<circle cx="{run[0].split(",")[0]}" cy="{run[0].split(",")[1]}" r="2.5" fill="{COLOURS[0]}"/>'
        for run in runs
        if run
    ]
    return _chart(title, [*scale.lines(), *parts, *_labels(labels, width)])


def lying_bars(title: str, bars: Sequence[tuple[str, int]]) -> str:
    """A bar for each name, the longest as wide as the chart."""
    longest = max((count for _, count in bars), default=0) or 1
    parts = []
    for place, (name, count) in enumerate(bars):
        y, length = 8 + place * 34, (WIDTH - 300) * count / longest
        parts.append(f'<text x="150" y="{y + 18}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect x="160" y="{y}" width="{length:.1f}" height="26" fill="{COLOURS[0]}"/>')
        parts.append(f'<text x="{168 + length:.1f}" y="{y + 18}">{count:,}</text>')
    return _chart(title, parts, 14 + 34 * len(bars))


class _Scale:
    """From values to heights, with round numbers on the way."""

    def __init__(self, low: float, high: float, *, is_share: bool = False) -> None:
        self._step = _round_step((high - low) / 4)
        self._low = (low // self._step) * self._step
        self._high = max(-(-high // self._step) * self._step, self._low + self._step)
        self._is_share = is_share

    def y(self, value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (self._high - value) / (self._high - self._low)

    def lines(self) -> list[str]:
        parts = []
        for number in range(round((self._high - self._low) / self._step) + 1):
            value = self._low + number * self._step
            text = f"{value:.1%}" if self._is_share else f"{value:,.0f}" if self._step >= 1 else f"{value:,.2f}"
            y = self.y(value)
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
        return parts


def _round_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, at least `rough`."""
    if rough <= 0:
        return 1.0
    step = 10.0**-6
    while True:
        for factor in (1, 2, 5):
            if step * factor >= rough:
                return step * factor
        step *= 10


def _labels(labels: Sequence[str], width: float) -> list[str]:
    every = max(1, -(-len(labels) // 10))
    return [
        f'<text x="{LEFT + (place + 0.5) * width:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(label)}</text>'
        for place, label in enumerate(labels)
        if place % every == 0
    ]


def _chart(title: str, parts: Sequence[str], height: int = HEIGHT) -> str:
    inside = "\n".join(parts)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>\n{inside}\n</svg>\n"
    )


def _legend(names: Sequence[str]) -> str:
    if len(names) < 2:
        return ""
    items = (
        f'<li><span style="background:{COLOURS[number % len(COLOURS)]}"></span>{escape(name)}</li>'
        for number, name in enumerate(names)
    )
    return f'<ul class="legend">{"".join(items)}</ul>\n'
