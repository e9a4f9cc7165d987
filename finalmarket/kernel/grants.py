"""What the runtime role may do: read and write rows, but own nothing and so switch nothing off."""

from collections.abc import Sequence

from django.db import DatabaseError, connection
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from finalmarket.kernel.database import runtime_user
from finalmarket.kernel.embedded import RUNTIME_ROLE


def grant_to_runtime(append_only: Sequence[str]) -> str | None:
    """Give the runtime role its rights on every table, and on tables of `append_only` only to read and add.

    To be called on the owner's connection, after migrations. Makes the role where the owner may. Returns the role, or
    None when there is none and none could be made: then the owner's user is the runtime user too.
    """
    role = runtime_user()
    with connection.cursor() as cursor:
        if not _role_exists(cursor, role) and not _make_role(cursor, role):
            return None
        if role == RUNTIME_ROLE and not _let_us_become(cursor, role):
            return None
        for statement in (
            "GRANT USAGE ON SCHEMA public TO {}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}",
            "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {}",
        ):
            cursor.execute(sql.SQL(statement).format(sql.Identifier(role)))
        known = set(connection.introspection.table_names(cursor))
        for table in known.intersection(append_only):
            names = sql.Identifier(table), sql.Identifier(role)
            cursor.execute(sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}").format(*names))
    return role


def _role_exists(cursor: CursorWrapper, role: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    return cursor.fetchone() is not None


def _let_us_become(cursor: CursorWrapper, role: str) -> bool:
    """See to it that the owner's user may take on the role; False when that is an administrator's to allow."""
    cursor.execute("SELECT pg_has_role(%s, 'MEMBER')", [role])
    row = cursor.fetchone()
    if row and row[0]:
        return True
    try:
        cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))
    except DatabaseError:
        return False
    return True


def _make_role(cursor: CursorWrapper, role: str) -> bool:
    cursor.execute("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")
    row = cursor.fetchone()
    if not row or not row[0]:
        return False
    # Another installation on the same server may make it in this very moment.
    cursor.execute(
        sql.SQL("DO $$ BEGIN CREATE ROLE {}; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$").format(
            sql.Identifier(role)
        )
    )
    return True
