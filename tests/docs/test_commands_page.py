"""The page of commands is whole: every command stands there once, with its arguments and with every option."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from finalmarket.cli import cli

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
ROW = re.compile(r"^\| `([^`]+)` \|[^|]+\|([^|]*)\|$", re.MULTILINE)
OPTION = re.compile(r"`(-{1,2}[a-z][a-z-]*)`")


def commands(found: click.Command = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, set[str]]]:
    """Each command as it is called, arguments behind it, and the names of its options."""
    context = click.Context(found)
    if isinstance(found, click.Group):
        for name in found.list_commands(context):
            below = found.get_command(context, name)
            assert below is not None
            yield from commands(below, (*path, name))
        return
    arguments = [one.make_metavar(context) for one in found.params if isinstance(one, click.Argument)]
    options = {name for one in found.params if isinstance(one, click.Option) for name in one.opts}
    yield " ".join((*path, *arguments)), options


def told() -> dict[str, set[str]]:
    """What the page says: each command, and its options. Words such as `--channel` of what it does are not options."""
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert len({call for call, _ in rows}) == len(rows), "a command stands twice"
    return {call: set(OPTION.findall(options)) for call, options in rows}


def test_every_command_stands_on_the_page_with_its_options() -> None:
    assert told() == dict(commands())
