"""SuiteQL of the stand-in: the query runs as it is, on tables made of what the account holds at that moment."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

State = dict[str, Any]
Row = tuple[Any, ...]
WIDE = "%Y-%m-%d %H:%M:%S"
ADDRESS = ("addressee", "attention", "addr1", "addr2", "city", "state", "zip", "country", "addrphone")


def flag(value: object) -> str:
    """A truth as SuiteQL tells it."""
    return "T" if value else "F"


def _items(state: State) -> Iterable[Row]:
    for item in state["items"].values():
        yield (
            int(item["id"]), item["itemId"], item["displayName"], item["upcCode"] or None, item["type"],
            flag(item["isInactive"]), item["matrix"] or None,
        )  # fmt: skip


def _prices(state: State) -> Iterable[Row]:
    for item in state["items"].values():
        yield int(item["id"]), 1, 0, item["price"], 1


def _stock(state: State) -> Iterable[Row]:
    for item in state["items"].values():
        for location, units in item["stock"].items():
            yield int(item["id"]), int(location), units, units - item["committed"].get(location, 0)


def _customers(state: State) -> Iterable[Row]:
    for one in state["customers"].values():
        yield (
            int(one["id"]), one["entityId"], flag(one["isPerson"]), one.get("firstName"), one.get("lastName"),
            one.get("companyName"), one.get("email"), one.get("phone"), "F", one["lastModifiedDate"].strftime(WIDE),
            int(one["id"]) if one.get("address") else None,
        )  # fmt: skip


def _addresses(state: State) -> Iterable[Row]:
    for one in state["customers"].values():
        told = one.get("address") or {}
        if told:
            names = [name if name != "addrphone" else "addrPhone" for name in ADDRESS]
            yield (int(one["id"]), *(told.get(name) for name in names))


def _currencies(state: State) -> Iterable[Row]:
    return [(int(number), symbol) for number, symbol in state["currencies"].items()]


TABLES: dict[str, tuple[tuple[str, ...], Callable[[State], Iterable[Row]]]] = {
    "item": (("id", "itemid", "displayname", "upccode", "itemtype", "isinactive", "matrixtype"), _items),
    "itemprice": (("item", "pricelevel", "quantity", "price", "currency"), _prices),
    "inventoryitemlocations": (("item", "location", "quantityonhand", "quantityavailable"), _stock),
    "customer": (
        ("id", "entityid", "isperson", "firstname", "lastname", "companyname", "email", "phone", "isinactive",
         "lastmodifieddate", "defaultshippingaddress"), _customers,
    ),
    "entityaddress": (("nkey", *ADDRESS), _addresses),
    "currency": (("id", "symbol"), _currencies),
}  # fmt: skip


def run(state: State, query: str, now: datetime, limit: int, offset: int) -> tuple[list[dict[str, Any]], bool]:
    """The rows of one page, every value as text and none where there is none, and whether more follow.

    Raises ValueError for what is no SELECT, names a table that is not there, or is no SQL.
    """
    if not re.match(r"\s*SELECT\b", query, re.IGNORECASE):
        raise ValueError("only SELECT statements are executed")
    database = sqlite3.connect(":memory:")
    try:
        for name in {word.lower() for word in re.findall(r"\b(?:FROM|JOIN)\s+(\w+)", query, re.IGNORECASE)}:
            if name not in TABLES:
                raise ValueError(f"Search error occurred: Record '{name}' was not found")
            _fill(database, name, state)
        database.create_function("SYS_EXTRACT_UTC", 1, lambda moment: moment)
        database.create_function("TO_CHAR", 2, lambda moment, form: moment)
        asked = query.replace("CURRENT_TIMESTAMP", f"'{now.strftime(WIDE)}'")
        found = database.execute(f"SELECT * FROM ({asked}) LIMIT ? OFFSET ?", (limit + 1, offset))  # noqa: S608
        names = [column[0].lower() for column in found.description]
        rows = [
            {name: str(value) for name, value in zip(names, row, strict=True) if value is not None} for row in found
        ]
    except sqlite3.Error as error:
        raise ValueError(f"Search error occurred: {error}") from None
    finally:
        database.close()
    return rows[:limit], len(rows) > limit


def _fill(database: sqlite3.Connection, name: str, state: State) -> None:
    columns, rows = TABLES[name]
    database.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
    marks = ", ".join("?" * len(columns))
    database.executemany(f"INSERT INTO {name} VALUES ({marks})", rows(state))  # noqa: S608  names of TABLES
