"""Inventory items and their offers, as the Inventory API keeps them: items by SKU, one fixed-price offer of each."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.ebay.account import (
    CATEGORY_ID,
    LOCATION_KEY,
    MARKETPLACE,
    POLICIES,
    body_of,
    error,
    money,
    refusal,
)
from finalmarket.sandbox.platforms.ebay.desk import Desk
from finalmarket.sandbox.stand_in import Refused, Reply, Request, route

ROOT = "/sell/inventory/v1"
DOMAIN = "API_INVENTORY"
BATCH = 25
MOST_REVISIONS_A_DAY = 250
MOST_SKU_LETTERS, MOST_TITLE_LETTERS = 50, 80
READ_ONLY = ("offerId", "sku", "marketplaceId", "format", "status", "listing")


class Shelf(Desk):
    """The Inventory API."""

    # Items.

    @route("GET", f"{ROOT}/inventory_item", bucket="inventory")
    def read_items(self, request: Request) -> Reply:
        """A page of items; `offset` counts pages."""
        limit, page = self._count(request, "limit", 25, 1, 200), self._count(request, "offset", 0, 0, 10**6)
        items = list(self.state["items"].values())
        shown = items[page * limit : (page + 1) * limit]
        if request.fault is Fault.DUPLICATE_PAGE and page:
            shown = items[page * limit - 1 : (page + 1) * limit]
        if request.fault is Fault.MISSING_PAGE:
            shown = shown[:-1]
        told = {"href": request.path, "total": len(items), "size": len(shown), "limit": limit, "inventoryItems": shown}
        if (page + 1) * limit < len(items):
            told["next"] = f"{ROOT}/inventory_item?limit={limit}&offset={page + 1}"
        return Reply(200, told)

    def _count(self, request: Request, name: str, usual: int, least: int, most: int) -> int:
        told = request.query.get(name, str(usual))
        if not told.isdecimal() or not least <= int(told) <= most:
            raise refusal(400, 25706, f"You have provided invalid pagination values. {name}", DOMAIN)
        return int(told)

    @route("GET", f"{ROOT}/inventory_item/{{sku}}", bucket="inventory")
    def read_item(self, request: Request, sku: str) -> Reply:
        """One item."""
        return Reply(200, self._item(sku))

    @route("POST", f"{ROOT}/bulk_get_inventory_item", bucket="inventory", is_write=False)
    def read_some(self, request: Request) -> Reply:
        """Up to 25 items."""

        def read(told: Mapping[str, Any]) -> dict[str, Any]:
            item = {name: part for name, part in self._item(told["sku"]).items() if name != "groupIds"}
            return {"sku": told["sku"], "inventoryItem": item}

        return self._each(request, read)

    @route("POST", f"{ROOT}/bulk_create_or_replace_inventory_item", bucket="inventory")
    def put_items(self, request: Request) -> Reply:
        """Make or replace up to 25 items, whole."""
        if not request.headers.get("content-language"):
            raise refusal(400, 25709, "Invalid value for header Content-Language.", DOMAIN)
        return self._each(request, self._put_item)

    def _put_item(self, told: Mapping[str, Any]) -> dict[str, Any]:
        sku, product = str(told.get("sku") or ""), told.get("product") or {}
        if not 0 < len(sku) <= MOST_SKU_LETTERS:
            raise refusal(400, 25707, "Invalid sku. sku has to be alphanumeric with upto 50 characters", DOMAIN)
        if not told.get("locale"):
            raise refusal(400, 25733, "Valid SKU and locale information are required.", DOMAIN)
        if len(product.get("title", "")) > MOST_TITLE_LETTERS:
            raise refusal(400, 25002, "A user error has occurred. The title is too long.", DOMAIN)
        home = (told.get("availability") or {}).get("shipToLocationAvailability") or {}
        if int(home.get("quantity", 0)) < 0:
            raise refusal(400, 25004, "Invalid quantity.", DOMAIN)
        self.state["items"][sku] = copy.deepcopy(dict(told))
        self.effect("item", sku=sku)
        return {"sku": sku, "locale": told["locale"]}

    def _item(self, sku: str) -> dict[str, Any]:
        found: dict[str, Any] | None = self.state["items"].get(sku)
        if found is None:
            raise refusal(404, 25702, f"{sku} could not be found or is not available in the system.", DOMAIN)
        return found

    # Numbers.

    @route("POST", f"{ROOT}/bulk_update_price_quantity", bucket="inventory")
    def set_numbers(self, request: Request) -> Reply:
        """Prices and quantities of up to 25 SKUs."""
        return self._each(request, self._set_numbers)

    def _set_numbers(self, told: Mapping[str, Any]) -> dict[str, Any]:
        home, offers = told.get("shipToLocationAvailability"), told.get("offers") or []
        for one in offers:
            offer = self._offer(one.get("offerId"))
            if offer["status"] != "PUBLISHED":
                raise refusal(400, 25713, "This Offer is not available : it is not published.", DOMAIN)
            if told.get("sku") and offer["sku"] != told["sku"]:
                raise refusal(400, 25709, "Invalid value for offerId. It is an offer of another SKU.", DOMAIN)
        item = self._item(told["sku"]) if home is not None else None
        for one in offers:
            self._revise(self._offer(one["offerId"]), one)
        if item is not None and home is not None:
            quantity = self._quantity(home)
            ship_to_home(item)["quantity"] = quantity
            self.effect("stock", sku=told["sku"], quantity=quantity)
        first: dict[str, Any] = {"offerId": offers[0]["offerId"]} if offers else {}
        return {"sku": told.get("sku") or self._offer(offers[0]["offerId"])["sku"], **first}

    def _revise(self, offer: dict[str, Any], told: Mapping[str, Any]) -> None:
        day = f"{offer['offerId']} {self.now().date()}"
        self.state["revisions"][day] = self.state["revisions"].get(day, 0) + 1
        if self.state["revisions"][day] > MOST_REVISIONS_A_DAY:
            raise refusal(400, 25019, "Cannot revise the listing: it was revised too often today.", DOMAIN)
        if "price" in told:
            offer.setdefault("pricingSummary", {})["price"] = self._price(told["price"])
            self.effect("price", sku=offer["sku"], amount=told["price"]["value"])
        if "availableQuantity" in told:
            offer["availableQuantity"] = self._quantity({"quantity": told["availableQuantity"]})

    def _quantity(self, told: Mapping[str, Any]) -> int:
        quantity = told.get("quantity")
        if not isinstance(quantity, int) or quantity < 0:
            raise refusal(400, 25709, "Invalid value for quantity.", DOMAIN)
        return quantity

    def _price(self, told: Mapping[str, Any]) -> dict[str, str]:
        try:
            value = Decimal(told["value"])
        except (InvalidOperation, KeyError, TypeError):
            value = Decimal(-1)
        if value <= 0 or told.get("currency") != money(0)["currency"]:
            raise refusal(400, 25003, "Invalid price.", DOMAIN)
        return dict(told)

    # Offers.

    @route("GET", f"{ROOT}/offer", bucket="inventory")
    def read_offers(self, request: Request) -> Reply:
        """The offers of a SKU; eBay answers 404 where there is none."""
        sku = request.query.get("sku", "")
        found = [one for one in self.state["offers"].values() if one["sku"] == sku]
        if not found:
            raise refusal(404, 25713, "This Offer is not available.", DOMAIN)
        return Reply(
            200, {"href": request.path, "total": len(found), "size": len(found), "limit": 100, "offers": found}
        )

    @route("POST", f"{ROOT}/offer", bucket="inventory")
    def create_offer(self, request: Request) -> Reply:
        """An offer of an item, not published yet; one of each SKU, marketplace and format."""
        told = self._told_offer(request)
        self._item(str(told.get("sku")))
        if (told.get("marketplaceId"), told.get("format")) != (MARKETPLACE, "FIXED_PRICE"):
            raise refusal(400, 25709, "Invalid value for marketplaceId or format.", DOMAIN)
        standing = next((one for one in self.state["offers"].values() if one["sku"] == told["sku"]), None)
        if standing is not None:
            raise refusal(400, 25002, "Offer entity already exists.", DOMAIN, offerId=standing["offerId"])
        name = str(7_000_000_000 + self.next_number())
        self.state["offers"][name] = {**told, "offerId": name, "status": "UNPUBLISHED"}
        self.effect("offer", sku=told["sku"])
        return Reply(201, {"offerId": name})

    @route("PUT", f"{ROOT}/offer/{{name}}", bucket="inventory")
    def update_offer(self, request: Request, name: str) -> Reply:
        """Replace an offer, whole."""
        offer, told = self._offer(name), self._told_offer(request)
        kept = {field: offer[field] for field in READ_ONLY if field in offer}
        if offer["status"] == "PUBLISHED":
            self._require_all({**told, **kept})
        self.state["offers"][name] = {**told, **kept}
        self.effect("offer_change", sku=offer["sku"])
        return Reply(204)

    def _told_offer(self, request: Request) -> dict[str, Any]:
        if not request.headers.get("content-language"):
            raise refusal(400, 25709, "Invalid value for header Content-Language.", DOMAIN)
        told = body_of(request, DOMAIN)
        if (told.get("pricingSummary") or {}).get("price"):
            self._price(told["pricingSummary"]["price"])
        return told

    @route("GET", f"{ROOT}/offer/{{name}}", bucket="inventory")
    def read_offer(self, request: Request, name: str) -> Reply:
        """One offer."""
        return Reply(200, self._offer(name))

    @route("POST", f"{ROOT}/offer/{{name}}/publish", bucket="inventory")
    def publish(self, request: Request, name: str) -> Reply:
        """Put an offer on sale; one that is, stays so."""
        offer = self._offer(name)
        self._require_all(offer)
        if offer["status"] != "PUBLISHED":
            offer["status"] = "PUBLISHED"
            offer["listing"] = {
                "listingId": str(110_000_000_000 + self.next_number()), "listingStatus": "ACTIVE", "soldQuantity": 0,
            }  # fmt: skip
            self.effect("listing", sku=offer["sku"])
        return Reply(200, {"listingId": offer["listing"]["listingId"]})

    def _require_all(self, offer: Mapping[str, Any]) -> None:
        """Refuse what cannot be published."""
        item, policies = self._item(offer["sku"]), offer.get("listingPolicies") or {}
        missing = [name for name in ("categoryId", "listingDescription", "listingDuration") if not offer.get(name)]
        missing += [name for name in POLICIES if not policies.get(name)]
        if not (offer.get("pricingSummary") or {}).get("price"):
            missing.append("price")
        missing += [name for name in ("title",) if not (item.get("product") or {}).get(name)]
        if missing or not item.get("condition"):
            raise refusal(400, 25017, f"Missing information. {', '.join(missing) or 'condition'}", DOMAIN)
        if offer.get("merchantLocationKey") != LOCATION_KEY:
            raise refusal(400, 25012, "Invalid location.", DOMAIN)

    @route("POST", f"{ROOT}/offer/{{name}}/withdraw", bucket="inventory")
    def withdraw(self, request: Request, name: str) -> Reply:
        """End a listing; the offer stays."""
        offer = self._offer(name)
        if offer["status"] != "PUBLISHED":
            raise refusal(400, 25713, "This Offer is not available : it is not published.", DOMAIN)
        offer["status"] = "UNPUBLISHED"
        self.effect("withdrawal", sku=offer["sku"])
        return Reply(200, {"listingId": offer.pop("listing")["listingId"]})

    def _offer(self, name: Any) -> dict[str, Any]:
        found: dict[str, Any] | None = self.state["offers"].get(name)
        if found is None:
            raise refusal(404, 25713, f"This Offer is not available : {name}.", DOMAIN)
        return found

    # The house of the platform.

    def _each(self, request: Request, take: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Reply:
        """Take each record of a batch for itself: 207 where one of them was refused."""
        requests = body_of(request, DOMAIN).get("requests") or []
        if not 0 < len(requests) <= BATCH:
            raise refusal(400, 25727, f"The number of InventoryItems in the request cannot exceed {BATCH}.", DOMAIN)
        responses = []
        for told in requests:
            try:
                responses.append({"statusCode": 200, "errors": [], "warnings": [], **take(told)})
            except Refused as refused:
                named = [one["offerId"] for one in told.get("offers", ()) if "offerId" in one][:1]
                told_back = {"sku": told["sku"]} if "sku" in told else {"offerId": named[0]} if named else {}
                responses.append(
                    {"statusCode": refused.reply.status, "errors": refused.reply.body["errors"], **told_back}
                )
        return Reply(200 if all(one["statusCode"] == 200 for one in responses) else 207, {"responses": responses})

    # What a test and the sandbox arrange.

    def listings(self) -> list[str]:
        """The SKUs that are on sale."""
        return [one["sku"] for one in self.state["offers"].values() if one["status"] == "PUBLISHED"]

    def shown_stock(self) -> dict[str, int]:
        """What is shown of each SKU: never more than the item has."""
        items = self.state["items"]
        return {
            one["sku"]: min(int(one.get("availableQuantity", 10**9)), int(ship_to_home(items[one["sku"]])["quantity"]))
            for one in self.state["offers"].values()
            if one["status"] == "PUBLISHED"
        }

    def add_listing(self, sku: str, title: str, price: Decimal, quantity: int, *, barcode: str = "") -> str:
        """Put a listing in as if the seller had made it there; returns its offer's id."""
        product: dict[str, Any] = {"title": title, "description": title, "brand": "Sandbox"}
        if barcode:
            product["ean"] = [barcode]
        self.state["items"][sku] = {
            "sku": sku, "locale": "de_DE", "condition": "NEW", "product": product,
            "availability": {"shipToLocationAvailability": {"quantity": quantity}},
        }  # fmt: skip
        name = str(7_000_000_000 + self.next_number())
        self.state["offers"][name] = {
            "offerId": name, "sku": sku, "marketplaceId": MARKETPLACE, "format": "FIXED_PRICE", "status": "PUBLISHED",
            "availableQuantity": quantity, "categoryId": CATEGORY_ID, "listingDescription": title,
            "listingDuration": "GTC", "listingPolicies": dict(POLICIES), "merchantLocationKey": LOCATION_KEY,
            "pricingSummary": {"price": money(price)},
            "listing": {
                "listingId": str(110_000_000_000 + self.next_number()), "listingStatus": "ACTIVE", "soldQuantity": 0,
            },
        }  # fmt: skip
        return name

    def show(self, sku: str, quantity: int) -> None:
        """Let another number stand there, whoever did it."""
        ship_to_home(self.state["items"][sku])["quantity"] = quantity
        self.offer_of(sku)["availableQuantity"] = quantity

    def offer_of(self, sku: str) -> dict[str, Any]:
        """The offer of a SKU."""
        return next(one for one in self.state["offers"].values() if one["sku"] == sku)


def ship_to_home(item: dict[str, Any]) -> dict[str, Any]:
    """Where an item keeps its quantity."""
    home: dict[str, Any] = item.setdefault("availability", {}).setdefault("shipToLocationAvailability", {"quantity": 0})
    return home


__all__ = ["Shelf", "error", "ship_to_home"]
