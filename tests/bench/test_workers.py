"""A bench that is killed leaves nobody at work behind."""

from __future__ import annotations

import subprocess
import sys

import psutil

A_BENCH = """
import os, signal
import django
django.setup()
from finalmarket.bench.workers import at_work
from finalmarket.cli.children import end_with_parent

def work():
    end_with_parent()
    print(os.getpid(), flush=True)
    signal.pause()

with at_work("nowhere", work):
    signal.pause()
"""


def test_a_worker_of_a_bench_that_is_killed_ends_with_it() -> None:
    bench = subprocess.Popen([sys.executable, "-c", A_BENCH], stdout=subprocess.PIPE, text=True)
    assert bench.stdout is not None
    with bench, bench.stdout:
        worker = psutil.Process(int(bench.stdout.readline()))
        bench.kill()
    assert worker.wait(timeout=30) in (None, -15)
    assert not worker.is_running()
