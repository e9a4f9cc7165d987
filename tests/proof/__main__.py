"""python -m tests.proof [STEP ...]: run the steps of the proof, or those that are named, and write what came of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from tests.proof import keeping, where
from tests.proof.result import Result
from tests.proof.running import run
from tests.proof.step import Step
from tests.proof.steps import STEPS


@click.command()
@click.argument("names", nargs=-1)
@click.option("--list", "wants_list", is_flag=True, help="Say which steps there are, and run none.")
@click.option("--into", type=click.Path(path_type=Path), default=where.ROOT / "docs", help="Where the page is written.")
@click.option("--patience", default=1.0, help="On a slower or busy machine: so many times the minutes of each step.")
def main(names: Sequence[str], wants_list: bool, into: Path, patience: float) -> None:
    """Run the steps of the proof (all that fit into the hour, or those that are NAMED) and write docs/proof.md.

    Ends with 1 where a law was broken, a promised figure was missed, or a step was not proved at all.
    """
    if wants_list:
        for step in STEPS:
            asked = "" if step.is_in_the_hour else "if named"
            click.echo(f"{step.name:12s} {step.minutes:4g} min {asked:9s} {step.proves}")
        return
    steps = [replace(step, minutes=step.minutes * patience) for step in chosen(STEPS, names)]
    results = prove(steps, into)
    sys.exit(0 if all(one.outcome == "held" for one in results.values()) else 1)


def chosen(steps: Sequence[Step], names: Sequence[str]) -> list[Step]:
    """The steps of these names; without names those of the hour. Ends the command where a name is unknown."""
    known = {step.name: step for step in steps}
    if unknown := [name for name in names if name not in known]:
        raise click.UsageError(f"there is no step {unknown[0]}; there are {', '.join(known)}")
    return [known[name] for name in names] if names else [step for step in steps if step.is_in_the_hour]


def prove(steps: Sequence[Step], into: Path, declared: Sequence[Step] = STEPS) -> dict[str, Result]:
    """Run step after step, whatever comes of each; what is known is written down after each. Returns the results."""
    machine, known = where.machine(), keeping.load(into)
    results: dict[str, Result] = {}
    for number, step in enumerate(steps, start=1):
        click.secho(
            f"\n== {number} of {len(steps)}: {step.name} ({step.minutes:g} minutes on two quiet cores)", bold=True
        )
        results[step.name] = run(step, machine)
        keeping.save(into, {**known, **results}, declared)
    _say(results)
    return results


def _say(results: Mapping[str, Result]) -> None:
    """All that came of it, in the end."""
    click.echo()
    for one in results.values():
        click.secho(
            f"{one.outcome:12s} {one.name:12s} {one.seconds:7.0f} s", fg=None if one.outcome == "held" else "red"
        )
        for why in one.why:
            click.echo(f"             {why}")


if __name__ == "__main__":
    main()
