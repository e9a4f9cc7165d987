"""A pytest plugin that writes down what became of each test, and by which exception: the judge reads it.

Loaded by `-p tests.defects.witness`; writes into the file that FINALMARKET_WITNESS names. Where FINALMARKET_PATCHED
names a file of SQL, the test database is a clone of FINALMARKET_WITHOUT, the one without the patch, in which that file
is run again as migrations run it: functions and triggers are replaced by the patched ones. To migrate anew would give
the same and take ten times as long.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

_seen: list[dict[str, str]] = []
ROOT = Path(__file__).resolve().parents[2]


def pytest_sessionstart() -> None:
    """Have the test database made of the one without the patch."""
    from tests import databases

    databases.TEMPLATES_KEPT = 1_000  # each patch has one of its own, and others are using theirs
    patched = ROOT / os.environ.get("FINALMARKET_PATCHED", "")
    if patched.suffix == ".sql":
        databases._make_template = lambda server, name: _replace_functions(server, name, patched.read_text("utf-8"))


def _replace_functions(server: Any, name: str, text: str) -> None:
    from finalmarket.kernel.database import owner_database
    from finalmarket.kernel.sql import open_connection
    from tests import databases

    databases.make_clone(server, os.environ["FINALMARKET_WITHOUT"], name)
    if "CREATE OR REPLACE FUNCTION" in text:
        with open_connection({**owner_database(), "NAME": name}) as connection:
            connection.execute(text)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what failed, and every call that was made."""
    report = yield
    if report.passed and report.when != "call":
        return report
    error = call.excinfo
    _seen.append({
        "test": item.nodeid, "when": report.when, "outcome": report.outcome,
        "error": error.typename if error else "", "message": str(error.value)[:2000] if error else "",
    })  # fmt: skip
    return report


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Keep what could not even be collected."""
    if report.failed:
        _seen.append({
            "test": report.nodeid, "when": "collect", "outcome": "failed", "error": "", "message": str(report.longrepr),
        })  # fmt: skip


def pytest_sessionfinish() -> None:
    """Write it down."""
    Path(os.environ["FINALMARKET_WITNESS"]).write_text(json.dumps(_seen), "utf-8")
