"""What a shop holds, and what happens to it: products and their stock, orders with all that follows, customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Thing = dict[str, Any]
ZERO = Decimal(0)
CENT = Decimal("0.01")
VAT = Decimal("0.19")
FIRST_ORDER_NUMBER = 1000
SHIPPING_PRICE = Decimal("4.90")


@dataclass
class Shop:
    """One shop. Things are found by their GraphQL ids."""

    name: str = "Practice Shop"
    domain: str = "practice-shop.myshopify.com"
    currency: str = "EUR"
    count: int = 7_000_000_000
    orders_placed: int = FIRST_ORDER_NUMBER
    locations: dict[str, Thing] = field(default_factory=dict)
    publications: dict[str, Thing] = field(default_factory=dict)
    products: dict[str, Thing] = field(default_factory=dict)
    variants: dict[str, Thing] = field(default_factory=dict)
    items: dict[str, Thing] = field(default_factory=dict)
    orders: dict[str, Thing] = field(default_factory=dict)
    customers: dict[str, Thing] = field(default_factory=dict)
    subscriptions: dict[str, Thing] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # the order of a refund, a parcel, a fulfilment order
    answers: dict[str, Thing] = field(default_factory=dict)  # by idempotency key
    tokens: dict[str, datetime | None] = field(default_factory=dict)  # access token: when it ends
    refresh_tokens: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    scopes: tuple[str, ...] = ()

    def new_id(self, kind: str) -> str:
        """A fresh GraphQL id."""
        self.count += 1
        return f"gid://shopify/{kind}/{self.count}"

    # Products and stock.

    def add_location(self, name: str) -> str:
        """Open a location; its id."""
        location = self.new_id("Location")
        self.locations[location] = {"id": location, "name": name, "is_active": True}
        return location

    @property
    def main_location(self) -> str:
        """The location that serves the web shop."""
        return next(iter(self.locations))

    def add_product(self, at: datetime, **facts: Any) -> Thing:
        """A product without variants."""
        product = {
            "id": self.new_id("Product"), "title": "", "description": "", "vendor": "", "type": "", "status": "ACTIVE",
            "handle": "", "variants": [], "publications": [], "updated": at, **facts,
        }  # fmt: skip
        self.products[product["id"]] = product
        return product

    def add_variant(self, product: Thing, **facts: Any) -> Thing:
        """A variant with its inventory item, stocked with nothing at the main location."""
        item: Thing = {"id": self.new_id("InventoryItem"), "tracked": True, "levels": {}}
        variant: Thing = {
            "id": self.new_id("ProductVariant"), "product": product["id"], "item": item["id"], "sku": "", "barcode": "",
            "title": "Default Title", "price": ZERO, "options": [("Title", "Default Title")], **facts,
        }  # fmt: skip
        item["variant"] = variant["id"]
        self.items[item["id"]], self.variants[variant["id"]] = item, variant
        product["variants"].append(variant["id"])
        self.level(item, self.main_location)
        return variant

    def level(self, item: Thing, location: str) -> Thing:
        """The stock of an item at a location where it is stocked from now on."""
        levels: dict[str, Thing] = item["levels"]
        return levels.setdefault(
            location, {"id": self.new_id("InventoryLevel"), "available": 0, "committed": 0, "updated": None}
        )

    def variant_of(self, sku: str) -> Thing | None:
        """The variant with that SKU."""
        return next((variant for variant in self.variants.values() if variant["sku"] == sku), None)

    def available(self, variant: Thing) -> int:
        """What is available of a variant, over all locations."""
        return sum(level["available"] for level in self.items[variant["item"]]["levels"].values())

    # Orders.

    def place_order(self, at: datetime, lines: Sequence[Thing], **facts: Any) -> Thing:
        """An order for the web shop, or with `retail_location` for a till. Goods with a variant leave what is available
        at `location` at once; what was sold at a till is gone with the buyer."""
        self.orders_placed += 1
        order: Thing = {
            "id": self.new_id("Order"), "name": f"#{self.orders_placed}", "created": at, "updated": at,
            "processed": at, "cancelled": None, "cancel_reason": None, "test": False, "source": "web",
            "retail_location": None, "presentment": self.currency, "rate": Decimal(1), "taxes_included": True,
            "email": None, "phone": None, "locale": "de", "customer": None, "shipping": None, "billing": None,
            "tip": ZERO, "fees": [], "transactions": [], "refunds": [], "fulfillments": [], "fulfillment_orders": [],
            "shipping_lines": [], "location": self.main_location, "said": {}, **facts,
        }  # fmt: skip
        order["lines"] = [self._line(line) for line in lines]
        self.orders[order["id"]] = order
        self._commit(order)
        if order["retail_location"]:
            self.fulfil(order, [(one, {}) for one in order["fulfillment_orders"]], at, None)
        return order

    def _line(self, facts: Thing) -> Thing:
        line = {
            "id": self.new_id("LineItem"), "title": "", "variant_title": None, "sku": None, "variant": None,
            "product": None, "quantity": 1, "price": ZERO, "discounts": [], "taxes": None, "gift_card": False,
            "requires_shipping": True, "duties": [], **facts,
        }  # fmt: skip
        line["current"] = line["quantity"]
        if line["taxes"] is None:
            gross = line["quantity"] * line["price"] - sum(line["discounts"], ZERO)
            line["taxes"] = [("MwSt", vat_in(gross))]
        return line

    def add_shipping(self, order: Thing, price: Decimal = SHIPPING_PRICE) -> None:
        """Charge shipping."""
        order["shipping_lines"].append(
            {"id": self.new_id("ShippingLine"), "title": "Standard", "price": price, "discounts": [],
             "taxes": [("MwSt", vat_in(price))]}
        )  # fmt: skip

    def pay(self, order: Thing, kind: str, amount: Decimal, gateway: str, **facts: Any) -> Thing:
        """Add a transaction."""
        transaction = {
            "id": self.new_id("OrderTransaction"), "kind": kind, "status": "SUCCESS", "gateway": gateway,
            "amount": amount, "parent": None, **facts,
        }  # fmt: skip
        order["transactions"].append(transaction)
        return transaction

    def _commit(self, order: Thing) -> None:
        """Reserve the goods, and make the fulfilment order for them."""
        waiting = [line for line in order["lines"] if line["requires_shipping"]]
        for line in waiting:
            level = self._level_of(line, order["location"])
            if level is not None:
                level["available"] -= line["quantity"]
                level["committed"] += line["quantity"]
        if waiting:
            order["fulfillment_orders"].append(
                {
                    "id": self._part_of(order, "FulfillmentOrder"), "status": "OPEN", "location": order["location"],
                    "lines": [
                        {"id": self.new_id("FulfillmentOrderLineItem"), "line": line["id"], "total": line["quantity"],
                         "remaining": line["quantity"]}
                        for line in waiting
                    ],
                }
            )  # fmt: skip

    def _part_of(self, order: Thing, kind: str) -> str:
        """A fresh id of something within an order."""
        part = self.new_id(kind)
        self.owners[part] = order["id"]
        return part

    def part(self, list_name: str, part_id: str) -> tuple[Thing, Thing] | None:
        """An order and the part of it in that list, found by the part's id."""
        order = self.orders.get(self.owners.get(part_id, ""))
        if order is None:
            return None
        return next(((order, each) for each in order[list_name] if each["id"] == part_id), None)

    def _level_of(self, line: Thing, location: str) -> Thing | None:
        variant = self.variants.get(line["variant"] or "")
        return self.level(self.items[variant["item"]], location) if variant else None

    # What follows an order.

    def fulfil(
        self, order: Thing, parts: Iterable[tuple[Thing, Mapping[str, int]]], at: datetime, tracking: Thing | None
    ) -> Thing:
        """A parcel of these units (by line of the fulfilment order; none: all that remains)."""
        lines: list[tuple[str, int]] = []
        location = None
        for one, units in parts:
            location = one["location"]
            for line in one["lines"]:
                taken = units.get(line["id"], 0) if units else line["remaining"]
                line["remaining"] -= taken
                if taken:
                    lines.append((line["line"], taken))
            if not any(line["remaining"] for line in one["lines"]):
                one["status"] = "CLOSED"
            elif units:
                one["status"] = "IN_PROGRESS"
        parcel = {
            "id": self._part_of(order, "Fulfillment"), "status": "SUCCESS", "created": at, "location": location,
            "tracking": tracking, "lines": lines,
        }  # fmt: skip
        for line_id, count in lines:
            level = self._level_of(line_of(order, line_id), str(location))
            if level is not None:
                level["committed"] -= count
        order["fulfillments"].append(parcel)
        order["updated"] = at
        return parcel

    def refund(
        self, order: Thing, at: datetime, units: Sequence[tuple[str, int, str]], note: str | None,
        payments: Sequence[tuple[Thing, Decimal]],
    ) -> Thing:  # fmt: skip
        """Give money back (in the shop's currency, per payment) and take units (line, how many, restock type) off."""
        for line_id, count, restock in units:
            self._take_off(order, line_of(order, line_id), count, is_restocked=restock in ("CANCEL", "RETURN"))
        for payment, amount in payments:
            self.pay(order, "REFUND", amount, payment["gateway"], parent=payment["id"])
        refund = {
            "id": self._part_of(order, "Refund"), "note": note, "amount": sum((amount for _, amount in payments), ZERO),
            "lines": [{"line": line_id, "quantity": count, "restock": restock} for line_id, count, restock in units],
        }  # fmt: skip
        order["refunds"].append(refund)
        order["updated"] = at
        return refund

    def _take_off(self, order: Thing, line: Thing, count: int, *, is_restocked: bool) -> None:
        """Units leave the order: those that still wait first."""
        line["current"] -= count
        level = self._level_of(line, order["location"])
        if is_restocked and level is not None:
            level["available"] += count
        for one in order["fulfillment_orders"]:
            for waiting in one["lines"]:
                if waiting["line"] == line["id"] and count:
                    freed = min(count, waiting["remaining"])
                    waiting["remaining"] -= freed
                    count -= freed
                    if level is not None:
                        level["committed"] -= freed
            if one["status"] != "CLOSED" and not any(waiting["remaining"] for waiting in one["lines"]):
                one["status"] = "CLOSED"

    def cancel(self, order: Thing, at: datetime, reason: str, *, is_restocked: bool) -> None:
        """Cancel what has not left; what was only authorised is let go."""
        left = [(line["line"], line["remaining"]) for one in order["fulfillment_orders"] for line in one["lines"]]
        restock = "CANCEL" if is_restocked else "NO_RESTOCK"
        units = [(line_id, count, restock) for line_id, count in left if count]
        if units:
            self.refund(order, at, units, None, [])
        for payment in list(order["transactions"]):
            captured = any(other["parent"] == payment["id"] for other in order["transactions"])
            if payment["kind"] == "AUTHORIZATION" and payment["status"] == "SUCCESS" and not captured:
                self.pay(order, "VOID", payment["amount"], payment["gateway"], parent=payment["id"])
        order["cancelled"], order["cancel_reason"], order["updated"] = at, reason, at

    # Customers.

    def add_customer(self, at: datetime, **facts: Any) -> Thing:
        """A person."""
        customer = {
            "id": self.new_id("Customer"), "created": at, "updated": at, "first": "", "last": "", "locale": "de",
            "email": None, "phone": None, "consent": "NOT_SUBSCRIBED", "addresses": [], **facts,
        }  # fmt: skip
        self.customers[customer["id"]] = customer
        return customer

    def customer_by(self, field: str, value: str) -> Thing | None:
        """The customer with that e-mail or telephone."""
        return next((one for one in self.customers.values() if one[field] and one[field] == value), None)


def line_of(order: Thing, line_id: str) -> Thing:
    """A line of an order; raises KeyError."""
    found: Thing | None = next((line for line in order["lines"] if line["id"] == line_id), None)
    if found is None:
        raise KeyError(line_id)
    return found


def vat_in(gross: Decimal) -> Decimal:
    """The tax that is in an amount."""
    return (gross * VAT / (1 + VAT)).quantize(CENT, ROUND_HALF_UP)


def net(thing: Thing) -> Decimal:
    """What a line or a shipping line costs after discounts."""
    whole: Decimal = thing.get("quantity", 1) * thing["price"] - sum(thing["discounts"], ZERO)
    return whole


def tax_of(order: Thing) -> Decimal:
    """All the tax of an order."""
    parts = [*order["lines"], *order["shipping_lines"], *order["fees"]]
    parts += [duty for line in order["lines"] for duty in line["duties"]]
    return sum((amount for part in parts for _, amount in part["taxes"]), ZERO)


def total_of(order: Thing) -> Decimal:
    """What an order costs, before returns."""
    whole = sum((net(part) for part in (*order["lines"], *order["shipping_lines"])), ZERO)
    whole += sum((fee["price"] for fee in order["fees"]), ZERO)
    whole += sum((duty["price"] for line in order["lines"] for duty in line["duties"]), ZERO)
    tips_among_lines = any(line["title"] == "Tip" for line in order["lines"])
    whole += ZERO if tips_among_lines else order["tip"]
    return whole if order["taxes_included"] else whole + tax_of(order)


def shipped(order: Thing, line_id: str) -> int:
    """Units of a line that left."""
    parcels = (parcel for parcel in order["fulfillments"] if parcel["status"] == "SUCCESS")
    return sum(units for parcel in parcels for line, units in parcel["lines"] if line == line_id)


def waiting(order: Thing, line_id: str) -> int:
    """Units of a line that are still to leave."""
    orders = order["fulfillment_orders"]
    return sum(line["remaining"] for one in orders for line in one["lines"] if line["line"] == line_id)


def financial_status(order: Thing) -> str:
    """Shopify's word for how far an order is paid."""
    good = [one for one in order["transactions"] if one["status"] == "SUCCESS"]
    paid = sum((one["amount"] for one in good if one["kind"] in ("SALE", "CAPTURE")), ZERO)
    back = sum((one["amount"] for one in good if one["kind"] == "REFUND"), ZERO)
    if back:
        return "REFUNDED" if back >= paid else "PARTIALLY_REFUNDED"
    if paid:
        return "PAID" if paid >= total_of(order) else "PARTIALLY_PAID"
    kinds = {one["kind"] for one in good}
    return "VOIDED" if "VOID" in kinds else "AUTHORIZED" if "AUTHORIZATION" in kinds else "PENDING"


def fulfilment_status(order: Thing) -> str:
    """Shopify's word for how far an order is on its way."""
    left = sum(units for parcel in order["fulfillments"] for _, units in parcel["lines"])
    remaining = sum(line["remaining"] for one in order["fulfillment_orders"] for line in one["lines"])
    if left and not remaining:
        return "FULFILLED"
    return "PARTIALLY_FULFILLED" if left else "UNFULFILLED"


def refundable(order: Thing, payment: Thing) -> Decimal:
    """What of a payment has not gone back yet."""
    if payment["status"] != "SUCCESS" or payment["kind"] not in ("SALE", "CAPTURE"):
        return ZERO
    children = (one for one in order["transactions"] if one["parent"] == payment["id"])
    back = sum((one["amount"] for one in children if one["kind"] in ("REFUND", "CHANGE")), ZERO)
    left: Decimal = payment["amount"] - back
    return left
