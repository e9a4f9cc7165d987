"""Orders, which are receipts to Etsy: how they come in, and from its words to ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

from finalmarket.connectors.answers import fields_in, if_there
from finalmarket.connectors.errors import Rejected, Unintelligible
from finalmarket.connectors.paging import read_cursor, read_each, read_one, walk, write_cursor
from finalmarket.connectors.people import read_address
from finalmarket.connectors.platforms.etsy.inventory import key_of
from finalmarket.connectors.platforms.etsy.shop import PAGE, Shop, moment, money, results
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
from finalmarket.connectors.refusals import refused_as
from finalmarket.kernel import clock

OVERLAP = timedelta(minutes=5)  # what reaches the list late, and clocks that differ
STATES = frozenset(
    {"paid", "completed", "open", "payment processing", "canceled", "fully refunded", "partially refunded"}
)
ADDRESS: Mapping[str, str] = {
    "name": "name", "street": "first_line", "street2": "second_line", "postcode": "zip", "city": "city",
    "region": "state", "country": "country_iso",
}  # fmt: skip
PLACES: Mapping[int, str] = {0: "Etsy", 1: "Pattern", 5: "Etsy"}
TENDERS: Mapping[str, str] = {
    "cc": "card", "paypal": "paypal", "check": "check", "mo": "check", "bt": "bank_transfer", "other": "platform",
    "ideal": "bank_transfer", "sofort": "bank_transfer", "apple_pay": "card", "google": "card", "android_pay": "card",
    "google_pay": "card", "klarna": "invoice", "k_pay_in_4": "invoice", "k_pay_in_3": "invoice",
    "k_financing": "invoice",
}  # fmt: skip
# Carriers as Etsy writes them; any other goes out as "other", which the description names for it.
CARRIERS: Mapping[str, str] = {
    "an post": "an-post", "australia post": "australia-post", "canada post": "canada-post",
    "deutsche post": "deutsche-post", "dhl": "dhl", "dpd": "dpd", "fedex": "fedex", "gls": "gls", "hermes": "hermes",
    "la poste": "la-poste", "royal mail": "royal-mail", "tnt": "tnt", "ups": "ups", "usps": "usps",
}  # fmt: skip


# What comes in.


def pull_orders(shop: Shop, cursor: str, since: datetime | None) -> Iterator[Page[OrderRecord]]:
    """See PullsOrders. Each page begins at the second in which the last one ended: an offset would pass over orders
    when others change meanwhile."""
    first = write_cursor(since=int(since.timestamp()) if since else 0)
    yield from walk(lambda at: _page(shop, at), cursor or first)


def _page(shop: Shop, cursor: str) -> Page[OrderRecord]:
    at = read_cursor(cursor)
    since, offset = int(at.get("since") or 0), int(at.get("offset") or 0)
    params: dict[str, str | int] = {"sort_on": "updated", "sort_order": "asc", "limit": PAGE, "offset": offset}
    if since:
        params["min_last_modified"] = since
    asked_at = clock.now()
    count, raws = results(shop.http.call("GET", f"{shop.path}/receipts", params=params))
    changed = [stamp for raw in raws if isinstance(stamp := raw.get("updated_timestamp"), int)]
    if any(stamp < since for stamp in changed):
        raise Unintelligible("Etsy gives orders that were not asked for; going on would never end")
    records, unreadable = read_each(raws, order_record, lambda raw: raw["receipt_id"])
    if not raws or offset + len(raws) >= count:
        later = max(since, int((asked_at - OVERLAP).timestamp()))
        return Page(records, write_cursor(since=later), is_last=True, unreadable=unreadable)
    last = max(changed, default=since)
    onward = write_cursor(since=last) if last > since else write_cursor(since=since, offset=offset + len(raws))
    return Page(records, onward, unreadable=unreadable)


def pull_order(shop: Shop, receipt_id: str) -> OrderRecord | None:
    """See PullsOrders."""
    raw = _find(shop, receipt_id)
    return None if raw is None else read_one(raw, order_record)


def _find(shop: Shop, receipt_id: str) -> Raw | None:
    path = f"{shop.path}/receipts/{quote(receipt_id, safe='')}"
    return if_there(lambda: fields_in(shop.http.call("GET", path)))


# What goes out.


def push_fulfilment(shop: Shop, notice: FulfilmentNotice) -> str:
    """See PushesFulfilments. A parcel is known by its tracking number; one without marks the order as shipped, once."""
    receipt = _find(shop, notice.order_id)
    if receipt is None:
        raise Rejected(f"Etsy knows no receipt {notice.order_id}", key=notice.key, status=404)
    known = _shipment(receipt, notice.tracking_number)
    if known:
        return known
    body: dict[str, object] = {"send_bcc": False}
    if notice.tracking_number:
        carrier = CARRIERS.get(notice.carrier.strip().lower(), "other")
        body |= {"tracking_code": notice.tracking_number, "carrier_name": carrier}
    path = f"{shop.path}/receipts/{quote(notice.order_id, safe='')}/tracking"
    with refused_as(notice.key):
        answer = shop.http.call("POST", path, json=body)
    return _shipment(fields_in(answer), notice.tracking_number)


def _shipment(receipt: Raw, tracking_number: str) -> str:
    """The name of a shipment with this number; of any one, where there is no number; "" for none."""
    for number, one in enumerate(receipt.get("shipments") or [], start=1):
        if not tracking_number or one.get("tracking_code") == tracking_number:
            return _shipment_id(receipt, one, number)
    return f"{receipt.get('receipt_id')}-shipped" if receipt.get("is_shipped") and not tracking_number else ""


def _shipment_id(receipt: Raw, shipment: Raw, number: int) -> str:
    return str(shipment.get("receipt_shipping_id") or f"{receipt.get('receipt_id')}-{number}")


# From its words to ours.


def order_record(raw: Raw) -> OrderRecord:
    """An order. Raises KeyError, ValueError, TypeError or ArithmeticError where it cannot be read."""
    state = str(raw.get("status") or "").lower()
    goods = tuple(_line(one) for one in raw["transactions"])
    total = money(raw["grandtotal"])
    rest, tax, is_included = _taxes(raw, total)
    extra = (*_further_lines(raw), *_rest_line(rest))
    return OrderRecord(
        external_id=str(raw["receipt_id"]), number=str(raw["receipt_id"]), version=_version(raw, state),
        placed_at=moment(raw["created_timestamp"]), updated_at=moment(raw["updated_timestamp"]),
        currency=str(raw["grandtotal"]["currency_code"]).upper(), lines=(*goods, *extra),
        is_cancelled=state == "canceled", place=PLACES.get(raw.get("receipt_type", 0), ""),
        handed_over=bool(goods) and all(one.get("is_digital") for one in raw["transactions"]),
        tenders=(_tender(raw, total),), refunds=_refunds(raw), fulfilments=_fulfilments(raw, goods),
        name=raw.get("name") or "", email=raw.get("buyer_email") or "", customer_id=str(raw.get("buyer_user_id") or ""),
        shipping_address=_address(raw), tax=tax, tax_included=is_included, total=total, unknown=_unknown(raw, state),
        raw=raw,
    )  # fmt: skip


def _version(raw: Raw, state: str) -> str:
    """The second of the last change, and how far the order has come: much may happen within a second."""
    steps = [bool(raw.get("is_paid")), bool(raw.get("is_shipped")), state == "canceled"]
    happened = sum(steps) + len(raw.get("shipments") or []) + len(raw.get("refunds") or [])
    return f"{int(raw['updated_timestamp']):012d}.{happened:04d}"


def _line(raw: Raw) -> OrderLine:
    values = [*(raw.get("product_data") or [])]
    listing_id = raw.get("listing_id")
    return OrderLine(
        external_id=str(raw["transaction_id"]), title=raw.get("title") or "", sku=raw.get("sku") or "",
        listing_id=key_of(listing_id, values) if listing_id else "", quantity=int(raw["quantity"]),
        unit_price=money(raw["price"]),
    )  # fmt: skip


def _further_lines(raw: Raw) -> Iterator[OrderLine]:
    """What is paid, or taken off, beside the goods."""
    for name, title, kind in (
        ("total_shipping_cost", "Shipping", "shipping"),
        ("gift_wrap_price", "Gift wrap", "fee"),
    ):
        if money(raw.get(name)):
            yield OrderLine(external_id=name, title=title, kind=kind, unit_price=money(raw[name]))
    if money(raw.get("discount_amt")):
        yield OrderLine(
            external_id="discount_amt", title="Discount", kind="discount", discount=money(raw["discount_amt"])
        )


def _taxes(raw: Raw, total: Decimal) -> tuple[Decimal, Decimal | None, bool]:
    """What the parts of an order leave of its total, its tax, and whether that is included in the prices. Etsy adds
    sales tax; value-added tax is in the prices, unless the total says that it was added as well."""
    goods = sum((money(one["price"]) * int(one["quantity"]) for one in raw["transactions"]), ZERO)
    named = ("total_shipping_cost", "gift_wrap_price", "total_tax_cost")
    without_vat = goods - money(raw.get("discount_amt")) + sum((money(raw.get(name)) for name in named), ZERO)
    tax, vat = money(raw.get("total_tax_cost")), money(raw.get("total_vat_cost"))
    if vat and total - without_vat == vat:
        return ZERO, tax + vat, False
    if vat and not tax:
        return total - without_vat, vat, True
    return total - without_vat, tax or None, not tax


def _rest_line(rest: Decimal) -> Iterator[OrderLine]:
    """What no part of the order explains."""
    if rest:
        yield OrderLine(external_id="rest", title="Adjustment", kind="adjustment", unit_price=rest)


def _tender(raw: Raw, total: Decimal) -> Tender:
    return Tender(
        external_id=f"{raw['receipt_id']}:etsy", tender=TENDERS.get(str(raw.get("payment_method")), "platform"),
        amount=total, state="captured" if raw.get("is_paid") else "pending",
    )  # fmt: skip


def _refunds(raw: Raw) -> tuple[RefundRecord, ...]:
    """Money that went back. Etsy names no refund: it is known by its order, its second, and its place."""
    return tuple(
        RefundRecord(
            external_id=f"{raw['receipt_id']}-{one.get('created_timestamp')}-{number}", amount=money(one["amount"]),
            reason=one.get("reason") or one.get("note_from_issuer") or "",
        )
        for number, one in enumerate(raw.get("refunds") or [], start=1)
        if str(one.get("status") or "").lower() not in ("failed", "declined")
    )  # fmt: skip


def _fulfilments(raw: Raw, goods: Sequence[OrderLine]) -> tuple[FulfilmentRecord, ...]:
    """The order as shipped: Etsy says of no parcel what is in it, so the first one holds all."""
    if not raw.get("is_shipped"):
        return ()
    first: Raw = next(iter(raw.get("shipments") or []), {})
    told_at = first.get("shipment_notification_timestamp")
    return (
        FulfilmentRecord(
            external_id=_shipment_id(raw, first, 1) if first else f"{raw['receipt_id']}-shipped",
            lines=tuple((line.external_id, line.quantity) for line in goods), carrier=first.get("carrier_name") or "",
            tracking_number=first.get("tracking_code") or "", shipped_at=moment(told_at) if told_at else None,
        ),
    )  # fmt: skip


def _address(raw: Raw) -> Address:
    return read_address(raw, ADDRESS)


def _unknown(raw: Raw, state: str) -> tuple[str, ...]:
    """Words of fixed lists that no documentation knows."""
    method = str(raw.get("payment_method") or "")
    told = [("status", state, STATES), ("payment_method", method, TENDERS)]
    return tuple(f"{name}: {word}" for name, word, known in told if word and word not in known)
