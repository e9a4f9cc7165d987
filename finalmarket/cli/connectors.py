"""finalmarket connectors: which platforms can be connected, and what each can do."""

import json
from typing import Any

import click

from finalmarket.connectors.contract import Connector, capabilities
from finalmarket.connectors.matrix import WORDS
from finalmarket.connectors.registry import real_connectors

WIDTH = 110


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs: a list of objects.")
def command(as_json: bool) -> None:
    """List the platforms that can be connected, what each can do, and against what its connector was checked."""
    shown = [about(connector) for connector in real_connectors().values()]
    click.echo(json.dumps(shown, indent=2, ensure_ascii=False) if as_json else table(shown))


def about(connector: type[Connector]) -> dict[str, Any]:
    """One platform as its class statement tells of it. `checked_against` names what the connector was checked against,
    and on which day (ISO 8601)."""
    checked = connector.checked_against
    return {
        "slug": connector.slug,
        "name": connector.name,
        "kind": connector.kind,
        "api_version": connector.api_version,
        "capabilities": list(capabilities(connector)),
        "checked_against": {"what": checked.what, "on": checked.on},
        "docs": connector.docs,
    }


def table(shown: list[dict[str, Any]]) -> str:
    """The same for people: a line for each platform, and below it what it can do."""
    head = ("platform", "kind", "API version", "checked against")
    rows = [
        (each["name"], each["kind"].replace("_", " "), each["api_version"],
         f"{each['checked_against']['what']}, {each['checked_against']['on']}")
        for each in shown
    ]  # fmt: skip
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [_line(head, widths)]
    for each, row in zip(shown, rows, strict=True):
        words = ", ".join(WORDS[name] for name in each["capabilities"])
        lines += [_line(row, widths), click.wrap_text(words, WIDTH, initial_indent="    ", subsequent_indent="    ")]
    return "\n".join(lines)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
