"""Salesforce's REST API as its guides and object reference tell of it, in the form of an OpenAPI document.

Salesforce publishes no such document: each org makes its own. So this is derived: it holds the connector and the
stand-in to the same names, kinds and lengths, and proves nothing about a real org. Which calls there are is compared
with the vendor's own Postman collection, and the fields of contacts with a third party's schema, in
test_salesforce_words.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
ROOT = "/services/data/v64.0"
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
DAY: Schema = {"type": "string", "format": "date"}
ID: Schema = {"type": "string", "pattern": "^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$"}
# In a graph the id of what an earlier step made is written as a reference to it.
ID_OR_REFERENCE: Schema = {"type": "string", "pattern": r"^([A-Za-z0-9]{15}([A-Za-z0-9]{3})?|@\{\w+\.id\})$"}


def letters(most: int) -> Schema:
    """A text of at most so many letters; it may be emptied."""
    return {"type": "string", "maxLength": most, "nullable": True}


def some(fields: Schema, *needed: str) -> Schema:
    """An object that knows these fields, and no others."""
    return {"type": "object", "properties": fields, "required": list(needed), "additionalProperties": False}


def address(prefix: str) -> Schema:
    """The parts of an address (API reference: compound fields)."""
    lengths = {
        "Street": 255,
        "City": 40,
        "PostalCode": 20,
        "State": 80,
        "Country": 80,
        "StateCode": 10,
        "CountryCode": 10,
    }
    return {f"{prefix}{part}": letters(most) for part, most in lengths.items()}


CONTACT: Schema = {
    "FirstName": letters(40), "LastName": letters(80), "Email": letters(80), "Phone": letters(40), "AccountId": ID,
    "HasOptedOutOfEmail": FLAG, **address("Mailing"), "FinalMarket_Segments__c": letters(255),
    "FinalMarket_Agreed__c": letters(255), "FinalMarket_Refused__c": letters(255), "FinalMarket_Orders__c": NUMBER,
    "FinalMarket_Spent__c": NUMBER, "FinalMarket_Currency__c": letters(3), "FinalMarket_Last_Order__c": MOMENT,
}  # fmt: skip
ORDER: Schema = {
    "FinalMarket_State__c": letters(40), "FinalMarket_Payment__c": letters(40), "FinalMarket_Total__c": NUMBER,
    "FinalMarket_Tax__c": NUMBER, "FinalMarket_Refunded__c": NUMBER, "FinalMarket_Channel__c": letters(255),
    "FinalMarket_Buyer__c": letters(255), "FinalMarket_Tracking__c": letters(255),
    "FinalMarket_Tracking_Url__c": letters(255), **address("Shipping"), **address("Billing"),
}  # fmt: skip
NEW_ORDER: Schema = {
    **ORDER, "FinalMarket_Number__c": letters(255), "AccountId": ID, "EffectiveDate": DAY, "Status": TEXT,
    "Pricebook2Id": ID, "BillToContactId": ID, "ShipToContactId": ID,
    "CurrencyIsoCode": {"type": "string", "minLength": 3, "maxLength": 3},
}  # fmt: skip
ITEM: Schema = {
    "Quantity": {"type": "number", "not": {"enum": [0]}}, "UnitPrice": NUMBER, "Description": letters(255),
    "FinalMarket_Discount__c": NUMBER, "FinalMarket_Tax__c": NUMBER,
}  # fmt: skip
NEW_ITEM: Schema = {
    **ITEM, "OrderId": ID_OR_REFERENCE, "PricebookEntryId": ID, "FinalMarket_Line__c": letters(255),
}  # fmt: skip


def step(method: str, path: str, body: Schema | None = None) -> Schema:
    """One step of a graph (Composite Graph: composite subrequest)."""
    fields = {
        "method": {"enum": [method]}, "url": {"type": "string", "pattern": f"^{ROOT}/sobjects/{path}$"},
        "referenceId": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]*$"},
        **({"body": body} if body is not None else {}),
    }  # fmt: skip
    return some(fields, *fields)


STEP: Schema = {"anyOf": [
    step("POST", "Order", some(NEW_ORDER, "AccountId", "EffectiveDate", "Status", "FinalMarket_Number__c")),
    step("PATCH", "Order/[A-Za-z0-9]{18}", some(ORDER)),
    step("POST", "OrderItem", some(NEW_ITEM, "OrderId", "PricebookEntryId", "Quantity", "UnitPrice")),
    step("PATCH", "OrderItem/[A-Za-z0-9]{18}", some(ITEM, "Quantity", "UnitPrice")),
    step("DELETE", "OrderItem/[A-Za-z0-9]{18}"),
]}  # fmt: skip
GRAPHS = some({"graphs": {"type": "array", "minItems": 1, "items": some(
    {"graphId": TEXT, "compositeRequest": {"type": "array", "minItems": 1, "maxItems": 500, "items": STEP}},
    "graphId", "compositeRequest",
)}}, "graphs")  # fmt: skip
ERRORS: Schema = {
    "type": "array", "minItems": 1,
    "items": {"type": "object", "required": ["message", "errorCode"],
              "properties": {"message": TEXT, "errorCode": TEXT, "fields": {"type": "array", "items": TEXT}}},
}  # fmt: skip
SAVED: Schema = {
    "type": "object", "required": ["id", "success", "errors"],
    "properties": {"id": ID, "success": FLAG, "errors": {"type": "array"}, "created": FLAG},
}  # fmt: skip
DONE: Schema = {"type": "object", "required": ["graphs"], "properties": {"graphs": {"type": "array", "items": {
    "type": "object", "required": ["graphId", "graphResponse", "isSuccessful"],
    "properties": {"isSuccessful": FLAG, "graphResponse": {"type": "object", "required": ["compositeResponse"],
        "properties": {"compositeResponse": {"type": "array", "items": {
            "type": "object", "required": ["body", "httpHeaders", "httpStatusCode", "referenceId"],
            "properties": {"httpStatusCode": {"type": "integer"}, "referenceId": TEXT},
        }}},
    }},
}}}}  # fmt: skip
RECORDS: Schema = {
    "type": "object", "required": ["totalSize", "done", "records"],
    "properties": {
        "totalSize": {"type": "integer"}, "done": FLAG, "nextRecordsUrl": TEXT,
        "records": {"type": "array", "items": {
            "type": "object", "required": ["attributes"],
            "properties": {"attributes": {"type": "object", "required": ["type", "url"]}, "Id": ID,
                           "SystemModstamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT[\d:]+\.000\+0000$"}},
        }},
    },
}  # fmt: skip
KNOWN = {
    "Contact": [*CONTACT, "FinalMarket_Key__c", "MasterRecordId"],
    "Order": list(NEW_ORDER), "OrderItem": list(NEW_ITEM), "Organization": ["Name"],
    "PricebookEntry": ["Pricebook2Id", "IsActive", "CurrencyIsoCode", "Product2.ProductCode"],
}  # fmt: skip
OWN = ("Id", "SystemModstamp", "CreatedDate", "IsDeleted")


def _question() -> Schema:
    """SOQL that selects fields which its kind of records has."""
    kinds = []
    for kind, fields in KNOWN.items():
        names = "|".join([*OWN, *(name.replace(".", r"\.") for name in fields)])
        kinds.append(rf"SELECT ({names})(, ({names}))* FROM {kind}")
    return {
        "type": "string", "maxLength": 16_000,
        "pattern": rf"^({'|'.join(kinds)})( WHERE [\s\S]+?)?( ORDER BY \w+(, \w+)*)?( LIMIT \d+)?$",
    }  # fmt: skip


def _call(answers: dict[str, Schema | None], *parameters: Schema, body: Schema | None = None) -> Schema:
    content = {
        status: {"description": "", **({"content": {"application/json": {"schema": schema}}} if schema else {})}
        for status, schema in {**answers, "4XX": ERRORS}.items()
    }
    told: Schema = {"parameters": list(parameters), "responses": content}
    if body is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return told


def _in_path(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}


ASKED: Schema = {"name": "q", "in": "query", "required": True, "schema": _question()}
SALESFORCE: Schema = {
    "openapi": "3.0.1", "info": {"title": "Salesforce, derived from the prose of its guides", "version": "64.0"},
    "servers": [{"url": ROOT}],
    "paths": {
        "/query": {"get": _call({"200": RECORDS}, ASKED)},
        "/queryAll": {"get": _call({"200": RECORDS}, ASKED)},
        "/sobjects/Contact/{id}": {
            "patch": _call({"204": None}, _in_path("id", ID), body=some(CONTACT)),
            "delete": _call({"204": None}, _in_path("id", ID)),
        },
        "/sobjects/Contact/FinalMarket_Key__c/{key}": {
            "patch": _call({"200": SAVED, "201": SAVED}, _in_path("key", letters(255)), body=some(CONTACT)),
        },
        "/composite/graph": {"post": _call({"200": DONE}, body=GRAPHS)},
    },
}  # fmt: skip
