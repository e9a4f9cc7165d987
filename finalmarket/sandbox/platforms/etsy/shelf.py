"""Listings and their inventories: products (one for each variation) with one offering each, replaced all at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from finalmarket.sandbox.platforms.etsy.account import (
    CURRENCY,
    SHOP_ID,
    USER_ID,
    Account,
    body_of,
    refusal,
)
from finalmarket.sandbox.stand_in import Reply, Request, part_of, route

ROOT = "/v3/application"
STATES = ("active", "inactive", "sold_out", "draft", "expired")
MOST_A_PAGE = 100
MOST_TITLE_LETTERS = 140
PAID_FOR = ("title", "description", "price", "quantity", "who_made", "when_made", "taxonomy_id")
DIFFERENCES = {"price_on_property": "price", "quantity_on_property": "quantity", "sku_on_property": "sku"}


def money(value: Decimal) -> dict[str, Any]:
    """A Money object."""
    return {"amount": int(value * 100), "divisor": 100, "currency_code": CURRENCY}


class Shelf(Account):
    """Listings."""

    # Reading.

    @route("GET", f"{ROOT}/shops/{{shop_id}}/listings")
    def read_listings(self, request: Request, shop_id: str) -> Reply:
        """The listings in one state."""
        self.require_shop(shop_id)
        state = request.query.get("state", "active")
        if state not in STATES:
            raise refusal(400, f"Unknown state {state[:20]}.")
        found = [one for one in self.state["listings"].values() if one["state"] == state]
        return self.page(request, found, self._with_inventory if self._includes(request, "Inventory") else dict)

    def _includes(self, request: Request, name: str) -> bool:
        return name in ",".join(request.queries.get("includes", [])).split(",")

    def _with_inventory(self, listing: Mapping[str, Any]) -> dict[str, Any]:
        return {**listing, "inventory": self.state["inventories"][listing["listing_id"]]}

    def page(self, request: Request, found: Sequence[Any], show: Any) -> Reply:
        """A page of records."""
        limit, offset = request.query.get("limit", "25"), request.query.get("offset", "0")
        if not limit.isdecimal() or not 1 <= int(limit) <= MOST_A_PAGE or not offset.isdecimal():
            raise refusal(400, "limit has to be between 1 and 100, offset a number.")
        shown, _ = part_of(list(found), int(offset), int(limit), request.fault)
        return Reply(200, {"count": len(found), "results": [show(one) for one in shown]})

    @route("GET", f"{ROOT}/listings/batch/inventory")
    def read_inventories(self, request: Request) -> Reply:
        """The inventories of up to a hundred listings; of none where one is missing."""
        wanted = [name for text in request.queries.get("listing_ids", []) for name in text.split(",")]
        if not 0 < len(wanted) <= MOST_A_PAGE:
            raise refusal(400, "Between 1 and 100 listing ids are allowed.")
        return Reply(
            200, {"count": len(wanted), "results": [self._with_inventory(self.listing(name)) for name in wanted]}
        )

    @route("GET", f"{ROOT}/listings/{{name}}")
    def read_listing(self, request: Request, name: str) -> Reply:
        """One listing."""
        return Reply(200, self.listing(name))

    @route("GET", f"{ROOT}/listings/{{name}}/inventory")
    def read_inventory(self, request: Request, name: str) -> Reply:
        """The inventory of one listing."""
        listing = self.listing(name)
        told = dict(self.state["inventories"][listing["listing_id"]])
        return Reply(200, {**told, "listing": listing} if self._includes(request, "Listing") else told)

    def listing(self, name: str) -> dict[str, Any]:
        """A listing; refuses one that is not there."""
        found: dict[str, Any] | None = self.state["listings"].get(int(name) if name.isdecimal() else 0)
        if found is None:
            raise refusal(404, "Listing not found.")
        return found

    # What the seller tells.

    @route("POST", f"{ROOT}/shops/{{shop_id}}/listings")
    def create(self, request: Request, shop_id: str) -> Reply:
        """Make a draft."""
        self.require_shop(shop_id)
        told = self._form(request)
        missing = [name for name in PAID_FOR if not told.get(name)]
        if missing:
            raise refusal(400, f"Missing fields: {', '.join(missing)}.")
        if told.get("type", "physical") == "physical" and not told.get("shipping_profile_id"):
            raise refusal(400, "A shipping profile is required for physical listings.")
        price, quantity = self._price(told["price"]), self._quantity(int(told["quantity"]))
        if quantity < 1:
            raise refusal(400, "quantity has to be at least 1.")
        images = [value for name, value in told.items() if name.startswith("image_ids")]
        listing = self._new_listing(told["title"], told["description"], price, quantity, state="draft")
        listing |= {
            "who_made": told["who_made"], "when_made": told["when_made"], "taxonomy_id": int(told["taxonomy_id"]),
        }  # fmt: skip
        self.state["images"][listing["listing_id"]] = images
        self.effect("listing", id=listing["listing_id"])
        return Reply(201, listing)

    def _form(self, request: Request) -> dict[str, str]:
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise refusal(400, "The content type is not application/x-www-form-urlencoded.")
        told = dict(request.form())
        if len(told.get("title", "")) > MOST_TITLE_LETTERS:
            raise refusal(400, f"A title has at most {MOST_TITLE_LETTERS} letters.")
        return told

    @route("PATCH", f"{ROOT}/shops/{{shop_id}}/listings/{{name}}")
    def change(self, request: Request, shop_id: str, name: str) -> Reply:
        """Change the words or the state of a listing."""
        self.require_shop(shop_id)
        listing, told = self.listing(name), self._form(request)
        if "state" in told:
            self._set_state(listing, told["state"])
        listing |= {field: told[field] for field in ("title", "description") if field in told}
        self._touched(listing)
        self.effect("change", id=listing["listing_id"])
        return Reply(200, listing)

    def _set_state(self, listing: dict[str, Any], state: str) -> None:
        if state not in ("active", "inactive"):
            raise refusal(400, "A state may be set to active or inactive.")
        if state == "active" and listing["state"] == "draft" and not self.state["images"].get(listing["listing_id"]):
            raise refusal(400, "A listing needs an image before it can be published.")
        if state == "active" and listing["state"] == "sold_out":
            self.state["inventories"][listing["listing_id"]]["products"][0]["offerings"][0]["quantity"] = 1
            self.effect("renewal", id=listing["listing_id"])
        listing["state"] = state

    @route("PUT", f"{ROOT}/listings/{{name}}/inventory")
    def put_inventory(self, request: Request, name: str) -> Reply:
        """Replace all products of a listing."""
        listing, told = self.listing(name), body_of(request)
        told = json.loads(request.body, parse_float=Decimal)
        products = [self._product(one) for one in told.get("products") or []]
        if not products:
            raise refusal(400, "An inventory needs at least one product.")
        if not any(one["offerings"][0]["quantity"] for one in products):
            raise refusal(400, "One offering must have quantity greater than 0.")
        self._require_allowed(told, products)
        known = {_values_of(one): one for one in self.state["inventories"][listing["listing_id"]]["products"]}
        for one in products:
            before = known.get(_values_of(one))
            one["product_id"] = before["product_id"] if before else self.next_number() + 80_000_000
            one["offerings"][0]["offering_id"] = self.next_number() + 90_000_000
        self.state["inventories"][listing["listing_id"]] = {
            "products": products,
            **{field: told.get(field) or [] for field in (*DIFFERENCES, "readiness_state_on_property")},
        }
        self._touched(listing)
        self.effect("inventory", id=listing["listing_id"])
        return Reply(200, self.state["inventories"][listing["listing_id"]])

    def _product(self, told: Mapping[str, Any]) -> dict[str, Any]:
        offerings = told.get("offerings") or []
        if len(offerings) != 1:
            raise refusal(400, "A product has one offering.")
        (one,) = offerings
        values = [
            {
                "property_id": each["property_id"], "property_name": each.get("property_name") or "", "scale_id": None,
                "scale_name": None, "value_ids": each["value_ids"], "values": each["values"],
            }
            for each in told.get("property_values") or []
        ]  # fmt: skip
        return {
            "sku": told.get("sku") or "", "is_deleted": False, "property_values": values,
            "offerings": [
                {
                    "quantity": self._quantity(one["quantity"]), "is_enabled": bool(one["is_enabled"]),
                    "is_deleted": False, "price": money(self._price(one["price"])),
                    "readiness_state_id": one["readiness_state_id"],
                }
            ],
        }  # fmt: skip

    def _require_allowed(self, told: Mapping[str, Any], products: Sequence[Mapping[str, Any]]) -> None:
        """Refuse differences that no `..._on_property` names."""
        for name, field in DIFFERENCES.items():
            groups: dict[str, set[str]] = {}
            for product in products:
                named = [one for one in product["property_values"] if one["property_id"] in (told.get(name) or [])]
                value = {**product, **product["offerings"][0]}[field]
                groups.setdefault(json.dumps(named), set()).add(json.dumps(value))
            if any(len(values) > 1 for values in groups.values()):
                raise refusal(400, f"The supplied values are incompatible with {name}.")

    def _quantity(self, told: Any) -> int:
        if not isinstance(told, int) or told < 0:
            raise refusal(400, "quantity has to be a whole number, and not below zero.")
        return told

    def _price(self, told: Any) -> Decimal:
        try:
            price = Decimal(str(told))
        except InvalidOperation:
            price = Decimal(0)
        if price <= 0 or price != price.quantize(Decimal("0.01")):
            raise refusal(400, "price has to be positive, with two digits.")
        return price

    # The house of the platform.

    def _touched(self, listing: dict[str, Any]) -> None:
        """A listing of which nothing is left is sold out; its quantity and price are those of its products."""
        products = self.state["inventories"][listing["listing_id"]]["products"]
        offerings = [one["offerings"][0] for one in products]
        listing["quantity"] = sum(one["quantity"] for one in offerings)
        listing["price"] = min((one["price"] for one in offerings), key=lambda price: int(price["amount"]))
        listing["has_variations"] = any(one["property_values"] for one in products)
        listing["updated_timestamp"] = listing["last_modified_timestamp"] = int(self.now().timestamp())
        if listing["state"] == "active" and not listing["quantity"]:
            listing["state"] = "sold_out"

    def _new_listing(
        self, title: str, description: str, price: Decimal, quantity: int, *, state: str
    ) -> dict[str, Any]:
        name, at = 1_000_000_000 + self.next_number(), int(self.now().timestamp())
        listing: dict[str, Any] = {
            "listing_id": name, "user_id": USER_ID, "shop_id": SHOP_ID, "title": title, "description": description,
            "state": state, "created_timestamp": at, "updated_timestamp": at, "last_modified_timestamp": at,
            "quantity": quantity, "url": f"https://www.etsy.com/listing/{name}", "price": money(price),
            "listing_type": "physical", "has_variations": False, "tags": [], "materials": [], "taxonomy_id": 1633,
            "language": "en", "should_auto_renew": True,
        }  # fmt: skip
        self.state["listings"][name] = listing
        self.state["inventories"][name] = {
            "products": [self._fresh_product(price, quantity)], **{field: [] for field in DIFFERENCES},
            "readiness_state_on_property": [],
        }  # fmt: skip
        return listing

    def _fresh_product(self, price: Decimal, quantity: int) -> dict[str, Any]:
        return {
            "product_id": self.next_number() + 80_000_000, "sku": "", "is_deleted": False, "property_values": [],
            "offerings": [
                {
                    "offering_id": self.next_number() + 90_000_000, "quantity": quantity, "is_enabled": True,
                    "is_deleted": False, "price": money(price), "readiness_state_id": 62_000_001,
                }
            ],
        }  # fmt: skip

    # What a test and the sandbox arrange.

    def products(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """All products with their listings."""
        return [
            (listing, product)
            for listing in self.state["listings"].values()
            for product in self.state["inventories"][listing["listing_id"]]["products"]
        ]

    def listings(self) -> list[str]:
        """The SKUs that are or were on sale."""
        return [product["sku"] for listing, product in self.products() if listing["state"] != "draft"]

    def shown_stock(self) -> dict[str, int]:
        """What is shown, by SKU."""
        return {
            product["sku"]: product["offerings"][0]["quantity"] if listing["state"] == "active" else 0
            for listing, product in self.products()
            if listing["state"] != "draft"
        }

    def add_listing(self, sku: str, title: str, price: Decimal, quantity: int, *, barcode: str = "") -> str:
        """Put a listing in as if the seller had made it there; returns its id. Etsy knows no barcodes."""
        listing = self._new_listing(title, title, price, quantity, state="active")
        self.state["inventories"][listing["listing_id"]]["products"][0]["sku"] = sku
        self.state["images"][listing["listing_id"]] = ["1"]
        self._touched(listing)
        return str(listing["listing_id"])

    def add_variations(self, title: str, price: Decimal, sizes: Mapping[str, tuple[str, int]]) -> str:
        """A listing with a product of each size (its SKU and units); they may differ in SKU and quantity."""
        name = self.add_listing("", title, price, 0)
        products = []
        for number, (size, (sku, units)) in enumerate(sizes.items(), start=1):
            product = self._fresh_product(price, units)
            values = {
                "property_id": 100, "property_name": "Size", "scale_id": None, "scale_name": None,
                "value_ids": [1000 + number], "values": [size],
            }  # fmt: skip
            products.append({**product, "sku": sku, "property_values": [values]})
        self.state["inventories"][int(name)] |= {
            "products": products, "sku_on_property": [100], "quantity_on_property": [100],
        }  # fmt: skip
        listing = self.state["listings"][int(name)]
        listing["state"] = "active"
        self._touched(listing)
        return name

    def find_product(self, sku: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The listing and the product of a SKU."""
        return next(pair for pair in self.products() if pair[1]["sku"] == sku)

    def show(self, sku: str, quantity: int) -> None:
        """Let another number stand there, whoever did it."""
        listing, product = self.find_product(sku)
        product["offerings"][0]["quantity"] = quantity
        listing["state"] = "active"
        self._touched(listing)


def _values_of(product: Mapping[str, Any]) -> str:
    return json.dumps([(one["property_id"], one["value_ids"]) for one in product["property_values"]])
