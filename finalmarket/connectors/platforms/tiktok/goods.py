"""What is on sale: one listing for each SKU of a product. Units and prices are set product by product."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from finalmarket.connectors.errors import Rejected, Unintelligible
from finalmarket.connectors.paging import READING_ERRORS, read_cursor, read_each, walk, write_cursor
from finalmarket.connectors.platforms.tiktok.doors import rows_in
from finalmarket.connectors.platforms.tiktok.orders import Shop, amount_in
from finalmarket.connectors.records import ListingRecord, ListingRef, Page, PriceLevel, Raw, StockLevel, StockRecord
from finalmarket.connectors.refusals import error_of, try_each

PAGE = 100
BATCH = 100
MOST_UNITS = 99_999
PRODUCT = "product"  # the name of a product among the ids of a listing
Level = TypeVar("Level", StockLevel, PriceLevel)


def pull_listings(shop: Shop, cursor: str) -> Iterator[Page[ListingRecord]]:
    """All SKUs, page by page of their products."""

    def fetch(at: str) -> Page[ListingRecord]:
        token = str(read_cursor(at).get("token", ""))
        more = {"page_token": token} if token else {}
        data = shop.ask("/product/202502/products/search", {}, page_size=str(PAGE), **more)
        following = str(data.get("next_page_token") or "")
        pairs = [{"product": product, "sku": sku} for product in rows_in(data, "products") for sku in _skus(product)]
        records, unreadable = read_each(pairs, _listing, lambda pair: pair["sku"]["id"])
        return Page(records, write_cursor(token=following or token), is_last=not following, unreadable=unreadable)

    return walk(fetch, cursor)


def _skus(product: Raw) -> list[Any]:
    skus = product.get("skus")
    return skus if isinstance(skus, list) else []


def _listing(pair: Raw) -> ListingRecord:
    product, sku = pair["product"], pair["sku"]
    price, number = sku["price"], str(sku.get("seller_sku") or "")
    shown = "sale_price" if price.get("sale_price") else "tax_exclusive_price"
    return ListingRecord(
        ref=ListingRef(key=str(sku["id"]), sku=number, ids={PRODUCT: str(product["id"])}),
        title=str(product["title"]), price=amount_in(price, shown), currency=str(price["currency"]).upper(),
        is_available=product.get("status") == "ACTIVATE", raw=product,
    )  # fmt: skip


def pull_stock(shop: Shop, refs: Sequence[ListingRef], location: str) -> list[StockRecord]:
    """The units of these SKUs, in that warehouse or in all together."""
    found = []
    for sku in _inventory(shop, refs).values():
        rows = rows_in(sku, "warehouse_inventory")
        houses = {str(one.get("warehouse_id")): one.get("available_quantity") for one in rows}
        units = houses.get(location) if location else sku.get("total_available_quantity")
        if isinstance(units, int) and not isinstance(units, bool):
            number = str(sku.get("seller_sku") or "")
            found.append(StockRecord(key=str(sku["id"]), quantity=units, location=location, sku=number))
    return found


def _inventory(shop: Shop, refs: Sequence[ListingRef]) -> dict[str, Raw]:
    data = shop.ask("/product/202309/inventory/search", {"sku_ids": [ref.key for ref in refs]})
    wanted = {ref.key for ref in refs}
    skus = [sku for product in rows_in(data, "inventory") for sku in rows_in(product, "skus")]
    return {str(sku["id"]): sku for sku in skus if sku.get("id") in wanted}


def push_stock(shop: Shop, levels: Sequence[StockLevel]) -> list[Rejected]:
    """Set units. TikTok wants every warehouse of a SKU named: those that are not ours to set keep what they show."""
    known = _inventory(shop, [level.ref for level in levels])
    tried = try_each(
        levels, lambda level: (level, _inventory_of(level, known.get(level.ref.key))), lambda level: level.ref.key
    )
    refused = [one for one in tried if isinstance(one, Rejected)]
    told = [one for one in tried if not isinstance(one, Rejected)]
    path = "/product/202309/products/{}/inventory/update"
    return refused + _by_product(told, lambda product, skus: shop.ask(path.format(product), {"skus": skus}))


def _inventory_of(level: StockLevel, sku: Raw | None) -> Raw:
    if sku is None:
        raise Rejected("TikTok has no such SKU in this shop", key=level.ref.key)
    units = min(max(0, level.quantity), MOST_UNITS)
    houses = {
        str(one.get("warehouse_id")): int(one.get("available_quantity") or 0)
        for one in rows_in(sku, "warehouse_inventory")
    }
    if not level.location and len(houses) > 1:
        raise Rejected("this SKU lies in several warehouses: link the location to one of them", key=level.ref.key)
    if level.location and level.location not in houses:
        raise Rejected(f"this SKU does not lie in the warehouse {level.location}", key=level.ref.key)
    mine = level.location or next(iter(houses), "")
    if not mine:
        raise Rejected("this SKU lies in no warehouse", key=level.ref.key)
    shown = [{"warehouse_id": name, "quantity": units if name == mine else there} for name, there in houses.items()]
    return {"id": level.ref.key, "inventory": shown}


def push_prices(shop: Shop, levels: Sequence[PriceLevel]) -> list[Rejected]:
    """Set the prices that buyers see before discounts."""
    told = [(level, {"id": level.ref.key, "price": _price_of(shop, level)}) for level in levels]
    path = "/product/202309/products/{}/prices/update"
    return _by_product(told, lambda product, skus: shop.ask(path.format(product), {"skus": skus}))


def _price_of(shop: Shop, level: PriceLevel) -> Raw:
    """A price in TikTok's words. Of a shop that sells from another country, `amount` is the price before tax and
    shipping, and `sale_price` the one that is shown: it decides, and the other is ignored beside it."""
    amount = f"{level.amount:f}"
    price = {"amount": amount, "currency": level.currency.upper()}
    return {**price, "sale_price": amount} if shop.is_cross_border else price


def _by_product(told: Sequence[tuple[Level, Raw]], send: Callable[[str, Sequence[Raw]], Raw]) -> list[Rejected]:
    """Tell each product its SKUs; where TikTok refuses them together, each alone."""
    products: dict[str, list[tuple[Level, Raw]]] = {}
    for level, sku in told:
        products.setdefault(level.ref.ids.get(PRODUCT, ""), []).append((level, sku))
    refused = []
    for product, inside in products.items():
        refused += _send(quote(product, safe="") or "0", inside, send)
    return refused


def _send(
    product: str, inside: Sequence[tuple[Level, Raw]], send: Callable[[str, Sequence[Raw]], Raw]
) -> list[Rejected]:
    try:
        data = send(product, [sku for _, sku in inside])
    except Rejected as error:
        if len(inside) == 1:
            return [error_of(error, inside[0][0].ref.key)]
        return [fault for one in inside for fault in _send(product, [one], send)]
    refused, names = [], {level.ref.key for level, _ in inside}
    for fault in rows_in(data, "errors"):
        try:
            name, words = str(fault["detail"]["sku_id"]), str(fault.get("message") or "TikTok does not take it")
        except READING_ERRORS:
            raise Unintelligible("TikTok does not say which SKU it refuses") from None
        if name in names:
            refused.append(Rejected(words, key=name, code=str(fault.get("code") or "")))
    return refused
