"""The embedded PostgreSQL: brought up at the first use, shared by all processes of this installation, gone with the
last.

Joining takes a shared lock that the kernel lets go of when the process ends, however it ends; the keeper (keeper.py)
stops the server when no lock is left. Connections come by a unix socket in a folder that only its owner may enter,
never by TCP.
"""

import atexit
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from finalmarket.kernel import places
from finalmarket.kernel.cluster import (
    OWNER_ROLE,
    give,
    last_line,
    make_cluster,
    make_private_folder,
    pg_bindir,
    reachable_programs,
    write_configuration,
)
from finalmarket.kernel.errors import UserError

__all__ = ["DATABASE_NAME", "OWNER_ROLE", "RUNTIME_ROLE", "EmbeddedServer", "installed_server", "pg_bindir"]

START_SECONDS = 300
LOG_BYTES = 10 * 1024 * 1024
RUNTIME_ROLE = "finalmarket_runtime"
DATABASE_NAME = "finalmarket"


@dataclass
class EmbeddedServer:
    """One embedded server: the folder that holds its cluster and locks, and the folder of its socket."""

    folder: Path
    socket: Path
    _users: int | None = field(default=None, init=False)
    _pid: int = field(default=0, init=False)
    _log_begins: int = field(default=0, init=False)
    _mutex: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def join(self) -> None:
        """Become a user of the server; start it if it is not running. Joining twice is joining once.

        Takes 0.2 s when the server has to start, about 1 s when the cluster has to be made. Raises UserError when it
        cannot start, with the telling line of its log.
        """
        with self._mutex:
            if self._users is not None and self._pid == os.getpid():
                return
            for folder in (self.folder, self.socket):
                make_private_folder(folder, places.server_account())
            users = self._open("users.lock")
            _lock_within(users, fcntl.LOCK_SH, START_SECONDS, "an earlier server is still shutting down")
            self._users, self._pid = users, os.getpid()
            atexit.register(self.leave)
        try:
            self.revive()
        except BaseException:
            self.leave()
            raise

    def revive(self) -> None:
        """Start the server unless it is running; for its users, who may find its keeper killed."""
        starting = self._open("start.lock")
        try:
            _lock_within(starting, fcntl.LOCK_EX, START_SECONDS, "another process has been starting it all that time")
            deadline = time.monotonic() + START_SECONDS
            if self.keeper_pid() is None:
                self._start()
            while not self._ready():
                if time.monotonic() > deadline:
                    raise UserError(self._why_not())
                if self.keeper_pid() is None:  # the one we found was on its way out
                    self._start()
                time.sleep(0.01)
            self._furnish()
        finally:
            os.close(starting)

    def leave(self) -> None:
        """Stop being a user. The last one to leave waits until the server has stopped."""
        if self._users is None:
            return
        users, self._users = self._users, None
        if self._pid != os.getpid():
            os.close(users)  # a forked child: the lock belongs to the parent
            return
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._stop()
        except BlockingIOError:
            # Others remain and we get the shared lock at once; or the keeper was faster and we wait until it is done.
            fcntl.flock(users, fcntl.LOCK_SH)
        finally:
            os.close(users)
            atexit.unregister(self.leave)

    def keeper_pid(self) -> int | None:
        """The process id of the living keeper, or None. The lock it holds is the proof, not the number."""
        try:
            lock = os.open(self.folder / "keeper.lock", os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(os.pread(lock, 20, 0) or 0)
        finally:
            os.close(lock)
        return None

    def connect(self, database: str = "postgres", user: str = OWNER_ROLE) -> "psycopg.Connection[tuple[Any, ...]]":
        """A connection in autocommit mode to a database of this server."""
        return psycopg.connect(host=str(self.socket), port=5432, dbname=database, user=user, autocommit=True)

    def _open(self, name: str) -> int:
        lock = os.open(self.folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        give(lock, places.server_account())
        return lock

    def _start(self) -> None:
        account = places.server_account()
        bindir = reachable_programs(self.folder, pg_bindir(), account)
        make_cluster(self.folder, bindir, account)
        write_configuration(self.folder, self.socket, account)
        os.close(self._open("keeper.lock"))
        arguments = (self.folder, self.socket, bindir, account.pw_name if account else "")
        ours = [str(Path(__file__).resolve().parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
        journal = self.folder / "server.log"
        if journal.exists() and journal.stat().st_size > LOG_BYTES:
            journal.replace(journal.with_suffix(".log.1"))
        with journal.open("ab") as output:
            self._log_begins = output.tell()
            give(output.fileno(), account)
            keeper = subprocess.Popen(
                [sys.executable, "-P", "-m", "finalmarket.kernel.keeper", *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd="/",
                env={**os.environ, "PYTHONPATH": os.pathsep.join(ours), "LC_ALL": "C"},
            )
        self._wait_for_keeper(keeper)

    def _wait_for_keeper(self, keeper: "subprocess.Popen[bytes]") -> None:
        """Until the server answers. A keeper that gives up before that says why in the log."""
        deadline = time.monotonic() + START_SECONDS
        while self.keeper_pid() != keeper.pid or not self._ready():
            if keeper.poll() is not None or time.monotonic() > deadline:
                raise UserError(self._why_not())
            time.sleep(0.005)
        keeper.returncode = 0  # it outlives us by design: nobody shall wait for it, or complain that nobody did

    def _ready(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _furnish(self) -> None:
        """The role that the web and the workers come in as, and the database."""
        with self.connect() as connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [RUNTIME_ROLE]).fetchone() is None:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(RUNTIME_ROLE)))
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE_NAME)))

    def _stop(self) -> None:
        """Ask the keeper to stop the server and wait for both; called by the last user, who keeps newcomers waiting."""
        pid = self.keeper_pid()
        if pid:
            os.kill(pid, signal.SIGTERM)
        while self.keeper_pid() is not None:
            time.sleep(0.005)

    def _why_not(self) -> str:
        journal = self.folder / "server.log"
        said = journal.read_bytes()[self._log_begins :] if journal.exists() else b""
        reason = last_line(said.decode("utf-8", errors="replace"))
        return f"the embedded database did not start: {reason} (the whole log: {journal})"


def _lock_within(lock: int, kind: int, seconds: int, otherwise: str) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise UserError(f"the embedded database could not be joined in {seconds} s: {otherwise}") from error
            time.sleep(0.005)


_installed: EmbeddedServer | None = None


def installed_server() -> EmbeddedServer:
    """The embedded server of this installation (of its data folder)."""
    global _installed
    folder = places.database_folder()
    if _installed is None or _installed.folder != folder:
        places.make_data_folder()
        _installed = EmbeddedServer(folder, places.socket_folder())
    return _installed
