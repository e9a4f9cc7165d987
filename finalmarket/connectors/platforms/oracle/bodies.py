"""From our words to Oracle's: orders with their charges, shipments, staged transactions and people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from finalmarket.connectors.books import MovementNotice, OrderContent, OrderContentLine
from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.order_amounts import booked_units, net_amount, wanted_units
from finalmarket.connectors.own_keys import capital_mark
from finalmarket.connectors.people import address_fields
from finalmarket.connectors.platforms.oracle.words import ADDRESS, SETTLED, moment, number_of, our_lines
from finalmarket.connectors.records import CustomerContent, FulfilmentNotice, Raw

Body = dict[str, Any]
Settings = Mapping[str, str]
LONGEST_ID = 50  # of an order's or a line's own id
PRICE_DIGITS = 6
# Of a line's one charge: the elements that a frozen price has to have.
PRICE_ELEMENTS = (("QP_LIST_PRICE", "LIST_PRICE"), ("QP_NET_PRICE", "NET_PRICE"))
SHIPPED = ("interfaced", "shipped", "cancel")  # in the status of a shipment line that is not open any more
RECEIPT, ISSUE = "Miscellaneous Receipt", "Miscellaneous Issue"
TRANSFER_WITHIN, TRANSFER_BETWEEN = "Subinventory Transfer", "Direct Organization Transfer"
ONLINE = "1"  # TransactionMode: processed while we wait


def told(**fields: str) -> Body:
    """The fields that hold something."""
    return {name: value for name, value in fields.items() if value}


# Orders.


def order(content: OrderContent, settings: Settings) -> Body:
    """A new order with frozen prices; Oracle prices nothing of it anew."""
    partner = content.customer_id or settings["customer"]
    if not partner:
        raise Rejected("the order has no customer: enter one for guests in the integration's settings")
    if len(content.number) > LONGEST_ID:
        raise Rejected(f"{content.number[:LONGEST_ID]!r} is longer than the {LONGEST_ID} letters of an order's id")
    return {
        "SourceTransactionNumber": content.number, "SourceTransactionId": content.number,
        "SourceTransactionSystem": settings["source_system"], "BusinessUnitName": settings["business_unit"],
        "RequestingBusinessUnitName": settings["business_unit"], "BuyingPartyNumber": partner,
        "TransactionalCurrencyCode": content.currency, "TransactionTypeCode": settings["order_type"],
        "TransactionOn": moment(content.placed_at), "SubmittedFlag": True, "FreezePriceFlag": True,
        "FreezeShippingChargeFlag": True, "FreezeTaxFlag": False,
        "lines": [line(one, position, content, settings) for position, one in enumerate(content.lines, start=1)],
    }  # fmt: skip


def line(one: OrderContentLine, position: int, content: OrderContent, settings: Settings) -> Body:
    """A line with its price; what is no goods is a line of the product that the settings name for it."""
    product = one.item_id or one.sku
    if one.kind != "goods":
        product = settings["shipping_product" if one.kind == "shipping" else "other_product"]
    if not product or len(one.line_id) > LONGEST_ID:
        what = "a product" if one.kind == "goods" else f"a product for lines of the kind {one.kind} (see the settings)"
        raise Rejected(f"line {one.line_id[:LONGEST_ID]}: {what} is missing, or its id is too long")
    units = booked_units(one, content)
    return {
        "SourceTransactionLineId": one.line_id, "SourceTransactionLineNumber": str(position),
        "SourceScheduleNumber": "1", "SourceTransactionScheduleId": one.line_id, "ProductNumber": product,
        "OrderedQuantity": wanted_units(one, content), "OrderedUOMCode": settings["unit"],
        "charges": [_charge(net_amount(one, content), units, content.currency, settings["unit"])],
    }  # fmt: skip


def _charge(amount: Decimal, units: int, currency: str, unit: str) -> Body:
    price = round(amount / units, PRICE_DIGITS) if units else amount
    components = [
        {"SourceChargeComponentId": f"C1-{number}", "PriceElementCode": code, "PriceElementUsageCode": usage,
         "HeaderCurrencyUnitPrice": price, "HeaderCurrencyExtendedAmount": amount, "RollupFlag": False,
         "SequenceNumber": number}
        for number, (code, usage) in enumerate(PRICE_ELEMENTS, start=1)
    ]  # fmt: skip
    return {
        "SourceChargeId": "C1", "ApplyTo": "Price", "ChargeDefinitionCode": "QP_SALE_PRICE", "ChargeType": "Sale",
        "ChargeSubType": "Price", "PriceType": "One time", "PricedQuantity": units, "PricedQuantityUOMCode": unit,
        "ChargeCurrencyCode": currency, "GSAUnitPrice": price, "PrimaryFlag": True, "RollupFlag": False,
        "SequenceNumber": 1, "chargeComponents": components,
    }  # fmt: skip


def order_changes(raw: Raw, content: OrderContent, settings: Settings) -> tuple[Body, list[Body]]:
    """What has to be changed of an order that stands there ({} for nothing), and the lines that it lacks. Raises
    Rejected for what is settled."""
    there, changed, missing = our_lines(raw), [], []
    for position, one in enumerate(content.lines, start=1):
        row, units = there.get(one.line_id), wanted_units(one, content)
        if row is None:
            missing.append(line(one, position, content, settings))
        elif Decimal(str(row["OrderedQuantity"])) != units:
            reason = {} if units else {"CancelReason": settings["cancel_reason"]}
            changed.append({"FulfillLineId": row["FulfillLineId"], "OrderedQuantity": units, **reason})
    if (changed or missing) and str(raw.get("StatusCode")) in SETTLED:
        raise Rejected(f"order {content.number} is {str(raw['StatusCode']).lower()} in Oracle: it takes no change")
    return ({"SubmittedFlag": True, "lines": changed} if changed else {}), missing


# Parcels.


def shipment(notice: FulfilmentNotice, rows: Iterable[Raw], organization: str) -> Body:
    """A shipment that is made and confirmed at once, of some shipment lines of an order. Raises Rejected where the
    order has not so many units open."""
    units = Counter[str]()
    for order_line, count in notice.lines:
        units[order_line] += count
    open_rows = [row for row in rows if not any(word in str(row.get("LineStatus")).lower() for word in SHIPPED)]
    code, _, subinventory = notice.location.partition("/")
    packed = []
    for order_line, count in units.items():
        row = next((row for row in open_rows if str(row["OrderLine"]) == order_line), None)
        if row is None or Decimal(str(row["RequestedQuantity"])) < count:
            raise Rejected(f"line {order_line} of the order has no {count} units to ship", key=notice.key)
        packed.append(
            {"ShipmentLine": row["ShipmentLine"], "ShippedQuantity": count,
             **told(TrackingNumber=notice.tracking_number[:30], Subinventory=subinventory)}
        )  # fmt: skip
    name = capital_mark(notice.key, 30)
    return {
        "ActionCode": "CreateAndConfirmShipment",
        "shipments": [
            {"Shipment": name, "ShipFromOrganizationCode": code or organization,
             "ActualShipDate": moment(notice.shipped_at), "ExternalSystemTransactionReference": notice.key[:100],
             "outerPackingUnits": [{"PackingUnit": name, "packedLines": packed}]}
        ],
    }  # fmt: skip


# Movements of stock.


def movement(notice: MovementNotice, names: Mapping[str, str], settings: Settings) -> Body:
    """A movement as a staged transaction that is processed at once; `names` are the organisations' by code."""
    code, _, subinventory = (notice.location or settings["organization"]).partition("/")
    item = notice.item_id or notice.sku
    if not notice.quantity or not item or code not in names:
        raise Rejected(f"{notice.quantity} units of {item!r} in {code!r} are nothing that Oracle can post")
    body: Body = {
        "SourceCode": settings["source_system"], "SourceHeaderId": number_of(notice.key), "SourceLineId": 1,
        "TransactionMode": ONLINE, "OrganizationName": names[code], "ItemNumber": item,
        "TransactionTypeName": RECEIPT if notice.quantity > 0 else ISSUE, "TransactionQuantity": notice.quantity,
        "TransactionUnitOfMeasure": settings["unit"], "TransactionDate": moment(notice.at),
        "TransactionReference": capital_mark(notice.key, 30), "UseCurrentCostFlag": True,
        **told(SubinventoryCode=subinventory),
    }  # fmt: skip
    if notice.kind != "transfer":
        return {**body, **told(AccountCombination=settings["account"])}
    to_code, _, to_subinventory = notice.to_location.partition("/")
    if to_code not in names:
        raise Rejected(f"{to_code!r} is no organisation that Oracle knows")
    kind = TRANSFER_WITHIN if to_code == code else TRANSFER_BETWEEN
    body |= {"TransactionTypeName": kind, "TransactionQuantity": -notice.quantity}
    between = {} if to_code == code else {"TransferOrganizationName": names[to_code]}
    return {**body, **between, **told(TransferSubinventory=to_subinventory)}


# People.


def person(content: CustomerContent) -> Body:
    """A person, by the fields that are known."""
    first, _, last = content.name.strip().rpartition(" ")
    fields = told(FirstName=first, LastName=last, EmailAddress=content.email, MobileNumber=content.phone)
    return {**fields, **(address_fields(content.address, ADDRESS) if content.address.country else {})}
