"""An empty database is laid out by the plan of all tables, and is then what the migrations would have made of it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from finalmarket.access.roles import ROLES
from finalmarket.cli import schema
from finalmarket.cli.migrate import apply_migrations
from finalmarket.kernel.database import owner_database
from finalmarket.kernel.sql import open_connection
from tests import databases
from tests.conftest import TestDatabase

YOUNGEST = "0004_live_for_less"
ROOT = Path(__file__).resolve().parents[2]
RIGHTS = """
SELECT table_name, privilege_type FROM information_schema.role_table_grants
WHERE grantee = 'finalmarket_runtime' AND table_schema = 'public' ORDER BY 1, 2
"""
GROUPS = """
SELECT auth_group.name, content.app_label, permission.codename
FROM auth_group
JOIN auth_group_permissions ON group_id = auth_group.id
JOIN auth_permission permission ON permission.id = permission_id
JOIN django_content_type content ON content.id = content_type_id
ORDER BY 1, 2, 3
"""


def writer() -> Any:
    """The script behind `make schema`."""
    spec = importlib.util.spec_from_file_location("write_schema", ROOT / "scripts" / "write_schema.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def asked(name: str, question: str) -> list[tuple[Any, ...]]:
    with open_connection({**owner_database(), "NAME": name}) as owner:
        return owner.execute(question).fetchall()


@contextmanager
def emptied(database: TestDatabase) -> Iterator[str]:
    connections.close_all()
    databases.make_clone(database.server, "template0", database.name)
    try:
        yield database.name
    finally:
        connections.close_all()
        database.clone()


def test_the_plan_is_what_the_migrations_come_to(committed_database: TestDatabase) -> None:
    with emptied(committed_database) as empty:
        plan = writer().written(committed_database.template, empty)
    assert plan == schema.PLAN.read_text(encoding="utf-8"), "the migrations say otherwise: run `make schema`"


def test_an_empty_database_becomes_what_the_migrations_would_have_made(committed_database: TestDatabase) -> None:
    template = committed_database.template
    with emptied(committed_database) as name:
        apply_migrations(verbosity=0)
        executor = MigrationExecutor(connection)
        assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
        assert writer().dumped(name) == schema.PLAN.read_text(encoding="utf-8")
        assert asked(name, RIGHTS) == asked(template, RIGHTS) != []
        assert asked(name, GROUPS) == asked(template, GROUPS)
        assert {group for group, *_ in asked(name, GROUPS)} == {role.name for role in ROLES}


def test_a_younger_migration_is_applied_after_the_plan(
    committed_database: TestDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The last one of a room makes functions anew, whether or not they are there: a plan that knows nothing of it."""
    lines = schema.PLAN.read_text(encoding="utf-8").splitlines(keepends=True)
    older = [line for line in lines if f"'{YOUNGEST}'" not in line]
    assert len(older) == len(lines) - 1
    (tmp_path / "schema.sql").write_text("".join(older), encoding="utf-8")
    monkeypatch.setattr(schema, "PLAN", tmp_path / "schema.sql")
    with emptied(committed_database) as name:
        apply_migrations(verbosity=0)
        assert (YOUNGEST,) in asked(name, "SELECT name FROM django_migrations")


def test_a_server_that_may_not_understand_the_plan_and_tables_that_are_there_are_left_to_the_migrations(
    committed_database: TestDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert not schema.lay_out()
    younger = schema.PLAN.read_text(encoding="utf-8").replace("-- For PostgreSQL ", "-- For PostgreSQL 9", 1)
    (tmp_path / "schema.sql").write_text(younger, encoding="utf-8")
    monkeypatch.setattr(schema, "PLAN", tmp_path / "schema.sql")
    with emptied(committed_database):
        assert not schema.lay_out()
        assert connection.introspection.table_names() == []
