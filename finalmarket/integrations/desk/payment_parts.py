"""Payments that are taken in parts: each part is a payment of its own here, and all have one name there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction

from finalmarket.connectors.contract import TakesPaymentsInParts
from finalmarket.connectors.records import PaymentRecord
from finalmarket.integrations.accounts import connector_class
from finalmarket.integrations.desk.takings import payment_there
from finalmarket.integrations.models import ChannelIntegration, ExternalId
from finalmarket.integrations.notice_queries import happened, hear
from finalmarket.kernel import failpoints
from finalmarket.orders import payments
from finalmarket.orders.history import locked
from finalmarket.orders.models import Payment

KIND = "payment"
ACTOR = "integration"


def has_parts(integration: ChannelIntegration) -> bool:
    """Whether the account's platform takes an authorised amount in several steps."""
    return issubclass(connector_class(integration), TakesPaymentsInParts)


def take(integration: ChannelIntegration, payment: Payment, amount: Decimal, *, actor: str) -> None:
    """Note that so much of an authorised payment came in; refunds of that part will find their way to the platform.
    The caller holds the order's row."""
    part = payments.take_part(payment.pk, amount, actor=actor)
    if part.pk != payment.pk:
        ExternalId.objects.create(integration=integration, kind=KIND, external_id=part.external_id, local_id=part.pk)
    payment.refresh_from_db()


def catch_up(connector: Any, integration: ChannelIntegration, payment: Payment) -> bool:
    """Book what the platform took of an authorised payment and we do not know of: it was asked to, and its answer got
    lost. Return whether there was any."""
    record = payment_there(connector, payment)
    return record is not None and book(integration, payment, record)


def book(integration: ChannelIntegration, payment: Payment, record: PaymentRecord) -> bool:
    """Write what the platform took of an authorised payment into our books, as far as it is not there; return whether
    there was any. It is no news to the platform."""
    with failpoints.around("parts.book"), transaction.atomic():
        order = locked(payment.order_id)
        payment.refresh_from_db()
        taken = record.captured - payments.taken_in_parts(payment)
        if payment.state != Payment.State.AUTHORISED or taken <= 0:
            return False
        heard = happened([order.pk])
        take(integration, payment, taken, actor=ACTOR)
        hear(integration, [order.pk], heard)
    return True
