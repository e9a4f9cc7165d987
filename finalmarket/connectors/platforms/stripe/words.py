"""From Stripe's words to ours, and back: pure functions, no calls. Amounts are Decimal, moments are aware.

Object by object as the API of version 2026-05-27.dahlia describes them (https://docs.stripe.com/api).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from finalmarket.connectors.money import from_minor, minor_units, to_minor
from finalmarket.connectors.own_keys import plain_or_digest
from finalmarket.connectors.paging import read_text
from finalmarket.connectors.people import address_fields, read_address
from finalmarket.connectors.records import (
    ZERO,
    Address,
    CustomerContent,
    CustomerRecord,
    PaymentRecord,
    Raw,
    RefundRecord,
)

# The states of a payment intent, and of a charge that was made without one.
INTENT_STATES: Mapping[str, str] = {
    "requires_payment_method": "pending", "requires_confirmation": "pending", "requires_action": "pending",
    "processing": "pending", "requires_capture": "authorised", "succeeded": "captured", "canceled": "voided",
}  # fmt: skip
CHARGE_STATES: Mapping[str, str] = {"pending": "pending", "failed": "failed", "succeeded": "captured"}
# How far an attempt to pay has come; it only ever goes up, until a new charge begins a new attempt.
INTENT_STEPS = (
    "requires_payment_method", "requires_confirmation", "requires_action", "processing", "failed", "requires_capture",
    "succeeded", "canceled",
)  # fmt: skip
REFUND_STEPS = ("requires_action", "pending", "succeeded", "failed", "canceled")
REFUNDS_THAT_COUNT = ("pending", "succeeded")
REFUNDS_THAT_FAILED = ("failed", "canceled")
DISPUTE_STEPS = (
    "warning_needs_response", "warning_under_review", "warning_closed", "needs_response", "under_review", "prevented",
    "lost", "won",
)  # fmt: skip
DISPUTES_OVER = ("warning_closed", "prevented", "won")
# "fraudulent" puts the card and the e-mail address on the account's block list: only where it is said outright.
REFUND_REASONS: Mapping[str, str] = {
    "duplicate": "duplicate", "fraud": "fraudulent", "fraudulent": "fraudulent",
    "requested_by_customer": "requested_by_customer", "customer_request": "requested_by_customer",
    "customer request": "requested_by_customer", "return": "requested_by_customer",
    "returned": "requested_by_customer", "cancelled": "requested_by_customer", "withdrawal": "requested_by_customer",
}  # fmt: skip
# Where Stripe counts otherwise than ISO 4217 (https://docs.stripe.com/currencies#special-cases).
COUNTED_LIKE: Mapping[str, str] = {"ISK": "EUR", "UGX": "EUR", "MGA": "JPY"}
WHOLE_ONLY = ("ISK", "UGX")

DAY_SECONDS = 24 * 3600
EVENTS_KEPT_SECONDS = 30 * DAY_SECONDS

TAG = "finalmarket_key"  # our mark in the metadata of what we made: asked for again, it is found by it
MOST_LETTERS_IN_NAME = 256
MOST_LETTERS_IN_PHONE = 20
ADDRESS: Mapping[str, str] = {
    "street": "line1", "street2": "line2", "postcode": "postal_code", "city": "city", "region": "state",
    "country": "country",
}  # fmt: skip

CUSTOMER_TOPICS = ("customer.created", "customer.updated", "customer.deleted")
PAYMENT_TOPICS = (
    "payment_intent.amount_capturable_updated", "payment_intent.canceled", "payment_intent.created",
    "payment_intent.partially_funded", "payment_intent.payment_failed", "payment_intent.processing",
    "payment_intent.requires_action", "payment_intent.succeeded", "charge.captured", "charge.refund.updated",
    "charge.refunded", "charge.succeeded", "charge.dispute.closed", "charge.dispute.created",
    "charge.dispute.funds_reinstated", "charge.dispute.funds_withdrawn", "charge.dispute.updated", "refund.created",
    "refund.failed", "refund.updated",
)  # fmt: skip


# Payments.


def payment_record(raw: Raw, disputes: Sequence[Raw] = (), order_field: str = "order_id") -> PaymentRecord:
    """A payment from a payment intent with its charge and refunds expanded, or from a charge made without an intent.

    `order_field` is the metadata field that names the order. Raises ValueError where the refunds cannot be told.
    """
    charge = charge_of(raw)
    refunds = refunds_of(charge)
    captured = amount_of(_captured(raw, charge), raw["currency"])
    given_back = tuple(refund_record(refund) for refund in refunds if captured and _counts(refund))
    state, unknown = _state(raw, disputes)
    if state == "captured" and any(dispute["status"] not in DISPUTES_OVER for dispute in disputes):
        state = "disputed"
    elif state == "captured" and given_back and sum((refund.amount for refund in given_back), ZERO) >= captured:
        state = "refunded"
    return PaymentRecord(
        external_id=raw["id"], version=payment_version(raw, disputes), amount=amount_of(raw["amount"], raw["currency"]),
        currency=raw["currency"].upper(), state=state, captured=captured, refunds=given_back,
        failed_refunds=tuple(one["id"] for one in refunds if one.get("status") in REFUNDS_THAT_FAILED),
        order_id=_order_id(raw, order_field), customer_id=id_of(raw.get("customer")), email=_email(raw, charge),
        unknown=unknown, raw=raw,
    )  # fmt: skip


def payment_version(raw: Raw, disputes: Sequence[Raw] = ()) -> str:
    """A text that grows with every step of the payment.

    Stripe's objects carry no moment of their last change. But all that happens to a payment adds to it: a charge, a
    refund, a dispute with moments of their own, and statuses that go one way. Put together, widest first, they order
    the states of one payment in time, whether it was asked for or listed.
    """
    charge = charge_of(raw)
    refunds = refunds_of(charge)
    moments = [raw["created"], raw.get("canceled_at") or 0, *(part["created"] for part in (*refunds, *disputes))]
    if charge is not None:
        moments.append(charge["created"])
    steps = (
        _step(INTENT_STEPS, _reached(raw), INTENT_STEPS.index("processing")),
        _captured(raw, charge),
        sum(_step(REFUND_STEPS, refund.get("status") or "succeeded") + 1 for refund in refunds),
        sum(_step(DISPUTE_STEPS, dispute["status"]) + 1 for dispute in disputes),
    )
    return "{:010d}.{:02d}.{:012d}.{:05d}.{:04d}".format(max(moments), *steps)


def charge_of(raw: Raw) -> Raw | None:
    """The charge of a payment intent; a charge itself. None before there is one. Raises ValueError where only its id is
    told."""
    if raw["object"] == "charge":
        return raw
    charge: Raw | str | None = raw.get("latest_charge")
    if isinstance(charge, str):
        raise ValueError("the charge is not expanded, so that its refunds cannot be told")
    return charge


def refunds_of(charge: Raw | None) -> Sequence[Raw]:
    """All refunds of a charge, failed ones too. Raises ValueError where they are not all there."""
    if charge is None:
        return ()
    listed = charge.get("refunds")
    if listed is None and not charge["amount_refunded"]:
        return ()
    if listed is None or listed["has_more"]:
        raise ValueError("not all refunds of the charge are told")
    refunds: Sequence[Raw] = listed["data"]
    return refunds


def refund_record(raw: Raw) -> RefundRecord:
    """Money that was given back, or is on its way."""
    return RefundRecord(
        external_id=raw["id"], amount=amount_of(raw["amount"], raw["currency"]), reason=raw.get("reason") or ""
    )


def _counts(refund: Raw) -> bool:
    return (refund.get("status") or "succeeded") in REFUNDS_THAT_COUNT


def _state(raw: Raw, disputes: Sequence[Raw]) -> tuple[str, tuple[str, ...]]:
    """Our word for the state, and the words in it that we do not know."""
    reached, status = _reached(raw), raw["status"]
    table = CHARGE_STATES if raw["object"] == "charge" else INTENT_STATES
    unknown = [status] if status not in table else []
    unknown += [dispute["status"] for dispute in disputes if dispute["status"] not in DISPUTE_STEPS]
    state = reached if reached == "failed" else INTENT_STATES.get(reached, "pending")
    return state, tuple(unknown)


def _reached(raw: Raw) -> str:
    """How far the payment has come, in the words of INTENT_STEPS."""
    status = str(raw["status"])
    if raw["object"] == "charge":
        if status == "succeeded" and not raw["captured"]:
            return "canceled" if raw["refunded"] else "requires_capture"
        return {"pending": "processing"}.get(status, status)
    if status == "requires_payment_method" and raw.get("last_payment_error"):
        return "failed"
    return status


def _captured(raw: Raw, charge: Raw | None) -> int:
    if raw["object"] == "charge":
        return int(raw["amount_captured"]) if raw["captured"] else 0
    return int(raw.get("amount_received") or 0)


def _step(steps: Sequence[str], word: str, unknown: int = 0) -> int:
    return steps.index(word) if word in steps else unknown


def _order_id(raw: Raw, order_field: str) -> str:
    named = (raw.get("metadata") or {}).get(order_field)
    return str(named or (raw.get("payment_details") or {}).get("order_reference") or "")


def _email(raw: Raw, charge: Raw | None) -> str:
    of_charge = charge or {}
    billing = of_charge.get("billing_details") or {}
    return str(raw.get("receipt_email") or of_charge.get("receipt_email") or billing.get("email") or "")


# Customers.


def customer_record(raw: Raw, version: str, *, is_deleted: bool = False) -> CustomerRecord:
    """A customer as Stripe tells it; one that was deleted is left with its id."""
    shipping = raw.get("shipping") or {}
    return CustomerRecord(
        external_id=raw["id"], version=version, name=read_text(raw, "name"),
        email=read_text(raw, "email"), phone=read_text(raw, "phone") or read_text(shipping, "phone"),
        language=next(iter(raw.get("preferred_locales") or ()), ""),
        address=_address(raw.get("address") or shipping.get("address") or {}, read_text(raw, "name")),
        is_deleted=is_deleted or raw.get("deleted") is True, raw=raw,
    )  # fmt: skip


def customer_version(moment: int, count: int = 0) -> str:
    """The version of a customer by the second of its latest event, and how many that second saw."""
    return f"{moment:010d}.{count:04d}"


def customer_among(raw: Raw, events: Sequence[Raw], *, are_all: bool, now: int) -> CustomerRecord:
    """A customer as it stands now, by the latest events of customers, newest first; `are_all` says that Stripe holds no
    older ones.

    A customer carries no moment of its last change, its events do, and hold the whole customer: where there is one, it
    counts, for what is read may be older than that. One without an event among these was last changed before the oldest
    of them, or before Stripe's memory of events begins: taken to be the next midnight, so that the version stays the
    same all day.
    """
    own = [event for event in events if customer_of(event) == raw["id"]]
    if own:
        newest = own[0]
        version = customer_version(newest["created"], sum(event["created"] == newest["created"] for event in own))
        return customer_at(newest, version)
    began = -(-now // DAY_SECONDS) * DAY_SECONDS - EVENTS_KEPT_SECONDS
    version = customer_version(max(began if are_all else events[-1]["created"], raw.get("created", 0)))
    return customer_record(raw, version)


def customer_at(event: Raw, version: str) -> CustomerRecord:
    """A customer as one of its events left it: an event holds the whole customer."""
    return customer_record(event["data"]["object"], version, is_deleted=event["type"] == "customer.deleted")


def _address(raw: Raw, name: str) -> Address:
    return read_address(raw, ADDRESS, name=name)


def customer_fields(content: CustomerContent) -> dict[str, Any]:
    """What to tell Stripe of a customer: what we know. What we do not know is left as it is there.

    Raises ValueError for a phone number that is longer than Stripe takes.
    """
    phone = content.phone if len(content.phone) <= MOST_LETTERS_IN_PHONE else re.sub(r"[\s()./-]", "", content.phone)
    if len(phone) > MOST_LETTERS_IN_PHONE:
        raise ValueError(f"a phone number may have {MOST_LETTERS_IN_PHONE} signs at most")
    return {
        "name": content.name[:MOST_LETTERS_IN_NAME] or None,
        "email": content.email or None,
        "phone": phone or None,
        "preferred_locales": [content.language] if content.language else None,
        "address": address_fields(content.address, ADDRESS) or None,
    }


# Events.


def concern_of(event: Raw) -> tuple[str, str]:
    """The stream that an event concerns, and whom in it."""
    topic = event["type"]
    if topic in PAYMENT_TOPICS:
        return "payments", payment_of(event)
    if topic in CUSTOMER_TOPICS:
        return "customers", customer_of(event)
    return "unknown", ""


def payment_of(event: Raw) -> str:
    """The id of the payment that an event concerns: its intent, or the charge where there is none; "" for none."""
    about = _about(event)
    kind = about.get("object")
    if kind == "payment_intent":
        return id_of(about)
    if kind == "charge":
        return id_of(about.get("payment_intent")) or id_of(about)
    if kind in ("refund", "dispute"):
        return id_of(about.get("payment_intent")) or id_of(about.get("charge"))
    return ""


def customer_of(event: Raw) -> str:
    """The id of the customer that an event concerns; "" for none."""
    about = _about(event)
    return id_of(about) if about.get("object") == "customer" else ""


def made_at(event: Raw) -> int:
    """When the payment of an event was made, in seconds since 1970; 0 where the event does not say."""
    about = _about(event)
    made = about.get("created")
    return made if about.get("object") == "payment_intent" and isinstance(made, int) else 0


def _about(event: Raw) -> Raw:
    data = event.get("data")
    about = data.get("object") if isinstance(data, Mapping) else None
    return about if isinstance(about, Mapping) else {}


# Amounts, moments, names and forms.


def amount_of(minor: int, currency: str) -> Decimal:
    """An amount in whole units, from Stripe's smallest unit. Raises ValueError for an unknown currency."""
    return from_minor(minor, COUNTED_LIKE.get(currency.upper(), currency))


def minor_of(amount: Decimal, currency: str) -> int:
    """An amount in Stripe's smallest unit. Raises ValueError, in words, for one that Stripe does not take: nothing,
    fractions of the smallest unit, fractions of a króna, thousandths that do not end in 0."""
    code = currency.upper()
    minor = to_minor(amount, COUNTED_LIKE.get(code, code))
    if minor <= 0:
        raise ValueError(f"{amount} {code} is no amount to move")
    if code in WHOLE_ONLY and minor % 100:
        raise ValueError(f"{amount} {code}: Stripe takes whole {code} only")
    if minor_units(code) == 3 and minor % 10:
        raise ValueError(f"{amount} {code}: Stripe takes hundredths of {code} only, a thousandth has to be 0")
    return minor


def id_of(reference: Any) -> str:
    """The id in a field that holds either an id or the object itself; "" for nothing."""
    if isinstance(reference, Mapping):
        reference = reference.get("id")
    return str(reference or "")


def tag_of(key: str) -> str:
    """Our key as Stripe takes it in headers, metadata and searches: itself, or its digest where it is long or odd."""
    return plain_or_digest(key, r"[A-Za-z0-9_.:-]{1,200}")


def form_fields(nested: Mapping[str, Any]) -> dict[str, str]:
    """Nested fields as Stripe's forms and queries write them: `{"created": {"gte": 5}, "expand": ["a"]}` becomes
    `created[gte]=5&expand[0]=a`. None is left out; "" stays, it empties a field."""
    return dict(_pairs(nested, ""))


def _pairs(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _pairs(item, f"{name}[{key}]" if name else str(key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _pairs(item, f"{name}[{index}]")
    elif isinstance(value, bool):
        yield name, "true" if value else "false"
    elif value is not None:
        yield name, str(value)
