"""Listings that go out: the inventory item first, then its offer, which is published or withdrawn.

eBay replaces whole items and whole offers, so what stands there is read and told again with the changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from finalmarket.connectors.answers import fields_in, if_there
from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.platforms.ebay.calls import INVENTORY, NOT_THERE, Shop, money
from finalmarket.connectors.platforms.ebay.listings import (
    FIXED_PRICE,
    OFFER,
    PUBLISHED,
    items_of,
    offer_of,
    quoted,
    ref_of,
    refusals,
)
from finalmarket.connectors.records import ListingContent, ListingRef, Raw
from finalmarket.connectors.refusals import error_of, try_each
from finalmarket.connectors.vocabulary import filled

MOST_SKU_LETTERS = 50
MOST_TITLE_LETTERS = 80
# What an attribute of ours is to eBay; all others are item specifics (aspects).
CATEGORY, CONDITION, IMAGES, MPN = "category_id", "condition", "image_urls", "mpn"
OWN = frozenset({CATEGORY, CONDITION, IMAGES, MPN})
ITEM_FIELDS = (
    "availability", "condition", "conditionDescription", "conditionDescriptors", "packageWeightAndSize", "product",
)  # fmt: skip
OFFER_FIELDS = (
    "availableQuantity", "categoryId", "charity", "extendedProducerResponsibility", "hideBuyerDetails",
    "includeCatalogProductDetails", "listingDescription", "listingDuration", "listingPolicies", "listingStartDate",
    "lotSize", "merchantLocationKey", "pricingSummary", "quantityLimitPerBuyer", "regulatory", "secondaryCategoryId",
    "storeCategoryNames", "tax",
)  # fmt: skip
POLICIES: Mapping[str, str] = {
    "fulfillmentPolicyId": "fulfillment_policy_id", "paymentPolicyId": "payment_policy_id",
    "returnPolicyId": "return_policy_id",
}  # fmt: skip
# What a published listing needs, and the setting or attribute it comes from.
NEEDED: Mapping[str, str] = {
    "categoryId": "category id", "merchantLocationKey": "location key", "pricingSummary": "price",
    "listingDescription": "description",
}  # fmt: skip


def push_listings(shop: Shop, contents: Sequence[ListingContent]) -> Sequence[ListingRef | Rejected]:
    """See PushesListings."""
    if not contents:
        return []
    refused = {sku_of(content): error for content in contents if (error := _not_taken(content))}
    good = [content for content in contents if sku_of(content) not in refused]
    if good:
        refused |= _put_items(shop, good)

    def offered(content: ListingContent) -> ListingRef:
        if sku_of(content) in refused:
            raise error_of(refused[sku_of(content)], content.ref.key)
        return _offered(shop, content)

    return try_each(contents, offered, lambda content: content.ref.key)


def sku_of(content: ListingContent) -> str:
    """The SKU that a listing has, or is to have."""
    return content.ref.key if content.ref.ids else content.ref.sku or content.ref.key


def _not_taken(content: ListingContent) -> Rejected | None:
    """Why eBay would not take a listing, as far as the description says."""
    sku = sku_of(content)
    if not 0 < len(sku) <= MOST_SKU_LETTERS:
        return Rejected(f"a SKU has up to {MOST_SKU_LETTERS} letters on eBay, not {len(sku)}")
    if not 0 < len(content.title) <= MOST_TITLE_LETTERS:
        return Rejected(f"a title has up to {MOST_TITLE_LETTERS} letters on eBay, not {len(content.title)}")
    return None


def _put_items(shop: Shop, contents: Sequence[ListingContent]) -> dict[str, Rejected]:
    """Make or replace inventory items; those that were refused, by SKU."""
    standing = items_of(shop, [sku_of(content) for content in contents])
    body = {"requests": [item_fields(shop, content, standing.get(sku_of(content), {})) for content in contents]}
    answer = shop.http.call(
        "POST", f"{INVENTORY}/bulk_create_or_replace_inventory_item", json=body, bucket="inventory", repeatable=True,
        headers={"Content-Language": shop.language},
    )  # fmt: skip
    skus = {sku_of(content): sku_of(content) for content in contents}
    return {error.key: error for error in refusals(answer, skus)}


def item_fields(shop: Shop, content: ListingContent, standing: Raw) -> dict[str, Any]:
    """An inventory item: what stands there, with what the listing is to say. A new one has no stock yet."""
    told: dict[str, Any] = {name: standing[name] for name in ITEM_FIELDS if standing.get(name) is not None}
    told |= {"sku": sku_of(content), "locale": standing.get("locale") or shop.locale}
    told["availability"] = _availability(told.get("availability"))
    attributes = content.attributes
    told["condition"] = str(attributes.get(CONDITION) or told.get("condition") or shop.settings.get(CONDITION) or "NEW")
    product = {**(told.get("product") or {}), "title": content.title}
    aspects = {name: _texts(value) for name, value in attributes.items() if name not in OWN and _texts(value)}
    changed: dict[str, Any] = {
        "description": content.description, "brand": content.brand, "mpn": str(attributes.get(MPN) or ""),
        "imageUrls": _texts(attributes.get(IMAGES)), "aspects": {**(product.get("aspects") or {}), **aspects},
        **_barcode(content.barcode),
    }  # fmt: skip
    told["product"] = {**product, **filled(changed)}
    return told


def _availability(standing: Raw | None) -> dict[str, Any]:
    """What is in stock, as it was read; how it is divided among formats may be read only."""
    told: dict[str, Any] = dict(standing or {})
    home = {"quantity": 0, **(told.get("shipToLocationAvailability") or {})}
    home.pop("allocationByFormat", None)
    return {**told, "shipToLocationAvailability": home}


def _barcode(code: str) -> dict[str, list[str]]:
    """A barcode under its kind: UPC have twelve digits, EAN eight or thirteen."""
    digits = code.strip()
    if not digits.isascii() or not digits.isdigit():
        return {}
    return {"upc": [digits]} if len(digits) == 12 else {"ean": [digits]}


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return [str(one) for one in values if one not in (None, "")]


def _offered(shop: Shop, content: ListingContent) -> ListingRef:
    """Make or change the offer of an item that stands, and publish or withdraw it."""
    sku = sku_of(content)
    offer = offer_of(shop, sku)
    told = offer_fields(shop, content, offer)
    if content.is_available:
        _require_all(told)
    offer_id = _put_offer(shop, sku, told, offer)
    if content.is_available and offer.get("status") != PUBLISHED:
        _act(shop, offer_id, "publish")
    if not content.is_available and offer.get("status") == PUBLISHED:
        _act(shop, offer_id, "withdraw")
    return ref_of(sku, {"offerId": offer_id})


def offer_fields(shop: Shop, content: ListingContent, standing: Raw) -> dict[str, Any]:
    """An offer: what stands there, with what the listing is to say; settings fill what nobody said."""
    told: dict[str, Any] = {name: standing[name] for name in OFFER_FIELDS if standing.get(name) is not None}
    if (
        standing.get("status") != PUBLISHED
    ):  # what it sold when it was last on sale says nothing; the item has the number
        told.pop("availableQuantity", None)
    given = shop.settings
    policies = {name: given.get(setting) for name, setting in POLICIES.items() if given.get(setting)}
    category = content.attributes.get(CATEGORY) or told.get("categoryId") or given.get(CATEGORY)
    changed: dict[str, Any] = {
        "categoryId": str(category) if category else None,
        "merchantLocationKey": told.get("merchantLocationKey") or given.get("merchant_location_key"),
        "listingDescription": content.description or told.get("listingDescription") or content.title,
        "listingPolicies": {**policies, **(told.get("listingPolicies") or {})},
        "listingDuration": told.get("listingDuration") or "GTC",
    }
    if content.price is not None:
        changed["pricingSummary"] = {
            **(told.get("pricingSummary") or {}), "price": money(content.price, content.currency)
        }  # fmt: skip
    return {**told, **filled(changed)}


def _require_all(told: Mapping[str, Any]) -> None:
    """Raise Rejected where something is missing that every published listing has."""
    missing = [words for name, words in NEEDED.items() if not told.get(name)]
    policies = told.get("listingPolicies") or {}
    missing += [setting.replace("_", " ") for name, setting in POLICIES.items() if not policies.get(name)]
    if missing:
        raise Rejected(f"eBay publishes no listing without: {', '.join(missing)}; enter them in the settings")


def _put_offer(shop: Shop, sku: str, told: Mapping[str, Any], standing: Raw) -> str:
    headers = {"Content-Language": shop.language}
    if standing.get("offerId"):
        path = f"{INVENTORY}/offer/{quoted(str(standing['offerId']))}"
        shop.http.call("PUT", path, json=dict(told), headers=headers, bucket="inventory", repeatable=True)
        return str(standing["offerId"])
    body = {**told, "sku": sku, "marketplaceId": shop.marketplace, "format": FIXED_PRICE}
    answer = shop.http.call("POST", f"{INVENTORY}/offer", json=body, headers=headers, bucket="inventory")
    return str(fields_in(answer).get("offerId") or "")


def _act(shop: Shop, offer_id: str, verb: str) -> None:
    """Publish an offer or end its listing; one that is ended already stays so."""
    path = f"{INVENTORY}/offer/{quoted(offer_id)}/{verb}"
    if verb == "withdraw":
        if_there(lambda: shop.http.call("POST", path, bucket="inventory"), *NOT_THERE)
    else:
        shop.http.call("POST", path, bucket="inventory")


__all__ = ["OFFER", "item_fields", "offer_fields", "push_listings"]
