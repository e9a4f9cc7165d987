"""The database is killed again and again while accounts are synced: nothing is lost, doubled or stale."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

KILLS = int(os.environ.get("FINALMARKET_KILLS", "1"))
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_database_that_is_killed_during_sync_loses_and_doubles_nothing(
    open_folder: Path, record_property: Callable[[str, object], None]
) -> None:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "DATABASE_MIGRATE_URL")
    }
    ran = subprocess.run(
        [sys.executable, "-m", "tests.laws.killed_database", str(KILLS)],
        cwd=ROOT,
        env={**environment, "FINALMARKET_DATA": str(open_folder / "data")},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    wrong = json.loads(ran.stdout)
    record_property("kills", KILLS)
    record_property("lost, doubled or stale", len(wrong))
    assert wrong == []
