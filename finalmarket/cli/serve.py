"""finalmarket serve: the whole house with one command."""

import errno
import secrets
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from types import FrameType

import click
import psutil
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from finalmarket.channels.models import SalesChannel
from finalmarket.cli import command_is_there
from finalmarket.cli.children import Child
from finalmarket.cli.createuser import create_user
from finalmarket.cli.migrate import apply_migrations
from finalmarket.kernel import places
from finalmarket.kernel.database import database_ready, is_embedded
from finalmarket.kernel.embedded import installed_server
from finalmarket.kernel.errors import UserError

FIRST_PORT = 8000
PORTS_TRIED = 20
OPEN_SECONDS = 60
LOG_IN = "admin"
PASSWORD_FILE = "admin-password"  # noqa: S105  the name of a file
DEMO_FILE = "demo-begun"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help=f"The port; by default the first free from {FIRST_PORT} on."
)
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 128), help="Requests at once.")
@click.option("--with-demo", is_flag=True, help="Fill the house with the demo if it is empty.")
def command(host: str, port: int | None, threads: int, with_demo: bool) -> None:
    """Start everything: database, web and worker. Ctrl-C stops all of it."""
    chosen = _port(host, port)
    click.echo("Bringing up the database ...")
    database_ready()
    if _has_pending_migrations():
        click.echo("Bringing the tables up to this version ...")
        apply_migrations(verbosity=0)
    _make_first_log_in()
    if with_demo:
        _load_demo()
    web = Child("web", ["finalmarket.cli.web", host, str(chosen), str(threads)], {})
    worker = Child("worker", ["finalmarket", "worker"], {})
    _House(web, worker, host, chosen).keep_open()


class _House:
    """The open house: its children are watched until someone closes it."""

    def __init__(self, web: Child, worker: Child, host: str, port: int) -> None:
        self._web = web
        self._children = (web, worker)
        shown = f"[{host}]" if ":" in host else host
        self._address = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else shown}:{port}/"  # noqa: S104
        self._closing = threading.Event()

    def keep_open(self) -> None:
        """Open, say where, and stay until SIGINT or SIGTERM; then stop the children and leave the database."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._close)
        try:
            self._web.start()
            log_in = _log_in()  # checking a password takes a while by design: time in which the web server starts
            if self._wait_until_open():
                for child in self._children:
                    child.revive()
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

    def _wait_until_open(self) -> bool:
        """Wait for the first answer. False when the house is closed meanwhile; raises UserError when it never opens."""
        for _ in range(OPEN_SECONDS * 20):
            try:
                with urllib.request.urlopen(f"{self._address}health", timeout=5) as answer:  # noqa: S310  our own
                    return bool(answer.status == 200)
            except urllib.error.HTTPError as error:
                raise UserError(f"the web server answers with {error.code} at {self._address}health") from error
            except OSError:
                ended = self._web.ended()
                if ended is not None:
                    raise UserError("the web server did not start; its reason stands above") from None
            if self._closing.wait(0.05):
                return False
        raise UserError(f"the web server did not answer within {OPEN_SECONDS} s")

    def _look_after(self) -> None:
        if is_embedded() and installed_server().keeper_pid() is None:
            installed_server().revive()
        for child in self._children:
            if not child.revive():
                raise UserError(f"the {child.name} process ended again and again; its reason stands above")


def _port(host: str, wanted: int | None) -> int:
    """A port that is free on this host: the one wanted, else the first from 8000 on. Raises UserError."""
    if wanted is not None:
        if not _is_free(host, wanted):
            raise UserError(f"port {wanted} is taken by {_holder(wanted)}; stop it or choose another with --port")
        return wanted
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        if _is_free(host, port):
            return port
    raise UserError(f"ports {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} are all taken; choose one with --port")


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


def _load_demo() -> None:
    """Fill an empty house; a filling that was cut off goes on, the demo is the same each time."""
    if not command_is_there("demo"):
        return
    begun = places.private_text(DEMO_FILE)
    if begun == "done" or (begun is None and SalesChannel.objects.exists()):
        return
    places.replace_private_text(DEMO_FILE, "begun")
    filled = subprocess.run([sys.executable, "-m", "finalmarket", "demo"], check=False)
    if filled.returncode != 0:
        raise UserError("the demo could not be loaded; its reason stands above")
    places.replace_private_text(DEMO_FILE, "done")
