"""Orders, from eBay's words to ours: pure functions over what the Fulfillment API answers with TAX_BREAKDOWN."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Any

from finalmarket.connectors.moments import to_millisecond, utc
from finalmarket.connectors.money import minor_units
from finalmarket.connectors.people import read_address
from finalmarket.connectors.platforms.ebay.calls import amount
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

CANCELLED, FULFILLED, FULLY_REFUNDED = "CANCELED", "FULFILLED", "FULLY_REFUNDED"
NOT_YET = "~"  # behind all moments
BY_EBAY = "EBAY"
FULFILMENT_STATES = frozenset({"NOT_STARTED", "IN_PROGRESS", FULFILLED})
PAYMENT_STATES = frozenset({"PENDING", "FAILED", "PAID", "PARTIALLY_REFUNDED", FULLY_REFUNDED})
CANCEL_STATES = frozenset({"NONE_REQUESTED", "IN_PROGRESS", CANCELLED})
TENDER_STATES: Mapping[str, str] = {"PENDING": "pending", "FAILED": "failed", "PAID": "captured"}
TENDERS: Mapping[str, str] = {
    "CREDIT_CARD": "card", "PAYPAL": "paypal", "CASH_ON_PICKUP": "cash", "CASHIER_CHECK": "check",
    "PERSONAL_CHECK": "check", "EFT": "bank_transfer", "EBAY": "platform", "ESCROW": "platform",
}  # fmt: skip
REFUND_STATES = frozenset({"PENDING", "REFUNDED", "FAILED"})
ADDRESS: Mapping[str, str] = {
    "street": "addressLine1", "street2": "addressLine2", "postcode": "postalCode", "city": "city",
    "region": "stateOrProvince", "country": "countryCode",
}  # fmt: skip


def order_record(raw: Raw, parcels: Sequence[Raw]) -> OrderRecord:
    """An order as ours, with its shipping fulfilments. Raises KeyError, ValueError or TypeError where it cannot be
    read."""
    prices = raw["pricingSummary"]
    currency = prices["total"]["currency"]
    start: Raw = next(iter(raw.get("fulfillmentStartInstructions") or []), {})
    ship_to = (start.get("shippingStep") or {}).get("shipTo") or {}
    registered = (raw.get("buyer") or {}).get("buyerRegistrationAddress") or {}
    goods = tuple(_line(item, currency) for item in raw["lineItems"])
    address = address_of(ship_to)
    tax = _tax(prices, goods)
    is_by_ebay = ((raw.get("program") or {}).get("fulfillmentProgram") or {}).get("fulfilledBy") == BY_EBAY
    return OrderRecord(
        external_id=raw["orderId"], number=raw["orderId"], version=to_millisecond(utc(raw["lastModifiedDate"])),
        placed_at=utc(raw["creationDate"]), updated_at=utc(raw["lastModifiedDate"]), currency=currency,
        lines=(*goods, *_further_lines(prices, goods)), place=_place(raw),
        is_cancelled=(raw.get("cancelStatus") or {}).get("cancelState") == CANCELLED,
        location=BY_EBAY if is_by_ebay else str((start.get("pickupStep") or {}).get("merchantLocationKey") or ""),
        handed_over=is_by_ebay and raw.get("orderFulfillmentStatus") == FULFILLED, tenders=_tenders(raw),
        refunds=_refunds(raw), fulfilments=tuple(_parcel(parcel) for parcel in parcels),
        name=ship_to.get("fullName") or registered.get("fullName") or "",
        email=ship_to.get("email") or registered.get("email") or "", phone=address.phone,
        customer_id=(raw.get("buyer") or {}).get("username") or "", shipping_address=address,
        billing_address=address_of(registered), tax_included=not tax, tax=tax, total=amount(prices["total"]),
        unknown=_unknown(raw), raw=raw,
    )  # fmt: skip


def _place(raw: Raw) -> str:
    """The marketplace that the order was bought on."""
    return next((str(place) for item in raw["lineItems"] if (place := item.get("purchaseMarketplaceId"))), "")


def _line(item: Raw, currency: str) -> OrderLine:
    """A line of goods; eBay tells what all its units cost, before and after discount."""
    quantity, cost = int(item["quantity"]), amount(item["lineItemCost"])
    unit_price = (cost / quantity).quantize(Decimal(1).scaleb(-minor_units(currency)), rounding=ROUND_UP)
    paid = amount(item["discountedLineItemCost"]) if item.get("discountedLineItemCost") else cost
    taxes = item.get("taxes") or item.get("ebayCollectAndRemitTaxes") or []
    sku = str(item.get("sku") or "")
    return OrderLine(
        external_id=item["lineItemId"], title=item.get("title") or "", sku=sku,
        listing_id=sku or str(item.get("legacyItemId") or ""), quantity=quantity, unit_price=unit_price,
        discount=unit_price * quantity - paid, tax=sum((amount(tax.get("amount")) for tax in taxes), ZERO),
    )  # fmt: skip


def _further_lines(prices: Raw, goods: Sequence[OrderLine]) -> Iterator[OrderLine]:
    """What is paid, or taken off, beside the goods."""
    shipping, shipping_off = amount(prices.get("deliveryCost")), abs(amount(prices.get("deliveryDiscount")))
    if shipping or shipping_off:
        yield OrderLine(
            external_id="delivery", title="Delivery", kind="shipping", unit_price=shipping, discount=shipping_off
        )
    if prices.get("fee"):
        yield OrderLine(external_id="fee", title="Fees", kind="fee", unit_price=amount(prices["fee"]))
    if prices.get("adjustment"):
        yield OrderLine(
            external_id="adjustment", title="Adjustment", kind="adjustment", unit_price=amount(prices["adjustment"])
        )
    rest = abs(amount(prices.get("priceDiscount"))) - sum((line.discount for line in goods), ZERO)
    if rest > 0:
        yield OrderLine(external_id="discount", title="Discount", kind="discount", discount=rest)


def _tax(prices: Raw, goods: Sequence[OrderLine]) -> Decimal | None:
    """The tax of the whole order, which eBay adds to the prices; None where it knows of none."""
    if prices.get("tax"):
        return amount(prices["tax"])
    return sum((line.tax or ZERO for line in goods), ZERO) or None


def _tenders(raw: Raw) -> tuple[Tender, ...]:
    payments = (raw.get("paymentSummary") or {}).get("payments") or []
    return tuple(
        Tender(
            external_id=str(one.get("paymentReferenceId") or f"{raw['orderId']}:{number}"),
            tender=TENDERS.get(one.get("paymentMethod") or "EBAY", "platform"), amount=amount(one.get("amount")),
            state=TENDER_STATES.get(one.get("paymentStatus") or "", "pending"),
        )
        for number, one in enumerate(payments, start=1)
    )  # fmt: skip


def _refunds(raw: Raw) -> tuple[RefundRecord, ...]:
    """Money that went back; what is still on its way has gone, too, for it is taken off the seller's funds. eBay tells
    of the seller's part alone: where all went back, the latest refund is of the rest, too."""
    there = {name: one for name, one in refunds_by_name(raw).items() if one.get("refundStatus") != "FAILED"}
    back = {name: amount(one["amount"]) for name, one in there.items()}
    captured = sum((one.amount for one in _tenders(raw) if one.state == "captured"), ZERO)
    rest = captured - sum(back.values(), ZERO)
    if there and rest > 0 and _is_all_back(raw, rest):
        latest = max(reversed(there), key=lambda name: str(there[name].get("refundDate") or NOT_YET))
        back[latest] += rest
    most = {name: _asked_at_most(raw, amount(one["amount"])) for name, one in there.items()}
    return tuple(RefundRecord(external_id=name, amount=one, most=max(one, most[name])) for name, one in back.items())


def _asked_at_most(raw: Raw, shown: Decimal) -> Decimal:
    """The largest refund of which eBay may tell so much."""
    if sellers_share(raw) == 1:
        return shown
    smallest = Decimal(1).scaleb(-minor_units(raw["pricingSummary"]["total"]["currency"]))
    return ((shown + smallest) / sellers_share(raw)).quantize(smallest, rounding=ROUND_DOWN)


def _is_all_back(raw: Raw, rest: Decimal) -> bool:
    """Whether the buyer has all back though eBay tells of so much less. While it works on a refund it does not say so
    yet: then it is known by what is missing, which is no more than the tax."""
    refunds = (raw.get("paymentSummary") or {}).get("refunds") or []
    is_under_way = any(one.get("refundStatus") == "PENDING" for one in refunds)
    return raw.get("orderPaymentStatus") == FULLY_REFUNDED or (is_under_way and rest <= _collected_tax(raw))


def sellers_share(raw: Raw) -> Decimal:
    """How much of what goes back is told of as the seller's: the rest is of the tax that eBay collected."""
    total, tax = amount(raw["pricingSummary"]["total"]), _collected_tax(raw)
    return (total - tax) / total if 0 < tax < total else Decimal(1)


def _collected_tax(raw: Raw) -> Decimal:
    """The tax of an order that eBay collects and pays itself: what is paid includes it, refunds are told without it."""
    taxes = (tax for item in raw["lineItems"] for tax in item.get("ebayCollectAndRemitTaxes") or [])
    return sum((amount(tax.get("amount")) for tax in taxes), ZERO)


def refunds_by_name(raw: Raw) -> dict[str, Raw]:
    """The refunds of an order by the name that issueRefund gave them; those that were begun elsewhere by eBay's own."""
    of_lines = {
        one.get("refundReferenceId"): one.get("refundId")
        for item in raw["lineItems"]
        for one in item.get("refunds") or []
        if one.get("refundReferenceId")
    }
    found: dict[str, Raw] = {}
    for number, one in enumerate((raw.get("paymentSummary") or {}).get("refunds") or [], start=1):
        reference = one.get("refundReferenceId")
        name = one.get("refundId") or of_lines.get(reference) or reference or f"{raw['orderId']}:refund-{number}"
        found[str(name)] = one
    return found


def _parcel(raw: Raw) -> FulfilmentRecord:
    shipped_at = raw.get("shippedDate")
    return FulfilmentRecord(
        external_id=str(raw["fulfillmentId"]),
        lines=tuple((str(one["lineItemId"]), int(one.get("quantity") or 1)) for one in raw.get("lineItems") or []),
        carrier=raw.get("shippingCarrierCode") or "", tracking_number=raw.get("shipmentTrackingNumber") or "",
        shipped_at=utc(shipped_at) if shipped_at else None,
    )  # fmt: skip


def address_of(contact: Raw) -> Address:
    """An address with the name and the phone of who is there."""
    told = contact.get("contactAddress") or {}
    whole = {**told, "stateOrProvince": told.get("stateOrProvince") or told.get("county")}
    place = read_address(whole, ADDRESS)
    return replace(
        place, name=contact.get("fullName") or "", company=contact.get("companyName") or "",
        phone=(contact.get("primaryPhone") or {}).get("phoneNumber") or "",
    )  # fmt: skip


def _unknown(raw: Raw) -> tuple[str, ...]:
    """Words of fixed lists that no documentation knows."""
    payments = (raw.get("paymentSummary") or {}).get("payments") or []
    refunds = (raw.get("paymentSummary") or {}).get("refunds") or []
    told: list[tuple[str, Any, Any]] = [
        ("orderFulfillmentStatus", raw.get("orderFulfillmentStatus"), FULFILMENT_STATES),
        ("orderPaymentStatus", raw.get("orderPaymentStatus"), PAYMENT_STATES),
        ("cancelState", (raw.get("cancelStatus") or {}).get("cancelState"), CANCEL_STATES),
        *(("paymentMethod", one.get("paymentMethod"), TENDERS) for one in payments),
        *(("paymentStatus", one.get("paymentStatus"), TENDER_STATES) for one in payments),
        *(("refundStatus", one.get("refundStatus"), REFUND_STATES) for one in refunds),
    ]
    return tuple(dict.fromkeys(f"{name}: {word}" for name, word, known in told if word and word not in known))
