"""finalmarket doctor: what is here, and whether it works."""

import platform
import shutil
from collections.abc import Callable, Iterator

import click
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from finalmarket import __version__
from finalmarket.kernel import places
from finalmarket.kernel.database import database_ready, is_embedded
from finalmarket.kernel.embedded import pg_bindir
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.plural import plural

LEAST_FREE_BYTES = 1024**3


@click.command()
def command() -> None:
    """Say what is here and whether it works; the exit code is 1 when something does not."""
    failed = False
    for subject, look in _subjects():
        try:
            click.echo(f"{subject:<12} {look()}")
        except UserError as error:
            failed = True
            click.echo(f"{subject:<12} NOT WELL: {error}")
    if failed:
        raise click.exceptions.Exit(1)


def _subjects() -> Iterator[tuple[str, Callable[[], str]]]:
    yield "version", lambda: f"{__version__} on Python {platform.python_version()}, {platform.platform(terse=True)}"
    yield "data folder", lambda: str(places.make_data_folder())
    yield "free space", _free_space
    if is_embedded():
        yield "programs", lambda: str(pg_bindir())
        yield "embedded in", lambda: str(places.database_folder())
    yield "database", _database
    yield "tables", _tables


def _free_space() -> str:
    free = shutil.disk_usage(places.make_data_folder()).free
    if free < LEAST_FREE_BYTES:
        raise UserError(f"only {free // 1024**2} MB are left on the disk of the data folder")
    return f"{free / 1024**3:.1f} GB"


def _database() -> str:
    database_ready()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_user, current_setting('fsync')")
        row = cursor.fetchone()
    version, user, fsync = row or ("", "", "")
    if fsync != "on":
        raise UserError("fsync is off: a power cut can lose what was promised; switch it on in the server's settings")
    where = settings.DATABASES["default"]["HOST"] or "the local socket"
    return f"PostgreSQL {version} at {where}, as {user}"


def _tables() -> str:
    executor = MigrationExecutor(connection)
    pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if pending:
        missing = plural(pending, "migration is", "migrations are")
        raise UserError(f"{missing} not applied yet; run: finalmarket migrate")
    return "up to this version"
