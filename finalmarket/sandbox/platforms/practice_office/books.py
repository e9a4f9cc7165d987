"""The books of the practice office: items and their stock, orders that were sold elsewhere, movements of stock.

A level knows the moment up to which it has heard what happened (`known_at`) and when somebody last counted it
(`counted_at`). A movement from before a count changes nothing any more: the count has seen it. A parcel takes its goods
out of the stock of the place that it left from.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from finalmarket.sandbox.platforms.practice_office.desk import MAIN, Desk, Fields, outside, refusal
from finalmarket.sandbox.stand_in import Reply, Request, route

MOST_MOVEMENTS = 20
KINDS = ("receive", "adjust", "loss", "sale", "return", "transfer")
KEPT_OF_AN_ORDER = ("id", "parcels", "is_invoiced")


class Books(Desk):
    """Items, orders, movements."""

    # Reading.

    @route("GET", "/v1/items")
    def list_items(self, request: Request) -> Reply:
        return self._list(request, "items")

    @route("GET", "/v1/stock")
    def read_stock(self, request: Request) -> Reply:
        place, found = request.query.get("location") or "", []
        for number in request.query.get("items", "").split(","):
            item = self.state["items"].get(number)
            for location, level in (item["stock"] if item else {}).items():
                if place in ("", location):
                    found.append(
                        {"item": number, "sku": item["sku"], "location": location, "quantity": level["quantity"],
                         "known_at": level["known_at"]}
                    )  # fmt: skip
        return Reply(200, {"levels": found})

    @route("GET", "/v1/order")
    def find_order(self, request: Request) -> Reply:
        found = self._found("orders", number=request.query.get("number"))
        if found is None:
            raise refusal(404, "not_found", "there is no order of that number")
        return Reply(200, found)

    # Orders.

    @route("POST", "/v1/orders")
    def set_order(self, request: Request) -> Reply:
        """Make the order of that number, or bring it up to what is told; told again, nothing changes."""
        told = {name: value for name, value in request.json().items() if name != "key"}
        self._require_known(told)
        known = self._found("orders", number=told["number"])
        if known is None:
            known = {"id": f"O{self._next()}", "parcels": [], "is_invoiced": False, "lines": []}
            self._write_order(known, told)
            self.state["orders"][known["id"]] = known
            self.effect("order", id=known["id"], number=known["number"])
        elif _content(known) != told:
            if known["is_invoiced"]:
                raise refusal(422, "invoiced", f"order {known['id']} is invoiced and cannot be changed any more")
            self._write_order(known, told)
            self.effect("order_changed", id=known["id"], number=known["number"])
        return Reply(200, known)

    def _require_known(self, told: Fields) -> None:
        if not told["number"] or not told["lines"]:
            raise refusal(422, "empty", "an order has a number and lines")
        if told["customer"] and told["customer"] not in self.state["customers"]:
            raise refusal(422, "no_customer", f"there is no customer {told['customer']}")
        for line in told["lines"]:
            if line["item"] and line["item"] not in self.state["items"]:
                raise refusal(422, "no_item", f"there is no item {line['item']}")

    def _write_order(self, order: Fields, told: Fields) -> None:
        """Write an order's content; a line keeps its name."""
        names = {line["reference"]: line["id"] for line in order["lines"]}
        for line in told["lines"]:
            names.setdefault(line["reference"], f"{order['id']}-{self._next()}")
        order |= {**told, "lines": [{**line, "id": names[line["reference"]]} for line in told["lines"]]}
        self._changed("", order)

    @route("POST", "/v1/orders/{number}/parcels")
    def note_parcel(self, request: Request, number: str) -> Reply:
        return self._once(request, lambda: self._note_parcel(number, request.json()))

    def _note_parcel(self, number: str, told: Fields) -> Reply:
        order = self._one("orders", number)
        left = {line["id"]: line["quantity"] - line["cancelled"] for line in order["lines"]}
        for parcel in order["parcels"]:
            for line in parcel["lines"]:
                left[line["id"]] -= line["quantity"]
        if not told["lines"] or any(line["quantity"] > left.get(line["id"], 0) for line in told["lines"]):
            raise refusal(422, "not_open", "these units are not open any more")
        parcel = {**told, "id": f"F{self._next()}"}
        order["parcels"].append(parcel)
        lines = {line["id"]: line for line in order["lines"]}
        for line in told["lines"]:
            told_of = lines[line["id"]]
            item = self.state["items"].get(told_of["item"]) or self._found("items", sku=told_of["sku"])
            if item is not None and told["location"] in self.state["locations"]:
                self._move(item, told["location"], -line["quantity"], told["shipped_at"])
        self.effect("fulfilment", order=number, id=parcel["id"], tracking_number=told["number"])
        return Reply(201, {"id": parcel["id"]})

    # Movements.

    @route("POST", "/v1/movements")
    def post_movements(self, request: Request) -> Reply:
        return self._each(request.json()["movements"], MOST_MOVEMENTS, self._post_movement)

    def _post_movement(self, told: Fields) -> None:
        if told["key"] in self.state["movements"]:
            return
        item = self._item(told["item"] or told["sku"])
        place = told["location"] or self.state["locations"][0]
        places = [(place, told["quantity"])]
        if told["kind"] == "transfer":
            places = [(place, -told["quantity"]), (told["to_location"], told["quantity"])]
        if told["kind"] not in KINDS:
            raise refusal(422, "no_kind", f"there is no movement called {told['kind']}")
        for location, _ in places:
            if location not in self.state["locations"]:
                raise refusal(422, "no_location", f"there is no location {location!r}")
        for location, quantity in places:
            self._move(item, location, quantity, told["at"])
        self.state["movements"][told["key"]] = {**told, "item": item["id"]}
        self.effect("movement", key=told["key"], item=item["id"], kind=told["kind"], quantity=told["quantity"])

    def _move(self, item: Fields, location: str, quantity: int, at: str) -> None:
        level = item["stock"].setdefault(location, {"quantity": 0, "known_at": "", "counted_at": ""})
        if at > level["counted_at"]:
            level["quantity"] += quantity
        level["known_at"] = max(level["known_at"], at)

    def _item(self, name: str) -> Fields:
        """An item by its id or its SKU."""
        found: Fields | None = self.state["items"].get(name) or self._found("items", sku=name)
        if found is None:
            raise refusal(404, "no_item", f"there is no item {name}")
        return found

    # The outside world.

    def listings(self) -> list[str]:
        """The SKUs that the books know."""
        return [item["sku"] for item in self.state["items"].values()]

    def shown_stock(self) -> dict[str, int]:
        """What the books show, by SKU, over all locations."""
        return {
            item["sku"]: sum(level["quantity"] for level in item["stock"].values())
            for item in self.state["items"].values()
        }  # fmt: skip

    @outside
    def add_listing(self, sku: str, title: str, price: Decimal, quantity: int, *, barcode: str = "") -> str:
        """Put an item into the books, counted just now at the first location; returns its id."""
        number, at = f"I{self._next()}", self.now().isoformat()
        level = {"quantity": quantity, "known_at": at, "counted_at": at}
        item = {
            "id": number, "sku": sku, "title": title, "barcode": barcode, "price": str(price), "currency": "EUR",
            "stock": {self.state["locations"][0]: level},
        }  # fmt: skip
        self.state["items"][number] = item
        self._changed("", item)
        return number

    @outside
    def add_location(self, name: str) -> None:
        """One more place where stock lies."""
        if name not in self.state["locations"]:
            self.state["locations"].append(name)

    @outside
    def count(self, item: str, quantity: int, *, location: str = MAIN, at: datetime | None = None) -> None:
        """Somebody counts an item (by id or SKU) at a location; `at` is when, now unless it was written in later."""
        found, moment = self._item(item), (at or self.now()).isoformat()
        found["stock"][location] = {"quantity": quantity, "known_at": moment, "counted_at": moment}
        self._changed("item.counted", found)

    @outside
    def invoice(self, number: str) -> None:
        """The office writes the invoice of an order (by id or number): from now on it stands."""
        order = self.state["orders"].get(number) or self._found("orders", number=number)
        if order is None:
            raise KeyError(number)
        order["is_invoiced"] = True

    def orders(self) -> dict[str, Fields]:
        """All orders in the books, by number."""
        return {order["number"]: order for order in self.state["orders"].values()}


def _content(order: Fields) -> Fields:
    """An order as it was told."""
    lines = [{name: value for name, value in line.items() if name != "id"} for line in order["lines"]]
    kept = (*KEPT_OF_AN_ORDER, "changed", "changed_at")
    return {**{name: value for name, value in order.items() if name not in kept}, "lines": lines}
