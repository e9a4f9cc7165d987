"""finalmarket migrate: bring the tables up to this version, as their owner."""

import click
from django.core.management import call_command

from finalmarket.access.roles import write_roles
from finalmarket.kernel.database import as_owner, database_ready, settle_role
from finalmarket.kernel.grants import grant_to_runtime

# Tables that the runtime role may read and add to, never change: the ledger refuses it by triggers besides.
APPEND_ONLY = ("stock_movement", "api_audit")


def apply_migrations(*, verbosity: int = 1) -> str | None:
    """Apply all migrations as the owner and give the runtime role its rights; returns that role (None: there is none).

    Raises UserError when the database cannot be reached.
    """
    database_ready()
    with as_owner():
        call_command("migrate", interactive=False, verbosity=verbosity)
        write_roles()
        role = grant_to_runtime(APPEND_ONLY)
    settle_role()
    return role


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
