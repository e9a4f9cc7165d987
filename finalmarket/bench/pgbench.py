"""Baselines by pgbench, PostgreSQL's own bench: what the server does when clients send one statement each."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from finalmarket.kernel.cluster import pg_bindir
from finalmarket.kernel.database import owner_database
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import open_connection

# The least that any reservation must do: take from a row that says how many there are, and write down that it did.
BARE_TABLES = """
CREATE TABLE bench_bare_stock (id int PRIMARY KEY, on_hand int NOT NULL, reserved int NOT NULL) WITH (fillfactor = 50);
INSERT INTO bench_bare_stock VALUES (1, 2000000000, 0);
CREATE TABLE bench_bare_ledger (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stock_id int NOT NULL,
                                quantity int NOT NULL, at timestamptz NOT NULL DEFAULT now());
"""
BARE_STATEMENT = """
WITH taken AS (
    UPDATE bench_bare_stock SET reserved = reserved + 1 WHERE id = 1 AND on_hand - reserved >= 1 RETURNING id)
INSERT INTO bench_bare_ledger (stock_id, quantity) SELECT id, 1 FROM taken;
"""
RESERVE_ONE = """
\\set variant random(:first_variant, :last_variant)
\\set channel random(:first_channel, :last_channel)
SELECT * FROM stock_reserve(ARRAY[gen_random_uuid()::text], ARRAY[1::bigint], ARRAY[:channel::bigint], ARRAY[0],
    ARRAY[900], ARRAY[NULL::bigint], ARRAY[1], ARRAY[:variant::bigint], ARRAY[1], 'bench');
"""
RESERVE_HUNDRED_LINES = """
\\set channel random(:first_channel, :last_channel)
SELECT * FROM stock_reserve(ARRAY[gen_random_uuid()::text], ARRAY[1::bigint], ARRAY[:channel::bigint], ARRAY[0],
    ARRAY[900], ARRAY[NULL::bigint], array_fill(1, ARRAY[100]),
    ARRAY(SELECT :first_variant::bigint + floor(random() * :variants::int)::bigint FROM generate_series(1, 100)),
    array_fill(1, ARRAY[100]), 'bench');
"""


def make_bare_tables(database: str) -> None:
    """The two tables of BARE_STATEMENT, in the scratch database."""
    with open_connection({**owner_database(), "NAME": database}) as owner:
        owner.execute(BARE_TABLES)


def per_second(
    database: str, script: str, *, clients: int, seconds: float, variables: Mapping[str, int] | None = None
) -> float:
    """Transactions a second that `clients` get out of `script`, prepared. Raises UserError when pgbench fails."""
    settings = owner_database()
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        command = [
            *(str(_program()), "--no-vacuum", "--protocol=prepared", "--file", file.name),
            *("--client", str(clients), "--jobs", str(min(2, clients)), "--time", str(max(1, round(seconds)))),
            *(f"--define={name}={value}" for name, value in (variables or {}).items()),
            database,
        ]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment(settings))
    found = re.search(r"^tps = ([0-9.]+)", ran.stdout, re.MULTILINE)
    if ran.returncode != 0 or found is None:
        raise UserError(f"pgbench failed: {(ran.stderr.strip() or 'it said nothing').splitlines()[-1]}")
    return float(found.group(1))


def _program() -> Path:
    program = pg_bindir() / "pgbench"
    if not program.exists():
        raise UserError(f"there is no pgbench in {program.parent}; install PostgreSQL's contributed programs")
    return program


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
    return {**os.environ, **{theirs: settings[ours] for theirs, ours in names.items() if settings.get(ours)}}
