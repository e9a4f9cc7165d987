"""From Oracle's words to ours: items, stock, people, orders. And the conditions that its lists are asked by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from finalmarket.connectors.books import OrderNames
from finalmarket.connectors.keyset import Place
from finalmarket.connectors.moments import zoned
from finalmarket.connectors.paging import read_text
from finalmarket.connectors.people import full_name, read_address
from finalmarket.connectors.records import CustomerRecord, ListingRecord, ListingRef, Raw, StockRecord

SETTLED = ("CLOSED", "CANCELED")  # StatusCode of an order


def text(value: str) -> str:
    """A text in a condition."""
    return "'" + value.replace("'", "''") + "'"


def any_of(name: str, values: Iterable[str]) -> str:
    """The condition that an attribute is one of these texts."""
    return "(" + " or ".join(f"{name} = {text(value)}" for value in values) + ")"


def behind(place: Place) -> str:
    """The condition for people who were changed behind a place."""
    at = text(moment(place.at))
    return f"LastUpdateDate > {at} or (LastUpdateDate = {at} and PartyNumber > {text(place.after)})"


def moment(at: datetime) -> str:
    """A moment as Oracle writes it: `2026-06-01T09:30:00.000+00:00`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def number_of(key: str) -> int:
    """A key of ours as a number, for fields that take nothing else; fifteen digits."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % 10**15


def listing_record(raw: Raw) -> ListingRecord:
    """An item. Its price stands in price lists that this API does not tell of."""
    number = str(raw["ItemNumber"])
    return ListingRecord(
        ref=ListingRef(key=number, sku=number, ids={"item": number}), title=read_text(raw, "ItemDescription") or number,
        is_available=(read_text(raw, "ItemStatusValue") or "Active") == "Active", raw=raw,
    )  # fmt: skip


def place_of_stock(raw: Raw) -> str:
    """A location of stock, organisation and subinventory: `M1/Stores`."""
    return "/".join(str(raw[name]) for name in ("OrganizationCode", "SubinventoryCode") if raw.get(name))


def stock_records(rows: Iterable[Raw], location: str) -> list[StockRecord]:
    """The units of each item at each place; `location` is a subinventory, or an organisation with all of its own."""
    units: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        place = place_of_stock(row)
        if location in ("", place, str(row["OrganizationCode"])):
            key = (str(row["ItemNumber"]), location or place)
            units[key] = units.get(key, Decimal(0)) + Decimal(str(row["PrimaryQuantity"]))
    return [
        StockRecord(key=item, sku=item, location=place, quantity=int(count)) for (item, place), count in units.items()
    ]


def customer_record(raw: Raw) -> CustomerRecord:
    """A person."""
    name = full_name(raw.get("FirstName"), raw.get("LastName"))
    country = f"+{raw['MobileCountryCode']} " if raw.get("MobileCountryCode") else ""
    return CustomerRecord(
        external_id=str(raw["PartyNumber"]), version=zoned(raw["LastUpdateDate"]).isoformat(),
        name=name or str(raw.get("ContactName") or raw["PartyNumber"]), email=str(raw.get("EmailAddress") or ""),
        phone=f"{country}{raw['MobileNumber']}" if raw.get("MobileNumber") else "",
        address=read_address(raw, ADDRESS), raw=raw,
    )  # fmt: skip


ADDRESS: Mapping[str, str] = {
    "street": "AddressLine1", "street2": "AddressLine2", "postcode": "PostalCode", "city": "City", "region": "State",
    "country": "Country",
}  # fmt: skip


def place_in(raw: Raw) -> Place:
    """Where a person stands in the list of changes."""
    return Place(zoned(raw["LastUpdateDate"]), str(raw["PartyNumber"]))


def our_lines(raw: Raw) -> dict[str, Raw]:
    """The lines of an order by what we call them."""
    return {str(line["SourceTransactionLineId"]): line for line in raw.get("lines") or ()}


def order_names(raw: Raw) -> OrderNames:
    """What Oracle calls an order of ours, and its lines."""
    lines = {ours: str(line["LineNumber"]) for ours, line in our_lines(raw).items()}
    return OrderNames(external_id=str(raw["HeaderId"]), lines=lines)
