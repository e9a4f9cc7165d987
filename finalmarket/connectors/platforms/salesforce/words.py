"""Between Salesforce's words and ours: contacts, orders and order products.

Fields that end in `__c` are the account's own; docs/connectors/salesforce.md says how they are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from finalmarket.connectors.books import OrderContent, OrderContentLine, OrderNames
from finalmarket.connectors.moments import to_second, zoned
from finalmarket.connectors.order_amounts import booked_units, wanted_units
from finalmarket.connectors.people import country_code, full_name, said_of
from finalmarket.connectors.records import Address, CustomerContent, CustomerRecord, Raw
from finalmarket.connectors.vocabulary import filled
from finalmarket.kernel.clock import day_in

KEY, NUMBER, LINE = "FinalMarket_Key__c", "FinalMarket_Number__c", "FinalMarket_Line__c"
AGREED, REFUSED = "FinalMarket_Agreed__c", "FinalMarket_Refused__c"
CHANGED = "SystemModstamp"
SEPARATOR = "; "  # between the purposes in a field
MOST_LETTERS = {
    "FirstName": 40, "LastName": 80, "Phone": 40, "City": 40, "State": 80, "PostalCode": 20, "Country": 80,
    "Street": 255, "Description": 255, "Title": 255,
}  # fmt: skip
Fields = dict[str, Any]
# How a country stands on an address: as a text of people's own, or by its code, where the org has lists of countries.
COUNTRIES = {"text": ("Country", "State"), "codes": ("CountryCode", "StateCode")}


# Contacts.


def contact_fields(countries: str) -> tuple[str, ...]:
    """What is asked of a contact."""
    country, state = COUNTRIES[countries]
    return (
        "Id", CHANGED, "IsDeleted", "MasterRecordId", "FirstName", "LastName", "Email", "Phone", "HasOptedOutOfEmail",
        "MailingStreet", "MailingCity", "MailingPostalCode", f"Mailing{state}", f"Mailing{country}",
    )  # fmt: skip


def customer_record(raw: Raw, merged: Mapping[str, Sequence[str]]) -> CustomerRecord:
    """A contact; `merged` names those that were merged into each, by its id. One that was merged away is deleted."""
    told = {name: value for name, value in raw.items() if value not in (None, "")}
    name = full_name(told.get("FirstName"), told.get("LastName"))
    return CustomerRecord(
        external_id=str(raw["Id"]), version=changed_at(raw).isoformat(), name=name, email=str(told.get("Email", "")),
        phone=str(told.get("Phone", "")), address=_address(told, name),
        accepts_email=False if raw.get("HasOptedOutOfEmail") is True else None,
        merged_ids=tuple(merged.get(str(raw["Id"]), ())), is_deleted=raw["IsDeleted"] is True, raw=raw,
    )  # fmt: skip


def _address(told: Mapping[str, Any], name: str) -> Address:
    parts = [str(told.get(f"Mailing{part}", "")) for part in ("Street", "PostalCode", "City")]
    if not any(parts):
        return Address()
    country = str(told.get("MailingCountryCode") or told.get("MailingCountry") or "")
    street, _, street2 = parts[0].replace("\r\n", "\n").partition("\n")
    return Address(
        name=name, street=street, street2=street2.replace("\n", ", "), postcode=parts[1], city=parts[2],
        region=str(told.get("MailingStateCode") or told.get("MailingState") or ""),
        country=country_code(country),
    )  # fmt: skip


def changed_at(raw: Raw) -> datetime:
    """When a record was changed, or deleted. Raises ValueError, TypeError, KeyError."""
    return zoned(raw[CHANGED])


def contact_values(content: CustomerContent, countries: str, *, is_new: bool) -> Fields:
    """A customer as a contact. What we do not know is left as it is there; a new contact has to have a last name. A
    consent takes back no opt-out: somebody may have asked for it in Salesforce since."""
    first, _, last = content.name.strip().rpartition(" ")
    if is_new and not last:
        last = content.email.partition("@")[0] or content.phone or "unknown"
    values: Fields = filled({
        "FirstName": _cut(first, "FirstName"), "LastName": _cut(last, "LastName"), "Email": content.email,
        "Phone": _cut(content.phone, "Phone"), **_address_values("Mailing", content.address, countries),
        "FinalMarket_Segments__c": "; ".join(content.segments), "FinalMarket_Currency__c": content.currency,
        "FinalMarket_Last_Order__c": to_second(content.last_order_at) if content.last_order_at else "",
    })  # fmt: skip
    said = said_of(content)
    if content.accepts_email is False:
        values["HasOptedOutOfEmail"] = True
    if said:  # all of it, also that nothing is refused any more
        for field, answer in ((AGREED, True), (REFUSED, False)):
            values[field] = SEPARATOR.join(sorted(name for name, agreed in said.items() if agreed is answer)) or None
    if content.currency or content.order_count:
        values |= {"FinalMarket_Orders__c": content.order_count, "FinalMarket_Spent__c": content.spent}
    return values


def was_refused(contact: Raw) -> bool:
    """Whether the last that we told of somebody's consent to e-mail was that they refuse it."""
    return "email" in str(contact.get(REFUSED) or "").split(SEPARATOR)


def _address_values(prefix: str, there: Address, countries: str) -> Fields:
    country, state = COUNTRIES[countries]
    street = "\n".join(part for part in (there.street, there.street2) if part)
    values = {
        f"{prefix}Street": _cut(street, "Street"), f"{prefix}City": _cut(there.city, "City"),
        f"{prefix}PostalCode": _cut(there.postcode, "PostalCode"), f"{prefix}{country}": _cut(there.country, "Country"),
        f"{prefix}{state}": _cut(there.region, "State"),
    }  # fmt: skip
    if countries == "codes" and not (there.country and len(there.region) <= 3):
        values[f"{prefix}{state}"] = ""  # the name of a region is no code of one
    return filled(values)


def _cut(value: str, field: str) -> str:
    return value.strip()[: MOST_LETTERS[field]].strip()


# Orders.


@dataclass(frozen=True, slots=True)
class Books:
    """What an order needs to know of the org: the account and contact it is for, the price book with the entries of its
    products (by their code), the entry for lines that are no product, the status of new orders, whether the org has
    several currencies, and how countries are written."""

    account: str
    contact: str
    pricebook: str
    entries: Mapping[str, str]
    other: str
    status: str
    has_currencies: bool
    countries: str

    def entry_of(self, line: OrderContentLine) -> str:
        """The price book entry of a line; "" for none."""
        return self.entries.get(line.sku, "") if line.kind == "goods" and line.sku else self.other


ORDER = (
    "FinalMarket_State__c", "FinalMarket_Payment__c", "FinalMarket_Total__c", "FinalMarket_Tax__c",
    "FinalMarket_Refunded__c", "FinalMarket_Channel__c", "FinalMarket_Buyer__c", "FinalMarket_Tracking__c",
    "FinalMarket_Tracking_Url__c",
)  # fmt: skip
ITEM = ("Id", LINE, "Quantity", "UnitPrice", "Description", "FinalMarket_Discount__c", "FinalMarket_Tax__c")


def order_values(content: OrderContent, books: Books) -> Fields:
    """What an order says, and may change."""
    buyer = full_name(content.name, content.email, content.phone)
    return {
        "FinalMarket_State__c": content.state, "FinalMarket_Payment__c": content.payment_state,
        "FinalMarket_Total__c": content.total, "FinalMarket_Tax__c": content.tax,
        "FinalMarket_Refunded__c": content.refunded, "FinalMarket_Channel__c": content.channel[:255] or None,
        "FinalMarket_Buyer__c": buyer[:255] or None, "FinalMarket_Tracking__c": content.tracking_number[:255] or None,
        "FinalMarket_Tracking_Url__c": content.tracking_url[:255] or None,
        **_address_values("Shipping", content.shipping_address, books.countries),
        **_address_values("Billing", content.billing_address, books.countries),
    }  # fmt: skip


def new_order_values(content: OrderContent, books: Books) -> Fields:
    """A new order: whose it is, and since when, stays."""
    day = day_in(content.time_zone, content.placed_at).isoformat()
    return {
        NUMBER: content.number, "AccountId": books.account, "EffectiveDate": day, "Status": books.status,
        "Pricebook2Id": books.pricebook,
        **({"BillToContactId": books.contact, "ShipToContactId": books.contact} if books.contact else {}),
        **({"CurrencyIsoCode": content.currency} if books.has_currencies else {}), **order_values(content, books),
    }  # fmt: skip


def line_key(content: OrderContent, line: OrderContentLine) -> str:
    """What a line of ours is known by in the whole org."""
    return f"{content.number}/{line.line_id}"


def item_values(content: OrderContent, line: OrderContentLine) -> Fields:
    """What an order product says: the units that are still wanted; discount and tax are of the whole line."""
    title = line.title or line.sku or line.kind
    return {
        "Quantity": Decimal(booked_units(line, content)), "UnitPrice": line.unit_price,
        "Description": _cut(title, "Description"), "FinalMarket_Discount__c": line.discount,
        "FinalMarket_Tax__c": line.tax,
    }  # fmt: skip


def order_names(order_id: str, items: Iterable[Raw], number: str) -> OrderNames:
    """What an order and its lines are called."""
    lines = {str(item[LINE]).removeprefix(f"{number}/"): str(item["Id"]) for item in items if _is_ours(item, number)}
    return OrderNames(external_id=order_id, lines=lines)


def _is_ours(item: Raw, number: str) -> bool:
    return str(item.get(LINE) or "").startswith(f"{number}/")


def difference(wanted: Mapping[str, Any], there: Raw) -> Fields:
    """What of the wanted values a record does not hold yet."""
    return {name: value for name, value in wanted.items() if not _same(value, there.get(name))}


def _same(wanted: Any, held: Any) -> bool:
    if isinstance(wanted, Decimal):
        return held is not None and wanted == Decimal(str(held))
    return bool((wanted or None) == (held or None))


# What is written at once.


def _step(method: str, path: str, reference: str, body: Fields | None = None) -> Fields:
    return {"method": method, "url": path, "referenceId": reference, **({"body": body} if body is not None else {})}


def first_steps(content: OrderContent, books: Books, root: str) -> list[Fields]:
    """All that makes a new order, in one graph: it is there whole, or not at all."""
    steps = [_step("POST", f"{root}/sobjects/Order", "order", new_order_values(content, books))]
    for number, line in enumerate(wanted_lines(content)):
        steps.append(_step("POST", f"{root}/sobjects/OrderItem", f"line{number}", _new_item(content, line, books, "")))
    return steps


def further_steps(content: OrderContent, books: Books, order: Raw, items: Sequence[Raw], root: str) -> list[Fields]:
    """What differs between an order that is there and what it is to be; nothing where nothing does."""
    name = str(order["Id"])
    there = {str(item[LINE]): item for item in items if _is_ours(item, content.number)}
    changed = difference(order_values(content, books), order)
    steps = [_step("PATCH", f"{root}/sobjects/Order/{name}", "order", changed)] if changed else []
    wanted = {line_key(content, line): line for line in wanted_lines(content)}
    for number, (key, line) in enumerate(wanted.items()):
        if key not in there:
            steps.append(
                _step("POST", f"{root}/sobjects/OrderItem", f"line{number}", _new_item(content, line, books, name))
            )
            continue
        values = item_values(content, line)
        if difference(values, there[key]):  # all of it: a quantity told alone would change the price
            steps.append(_step("PATCH", f"{root}/sobjects/OrderItem/{there[key]['Id']}", f"line{number}", values))
    for number, key in enumerate(sorted(there.keys() - wanted.keys())):
        steps.append(_step("DELETE", f"{root}/sobjects/OrderItem/{there[key]['Id']}", f"gone{number}"))
    return steps


def wanted_lines(content: OrderContent) -> list[OrderContentLine]:
    """The lines of which something is still wanted: an order product cannot be of no units. Of a cancelled order all
    lines stay as they were; its state says that it is cancelled."""
    if content.state == "cancelled":
        return [line for line in content.lines if line.quantity]
    return [line for line in content.lines if wanted_units(line, content)]


def _new_item(content: OrderContent, line: OrderContentLine, books: Books, order: str) -> Fields:
    return {
        "OrderId": order or "@{order.id}", "PricebookEntryId": books.entry_of(line), LINE: line_key(content, line),
        **item_values(content, line),
    }  # fmt: skip
