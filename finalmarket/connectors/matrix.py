"""Which platform can do what, read from the class statements: `python -m finalmarket.connectors.matrix` prints the
table, `... docs/connectors/README.md` writes it into that page (`make matrix`), and a test keeps the page true."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from finalmarket.connectors.contract import CAPABILITIES, Connector, capabilities
from finalmarket.connectors.registry import real_connectors

WORDS = {
    "PullsOrders": "orders in", "PullsListings": "listings in", "PullsStock": "shown stock in",
    "PullsCustomers": "customers in", "PullsPayments": "payments in", "PushesStock": "stock out",
    "PushesPrices": "prices out", "PushesListings": "listings out", "PushesFulfilments": "fulfilments out",
    "PushesRefunds": "refunds out", "PushesCancellations": "cancellations out", "PushesCustomers": "customers out",
    "ErasesCustomers": "erasures out",
    "PullsConversations": "conversations in", "PullsInteractions": "interactions in", "PullsFigures": "figures in",
    "PushesOrders": "orders out", "PushesMovements": "stock movements out", "SendsEvents": "events out",
    "SendsMessages": "messages out", "OpensTickets": "tickets out",
    "AnswersConversations": "answers in conversations", "Ships": "rates, labels, tracking",
    "StartsPayments": "checkout page",
    "TakesPayments": "capture, void", "ChargesTokens": "payments by agents", "ReceivesWebhooks": "webhooks",
    "Authorizes": "OAuth",
}  # fmt: skip


TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)


def matrix() -> str:
    """The table in Markdown: a row for each capability, a column for each platform."""
    shown = list(real_connectors().values())
    rows = [
        ["", *(f"[{connector.name}]({connector.slug}.md)" for connector in shown)],
        ["---"] * (len(shown) + 1),
        ["kind", *(connector.kind.replace("_", " ") for connector in shown)],
        ["API version", *(connector.api_version for connector in shown)],
        ["checked against", *(_checked(connector) for connector in shown)],
    ]
    for capability in CAPABILITIES:
        marks = ["yes" if capability.__name__ in capabilities(connector) else "" for connector in shown]
        if any(marks):
            rows.append([WORDS[capability.__name__], *marks])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def with_matrix(page: str) -> str:
    """The page with its first table made anew. Raises ValueError where it has none."""
    written, count = TABLE.subn(lambda old: matrix() + "\n", page, count=1)
    if not count:
        raise ValueError("the page has no table to be made anew")
    return written


def _checked(connector: type[Connector]) -> str:
    """Against what a connector was checked, and when; a bar would end the cell."""
    checked = connector.checked_against
    return f"{checked.what}, {checked.on}".replace("|", "/")


def main(paths: list[str]) -> None:
    """Write the table into these pages; print it where none is named."""
    for path in map(Path, paths):
        path.write_text(with_matrix(path.read_text(encoding="utf-8")), encoding="utf-8")
    if not paths:
        sys.stdout.write(matrix() + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
