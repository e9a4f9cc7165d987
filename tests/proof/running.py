"""Runs a step: its output streams, its time is limited, and its report is read."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from tests.proof import where
from tests.proof.reading import Unreadable, read_figures, read_laws
from tests.proof.result import Outcome, Promise, Reading, Result, promises_of
from tests.proof.step import PROCESSES, REPORT, Step

STOP_SECONDS = 20
MOST_TIMES = 2
"""A step is stopped after so many times what it should take: a slower machine may still prove everything."""
READ = {"figures": read_figures, "laws": read_laws}
TEST_DATA, MEASURED_DATA = ".data-test", ".data-proof"
"""Laws share the tests' server, which need not keep anything; figures count only where answers are kept."""


def run(step: Step, machine: Mapping[str, object]) -> Result:
    """Run one step to its end, or to the end of its time. Whatever comes of it, there is a result."""
    at, commit, load = where.now(), where.commit(), where.load()
    doses = {name: os.environ.get(name, value) for name, value in step.doses.items()}
    with tempfile.TemporaryDirectory(prefix="fm-proof-") as folder:
        report = Path(folder) / "report"
        began = time.monotonic()
        code = _run(step, report, where.environment(doses, where.ROOT / _data(step)))
        seconds = time.monotonic() - began
        reading, complaint = _read(step, report)
    promises = promises_of(step, reading)
    outcome, why = judged(code, reading, complaint, promises)
    return Result(
        name=step.name, proves=step.proves, command=step.shown(doses), outcome=outcome, why=why,
        seconds=round(seconds, 1), minutes_allowed=step.minutes, at=at, commit=commit, load=load,
        machine={**machine, **reading.machine, "load": load}, reading=reading, promises=promises, doses=doses,
    )  # fmt: skip


def _data(step: Step) -> str:
    return TEST_DATA if step.kind == "laws" else MEASURED_DATA


def _run(step: Step, report: Path, environment: Mapping[str, str]) -> int | None:
    """The command's code; None where it was stopped because its time was over."""
    command = list(_words(step.command, report))
    is_printed = not any(REPORT in word for word in step.command)
    with report.open("wb") if is_printed else nullcontext() as target:
        process = subprocess.Popen(
            command, cwd=where.ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=target, start_new_session=True
        )
        try:
            return process.wait(step.minutes * 60 * MOST_TIMES)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _stop(process)


def _words(command: Sequence[str], report: Path) -> Iterator[str]:
    """The command with its places filled; programs are those of this environment."""
    beside = Path(sys.executable).parent
    for number, word in enumerate(command):
        if number == 0:
            yield shutil.which(word, path=str(beside)) or word
        else:
            yield word.replace(REPORT, str(report)).replace(PROCESSES, os.environ.get("PROCESSES", "2"))


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it has started, where it has not ended by itself."""
    if process.poll() is not None:
        return
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(STOP_SECONDS)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _read(step: Step, report: Path) -> tuple[Reading, str]:
    try:
        return READ[step.kind](report), ""
    except Unreadable as error:
        return Reading(), str(error)


def judged(
    code: int | None, reading: Reading, complaint: str, promises: Sequence[Promise]
) -> tuple[Outcome, Sequence[str]]:
    """What came of a step, and why. A law of which every test was skipped is not proved."""
    if code is None:
        return "out of time", ["it was stopped", *reading.complaints]
    if reading.counts.get("failed") or (code != 0 and not complaint):
        return "broken", reading.complaints or [f"the command ended with {code}"]
    if complaint:
        return "unreadable", [complaint, *([f"the command ended with {code}"] if code else [])]
    if reading.counts and not reading.counts["passed"]:
        return "broken", ["no test was run", *reading.skipped]
    missed = [f"{one.name} is {_said(one.measured)}, promised is {one.floor}" for one in promises if not one.is_kept]
    return ("missed", missed) if missed else ("held", [])


def _said(measured: float | None) -> str:
    return "not measured" if measured is None else f"{measured:,g}"
