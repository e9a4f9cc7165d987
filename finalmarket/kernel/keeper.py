"""The keeper: the one parent of the embedded PostgreSQL server, a small process of its own.

It lives as long as anyone uses the database and no longer. Every user of the database (web, worker, command line, test
run) holds a shared lock on `users.lock`; the keeper waits for the exclusive lock on it, which the kernel grants when
the last user is gone, however it went: a killed user holds no lock. Then it stops the server and ends.

A server that dies under its users is started again, as often as it dies once it has served; one that never comes up is
given up after five tries. Should the keeper itself be killed, the kernel tells the server to
shut down (Linux), or the next keeper does (elsewhere). Only the standard library and psutil are imported: it
starts fast.
"""

import ctypes
import fcntl
import os
import pwd
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import psutil

RESTARTS_A_MINUTE = 5
PAUSE_SECONDS = 3.0
"""Before a server that dies again and again is started once more: its disk may be full, and be cleared."""
LOOK_SECONDS = 0.1
STOP_SECONDS = 60
LEFT_OVER_SECONDS = 30


class Keeper:
    """Keeps one server on one cluster.

    `folder` holds the cluster and the locks, `socket` the server's socket, `bindir` the binaries; `account` is who runs
    the server when we are root, else empty.
    """

    def __init__(self, folder: Path, socket: Path, bindir: Path, account: str) -> None:
        self.folder = folder
        self.socket = socket
        self.bindir = bindir
        self.account = pwd.getpwnam(account) if account else None
        self.events: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.starts: deque[float] = deque(maxlen=RESTARTS_A_MINUTE)
        self.has_served = False

    def run(self) -> int:
        """Keep the server until its last user is gone or we are told to stop. Returns the exit code."""
        lock = os.open(self.folder / "keeper.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0  # another keeper is at work
        os.truncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        for name in ("SIGTERM", "SIGINT"):
            signal.signal(getattr(signal, name), lambda *_: self.events.put("stop"))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        threading.Thread(target=self._wait_for_last_user, daemon=True).start()
        return self._keep()

    def _keep(self) -> int:
        while True:
            server = self._start()
            threading.Thread(target=self._wait_for_death, args=(server,), daemon=True).start()
            event = self.events.get()
            if event != "died":
                self._stop(server)
                return 0
            sys.stderr.write(f"keeper: the server ended by itself with code {server.returncode}\n")
            sys.stderr.flush()
            if len(self.starts) == RESTARTS_A_MINUTE and time.monotonic() - self.starts[0] < 60:
                if not self.has_served:
                    return 1
                if self._is_stopped_within(PAUSE_SECONDS):
                    return 0

    def _is_stopped_within(self, seconds: float) -> bool:
        """Wait; whether we are told to stop, or the last user is gone, meanwhile."""
        try:
            self.events.get(timeout=seconds)
        except queue.Empty:
            return False
        return True

    def _start(self) -> "subprocess.Popen[bytes]":
        cluster = self.folder / "cluster"
        end_left_over_server(cluster, self.socket)
        self.starts.append(time.monotonic())
        identity: dict[str, object] = {}
        if self.account:
            identity = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # the identity is a set of keywords
            [self.bindir / "postgres", "-D", cluster],
            cwd=cluster,
            stdin=subprocess.DEVNULL,
            preexec_fn=_die_with_parent(),
            **identity,
        )

    def _wait_for_last_user(self) -> None:
        users = os.open(self.folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(users, fcntl.LOCK_EX)  # held until we end: whoever comes now waits for the next keeper
        self.events.put("empty")

    def _wait_for_death(self, server: "subprocess.Popen[bytes]") -> None:
        while not self.has_served:
            try:
                server.wait(LOOK_SECONDS)
                break
            except subprocess.TimeoutExpired:
                self.has_served = is_ready(self.folder / "cluster")
        server.wait()
        self.events.put("died")

    def _stop(self, server: "subprocess.Popen[bytes]") -> None:
        for sign in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, and the last resort
            if server.poll() is None:
                server.send_signal(sign)
            try:
                server.wait(STOP_SECONDS)
                return
            except subprocess.TimeoutExpired:
                continue


def end_left_over_server(cluster: Path, socket: Path) -> None:
    """Clear the way for a new server: end one that lost its keeper, remove what a dead one left.

    A process id alone proves nothing, it may have been given to another process since: the process must also work in
    our cluster's folder, as every PostgreSQL server does in its own.
    """
    pid_file = cluster / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        pid = 0
    if pid and serves(pid, cluster):
        server = psutil.Process(pid)
        server.send_signal(signal.SIGINT)
        try:
            server.wait(LEFT_OVER_SECONDS)
        except psutil.TimeoutExpired:
            server.send_signal(signal.SIGQUIT)
            server.wait(LEFT_OVER_SECONDS)
    _wait_for_orphans(cluster)
    pid_file.unlink(missing_ok=True)
    for lock in socket.glob(".s.PGSQL.*.lock"):
        lock.unlink(missing_ok=True)


def is_ready(cluster: Path) -> bool:
    """Whether the server of this cluster takes connections, by its own word."""
    try:
        return (cluster / "postmaster.pid").read_text().rstrip().endswith("ready")
    except OSError:
        return False


def serves(pid: int, cluster: Path) -> bool:
    """Whether the process is a PostgreSQL process that works in this cluster."""
    try:
        process = psutil.Process(pid)
        return process.name().startswith("postgres") and Path(process.cwd()) == cluster.resolve()
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return False


def _wait_for_orphans(cluster: Path) -> None:
    """Backends of a killed server notice its death by themselves; a new one must not start while they write."""
    orphans = [process for process in psutil.process_iter(["pid", "name"]) if serves(process.pid, cluster)]
    _, alive = psutil.wait_procs(orphans, timeout=LEFT_OVER_SECONDS)
    for process in alive:
        process.send_signal(signal.SIGQUIT)
    psutil.wait_procs(alive, timeout=LEFT_OVER_SECONDS)


def _die_with_parent() -> Callable[[], None] | None:
    """Linux only: ask the kernel to send the server SIGINT (fast shutdown) when the keeper dies."""
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return None
    keeper = os.getpid()

    def arrange() -> None:
        set_parent_death_signal = 1
        prctl(set_parent_death_signal, int(signal.SIGINT), 0, 0, 0)
        if os.getppid() != keeper:
            os._exit(1)

    return arrange


if __name__ == "__main__":
    folder, socket, bindir, account = sys.argv[1:5]
    sys.exit(Keeper(Path(folder), Path(socket), Path(bindir), account).run())
