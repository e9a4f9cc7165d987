"""A real Spark cluster on this machine, a master and two workers from the PySpark wheel, and the proof that it answers
every question to the lake as DuckDB does: `make spark`.

Started as processes of their own on loopback, ended by their ids.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from finalmarket.analytics.lake.asked import LakeAsked
from finalmarket.analytics.lake.engine import engine
from finalmarket.bench.analytics_fill import fill
from finalmarket.kernel.errors import UserError

LOOPBACK = "127.0.0.1"
PATIENCE_SECONDS = 600
FLOAT_TOLERANCE = 1e-9  # of sums that engines add up in another order; amounts and counts are exact
ASKED: Mapping[str, LakeAsked] = {
    "daily": LakeAsked(),
    "funnel": LakeAsked(window_days=30),
    "paths": LakeAsked(),
    "retention": LakeAsked(),
    "rfm": LakeAsked(currency="EUR"),
    "activity": LakeAsked(),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """A question asked of two engines: how many rows, whether they are equal, and the seconds of each."""

    question: str
    rows: int
    is_equal: bool
    seconds: float
    baseline_seconds: float


def is_there() -> bool:
    """Whether PySpark is installed."""
    return importlib.util.find_spec("pyspark") is not None


@contextmanager
def cluster(workers: int = 2, *, cores: int = 1, memory: str = "2g") -> Iterator[str]:
    """Within it, a cluster runs on loopback; yields its address. Raises UserError where it does not come up."""
    if not is_there():
        raise UserError('there is no Spark here: pip install "finalmarket[spark]"')
    port = _free_port()
    address = f"spark://{LOOPBACK}:{port}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fm-spark-", ignore_cleanup_errors=True)))
        master = ["org.apache.spark.deploy.master.Master", "--host", LOOPBACK, "--port", str(port)]
        stack.enter_context(_running([*master, "--webui-port", "0"], folder, "master"))
        _wait_for(folder / "master.log", "I have been elected leader", 1)
        for number in range(1, workers + 1):
            worker = ["org.apache.spark.deploy.worker.Worker", "--host", LOOPBACK, "--webui-port", "0", "--cores"]
            worker += [str(cores), "--memory", memory, "--work-dir", str(folder / f"work-{number}"), address]
            stack.enter_context(_running(worker, folder, f"worker-{number}"))
        _wait_for(folder / "master.log", "Registering worker", workers)
        yield address


def compare(folder: Path, address: str, questions: Sequence[str] = tuple(ASKED)) -> Iterator[Compared]:
    """Ask every question of DuckDB and of the cluster."""
    with engine(folder, "duckdb") as ours:
        answers = {name: _timed(lambda name=name: ours.ask(name, ASKED[name])) for name in questions}
    with engine(folder, address) as theirs:
        for name in questions:
            seconds, answer = _timed(lambda name=name: theirs.ask(name, ASKED[name]))
            baseline, expected = answers[name]
            yield Compared(name, answer.num_rows, are_equal(answer, expected), seconds, baseline)


def are_equal(one: pa.Table, other: pa.Table) -> bool:
    """Whether two answers have the same rows in the same order; floats within the tolerance."""
    if one.schema != other.schema or one.num_rows != other.num_rows:
        return False
    pairs = zip(one.to_pylist(), other.to_pylist(), strict=True)
    return all(is_same(row[name], expected[name]) for row, expected in pairs for name in expected)


def is_same(one: Any, other: Any) -> bool:
    """Whether two cells are equal; floats within the tolerance."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=FLOAT_TOLERANCE)
    return bool(one == other)


def _timed(ask: Any) -> tuple[float, pa.Table]:
    began = time.perf_counter()
    answer = ask()
    return time.perf_counter() - began, answer


@contextmanager
def _running(command: Sequence[str], folder: Path, name: str) -> Iterator[None]:
    """Run one process of the cluster; its words go to a file. It is ended by its id."""
    import pyspark

    home = Path(pyspark.__file__).parent
    scene = os.environ | {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": LOOPBACK, "SPARK_NO_DAEMONIZE": "1"}
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [str(home / "bin" / "spark-class"), *command], stdout=log, stderr=log, env=scene, cwd=folder
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(log: Path, words: str, times: int) -> None:
    """Wait until the words stand so often in a log."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    text = ""
    while time.monotonic() < deadline:
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        if text.count(words) >= times:
            return
        time.sleep(0.2)
    raise UserError(f"the Spark cluster did not come up; {log.name} ends with: {text[-500:]}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        return int(found.getsockname()[1])


def main() -> int:
    """Lay a history out, start a cluster, compare, and stop it. Returns 1 where an answer differs."""
    parser = argparse.ArgumentParser(description="Prove that a Spark cluster answers as DuckDB does.")
    parser.add_argument("--rows", type=int, default=10_000_000, help="interactions of the history")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ.setdefault("SPARK_LOCAL_IP", LOOPBACK)
    write = sys.stdout.write
    with tempfile.TemporaryDirectory(prefix="fm-lake-") as name:
        folder = Path(name) / "lake"
        write(f"a history of {options.rows:,} interactions\n")
        fill(folder, options.rows, options.seed)
        with cluster() as address:
            write(f"a master and two workers at {address}\n")
            found = []
            for one in compare(folder, address):
                found.append(one)
                verdict = "equal" if one.is_equal else "DIFFERENT"
                write(f"{one.question:10} {one.rows:7,} rows  {verdict}  Spark {one.seconds:6.1f} s")
                write(f"  DuckDB {one.baseline_seconds:6.1f} s\n")
                sys.stdout.flush()
    is_proved = all(one.is_equal for one in found)
    write(f"{len(found)} questions, {'all answers equal' if is_proved else 'NOT ALL EQUAL'}\n")
    return 0 if is_proved else 1


if __name__ == "__main__":
    sys.exit(main())
