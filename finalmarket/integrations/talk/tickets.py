"""Tickets: opened from an order, with what agents have to know of it, and a note whenever that has changed since.

A ticket and its due notice are written in one transaction, so none is forgotten. When the order changes, the notice is
due once more: then a note is left instead, under a key made of what it says, so that the same is not said twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import connection, transaction
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat

from finalmarket.connectors.errors import ONE_RECORD, Rejected, RetryLater
from finalmarket.connectors.talk import OpensTickets, TicketContent
from finalmarket.integrations.duties import does
from finalmarket.integrations.models import ChannelIntegration, DueNotice, ExternalId, Ticket
from finalmarket.integrations.notice_words import LATER_SECONDS, NOT_THERE, NOTHING, Notice
from finalmarket.integrations.talk.mails import person_of
from finalmarket.integrations.talk.order_context import contexts
from finalmarket.integrations.talk.questions import QUERIES
from finalmarket.integrations.telling import key_of
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import Order

DUTY = "tickets"
PRIORITIES = ("low", "normal", "high", "urgent")
MOST_TEXT_CHARACTERS = 10_000
NOTED_FOR = timedelta(days=30)
"""So long after it was opened agents are told what becomes of a ticket's order."""
OPENED_ANEW_FOR = timedelta(days=1)
"""So long after it was asked for a ticket that is not there was never opened; later somebody has removed it."""
MOST_TICKETS = 1_000
NOTE = "note-"
"""What the key of a notice begins with that is about a note, and no more about the ticket itself."""
Status = ChannelIntegration.Status


def desks() -> list[ChannelIntegration]:
    """The accounts at which a ticket can be opened."""
    known = ChannelIntegration.objects.filter(status__in=[Status.ACTIVE, Status.PAUSED, Status.NEEDS_ATTENTION])
    return [one for one in known.order_by("pk") if does(one, DUTY)]


@failpoints.around("talk.open_ticket")
@transaction.atomic
def open_ticket(
    order_id: int, *, subject: str, text: str, key: str, actor: str, integration_id: int | None = None,
    priority: str = "normal",
) -> Ticket:  # fmt: skip
    """Have a ticket about an order opened at an account with that duty (the first, unless one is named).

    `key` names the wish: asked for twice under one key, it is one ticket. Raises UserError for an unknown order or
    account, a priority that is none, and without a subject, a text or an account that opens tickets.
    """
    order = Order.objects.filter(pk=order_id).first()
    if order is None:
        raise UserError(f"there is no order with id {order_id}")
    subject, text = subject.replace("\x00", "").strip(), text.replace("\x00", "").strip()
    if not subject or not text:
        raise UserError("a ticket needs a subject, and a text that says what it is about")
    if priority not in PRIORITIES:
        raise UserError(f"{priority[:20]!r} is no priority; use one of {', '.join(PRIORITIES)}")
    desk = _desk(integration_id)
    ticket, is_new = Ticket.objects.get_or_create(
        integration=desk, key=key_of(desk, "ticket", order.pk, key),
        defaults={
            "order": order, "subject": subject[:300], "text": text[:MOST_TEXT_CHARACTERS], "priority": priority,
            "actor": actor[:100], "created_at": clock.now(),
        },
    )  # fmt: skip
    if is_new:
        DueNotice.objects.create(
            integration=desk, kind=DueNotice.Kind.TICKET, local_id=ticket.pk, key=f"ticket-{ticket.pk}",
            next_try_at=clock.now(),
        )  # fmt: skip
    return ticket


def _desk(integration_id: int | None) -> ChannelIntegration:
    found = [one for one in desks() if integration_id in (None, one.pk)]
    if not found:
        raise UserError("no account opens tickets: connect one, and tick that duty on its page")
    return found[0]


class Tickets:
    """Tickets to open, and notes to leave in them."""

    capability: ClassVar[type] = OpensTickets

    def find(self, connector: Any, notice: Notice) -> str | None:
        ticket = Ticket.objects.filter(pk=notice.row.local_id).first()
        if ticket is None or ticket.external_id:
            return None  # a note cannot be asked for: its key keeps it single
        found: str | None = connector.find_ticket(ticket.key)
        if found is not None:
            _remember(ticket, external_id=found)
        return found

    def tell(self, connector: Any, notice: Notice) -> str:
        tickets = Ticket.objects.select_related("order__customer__merged_into", "order__sales_channel")
        ticket = tickets.filter(pk=notice.row.local_id).first()
        if ticket is None or ticket.order is None:
            return NOTHING
        context = contexts([ticket.order.pk])[ticket.order.pk]
        digest = digest_of(context)
        if not ticket.external_id:
            if not ticket.noted_digest:  # before: a ticket that is found again was opened with what was tried first
                _remember(ticket, noted_digest=digest)
            given = str(connector.open_ticket(_content(notice.integration, ticket, ticket.order, context)))
            _remember(ticket, external_id=given[:200])
        if digest != ticket.noted_digest:
            try:
                self._note(connector, notice, ticket, context)
            except Rejected as error:
                if error.status != NOT_THERE or not _was_never_opened(connector, ticket):
                    raise
                _remember(ticket, external_id="")
                words = f"the ticket was not opened after all: {error}"
                raise RetryLater(words, retry_after=LATER_SECONDS, code=ONE_RECORD) from None
            _remember(ticket, noted_digest=digest)
        return ticket.external_id or NOTHING

    def _note(self, connector: Any, notice: Notice, ticket: Ticket, context: str) -> None:
        key = key_of(notice.integration, "note", ticket.pk, digest_of(context))
        connector.note_ticket(ticket.external_id, f"What is known of the order now:\n\n{context}", key)

    def shows(self, connector: Any, notice: Notice) -> bool:
        """One that is not there is opened anew; in one that is there, the last note is left once more: under its key it
        stands once."""
        ticket = Ticket.objects.filter(pk=notice.row.local_id).first()
        if ticket is None or ticket.order is None or not ticket.external_id:
            return True
        if connector.find_ticket(ticket.key) is None:
            _remember(ticket, external_id="")
            return False
        context = contexts([ticket.order.pk])[ticket.order.pk]
        if digest_of(context) == ticket.noted_digest and notice.row.key.startswith(NOTE):
            self._note(connector, notice, ticket, context)
        return True


def find_changed(accounts: Collection[int], since: datetime) -> int:
    """Have notes left in the tickets of these accounts whose orders look otherwise than agents were told; return how
    many tickets there are."""
    with connection.cursor() as cursor:
        values: dict[str, Any] = {
            "accounts": list(accounts),
            "since": since,
            "opened": clock.now() - NOTED_FOR,
            "most": MOST_TICKETS,
        }
        cursor.execute(QUERIES["changed_tickets"], values)
        touched = [number for (number,) in cursor.fetchall()]
    if not touched:
        return 0
    tickets = list(Ticket.objects.filter(pk__in=touched).values_list("pk", "order_id", "noted_digest"))
    texts = contexts([order_id for _, order_id, _ in tickets])
    changed = [pk for pk, order_id, noted in tickets if digest_of(texts[order_id]) != noted]
    rows = DueNotice.objects.filter(
        integration__in=accounts, kind=DueNotice.Kind.TICKET, local_id__in=changed, state=DueNotice.State.SENT
    )
    if not changed:
        return 0
    with failpoints.around("talk.find_changed"):
        return rows.update(
            state=DueNotice.State.DUE, attempts=0, next_try_at=clock.now(), verified_at=None,
            key=Concat(Value(NOTE), Cast("local_id", CharField())),
        )  # fmt: skip


def _was_never_opened(connector: Any, ticket: Ticket) -> bool:
    """Whether a platform that gave the ticket a number has none all the same: some say yes and do nothing."""
    return clock.now() - ticket.created_at < OPENED_ANEW_FOR and connector.find_ticket(ticket.key) is None


def digest_of(context: str) -> str:
    """What stands for a context that agents were told."""
    return hashlib.sha256(context.encode()).hexdigest()


def _remember(ticket: Ticket, **facts: str) -> None:
    for name, value in facts.items():
        setattr(ticket, name, value)
    with failpoints.around("talk.remember_ticket"):
        Ticket.objects.filter(pk=ticket.pk).update(**facts)


def _content(integration: ChannelIntegration, ticket: Ticket, order: Order, context: str) -> TicketContent:
    person = person_of(order.customer)
    return TicketContent(
        key=ticket.key, subject=ticket.subject, text=ticket.text, name=_name(order, person.name if person else ""),
        email=order.email or (person.email if person else ""), phone=order.phone or (person.phone if person else ""),
        customer_id=_customer_there(integration, person.pk if person else 0), order_number=order.number,
        context=context, priority=ticket.priority, tags=(order.sales_channel.slug,),
    )  # fmt: skip


def _name(order: Order, known: str) -> str:
    address: Mapping[str, Any] = order.shipping_address
    return known or str(address.get("name", ""))


def _customer_there(integration: ChannelIntegration, person_id: int) -> str:
    """What the platform calls the person; "" where it does not know them, or under several names."""
    names = ExternalId.objects.filter(integration=integration, kind="customer", local_id=person_id)
    found = list(names.values_list("external_id", flat=True)[:2])
    return found[0] if len(found) == 1 else ""
