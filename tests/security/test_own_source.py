"""What `make security` and `make sbom` do is done with every run of the tests, too."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program of this environment in the checkout."""
    command = [str(Path(sys.executable).with_name(program)), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def test_bandit_finds_nothing_grave_in_the_source() -> None:
    read = run("bandit", "-q", "-r", "finalmarket", "--severity-level", "high", "-f", "json")
    told = json.loads(read.stdout)
    assert told["results"] == []
    assert told["errors"] == []
    assert told["metrics"]["_totals"]["loc"] > 50_000


def test_the_bill_of_materials_names_what_is_locked_with_its_digests(tmp_path: Path) -> None:
    bill = tmp_path / "sbom.cdx.json"
    made = run(
        "cyclonedx-py", "requirements", "requirements.lock", "--pyproject", "pyproject.toml", "--output-reproducible",
        "--of", "JSON", "-o", str(bill),
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    told = json.loads(bill.read_text())
    named = {part["name"].lower(): part for part in told["components"]}
    assert told["metadata"]["component"]["name"] == "finalmarket"
    assert {"django", "psycopg"} <= {*named}
    assert len(named) > 40
