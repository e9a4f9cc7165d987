"""The documents say what is so: commands exist, links lead somewhere, the tour knows every room."""

import re
from pathlib import Path

import click
import pytest

from finalmarket.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
COMMAND = re.compile(r"`?finalmarket ((?:[a-z]+)(?: [a-z]+)?)")
MAKE = re.compile(r"(?:`|^)make ([a-z]+)", re.MULTILINE)


OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]*")
CALL = re.compile(r"finalmarket (?=[a-z]|--(?:debug|version|help)\b)")
"""Where a call of ours begins; the name stands for an account and for folders, too."""
SHELL = re.compile(r"^```(?:sh|)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def _command_lines(text: str) -> list[str]:
    """The command lines of ours that a page shows, each from behind the name of the program on, without comment."""
    shown = [line for block in SHELL.findall(text) for line in block.replace("\\\n", "").splitlines()]
    shown += re.findall(r"`([^`\n]*finalmarket [^`\n]*)`", text)
    parted = [CALL.split(line.partition("#")[0]) for line in shown]
    return [rest for _, *calls in parted for rest in calls[-1:]]


def _options(words: list[str]) -> set[str]:
    """The options of the command that `words` begin with, and of the groups above it."""
    found: click.Command | None = cli
    known = {"--help", "--version"}
    for word in words:
        known |= (
            {name for option in found.params for name in (*option.opts, *option.secondary_opts)} if found else set()
        )
        if not isinstance(found, click.Group) or word.startswith("-"):
            continue
        found = found.get_command(click.Context(found), word)
    return known | ({name for option in found.params for name in option.opts} if found else set())


def _command(words: list[str]) -> click.Command | None:
    """The command that `words` name; a second word counts only below a group."""
    found = cli.get_command(click.Context(cli), words[0])
    if isinstance(found, click.Group) and len(words) > 1:
        return found.get_command(click.Context(found), words[1])
    return found


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_of_the_documents_leads_to_a_file(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert not missing


def _anchors(text: str) -> set[str]:
    """What headings of a page can be named by behind a #: as GitHub makes it."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_place_on_a_page_that_a_link_leads_to_is_there(page: Path) -> None:
    linked = re.findall(r"\]\((?!https?://)([^)#\s]*)#([^)\s]+)\)", page.read_text())
    targets = [((page.parent / to if to else page), place) for to, place in linked]
    assert not [(to.name, place) for to, place in targets if place not in _anchors(to.read_text())]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_that_the_documents_name_exists(page: Path) -> None:
    code = "\n".join(re.findall(r"`[^`]+`|```sh\n.*?```", page.read_text(), re.DOTALL))
    named = {tuple(words.split()) for words in COMMAND.findall(code)}
    assert not [words for words in named if _command(list(words)) is None]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_option_that_the_documents_name_exists(page: Path) -> None:
    lines = _command_lines(page.read_text())
    assert not [line for line in lines if not set(OPTION.findall(line)) <= _options(line.split())]


def test_an_option_that_there_is_not_is_found() -> None:
    (line,) = _command_lines("Say `runuser -u finalmarket -- bin/finalmarket lake export --everything FOLDER`.")
    assert "--everything" not in _options(line.split())
    assert {"--all", "--debug"} <= _options(line.split())


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_make_target_that_the_documents_name_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(MAKE.findall(page.read_text())) <= targets


def test_the_tour_shows_every_room_and_no_other() -> None:
    rooms = {folder.name for folder in (ROOT / "finalmarket").iterdir() if (folder / "__init__.py").exists()}
    shown = set(re.findall(r"^\| `([a-z]+)/` \|", (ROOT / "docs" / "tour.md").read_text(), re.MULTILINE))
    assert shown == rooms


def test_the_files_where_the_tour_begins_exist() -> None:
    rows = re.findall(r"^\| `([a-z]+)/` \|[^|]+\|([^|]+)\|", (ROOT / "docs" / "tour.md").read_text(), re.MULTILINE)
    named = [(room, name) for room, cell in rows for name in re.findall(r"`([^`]+)`", cell)]
    assert not [f"{room}/{name}" for room, name in named if not (ROOT / "finalmarket" / room / name).exists()]


def test_every_decision_says_when_and_what_would_make_us_think_again() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert pages
    undated = [page.name for page in pages if not re.search(r"\d{4}-\d{2}-\d{2}", page.read_text())]
    assert not undated
