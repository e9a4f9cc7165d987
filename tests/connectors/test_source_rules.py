"""What holds for the text of all connectors, their stand-ins, cases and pages."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = [
    path
    for room in ("finalmarket/connectors", "finalmarket/sandbox")
    for path in sorted((ROOT / room).rglob("*.py"))
]  # fmt: skip
# Where the platforms' own moments come from, and where a connector waits for a platform at work.
CLOCKS = {"finalmarket/sandbox/world.py"}
WAITS = {"finalmarket/connectors/platforms/amazon/__init__.py"}

# How the platforms' real credentials look; those of the tests are made up and must not look so.
LIVE = {
    "Stripe": r"\b[sr]k_live_[A-Za-z0-9]{16,}",
    "Shopify": r"\bshp(at|ca|pa|ss|ua)_[0-9a-fA-F]{32}\b",
    "Square": r"\b(EAAA[A-Za-z0-9_-]{56,}|sq0(atp|csp)-[A-Za-z0-9_-]{20,})",
    "Login with Amazon": r"\bAtz[ar]\|[A-Za-z0-9_-]{60,}",
    "AWS": r"\bAKIA[0-9A-Z]{16}\b",
    "a private key": r"-----BEGIN ([A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{100,}",
}


def tracked() -> list[Path]:
    """The text files of the checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("NOT CHECKED for live credentials: this is no git checkout")
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return [ROOT / name for name in names if not name.endswith((".png", ".ico", ".woff2", ".lock"))]


def test_no_file_holds_what_looks_like_a_live_credential() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text()
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        found += [f"{path.relative_to(ROOT)}: {who}" for who, looks in LIVE.items() if re.search(looks, text)]
    assert found == []


def test_what_looks_like_a_live_credential_is_known() -> None:
    assert re.search(LIVE["Stripe"], "key = 'sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dc'")
    assert re.search(LIVE["Shopify"], "shpat_" + "0123456789abcdef" * 2)
    assert not re.search(LIVE["Stripe"], "sk_test_made_up")


def calls(path: Path) -> set[str]:
    """What a file calls, as it is written: `datetime.now`, `time.sleep`."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_time_is_asked_of_the_clock_that_a_test_may_hold(path: Path) -> None:
    asked = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.monotonic"}
    if str(path.relative_to(ROOT)) not in CLOCKS:
        assert not calls(path) & asked


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_waits_but_the_budget(path: Path) -> None:
    if str(path.relative_to(ROOT)) not in WAITS:
        assert "time.sleep" not in calls(path)
