"""Whoever sets the house up by the page of operations gets what the units and the containers run."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY, PAGE = ROOT / "deploy", ROOT / "docs" / "operations.md"


def commands() -> str:
    """The page's commands for a server with systemd."""
    blocks: list[str] = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    (told,) = [block for block in blocks if "systemctl enable" in block]
    return told


def test_the_page_makes_the_user_the_folder_and_the_settings_that_the_units_ask_for() -> None:
    told = commands()
    units = sorted((DEPLOY / "systemd").glob("*.service"))
    for unit in units:
        asked = unit.read_text(encoding="utf-8")
        (user,) = re.findall(r"^User=(\S+)$", asked, re.MULTILINE)
        (settings,) = re.findall(r"^EnvironmentFile=(\S+)$", asked, re.MULTILINE)
        (folder,) = re.findall(r"FINALMARKET_DATA=(\S+)", asked)
        assert re.search(rf"^useradd .* {user}$", told, re.MULTILINE)
        assert f"-o {user} -g {user} {folder}\n" in told
        assert f"cat > {settings} <<END\n" in told
        assert f"\nFINALMARKET_DATA={folder}\n" in told
    (enabled,) = re.findall(r"^systemctl enable --now (.*)$", told, re.MULTILINE)
    assert sorted(enabled.split()) == [unit.stem for unit in units]


def test_what_the_page_runs_of_the_house_works_on_the_database_of_the_units() -> None:
    lines = commands().splitlines()
    ours = [number for number, line in enumerate(lines) if "bin/finalmarket " in line]
    (sourced,) = [
        number for number, line in enumerate(lines) if line.startswith("set -a; . /etc/finalmarket/environment")
    ]
    assert ours and min(ours) > sourced
    assert all(lines[number].startswith("runuser -u finalmarket -- ") for number in ours)
    assert {"DATABASE_URL", "DATABASE_MIGRATE_URL"} <= set(re.findall(r"^([A-Z_]+)=", commands(), re.MULTILINE))


def test_containers_are_told_where_the_house_is_reached_and_of_its_mail_server() -> None:
    read = (ROOT / "finalmarket" / "config" / "settings.py").read_text(encoding="utf-8")
    wanted = {"FINALMARKET_PUBLIC_URL", *re.findall(r"\"(FINALMARKET_MAIL_[A-Z]+)\"", read)}
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    for name in ("web", "worker", "live", "migrate"):
        given = services[name]["environment"]
        assert wanted - given.keys() == set(), name
        assert all(given[one].startswith(f"${{{one}:-") for one in wanted)  # nobody has to say them
        assert int(given["FINALMARKET_MAIL_PORT"].partition(":-")[2].rstrip("}")) == 587
    assert "run --rm web finalmarket createuser" in PAGE.read_text(encoding="utf-8")
