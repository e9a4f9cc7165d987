"""A Clover merchant, and the calls of REST API v3 and of the Ecommerce API that a hub makes.

State, not scripts: items with their stock, orders with lines and payments, customers, refunds, each as the data classes
of Clover's own SDK have them. Below lies store.py (https://docs.clover.com/dev/reference).
"""

from __future__ import annotations

from typing import Any

from finalmarket.sandbox.platforms.clover.store import MERCHANT, Object, Store, object_of, refusal, told
from finalmarket.sandbox.stand_in import Refused, Reply, Request, route

__all__ = ["Clover"]

HOME = f"/v3/merchants/{MERCHANT}"
ITEM_FIELDS = (
    "name", "sku", "code", "price", "priceType", "available", "hidden", "alternateName", "autoManage", "unitName",
)  # fmt: skip
CUSTOMER_FIELDS = ("firstName", "lastName", "marketingAllowed", "emailAddresses", "phoneNumbers", "addresses")
ORDER_LISTS = ("lineItems", "payments", "refunds", "credits", "discounts", "customers")
CUSTOMER_LISTS = ("emailAddresses", "phoneNumbers", "addresses")


class Clover(Store):
    """One merchant."""

    @route("GET", HOME)
    def read_merchant(self, request: Request) -> Reply:
        return told({"id": MERCHANT, "name": "Practice Shop", "defaultCurrency": "USD", "createdTime": 0})

    # Orders.

    @route("GET", f"{HOME}/orders")
    def list_orders(self, request: Request) -> Reply:
        return self.listed(request, list(self.state["orders"].values()), lambda one: _shown(one, request, ORDER_LISTS))

    @route("GET", f"{HOME}/orders/{{name}}")
    def read_order(self, request: Request, name: str) -> Reply:
        return told(_shown(self.one("orders", name), request, ORDER_LISTS))

    # The inventory.

    @route("GET", f"{HOME}/items")
    def list_items(self, request: Request) -> Reply:
        return self.listed(request, list(self.state["items"].values()), _item)

    @route("GET", f"{HOME}/items/{{name}}")
    def read_item(self, request: Request, name: str) -> Reply:
        return told(_item(self.one("items", name)))

    @route("POST", f"{HOME}/items")
    def post_item(self, request: Request) -> Reply:
        fields = _checked(object_of(request, ITEM_FIELDS))
        if not fields.get("name") or "price" not in fields:
            raise refusal(400, "name and price are required")
        return told(_item(self.new_item(fields)))

    @route("POST", f"{HOME}/items/{{name}}")
    def post_item_change(self, request: Request, name: str) -> Reply:
        item, fields = self.one("items", name), _checked(object_of(request, ITEM_FIELDS))
        item |= {**fields, "modifiedTime": self.milliseconds()}
        self.effect("item changed", id=name, fields=sorted(fields))
        self.call("I", name, "UPDATE")
        return told(_item(item))

    @route("GET", f"{HOME}/item_stocks/{{name}}")
    def read_stock(self, request: Request, name: str) -> Reply:
        return told(self.one("items", name)["itemStock"])

    @route("POST", f"{HOME}/item_stocks/{{name}}")
    def post_stock(self, request: Request, name: str) -> Reply:
        quantity = object_of(request, ("quantity",)).get("quantity")
        if isinstance(quantity, bool) or not isinstance(quantity, (int, float)):
            raise refusal(400, "quantity is required")
        return told(self.set_stock(name, quantity))

    # Customers.

    @route("GET", f"{HOME}/customers")
    def list_customers(self, request: Request) -> Reply:
        people = list(self.state["customers"].values())
        return self.listed(request, people, lambda one: _shown(one, request, CUSTOMER_LISTS))

    @route("GET", f"{HOME}/customers/{{name}}")
    def read_customer(self, request: Request, name: str) -> Reply:
        return told(_shown(self.one("customers", name), request, CUSTOMER_LISTS))

    @route("POST", f"{HOME}/customers")
    def post_customer(self, request: Request) -> Reply:
        return told(_wrapped(self.new_customer(self._named(object_of(request, CUSTOMER_FIELDS))), CUSTOMER_LISTS))

    @route("POST", f"{HOME}/customers/{{name}}")
    def post_customer_change(self, request: Request, name: str) -> Reply:
        customer = self.one("customers", name)
        customer |= self._named(object_of(request, CUSTOMER_FIELDS))
        self.effect("customer changed", id=name)
        self.call("C", name, "UPDATE")
        return told(_wrapped(customer, CUSTOMER_LISTS))

    @route("DELETE", f"{HOME}/customers/{{name}}")
    def remove_customer(self, request: Request, name: str) -> Reply:
        customer = self.one("customers", name)
        del self.state["customers"][name]
        self.effect("customer deleted", id=name)
        self.call("C", name, "DELETE")
        return told(_wrapped(customer, CUSTOMER_LISTS))

    def _named(self, fields: Object) -> Object:
        """Addresses get names of their own."""
        named = {
            field: [{"id": self.new_id(), **one} for one in fields[field]]
            for field in CUSTOMER_LISTS
            if field in fields
        }
        return {**fields, **named}

    # Money back: payments taken online only.

    @route("GET", "/v1/refunds")
    def list_refunds(self, request: Request) -> Reply:
        found = [one for one in reversed(self.state["refunds"].values()) if _is_of(one, request.query.get("charge"))]
        limit = int(request.query.get("limit", 10))
        return told({"object": "list", "data": found[:limit], "has_more": len(found) > limit})

    @route("POST", "/v1/refunds")
    def post_refund(self, request: Request) -> Reply:
        asked = object_of(request, ("charge", "amount", "reason"))
        name = asked.get("charge")
        if name not in self.state["online"]:
            raise _refused(404, "resource_missing", f"No such charge: {name}")
        order = next(
            one for one in self.state["orders"].values() if any(paid["id"] == name for paid in one["payments"])
        )
        (payment,) = [paid for paid in order["payments"] if paid["id"] == name]
        given = sum(one["amount"] for one in self.state["refunds"].values() if one["charge"] == name)
        amount = asked.get("amount", payment["amount"] - given)
        if not isinstance(amount, int) or amount <= 0 or amount > payment["amount"] - given:
            raise _refused(400, "amount_too_large", "Refund amount is more than what is left of the charge.")
        return told(self._give_back(order, payment, amount, given + amount == payment["amount"]))

    def _give_back(self, order: Object, payment: Object, amount: int, is_all: bool) -> Object:
        name, moment = self.new_id(), self.milliseconds()
        refund = {
            "id": name, "object": "refund", "charge": payment["id"], "amount": amount, "created": moment,
            "status": "succeeded",
        }  # fmt: skip
        self.state["refunds"][name] = refund
        order["refunds"].append(
            {"id": name, "orderRef": {"id": order["id"]}, "payment": {"id": payment["id"]}, "amount": amount,
             "createdTime": moment, "status": "SUCCESS"}
        )  # fmt: skip
        order |= {"paymentState": "REFUNDED" if is_all else "PARTIALLY_REFUNDED", "modifiedTime": moment}
        self.effect("refund", order=order["id"], id=name, charge=payment["id"], amount=amount)
        self.call("O", order["id"], "UPDATE")
        return refund


def _refused(status: int, code: str, message: str) -> Refused:
    """An error of the Ecommerce API."""
    return Refused(Reply(status, {"error": {"type": "invalid_request_error", "code": code, "message": message}}))


def _is_of(refund: Object, charge: str | None) -> bool:
    return charge is None or refund["charge"] == charge


def _checked(fields: Object) -> Object:
    price = fields.get("price", 0)
    if not isinstance(price, int) or isinstance(price, bool) or price < 0:
        raise refusal(400, "price is a whole number of cents")
    if "name" in fields and not fields["name"]:
        raise refusal(400, "name must not be empty")
    return fields


def _item(item: Object) -> Object:
    """An item without what has to be asked for."""
    return {name: value for name, value in item.items() if name != "itemStock"}


def _shown(one: Object, request: Request, lists: tuple[str, ...]) -> Object:
    """An object with those of its lists that are asked for, wrapped as Clover answers."""
    wanted = request.query.get("expand", "").split(",")
    return _wrapped({name: value for name, value in one.items() if name not in lists or name in wanted}, lists)


def _wrapped(one: Object, lists: tuple[str, ...]) -> Object:
    def wrap(name: str, value: Any) -> Any:
        return {"elements": value} if name in lists and isinstance(value, list) else value

    return {name: wrap(name, value) for name, value in one.items()}
