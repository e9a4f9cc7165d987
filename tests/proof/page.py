"""Writes docs/proof.md: what was promised and measured, the populations of the laws, every figure, and on what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.proof.result import Population, Result, promises_of
from tests.proof.step import Step

HEAD = """\
# The proof

Written by `make proof`: one command that tries the laws and measures the figures, on two cores in an hour or somewhat
more. What takes longer are steps beyond that hour, which have to be named. It goes on after a step that failed, and
ends with an error where a law was broken or a promised figure was missed. `make proof STEPS="stock border-long"` runs a
part and writes that part anew. The same for programs: [proof.json](proof.json).

Figures are medians of their runs, on a server that keeps what it has answered (fsync on); where there is a baseline, it
was measured in the same run. A ratio is the median of the ratios of the runs, each to its own baseline: it is not the
value divided by the baseline, which are medians by themselves. Times and rates are of one machine; the ratios travel
better.

The practice platforms are two of our own, which between them do nearly all that the others do
([which](glossary.md#places-to-sell)). What is tried on them is tried of the house's own ways in and out; every
connector meets the faults (`border`) and the conformance suite (`contract`).
"""
ELSEWHERE = """\
## Commands of their own

- `make test`: a small dose of each law, with everything else.
"""
MORE = {
    "scale": "- `make scale`: cost as work grows, up to a million SKUs and a hundred million interactions, with what"
    " the machine can do at most beside it{link}.\n",
    "proof-defects": "- `make proof-defects`: that the proofs can fail. Defects are planted one by one, and each turns"
    " a test red{link}.\n",
    "mutants": "- `make mutants`: the pure parts of stock, money and signatures are changed one thing at a time, and"
    " tests notice{link}.\n",
    "peers": "- `make peers`: other systems on the same machine, beside this one{link}.\n",
}
PAGES = {
    "scale": "scale.md", "proof-defects": "defects.md", "mutants": "defects.md#mutants", "peers": "peers.md",
}  # fmt: skip
"""Where what these commands found stands, beside this page."""
OF_THE_DESK = """\
What the ratios of the desk (`hot_sku_256`, `hot_sku_1000`) depend on, and why no more is promised of them than that,
says [decision 4](decisions/0004-the-desk.md).
"""
MACHINE_WORDS = {"processor", "cpus", "memory_mb", "system"}
NOT_SHOWN = {"load", "fsync", *MACHINE_WORDS}


def page(results: Mapping[str, Result], steps: Sequence[Step], elsewhere: str = ELSEWHERE) -> str:
    """The page, from all that is known: steps in their order, those of this run and of earlier ones. What a step proves
    and promises, and how long it may take, is said as it is declared now."""
    known = [
        replace(
            results[step.name], proves=step.proves, minutes_allowed=step.minutes,
            promises=promises_of(step, results[step.name].reading),
        )
        for step in steps if step.name in results
    ]  # fmt: skip
    parts = [HEAD, _outcomes(known, steps), _trouble(known), _promises(known), _machine(known)]
    parts += [_laws(one) if one.reading.counts else _figures(one) for one in known]
    return "\n".join([part for part in parts if part] + [elsewhere])


def number(value: float | int | str | None) -> str:
    """A number as one reads it; words as they are."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.replace("|", "\\|").replace("\n", " ")
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> str:
    marks = ["---:" if place in set(right) else "---" for place in range(len(heads))]
    lines = [heads, marks, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _outcomes(known: Sequence[Result], steps: Sequence[Step]) -> str:
    rows = [
        [f"[{one.name}](#{one.name})", one.proves, f"**{one.outcome}**" if one.outcome != "held" else "held",
         _clock(one.seconds), f"{one.minutes_allowed:g} min", one.commit, one.at]
        for one in known
    ]  # fmt: skip
    rows += [
        [step.name, step.proves, "not run yet" if step.is_in_the_hour else "not run; has to be asked for", "",
         f"{step.minutes:g} min", "", ""]
        for step in steps if step.name not in {one.name for one in known}
    ]  # fmt: skip
    heads = ["step", "what it proves", "outcome", "took", "allowed", "commit", "when"]
    times = f"{_together(known, steps)} A step is stopped after twice what it is allowed."
    return f"## Outcome\n\n{_table(heads, rows, [3, 4])}\n{times}\n"


def _together(known: Sequence[Result], steps: Sequence[Step]) -> str:
    """What the steps that were run took, those of the hour and those beyond it."""
    of_the_hour = {step.name for step in steps if step.is_in_the_hour}
    within = sum(one.seconds for one in known if one.name in of_the_hour)
    beyond = sum(one.seconds for one in known if one.name not in of_the_hour)
    more = f"; those beyond it: {_clock(beyond)}" if beyond else ""
    return f"The steps of the hour: {_clock(within)}{more}."


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"


def _trouble(known: Sequence[Result]) -> str:
    lines = [f"- **{one.name}**, {one.outcome}: {number(why)}" for one in known for why in one.why]
    return "## What did not hold\n\n" + "\n".join(lines) + "\n" if lines else ""


def _promises(known: Sequence[Result]) -> str:
    rows = [
        [f"`{one.name}`", one.floor, "not measured" if one.measured is None else number(one.measured),
         "kept" if one.is_kept else "**missed**", result.name]
        for result in known for one in result.promises
    ]  # fmt: skip
    table = _table(["what", "promised", "measured", "", "step"], rows, [2])
    return f"## What was promised\n\n{table}\n{OF_THE_DESK}" if rows else ""


def _machine(known: Sequence[Result]) -> str:
    """What the steps were run on; which of them on which, where that is not the same for all."""
    steps: dict[str, list[str]] = {}
    for one in known:
        steps.setdefault(machine_line(one.machine), []).append(one.name)
    lines = [f"{line} Steps: {', '.join(names)}." for line, names in steps.items()] if len(steps) > 1 else [*steps]
    return "## Machine\n\n" + "\n\n".join(lines) + "\n" if lines else ""


def machine_line(told: Mapping[str, Any]) -> str:
    """A machine in one sentence, with the versions of what is compared."""
    versions = ", ".join(f"{name} {value}" for name, value in told.items() if name not in NOT_SHOWN)
    memory = number(told.get("memory_mb"))
    return f"{told.get('processor')}, {told.get('cpus')} cores, {memory} MB, {told.get('system')}; {versions}."


def _section(one: Result) -> Iterator[str]:
    seed = f" Seed {one.reading.seed}." if one.reading.seed is not None else ""
    yield f"## {one.name}\n"
    yield f"{one.proves}\n"
    yield f"`{one.command}`\n"
    yield f"Took {_clock(one.seconds)} at load {one.load:g}, at commit {one.commit}.{seed}\n"


def _figures(one: Result) -> str:
    rows = [_figure_row(figure) for figure in one.reading.figures]
    heads = ["figure", "value", "unit", "min to max", "runs", "ratio", "of", "baseline"]
    return "\n".join([*_section(one), _table(heads, rows, [1, 3, 4, 5, 6])])


def _figure_row(figure: Mapping[str, Any]) -> list[str]:
    return [
        f"`{figure['name']}`", number(figure["value"]), number(figure["unit"]),
        f"{number(figure['min'])} to {number(figure['max'])}", number(figure["runs"]), number(figure["ratio"]),
        number(figure["baseline"]), number(figure["baseline_name"]),
    ]  # fmt: skip


def _laws(one: Result) -> str:
    counts = one.reading.counts
    told = [f"{counts['passed']:,} tests passed, {counts['failed']} failed, {counts['skipped']} skipped."]
    told += [f"\nSkipped: {number(words)}" for words in one.reading.skipped]
    if totals := one.reading.totals():
        told += ["", "Together: " + ", ".join(f"{name} {number(value)}" for name, value in totals.items()) + "."]
    tables = [table for group in _alike(one.reading.populations) for table in _population_table(group)]
    return "\n".join([*_section(one), *told, "", *tables])


def _alike(populations: Sequence[Population]) -> Iterator[list[Population]]:
    """Those of one test function, which say the same of each of its cases."""
    groups: dict[str, list[Population]] = {}
    for one in populations:
        groups.setdefault(one.test.partition("[")[0], []).append(one)
    yield from groups.values()


def _population_table(group: Sequence[Population]) -> Iterator[str]:
    names = list(dict.fromkeys(name for one in group for name in one.values))
    sentence = group[0].test.partition("[")[0].rpartition("::")[2].removeprefix("test_").replace("_", " ")
    yield f"{sentence[:1].upper()}{sentence[1:]}:\n"
    if len(group) == 1:
        yield "".join(f"- {name}: {number(group[0].values[name])}\n" for name in names)
        return
    rows = [
        [_case(one.test), *(number(one.values[name]) if name in one.values else "" for name in names)] for one in group
    ]
    yield _table(["case", *names], rows, range(1, len(names) + 1))


def _case(test: str) -> str:
    return test.partition("[")[2].removesuffix("]") or "all"
