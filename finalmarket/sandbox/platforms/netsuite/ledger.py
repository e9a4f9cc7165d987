"""The books of the stand-in: customers, sales orders, item fulfilments and inventory adjustments as records."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from finalmarket.sandbox.abilities import KeptOrder, Person
from finalmarket.sandbox.platforms.netsuite.door import KIND, Door, refusal
from finalmarket.sandbox.stand_in import Reply, Request, route

Thing = dict[str, Any]
RECORD = "/services/rest/record/v1"
HOME = f"https://1234567-sb1.suitetalk.api.netsuite.com{RECORD}"
STATUS = {"B": "Pending Fulfillment", "D": "Partially Fulfilled", "F": "Pending Billing", "G": "Billed", "H": "Closed"}
COUNTER = "1"  # the location at which people buy by themselves


class NetSuite(Door):
    """One account in two locations: 1 is the main warehouse, 2 another one."""

    def fresh_state(self) -> Thing:
        return {
            "count": 100, "tokens": {}, "items": {}, "locations": ["1", "2"], "currencies": {"1": "EUR", "2": "USD"},
            "customers": {}, "orders": {}, "fulfilments": {}, "adjustments": {}, "changed_at": self.world.clock.now(),
        }  # fmt: skip

    # Customers.

    @route("GET", f"{RECORD}/customer")
    def list_customers(self, request: Request) -> Reply:
        limit, offset = int(request.query.get("limit", 1000)), int(request.query.get("offset", 0))
        names = list(self.state["customers"])
        items = [{"id": name, "links": _links("customer", name)} for name in names[offset : offset + limit]]
        body = {
            "links": [], "count": len(items), "hasMore": offset + limit < len(names), "offset": offset,
            "totalResults": len(names), "items": items,
        }  # fmt: skip
        return Reply(200, body, {"Content-Type": f"{KIND}collection"})

    @route("GET", f"{RECORD}/customer/{{name}}")
    def read_customer(self, request: Request, name: str) -> Reply:
        one = self._one("customers", name)
        shown = {key: value for key, value in one.items() if key not in ("address", "lastModifiedDate")}
        shown |= {"links": _links("customer", one["id"]), "lastModifiedDate": _wide(one["lastModifiedDate"])}
        return _single(shown)

    @route("PUT", f"{RECORD}/customer/{{name}}")
    def put_customer(self, request: Request, name: str) -> Reply:
        told = request.json()
        known = self._found("customers", name)
        if known is None:
            if told.get("isPerson", False) and not (told.get("firstName") and told.get("lastName")):
                raise refusal(400, "USER_ERROR", "Please enter value(s) for: First Name, Last Name")
            if not told.get("isPerson", False) and not told.get("companyName"):
                raise refusal(400, "USER_ERROR", "Please enter value(s) for: Company Name")
            known = self._new("customers", {"entityId": "", "isPerson": False}, name)
        return self._customer(known, told)

    @route("PATCH", f"{RECORD}/customer/{{name}}")
    def patch_customer(self, request: Request, name: str) -> Reply:
        return self._customer(self._one("customers", name), request.json())

    def _customer(self, known: Thing, told: Thing) -> Reply:
        book = told.pop("addressbook", None)
        fields = {**told, **({"address": book["items"][0]["addressbookaddress"]} if book else {})}
        if any(known.get(key) != value for key, value in fields.items()):
            known |= fields
            person = f"{known.get('firstName', '')} {known.get('lastName', '')}".strip()
            known["entityId"] = known["entityId"] or f"{known['id']} {person or known.get('companyName', '')}"
            known["lastModifiedDate"] = self.now().replace(microsecond=0)
            self._changed("customer", id=known["id"])
        return _no_content("customer", known["id"])

    # Sales orders.

    @route("GET", f"{RECORD}/salesOrder/{{name}}")
    def read_order(self, request: Request, name: str) -> Reply:
        order = self._one("orders", name)
        shown = {key: value for key, value in order.items() if key != "lines"}
        if request.query.get("expandSubResources") == "true":
            rows = [dict(row) for row in order["lines"]]
            shown["item"] = {"items": rows, "count": len(rows), "hasMore": False, "offset": 0, "links": []}
        else:
            shown["item"] = {"links": [{"rel": "self", "href": f"{HOME}/salesOrder/{order['id']}/item"}]}
        return _single({**shown, "links": _links("salesOrder", order["id"])})

    @route("PUT", f"{RECORD}/salesOrder/{{name}}")
    def put_order(self, request: Request, name: str) -> Reply:
        told = request.json()
        known = self._found("orders", name)
        if known is None:
            self._check_order(told)
            known = self._new("orders", {"lines": [], "status": _status("B")}, name)
            known["tranId"] = f"SO{known['id']}"
        return self._order(known, told, is_replacing="item" in request.query.get("replace", ""))

    @route("PATCH", f"{RECORD}/salesOrder/{{name}}")
    def patch_order(self, request: Request, name: str) -> Reply:
        order = self._one("orders", name)
        if order["status"]["id"] in "GH":
            raise refusal(400, "USER_ERROR", "This transaction is billed or closed and cannot be edited.")
        return self._order(order, request.json(), is_replacing=False)

    def _check_order(self, told: Thing) -> None:
        missing = [field for field in ("entity", "item") if field not in told]
        if missing:
            raise refusal(400, "USER_ERROR", f"Please enter value(s) for: {', '.join(missing)}")
        if told["entity"]["id"] not in self.state["customers"] and told["entity"]["id"] != "1":
            raise refusal(400, "INVALID_CONTENT", f"Invalid Field Value {told['entity']['id']} for: entity")

    def _order(self, order: Thing, told: Thing, *, is_replacing: bool) -> Reply:
        rows = (told.pop("item", None) or {}).get("items", [])
        before = repr(order)
        fulfilled = sum(row["quantityFulfilled"] for row in order["lines"])
        if is_replacing and rows and not fulfilled:
            order["lines"] = []
        for row in rows:
            self._line(order, row)
        order |= told
        if repr(order) != before:
            self._changed("order", id=order["id"], number=order.get("otherRefNum", ""))
        return _no_content("salesOrder", order["id"])

    def _line(self, order: Thing, told: Thing) -> None:
        known = next((row for row in order["lines"] if row["line"] == told.get("line")), None)
        if known is None:
            item = told.get("item", {}).get("id", "")
            if item not in self.state["items"] and item not in ("90", "91"):
                raise refusal(400, "INVALID_CONTENT", f"Invalid Field Value {item} for: item")
            known = {"line": len(order["lines"]) + 1, "quantityFulfilled": 0, "isClosed": False, "amount": 0}
            order["lines"].append(known)
        if told.get("quantity", known.get("quantity", 0)) < known["quantityFulfilled"]:
            raise refusal(400, "USER_ERROR", "The quantity cannot be less than what was fulfilled.")
        known |= told

    # Parcels.

    @route("POST", f"{RECORD}/salesOrder/{{name}}/!transform/itemFulfillment")
    def fulfil(self, request: Request, name: str) -> Reply:
        """Ship what is not left out: lines that the body does not name go whole, as NetSuite has it."""
        told, order = request.json(), self._one("orders", name)
        if self._found("fulfilments", f"eid:{told.get('externalId', '')}") is not None:
            raise refusal(400, "USER_ERROR", "This record already exists.")
        named = {row["orderLine"]: row for row in told.get("item", {}).get("items", [])}
        leaving = []
        for row in order["lines"]:
            wanted = named.get(row["line"], {})
            left = row["quantity"] - row["quantityFulfilled"]
            units = wanted.get("quantity", left)
            if row["isClosed"] or not wanted.get("itemReceive", True):
                continue
            if not 0 < units <= left:
                raise refusal(400, "USER_ERROR", "The quantity is more than what remains to be fulfilled.")
            leaving.append((row, units, wanted.get("location", order.get("location", {"id": COUNTER}))["id"]))
        if not leaving:
            raise refusal(400, "USER_ERROR", "You must have at least one valid line item for this transaction.")
        return self._ship(order, told, leaving)

    def _ship(self, order: Thing, told: Thing, leaving: list[tuple[Thing, int, str]]) -> Reply:
        for row, units, location in leaving:
            row["quantityFulfilled"] += units
            self._move(row["item"]["id"], location, -units)
        is_whole = all(row["isClosed"] or row["quantityFulfilled"] == row["quantity"] for row in order["lines"])
        order["status"] = _status("F" if is_whole else "D")
        parcel = self._new("fulfilments", {**told, "createdFrom": {"id": order["id"]}})
        self._changed("fulfilment", id=parcel["id"], order=order["id"])
        return _no_content("itemFulfillment", parcel["id"])

    @route("GET", f"{RECORD}/itemFulfillment/{{name}}")
    def read_fulfilment(self, request: Request, name: str) -> Reply:
        parcel = self._one("fulfilments", name)
        return _single({**parcel, "links": _links("itemFulfillment", parcel["id"])})

    # Movements of stock.

    @route("PUT", f"{RECORD}/inventoryAdjustment/{{name}}")
    def put_adjustment(self, request: Request, name: str) -> Reply:
        told, known = request.json(), self._found("adjustments", name)
        rows = told.get("inventory", {}).get("items", [])
        if not told.get("account", {}).get("id") or not rows:
            raise refusal(400, "USER_ERROR", "Please enter value(s) for: Adjustment Account, Items")
        for row in rows:
            if row["item"]["id"] not in self.state["items"] or row["location"]["id"] not in self.state["locations"]:
                raise refusal(400, "INVALID_CONTENT", "Invalid Field Value for: item or location")
        if known is not None and known["inventory"] == told["inventory"]:
            return _no_content("inventoryAdjustment", known["id"])
        for row in known["inventory"]["items"] if known else []:
            self._move(row["item"]["id"], row["location"]["id"], -row["adjustQtyBy"])
        for row in rows:
            self._move(row["item"]["id"], row["location"]["id"], row["adjustQtyBy"])
        known = known or self._new("adjustments", {}, name)
        known |= told
        self._changed("adjustment", id=known["id"], memo=told.get("memo", ""))
        return _no_content("inventoryAdjustment", known["id"])

    def _move(self, item: str, location: str, units: int) -> None:
        stock = self.state["items"].get(item, {}).get("stock")
        if stock is not None:
            stock[location] = stock.get(location, 0) + units

    # The house.

    def _new(self, kind: str, fields: Mapping[str, Any], name: str = "") -> Thing:
        self.state["count"] += 1
        number = str(self.state["count"])
        made = {"id": number, **fields}
        if name.startswith("eid:"):
            made["externalId"] = name.removeprefix("eid:")
        self.state[kind][number] = made
        return made

    def _found(self, kind: str, name: str) -> Thing | None:
        """A record by its internal or external id."""
        held: dict[str, Thing] = self.state[kind]
        if not name.startswith("eid:"):
            return held.get(name)
        return next((one for one in held.values() if one.get("externalId") == name.removeprefix("eid:")), None)

    def _one(self, kind: str, name: str) -> Thing:
        found = self._found(kind, name)
        if found is None:
            raise refusal(404, "NONEXISTENT_ID", "The record instance does not exist. Provide a valid record ID.")
        return found

    def _changed(self, name: str, **facts: Any) -> None:
        self.state["changed_at"] = self.now()
        self.effect(name, **facts)

    # People at the counter, and what a test arranges.

    def add_listing(self, sku: str, title: str, price: Decimal, quantity: int, *, barcode: str = "") -> str:
        """Make an item with so many units in the main warehouse; returns its internal id."""
        item = self._new(
            "items",
            {"itemId": sku, "displayName": title, "upcCode": barcode, "price": str(price), "type": "InvtPart",
             "isInactive": False, "matrix": "", "stock": {COUNTER: quantity, "2": 0}, "committed": {}},
        )  # fmt: skip
        self.state["changed_at"] = self.now()
        return str(item["id"])

    def sign_up(self, fields: Mapping[str, Any], *, at: datetime | None = None) -> str:
        """A customer whom somebody entered there; returns the internal id."""
        made = self._new("customers", {"isPerson": True, **fields})
        made["entityId"] = f"{made['id']} {fields.get('lastName', fields.get('companyName', ''))}"
        made["lastModifiedDate"] = (at or self.now()).replace(microsecond=0)
        return str(made["id"])

    def listings(self) -> list[str]:
        """The SKUs of all items."""
        return [item["itemId"] for item in self.state["items"].values()]

    def shown_stock(self) -> dict[str, int]:
        """The units on hand by SKU, over all locations."""
        return {item["itemId"]: sum(item["stock"].values()) for item in self.state["items"].values()}

    def shop(self, chance: random.Random) -> None:
        """Somebody buys one or two of something at the company's own counter."""
        self.sell_over_counter(chance)

    def sell_over_counter(self, chance: random.Random) -> tuple[str, int] | None:
        """See CountsStock: a cash sale."""
        there = [item for item in self.state["items"].values() if item["stock"].get(COUNTER, 0) > 0]
        if not there:
            return None
        item = chance.choice(there)
        units = min(chance.randint(1, 2), item["stock"][COUNTER])
        self._move(item["id"], COUNTER, -units)
        self._changed("cash_sale", sku=item["itemId"], units=units)
        return str(item["itemId"]), units

    def kept_orders(self) -> list[KeptOrder]:
        """See KeepsOrders."""
        kept = []
        for order in self.state["orders"].values():
            goods = [row for row in order["lines"] if row["item"]["id"] in self.state["items"]]
            wanted = [row for row in goods if not row["isClosed"]]
            units, left = sum(row["quantity"] for row in wanted), sum(row["quantityFulfilled"] for row in goods)
            kept.append(KeptOrder(order.get("otherRefNum", ""), units, not wanted, left))
        return kept

    def meet(self, name: str, email: str) -> str:
        """See KnowsPeople."""
        first, _, last = name.rpartition(" ")
        return self.sign_up({"firstName": first, "lastName": last, "email": email})

    def rename(self, customer: str, name: str) -> None:
        """See KnowsPeople."""
        first, _, last = name.rpartition(" ")
        changed = {"firstName": first, "lastName": last, "lastModifiedDate": self.now().replace(microsecond=0)}
        self.state["customers"][customer] |= changed

    def people(self) -> dict[str, Person]:
        """See KnowsPeople."""
        return {
            name: Person(
                f"{one.get('firstName', '')} {one.get('lastName', '')}".strip() or one.get("companyName", ""),
                one.get("email", ""),
            )
            for name, one in self.state["customers"].items()
        }


def _status(letter: str) -> Thing:
    return {"id": letter, "refName": STATUS[letter]}


def _wide(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _links(kind: str, name: str) -> list[Thing]:
    return [{"rel": "self", "href": f"{HOME}/{kind}/{name}"}]


def _single(body: Thing) -> Reply:
    return Reply(200, body, {"Content-Type": f"{KIND}singular"})


def _no_content(kind: str, name: str) -> Reply:
    return Reply(204, None, {"Location": f"{HOME}/{kind}/{name}"})
