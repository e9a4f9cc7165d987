"""The stand-in of Square: one seller with a shop, its till, catalogue, stock, orders and customers.

Square publishes no rate limits; those here are the sandbox's own. It takes one change of a catalogue at a time.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from finalmarket.sandbox.platforms.square.books import COUNTRY, CURRENCY, Books, Raw, cents, error, euros, stamp
from finalmarket.sandbox.platforms.square.counter import Orders
from finalmarket.sandbox.platforms.square.doors import (
    ACCESS_TOKEN,
    APPLICATION_ID,
    APPLICATION_SECRET,
    APPLICATION_TOKEN,
    PERSONAL_TOKEN,
    REFRESH_TOKEN,
    TOKEN_LIVES,
    Doors,
)
from finalmarket.sandbox.platforms.square.people import People
from finalmarket.sandbox.stand_in import Reply, Request

MAIN = "LSANDBOXMAIN1"
SHARE_ONLINE = 0.3
SHARE_RETURNS = 0.05
FIRST_NAMES = ("Aoife", "Conor", "Niamh", "Seán", "Ciara", "Eoin")
CREDENTIALS = {
    "access_token": ACCESS_TOKEN, "refresh_token": REFRESH_TOKEN, "application_id": APPLICATION_ID,
    "application_secret": APPLICATION_SECRET, "application_token": APPLICATION_TOKEN, "location_id": MAIN,
}  # fmt: skip
LAST_NAMES = ("Byrne", "Murphy", "O'Brien", "Kelly", "Walsh", "Doyle")


class Square(Doors, Orders, People):
    """One account, with one location at first."""

    slug = "square"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"": (20.0, 60.0), "catalogue": (4.0, 20.0)}

    def fresh_state(self) -> Books:
        ends_at = stamp(self.now() + TOKEN_LIVES)
        return Books(
            catalogue_changed_at=self.stamped(),
            locations={MAIN: self._location(MAIN, "Main Street")},
            tokens={
                ACCESS_TOKEN: {"ends_at": ends_at, "kind": "seller"},
                PERSONAL_TOKEN: {"ends_at": "", "kind": "application"},
                APPLICATION_TOKEN: {"ends_at": "", "kind": "application"},
            },
            refreshing={REFRESH_TOKEN: {"is_pkce": False}},
        )

    def credentials(self) -> dict[str, str]:
        return dict(CREDENTIALS)

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        headers = {"Retry-After": str(max(1, round(wait_seconds)))} if says_when else {}
        return Reply(429, {"errors": [error(429, "RATE_LIMITED", "slow down")]}, headers)

    def broken(self) -> Reply:
        return Reply(500, {"errors": [error(500, "INTERNAL_SERVER_ERROR", "an internal error has occurred")]})

    def token_expired(self) -> Reply:
        return Reply(401, {"errors": [error(401, "ACCESS_TOKEN_EXPIRED", "the access token has expired")]})

    def not_found(self, request: Request) -> Reply:
        return Reply(404, {"errors": [error(404, "NOT_FOUND", f"there is no {request.method} {request.path}")]})

    # What a test, or the sandbox's own door, looks at and arranges.

    def listings(self) -> list[str]:
        """The SKUs that are on sale."""
        return [str(one["item_variation_data"].get("sku") or "") for one in self._variations()]

    def shown_stock(self) -> dict[str, int]:
        """What is shown, by SKU, over all locations."""
        shown = dict.fromkeys(self.listings(), 0)
        for (variation_id, _), count in self.state.counts.items():
            variation = self.variation(variation_id)
            if variation is not None:
                shown[str(variation["item_variation_data"].get("sku") or "")] += count.units
        return shown

    def sold(self) -> dict[str, dict[str, Any]]:
        """The sales, by id: their state, their total in cents, and how many units of each SKU were bought."""
        return {order["id"]: self._facts(order) for order in self.state.orders.values() if order.get("line_items")}

    def _facts(self, order: Raw) -> dict[str, Any]:
        lines: dict[str, int] = {}
        for line in order["line_items"]:
            variation = self.variation(line["catalog_object_id"]) or {"item_variation_data": {}}
            sku = str(variation["item_variation_data"].get("sku") or "")
            lines[sku] = lines.get(sku, 0) + int(line["quantity"])
        paid = {tender["payment_id"] for tender in order.get("tenders") or ()}
        refunded = sum(
            one["amount_money"]["amount"] for one in self.state.refunds.values() if one["payment_id"] in paid
        )
        return {
            "state": order["state"], "location": order["location_id"], "total": order["total_money"]["amount"],
            "refunded": refunded, "lines": lines,
        }  # fmt: skip

    def _variations(self) -> list[Raw]:
        return [one for item in self.state.items.values() for one in item["item_data"]["variations"]]

    def add_location(self, name: str) -> str:
        """Open a location; returns its id."""
        made = f"L{self.new_id()[:12]}"
        self.state.locations[made] = self._location(made, name)
        return made

    def _location(self, location_id: str, name: str) -> Raw:
        return {
            "id": location_id, "name": name, "status": "ACTIVE", "merchant_id": self.merchant_id, "country": COUNTRY,
            "language_code": "en-IE", "currency": CURRENCY, "timezone": "Europe/Dublin", "type": "PHYSICAL",
            "created_at": f"{self.now():%Y-%m-%dT%H:%M:%SZ}",
        }  # fmt: skip

    def add_listing(
        self,
        sku: str,
        title: str,
        price: Decimal,
        quantity: int,
        *,
        barcode: str = "",
        variation: str = "Regular",
        item_id: str = "",
    ) -> str:
        """Put a variation in as if the merchant had made it there, in an item of its own or in `item_id`; its id."""
        data: Raw = {
            "name": variation, "sku": sku, "ordinal": 0, "pricing_type": "FIXED_PRICING",
            "price_money": euros(cents(price)), "track_inventory": True, "sellable": True, "stockable": True,
        }  # fmt: skip
        if barcode:
            data["upc"] = barcode
        one: Raw = {"type": "ITEM_VARIATION", "id": self.new_id(), "present_at_all_locations": True}
        item = self.state.items.get(item_id) or {
            "type": "ITEM", "id": self.new_id(), "present_at_all_locations": True,
            "item_data": {"name": title, "product_type": "REGULAR", "is_archived": False, "variations": []},
        }  # fmt: skip
        one["item_variation_data"] = {**data, "item_id": item["id"]}
        item["item_data"]["variations"].append(one)
        self.state.items[item["id"]], self.state.owners[one["id"]] = item, item["id"]
        self._touch(one)
        self._touch(item)
        self.state.catalogue_changed_at = self.stamped()
        self._lay(one["id"], quantity)
        self.announce("catalog.version.updated", "catalog", "", {"catalog_version": {"updated_at": self.stamped()}})
        return str(one["id"])

    def show(self, sku: str, quantity: int) -> None:
        """Let another number stand at the first location, whoever did it."""
        self._lay(self.find(sku)["id"], quantity)

    def _lay(self, variation_id: str, quantity: int) -> None:
        count = self.count_of(variation_id, next(iter(self.state.locations)))
        count.count(quantity, self.stamped())
        count.changed_at = self.stamped()

    def find(self, sku: str) -> Raw:
        """The variation of a SKU; raises KeyError."""
        found = next((one for one in self._variations() if one["item_variation_data"].get("sku") == sku), None)
        if found is None:
            raise KeyError(sku)
        return found

    # Shoppers.

    def order(self, *lines: tuple[str, int], at: datetime | None = None, online: bool = False, **how: Any) -> str:
        """Somebody buys (SKU, units) at the till, or online for shipment; returns the order's id."""
        bought = [(self.find(sku), units) for sku, units in lines]
        person = self.shopper(random.Random(self.state.number)) if online else None  # noqa: S311
        made = self.ring_up(bought, next(iter(self.state.locations)), person=person, at=at, **how)
        return str(made["id"])

    def shopper(self, chance: random.Random) -> Raw:
        """A customer who buys online."""
        first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
        number = chance.randint(1, 99_999)
        return self.new_customer(
            {
                "given_name": first, "family_name": last, "email_address": f"shopper{number}@example.com",
                "phone_number": f"+35387{number:07d}",
                "address": {
                    "address_line_1": f"{chance.randint(1, 200)} Main Street", "locality": "Dublin",
                    "postal_code": "D02 X285", "country": COUNTRY,
                },
            }
        )  # fmt: skip

    def shop(self, chance: random.Random) -> str | None:
        """A shopper buys one or two kinds of goods at the till or online, or brings something back; returns the order's
        id, None when there is nothing to buy."""
        if self.state.payments and chance.random() < SHARE_RETURNS and (brought := self._bring_back(chance)):
            return brought
        place = next(iter(self.state.locations))
        priced = [one for one in self._variations() if one["item_variation_data"].get("price_money")]
        there = [one for one in priced if self.count_of(one["id"], place).units > 0]
        if not there:
            return None
        chosen = chance.sample(there, k=min(len(there), chance.randint(1, 2)))
        bought = [(one, min(chance.randint(1, 2), self.count_of(one["id"], place).units)) for one in chosen]
        if chance.random() < SHARE_ONLINE:
            return str(self.ring_up(bought, place, person=self.shopper(chance))["id"])
        discount = chance.choice((0, 0, 0, 100))
        tender = chance.choice(("CARD", "CARD", "CASH"))
        return str(self.ring_up(bought, place, discount=discount, tender=tender)["id"])

    def _bring_back(self, chance: random.Random) -> str | None:
        """One piece of a completed sale comes back for its money."""
        sales = [
            payment
            for payment in self.state.payments.values()
            if self.state.orders[payment["order_id"]]["state"] == "COMPLETED" and not payment.get("refund_ids")
        ]
        if not sales:
            return None
        payment = chance.choice(sales)
        line = chance.choice(self.state.orders[payment["order_id"]]["line_items"])
        worth = line["total_money"]["amount"] // int(line["quantity"])
        if not worth:
            return None
        self.give_back(payment, worth, "did not fit", [(line, 1)])
        return str(payment["order_id"])
