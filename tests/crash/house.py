"""A house with a database server of its own, that a test can kill, starve and fill up; and programs that call it.

The web process is the one that `finalmarket serve` starts. What is asked of the database stands apart from it, over
connections of the owner's.
"""

from __future__ import annotations

import base64
import hmac
import http.client
import json
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg

from finalmarket.kernel import places
from finalmarket.kernel.embedded import DATABASE_NAME, EmbeddedServer
from finalmarket.stock.questions import QUERIES
from tests.crash.kept import ROOT, Facts, copy_house, environment_of
from tests.doors.house import free_port
from tests.patience import until as until_so

PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.02
THREADS = 8
NOTHING: Mapping[str, str] = {}
until = partial(until_so, most_seconds=PATIENCE_SECONDS, passing=(psycopg.OperationalError,))
"""Wait until it is so; that the database cannot be asked means: not yet."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status (0: nothing did), the words of the head, what was told, and how long it took."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0

    @property
    def told(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def is_yes(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300

    @property
    def reason(self) -> str:
        """Why not, in the house's words."""
        return str(self.told.get("detail") or self.told.get("message"))

    def is_clean_no(self) -> bool:
        """Whether it is a 503 that says in problem details what is wrong, and when to come again."""
        kind = self.headers.get("content-type", "").partition(";")[0]
        return (
            self.status == 503
            and int(self.headers.get("retry-after", "0")) > 0
            and kind in ("application/problem+json", "application/json")
        )


class Programs(ABC):
    """What programs ask of a house, whatever the wire. Each thing is known by a word, and done once however often it is
    said."""

    facts: Facts

    @abstractmethod
    def call(
        self, method: str, path: str, body: Any = None, token: str = "", *, most_seconds: float = 60.0,
        headers: Mapping[str, str] = NOTHING,
    ) -> Answer:  # fmt: skip
        """One call."""

    def reserve(self, word: str, units: int = 1) -> Answer:
        """Hold a unit."""
        wish = {"channel": self.facts.channel, "lines": [{"variant": self.facts.variant, "quantity": units}]}
        return self.call("POST", "/api/v1/stock/reservations", wish, word)

    def order(self, word: str) -> Answer:
        """Place an order of one unit."""
        lines = [{"sku": self.facts.sku, "quantity": 1}]
        return self.call(
            "POST", "/api/v1/orders", {"channel": self.facts.channel, "external_id": word, "lines": lines}, word
        )

    def tell(self, word: str) -> Answer:
        """Tell what somebody did, as a client of an analytics platform does."""
        event = {"type": "track", "event": "Product Viewed", "anonymousId": f"visitor of {word}", "messageId": word}
        key = base64.b64encode(f"{self.facts.write_key}:".encode()).decode()
        return self.call("POST", "/v1/track", event, headers={"Authorization": f"Basic {key}"})

    def bring(self, word: str) -> Answer:
        """Bring a webhook, as a platform does."""
        body = json.dumps({"event": word, "topic": "order.created", "id": word}).encode()
        at = str(int(time.time()))
        digest = hmac.digest(self.facts.hook_secret.encode(), f"{at}.".encode() + body, "sha256")
        signed = {"Fake-Time": at, "Fake-Signature": base64.b64encode(digest).decode()}
        return self.call("POST", f"/hooks/{self.facts.hook}/", body, headers=signed)

    def sent(self, body: Any, token: str, headers: Mapping[str, str]) -> tuple[bytes | None, dict[str, str]]:
        """The body and the head of a call as they are sent."""
        words = {"Authorization": f"Bearer {self.facts.key}", "Content-Type": "application/json"} | (
            {"Idempotency-Key": token} if token else {}
        )
        words |= {name.replace("_", "-"): value for name, value in headers.items()}
        return body if isinstance(body, bytes) or body is None else json.dumps(body).encode(), words


@dataclass
class CrashHouse(Programs):
    """A copy of the kept house. `open` serves it; its server stays as long as this process has joined it."""

    data: Path
    facts: Facts
    port: int = 0
    server: EmbeddedServer = field(init=False)
    web: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        folder = self.data / "database"
        self.server = EmbeddedServer(folder, places.socket_folder(folder))

    # The web process.

    def start(self, environment: Mapping[str, str] = NOTHING) -> None:
        """Start the web process, without waiting until it answers. It ends with us (cli/children.py)."""
        self.port = self.port or free_port()
        command = [sys.executable, "-m", "finalmarket.cli.web", "127.0.0.1", str(self.port), str(THREADS)]
        told = environment_of(self.data, FINALMARKET_FOLLOWS="1", **environment)
        self.web = subprocess.Popen(
            command, cwd=ROOT, env=told, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            process_group=0,
        )  # fmt: skip

    def open(self, environment: Mapping[str, str] = NOTHING) -> None:
        """Serve, with such further settings, and wait until it answers."""
        self.start(environment)
        until(lambda: self.get("/health").status == 200, "the web process answers")

    def kill_web(self) -> None:
        """End all of the web process at once."""
        if self.web is not None:
            end_family(self.web.pid)
            self.web.communicate()
            self.web = None

    def get(self, path: str) -> Answer:
        """Ask for a page or a record."""
        return self.call("GET", path)

    def call(
        self, method: str, path: str, body: Any = None, token: str = "", *, most_seconds: float = 60.0,
        headers: Mapping[str, str] = NOTHING,
    ) -> Answer:  # fmt: skip
        """One call over a connection of its own; status 0 where no answer came."""
        began = time.monotonic()
        text, sent = self.sent(body, token, headers)
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=most_seconds)
        try:
            wire.request(method, path, text, sent)
            answer = wire.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, told, answer.read(), time.monotonic() - began)
        except (OSError, http.client.HTTPException):
            return Answer(0, seconds=time.monotonic() - began)
        finally:
            wire.close()

    # The database, apart from the house.

    def ask(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the database, as the owner."""
        with self.server.connect(DATABASE_NAME) as connection:
            return connection.execute(question, values or None).fetchall()

    def set(self, name: str, value: str | None) -> None:
        """Change a setting of the server, None: back."""
        with self.server.connect() as connection:
            how = f"SET {name} = {value}" if value is not None else f"RESET {name}"
            connection.execute(f"ALTER SYSTEM {how}")
            connection.execute("SELECT pg_reload_conf()")

    def differences(self) -> list[tuple[Any, ...]]:
        """What balances, ledger and holds do not agree on."""
        return self.ask(QUERIES["differences"].replace("{of_these}", "true").replace("%(variants)s", "'{}'"))

    def kill_database(self) -> None:
        """End the server as a power cut does: no good-bye, nothing flushed that was not."""
        number = (self.data / "database/cluster/postmaster.pid").read_text().split()[0]
        end_family(int(number))

    def close(self) -> None:
        """End everything of it."""
        self.kill_web()
        self.server.leave()


@contextmanager
def opened(folder: Path, local: str = "", **environment: str) -> Iterator[CrashHouse]:
    """Within it a copy of the kept house in `folder` is served; `local` are further settings of the server's."""
    with furnished(folder, local) as house:
        house.open(environment)
        yield house


@contextmanager
def furnished(folder: Path, local: str = "") -> Iterator[CrashHouse]:
    """Within it a copy of the kept house is in `folder`, and its database runs."""
    facts = copy_house(folder / "data")
    house = CrashHouse(folder / "data", facts)
    if local:
        kept = house.data / "database/cluster/local.conf"
        kept.write_text(local)
        kept.chmod(0o644)
    house.server.join()
    try:
        yield house
    finally:
        house.close()


def end_family(number: int) -> None:
    """Kill a process and all that it started."""
    try:
        first = psutil.Process(number)
        family = [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in family:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=10)
