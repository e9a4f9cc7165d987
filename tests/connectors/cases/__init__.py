"""What the conformance suite needs to know of one platform: a file `cases/<slug>.py` with a function `case() -> Case`.

Everything here is the platform's side of the story: how its stand-in is filled, what it signs, what it refuses. The
suite itself (test_conformance.py) knows no platform. What a connector does not declare stays None; what it declares and
the case leaves out fails the suite by name.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

import httpx2

from finalmarket.connectors.books import MovementNotice, OrderContent
from finalmarket.connectors.contract import Account, Connector
from finalmarket.connectors.records import (
    CustomerContent,
    Delivery,
    FulfilmentNotice,
    ListingContent,
    ListingRef,
    PaymentRequest,
    RefundNotice,
)
from finalmarket.connectors.shipping import Shipment
from finalmarket.connectors.talk import AnalyticsEvent, MessageContent, TicketContent
from finalmarket.sandbox.stand_in import StandIn
from tests.connectors.descriptions import Description

# Fills a stand-in with that many orders (customers, ...), each changed a second after the other, no two the same;
# returns their external ids, oldest change first. Called twice, it adds more.
Seed = Callable[[Any, int], Sequence[str]]


class Deliver(Protocol):
    """A delivery as the platform would sign it for this account at that moment; `topic` is one of its own words."""

    def __call__(self, account: Account, *, topic: str, sent_at: datetime) -> Delivery: ...


@dataclass(frozen=True, kw_only=True)
class Authorised:
    """A payment that waits to be captured."""

    payment_id: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, kw_only=True)
class Case:
    """One platform under the conformance suite. The first argument of every callable with `Any` is the stand-in."""

    connector: type[Connector]
    stand_in: type[StandIn]
    # An account that the stand-in at this address lets in: made-up secrets of 8 letters or more, no two the same.
    account: Callable[[str], Account]
    # The published description, loaded when asked for; None where the platform publishes none.
    describe: Callable[[], Description] | None
    # Paths outside the description, without the sandbox's prefix: token endpoints, upload addresses (regular
    # expressions, matched from the start). An answer to a POST there is taken for a token answer by the suite.
    ignore: tuple[str, ...] = ()
    currency: str = "EUR"

    # What comes in. `page_sizes` says how many records of a stream ("orders", "listings", "customers", "payments",
    # "conversations", "interactions") the connector gets in one page, so that the suite can seed two pages and a bit.
    page_sizes: Mapping[str, int] = field(default_factory=dict)
    seed_orders: Seed | None = None
    seed_customers: Seed | None = None
    seed_payments: Seed | None = None
    # Puts that many listings up, with stock 5 and a price of 10.00 each; returns refs as pull_listings would.
    seed_listings: Callable[[Any, int], Sequence[ListingRef]] | None = None
    # Puts in one order whose state (or tender, or line kind) is a word that no documentation knows; returns the order's
    # external id and that word, which must come back in OrderRecord.unknown.
    seed_unknown_order: Callable[[Any], tuple[str, str]] | None = None
    seed_unknown_payment: Callable[[Any], tuple[str, str]] | None = None
    # Of "orders", "payments", "conversations", "interactions", "parcels": those whose records hold no word of a list.
    wordless: tuple[str, ...] = ()
    seed_conversations: Seed | None = None
    seed_interactions: Seed | None = None
    shown_after: timedelta = timedelta(0)  # how long after a change the lists of what comes in begin to tell of it
    seed_unknown_conversation: Callable[[Any], tuple[str, str]] | None = None
    seed_unknown_interaction: Callable[[Any], tuple[str, str]] | None = None
    # A parcel whose state is such a word: its label's id, tracking number and carrier, and the word.
    seed_unknown_parcel: Callable[[Any], tuple[str, str, str, str]] | None = None
    # By stream: makes the record of that id unreadable where it comes in a page between good ones. Without it the suite
    # spoils it on the wire, in the list where its id stands; one that names its records otherwise needs this.
    spoil: Mapping[str, Callable[[Any, str], None]] = field(default_factory=dict)

    # What goes out.
    location: str = ""  # where stock is set, in the platform's words
    another_location: Callable[[Any], str] | None = None  # one more, made where there is none yet
    missing_ref: ListingRef | None = None  # a listing that the platform does not have and therefore refuses
    stock_of: Callable[[Any, ListingRef], int] | None = None  # the truth in the stand-in
    price_of: Callable[[Any, ListingRef], Decimal] | None = None
    # Contents for that many new listings, complete enough to be taken; and one that the platform refuses.
    new_listings: Callable[[Any, int], Sequence[ListingContent]] | None = None
    bad_listing: ListingContent | None = None
    # Each seeds what it needs, and returns a notice that the platform takes; another one at every call.
    fulfilment: Callable[[Any], FulfilmentNotice] | None = None
    refund: Callable[[Any], RefundNotice] | None = None
    cancellable_order: Callable[[Any], str] | None = None
    authorised_payment: Callable[[Any], Authorised] | None = None
    # Each seeds what it needs (customers, items, places), and returns something new that the platform takes.
    customer: Callable[[Any], CustomerContent] | None = None  # None: a plain one of the suite's own is taken
    order_content: Callable[[Any], OrderContent] | None = None
    movements: Callable[[Any, int], Sequence[MovementNotice]] | None = None
    # That movement, made one that the platform refuses. None: of an item that is not there, which most refuse.
    bad_movement: Callable[[Any, MovementNotice], MovementNotice] | None = None
    shipment: Callable[[Any], Shipment] | None = None
    message: Callable[[Any], MessageContent] | None = None
    ticket: Callable[[Any], TicketContent] | None = None
    analytics_events: Callable[[Any, int], Sequence[AnalyticsEvent]] | None = None
    counts_events_once: bool = True  # False: the platform cannot tell that an event came before
    payment_request: Callable[[Any], PaymentRequest] | None = None
    approve: Callable[[Any, str], None] | None = None  # the buyer says yes to the payment of that id

    # Webhooks.
    deliver: Deliver | None = None
    # A webhook secret made of these words; a platform that signs with a key pair needs a public key instead.
    made_up_secret: Callable[[str], str] = lambda words: words
    unknown_topic: str = "weather/changed"  # a topic that no documentation knows, in the platform's spelling
    signature_headers: tuple[str, ...] = ()  # without any one of these a delivery is refused
    signs_time: bool = False  # whether the moment of sending is part of what is signed
    subscribes_by_hand: bool = False  # in the platform's own console: it has no call for it
    # What stands of subscriptions, where one whose secret was lost on the way has to be made anew: then the journal
    # tells of two, and one stands. None: the journal tells.
    subscriptions: Callable[[Any], Any] | None = None
    # What the platform itself answers while a delivery is verified, such as its certificate; None: it is not asked.
    webhook_answers: Callable[[httpx2.Request], httpx2.Response] | None = None
    # Whether the body is. Where a shared secret in a header is all the proof there is, events are hints only.
    signs_body: bool = True


def case_of(slug: str) -> Case:
    """The case of a connector; raises ModuleNotFoundError where its author wrote none."""
    module = importlib.import_module(f"{__name__}.{slug}")
    made: Case = module.case()
    return made
