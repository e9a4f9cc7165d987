"""python -m tests.mutants: mutate the pure parts in a copy of the checkout and tell which mutants no test noticed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click

from tests import environment
from tests.defects.copy import Copy
from tests.defects.judging import NO_OTHER_PLUGINS
from tests.mutants import page
from tests.mutants.mutant import (
    LEAST_SHARE,
    Count,
    Equivalent,
    Mutant,
    changed,
    counts,
    read_equivalent,
    stale,
    survivors,
)
from tests.proof import where

# Asked within the copy, of mutmut itself: what there is, what became of it, and how each differs from the original.
ASK = """
import json, sys
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.utils.file_utils import walk_mutatable_files
from mutmut.stats import status_by_exit_code
found = []
for path in walk_mutatable_files():
    data = SourceFileMutationData(path=path)
    data.load()
    for name, code in data.exit_code_by_key.items():
        status = status_by_exit_code[code]
        diff = get_diff_for_mutant(name, path=path)
        found.append({"name": name, "module": str(path), "outcome": status, "diff": diff})
json.dump(found, sys.stdout)
"""


@click.command()
@click.option("--children", default=2, show_default=True, help="How many mutants are judged at a time.")
@click.option("--json", "into", type=click.Path(path_type=Path), help="Write what was found into this file, too.")
@click.option("--show", is_flag=True, help="Show the lines of every mutant that survived.")
def main(children: int, into: Path | None, show: bool) -> None:
    """Ends with 1 where a module has more survivors than one in ten, or an entry of equivalent.toml is stale."""
    equivalent = read_equivalent()
    begun, at, commit = time.monotonic(), where.now(), where.commit()
    mutants = made_and_judged(children)
    seconds = round(time.monotonic() - begun)
    counted, wrong = counts(mutants, equivalent), stale(equivalent, mutants)
    left = survivors(mutants, equivalent)
    _tell(counted, wrong, left if show else [], seconds)
    page.write(counted, run=f"Run at commit {commit}, {at}.")
    if into is not None:
        into.parent.mkdir(parents=True, exist_ok=True)
        into.write_text(json.dumps(_as_json(counted, left, equivalent, seconds), indent=1), "utf-8")
    sys.exit(0 if not wrong and all(one.share >= LEAST_SHARE for one in counted) else 1)


def made_and_judged(children: int) -> list[Mutant]:
    """Let mutmut make mutants of a copy of the checkout and run the tests against each. Raises ClickException where
    mutmut itself does not get to its end."""
    with tempfile.TemporaryDirectory(prefix="fm-mutants-", ignore_cleanup_errors=True) as name:
        copy = Copy.of(environment.ROOT, Path(name) / "tree", Path(name) / "data")
        own = {**copy.environment, **NO_OTHER_PLUGINS}
        del own["PYTHONPATH"]  # the mutants lie in a folder of their own, which mutmut puts first
        begun = subprocess.run(
            [sys.executable, "-m", "mutmut", "run", "--max-children", str(children)],
            cwd=copy.root, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        if begun.returncode:
            raise click.ClickException(f"mutmut ended with {begun.returncode}:\n{begun.stdout[-3000:]}")
        told = subprocess.run([sys.executable, "-c", ASK], cwd=copy.root, env=own, capture_output=True, text=True)
        if told.returncode:
            raise click.ClickException(told.stderr[-3000:])
    return [_mutant(one) for one in json.loads(told.stdout)]


def _mutant(told: dict[str, str]) -> Mutant:
    was, becomes = changed(told["diff"])
    function = told["name"].rpartition(".")[2].rpartition("__mutmut_")[0].removeprefix("x_").replace("xǁ", "")
    return Mutant(told["name"], told["module"], function.replace("ǁ", "."), was, becomes, told["outcome"])


def _tell(counted: Sequence[Count], wrong: Sequence[str], shown: Sequence[Mutant], seconds: int) -> None:
    for mutant in shown:
        click.secho(f"\n{mutant.outcome}: {mutant.module}, {mutant.function}", fg="red")
        click.echo(f"- {mutant.was.strip()}\n+ {mutant.becomes.strip()}")
    click.echo(f"\n{'module':52s} {'killed':>7s} {'survived':>9s} {'equivalent':>11s} {'share':>7s}")
    for one in counted:
        colour = None if one.share >= LEAST_SHARE else "red"
        figures = f"{one.killed:7d} {one.survived:9d} {one.equivalent:11d} {one.share:7.1%}"
        click.secho(f"{one.module:52s} {figures}", fg=colour)
    for words in wrong:
        click.secho(words, fg="red")
    killed, survived = sum(one.killed for one in counted), sum(one.survived for one in counted)
    click.secho(f"{killed} of {killed + survived} mutants were noticed, in {seconds} s", bold=True)


def _as_json(
    counted: Sequence[Count], left: Sequence[Mutant], equivalent: Sequence[Equivalent], seconds: int
) -> dict[str, object]:
    killed, survived = sum(one.killed for one in counted), sum(one.survived for one in counted)
    return {
        "mutants": killed + survived,
        "killed": killed,
        "survived": survived,
        "equivalent": len(equivalent),
        "share": round(killed / max(1, killed + survived), 4),
        "seconds": seconds,
        "modules": [
            {"module": one.module, "killed": one.killed, "survived": one.survived, "share": round(one.share, 4)}
            for one in counted
        ],
        "survivors": [
            {"module": one.module, "function": one.function, "was": one.was, "becomes": one.becomes} for one in left
        ],
    }


if __name__ == "__main__":
    os.environ.setdefault("COLUMNS", "120")
    main()
