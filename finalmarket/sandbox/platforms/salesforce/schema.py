"""What records of each kind consist of in the org: the fields with their kinds and lengths, and what may be written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `kind` is text, number, flag, day, moment or reference; `leads_to` names what it refers to."""

    kind: str = "text"
    most: int = 255
    is_needed: bool = False
    is_unique: bool = False  # an external id
    is_fixed: bool = False  # cannot be changed any more
    is_own: bool = False  # kept by the org itself
    leads_to: str = ""


OWN = {
    "Id": Field(is_own=True), "SystemModstamp": Field("moment", is_own=True),
    "CreatedDate": Field("moment", is_own=True), "IsDeleted": Field("flag", is_own=True),
}  # fmt: skip
FLAG, NUMBER = Field("flag"), Field("number")


def _address(prefix: str) -> dict[str, Field]:
    lengths = {"Street": 255, "City": 40, "State": 80, "PostalCode": 20, "Country": 80}
    return {f"{prefix}{part}": Field(most=most) for part, most in lengths.items()}


def _to(kind: str, *, is_needed: bool = False, is_fixed: bool = False) -> Field:
    return Field("reference", 18, is_needed=is_needed, is_fixed=is_fixed, leads_to=kind)


KINDS: Mapping[str, Mapping[str, Field]] = {
    "Organization": {**OWN, "Name": Field()},
    "Account": {**OWN, "Name": Field(is_needed=True)},
    "Contact": {
        **OWN, "MasterRecordId": Field(is_own=True), "AccountId": _to("Account"), "FirstName": Field(most=40),
        "LastName": Field(most=80, is_needed=True), "Email": Field(most=80), "Phone": Field(most=40),
        "HasOptedOutOfEmail": FLAG, **_address("Mailing"), "FinalMarket_Key__c": Field(is_unique=True),
        "FinalMarket_Segments__c": Field(), "FinalMarket_Agreed__c": Field(), "FinalMarket_Refused__c": Field(),
        "FinalMarket_Orders__c": NUMBER, "FinalMarket_Spent__c": NUMBER, "FinalMarket_Currency__c": Field(most=3),
        "FinalMarket_Last_Order__c": Field("moment"),
    },
    "Product2": {**OWN, "Name": Field(is_needed=True), "ProductCode": Field()},
    "PricebookEntry": {
        **OWN, "Pricebook2Id": Field("reference", 18), "Product2Id": _to("Product2"), "IsActive": FLAG,
        "UnitPrice": NUMBER,
    },
    "Order": {
        **OWN, "AccountId": _to("Account", is_needed=True), "EffectiveDate": Field("day", is_needed=True),
        "Status": Field(is_needed=True), "Pricebook2Id": Field("reference", 18), "BillToContactId": _to("Contact"),
        "ShipToContactId": _to("Contact"), **_address("Shipping"), **_address("Billing"),
        "FinalMarket_Number__c": Field(is_unique=True), "FinalMarket_State__c": Field(most=40),
        "FinalMarket_Payment__c": Field(most=40), "FinalMarket_Total__c": NUMBER, "FinalMarket_Tax__c": NUMBER,
        "FinalMarket_Refunded__c": NUMBER, "FinalMarket_Channel__c": Field(), "FinalMarket_Buyer__c": Field(),
        "FinalMarket_Tracking__c": Field(), "FinalMarket_Tracking_Url__c": Field(),
    },
    "OrderItem": {
        **OWN, "OrderId": _to("Order", is_needed=True, is_fixed=True),
        "PricebookEntryId": _to("PricebookEntry", is_needed=True, is_fixed=True),
        "Quantity": Field("number", is_needed=True), "UnitPrice": Field("number", is_needed=True),
        "Description": Field(), "FinalMarket_Line__c": Field(is_unique=True), "FinalMarket_Discount__c": NUMBER,
        "FinalMarket_Tax__c": NUMBER,
    },
}  # fmt: skip
PREFIXES = {
    "Organization": "00D", "Account": "001", "Contact": "003", "Product2": "01t", "PricebookEntry": "01u",
    "Order": "801", "OrderItem": "802",
}  # fmt: skip
STATUSES = ("Draft", "Activated")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def value_fault(field: Field, value: Any) -> tuple[str, str]:
    """Why a value is none of a field: code and words; "" and "" where it is one."""
    if value is None:
        return "", ""
    if field.kind == "number":
        is_fine = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    elif field.kind == "flag":
        is_fine = isinstance(value, bool)
    else:
        is_fine = isinstance(value, str)
    if is_fine and field.kind in ("day", "moment"):
        try:
            is_fine = bool(date.fromisoformat(value) if field.kind == "day" else datetime.fromisoformat(value))
        except ValueError:
            is_fine = False
    if not is_fine:
        return "JSON_PARSER_ERROR", f"Cannot deserialize instance of {field.kind} from {str(value)[:40]}"
    if isinstance(value, str) and len(value) > field.most:
        return "STRING_TOO_LONG", f"data value too large: {value[:20]}... (max length={field.most})"
    return "", ""
