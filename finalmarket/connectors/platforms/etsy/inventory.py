"""Listings, their products (one, or one for each variation), and the numbers of these: quantity and price.

Etsy replaces all products of a listing at once. So an inventory is read, changed in the place that is meant, and told
again; what is sold of another variation in between is set right by the next number for it.

Etsy takes no inventory without a unit. So a listing of which nothing is left keeps a single one and goes off sale,
where that is read as none; when there is stock again, it comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from finalmarket.connectors.answers import fields_in, if_there
from finalmarket.connectors.errors import Rejected, RetryLater, Unintelligible
from finalmarket.connectors.paging import READING_ERRORS, in_parts, read_cursor, read_each, walk, write_cursor
from finalmarket.connectors.platforms.etsy.shop import PAGE, ROOT, Shop, money, results
from finalmarket.connectors.records import (
    ListingRecord,
    ListingRef,
    Page,
    PriceLevel,
    Raw,
    StockLevel,
    StockRecord,
)
from finalmarket.connectors.refusals import error_of, tell_each

LISTING = "listing"
ACTIVE, INACTIVE, DRAFT, SOLD_OUT = "active", "inactive", "draft", "sold_out"
STATES = (ACTIVE, INACTIVE, SOLD_OUT, DRAFT, "expired")
KEEPING_A_UNIT = (INACTIVE, DRAFT)  # states in which a single unit stands for none
# Which variations may differ in what: the names of the lists, and of what differs.
ON_PROPERTY: Mapping[str, str] = {
    "price_on_property": "price", "quantity_on_property": "quantity", "sku_on_property": "sku",
    "readiness_state_on_property": "readiness_state_id",
}  # fmt: skip
VALUE_FIELDS = ("property_id", "value_ids", "scale_id", "property_name", "values")
BATCH = 20  # listings at a call for numbers: each takes two calls
Change = Callable[[dict[str, Any]], None]


def key_of(listing_id: object, values: Sequence[Raw]) -> str:
    """What a product is called: its listing, and for a variation the values that make it. Product ids and SKUs may
    change with every edit."""
    chosen = sorted((int(one["property_id"]), *sorted(map(int, one.get("value_ids") or []))) for one in values)
    picked = "-".join(str(number) for one in chosen for number in one[1:])
    return f"{listing_id}:{picked}" if picked else str(listing_id)


def listing_of(ref: ListingRef) -> str:
    """The listing that a product belongs to."""
    return ref.ids.get(LISTING) or ref.key.partition(":")[0]


# What comes in.


def pull_listings(shop: Shop, cursor: str) -> Iterator[Page[ListingRecord]]:
    """See PullsListings: every state of listings, one after the other."""
    yield from walk(lambda at: _page(shop, at), cursor)


def _page(shop: Shop, cursor: str) -> Page[ListingRecord]:
    at = read_cursor(cursor)
    number, offset = int(at.get("state") or 0), int(at.get("offset") or 0)
    while True:
        count, raws = _listings(shop, STATES[number], offset)
        first, last = (str(raws[place].get("listing_id")) if raws else "" for place in (0, -1))
        if first and first == at.get("first"):
            raise Unintelligible("Etsy gave the same page a second time; going on would never end")
        # Where the last page's end comes again, the list has moved on by one meanwhile.
        end = offset + len(raws) - (first == at.get("last") != "")
        following = (number, end) if raws and end < count else (number + 1, 0)
        is_last = following[0] == len(STATES)
        if raws or is_last:
            break
        number, offset = following
    found = [read_each([raw], listing_records, lambda raw: raw["listing_id"]) for raw in raws]
    records = tuple(record for listings, _ in found for listing in listings for record in listing)
    unreadable = tuple(one for _, bad in found for one in bad)
    if is_last:
        return Page(records, "", is_last=True, unreadable=unreadable)
    onward = write_cursor(state=following[0], offset=following[1], first=first, last=last)
    return Page(records, onward, unreadable=unreadable)


def _listings(shop: Shop, state: str, offset: int) -> tuple[int, list[Raw]]:
    params = {"state": state, "limit": PAGE, "offset": offset, "includes": ["Inventory"]}
    return results(shop.http.call("GET", f"{shop.path}/listings", params=params))


def listing_records(raw: Raw) -> tuple[ListingRecord, ...]:
    """The products of a listing. Raises KeyError, TypeError or ValueError where it cannot be read."""
    return tuple(_listing_record(raw, product) for product in _standing(raw.get("inventory") or {}))


def _listing_record(raw: Raw, product: Raw) -> ListingRecord:
    values = product.get("property_values") or []
    offering = offering_of(product)
    named = {str(one.get("property_name") or one["property_id"]): ", ".join(one.get("values") or []) for one in values}
    price = offering.get("price") or raw["price"]
    return ListingRecord(
        ref=ListingRef(
            key=key_of(raw["listing_id"], values), sku=product.get("sku") or "", ids={LISTING: str(raw["listing_id"])}
        ),
        title=" ".join([raw["title"], *named.values()]), description=raw.get("description") or "", price=money(price),
        currency=price["currency_code"], attributes=named,
        is_available=raw.get("state") in (ACTIVE, SOLD_OUT) and offering.get("is_enabled") is not False,
        raw={**raw, "inventory": product},
    )  # fmt: skip


def _standing(inventory: Raw) -> list[Raw]:
    """The products of an inventory that were not deleted."""
    return [one for one in inventory.get("products") or [] if not one.get("is_deleted")]


def offering_of(product: Raw) -> Raw:
    """The offering of a product: Etsy has one of each."""
    return next((one for one in product.get("offerings") or [] if not one.get("is_deleted")), {})


def pull_stock(shop: Shop, refs: Sequence[ListingRef]) -> Sequence[StockRecord]:
    """See PullsStock."""
    wanted = list(dict.fromkeys(listing_of(ref) for ref in refs))
    shown: dict[str, int] = {}
    for listing_id, inventory in _inventories(shop, wanted).items():
        is_emptied = _is_emptied(inventory)
        for product in _standing(inventory):
            quantity = offering_of(product).get("quantity")
            if quantity is not None:
                units = _units(quantity, is_emptied=is_emptied)
                shown[key_of(listing_id, product.get("property_values") or [])] = units
    return [StockRecord(key=ref.key, sku=ref.sku, quantity=shown[ref.key]) for ref in refs if ref.key in shown]


def _inventories(shop: Shop, listing_ids: Sequence[str]) -> dict[str, Raw]:
    """The inventories of these listings. One call tells of a hundred, but of none where one is missing: then, and for
    what it left out, each is asked for alone."""
    found: dict[str, Raw] = {}
    for some in in_parts(listing_ids, PAGE):
        asking = partial(shop.http.call, "GET", f"{ROOT}/listings/batch/inventory", params={"listing_ids": list(some)})
        answer = if_there(asking)
        _, raws = (0, []) if answer is None else results(answer)
        found |= {str(raw.get("listing_id")): {**(raw.get("inventory") or {}), "listing": raw} for raw in raws}
    for listing_id in listing_ids:
        if listing_id not in found:
            inventory = read_inventory(shop, listing_id)
            if inventory is not None:
                found[listing_id] = inventory
    return found


def read_inventory(shop: Shop, listing_id: str) -> Raw | None:
    """The inventory of a listing, and the listing; None where there is none."""
    path = f"{ROOT}/listings/{quote(listing_id, safe='')}/inventory"
    return if_there(lambda: fields_in(shop.http.call("GET", path, params={"includes": "Listing"})))


def _state_of(inventory: Raw) -> str:
    """The state of the listing that an inventory is of; it counts as on sale where Etsy does not say."""
    return str((inventory.get("listing") or {}).get("state") or ACTIVE)


def _is_emptied(inventory: Raw) -> bool:
    """Whether the single unit of a listing that is off sale stands for none."""
    if _state_of(inventory) not in KEEPING_A_UNIT:
        return False
    offerings = [offering_of(product) for product in _standing(inventory)]
    return sum(int(one.get("quantity") or 0) for one in offerings if one.get("is_enabled") is not False) <= 1


def _units(quantity: Any, *, is_emptied: bool) -> int:
    units = int(quantity)
    return 0 if is_emptied and units == 1 else units


def is_left(told: Mapping[str, Any]) -> bool:
    """Whether something that may be sold is left in an inventory as it is told."""
    offerings = [product["offerings"][0] for product in told["products"]]
    return any(one["is_enabled"] and one["quantity"] > 0 for one in offerings)


# Numbers that go out.


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to change about one product's offering."""

    ref: ListingRef
    change: Change


def push_stock(shop: Shop, levels: Sequence[StockLevel]) -> Sequence[Rejected]:
    """See PushesStock."""

    def edit(level: StockLevel) -> Edit:
        return Edit(level.ref, lambda offering: offering.update(quantity=level.quantity))

    return make_edits(shop, [edit(level) for level in levels])


def push_prices(shop: Shop, levels: Sequence[PriceLevel]) -> Sequence[Rejected]:
    """See PushesPrices. A shop has one currency: a price of another one is refused."""
    return make_edits(shop, [Edit(level.ref, _repricing(level)) for level in levels])


def _repricing(level: PriceLevel) -> Change:
    def change(offering: dict[str, Any]) -> None:
        if offering.get("currency", level.currency) != level.currency:
            raise Rejected(f"the shop sells in {offering['currency']}, not in {level.currency}", key=level.ref.key)
        offering["price"] = level.amount

    return change


def make_edits(shop: Shop, edits: Sequence[Edit]) -> Sequence[Rejected]:
    """Change offerings, all of one listing by one call; those that were refused, by their keys."""
    of_listing: dict[str, list[Edit]] = {}
    for edit in edits:
        of_listing.setdefault(listing_of(edit.ref), []).append(edit)
    return [error for listing_id, some in of_listing.items() for error in _edit_listing(shop, listing_id, some)]


def _edit_listing(shop: Shop, listing_id: str, edits: Sequence[Edit]) -> list[Rejected]:
    try:
        inventory = read_inventory(shop, listing_id)
        if inventory is None:
            return [Rejected(f"Etsy knows no listing {listing_id}", key=one.ref.key, status=404) for one in edits]
        told = inventory_fields(inventory)
    except Rejected as error:
        return [error_of(error, one.ref.key) for one in edits]
    except READING_ERRORS as error:
        raise Unintelligible(f"an inventory of Etsy's cannot be read: {type(error).__name__} {error}") from None
    offerings = {key_of(listing_id, one["property_values"]): one["offerings"][0] for one in told["products"]}

    def change(one: Edit) -> None:
        if one.ref.key not in offerings:
            raise Rejected(f"listing {listing_id} has no such variation", status=404)
        one.change(offerings[one.ref.key])

    refused = tell_each(edits, change, lambda one: one.ref.key)
    done = {error.key for error in refused}
    changed = [one for one in edits if one.ref.key not in done]
    if changed:
        try:
            _tell(shop, listing_id, inventory, told)
        except Rejected as error:
            refused += [error_of(error, one.ref.key) for one in changed]
    return refused


def _tell(shop: Shop, listing_id: str, inventory: Raw, told: Mapping[str, Any]) -> None:
    """Tell a changed inventory. A listing of which nothing is left goes off sale, and comes back with the stock. Of one
    that was sold out Etsy sets the quantity to one at that, so the inventory is told afterwards."""
    before, state = inventory_fields(inventory), _state_of(inventory)
    if is_left(told):
        if _comes_back(shop, state, was_left=is_left(before)):
            patch(shop, listing_id, {"state": ACTIVE})
        put_inventory(shop, listing_id, told)
    elif state != SOLD_OUT:
        keep_a_unit(told, before)
        _tell_the_last(shop, listing_id, state, told)
    elif told != before:
        put_inventory(shop, listing_id, told)


def _comes_back(shop: Shop, state: str, *, was_left: bool) -> bool:
    """Whether a listing that has stock goes on sale with it. One that was taken off with its stock stays off."""
    if state == SOLD_OUT:
        return shop.settings.get("renew") != "no"
    return state == INACTIVE and not was_left


def _tell_the_last(shop: Shop, listing_id: str, state: str, told: Mapping[str, Any]) -> None:
    """Tell an inventory of which nothing is left, then take its listing off sale, even if Etsy refused the inventory.
    In this order: should the second call fail, the next number for the listing finds it on sale and puts it right."""
    try:
        put_inventory(shop, listing_id, told)
    except Rejected:
        if state == ACTIVE:
            patch(shop, listing_id, {"state": INACTIVE})
        raise
    if state == ACTIVE:
        patch(shop, listing_id, {"state": INACTIVE})


def keep_a_unit(told: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """Leave one unit in an inventory of which nothing is left, where there were most: Etsy takes it not otherwise."""
    both = zip(told["products"], before["products"], strict=True)
    pairs = [(product["offerings"][0], was["offerings"][0]) for product, was in both]
    if pairs and not is_left(told):
        kept, _ = max(pairs, key=lambda pair: (pair[0]["is_enabled"], pair[1]["quantity"]))
        kept["quantity"] = max(1, kept["quantity"])


def inventory_fields(inventory: Raw) -> dict[str, Any]:
    """An inventory as it is told again: without what Etsy adds to it. Each offering bears its `currency` for those who
    change it; it is left out when it is sent."""
    is_emptied = _is_emptied(inventory)
    products = [_product_fields(product, is_emptied=is_emptied) for product in _standing(inventory)]
    told: dict[str, Any] = {"products": products}
    return told | {name: inventory.get(name) or [] for name in ON_PROPERTY}


def _product_fields(product: Raw, *, is_emptied: bool) -> dict[str, Any]:
    values = product.get("property_values") or []
    return {
        "sku": product.get("sku") or "",
        "property_values": [{name: one[name] for name in VALUE_FIELDS if one.get(name) is not None} for one in values],
        "offerings": [
            {
                "price": money(one["price"]), "quantity": _units(one["quantity"], is_emptied=is_emptied),
                "is_enabled": bool(one.get("is_enabled", True)), "readiness_state_id": one.get("readiness_state_id"),
                "currency": one["price"]["currency_code"],
            }
            for one in [offering_of(product)]
        ],
    }  # fmt: skip


def put_inventory(shop: Shop, listing_id: str, told: Mapping[str, Any]) -> None:
    """Replace all products of a listing. Raises RetryLater where somebody else changes it at this moment."""
    products = [
        {**product, "offerings": [{k: v for k, v in one.items() if k != "currency"} for one in product["offerings"]]}
        for product in told["products"]
    ]
    body = {**told, "products": products, **_differences(told)}
    try:
        shop.http.call("PUT", f"{ROOT}/listings/{quote(listing_id, safe='')}/inventory", exact=body, repeatable=True)
    except Rejected as error:
        if error.status != 409:
            raise
        raise RetryLater(error.reason, status=409) from None


def _differences(told: Mapping[str, Any]) -> dict[str, list[int]]:
    """Which properties may differ in what: those that Etsy named, or all where the numbers need it."""
    everything = sorted({one["property_id"] for product in told["products"] for one in product["property_values"]})
    found: dict[str, list[int]] = {}
    for name, field in ON_PROPERTY.items():
        named = [*(told.get(name) or [])]
        seen: dict[tuple[str, ...], set[object]] = {}
        for product in told["products"]:
            group = tuple(str(one) for one in product["property_values"] if one["property_id"] in named)
            seen.setdefault(group, set()).add({**product, **product["offerings"][0]}[field])
        found[name] = everything if any(len(values) > 1 for values in seen.values()) else named
    return found


def patch(shop: Shop, listing_id: str, told: Mapping[str, Any]) -> Raw:
    """Change the words or the state of a listing."""
    path = f"{shop.path}/listings/{quote(listing_id, safe='')}"
    return fields_in(shop.http.call("PATCH", path, form=told, repeatable=True))
