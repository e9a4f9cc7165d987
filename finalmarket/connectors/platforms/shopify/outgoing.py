"""Shopify: what goes out: stock and prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from finalmarket.connectors.errors import NotSupported, Rejected
from finalmarket.connectors.platforms.shopify.entrance import raise_if_busy, refuse, user_errors
from finalmarket.connectors.platforms.shopify.incoming import Incoming
from finalmarket.connectors.platforms.shopify.words import KEY_TRIES, failed_before, gid, key_of, written
from finalmarket.connectors.records import PriceLevel, Raw, StockLevel

MOST_ITEMS = 250  # of any list in an input
NOT_STOCKED = "ITEM_NOT_STOCKED_AT_LOCATION"


class Outgoing(Incoming):
    """Pushes of numbers."""

    stock_batch_limit = MOST_ITEMS
    stale_codes = frozenset({"CHANGE_FROM_QUANTITY_STALE"})
    price_batch_limit = MOST_ITEMS

    # Stock.

    def push_stock(self, levels: Sequence[StockLevel]) -> Sequence[Rejected]:
        """See PushesStock. Shopify sets all of a call or nothing: what it names as wrong is left out, the rest is sent
        anew. A number that changed there since `shown` comes back refused with CHANGE_FROM_QUANTITY_STALE: ask, and
        push again."""
        _limit(levels, MOST_ITEMS)
        refused: list[Rejected] = []
        placed: list[tuple[StockLevel, str]] = []
        for level in levels:
            place = gid("Location", level.location) if level.location else self._only_location
            if not level.ref.ids.get("item"):
                refused.append(Rejected("Shopify's id of its inventory item is not known", key=level.ref.key))
            elif not place:
                refused.append(
                    Rejected(
                        "say at which of Shopify's locations its stock is told", key=level.ref.key, code="NO_LOCATION"
                    )
                )
            else:
                placed.append((level, place))
        return refused + self._set(placed)

    @cached_property
    def _only_location(self) -> str:
        """The location of the settings, or the only one of the shop; "" where it has several."""
        named = self.account.settings.get("location", "")
        if named:
            return gid("Location", named)
        return self.open_locations[0] if len(self.open_locations) == 1 else ""

    def _set(self, placed: Sequence[tuple[StockLevel, str]]) -> list[Rejected]:
        refused: list[Rejected] = []
        waiting = list(placed)
        while waiting:
            payload = self._try_to_set(waiting)
            errors = payload["userErrors"]
            if not errors:
                return refused
            by_index = _by_index(errors, "quantities", len(waiting))
            if not by_index:  # Shopify does not say which: each half by itself, to the last one
                if len(waiting) == 1:
                    return [*refused, *user_errors(payload, waiting[0][0].ref.key)[:1]]
                middle = len(waiting) // 2
                return [*refused, *self._set(waiting[:middle]), *self._set(waiting[middle:])]
            for index, error in by_index.items():
                level, place = waiting[index]
                refused += self._activate(level, place) if error.get("code") == NOT_STOCKED else _named(error, level)
            waiting = [one for index, one in enumerate(waiting) if index not in by_index]
        return refused

    def _try_to_set(self, waiting: Sequence[tuple[StockLevel, str]]) -> Raw:
        """One call; its key is of all that is in it, so that the same try is taken once and another one is another."""
        quantities = [
            {
                "inventoryItemId": level.ref.ids["item"], "locationId": place, "quantity": level.quantity,
                "changeFromQuantity": level.shown,
            }
            for level, place in waiting
        ]  # fmt: skip
        changes = [part for level, place in waiting for part in (level.key, place, level.quantity, level.shown)]
        asked = {"name": "available", "reason": "correction", "quantities": quantities}
        payload: Raw = {}
        for attempt in range(KEY_TRIES):
            key = key_of("stock", attempt, *changes)
            payload = self.change("SetStock", {"input": asked, "key": key}, repeatable=True)
            if not failed_before(payload):
                break
        raise_if_busy(payload)
        return payload

    def _activate(self, level: StockLevel, place: str) -> list[Rejected]:
        """Stock an item at a location where it never was, with its quantity."""
        asked = {
            "item": level.ref.ids["item"], "location": place, "available": level.quantity,
            "key": key_of("activate", level.key, place, level.quantity),
        }  # fmt: skip
        try:
            refuse(self.change("ActivateStock", asked, repeatable=True), level.ref.key)
        except Rejected as error:
            return [error]
        return []

    # Prices.

    def push_prices(self, levels: Sequence[PriceLevel]) -> Sequence[Rejected]:
        """See PushesPrices: the price in the shop's own currency, product by product."""
        _limit(levels, MOST_ITEMS)
        refused: list[Rejected] = []
        by_product: dict[str, list[PriceLevel]] = {}
        for level in levels:
            if level.currency != self.currency:
                reason = f"this shop has its prices in {self.currency}, not in {level.currency}"
                refused.append(Rejected(reason, key=level.ref.key, code="CURRENCY"))
            elif not level.ref.ids.get("product"):
                refused.append(Rejected("Shopify's id of its product is not known", key=level.ref.key))
            else:
                by_product.setdefault(level.ref.ids["product"], []).append(level)
        for product, of_product in by_product.items():
            refused += self._set_prices(product, of_product)
        return refused

    def _set_prices(self, product: str, levels: Sequence[PriceLevel]) -> list[Rejected]:
        variants = [{"id": level.ref.key, "price": written(level.amount)} for level in levels]
        payload = self.change("SetPrices", {"product": product, "variants": variants}, repeatable=True)
        by_index = _by_index(payload["userErrors"], "variants", len(levels))
        if payload["userErrors"] and not by_index:
            return [user_errors(payload, level.ref.key)[0] for level in levels]
        return [
            Rejected(str(error["message"]), key=levels[index].ref.key, code=str(error.get("code") or ""))
            for index, error in by_index.items()
        ]

    @cached_property
    def currency(self) -> str:
        """The shop's own currency, asked for once."""
        return str(self.ask("Check")["shop"]["currencyCode"])


def _limit(records: Sequence[object], most: int) -> None:
    if len(records) > most:
        raise NotSupported(f"Shopify takes at most {most} of these at once, not {len(records)}")


def _named(error: Raw, level: StockLevel) -> list[Rejected]:
    return [Rejected(str(error["message"]), key=level.ref.key, code=str(error.get("code") or ""))]


def _by_index(errors: Iterable[Raw], field: str, size: int) -> Mapping[int, Raw]:
    """The errors by the position in the list `field` of the input that they name; {} where one names none, for then
    nothing can be said of the others either."""
    found: dict[int, Raw] = {}
    for error in errors:
        path = [str(part) for part in error.get("field") or ()]
        index = path[path.index(field) + 1] if field in path and path.index(field) + 1 < len(path) else ""
        if not index.isdecimal() or int(index) >= size:
            return {}
        found.setdefault(int(index), error)
    return found
