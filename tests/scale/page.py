"""Writes docs/scale.md: each plot with its exponents, and what the machine does at most beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.proof.page import machine_line
from tests.scale.curve import Plot, Series, number, short

HEAD = """\
# Cost as work grows

Written by `make scale`, which fills, measures and draws the shop, history and callers in less than an hour on two
cores; `make scale SCALE="skus"` does one of them anew. The numbers: [scale.json](scale.json).

Both axes of every picture are logarithmic: a flat line is a cost that does not grow, and the slope is the **exponent**
of the growth, 1 for a cost in proportion to the work. It is fitted to all runs, with an interval of 95 %; medians are
drawn, with the span of the runs. Dashed, where there is such a thing, is what the machine does at most, in that run:
rows by COPY, writes that are safe on the disk, a server that does nothing, the bare reading of the same rows.

Each figure is the median of three runs; of five where it is a page, of two or one where a question takes longer than a
quarter of a minute. The parts were measured on days of their own, which stand at each, and not on that of the
[proof](proof.md): compare figures within a part only.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """What a part has drawn: when, on what."""

    name: str
    says: str
    at: str
    commit: str
    load: float
    seconds: float
    dose: int
    machine: Mapping[str, Any]
    plots: Sequence[Plot]


def page(parts: Sequence[Part]) -> str:
    """The page, from all that is known."""
    return "\n".join([HEAD, *(line for part in parts for line in _part(part))])


def _part(part: Part) -> Iterator[str]:
    yield f"## {part.says}\n"
    took = f"{part.seconds / 60:.0f} minutes at load {part.load:g}"
    yield f"Up to {part.dose:,}; {took}, at commit {part.commit}, {part.at}."
    yield f"{machine_line(part.machine)}\n"
    for plot in part.plots:
        yield f"### {plot.title}\n"
        yield f"{plot.says}\n"
        yield f"![{plot.title}](pictures/scale/{plot.name}.svg)\n"
        yield _table(plot)


def _counted(work: float, things: str) -> str:
    """So many of them: "1 channel", "1k SKUs"."""
    return f"{short(work)} {things.removesuffix('s') if work == 1 else things}"


def _table(plot: Plot) -> str:
    works = sorted({point.work for series in plot.series for point in series.points})
    heads = [plot.unit, *(_counted(work, plot.work) for work in works), "exponent", "ten times the work"]
    marks = ["---", *("---:" for _ in heads[1:])]
    rows = [_row(series, works) for series in plot.series]
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, marks, *rows)) + "\n"


def _row(series: Series, works: Sequence[float]) -> list[str]:
    known = {point.work: number(point.median) for point in series.points}
    exponent = series.exponent()
    grows = ["", ""] if exponent is None else [str(exponent), f"x {exponent.tenfold:.2f}"]
    name = f"*{series.name}*" if series.is_limit else series.name
    return [name, *(known.get(work, "") for work in works), *grows]
