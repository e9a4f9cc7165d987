"""Listings that go out. A new one is a draft: Etsy publishes none without a picture, and takes a fee for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from finalmarket.connectors.answers import fields_in
from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.platforms.etsy.inventory import (
    ACTIVE,
    DRAFT,
    INACTIVE,
    LISTING,
    Edit,
    inventory_fields,
    is_left,
    keep_a_unit,
    listing_of,
    listing_records,
    make_edits,
    patch,
    put_inventory,
    read_inventory,
)
from finalmarket.connectors.platforms.etsy.shop import PAGE, ROOT, Shop, results
from finalmarket.connectors.records import ListingContent, ListingRef, Raw
from finalmarket.connectors.refusals import understood

MOST_TITLE_LETTERS = 140
MOST_DRAFTS = 20  # pages that are looked through for a draft of ours
# What a draft needs, and which of it may come from the settings.
NEEDED = ("who_made", "when_made", "taxonomy_id")
OFFERED = (*NEEDED, "shipping_profile_id", "return_policy_id", "readiness_state_id", "shop_section_id")
IMAGES = "image_ids"


def push_listings(shop: Shop, contents: Sequence[ListingContent]) -> Sequence[ListingRef | Rejected]:
    """See PushesListings."""
    return [_push(shop, content) for content in contents]


def _push(shop: Shop, content: ListingContent) -> ListingRef | Rejected:
    try:
        if not 0 < len(content.title) <= MOST_TITLE_LETTERS:
            raise Rejected(f"a title has up to {MOST_TITLE_LETTERS} letters on Etsy, not {len(content.title)}")
        return _change(shop, content) if content.ref.ids else _make(shop, content)
    except Rejected as error:
        return Rejected(error.reason, key=content.ref.key, code=error.code, status=error.status)


# One that is there.


def _change(shop: Shop, content: ListingContent) -> ListingRef:
    """Change a listing. Of one with variations, the words stay the merchant's, and only the variation goes off sale."""
    listing_id = listing_of(content.ref)
    if ":" in content.ref.key:
        edit = Edit(content.ref, lambda offering: offering.update(is_enabled=content.is_available))
        for error in make_edits(shop, [edit]):
            raise error
        return content.ref
    standing = fields_in(shop.http.call("GET", f"{ROOT}/listings/{quote(listing_id, safe='')}"))
    told = {"title": content.title, "description": content.description}
    state = _next_state(str(standing.get("state")), content)
    changed = {name: text for name, text in told.items() if text and text != standing.get(name)}
    if state == ACTIVE and standing.get("state") == INACTIVE and not _has_stock(shop, listing_id):
        state = ""  # it comes back with its stock
    changed |= {"state": state} if state else {}
    if changed:
        patch(shop, listing_id, changed)
    return content.ref


def _next_state(state: str, content: ListingContent) -> str:
    """The state to ask for, "" where it may stay: what is sold out renews itself with the stock, and a draft needs a
    picture."""
    if not content.is_available:
        return INACTIVE if state == ACTIVE else ""
    is_ready = state == INACTIVE or (state == DRAFT and bool(content.attributes.get(IMAGES)))
    return ACTIVE if is_ready else ""


def _has_stock(shop: Shop, listing_id: str) -> bool:
    inventory = read_inventory(shop, listing_id)
    with understood():
        return inventory is not None and is_left(inventory_fields(inventory))


# A new one.


def _make(shop: Shop, content: ListingContent) -> ListingRef:
    """Make a draft, or take up the one that an earlier try left; then say what it is called, costs, and shows."""
    draft = _find_draft(shop, content)
    if draft is None:
        draft = fields_in(shop.http.call("POST", f"{shop.path}/listings", form=draft_fields(shop, content)))
    listing_id = str(draft.get("listing_id") or "")
    inventory = read_inventory(shop, listing_id) or {}
    told = inventory_fields(inventory)
    for product in told["products"]:
        product["sku"] = content.ref.sku
        if content.price is not None:
            product["offerings"][0]["price"] = content.price
    keep_a_unit(told, told)
    put_inventory(shop, listing_id, told)
    if content.is_available and _image_ids(content) and draft.get("state") == DRAFT:
        patch(shop, listing_id, {"state": ACTIVE})
    return ListingRef(key=listing_id, sku=content.ref.sku, ids={LISTING: listing_id})


def draft_fields(shop: Shop, content: ListingContent) -> dict[str, Any]:
    """A new listing as a form. Raises Rejected where something is missing. Etsy takes no quantity of zero here; the
    draft is not on sale, and the first stock level says how many there are."""
    if content.price is None or content.price <= Decimal(0):
        raise Rejected("Etsy takes no listing without a price")
    if not content.description:
        raise Rejected("Etsy takes no listing without a description")
    given = {name: str(content.attributes.get(name) or shop.settings.get(name) or "") for name in OFFERED}
    missing = [name for name in NEEDED if not given[name]]
    if missing:
        raise Rejected(f"Etsy takes no listing without: {', '.join(missing)}; enter them in the settings")
    told: dict[str, Any] = {
        "quantity": 1, "title": content.title, "description": content.description, "price": str(content.price),
        "type": "physical", **{name: value for name, value in given.items() if value},
    }  # fmt: skip
    return told | {f"{IMAGES}[{number}]": one for number, one in enumerate(_image_ids(content))}


def _image_ids(content: ListingContent) -> list[str]:
    told = content.attributes.get(IMAGES) or []
    return [str(one) for one in (told if isinstance(told, (list, tuple)) else str(told).split(","))]


def _find_draft(shop: Shop, content: ListingContent) -> Raw | None:
    """A draft that an earlier try made and of which the news was lost: with this SKU, or with these words and none."""
    for number in range(MOST_DRAFTS):
        params: Mapping[str, Any] = {
            "state": DRAFT, "limit": PAGE, "offset": number * PAGE, "includes": ["Inventory"],
        }  # fmt: skip
        count, raws = results(shop.http.call("GET", f"{shop.path}/listings", params=params))
        for raw in raws:
            skus = {record.ref.sku for record in listing_records(raw)}
            is_same = (raw.get("title"), raw.get("description")) == (content.title, content.description)
            if content.ref.sku in skus or (skus == {""} and is_same):
                return raw
        if (number + 1) * PAGE >= count or not raws:
            break
    return None
