"""Stripe under the conformance suite."""

from __future__ import annotations

import hmac
import itertools
import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.stripe import Stripe
from finalmarket.connectors.records import Delivery, RefundNotice
from finalmarket.sandbox.platforms.stripe import Stripe as StandIn
from finalmarket.sandbox.platforms.stripe.account import KEY
from finalmarket.sandbox.platforms.stripe.objects import (
    new_charge,
    new_customer,
    new_dispute,
    new_intent,
    new_refund,
)
from tests.connectors.cases import Authorised, Case
from tests.connectors.descriptions import openapi

WEBHOOK_SECRET = "whsec_of_the_case"
_count = itertools.count(1)


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    return Account({"secret_key": KEY, "webhook_secret": WEBHOOK_SECRET}, base_url=address)


def _moments(stand_in: Any, count: int) -> list[datetime]:
    """So many moments up to the present one, a second apart."""
    return [stand_in.now() - timedelta(seconds=count - number) for number in range(count)]


def _seed_payments(stand_in: Any, count: int) -> list[str]:
    return [
        stand_in.pay(1_000 + number, order_id=f"order-{number}", email=f"buyer-{number}@example.com", at=at)
        for number, at in enumerate(_moments(stand_in, count))
    ]


def _seed_customers(stand_in: Any, count: int) -> list[str]:
    return [
        stand_in.sign_up({"name": f"Buyer {number}", "email": f"buyer-{number}@example.com"}, at=at)["id"]
        for number, at in enumerate(_moments(stand_in, count))
    ]


def _seed_unknown_payment(stand_in: Any) -> tuple[str, str]:
    name = stand_in.pay(1_000)
    stand_in.state["payment_intents"][name]["status"] = "teleported"
    return name, "teleported"


def _refund(stand_in: Any) -> RefundNotice:
    number = next(_count)
    return RefundNotice(
        key=f"refund-key-{number}", order_id=f"order-{number}", payment_id=stand_in.pay(5_000),
        amount=Decimal("12.50"), currency="EUR", reason="return",
    )  # fmt: skip


def _authorised_payment(stand_in: Any) -> Authorised:
    return Authorised(payment_id=stand_in.pay(4_200, capture=False), amount=Decimal("42.00"), currency="EUR")


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """An event of that topic, signed with the account's webhook secret."""
    seconds = int(sent_at.timestamp())
    event = {
        "id": f"evt_of_{topic}", "object": "event", "api_version": Stripe.api_version, "created": seconds,
        "data": {"object": about(topic, seconds)}, "livemode": False, "pending_webhooks": 1, "request": None,
        "type": topic,
    }  # fmt: skip
    body = json.dumps(event, indent=2).encode()
    secret = account.secrets.get("webhook_secret", "")
    signed = hmac.new(secret.encode(), str(seconds).encode() + b"." + body, "sha256").hexdigest()
    headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": f"t={seconds},v1={signed}"}
    return Delivery("https://hub.example/hooks/token-1", headers, body, sent_at)


def about(topic: str, seconds: int) -> dict[str, Any]:
    """What an event of that topic is about."""
    charge = new_charge("ch_1", seconds, 1_000, "eur", live=False) | {"payment_intent": "pi_1"}
    if topic.startswith("payment_intent."):
        return new_intent("pi_1", seconds, 1_000, "eur", live=False)
    if topic.startswith("charge.dispute."):
        return new_dispute("du_1", seconds, charge, 1_000, "needs_response")
    if topic.startswith(("refund.", "charge.refund.")):
        return new_refund("re_1", seconds, charge, 1_000)
    if topic.startswith("charge."):
        return charge
    if topic.startswith("customer."):
        return new_customer("cus_1", seconds, live=False)
    return {"id": "w_1", "object": "weather"}


def case() -> Case:
    """See cases."""
    return Case(
        connector=Stripe,
        stand_in=StandIn,
        account=account,
        describe=lambda: openapi("stripe", "openapi.spec3.json"),
        page_sizes={"payments": 100, "customers": 100},
        seed_payments=_seed_payments,
        seed_customers=_seed_customers,
        seed_unknown_payment=_seed_unknown_payment,
        refund=_refund,
        authorised_payment=_authorised_payment,
        deliver=deliver,
        unknown_topic="weather.changed",
        signature_headers=("Stripe-Signature",),
        signs_time=True,
    )
