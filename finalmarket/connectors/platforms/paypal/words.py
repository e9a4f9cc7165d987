"""From PayPal's words to ours, and back: pure functions, no calls. Amounts are Decimal, moments are aware.

Everything is read from an order as Orders v2 shows it (https://developer.paypal.com/docs/api/orders/v2/). A capture or
an authorisation that has no order is dressed as one, so that there is one way to read a payment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from finalmarket.connectors.moments import to_second, utc
from finalmarket.connectors.money import minor_units, to_minor
from finalmarket.connectors.own_keys import plain_or_digest
from finalmarket.connectors.records import ZERO, Event, PaymentRecord, PaymentRequest, Raw, RefundRecord

# Each list is a way that a thing goes: a later word is a later state.
ORDER_STEPS = ("CREATED", "SAVED", "PAYER_ACTION_REQUIRED", "APPROVED", "VOIDED", "COMPLETED")
AUTHORISATION_STEPS = ("PENDING", "CREATED", "PARTIALLY_CAPTURED", "CAPTURED", "VOIDED", "DENIED")
CAPTURE_STEPS = ("PENDING", "COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED", "DECLINED", "FAILED")
REFUND_STEPS = ("PENDING", "COMPLETED", "CANCELLED", "FAILED")
DISPUTE_STEPS = (
    "OPEN", "WAITING_FOR_BUYER_RESPONSE", "WAITING_FOR_SELLER_RESPONSE", "UNDER_REVIEW", "OTHER", "RESOLVED",
)  # fmt: skip
TAKEN = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")
HELD = ("CREATED", "PARTIALLY_CAPTURED")
GIVEN_BACK, NOT_GIVEN_BACK = ("PENDING", "COMPLETED"), ("CANCELLED", "FAILED")
LOST = ("RESOLVED_BUYER_FAVOUR", "ACCEPTED")  # outcomes at which the money does not come back to the merchant
NOT_APPROVED = ("CREATED", "SAVED", "PAYER_ACTION_REQUIRED")
WHOLE_ONLY = ("HUF", "JPY", "TWD")  # https://developer.paypal.com/reference/currency-codes/
PAYMENT_TOPICS = (
    "CHECKOUT.ORDER.APPROVED", "CHECKOUT.PAYMENT-APPROVAL.REVERSED", "PAYMENT.AUTHORIZATION.CREATED",
    "PAYMENT.AUTHORIZATION.VOIDED", "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.DENIED", "PAYMENT.CAPTURE.PENDING",
    "PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED", "CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.UPDATED",
    "CUSTOMER.DISPUTE.RESOLVED",
)  # fmt: skip
MOST_LETTERS_IN_FIELD = 127


# Payments.


def payment_record(raw: Raw, disputes: Sequence[Raw] = (), order_field: str = "custom_id") -> PaymentRecord:
    """A payment from an order. `disputes` are those of its captures, `order_field` is where the shop writes its order's
    number (custom_id or invoice_id; the other one is taken where it is empty).

    Raises ValueError where its refunds cannot be told, or where its parts are of several currencies.
    """
    units = raw.get("purchase_units") or ()
    amounts = [unit["amount"] for unit in units]
    (currency,) = {amount["currency_code"] for amount in amounts}
    captured = sum((amount_of(one["amount"]) for one in captures_of(raw) if one.get("status") in TAKEN), ZERO)
    given_back = tuple(_refunds(raw))
    state = _state(raw)
    if state == "captured" and any(is_standing(dispute) for dispute in disputes):
        state = "disputed"
    elif state == "captured" and given_back and sum((refund.amount for refund in given_back), ZERO) >= captured:
        state = "refunded"
    payer = raw.get("payer") or {}
    return PaymentRecord(
        external_id=raw["id"], version=_version(raw, disputes), amount=sum(map(amount_of, amounts), ZERO),
        currency=currency, state=state, captured=captured, is_held=any(map(is_held, authorisations_of(raw))),
        refunds=given_back,
        failed_refunds=tuple(one["id"] for one in refunds_of(raw) if one.get("status") in NOT_GIVEN_BACK),
        order_id=_order_id(units, order_field), customer_id=payer.get("payer_id") or "",
        email=payer.get("email_address") or "", unknown=tuple(_unknown(raw, disputes)), raw=raw,
    )  # fmt: skip


def authorisations_of(raw: Raw) -> list[Raw]:
    """The holds of an order."""
    return _parts(raw, "authorizations")


def is_held(hold: Raw) -> bool:
    """Whether something of a hold can still be taken or let go."""
    return hold.get("status") in HELD


def captures_of(raw: Raw) -> list[Raw]:
    """What was taken of an order, or tried to be."""
    return _parts(raw, "captures")


def refunds_of(raw: Raw) -> list[Raw]:
    """What was given back of an order, or tried to be."""
    return _parts(raw, "refunds")


def _parts(raw: Raw, name: str) -> list[Raw]:
    units = raw.get("purchase_units") or ()
    return [part for unit in units for part in (unit.get("payments") or {}).get(name) or ()]


def dressed(part: Raw, name: str) -> Raw:
    """A capture or an authorisation (`name` is its list) as an order: for payments whose order is not there. It bears
    the order's id where it names one, so that it stays the same payment."""
    unit = {key: part[key] for key in ("amount", "custom_id", "invoice_id") if part.get(key)}
    return {
        "id": order_of(part) or part["id"], "status": "COMPLETED",
        "purchase_units": [{**unit, "payments": {name: [part]}}],
    }  # fmt: skip


def order_of(part: Raw) -> str:
    """The id of the order that a capture or authorisation belongs to; "" where it names none."""
    return str(((part.get("supplementary_data") or {}).get("related_ids") or {}).get("order_id") or "")


def parent_of(part: Raw) -> str:
    """The id that the link "up" ends in: a refund's capture; "" for none."""
    found = (link["href"] for link in part.get("links") or () if link.get("rel") == "up")
    return str(next(found, "")).rstrip("/").rpartition("/")[2]


def left_of(capture: Raw, raw: Raw) -> Decimal:
    """What can still be given back of a capture of an order."""
    is_only_one = len(captures_of(raw)) == 1
    given = (
        amount_of(refund["amount"])
        for refund in refunds_of(raw)
        if refund.get("status") in GIVEN_BACK and (is_only_one or parent_of(refund) == capture["id"])
    )
    return amount_of(capture["amount"]) - sum(given, ZERO)


def _refunds(raw: Raw) -> Iterator[RefundRecord]:
    told = [refund for refund in refunds_of(raw) if refund.get("status") in GIVEN_BACK]
    for refund in told:
        yield RefundRecord(
            external_id=refund["id"], amount=amount_of(refund["amount"]), reason=refund.get("note_to_payer") or ""
        )
    if refunds_of(raw):
        return
    for capture in captures_of(raw):
        if capture.get("status") == "REFUNDED":
            yield RefundRecord(external_id=f"{capture['id']}:refunded", amount=amount_of(capture["amount"]))
        elif capture.get("status") == "PARTIALLY_REFUNDED":
            raise ValueError("a part was given back, but PayPal does not tell how much")


def _state(raw: Raw) -> str:
    status = raw.get("status")
    taken, held = captures_of(raw), authorisations_of(raw)
    words = [one.get("status") for one in taken]
    if any(word in TAKEN for word in words):
        return "captured"
    if "PENDING" in words:
        return "pending"
    if any(map(is_held, held)):
        return "authorised"
    holds = [one.get("status") for one in held]
    if "PENDING" in holds:
        return "pending"
    if status == "VOIDED" or "VOIDED" in holds:
        return "voided"
    return "failed" if {"DECLINED", "FAILED", "DENIED"} & {*words, *holds} else "pending"


def is_standing(dispute: Raw) -> bool:
    """Whether a dispute is open, or was lost."""
    if dispute.get("status") != "RESOLVED":
        return True
    return (dispute.get("dispute_outcome") or {}).get("outcome_code") in LOST


def _unknown(raw: Raw, disputes: Sequence[Raw]) -> Iterator[str]:
    tables = (
        ((raw,), ORDER_STEPS), (authorisations_of(raw), AUTHORISATION_STEPS), (captures_of(raw), CAPTURE_STEPS),
        (refunds_of(raw), REFUND_STEPS), (disputes, DISPUTE_STEPS),
    )  # fmt: skip
    for things, steps in tables:
        yield from (str(thing.get("status")) for thing in things if thing.get("status") not in steps)


def _version(raw: Raw, disputes: Sequence[Raw]) -> str:
    """The latest moment at which any part of the payment changed, and how far all parts have come: what happens within
    one second still counts on."""
    parts: list[tuple[Raw, Sequence[str]]] = [(raw, ORDER_STEPS)]
    parts += [(one, AUTHORISATION_STEPS) for one in authorisations_of(raw)]
    parts += [(one, CAPTURE_STEPS) for one in captures_of(raw)]
    parts += [(one, REFUND_STEPS) for one in refunds_of(raw)]
    parts += [(one, DISPUTE_STEPS) for one in disputes]
    told = [moment for part, _ in parts for moment in (part.get("update_time"), part.get("create_time")) if moment]
    latest = max((to_second(utc(moment)) for moment in told), default=to_second(datetime.fromtimestamp(0, UTC)))
    steps = sum(1 + _step(table, str(part.get("status"))) for part, table in parts)
    return f"{latest}.{steps:04d}"


def _step(steps: Sequence[str], word: str) -> int:
    return steps.index(word) if word in steps else 0


def _order_id(units: Sequence[Raw], order_field: str) -> str:
    other = "invoice_id" if order_field == "custom_id" else "custom_id"
    named = (unit.get(field) for field in (order_field, other) for unit in units)
    return str(next((name for name in named if name), ""))


# What goes out.


def order_fields(request: PaymentRequest) -> dict[str, Any]:
    """What to tell PayPal of a payment that a buyer is to make. Raises ValueError for an amount it does not take."""
    unit: dict[str, Any] = {
        "amount": money(request.amount, request.currency), "custom_id": request.order_number[:MOST_LETTERS_IN_FIELD],
    }  # fmt: skip
    if request.description:
        unit["description"] = request.description[:MOST_LETTERS_IN_FIELD]
    wallet: dict[str, Any] = {
        "experience_context": {
            "return_url": request.return_url, "cancel_url": request.cancel_url, "user_action": "PAY_NOW",
            "shipping_preference": "NO_SHIPPING",  # the shop knows where the goods go
        }
    }  # fmt: skip
    if request.email:
        wallet["email_address"] = request.email
    intent = "AUTHORIZE" if request.is_authorise_only else "CAPTURE"
    return {"intent": intent, "purchase_units": [unit], "payment_source": {"paypal": wallet}}


def approval_of(raw: Raw) -> str:
    """Where the buyer says yes. Raises ValueError where the order tells no such address."""
    found = (link["href"] for link in raw.get("links") or () if link.get("rel") in ("payer-action", "approve"))
    address = next(found, "")
    if not address:
        raise ValueError(f"the order is {raw.get('status')} and tells no address for the buyer")
    return str(address)


# Events.


def event_of(raw: Raw) -> Event:
    """What a webhook says. Raises KeyError, ValueError where it cannot be read."""
    (kind, subject), made = concern_of(raw), raw.get("create_time")
    return Event(
        event_id=str(raw["id"]), topic=str(raw["event_type"]), kind=kind, external_id=subject,
        occurred_at=utc(made) if made else None,
    )  # fmt: skip


def concern_of(event: Raw) -> tuple[str, str]:
    """The stream that an event concerns, and whom in it: an order's id, or that of a capture or authorisation."""
    topic, about = str(event["event_type"]), event.get("resource")
    if topic not in PAYMENT_TOPICS or not isinstance(about, Mapping):
        return "unknown", ""
    if topic.startswith("CUSTOMER.DISPUTE."):
        return "payments", disputed_by(about)
    if topic.startswith("CHECKOUT."):
        return "payments", str(about.get("order_id") or about.get("id") or "")
    if topic in ("PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED"):
        return "payments", order_of(about) or parent_of(about)
    return "payments", order_of(about) or str(about.get("id") or "")


def disputed_by(dispute: Raw) -> str:
    """The id of the capture that a dispute is about; "" where it does not say."""
    found = (str(one.get("seller_transaction_id") or "") for one in dispute.get("disputed_transactions") or ())
    return next((name for name in found if name), "")


# Amounts, moments and names.


def amount_of(raw: Raw) -> Decimal:
    """An amount as PayPal writes it. Raises ValueError for what is none."""
    amount = Decimal(raw["value"])
    if not amount.is_finite():
        raise ValueError(f"{raw['value']} is no amount")
    return amount


def money(amount: Decimal, currency: str) -> dict[str, str]:
    """An amount for PayPal. Raises ValueError, in words, for one that it does not take."""
    code = currency.upper()
    minor = to_minor(amount, "JPY" if code in WHOLE_ONLY else code)
    if minor <= 0:
        raise ValueError(f"{amount} {code} is no amount to move")
    return {"currency_code": code, "value": f"{amount:.{0 if code in WHOLE_ONLY else minor_units(code)}f}"}


def tag_of(key: str) -> str:
    """Our key as PayPal takes it in headers and fields: itself, or its digest where it is long or odd."""
    return plain_or_digest(key, r"[A-Za-z0-9_.,-]{1,80}")
