"""Oracle Fusion as its REST guides tell of it in prose, in the form of an OpenAPI document.

Oracle publishes no such document; a system serves its own. So this is derived: it holds the connector and the stand-in
to the same names, types and limits, and proves nothing about a real system.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
YES_NO: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
SCM, CRM = "/fscmRestApi/resources/11.13.18.05", "/crmRestApi/resources/11.13.18.05"
UPSERT: Schema = {"name": "Upsert-Mode", "in": "header", "schema": {"type": "string", "enum": ["true", "false"]}}
FRAMEWORK: Schema = {"name": "REST-Framework-Version", "in": "header", "required": True, "schema": TEXT}


def letters(most: int) -> Schema:
    """A text of at most so many letters."""
    return {"type": "string", "maxLength": most}


def some(**fields: Schema) -> Schema:
    """An object that knows these fields; those that end in `_` are required."""
    needed = [name[:-1] for name in fields if name.endswith("_")]
    known = {name.rstrip("_"): schema for name, schema in fields.items()}
    return {"type": "object", "properties": known, "required": needed, "additionalProperties": False}


def many(item: Schema) -> Schema:
    """A list that is not empty."""
    return {"type": "array", "items": item, "minItems": 1}


COMPONENT = some(
    SourceChargeComponentId_=letters(50), PriceElementCode_=letters(30), PriceElementUsageCode_=letters(30),
    HeaderCurrencyUnitPrice_=NUMBER, HeaderCurrencyExtendedAmount_=NUMBER, RollupFlag=YES_NO, SequenceNumber_=WHOLE,
)  # fmt: skip
CHARGE = some(
    SourceChargeId_=letters(50), ApplyTo_=TEXT, ChargeDefinitionCode_=letters(30), ChargeType_=TEXT,
    ChargeSubType_=TEXT, PriceType_=TEXT, PricedQuantity_=NUMBER, PricedQuantityUOMCode_=letters(3),
    ChargeCurrencyCode_=letters(15), GSAUnitPrice_=NUMBER, PrimaryFlag_=YES_NO, RollupFlag=YES_NO,
    SequenceNumber_=WHOLE, chargeComponents_=many(COMPONENT),
)  # fmt: skip
LINE = some(
    SourceTransactionLineId_=letters(50), SourceTransactionLineNumber_=letters(100), SourceScheduleNumber_=letters(100),
    SourceTransactionScheduleId_=letters(50), ProductNumber_=letters(300), OrderedQuantity_=NUMBER,
    OrderedUOMCode_=letters(3), charges=many(CHARGE),
)  # fmt: skip
ORDER = some(
    SourceTransactionNumber_=letters(50), SourceTransactionSystem_=letters(30), SourceTransactionId_=letters(50),
    BusinessUnitName_=letters(240), RequestingBusinessUnitName_=letters(240), BuyingPartyNumber_=letters(30),
    TransactionalCurrencyCode_=letters(15), TransactionTypeCode_=letters(30), TransactionOn_=MOMENT,
    SubmittedFlag_=YES_NO, FreezePriceFlag_=YES_NO, FreezeShippingChargeFlag_=YES_NO, FreezeTaxFlag_=YES_NO,
    lines_=many(LINE),
)  # fmt: skip
ORDER_CHANGE = some(
    SubmittedFlag=YES_NO,
    lines_=many(some(FulfillLineId_=WHOLE, OrderedQuantity_=NUMBER, CancelReason=letters(30))),
)  # fmt: skip
PACKED = some(ShipmentLine_=WHOLE, ShippedQuantity_=NUMBER, TrackingNumber=letters(30), Subinventory=letters(10))
SHIPMENT = some(
    ActionCode_={"type": "string", "enum": ["CreateAndConfirmShipment", "ShipmentCreate", "ShipmentUpdate"]},
    shipments_=many(some(
        Shipment_=letters(30), ShipFromOrganizationCode_=letters(240), ActualShipDate=MOMENT,
        ExternalSystemTransactionReference=letters(100),
        outerPackingUnits_=many(some(PackingUnit_=TEXT, packedLines_=many(PACKED))),
    )),
)  # fmt: skip
TRANSACTION = some(
    SourceCode_=letters(30), SourceHeaderId_=WHOLE, SourceLineId_=WHOLE,
    TransactionMode_={"type": "string", "enum": ["1", "2", "3"]}, OrganizationName_=letters(240),
    ItemNumber_=letters(300), TransactionTypeName_=letters(80), TransactionQuantity_=NUMBER,
    TransactionUnitOfMeasure_=letters(25), TransactionDate_=MOMENT, TransactionReference_=letters(240),
    UseCurrentCostFlag_=YES_NO, SubinventoryCode=letters(10), TransferSubinventory=letters(10),
    TransferOrganizationName=letters(240), AccountCombination=TEXT,
)  # fmt: skip
PERSON = {
    "PartyNumber": letters(30), "FirstName": letters(150), "LastName": letters(150), "EmailAddress": letters(320),
    "MobileNumber": letters(40), "AddressLine1": letters(240), "AddressLine2": letters(240), "City": letters(60),
    "State": letters(60), "PostalCode": letters(60), "Country": letters(2),
}  # fmt: skip


def _row(*names: str, **schemas: Schema) -> Schema:
    """A row of a list, of which these fields are told."""
    return {"type": "object", "properties": {**dict.fromkeys(names, TEXT), **schemas}, "required": list(names)}


def _list(row: Schema) -> Schema:
    page = {
        "type": "object", "required": ["items", "count", "hasMore", "limit", "offset", "links"],
        "properties": {
            "items": {"type": "array", "items": row}, "count": WHOLE, "hasMore": YES_NO, "limit": WHOLE,
            "offset": WHOLE, "links": {"type": "array"},
        },
    }  # fmt: skip
    options = [("q", TEXT), ("limit", {"type": "integer", "minimum": 1, "maximum": 500}), ("offset", WHOLE)]
    options += [("onlyData", YES_NO), ("orderBy", TEXT), ("fields", TEXT)]
    return _call(200, page, *[{"name": name, "in": "query", "schema": schema} for name, schema in options])


def _call(status: int, answer: Schema | None, *parameters: Schema, body: Schema | None = None) -> Schema:
    content = {} if answer is None else {"content": {"application/json": {"schema": answer}}}
    told: Schema = {
        "parameters": [FRAMEWORK, *parameters],
        "responses": {str(status): {"description": "done", **content}, "default": {"description": "an error"}},
    }
    if body is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return told


def _query(*names: str) -> list[Schema]:
    return [{"name": name, "in": "query", "schema": TEXT} for name in names]


WITH_ID: Schema = {"type": "object", "required": ["HeaderId", "OrderNumber", "StatusCode"]}
PERSON_ROW = _row("PartyNumber", LastUpdateDate=MOMENT)
NAMED_LINE = _row(SourceTransactionLineId=TEXT, FulfillLineId=WHOLE, LineNumber=WHOLE, OrderedQuantity=NUMBER)
NAMED_ORDER = {**WITH_ID, "properties": {"lines": {"type": "array", "items": NAMED_LINE}}}
STOCK_ROW = _row("ItemNumber", "OrganizationCode", "SubinventoryCode", PrimaryQuantity=NUMBER)
SHIPMENT_ROW = _row("Order", "OrderLine", "LineStatus", ShipmentLine=WHOLE, RequestedQuantity=NUMBER)
ORACLE: Schema = {
    "openapi": "3.0.1", "info": {"title": "Oracle Fusion, derived from the prose of its guides", "version": "26b"},
    "paths": {
        f"{SCM}/inventoryOrganizations": {"get": _list(_row("OrganizationCode", "OrganizationName"))},
        f"{SCM}/itemsV2": {"get": _list(_row("ItemNumber", "ItemDescription", "ItemStatusValue"))},
        f"{SCM}/inventoryOnhandBalances": {"get": _list(STOCK_ROW)},
        f"{SCM}/shipmentLines": {"get": _list(SHIPMENT_ROW)},
        f"{SCM}/shipments": {"get": _list(_row("Shipment"))},
        f"{SCM}/inventoryCompletedTransactions": {"get": _list(_row("Reference"))},
        f"{SCM}/inventoryStagedTransactions": {
            "get": _list(_row("TransactionReference", TransactionInterfaceId=WHOLE)),
            "post": _call(201, _row(TransactionInterfaceId=WHOLE), body=TRANSACTION),
        },
        f"{SCM}/inventoryStagedTransactions/{{TransactionInterfaceId}}": {"delete": _call(204, None)},
        f"{SCM}/salesOrdersForOrderHub": {"post": _call(201, WITH_ID, body=ORDER)},
        f"{SCM}/salesOrdersForOrderHub/{{OrderKey}}": {
            "get": _call(200, NAMED_ORDER, *_query("expand", "fields", "onlyData")),
            "patch": _call(200, WITH_ID, body=ORDER_CHANGE),
        },
        f"{SCM}/salesOrdersForOrderHub/{{OrderKey}}/child/lines": {"post": _call(201, NAMED_LINE, body=LINE)},
        f"{SCM}/shipmentTransactionRequests": {
            "post": _call(201, _row("ActionCode", errors={"type": "array"}), body=SHIPMENT)
        },
        f"{CRM}/contacts": {
            "get": _list(PERSON_ROW),
            "post": _call(
                201, PERSON_ROW, UPSERT,
                body={"type": "object", "properties": PERSON, "required": ["LastName"], "additionalProperties": False},
            ),
        },
        f"{CRM}/contacts/{{PartyNumber}}": {
            "get": _call(200, PERSON_ROW, *_query("onlyData")),
            "patch": _call(200, PERSON_ROW, body={
                "type": "object", "properties": PERSON, "additionalProperties": False, "minProperties": 1,
            }),
        },
    },
}  # fmt: skip
