"""What a stand-in can play of the outside world, whatever platform it is: whoever has these methods has the ability.

The sandbox and the tests ask for an ability (`isinstance(stand_in, Sells)`), never for a platform. The caller holds the
stand-in's lock, as for all that happens outside of its calls.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Sells(Protocol):
    """Shoppers buy there."""

    def shop(self, chance: random.Random) -> None:
        """A shopper comes by."""

    def sold(self) -> Mapping[str, Any]:
        """All orders that were ever placed there, by the platform's id."""


@runtime_checkable
class ShowsStock(Protocol):
    """The merchant's goods are on offer there."""

    def listings(self) -> Sequence[str]:
        """The SKUs that are on sale."""

    def shown_stock(self) -> Mapping[str, int]:
        """The units that are shown, by SKU."""


@dataclass(frozen=True, slots=True)
class Money:
    """How a payment stands there: `state` is held, taken or let_go; amounts are of `currency`."""

    amount: Decimal
    currency: str
    state: str
    order_id: str = ""
    taken: Decimal = Decimal(0)
    given_back: Decimal = Decimal(0)
    is_disputed: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """Money that moved, by the journal: `what` is taken, given_back or let_go (then the amount is nothing)."""

    what: str
    payment: str
    amount: Decimal = Decimal(0)


@runtime_checkable
class TakesMoney(Protocol):
    """Buyers pay the merchant's orders there."""

    def hold(self, amount: Decimal, currency: str, *, order_id: str, email: str = "") -> str:
        """A buyer agrees to an amount for an order of the merchant's, to be taken later; the payment's id."""

    def take_by_hand(self, payment: str) -> None:
        """The merchant takes the whole amount, on the platform's own pages."""

    def let_go_by_hand(self, payment: str) -> None:
        """The merchant lets a held amount go, on the platform's own pages."""

    def refund_by_hand(self, payment: str, amount: Decimal) -> str:
        """The merchant gives money back, on the platform's own pages; the refund's id."""

    def dispute(self, payment: str) -> object:
        """The buyer wants the money back from their bank."""

    def money(self) -> Mapping[str, Money]:
        """How every payment stands that was agreed to, by its id."""

    def moves(self) -> Sequence[Move]:
        """All money that moved, by the journal, in order."""


@dataclass(frozen=True, slots=True)
class Person:
    """A customer as the platform knows them; `wants_mail` is what it holds of newsletters, None where it holds
    nothing."""

    name: str
    email: str
    wants_mail: bool | None = None


@runtime_checkable
class HoldsPeople(Protocol):
    """Customers are kept there."""

    def people(self) -> Mapping[str, Person]:
        """All customers, by the platform's id."""


@runtime_checkable
class KnowsPeople(HoldsPeople, Protocol):
    """Customers become known there."""

    def meet(self, name: str, email: str) -> str:
        """Somebody becomes a customer; the platform's id."""

    def rename(self, customer: str, name: str) -> None:
        """A customer is called otherwise now."""


# Parcels.


@dataclass(frozen=True, slots=True)
class PaidLabel:
    """A label that was paid for there, by its parcel's number."""

    number: str
    is_given_back: bool = False


@runtime_checkable
class MovesParcels(Protocol):
    """Labels are sold there, and carriers move what bears them."""

    def paid_labels(self) -> Mapping[str, PaidLabel]:
        """All labels that were ever paid for, by the platform's id."""

    def carry(self, number: str) -> None:
        """A carrier takes the parcel of that number along."""

    def hand_over(self, number: str) -> None:
        """A carrier delivers the parcel of that number."""


# Mail.


@runtime_checkable
class Mails(Protocol):
    """Mails to single persons leave from there."""

    def mailed(self) -> Sequence[str]:
        """The keys that the mails bore which went out, in order: one that went out twice stands there twice."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that a person did, in the words of InteractionRecord."""

    kind: str
    email: str = ""


@runtime_checkable
class SeesDeeds(Protocol):
    """What people do with mails, or below posts, is seen there."""

    def told_by_letter(self) -> frozenset[str]:
        """The names of the webhooks that alone tell of something: the platform sends them until they arrive."""

    def do_something(self, chance: random.Random) -> Deed | None:
        """Somebody does something; what it was, None for nothing."""


# Events.


@runtime_checkable
class CountsEvents(Protocol):
    """Events are counted there."""

    def counted_events(self) -> Sequence[str]:
        """The keys of the events that were counted, in order: one that was counted twice stands there twice."""


# Talk.


@runtime_checkable
class Talks(Protocol):
    """People write to the merchant there."""

    def begin_talk(self, text: str, email: str) -> str:
        """Somebody writes for the first time; the conversation's id, as the connector names it."""

    def go_on(self, talk: str, text: str) -> None:
        """The same person writes once more."""

    def answer_back(self, talk: str, text: str) -> None:
        """The merchant's people answer, on the platform's own pages."""


@runtime_checkable
class ClosesTalks(Talks, Protocol):
    """Conversations come to an end there."""

    def close_talk(self, talk: str) -> None:
        """The merchant's people close it, on the platform's own pages."""


@dataclass(frozen=True, slots=True)
class TicketThere:
    """A ticket that was opened from elsewhere, with all that agents alone see of it."""

    subject: str
    notes: tuple[str, ...] = ()


@runtime_checkable
class TakesTickets(Protocol):
    """Tickets are opened there from elsewhere."""

    def tickets_there(self) -> Sequence[TicketThere]:
        """All of them."""


# Books.


@dataclass(frozen=True, slots=True)
class KeptOrder:
    """An order of the merchant's as the books have it: the units of goods that are wanted, and those that have left
    (None where the books do not count them). `is_waiting` says whether it waits to be packed there (None: nothing is
    packed there)."""

    number: str
    units: int
    is_cancelled: bool = False
    left: int | None = None
    is_waiting: bool | None = None


@runtime_checkable
class KeepsOrders(Protocol):
    """Orders that were sold elsewhere are kept there."""

    def kept_orders(self) -> Sequence[KeptOrder]:
        """All of them: one that is kept twice stands there twice."""


@runtime_checkable
class PricesGoods(Protocol):
    """Orders are made of products that have to be there first."""

    def put_in_catalogue(self, code: str, title: str, price: Decimal) -> None:
        """One more product."""


@runtime_checkable
class CountsStock(ShowsStock, Protocol):
    """Stock is kept in its books, and sold over a counter of its own."""

    def sell_over_counter(self, chance: random.Random) -> tuple[str, int] | None:
        """Somebody buys at the counter; SKU and units, None where nothing was left."""
