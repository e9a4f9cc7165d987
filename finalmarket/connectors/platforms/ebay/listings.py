"""Listings: an inventory item (what it is, how many there are) and an offer of it (where, at what price).

Both are known by the seller's SKU. What was listed on eBay by other means is no inventory item, and is not seen here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from finalmarket.connectors.answers import fields_in, if_there, rows_in
from finalmarket.connectors.errors import Rejected, RetryLater, Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.paging import in_parts, read_cursor, read_each, walk, write_cursor
from finalmarket.connectors.platforms.ebay.calls import BATCH, INVENTORY, NOT_THERE, Shop, amount, first_error, money
from finalmarket.connectors.records import (
    ListingRecord,
    ListingRef,
    Page,
    PriceLevel,
    Raw,
    StockLevel,
    StockRecord,
)
from finalmarket.connectors.refusals import error_of

ITEMS_A_PAGE = 25  # each asks for its offers besides
OFFER, LISTING = "offer", "listing"
FIXED_PRICE, PUBLISHED, ACTIVE = "FIXED_PRICE", "PUBLISHED", "ACTIVE"
OFFER_OFF_SALE = "25713"


# What comes in.


def pull_listings(shop: Shop, cursor: str) -> Iterator[Page[ListingRecord]]:
    """See PullsListings."""
    yield from walk(lambda at: _page(shop, at), cursor)


def _page(shop: Shop, cursor: str) -> Page[ListingRecord]:
    """A page of inventory items with their offers. `offset` counts pages here, says the description."""
    at = read_cursor(cursor)
    number = int(at.get("page") or 0)
    params = {"limit": str(ITEMS_A_PAGE), "offset": str(number)}
    path = f"{INVENTORY}/inventory_item"
    answer = if_there(lambda: shop.http.call("GET", path, params=params, bucket="inventory"))
    if answer is None:  # a seller without inventory items
        return Page((), "", is_last=True)
    raws = rows_in(answer, "inventoryItems")
    first = str(raws[0].get("sku")) if raws else ""
    if first and first == at.get("first"):
        raise Unintelligible("eBay gave the same page a second time; going on would never end")
    records, unreadable = read_each(
        raws, lambda raw: listing_record(raw, offer_of(shop, str(raw["sku"]))), lambda raw: raw["sku"]
    )
    if raws and fields_in(answer).get("next"):
        return Page(records, write_cursor(page=number + 1, first=first), unreadable=unreadable)
    return Page(records, "", is_last=True, unreadable=unreadable)


def offer_of(shop: Shop, sku: str) -> Raw:
    """The fixed-price offer of a SKU; an empty one where there is none."""
    asking = partial(shop.http.call, "GET", f"{INVENTORY}/offer", params={"sku": sku}, bucket="inventory")
    answer = if_there(asking, *NOT_THERE)
    offers = [
        one for one in (rows_in(answer, "offers") if answer else ()) if one.get("format", FIXED_PRICE) == FIXED_PRICE
    ]
    here = [one for one in offers if one.get("marketplaceId") == shop.marketplace]
    return next(iter([*here, *offers]), {})


def listing_record(item: Raw, offer: Raw) -> ListingRecord:
    """A listing. Raises KeyError or ArithmeticError where it cannot be read."""
    product = item.get("product") or {}
    price = (offer.get("pricingSummary") or {}).get("price")
    aspects = {name: ", ".join(values) for name, values in (product.get("aspects") or {}).items()}
    codes = [*(product.get("ean") or []), *(product.get("upc") or []), *(product.get("isbn") or [])]
    named = {name: product[name] for name in ("brand", "mpn") if product.get(name)}
    state = (offer.get("listing") or {}).get("listingStatus", ACTIVE)
    return ListingRecord(
        ref=ref_of(item["sku"], offer), title=product.get("title") or "",
        description=offer.get("listingDescription") or product.get("description") or "",
        barcode=next((code for code in codes if any(letter.isdigit() for letter in code)), ""),
        price=amount(price) if price else None, currency=price["currency"] if price else "",
        is_available=offer.get("status") == PUBLISHED and state in (ACTIVE, "OUT_OF_STOCK"),
        attributes={**aspects, **named}, raw={"item": item, "offer": offer},
    )  # fmt: skip


def ref_of(sku: str, offer: Raw) -> ListingRef:
    """What eBay calls a listing: its SKU, and the offer where there is one."""
    return ListingRef(key=sku, sku=sku, ids={OFFER: str(offer["offerId"])} if offer.get("offerId") else {})


def pull_stock(shop: Shop, refs: Sequence[ListingRef]) -> Sequence[StockRecord]:
    """See PullsStock."""
    found = items_of(shop, [ref.key for ref in refs])
    return [
        StockRecord(key=ref.key, sku=ref.sku, quantity=int(availability["quantity"]))
        for ref in refs
        if ref.key in found and (availability := _ship_to_home(found[ref.key])).get("quantity") is not None
    ]


def _ship_to_home(item: Raw) -> Raw:
    return (item.get("availability") or {}).get("shipToLocationAvailability") or {}


def items_of(shop: Shop, skus: Sequence[str]) -> dict[str, Raw]:
    """The inventory items of these SKUs, as many as there are."""
    found: dict[str, Raw] = {}
    path = f"{INVENTORY}/bulk_get_inventory_item"
    for some in in_parts(list(dict.fromkeys(skus)), BATCH):
        body = {"requests": [{"sku": sku} for sku in some]}
        asking = partial(shop.http.call, "POST", path, json=body, bucket="inventory", repeatable=True)
        answer = if_there(asking, *NOT_THERE)
        responses = rows_in(answer, "responses") if answer else ()
        found |= {str(one["sku"]): one["inventoryItem"] for one in responses if _has_item(one)}
    return found


def _has_item(one: Raw) -> bool:
    return bool(one.get("sku")) and isinstance(one.get("inventoryItem"), dict)


# Numbers that go out.


def push_stock(shop: Shop, levels: Sequence[StockLevel]) -> Sequence[Rejected]:
    """See PushesStock: what the item has, and what its offer sells of it, are one number. An offer that is not on sale
    cannot be told; then the item alone is."""
    requests: dict[str, dict[str, Any]] = {}
    for level in levels:
        told: dict[str, Any] = {
            "sku": level.ref.key, "shipToLocationAvailability": {"quantity": level.quantity},
        }  # fmt: skip
        if level.ref.ids.get(OFFER):
            told["offers"] = [{"offerId": level.ref.ids[OFFER], "availableQuantity": level.quantity}]
        requests[level.ref.key] = told
    refused = _revise(shop, requests)
    off_sale = {error.key for error in refused if error.code == OFFER_OFF_SALE and "offers" in requests[error.key]}
    for key in off_sale:
        del requests[key]["offers"]
    alone = _revise(shop, {key: requests[key] for key in requests if key in off_sale})
    return [*(error for error in refused if error.key not in off_sale), *alone]


def push_prices(shop: Shop, levels: Sequence[PriceLevel]) -> Sequence[Rejected]:
    """See PushesPrices. The offer is looked for where its id is not known."""
    requests: dict[str, dict[str, Any]] = {}
    refused = []
    for level in levels:
        offer_id = level.ref.ids.get(OFFER) or offer_of(shop, level.ref.key).get("offerId")
        if not offer_id:
            refused.append(Rejected(f"eBay has no offer of the SKU {level.ref.key}", key=level.ref.key))
            continue
        price = {"offerId": str(offer_id), "price": money(level.amount, level.currency)}
        requests[level.ref.key] = {"offers": [price]}
    return [*refused, *_revise(shop, requests)]


def _revise(shop: Shop, requests: Mapping[str, Mapping[str, Any]]) -> list[Rejected]:
    """Tell numbers, by SKU. Values are absolute, so repeating does no harm; where eBay refuses a batch as a whole, each
    is told alone."""
    if not requests:
        return []
    path, body = f"{INVENTORY}/bulk_update_price_quantity", {"requests": list(requests.values())}
    try:
        answer = shop.http.call("POST", path, json=body, bucket="inventory", repeatable=True)
    except Rejected as error:
        if len(requests) == 1:
            return [error_of(error, next(iter(requests)))]
        return [refused for key, one in requests.items() for refused in _revise(shop, {key: one})]
    keys = {key: key for key in requests}
    keys |= {one["offerId"]: key for key, told in requests.items() for one in told.get("offers", ())}
    return refusals(answer, keys)


def refusals(answer: Answer, keys: Mapping[str, str]) -> list[Rejected]:
    """The records of a bulk call that were not taken; `keys` are ours, by eBay's names (SKUs, offers). Raises
    RetryLater where it was a failure of eBay's: none of the records is at fault."""
    refused: dict[str, Rejected] = {}
    for one in rows_in(answer, "responses"):
        status = int(one.get("statusCode") or 0)
        if status < 400:
            continue
        code, words = first_error(one.get("errors"))
        if status >= 500 or status == 429:
            raise RetryLater(f"{status} {code}: {words}", code=code, status=status)
        key = keys.get(str(one.get("offerId") or "")) or keys.get(str(one.get("sku") or ""))
        if key is None:
            raise Unintelligible(f"eBay refuses what was not asked for: {code} {words}", code=code, status=status)
        refused.setdefault(key, Rejected(words or f"eBay answers {status}", key=key, code=code, status=status))
    return list(refused.values())


def quoted(name: str) -> str:
    """A SKU or an id as a part of a path."""
    return quote(name, safe="")
