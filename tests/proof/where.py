"""What a step was measured on: the machine, the versions of what is compared, the commit, and the moment."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from finalmarket.bench.report import hardware
from finalmarket.kernel.cluster import pg_bindir

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("django", "psycopg", "granian", "procrastinate", "duckdb", "numpy", "scipy", "pytest", "hypothesis")
WRITTEN = (
    ":!docs/proof.md", ":!docs/proof.json", ":!docs/scale.md", ":!docs/scale.json", ":!docs/pictures/scale",
    ":!docs/defects.md",
)  # fmt: skip


def machine() -> dict[str, Any]:
    """Processor, memory, system, and the versions of what the house stands on."""
    return {**hardware(), "postgresql": _postgresql(), **{name: _version(name) for name in PACKAGES}}


def _postgresql() -> str:
    """The embedded server's version; a bench says itself which server it asked."""
    told = subprocess.run([pg_bindir() / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d+(\.\d+)*", told)
    return found.group() if found else told.strip()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not there"


def commit() -> str:
    """The commit that is checked out, with a word where files differ from it; what the proof itself writes does not
    count."""
    found = _git("rev-parse", "--short=10", "HEAD")
    if not found:
        return "no commit"
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", *WRITTEN)
    return f"{found} with changes" if changed else found


def _git(*words: str) -> str:
    ran = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout.strip() if ran.returncode == 0 else ""


def now() -> str:
    """The moment, in UTC, to the minute."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def load() -> float:
    """How busy the machine is: the load of the last minute."""
    return round(os.getloadavg()[0], 2)


def environment(doses: Mapping[str, str], data: Path) -> dict[str, str]:
    """What a step's command sees: the caller's environment, its doses, and a data folder of its own, whose server keeps
    what it has answered."""
    kept = {
        name: value for name, value in os.environ.items() if name not in ("FINALMARKET_POOL", "FINALMARKET_FAILPOINT")
    }
    return {**kept, **doses, "FINALMARKET_DATA": str(data), "PYTHONUNBUFFERED": "1"}
