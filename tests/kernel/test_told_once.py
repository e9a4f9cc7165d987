"""Who is asked to finish what they are doing is asked once: a second time would end them in the midst of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from finalmarket.cli.children import Child

# Ends with 0 when no second SIGTERM comes while it finishes, with 7 when one does.
FINISHES = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("ready", flush=True)
signal.sigwait({signal.SIGTERM})
sys.exit(7 if signal.sigtimedwait({signal.SIGTERM}, 1) else 0)
"""


class Finishing(Child):
    """A child that says how often it was told."""

    def start(self) -> None:
        super().start()
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = subprocess.Popen(
            [sys.executable, "-c", FINISHES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"


@pytest.mark.parametrize("asked", [0, 1, 2])
def test_a_child_that_finishes_its_work_is_not_ended_by_being_waited_for(asked: int) -> None:
    child = Finishing("worker", ["this"], {})
    child.start()
    for _ in range(asked):
        child.ask_to_stop()
    child.stop()
    assert child.ended() == 0


def test_a_child_that_was_started_again_is_told_again() -> None:
    child = Finishing("worker", ["this"], {})
    for _ in range(2):
        child.start()
        child.ask_to_stop()
        child.stop()
        assert child.ended() == 0
