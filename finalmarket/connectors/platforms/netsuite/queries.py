# ruff: noqa: S608  `text` and `number` quote all that comes from outside
"""What NetSuite is asked in SuiteQL, its SQL over the analytics data source. Moments are compared as texts in UTC.

Published source: NetSuite's help, "Executing SuiteQL Queries Through REST Web Services"; field names from its Records
Catalog.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.keyset import Place

WIDE = "YYYY-MM-DD HH24:MI:SS"
SOLD_TYPES = ("InvtPart", "Assembly", "Kit", "NonInvtPart")
STOCK_COLUMNS: Mapping[str, str] = {"on_hand": "quantityonhand", "available": "quantityavailable"}
ADDRESS: Mapping[str, str] = {
    "name": "addressee", "company": "attention", "street": "addr1", "street2": "addr2", "postcode": "zip",
    "city": "city", "region": "state", "country": "country", "phone": "addrphone",
}  # fmt: skip


def text(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def number(value: str) -> str:
    """An internal id. Raises Rejected for what is none, so that nothing else gets into a query."""
    if not value.isascii() or not value.isdigit():
        raise Rejected(f"{value[:40]!r} is no internal id of NetSuite: those are whole numbers", status=404)
    return value


def utc(column: str) -> str:
    """A moment in UTC, to the second, as text."""
    return f"TO_CHAR(SYS_EXTRACT_UTC({column}), '{WIDE}')"


def items(after: str) -> str:
    """Items that are sold, in the order of their ids, after this one; what only groups variants is left out."""
    kinds = ", ".join(map(text, SOLD_TYPES))
    return (
        "SELECT i.id, i.itemid, i.displayname, i.upccode, i.itemtype, i.isinactive FROM item i "
        f"WHERE i.itemtype IN ({kinds}) AND (i.matrixtype IS NULL OR i.matrixtype <> 'PARENT') "
        f"AND i.id > {number(after or '0')} ORDER BY i.id"
    )


def prices(ids: Iterable[str], level: str) -> str:
    """Prices of these items on one price level, the smallest quantity first."""
    return (
        "SELECT p.item, p.quantity, p.price, c.symbol FROM itemprice p JOIN currency c ON c.id = p.currency "
        f"WHERE p.pricelevel = {number(level)} AND p.item IN ({', '.join(map(number, ids))}) "
        "ORDER BY p.item, p.quantity"
    )


def items_named(skus: Iterable[str]) -> str:
    """The ids of these items."""
    return f"SELECT i.id, i.itemid FROM item i WHERE i.itemid IN ({', '.join(map(text, skus))}) ORDER BY i.id"


def currency(code: str) -> str:
    """The id of a currency."""
    return f"SELECT c.id FROM currency c WHERE c.symbol = {text(code.upper())} ORDER BY c.id"


def stock(ids: Iterable[str], which: str, location: str) -> str:
    """The units of these items at each location, with the moment at which the database counted them."""
    column = STOCK_COLUMNS.get(which, STOCK_COLUMNS["on_hand"])
    place = f" AND s.location = {number(location)}" if location else ""
    return (
        f"SELECT s.item, s.location, s.{column} AS units, {utc('CURRENT_TIMESTAMP')} AS counted "
        f"FROM inventoryitemlocations s WHERE s.item IN ({', '.join(map(number, ids))}){place} "
        "ORDER BY s.item, s.location"
    )


def customers(condition: str) -> str:
    """Customers with their shipping address, oldest change first."""
    fields = "id, entityid, isperson, firstname, lastname, companyname, email, phone, isinactive"
    columns = [f"c.{name}" for name in fields.split(", ")] + [f"a.{name}" for name in ADDRESS.values()]
    return (
        f"SELECT {', '.join(columns)}, {utc('c.lastmodifieddate')} AS changed FROM customer c "
        f"LEFT JOIN EntityAddress a ON a.nkey = c.defaultshippingaddress WHERE {condition} ORDER BY changed, c.id"
    )


def changed_since(place: Place) -> str:
    """The condition for customers behind a place."""
    moment, changed = text(place.at.strftime("%Y-%m-%d %H:%M:%S")), utc("c.lastmodifieddate")
    return f"({changed} > {moment} OR ({changed} = {moment} AND c.id > {number(place.after or '0')}))"


def read_moment(wide: str) -> datetime:
    """A moment as `utc` has it written."""
    return datetime.fromisoformat(wide + "+00:00")
