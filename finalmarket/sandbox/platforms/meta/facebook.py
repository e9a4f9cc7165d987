"""A Facebook business: batches of items are worked off later, orders are paid before they come, a batch of events with
one bad one in it is refused whole (Meta's node specifications and guides)."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from finalmarket.sandbox.platforms.meta.graph import GraphStandIn, Object, V, moment, not_there, refusal, told
from finalmarket.sandbox.stand_in import Reply, Request, route

TOKEN, APP_SECRET, APP_ID = "sandbox-token-of-the-system-user", "sandbox-app-secret-of-meta", "900001"
PAGE_TOKEN = "sandbox-token-of-the-page"  # noqa: S105  opens nothing but the sandbox
CATALOG, COMMERCE, PIXEL, PAGE = "910001", "920001", "930001", "940001"
MOST_REQUESTS, MOST_EVENTS = 5000, 1000
STATES = ("FB_PROCESSING", "CREATED", "IN_PROGRESS", "COMPLETED")
PRICE = re.compile(r"\d+(\.\d+)? [A-Z]{3}")
SOURCES = (
    "email", "website", "app", "phone_call", "chat", "physical_store", "system_generated", "business_messaging",
    "other",
)  # fmt: skip
# Fields of a feed that are called otherwise when an item is read.
CALLED = {"title": "name", "link": "url"}


class Facebook(GraphStandIn):
    """One business. `work_seconds` is how long a batch takes."""

    slug = "facebook"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"": (50.0, 200.0)}
    token, app_secret = TOKEN, APP_SECRET

    def fresh_state(self) -> Any:
        return {
            "items": {}, "orders": {}, "events": {}, "batches": {}, "shipments": {}, "number": 0, "hook": "",
            "hook_page": False, "work_seconds": 0,
        }  # fmt: skip

    def credentials(self) -> dict[str, str]:
        return {
            "access_token": TOKEN, "app_secret": APP_SECRET, "app_id": APP_ID, "catalog_id": CATALOG,
            "commerce_id": COMMERCE, "pixel_id": PIXEL, "page_id": PAGE, "link": "https://shop.example.org/p/{sku}",
        }  # fmt: skip

    def let_in(self, request: Request) -> None:
        super().let_in(request)
        self.require_proof(request, TOKEN)

    def number(self) -> int:
        """The next number of this business."""
        self.state["number"] += 1
        return int(self.state["number"])

    # The catalogue.

    @route("GET", f"{V}/{CATALOG}")
    def read_catalog(self, request: Request) -> Reply:
        return Reply(200, {"id": CATALOG, "name": "Sandbox shop", "product_count": len(self.state["items"])})

    @route("GET", f"{V}/{CATALOG}/products")
    def list_products(self, request: Request) -> Reply:
        wanted = json.loads(request.query.get("filter", "{}")).get("retailer_id", {}).get("is_any")
        rows = [_shown(item) for name, item in self.state["items"].items() if wanted is None or name in wanted]
        return self.page(request, rows, 500)

    @route("POST", f"{V}/{CATALOG}/items_batch")
    def take_items(self, request: Request) -> Reply:
        sent = told(request)
        if sent.get("item_type") != "PRODUCT_ITEM" or not isinstance(sent.get("requests"), list):
            raise refusal(400, 100, "(#100) item_type and requests are required")
        if not 1 <= len(sent["requests"]) <= MOST_REQUESTS:
            raise refusal(400, 100, f"(#100) a batch holds 1 to {MOST_REQUESTS} requests")
        errors = []
        for line, one in enumerate(sent["requests"]):
            fault = self._set_item(one, is_upsert=bool(sent.get("allow_upsert", True)))
            if fault:
                errors.append({"line": line + 1, "id": str(one.get("data", {}).get("id", "")), "message": fault})
        handle = f"handle-{self.number()}"
        done_at = self.now() + timedelta(seconds=self.state["work_seconds"])
        self.state["batches"][handle] = {"done_at": done_at, "errors": errors}
        return Reply(200, {"handles": [handle]})

    def _set_item(self, one: Object, *, is_upsert: bool) -> str:
        """Set an item; why not, where it cannot be."""
        data = one.get("data")
        if one.get("method") != "UPDATE" or not isinstance(data, dict) or not data.get("id"):
            return "a request has a method and data with an id"
        item = self.state["items"].get(data["id"])
        if item is None and not is_upsert:
            return f"the item {data['id']} does not exist"
        needed = ("title", "description", "availability", "condition", "price", "link", "image")
        missing = [name for name in needed if item is None and not data.get(name)]
        if missing:
            return f"missing: {', '.join(missing)}"
        if "price" in data and not PRICE.fullmatch(data["price"]):
            return f"{data['price']} is no price"
        after = {**(item or {"number": self.number()}), **data}
        if after != item:
            self.state["items"][data["id"]] = after
            self.effect("item", id=data["id"])
        return ""

    @route("GET", f"{V}/{CATALOG}/check_batch_request_status")
    def tell_of_batch(self, request: Request) -> Reply:
        batch = self.state["batches"].get(request.query.get("handle", ""))
        if batch is None:
            raise refusal(400, 100, "(#100) the handle is not valid")
        is_done, errors = self.now() >= batch["done_at"], batch["errors"]
        row = {
            "handle": request.query["handle"], "status": "finished" if is_done else "in_progress",
            "errors_total_count": len(errors) if is_done else 0, "errors": errors[:10] if is_done else [],
            "ids_of_invalid_requests": [one["id"] for one in errors] if is_done else [],
        }  # fmt: skip
        return Reply(200, {"data": [row]})

    # Orders.

    @route("GET", f"{V}/{COMMERCE}/commerce_orders")
    def list_orders(self, request: Request) -> Reply:
        asked = request.query.get("state", "CREATED").split(",")
        after = datetime.fromtimestamp(int(request.query.get("updated_after") or 0), UTC)
        found = [
            order
            for order in self.state["orders"].values()
            if _state(order) in asked or _state(order) not in STATES
            if datetime.fromisoformat(order["last_updated"]) > after
        ]
        found.sort(key=lambda order: str(order["id"])[::-1])  # in an order that means nothing
        return self.page(request, found, 100)

    @route("GET", f"{V}/{{name}}")
    def read_order(self, request: Request, name: str) -> Reply:
        return Reply(200, self._order(name))

    @route("POST", f"{V}/{{name}}/shipments")
    def ship(self, request: Request, name: str) -> Reply:
        order, sent = self._order(name), told(request)
        key = sent.get("idempotency_key")
        if not key:
            raise refusal(400, 100, "(#100) The parameter idempotency_key is required")
        lines = {line["id"]: line["quantity"] for line in order["items"]["data"]}
        for item in sent.get("items", []):
            if item.get("quantity", 0) > lines.get(item.get("item_id"), 0):
                raise refusal(400, 100, "(#100) so many of this item were not ordered")
        if key not in self.state["shipments"]:
            parcel = {"id": str(960000 + self.number()), "tracking_info": sent.get("tracking_info", {})}
            self.state["shipments"][key] = parcel["id"]
            order.setdefault("shipments", {"data": []})["data"].append(parcel)
            self._touch(order, "COMPLETED")
            self.effect("shipment", order=name, key=key)
        return Reply(200, {"success": True})

    def _order(self, name: str) -> Object:
        order: Object | None = self.state["orders"].get(name)
        if order is None:
            raise not_there(name)
        return order

    def _touch(self, order: Object, state: str) -> None:
        order["order_status"], order["last_updated"] = {"state": state}, moment(self.now())

    # Events of customers.

    @route("POST", f"{V}/{PIXEL}/events")
    def take_events(self, request: Request) -> Reply:
        sent = told(request).get("data")
        if not isinstance(sent, list) or not 1 <= len(sent) <= MOST_EVENTS:
            raise refusal(400, 100, f"(#100) data holds 1 to {MOST_EVENTS} events", 2804003)
        for event in sent:
            at = datetime.fromtimestamp(int(event.get("event_time") or 0), UTC)
            if not event.get("event_name") or event.get("action_source") not in SOURCES or not event.get("user_data"):
                raise refusal(400, 100, "Invalid parameter", 2804019)
            if not self.now() - timedelta(days=7) <= at <= self.now() + timedelta(minutes=1):
                raise refusal(400, 100, "Invalid parameter: event_time", 2804003)
        for event in sent:
            name = (event["event_name"], event.get("event_id", ""))
            if not name[1] or name not in self.state["events"]:
                self.state["events"][name] = event
                self.effect("event", kind=name[0], key=name[1])
        return Reply(200, {"events_received": len(sent), "messages": [], "fbtrace_id": "Asandbox"})

    # Letting in, and webhooks of the page.

    @route("GET", f"{V}/oauth/access_token", is_open=True)
    def give_token(self, request: Request) -> Reply:
        asked = request.query
        if asked.get("client_id") != APP_ID or asked.get("client_secret") != APP_SECRET:
            raise refusal(400, 101, "Error validating application")
        if asked.get("grant_type") == "fb_exchange_token" and asked.get("fb_exchange_token") == "short-token":
            return Reply(200, {"access_token": TOKEN, "token_type": "bearer", "expires_in": 5184000})
        if asked.get("code") != "sandbox-code" or not asked.get("redirect_uri"):
            raise refusal(400, 100, "Invalid verification code format", 36009)
        return Reply(200, {"access_token": "short-token", "token_type": "bearer", "expires_in": 3600})

    @route("GET", f"{V}/{PAGE}")
    def read_page(self, request: Request) -> Reply:
        return Reply(200, {"id": PAGE, "access_token": PAGE_TOKEN})

    @route("POST", f"{V}/{APP_ID}/subscriptions", is_open=True)
    def subscribe(self, request: Request) -> Reply:
        self._require_token(request, f"{APP_ID}|{APP_SECRET}")
        entry = dict(request.form())
        if entry.get("object") != "page" or not entry.get("callback_url") or not entry.get("verify_token"):
            raise refusal(400, 100, "(#100) object, callback_url and verify_token are required")
        if self.state["hook"] != entry["callback_url"]:
            self.state["hook"] = entry["callback_url"]
            self.effect("subscription", url=entry["callback_url"])
        return Reply(200, {"success": True})

    @route("POST", f"{V}/{PAGE}/subscribed_apps", is_open=True)
    def subscribe_page(self, request: Request) -> Reply:
        self._require_token(request, PAGE_TOKEN)
        if not self.state["hook_page"]:
            self.state["hook_page"] = True
            self.effect("page_subscription")
        return Reply(200, {"success": True})

    def _require_token(self, request: Request, token: str) -> None:
        if request.headers.get("authorization") != f"Bearer {token}":
            raise refusal(401, 190, "Invalid OAuth access token")
        self.require_proof(request, token)

    # What happens outside.

    def add_listing(self, sku: str, title: str, price: Decimal, quantity: int, *, barcode: str = "") -> str:
        """The merchant put an item into the catalogue; its id."""
        self.state["items"][sku] = {
            "number": self.number(), "id": sku, "title": title, "description": title, "condition": "new",
            "price": f"{price} EUR", "quantity_to_sell_on_facebook": quantity, "availability": "in stock",
            "link": f"https://shop.example.org/p/{sku}", "image": [{"url": f"https://shop.example.org/{sku}.jpg"}],
            "visibility": "published", **({"gtin": barcode} if barcode else {}),
        }  # fmt: skip
        return sku

    def listings(self) -> Sequence[str]:
        """The SKUs that are on sale."""
        return list(self.state["items"])

    def shown_stock(self) -> Mapping[str, int]:
        """The units that are shown, by SKU."""
        return {sku: int(item.get("quantity_to_sell_on_facebook", 0)) for sku, item in self.state["items"].items()}

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

    def order(self, wanted: Sequence[tuple[str, int]], *, channel: str = "facebook") -> str:
        """Somebody buys; the order's id."""
        name, items = str(950000 + self.number()), Decimal(0)
        lines: list[Object] = []
        for sku, units in wanted:
            item = self.state["items"][sku]
            amount, currency = item["price"].split()
            items += Decimal(amount) * units
            item["quantity_to_sell_on_facebook"] = max(0, item["quantity_to_sell_on_facebook"] - units)
            lines.append(
                {"id": f"{name}{len(lines)}", "retailer_id": sku, "product_name": item["title"], "quantity": units,
                 "price_per_unit": _money(Decimal(amount), currency),
                 "tax_details": {"estimated_tax": _money(Decimal("0.19"), currency)}}
            )  # fmt: skip
        shipping, tax = Decimal("4.90"), Decimal("0.19") * len(lines)
        subtotal = {"items": _money(items, currency), "shipping": _money(shipping, currency)}
        self.state["orders"][name] = {
            "id": name, "order_status": {"state": "CREATED"}, "created": moment(self.now()), "is_test_order": False,
            "last_updated": moment(self.now()), "channel": channel, "items": {"data": lines},
            "selected_shipping_option": {"name": "Standard", "price": _money(shipping, currency)},
            "shipping_address": {
                "name": "Ada Lovelace", "street1": "Hauptstr. 1", "city": "Berlin", "postal_code": "10115",
                "country": "DE",
            },
            "estimated_payment_details": {
                "subtotal": subtotal, "tax": _money(tax, currency), "tax_remitted": False,
                "total_amount": _money(items + shipping + tax, currency),
            },
            "buyer_details": {"name": "Ada Lovelace", "email": "ada@example.org", "email_remarketing_option": False},
        }  # fmt: skip
        self.effect("order", id=name)
        return name

    def comment(self, text: str) -> str:
        """Somebody says something below a post of the page; the comment's id."""
        name, at = f"{PAGE}_{self.number()}", int(self.now().timestamp())
        value = {
            "item": "comment", "verb": "add", "comment_id": name, "message": text, "created_time": at,
            "from": {"id": "777", "name": "Ada"}, "post_id": f"{PAGE}_1",
        }  # fmt: skip
        self.tell("page", {"id": PAGE, "time": at, "changes": [{"field": "feed", "value": value}]})
        return name


def _money(amount: Decimal, currency: str) -> Object:
    return {"amount": f"{amount:f}", "currency": currency}


def _state(order: Object) -> str:
    return str(order["order_status"]["state"])


def _shown(item: Object) -> Object:
    """An item as it is read: the price as people see it."""
    amount, _, currency = item["price"].partition(" ")
    shown = {
        CALLED.get(name, name): value for name, value in item.items() if name not in ("id", "image", "number", "price")
    }
    sign = {"EUR": "€", "USD": "$"}.get(currency, f"{currency} ")
    whole, point, part = amount.partition(".")
    price = f"{sign}{int(whole):,}{point}{part}"
    return {
        "id": str(970000 + item["number"]),
        "retailer_id": item["id"],
        "price": price,
        "currency": currency,
        **shown,
    }
