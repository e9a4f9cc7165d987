"""What the command line and the matrix tell of the platforms is what their class statements say."""

from __future__ import annotations

import json
from datetime import date

import pytest
from click.testing import CliRunner

from finalmarket.cli.connectors import command
from finalmarket.connectors.contract import CAPABILITIES, PullsOrders
from finalmarket.connectors.matrix import matrix
from finalmarket.connectors.registry import connectors, real_connectors

FIELDS = {"slug", "name", "kind", "api_version", "capabilities", "checked_against", "docs"}


def told(*options: str) -> str:
    """What the command prints."""
    run = CliRunner().invoke(command, options)
    assert run.exit_code == 0, run.output
    return run.output


def test_programs_are_told_every_platform_that_exists_with_all_that_it_declares() -> None:
    listed = json.loads(told("--json"))
    assert [each["slug"] for each in listed] == sorted(real_connectors())
    for each in listed:
        assert set(each) == FIELDS
        connector = connectors()[each["slug"]]
        assert (each["name"], each["kind"], each["docs"]) == (connector.name, connector.kind, connector.docs)
        assert each["checked_against"]["what"] == connector.checked_against.what
        assert date.fromisoformat(each["checked_against"]["on"]) >= date(2026, 1, 1)
        for capability in CAPABILITIES:
            assert (capability.__name__ in each["capabilities"]) is issubclass(connector, capability)


def test_stripe_is_told_as_its_class_statement_says() -> None:
    (stripe,) = [each for each in json.loads(told("--json")) if each["slug"] == "stripe"]
    assert stripe["name"] == "Stripe"
    assert stripe["kind"] == "payment"
    assert {"PullsPayments", "TakesPayments", "ReceivesWebhooks"} <= set(stripe["capabilities"])
    assert "PullsOrders" not in stripe["capabilities"]
    assert stripe["checked_against"]["what"].startswith("published description")


@pytest.mark.parametrize("slug", sorted(set(connectors()) - set(real_connectors())))
def test_what_exists_in_the_sandbox_only_is_not_offered(slug: str) -> None:
    assert connectors()[slug].name not in told()
    assert slug not in told("--json")
    assert connectors()[slug].name not in matrix()


def test_people_are_told_in_words_with_the_tier_and_its_date() -> None:
    lines = told().splitlines()
    assert lines[0].split() == ["platform", "kind", "API", "version", "checked", "against"]
    at = next(number for number, line in enumerate(lines) if line.startswith("Square "))
    square = real_connectors()["square"]
    assert lines[at].endswith(f"{square.checked_against.what}, {square.checked_against.on}")
    assert issubclass(square, PullsOrders)
    assert lines[at + 1].startswith("    orders in, ")
    assert max(map(len, (line for line in lines if line.startswith("    ")))) <= 110


def test_the_matrix_says_against_what_each_was_checked_and_when() -> None:
    heads, *rows = [line.strip("| ").split(" | ") for line in matrix().splitlines()]
    (row,) = [row for row in rows if row[0] == "checked against"]
    said = dict(zip(heads[-len(row) + 1 :], row[1:], strict=True))
    for connector in real_connectors().values():
        (cell,) = [text for head, text in said.items() if head.startswith(f"[{connector.name}]")]
        assert cell == f"{connector.checked_against.what}, {connector.checked_against.on}"
