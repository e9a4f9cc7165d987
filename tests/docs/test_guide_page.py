"""The guide is true: its examples are run, in order, in an empty house, and its lists are whole."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from finalmarket.access import roles
from finalmarket.channels.configuration import BY_TYPE, EVERY_CHANNEL
from finalmarket.channels.models import SalesChannel
from finalmarket.cli import cli
from tests.conftest import TestDatabase
from tests.tracking.wire import served

PAGE = Path(__file__).parents[2] / "docs" / "guide.md"
STAY = ("serve", "worker", "sandbox", "shell", "doctor", "migrate")
"""Commands that stay until they are told to stop, or tell of the machine that they are on: looked up, not run."""
FILES = {
    "range.csv": "sku,product,title,category\nMUG-1,mug,Mug,Kitchen > Cups\nMUG-2,mug,Mug,Kitchen > Cups\n",
    "prices.csv": "sku,currency,price\nMUG-1,EUR,12.50\nMUG-2,EUR,12.50\n",
    "count.csv": "sku,location,on_hand\nMUG-1,hamburg,30\n",
    "rates.csv": "date,base,quote,rate\n2026-01-01,GBP,EUR,1.15\n",
    "message.eml": "From: Ann Lee <ann@example.com>\nSubject: Order\nMessage-ID: <1@example.com>\n\n2 x TEA-100\n",
}


def blocks() -> list[tuple[str, str]]:
    """The examples of the page in their order: the language, and the text."""
    return re.findall(r"^```(python|sh)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def run_line(line: str) -> None:
    """Run one line of a shell example: a command of ours, with files put in and taken out."""
    words = shlex.split(line, comments=True)
    if not words or words[0] != "finalmarket" or words[1] in STAY:
        return
    given = Path(words.pop(words.index("<") + 1)).read_bytes() if "<" in words else None
    written = Path(words.pop(words.index(">") + 1)) if ">" in words else None
    told = CliRunner().invoke(cli, [word for word in words[1:] if word not in "<>"], input=given)
    assert told.exit_code == 0, (line, told.output, told.exception)
    if written:
        written.write_text(told.stdout, encoding="utf-8")


@pytest.mark.committed_database
def test_every_example_does_what_the_guide_says(
    committed_database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed_database.renew()  # an empty house: the numbers of the examples begin at one
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    known: dict[str, Any] = {}
    with served() as port:
        for number, (language, text) in enumerate(blocks(), 1):
            told = text.replace("http://127.0.0.1:8000", f"http://127.0.0.1:{port}")
            if language == "python":
                exec(compile(told, f"{PAGE.name}, example {number}", "exec"), known)
                continue
            for line in told.replace("\\\n", "").splitlines():
                run_line(line)


def rows(heading: str) -> list[list[str]]:
    """The rows of the table under a heading."""
    part = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_every_practice_has_its_reason() -> None:
    part = PAGE.read_text(encoding="utf-8").partition("\n## Best practices\n")[2].partition("\n## ")[0]
    practices = part.strip().split("\n- ")
    assert len(practices) > 12
    assert not [one for one in practices if "**" not in one or "Because " not in one]


def test_every_symptom_says_why_and_what_to_do() -> None:
    symptoms = rows("Troubleshooting")
    assert len(symptoms) > 25
    assert not [row for row in symptoms if len(row) != 4 or not all(row)]


def test_the_roles_of_the_guide_are_those_in_force() -> None:
    assert [row[0] for row in rows("People")] == [role.name for role in roles.ROLES]


def test_the_guide_leads_through_every_type_of_channel() -> None:
    told = " ".join(row[0] for row in rows("The doors"))
    said = {"email": "e-mail"}
    assert not [kind for kind in SalesChannel.ChannelType.values if said.get(kind, kind) not in told]


def test_the_guide_is_short_enough_to_be_read() -> None:
    assert len(PAGE.read_text(encoding="utf-8").splitlines()) < 900


ACTING = {(name, "every channel") for name in EVERY_CHANNEL}
ACTING |= {(name, kind) for kind, names in BY_TYPE.items() for name in names}


def test_the_guide_names_every_setting_of_a_channel_that_acts() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("| setting | of |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \| ([\w ]+) \|", table, re.MULTILINE)) == ACTING


def test_every_setting_of_a_channel_that_is_said_to_act_is_read() -> None:
    house = PAGE.parents[1] / "finalmarket"
    aside = {"demo", "sandbox", "connectors", "client"}
    texts = [
        path.read_text(encoding="utf-8") for path in house.rglob("*.py")
        if path.relative_to(house).parts[0] not in aside and path.name != "configuration.py"
    ]  # fmt: skip
    assert [name for name, _ in sorted(ACTING) if not any(f'"{name}"' in text for text in texts)] == []
