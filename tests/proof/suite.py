"""How long the whole suite takes, and whether any test of it fails now and then: `python -m tests.proof.suite`.

Prints the figures as a bench does. `FINALMARKET_SUITE_RUNS` says how many times it is run, once by default; a test that
fails in one of them is named.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from finalmarket.bench.report import Figure, as_json, figure
from tests.proof import where
from tests.proof.reading import read_laws
from tests.proof.result import Reading

RUNS = "FINALMARKET_SUITE_RUNS"
SECONDS = 60


def main() -> int:
    """Run the suite; print its figures. The code is 1 where a test failed."""
    runs = max(1, int(os.environ.get(RUNS, "1")))
    took, read = zip(*[run() for _ in range(runs)], strict=True)
    for one in read:
        sys.stderr.write("".join(f"{complaint}\n" for complaint in one.complaints))
    sys.stdout.write(as_json("suite", {}, 0, figures_of(took, read)))
    return int(any(one.counts["failed"] for one in read))


def figures_of(took: Sequence[float], read: Sequence[Reading]) -> Sequence[Figure]:
    """Sum up the runs: the minutes that each took, and what came of its tests. Pure."""
    return (
        figure("suite_minutes", "minutes from the first to the last test", took),
        figure("suite_tests", "tests passed", [one.counts["passed"] for one in read]),
        figure("suite_failed", "tests failed, in all runs", [sum(one.counts["failed"] for one in read)]),
        figure("suite_skipped", "tests skipped, for something is not there", [one.counts["skipped"] for one in read]),
    )


def run() -> tuple[float, Reading]:
    """Run all tests once, as `make test` does; return the minutes that took, and what came of each."""
    workers = str((os.cpu_count() or 1) + 1)
    # The proof's own server keeps all it is told; the tests start theirs, which need not, as they do without a proof.
    environment = {name: value for name, value in os.environ.items() if name != "FINALMARKET_DATA"}
    with tempfile.TemporaryDirectory(prefix="fm-suite-") as folder:
        report = Path(folder) / "report"
        command = ["pytest", "-q", "-n", workers, "--dist", "worksteal", f"--junitxml={report}"]
        began = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", *command], cwd=where.ROOT, env=environment, stdout=sys.stderr, check=False
        )
        return (time.monotonic() - began) / SECONDS, read_laws(report)


if __name__ == "__main__":
    sys.exit(main())
