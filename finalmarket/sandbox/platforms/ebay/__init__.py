"""eBay on one machine: one seller's account, with orders, shipping fulfilments and refunds as the Fulfillment API has
them. Letting in, notifications and inventory lie in files beside this one.

Orders are listed newest change first: eBay promises no order at all. Refunds take a few seconds, as there. Of buyers in
the US eBay collects a tax, which it pays itself: their refunds are shown without it, as the seller's net amounts.
"""

from __future__ import annotations

import hashlib
import random
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from finalmarket.sandbox.platforms.ebay.account import MARKETPLACE, SELLER, body_of, money, refusal, written
from finalmarket.sandbox.platforms.ebay.shelf import Shelf, ship_to_home
from finalmarket.sandbox.stand_in import Reply, Request, part_of, route

ROOT = "/sell/fulfillment/v1"
DOMAIN = "API_FULFILLMENT"
MOST_ORDERS_A_PAGE = 200
TWO_YEARS = timedelta(days=731)
REFUND_TAKES = timedelta(seconds=3)
WINDOW = re.compile(r"lastmodifieddate:\[([^\].]+(?:\.\d+)?Z?)\.\.([^\]]*)\]")
REASONS = frozenset(
    {
        "BUYER_CANCEL", "SELLER_CANCEL", "ITEM_NOT_RECEIVED", "BUYER_RETURN", "ITEM_NOT_AS_DESCRIBED",
        "OTHER_ADJUSTMENT", "SHIPPING_DISCOUNT",
    }
)  # fmt: skip
DELIVERY = Decimal("4.90")
CENT = Decimal("0.01")
COLLECTED: Mapping[str, tuple[str, Decimal]] = {"US": ("STATE_SALES_TAX", Decimal("0.0825"))}  # of goods, by country
ADDRESSES: Mapping[str, Mapping[str, str]] = {
    "DE": {"addressLine1": "Hauptstr. 1", "city": "Berlin", "postalCode": "10115", "countryCode": "DE"},
    "US": {
        "addressLine1": "1 Main St", "city": "Austin", "stateOrProvince": "TX", "postalCode": "78701",
        "countryCode": "US",
    },
}  # fmt: skip
PHONES: Mapping[str, str] = {"DE": "+49 30 1234567", "US": "+1 512 555 0100"}


class Ebay(Shelf):
    """One account. `state["is_signed"]` says whether refunds have to carry a digital signature, whose public key then
    stands in the header of eBay's own making."""

    slug = "ebay"

    # Reading.

    @route("GET", f"{ROOT}/order")
    def read_orders(self, request: Request) -> Reply:
        """Orders by their last change."""
        self._settle()
        limit, offset = request.query.get("limit", "50"), request.query.get("offset", "0")
        if not limit.isdecimal() or not 1 <= int(limit) <= MOST_ORDERS_A_PAGE:
            raise refusal(400, 31100, f"Invalid limit: {limit}", DOMAIN)
        if not offset.isdecimal():
            raise refusal(400, 31000, f"Invalid offset: {offset}", DOMAIN)
        start, end = self._window(request.query.get("filter", ""))
        found = [one for one in self.state["orders"].values() if start <= one["lastModifiedDate"] <= end]
        found.sort(key=lambda one: str(one["lastModifiedDate"]), reverse=True)
        shown, following = part_of(found, int(offset), int(limit), request.fault)
        told: dict[str, Any] = {
            "href": f"{ROOT}/order", "total": len(found), "limit": int(limit), "offset": int(offset), "orders": shown,
        }  # fmt: skip
        if following is not None:
            told["next"] = f"{ROOT}/order?limit={limit}&offset={following}"
        return Reply(200, told)

    def _window(self, told: str) -> tuple[str, str]:
        match = WINDOW.fullmatch(told)
        if match is None:
            raise refusal(400, 30700, f"Invalid filter name: {told[:60]}", DOMAIN)
        try:
            start = datetime.fromisoformat(match[1])
            end = datetime.fromisoformat(match[2]) if match[2] else max(start, self.now())
        except ValueError:
            raise refusal(400, 30810, "Invalid date format", DOMAIN) from None
        if start > end:
            raise refusal(400, 30840, "Start date should be before end date", DOMAIN)
        if end - start > TWO_YEARS:
            raise refusal(400, 30830, "Time range between start date and end date must be within '2' years.", DOMAIN)
        return written(start), written(end if match[2] else datetime.max.replace(tzinfo=UTC))

    @route("GET", f"{ROOT}/order/{{number}}")
    def read_order(self, request: Request, number: str) -> Reply:
        """One order."""
        self._settle()
        return Reply(200, self._order(number, 404))

    @route("GET", f"{ROOT}/order/{{number}}/shipping_fulfillment")
    def read_parcels(self, request: Request, number: str) -> Reply:
        """The shipping fulfilments of an order."""
        self._order(number, 400)
        parcels = self.state["parcels"].get(number, [])
        return Reply(200, {"fulfillments": parcels, "total": len(parcels), "warnings": []})

    def _order(self, number: str, status: int) -> dict[str, Any]:
        found: dict[str, Any] | None = self.state["orders"].get(number)
        if found is None:
            raise refusal(status, 32100, f"Invalid order ID: {number}", DOMAIN)
        return found

    # What the seller tells.

    @route("POST", f"{ROOT}/order/{{number}}/shipping_fulfillment")
    def ship(self, request: Request, number: str) -> Reply:
        """Note a parcel."""
        order, told = self._order(number, 400), body_of(request, DOMAIN)
        tracking, carrier = str(told.get("trackingNumber") or ""), str(told.get("shippingCarrierCode") or "")
        if bool(tracking) != bool(carrier) or not (tracking.isascii() and (tracking.isalnum() or not tracking)):
            raise refusal(400, 32300, "Invalid shipment tracking number or carrier", DOMAIN)
        parcels = self.state["parcels"].setdefault(number, [])
        if tracking and any(one.get("shipmentTrackingNumber") == tracking for one in parcels):
            raise refusal(409, 34500, "Please use PUT operation for updating shipping fulfillment", DOMAIN)
        self._require_open(order, parcels, told.get("lineItems") or [])
        name = tracking or str(999 + len(parcels))
        parcel = {
            "fulfillmentId": name, "lineItems": told["lineItems"],
            "shippedDate": told.get("shippedDate") or written(self.now()),
        }  # fmt: skip
        if tracking:
            parcel |= {"shipmentTrackingNumber": tracking, "shippingCarrierCode": carrier}
        parcels.append(parcel)
        order["fulfillmentHrefs"].append(f"https://api.ebay.com{ROOT}/order/{number}/shipping_fulfillment/{name}")
        self._shipped(order, parcels)
        self.effect("fulfilment", order=number, tracking_number=tracking)
        self._changed(order)
        for line in told["lineItems"]:
            self.notify("ITEM_MARKED_SHIPPED", {"orderId": number, "lineItemId": line["lineItemId"]})
        return Reply(201, {}, {"Location": order["fulfillmentHrefs"][-1]})

    def _require_open(self, order: Mapping[str, Any], parcels: list[Any], lines: list[Any]) -> None:
        left = {item["lineItemId"]: item["quantity"] for item in order["lineItems"]}
        for parcel in parcels:
            for line in parcel["lineItems"]:
                left[line["lineItemId"]] -= line.get("quantity", 1)
        if not lines:
            raise refusal(400, 32600, "Invalid input data", DOMAIN)
        if len({line["lineItemId"] for line in lines}) < len(lines):
            raise refusal(400, 32210, "Duplicate line item in the request", DOMAIN)
        for line in lines:
            if line["lineItemId"] not in left:
                raise refusal(400, 32200, f"Invalid line item id: {line['lineItemId']}", DOMAIN)
            if line.get("quantity", 1) > left[line["lineItemId"]] or order["cancelStatus"]["cancelState"] == "CANCELED":
                raise refusal(400, 32600, "Invalid input data", DOMAIN)

    def _shipped(self, order: dict[str, Any], parcels: list[Any]) -> None:
        sent: dict[str, int] = {}
        for parcel in parcels:
            for line in parcel["lineItems"]:
                sent[line["lineItemId"]] = sent.get(line["lineItemId"], 0) + line.get("quantity", 1)
        for item in order["lineItems"]:
            is_whole = sent.get(item["lineItemId"], 0) >= item["quantity"]
            item["lineItemFulfillmentStatus"] = "FULFILLED" if is_whole else "IN_PROGRESS"
        states = {item["lineItemFulfillmentStatus"] for item in order["lineItems"]}
        order["orderFulfillmentStatus"] = "FULFILLED" if states == {"FULFILLED"} else "IN_PROGRESS"

    @route("POST", f"{ROOT}/order/{{number}}/issue_refund")
    def refund(self, request: Request, number: str) -> Reply:
        """Give money back; it takes a few seconds."""
        self._settle()
        self._require_signature(request)
        order, told = self.state["orders"].get(number), body_of(request, DOMAIN)
        if order is None:
            raise refusal(404, 34913, "Can not find the order.", DOMAIN)
        if told.get("reasonForRefund") not in REASONS:
            raise refusal(400, 34903, "The refund reason must be specified.", DOMAIN)
        amount = told.get("orderLevelRefundAmount") or {}
        value = Decimal(str(amount.get("value") or 0))
        if value <= 0 or value != value.quantize(CENT):
            raise refusal(400, 34907, "The amount value must be positive and within two decimals.", DOMAIN)
        refunds = order["paymentSummary"]["refunds"]
        if any(one["refundStatus"] == "PENDING" for one in refunds):
            raise refusal(400, 34922, "Refund can't be issued while previous refund is processing.", DOMAIN)
        if self._given_back(number) + value > _value(order["pricingSummary"]["total"]):
            raise refusal(400, 34915, "The refund amount exceeds order amount.", DOMAIN)
        return Reply(200, {"refundId": self._begin_refund(order, value), "refundStatus": "PENDING"})

    def _begin_refund(self, order: dict[str, Any], value: Decimal) -> str:
        """So much goes back to the buyer; what is shown of it is the seller's part, without the tax that eBay adds."""
        number, total, tax = order["orderId"], _value(order["pricingSummary"]["total"]), _collected(order["lineItems"])
        given = self._given_back(number) + value
        shown = sum((_value(one["amount"]) for one in order["paymentSummary"]["refunds"]), Decimal(0))
        net = (given * (total - tax) / total).quantize(CENT) - shown
        name = f"RF-{self.next_number()}"
        order["paymentSummary"]["refunds"].append(
            {"refundId": name, "amount": money(net), "refundStatus": "PENDING", "refundDate": written(self.now())}
        )
        self.state["given_back"][number] = given
        self.effect("refund", order=number, id=name, amount=str(value))
        self._changed(order)
        return name

    def _given_back(self, number: str) -> Decimal:
        """What the buyer of an order was given back, with tax."""
        return Decimal(self.state["given_back"].get(number, 0))

    def _require_signature(self, request: Request) -> None:
        """Refuse a request that is not signed, where it has to be. The sandbox's "JWE" is the public key itself."""
        if not self.state["is_signed"]:
            return
        told = request.headers
        covered = told.get("signature-input", "").removeprefix("sig1=")
        digest = f"sha-256=:{b64encode(hashlib.sha256(request.body).digest()).decode()}:"
        lines = (
            f'"content-digest": {digest}', f'"x-ebay-signature-key": {told.get("x-ebay-signature-key", "")}',
            f'"@method": {request.method}', f'"@path": {request.path}', f'"@authority": {told.get("host", "")}',
            f'"@signature-params": {covered}',
        )  # fmt: skip
        try:
            key = Ed25519PublicKey.from_public_bytes(b64decode(told.get("x-ebay-signature-key", "")))
            signed = b64decode(told.get("signature", "").removeprefix("sig1=:").removesuffix(":"))
            key.verify(signed, "\n".join(lines).encode())
        except (InvalidSignature, ValueError):
            raise refusal(400, 215002, "Signature validation failed to fulfill the request.") from None

    # The house of the platform.

    def _settle(self) -> None:
        """Refunds that had their time are done."""
        for order in self.state["orders"].values():
            for one in order["paymentSummary"]["refunds"]:
                begun = datetime.fromisoformat(one["refundDate"])
                if one["refundStatus"] == "PENDING" and begun + REFUND_TAKES <= self.now():
                    one |= {"refundStatus": "REFUNDED", "refundReferenceId": f"{one['refundId']}-reference"}
                    is_whole = self._given_back(order["orderId"]) >= _value(order["pricingSummary"]["total"])
                    order["orderPaymentStatus"] = "FULLY_REFUNDED" if is_whole else "PARTIALLY_REFUNDED"
                    self._changed(order)

    def _changed(self, order: dict[str, Any], at: datetime | None = None) -> None:
        order["lastModifiedDate"] = written(at or self.now())

    # Shoppers, and what a test arranges.

    def order(
        self, *lines: tuple[str, int], at: datetime | None = None, email: str = "shopper@example.com",
        is_paid: bool = True, country: str = "DE",
    ) -> str:  # fmt: skip
        """Somebody buys (SKU, units) and pays, there or the seller directly (not `is_paid`): what is shown goes down at
        once. Returns the order's id."""
        number = f"01-{self.next_number():05d}-36441"
        items = [self._bought(sku, units, country) for sku, units in lines]
        prices = _prices(items)
        placed_at = written(at or self.now())
        order = {
            "orderId": number, "creationDate": placed_at, "lastModifiedDate": placed_at,
            "orderFulfillmentStatus": "NOT_STARTED", "sellerId": SELLER,
            "orderPaymentStatus": "PAID" if is_paid else "PENDING",
            "buyer": {"username": f"buyer_{email.partition('@')[0]}"},
            "pricingSummary": prices, **({"ebayCollectAndRemitTax": True} if _collected(items) else {}),
            "cancelStatus": {"cancelState": "NONE_REQUESTED", "cancelRequests": []},
            "paymentSummary": {
                "totalDueSeller": prices["total"], "refunds": [],
                "payments": [_paid(number, prices["total"], placed_at)] if is_paid else [],
            },
            "fulfillmentStartInstructions": [_instructions(email, country)], "fulfillmentHrefs": [], "lineItems": items,
        }  # fmt: skip
        self.state["orders"][number] = order
        self.effect("order", id=number, lines=list(lines))
        for item in items:
            self.notify("ORDER_CONFIRMATION", {"orderId": number, "lineItemId": item["lineItemId"]})
        return number

    def _bought(self, sku: str, units: int, country: str) -> dict[str, Any]:
        offer, home = self.offer_of(sku), ship_to_home(self.state["items"][sku])
        home["quantity"] = max(0, home["quantity"] - units)
        if "availableQuantity" in offer:
            offer["availableQuantity"] = max(0, offer["availableQuantity"] - units)
        offer["listing"]["soldQuantity"] += units
        cost = _value(offer["pricingSummary"]["price"]) * units
        return {
            "lineItemId": str(10_000_000_000 + self.next_number()), "legacyItemId": offer["listing"]["listingId"],
            "sku": sku, "title": self.state["items"][sku]["product"]["title"], "lineItemCost": money(cost),
            "quantity": units, "soldFormat": "FIXED_PRICE", "listingMarketplaceId": MARKETPLACE,
            "purchaseMarketplaceId": MARKETPLACE, "lineItemFulfillmentStatus": "NOT_STARTED", "total": money(cost),
            "deliveryCost": {"shippingCost": money(0)}, "appliedPromotions": [], "taxes": [], "refunds": [],
            "properties": {"buyerProtection": True}, **_taxed(cost, country),
        }  # fmt: skip

    def cancel_order(self, number: str) -> None:
        """The shopper changes their mind, and the seller lets them."""
        order = self.state["orders"][number]
        if order["cancelStatus"]["cancelState"] != "CANCELED":
            order["cancelStatus"] = {
                "cancelState": "CANCELED", "cancelledDate": written(self.now()), "cancelRequests": [],
            }  # fmt: skip
            self._changed(order)

    def sold(self) -> dict[str, dict[str, Any]]:
        """All orders that were ever placed here, by number."""
        return dict(self.state["orders"])

    def shop(self, chance: random.Random) -> None:
        """One shopper comes by and buys one or two of something that is there."""
        there = [sku for sku, units in self.shown_stock().items() if units > 0]
        if there:
            self.order((chance.choice(there), chance.randint(1, 2)))


def _value(told: Mapping[str, str]) -> Decimal:
    return Decimal(told["value"])


def _taxed(cost: Decimal, country: str) -> dict[str, Any]:
    """The parts of a line that tell of the tax that eBay collects for it; none where it collects none."""
    if country not in COLLECTED:
        return {}
    kind, rate = COLLECTED[country]
    collected = (cost * rate).quantize(CENT)
    tax = {"taxType": kind, "amount": money(collected)}
    return {
        "taxes": [tax], "ebayCollectAndRemitTaxes": [{**tax, "collectionMethod": "NET"}],
        "total": money(cost + collected),
    }  # fmt: skip


def _collected(items: Sequence[Mapping[str, Any]]) -> Decimal:
    """The tax that eBay collects for these lines."""
    taxes = (tax for item in items for tax in item.get("ebayCollectAndRemitTaxes", ()))
    return sum((_value(tax["amount"]) for tax in taxes), Decimal(0))


def _prices(items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What an order of these lines costs, as TAX_BREAKDOWN shows it."""
    goods, tax = sum((_value(item["lineItemCost"]) for item in items), Decimal(0)), _collected(items)
    return {
        "priceSubtotal": money(goods), "deliveryCost": money(DELIVERY), "total": money(goods + DELIVERY + tax),
        **({"tax": money(tax)} if tax else {}),
    }  # fmt: skip


def _paid(number: str, amount: Mapping[str, str], at: str) -> dict[str, Any]:
    """A payment that eBay took for the seller."""
    return {
        "paymentMethod": "EBAY", "paymentReferenceId": f"PAY-{number}", "paymentDate": at, "amount": amount,
        "paymentStatus": "PAID",
    }  # fmt: skip


def _instructions(email: str, country: str) -> dict[str, Any]:
    """Where an order goes."""
    ship_to = {
        "fullName": "A. Shopper", "contactAddress": dict(ADDRESSES[country]),
        "primaryPhone": {"phoneNumber": PHONES[country]}, "email": email,
    }  # fmt: skip
    return {
        "fulfillmentInstructionsType": "SHIP_TO",
        "shippingStep": {"shipTo": ship_to, "shippingCarrierCode": "DHL", "shippingServiceCode": "DE_DHLPaket"},
    }


__all__ = ["Ebay"]
