"""finalmarket migrate: bring the tables up to this version, as their owner."""

import time
from collections.abc import Callable

import click
from django.core.management import call_command
from django.db import OperationalError, connection
from psycopg import errors

from finalmarket.access.roles import write_roles
from finalmarket.cli import schema
from finalmarket.kernel.database import as_owner, database_ready, settle_role
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.grants import grant_to_runtime

# Tables that the runtime role may read and add to, never change: the ledger refuses it by triggers besides.
APPEND_ONLY = ("stock_movement", "api_audit")
LOCK_SECONDS = 2
MOST_TRIES = 20
FIRST_PAUSE_SECONDS, MOST_PAUSE_SECONDS = 0.2, 5.0
PASSING = (errors.LockNotAvailable, errors.DeadlockDetected)


def apply_migrations(*, verbosity: int = 1, by_plan: bool = True) -> str | None:
    """Apply all migrations as the owner and give the runtime role its rights; returns that role (None: there is none).

    An empty database is laid out at once, by the plan of all tables, unless told otherwise. Raises UserError when the
    database cannot be reached.
    """
    database_ready()
    with as_owner():
        if by_plan:
            schema.lay_out()
        _migrate_patiently(verbosity)
        write_roles()
        role = grant_to_runtime(APPEND_ONLY)
    settle_role()
    return role


def _migrate_patiently(verbosity: int, pause: Callable[[float], None] = time.sleep) -> None:
    """Apply the migrations one by one; each waits two seconds at most for a lock, so that nobody who reads waits behind
    it for longer, and is tried again: what was done until then stays."""
    for number in range(MOST_TRIES):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{LOCK_SECONDS}s"])
            call_command("migrate", interactive=False, verbosity=verbosity)
            return
        except OperationalError as error:
            if not isinstance(error.__cause__, PASSING) or connection.in_atomic_block:
                raise
            pause(min(MOST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**number))
    raise UserError(
        f"a table that has to be changed was in use at each of {MOST_TRIES} tries; what was applied stays. Find long "
        "transactions in pg_stat_activity, and migrate again"
    )


@click.command()
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def command(quiet: bool) -> None:
    """Bring the database up to this version.

    Migrations run as the owner of the tables (DATABASE_MIGRATE_URL, if set); the web and the workers use a role that
    owns nothing.
    """
    role = apply_migrations(verbosity=0 if quiet else 1)
    if role is None:
        click.echo(
            "warning: this database user may not create roles, so web and workers run as the owner of the tables; "
            "let an administrator run: CREATE ROLE finalmarket_runtime; GRANT finalmarket_runtime TO CURRENT_USER;",
            err=True,
        )
