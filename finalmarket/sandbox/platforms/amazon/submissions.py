"""What a submission makes of a listing: its words, what it is sent from, and its offers, each on its marketplace."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from finalmarket.sandbox.platforms.amazon.account import AMAZONS_CHANNEL, MAIN_SHOP, SHOPS, Shop

OWN_CHANNEL = "DEFAULT"
OFFER, AVAILABILITY = "purchasable_offer", "fulfillment_availability"


class Unfit(Exception):
    """A submission that is found invalid: its issues."""

    def __init__(self, code: str, message: str, attribute: str) -> None:
        super().__init__(message)
        category = "MISSING_ATTRIBUTE" if code == "90220" else "INVALID_ATTRIBUTE"
        self.code = code
        self.issue = {
            "code": code, "message": message, "severity": "ERROR", "attributeNames": [attribute],
            "categories": [category],
        }  # fmt: skip


def patched(one: Mapping[str, Any], patches: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The listing after these JSON patches, all or none. Raises Unfit."""
    changed = _copied(one)
    for patch in patches:
        path, op = str(patch.get("path", "")), patch.get("op")
        name = path.removeprefix("/attributes/")
        if name == path or op not in ("add", "replace", "merge", "delete"):
            raise Unfit("4000001", f"'{op} {path}' is no patch", path)
        if op == "delete":
            _remove(changed, name, _objects(name, patch.get("value")))
        else:
            _set(changed, name, _objects(name, patch.get("value")))
    return changed


def put(one: Mapping[str, Any], attributes: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The listing after all that it says on a marketplace was said anew: what is not said is no more. Raises Unfit."""
    changed = _copied(one)
    for name in one["attributes"]:
        _remove(changed, name, [{"marketplace_id": place}])
    changed["prices"].pop(place, None)
    changed |= {"channel": OWN_CHANNEL, "quantity": 0}
    for name, value in attributes.items():
        _set(changed, name, _objects(name, value))
    return changed


def _copied(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "attributes": dict(one["attributes"]), "prices": dict(one["prices"])}


def _objects(name: str, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise Unfit("90000900", f"'{name}' is no list of objects", name)
    return value


def _place(part: Mapping[str, Any]) -> str:
    return str(part.get("marketplace_id", MAIN_SHOP))


def _set(one: dict[str, Any], name: str, value: list[dict[str, Any]]) -> None:
    """Set what an attribute says on the marketplaces that are named; what it says on others stays."""
    if name == AVAILABILITY:
        _set_availability(one, value)
        return
    if name == OFFER:
        one["prices"] |= {_place(part): _price_of(part) for part in value}
        return
    if name == "item_name" and not all(part.get("value") for part in value or [{}]):
        raise Unfit("90220", "'[item_name]' is required but not supplied.", name)
    _remove(one, name, value)
    told = json.loads(json.dumps(value, default=str))
    one["attributes"][name] = [*one["attributes"].get(name, []), *told]
    if name == "item_name":
        titles = one["attributes"][name]
        one["title"] = str(next((part for part in titles if _place(part) == MAIN_SHOP), titles[0])["value"])


def _remove(one: dict[str, Any], name: str, selectors: list[dict[str, Any]]) -> None:
    """Take away what the selectors fit on: of an offer its marketplace and its currency, else the marketplace."""
    if name == OFFER:
        for part in selectors:
            if part.get("currency") == _shop_of(part).currency:
                one["prices"].pop(_place(part), None)
        return
    places = {_place(part) for part in selectors}
    rest = [part for part in one["attributes"].pop(name, []) if _place(part) not in places]
    if rest:
        one["attributes"][name] = rest


def _set_availability(one: dict[str, Any], value: list[dict[str, Any]]) -> None:
    for part in value:
        code = part.get("fulfillment_channel_code")
        quantity = part.get("quantity", 0 if code == AMAZONS_CHANNEL else None)
        if not code:
            raise Unfit("90220", "'[fulfillment_channel_code]' is required but not supplied.", AVAILABILITY)
        if isinstance(quantity, bool) or not isinstance(quantity, int) or quantity < 0:
            raise Unfit("99022", f"'{quantity}' is no quantity", AVAILABILITY)
        one["channel"], one["quantity"] = str(code), quantity


def _shop_of(part: Mapping[str, Any]) -> Shop:
    shop = SHOPS.get(_place(part))
    if shop is None:
        raise Unfit("99022", f"there is no marketplace '{_place(part)}'", OFFER)
    return shop


def _price_of(part: Mapping[str, Any]) -> str:
    """The consumer price of an offer, in the money of its marketplace."""
    shop = _shop_of(part)
    if part.get("currency", shop.currency) != shop.currency:
        raise Unfit("99022", f"'{part.get('currency')}' is not the currency of the marketplace", OFFER)
    try:
        amount = part["our_price"][0]["schedule"][0]["value_with_tax"]
    except (KeyError, IndexError, TypeError):
        raise Unfit("99022", "'our_price' does not have enough values.", OFFER) from None
    if isinstance(amount, (bool, str)) or amount <= 0:
        raise Unfit("99022", f"'{amount}' is no price", OFFER)
    return f"{Decimal(amount):.2f}"
