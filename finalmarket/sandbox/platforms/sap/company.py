"""The company of the stand-in: products in plant 1010, business partners, orders, deliveries, material documents."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from finalmarket.sandbox.abilities import KeptOrder, Person
from finalmarket.sandbox.conditions import Entity
from finalmarket.sandbox.platforms.sap import queries
from finalmarket.sandbox.platforms.sap.gateway import ROOT, Gateway, refusal
from finalmarket.sandbox.stand_in import Reply, Request, route

PLANT, MAIN, OTHER = "1010", "101A", "101B"
RECEIPTS, ISSUES, TRANSFERS = {"501"}, {"551", "251"}, {"311", "301"}
CODES = {"05": RECEIPTS, "03": ISSUES, "04": TRANSFERS}


def etag(number: int) -> dict[str, str]:
    """The metadata of an entity in its version."""
    return {"etag": f"W/\"'{number}'\""}


class Sap(Gateway):
    """One company code with sales organisation 1010."""

    sets: ClassVar[Mapping[str, tuple[str, tuple[str, ...]]]] = {
        "A_Product": ("API_PRODUCT_SRV", ("Product",)),
        "A_SlsPrcgCndnRecdValidity": ("API_SLSPRICINGCONDITIONRECORD_SRV", ("ConditionRecord",)),
        "A_MaterialStock": ("API_MATERIAL_STOCK_SRV", ("Material",)),
        "A_BusinessPartner": ("API_BUSINESS_PARTNER", ("BusinessPartner",)),
        "A_AddressEmailAddress": ("API_BUSINESS_PARTNER", ("AddressID", "Person", "OrdinalNumber")),
        "A_AddressPhoneNumber": ("API_BUSINESS_PARTNER", ("AddressID", "Person", "OrdinalNumber")),
        "A_SalesOrder": ("API_SALES_ORDER_SRV", ("SalesOrder",)),
        "A_SalesOrderItem": ("API_SALES_ORDER_SRV", ("SalesOrder", "SalesOrderItem")),
        "A_OutbDeliveryHeader": ("API_OUTBOUND_DELIVERY_SRV;v=0002", ("DeliveryDocument",)),
        "A_MaterialDocumentHeader": ("API_MATERIAL_DOCUMENT_SRV", ("MaterialDocumentYear", "MaterialDocument")),
    }

    def fresh_state(self) -> dict[str, Any]:
        return {
            "count": 1000, "tokens": {}, "csrf_round": 1, "products": {}, "stock": {}, "prices": {}, "partners": {},
            "orders": {}, "deliveries": {}, "documents": {},
        }  # fmt: skip

    def entities(self, name: str) -> list[Entity]:
        state = self.state
        if name == "A_MaterialStock":
            return [self._stock_of(product) for product in state["products"]]
        if name == "A_SlsPrcgCndnRecdValidity":
            return [self._price_of(product, price) for product, price in state["prices"].items()]
        if name == "A_SalesOrderItem":
            return [item for order in state["orders"].values() for item in order["to_Item"]]
        if name in ("A_AddressEmailAddress", "A_AddressPhoneNumber"):
            part = name.replace("A_Address", "to_")
            return [
                one for partner in state["partners"].values() for address in partner["to_BusinessPartnerAddress"]
                for one in address[part]
            ]  # fmt: skip
        where = {
            "A_Product": "products", "A_BusinessPartner": "partners", "A_SalesOrder": "orders",
            "A_OutbDeliveryHeader": "deliveries", "A_MaterialDocumentHeader": "documents",
        }[name]  # fmt: skip
        return list(state[where].values())

    def _stock_of(self, product: str) -> Entity:
        rows = [
            {"Material": product, "Plant": PLANT, "StorageLocation": storage, "Batch": "", "Supplier": "",
             "Customer": "", "WBSElementInternalID": "", "SDDocument": "", "SDDocumentItem": "",
             "InventorySpecialStockType": "", "InventoryStockType": kind, "MaterialBaseUnit": "PC",
             "MatlWrhsStkQtyInMatlBaseUnit": f"{units}.000"}
            for (storage, kind), units in self.state["stock"][product].items()
        ]  # fmt: skip
        return {"Material": product, "MaterialBaseUnit": "PC", "to_MatlStkInAcctMod": rows}

    def _price_of(self, product: str, price: str) -> Entity:
        record = {
            "ConditionRecord": product[:10], "ConditionRateValue": price, "ConditionRateValueUnit": "EUR",
            "ConditionQuantity": "1", "ConditionQuantityUnit": "PC",
        }  # fmt: skip
        return {
            "ConditionRecord": product[:10], "ConditionValidityStartDate": "2020-01-01T00:00:00",
            "ConditionValidityEndDate": "9999-12-31T00:00:00", "ConditionType": "PPR0", "SalesOrganization": "1010",
            "DistributionChannel": "10", "Customer": "", "SoldToParty": "", "Material": product,
            "to_SlsPrcgConditionRecord": record,
        }  # fmt: skip

    # Writing.

    @route("POST", f"{ROOT}/{{resource}}")
    def create(self, request: Request, service: str, resource: str) -> Reply:
        if resource in ("PickAllItems", "PostGoodsIssue"):
            number = request.query.get("DeliveryDocument", "").strip("'")
            delivery = self.one("A_OutbDeliveryHeader", (number,))
            return self._pick(delivery) if resource == "PickAllItems" else self._issue(delivery)
        name, _ = self.named(service, resource)
        told = request.json()
        made = {
            "A_BusinessPartner": self._new_partner, "A_SalesOrder": self._new_order,
            "A_OutbDeliveryHeader": self._new_delivery, "A_MaterialDocumentHeader": self._new_document,
            "A_AddressEmailAddress": self._new_reach, "A_AddressPhoneNumber": self._new_reach,
        }[name](told)  # fmt: skip
        return Reply(201, {"d": queries.shown(made, [], [])})

    @route("POST", f"{ROOT}/{{resource}}/to_Item")
    def add_item(self, request: Request, service: str, resource: str) -> Reply:
        name, key = self.named(service, resource)
        order = self.one(name, key or ())
        item = self._item(order, request.json())
        order["to_Item"].append(item)
        self.effect("order_item", order=order["SalesOrder"], item=item["SalesOrderItem"])
        return Reply(201, {"d": queries.shown(item, [], [])})

    @route("PATCH", f"{ROOT}/{{resource}}")
    def change(self, request: Request, service: str, resource: str) -> Reply:
        name, key = self.named(service, resource)
        entity, told = self.one(name, key or ()), request.json()["d"]
        self.matched(request, entity)
        if Decimal(told.get("RequestedQuantity", "9999999")) < entity.get("Delivered", 0):
            raise refusal(400, "Order quantity is less than the delivered quantity", "V1/499")
        if any(entity.get(field) != value for field, value in told.items()):
            entity |= told
            entity["__metadata"] = etag(self._next())
            self._touch(key or ())
            self.effect("change", set=name, key=list(key or ()), fields=sorted(told))
        return Reply(204)

    def _touch(self, key: tuple[str, ...]) -> None:
        """A business partner that changed, or whose address did, gets a moment of change."""
        for partner in self.state["partners"].values():
            own = {partner["BusinessPartner"], *(one["AddressID"] for one in partner["to_BusinessPartnerAddress"])}
            if key and key[0] in own:
                partner |= {"LastChangeDate": _day(self.now()), "LastChangeTime": _time(self.now())}

    # Business partners.

    def _new_partner(self, told: Entity) -> Entity:
        if told.get("BusinessPartnerCategory") == "1" and not told.get("LastName"):
            raise refusal(400, "Enter a last name", "R1/166")
        if told.get("BusinessPartnerCategory") == "2" and not told.get("OrganizationBPName1"):
            raise refusal(400, "Enter a name", "R1/166")
        roles = {role["BusinessPartnerRole"] for role in told.get("to_BusinessPartnerRole", {}).get("results", [])}
        made = self.sign_up(told, is_customer="FLCU01" in roles)
        self.effect("partner", id=made["BusinessPartner"])
        return made

    def sign_up(self, told: Mapping[str, Any], *, at: datetime | None = None, is_customer: bool = True) -> Entity:
        """A business partner whom somebody entered, with the addresses that are told."""
        number, moment = str(self._next()), at or self.now()
        addresses = []
        for address in (told.get("to_BusinessPartnerAddress") or {}).get("results", []):
            if not address.get("Country"):
                raise refusal(400, "Enter a country", "R1/166")
            addresses.append(self._address(number, address))
        fields = {key: value for key, value in told.items() if not key.startswith("to_")}
        person = f"{told.get('FirstName', '')} {told.get('LastName', '')}".strip()
        made: Entity = {
            "BusinessPartner": number, "Customer": number if is_customer else "", "Supplier": "",
            "BusinessPartnerCategory": "1", "FirstName": "", "LastName": "", "OrganizationBPName1": "",
            "BusinessPartnerIDByExtSystem": "", "CorrespondenceLanguage": "", "IsMarkedForArchiving": False, **fields,
            "BusinessPartnerFullName": person or told.get("OrganizationBPName1", ""), "CreationDate": _day(moment),
            "CreationTime": _time(moment), "LastChangeDate": None, "LastChangeTime": "PT00H00M00S",
            "__metadata": etag(int(number)), "to_BusinessPartnerAddress": addresses,
        }  # fmt: skip
        self.state["partners"][number] = made
        return made

    def _address(self, partner: str, told: Entity) -> Entity:
        number = str(self._next())
        fields = {key: value for key, value in told.items() if not key.startswith("to_")}
        made: Entity = {"BusinessPartner": partner, "AddressID": number, "Person": "", **fields}
        for part in ("to_EmailAddress", "to_PhoneNumber"):
            rows = (told.get(part) or {}).get("results", [])
            made[part] = [
                {"AddressID": number, "Person": "", "OrdinalNumber": str(position), **row,
                 "__metadata": etag(self._next())}
                for position, row in enumerate(rows, start=1)
            ]  # fmt: skip
        return made

    def _new_reach(self, told: Entity) -> Entity:
        part = "to_EmailAddress" if "EmailAddress" in told else "to_PhoneNumber"
        for partner in self.state["partners"].values():
            for address in partner["to_BusinessPartnerAddress"]:
                if address["AddressID"] == told["AddressID"]:
                    made = {"OrdinalNumber": str(len(address[part]) + 1), **told, "__metadata": etag(self._next())}
                    address[part].append(made)
                    self._touch((partner["BusinessPartner"],))
                    self.effect("reach", partner=partner["BusinessPartner"], part=part)
                    return made
        raise refusal(400, "Address does not exist", "R1/101")

    # Orders.

    def _new_order(self, told: Entity) -> Entity:
        if told.get("SoldToParty") not in {*self.state["partners"], "1000"}:
            raise refusal(400, f"Sold-to party {told.get('SoldToParty')} is not maintained for sales area", "V1/039")
        if (told.get("SalesOrganization"), told.get("DistributionChannel")) != ("1010", "10"):
            raise refusal(400, "Sales area is not defined", "V1/312")
        number = str(self._next())
        order: Entity = {
            "SalesOrder": number, **{key: value for key, value in told.items() if not key.startswith("to_")},
            "OverallSDProcessStatus": "A", "__metadata": etag(int(number)), "to_Item": [],
        }  # fmt: skip
        for row in told.get("to_Item", {}).get("results", []):
            order["to_Item"].append(self._item(order, row))
        if not order["to_Item"]:
            raise refusal(400, "The order holds no items", "V1/045")
        self.state["orders"][number] = order
        self.effect("order", id=number, number=told.get("PurchaseOrderByCustomer", ""))
        return order

    def _item(self, order: Entity, told: Entity) -> Entity:
        if told.get("Material") not in self.state["products"]:
            raise refusal(400, f"Material {told.get('Material')} is not defined for sales org.", "V1/382")
        number = str(10 * (len(order["to_Item"]) + 1))
        fields = {key: value for key, value in told.items() if not key.startswith("to_")}
        return {
            "SalesOrder": order["SalesOrder"], "SalesOrderItem": number, "SalesDocumentRjcnReason": "", **fields,
            "RequestedQuantity": f"{Decimal(told['RequestedQuantity']):.3f}", "Delivered": 0,
            "__metadata": etag(self._next()),
        }  # fmt: skip

    # Deliveries.

    def _new_delivery(self, told: Entity) -> Entity:
        rows = told.get("to_DeliveryDocumentItem", {}).get("results", [])
        for row in rows:
            item = self._ordered(row)
            left = Decimal(item["RequestedQuantity"]) - item["Delivered"]
            if item["SalesDocumentRjcnReason"] or not 0 < Decimal(row["ActualDeliveryQuantity"]) <= left:
                raise refusal(400, "No schedule lines due for delivery up to the selected date", "VL/367")
        if not rows:
            raise refusal(400, "No delivery-relevant items", "VL/461")
        number = str(80_000_000 + self._next())
        made: Entity = {
            "DeliveryDocument": number, **{key: value for key, value in told.items() if not key.startswith("to_")},
            "OverallPickingStatus": "A", "OverallGoodsMovementStatus": "A", "__metadata": etag(int(number)),
            "to_DeliveryDocumentItem": rows,
        }  # fmt: skip
        self.state["deliveries"][number] = made
        self.effect("delivery", id=number)
        return made

    def _ordered(self, row: Entity) -> Entity:
        order = self.state["orders"].get(row["ReferenceSDDocument"])
        items = order["to_Item"] if order else []
        found: Entity | None = next(
            (item for item in items if item["SalesOrderItem"] == row["ReferenceSDDocumentItem"]), None
        )
        if found is None:
            raise refusal(400, f"Sales document {row['ReferenceSDDocument']} does not exist", "V1/302")
        return found

    def _pick(self, delivery: Entity) -> Reply:
        if delivery["OverallPickingStatus"] != "C":
            delivery["OverallPickingStatus"] = "C"
            self.effect("picking", delivery=delivery["DeliveryDocument"])
        return Reply(200, {"d": {"results": []}})

    def _issue(self, delivery: Entity) -> Reply:
        if delivery["OverallGoodsMovementStatus"] == "C":
            raise refusal(400, "Goods issue has already been posted", "VL/609")
        if delivery["OverallPickingStatus"] != "C":
            raise refusal(400, "Delivery has not yet been completely processed (pick)", "VL/602")
        for row in delivery["to_DeliveryDocumentItem"]:
            item, units = self._ordered(row), int(Decimal(row["ActualDeliveryQuantity"]))
            item["Delivered"] += units
            self._move(item["Material"], row.get("StorageLocation", MAIN), -units)
        delivery["OverallGoodsMovementStatus"] = "C"
        self.effect("goods_issue", delivery=delivery["DeliveryDocument"])
        return Reply(200, {"d": {"results": []}})

    # Material documents.

    def _new_document(self, told: Entity) -> Entity:
        rows = told.get("to_MaterialDocumentItem", {}).get("results", [])
        for row in rows:
            self._check_row(told, row)
        for row in rows:
            units, kind = int(Decimal(row["QuantityInEntryUnit"])), row["GoodsMovementType"]
            storage = row.get("StorageLocation", MAIN)
            self._move(row["Material"], storage, units if kind in RECEIPTS else -units)
            if kind in TRANSFERS:
                self._move(row["Material"], row.get("IssuingOrReceivingStorageLoc", MAIN), units)
        number = str(4_900_000_000 + self._next())
        made: Entity = {
            "MaterialDocumentYear": told["PostingDate"] and str(self.now().year), "MaterialDocument": number,
            **{key: value for key, value in told.items() if not key.startswith("to_")},
            "to_MaterialDocumentItem": rows,
        }  # fmt: skip
        self.state["documents"][number] = made
        self.effect("material_document", id=number)
        return made

    def _check_row(self, told: Entity, row: Entity) -> None:
        material, kind, storage = row.get("Material"), row.get("GoodsMovementType"), row.get("StorageLocation", MAIN)
        if kind not in CODES.get(told.get("GoodsMovementCode", ""), ()):
            raise refusal(400, f"Movement type {kind} is not allowed with this transaction", "M7/060")
        if material not in self.state["products"] or row.get("Plant") != PLANT or storage not in (MAIN, OTHER):
            raise refusal(400, f"Material {material} does not exist in {row.get('Plant')} {storage}", "M7/001")
        if kind in ISSUES and not row.get("CostCenter"):
            raise refusal(400, "Account assignment: enter a cost center", "M7/022")
        units = int(Decimal(row["QuantityInEntryUnit"]))
        if kind not in RECEIPTS and self.state["stock"][material].get((storage, "01"), 0) < units:
            raise refusal(400, f"Deficit of SL Unrestricted-use {units} PC", "M7/021")

    def _move(self, product: str, storage: str, units: int) -> None:
        stock = self.state["stock"][product]
        stock[storage, "01"] = stock.get((storage, "01"), 0) + units

    def _next(self) -> int:
        self.state["count"] += 1
        return int(self.state["count"])

    # People at the counter, and what a test arranges.

    def add_listing(self, sku: str, title: str, price: Decimal, quantity: int, *, barcode: str = "") -> str:
        """A product with so many units in the main storage location; returns its number."""
        self.state["products"][sku] = {
            "Product": sku, "ProductType": "HAWA", "ProductStandardID": barcode, "IsMarkedForDeletion": False,
            "to_Description": [{"Product": sku, "Language": "EN", "ProductDescription": title[:40]}],
        }  # fmt: skip
        self.state["stock"][sku] = {(MAIN, "01"): quantity, (OTHER, "01"): 0}
        self.state["prices"][sku] = f"{price:.2f}"
        return sku

    def listings(self) -> list[str]:
        """All products."""
        return list(self.state["products"])

    def shown_stock(self) -> dict[str, int]:
        """The freely usable units by product, over all storage locations."""
        return {
            product: sum(units for (_, kind), units in stock.items() if kind == "01")
            for product, stock in self.state["stock"].items()
        }

    def shop(self, chance: random.Random) -> None:
        """Somebody buys one or two of something at the company's own counter."""
        self.sell_over_counter(chance)

    def sell_over_counter(self, chance: random.Random) -> tuple[str, int] | None:
        """See CountsStock."""
        there = [product for product, stock in self.state["stock"].items() if stock[MAIN, "01"] > 0]
        if not there:
            return None
        product = chance.choice(there)
        units = min(chance.randint(1, 2), self.state["stock"][product][MAIN, "01"])
        self._move(product, MAIN, -units)
        self.effect("counter_sale", product=product, units=units)
        return str(product), units

    def kept_orders(self) -> list[KeptOrder]:
        """See KeepsOrders."""
        return [
            KeptOrder(
                order["PurchaseOrderByCustomer"], sum(int(Decimal(row["RequestedQuantity"])) for row in wanted),
                not wanted, sum(row["Delivered"] for row in order["to_Item"]),
            )
            for order in self.state["orders"].values()
            for wanted in [[row for row in order["to_Item"] if not row["SalesDocumentRjcnReason"]]]
        ]  # fmt: skip

    def meet(self, name: str, email: str) -> str:
        """See KnowsPeople."""
        first, _, last = name.rpartition(" ")
        reach = {"results": [{"EmailAddress": email}]}
        address = {"Country": "DE", "CityName": "Berlin", "StreetName": "Hauptstr.", "to_EmailAddress": reach}
        told = {"FirstName": first, "LastName": last, "to_BusinessPartnerAddress": {"results": [address]}}
        return str(self.sign_up(told)["BusinessPartner"])

    def rename(self, customer: str, name: str) -> None:
        """See KnowsPeople."""
        partner, (first, _, last) = self.state["partners"][customer], name.rpartition(" ")
        partner |= {"FirstName": first, "LastName": last, "BusinessPartnerFullName": name, "__metadata":
                    etag(self._next())}  # fmt: skip
        self._touch((customer,))

    def people(self) -> dict[str, Person]:
        """See KnowsPeople."""
        return {
            number: Person(
                f"{one['FirstName']} {one['LastName']}".strip() or one["OrganizationBPName1"],
                next((row["EmailAddress"] for address in one["to_BusinessPartnerAddress"]
                      for row in address["to_EmailAddress"]), ""),
            )
            for number, one in self.state["partners"].items()
        }  # fmt: skip


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}T00:00:00"


def _time(moment: datetime) -> str:
    return f"PT{moment:%H}H{moment:%M}M{moment:%S}S"
