"""Orders come in, each article of a line for itself, as TikTok counts them; parcels and cancellations go out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

from finalmarket.connectors.answers import if_there
from finalmarket.connectors.errors import Rejected, Unintelligible
from finalmarket.connectors.moments import from_seconds
from finalmarket.connectors.paging import MOST_PAGES, all_rows, read_cursor, read_each, read_one, walk, write_cursor
from finalmarket.connectors.platforms.tiktok.doors import Call, data_of, rows_in
from finalmarket.connectors.records import (
    ZERO,
    Address,
    FulfilmentNotice,
    FulfilmentRecord,
    OrderLine,
    OrderRecord,
    Page,
    Raw,
    RefundRecord,
    Tender,
)
from finalmarket.kernel import clock

PAGE = 50
LATE = timedelta(minutes=2)
STATES = frozenset(
    {
        "UNPAID", "ON_HOLD", "AWAITING_SHIPMENT", "PARTIALLY_SHIPPING", "AWAITING_COLLECTION", "IN_TRANSIT",
        "DELIVERED", "COMPLETED", "CANCELLED",
    }
)  # fmt: skip
NOT_OF_THIS_SELLER = "21008111"
REFUNDED = "RETURN_OR_REFUND_REQUEST_COMPLETE"
FEES = (
    "small_order_fee", "retail_delivery_fee", "buyer_service_fee", "handling_fee", "shipping_insurance_fee",
    "item_insurance_fee",
)  # fmt: skip
Refunds = Mapping[str, tuple[RefundRecord, ...]]


@dataclass(frozen=True, slots=True)
class Shop:
    """The way to one shop: calls, and the query parameter that names it; and whether it sells from another country."""

    call: Call
    named: Mapping[str, str]
    is_cross_border: bool = False

    def get(self, path: str, **params: str) -> Raw:
        """The data of a read."""
        return data_of(self.call("GET", path, params={**self.named, **params}))

    def ask(self, path: str, body: Raw, **params: str) -> Raw:
        """The data of a read that is a POST, or of a write that does no harm twice."""
        return data_of(self.call("POST", path, params={**self.named, **params}, json=body, repeatable=True))


# In.


def pull_orders(shop: Shop, cursor: str, since: datetime | None) -> Iterator[Page[OrderRecord]]:
    """Orders by the second of their last change. A cursor is that second: page tokens are used within one second only,
    for what changes meanwhile would shift what they point at."""
    begin = int(since.timestamp()) if since else 0

    def fetch(at: str) -> Page[OrderRecord]:
        start = int(read_cursor(at).get("at") or begin)
        rows, is_last = _changed(shop, start)
        last = max((_second(row, start) for row in rows), default=start)
        if is_last:
            after = min(last, int((clock.now() - LATE).timestamp()))
        else:
            after, rows = last, [row for row in rows if _second(row, start) < last]
        refunds = refunds_of(shop, [str(row["id"]) for row in rows if isinstance(row.get("id"), str)])
        records, unreadable = read_each(rows, lambda raw: order_of(raw, refunds), lambda raw: raw["id"])
        return Page(records, write_cursor(at=after), is_last=is_last, unreadable=unreadable)

    return walk(fetch, cursor)


def _changed(shop: Shop, start: int) -> tuple[list[Raw], bool]:
    """Orders changed from that second on, of more than one second where there are more; whether these are all."""
    rows: list[Raw] = []
    token, seen = "", {""}
    asked = {"page_size": str(PAGE), "sort_field": "update_time", "sort_order": "ASC"}
    for _ in range(MOST_PAGES):
        body = {"update_time_ge": start} if start else {}
        more = {"page_token": token} if token else {}
        data = shop.ask("/order/202309/orders/search", body, **asked, **more)
        rows += rows_in(data, "orders")
        token = str(data.get("next_page_token") or "")
        if not token:
            return rows, True
        if len({_second(row, start) for row in rows}) > 1:
            return rows, False
        if token in seen:
            break
        seen.add(token)
    raise Unintelligible("TikTok gave the same page token a second time; going on would never end")


def _second(row: Raw, otherwise: int) -> int:
    at = row.get("update_time")
    return at if isinstance(at, int) and not isinstance(at, bool) else otherwise


def pull_order(shop: Shop, name: str) -> OrderRecord | None:
    """One order; None where the shop has none of that id."""
    raw = raw_order(shop, name)
    if raw is None:
        return None
    refunds = refunds_of(shop, [name])
    return read_one(raw, lambda told: order_of(told, refunds))


def raw_order(shop: Shop, name: str) -> Raw | None:
    """An order in TikTok's words; None where the shop has none of that id."""
    rows = if_there(lambda: rows_in(shop.get("/order/202507/orders", ids=name), "orders"), NOT_OF_THIS_SELLER)
    return next((row for row in rows or () if row.get("id") == name), None)


def refunds_of(shop: Shop, names: Sequence[str]) -> Refunds:
    """The money that went back for these orders, by order."""
    wanted = {"order_ids": list(names), "return_status": [REFUNDED]}

    def fetch(token: str) -> tuple[list[Raw], str]:
        more = {"page_token": token} if token else {}
        data = shop.ask("/return_refund/202309/returns/search", wanted, page_size=str(PAGE), **more)
        return rows_in(data, "return_orders"), str(data.get("next_page_token") or "")

    found: dict[str, dict[str, RefundRecord]] = {}
    for row in all_rows(fetch) if names else ():
        if row.get("return_status") == REFUNDED:
            refund = read_one(row, _refund)
            found.setdefault(str(row.get("order_id")), {})[refund.external_id] = refund
    return {name: tuple(each.values()) for name, each in found.items()}


def _refund(raw: Raw) -> RefundRecord:
    return RefundRecord(
        external_id=str(raw["return_id"]), amount=amount_in(raw["refund_amount"], "refund_total"),
        reason=str(raw.get("return_reason_text") or raw.get("return_reason") or ""),
    )  # fmt: skip


def order_of(raw: Raw, refunds: Refunds) -> OrderRecord:
    """An order as it stands there. Tax stands beside the prices where TikTok names a tax (United States, goods from
    abroad), else within them."""
    payment, state, at = raw["payment"], str(raw["status"]), from_seconds(raw["update_time"])
    if not isinstance(raw["id"], str):
        raise ValueError("the order's id is no text")
    tax, total = amount_in(payment, "tax"), amount_in(payment, "total_amount")
    items, home = raw["line_items"], _address(raw.get("recipient_address") or {})
    paid = "pending" if state == "UNPAID" else "captured"
    return OrderRecord(
        external_id=raw["id"], number=raw["id"], version=at.isoformat(), updated_at=at,
        placed_at=from_seconds(raw["create_time"]), currency=str(payment["currency"]).upper(),
        lines=(*map(_line, items), *_extras(payment)), is_cancelled=state == "CANCELLED",
        place=str(raw.get("commerce_platform") or ""), location=str(raw.get("warehouse_id") or ""),
        tenders=(Tender(external_id=f"{raw['id']}-payment", tender="platform", amount=total, state=paid),),
        refunds=refunds.get(raw["id"], ()), fulfilments=_parcels(items), customer_id=str(raw.get("user_id") or ""),
        email=str(raw.get("buyer_email") or ""), shipping_address=home, name=home.name, phone=home.phone,
        tax_included=tax == ZERO, tax=tax or None, total=total, unknown=() if state in STATES else (state,), raw=raw,
    )  # fmt: skip


def amount_in(told: Raw, name: str) -> Decimal:
    """The amount of that name, nothing where it is left out."""
    exact = Decimal(str(told.get(name) or "0"))
    if not exact.is_finite():
        raise ValueError(f"{told[name]!r} is no amount")
    return exact


def _line(raw: Raw) -> OrderLine:
    price, sold = amount_in(raw, "original_price"), amount_in(raw, "sale_price")
    taxes = raw.get("item_tax")
    return OrderLine(
        external_id=str(raw["id"]), sku=str(raw.get("seller_sku") or ""), listing_id=str(raw["sku_id"]),
        title=" ".join(filter(None, (str(raw.get("product_name") or ""), str(raw.get("sku_name") or "")))),
        unit_price=max(price, sold), discount=max(price, sold) - sold,
        tax=sum((amount_in(one, "tax_amount") for one in taxes), ZERO) if taxes else None,
        cancelled_quantity=1 if raw.get("display_status") == "CANCELLED" else 0,
    )  # fmt: skip


def _extras(payment: Raw) -> Iterator[OrderLine]:
    """Postage and fees that the buyer pays."""
    for name in ("shipping_fee", *FEES):
        amount = amount_in(payment, name)
        if amount:
            kind = "shipping" if name == "shipping_fee" else "fee"
            yield OrderLine(external_id=name, title=name.replace("_", " "), kind=kind, unit_price=amount)


def _parcels(items: Sequence[Raw]) -> tuple[FulfilmentRecord, ...]:
    """The parcels that have a tracking number; an article is in one at most."""
    found: dict[str, list[Raw]] = {}
    for item in items:
        if item.get("tracking_number") and item.get("package_id"):
            found.setdefault(str(item["package_id"]), []).append(item)
    return tuple(
        FulfilmentRecord(
            external_id=name, lines=tuple((str(item["id"]), 1) for item in inside),
            carrier=str(inside[0].get("shipping_provider_name") or ""),
            tracking_number=str(inside[0]["tracking_number"]),
        )
        for name, inside in found.items()
    )  # fmt: skip


def _address(told: Raw) -> Address:
    districts = told.get("district_info") or []
    levels = {str(one.get("address_level")): str(one.get("address_name") or "") for one in districts}
    return Address(
        name=str(told.get("name") or ""), phone=str(told.get("phone_number") or ""),
        street=str(told.get("address_line1") or told.get("address_detail") or ""),
        street2=str(told.get("address_line2") or ""), postcode=str(told.get("postal_code") or ""),
        city=str(told.get("post_town") or levels.get("L3") or levels.get("L2") or ""), region=levels.get("L1", ""),
        country=str(told.get("region_code") or ""),
    )  # fmt: skip


# Out.


def push_fulfilment(shop: Shop, notice: FulfilmentNotice) -> str:
    """Tell of a parcel; what was told already is seen in the order, so that it counts once."""
    raw = raw_order(shop, notice.order_id)
    if raw is None:
        raise Rejected("TikTok has no such order in this shop", key=notice.key)
    wanted = {line for line, _ in notice.lines}
    for parcel in _parcels(raw.get("line_items") or []):
        if parcel.tracking_number == notice.tracking_number and wanted <= {line for line, _ in parcel.lines}:
            return parcel.external_id
    if raw.get("shipping_type") == "TIKTOK":
        raise Rejected("TikTok ships this order under its own label: it knows the parcel itself", key=notice.key)
    told = {
        "order_line_item_ids": sorted(wanted), "tracking_number": notice.tracking_number,
        "shipping_provider_id": _provider(shop, str(raw.get("delivery_option_id") or ""), notice),
    }  # fmt: skip
    path = f"/fulfillment/202309/orders/{quote(notice.order_id, safe='')}/packages"
    data = data_of(shop.call("POST", path, params=dict(shop.named), json=told))
    if not data.get("package_id"):
        raise Unintelligible("TikTok does not say what it calls the parcel")
    return str(data["package_id"])


def _provider(shop: Shop, option: str, notice: FulfilmentNotice) -> str:
    """TikTok's id of a carrier, by its name."""
    if not option or not notice.tracking_number:
        reason = "TikTok takes a parcel with a tracking number only, of an order with a way to ship"
        raise Rejected(reason, key=notice.key)
    path = f"/logistics/202309/delivery_options/{quote(option, safe='')}/shipping_providers"
    rows = rows_in(shop.get(path), "shipping_providers")
    offered = {str(one.get("name") or ""): str(one.get("id") or "") for one in rows}
    plain = notice.carrier.strip().casefold()
    for name, known in offered.items():
        if plain and name.casefold() == plain and known:
            return known
    names = ", ".join(sorted(filter(None, offered))) or "none"
    raise Rejected(f"TikTok ships this order with none called {notice.carrier!r}, but with: {names}", key=notice.key)


def push_cancellation(shop: Shop, order_id: str, reason: str) -> None:
    """Cancel an order, for one of TikTok's reasons."""
    raw = raw_order(shop, order_id)
    if raw is None:
        raise Rejected("TikTok has no such order in this shop", key=order_id)
    if raw.get("status") == "CANCELLED":
        return
    told = {"order_id": order_id, "cancel_reason": reason}
    data = data_of(shop.call("POST", "/return_refund/202309/cancellations", params=dict(shop.named), json=told))
    if not data.get("cancel_id"):
        raise Unintelligible("TikTok does not say that the order is cancelled")
