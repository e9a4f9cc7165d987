"""python -m tests.defects [--only ID]: plant every defect in a copy of the checkout and see its test go red."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from tests import environment
from tests.defects import page
from tests.defects.copy import Copy, shared
from tests.defects.defect import Defect, chosen, mistakes, read_all
from tests.defects.judging import Verdict, judge, run
from tests.proof import where

_saying = threading.Lock()


@click.command()
@click.option("--only", multiple=True, metavar="ID", help="Plant this one alone (may be said again).")
@click.option(
    "--hands", default=2, show_default=True, help="How many are planted at a time, each in a copy of its own."
)
@click.option("--json", "into", type=click.Path(path_type=Path), help="Write what was found into this file, too.")
@click.option("--page", "only_page", is_flag=True, help="Only write the tables of docs/defects.md anew.")
def main(only: Sequence[str], hands: int, into: Path | None, only_page: bool) -> None:
    """Plant the defects and demand that each turns its test red, and that all these tests are green without them.

    Ends with 1 where a defect survives, an entry is stale, or a test is red without any defect.
    """
    if only_page:
        page.write()
        return
    try:
        defects = chosen(read_all(), only)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if wrong := mistakes(defects):
        raise click.ClickException("\n".join(["entries that have to be mended first:", *wrong]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # whoever ends us has the copies removed, too
    begun, at, commit = time.monotonic(), where.now(), where.commit()
    verdicts, red = plant(defects, min(hands, len(defects)))
    seconds = round(time.monotonic() - begun)
    _tell(defects, verdicts, red, seconds)
    if into is not None:
        into.parent.mkdir(parents=True, exist_ok=True)
        into.write_text(json.dumps(_as_json(defects, verdicts, red, seconds), indent=1), "utf-8")
    if not only:
        killed = sum(verdict.outcome == "killed" for verdict in verdicts)
        page.write(run=page.ran(commit, at, killed, len(defects), len(red)))
    sys.exit(0 if not red and all(verdict.outcome == "killed" for verdict in verdicts) else 1)


def plant(defects: Sequence[Defect], hands: int) -> tuple[list[Verdict], list[str]]:
    """What came of each defect, and the named tests that are red with no defect planted."""
    with tempfile.TemporaryDirectory(prefix="fm-defects-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)  # the account that runs the database, when we are root, has to pass
        (folder / "data").mkdir()
        copies = [Copy.of(environment.ROOT, folder / str(hand), folder / "data") for hand in range(hands)]
        with copies[0].served() as template, ThreadPoolExecutor(hands) as pool:
            done = list(pool.map(lambda copy, share: _work(copy, share, template), copies, shared(defects, hands)))
    order = {defect.id: number for number, defect in enumerate(defects)}
    verdicts = sorted((one for verdicts, _ in done for one in verdicts), key=lambda verdict: order[verdict.id])
    return verdicts, [test for _, red in done for test in red]


def _work(copy: Copy, defects: Sequence[Defect], template: str) -> tuple[list[Verdict], list[str]]:
    """One hand's share: first the defects, then its tests without any."""
    verdicts = []
    for defect in defects:
        verdicts.append(judge(copy, defect, template))
        _say(verdicts[-1])
    return verdicts, _red_without(copy, sorted({defect.test for defect in defects}))


def _red_without(copy: Copy, nodes: Sequence[str]) -> list[str]:
    """Those of the tests that are not green in the copy as it is now, with every defect taken out again."""
    _, seen = run(copy, nodes)
    failed = {one["test"] for one in seen if one["outcome"] != "passed"}
    passed = {one["test"] for one in seen if one["outcome"] == "passed"} - failed
    missing = [node for node in nodes if not any(test == node or test.startswith(f"{node}[") for test in passed)]
    return sorted(failed | set(missing))


def _say(verdict: Verdict) -> None:
    with _saying:
        colour = None if verdict.outcome == "killed" else "red"
        click.secho(f"{verdict.outcome:8s} {verdict.seconds:6.1f} s  {verdict.id:34s} {verdict.why[:100]}", fg=colour)


def _tell(defects: Sequence[Defect], verdicts: Sequence[Verdict], red: Sequence[str], seconds: int) -> None:
    """All that came of it."""
    says = {defect.id: defect for defect in defects}
    for verdict in verdicts:
        if verdict.outcome != "killed":
            defect = says[verdict.id]
            click.secho(f"\n{verdict.outcome}: {defect.id}: {defect.says}\n  {defect.test}\n  {verdict.why}", fg="red")
    for test in red:
        click.secho(f"red without any defect: {test}", fg="red")
    killed = sum(verdict.outcome == "killed" for verdict in verdicts)
    click.secho(f"\n{killed} of {len(defects)} defects turned their test red, in {seconds} s", bold=True)


def _as_json(
    defects: Sequence[Defect], verdicts: Sequence[Verdict], red: Sequence[str], seconds: int
) -> dict[str, object]:
    told = {verdict.id: verdict.told() for verdict in verdicts}
    return {
        "planted": len(defects),
        "killed": sum(verdict.outcome == "killed" for verdict in verdicts),
        "survived": [verdict.id for verdict in verdicts if verdict.outcome == "survived"],
        "broken": [verdict.id for verdict in verdicts if verdict.outcome == "broken"],
        "red_without_a_defect": list(red),
        "seconds": seconds,
        "defects": [
            {"says": defect.says, "file": defect.file, "test": defect.test, **told[defect.id]} for defect in defects
        ],
    }  # fmt: skip


if __name__ == "__main__":
    main()
