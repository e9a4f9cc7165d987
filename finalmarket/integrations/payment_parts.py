"""Payments that are taken in parts: each part is a payment of its own here, and all have one name there."""

from __future__ import annotations

from decimal import Decimal

from finalmarket.connectors.contract import TakesPaymentsInParts
from finalmarket.integrations.accounts import connector_class
from finalmarket.integrations.models import ChannelIntegration, ExternalId
from finalmarket.orders import payments
from finalmarket.orders.models import Payment

KIND = "payment"


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
