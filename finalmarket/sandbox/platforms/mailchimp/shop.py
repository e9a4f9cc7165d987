"""The shop's data: stores, products with variants, customers, orders with lines. Ids are given by who tells of them."""

from __future__ import annotations

import copy
from typing import Any
from urllib.parse import unquote

from finalmarket.sandbox.abilities import KeptOrder
from finalmarket.sandbox.platforms.mailchimp.audience import Audience, member_id
from finalmarket.sandbox.platforms.mailchimp.office import LIST, Object, invalid, missing, problem
from finalmarket.sandbox.stand_in import Reply, Request, route

ROOT = "/3.0/ecommerce/stores"
STORE = f"{ROOT}/{{store}}"
ORDER = f"{STORE}/orders/{{name}}"


class Shop(Audience):
    """E-commerce."""

    @route("GET", ROOT)
    def list_stores(self, request: Request) -> Reply:
        return self.part(request, "stores", [_shown_store(store) for store in self.state["stores"].values()])

    @route("POST", ROOT)
    def add_store(self, request: Request) -> Reply:
        told = self.body_of(request)
        if told.get("list_id") != LIST:
            raise invalid(("list_id", "The list does not exist."))
        if not all(told.get(name) for name in ("id", "name", "currency_code")):
            raise invalid(("id", "This value should not be blank."))
        if told["id"] in self.state["stores"]:
            raise problem(400, "Bad Request", "A store with the provided ID already exists.")
        self.state["stores"][told["id"]] = {**told, "products": {}, "customers": {}, "orders": {}}
        self.effect("store", id=told["id"])
        return Reply(200, _shown_store(self.state["stores"][told["id"]]))

    @route("GET", STORE)
    def read_store(self, request: Request, store: str) -> Reply:
        return Reply(200, _shown_store(self._store(store)))

    def _store(self, name: str) -> Object:
        found: Object | None = self.state["stores"].get(unquote(name))
        if found is None:
            raise missing()
        return found

    def _one(self, store: str, kind: str, name: str) -> Object:
        found: Object | None = self._store(store)[kind].get(unquote(name))
        if found is None:
            raise missing()
        return found

    # Products and customers.

    @route("GET", f"{STORE}/products/{{name}}")
    def read_product(self, request: Request, store: str, name: str) -> Reply:
        return Reply(200, self._one(store, "products", name))

    @route("POST", f"{STORE}/products")
    def add_product(self, request: Request, store: str) -> Reply:
        told, products = self.body_of(request), self._store(store)["products"]
        if not told.get("id") or not told.get("title") or not told.get("variants"):
            raise invalid(("variants", "A product has an id, a title and a variant."))
        if told["id"] in products:
            raise problem(400, "Bad Request", "A product with the provided ID already exists.")
        products[told["id"]] = told
        self.effect("product", id=told["id"])
        return Reply(200, told)

    @route("DELETE", f"{STORE}/customers/{{name}}")
    def remove_customer(self, request: Request, store: str, name: str) -> Reply:
        gone = self._one(store, "customers", name)
        del self._store(store)["customers"][gone["id"]]
        self.effect("buyer deleted", id=gone["id"])
        return Reply(204)

    @route("PUT", f"{STORE}/customers/{{name}}")
    def put_customer(self, request: Request, store: str, name: str) -> Reply:
        told, customers = self.body_of(request), self._store(store)["customers"]
        if told.get("id") != unquote(name) or "@" not in str(told.get("email_address")):
            raise invalid(("email_address", "This value should be a valid email address."))
        before = customers.get(told["id"])
        after = {**(before or {}), **told}
        if after != before:
            customers[told["id"]] = after
            self.effect("customer", id=told["id"])
        email = told["email_address"]
        if member_id(email) not in self.state["members"]:
            self._new_member(email, "subscribed" if told.get("opt_in_status") else "transactional")
        return Reply(200, after)

    # Orders.

    @route("GET", ORDER)
    def read_order(self, request: Request, store: str, name: str) -> Reply:
        return Reply(200, self._shown_order(store, self._one(store, "orders", name)))

    @route("POST", f"{STORE}/orders")
    def add_order(self, request: Request, store: str) -> Reply:
        told, there = self.body_of(request), self._store(store)
        wanted = ("id", "customer", "currency_code", "lines")
        if not all(told.get(name) for name in wanted) or "order_total" not in told:
            raise invalid(("id", "This value should not be blank."))
        if told["id"] in there["orders"]:
            raise problem(400, "Bad Request", "An order with the provided ID already exists in this store.")
        if told["customer"].get("id") not in there["customers"]:
            raise invalid(("customer.id", "The customer does not exist."))
        for line in told["lines"]:
            self._look_at(there, line)
        there["orders"][told["id"]] = told
        self.effect("order", id=told["id"])
        return Reply(200, self._shown_order(store, told))

    @route("PATCH", ORDER)
    def change_order(self, request: Request, store: str, name: str) -> Reply:
        order = self._one(store, "orders", name)
        self._change(order, self.body_of(request), "order changed")
        return Reply(200, self._shown_order(store, order))

    def _change(self, thing: Object, told: Object, effect: str) -> None:
        before = copy.deepcopy(thing)
        thing |= told
        if thing != before:
            self.effect(effect, id=thing["id"])

    def _look_at(self, store: Object, line: Object) -> None:
        product = store["products"].get(line.get("product_id"))
        variants = {one["id"] for one in product["variants"]} if product else set()
        if line.get("product_variant_id") not in variants:
            raise invalid(("lines.product_id", "The product or variant does not exist."))

    def _shown_order(self, store: str, order: Object) -> Object:
        customer = self._store(store)["customers"].get(order["customer"]["id"], order["customer"])
        return {**order, "customer": customer, "store_id": unquote(store)}

    @route("POST", f"{ORDER}/lines")
    def add_line(self, request: Request, store: str, name: str) -> Reply:
        order, told = self._one(store, "orders", name), self.body_of(request)
        self._look_at(self._store(store), told)
        if any(line["id"] == told.get("id") for line in order["lines"]):
            raise problem(400, "Bad Request", "A line with the provided ID already exists in this order.")
        order["lines"].append(told)
        self.effect("order changed", id=order["id"])
        return Reply(200, told)

    @route("PATCH", f"{ORDER}/lines/{{line}}")
    def change_line(self, request: Request, store: str, name: str, line: str) -> Reply:
        found = self._line(self._one(store, "orders", name), line)
        self._change(found, self.body_of(request), "order changed")
        return Reply(200, found)

    @route("DELETE", f"{ORDER}/lines/{{line}}")
    def remove_line(self, request: Request, store: str, name: str, line: str) -> Reply:
        order = self._one(store, "orders", name)
        order["lines"].remove(self._line(order, line))
        self.effect("order changed", id=order["id"])
        return Reply(204)

    def _line(self, order: Object, name: str) -> Object:
        for line in order["lines"]:
            if line["id"] == unquote(name):
                found: Object = line
                return found
        raise missing()

    # The truth.

    def orders(self) -> dict[str, Object]:
        """All orders, by their ids."""
        stores: list[Any] = list(self.state["stores"].values())
        return {name: order for store in stores for name, order in store["orders"].items()}

    def kept_orders(self) -> list[KeptOrder]:
        """See KeepsOrders."""
        return [
            KeptOrder(
                name, sum(line["quantity"] for line in order["lines"]), order.get("financial_status") == "cancelled"
            )
            for store in self.state["stores"].values()
            for name, order in store["orders"].items()
        ]


def _shown_store(store: Object) -> Object:
    return {name: value for name, value in store.items() if name not in ("products", "customers", "orders")}
