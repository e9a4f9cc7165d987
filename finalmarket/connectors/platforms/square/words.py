"""From Square's words to ours: orders with their money, customers, listings, stock. Pure functions, no calls.

Published source: Square Connect API, OpenAPI file of release 2025-08-20. Amounts are whole numbers of the smallest
unit, moments RFC 3339, quantities decimal numbers written as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal

from finalmarket.connectors.moments import utc
from finalmarket.connectors.paging import read_text
from finalmarket.connectors.people import read_address
from finalmarket.connectors.platforms.square.amounts import changed_at, money
from finalmarket.connectors.platforms.square.returns import exchanged, is_given, refund_record
from finalmarket.connectors.records import (
    ZERO,
    Address,
    CustomerRecord,
    FulfilmentRecord,
    ListingRecord,
    ListingRef,
    OrderLine,
    OrderRecord,
    Raw,
    RefundRecord,
    StockRecord,
    Tender,
)

STATES = frozenset({"OPEN", "COMPLETED", "CANCELED", "DRAFT"})
LINE_KINDS: Mapping[str, str] = {"ITEM": "goods", "CUSTOM_AMOUNT": "fee", "GIFT_CARD": "fee"}
TENDERS: Mapping[str, str] = {
    "CARD": "card", "THIRD_PARTY_CARD": "card", "CASH": "cash", "SQUARE_GIFT_CARD": "gift_card", "WALLET": "wallet",
    "BANK_ACCOUNT": "bank_transfer", "BUY_NOW_PAY_LATER": "pay_later", "SQUARE_ACCOUNT": "invoice", "OTHER": "other",
}  # fmt: skip
DRAWER_OPENED = "NO_SALE"
TENDER_STATES: Mapping[str, str] = {
    "AUTHORIZED": "authorised", "CAPTURED": "captured", "COMPLETED": "captured", "PENDING": "pending",
    "VOIDED": "voided", "FAILED": "failed",
}  # fmt: skip
FULFILMENT_STATES = frozenset({"PROPOSED", "RESERVED", "PREPARED", "COMPLETED", "CANCELED", "FAILED"})
SENT_OR_FETCHED = ("SHIPMENT", "DELIVERY", "PICKUP")
WHEN_IT_LEFT = ("shipped_at", "delivered_at", "picked_up_at", "completed_at")
# Catalogue items that are no goods: nothing of them lies on a shelf.
NO_GOODS = frozenset(
    {
        "GIFT_CARD", "APPOINTMENTS_SERVICE", "DONATION", "LEGACY_SQUARE_ONLINE_SERVICE",
        "LEGACY_SQUARE_ONLINE_MEMBERSHIP",
    }
)  # fmt: skip
ONLY_VARIATION = "regular"  # what Square calls the variation of an item that has no choice
ADDRESS: Mapping[str, str] = {
    "street": "address_line_1", "street2": "address_line_2", "postcode": "postal_code", "city": "locality",
    "region": "administrative_district_level_1", "country": "country",
}  # fmt: skip


# Orders.


def is_order(raw: Raw) -> bool:
    """Whether it is a sale: not a draft, not the mere return of another, not an opened cash drawer."""
    if raw.get("state") == "DRAFT":
        return False
    return bool(raw.get("line_items")) or not (raw.get("returns") or money(raw.get("total_money")) == 0)


def order_record(raw: Raw, refunds: Sequence[RefundRecord] = (), changed: str = "") -> OrderRecord:
    """A sale. `refunds` are those that other orders or payments tell of it, `changed` the latest moment of one."""
    unknown: list[str] = []
    own = [refund_record(refund) for refund in raw.get("refunds") or () if not raw.get("returns") and is_given(refund)]
    everything = {refund.external_id: refund for refund in (*own, *refunds)}
    lines = (*order_lines(raw, unknown), *charge_lines(raw), *adjustment_lines(raw, unknown))
    sent = [one for one in raw.get("fulfillments") or () if one.get("type") in SENT_OR_FETCHED]
    person = recipient(raw)
    added, _ = taxes(raw, [])
    if raw.get("state", "OPEN") not in STATES:
        unknown.append(f"state {raw['state']}")
    return OrderRecord(
        external_id=raw["id"], version=max(changed_at(raw), changed), placed_at=utc(raw["created_at"]),
        updated_at=utc(raw.get("updated_at") or raw["created_at"]), currency=currency_of(raw), lines=lines,
        number=raw.get("reference_id") or raw.get("ticket_name") or "", is_cancelled=is_cancelled(raw),
        handed_over=raw.get("state") == "COMPLETED" and not sent, place=raw["location_id"],
        location=raw["location_id"], tenders=tender_records(raw, unknown), refunds=tuple(everything.values()),
        fulfilments=fulfilment_records(raw, lines, unknown), name=person.get("display_name") or "",
        email=person.get("email_address") or "", phone=person.get("phone_number") or "", customer_id=customer_of(raw),
        shipping_address=delivery_address(raw), tax_included=not added, tax=money(raw.get("total_tax_money")),
        tip=money(raw.get("total_tip_money")), total=money(raw.get("total_money")), unknown=tuple(unknown), raw=raw,
    )  # fmt: skip


def currency_of(raw: Raw) -> str:
    """The currency of an order. Raises KeyError where no amount of it names one."""
    if (raw.get("total_money") or {}).get("currency"):
        return str(raw["total_money"]["currency"])
    return str(next(line["base_price_money"]["currency"] for line in raw["line_items"] if line.get("base_price_money")))


def is_cancelled(raw: Raw) -> bool:
    """Whether nobody is to be served: the order is cancelled, or each of its fulfilments is (a paid order has no
    other way)."""
    parcels = raw.get("fulfillments") or ()
    return raw.get("state") == "CANCELED" or bool(parcels and all(one.get("state") == "CANCELED" for one in parcels))


def order_lines(raw: Raw, unknown: list[str]) -> tuple[OrderLine, ...]:
    """The lines of goods, custom amounts and gift cards. Square does not tell their SKU, but their variation."""
    numbered = enumerate(raw.get("line_items") or (), start=1)
    return tuple(
        order_line(line, number, unknown) for number, line in numbered if Decimal(line.get("quantity") or "1") != 0
    )


def order_line(raw: Raw, number: int, unknown: list[str]) -> OrderLine:
    """One line. A quantity that is no whole number (1.7 kg) becomes one piece at the price of the whole."""
    quantity = Decimal(raw.get("quantity") or "1")
    gross = _gross(raw, quantity)
    kind = raw.get("item_type") or "ITEM"
    if kind not in LINE_KINDS:
        unknown.append(f"line {kind}")
    title = line_title(raw)
    if quantity != quantity.to_integral_value():
        unknown.append(f"quantity {raw['quantity']} of {title}")
        title, quantity = f"{quantity.normalize():f} {title}".strip(), Decimal(1)
    return OrderLine(
        external_id=raw.get("uid") or f"line-{number}", title=title, listing_id=raw.get("catalog_object_id") or "",
        quantity=int(quantity), unit_price=gross / int(quantity), discount=money(raw.get("total_discount_money")),
        tax=money(raw.get("total_tax_money")), kind=LINE_KINDS.get(kind, "goods"),
    )  # fmt: skip


def _gross(raw: Raw, quantity: Decimal) -> Decimal:
    """The price of a line with its modifiers, before discount. Not `gross_sales_money`: in the United States, Canada
    and Japan Square takes included taxes out of that."""
    price = raw.get("variation_total_price_money")
    whole = money(price) if price else money(raw.get("base_price_money")) * quantity
    return whole + sum((money(extra.get("total_price_money")) for extra in raw.get("modifiers") or ()), ZERO)


def line_title(raw: Raw) -> str:
    """What was bought, with its variation and its extras."""
    name, variation = raw.get("name") or "", raw.get("variation_name") or ""
    if variation and variation.lower() not in (ONLY_VARIATION, name.lower()):
        name = f"{name} - {variation}" if name else variation
    extras = [extra["name"] for extra in raw.get("modifiers") or () if extra.get("name")]
    return f"{name} ({', '.join(extras)})" if extras else name


def charge_lines(raw: Raw) -> tuple[OrderLine, ...]:
    """Service charges: shipping where the name says so, else fees. Their discount is none."""
    lines = []
    for number, charge in enumerate(raw.get("service_charges") or (), start=1):
        name = charge.get("name") or "Service charge"
        kind = "shipping" if any(word in name.lower() for word in ("shipping", "delivery", "postage")) else "fee"
        lines.append(
            OrderLine(
                external_id=charge.get("uid") or f"charge-{number}", title=name, kind=kind,
                unit_price=money(charge.get("applied_money")), tax=money(charge.get("total_tax_money")),
            )
        )  # fmt: skip
    return tuple(lines)


def taxes(raw: Raw, unknown: list[str]) -> tuple[Decimal, Decimal]:
    """What taxes were added to the prices, and what is included in them."""
    included = ZERO
    for tax in raw.get("taxes") or ():
        if tax.get("type") == "INCLUSIVE":
            included += money(tax.get("applied_money"))
        elif tax.get("type") != "ADDITIVE" and money(tax.get("applied_money")):
            unknown.append(f"tax {tax.get('type')}")
    return money(raw.get("total_tax_money")) - included, included


def adjustment_lines(raw: Raw, unknown: list[str]) -> tuple[OrderLine, ...]:
    """Cash rounding; and where some taxes are added and others included, what takes the included ones out of the
    prices, since the order then counts all taxes on top."""
    lines = []
    rounding = (raw.get("rounding_adjustment") or {}).get("amount_money")
    if money(rounding):
        lines.append(("rounding", "Rounding", money(rounding)))
    added, included = taxes(raw, unknown)
    if added and included:
        lines.append(("included-taxes", "Taxes included in prices", -included))
    return tuple(
        OrderLine(external_id=name, title=title, unit_price=amount, kind="adjustment", tax=ZERO)
        for name, title, amount in lines
    )


def tender_records(raw: Raw, unknown: list[str]) -> tuple[Tender, ...]:
    """How an order was paid; goods that were given back in exchange count as a payment."""
    tenders = []
    for number, tender in enumerate(raw.get("tenders") or (), start=1):
        word = tender.get("type") or "OTHER"
        if word == DRAWER_OPENED:
            continue
        if word not in TENDERS:
            unknown.append(f"tender {word}")
        details: Raw = next((part for name, part in tender.items() if name.endswith("_details") and part), {})
        state = details.get("status") or "CAPTURED"
        if state not in TENDER_STATES:
            unknown.append(f"tender state {state}")
        tenders.append(
            Tender(
                external_id=tender.get("payment_id") or tender.get("id") or f"tender-{number}",
                tender=TENDERS.get(word, word.lower()[:30]), amount=money(tender.get("amount_money")),
                state=TENDER_STATES.get(state, "pending"),
            )
        )  # fmt: skip
    credit = exchanged(raw)
    if credit:
        tenders.append(Tender(external_id=f"{raw['id']}:exchange", tender="exchange", amount=credit))
    return tuple(tenders)


def fulfilment_records(raw: Raw, lines: Sequence[OrderLine], unknown: list[str]) -> tuple[FulfilmentRecord, ...]:
    """What has left: parcels given to a carrier, goods that were fetched."""
    records = []
    for number, parcel in enumerate(raw.get("fulfillments") or (), start=1):
        if parcel.get("state") not in FULFILMENT_STATES:
            unknown.append(f"fulfilment state {parcel.get('state')}")
        if parcel.get("type") not in SENT_OR_FETCHED:
            unknown.append(f"fulfilment {parcel.get('type')}")
        elif parcel.get("state") == "COMPLETED":
            records.append(_left(parcel, number, lines, raw["location_id"]))
    return tuple(records)


def _left(parcel: Raw, number: int, lines: Sequence[OrderLine], location: str) -> FulfilmentRecord:
    details = parcel_details(parcel)
    left = next((details[name] for name in WHEN_IT_LEFT if details.get(name)), None)
    return FulfilmentRecord(
        external_id=parcel.get("uid") or f"fulfilment-{number}", lines=parcel_lines(parcel, lines),
        carrier=details.get("carrier") or details.get("courier_provider_name") or "",
        tracking_number=details.get("tracking_number") or "", tracking_url=details.get("tracking_url") or "",
        location=location, shipped_at=utc(left) if left else None,
    )  # fmt: skip


def parcel_details(parcel: Raw) -> Raw:
    """The part of a fulfilment that goes with its type."""
    return parcel.get(f"{str(parcel.get('type')).lower()}_details") or {}


def parcel_lines(parcel: Raw, lines: Sequence[OrderLine]) -> tuple[tuple[str, int], ...]:
    """Which units of goods a fulfilment is of: all, unless it lists them."""
    goods = {line.external_id: line.quantity for line in lines if line.kind == "goods"}
    if parcel.get("line_item_application") != "ENTRY_LIST":
        return tuple(goods.items())
    listed: dict[str, Decimal] = {}
    for entry in parcel.get("entries") or ():
        name = entry["line_item_uid"]
        listed[name] = listed.get(name, ZERO) + Decimal(entry["quantity"])
    return tuple(
        (name, int(units) if units == units.to_integral_value() else 1)
        for name, units in listed.items()
        if name in goods
    )


def recipient(raw: Raw) -> Raw:
    """Who gets the goods, as the fulfilments tell it; nobody for a sale at the till."""
    people = [parcel_details(parcel).get("recipient") for parcel in raw.get("fulfillments") or ()]
    return next((person for person in people if person), {})


def delivery_address(raw: Raw) -> Address:
    """Where a parcel goes."""
    person = recipient(raw)
    return address(person.get("address"), name=person.get("display_name") or "", phone=person.get("phone_number") or "")


def customer_of(raw: Raw) -> str:
    """Square's id of the customer: of the order, of its recipient or of a tender."""
    given = (raw.get("customer_id"), recipient(raw).get("customer_id"))
    paid = (tender.get("customer_id") for tender in raw.get("tenders") or ())
    return next((str(one) for one in (*given, *paid) if one), "")


# Customers.


def customer_record(raw: Raw) -> CustomerRecord:
    """A customer. Square knows who unsubscribed, not who agreed: the others are None."""
    name = " ".join(part for part in (raw.get("given_name"), raw.get("family_name")) if part)
    unsubscribed = (raw.get("preferences") or {}).get("email_unsubscribed")
    return CustomerRecord(
        external_id=raw["id"], version=changed_at(raw),
        name=name or raw.get("company_name") or raw.get("nickname") or "", email=raw.get("email_address") or "",
        phone=raw.get("phone_number") or "",
        address=address(raw.get("address"), name=name, company=raw.get("company_name") or ""),
        accepts_email=False if unsubscribed else None, raw=raw,
    )  # fmt: skip


def address(raw: Raw | None, *, name: str = "", company: str = "", phone: str = "") -> Address:
    """A postal address; its second and third line are one of ours."""
    raw = raw or {}
    own = " ".join(part for part in (raw.get("first_name"), raw.get("last_name")) if part)
    if not any(raw.values()):
        return Address(name=name, company=company, phone=phone) if name or company or phone else Address()
    more = ", ".join(part for part in (raw.get("address_line_2"), raw.get("address_line_3")) if part)
    place = read_address({**raw, "address_line_2": more}, ADDRESS)
    return replace(place, name=own or name, company=company, phone=phone)


# Listings and stock.


def sold_variations(item: Raw) -> list[tuple[Raw, Raw]]:
    """Every variation of an item of goods, with its item."""
    about = item.get("item_data") or {}
    if read_text(about, "product_type") in NO_GOODS:
        return []
    return [(item, variation) for variation in about.get("variations") or ()]


def listing_record(item: Raw, variation: Raw) -> ListingRecord:
    """A variation as a listing: `ref.key` is its id, `ref.ids` names its item."""
    about, data = item["item_data"], variation["item_variation_data"]
    own, name = data.get("name") or "", about.get("name") or ""
    has_choice = own.lower() not in ("", ONLY_VARIATION, name.lower())
    price = data.get("price_money") if data.get("pricing_type") != "VARIABLE_PRICING" else None
    is_there = not (item.get("is_deleted") or variation.get("is_deleted") or about.get("is_archived"))
    return ListingRecord(
        ref=ListingRef(key=variation["id"], sku=data.get("sku") or "", ids={"item": item["id"]}),
        title=f"{name} - {own}" if has_choice else name,
        description=about.get("description_plaintext") or about.get("description") or "", barcode=data.get("upc") or "",
        price=money(price) if price else None, currency=(price or {}).get("currency") or "",
        is_available=is_there and data.get("sellable") is not False,
        attributes={"variation": own} if has_choice else {}, raw={"item": item, "variation": variation},
    )  # fmt: skip


def stock_record(raw: Raw, sku: str = "") -> StockRecord:
    """A count; what is measured in parts of a unit shows its whole units."""
    units = Decimal(raw.get("quantity") or "0").to_integral_value(rounding=ROUND_FLOOR)
    return StockRecord(key=raw["catalog_object_id"], quantity=int(units), location=raw["location_id"], sku=sku)
