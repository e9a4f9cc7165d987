"""finalmarket serve: the whole house with one command."""

import errno
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from types import FrameType

import click
import psutil
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from finalmarket.channels.models import SalesChannel
from finalmarket.cli.children import PAUSE_SECONDS, Child
from finalmarket.cli.createuser import create_user
from finalmarket.cli.migrate import apply_migrations
from finalmarket.integrations.connect import PUBLIC_URL
from finalmarket.integrations.wire import VARIABLE as PLATFORM_NETWORKS
from finalmarket.kernel import places
from finalmarket.kernel.database import database_ready, is_embedded
from finalmarket.kernel.embedded import installed_server
from finalmarket.kernel.errors import UserError
from finalmarket.operations import metrics_door

FIRST_PORT = 8000
DATABASE_PAUSE_SECONDS = 5
PORTS_TRIED = 20
OPEN_SECONDS = 60
LOG_IN = "admin"
PASSWORD_FILE = "admin-password"  # noqa: S105  the name of a file
DEMO_FILE = "demo-begun"
FIRST_SANDBOX_PORT = 8400
FIRST_LIVE_PORT = 8200
LIVE = "FINALMARKET_LIVE"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help=f"The port; by default the first free from {FIRST_PORT} on."
)
@click.option(
    "--live-port",
    type=click.IntRange(1, 65535),
    help=f"The port of the live stream; by default the first free from {FIRST_LIVE_PORT} on.",
)
@click.option(
    "--threads", default=32, show_default=True, type=click.IntRange(1, 128), help="Requests at once in a web process."
)
@click.option(
    "--processes", default=1, show_default=True, type=click.IntRange(1, 64),
    help="Web processes, each with so many threads: one for each core that is to spare.",
)  # fmt: skip
@click.option("--with-demo", is_flag=True, help="Fill an empty house with the demo, and serve its outside world.")
def command(
    host: str, port: int | None, live_port: int | None, threads: int, processes: int, with_demo: bool
) -> None:  # fmt: skip
    """Start everything: database, web, live stream and worker. Ctrl-C stops all of it."""
    chosen = _port(host, port)
    live = str(_port(host, live_port, FIRST_LIVE_PORT))
    address = _address(host, chosen)
    os.environ.setdefault(PUBLIC_URL, address.rstrip("/"))  # where platforms on this machine call us
    click.echo("Bringing up the database ...")
    database_ready()
    if _has_pending_migrations():
        click.echo("Bringing the tables up to this version ...")
        apply_migrations(verbosity=0)
    _make_first_log_in()
    has_demo = with_demo and _load_demo()
    # Pages look for the live stream at this port of the same host, unless a proxy brings it to an address of its own.
    told = {LIVE: os.environ.get(LIVE, f":{live}")}
    web = Child("web", ["finalmarket.cli.web", host, str(chosen), str(threads), str(processes)], told)
    others = [
        Child("worker", ["finalmarket", "worker"], _metrics_of_worker()),
        Child("live", ["finalmarket.cli.live", host, live], {"FINALMARKET_WEB_PORT": str(chosen)}),
    ]
    sandbox = f"http://127.0.0.1:{_port('127.0.0.1', None, FIRST_SANDBOX_PORT)}" if has_demo else ""
    if sandbox:
        os.environ.setdefault(PLATFORM_NETWORKS, "127.0.0.0/8")  # the demo's outside world lies on this machine
        others.append(Child("sandbox", ["finalmarket", "sandbox", "--port", sandbox.rpartition(":")[2]], {}))
    _House(web, others, address, sandbox).keep_open()


def _metrics_of_worker() -> dict[str, str]:
    """Where the metrics of the worker are asked for: the port behind that of the web server."""
    port = metrics_door.port()
    return {metrics_door.PORT: str(port + 1)} if port else {}


def _address(host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else shown}:{port}/"  # noqa: S104


class _House:
    """The open house: its children are watched until someone closes it. `sandbox` is where the outside world of the
    demo is served by one of them, "" for none."""

    def __init__(self, web: Child, others: Sequence[Child], address: str, sandbox: str) -> None:
        self._web = web
        self._children = (web, *others)
        self._address = address
        self._sandbox = sandbox
        self._closing = threading.Event()
        self._told: set[str] = set()

    def keep_open(self) -> None:
        """Open, say where, and stay until SIGINT or SIGTERM; then stop the children and leave the database."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._close)
        try:
            self._web.start()
            log_in = _log_in()  # checking a password takes a while by design: time in which the web server starts
            if self._wait_until_open(f"{self._address}health", self._web):
                for child in self._children:
                    child.revive()
                self._connect_demo()
                click.echo(f"The Final Market is open at {self._address} - {log_in} - Ctrl-C closes it.")
            while not self._closing.wait(1):
                self._look_after()
        finally:
            click.echo("Closing ...")
            for child in self._children:
                child.ask_to_stop()
            for child in self._children:
                child.stop()
            if is_embedded():
                installed_server().leave()

    def _close(self, number: int, frame: FrameType | None) -> None:
        self._closing.set()

    def _wait_until_open(self, address: str, server: Child) -> bool:
        """Wait for the first answer. False when the house is closed meanwhile; raises UserError when it never opens."""
        for _ in range(OPEN_SECONDS * 20):
            try:
                with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  our own
                    return bool(answer.status == 200)
            except urllib.error.HTTPError as error:
                raise UserError(f"the {server.name} process answers with {error.code} at {address}") from error
            except OSError:
                ended = server.ended()
                if ended is not None:
                    raise UserError(f"the {server.name} process did not start; its reason stands above") from None
            if self._closing.wait(0.05):
                return False
        raise UserError(f"the {server.name} process did not answer within {OPEN_SECONDS} s")

    def _connect_demo(self) -> None:
        """Let the demo's accounts find the sandbox. The house stands without it: a failure is told, no more."""
        if self._sandbox and self._wait_until_open(f"{self._sandbox}/_sandbox", self._children[-1]):
            command = [sys.executable, "-m", "finalmarket", "demo", "--sandbox", self._sandbox]
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL)

    def _look_after(self) -> None:
        """Start again what has ended. The house stays open whatever happens to its parts: they are tried again."""
        if is_embedded() and installed_server().keeper_pid() is None:
            try:
                installed_server().revive()
            except UserError as error:
                click.echo(f"{error}; it is tried again in {DATABASE_PAUSE_SECONDS} s", err=True)
                self._closing.wait(DATABASE_PAUSE_SECONDS)
        for child in self._children:
            if not child.revive():
                self._tell_once(child)

    def _tell_once(self, child: Child) -> None:
        if child.name not in self._told:
            self._told.add(child.name)
            click.echo(
                f"The {child.name} process ended again and again; it is started again every {PAUSE_SECONDS} s.",
                err=True,
            )


def _port(host: str, wanted: int | None, first: int = FIRST_PORT) -> int:
    """A port that is free on this host: the one wanted, else the first from `first` on. Raises UserError."""
    if wanted is not None:
        if not _is_free(host, wanted):
            raise UserError(f"port {wanted} is taken by {_holder(wanted)}; stop it or choose another with --port")
        return wanted
    for port in range(first, first + PORTS_TRIED):
        if _is_free(host, port):
            return port
    raise UserError(f"ports {first} to {first + PORTS_TRIED - 1} are all taken; choose one with --port")


def _is_free(host: str, port: int) -> bool:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise UserError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return True


def _holder(port: int) -> str:
    """Which process listens on the port, in words."""
    try:
        for found in psutil.net_connections("tcp"):
            if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port == port and found.pid:
                return f"{psutil.Process(found.pid).name()} (process {found.pid})"
    except psutil.Error:
        return "another process"
    return "another process"


def _has_pending_migrations() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _make_first_log_in() -> None:
    """The first log-in; its password stays readable in the data folder."""
    if not User.objects.exists():
        password = places.keep_private_text(PASSWORD_FILE, secrets.token_urlsafe(12))
        create_user(LOG_IN, password=password)


def _log_in() -> str:
    """How to log in, in words: the first log-in as long as its password is the one we made."""
    password = places.private_text(PASSWORD_FILE) or ""
    user = User.objects.filter(username=LOG_IN).first()
    connection.close()
    if user is not None and password and user.check_password(password):
        return f"log-in {LOG_IN}, password {password}"
    return "log in with your own password"


def _load_demo() -> bool:
    """Fill an empty house; a filling that was cut off goes on, the demo is the same each time. Whether it is there."""
    begun = places.private_text(DEMO_FILE)
    if begun == "done" or (begun is None and SalesChannel.objects.exists()):
        return begun == "done"
    places.replace_private_text(DEMO_FILE, "begun")
    filled = subprocess.run([sys.executable, "-m", "finalmarket", "demo"], check=False)
    if filled.returncode != 0:
        raise UserError("the demo could not be loaded; its reason stands above")
    places.replace_private_text(DEMO_FILE, "done")
    return True
