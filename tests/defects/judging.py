"""Running the named test with a defect planted, and saying what that proves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.defects.copy import Copy
from tests.defects.defect import Defect

MOST_SECONDS = int(os.environ.get("FINALMARKET_DEFECT_SECONDS", "600"))
# Loading plugins that no named test needs takes longer than most of the tests.
NO_OTHER_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
PLUGINS = ("-p", "pytest_django.plugin", "-p", "_hypothesis_pytestplugin", "-p", "tests.defects.witness")
# What a test's own words raise: assert, pytest.fail, pytest.raises without the error.
BY_ASSERTION = {"AssertionError", "Failed"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`killed`: the named test went red for its own reason. `survived`: it stayed green. `broken`: neither was seen,
    and `why` says what was."""

    id: str
    outcome: str
    why: str
    seconds: float

    def told(self) -> dict[str, Any]:
        """As it is written into JSON."""
        return asdict(self)


def judge(copy: Copy, defect: Defect, template: str) -> Verdict:
    """Plant the defect, run its test alone, take the defect out again. `template` is the database without any."""
    begun = time.monotonic()
    try:
        with copy.planted(defect):
            code, seen = run(copy, [defect.test], "-x", without=template, patched=defect.file)
    except ValueError as error:
        return Verdict(defect.id, "broken", str(error), 0.0)
    outcome, why = read(defect, code, seen)
    return Verdict(defect.id, outcome, why, round(time.monotonic() - begun, 1))


def run(
    copy: Copy, nodes: Sequence[str], *options: str, without: str = "", patched: str = ""
) -> tuple[int | None, list[Mapping[str, str]]]:
    """Run these tests in the copy; pytest's exit code (None: it had to be ended) and what the witness saw. Where a file
    of SQL is `patched`, the database is made of the template `without` the patch."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "witness.json"
        watched = {"FINALMARKET_WITNESS": str(told), "FINALMARKET_WITHOUT": without, "FINALMARKET_PATCHED": patched}
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", *PLUGINS, *options, *nodes],
            cwd=copy.root, env={**copy.environment, **NO_OTHER_PLUGINS, **watched},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            said = process.communicate(timeout=MOST_SECONDS * len(nodes))[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # its own session: the test and whatever it has started
            process.communicate()
            return None, []
        if told.exists():
            return process.returncode, json.loads(told.read_text("utf-8"))
        return process.returncode, [
            {"test": nodes[0], "when": "start", "outcome": "failed", "error": "", "message": said[-500:]}
        ]


def read(defect: Defect, code: int | None, seen: Sequence[Mapping[str, str]]) -> tuple[str, str]:
    """What a run proves of a defect: the outcome, and why."""
    if code is None:
        return "broken", f"the test did not end within {MOST_SECONDS} seconds"
    failed = [one for one in seen if one["outcome"] == "failed"]
    if code == 0 and not failed:
        ran = any(one["outcome"] == "passed" for one in seen)
        return ("survived", "the test stayed green") if ran else ("broken", "the test was skipped")
    if code != 1 or not failed:
        return "broken", f"pytest ended with {code}: {_first_line(failed)}"
    for one in failed:
        if one["when"] in ("call", "teardown") and _is_named(defect, one) and _is_expected(defect, one):
            return "killed", _in_short(one)
    return "broken", f"red for another reason ({failed[0]['when']}): {_in_short(failed[0])}"


def _is_named(defect: Defect, one: Mapping[str, str]) -> bool:
    return one["test"] == defect.test or one["test"].startswith(f"{defect.test}[")


def _is_expected(defect: Defect, one: Mapping[str, str]) -> bool:
    return one["error"] == defect.error if defect.error else one["error"] in BY_ASSERTION


def _in_short(one: Mapping[str, str]) -> str:
    return f"{one['error']}: {_first_line([one])}"


def _first_line(failed: Sequence[Mapping[str, str]]) -> str:
    lines = failed[0]["message"].strip().splitlines() if failed else []
    return lines[0][:160] if lines else "nothing was said"
