"""A pytest plugin that writes down what became of each test, and by which exception: the judge reads it.

Loaded by `-p tests.defects.witness`; writes into the file that FINALMARKET_WITNESS names.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path

import pytest

_seen: list[dict[str, str]] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what failed, and every call that was made."""
    report = yield
    if report.when == "call" or not report.passed:
        error = call.excinfo
        _seen.append({
            "test": item.nodeid, "when": report.when or "", "outcome": report.outcome,
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
