"""A backup brought back, whole or not at all: everything happens in one transaction, which is committed when every
table has the rows, and the books have the very values, that they had when the backup was made."""

from __future__ import annotations

import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from psycopg import sql

from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import open_connection
from finalmarket.operations import archive, programs
from finalmarket.operations.archive import CHUNK_BYTES, Manifest
from finalmarket.operations.backup import TABLES, mark_of, ours
from finalmarket.operations.readiness import known_migrations

HEADER_LINES = 60
"""So far down a script settings are made that an older server does not know."""
NEWER_ONLY = (b"SET transaction_timeout",)
OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
CLEAR = b"SET lock_timeout = '10s';\nDROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\n"


def bring_back(file: Path, *, replaces: bool = False, settings: dict[str, Any] | None = None) -> Manifest:
    """Fill the database (default: ours) from this backup; return what it is of.

    A database that holds tables is refused unless it is to be replaced, and so is one that somebody else uses. Raises
    UserError, and the database is then as it was.
    """
    archive.prove(file)
    chosen = settings or ours()
    with archive.opened(file) as (manifest, dump):
        _refuse_newer(manifest)
        server_version = _look_at(chosen, replaces=replaces)
        _fill(manifest, dump, chosen, server_version, clear=replaces)
    return manifest


def _refuse_newer(manifest: Manifest) -> None:
    unknown = {(app, name) for app, name in manifest.migrations} - known_migrations()
    if unknown:
        first = ".".join(min(unknown))
        raise UserError(
            f"the backup was made by a newer version ({manifest.version}): its tables have {first}, which this one "
            f"does not know; install that version first"
        )


def _look_at(settings: dict[str, Any], *, replaces: bool) -> int:
    """The version of the server. Raises UserError where the database must not be filled."""
    with open_connection(settings) as connection:
        name = settings["NAME"]
        tables = connection.execute(TABLES).fetchall()
        if tables and not replaces:
            raise UserError(
                f"the database {name} holds {len(tables)} tables; restore into an empty one, or replace all that is "
                "in it with --replace"
            )
        others = connection.execute(OTHERS).fetchall()[0][0]
        if others:
            raise UserError(f"{others} others are connected to the database {name}; stop web, workers and live first")
        return connection.info.server_version


def _fill(manifest: Manifest, dump: Any, settings: dict[str, Any], server_version: int, *, clear: bool) -> None:
    told = programs.environment(settings)
    script = [str(programs.find("pg_restore", server_version)), "--no-owner", "--no-privileges", "--file=-"]
    client = [str(programs.find("psql", server_version)), "-X", "-q", "-w", "-v", "ON_ERROR_STOP=1"]
    pipe, heard = subprocess.PIPE, list[bytes]()
    with suppress(BrokenPipeError):  # noqa: SIM117  the client has ended, and says why
        with (
            subprocess.Popen(script, stdin=pipe, stdout=pipe, stderr=pipe) as reader,
            subprocess.Popen(client, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe, env=told) as writer,
        ):
            hearing = threading.Thread(target=lambda: heard.extend(writer.stderr or ()))
            feeding = threading.Thread(target=_feed, args=(dump, reader.stdin))
            hearing.start()
            feeding.start()
            try:
                _write(manifest, reader, writer, server_version, clear=clear)
            finally:
                reader.kill()
                feeding.join()
                with suppress(BrokenPipeError):
                    if writer.stdin:
                        writer.stdin.close()
                hearing.join()
    if writer.wait() != 0:
        raise UserError(f"the database was not restored and is as it was: {_reason(heard)}")


def _write(
    manifest: Manifest, reader: subprocess.Popen[bytes], writer: subprocess.Popen[bytes], server_version: int, *,
    clear: bool,
) -> None:  # fmt: skip
    """Write the script to the client. It is told to commit at the very end, when the dump was read to its end."""
    if not (reader.stdout and reader.stderr and writer.stdin):
        raise RuntimeError("started without pipes")
    writer.stdin.write(b"BEGIN;\n" + (CLEAR if clear else b""))
    _pour(reader.stdout, writer.stdin, server_version)
    if reader.wait() != 0:
        writer.kill()
        raise UserError(f"the dump cannot be read: {reader.stderr.read().decode(errors='replace').strip()}")
    writer.stdin.write(_proof(manifest).encode() + b"COMMIT;\n")


def _feed(dump: Any, into: IO[bytes]) -> None:
    try:
        while chunk := dump.read(CHUNK_BYTES):
            into.write(chunk)
        into.close()
    except BrokenPipeError:
        pass  # the reader has ended, and says why


def _reason(heard: list[bytes]) -> str:
    lines = [line.decode(errors="replace").strip() for line in heard]
    telling = [line for line in lines if "ERROR" in line or "FATAL" in line or "error:" in line]
    return (telling or lines or ["no reason was given"])[0]


def _pour(source: IO[bytes], into: IO[bytes], server_version: int) -> None:
    """Pass the script on, without the settings at its top that this server does not know."""
    for _ in range(HEADER_LINES):
        line = source.readline()
        if server_version >= 17_00_00 or not line.startswith(NEWER_ONLY):
            into.write(line)
    while chunk := source.read(CHUNK_BYTES):
        into.write(chunk)


def _proof(manifest: Manifest) -> str:
    """SQL that fails unless all is there that the manifest says."""
    asked = []
    for name, rows in manifest.rows.items():
        table = sql.Identifier("public", name).as_string(None)
        asked.append(
            f"IF (SELECT count(*) FROM {table}) <> {int(rows)} THEN "  # noqa: S608
            f"RAISE EXCEPTION 'a table has not the {int(rows)} rows of the backup: {name}'; END IF;"
        )
    for name, mark in manifest.marks.items():
        sum_of = sql.Literal(mark).as_string(None)
        asked.append(
            f"IF ({mark_of(name)}) <> {sum_of} THEN "
            f"RAISE EXCEPTION 'the rows of {name} are not those of the backup'; END IF;"
        )
    return "SET timezone = 'UTC';\nDO $proof$ BEGIN\n" + "\n".join(asked) + "\nEND $proof$;\n"
