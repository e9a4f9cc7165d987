"""What goes out: stock, prices, listings, and word of parcels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from finalmarket.connectors.answers import if_there
from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.http import Answer
from finalmarket.connectors.moments import to_second
from finalmarket.connectors.paging import read_one
from finalmarket.connectors.platforms.amazon import calls, feeds
from finalmarket.connectors.platforms.amazon.calls import Seller
from finalmarket.connectors.platforms.amazon.feeds import Message
from finalmarket.connectors.platforms.amazon.listings import (
    ASIN,
    CHANNEL,
    NO_STOCK,
    OWN_STOCK,
    PLACES,
    PRODUCT_TYPE,
    availability_of,
    availability_patch,
    changed_listing,
    is_amazons,
    listing_record,
    new_listing,
    places_of,
    price_patch,
    reasons,
    sells_in,
)
from finalmarket.connectors.records import FulfilmentNotice, ListingContent, ListingRef, PriceLevel, StockLevel
from finalmarket.connectors.refusals import refused_as, tell_each

# Twenty patches take four seconds of the budget; a feed of thousands costs five calls, and minutes of waiting.
MOST_PATCHES = 20
MOST_MESSAGES_A_BATCH = 1_000
MOST_LISTINGS_A_BATCH = 20


@dataclass(slots=True)
class Changes:
    """Changes of a batch, and those of it that cannot be asked for at all."""

    messages: list[Message] = field(default_factory=list)
    refused: list[Rejected] = field(default_factory=list)


# Stock and prices.


def stock_changes(seller: Seller, levels: Iterable[StockLevel]) -> Changes:
    """What these levels ask of Amazon. Stock that Amazon keeps cannot be set, and setting the merchant's own on a
    listing that Amazon fulfils would take it out of Amazon's hands: both are refused."""
    changes = Changes()
    for level in levels:
        if is_amazons(level.location) or is_amazons(level.ref.ids.get(CHANNEL, "")):
            changes.refused.append(Rejected("this stock is kept and counted by Amazon (FBA)", key=level.ref.key))
            continue
        patch = availability_patch(max(0, level.quantity), level.location or OWN_STOCK)
        changes.messages.append(_message(seller, level.ref, patch, places_of(level.ref, seller.marketplace_ids)))
    return changes


def price_changes(seller: Seller, levels: Iterable[PriceLevel]) -> Changes:
    """What these prices ask of Amazon: each on the marketplaces of its listing that sell in its currency."""
    changes = Changes()
    for level in levels:
        places = [place for place in places_of(level.ref, seller.marketplace_ids) if sells_in(place, level.currency)]
        try:
            if not places:
                raise ValueError(f"this listing is on no marketplace that sells in {level.currency}")
            patch = price_patch(level.amount, level.currency, places)
        except ValueError as error:
            changes.refused.append(Rejected(str(error), key=level.ref.key))
        else:
            changes.messages.append(_message(seller, level.ref, patch, places))
    return changes


def _message(seller: Seller, ref: ListingRef, patch: dict[str, Any], places: Sequence[str]) -> Message:
    product_type = ref.ids.get(PRODUCT_TYPE) or seller.product_type
    return Message(ref.key, ref.sku or ref.key, product_type, [patch], places)


def make_changes(
    seller: Seller, changes: Changes, address: Callable[[str], str], pause: Callable[[float], None]
) -> Sequence[Rejected]:
    """Have the changes made: a few one by one, many as a feed. Values are absolute, so a repetition does no harm."""
    if len(changes.messages) > MOST_PATCHES:
        return [*changes.refused, *feeds.submit(seller, changes.messages, address, pause)]

    def tell(message: Message) -> None:
        body = {"productType": message.product_type, "patches": list(message.patches)}
        _submit(seller, calls.PATCH_LISTING, message.sku, body, message.marketplace_ids)

    return [*changes.refused, *tell_each(changes.messages, tell, lambda message: message.key)]


def _submit(
    seller: Seller, operation: calls.Operation, sku: str, body: dict[str, Any], marketplace_ids: Sequence[str]
) -> Answer:
    """Submit one listing. Raises Rejected where Amazon finds it invalid, with all that it finds."""
    params = {"marketplaceIds": marketplace_ids}
    answer = seller.call(operation, sku=sku, params=params, json=body, repeatable=True)
    told = answer.data if isinstance(answer.data, dict) else {}
    code, words = reasons(told.get("issues"))
    if told.get("status") == "INVALID" or code or words:
        raise Rejected(words or "Amazon finds the submission invalid", code=code, status=answer.status)
    return answer


# Listings.


def push_listing(seller: Seller, content: ListingContent) -> ListingRef | Rejected:
    """Change one listing where it stands, or make it where it can be sold; what it is called then."""
    try:
        if not content.ref.ids:
            return _make(seller, content)
        return _change(seller, content, content.ref, places_of(content.ref, seller.marketplace_ids))
    except (Rejected, ValueError) as error:
        code, status = (error.code, error.status) if isinstance(error, Rejected) else ("", None)
        return Rejected(str(error), key=content.ref.key, code=code, status=status)


def _change(seller: Seller, content: ListingContent, ref: ListingRef, places: Sequence[str]) -> ListingRef:
    sku, product_type = _sku(content), _product_type(seller, content, ref)
    for place in places:
        body = {"productType": product_type, "patches": changed_listing(content, place)}
        _submit(seller, calls.PATCH_LISTING, sku, body, (place,))
    asin = content.attributes.get(ASIN)
    told = {**ref.ids, PRODUCT_TYPE: product_type, PLACES: ",".join(places)}
    return ListingRef(key=sku, sku=sku, ids={**told, ASIN: str(asin)} if asin else told)


def _make(seller: Seller, content: ListingContent) -> ListingRef:
    """Make a listing on the marketplaces that sell in the currency of its price, if it has one. Where its SKU stands it
    is changed instead: made anew, it would lose all else that it says. Raises ValueError where there is no place."""
    ref, availability = _as_it_stands(seller, content)
    known = ref.ids.get(PLACES, "").split(",")
    standing = [place for place in seller.marketplace_ids if place in known]
    fresh = [
        place
        for place in seller.marketplace_ids
        if place not in standing and (content.price is None or sells_in(place, content.currency))
    ]
    if not standing and not fresh:
        raise ValueError(f"no marketplace of the settings sells in {content.currency}")
    changed = _change(seller, content, ref, standing)
    for place in fresh:
        requirements, attributes = new_listing(content, place, availability)
        body = {"productType": changed.ids[PRODUCT_TYPE], "requirements": requirements, "attributes": attributes}
        _submit(seller, calls.PUT_LISTING, changed.sku, body, (place,))
    places = [place for place in seller.marketplace_ids if place in standing or place in fresh]
    return replace(changed, ids={**changed.ids, PLACES: ",".join(places)})


def _as_it_stands(seller: Seller, content: ListingContent) -> tuple[ListingRef, Sequence[dict[str, Any]]]:
    """What is known of a SKU at Amazon, and its availability, which all marketplaces share: what Amazon fulfils stays
    in its hands, and a quantity that stands is kept."""
    places = tuple(seller.marketplace_ids)
    params = {"marketplaceIds": places, "includedData": ("summaries", "fulfillmentAvailability", "productTypes")}
    answer = if_there(lambda: seller.call(calls.GET_LISTING, sku=_sku(content), params=params))
    if answer is None:
        return content.ref, NO_STOCK
    return read_one(answer.data, lambda raw: (listing_record(raw, places).ref, availability_of(raw)))


def _sku(content: ListingContent) -> str:
    return content.ref.sku or content.ref.key


def _product_type(seller: Seller, content: ListingContent, ref: ListingRef) -> str:
    return str(content.attributes.get(PRODUCT_TYPE) or "") or ref.ids.get(PRODUCT_TYPE) or seller.product_type


# Parcels.

# Names of carriers as Amazon's code lists spell them; any other goes out as Other, with its name.
CARRIERS = (
    "Aramex", "Australia Post", "BlueDart", "Canada Post", "Chronopost", "Delhivery", "Deutsche Post", "DHL", "DPD",
    "DTDC", "FedEx", "GLS", "Hermes Logistik Gruppe", "India Post", "La Poste", "Lasership", "OnTrac", "Parcelforce",
    "Poste Italiane", "Royal Mail", "SAGAWA", "SDA", "TNT", "UPS", "USPS", "YAMATO", "Yodel",
)  # fmt: skip
CARRIER_CODES = {name.lower(): name for name in CARRIERS}


def push_fulfilment(seller: Seller, notice: FulfilmentNotice) -> str:
    """Confirm a parcel. Its number follows from the notice's key: told twice, Amazon sees the same parcel again."""
    if not notice.tracking_number:
        raise Rejected("Amazon takes no parcel without a tracking number", key=notice.key)
    package = package_reference(notice.key)
    code = CARRIER_CODES.get(notice.carrier.strip().lower(), "Other")
    detail: dict[str, Any] = {
        "packageReferenceId": package,
        "carrierCode": code,
        "trackingNumber": notice.tracking_number,
        "shipDate": to_second(notice.shipped_at),
        "orderItems": [{"orderItemId": number, "quantity": units} for number, units in notice.lines],
    }
    if code == "Other":
        detail["carrierName"] = notice.carrier.strip() or "Other"
    if notice.location not in ("", OWN_STOCK):
        detail["shipFromSupplySourceId"] = notice.location
    with refused_as(notice.key):
        body = {"marketplaceId": _place_of(seller, notice.order_id), "packageDetail": detail}
        seller.call(calls.CONFIRM_SHIPMENT, order_id=notice.order_id, json=body, repeatable=True)
    return package


def _place_of(seller: Seller, order_id: str) -> str:
    """The marketplace that an order was placed on: asked for where the account sells on several."""
    if len(seller.marketplace_ids) == 1:
        return seller.main_marketplace_id
    answer = seller.call(calls.GET_ORDER, order_id=order_id)
    sold_in = ((answer.data or {}).get("order") or {}).get("salesChannel") or {}
    return str(sold_in.get("marketplaceId") or seller.main_marketplace_id)


def package_reference(key: str) -> str:
    """A positive number that stands for this key, as Amazon's package references have to be."""
    return str(int.from_bytes(hashlib.sha256(key.encode()).digest()[:7], "big") % 10**15 + 1)
