"""From Clover's words to ours, and back: pure functions, no calls. Amounts are whole numbers of the smallest unit,
moments milliseconds since 1970, taxes and percentages whole numbers of small parts.

Object by object as the data classes of Clover's own SDK have them (com.clover.sdk.v3). How an order adds up:
https://docs.clover.com/docs/calculating-order-totals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from finalmarket.connectors.money import from_minor
from finalmarket.connectors.people import full_name, read_address
from finalmarket.connectors.records import (
    ZERO,
    Address,
    CustomerContent,
    CustomerRecord,
    ListingContent,
    ListingRecord,
    ListingRef,
    OrderLine,
    OrderRecord,
    Raw,
    RefundRecord,
    Tender,
)

PAYMENT_STATES = ("OPEN", "PAID", "REFUNDED", "CREDITED", "PARTIALLY_PAID", "PARTIALLY_REFUNDED")
WAS_PAID = ("PAID", "REFUNDED", "CREDITED", "PARTIALLY_REFUNDED")
RESULTS: Mapping[str, str] = {
    "SUCCESS": "captured", "AUTH": "authorised", "AUTH_COMPLETED": "captured", "DISCOUNT": "captured", "FAIL": "failed",
    "INITIATED": "pending", "PENDING": "pending", "OFFLINE_RETRYING": "pending", "VOIDED": "voided",
    "VOIDING": "captured", "VOID_FAILED": "captured",
}  # fmt: skip
TENDERS: Mapping[str, str] = {
    "com.clover.tender.cash": "cash", "com.clover.tender.credit_card": "card", "com.clover.tender.debit_card": "card",
    "com.clover.tender.gift_card": "gift_card", "com.clover.tender.check": "check",
    "com.clover.tender.external_gift_card": "gift_card", "com.clover.tender.external_payment": "other",
}  # fmt: skip
ONLINE_STATES = (
    "CREATED", "CONFIRMED", "REJECTED", "CANCELLED", "IN_PREPARATION", "READY_FOR_PICKUP", "IN_TRANSIT", "FULFILLED",
)  # fmt: skip
OFF = ("REJECTED", "CANCELLED")
ADDRESS: Mapping[str, str] = {
    "street": "address1", "street2": "address2", "postcode": "zip", "city": "city", "region": "state",
    "country": "country",
}  # fmt: skip
LENGTHS = {"zip": 10, "country": 2}  # of a part of an address; 127 letters of the others
NOT_GIVEN = ("FAIL", "VOIDED")
UNITS = 1000  # `unitQty` of one
ONE_PERCENT = 10_000  # of `percentageDecimal`
SLOT_SECONDS = 10


# Orders.


def changed_at(raw: Raw) -> int:
    """When an order or item changed, in milliseconds; 0 where it does not say."""
    moment = raw.get("modifiedTime") or raw.get("createdTime")
    return moment if isinstance(moment, int) else 0


def is_order(raw: Raw) -> bool:
    """Whether it is a sale: something was rung up, or money was moved."""
    return bool(items(raw, "lineItems") or items(raw, "payments") or items(raw, "credits"))


def order_record(raw: Raw, merchant_id: str) -> OrderRecord:
    """An order as the till holds it, with what was paid and given back. Raises KeyError, ValueError."""
    unknown: list[str] = []
    currency = str(raw["currency"])
    goods = [order_line(line, currency, unknown) for line in items(raw, "lineItems")]
    subtotal = sum((line.quantity * line.unit_price - line.discount for line in goods), ZERO)
    taken_off = list(_order_discounts(raw, subtotal, currency))
    lines = (*goods, *taken_off, *_charges(raw, subtotal - _off(taken_off), currency))
    payments = items(raw, "payments")
    tip = sum((_amount(one, "tipAmount", currency) for one in payments if _counts(one)), ZERO)
    total = _amount(raw, "total", currency)
    online = raw.get("onlineOrder") or {}
    state, online_state = raw.get("paymentState"), online.get("orderState")
    unknown += [str(state)] if state is not None and state not in PAYMENT_STATES else []
    unknown += [str(online_state)] if online_state is not None and online_state not in ONLINE_STATES else []
    return replace(
        _buyer(raw, currency, payments, unknown), lines=lines, number=raw.get("title") or "",
        is_cancelled=online_state in OFF, is_test=raw.get("testMode") is True,
        handed_over=state in WAS_PAID and (not online or online_state == "FULFILLED"), place=merchant_id,
        refunds=tuple(_refunds(raw, currency)), tax_included=raw.get("isVat") is True,
        tax=_tax(raw, lines, total, currency), tip=tip, total=total + tip, unknown=tuple(unknown),
    )  # fmt: skip


def _buyer(raw: Raw, currency: str, payments: Sequence[Raw], unknown: list[str]) -> OrderRecord:
    """Whose order it is, when it was placed, and how it was paid."""
    told = raw.get("fulfillmentInfo") or {}
    customer = next(iter(items(raw, "customers")), {})
    named = full_name(customer.get("firstName"), customer.get("lastName"))
    return OrderRecord(
        external_id=raw["id"], version=f"{changed_at(raw):015d}", placed_at=moment(raw["createdTime"]),
        updated_at=moment(changed_at(raw)), currency=currency, lines=(),
        tenders=tuple(_tender(one, currency, unknown) for one in payments),
        name=named or told.get("customerDisplayName") or "", customer_id=customer.get("id") or "",
        email=_first(customer, "emailAddresses", "emailAddress") or told.get("customerEmailAddress") or "",
        phone=_first(customer, "phoneNumbers", "phoneNumber") or told.get("customerPhoneNumber") or "", raw=raw,
    )  # fmt: skip


def order_line(raw: Raw, currency: str, unknown: list[str]) -> OrderLine:
    """One line: a till rings up each piece for itself. What is sold by the unit says how many: a quantity that is no
    whole number (1.7 lb) becomes one piece at the price of the whole. What is no item of the inventory is a fee."""
    units = Decimal(raw["unitQty"]) / UNITS if raw.get("unitQty") else Decimal(1)
    extras = sum((_amount(extra, "amount", currency) for extra in items(raw, "modifications")), ZERO)
    price, title = _amount(raw, "price", currency) + extras, _title(raw)
    if units != units.to_integral_value() or units < 1:
        unknown.append(f"quantity {units.normalize():f} of {title}")
        title, price, units = f"{units.normalize():f} {title}", _rounded(price * units, currency), Decimal(1)
    if raw.get("exchanged"):
        unknown.append(f"{title} was exchanged")
    is_goods = bool((raw.get("item") or {}).get("id")) and raw.get("isRevenue") is not False
    is_goods = is_goods and not raw.get("isOrderFee")
    return OrderLine(
        external_id=raw["id"], title=title, listing_id=(raw.get("item") or {}).get("id") or "", quantity=int(units),
        unit_price=price, discount=_discount(items(raw, "discounts"), price * int(units), currency),
        kind="goods" if is_goods else "fee",
    )  # fmt: skip


def _title(raw: Raw) -> str:
    names = [extra["name"] for extra in items(raw, "modifications") if extra.get("name")]
    return f"{raw.get('name') or ''} ({', '.join(names)})" if names else str(raw.get("name") or "")


def _discount(discounts: Sequence[Raw], price: Decimal, currency: str) -> Decimal:
    """What discounts take off a price, percentages first, never more than all of it. Their amounts are negative."""
    percent = sum((_percent(one) for one in discounts), ZERO)
    taken = _rounded(price * percent / 100, currency)
    taken += sum((abs(_amount(one, "amount", currency)) for one in discounts if not _percent(one)), ZERO)
    return min(taken, max(price, ZERO))


def _percent(raw: Raw) -> Decimal:
    if raw.get("percentageDecimal"):
        return Decimal(raw["percentageDecimal"]) / ONE_PERCENT
    return Decimal(raw.get("percentage") or 0)


def _order_discounts(raw: Raw, subtotal: Decimal, currency: str) -> Iterator[OrderLine]:
    """What is taken off the order as a whole."""
    found = items(raw, "discounts")
    amount = _discount(found, subtotal, currency)
    if amount:
        names = ", ".join(str(one.get("name") or "") for one in found)
        yield OrderLine(external_id="discounts", title=names or "Discount", kind="discount", discount=amount)


def _off(lines: Sequence[OrderLine]) -> Decimal:
    return sum((line.discount for line in lines), ZERO)


def _charges(raw: Raw, subtotal: Decimal, currency: str) -> Iterator[OrderLine]:
    """Delivery and service charges."""
    for number, charge in enumerate(items(raw, "additionalCharges"), start=1):
        amount = _amount(charge, "amount", currency)
        amount = amount or _rounded(subtotal * _percent(charge) / 100, currency)
        kind = "shipping" if charge.get("type") == "DELIVERY_FEE" else "fee"
        name = charge.get("id") or f"charge-{number}"
        yield OrderLine(external_id=name, title=str(charge.get("type") or ""), unit_price=amount, kind=kind)
    service = raw.get("serviceCharge") or {}
    amount = _rounded(subtotal * _percent(service) / 100, currency)
    if amount:
        yield OrderLine(
            external_id=service.get("id") or "service", title=service.get("name") or "Service charge",
            unit_price=amount, kind="fee",
        )  # fmt: skip


def _tax(raw: Raw, lines: Sequence[OrderLine], total: Decimal, currency: str) -> Decimal | None:
    """The tax of an order: what its payments tell once it is paid; before, what the total holds beside the lines where
    taxes are added, and nothing is known where they are included."""
    if raw.get("paymentState") in WAS_PAID:
        return sum((_amount(one, "taxAmount", currency) for one in items(raw, "payments") if _counts(one)), ZERO)
    if raw.get("isVat"):
        return None
    return max(ZERO, total - sum((line.quantity * line.unit_price - line.discount for line in lines), ZERO))


def _counts(payment: Raw) -> bool:
    return RESULTS.get(str(payment.get("result") or "SUCCESS")) in ("captured", "authorised")


def _tender(raw: Raw, currency: str, unknown: list[str]) -> Tender:
    """A payment with its tip."""
    result = str(raw.get("result") or "SUCCESS")
    if result not in RESULTS:
        unknown.append(result)
    kind = raw.get("tender") or {}
    label = str(kind.get("labelKey") or "")
    return Tender(
        external_id=raw["id"], tender=TENDERS.get(label) or str(kind.get("label") or "other").lower()[:30],
        amount=_amount(raw, "amount", currency) + _amount(raw, "tipAmount", currency),
        state=RESULTS.get(result, "pending"),
    )  # fmt: skip


def _refunds(raw: Raw, currency: str) -> Iterator[RefundRecord]:
    """Money that was given back of payments, and credits given by hand on this order."""
    for one in (*items(raw, "refunds"), *items(raw, "credits")):
        if one.get("status") not in NOT_GIVEN and not one.get("voided"):
            yield RefundRecord(
                external_id=one["id"], amount=_amount(one, "amount", currency), reason=one.get("reason") or ""
            )


# Listings.


def listing_record(raw: Raw, currency: str) -> ListingRecord:
    """An item of the inventory: a variant is an item of its own there."""
    is_fixed = raw.get("priceType") != "VARIABLE"
    return ListingRecord(
        ref=listing_ref(raw["id"], raw.get("sku") or ""), title=raw.get("name") or "",
        barcode=raw.get("code") or "", price=_amount(raw, "price", currency) if is_fixed else None, currency=currency,
        is_available=not raw.get("hidden") and raw.get("available") is not False and not raw.get("deletedTime"),
        raw=raw,
    )  # fmt: skip


def item_fields(content: ListingContent, minor: int | None) -> dict[str, Any]:
    """What to tell Clover of an item; `minor` is its price."""
    fields: dict[str, Any] = {"name": content.title[:127], "available": content.is_available}
    fields |= {"sku": content.ref.sku[:100]} if content.ref.sku else {}
    fields |= {"code": content.barcode[:100]} if content.barcode else {}
    return fields | ({} if minor is None else {"price": minor, "priceType": "FIXED"})


def listing_ref(item: str, sku: str) -> ListingRef:
    """What an item is called there; `ids` say that it stands there."""
    return ListingRef(key=item, sku=sku, ids={"item": item})


def shown_quantity(raw: Raw) -> int:
    """The stock of an item; what is measured in parts of a unit shows its whole units."""
    told = raw["quantity"] if raw.get("quantity") is not None else raw.get("stockCount") or 0
    return int(Decimal(told).to_integral_value(rounding=ROUND_FLOOR))


# Customers.


def customer_version(now: datetime) -> str:
    """A customer as of this moment: Clover does not tell when one changed, so the newer question counts. A few seconds
    make one moment."""
    return f"{int(now.timestamp()) // SLOT_SECONDS * SLOT_SECONDS:013d}"


def customer_record(raw: Raw, version: str) -> CustomerRecord:
    """A customer as Clover tells it; False of `marketingAllowed` is what every new customer has, and says nothing."""
    name = full_name(raw.get("firstName"), raw.get("lastName"))
    business = (raw.get("metadata") or {}).get("businessName") or ""
    return CustomerRecord(
        external_id=raw["id"], version=version, name=name or business,
        email=_first(raw, "emailAddresses", "emailAddress"), phone=_first(raw, "phoneNumbers", "phoneNumber"),
        address=_address(next(iter(items(raw, "addresses")), {}), name, business),
        accepts_email=True if raw.get("marketingAllowed") else None, raw=raw,
    )  # fmt: skip


def _address(raw: Raw, name: str, company: str) -> Address:
    more = ", ".join(part for part in (raw.get("address2"), raw.get("address3")) if part)
    return read_address({**raw, "address2": more}, ADDRESS, name=name, company=company)


def customer_fields(content: CustomerContent, known: Raw) -> dict[str, Any]:
    """What to tell Clover of a customer; addresses of e-mail, phone and street are added to those that it has."""
    first, _, last = content.name.strip().rpartition(" ")
    fields: dict[str, Any] = {}
    if content.name.strip():
        fields |= {"firstName": first[:64], "lastName": last[:64]} if first else {"firstName": last[:64]}
    if content.accepts_email is not None:
        fields["marketingAllowed"] = content.accepts_email
    place = content.address
    told = {theirs: getattr(place, ours)[: LENGTHS.get(theirs, 127)] for ours, theirs in ADDRESS.items()}
    added: list[tuple[str, str, Any]] = [
        ("emailAddresses", "emailAddress", content.email and {"emailAddress": content.email}),
        ("phoneNumbers", "phoneNumber", content.phone and {"phoneNumber": content.phone}),
        ("addresses", "address1", place.street and told),
    ]
    for field, key, value in added:
        there = items(known, field)
        if value and not any(str(one.get(key)).lower() == str(value[key]).lower() for one in there):
            fields[field] = [*there, value]
    return fields


# Amounts, moments, lists.


def items(raw: Any, name: str) -> list[Raw]:
    """The objects of a list within an object: bare, or wrapped as `{"elements": [...]}`; Clover leaves an empty one
    out. Raises ValueError for what is no list of objects."""
    found = raw.get(name) or []
    found = found.get("elements") or [] if isinstance(found, Mapping) else found
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise ValueError(f"{name} is no list of objects")
    return found


def moment(milliseconds_since_1970: int) -> datetime:
    """A moment as Clover counts it, in UTC."""
    return datetime.fromtimestamp(milliseconds_since_1970 / 1000, UTC)


def _amount(raw: Raw, name: str, currency: str) -> Decimal:
    return from_minor(raw.get(name) or 0, currency)


def _rounded(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(from_minor(1, currency), rounding=ROUND_HALF_UP)


def _first(raw: Raw, field: str, name: str) -> str:
    found = [one for one in items(raw, field) if one.get(name)]
    primary = next((one for one in found if one.get("primaryEmail")), found[0] if found else {})
    return str(primary.get(name) or "")
