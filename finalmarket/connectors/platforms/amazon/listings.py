"""Listings and stock, from Amazon's words to ours and back: pure functions over the Listings Items API 2021-08-01 and
the FBA Inventory API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from finalmarket.connectors.platforms.amazon.marketplaces import marketplace
from finalmarket.connectors.platforms.amazon.orders import money
from finalmarket.connectors.records import ListingContent, ListingRecord, ListingRef, Raw, StockRecord

OWN_STOCK = "DEFAULT"  # Amazon's fulfilment channel code for what the merchant sends
BARCODE_TYPES: Mapping[int, str] = {8: "ean", 12: "upc", 13: "ean", 14: "gtin"}
# Contents that are ours to give, and the names of further ones that say how to list rather than what.
PRODUCT_TYPE, ASIN, CONDITION = "product_type", "asin", "condition_type"
# Further names of a listing (ListingRef.ids), beside its product type and ASIN.
CHANNEL, PLACES = "fulfillment_channel", "marketplaces"
JSON_NUMBER_DIGITS = 15


# From its words to ours.


def is_amazons(location: str) -> bool:
    """Whether a location is stock that Amazon keeps and counts itself: FBA, or a channel code such as AMAZON_NA."""
    return location == "FBA" or location.startswith("AMAZON")


def listing_record(raw: Raw, marketplace_ids: Sequence[str]) -> ListingRecord:
    """A listings item as ours, as it stands in the first of these marketplaces that it is offered in."""
    summaries = {summary["marketplaceId"]: summary for summary in raw.get("summaries") or []}
    offers = {offer["marketplaceId"]: offer for offer in raw.get("offers") or [] if offer["offerType"] == "B2C"}
    place = next((place for place in marketplace_ids if place in summaries), marketplace_ids[0])
    summary, offer = summaries.get(place, {}), offers.get(place)
    attributes = raw.get("attributes") or {}
    return ListingRecord(
        ref=_ref(raw, summary, place, [place for place in marketplace_ids if place in summaries]),
        title=summary.get("itemName") or _first(attributes, "item_name", place),
        description=_first(attributes, "product_description", place),
        barcode=_first(attributes, "externally_assigned_product_identifier", place),
        price=money(offer["price"]) if offer else None,
        currency=offer["price"]["currencyCode"] if offer else "",
        is_available=offer is not None or "BUYABLE" in (summary.get("status") or []),  # sold out is not closed
        attributes={
            name: value for name in ("brand", "color", "size", "material") if (value := _first(attributes, name, place))
        },
        raw=raw,
    )


def _ref(raw: Raw, summary: Raw, place: str, places: Sequence[str]) -> ListingRef:
    types = {one["marketplaceId"]: one["productType"] for one in raw.get("productTypes") or []}
    channels = [part["fulfillmentChannelCode"] for part in raw.get("fulfillmentAvailability") or []]
    ids = {
        ASIN: summary.get("asin") or "",
        PRODUCT_TYPE: types.get(place) or summary.get("productType") or "",
        CHANNEL: next((code for code in channels if is_amazons(code)), ""),
        PLACES: ",".join(places),
    }
    return ListingRef(key=raw["sku"], sku=raw["sku"], ids={name: value for name, value in ids.items() if value})


def places_of(ref: ListingRef, marketplace_ids: Sequence[str]) -> tuple[str, ...]:
    """The marketplaces of the settings that a listing stands on; the main one where that is not known."""
    known = ref.ids.get(PLACES, "").split(",")
    return tuple(place for place in marketplace_ids if place in known) or (marketplace_ids[0],)


def sells_in(marketplace_id: str, currency: str) -> bool:
    """Whether a marketplace sells in this currency; one that is new to us may sell in any."""
    return marketplace(marketplace_id).currency in ("", currency)


def _first(attributes: Raw, name: str, place: str) -> str:
    """The text of an attribute, that of the marketplace before that of none."""
    values = [one for one in attributes.get(name) or [] if isinstance(one, Mapping) and one.get("value") is not None]
    fitting = [one for one in values if one.get("marketplace_id") == place] or values
    return str(fitting[0]["value"]) if fitting else ""


def stock_record(raw: Raw, location: str) -> StockRecord | None:
    """What a listings item shows of one fulfilment channel; None where it is not offered from there."""
    code = location or OWN_STOCK
    for part in raw.get("fulfillmentAvailability") or []:
        if part["fulfillmentChannelCode"] == code:
            return StockRecord(
                key=raw["sku"], sku=raw["sku"], quantity=int(part.get("quantity") or 0), location=location
            )
    return None


def fba_stock_record(raw: Raw, location: str) -> StockRecord:
    """What Amazon holds of a SKU and can send now (an inventory summary with details)."""
    quantity = int((raw.get("inventoryDetails") or {}).get("fulfillableQuantity") or 0)
    return StockRecord(key=raw["sellerSku"], sku=raw["sellerSku"], quantity=quantity, location=location)


def reasons(issues: Any, *, severity: str = "ERROR") -> tuple[str, str]:
    """The code and the words of the issues of this severity; "" and "" where there is none."""
    grave = [issue for issue in issues or [] if issue.get("severity") == severity]
    if not grave:
        return "", ""
    return str(grave[0].get("code") or ""), "; ".join(str(issue["message"]) for issue in grave)


# From our words to its.


NO_STOCK = ({"fulfillment_channel_code": OWN_STOCK, "quantity": 0},)


def availability_of(raw: Raw) -> Sequence[dict[str, Any]]:
    """The availability that a listings item shows, to be said again as it is; none of our own stock where it shows
    none. Quantities that Amazon counts itself are not said."""
    shown: list[dict[str, Any]] = []
    for part in raw.get("fulfillmentAvailability") or []:
        code = part["fulfillmentChannelCode"]
        quantity = {} if is_amazons(code) else {"quantity": int(part.get("quantity") or 0)}
        shown.append({"fulfillment_channel_code": code, **quantity})
    return shown or NO_STOCK


def availability_patch(quantity: int, location: str) -> dict[str, Any]:
    """Set the quantity and nothing else: `merge` leaves the handling time and the restock date as they are."""
    value = {"fulfillment_channel_code": location or OWN_STOCK, "quantity": quantity}
    return {"op": "merge", "path": "/attributes/fulfillment_availability", "value": [value]}


def offer(amount: Decimal, currency: str, marketplace_id: str) -> dict[str, Any]:
    """The consumer offer of one marketplace at this price, tax included."""
    return {
        **_offer_selector(currency, marketplace_id),
        "our_price": [{"schedule": [{"value_with_tax": json_number(amount)}]}],
    }


def _offer_selector(currency: str, marketplace_id: str) -> dict[str, Any]:
    return {"marketplace_id": marketplace_id, "currency": currency, "audience": "ALL"}


def price_patch(amount: Decimal, currency: str, marketplace_ids: Sequence[str]) -> dict[str, Any]:
    """Set the price and nothing else: sale prices and business prices stay as they are."""
    offers = [offer(amount, currency, marketplace_id) for marketplace_id in marketplace_ids]
    return {"op": "merge", "path": "/attributes/purchasable_offer", "value": offers}


def closing_patch(currency: str, marketplace_id: str) -> dict[str, Any]:
    """Take the offer away: the listing stays, and nobody can buy it."""
    return {
        "op": "delete", "path": "/attributes/purchasable_offer",
        "value": [_offer_selector(currency, marketplace_id)],
    }  # fmt: skip


def json_number(amount: Decimal) -> float | int:
    """The amount as a number of JSON, as Amazon's schemas want it. Raises ValueError where digits would be lost."""
    if not amount.is_finite() or len(amount.normalize().as_tuple().digits) > JSON_NUMBER_DIGITS:
        raise ValueError(f"{amount} has more digits than a number of JSON can carry")
    whole = amount == amount.to_integral_value()
    return int(amount) if whole else float(amount)


def content_attributes(content: ListingContent, marketplace_id: str) -> dict[str, Any]:
    """The attributes that say what a listing says, in Amazon's form; names beyond our own pass as they are given."""
    told = marketplace(marketplace_id)

    def text(value: Any) -> list[dict[str, Any]]:
        return [{"value": value, "language_tag": told.language, "marketplace_id": marketplace_id}]

    attributes: dict[str, Any] = {"item_name": text(content.title)}
    if content.description:
        attributes["product_description"] = text(content.description)
    if content.brand:
        attributes["brand"] = text(content.brand)
    kind = BARCODE_TYPES.get(len(content.barcode)) if content.barcode.isdecimal() else None
    if kind:
        attributes["externally_assigned_product_identifier"] = [
            {"type": kind, "value": content.barcode, "marketplace_id": marketplace_id}
        ]
    for name, value in content.attributes.items():
        if name in (PRODUCT_TYPE, ASIN) or value in (None, ""):
            continue
        is_in_its_form = isinstance(value, list) and all(isinstance(one, Mapping) for one in value)
        attributes[name] = value if is_in_its_form else text(str(value) if isinstance(value, Decimal) else value)
    return attributes


def new_listing(
    content: ListingContent, marketplace_id: str, availability: Sequence[dict[str, Any]]
) -> tuple[str, dict[str, Any]]:
    """The requirements and the attributes of a listing that is not there yet. With an `asin` among its attributes it
    joins that product of Amazon's catalogue. Its availability is one for all marketplaces."""
    attributes = content_attributes(content, marketplace_id)
    attributes.setdefault(CONDITION, [{"value": "new_new", "marketplace_id": marketplace_id}])
    attributes["fulfillment_availability"] = list(availability)
    is_offered = content.is_available and content.price is not None
    if is_offered and content.price is not None:
        attributes["purchasable_offer"] = [offer(content.price, content.currency, marketplace_id)]
    asin = content.attributes.get(ASIN)
    if asin:
        attributes["merchant_suggested_asin"] = [{"value": str(asin), "marketplace_id": marketplace_id}]
        return "LISTING_OFFER_ONLY", attributes
    return "LISTING" if is_offered else "LISTING_PRODUCT_ONLY", attributes


def changed_listing(content: ListingContent, marketplace_id: str) -> list[dict[str, Any]]:
    """The patches that make a listing say this on a marketplace. Its price goes only where it is money: elsewhere the
    offer that stands stays, or goes with a listing that is taken off."""
    patches = [
        {"op": "replace", "path": f"/attributes/{name}", "value": value}
        for name, value in content_attributes(content, marketplace_id).items()
    ]
    if not content.is_available:
        own_currency = marketplace(marketplace_id).currency or content.currency
        patches.append(closing_patch(own_currency, marketplace_id))
    elif content.price is not None and sells_in(marketplace_id, content.currency):
        patches.append(price_patch(content.price, content.currency, (marketplace_id,)))
    return patches
