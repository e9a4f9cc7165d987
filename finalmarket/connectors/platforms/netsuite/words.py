"""From NetSuite's words to ours, and from ours to its records. No call is made here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from finalmarket.connectors.books import MovementNotice, OrderContent, OrderContentLine, OrderNames
from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.money import minor_units
from finalmarket.connectors.order_amounts import booked_units, net_amount, net_of_kinds, wanted_units
from finalmarket.connectors.paging import read_text
from finalmarket.connectors.people import address_fields as address_words
from finalmarket.connectors.people import full_name, read_address
from finalmarket.connectors.platforms.netsuite.queries import ADDRESS, read_moment
from finalmarket.connectors.records import (
    Address,
    CustomerContent,
    CustomerRecord,
    FulfilmentNotice,
    ListingRecord,
    ListingRef,
    Raw,
    StockRecord,
)
from finalmarket.connectors.vocabulary import filled
from finalmarket.kernel.clock import day_in

Body = dict[str, Any]
OUR_LINE = re.compile(r"\(#([^()#]+)\)$")  # at the end of a line's description: what we call the line
PENDING_FULFILMENT = "B"
# Of an order (status.id): what cannot be changed any more.
SETTLED: Mapping[str, str] = {"C": "cancelled", "G": "billed", "H": "closed"}
SHIPPED = "C"  # shipStatus.id; A is picked, B packed
RATE_DIGITS = 6
CUSTOM_PRICE = "-1"  # the price level of a price that is no list price
MOST_LETTERS = 999  # of a memo or description


# Settings that say where and on what is booked.
BOOKED = ("location", "ship_method", "other_item", "tax_code", "subsidiary", "adjustment_account", "customer")


@dataclass(frozen=True)
class Books:
    """How something is booked, in internal ids of NetSuite: what the settings of BOOKED have `told` ("" for nothing),
    the `items` by SKU, and the `currency`."""

    told: Mapping[str, str]
    items: Mapping[str, str]
    currency: str = ""


def named(value: str) -> str:
    """A text as an external id, which knows letters, digits, hyphen and underscore only; no two give the same."""
    return "finalmarket-" + re.sub(r"[^A-Za-z0-9-]", lambda other: f"_{ord(other[0]):x}_", value)


def resource(internal_id: str) -> Body:
    """A reference to another record."""
    return {"id": internal_id}


def _references(**ids: str) -> Body:
    return {name: resource(value) for name, value in ids.items() if value}


# What comes in.


def listing_record(raw: Raw, price: Raw | None) -> ListingRecord:
    """An item with the row of its price, where there is one; its own name is the SKU."""
    amount, currency = (None, "") if price is None else price_of(price)
    return ListingRecord(
        ref=ListingRef(key=str(raw["id"]), sku=str(raw["itemid"]), ids={"item": str(raw["id"])}),
        title=read_text(raw, "displayname") or str(raw["itemid"]), barcode=read_text(raw, "upccode"), price=amount,
        currency=currency, is_available=raw.get("isinactive") != "T", raw=raw,
    )  # fmt: skip


def price_of(raw: Raw) -> tuple[Decimal, str]:
    """A price: how much in which currency."""
    return Decimal(str(raw["price"])), read_text(raw, "symbol").upper()


def stock_record(raw: Raw, asked_at: datetime) -> StockRecord:
    """The units at one location. A clock there that is ahead of ours promises nothing beyond the moment we asked at."""
    return StockRecord(
        key=str(raw["item"]), location=str(raw["location"]), quantity=int(Decimal(str(raw.get("units") or 0))),
        counted_at=min(read_moment(str(raw["counted"])), asked_at),
    )  # fmt: skip


def customer_record(raw: Raw) -> CustomerRecord:
    """A customer, person or company."""
    person = full_name(read_text(raw, "firstname"), read_text(raw, "lastname"))
    return CustomerRecord(
        external_id=str(raw["id"]), version=read_moment(str(raw["changed"])).isoformat(),
        name=person or read_text(raw, "companyname") or str(raw["entityid"]),
        email=read_text(raw, "email"), phone=read_text(raw, "phone"), address=read_address(raw, ADDRESS), raw=raw,
    )  # fmt: skip


# What goes out: customers.


def customer_fields(content: CustomerContent, *, is_person: bool | None, subsidiary: str) -> Body:
    """A customer; `is_person` is what a known one is there (None: new, it is decided here once and for all)."""
    first, _, last = content.name.strip().rpartition(" ")
    fields: Body = filled({"email": content.email, "phone": content.phone})
    person = bool(first and last) if is_person is None else is_person
    if person and last:
        fields |= {"firstName": first or last, "lastName": last}
    elif not person and (content.name or is_person is None):
        fields["companyName"] = content.name.strip() or content.address.company or content.email or content.key
    if is_person is None:
        fields |= {"isPerson": person, **_references(subsidiary=subsidiary), **_address_book(content.address)}
    return fields


def _address_book(address: Address) -> Body:
    if not address.street and not address.city:
        return {}
    entry = _address_fields(address)
    return {"addressbook": {"items": [{"defaultShipping": True, "defaultBilling": True, "addressbookaddress": entry}]}}


# What goes out: orders.


def order_fields(content: OrderContent, books: Books) -> Body:
    """A new order, whole."""
    fields: Body = {
        "otherRefNum": content.number, "tranDate": day_in(content.time_zone, content.placed_at).isoformat(),
        "memo": f"{content.channel} {content.number}".strip()[:MOST_LETTERS],
        "orderStatus": {"id": PENDING_FULFILMENT},
        "item": {"items": [_line_fields(line, content, books) for line in content.lines if line.kind != "shipping"]},
        **_references(entity=content.customer_id or books.told["customer"], currency=books.currency),
        **_references(location=books.told["location"]),
        **_shipping_cost(content, books),
    }  # fmt: skip
    if content.email:
        fields["email"] = content.email
    for name, address in (("shippingAddress", content.shipping_address), ("billingAddress", content.billing_address)):
        if address.street or address.city:
            fields[name] = address_fields(address)
    return fields


def address_fields(address: Address) -> Body:
    """An address of an order."""
    fields: Body = _address_fields(address)
    return {**fields, "country": {"id": address.country}} if address.country else fields


def _address_fields(address: Address) -> dict[str, str]:
    told = replace(address, name=address.name or address.company)
    return address_words(told, {**ADDRESS, "phone": "addrPhone"})


def _shipping_cost(content: OrderContent, books: Books) -> Body:
    cost = net_of_kinds(content, "shipping")
    if not cost:
        return {}
    if not books.told["ship_method"]:
        raise Rejected("the order has shipping costs: enter the shipping item in the integration's settings")
    return {"shippingCost": cost, **_references(shipMethod=books.told["ship_method"])}


def _line_fields(line: OrderContentLine, content: OrderContent, books: Books) -> Body:
    units, counted, amount = wanted_units(line, content), booked_units(line, content), net_amount(line, content)
    item = (line.item_id or books.items.get(line.sku, "")) if line.kind == "goods" else books.told["other_item"]
    if not item:
        missing = f"no item {line.sku!r}" if line.kind == "goods" else f"an item for lines of the kind {line.kind}"
        raise Rejected(f"line {line.line_id}: NetSuite has {missing}; make it there or enter it in the settings")
    fields: Body = {
        "item": resource(item), "quantity": counted, "price": resource(CUSTOM_PRICE), "amount": amount,
        "rate": round(amount / counted, RATE_DIGITS) if counted else amount, "description": _description(line),
        **_references(taxCode=books.told["tax_code"]),
    }  # fmt: skip
    if books.told["tax_code"] and line.tax:
        fields["tax1Amt"] = round(line.tax * counted / line.quantity, minor_units(content.currency))
    return fields if units else {**fields, "isClosed": True}


def _description(line: OrderContentLine) -> str:
    ours = f"(#{line.line_id})"
    return f"{(line.title or line.sku)[: MOST_LETTERS - len(ours) - 1]} {ours}".strip()


def order_names(raw: Raw) -> OrderNames:
    """What NetSuite calls an order of ours, and its lines."""
    return OrderNames(external_id=str(raw["id"]), lines={ours: str(row["line"]) for ours, row in our_rows(raw).items()})


def our_rows(raw: Raw) -> dict[str, Raw]:
    """The lines of an order that we made, by what we call them; those that somebody added there are left out."""
    found = ((OUR_LINE.search(str(row.get("description") or "")), row) for row in raw["item"]["items"])
    return {match[1]: row for match, row in found if match}


def order_changes(raw: Raw, content: OrderContent, books: Books) -> Body:
    """What has to be changed of an order that stands there; {} for nothing. Raises Rejected for what is settled."""
    rows, changed = our_rows(raw), []
    for line in content.lines:
        if line.kind == "shipping":
            continue
        change = _line_change(rows.get(line.line_id) or {}, line, content, books)
        changed += [change] if change else []
    fields: Body = {"item": {"items": changed}} if changed else {}
    address = address_fields(content.shipping_address)
    if address and _differs(address, raw.get("shippingAddress") or {}):
        fields["shippingAddress"] = address
    settled = SETTLED.get(str((raw.get("status") or {}).get("id", "")))
    if fields and settled:
        raise Rejected(f"order {content.number} is {settled} in NetSuite and cannot be changed any more")
    return fields


def _differs(told: Raw, there: Raw) -> bool:
    """Whether an address says something else than the one that stands there; what is not told does not count."""
    country = str((there.get("country") or {}).get("id", ""))
    return any((country if name == "country" else there.get(name, "")) != (
        value["id"] if name == "country" else value
    ) for name, value in told.items())  # fmt: skip


def _line_change(row: Raw, line: OrderContentLine, content: OrderContent, books: Books) -> Body:
    if not row:
        return _line_fields(line, content, books)
    units = wanted_units(line, content)
    if not units:
        return {} if row.get("isClosed") else {"line": row["line"], "isClosed": True}
    if Decimal(str(row.get("quantity") or 0)) == units and not row.get("isClosed"):
        return {}
    amount = net_amount(line, content)
    return {"line": row["line"], "quantity": units, "amount": amount, "isClosed": False}


# What goes out: parcels and movements of stock.


def parcel_fields(notice: FulfilmentNotice, order: Raw) -> Body:
    """A parcel of an order: every line is named, for NetSuite ships all that it is not told to leave out."""
    units = Counter[str]()
    for line_id, count in notice.lines:
        units[line_id] += count
    known = {str(row["line"]) for row in order["item"]["items"]}
    unknown = sorted(set(units) - known)
    if unknown:
        raise Rejected(f"the order has no line {', '.join(unknown)}", key=notice.key)
    rows = []
    for line_id in sorted(known, key=int):
        count = units[line_id]
        row: Body = {"orderLine": int(line_id), "itemReceive": bool(count)}
        rows.append({**row, "quantity": count, **_references(location=notice.location)} if count else row)
    fields: Body = {
        "externalId": named(notice.key), "shipStatus": {"id": SHIPPED}, "item": {"items": rows},
        "shippedDate": day_in(notice.time_zone, notice.shipped_at).isoformat(),
        "memo": f"{notice.carrier} {notice.tracking_url}".strip()[:MOST_LETTERS],
    }  # fmt: skip
    if notice.tracking_number:
        fields["package"] = {
            "items": [{"packageTrackingNumber": notice.tracking_number, "packageDescr": notice.carrier}]
        }
    return fields


def adjustment_fields(notice: MovementNotice, item: str, books: Books) -> Body:
    """A movement as an adjustment of the inventory; one from place to place is taken here and put there."""
    rows = [_adjusted(item, notice.location or books.told["location"], notice.quantity)]
    if notice.kind == "transfer":
        rows = [
            _adjusted(item, notice.location, -notice.quantity),
            _adjusted(item, notice.to_location, notice.quantity),
        ]
    if not all(row["location"]["id"] for row in rows):
        raise Rejected("the movement names no location that NetSuite knows", key=notice.key)
    memo = f"{notice.kind} {notice.order_number} {notice.reason}"
    return {
        "tranDate": day_in(notice.time_zone, notice.at).isoformat(), "memo": " ".join(memo.split())[:MOST_LETTERS],
        "inventory": {"items": rows},
        **_references(account=books.told["adjustment_account"], subsidiary=books.told["subsidiary"]),
    }  # fmt: skip


def _adjusted(item: str, location: str, units: int) -> Body:
    return {"item": resource(item), "location": resource(location), "adjustQtyBy": units}
