"""A refund that comes to nothing after all, days after the platform said yes: the buyer has no money, and our books say
otherwise. That is put before a person, once; nothing of it is reversed by itself."""

from __future__ import annotations

from finalmarket.connectors.records import PaymentRecord
from finalmarket.integrations.desk.label_book import complain
from finalmarket.integrations.models import ChannelIntegration, DueNotice
from finalmarket.integrations.notice_queries import refuse
from finalmarket.orders import refunds
from finalmarket.orders.models import Order, Refund


def follow_failed_refunds(integration: ChannelIntegration, order: Order, record: PaymentRecord) -> None:
    """Note the refunds of a payment that failed and that we count as given back: those that the platform made by itself
    stand at the order, those that we asked for wait as letters besides, and can be asked for again. The caller holds
    the order's row."""
    for name in record.failed_refunds:
        words = f"the refund {name} failed at {integration}: the money is not with the buyer"
        is_theirs = refunds.is_booked(order, name)
        asked = None if is_theirs else _asked_for(integration, order, name)
        if is_theirs or asked is not None:
            complain(order, words, key=f"refund-failed:{name}"[:200])
        if asked is not None:
            refuse(integration, asked, words)


def _asked_for(integration: ChannelIntegration, order: Order, name: str) -> DueNotice | None:
    """The notice by which we asked for the refund that the platform calls so, and heard yes."""
    ours = Refund.objects.filter(order=order).values("pk")
    notices = DueNotice.objects.filter(integration=integration, kind=DueNotice.Kind.REFUND, local_id__in=ours)
    return notices.filter(state=DueNotice.State.SENT, external_id=name).first()
