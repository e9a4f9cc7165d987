"""A stand-in of one Shopify shop: the door in server.py, what can be asked in queries.py, what can be changed in
mutations.py and order_mutations.py, what it all looks like in views.py, what it holds in shop.py. Here: its shoppers.
"""

from __future__ import annotations

import random
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from finalmarket.sandbox.abilities import Person
from finalmarket.sandbox.platforms.shopify import letters
from finalmarket.sandbox.platforms.shopify.server import Server
from finalmarket.sandbox.platforms.shopify.shop import Thing, refundable, total_of

FIRST_NAMES = ("Ada", "Ben", "Carla", "Deniz", "Emil", "Frida", "Goran", "Hanna")
LAST_NAMES = ("Albrecht", "Brandt", "Conti", "Demir", "Eriksen", "Fischer", "Gruber", "Horvat")
STREETS = ("Hauptstr. 1", "Am Markt 7", "Ringstr. 22", "Lindenweg 5")
CITIES = (("10115", "Berlin"), ("20095", "Hamburg"), ("50667", "Köln"), ("80331", "München"))


class ShopifyStandIn(Server):
    """One Shopify shop with its shoppers."""

    slug = "shopify"
    limits: ClassVar = Server.limits

    # What a test looks at.

    def listings(self) -> list[str]:
        """The SKUs that are on sale."""
        shop = self.state
        active = (one for one in shop.variants.values() if shop.products[one["product"]]["status"] == "ACTIVE")
        return [one["sku"] for one in active if one["sku"]]

    def shown_stock(self) -> dict[str, int]:
        """What is available by SKU, over all locations."""
        return {one["sku"]: self.state.available(one) for one in self.state.variants.values() if one["sku"]}

    def sold(self) -> dict[str, dict[str, Any]]:
        """What was sold, by order: units by SKU, total, whether it was cancelled, what went back."""
        found = {}
        for order in self.state.orders.values():
            units: dict[str, int] = {}
            for line in order["lines"]:
                units[line["sku"] or ""] = units.get(line["sku"] or "", 0) + line["quantity"]
            found[order["id"]] = {
                "lines": units, "total": total_of(order), "is_cancelled": order["cancelled"] is not None,
                "refunded": sum((refund["amount"] for refund in order["refunds"]), Decimal(0)),
            }  # fmt: skip
        return found

    # What a test arranges.

    def add_listing(
        self, sku: str, title: str, price: Decimal, quantity: int, barcode: str = "", **attributes: str
    ) -> str:
        """Put a product with one variant up as the merchant would, at the main location; the variant's id. `brand` and
        `type` are the product's, other attributes its options."""
        named = {"vendor": attributes.pop("brand", ""), "type": attributes.pop("type", "")}
        product = self.state.add_product(self.now(), title=title, handle=f"{sku.lower()}-{self.state.count}", **named)
        options = [(name.capitalize(), value) for name, value in attributes.items()] or [("Title", "Default Title")]
        variant = self.state.add_variant(
            product, sku=sku, price=Decimal(price), barcode=barcode, options=options,
            title=" / ".join(value for _, value in options),
        )  # fmt: skip
        self.show(sku, quantity)
        self.tell_product(product)
        return str(variant["id"])

    def show(self, sku: str, quantity: int, location: str = "") -> None:
        """Let another number be available there, whoever did it."""
        variant = self.state.variant_of(sku)
        if variant is None:
            raise KeyError(sku)
        item = self.state.items[variant["item"]]
        place = location or self.state.main_location
        self.state.level(item, place)["available"] = quantity
        self.tell_stock(item, place)

    def order(
        self, *lines: tuple[str, int], at: datetime | None = None, email: str = "shopper@example.com",
        is_at_till: bool = False, is_paid: bool = True, **facts: Any,
    ) -> str:  # fmt: skip
        """Somebody buys (SKU, units): what is available goes down at once. Returns the order's id."""
        bought = [self._bought(sku, units) for sku, units in lines]
        if is_at_till:
            facts |= {"retail_location": self.state.main_location, "source": "pos"}
        else:
            facts.setdefault("email", email)
        order = self.state.place_order(at or self.now(), bought, **facts)
        if not is_at_till:
            self.state.add_shipping(order)
        if is_at_till:
            self.state.pay(order, "SALE", total_of(order), "cash")
        else:
            self.state.pay(order, "SALE" if is_paid else "AUTHORIZATION", total_of(order), "shopify_payments")
        self.effect("order", id=order["id"], lines=list(lines))
        self.tell_order("orders/create", order)
        self._tell_stock_of(order)
        return str(order["id"])

    def _bought(self, sku: str, units: int) -> Thing:
        variant = self.state.variant_of(sku)
        if variant is None:
            raise KeyError(sku)
        product = self.state.products[variant["product"]]
        has_options = variant["title"] != "Default Title"
        return {
            "title": product["title"], "variant_title": variant["title"] if has_options else None, "sku": sku,
            "variant": variant["id"], "product": product["id"], "quantity": units, "price": variant["price"],
        }  # fmt: skip

    def _tell_stock_of(self, order: Thing) -> None:
        for line in order["lines"]:
            variant = self.state.variants.get(line["variant"] or "")
            if variant is not None:
                self.tell_stock(self.state.items[variant["item"]], order["location"])

    def cancel_order(self, order_id: str) -> None:
        """The shopper changes their mind before anything left: the goods go back on the shelf."""
        order = self.state.orders[order_id]
        if order["cancelled"]:
            return
        self.state.cancel(order, self.now(), "CUSTOMER", is_restocked=True)
        payments = [(payment, refundable(order, payment)) for payment in list(order["transactions"])]
        paid = [(payment, amount) for payment, amount in payments if amount > 0]
        if paid:
            self.tell_refund(order, self.state.refund(order, self.now(), [], "cancelled", paid))
        self.effect("shopper_cancellation", order=order_id)
        self.tell_order("orders/cancelled", order)
        self._tell_stock_of(order)

    def refund_order(self, order_id: str) -> None:
        """The merchant gives the first line's price back, without the goods coming back."""
        order = self.state.orders[order_id]
        payment = next(one for one in order["transactions"] if refundable(order, one) > 0)
        line = order["lines"][0]
        amount = min(line["price"], refundable(order, payment))
        refund = self.state.refund(order, self.now(), [], "goodwill", [(payment, amount)])
        self.effect("shopper_refund", order=order_id, id=refund["id"], amount=str(amount))
        self.tell_refund(order, refund)

    def ask_to_erase(self, customer_id: str) -> None:
        """A person asks that their data be erased."""
        body = letters.privacy_body(self.state, self.state.customers[customer_id])
        self.tell("customers/redact", body)

    def ask_for_data(self, customer_id: str) -> None:
        """A person asks what is kept of them."""
        self.tell("customers/data_request", letters.privacy_body(self.state, self.state.customers[customer_id]))

    def remove_app(self) -> None:
        """The merchant takes the app off the shop."""
        self.tell("app/uninstalled", {"id": 1, "domain": self.state.domain})

    def redact_shop(self) -> None:
        """Two days later Shopify asks that all go that the shop has shown to the app."""
        self.tell("shop/redact", letters.privacy_body(self.state, None))

    def meet(self, name: str, email: str) -> str:
        """See KnowsPeople."""
        first, _, last = name.rpartition(" ")
        customer = self.state.add_customer(self.now(), first=first, last=last, email=email)
        self.tell_customer("customers/create", customer)
        return str(customer["id"])

    def rename(self, customer: str, name: str) -> None:
        """See KnowsPeople."""
        person, (first, _, last) = self.state.customers[customer], name.rpartition(" ")
        person |= {"first": first, "last": last, "updated": self.now()}
        self.tell_customer("customers/update", person)

    def people(self) -> dict[str, Person]:
        """See KnowsPeople."""
        return {
            name: Person(f"{one['first']} {one['last']}".strip(), one["email"] or "")
            for name, one in self.state.customers.items()
        }

    # Shoppers.

    def shop(self, chance: random.Random) -> None:
        """One shopper comes by and buys one to three units of something that is shown as available, on the web or at
        the till; now and then somebody cancels, or gets money back."""
        move = chance.random()
        open_orders = [one for one in self.state.orders.values() if self._can_be_cancelled(one)]
        paid_orders = [
            one for one in self.state.orders.values() if any(refundable(one, p) > 0 for p in one["transactions"])
        ]
        if move < 0.06 and open_orders:
            self.cancel_order(chance.choice(open_orders[-50:])["id"])
        elif move < 0.10 and paid_orders:
            self.refund_order(chance.choice(paid_orders[-50:])["id"])
        else:
            self._buy(chance)

    def _can_be_cancelled(self, order: Thing) -> bool:
        return not (order["cancelled"] or order["fulfillments"] or order["retail_location"])

    def _buy(self, chance: random.Random) -> None:
        shown = self.shown_stock()
        there = [sku for sku in self.listings() if shown[sku] > 0]
        if not there:
            return
        chosen = chance.sample(there, min(len(there), chance.randint(1, 2)))
        lines = [(sku, min(shown[sku], chance.randint(1, 3))) for sku in chosen]
        if chance.random() < 0.25:
            self.order(*lines, is_at_till=True)
            return
        customer = self._customer(chance)
        home = customer["addresses"][0]
        self.order(*lines, email=customer["email"], customer=customer["id"], shipping=home, billing=home)

    def _customer(self, chance: random.Random) -> Thing:
        """Somebody who bought here before, or somebody new."""
        first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
        email = f"{first}.{last}@example.com".lower()
        known = self.state.customer_by("email", email)
        if known is not None:
            return known
        postcode, city = chance.choice(CITIES)
        home = {
            "id": self.state.new_id("MailingAddress"), "name": f"{first} {last}", "address1": chance.choice(STREETS),
            "zip": postcode, "city": city, "countryCodeV2": "DE",
        }  # fmt: skip
        customer = self.state.add_customer(self.now(), first=first, last=last, email=email, addresses=[home])
        self.tell_customer("customers/create", customer)
        return customer
