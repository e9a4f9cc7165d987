"""Etsy on one machine: one shop, with its receipts. Letting in, webhooks and listings lie in files beside this one."""

from __future__ import annotations

import random
from datetime import datetime
from decimal import Decimal
from typing import Any

from finalmarket.sandbox.platforms.etsy.account import USER_ID, body_of, refusal
from finalmarket.sandbox.platforms.etsy.shelf import Shelf, money
from finalmarket.sandbox.stand_in import Reply, Request, route

ROOT = "/v3/application"
CARRIERS = frozenset(
    {
        "an-post", "australia-post", "canada-post", "deutsche-post", "dhl", "dpd", "fedex", "gls", "hermes", "la-poste",
        "royal-mail", "tnt", "ups", "usps", "other",
    }
)  # fmt: skip
SHIPPING = Decimal("4.50")


class Etsy(Shelf):
    """One shop."""

    slug = "etsy"

    @route("GET", f"{ROOT}/shops/{{shop_id}}/receipts")
    def read_receipts(self, request: Request, shop_id: str) -> Reply:
        """Receipts by their last change."""
        self.require_shop(shop_id)
        since = int(request.query.get("min_last_modified", "0"))
        if request.query.get("sort_on") not in ("updated", "created", "receipt_id"):
            raise refusal(400, "sort_on is not valid.")
        found = [one for one in self.state["receipts"].values() if one["updated_timestamp"] >= since]
        found.sort(key=lambda one: (one["updated_timestamp"], one["receipt_id"]))
        if request.query.get("sort_order", "desc") not in ("asc", "ascending", "up"):
            found.reverse()
        return self.page(request, found, dict)

    @route("GET", f"{ROOT}/shops/{{shop_id}}/receipts/{{number}}")
    def read_receipt(self, request: Request, shop_id: str, number: str) -> Reply:
        """One receipt."""
        self.require_shop(shop_id)
        return Reply(200, self._receipt(number))

    def _receipt(self, number: str) -> dict[str, Any]:
        found: dict[str, Any] | None = self.state["receipts"].get(int(number) if number.isdecimal() else 0)
        if found is None:
            raise refusal(404, "Receipt not found.")
        return found

    @route("POST", f"{ROOT}/shops/{{shop_id}}/receipts/{{number}}/tracking")
    def ship(self, request: Request, shop_id: str, number: str) -> Reply:
        """Note a shipment: the receipt counts as shipped."""
        self.require_shop(shop_id)
        receipt, told = self._receipt(number), body_of(request)
        code, carrier = told.get("tracking_code", ""), told.get("carrier_name", "")
        if bool(code) != bool(carrier) or (carrier and carrier not in CARRIERS):
            raise refusal(400, "Invalid carrier name or tracking code.")
        if receipt["status"] == "canceled":
            raise refusal(409, "The receipt is canceled.")
        if code or not receipt["is_shipped"]:
            receipt["shipments"].append(
                {
                    "receipt_shipping_id": 70_000_000 + self.next_number(), "carrier_name": carrier,
                    "tracking_code": code, "shipment_notification_timestamp": int(self.now().timestamp()),
                }
            )  # fmt: skip
            self.effect("fulfilment", order=number, tracking_number=code)
        receipt |= {"is_shipped": True, "status": "completed"}
        self._changed(receipt, "order.shipped")
        return Reply(200, receipt)

    # The house of the platform.

    def _changed(self, receipt: dict[str, Any], topic: str = "") -> None:
        receipt["updated_timestamp"] = receipt["update_timestamp"] = int(self.now().timestamp())
        if topic:
            self.tell(topic, receipt["receipt_id"])

    # Shoppers, and what a test arranges.

    def order(self, *lines: tuple[str, int], at: datetime | None = None, email: str = "shopper@example.com") -> str:
        """Somebody buys (SKU, units) and pays: what is shown goes down at once. Returns the receipt's id."""
        number, seconds = 3_000_000_000 + self.next_number(), int((at or self.now()).timestamp())
        bought = [self._bought(sku, units, number, seconds) for sku, units in lines]
        goods = sum((Decimal(one["price"]["amount"]) / 100 * one["quantity"] for one in bought), Decimal(0))
        receipt = {
            "receipt_id": number, "receipt_type": 0, "seller_user_id": USER_ID, "buyer_user_id": 45_000_000,
            "buyer_email": email, "name": "A. Shopper", "first_line": "Hauptstr. 1", "second_line": None,
            "city": "Berlin", "state": None, "zip": "10115", "country_iso": "DE", "status": "paid",
            "payment_method": "cc", "is_paid": True, "is_shipped": False, "created_timestamp": seconds,
            "create_timestamp": seconds, "updated_timestamp": seconds, "update_timestamp": seconds, "is_gift": False,
            "grandtotal": money(goods + SHIPPING), "subtotal": money(goods), "total_price": money(goods),
            "total_shipping_cost": money(SHIPPING), "total_tax_cost": money(Decimal(0)),
            "total_vat_cost": money(Decimal(0)), "discount_amt": money(Decimal(0)),
            "gift_wrap_price": money(Decimal(0)), "shipments": [], "refunds": [], "transactions": bought,
        }  # fmt: skip
        self.state["receipts"][number] = receipt
        self.effect("order", id=number, lines=list(lines))
        self.tell("order.paid", number)
        return str(number)

    def _bought(self, sku: str, units: int, receipt_id: int, seconds: int) -> dict[str, Any]:
        listing, product = self.find_product(sku)
        offering = product["offerings"][0]
        offering["quantity"] = max(0, offering["quantity"] - units)
        self._touched(listing)
        return {
            "transaction_id": 4_000_000_000 + self.next_number(), "title": listing["title"],
            "seller_user_id": USER_ID, "buyer_user_id": 45_000_000, "created_timestamp": seconds,
            "paid_timestamp": seconds, "shipped_timestamp": None, "quantity": units, "receipt_id": receipt_id,
            "is_digital": False, "listing_id": listing["listing_id"], "product_id": product["product_id"], "sku": sku,
            "price": dict(offering["price"]), "shipping_cost": money(Decimal(0)), "variations": [],
            "product_data": product["property_values"], "transaction_type": "listing", "buyer_coupon": 0,
            "shop_coupon": 0,
        }  # fmt: skip

    def cancel_order(self, number: str) -> None:
        """The seller cancels in Etsy's own pages."""
        receipt = self._receipt(number)
        if receipt["status"] != "canceled":
            receipt["status"] = "canceled"
            self._changed(receipt, "order.canceled")

    def give_back(self, number: str, amount: Decimal, reason: str = "") -> None:
        """The seller gives money back in Etsy's own pages."""
        receipt, at = self._receipt(number), int(self.now().timestamp())
        receipt["refunds"].append(
            {
                "amount": money(amount), "created_timestamp": at, "reason": reason, "note_from_issuer": None,
                "status": None,
            }
        )  # fmt: skip
        back = sum(one["amount"]["amount"] for one in receipt["refunds"])
        is_whole = back >= receipt["grandtotal"]["amount"]
        receipt["status"] = "fully refunded" if is_whole else "partially refunded"
        self._changed(receipt)

    def sold(self) -> dict[str, dict[str, Any]]:
        """All orders that were ever placed here, by number."""
        return {str(number): receipt for number, receipt in self.state["receipts"].items()}

    def shop(self, chance: random.Random) -> None:
        """One shopper comes by and buys one or two of something that is there."""
        there = [sku for sku, units in self.shown_stock().items() if units > 0]
        if there:
            self.order((chance.choice(there), chance.randint(1, 2)))


__all__ = ["Etsy"]
