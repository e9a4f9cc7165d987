"""What is handed to those who run the house is kept true: units, image, alarms, settings."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from finalmarket.cli.web import STOP_SECONDS
from finalmarket.kernel import measures
from finalmarket.operations.books import FIGURES

ROOT = Path(__file__).resolve().parents[2]
DEPLOY, PAGE = ROOT / "deploy", ROOT / "docs" / "operations.md"
OF_TESTS_AND_CHILDREN = {
    "FINALMARKET_FOLLOWS", "FINALMARKET_WEB_PORT", "FINALMARKET_FAILPOINT", "FINALMARKET_TEST_DATA",
}  # fmt: skip
SUFFIXES = ("_bucket", "_sum", "_count")
SECONDS_TO_START = 10


def alarms() -> list[dict[str, Any]]:
    told = yaml.safe_load((DEPLOY / "alerts.yml").read_text())
    return [rule for group in told["groups"] for rule in group["rules"]]


def known_figures() -> set[str]:
    assert measures.REQUESTS is not None
    counted = {name for family in REGISTRY.collect() for name in (family.name, f"{family.name}_total")}
    return counted | {one.name for one in FIGURES.values()} | {"finalmarket_books_up"}


def test_every_figure_that_an_alarm_names_is_told() -> None:
    named = {name for rule in alarms() for name in re.findall(r"finalmarket_\w+", rule["expr"])}
    plain = {next((name.removesuffix(end) for end in SUFFIXES if name.endswith(end)), name) for name in named}
    assert plain - known_figures() == set()


def test_the_page_says_what_to_do_when_each_alarm_rings() -> None:
    described = set(re.findall(r"^\| ([A-Z]\w+) \|", PAGE.read_text(), re.MULTILINE))
    assert described == {rule["alert"] for rule in alarms()}


def test_the_page_names_every_setting() -> None:
    named = set(re.findall(r"(?:FINALMARKET|DATABASE|OTEL)_[A-Z_]+[A-Z]", PAGE.read_text()))
    quoted = re.compile(r"[\"']((?:FINALMARKET|OTEL)_[A-Z_]+|DATABASE_URL|DATABASE_MIGRATE_URL)[\"']")
    read = {
        name for path in (ROOT / "finalmarket").rglob("*.py") if "bench" not in path.parts
        for name in quoted.findall(path.read_text())
    }  # fmt: skip
    assert read - named - OF_TESTS_AND_CHILDREN == set()
    assert named - read == set()


def test_the_page_names_the_words_by_which_the_line_to_the_mail_server_is_encrypted() -> None:
    settings = (ROOT / "finalmarket" / "config" / "settings.py").read_text()
    words = set(re.findall(r'environ\.get\("FINALMARKET_MAIL_SECURITY"[^)]*\) == "(\w+)"', settings))
    (row,) = re.findall(r"^\|.*`FINALMARKET_MAIL_SECURITY`.*$", PAGE.read_text(), re.MULTILINE)
    assert words == {"starttls", "tls"}
    assert all(f"`{word}`" in row for word in words)


@pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").iterdir()), ids=lambda path: path.stem)
def test_units_are_understood_and_hardened(unit: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here: the units are not judged")
    judged = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    ).stderr  # fmt: skip
    assert [line for line in judged.splitlines() if "is not executable" not in line] == []
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout[-200:]


@pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").iterdir()), ids=lambda path: path.stem)
def test_what_has_ended_is_started_again_however_it_ended(unit: Path) -> None:
    assert re.findall(r"^Restart=(\S+)$", unit.read_text(), re.MULTILINE) == ["always"]


def test_requests_wait_at_the_proxy_while_the_web_process_is_started_anew() -> None:
    (patience,) = re.findall(r"^\s*lb_try_duration (\d+)s$", (DEPLOY / "Caddyfile").read_text(), re.MULTILINE)
    unit = (DEPLOY / "systemd" / "finalmarket-web.service").read_text()
    (drains,) = re.findall(r"FINALMARKET_DRAIN_SECONDS=(\d+)", unit)
    (pauses,) = re.findall(r"^RestartSec=(\d+)$", unit, re.MULTILINE)
    assert int(patience) >= int(drains) + STOP_SECONDS + int(pauses) + SECONDS_TO_START
    assert f"{patience} s at most" in PAGE.read_text()


def test_the_dockerfile_is_in_order_and_runs_as_nobody_in_particular() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    judged = subprocess.run([hadolint, str(DEPLOY / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (judged.returncode, judged.stdout) == (0, "")
    assert re.findall(r"^USER (\S+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE) == ["10001"]


def test_the_compose_file_starts_each_process_when_the_tables_are_there() -> None:
    told = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = told["services"]
    assert set(services) == {"postgres", "migrate", "web", "worker", "live"}
    waits = {name: services[name]["depends_on"] for name in ("web", "worker", "live")}
    assert all(one == {"migrate": {"condition": "service_completed_successfully"}} for one in waits.values())
    published = [port for one in services.values() for port in one.get("ports", [])]
    assert published and all(port.startswith("127.0.0.1:") for port in published)
    for name in ("web", "worker", "live", "migrate"):
        assert services[name]["cap_drop"] == ["ALL"] and services[name]["read_only"] is True
