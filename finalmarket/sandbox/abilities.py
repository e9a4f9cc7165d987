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
    """A customer as the platform knows them."""

    name: str
    email: str


@runtime_checkable
class KnowsPeople(Protocol):
    """Customers are known there."""

    def meet(self, name: str, email: str) -> str:
        """Somebody becomes a customer; the platform's id."""

    def rename(self, customer: str, name: str) -> None:
        """A customer is called otherwise now."""

    def people(self) -> Mapping[str, Person]:
        """All customers, by the platform's id."""
