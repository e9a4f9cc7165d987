"""Listings: read, searched, patched and put; and the stock that Amazon keeps itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import unquote

from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.amazon.account import (
    AMAZONS_CHANNEL,
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
from finalmarket.sandbox.platforms.amazon.notices import Notices
from finalmarket.sandbox.platforms.amazon.submissions import OWN_CHANNEL, Unfit, patched, put
from finalmarket.sandbox.stand_in import Refused, Reply, Request, part_of, route

MOST_IDENTIFIERS = 20
MOST_ON_A_PAGE = 20
FBA_PAGE = 50
MOST_FBA_SKUS = 50
DATA = frozenset(
    {"summaries", "attributes", "issues", "offers", "fulfillmentAvailability", "procurement", "relationships",
     "productTypes"}
)  # fmt: skip
# What a listing cannot do without, by its requirements; texts are Amazon's own.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "LISTING": ("item_name", "condition_type", "externally_assigned_product_identifier", "purchasable_offer"),
    "LISTING_PRODUCT_ONLY": ("item_name", "externally_assigned_product_identifier"),
    "LISTING_OFFER_ONLY": ("condition_type", "merchant_suggested_asin", "purchasable_offer"),
}


def page_token(**parts: Any) -> str:
    """A token that only its maker reads."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


class Listings(Notices):
    """Listings by SKU. `most_searched` is how many one search can page through."""

    most_searched: ClassVar[int] = 1_000
    token_lifetime: ClassVar[timedelta] = timedelta(hours=24)

    def parts_of_token(self, token: str) -> dict[str, Any]:
        """What a page token says; refuses one that has ended, or is none."""
        try:
            parts = json.loads(base64.urlsafe_b64decode(token.encode()))
            issued_at = moment(parts["at"])
        except (ValueError, KeyError, TypeError):
            raise invalid("the page token is not valid") from None
        if self.now() - issued_at > self.token_lifetime:
            raise Refused(self.cursor_expired())
        return dict(parts)

    # Reading.

    @route("GET", "/listings/2021-08-01/items/{seller_id}/{sku}", bucket="getListingsItem")
    def listing(self, request: Request, seller_id: str, sku: str) -> Reply:
        """One listing."""
        self.require_seller(seller_id)
        places = self.require_shops(request)
        found = self.state["listings"].get(unquote(sku))
        if found is None or not _stands_on(found, places):
            raise refusal(404, "NOT_FOUND", f"SKU '{unquote(sku)}' not found in marketplace")
        return Reply(200, self._item(found, self._wanted(request), places))

    @route("GET", "/listings/2021-08-01/items/{seller_id}", bucket="searchListingsItems")
    def search_listings(self, request: Request, seller_id: str) -> Reply:
        """Listings page by page, by SKU or by the moment they were made."""
        self.require_seller(seller_id)
        places = self.require_shops(request)
        if request.fault is Fault.CURSOR_EXPIRED and request.query.get("pageToken"):
            raise Refused(self.cursor_expired())
        size = count_of(request, "pageSize", 10, most=MOST_ON_A_PAGE)
        found = self._found(request, places)
        token = request.query.get("pageToken", "")
        after = self.parts_of_token(token)["after"] if token else None
        start = next((index for index, one in enumerate(found, start=1) if _place(one) == after), 0)
        reachable = found[: self.most_searched]
        page, following = part_of(reachable, start, size, request.fault)
        wanted = self._wanted(request)
        body: dict[str, Any] = {
            "numberOfResults": len(found), "items": [self._item(one, wanted, places) for one in page],
        }  # fmt: skip
        if following is not None:
            made = page_token(after=_place(reachable[following - 1]), at=written(self.now()), number=self.next_number())
            body["pagination"] = {"nextToken": made}
        return Reply(200, body)

    def _found(self, request: Request, places: list[str]) -> list[dict[str, Any]]:
        """The listings that a search means, in its order."""
        listings = [one for one in self.state["listings"].values() if _stands_on(one, places)]
        identifiers = listed(request, "identifiers", most=MOST_IDENTIFIERS)
        if identifiers:
            if request.query.get("identifiersType") != "SKU":
                raise invalid("this sandbox searches by SKU only")
            listings = [one for one in listings if one["sku"] in identifiers]
        since = request.query.get("createdAfter")
        if since:
            listings = [one for one in listings if moment(one["created"]) >= moment(since)]
        newest_first = request.query.get("sortOrder", "DESC") == "DESC"
        return sorted(listings, key=_place, reverse=newest_first)

    def _wanted(self, request: Request) -> set[str]:
        wanted = set(listed(request, "includedData")) or {"summaries"}
        if not wanted <= DATA:
            raise invalid("includedData holds a word that is none of its own")
        return wanted

    def _item(self, one: Mapping[str, Any], wanted: set[str], places: list[str]) -> dict[str, Any]:
        """A listing as the Listings Items API shows it, of these marketplaces."""
        standing = [place for place in places if place in one["places"]]
        availability: dict[str, Any] = {"fulfillmentChannelCode": one["channel"]}
        if one["channel"] == OWN_CHANNEL:
            availability["quantity"] = one["quantity"]
        parts: dict[str, Any] = {
            "summaries": [self._summary(one, place) for place in standing],
            "attributes": one["attributes"],
            "issues": one["issues"],
            "offers": [_offer(place, one["prices"][place]) for place in standing if place in one["prices"]],
            "fulfillmentAvailability": [availability],
            "productTypes": [{"marketplaceId": place, "productType": one["product_type"]} for place in standing],
        }
        return {"sku": one["sku"], **{name: part for name, part in parts.items() if name in wanted}}

    def _summary(self, one: Mapping[str, Any], place: str) -> dict[str, Any]:
        return {
            "marketplaceId": place, "asin": one["asin"], "productType": one["product_type"],
            "conditionType": "new_new", "status": self._status(one, place), "itemName": one["title"],
            "createdDate": one["places"][place], "lastUpdatedDate": one["updated"],
        }  # fmt: skip

    def _status(self, one: Mapping[str, Any], place: str = MAIN_SHOP) -> list[str]:
        is_there = self.units(one) > 0 and place in one["prices"]
        return ["BUYABLE", "DISCOVERABLE"] if is_there else ["DISCOVERABLE"]

    def units(self, one: Mapping[str, Any]) -> int:
        """What can be bought of a listing now."""
        held = self.state["fba"].get(one["sku"], 0) if one["channel"] != OWN_CHANNEL else one["quantity"]
        return int(held)

    # Writing.

    @route("PATCH", "/listings/2021-08-01/items/{seller_id}/{sku}", bucket="patchListingsItem")
    def patch_listing(self, request: Request, seller_id: str, sku: str) -> Reply:
        """Change parts of a listing."""
        self.require_seller(seller_id)
        places = self.require_shops(request)
        told, name = body_of(request), unquote(sku)
        if not told.get("productType") or not told.get("patches"):
            raise invalid("productType and patches are required")
        if name not in self.state["listings"] or not _stands_on(self.state["listings"][name], places):
            raise invalid(f"SKU '{name}' not found in marketplace")
        return self._submitted(request, name, lambda: self.apply_patches(name, told["patches"]))

    @route("PUT", "/listings/2021-08-01/items/{seller_id}/{sku}", bucket="putListingsItem")
    def put_listing(self, request: Request, seller_id: str, sku: str) -> Reply:
        """Make a listing, or say anew all that it says."""
        self.require_seller(seller_id)
        (place,) = self.require_shops(request, most=1)
        told, name = body_of(request), unquote(sku)
        if not told.get("productType") or not isinstance(told.get("attributes"), dict):
            raise invalid("productType and attributes are required")
        return self._submitted(request, name, lambda: self._put(name, told, place))

    def _submitted(self, request: Request, sku: str, take: Callable[[], None]) -> Reply:
        """The answer to a submission: taken, or invalid with its issues."""
        try:
            take()
        except Unfit as error:
            return Reply(200, self._answer(sku, "INVALID", [error.issue]))
        return Reply(200, self._answer(sku, "ACCEPTED", []))

    def _answer(self, sku: str, status: str, issues: list[dict[str, Any]]) -> dict[str, Any]:
        return {"sku": sku, "status": status, "submissionId": f"submission-{self.next_number()}", "issues": issues}

    def _put(self, sku: str, told: Mapping[str, Any], place: str) -> None:
        attributes = told["attributes"]
        for name in REQUIRED.get(told.get("requirements", "LISTING"), ()):
            if not attributes.get(name):
                raise Unfit("90220", f"'[{name}]' is required but not supplied.", name)
        is_new = sku not in self.state["listings"]
        one = self.state["listings"].get(sku) or self._made(sku, told["productType"])
        changed = put(one, attributes, place)
        changed["places"] = {place: written(self.now()), **one["places"]}
        self.state["listings"][sku] = changed
        self._touched(changed)
        self.effect("listing", sku=sku, is_new=is_new)
        if not is_new:
            self._noted(one, changed)

    def _made(self, sku: str, product_type: str) -> dict[str, Any]:
        number = self.next_number()
        return {
            "sku": sku, "asin": f"B0{number:08d}", "title": sku, "product_type": product_type, "channel": OWN_CHANNEL,
            "quantity": 0, "places": {}, "prices": {}, "attributes": {}, "issues": [], "created": written(self.now()),
            "updated": written(self.now()),
        }  # fmt: skip

    def apply_patches(self, sku: str, patches: Iterable[Mapping[str, Any]]) -> None:
        """Apply JSON patches to a listing, all or none. Raises Unfit."""
        one = self.state["listings"].get(sku)
        if one is None:
            raise Unfit("8541", f"SKU '{sku}' is not one of yours", "sku")
        changed = patched(one, patches)
        self.state["listings"][sku] = changed
        self._touched(changed)
        if changed["attributes"] != one["attributes"]:
            self.effect("listing", sku=sku, is_new=False)
        self._noted(one, changed)

    def _noted(self, one: Mapping[str, Any], changed: Mapping[str, Any]) -> None:
        """Note, and tell, what became of the stock and the offers of a listing."""
        if changed["quantity"] != one["quantity"] or changed["channel"] != one["channel"]:
            self.effect("stock", sku=one["sku"], quantity=changed["quantity"], was=one["quantity"])
            self.notify_quantity(changed)
        if changed["prices"] != one["prices"]:
            self.effect("price", sku=one["sku"], amount=changed["prices"].get(MAIN_SHOP))
        if self._status(changed) != self._status(one):
            self.notify_status(changed)

    def _touched(self, one: dict[str, Any]) -> None:
        one["updated"] = written(self.now())

    def notify_quantity(self, one: Mapping[str, Any]) -> None:
        """Tell of the quantity that a listing shows."""
        payload = {
            "SellerId": SELLER_ID, "FulfillmentChannelCode": one["channel"], "Sku": one["sku"],
            "Quantity": one["quantity"],
        }  # fmt: skip
        self.notify("LISTINGS_ITEM_MFN_QUANTITY_CHANGE", payload)

    def notify_status(self, one: Mapping[str, Any]) -> None:
        """Tell whether a listing can be bought."""
        payload = {
            "SellerId": SELLER_ID, "MarketplaceId": MAIN_SHOP, "Asin": one["asin"], "Sku": one["sku"],
            "CreatedDate": one["created"], "Status": self._status(one),
        }  # fmt: skip
        self.notify("LISTINGS_ITEM_STATUS_CHANGE", payload)

    # Amazon's own stock.

    @route("GET", "/fba/inventory/v1/summaries", bucket="getInventorySummaries")
    def fba_inventory(self, request: Request) -> Reply:
        """What Amazon holds, by SKU."""
        (place,) = self.require_shops(request, most=1)
        if request.query.get("granularityType") != "Marketplace" or request.query.get("granularityId") != place:
            raise invalid("the granularity is the marketplace")
        wanted = listed(request, "sellerSkus", most=MOST_FBA_SKUS)
        wanted += [request.query["sellerSku"]] if request.query.get("sellerSku") else []
        held = {sku: units for sku, units in sorted(self.state["fba"].items()) if not wanted or sku in wanted}
        token = request.query.get("nextToken", "")
        start = int(self.parts_of_token(token)["start"]) if token else 0
        page, following = part_of(list(held), start, FBA_PAGE, request.fault)
        has_details = request.query.get("details") == "true"
        body: dict[str, Any] = {
            "payload": {
                "granularity": {"granularityType": "Marketplace", "granularityId": place},
                "inventorySummaries": [self._fba_summary(sku, held[sku], has_details) for sku in page],
            }
        }
        if following is not None:
            made = page_token(start=following, at=written(self.now()), number=self.next_number())
            body["pagination"] = {"nextToken": made}
        return Reply(200, body)

    def _fba_summary(self, sku: str, units: int, has_details: bool) -> dict[str, Any]:
        one = self.state["listings"][sku]
        summary = {
            "asin": one["asin"], "fnSku": f"X{one['asin'][1:]}", "sellerSku": sku, "condition": "NewItem",
            "productName": one["title"], "totalQuantity": units, "lastUpdatedTime": one["updated"],
        }  # fmt: skip
        return {**summary, "inventoryDetails": {"fulfillableQuantity": units}} if has_details else summary

    # What a test arranges, and what it looks at.

    def add_listing(
        self, sku: str, title: str, price: Decimal, quantity: int, barcode: str = "", *, is_fba: bool = False,
        product_type: str = "PRODUCT", **attributes: str,
    ) -> str:  # fmt: skip
        """Put a listing in as if the merchant had made it there; returns its SKU. With `is_fba` Amazon holds the
        quantity."""
        one = self._made(sku, product_type)
        one |= {"title": title, "quantity": quantity}
        one |= {"places": {MAIN_SHOP: one["created"]}, "prices": {MAIN_SHOP: str(price)}}
        values = {"item_name": title, **attributes}
        told = {name: [{"value": value, "marketplace_id": MAIN_SHOP}] for name, value in values.items()}
        if barcode:
            told["externally_assigned_product_identifier"] = [
                {"type": "ean", "value": barcode, "marketplace_id": MAIN_SHOP}
            ]
        one["attributes"] = told
        if is_fba:
            one |= {"channel": AMAZONS_CHANNEL, "quantity": 0}
            self.state["fba"][sku] = quantity
        self.state["listings"][sku] = one
        return sku

    def extend(self, sku: str, place: str, price: Decimal) -> None:
        """The merchant offers a listing on a further marketplace, in the money of that one."""
        one = self.state["listings"][sku]
        one["places"][place], one["prices"][place] = written(self.now()), str(price)

    def show(self, sku: str, quantity: int) -> None:
        """Let another number stand, whoever did it."""
        self.state["listings"][sku]["quantity"] = quantity

    def listings(self) -> list[str]:
        """The SKUs that are listed."""
        return list(self.state["listings"])

    def shown_stock(self) -> dict[str, int]:
        """What is shown of the merchant's own stock, by SKU."""
        return {
            one["sku"]: int(one["quantity"]) for one in self.state["listings"].values() if one["channel"] == OWN_CHANNEL
        }

    def shown_price(self, sku: str, place: str = MAIN_SHOP) -> Decimal | None:
        """The price that a listing shows on a marketplace."""
        price = self.state["listings"][sku]["prices"].get(place)
        return None if price is None else Decimal(price)


def _place(one: Mapping[str, Any]) -> list[str]:
    return [one["created"], one["sku"]]


def _stands_on(one: Mapping[str, Any], places: Iterable[str]) -> bool:
    return any(place in one["places"] for place in places)


def _offer(place: str, amount: str) -> dict[str, Any]:
    price = {"amount": amount, "currencyCode": SHOPS[place].currency}
    return {"marketplaceId": place, "offerType": "B2C", "price": price}
