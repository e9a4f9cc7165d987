"""What the peers need of the machine: databases of their own in our server, and programs that are started, waited for,
and ended by their process id."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from psycopg import sql

from finalmarket.kernel.embedded import OWNER_ROLE, EmbeddedServer

CHECKOUT = Path(__file__).resolve().parents[3]
BUILD = CHECKOUT / "build" / "peers"
STOP_SECONDS = 20.0
INSTALL_SECONDS = 1_800.0
LOOK_SECONDS = 0.1
LOG_LINES = 15
ANSWER = b"peer:"


class NotThere(Exception):
    """A peer that cannot be installed, started or filled here; says why."""


def mark(*locks: Path) -> str:
    """What tells whether something was installed from these lock files as they are now."""
    return hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()


def marked(folder: Path) -> str:
    """The mark that an installation in `folder` left; "" where there is none."""
    left = folder / "installed"
    return left.read_text() if left.exists() else ""


def put_mark(folder: Path, *locks: Path) -> None:
    """Note that `folder` holds what these lock files say."""
    (folder / "installed").write_text(mark(*locks))


def free_port() -> int:
    """A port of the loopback address that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def new_database(server: EmbeddedServer, name: str) -> None:
    """An empty database `name`; one that was left over is dropped."""
    with server.connect() as connection:
        word = sql.Identifier(name)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(word))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(word))


def drop_database(server: EmbeddedServer, name: str) -> None:
    """Drop a database of ours."""
    with server.connect() as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def rows(server: EmbeddedServer, database: str, query: Any, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """What a query finds in a peer's database."""
    with server.connect(database, OWNER_ROLE) as connection:
        return connection.execute(query, values).fetchall()


def tidy(server: EmbeddedServer, database: str) -> None:
    """Statistics for the planner, as a shop that has run for a while has; our own market gets the same."""
    with server.connect(database, OWNER_ROLE) as connection:
        connection.execute("VACUUM ANALYZE")


def run(command: Sequence[str], folder: Path, log: Path, settings: Mapping[str, str], seconds: float) -> None:
    """Run a program to its end. Raises NotThere with the end of what it said where it fails or takes too long."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **settings}, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, process_group=0,
        )  # fmt: skip
        try:
            code = child.wait(seconds)
        except subprocess.TimeoutExpired as error:
            _end(child)
            raise NotThere(f"{' '.join(command[:3])} did not end in {seconds:.0f} s; {_end_of(log)}") from error
    if code:
        raise NotThere(f"{' '.join(command[:3])} ended with {code}; {_end_of(log)}")


class Program:
    """A program that was started; `close` ends it. With `talks` it is spoken to: a line of JSON to its standard input,
    and back the next line of its standard output that begins with ANSWER; what else it says goes to the log."""

    def __init__(
        self, command: Sequence[str], folder: Path, log: Path, settings: Mapping[str, str], *, talks: bool = False
    ) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        self._output = log.open("wb")
        self._child = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **settings}, process_group=0,
            stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
            stdout=subprocess.PIPE if talks else self._output, stderr=self._output,
        )  # fmt: skip

    def ask(self, wanted: Any) -> Any:
        """Say something and return the answer. Raises NotThere where the program ended instead."""
        told, answers = self._child.stdin, self._child.stdout
        if told is None or answers is None:
            raise NotThere("this program is not spoken to")
        try:
            told.write(json.dumps(wanted).encode() + b"\n")
            told.flush()
        except BrokenPipeError as error:
            raise NotThere(f"the program ended; {_end_of(self._log)}") from error
        for line in answers:
            if line.startswith(ANSWER):
                return json.loads(line.removeprefix(ANSWER))
            self._output.write(line)
            self._output.flush()
        self._child.wait()
        raise NotThere(f"the program ended with {self._child.returncode}; {_end_of(self._log)}")

    def wait_for(self, port: int, seconds: float) -> None:
        """Wait until it takes connections. Raises NotThere where it ends or does not in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._child.poll() is not None:
                raise NotThere(f"the server ended with {self._child.returncode}; {_end_of(self._log)}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(LOOK_SECONDS)
        raise NotThere(f"the server took no connection in {seconds:.0f} s; {_end_of(self._log)}")

    def close(self) -> None:
        """End it, kindly first."""
        if self._child.stdin is not None:
            self._child.stdin.close()
        _end(self._child)
        if self._child.stdout is not None:
            self._child.stdout.close()
        self._output.close()


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a program and what it started: it leads a process group of its own."""
    for word in (signal.SIGTERM, signal.SIGKILL):
        if child.poll() is not None:
            return
        os.killpg(child.pid, word)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def _end_of(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines()[-LOG_LINES:]
    return f"it said: {' | '.join(line.strip() for line in lines)}"[-1500:]


def install_node(name: str) -> Path:
    """Lay a peer's package.json, lock and programs into build/peers and install what is locked; return the folder.

    Raises NotThere where Node or a package is not to be had.
    """
    source, folder = Path(__file__).parent / name, BUILD / name
    folder.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        if path.is_file() and path.suffix != ".py":
            shutil.copy(path, folder / path.name)
    if shutil.which("npm") is None:
        raise NotThere("Node and npm are not on this machine")
    lock = source / "package-lock.json"
    if marked(folder) != mark(lock):
        command = ["npm", "ci", "--no-audit", "--no-fund", "--omit=dev", "--loglevel=error"]
        run(command, folder, folder / "install.log", {}, INSTALL_SECONDS)
        put_mark(folder, lock)
    return folder


def node_version(folder: Path, package: str) -> str:
    """The installed version of an npm package, and of Node."""
    told = json.loads((folder / "node_modules" / package / "package.json").read_text("utf-8"))
    node = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    return f"{told['version']} on Node {node.removeprefix('v')}"


def address(server: EmbeddedServer) -> dict[str, str]:
    """Where the server is, for programs: a folder with its socket, a port that names the socket, a role."""
    return {"PGHOST": str(server.socket), "PGPORT": "5432", "PGUSER": OWNER_ROLE}
