"""From Shopify's words to ours: orders. Pure, Decimal only. Booked is the shop's currency (`shopMoney`), never the
buyer's; amounts are as ordered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from finalmarket.connectors.records import (
    ZERO,
    Address,
    FulfilmentRecord,
    OrderLine,
    OrderRecord,
    Raw,
    RefundRecord,
    Tender,
)

FINANCIAL = frozenset(
    {"AUTHORIZED", "EXPIRED", "PAID", "PARTIALLY_PAID", "PARTIALLY_REFUNDED", "PENDING", "REFUNDED", "VOIDED"}
)
FULFILMENT = frozenset(
    {
        "FULFILLED", "IN_PROGRESS", "ON_HOLD", "OPEN", "PARTIALLY_FULFILLED", "PENDING_FULFILLMENT",
        "REQUEST_DECLINED", "RESTOCKED", "SCHEDULED", "UNFULFILLED",
    }
)  # fmt: skip
CANCEL_REASONS = frozenset({"CUSTOMER", "DECLINED", "FRAUD", "INVENTORY", "OTHER", "STAFF"})
# Whether a parcel of this state left.
PARCELS = {"SUCCESS": True, "OPEN": True, "PENDING": True, "CANCELLED": False, "ERROR": False, "FAILURE": False}
AUTHORISATIONS = frozenset({"AUTHORIZATION", "EMV_AUTHORIZATION"})
KINDS = AUTHORISATIONS | {"SALE", "CAPTURE", "VOID", "CHANGE", "REFUND", "SUGGESTED_REFUND"}
STATES = {
    "SUCCESS": "captured", "PENDING": "pending", "AWAITING_RESPONSE": "pending", "UNKNOWN": "pending",
    "FAILURE": "failed", "ERROR": "failed",
}  # fmt: skip
TENDERS = {
    "shopify_payments": "card", "bogus": "card", "cash": "cash", "gift_card": "gift_card",
    "shopify_store_credit": "store_credit", "paypal": "paypal", "manual": "invoice", "bank deposit": "invoice",
    "money order": "invoice", "cash on delivery (cod)": "invoice", "": "platform",
}  # fmt: skip
RETURNED, CANCELLED = "RETURN", "CANCEL"
RESTOCK_TYPES = frozenset({RETURNED, CANCELLED, "NO_RESTOCK", "LEGACY_RESTOCK"})
CLOSED_FULFILMENT_ORDERS = frozenset({"CANCELLED", "CLOSED"})
MOST_TENDER_LETTERS = 30


def order_record(raw: Raw) -> OrderRecord:
    """An order, from the fragment WholeOrder. Words that the schema does not know are named in `unknown`."""
    unknown: list[str] = []
    _look_up(raw, "displayFinancialStatus", FINANCIAL, unknown)
    _look_up(raw, "displayFulfillmentStatus", FULFILMENT, unknown)
    _look_up(raw, "cancelReason", CANCEL_REASONS, unknown)
    parcels = tuple(_parcels(raw["fulfillments"], unknown))
    tip = _amount(raw["totalTipReceivedSet"])
    customer = raw.get("customer") or {}
    shipping, billing = place(raw.get("shippingAddress")), place(raw.get("billingAddress"))
    retail = (raw.get("retailLocation") or {}).get("id") or ""
    updated_at = moment(raw["updatedAt"])
    return OrderRecord(
        external_id=raw["id"],
        version=updated_at.isoformat(),
        number=raw["name"],
        placed_at=moment(raw["processedAt"]),
        updated_at=updated_at,
        currency=raw["currencyCode"],
        lines=(*_goods(raw, parcels, tip, unknown), *_shipping(raw), *_duties(raw), *_fees(raw)),
        is_cancelled=raw.get("cancelledAt") is not None,
        is_test=bool(raw["test"]),
        handed_over=bool(retail) and raw["displayFulfillmentStatus"] == "FULFILLED",
        place=retail or raw.get("sourceName") or "",
        location=_location(raw, parcels) or retail,
        tenders=tuple(_tenders(raw["transactions"], unknown)),
        refunds=tuple(_refunds(raw["refunds"])),
        fulfilments=parcels,
        name=billing.name or shipping.name or customer.get("displayName") or "",
        email=raw.get("email") or "",
        phone=raw.get("phone") or "",
        language=raw.get("customerLocale") or "",
        customer_id=customer.get("id") or "",
        shipping_address=shipping,
        billing_address=billing,
        tax_included=bool(raw["taxesIncluded"]),
        tax=_amount(raw.get("totalTaxSet")),
        tip=tip,
        total=_amount(raw["totalPriceSet"]),
        unknown=tuple(dict.fromkeys(unknown)),
        raw=raw,
    )


def moment(text: str) -> datetime:
    """A moment as Shopify writes it, in UTC."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} names no time zone")
    return at.astimezone(UTC)


def place(raw: Raw | None) -> Address:
    """An address, from the fragment Place."""
    raw = raw or {}
    names = {
        "name": "name", "company": "company", "street": "address1", "street2": "address2", "postcode": "zip",
        "city": "city", "country": "countryCodeV2", "phone": "phone",
    }  # fmt: skip
    found = {ours: raw.get(theirs) or "" for ours, theirs in names.items()}
    return Address(region=raw.get("provinceCode") or raw.get("province") or "", **found)


def _amount(bag: Raw | None) -> Decimal:
    """The shop's own money in a MoneyBag; nothing where there is none."""
    return Decimal(str(bag["shopMoney"]["amount"])) if bag else ZERO


def _sum(items: Iterable[Raw], field: str) -> Decimal:
    return sum((_amount(item[field]) for item in items), ZERO)


def _look_up(raw: Raw, field: str, known: Iterable[str], unknown: list[str]) -> None:
    word = raw.get(field)
    if word is not None and word not in known:
        unknown.append(word)


# Lines.


def _goods(raw: Raw, parcels: Sequence[FulfilmentRecord], tip: Decimal, unknown: list[str]) -> Iterator[OrderLine]:
    shipped: dict[str, int] = {}
    for parcel in parcels:
        for line_id, units in parcel.lines:
            shipped[line_id] = shipped.get(line_id, 0) + units
    refunded = _refunded_units(raw["refunds"], unknown)
    for line in raw["lineItems"]["nodes"]:
        if not _is_tip(line, tip):
            yield _line(line, shipped.get(line["id"], 0), refunded.get(line["id"], {}))


def _line(line: Raw, shipped: int, refunded: Mapping[str, int]) -> OrderLine:
    variant, sku = line.get("variant") or {}, line.get("sku") or ""
    title = line["title"]
    if line.get("variantTitle"):
        title = f"{title} - {line['variantTitle']}"
    return OrderLine(
        external_id=line["id"],
        title=title,
        sku=sku,
        listing_id=variant.get("id") or "",
        quantity=line["quantity"],
        unit_price=_amount(line["originalUnitPriceSet"]),
        discount=_sum(line["discountAllocations"], "allocatedAmountSet"),
        tax=_sum(line["taxLines"], "priceSet"),
        kind="fee" if line["isGiftCard"] and not sku else "goods",  # money in advance, nothing from a shelf
        cancelled_quantity=_cancelled(line, shipped, refunded),
    )


def _is_tip(line: Raw, tip: Decimal) -> bool:
    """Whether this "line" is the tip, which the order names beside: checkouts of the web shop put it among them."""
    return (
        tip > 0
        and line["title"].strip().lower() == "tip"
        and not (line.get("variant") or line.get("product") or line.get("sku") or line["requiresShipping"])
        and line["quantity"] * _amount(line["originalUnitPriceSet"]) == tip
    )


def _cancelled(line: Raw, shipped: int, refunded: Mapping[str, int]) -> int:
    """Units that were taken off before they left. What came back after it had left is a return and not counted.

    `currentQuantity` lacks both; refund lines tell them apart, but for those that were not restocked: of these, as many
    count as are neither shipped nor waiting to be.
    """
    removed: int = line["quantity"] - line["currentQuantity"]
    said = refunded.get(CANCELLED, 0)
    by_edit = max(0, removed - sum(refunded.values()))
    unclear = sum(units for kind, units in refunded.items() if kind not in (RETURNED, CANCELLED))
    waiting = line["unfulfilledQuantity"]
    never_left = max(0, line["quantity"] - shipped - waiting - said - by_edit)
    taken_off: int = min(said + by_edit + min(unclear, never_left), removed)
    return max(0, taken_off)


def _refunded_units(refunds: Iterable[Raw], unknown: list[str]) -> dict[str, dict[str, int]]:
    """Units that stand in refunds, by line and restock type."""
    found: dict[str, dict[str, int]] = {}
    for refund in refunds:
        for entry in refund["refundLineItems"]["nodes"]:
            _look_up(entry, "restockType", RESTOCK_TYPES, unknown)
            of_line = found.setdefault(entry["lineItem"]["id"], {})
            of_line[entry["restockType"]] = of_line.get(entry["restockType"], 0) + entry["quantity"]
    return found


def _shipping(raw: Raw) -> Iterator[OrderLine]:
    for position, line in enumerate(raw["shippingLines"]["nodes"], start=1):
        yield OrderLine(
            external_id=line.get("id") or f"shipping-{position}",
            title=line["title"],
            unit_price=_amount(line["originalPriceSet"]),
            discount=_sum(line["discountAllocations"], "allocatedAmountSet"),
            tax=_sum(line["taxLines"], "priceSet"),
            kind="shipping",
        )


def _duties(raw: Raw) -> Iterator[OrderLine]:
    """Import duties that were charged beside the goods; where the prices include them, nothing is added."""
    if raw["dutiesIncluded"]:
        return
    for line in raw["lineItems"]["nodes"]:
        for duty in line["duties"]:
            yield _fee(duty, f"Import duty on {line['title']}")


def _fees(raw: Raw) -> Iterator[OrderLine]:
    for fee in raw["additionalFees"]:
        yield _fee(fee, fee["name"])


def _fee(fee: Raw, title: str) -> OrderLine:
    return OrderLine(
        external_id=fee["id"], title=title, unit_price=_amount(fee["price"]), tax=_sum(fee["taxLines"], "priceSet"),
        kind="fee",
    )  # fmt: skip


# Money.


def _tenders(transactions: Sequence[Raw], unknown: list[str]) -> Iterator[Tender]:
    """One tender per payment: an authorisation stands for its captures, change goes off the cash that was given."""
    for one in transactions:
        _look_up(one, "kind", KINDS, unknown)
        _look_up(one, "status", STATES, unknown)
    ids = {one["id"] for one in transactions}
    change = sum((_amount(one["amountSet"]) for one in transactions if _is_good(one, "CHANGE")), ZERO)
    for one in transactions:
        amount, state = _amount(one["amountSet"]), STATES.get(one["status"], "pending")
        if one["kind"] in AUTHORISATIONS:
            amount, state = _authorised(one, transactions)
        elif one["kind"] == "CAPTURE":
            if _parent(one) in ids or state != "captured":
                continue
        elif one["kind"] != "SALE":
            continue
        elif change and tender_of(one) == "cash" and state == "captured":
            given_back = min(change, amount)
            amount, change = amount - given_back, change - given_back
        yield Tender(external_id=one["id"], tender=tender_of(one), amount=amount, state=state)


def _authorised(authorisation: Raw, transactions: Sequence[Raw]) -> tuple[Decimal, str]:
    """What became of an authorisation: captured (as much as that was), voided, or its own state."""
    children = [one for one in transactions if _parent(one) == authorisation["id"]]
    captured = sum((_amount(one["amountSet"]) for one in children if _is_good(one, "CAPTURE")), ZERO)
    if captured:
        return captured, "captured"
    if any(_is_good(one, "VOID") for one in children):
        return _amount(authorisation["amountSet"]), "voided"
    state = STATES.get(authorisation["status"], "pending")
    return _amount(authorisation["amountSet"]), "authorised" if state == "captured" else state


def _is_good(transaction: Raw, kind: str) -> bool:
    return bool(transaction["kind"] == kind and transaction["status"] == "SUCCESS")


def _parent(transaction: Raw) -> str:
    return (transaction.get("parentTransaction") or {}).get("id") or ""


def tender_of(transaction: Raw) -> str:
    """How it was paid, in our words; the provider's own word where we have none for it."""
    gateway = (transaction.get("gateway") or "").strip()
    return TENDERS.get(gateway.lower(), gateway.lower())[:MOST_TENDER_LETTERS]


def _refunds(refunds: Iterable[Raw]) -> Iterator[RefundRecord]:
    """Money that went back; a refund without money (a mere restock) is none."""
    for refund in refunds:
        amount = _amount(refund["totalRefundedSet"])
        if amount > 0:
            yield RefundRecord(external_id=refund["id"], amount=amount, reason=refund.get("note") or "")


# Parcels.


def _parcels(fulfilments: Iterable[Raw], unknown: list[str]) -> Iterator[FulfilmentRecord]:
    for parcel in fulfilments:
        _look_up(parcel, "status", PARCELS, unknown)
        if PARCELS.get(parcel["status"], False):
            yield parcel_record(parcel)


def parcel_record(parcel: Raw) -> FulfilmentRecord:
    """A parcel, from the fragment Parcel; of several tracking numbers the first."""
    tracking: Mapping[str, Any] = next(iter(parcel["trackingInfo"]), {})
    return FulfilmentRecord(
        external_id=parcel["id"],
        lines=tuple(
            (entry["lineItem"]["id"], entry["quantity"] or 0) for entry in parcel["fulfillmentLineItems"]["nodes"]
        ),
        carrier=tracking.get("company") or "",
        tracking_number=tracking.get("number") or "",
        tracking_url=tracking.get("url") or "",
        location=(parcel.get("location") or {}).get("id") or "",
        shipped_at=moment(parcel["createdAt"]),
    )


def _location(raw: Raw, parcels: Sequence[FulfilmentRecord]) -> str:
    """Where the order is served from: the open fulfilment order's location, else where its parcels left."""
    orders = sorted(raw["fulfillmentOrders"]["nodes"], key=lambda one: one["status"] in CLOSED_FULFILMENT_ORDERS)
    for one in orders:
        found = ((one.get("assignedLocation") or {}).get("location") or {}).get("id")
        if found and (one["status"] not in CLOSED_FULFILMENT_ORDERS or not parcels):
            return str(found)
    return next((parcel.location for parcel in parcels if parcel.location), "")
