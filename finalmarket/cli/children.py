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

from finalmarket.operations import draining

FOLLOWS = "FINALMARKET_FOLLOWS"
RESTARTS_A_MINUTE = 5
PAUSE_SECONDS = 10
STOP_SECONDS = 15


class Child:
    """One program of ours, started anew when it ends by itself: at once, but after five times within a minute no sooner
    than ten seconds after the last."""

    def __init__(self, name: str, arguments: Sequence[str], environment: dict[str, str]) -> None:
        self.name = name
        self._arguments = [sys.executable, "-m", *arguments]
        self._environment = {**os.environ, **environment, FOLLOWS: "1"}
        self._starts: deque[float] = deque(maxlen=RESTARTS_A_MINUTE)
        self._process: subprocess.Popen[bytes] | None = None
        self._is_told = False

    def start(self) -> None:
        """Start it in a process group of its own: Ctrl-C is for us, who then stop the children in order.

        Its standard input is a pipe of which we hold the other end: when we are gone, it reads the end of it.
        """
        self._starts.append(time.monotonic())
        self._is_told = False
        self._process = subprocess.Popen(
            self._arguments, env=self._environment, stdin=subprocess.PIPE, process_group=0, bufsize=0
        )

    def ended(self) -> int | None:
        """Its exit code if it has ended, else None."""
        return self._process.poll() if self._process else 0

    def revive(self) -> bool:
        """Start it again if it has ended; False while that waits, because it ends again and again."""
        if self.ended() is None:
            return True
        now = time.monotonic()
        is_often = len(self._starts) == RESTARTS_A_MINUTE and now - self._starts[0] < 60
        if is_often and now - self._starts[-1] < PAUSE_SECONDS:
            return False
        self._close()
        self.start()
        return True

    def ask_to_stop(self) -> None:
        """Tell it to finish what it is doing and end; once, for who is told a second time ends in the midst of it."""
        if self._process and self._process.poll() is None and not self._is_told:
            self._is_told = True
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Wait until it has ended; 15 s after its last requests went elsewhere without patience."""
        if self._process is None:
            return
        self.ask_to_stop()
        try:
            self._process.wait(STOP_SECONDS + draining.seconds())
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
        end_with_parent()


def end_with_parent() -> None:
    """Have this process end when the one that started it is gone, whatever it died of."""
    threading.Thread(target=_end_with_parent, name="follow-parent", daemon=True).start()


def stop_while_loading() -> None:
    """In a process of the web server that loads its application still: end at once when told to stop. Until granian has
    handlers of its own there, those of the process that started it are in force, and hear for nobody."""
    if multiprocessing.parent_process() is not None and threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    else:
        while os.read(0, 1024):
            continue
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_SECONDS + draining.seconds())
    os._exit(1)
