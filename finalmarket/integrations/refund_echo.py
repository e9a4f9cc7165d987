"""Refunds that we asked a platform for come back in its orders: they stand in our books already and are no news.

One is recognised by the id that the platform gave it; while that is not known yet (it is being told, or the answer got
lost), by its amount, or what of it the platform shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from finalmarket.connectors.records import RefundRecord
from finalmarket.integrations.models import ChannelIntegration, DueNotice
from finalmarket.orders.models import Refund


class Refunded(Protocol):
    """A record with the refunds that the platform made on it: an order, a payment."""

    @property
    def external_id(self) -> str: ...

    @property
    def refunds(self) -> tuple[RefundRecord, ...]: ...


def echoes(
    integration: ChannelIntegration, orders: Mapping[str, int], records: Sequence[Refunded]
) -> dict[str, set[str]]:
    """The refunds (by the platform's id) that we asked for, by record; `orders` are our orders, by record."""
    refunded = [record for record in records if record.refunds and record.external_id in orders]
    if not refunded:
        return {}
    booked = Refund.objects.filter(order__in={orders[record.external_id] for record in refunded})
    ours = {
        pk: (order_id, key, amount)
        for pk, order_id, key, amount in booked.values_list("pk", "order_id", "key", "amount")
    }
    told = DueNotice.objects.filter(integration=integration, kind=DueNotice.Kind.REFUND, local_id__in=ours)
    known: set[str] = set()
    unsettled: dict[int, Counter[Decimal]] = {}
    for local_id, external_id in told.exclude(state=DueNotice.State.REFUSED).values_list("local_id", "external_id"):
        order_id, _, amount = ours[local_id]
        if external_id:
            known.add(external_id)
        else:
            unsettled.setdefault(order_id, Counter())[amount] += 1
    keys = {(order_id, key) for order_id, key, _ in ours.values()}
    found: dict[str, set[str]] = {}
    for record in refunded:
        order_id = orders[record.external_id]
        waiting = unsettled.get(order_id, Counter())
        mine = {refund.external_id for refund in record.refunds if refund.external_id in known}
        for refund in record.refunds:
            is_booked = (order_id, f"{refund.external_id}/1") in keys
            asked = None if refund.external_id in mine or is_booked else _asked_for(waiting, refund)
            if asked is not None:
                waiting[asked] -= 1
                mine.add(refund.external_id)
        if mine:
            found[record.external_id] = mine
    return found


def _asked_for(waiting: Counter[Decimal], refund: RefundRecord) -> Decimal | None:
    """Which of the amounts that were asked for this refund is, the nearest; None for none."""
    most = refund.amount if refund.most is None else refund.most
    return min((one for one, left in waiting.items() if left > 0 and refund.amount <= one <= most), default=None)
