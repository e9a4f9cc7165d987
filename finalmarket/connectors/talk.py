"""What is said between a merchant and people: messages and tickets out, conversations and what people do with mail in,
events of customers for analytics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.records import ZERO, Page, Raw

# In.


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionRecord:
    """One thing a person did that the platform saw: `kind` is email_open, email_click, email_delivered, email_bounce,
    email_complaint, unsubscribe, subscribe, page_view, product_view, search, add_to_cart, checkout_start, purchase,
    social_engagement or unknown. `external_id` is unique and stays the same when the same thing is reported again.
    `message_key` is the key of the message of ours that it is about, "" for others; `subject` names the campaign."""

    external_id: str
    kind: str
    at: datetime
    email: str = ""
    customer_id: str = ""
    device: str = ""
    location: str = ""
    url: str = ""
    sku: str = ""
    message_key: str = ""
    subject: str = ""
    unknown: tuple[str, ...] = ()
    raw: Raw = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationMessage:
    """One message: `author` is customer, agent, bot or note (seen by agents only); `text` is plain."""

    external_id: str
    at: datetime
    author: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRecord:
    """A conversation or ticket as it stands: the whole of it, every time. `state` is open, pending, closed or unknown;
    `medium` is chat, email, phone, social, web or unknown; `version` orders its states in time; `order_number` is the
    order of ours it is about, where it says so; `key` is that of the ticket we opened, "" for others."""

    external_id: str
    version: str
    opened_at: datetime
    state: str
    medium: str = ""
    subject: str = ""
    customer_id: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    order_number: str = ""
    key: str = ""
    is_ticket: bool = False
    messages: tuple[ConversationMessage, ...] = ()
    updated_at: datetime | None = None
    closed_at: datetime | None = None
    rating: str = ""
    unknown: tuple[str, ...] = ()
    raw: Raw = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRecord:
    """What an analytics platform counted on one day for one source of traffic ("" for all together)."""

    day: date
    source: str = ""
    sessions: int = 0
    users: int = 0
    purchases: int = 0
    revenue: Decimal = ZERO
    currency: str = ""


# Out. `key` is the same for every try of the same thing.


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContent:
    """A message to one person about their own order or wish, not advertising: `purpose` is order_confirmed, shipped,
    back_in_stock, ... `template` is the platform's name of a template ("": subject, text and html are sent as they
    are), `values` are what it may name."""

    key: str
    purpose: str
    to_email: str
    subject: str
    text: str
    to_name: str = ""
    html: str = ""
    language: str = ""
    template: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketContent:
    """A ticket to open: who it is from, what it is about. `context` is for the agents' eyes only (the order, where the
    parcel is); `order_number` is kept so that the ticket names it; `priority` is low, normal, high or urgent."""

    key: str
    subject: str
    text: str
    name: str = ""
    email: str = ""
    phone: str = ""
    customer_id: str = ""
    order_number: str = ""
    context: str = ""
    priority: str = "normal"
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventItem:
    """One article of an event."""

    sku: str
    title: str = ""
    quantity: int = 1
    unit_price: Decimal = ZERO
    brand: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyticsEvent:
    """Something that happened, told to an analytics platform: `name` is page_view, view_item, search, add_to_cart,
    remove_from_cart, begin_checkout, purchase, refund, sign_up, generate_lead or another of our interaction types.

    `key` is unique and the same for every try: a platform that removes duplicates does so by it. `client_id` is a
    pseudonym of the device or person, never an address. Only what a person agreed to is handed to a connector;
    `allows_ads` says whether they also agreed to advertising.
    """

    key: str
    name: str
    at: datetime
    client_id: str
    user_id: str = ""
    session_id: str = ""
    device: str = ""
    allows_ads: bool = False
    channel: str = ""
    order_number: str = ""
    amount: Decimal | None = None
    tax: Decimal | None = None
    shipping: Decimal | None = None
    currency: str = ""
    items: tuple[EventItem, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)


class PullsInteractions(ABC):
    """What people did with our mail, or on the platform, comes in."""

    @abstractmethod
    def pull_interactions(self, cursor: str, since: datetime | None) -> Iterator[Page[InteractionRecord]]:
        """Yield interactions since the cursor, the oldest first; the same ones may come again."""


class PullsConversations(ABC):
    """Conversations and tickets come in."""

    @abstractmethod
    def pull_conversations(self, cursor: str, since: datetime | None) -> Iterator[Page[ConversationRecord]]:
        """Yield conversations changed since the cursor, oldest change first."""

    @abstractmethod
    def pull_conversation(self, external_id: str) -> ConversationRecord | None:
        """One conversation as it stands now; None when the platform has none of that id."""


class PullsFigures(ABC):
    """What an analytics platform counted can be compared with ours."""

    @abstractmethod
    def pull_figures(self, first: date, last: date) -> Sequence[FigureRecord]:
        """What was counted on these days, both included, by source of traffic."""


class SendsEvents(ABC):
    """Events of customers go out."""

    event_batch_limit: ClassVar[int]
    most_event_age: ClassVar[timedelta | None] = None  # older ones are not taken

    @abstractmethod
    def send_events(self, events: Sequence[AnalyticsEvent]) -> Sequence[Rejected]:
        """Tell these events, at most `event_batch_limit`; return those that were refused, each with its key. Told twice
        under one key, it counts once wherever the platform can tell."""


class SendsMessages(ABC):
    """Messages go out to single persons."""

    @abstractmethod
    def send_message(self, content: MessageContent) -> str:
        """Send a message; return the platform's id of it ("" where it gives none)."""

    @abstractmethod
    def find_message(self, key: str) -> str | None:
        """The platform's id of the message sent under that key; None when there is none. Asked after an unknown
        outcome. Raises NotSupported where it cannot be asked: then a person decides whether to send it again."""


class AnswersConversations(ABC):
    """Something is said in conversations that customers began."""

    @abstractmethod
    def answer_conversation(self, conversation_id: str, text: str, *, after: str, is_note: bool) -> None:
        """Say this in a conversation, to agents alone if `is_note`. Where the same was said since the message `after`
        already, nothing is said."""


class OpensTickets(ABC):
    """Tickets are opened, and agents see what they are about."""

    @abstractmethod
    def open_ticket(self, content: TicketContent) -> str:
        """Open a ticket; return the platform's id of it. Opened twice under one key, it is one ticket."""

    @abstractmethod
    def find_ticket(self, key: str) -> str | None:
        """The platform's id of the ticket opened under that key; None when there is none."""

    @abstractmethod
    def note_ticket(self, ticket_id: str, note: str, key: str) -> None:
        """Leave a note that only agents see in a ticket or conversation, such as what became of its order."""


def was_said(record: ConversationRecord, text: str, after: str) -> bool:
    """Whether the same words, blanks apart, were said by the merchant's side since a message."""
    ids = [one.external_id for one in record.messages]
    later = record.messages[ids.index(after) + 1 :] if after in ids else record.messages
    wanted = text.split()
    return any(one.author != "customer" and one.text.split() == wanted for one in later)
