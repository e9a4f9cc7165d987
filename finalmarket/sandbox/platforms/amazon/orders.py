"""Orders: searched, read, confirmed as sent; and the shoppers who place them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.amazon.account import (
    MAIN_SHOP,
    SELLER_ID,
    SHOPS,
    body_of,
    count_of,
    invalid,
    listed,
    moment,
    refusal,
    written,
)
from finalmarket.sandbox.platforms.amazon.feeds import Feeds
from finalmarket.sandbox.platforms.amazon.listings import page_token
from finalmarket.sandbox.platforms.amazon.submissions import OWN_CHANNEL
from finalmarket.sandbox.stand_in import Refused, Reply, Request, part_of, route

MOST_SHOPS = 50
MOST_ON_A_PAGE = 100
LEAST_AGE = timedelta(minutes=2)  # of a moment that a search may end at
# The parts of an order, and of its items, that are shown only where they are asked for.
ORDER_PARTS: Mapping[str, str] = {
    "buyer": "BUYER", "recipient": "RECIPIENT", "proceeds": "PROCEEDS", "fulfillment": "FULFILLMENT",
    "packages": "PACKAGES", "tax": "TAX", "payment": "PAYMENT", "fulfillmentOrders": "FULFILLMENT_ORDERS",
}  # fmt: skip
ITEM_PARTS: Mapping[str, str] = {
    "proceeds": "PROCEEDS", "expense": "EXPENSE", "promotion": "PROMOTION", "cancellation": "CANCELLATION",
    "fulfillment": "FULFILLMENT", "tax": "TAX",
}  # fmt: skip
DATA = frozenset({*ORDER_PARTS.values(), *ITEM_PARTS.values()})
UNPAID = frozenset({"PENDING", "PENDING_AVAILABILITY"})
SHIPPING, FREE_SHIPPING_FROM = Decimal("3.99"), Decimal(39)
# The words of the older notifications for the states of orders.
NOTICE_STATES: Mapping[str, str] = {
    "PENDING_AVAILABILITY": "PendingAvailability", "PENDING": "Pending", "UNSHIPPED": "Unshipped",
    "PARTIALLY_SHIPPED": "PartiallyShipped", "SHIPPED": "Shipped", "CANCELLED": "Canceled",
    "UNFULFILLABLE": "Unfulfillable",
}  # fmt: skip
SHOPPERS = (("Erika", "Mustermann"), ("Max", "Beispiel"), ("Jale", "Yildiz"), ("Ola", "Nowak"))


class Orders(Feeds):
    """Orders by number. What changed is seen by searches `order_lag` later."""

    order_lag: ClassVar[timedelta] = timedelta(0)

    # Reading.

    @route("GET", "/orders/2026-01-01/orders", bucket="searchOrders")
    def search_orders(self, request: Request) -> Reply:
        """Orders page by page, the oldest change first."""
        name = self._window(request)
        size = count_of(request, "maxResultsPerPage", MOST_ON_A_PAGE, most=MOST_ON_A_PAGE)
        token = request.query.get("paginationToken", "")
        if token and request.fault is Fault.CURSOR_EXPIRED:
            raise Refused(self.cursor_expired())
        parts = self.parts_of_token(token) if token else {}
        since, until = moment(request.query[f"{name}After"]), self._until(request, name, parts)
        if parts and parts["since"] != request.query[f"{name}After"]:
            raise invalid("the page token belongs to another search")
        field = "lastUpdatedTime" if name == "lastUpdated" else "createdTime"
        shops = listed(request, "marketplaceIds", most=MOST_SHOPS) or list(SHOPS)
        found = sorted(
            (one for one in self.state["orders"].values() if since <= moment(one[field]) <= until
             and one["salesChannel"].get("marketplaceId", MAIN_SHOP) in shops),
            key=lambda one: (one[field], one["orderId"]),
        )  # fmt: skip
        after = tuple(parts["after"]) if parts else ("", "")
        start = sum((one[field], one["orderId"]) <= after for one in found)
        page, following = part_of(found, start, size, request.fault)
        body: dict[str, Any] = {"orders": [self._shown(one, request) for one in page], f"{name}Before": written(until)}
        if following is not None:
            last = found[following - 1]
            made = page_token(
                after=[last[field], last["orderId"]], since=request.query[f"{name}After"], until=written(until),
                at=written(self.now()), number=self.next_number(),
            )  # fmt: skip
            body["pagination"] = {"nextToken": made}
        return Reply(200, body)

    def _window(self, request: Request) -> str:
        """Whether the search goes by the moment of creation or of the last change: exactly one of them."""
        names = [name for name in ("created", "lastUpdated") if f"{name}After" in request.query]
        if len(names) != 1:
            raise invalid("exactly one of createdAfter and lastUpdatedAfter is required")
        return names[0]

    def _until(self, request: Request, name: str, parts: Mapping[str, Any]) -> datetime:
        """Up to which moment the search sees; all pages of one search see alike."""
        if parts:
            return moment(parts["until"])
        told = request.query.get(f"{name}Before")
        if told is not None:
            if moment(told) > self.now() - LEAST_AGE:
                raise invalid(f"{name}Before is not two minutes before the present")
            return moment(told)
        if self.order_lag:
            return self.now() - self.order_lag
        return max(self.now(), self.state["last_change"] or self.now())

    @route("GET", "/orders/2026-01-01/orders/{number}", bucket="getOrder")
    def read_order(self, request: Request, number: str) -> Reply:
        """One order."""
        return Reply(200, {"order": self._shown(self._order(number), request)})

    def _order(self, number: str) -> dict[str, Any]:
        found: dict[str, Any] | None = self.state["orders"].get(number)
        if found is None:
            raise refusal(404, "NotFound", f"there is no order {number}")
        return found

    def _shown(self, one: Mapping[str, Any], request: Request) -> dict[str, Any]:
        """An order with the parts that are asked for; while it is unpaid there is no buyer and no amount."""
        wanted = set(listed(request, "includedData"))
        if not wanted <= DATA:
            raise invalid("includedData holds a word that is none of its own")
        state = one["fulfillment"]["fulfillmentStatus"]
        hidden = {"buyer", "recipient", "proceeds", "payment"} if state in UNPAID else set()
        parts = {name for name, word in ORDER_PARTS.items() if word not in wanted} | hidden
        item_parts = {name for name, word in ITEM_PARTS.items() if word not in wanted} | hidden
        shown = {name: part for name, part in one.items() if name not in parts}
        shown["orderItems"] = [
            {name: part for name, part in item.items() if name not in item_parts} for item in one["orderItems"]
        ]
        if state in UNPAID:
            for item in shown["orderItems"]:
                item["product"] = {name: part for name, part in item["product"].items() if name != "price"}
        return shown

    # Confirming.

    @route("POST", "/orders/v0/orders/{number}/shipmentConfirmation", bucket="confirmShipment")
    def confirm_shipment(self, request: Request, number: str) -> Reply:
        """Take word of a parcel; the same package reference means the same parcel, corrected."""
        one, told = self._order(number), body_of(request)
        detail = told.get("packageDetail") or {}
        self._require_fit(one, told, detail)
        known = {package["packageReferenceId"]: package for package in one.get("packages", [])}
        package = _package(detail)
        if known.get(package["packageReferenceId"]) == package:
            return Reply(204)
        others = [other for name, other in known.items() if name != package["packageReferenceId"]]
        sent = _units([*others, package])
        for item in one["orderItems"]:
            if sent.get(item["orderItemId"], 0) > item["quantityOrdered"]:
                raise invalid(f"more units of item {item['orderItemId']} than were ordered")
        one["packages"] = [*others, package]
        self._count_sent(one, sent)
        self.effect("shipment", order=number, package=package["packageReferenceId"])
        self._changed(one, "Shipment confirmed")
        return Reply(204)

    def _require_fit(self, one: Mapping[str, Any], told: Mapping[str, Any], detail: Mapping[str, Any]) -> None:
        needed = ("packageReferenceId", "carrierCode", "trackingNumber", "shipDate", "orderItems")
        missing = [name for name in needed if not detail.get(name)]
        if missing:
            raise invalid(f"packageDetail lacks {', '.join(missing)}")
        if detail["carrierCode"] == "Other" and not detail.get("carrierName"):
            raise invalid("carrierName is required with the carrier code Other")
        if not str(detail["packageReferenceId"]).isdecimal() or int(detail["packageReferenceId"]) == 0:
            raise invalid("packageReferenceId is no positive number")
        if told.get("marketplaceId") != one["salesChannel"]["marketplaceId"]:
            raise invalid("the order was not placed on this marketplace")
        moment(detail["shipDate"])
        state = one["fulfillment"]["fulfillmentStatus"]
        if one["fulfillment"]["fulfilledBy"] != "MERCHANT" or state in UNPAID | {"CANCELLED"}:
            raise invalid(f"an order that is {state}, fulfilled by {one['fulfillment']['fulfilledBy']}, has no parcels")
        unknown = {part["orderItemId"] for part in detail["orderItems"]} - {
            item["orderItemId"] for item in one["orderItems"]
        }
        if unknown:
            raise invalid(f"the order has no items {', '.join(sorted(unknown))}")

    def _count_sent(self, one: dict[str, Any], sent: Mapping[str, int]) -> None:
        for item in one["orderItems"]:
            units = sent.get(item["orderItemId"], 0)
            item["fulfillment"] = {
                "quantityFulfilled": units, "quantityUnfulfilled": item["quantityOrdered"] - units,
            }  # fmt: skip
        is_whole = all(not item["fulfillment"]["quantityUnfulfilled"] for item in one["orderItems"])
        state = "SHIPPED" if is_whole else "PARTIALLY_SHIPPED" if any(sent.values()) else "UNSHIPPED"
        one["fulfillment"] = {**one["fulfillment"], "fulfillmentStatus": state}

    def _changed(self, one: dict[str, Any], reason: str) -> None:
        """Note the change: no two orders change at the same moment."""
        last = self.state["last_change"]
        at = self.now() if last is None else max(self.now(), last + timedelta(milliseconds=1))
        self.state["last_change"] = at
        one["lastUpdatedTime"] = written(at)
        self.notify("ORDER_CHANGE", {"OrderChangeNotification": _notice(one, reason)})

    # Shoppers, and what a test arranges.

    def order(self, *lines: tuple[str, int], state: str = "UNSHIPPED", extra: Mapping[str, str] | None = None) -> str:
        """Somebody buys (SKU, units): what is shown goes down at once. `extra` are further categories of proceeds.
        Returns the order's number."""
        count = self.next_number()
        number = f"{300 + count % 100}-{count:07d}-{count * 7919 % 10**7:07d}"
        listings = [self.state["listings"][sku] for sku, _ in lines]
        items = [
            self._item_of(number, listing, units, extra or {})
            for listing, (_, units) in zip(listings, lines, strict=True)
        ]
        is_own = all(listing["channel"] == OWN_CHANNEL for listing in listings)
        total = sum((Decimal(item["proceeds"]["proceedsTotal"]["amount"]) for item in items), Decimal(0))
        shop, (first, last) = SHOPS[MAIN_SHOP], SHOPPERS[count % len(SHOPPERS)]
        one: dict[str, Any] = {
            "orderId": number, "createdTime": written(self.now()), "lastUpdatedTime": written(self.now()),
            "salesChannel": {"channelName": "AMAZON", "marketplaceId": MAIN_SHOP, "marketplaceName": shop.name},
            "programs": [],
            "buyer": {"buyerName": f"{first} {last}", "buyerEmail": f"buyer{count % 50}@marketplace.amazon.de"},
            "recipient": {"deliveryAddress": {
                "name": f"{first} {last}", "addressLine1": f"Hauptstr. {count % 90 + 1}", "city": "Berlin",
                "postalCode": "10115", "countryCode": shop.country, "addressType": "RESIDENTIAL",
            }},
            "proceeds": {"grandTotal": _money(total)},
            "payment": {"paymentExecutions": [{"paymentMethod": "CreditCard", "paymentAmount": _money(total)}]},
            "fulfillment": {
                "fulfillmentStatus": state, "fulfilledBy": "MERCHANT" if is_own else "AMAZON",
                "fulfillmentServiceLevel": "STANDARD",
            },
            "orderItems": items,
        }  # fmt: skip
        self.state["orders"][number] = one
        self.effect("order", id=number, lines=list(lines))
        for listing, (_, units) in zip(listings, lines, strict=True):
            self._take_stock(listing, units)
        self._changed(one, "New order")
        return number

    def _item_of(self, order: str, listing: Mapping[str, Any], units: int, extra: Mapping[str, str]) -> dict[str, Any]:
        price = Decimal(listing["prices"].get(MAIN_SHOP, "0"))
        amounts = {"ITEM": price * units}
        if amounts["ITEM"] < FREE_SHIPPING_FROM:
            amounts["SHIPPING"] = SHIPPING
        amounts |= {category: Decimal(amount) for category, amount in extra.items()}
        return {
            "orderItemId": str(10**13 + self.next_number()),
            "quantityOrdered": units,
            "product": {
                "asin": listing["asin"], "title": listing["title"], "sellerSku": listing["sku"],
                "condition": {"conditionType": "NEW", "conditionSubtype": "NEW"}, "price": {"unitPrice": _money(price)},
            },
            "proceeds": {
                "proceedsTotal": _money(sum(amounts.values(), Decimal(0))),
                "breakdowns": [{"type": name, "subtotal": _money(amount)} for name, amount in amounts.items()],
            },
            "fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": units},
        }  # fmt: skip

    def _take_stock(self, listing: dict[str, Any], units: int) -> None:
        if listing["channel"] == OWN_CHANNEL:
            listing["quantity"] = max(0, listing["quantity"] - units)
            self.notify_quantity(listing)
        else:
            sku = listing["sku"]
            self.state["fba"][sku] = max(0, self.state["fba"].get(sku, 0) - units)
            self.notify("FBA_INVENTORY_AVAILABILITY_CHANGES", _fba_notice(listing, self.state["fba"][sku]))
        if not self.units(listing):
            self.notify_status(listing)

    def pay(self, number: str) -> None:
        """The payment of a pending order is certain."""
        self._set_state(self._order(number), "UNSHIPPED", "Payment verified")

    def cancel_order(self, number: str) -> None:
        """The shopper changes their mind, before anything was sent."""
        one = self._order(number)
        if one["fulfillment"]["fulfillmentStatus"] != "CANCELLED":
            for item in one["orderItems"]:
                item["fulfillment"] = {"quantityFulfilled": 0, "quantityUnfulfilled": 0}
                item["cancellation"] = {"cancellationExecution": {"cancelledBy": "BUYER", "cancelReason": "No need"}}
            self.effect("cancellation", order=number)
            self._set_state(one, "CANCELLED", "Buyer Requested Cancel")

    def send_from_amazon(self, number: str) -> None:
        """Amazon sends all of an order that it fulfils."""
        one = self._order(number)
        self._count_sent(one, {item["orderItemId"]: item["quantityOrdered"] for item in one["orderItems"]})
        self._set_state(one, "SHIPPED", "Shipped")

    def _set_state(self, one: dict[str, Any], state: str, reason: str) -> None:
        one["fulfillment"] = {**one["fulfillment"], "fulfillmentStatus": state}
        self._changed(one, reason)

    def shop(self, chance: random.Random) -> None:
        """One shopper comes by and buys one or two of something that is there; Amazon sends what it has to."""
        for one in self.state["orders"].values():
            told = one["fulfillment"]
            if told["fulfilledBy"] == "AMAZON" and told["fulfillmentStatus"] == "UNSHIPPED":
                self.send_from_amazon(one["orderId"])
        there = [
            sku
            for sku, listing in self.state["listings"].items()
            if self.units(listing) and MAIN_SHOP in listing["prices"]
        ]
        if there:
            sku = chance.choice(there)
            self.order((sku, min(chance.randint(1, 2), self.units(self.state["listings"][sku]))))

    def sold(self) -> dict[str, dict[str, Any]]:
        """The orders, by number: their units by SKU, state, total and who fulfils them."""
        return {number: _facts(one) for number, one in self.state["orders"].items()}


def _money(amount: Decimal) -> dict[str, str]:
    return {"amount": f"{amount:.2f}", "currencyCode": SHOPS[MAIN_SHOP].currency}


def _facts(one: Mapping[str, Any]) -> dict[str, Any]:
    lines: dict[str, int] = {}
    for item in one["orderItems"]:
        sku = item["product"]["sellerSku"]
        lines[sku] = lines.get(sku, 0) + item["quantityOrdered"]
    return {
        "lines": lines, "state": one["fulfillment"]["fulfillmentStatus"],
        "is_cancelled": one["fulfillment"]["fulfillmentStatus"] == "CANCELLED",
        "fulfilled_by": one["fulfillment"]["fulfilledBy"], "total": one["proceeds"]["grandTotal"]["amount"],
        "currency": one["proceeds"]["grandTotal"]["currencyCode"],
    }  # fmt: skip


def _package(detail: Mapping[str, Any]) -> dict[str, Any]:
    """A confirmed parcel as orders show it."""
    return {
        "packageReferenceId": str(detail["packageReferenceId"]), "createdTime": detail["shipDate"],
        "packageStatus": {"status": "SHIPPED"}, "carrier": detail.get("carrierName") or detail["carrierCode"],
        "shipTime": detail["shipDate"], "trackingNumber": detail["trackingNumber"],
        "packageItems": [
            {"orderItemId": part["orderItemId"], "quantity": part["quantity"]} for part in detail["orderItems"]
        ],
    }  # fmt: skip


def _units(packages: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    sent: dict[str, int] = {}
    for package in packages:
        for part in package["packageItems"]:
            sent[part["orderItemId"]] = sent.get(part["orderItemId"], 0) + part["quantity"]
    return sent


def _notice(one: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """What the notification ORDER_CHANGE says of an order."""
    state = one["fulfillment"]["fulfillmentStatus"]
    return {
        "NotificationLevel": "OrderLevel", "SellerId": SELLER_ID, "AmazonOrderId": one["orderId"],
        "OrderChangeType": "OrderStatusChange",
        "OrderChangeTrigger": {"TimeOfOrderChange": one["lastUpdatedTime"], "ChangeReason": reason},
        "Summary": {
            "MarketplaceId": MAIN_SHOP, "OrderStatus": NOTICE_STATES.get(state, "Unshipped"),
            "PurchaseDate": one["createdTime"],
            "DestinationPostalCode": one["recipient"]["deliveryAddress"]["postalCode"],
            "FulfillmentType": "MFN" if one["fulfillment"]["fulfilledBy"] == "MERCHANT" else "AFN",
            "OrderType": "StandardOrder",
            "OrderItems": [
                {"OrderItemId": item["orderItemId"], "SellerSKU": item["product"]["sellerSku"], "SupplySourceId": None,
                 "Quantity": item["quantityOrdered"]}
                for item in one["orderItems"]
            ],
        },
    }  # fmt: skip


def _fba_notice(listing: Mapping[str, Any], units: int) -> dict[str, Any]:
    """What the notification FBA_INVENTORY_AVAILABILITY_CHANGES says of a SKU."""
    inventory = {
        "InboundQuantityBreakdown": {"Working": 0, "Shipped": 0, "Receiving": 0}, "Fulfillable": units,
        "Unfulfillable": 0, "Researching": 0,
        "ReservedQuantityBreakdown": {"WarehouseProcessing": 0, "WarehouseTransfer": 0, "PendingCustomerOrder": 0},
        "FutureSupplyBuyable": 0, "PendingCustomerOrderInTransit": 0,
    }  # fmt: skip
    return {
        "SellerId": SELLER_ID, "FNSKU": f"X{listing['asin'][1:]}", "ASIN": listing["asin"], "SKU": listing["sku"],
        "FulfillmentInventoryByMarketplace": [
            {"MarketplaceId": MAIN_SHOP, "ItemName": listing["title"], "FulfillmentInventory": inventory, "Stores": []}
        ],
    }  # fmt: skip
