"""Everything about a person as one JSON document, streamed: the rooms' lists say what is theirs, so what is erased is
what is exported. Raw payloads, letters and error words are found by the words that the person is known by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import psycopg
from django.db import connection, transaction

from finalmarket.customers.models import OmnichannelCustomer, PrivacyRequest
from finalmarket.customers.persons import members
from finalmarket.customers.survivorship import shown
from finalmarket.integrations.privacy.lists import TABLES
from finalmarket.integrations.privacy.words import as_text, kinds_of_columns, pattern, words_of
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.personal import Table
from finalmarket.orders.models import Order

ROWS_AT_ONCE = 500
NEVER = frozenset({"password", "token"})
"""Columns that open something: they are no facts about the person."""


def export(customer_id: int, *, actor: str, source: str = "") -> Iterator[str]:
    """Write down who exports, and return the document in pieces. Raises UserError without an actor, and for an unknown
    customer. What was erased is not there; what is kept of the books is."""
    if not actor.strip():
        raise UserError("an export has an actor: say who asks for it")
    profiles = members(customer_id)
    if not profiles:
        raise UserError(f"there is no customer {customer_id}")
    PrivacyRequest.objects.create(
        kind=PrivacyRequest.Kind.EXPORT, state=PrivacyRequest.State.DONE, person_id=profiles[0], profiles=profiles,
        actor=actor.strip()[:100], source=source[:100], done_at=clock.now(),
    )  # fmt: skip
    return _document(profiles)


def _document(profiles: list[int]) -> Iterator[str]:
    """The pieces; read in one transaction."""
    with transaction.atomic():
        orders = list(Order.objects.filter(customer__in=profiles).order_by("pk").values_list("pk", flat=True))
        words = words_of(profiles, orders)
        about = {"exported_at": clock.now().isoformat(), "customer": profiles[0], "profiles": profiles}
        yield f'{{"about": {_json(about)},\n"person": {_json(asdict(shown(profiles[0])))},\n"tables": {{'
        kinds, is_first = kinds_of_columns(), True
        for table in (one for one in TABLES if one.whose or one.searched):
            for number, row in enumerate(_rows(table, kinds, profiles, orders, words)):
                head = f"{'' if is_first else '],'}\n{_json(table.name)}: [" if number == 0 else ","
                is_first = False
                yield f"{head}\n  {_json(_plain(row))}"
        yield "}}\n" if is_first else "]}}\n"


def _rows(
    table: Table, kinds: dict[tuple[str, str], str], profiles: list[int], orders: list[int], words: list[str]
) -> Iterator[dict[str, Any]]:
    """The person's rows of a table: their own, and those that name them."""
    conditions = [f"({table.whose})"] if table.whose else []
    values: dict[str, Any] = {"profiles": profiles, "orders": orders}
    if table.searched and words:
        text = ", ".join(as_text(column, kinds.get((table.name, column), "text")) for column in table.searched)
        conditions.append(f"concat_ws(' ', {text}) ~* %(pattern)s")
        values["pattern"] = pattern(words)
    if not conditions:
        return
    query = f"SELECT to_jsonb(found) FROM {table.name} found WHERE {' OR '.join(conditions)}"  # noqa: S608
    with psycopg.ServerCursor(connection.connection, f"export_{table.name}") as cursor:
        cursor.execute(query, values)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            for (row,) in rows:
                yield json.loads(row) if isinstance(row, str) else row


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what opens something, and bytes as text."""
    plain = {name: value for name, value in row.items() if name not in NEVER}
    body = plain.get("body")
    if isinstance(body, str) and body.startswith("\\x"):
        plain["body"] = bytes.fromhex(body[2:]).decode("utf-8", "replace")
    return plain


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def find(words: str) -> int:
    """Return the customer that is meant: a number of ours, or an e-mail address. Raises UserError for nobody."""
    from finalmarket.customers.known_by import identity
    from finalmarket.customers.models import CustomerIdentity

    if words.isascii() and words.isdigit() and len(words) < 19:
        if OmnichannelCustomer.objects.filter(pk=int(words)).exists():
            return int(words)
    elif (email := identity("email", words)) is not None:
        anchored = CustomerIdentity.objects.filter(kind="email", value=email[1]).order_by("-is_anchor", "customer_id")
        found: int | None = anchored.values_list("customer_id", flat=True).first()
        if found is not None:
            return found
    raise UserError(f"there is no customer {words[:80]!r}; give their number, or an e-mail address of theirs")
