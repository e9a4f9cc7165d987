"""Expected receipts: what suppliers are to deliver, and when. Purchase orders in their lightest form.

Channels that look ahead (`incoming_horizon_days`) sell what is announced; backorders are met, oldest first, when goods
arrive (`stock_backfill` does it). Units throughout.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.stock import ledger
from finalmarket.stock.models import ExpectedReceipt
from finalmarket.stock.policies import touch
from finalmarket.stock.refusals import refuse_wrong


@transaction.atomic
def announce(
    variant_id: int,
    location_id: int,
    quantity: int,
    expected_at: datetime,
    *,
    supplier: str = "",
    reference: str = "",
) -> ExpectedReceipt:
    """Write down that a supplier is to deliver so many units at that moment; `reference` is the purchase order.

    Raises UserError for a quantity below one, an unknown variant or location, or a bundle.
    """
    refuse_wrong([ledger.Receipt(variant_id, location_id, quantity)])
    expected = ExpectedReceipt.objects.create(
        variant_id=variant_id,
        location_id=location_id,
        quantity=quantity,
        expected_at=expected_at,
        supplier=supplier,
        reference=reference,
    )
    touch([variant_id])
    return expected


@transaction.atomic
def receive(expected_id: int, quantity: int, *, actor: str) -> ExpectedReceipt:
    """Put units of an expected delivery on the shelf, in as many parts as it takes; it is over when all has arrived.

    More than was announced is taken in. Raises UserError for a quantity below one, or when it is over already.
    """
    expected = _open(expected_id)
    expected.received_quantity += quantity
    if expected.received_quantity >= expected.quantity:
        expected.state = ExpectedReceipt.State.RECEIVED
    arrived = ledger.Receipt(
        expected.variant_id,
        expected.location_id,
        quantity,
        reason=" ".join(filter(None, [expected.supplier, expected.reference]))[:200],
        reference=f"receipt:{expected.pk}",
    )
    ledger.receive([arrived], actor=actor)
    expected.save(update_fields=["received_quantity", "state"])
    return expected


@transaction.atomic
def postpone(expected_id: int, expected_at: datetime) -> ExpectedReceipt:
    """Move the moment at which a delivery is expected. Raises UserError when it is over."""
    expected = _open(expected_id)
    expected.expected_at = expected_at
    expected.save(update_fields=["expected_at"])
    touch([expected.variant_id])
    return expected


@transaction.atomic
def cancel(expected_id: int) -> ExpectedReceipt:
    """Expect no more of this delivery; what was sold of it stays promised. Raises UserError when it is over."""
    expected = _open(expected_id)
    expected.state = ExpectedReceipt.State.CANCELLED
    expected.save(update_fields=["state"])
    touch([expected.variant_id])
    return expected


def hold(expected_id: int) -> None:
    """Let nobody else change an expected delivery that is not over until the end of the caller's transaction."""
    _open(expected_id)


def overdue(at: datetime | None = None) -> QuerySet[ExpectedReceipt]:
    """Return what should have arrived before `at` (default: now) and has not, the longest overdue first."""
    late = ExpectedReceipt.objects.filter(state=ExpectedReceipt.State.EXPECTED, expected_at__lt=at or clock.now())
    return late.select_related("variant", "location").order_by("expected_at", "pk")


def _open(expected_id: int) -> ExpectedReceipt:
    """Return the expected receipt with its pool locked, then its row; UserError when it is over."""
    found = ExpectedReceipt.objects.filter(pk=expected_id).first()
    if found is None:
        raise UserError(f"there is no expected receipt {expected_id}")
    ledger.lock([found.variant_id])
    found = ExpectedReceipt.objects.select_for_update().get(pk=expected_id)
    if found.state != ExpectedReceipt.State.EXPECTED:
        raise UserError(f"expected receipt {expected_id} is over: it is {found.get_state_display().lower()}")
    return found
