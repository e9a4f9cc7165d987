"""A house that a test opens as its user would: by the command, in a process of its own, on a new data folder."""

import http.cookiejar
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from finalmarket.kernel import places

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 120
OPEN = re.compile(r"is open at (?P<address>\S+) - log-in (?P<name>\S+), password (?P<password>\S+) - Ctrl-C")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def interpreter_for(account: Any) -> tuple[str, dict[str, str]] | None:
    """A Python that this account can run, and what it must be told to find us; None where there is none."""
    packages = sysconfig.get_path("purelib")
    if not all(places.reachable_by(folder, account) for folder in (ROOT, Path(packages))):
        return None
    if places.reachable_by(Path(sys.executable).resolve(), account):
        return sys.executable, {}
    for folder in ("/usr/local/bin", "/usr/bin"):
        python = Path(folder) / f"python3.{sys.version_info.minor}"
        if python.exists() and places.reachable_by(python.resolve(), account):
            return str(python), {"PYTHONPATH": f"{ROOT}{os.pathsep}{packages}"}
    return None


@dataclass
class House:
    """`finalmarket serve` on a data folder; `account` runs it when the tests are root's."""

    data: Path
    account: Any = None
    port: int = field(default_factory=free_port)
    live_port: int = field(default_factory=free_port)
    process: "subprocess.Popen[str] | None" = None
    address: str = ""
    name: str = ""
    password: str = ""
    processes: list[psutil.Process] = field(default_factory=list)

    def command(self, *words: str) -> dict[str, Any]:
        """The keywords by which subprocess runs `finalmarket` with these words."""
        python, told = interpreter_for(self.account) or (sys.executable, {})
        kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "FINALMARKET_POOL")}
        identity: dict[str, Any] = {}
        if self.account is not None:
            identity = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return {
            "args": [python, "-m", "finalmarket", *words],
            "env": {**kept, **told, "FINALMARKET_DATA": str(self.data), "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/"},
            "cwd": "/" if told else ROOT,
            "text": True,
            **identity,
        }

    def open(self) -> "House":
        """Start it and wait until it says that it is open."""
        self.process = subprocess.Popen(
            **self.command("serve", "--port", str(self.port), "--live-port", str(self.live_port)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            match = OPEN.search(line)
            if match:
                self.address, self.name, self.password = match["address"], match["name"], match["password"]
                first = psutil.Process(self.process.pid)
                self.processes = [first, *first.children(recursive=True)]
                return self
        raise AssertionError("it did not open:\n" + "".join(said))

    def wait_for(self, port: int) -> None:
        """Wait until somebody listens on this port of the house; the live stream opens by itself after the rest."""
        end = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                assert time.monotonic() < end, f"nobody listens on port {port}"
                continue
            first = psutil.Process(self.process.pid if self.process else 0)
            self.processes = [first, *first.children(recursive=True)]
            return

    def close(self, sign: int = signal.SIGINT) -> int:
        """Send the signal, and wait until every process of it is gone; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(sign)
        self.process.communicate(timeout=WAIT_SECONDS)
        _, left = psutil.wait_procs(self.processes, timeout=WAIT_SECONDS)
        assert left == []
        return self.process.returncode

    def end(self) -> None:
        """Whatever a failed test left of it, end it."""
        if self.process is not None and self.process.poll() is None:
            self.close(signal.SIGKILL)

    def page(self, path: str) -> str:
        """The page at this path, for someone who is not logged in."""
        with urllib.request.urlopen(self.address + path, timeout=30) as answer:
            return str(answer.read().decode())

    def log_in(self) -> str:
        """The first page after logging in with what the command line said."""
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        with browser.open(f"{self.address}admin/login/", timeout=30) as answer:
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', answer.read().decode())
        assert token is not None
        form = {"csrfmiddlewaretoken": token[1], "username": self.name, "password": self.password, "next": "/admin/"}
        with browser.open(f"{self.address}admin/login/", urllib.parse.urlencode(form).encode(), timeout=30) as answer:
            return str(answer.geturl())
