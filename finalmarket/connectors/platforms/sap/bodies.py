"""From our words to SAP's: the bodies of orders, deliveries, material documents and business partners."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from finalmarket.connectors.books import MovementNotice, OrderContent, OrderContentLine
from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.order_amounts import booked_units, net_amount, net_of_kinds, wanted_units
from finalmarket.connectors.own_keys import capital_mark
from finalmarket.connectors.platforms.sap.odata import exact, json_day, parts
from finalmarket.connectors.platforms.sap.words import PERSON, our_items
from finalmarket.connectors.records import Address, CustomerContent, FulfilmentNotice, Raw
from finalmarket.kernel.clock import day_in

Body = dict[str, Any]
Settings = Mapping[str, str]
SHIP_TO = "SH"
LONGEST_NUMBER = 35  # PurchaseOrderByCustomer and its like
# Goods movement code and type: by which transaction and how SAP posts a movement. The sign of an adjustment decides.
RECEIPT, SCRAP, SALE = ("05", "501"), ("03", "551"), ("03", "251")
TRANSFER_WITHIN, TRANSFER_BETWEEN = ("04", "311"), ("04", "301")
MOVEMENTS = {"receive": RECEIPT, "return": RECEIPT, "loss": SCRAP, "sale": SALE}


def _results(rows: list[Body]) -> Body:
    return {"results": rows}


def _told(**fields: str) -> Body:
    return {name: value for name, value in fields.items() if value}


# Orders.


def order(content: OrderContent, settings: Settings) -> Body:
    """A new order, with its items, its conditions and the address it goes to."""
    if len(content.number) > LONGEST_NUMBER:
        raise Rejected(f"{content.number!r} is longer than the {LONGEST_NUMBER} letters that SAP has for a number")
    placed_on = json_day(day_in(content.time_zone, content.placed_at))
    partner = content.customer_id or settings["customer"]
    if not partner:
        raise Rejected("the order has no customer: enter one for guests in the integration's settings")
    body: Body = {
        "SalesOrderType": settings["order_type"], "SalesOrganization": settings["sales_organization"],
        "DistributionChannel": settings["distribution_channel"], "OrganizationDivision": settings["division"],
        "SoldToParty": partner, "PurchaseOrderByCustomer": content.number, "CustomerPurchaseOrderDate": placed_on,
        "SalesOrderDate": placed_on, "TransactionCurrency": content.currency,
        "to_Item": _results([item(line, content, settings) for line in content.lines if line.kind == "goods"]),
    }  # fmt: skip
    conditions = _conditions(content, settings)
    if conditions:
        body["to_PricingElement"] = _results(conditions)
    address = _order_address(content)
    if address:
        body["to_Partner"] = _results(
            [{"PartnerFunction": SHIP_TO, "Customer": partner, "to_Address": _results([address])}]
        )
    return body


def item(line: OrderContentLine, content: OrderContent, settings: Settings) -> Body:
    """A line of goods; its price is told for all its units together, so that no digit is lost."""
    if len(line.line_id) > LONGEST_NUMBER or not (line.item_id or line.sku):
        raise Rejected(f"line {line.line_id[:LONGEST_NUMBER]!r} names no product, or has a name too long for SAP")
    units = exact(booked_units(line, content))
    price = {
        "ConditionType": settings["price_condition"], "ConditionRateValue": exact(net_amount(line, content)),
        "ConditionCurrency": content.currency, "ConditionQuantity": units, "ConditionQuantityUnit": settings["unit"],
    }  # fmt: skip
    body: Body = {
        "Material": line.item_id or line.sku, "RequestedQuantity": units, "RequestedQuantityUnit": settings["unit"],
        "PurchaseOrderByShipToParty": line.line_id, **_told(SalesOrderItemText=line.title[:40]),
    }  # fmt: skip
    if settings["price_condition"]:
        body["to_PricingElement"] = _results([price])
    if not wanted_units(line, content):
        body["SalesDocumentRjcnReason"] = settings["rejection_reason"]
    return body


def _conditions(content: OrderContent, settings: Settings) -> list[Body]:
    """Shipping costs, and all else that is no goods, as conditions of the whole order."""
    found = []
    for setting, kinds in (("shipping_condition", ("shipping",)), ("other_condition", OTHER_KINDS)):
        amount = net_of_kinds(content, *kinds)
        if not amount:
            continue
        if not settings[setting]:
            raise Rejected(f"the order has {kinds[0]} costs: enter a condition type for them in the settings")
        found.append(
            {"ConditionType": settings[setting], "ConditionRateValue": exact(amount),
             "ConditionCurrency": content.currency}
        )  # fmt: skip
    return found


OTHER_KINDS = ("fee", "discount", "adjustment")


def _order_address(content: OrderContent) -> Body:
    address = content.shipping_address
    if not address.street and not address.city:
        return {}
    return _told(
        AddresseeFullName=(address.name or content.name)[:80], OrganizationName1=address.company[:40],
        StreetName=address.street[:60], StreetSuffixName1=address.street2[:40], PostalCode=address.postcode[:10],
        CityName=address.city[:40], Region=address.region[:3], Country=address.country, EmailAddress=content.email,
        PhoneNumber=(address.phone or content.phone)[:30],
    )  # fmt: skip


def item_change(row: Raw, line: OrderContentLine, content: OrderContent, settings: Settings) -> Body:
    """What has to be changed of an item that stands there; {} for nothing."""
    units = wanted_units(line, content)
    rejected = str(row.get("SalesDocumentRjcnReason") or "")
    if not units:
        return {} if rejected else {"SalesDocumentRjcnReason": settings["rejection_reason"]}
    change: Body = {"SalesDocumentRjcnReason": ""} if rejected else {}
    if Decimal(str(row["RequestedQuantity"])) != units:
        change["RequestedQuantity"] = exact(units)
    return change


def order_lines(raw: Raw, content: OrderContent) -> list[tuple[OrderContentLine, Raw | None]]:
    """The lines of goods with the items that stand for them there, if any."""
    there = our_items(raw)
    return [(line, there.get(line.line_id)) for line in content.lines if line.kind == "goods"]


# Parcels.


def delivery(notice: FulfilmentNotice, reference: str, unit: str) -> Body:
    """A delivery of some items of an order; the tracking number is its bill of lading."""
    units = Counter[str]()
    for item_number, count in notice.lines:
        units[item_number] += count
    _, _, storage = notice.location.partition("/")
    rows = [
        {"ReferenceSDDocument": notice.order_id, "ReferenceSDDocumentItem": number,
         "ActualDeliveryQuantity": exact(count), "DeliveryQuantityUnit": unit, **_told(StorageLocation=storage)}
        for number, count in units.items()
    ]  # fmt: skip
    return {
        "DeliveryDocumentBySupplier": reference,
        "to_DeliveryDocumentItem": _results(rows),
        **_told(BillOfLading=notice.tracking_number[:35], MeansOfTransport=notice.carrier[:20]),
    }


# Movements of stock.


def movement(notice: MovementNotice, settings: Settings) -> Body:
    """A movement as a material document of one item. Raises Rejected where SAP has no such movement."""
    code, kind = _posted_as(notice)
    plant, storage = _places(notice.location)
    item_told: Body = {
        "Material": notice.item_id or notice.sku, "Plant": plant, "GoodsMovementType": kind,
        "EntryUnit": settings["unit"], "QuantityInEntryUnit": exact(abs(notice.quantity)),
        **_told(StorageLocation=storage, MaterialDocumentItemText=f"{notice.kind} {notice.reason}".strip()[:50]),
    }  # fmt: skip
    if notice.kind == "transfer":
        to_plant, to_storage = _places(notice.to_location)
        item_told |= {"IssuingOrReceivingPlant": to_plant, **_told(IssuingOrReceivingStorageLoc=to_storage)}
    elif code == SCRAP[0] and settings["cost_center"]:
        item_told["CostCenter"] = settings["cost_center"]
    posted_on = json_day(day_in(notice.time_zone, notice.at))
    return {
        "GoodsMovementCode": code, "DocumentDate": posted_on, "PostingDate": posted_on,
        "ReferenceDocument": capital_mark(notice.key, 16), "to_MaterialDocumentItem": _results([item_told]),
        **_told(MaterialDocumentHeaderText=f"{notice.kind} {notice.order_number}".strip()[:25]),
    }  # fmt: skip


def _posted_as(notice: MovementNotice) -> tuple[str, str]:
    if not notice.quantity:
        raise Rejected("a movement of nothing cannot be posted", key=notice.key)
    if notice.kind == "transfer":
        same = notice.location.partition("/")[0] == notice.to_location.partition("/")[0]
        return TRANSFER_WITHIN if same else TRANSFER_BETWEEN
    if (notice.kind in ("receive", "return")) != (notice.quantity > 0) and notice.kind != "adjust":
        raise Rejected(f"a {notice.kind} of {notice.quantity} units has the wrong sign for SAP", key=notice.key)
    return MOVEMENTS.get(notice.kind) or (RECEIPT if notice.quantity > 0 else SCRAP)


def _places(location: str) -> tuple[str, str]:
    plant, _, storage = location.partition("/")
    if not plant:
        raise Rejected("the movement names no plant: link the location to one such as 1010/101A")
    return plant, storage


# Customers.


def partner(content: CustomerContent, settings: Settings) -> Body:
    """A new business partner who is a customer."""
    names = partner_names(content, is_person=None)
    body: Body = {
        **names, "BusinessPartnerCategory": PERSON if "LastName" in names else "2",
        "BusinessPartnerIDByExtSystem": capital_mark(content.key, 20),
        "to_BusinessPartnerRole": _results([{"BusinessPartnerRole": role} for role in ("FLCU00", "FLCU01")]),
        **_told(BusinessPartnerGrouping=settings["grouping"], CorrespondenceLanguage=content.language[:2].upper()),
    }  # fmt: skip
    address = _partner_address(content, settings["country"])
    return {**body, "to_BusinessPartnerAddress": _results([address])} if address else body


def partner_names(content: CustomerContent, *, is_person: bool | None) -> Body:
    """The name; `is_person` is what a known one is (None: two words or more make a person)."""
    first, _, last = content.name.strip().rpartition(" ")
    person = bool(first and last) if is_person is None else is_person
    if person:
        return _told(FirstName=first[:40], LastName=last[:40])
    whole = content.name.strip() or content.address.company or (content.email if is_person is None else "")
    return _told(OrganizationBPName1=whole[:40], OrganizationBPName2=whole[40:80])


def _partner_address(content: CustomerContent, country: str) -> Body:
    address: Address = content.address
    told = _told(
        StreetName=address.street[:60], StreetPrefixName=address.street2[:40], PostalCode=address.postcode[:10],
        CityName=address.city[:40], Region=address.region[:3], CareOfName=address.name[:40],
        Country=address.country or country, Language=content.language[:2].upper(),
    )  # fmt: skip
    if not (address.street or address.city or content.email or content.phone) or not told.get("Country"):
        return {}
    if content.email:
        told["to_EmailAddress"] = _results([{"EmailAddress": content.email, "IsDefaultEmailAddress": True}])
    if content.phone:
        told["to_PhoneNumber"] = _results([{"PhoneNumber": content.phone[:30], "IsDefaultPhoneNumber": True}])
    return told


def reachable_changes(raw: Raw, content: CustomerContent) -> list[tuple[str, Raw, Body]]:
    """What has to be changed of how a known customer is reached: the entity set, the entity ({} for a new one), and the
    fields."""
    address = next(iter(parts(raw, "to_BusinessPartnerAddress")), None)
    found: list[tuple[str, Raw, Body]] = []
    for name, told in (("EmailAddress", content.email), ("PhoneNumber", content.phone[:30])):
        if address is None or not told:
            continue
        known = next(iter(parts(address, f"to_{name}")), None)
        if known is None:
            fields = {"AddressID": address["AddressID"], "Person": address.get("Person") or "", name: told}
            found.append((f"A_Address{name}", {}, {**fields, f"IsDefault{name}": True}))
        elif known.get(name) != told:
            found.append((f"A_Address{name}", known, {name: told}))
    return found
