"""A TikTok Shop with a pixel: signed calls, one envelope around every answer, every article of an order for itself,
every warehouse of a SKU named when units are set (TikTok Shop Partner Center; TikTok Business API)."""

from __future__ import annotations

import hmac
import json
import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, part_of, route
from finalmarket.sandbox.webhooks import Letter

APP_KEY, APP_SECRET = "sandbox-app-key", "sandbox-app-secret-of-tiktok"
TOKEN, REFRESH, EVENTS_TOKEN = "sandbox-access-token", "sandbox-refresh-token", "sandbox-events-token"
SHOP, CIPHER, HOUSE, OPTION, PIXEL = "7494049642642441621", "sandbox-cipher", "6955001", "7091001", "SANDBOXPIXEL"
PROVIDERS = {"6617001": "DHL", "6617002": "UPS", "6617003": "An Post"}
MOST_EVENTS = 50
CHARGED = Decimal("1.25")  # so many times its price something costs with tax and shipping from another country
HOOKS = {
    "ORDER_STATUS_CHANGE": 1, "RECIPIENT_ADDRESS_UPDATE": 3, "PACKAGE_UPDATE": 4, "PRODUCT_STATUS_CHANGE": 5,
    "SELLER_DEAUTHORIZATION": 6, "CANCELLATION_STATUS_CHANGE": 11, "RETURN_STATUS_CHANGE": 12,
}  # fmt: skip
Object = dict[str, Any]


def envelope(data: Any, *, code: int = 0, message: str = "Success", status: int = 200) -> Reply:
    """An answer as TikTok wraps it."""
    return Reply(status, {"code": code, "message": message, "request_id": "sandbox", "data": data})


def refusal(status: int, code: int, message: str) -> Refused:
    """An error in the same wrapping."""
    return Refused(envelope({}, code=code, message=message, status=status))


class TikTok(StandIn):
    """One shop."""

    slug = "tiktok"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"": (50.0, 50.0), "pixel": (50.0, 50.0)}

    def fresh_state(self) -> Any:
        return {
            "number": 0, "products": {}, "orders": {}, "returns": {}, "events": {}, "hooks": {}, "token": TOKEN,
            "houses": [HOUSE], "seller_type": "LOCAL",
        }  # fmt: skip

    def credentials(self) -> dict[str, str]:
        return {
            "app_key": APP_KEY, "app_secret": APP_SECRET, "refresh_token": REFRESH, "events_token": EVENTS_TOKEN,
            "pixel_code": PIXEL, "shop_id": SHOP,
        }  # fmt: skip

    def number(self) -> int:
        """The next number of this shop."""
        self.state["number"] += 1
        return int(self.state["number"])

    def let_in(self, request: Request) -> None:
        if request.path.startswith("/open_api/"):
            if not hmac.compare_digest(request.headers.get("access-token", ""), EVENTS_TOKEN):
                raise refusal(200, 40105, "Access token is incorrect or has been revoked.")
            return
        query = request.query
        at = int(query.get("timestamp") or 0)
        if query.get("app_key") != APP_KEY or not self._signed(request):
            raise refusal(400, 106001, "The sign parameter is invalid")
        if not -300 <= at - self.world.clock.now().timestamp() <= 300:
            raise refusal(400, 106011, "The timestamp is invalid or expired")
        if not hmac.compare_digest(request.headers.get("x-tts-access-token", ""), self.state["token"]):
            raise refusal(401, 105002, "Expired credentials, please refresh")
        if not request.path.startswith("/authorization/") and query.get("shop_cipher") != CIPHER:
            raise refusal(400, 36009007, "The shop_cipher is invalid")

    def _signed(self, request: Request) -> bool:
        kept = sorted((name, value) for name, value in request.query.items() if name != "sign")
        text = request.path + "".join(f"{name}{value}" for name, value in kept)
        key = APP_SECRET.encode()
        wanted = hmac.digest(key, key + text.encode() + request.body + key, "sha256").hex()
        return hmac.compare_digest(request.query.get("sign", "").encode(), wanted.encode())

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        reply = envelope({}, code=36009002, message="Too many requests", status=429)
        reply.headers |= {"Retry-After": str(max(1, round(wait_seconds)))} if says_when else {}
        return reply

    def broken(self) -> Reply:
        return envelope({}, code=36009003, message="Internal error. Please try again.", status=500)

    def token_expired(self) -> Reply:
        return envelope({}, code=105002, message="Expired credentials, please refresh", status=401)

    def cursor_expired(self) -> Reply:
        return envelope({}, code=36009004, message="Invalid page_token", status=400)

    def not_found(self, request: Request) -> Reply:
        return envelope({}, code=36009009, message=f"Invalid path {request.path}", status=404)

    # Letting in.

    @route("GET", "/api/v2/token/get", is_open=True)
    def take_code(self, request: Request) -> Reply:
        return self._give_token(request, "auth_code", "sandbox-code", "authorized_code")

    @route("GET", "/api/v2/token/refresh", is_open=True)
    def renew_token(self, request: Request) -> Reply:
        return self._give_token(request, "refresh_token", REFRESH, "refresh_token")

    def _give_token(self, request: Request, field: str, wanted: str, grant: str) -> Reply:
        asked = request.query
        told = (asked.get("app_key"), asked.get("app_secret"), asked.get(field), asked.get("grant_type"))
        if told != (APP_KEY, APP_SECRET, wanted, grant):
            return envelope(None, code=36004004, message=f"{field} is invalid")
        self.state["token"] = f"{TOKEN}-{self.number()}"
        ends = int((self.now() + timedelta(days=7)).timestamp())
        data = {"access_token": self.state["token"], "access_token_expire_in": ends, "refresh_token": REFRESH}
        return envelope(data)

    @route("GET", "/authorization/202309/shops")
    def list_shops(self, request: Request) -> Reply:
        shop = {
            "id": SHOP,
            "name": "Sandbox shop",
            "region": "IE",
            "seller_type": self.state["seller_type"],
            "cipher": CIPHER,
            "code": "IE1",
        }
        return envelope({"shops": [shop]})

    # Goods.

    @route("POST", "/product/202502/products/search", is_write=False)
    def search_products(self, request: Request) -> Reply:
        return self._page(request, "products", list(self.state["products"].values()))

    @route("POST", "/product/202309/inventory/search", is_write=False)
    def search_inventory(self, request: Request) -> Reply:
        wanted, found = set(self._told(request).get("sku_ids", [])), []
        if len(wanted) > 600:
            raise refusal(400, 12052900, "At most 600 SKU ids")
        for product in self.state["products"].values():
            skus = [_stock_of(sku) for sku in product["skus"] if sku["id"] in wanted]
            if skus:
                found.append({"product_id": product["id"], "skus": skus})
        return envelope({"inventory": found})

    @route("POST", "/product/202309/products/{product}/inventory/update")
    def set_inventory(self, request: Request, product: str) -> Reply:
        for told, sku in self._skus(request, product):
            houses = {one["warehouse_id"] for one in sku["inventory"]}
            given = {one.get("warehouse_id"): one["quantity"] for one in told["inventory"]}
            if set(given) != houses:
                raise refusal(200, 12019028, "Multiple warehouses detected. Include all warehouse IDs")
            if not all(0 <= units <= 99_999 for units in given.values()):
                raise refusal(200, 12052055, "The SKU inventory quantity must be within allowed limits.")
            after = [{"warehouse_id": house, "quantity": given[house]} for house in sorted(houses)]
            self._change(sku, "inventory", after, "stock")
        return envelope({"errors": []})

    @route("POST", "/product/202309/products/{product}/prices/update")
    def set_prices(self, request: Request, product: str) -> Reply:
        for told, sku in self._skus(request, product):
            price = self._price_told(told["price"])
            if price["currency"] != "EUR" or Decimal(price["tax_exclusive_price"]) <= 0:
                raise refusal(200, 12052017, "The price is invalid")
            self._change(sku, "price", price, "price")
        return envelope({})

    def _skus(self, request: Request, product: str) -> list[tuple[Object, Object]]:
        there = self.state["products"].get(product)
        if there is None:
            raise refusal(200, 12052032, "The product does not exist")
        known = {sku["id"]: sku for sku in there["skus"]}
        told = self._told(request)["skus"]
        if not all(one["id"] in known for one in told):
            raise refusal(200, 12052556, "The SKU id not exist.")
        return [(one, known[one["id"]]) for one in told]

    def _price_told(self, told: Object) -> Object:
        """A price as it stands afterwards. Where the shop sells from another country, `sale_price` is what is shown and
        decides; without it, `amount` is what it is before tax and shipping. A local shop has but one."""
        shown, before, currency = told.get("sale_price"), Decimal(told.get("amount") or 0), told["currency"]
        if not self._is_cross_border():
            return {"currency": currency, "tax_exclusive_price": f"{before}"}
        before = Decimal(shown) / CHARGED if shown else before
        return {
            "currency": currency,
            "tax_exclusive_price": f"{before:.2f}",
            "sale_price": shown or f"{before * CHARGED:.2f}",
        }

    def _is_cross_border(self) -> bool:
        return bool(self.state["seller_type"] == "CROSS_BORDER")

    def _change(self, sku: Object, field: str, after: Any, name: str) -> None:
        if sku[field] != after:
            sku[field] = after
            self.effect(name, sku=sku["id"])

    # Orders.

    @route("POST", "/order/202309/orders/search", is_write=False)
    def search_orders(self, request: Request) -> Reply:
        since = int(self._told(request).get("update_time_ge") or 0)
        rows = [order for order in self.state["orders"].values() if order["update_time"] >= since]
        by = request.query.get("sort_field", "create_time")
        rows.sort(key=lambda order: int(order[by]), reverse=request.query.get("sort_order") != "ASC")
        return self._page(request, "orders", rows)

    @route("GET", "/order/202507/orders")
    def read_orders(self, request: Request) -> Reply:
        wanted = request.query.get("ids", "").split(",")
        return envelope({"orders": [self.state["orders"][name] for name in wanted if name in self.state["orders"]]})

    @route("POST", "/return_refund/202309/returns/search", is_write=False)
    def search_returns(self, request: Request) -> Reply:
        told = self._told(request)
        rows = [
            one
            for one in self.state["returns"].values()
            if one["order_id"] in told.get("order_ids", [one["order_id"]])
            and one["return_status"] in told.get("return_status", [one["return_status"]])
        ]
        return self._page(request, "return_orders", rows)

    @route("POST", "/return_refund/202309/cancellations")
    def cancel(self, request: Request) -> Reply:
        told = self._told(request)
        order = self._order(told.get("order_id"))
        if order["status"] not in ("UNPAID", "ON_HOLD", "AWAITING_SHIPMENT") or not told.get("cancel_reason"):
            raise refusal(200, 25010001, "The order status does not support cancellation")
        self._touch(order, "CANCELLED")
        for line in order["line_items"]:
            line["display_status"] = "CANCELLED"
        self.effect("cancellation", order=order["id"])
        return envelope({"cancel_id": str(4035000 + self.number()), "cancel_status": "CANCELLATION_REQUEST_SUCCESS"})

    @route("GET", "/logistics/202309/delivery_options/{option}/shipping_providers")
    def list_providers(self, request: Request, option: str) -> Reply:
        rows = [{"id": name, "name": words} for name, words in PROVIDERS.items()] if option == OPTION else []
        return envelope({"shipping_providers": rows})

    @route("POST", "/fulfillment/202309/orders/{name}/packages")
    def ship(self, request: Request, name: str) -> Reply:
        order, told = self._order(name), self._told(request)
        wanted = set(told.get("order_line_item_ids") or [line["id"] for line in order["line_items"]])
        inside = [line for line in order["line_items"] if line["id"] in wanted]
        if told.get("shipping_provider_id") not in PROVIDERS or not told.get("tracking_number"):
            raise refusal(200, 21011022, "Invalid tracking number or provider ID. Please double check and try again.")
        if len(inside) != len(wanted) or any(line.get("package_id") for line in inside):
            raise refusal(200, 21011006, "These orders are already shipped.")
        package = str(1152000 + self.number())
        for line in inside:
            line |= {
                "package_id": package, "tracking_number": told["tracking_number"], "display_status": "IN_TRANSIT",
                "shipping_provider_name": PROVIDERS[told["shipping_provider_id"]],
            }  # fmt: skip
        order["packages"] = [*order.get("packages", []), {"id": package}]
        is_all = all(line.get("package_id") for line in order["line_items"])
        self._touch(order, "IN_TRANSIT" if is_all else "PARTIALLY_SHIPPING")
        self.effect("fulfilment", order=name, id=package)
        return envelope({"order_id": name, "order_line_item_ids": sorted(wanted), "package_id": package})

    def _order(self, name: Any) -> Object:
        order: Object | None = self.state["orders"].get(name)
        if order is None:
            raise refusal(200, 21008111, "The order or package does not belong to the current seller.")
        return order

    def _touch(self, order: Object, status: str) -> None:
        order["status"], order["update_time"] = status, int(self.now().timestamp())
        data = {"order_id": order["id"], "order_status": status, "update_time": order["update_time"]}
        self.tell("ORDER_STATUS_CHANGE", data)

    def _told(self, request: Request) -> Object:
        try:
            told = request.json()
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise refusal(400, 36009004, "The body is no JSON object")
        return told

    def _page(self, request: Request, name: str, rows: list[Any]) -> Reply:
        token, limit = request.query.get("page_token", ""), int(request.query.get("page_size") or 20)
        if request.fault is Fault.CURSOR_EXPIRED and token:
            return self.cursor_expired()
        if not 1 <= limit <= 100:
            raise refusal(400, 36009004, "page_size is 1 to 100")
        part, following = part_of(rows, int(token.removeprefix("page-") or 0), limit, request.fault)
        following_token = "" if following is None else f"page-{following}"
        return envelope({name: part, "total_count": len(rows), "next_page_token": following_token})

    # Events, and webhooks.

    @route("POST", "/open_api/v1.3/pixel/batch", bucket="pixel")
    def take_events(self, request: Request) -> Reply:
        told = self._told(request)
        batch = told.get("batch")
        if told.get("pixel_code") != PIXEL or not isinstance(batch, list) or not 1 <= len(batch) <= MOST_EVENTS:
            raise refusal(200, 40002, f"pixel_code and a batch of 1 to {MOST_EVENTS} are required")
        if not all(one.get("type") == "track" and one.get("event") and one.get("timestamp") for one in batch):
            raise refusal(200, 40002, "an event has a type, a name and a timestamp")
        for one in batch:
            name = (one["event"], one.get("event_id", ""))
            if not name[1] or name not in self.state["events"]:
                self.state["events"][name] = one
                self.effect("event", key=name[1])
        return envelope({})

    @route("GET", "/event/202309/webhooks")
    def list_hooks(self, request: Request) -> Reply:
        rows = [
            {"event_type": name, "address": url, "create_time": 0, "update_time": 0}
            for name, url in self.state["hooks"].items()
        ]
        return envelope({"webhooks": rows, "total_count": len(rows)})

    @route("PUT", "/event/202309/webhooks")
    def set_hook(self, request: Request) -> Reply:
        told = self._told(request)
        if told.get("event_type") not in HOOKS or not 0 < len(told.get("address", "")) <= 255:
            raise refusal(400, 36009004, "Invalid event_type or address")
        if self.state["hooks"].get(told["event_type"]) != told["address"]:
            self.state["hooks"][told["event_type"]] = told["address"]
            self.effect("subscription", topic=told["event_type"])
        return envelope({})

    def tell(self, topic: str, data: Object) -> None:
        """Send a webhook where somebody asked for it."""
        url = self.state["hooks"].get(topic)
        if url:
            at = int(self.now().timestamp())
            told = {
                "type": HOOKS[topic], "tts_notification_id": str(7327000 + self.number()), "shop_id": SHOP,
                "timestamp": at, "data": data,
            }  # fmt: skip
            body = json.dumps(told).encode()
            signed = hmac.digest(APP_SECRET.encode(), APP_KEY.encode() + body, "sha256").hex()
            self.sender.send(Letter(url, {"Content-Type": "application/json", "Authorization": signed}, body, topic))

    # What happens outside.

    def add_listing(self, sku: str, title: str, price: Decimal, quantity: int, *, barcode: str = "") -> str:
        """The merchant put a product up; its SKU's id."""
        number = self.number()
        name, product = str(2729000 + number), str(1729000 + number)
        houses = [{"warehouse_id": house, "quantity": quantity} for house in self.state["houses"]]
        told = {"currency": "EUR", "amount": f"{price}", "sale_price": f"{price}"}
        self.state["products"][product] = {
            "id": product, "title": title, "status": "ACTIVATE", "create_time": 0, "update_time": 0,
            "skus": [{"id": name, "seller_sku": sku, "inventory": houses,
                      "price": self._price_told(told)}],
        }  # fmt: skip
        return name

    def sku(self, name: str) -> tuple[Object, Object]:
        """A SKU by its id or the merchant's number, and the product that it is of."""
        return next(
            (sku, product)
            for product in self.state["products"].values()
            for sku in product["skus"]
            if name in (sku["id"], sku["seller_sku"])
        )

    def listings(self) -> Sequence[str]:
        """The SKUs that are on sale."""
        return [sku["seller_sku"] for product in self.state["products"].values() for sku in product["skus"]]

    def shown_stock(self) -> Mapping[str, int]:
        """The units that are shown, by SKU."""
        return {name: _stock_of(self.sku(name)[0])["total_available_quantity"] for name in self.listings()}

    def counted_events(self) -> list[str]:
        """See CountsEvents."""
        return [one["key"] for one in self.effects("event")]

    def sold(self) -> Mapping[str, Any]:
        """All orders that were ever placed there."""
        return dict(self.state["orders"])

    def shop(self, chance: random.Random) -> None:
        """A shopper buys something that is there."""
        there = [sku for sku, units in self.shown_stock().items() if units > 0]
        if there:
            self.order([(chance.choice(there), 1)])

    def order(self, wanted: Sequence[tuple[str, int]]) -> str:
        """Somebody buys; the order's id."""
        name, at = str(576461413038000 + self.number()), int(self.now().timestamp())
        lines: list[Object] = []
        for number, units in wanted:
            sku, product = self.sku(number)
            amount = sku["price"].get("sale_price") or sku["price"]["tax_exclusive_price"]
            sku["inventory"][0]["quantity"] = max(0, sku["inventory"][0]["quantity"] - units)
            for _ in range(units):
                lines.append(
                    {"id": f"{name}{len(lines):02d}", "sku_id": sku["id"], "product_id": product["id"],
                     "seller_sku": number, "product_name": product["title"], "original_price": amount,
                     "sale_price": amount, "currency": "EUR", "display_status": "AWAITING_SHIPMENT"}
                )  # fmt: skip
        goods = sum((Decimal(line["sale_price"]) for line in lines), Decimal(0))
        order = {
            "id": name, "status": "AWAITING_SHIPMENT", "create_time": at, "update_time": at, "user_id": "7021436",
            "line_items": lines, "shipping_type": "SELLER", "delivery_option_id": OPTION, "warehouse_id": HOUSE,
            "commerce_platform": "TIKTOK_SHOP", "buyer_email": "v2b2V5@chat.seller.tiktok.com",
            "payment": {
                "currency": "EUR", "sub_total": f"{goods}", "shipping_fee": "4.90", "tax": "0",
                "total_amount": f"{goods + Decimal('4.90')}",
            },
            "recipient_address": {
                "name": "Ada Lovelace", "phone_number": "(+353)1-***-1234", "address_line1": "1 Main St",
                "region_code": "IE", "postal_code": "D01", "post_town": "Dublin",
                "district_info": [{"address_level": "L1", "address_name": "Leinster"}],
            },
        }  # fmt: skip
        self.state["orders"][name] = order
        self.effect("order", id=name)
        self.tell("ORDER_STATUS_CHANGE", {"order_id": name, "order_status": "AWAITING_SHIPMENT", "update_time": at})
        return name

    def give_back(self, order: str, amount: Decimal) -> str:
        """A return of an order is through, and the money is back; the return's id."""
        name = str(4035900 + self.number())
        money = {"currency": "EUR", "refund_total": f"{amount}"}
        self.state["returns"][name] = {
            "return_id": name, "order_id": order, "return_status": "RETURN_OR_REFUND_REQUEST_COMPLETE",
            "return_reason_text": "Came broken", "refund_amount": money,
        }  # fmt: skip
        self.tell("RETURN_STATUS_CHANGE", {"order_id": order, "return_id": name})
        return name


def _stock_of(sku: Object) -> Object:
    houses = [
        {"warehouse_id": one["warehouse_id"], "available_quantity": one["quantity"], "committed_quantity": 0}
        for one in sku["inventory"]
    ]
    total = sum(one["available_quantity"] for one in houses)
    return {
        "id": sku["id"], "seller_sku": sku["seller_sku"], "total_available_quantity": total,
        "total_committed_quantity": 0, "warehouse_inventory": houses,
    }  # fmt: skip
