"""What a backup would hold: the whole database of the test, as pg_dump writes it; and what lies in files beside it."""

from __future__ import annotations

import os
import subprocess
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.db import connections
from psycopg import sql

from finalmarket.bulk.export import export
from finalmarket.bulk.registry import SUBJECTS
from finalmarket.kernel import places
from finalmarket.kernel.database import is_embedded, owner_database
from finalmarket.kernel.embedded import pg_bindir
from finalmarket.kernel.sql import open_connection

SECONDS = 300


def dumped() -> bytes:
    """The database in use, as plain SQL of the server's own pg_dump; where there is none, all tables by COPY."""
    settings = {**owner_database(), "NAME": connections["default"].settings_dict["NAME"]}
    program = Path(pg_bindir()) / "pg_dump"
    if not (is_embedded() and program.exists()):
        warnings.warn("NO pg_dump OF THIS SERVER: all tables are copied out instead", stacklevel=2)
        return _copied_out(settings)
    names = {"--host": "HOST", "--port": "PORT", "--username": "USER", "--dbname": "NAME"}
    chosen = [f"{option}={settings[name]}" for option, name in names.items() if settings.get(name)]
    environment = {**os.environ, "PGPASSWORD": str(settings.get("PASSWORD") or "")}
    done = subprocess.run(
        [program, "--format=plain", "--no-password", *chosen],
        capture_output=True, timeout=SECONDS, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def _copied_out(settings: dict[str, Any]) -> bytes:
    pieces: list[bytes] = []
    with open_connection(settings) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        for (table,) in tables:
            with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as rows:
                pieces.extend(bytes(row) for row in rows)
    return b"".join(pieces)


def exported(folder: Path) -> bytes:
    """What `finalmarket export` writes of every subject that is asked for without a channel."""
    folder.mkdir(exist_ok=True)
    written = [folder / f"{one.name}.csv" for one in SUBJECTS if "channel" not in one.options]
    for subject in SUBJECTS:
        if "channel" not in subject.options:
            export(subject.importer(), folder / f"{subject.name}.csv")
    return b"\n".join(path.read_bytes() for path in written)


def journals() -> dict[Path, int]:
    """The log files of the house and of its database server, with how long they are now."""
    return {path: path.stat().st_size for path in _logs(places.data_folder())}


def written_since(before: dict[Path, int]) -> bytes:
    """What was written to log files since then; a file that is new, or shorter than it was, as a whole."""
    pieces = []
    for path in _logs(places.data_folder()):
        text, known = path.read_bytes(), before.get(path, 0)
        pieces.append(text[known:] if len(text) >= known else text)
    return b"\n".join(pieces)


def _logs(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*.log*") if path.is_file())


def holds(text: bytes, word: str) -> bool:
    """Whether a word stands there, whatever its case, or hidden in bytes as they are dumped."""
    plain, needle = text.lower(), word.lower()
    return needle.encode() in plain or needle.encode().hex().encode() in plain
