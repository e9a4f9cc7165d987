"""What the command line says to mistakes: one line that helps, a code a script can read, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

from finalmarket import cli
from finalmarket.kernel.errors import UserError

COMMANDS = [name for name in cli.COMMANDS if cli.command_is_there(name)]


@pytest.fixture
def stumbling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two commands that fail: one by the user's mistake, one by ours."""
    module = ModuleType("stumbling")

    @click.command()
    @click.argument("how")
    def command(how: str) -> None:
        if how == "theirs":
            raise UserError("goods.csv, line 3,\n column price: no number")
        raise ZeroDivisionError("division by zero")

    module.__dict__["command"] = command
    module.__spec__ = __import__("importlib.machinery").machinery.ModuleSpec("stumbling", None)
    monkeypatch.setitem(sys.modules, "stumbling", module)
    monkeypatch.setitem(cli.COMMANDS, "stumble", ("stumbling", "Stumble."))


@pytest.mark.usefixtures("stumbling")
def test_a_users_mistake_is_told_in_one_line_with_code_2(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["stumble", "theirs"]) == 2
    assert capfd.readouterr().err == "finalmarket: error: goods.csv, line 3, column price: no number\n"


@pytest.mark.usefixtures("stumbling")
def test_our_own_mistake_is_told_in_one_line_with_code_1_and_a_hint(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["stumble", "ours"]) == 1
    told = capfd.readouterr().err
    assert told.startswith("finalmarket: error: ZeroDivisionError: division by zero")
    assert "--debug" in told
    assert told.count("\n") == 1


@pytest.mark.usefixtures("stumbling")
def test_debug_shows_where_it_happened(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--debug", "stumble", "ours"]) == 1
    assert "Traceback" in capfd.readouterr().err


@pytest.mark.parametrize("words", [["frobnicate"], ["--frob"], ["serve", "--port", "many"], ["createuser"]])
def test_a_misspelt_command_line_points_to_its_help(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(words) == 2
    told = capfd.readouterr().err
    assert told.startswith("finalmarket: error: ")
    assert "--help" in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    shown = CliRunner().invoke(cli.cli, [name, "--help"], prog_name="finalmarket")
    assert shown.exit_code == 0, shown.output
    assert shown.output.startswith(f"Usage: finalmarket {name}")


def test_the_list_of_commands_holds_those_that_are_there_and_no_others() -> None:
    shown = CliRunner().invoke(cli.cli, ["--help"]).output
    listed = shown.split("Commands:")[1].split()
    assert [name for name in COMMANDS if name not in listed] == []
    assert [name for name in cli.COMMANDS if name not in COMMANDS and f"  {name} " in shown] == []


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    environment = {**os.environ, "FINALMARKET_DATA": str(tmp_path)}
    writer = subprocess.Popen(
        [sys.executable, "-m", "finalmarket", "version"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    )
    assert writer.stdout is not None
    writer.stdout.close()
    assert writer.stderr is not None
    assert writer.stderr.read() == ""
    assert writer.wait() != 0


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    environment = {**os.environ, "FINALMARKET_DATA": str(tmp_path / "file" / "data")}
    refused = subprocess.run(
        [sys.executable, "-m", "finalmarket", "migrate"], env=environment, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"finalmarket: error: cannot create the data folder {tmp_path}")
    assert refused.stderr.count("\n") == 1
