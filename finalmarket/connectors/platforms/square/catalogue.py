"""What goes out to Square's catalogue: prices and listings.

An object is written whole and with its version: what we do not send is lost, what changed meanwhile is refused. So each
is read, changed and sent back; if it was outdated, once more.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from finalmarket.connectors.answers import fields_in
from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.money import to_minor
from finalmarket.connectors.platforms.square.calls import STALE, Located, errors_of, explain, items, name_of
from finalmarket.connectors.platforms.square.words import ONLY_VARIATION
from finalmarket.connectors.records import ListingContent, ListingRef, PriceLevel, Raw
from finalmarket.connectors.refusals import error_of

BUCKET = "catalogue"  # Square takes one change of a seller's catalogue at a time
TRIES = 2
# An outdated version, or one that a look at an older state does not show yet: worth a second look.
AGAIN = STALE | {"NOT_FOUND"}
WRITTEN_BY_SQUARE = {
    "": ("updated_at", "is_deleted", "created_at"),
    "item_data": ("description_plaintext", "channels", "ecom_uri", "ecom_image_uris"),
    "item_variation_data": ("ordinal",),
    "location_overrides": ("sold_out", "sold_out_valid_until"),
}
Object = dict[str, Any]


class Catalogue(Located):
    """Pushes of prices and listings."""

    price_batch_limit = 100
    listing_batch_limit = 25

    def push_prices(self, levels: Sequence[PriceLevel]) -> Sequence[Rejected]:
        """Set prices of variations (not what a location overrides). A price that stands there already is not sent."""
        refused: dict[str, Rejected] = {}
        waiting = {level.ref.key: level for level in levels}
        for _ in range(TRIES):
            errors = self._price(waiting)
            refused = {key: error for key, error in refused.items() if key not in waiting} | errors
            waiting = {key: waiting[key] for key, error in errors.items() if error.code in AGAIN}
            if not waiting:
                break
        return list(refused.values())

    def _price(self, levels: Mapping[str, PriceLevel]) -> dict[str, Rejected]:
        """Set these prices, by variation; those that were refused."""
        objects = self._objects(levels)
        changed: dict[str, Object] = {}
        refused: dict[str, Rejected] = {}
        for key, level in levels.items():
            try:
                priced = with_price(objects.get(key), level)
            except Rejected as error:
                refused[key] = error
                continue
            if priced is not None:
                changed[key] = priced
        for key, outcome in zip(changed, self._upsert(list(changed.values())), strict=True):
            if isinstance(outcome, Rejected):
                refused[key] = error_of(outcome, key)
        return refused

    def push_listings(self, contents: Sequence[ListingContent]) -> Sequence[ListingRef | Rejected]:
        """Make or change listings. One whose SKU stands there already is that one. New ones are sent one by one, each
        under its own key, so that none is made twice whatever becomes of the answer."""
        known = self._variations_by_sku([content.ref.sku for content in contents if not content.ref.ids])
        results: list[ListingRef | Rejected] = []
        for content in contents:
            found = known.get(content.ref.sku.lower(), []) if not content.ref.ids else []
            if content.ref.ids:
                results.append(self._change_listing(content, content.ref.key))
            elif len(found) > 1:
                reason = f"several variations there have the SKU {content.ref.sku}: link the right one"
                results.append(Rejected(reason, key=content.ref.key))
            else:
                results.append(self._change_listing(content, found[0]) if found else self._make(content))
            made = results[-1]
            if isinstance(made, ListingRef) and made.sku:
                known[made.sku.lower()] = [made.key]
        return results

    def _make(self, content: ListingContent) -> ListingRef | Rejected:
        try:
            fresh = new_item(content)
        except ValueError as error:
            return Rejected(str(error), key=content.ref.key)
        (made,) = self._upsert([fresh], name_of("new", content.key, content.ref.key))
        if isinstance(made, Rejected):
            return error_of(made, content.ref.key)
        variation = made["item_data"]["variations"][0]
        return ListingRef(key=str(variation["id"]), sku=content.ref.sku, ids={"item": str(made["id"])})

    def _change_listing(self, content: ListingContent, variation_id: str) -> ListingRef | Rejected:
        outcome = self._change_listing_once(content, variation_id)
        if isinstance(outcome, Rejected) and outcome.code in AGAIN:
            outcome = self._change_listing_once(content, variation_id)
        return error_of(outcome, content.ref.key) if isinstance(outcome, Rejected) else outcome

    def _change_listing_once(self, content: ListingContent, variation_id: str) -> ListingRef | Rejected:
        variation = self._objects([variation_id]).get(variation_id)
        item_id = str(((variation or {}).get("item_variation_data") or {}).get("item_id") or "")
        item = self._objects([item_id]).get(item_id) if item_id else None
        if item is None:
            return Rejected("Square has no such variation", code="NOT_FOUND")
        ref = ListingRef(key=variation_id, sku=content.ref.sku, ids={"item": item_id})
        try:
            told = with_content(item, variation_id, content)
        except ValueError as error:
            return Rejected(str(error))
        if told == without_what_square_writes(item):
            return ref
        (outcome,) = self._upsert([told])
        return outcome if isinstance(outcome, Rejected) else ref

    def _objects(self, ids: Iterable[str]) -> dict[str, Raw]:
        """Catalogue objects by id; what is deleted or unknown is left out."""
        wanted = list(ids)
        if not wanted:
            return {}
        body = {"object_ids": wanted, "include_related_objects": False}
        data = fields_in(self.http.call("POST", "/v2/catalog/batch-retrieve", json=body, repeatable=True))
        return {str(raw["id"]): raw for raw in items(data, "objects") if not raw.get("is_deleted")}

    def _variations_by_sku(self, skus: Sequence[str]) -> dict[str, list[str]]:
        """The ids of the variations that have one of these SKUs, by SKU in small letters (at most 250 a call)."""
        wanted = sorted({sku for sku in skus if sku})
        if not wanted:
            return {}
        body: dict[str, Any] = {
            "object_types": ["ITEM_VARIATION"], "limit": 1000,
            "query": {"set_query": {"attribute_name": "sku", "attribute_values": wanted}},
        }  # fmt: skip
        data = fields_in(self.http.call("POST", "/v2/catalog/search", json=body, repeatable=True))
        found: dict[str, list[str]] = {}
        for raw in items(data, "objects"):
            sku = str((raw.get("item_variation_data") or {}).get("sku") or "").lower()
            found.setdefault(sku, []).append(str(raw["id"]))
        return found

    def _upsert(self, objects: Sequence[Object], key: str = "") -> list[Object | Rejected]:
        """Write objects, each as a batch of its own so that one does not take others down; what became of each.

        The key is made of what is sent, versions included, unless one is given: sent again it counts once.
        """
        if not objects:
            return []
        name = key or name_of(*(json.dumps(one, sort_keys=True) for one in objects))
        body = {"idempotency_key": name, "batches": [{"objects": [one]} for one in objects]}
        try:
            data = fields_in(
                self.http.call("POST", "/v2/catalog/batch-upsert", json=body, repeatable=True, bucket=BUCKET)
            )  # fmt: skip
        except Rejected as refused:
            if len(objects) == 1:
                return [refused]
            half = len(objects) // 2
            return [*self._upsert(objects[:half]), *self._upsert(objects[half:])]
        names = {str(one.get("client_object_id")): str(one.get("object_id")) for one in items(data, "id_mappings")}
        written = {str(raw["id"]): dict(raw) for raw in items(data, "objects")}
        outcomes: list[Object | Rejected] = []
        for number, one in enumerate(objects):
            made = written.get(names.get(str(one["id"]), str(one["id"])))
            outcomes.append(made if made is not None else self._why(data, number))
        return outcomes

    def _why(self, data: Raw, number: int) -> Rejected:
        """Why a batch of the request was not taken: the error that names it, else the first one."""
        errors = errors_of(data)
        named = [error for error in errors if f"batches[{number}]" in str(error.get("field"))]
        code, words = explain((named or errors or [{"detail": "not written, and no reason given"}])[0])
        return Rejected(self.http.scrub(f"{code}: {words}"), code=code)


def with_price(raw: Raw | None, level: PriceLevel) -> Object | None:
    """The variation with this price; None where it has it. Raises Rejected."""
    if raw is None or raw.get("type") != "ITEM_VARIATION":
        raise Rejected("Square has no such variation", key=level.ref.key, code="NOT_FOUND")
    try:
        price = {"amount": to_minor(level.amount, level.currency), "currency": level.currency}
    except ValueError as error:
        raise Rejected(str(error), key=level.ref.key) from None
    data = raw["item_variation_data"]
    if data.get("price_money") == price and data.get("pricing_type", "FIXED_PRICING") == "FIXED_PRICING":
        return None
    changed = without_what_square_writes(raw)
    changed["item_variation_data"] |= {"price_money": price, "pricing_type": "FIXED_PRICING"}
    return changed


def new_item(content: ListingContent) -> Object:
    """An item with one variation. Raises ValueError for a price that its currency cannot hold."""
    data = {"item_id": "#item", "name": "Regular", "track_inventory": True, **variation_fields(content)}
    data.setdefault("pricing_type", "VARIABLE_PRICING")
    variation = {"type": "ITEM_VARIATION", "id": "#variation", "item_variation_data": data}
    about = {**item_fields(content), "is_archived": not content.is_available, "variations": [variation]}
    return {"type": "ITEM", "id": "#item", "item_data": about}


def with_content(item: Raw, variation_id: str, content: ListingContent) -> Object:
    """An item with what a listing is to say. The name of an item with several variations is the merchant's own, and
    one of them is taken off sale alone. Raises ValueError."""
    changed = without_what_square_writes(item)
    about = changed["item_data"]
    (data,) = [one["item_variation_data"] for one in about["variations"] if one["id"] == variation_id]
    data |= variation_fields(content)
    told = item_fields(content)
    if len(about["variations"]) > 1:
        if has_own_name(data):
            told.pop("name")
        if content.is_available != (data.get("sellable") is not False):
            data["sellable"] = content.is_available
    elif content.is_available == bool(about.get("is_archived")):
        about["is_archived"] = not content.is_available
    if "description_html" in told and content.description in (
        item["item_data"].get("description_plaintext"), item["item_data"].get("description"),
    ):  # fmt: skip
        told.pop("description_html")
    if "description_html" in told:
        about.pop("description", None)  # the same text in an older field, which would contradict
    about |= told
    return changed


def has_own_name(data: Mapping[str, Any]) -> bool:
    """Whether a variation is one of a choice."""
    return str(data.get("name") or "").lower() not in ("", ONLY_VARIATION)


def item_fields(content: ListingContent) -> Object:
    """What a listing says of the item."""
    text = content.description.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"name": content.title, **({"description_html": f"<p>{text}</p>"} if text else {})}


def variation_fields(content: ListingContent) -> Object:
    """What a listing says of its variation. Raises ValueError."""
    told: Object = {"sku": content.ref.sku} if content.ref.sku else {}
    if content.barcode:
        told["upc"] = content.barcode
    if content.price is not None:
        price = {"amount": to_minor(content.price, content.currency), "currency": content.currency}
        told |= {"price_money": price, "pricing_type": "FIXED_PRICING"}
    return told


def without_what_square_writes(raw: Raw) -> Object:
    """A copy of an object that may be sent back: without the fields that only Square writes."""
    changed: Object = copy.deepcopy(dict(raw))
    _strip(changed)
    return changed


def _strip(raw: Object) -> None:
    for name in WRITTEN_BY_SQUARE[""]:
        raw.pop(name, None)
    for part in ("item_data", "item_variation_data"):
        data = raw.get(part)
        if not isinstance(data, dict):
            continue
        for name in WRITTEN_BY_SQUARE[part]:
            data.pop(name, None)
        for override in data.get("location_overrides") or ():
            for name in WRITTEN_BY_SQUARE["location_overrides"]:
                override.pop(name, None)
        for variation in data.get("variations") or ():
            _strip(variation)
