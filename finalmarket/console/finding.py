"""Searching: what an operator types, turned into a bounded list of ids by the indexes made for it.

A list page then filters by these ids. An OR over several tables would make the database read all of them instead.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from django.db import connection
from django.db.models import Q

from finalmarket.console.people import may_see_buyers, may_see_people
from finalmarket.customers.known_by import e164, mailbox
from finalmarket.customers.models import CustomerIdentity
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("queries.sql"))
MOST_FOUND = 250  # more and the database would rather walk through everything by date than look these up
LONGEST_TEXT = 200


def rows(name: str, **values: Any) -> list[dict[str, Any]]:
    """Run a query of queries.sql and return its rows by column name."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[name], values)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _found(query: str, text: str, country: str = "", *, by_buyer: bool = True) -> list[int]:
    wanted = text.replace("\x00", "").strip()[:LONGEST_TEXT]
    if not wanted:
        return []
    literal = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    values = {
        "text": wanted,
        "beginning": f"{literal}%",
        "part": f"%{literal}%",
        "mailbox": mailbox(wanted.lower()),
        "phone": e164(wanted, country) or wanted,
        "kinds": [kind for kind, _ in CustomerIdentity.Kind.choices],
        "most": MOST_FOUND,
        "by_buyer": by_buyer,
    }
    return [row["id"] for row in rows(query, **values)]


def variants(text: str) -> list[int]:
    """Ids of variants by SKU, barcode or product title; at most MOST_FOUND, the best matches first."""
    return _found("variants_found", text)


def products(text: str) -> list[int]:
    """Ids of products by title or by the SKU of a variant; at most MOST_FOUND."""
    return _found("products_found", text)


def customers(text: str, country: str = "") -> list[int]:
    """Ids of customers by a whole identity (e-mail, phone, ...) or order number, or a part of the name, with all other
    profiles of the same persons; at most MOST_FOUND. A phone number without +49 is dialled in `country`."""
    return _found("customers_found", text, country)


def orders(text: str, country: str = "", *, by_buyer: bool) -> list[int]:
    """Ids of orders by number, external id, SKU, and `by_buyer` by e-mail address, phone number or other identity; at
    most MOST_FOUND. A phone number without +49 is dialled in `country`."""
    return _found("orders_found", text, country, by_buyer=by_buyer)


class Search(Protocol):
    """Turns what this user types into a condition."""

    def __call__(self, text: str, user: Any) -> Q:
        """Return the condition; whoever may not see people finds nothing by who they are."""


def within(path: str, find: Callable[[str], list[int]]) -> Search:
    """Return a search that keeps the rows whose `path` is among what `find` finds.

    >>> within("variant", variants)("ABC-1", operator)     # doctest: +SKIP
    <Q: (AND: ('variant__in', [17]))>
    """
    return lambda text, user: Q(**{f"{path}__in": find(text)})


def of_persons(path: str) -> Search:
    """Return a search that keeps the rows whose `path` is one of the persons found, for whoever may see them."""
    return lambda text, user: Q(**{f"{path}__in": customers(text)}) if may_see_people(user) else Q(pk__in=[])


def of_orders(path: str) -> Search:
    """Return a search that keeps the rows whose `path` is one of the orders that are found; by their buyers for those
    who may see them."""
    return lambda text, user: Q(**{f"{path}__in": orders(text, by_buyer=may_see_buyers(user))})


def either(*finds: Search) -> Search:
    """Return a search that keeps what any of `finds` keeps."""

    def found(text: str, user: Any) -> Q:
        condition = Q(pk__in=[])
        for find in finds:
            condition |= find(text, user)
        return condition

    return found
