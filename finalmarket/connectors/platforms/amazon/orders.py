"""Orders, from Amazon's words to ours: pure functions over what the Orders API 2026-01-01 answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from finalmarket.connectors.platforms.amazon.marketplaces import marketplace
from finalmarket.connectors.records import ZERO, Address, FulfilmentRecord, OrderLine, OrderRecord, Raw, Tender

# The payment is not certain yet, and Amazon tells no amounts.
UNPAID = frozenset({"PENDING", "PENDING_AVAILABILITY"})
STATES = UNPAID | {"UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED", "UNFULFILLABLE"}
FULFILLERS = frozenset({"AMAZON", "MERCHANT"})
ELSEWHERE = "NON_AMAZON"
CHANNELS = frozenset({"AMAZON", ELSEWHERE})
# What a proceeds category beside the goods becomes; TAX and DISCOUNT belong to the others' lines.
LINE_KINDS: Mapping[str, str] = {
    "SHIPPING": "shipping", "GIFT_WRAP": "fee", "COD_FEE": "fee", "OTHER": "adjustment",
}  # fmt: skip
CATEGORIES = frozenset({"ITEM", "TAX", "DISCOUNT", "DELIVERY_TIP", *LINE_KINDS})
TENDERS: Mapping[str, str] = {
    "CashOnDelivery": "cash", "ConvenienceStore": "cash", "CreditCard": "card", "GiftCard": "gift_card",
    "Invoice": "invoice", "Pix": "platform", "Other": "platform",
}  # fmt: skip
NOT_GONE = frozenset({"PENDING", "CANCELLED"})
PACKAGE_STATES = NOT_GONE | {"IN_TRANSIT", "SHIPPED", "DELIVERED", "UNDELIVERABLE"}


def order_record(raw: Raw) -> OrderRecord:
    """An order as ours. Raises KeyError, ValueError or TypeError where it cannot be read."""
    fulfilment = raw.get("fulfillment") or {}
    state = str(fulfilment.get("fulfillmentStatus", ""))
    is_by_amazon = fulfilment.get("fulfilledBy") == "AMAZON"
    sold_in = raw["salesChannel"]
    shop = str(sold_in.get("marketplaceId") or "")
    # What Amazon sends for another shop of the merchant's was sold there, not here.
    place = shop if shop and sold_in["channelName"] != ELSEWHERE else str(sold_in["channelName"])
    buyer, address = raw.get("buyer") or {}, address_of((raw.get("recipient") or {}).get("deliveryAddress") or {})
    lines = tuple(line for item in raw["orderItems"] for line in _lines(item, is_cancelled=state == "CANCELLED"))
    taxes = [line.tax for line in lines if line.tax is not None]
    tax, tip, total = (sum(taxes, ZERO) if taxes else None), _tip(raw), _total(raw)
    return OrderRecord(
        external_id=raw["orderId"],
        number=raw["orderId"],
        version=version_of(raw["lastUpdatedTime"]),
        placed_at=moment(raw["createdTime"]),
        updated_at=moment(raw["lastUpdatedTime"]),
        currency=_currency(raw, shop),
        lines=lines,
        is_cancelled=state == "CANCELLED",
        handed_over=is_by_amazon and state == "SHIPPED",
        place=place,
        location=amazon_location(shop) if is_by_amazon else "",
        tenders=_tenders(raw, state, total),
        fulfilments=tuple(_fulfilments(raw, amazon_location(shop) if is_by_amazon else "")),
        name=buyer.get("buyerName") or address.name,
        email=buyer.get("buyerEmail") or "",
        phone=address.phone,
        shipping_address=address,
        tax_included=_is_tax_included(lines, tip, tax, total),
        tax=tax,
        tip=tip,
        total=total,
        unknown=tuple(dict.fromkeys(_unknown(raw))),
        raw=raw,
    )


def amazon_location(marketplace_id: str) -> str:
    """The stock that Amazon itself keeps for a marketplace, as its fulfilment channel codes call it: AMAZON_EU."""
    region = marketplace(marketplace_id).region.upper()
    return f"AMAZON_{region}" if region else "AMAZON"


def moment(text: str) -> datetime:
    """A moment of Amazon's, aware and in UTC; one without a zone is UTC by its rules."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def version_of(text: str) -> str:
    """A moment as a text that orders like the moment itself."""
    return moment(text).isoformat(timespec="microseconds")


def money(raw: Any) -> Decimal:
    """The amount of a Money object, exact. Raises ValueError for one that is no number."""
    amount = Decimal(str(raw["amount"]))
    if not amount.is_finite():
        raise ValueError(f"{raw['amount']!r} is no amount")
    return amount


def address_of(raw: Raw) -> Address:
    """An address of a recipient; parts that Amazon withholds are empty."""
    more = [raw.get(name) or "" for name in ("addressLine2", "addressLine3")]
    return Address(
        name=raw.get("name") or "",
        company=raw.get("companyName") or "",
        street=raw.get("addressLine1") or "",
        street2=", ".join(part for part in more if part),
        postcode=raw.get("postalCode") or "",
        city=raw.get("city") or "",
        region=raw.get("stateOrRegion") or raw.get("districtOrCounty") or "",
        country=raw.get("countryCode") or "",
        phone=raw.get("phone") or "",
    )


# Lines and amounts.


@dataclass(slots=True)
class _Proceeds:
    """What an item brings, by category; `tax` and `discount` say which of the other categories they belong to."""

    amounts: dict[str, Decimal] = field(default_factory=dict)
    tax: dict[str, Decimal] = field(default_factory=dict)
    discount: dict[str, Decimal] = field(default_factory=dict)


def _proceeds(item: Raw) -> _Proceeds:
    parts = (item.get("proceeds") or {}).get("breakdowns") or []
    read = _Proceeds()
    for part in parts:
        if part["type"] not in ("TAX", "DISCOUNT"):
            read.amounts[part["type"]] = read.amounts.get(part["type"], ZERO) + money(part["subtotal"])
    for part in parts:
        if part["type"] == "TAX":
            _share(read.tax, part, money(part["subtotal"]), read.amounts)
        elif part["type"] == "DISCOUNT":
            # The published models show no example: whichever sign it comes with, it lessens what is paid.
            _share(read.discount, part, abs(money(part["subtotal"])), read.amounts)
    return read


def _share(into: dict[str, Decimal], part: Raw, whole: Decimal, amounts: Mapping[str, Decimal]) -> None:
    """Divide a tax or a discount among the lines it names; the goods bear what is left, so that nothing is lost."""
    left = whole
    for detail in part.get("detailedBreakdowns") or []:
        name = detail.get("subtype")
        if name in amounts and name != "ITEM" and detail.get("value"):
            value = abs(money(detail["value"])) if whole >= 0 else money(detail["value"])
            into[name] = into.get(name, ZERO) + value
            left -= value
    into["ITEM"] = into.get("ITEM", ZERO) + left


def _lines(item: Raw, *, is_cancelled: bool) -> Iterator[OrderLine]:
    proceeds, product, number = _proceeds(item), item["product"], str(item["orderItemId"])
    ordered = int(item["quantityOrdered"])
    yield OrderLine(
        external_id=number,
        title=product.get("title") or "",
        sku=product.get("sellerSku") or "",
        listing_id=product.get("sellerSku") or "",
        quantity=ordered,
        unit_price=_unit_price(product, proceeds, ordered),
        discount=proceeds.discount.get("ITEM", ZERO),
        tax=proceeds.tax.get("ITEM"),
        cancelled_quantity=ordered if is_cancelled else _cancelled(item, ordered),
    )
    for category, amount in proceeds.amounts.items():
        if category != "ITEM" and amount:
            yield OrderLine(
                external_id=f"{number}:{category.lower()}",
                title=category.replace("_", " ").capitalize(),
                unit_price=amount,
                discount=proceeds.discount.get(category, ZERO),
                tax=proceeds.tax.get(category),
                kind=LINE_KINDS.get(category, "adjustment"),
            )


def _unit_price(product: Raw, proceeds: _Proceeds, quantity: int) -> Decimal:
    """The price of one unit; ZERO while Amazon does not tell it (a pending order)."""
    told = (product.get("price") or {}).get("unitPrice")
    if told:
        return money(told)
    return proceeds.amounts.get("ITEM", ZERO) / quantity if quantity else ZERO


def _cancelled(item: Raw, ordered: int) -> int:
    """Units that will neither be sent nor were sent; none where Amazon does not tell both."""
    told = item.get("fulfillment") or {}
    if "quantityFulfilled" not in told or "quantityUnfulfilled" not in told:
        return 0
    return max(0, ordered - int(told["quantityFulfilled"]) - int(told["quantityUnfulfilled"]))


def _tip(raw: Raw) -> Decimal:
    parts = (raw.get("proceeds") or {}).get("breakdowns") or []
    tips = [part for part in parts if part["type"] == "DELIVERY_TIP" and part.get("status") != "PENDING"]
    return sum((money(part["subtotal"]) for part in tips), ZERO)


def _total(raw: Raw) -> Decimal | None:
    told = (raw.get("proceeds") or {}).get("grandTotal")
    return money(told) if told else None


def _is_tax_included(lines: Sequence[OrderLine], tip: Decimal, tax: Decimal | None, total: Decimal | None) -> bool:
    """Whether the prices contain the tax. The total decides; where it fits neither way, tax is added to the prices, as
    in the models' examples."""
    if not tax:
        return True
    return total == sum((line.unit_price * line.quantity - line.discount for line in lines), tip)


def _currency(raw: Raw, marketplace_id: str) -> str:
    told = [(raw.get("proceeds") or {}).get("grandTotal")]
    for item in raw["orderItems"]:
        told += [
            (item["product"].get("price") or {}).get("unitPrice"),
            (item.get("proceeds") or {}).get("proceedsTotal"),
        ]
    codes = [str(amount["currencyCode"]) for amount in told if amount] or [marketplace(marketplace_id).currency]
    if not codes[0]:
        raise ValueError(f"an order without amounts, of a marketplace whose currency is not known: {marketplace_id}")
    return codes[0]


# Payments and parcels.


def _tenders(raw: Raw, state: str, total: Decimal | None) -> tuple[Tender, ...]:
    """What the buyer pays Amazon with; where it does not tell, one payment of the platform's own."""
    pay_state = "pending" if state in UNPAID else "voided" if state == "CANCELLED" else "captured"
    number = raw["orderId"]
    told = (raw.get("payment") or {}).get("paymentExecutions") or []
    tenders = tuple(
        Tender(
            external_id=f"{number}:{index}",
            tender=TENDERS.get(one.get("paymentMethod") or "Other", "platform"),
            amount=money(one["paymentAmount"]),
            state=pay_state,
        )
        for index, one in enumerate(told)
        if one.get("paymentAmount")
    )
    if tenders or total is None:
        return tenders
    return (Tender(external_id=f"{number}:amazon", tender="platform", amount=total, state=pay_state),)


def _fulfilments(raw: Raw, location: str) -> Iterator[FulfilmentRecord]:
    """The merchant's parcels that left; of an order that Amazon serves it tells no parcels, only how many units."""
    for package in raw.get("packages") or []:
        if (package.get("packageStatus") or {}).get("status") in NOT_GONE:
            continue
        yield FulfilmentRecord(
            external_id=str(package["packageReferenceId"]),
            lines=tuple(
                (str(part["orderItemId"]), int(part["quantity"])) for part in package.get("packageItems") or []
            ),
            carrier=package.get("carrier") or "",
            tracking_number=package.get("trackingNumber") or "",
            shipped_at=moment(package["shipTime"]) if package.get("shipTime") else None,
        )
    sent = [
        (str(item["orderItemId"]), int((item.get("fulfillment") or {}).get("quantityFulfilled") or 0))
        for item in raw["orderItems"]
    ]
    lines = tuple((number, units) for number, units in sent if units)
    if location and lines:
        yield FulfilmentRecord(external_id=f"{raw['orderId']}:amazon", lines=lines, location=location)


def _unknown(raw: Raw) -> Iterator[str]:
    """Amazon's words in this order that no table here knows; what they say stays in `raw`."""
    fulfilment = raw.get("fulfillment") or {}
    told: list[tuple[Any, frozenset[str]]] = [
        (fulfilment.get("fulfillmentStatus"), STATES),
        (fulfilment.get("fulfilledBy"), FULFILLERS),
        (raw["salesChannel"].get("channelName"), CHANNELS),
    ]
    for holder in (raw, *raw["orderItems"]):
        told += [(part["type"], CATEGORIES) for part in (holder.get("proceeds") or {}).get("breakdowns") or []]
    for execution in (raw.get("payment") or {}).get("paymentExecutions") or []:
        told.append((execution.get("paymentMethod"), frozenset(TENDERS)))
    for package in raw.get("packages") or []:
        told.append(((package.get("packageStatus") or {}).get("status"), PACKAGE_STATES))
    yield from (str(word) for word, known in told if word and word not in known)
