"""From SAP's words to ours: products, prices, stock, customers, orders. No call is made here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from finalmarket.connectors.books import OrderNames
from finalmarket.connectors.keyset import Place
from finalmarket.connectors.paging import read_text
from finalmarket.connectors.people import full_name, read_address
from finalmarket.connectors.platforms.sap.odata import parts, read_moment
from finalmarket.connectors.records import Address, CustomerRecord, ListingRecord, ListingRef, Raw, StockRecord

UNRESTRICTED = "01"  # InventoryStockType: may be used freely
PERSON = "1"  # BusinessPartnerCategory; 2 is an organisation, 3 a group
ADDRESS: Mapping[str, str] = {
    "name": "CareOfName", "street": "StreetName", "street2": "StreetPrefixName", "postcode": "PostalCode",
    "city": "CityName", "region": "Region", "country": "Country",
}  # fmt: skip
# The two lists in which a business partner stands: the day and the time of its making and of its last change.
MADE, CHANGED = ("CreationDate", "CreationTime"), ("LastChangeDate", "LastChangeTime")


def listing_record(raw: Raw, price: Raw | None, language: str) -> ListingRecord:
    """A product with the condition of its price, where there is one; its own number is the SKU."""
    number = str(raw["Product"])
    titles = {str(one.get("Language")): str(one["ProductDescription"]) for one in parts(raw, "to_Description")}
    amount, currency = (None, "") if price is None else price_of(price)
    return ListingRecord(
        ref=ListingRef(key=number, sku=number, ids={"product": number}),
        title=titles.get(language) or next(iter(titles.values()), number),
        barcode=read_text(raw, "ProductStandardID"), price=amount, currency=currency,
        is_available=not raw.get("IsMarkedForDeletion"), raw=raw,
    )  # fmt: skip


def price_of(raw: Raw) -> tuple[Decimal, str]:
    """A price for one unit: how much in which currency."""
    record = raw["to_SlsPrcgConditionRecord"]
    amount = Decimal(str(record["ConditionRateValue"])) / (Decimal(str(record.get("ConditionQuantity") or 0)) or 1)
    return amount, read_text(record, "ConditionRateValueUnit").upper()


def stock_records(rows: Iterable[Raw], location: str) -> list[StockRecord]:
    """The freely usable units of each product by plant and storage location, written `1010/101A`."""
    units = Counter[tuple[str, str]]()
    exact: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        for part in parts(row, "to_MatlStkInAcctMod"):
            if part["InventoryStockType"] != UNRESTRICTED or part.get("InventorySpecialStockType"):
                continue
            place = "/".join(name for name in (str(part["Plant"]), str(part["StorageLocation"])) if name)
            if location in ("", place, str(part["Plant"])):
                key = (str(row["Material"]), location or place)
                exact[key] = exact.get(key, Decimal(0)) + Decimal(str(part["MatlWrhsStkQtyInMatlBaseUnit"]))
    units.update({key: int(amount) for key, amount in exact.items()})
    return [StockRecord(key=key, sku=key, location=place, quantity=count) for (key, place), count in units.items()]


def place_in(raw: Raw, names: tuple[str, str]) -> Place:
    """Where a business partner stands in the list of those made, or of those changed."""
    return Place(read_moment(str(raw[names[0]]), str(raw.get(names[1]) or "")), str(raw["BusinessPartner"]))


def version_of(raw: Raw) -> str:
    """The moment of the last change; one that never changed has that of its making."""
    moments: list[datetime] = [
        read_moment(str(raw[day]), str(raw.get(time) or "")) for day, time in (MADE, CHANGED) if raw.get(day)
    ]
    return max(moments).isoformat()


def customer_record(raw: Raw) -> CustomerRecord:
    """A business partner who is a customer."""
    person = full_name(read_text(raw, "FirstName"), read_text(raw, "LastName"))
    company = read_text(raw, "OrganizationBPName1")
    name = person if raw.get("BusinessPartnerCategory") == PERSON else company
    address = next(iter(parts(raw, "to_BusinessPartnerAddress")), {})
    emails, phones = parts(address, "to_EmailAddress"), parts(address, "to_PhoneNumber")
    return CustomerRecord(
        external_id=str(raw["BusinessPartner"]), version=version_of(raw),
        name=name or read_text(raw, "BusinessPartnerFullName") or str(raw["BusinessPartner"]),
        email=_first(emails, "EmailAddress"), phone=_first(phones, "PhoneNumber"),
        language=read_text(raw, "CorrespondenceLanguage").lower(),
        address=address_of(address),
        is_deleted=bool(raw.get("IsMarkedForArchiving")), raw=raw,
    )  # fmt: skip


def address_of(raw: Raw) -> Address:
    """An address of a business partner."""
    return read_address({**raw, "StreetName": full_name(raw.get("StreetName"), raw.get("HouseNumber"))}, ADDRESS)


def _first(rows: list[Mapping[str, object]], name: str) -> str:
    return next((str(row[name]) for row in rows if row.get(name)), "")


def our_items(raw: Raw) -> dict[str, Raw]:
    """The items of an order that we made, by what we call them; others are left out."""
    found = ((str(row.get("PurchaseOrderByShipToParty") or ""), row) for row in parts(raw, "to_Item"))
    return {ours: row for ours, row in found if ours}


def order_names(raw: Raw) -> OrderNames:
    """What SAP calls an order of ours, and its items."""
    lines = {ours: str(row["SalesOrderItem"]) for ours, row in our_items(raw).items()}
    return OrderNames(external_id=str(raw["SalesOrder"]), lines=lines)
