"""Conversations and tickets come in: each is a support journey of the person who talks, once per version.

What the customer says becomes an interaction and a touchpoint; closing completes the journey, and what is opened again
(or said after the end) begins a new one. A ticket of ours that comes back is known by its key or by its id there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.talk import ConversationMessage, ConversationRecord
from finalmarket.customers import erased
from finalmarket.customers.resolve import Contact, resolve_many
from finalmarket.integrations.chat import answering
from finalmarket.integrations.intake_map import account_of, source_of
from finalmarket.integrations.models import ChannelIntegration, ExternalId, Ticket
from finalmarket.integrations.storing import Stored, each_alone
from finalmarket.integrations.talk.names import message_id, short
from finalmarket.integrations.talk.seats import seat, seats
from finalmarket.journeys import storage
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney, JourneyTouchpoint
from finalmarket.journeys.record import VALUE_SCORES
from finalmarket.kernel import clock
from finalmarket.orders.drafts import plain
from finalmarket.orders.models import Order
from finalmarket.orders.versions import is_older

STREAM = "conversations"
KIND = "conversation"
SERVICE = "customer_service"
SAID = "customer_message"
OPENED = "ticket_opened"
SOLVED = "solved"
RATED = "rated"
MOST_TEXT_CHARACTERS = 4_000
Journey = CrossChannelJourney


@dataclass(slots=True)
class Page:
    """Conversations that are taken together, and all that is known of them."""

    integration: ChannelIntegration
    known: dict[str, ExternalId]
    tickets: Sequence[Ticket]
    orders: Mapping[str, Order]
    journeys: dict[int, Journey]
    people: dict[str, int | None] = field(default_factory=dict)
    gone: Mapping[int, datetime] = field(default_factory=dict)
    recorded: set[str] = field(default_factory=set)

    def take(self, record: ConversationRecord) -> str:
        """Take one conversation as it stands; what became of it."""
        row = self.known.get(record.external_id)
        if row is not None and not is_older(row.version, record.version) and not self._was_cut_short(record, row):
            return "unchanged"
        ticket = self.ticket_of(record)
        if ticket is not None and not ticket.external_id:
            Ticket.objects.filter(pk=ticket.pk, external_id="").update(external_id=record.external_id[:200])
        order, person = self.order_of(record), self.person_of(record)
        if person is None:
            return "unchanged"  # nobody is named yet; the version that names somebody will be newer
        if person in self.gone:
            return "unchanged"
        channel = seat(self.integration, record.medium)
        journey = self._follow(record, row, channel, person)
        if order is not None and journey.order_id != order.pk:
            journey.order = order
            journey.save(update_fields=["order"])
        if record.state == "closed" and journey.state == Journey.State.OPEN:
            _close(journey, record, channel)
        self._remember(record, row, journey)
        return "created" if row is None else "updated"

    def _was_cut_short(self, record: ConversationRecord, row: ExternalId) -> bool:
        """Whether the platform left words of this very version out when it came in."""
        return row.version == record.version[:60] and any(
            self.name(record, one) not in self.recorded for one in _said(record, self.ticket_of(record))
        )

    def ticket_of(self, record: ConversationRecord) -> Ticket | None:
        """The ticket of ours that the conversation is."""
        for ticket in self.tickets:
            if (record.key and ticket.key == record.key) or ticket.external_id == record.external_id:
                return ticket
        return None

    def order_of(self, record: ConversationRecord) -> Order | None:
        """The order that the conversation is about: our ticket's, else the one it names by its number."""
        ticket = self.ticket_of(record)
        return (ticket.order if ticket else None) or self.orders.get(_number(record))

    def person_of(self, record: ConversationRecord) -> int | None:
        """Who talks; somebody who gives no name or address is whoever placed the order that it is about."""
        order = self.order_of(record)
        return self.people.get(record.external_id) or (order.customer_id if order else None)

    def _follow(
        self, record: ConversationRecord, row: ExternalId | None, channel: SalesChannel, person: int
    ) -> Journey:
        """The journey that the conversation has become by now, with what was said since it last came in. Somebody who
        was erased and goes on with it begins anew: only what they said before stays with the number they left."""
        said = {self.name(record, one): one for one in _said(record, self.ticket_of(record))}
        fresh = [one for name, one in said.items() if name not in self.recorded]
        journey = self.journeys.get(row.local_id) if row else None
        left_at = self.gone.get(journey.customer_id) if journey else None
        if journey is not None and left_at is not None:
            for message in (one for one in fresh if one.at <= left_at):
                self._record(journey, record, channel, message)
            fresh = [one for one in fresh if one.at > left_at]
        if journey is None or left_at is not None or _begins_anew(journey, record, fresh):
            begun = record.opened_at if journey is None else min((one.at for one in fresh), default=_changed(record))
            journey = Journey.objects.create(
                customer_id=person, start_channel=channel, intent=Journey.Intent.SUPPORT, started_at=begun
            )
            self.journeys[journey.pk] = journey
            if row is None and self.ticket_of(record) is not None:
                _touch(journey, channel, OPENED, begun, conversation=record.external_id[:200])
        for message in fresh:
            self._record(journey, record, channel, message)
        return journey

    def name(self, record: ConversationRecord, message: ConversationMessage) -> str:
        """What a message is known by."""
        return message_id(self.integration, record.external_id, message.external_id or message.at.isoformat())

    def _record(
        self, journey: Journey, record: ConversationRecord, channel: SalesChannel, message: ConversationMessage
    ) -> None:
        name = self.name(record, message)
        context = {} if journey.customer_id in self.gone else {
            "conversation": plain(record.external_id, 200), "medium": record.medium,
            "subject": plain(record.subject, 300), "text": plain(message.text, MOST_TEXT_CHARACTERS),
        }  # fmt: skip
        interaction = ChannelInteraction.objects.create(
            customer_id=journey.customer_id, sales_channel=channel, journey=journey, interaction_type=SERVICE,
            value_score=VALUE_SCORES[SERVICE], context={key: value for key, value in context.items() if value},
            message_id=name, occurred_at=min(message.at, clock.now()),
        )  # fmt: skip
        JourneyTouchpoint.objects.create(
            journey=journey, sales_channel=channel, interaction=interaction, action=SAID,
            occurred_at=interaction.occurred_at,
        )  # fmt: skip

    def _remember(self, record: ConversationRecord, row: ExternalId | None, journey: Journey) -> None:
        row = row or ExternalId(integration=self.integration, kind=KIND, external_id=short(record.external_id))
        row.local_id, row.version = journey.pk, record.version[:60]
        row.save()
        self.known[record.external_id] = row
        self.recorded |= {self.name(record, message) for message in record.messages}


def take_conversations(integration: ChannelIntegration, records: Sequence[ConversationRecord]) -> list[Stored]:
    """Take these conversations as the platform holds them; the caller is within `storing.intake`. An older version
    changes nothing."""
    page = _look_up(integration, records)
    page.people = _people(page, records)
    page.gone = _gone(page, records)
    names = {page.name(record, message) for record in records for message in record.messages}
    page.recorded = {message for _, message in storage.told(seats(integration), names)}
    stored = each_alone(integration, STREAM, records, page.take)
    answering.hear(integration, [record for record in records if page.person_of(record) not in page.gone])
    return stored


def _look_up(integration: ChannelIntegration, records: Sequence[ConversationRecord]) -> Page:
    """Read what the conversations need to know, by a constant number of queries."""
    names = {short(record.external_id): record.external_id for record in records}
    rows = ExternalId.objects.filter(integration=integration, kind=KIND, external_id__in=names)
    known = {names[row.external_id]: row for row in rows}
    tickets = Ticket.objects.filter(integration=integration).filter(
        Q(key__in={record.key for record in records} - {""})
        | Q(external_id__in={record.external_id for record in records})
    )
    orders = Order.objects.filter(number__in={_number(record) for record in records} - {""}).defer("raw")
    journeys = Journey.objects.in_bulk([row.local_id for row in known.values()])
    return Page(
        integration, known, list(tickets.select_related("order")), {order.number: order for order in orders}, journeys
    )


def _people(page: Page, records: Sequence[ConversationRecord]) -> dict[str, int | None]:
    country = page.integration.sales_channel.country if page.integration.sales_channel else ""
    contacts = [
        Contact(
            name=record.name, email=record.email, phone=record.phone,
            account=account_of(page.integration.pk, record.customer_id),
            at=max((one.at for one in record.messages if one.author == "customer"), default=record.opened_at),
        )
        for record in records
    ]  # fmt: skip
    found = resolve_many(contacts, country=country, source=source_of(page.integration.pk))
    return dict(zip([record.external_id for record in records], found, strict=True))


def _gone(page: Page, records: Sequence[ConversationRecord]) -> Mapping[int, datetime]:
    """Those who talk, or whose journeys these are, and were erased, and when; nobody else is from now on."""
    if not erased.is_anybody():
        return {}
    people = {page.person_of(record) for record in records}
    return erased.moments(people | {journey.customer_id for journey in page.journeys.values()})


def _number(record: ConversationRecord) -> str:
    return plain(record.order_number, 60).removeprefix("#").strip()


def _said(record: ConversationRecord, ticket: Ticket | None) -> list[ConversationMessage]:
    """What the customer said; the words with which we opened a ticket of ours are not theirs."""
    said = [one for one in record.messages if one.author == "customer"]
    if ticket is not None and said and said[0].text.strip() == ticket.text.strip():
        return said[1:]
    return said


def _begins_anew(journey: Journey, record: ConversationRecord, fresh: Sequence[ConversationMessage]) -> bool:
    """Whether a journey that has ended goes on as a new one: it was opened again, or somebody spoke after its end."""
    if journey.state == Journey.State.OPEN:
        return False
    ended = journey.ended_at
    return record.state in ("open", "pending") or any(ended is None or one.at > ended for one in fresh)


def _changed(record: ConversationRecord) -> datetime:
    return min(record.updated_at or clock.now(), clock.now())


def _close(journey: Journey, record: ConversationRecord, channel: SalesChannel) -> None:
    at = max(min(record.closed_at or _changed(record), clock.now()), journey.started_at)
    if record.rating:
        _touch(journey, channel, RATED, at, rating=plain(record.rating, 100))
    journey.complete(SOLVED, order=journey.order, at=at)


def _touch(journey: Journey, channel: SalesChannel, action: str, at: datetime, **data: str) -> None:
    JourneyTouchpoint.objects.create(
        journey=journey, sales_channel=channel, action=action, data=data, occurred_at=min(at, clock.now())
    )
