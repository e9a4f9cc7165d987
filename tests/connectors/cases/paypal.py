"""PayPal under the conformance suite."""

from __future__ import annotations

import itertools
import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.paypal import PayPal
from finalmarket.connectors.records import Delivery, PaymentRequest, RefundNotice
from finalmarket.sandbox.platforms.paypal import PayPal as StandIn
from finalmarket.sandbox.platforms.paypal.account import (
    CLIENT_ID,
    CLIENT_SECRET,
    certificate,
    certificate_path,
    signed_headers,
)
from tests.connectors.cases import Authorised, Case
from tests.connectors.descriptions import Description, openapi

WEBHOOK_ID = "1JE4291016473214C"
FILES = (
    "checkout_orders_v2.json", "payments_payment_v2.json", "notifications_webhooks_v1.json",
    "customer_disputes_v1.json", "reporting_transactions_v1.json",
)  # fmt: skip
_count = itertools.count(1)


def describe() -> Description:
    """The published description. One of its files says the beginning of its paths twice, as host and as path."""
    return openapi("paypal", *FILES, overrides={"#/servers/0/url": "https://api-m.paypal.com"})


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    secrets = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "webhook_id": WEBHOOK_ID}
    return Account(secrets, base_url=address)


def _seed_payments(stand_in: Any, count: int) -> list[str]:
    moments = [stand_in.now() - timedelta(seconds=count - number) for number in range(count)]
    return [
        stand_in.pay(f"{10 + number}.50", order_number=f"order-{number}", email=f"buyer-{number}@example.com", at=at)
        for number, at in enumerate(moments)
    ]


def _seed_unknown_payment(stand_in: Any) -> tuple[str, str]:
    name = stand_in.pay("10.00")
    stand_in.state["orders"][name]["status"] = "TELEPORTED"
    return name, "TELEPORTED"


def _refund(stand_in: Any) -> RefundNotice:
    number = next(_count)
    return RefundNotice(
        key=f"refund-key-{number}", order_id=f"order-{number}", payment_id=stand_in.pay("50.00"),
        amount=Decimal("12.50"), currency="EUR", reason="return",
    )  # fmt: skip


def _authorised_payment(stand_in: Any) -> Authorised:
    return Authorised(payment_id=stand_in.pay("42.00", capture=False), amount=Decimal("42.00"), currency="EUR")


def _payment_request(stand_in: Any) -> PaymentRequest:
    number = next(_count)
    return PaymentRequest(
        key=f"payment-key-{number}", order_number=f"FM-{number}", amount=Decimal("59.90"), currency="EUR",
        return_url="https://shop.example.org/paid", cancel_url="https://shop.example.org/cart",
        description="Two cups", email="buyer@example.com",
    )  # fmt: skip


def about(topic: str) -> dict[str, Any]:
    """What an event of that topic is about."""
    up = {"href": "https://api-m.paypal.com/v2/payments/captures/42311647XV020574X", "rel": "up", "method": "GET"}
    if topic.startswith("CUSTOMER.DISPUTE."):
        return {"dispute_id": "PP-D-4012", "disputed_transactions": [{"seller_transaction_id": "42311647XV020574X"}]}
    if topic in ("PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED"):
        return {"id": "1Y107995YT783435V", "status": "COMPLETED", "links": [up]}
    if topic == "CHECKOUT.PAYMENT-APPROVAL.REVERSED":
        return {"order_id": "5O190127TN364715T"}
    related = {"supplementary_data": {"related_ids": {"order_id": "5O190127TN364715T"}}}
    return {"id": "5O190127TN364715T"} if topic.startswith("CHECKOUT.") else {"id": "42311647XV020574X", **related}


def deliver(account: Account, *, topic: str, sent_at: datetime) -> Delivery:
    """An event of that topic, signed for the account's webhook."""
    event = {
        "id": f"WH-{topic}", "event_version": "1.0", "create_time": f"{sent_at:%Y-%m-%dT%H:%M:%S.000Z}",
        "resource_type": "capture", "event_type": topic, "summary": topic, "resource": about(topic), "links": [],
    }  # fmt: skip
    body = json.dumps(event, indent=2).encode()
    headers = signed_headers(body, account.secrets.get("webhook_id", ""), f"69cd13f0-{len(topic)}", sent_at)
    return Delivery("https://hub.example/hooks/token-1", headers, body, sent_at)


def answer(request: httpx2.Request) -> httpx2.Response:
    """PayPal's certificate where it is, and nothing elsewhere."""
    if request.method == "GET" and request.url.path.endswith(certificate_path()):
        return httpx2.Response(200, headers={"Content-Type": "application/x-pem-file"}, content=certificate())
    return httpx2.Response(404, json={"name": "RESOURCE_NOT_FOUND"})


def case() -> Case:
    """See cases."""
    return Case(
        connector=PayPal,
        stand_in=StandIn,
        account=account,
        describe=describe,
        ignore=("/v1/oauth2/token", "/v1/notifications/certs/"),
        page_sizes={"payments": 50},
        seed_payments=_seed_payments,
        seed_unknown_payment=_seed_unknown_payment,
        refund=_refund,
        authorised_payment=_authorised_payment,
        payment_request=_payment_request,
        approve=lambda stand_in, payment_id: stand_in.approve(payment_id),
        deliver=deliver,
        webhook_answers=answer,
        unknown_topic="WEATHER.CHANGED",
        signature_headers=(
            "PAYPAL-TRANSMISSION-ID", "PAYPAL-TRANSMISSION-TIME", "PAYPAL-TRANSMISSION-SIG", "PAYPAL-CERT-URL",
            "PAYPAL-AUTH-ALGO",
        ),
        signs_time=True,
    )  # fmt: skip
