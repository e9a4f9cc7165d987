"""What goes out: stock, prices, listings, and word of parcels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.http import Answer
from finalmarket.connectors.moments import to_second
from finalmarket.connectors.platforms.amazon import calls, feeds
from finalmarket.connectors.platforms.amazon.calls import Seller
from finalmarket.connectors.platforms.amazon.feeds import Message
from finalmarket.connectors.platforms.amazon.listings import (
    ASIN,
    CHANNEL,
    OWN_STOCK,
    PLACES,
    PRODUCT_TYPE,
    availability_patch,
    changed_listing,
    is_amazons,
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
    sku = content.ref.sku or content.ref.key
    product_type = (
        str(content.attributes.get(PRODUCT_TYPE) or "") or content.ref.ids.get(PRODUCT_TYPE) or seller.product_type
    )
    try:
        places = places_of(content.ref, seller.marketplace_ids) if content.ref.ids else _new_places(seller, content)
        for marketplace_id in places:
            _push_to(seller, content, sku, product_type, marketplace_id)
    except (Rejected, ValueError) as error:
        code, status = (error.code, error.status) if isinstance(error, Rejected) else ("", None)
        return Rejected(str(error), key=content.ref.key, code=code, status=status)
    asin = content.attributes.get(ASIN)
    told = {**content.ref.ids, PRODUCT_TYPE: product_type, PLACES: ",".join(places)}
    return ListingRef(key=sku, sku=sku, ids={**told, ASIN: str(asin)} if asin else told)


def _new_places(seller: Seller, content: ListingContent) -> tuple[str, ...]:
    """The marketplaces of the settings on which a listing is made: those that sell in the currency of its price, if it
    has one. Raises ValueError where none does."""
    if content.price is None:
        return tuple(seller.marketplace_ids)
    places = tuple(place for place in seller.marketplace_ids if sells_in(place, content.currency))
    if not places:
        raise ValueError(f"no marketplace of the settings sells in {content.currency}")
    return places


def _push_to(seller: Seller, content: ListingContent, sku: str, product_type: str, marketplace_id: str) -> None:
    if content.ref.ids:
        patches = changed_listing(content, marketplace_id)
        _submit(seller, calls.PATCH_LISTING, sku, {"productType": product_type, "patches": patches}, (marketplace_id,))
        return
    requirements, attributes = new_listing(content, marketplace_id)
    body = {"productType": product_type, "requirements": requirements, "attributes": attributes}
    _submit(seller, calls.PUT_LISTING, sku, body, (marketplace_id,))


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
