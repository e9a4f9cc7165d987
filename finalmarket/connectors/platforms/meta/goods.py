"""Items of a catalogue: read by pages, told in batches that Facebook works off by itself.

Source: `/{catalog}/items_batch` and `/{catalog}/check_batch_request_status` of Meta's published node specifications;
the fields of an item are those of product feeds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from finalmarket.connectors.answers import fields_in
from finalmarket.connectors.errors import Rejected, RetryLater, Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.money import minor_units
from finalmarket.connectors.paging import READING_ERRORS, read_cursor, read_each, walk, write_cursor
from finalmarket.connectors.platforms.meta.graph import rows_of
from finalmarket.connectors.records import (
    ListingContent,
    ListingRecord,
    ListingRef,
    Page,
    PriceLevel,
    Raw,
    StockLevel,
    StockRecord,
)

Call = Callable[..., Answer]
PAGE = 100
BATCH = 3000  # Facebook takes 5,000, and recommends less than this
ASKING = "asking"  # the bucket of questions after a batch
MOST_QUESTIONS = 15
MOST_TITLE_LETTERS, MOST_NAME_LETTERS = 200, 100
SHOWN = "id,retailer_id,name,description,brand,gtin,price,currency,availability,visibility,color,size,material,pattern"
ATTRIBUTES = ("brand", "color", "size", "material", "pattern")
FIGURES = re.compile(r"\d[\d,]*(?:\.\d+)?")
# Fields of an item that may be among the attributes of ours, beside link and pictures.
MORE = (
    "condition", "google_product_category", "fb_product_category", "color", "size", "material", "pattern", "gender",
    "age_group", "item_group_id",
)  # fmt: skip


# In.


def pull_listings(call: Call, path: str, cursor: str) -> Iterator[Page[ListingRecord]]:
    """All items, page by page."""

    def fetch(at: str) -> Page[ListingRecord]:
        after = str(read_cursor(at).get("after", ""))
        # Prices come as they are shown to people: in this language the figures can be read.
        asked = {"fields": SHOWN, "limit": PAGE, "locale": "en_US", **({"after": after} if after else {})}
        rows, following = rows_of(call("GET", path, params=asked))
        records, unreadable = read_each(rows, listing_of, lambda raw: raw["retailer_id"])
        return Page(records, write_cursor(after=following or after), is_last=not following, unreadable=unreadable)

    return walk(fetch, cursor)


def listing_of(raw: Raw) -> ListingRecord:
    """An item as it stands there."""
    name = raw["retailer_id"]
    if not isinstance(name, str) or not name or not isinstance(raw.get("name", ""), str):
        raise ValueError("the item has no number of the retailer's, or a name that is no text")
    currency = str(raw.get("currency") or "").upper()
    amount = price_in(str(raw.get("price") or "")) if currency else None
    return ListingRecord(
        ref=ListingRef(key=name, sku=name, ids={"retailer_id": name}), title=str(raw.get("name") or ""),
        description=str(raw.get("description") or ""), barcode=str(raw.get("gtin") or ""), price=amount,
        currency=currency if amount is not None else "", raw=raw,
        is_available=raw.get("visibility", "published") == "published" and raw.get("availability") != "discontinued",
        attributes={each: str(raw[each]) for each in ATTRIBUTES if raw.get(each)},
    )  # fmt: skip


def price_in(text: str) -> Decimal | None:
    """The amount in a price as it is shown (`$1,234.56`, `9.99 USD`); None where there is none."""
    found = FIGURES.search(text)
    return Decimal(found.group().replace(",", "")) if found else None


def pull_stock(
    rows: Callable[[str, Mapping[str, Any]], Iterator[Raw]], path: str, refs: Sequence[ListingRef]
) -> list[StockRecord]:
    """The units that these items show; one of which Facebook counts none is left out."""
    names = [ref.key for ref in refs]
    asked = {
        "fields": "retailer_id,quantity_to_sell_on_facebook,inventory", "limit": PAGE,
        "filter": json.dumps({"retailer_id": {"is_any": names}}),
    }  # fmt: skip
    found: dict[str, StockRecord] = {}
    for raw in rows(path, asked):
        units = raw.get("quantity_to_sell_on_facebook", raw.get("inventory"))
        name = str(raw.get("retailer_id") or "")
        if isinstance(units, int) and not isinstance(units, bool) and name in names:
            found[name] = StockRecord(key=name, quantity=units, sku=name)
    return list(found.values())


# Out.


def stock_of(level: StockLevel) -> Raw:
    """The units of an item, and whether it can be had."""
    units = max(0, level.quantity)
    return {
        "id": level.ref.key, "quantity_to_sell_on_facebook": units,
        "availability": "in stock" if units else "out of stock",
    }  # fmt: skip


def price_of(level: PriceLevel) -> Raw:
    """The price of an item."""
    return {"id": level.ref.key, "price": written(level.amount, level.currency)}


def written(amount: Decimal, currency: str) -> str:
    """An amount as feeds write it: `9.99 USD`."""
    digits = minor_units(currency)
    exact = round(amount, digits)
    return f"{exact if exact == amount else amount:f} {currency.upper()}"


def item_of(content: ListingContent, link: str) -> Raw | Rejected:
    """An item as it is to be, or why Facebook would not take it."""
    name, attributes = content.ref.key or content.ref.sku, content.attributes
    pictures = attributes.get("images") or attributes.get("image_link") or []
    images = [pictures] if isinstance(pictures, str) else [one for one in pictures if isinstance(one, str)]
    address = str(attributes.get("link") or (link.replace("{sku}", content.ref.sku or name) if link else ""))
    is_new = not content.ref.ids
    missing = [
        word
        for word, thing in (("a link", address), ("a picture", images), ("a price", content.price is not None))
        if is_new and not thing
    ]
    if missing or not content.title or not 0 < len(name) <= MOST_NAME_LETTERS:
        reason = f"Facebook takes no new item without {', '.join(missing)}" if missing else "no title or article number"
        return Rejected(reason, key=content.ref.key)
    texts = {
        "title": content.title[:MOST_TITLE_LETTERS], "description": content.description or content.title,
        "brand": content.brand, "gtin": content.barcode, "link": address,
        **{word: str(attributes[word]) for word in MORE if attributes.get(word)},
    }  # fmt: skip
    told: dict[str, Any] = {"id": name, **{word: text for word, text in texts.items() if text}}
    if is_new:
        told |= {"condition": texts.get("condition") or "new", "availability": "out of stock"}
    if images:
        told["image"] = [{"url": url} for url in images]
    if content.price is not None:
        told["price"] = written(content.price, content.currency)
    return told | {"visibility": "published" if content.is_available else "staging"}


def tell(call: Call, catalog: str, items: Sequence[tuple[str, Raw]], *, is_new: bool) -> list[Rejected]:
    """Have these items set, at most 5,000; those that were refused, by their names. Told twice they are the same.

    Raises RetryLater where Facebook has not worked it off after half a minute.
    """
    asked = {
        "item_type": "PRODUCT_ITEM", "allow_upsert": is_new,
        "requests": [{"method": "UPDATE", "data": data} for _, data in items],
    }  # fmt: skip
    told = fields_in(call("POST", f"{catalog}/items_batch", json=asked, repeatable=True))
    names = {name for name, _ in items}
    refused = _refused_at_once(told, names)
    handles = told.get("handles") or []
    if not isinstance(handles, list) or not (handles or len(refused) == len(names)):
        raise Unintelligible("Facebook does not say under which handle it works the batch off")
    for handle in handles:
        refused |= _refused_later(_outcome(call, catalog, str(handle)), names)
    return [Rejected(reason, key=name) for name, reason in refused.items()]


def _refused_at_once(told: Raw, names: set[str]) -> dict[str, str]:
    found = {}
    for one in told.get("validation_status") or []:
        if isinstance(one, dict) and one.get("errors") and one.get("retailer_id") in names:
            found[str(one["retailer_id"])] = _words(one["errors"])
    return found


def _refused_later(told: Raw, names: set[str]) -> dict[str, str]:
    listed = told.get("ids_of_invalid_requests") or []
    try:
        found = {str(name): "Facebook takes this item not" for name in listed if str(name) in names}
        for one in told.get("errors") or []:
            if str(one.get("id", "")) in names:
                found[str(one["id"])] = str(one.get("message") or "Facebook takes this item not")
    except READING_ERRORS:
        raise Unintelligible("Facebook does not say what became of the batch") from None
    return found


def _outcome(call: Call, catalog: str, handle: str) -> Raw:
    """What became of a batch, once it is worked off; the budget sees to the time between the questions."""
    asked = {"handle": handle, "load_ids_of_invalid_requests": "true"}
    for _ in range(MOST_QUESTIONS):
        try:
            rows, _ = rows_of(call("GET", f"{catalog}/check_batch_request_status", params=asked, bucket=ASKING))
        except Rejected as error:
            raise RetryLater(f"Facebook does not know the batch it just took: {error.reason}") from None
        if not rows or not isinstance(rows[0].get("status"), str):
            raise Unintelligible("Facebook does not say how far the batch is")
        if rows[0]["status"] == "finished":
            return rows[0]
        if rows[0]["status"] in ("error", "failed", "canceled"):
            raise RetryLater("Facebook gave the batch up")
    raise RetryLater("Facebook has not worked the batch off yet")


def _words(errors: Any) -> str:
    told = (
        [str(one.get("message") or "") for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    )
    return "; ".join(filter(None, told)) or "Facebook takes this item not"
