"""The processes that `serve` starts: kept alive while it lives, gone when it is gone, however it went."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence

FOLLOWS = "FINALMARKET_FOLLOWS"
RESTARTS_A_MINUTE = 5
STOP_SECONDS = 15


class Child:
    """One program of ours, started anew when it ends by itself, but not more than five times a minute. The house stands
    without one that is not vital, and looks after it all the same."""

    def __init__(
        self, name: str, arguments: Sequence[str], environment: dict[str, str], *, is_vital: bool = True
    ) -> None:
        self.name = name
        self.is_vital = is_vital
        self._arguments = [sys.executable, "-m", *arguments]
        self._environment = {**os.environ, **environment, FOLLOWS: "1"}
        self._starts: deque[float] = deque(maxlen=RESTARTS_A_MINUTE)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it in a process group of its own: Ctrl-C is for us, who then stop the children in order.

        Its standard input is a pipe of which we hold the other end: when we are gone, it reads the end of it.
        """
        self._starts.append(time.monotonic())
        self._process = subprocess.Popen(
            self._arguments, env=self._environment, stdin=subprocess.PIPE, process_group=0, bufsize=0
        )

    def ended(self) -> int | None:
        """Its exit code if it has ended, else None."""
        return self._process.poll() if self._process else 0

    def revive(self) -> bool:
        """Start it again if it has ended; False when it ends so often that there is no sense in it."""
        if self.ended() is None:
            return True
        if len(self._starts) == RESTARTS_A_MINUTE and time.monotonic() - self._starts[0] < 60:
            return False
        self._close()
        self.start()
        return True

    def ask_to_stop(self) -> None:
        """Tell it to finish what it is doing and end."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Wait until it has ended; after 15 s without patience."""
        if self._process is None:
            return
        self.ask_to_stop()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close()

    def _close(self) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.close()


def follow_parent() -> None:
    """In a process that `serve` started, directly or not: end when the parent is gone. Elsewhere it does nothing."""
    if os.environ.get(FOLLOWS) == "1":
        threading.Thread(target=_end_with_parent, name="follow-parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    else:
        while os.read(0, 1024):
            continue
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    os._exit(1)
