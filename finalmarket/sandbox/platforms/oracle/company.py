"""The company of the stand-in: items in organisation M1, people, orders, shipments and staged transactions."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from finalmarket.sandbox.abilities import KeptOrder, Person
from finalmarket.sandbox.conditions import Entity
from finalmarket.sandbox.platforms.oracle.gate import Gate, refusal
from finalmarket.sandbox.stand_in import Reply, Request, route

SCM = "/fscmRestApi/resources/11.13.18.05"
PEOPLE = "/crmRestApi/resources/11.13.18.05/contacts"
ORDERS = f"{SCM}/salesOrdersForOrderHub"
MAIN, STORES = "M1", "Stores"
ORGANIZATIONS = {"M1": "Seattle Manufacturing", "M2": "Boston Distribution"}
SERVICES = ("FREIGHT", "OTHER")  # products without stock


class Oracle(Gate):
    """One company with two inventory organisations."""

    def fresh_state(self) -> dict[str, Any]:
        return {
            "count": 1000, "tokens": {}, "items": {}, "stock": {}, "people": {}, "orders": {}, "shipment_lines": [],
            "shipments": {}, "staged": {}, "completed": {},
        }  # fmt: skip

    # Reading.

    @route("GET", f"{SCM}/inventoryOrganizations")
    def list_organizations(self, request: Request) -> Reply:
        rows = [{"OrganizationCode": code, "OrganizationName": name} for code, name in ORGANIZATIONS.items()]
        return self.listed(request, rows)

    @route("GET", f"{SCM}/itemsV2")
    def list_items(self, request: Request) -> Reply:
        return self.listed(request, list(self.state["items"].values()), is_stream=True)

    @route("GET", f"{SCM}/inventoryOnhandBalances")
    def list_balances(self, request: Request) -> Reply:
        rows = [
            {"OrganizationCode": code, "SubinventoryCode": place, "ItemNumber": item, "PrimaryQuantity": units,
             "PrimaryUOMCode": "Ea"}
            for (item, code, place), units in self.state["stock"].items()
        ]  # fmt: skip
        return self.listed(request, rows)

    @route("GET", PEOPLE)
    def list_people(self, request: Request) -> Reply:
        return self.listed(request, list(self.state["people"].values()), is_stream=True)

    @route("GET", f"{PEOPLE}/{{number}}")
    def read_person(self, request: Request, number: str) -> Reply:
        return Reply(200, self._person(number))

    @route("GET", f"{ORDERS}/{{key}}")
    def read_order(self, request: Request, key: str) -> Reply:
        order = self._order(key)
        lines = {} if "lines" not in request.query.get("expand", "") else {"lines": order["lines"]}
        return Reply(200, {**{name: value for name, value in order.items() if name != "lines"}, **lines})

    @route("GET", f"{SCM}/shipmentLines")
    def list_shipment_lines(self, request: Request) -> Reply:
        return self.listed(request, self.state["shipment_lines"])

    @route("GET", f"{SCM}/shipments")
    def list_shipments(self, request: Request) -> Reply:
        return self.listed(request, list(self.state["shipments"].values()))

    @route("GET", f"{SCM}/inventoryStagedTransactions")
    def list_staged(self, request: Request) -> Reply:
        return self.listed(request, list(self.state["staged"].values()))

    @route("GET", f"{SCM}/inventoryCompletedTransactions")
    def list_completed(self, request: Request) -> Reply:
        return self.listed(request, list(self.state["completed"].values()))

    # People.

    @route("POST", PEOPLE)
    def make_person(self, request: Request) -> Reply:
        told = request.json()
        known = self.state["people"].get(told.get("PartyNumber", ""))
        if known is not None and request.headers.get("upsert-mode") != "true":
            raise refusal(400, "A person with that party number is there already", "27004")
        if known is None and not told.get("LastName"):
            raise refusal(400, "Attribute LastName in ContactVO is required.")
        known = known or self.sign_up(told, is_quiet=False)
        return Reply(201, self._told_of(known, told))

    @route("PATCH", f"{PEOPLE}/{{number}}")
    def change_person(self, request: Request, number: str) -> Reply:
        return Reply(200, self._told_of(self._person(number), request.json()))

    def _told_of(self, known: Entity, told: Entity) -> Entity:
        if any(known.get(name) != value for name, value in told.items()):
            known |= {**told, "LastUpdateDate": _wide(self.now())}
            self.effect("person", number=known["PartyNumber"], fields=sorted(told))
        return known

    def sign_up(self, told: Mapping[str, Any], *, at: datetime | None = None, is_quiet: bool = True) -> Entity:
        """A person whom somebody entered."""
        number = str(told.get("PartyNumber") or self._next())
        made = {**told, "PartyNumber": number, "PartyStatus": "A", "LastUpdateDate": _wide(at or self.now())}
        self.state["people"][number] = made
        if not is_quiet:
            self.effect("person", number=number, fields=sorted(told))
        return made

    def _person(self, number: str) -> Entity:
        found: Entity | None = self.state["people"].get(unquote(number))
        if found is None:
            raise refusal(404, f"There is no person {number}", "404")
        return found

    # Orders.

    @route("POST", ORDERS)
    def make_order(self, request: Request) -> Reply:
        told = request.json()
        key = f"{told['SourceTransactionSystem']}:{told['SourceTransactionId']}"
        if key in self.state["orders"]:
            raise refusal(400, "An order with that source transaction is there already", "DOO-2685874")
        if told["BuyingPartyNumber"] not in {*self.state["people"], "1000"}:
            raise refusal(400, f"The buying party {told['BuyingPartyNumber']} is not valid", "DOO-1046028")
        order = {**told, "HeaderId": self._next(), "OrderNumber": told["SourceTransactionNumber"], "StatusCode": "OPEN"}
        order["lines"] = []
        lines = [self._line(order, line) for line in told["lines"]]
        for line in lines:
            self._add(order, line)
        self.state["orders"][key] = order
        self.effect("order", key=key)
        return Reply(201, {name: value for name, value in order.items() if name != "lines"})

    @route("PATCH", f"{ORDERS}/{{key}}")
    def change_order(self, request: Request, key: str) -> Reply:
        order, told = self._order(key), request.json()
        for change in told.get("lines", []):
            line = next((one for one in order["lines"] if one["FulfillLineId"] == change["FulfillLineId"]), None)
            if line is None or change["OrderedQuantity"] < line["ShippedQuantity"]:
                raise refusal(400, "The line cannot be changed: it has shipped, or is not there", "DOO-2685647")
            if line["OrderedQuantity"] != change["OrderedQuantity"]:
                line |= change
                for row in self.state["shipment_lines"]:
                    if row["ShipmentLine"] == line["FulfillLineId"]:
                        row["RequestedQuantity"] = change["OrderedQuantity"] - line["ShippedQuantity"]
                self.effect("order_line", key=unquote(key), line=line["LineNumber"], units=change["OrderedQuantity"])
        return Reply(200, {name: value for name, value in order.items() if name != "lines"})

    @route("POST", f"{ORDERS}/{{key}}/child/lines")
    def add_line(self, request: Request, key: str) -> Reply:
        order = self._order(key)
        line = self._line(order, request.json())
        if any(one["SourceTransactionLineId"] == line["SourceTransactionLineId"] for one in order["lines"]):
            raise refusal(400, "A line with that source id is there already", "DOO-2685650")
        self._add(order, line)
        self.effect("order_line", key=unquote(key), line=line["LineNumber"], units=line["OrderedQuantity"])
        return Reply(201, {name: value for name, value in line.items() if name != "charges"})

    def _line(self, order: Entity, told: Entity) -> Entity:
        product = told["ProductNumber"]
        if product not in self.state["items"] and product not in SERVICES:
            raise refusal(400, f"The product {product} is not valid", "DOO-1046031")
        charges = told.get("charges", [])
        components = [one["PriceElementCode"] for charge in charges for one in charge["chargeComponents"]]
        if order["FreezePriceFlag"] and not {"QP_LIST_PRICE", "QP_NET_PRICE"} <= set(components):
            raise refusal(400, "The list price or net price for the charge does not contain a value", "DOO-2685720")
        return {**told, "FulfillLineId": self._next(), "ShippedQuantity": 0}

    def _add(self, order: Entity, line: Entity) -> None:
        """Take a line in, and hand it to shipping."""
        line["LineNumber"] = len(order["lines"]) + 1
        order["lines"].append(line)
        if line["ProductNumber"] in self.state["items"]:
            self.state["shipment_lines"].append(
                {"ShipmentLine": line["FulfillLineId"], "Order": str(order["OrderNumber"]),
                 "OrderLine": str(line["LineNumber"]), "Item": line["ProductNumber"],
                 "RequestedQuantity": line["OrderedQuantity"], "ShippedQuantity": 0, "LineStatus": "Staged"}
            )  # fmt: skip

    def _order(self, key: str) -> Entity:
        orders = self.state["orders"]
        by_id = (order for order in orders.values() if str(order["HeaderId"]) == key)
        found: Entity | None = orders.get(unquote(key)) or next(by_id, None)
        if found is None:
            raise refusal(404, f"There is no sales order {unquote(key)}", "404")
        return found

    # Shipping.

    @route("POST", f"{SCM}/shipmentTransactionRequests")
    def ship(self, request: Request) -> Reply:
        told = request.json()
        (shipment,) = told["shipments"]
        packed = [line for unit in shipment["outerPackingUnits"] for line in unit["packedLines"]]
        wrong = self._wrong_in(shipment, packed)
        answer = {"TransactionId": self._next(), "ActionCode": told["ActionCode"], "errors": []}
        if wrong:
            return Reply(201, {**answer, "errors": [{"MessageName": "WSH_ERROR", "MessageText": wrong}]})
        for line in packed:
            row = self._shipment_line(line["ShipmentLine"])
            units = line["ShippedQuantity"]
            row |= {"RequestedQuantity": row["RequestedQuantity"] - units}
            row |= {"ShippedQuantity": row["ShippedQuantity"] + units}
            if not row["RequestedQuantity"]:
                row["LineStatus"] = "Interfaced"
            self._sold(row, units)
            self._move(row["Item"], shipment["ShipFromOrganizationCode"], line.get("Subinventory", STORES), -units)
        self.state["shipments"][shipment["Shipment"]] = {**shipment, "ShipmentStatus": "Closed"}
        self.effect("shipment", shipment=shipment["Shipment"], lines=len(packed))
        return Reply(201, answer)

    def _wrong_in(self, shipment: Entity, packed: list[Entity]) -> str:
        if shipment["Shipment"] in self.state["shipments"]:
            return f"The shipment {shipment['Shipment']} exists already"
        if shipment["ShipFromOrganizationCode"] not in ORGANIZATIONS:
            return "The ship-from organization is not valid"
        for line in packed:
            row = self._shipment_line(line["ShipmentLine"])
            if not row or not 0 < line["ShippedQuantity"] <= row["RequestedQuantity"]:
                return f"The shipment line {line['ShipmentLine']} cannot be shipped"
        return "" if packed else "There is nothing to ship"

    def _shipment_line(self, number: int) -> Entity:
        rows: list[Entity] = self.state["shipment_lines"]
        return next((row for row in rows if row["ShipmentLine"] == number), {})

    def _sold(self, row: Entity, units: int) -> None:
        for order in self.state["orders"].values():
            for line in order["lines"]:
                if line["FulfillLineId"] == row["ShipmentLine"]:
                    line["ShippedQuantity"] += units

    # Staged transactions.

    @route("POST", f"{SCM}/inventoryStagedTransactions")
    def stage(self, request: Request) -> Reply:
        """Take a transaction and process it at once (mode 1); one that fails stays staged with its error."""
        told = request.json()
        number = self._next()
        wrong = self._wrong_with(told)
        row = {**told, "TransactionInterfaceId": number, "ErrorCode": "INV_ERROR" if wrong else None}
        row["ErrorExplanation"] = wrong or None
        if wrong:
            self.state["staged"][number] = row
            return Reply(201, row)
        code = self._code(told["OrganizationName"])
        self._move(told["ItemNumber"], code, told.get("SubinventoryCode", STORES), told["TransactionQuantity"])
        if "Transfer" in told["TransactionTypeName"]:
            to_code = self._code(told.get("TransferOrganizationName", told["OrganizationName"]))
            to_place = told.get("TransferSubinventory", STORES)
            self._move(told["ItemNumber"], to_code, to_place, -told["TransactionQuantity"])
        self.state["completed"][number] = {"TransactionId": number, "Reference": told["TransactionReference"]}
        self.effect("transaction", reference=told["TransactionReference"])
        return Reply(201, row)

    @route("DELETE", f"{SCM}/inventoryStagedTransactions/{{number}}")
    def unstage(self, request: Request, number: str) -> Reply:
        self.state["staged"].pop(int(number), None)
        return Reply(204)

    def _wrong_with(self, told: Entity) -> str:
        kind, units = told["TransactionTypeName"], told["TransactionQuantity"]
        if told["ItemNumber"] not in self.state["items"]:
            return f"The item {told['ItemNumber']} is not valid"
        if told["OrganizationName"] not in ORGANIZATIONS.values():
            return "The organization is not valid"
        if (units > 0) is not (kind == "Miscellaneous Receipt"):
            return f"The quantity {units} has the wrong sign for {kind}"
        key = (told["ItemNumber"], self._code(told["OrganizationName"]), told.get("SubinventoryCode", STORES))
        return "Negative balances are not allowed" if self.state["stock"].get(key, 0) + units < 0 else ""

    def _code(self, name: str) -> str:
        return next(code for code, known in ORGANIZATIONS.items() if known == name)

    def _move(self, item: str, code: str, place: str, units: int) -> None:
        stock = self.state["stock"]
        stock[item, code, place] = stock.get((item, code, place), 0) + units

    def _next(self) -> int:
        self.state["count"] += 1
        return int(self.state["count"])

    # People at the counter, and what a test arranges.

    def add_listing(self, sku: str, title: str, price: Decimal, quantity: int, *, barcode: str = "") -> str:
        """An item with so many units in the stores of M1; price and barcode stand in lists that the API lacks."""
        self.state["items"][sku] = {
            "ItemId": self._next(), "ItemNumber": sku, "ItemDescription": title, "ItemStatusValue": "Active",
            "OrganizationCode": MAIN,
        }  # fmt: skip
        self._move(sku, MAIN, STORES, quantity)
        return sku

    def listings(self) -> list[str]:
        """All items."""
        return list(self.state["items"])

    def shown_stock(self) -> dict[str, int]:
        """The units by item, over all organisations."""
        found = dict.fromkeys(self.state["items"], 0)
        for (item, _, _), units in self.state["stock"].items():
            found[item] += units
        return found

    def shop(self, chance: random.Random) -> None:
        """Somebody buys one or two of something at the company's own counter."""
        self.sell_over_counter(chance)

    def sell_over_counter(self, chance: random.Random) -> tuple[str, int] | None:
        """See CountsStock."""
        there = [item for item in self.state["items"] if self.state["stock"][item, MAIN, STORES] > 0]
        if not there:
            return None
        item = chance.choice(there)
        units = min(chance.randint(1, 2), self.state["stock"][item, MAIN, STORES])
        self._move(item, MAIN, STORES, -units)
        self.effect("counter_sale", item=item, units=units)
        return str(item), units

    def kept_orders(self) -> list[KeptOrder]:
        """See KeepsOrders."""
        kept = []
        for order in self.state["orders"].values():
            goods = [line for line in order["lines"] if line["ProductNumber"] in self.state["items"]]
            units = sum(int(line["OrderedQuantity"]) for line in goods)
            left = sum(int(line["ShippedQuantity"]) for line in goods)
            kept.append(KeptOrder(str(order["OrderNumber"]), units, not units, left))
        return kept

    def meet(self, name: str, email: str) -> str:
        """See KnowsPeople."""
        first, _, last = name.rpartition(" ")
        return str(self.sign_up({"FirstName": first, "LastName": last, "EmailAddress": email})["PartyNumber"])

    def rename(self, customer: str, name: str) -> None:
        """See KnowsPeople."""
        first, _, last = name.rpartition(" ")
        self.state["people"][customer] |= {
            "FirstName": first, "LastName": last, "LastUpdateDate": _wide(self.now())
        }  # fmt: skip

    def people(self) -> dict[str, Person]:
        """See KnowsPeople."""
        return {
            number: Person(f"{one.get('FirstName', '')} {one.get('LastName', '')}".strip(), one.get("EmailAddress", ""))
            for number, one in self.state["people"].items()
        }


def _wide(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
