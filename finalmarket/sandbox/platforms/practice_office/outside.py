"""What is played around the practice office, in the words of every platform (sandbox/abilities.py)."""

from __future__ import annotations

from decimal import Decimal

from finalmarket.sandbox.abilities import Money, Move, Person
from finalmarket.sandbox.platforms.practice_office.people import People
from finalmarket.sandbox.platforms.practice_office.till import Till

STATES = {"reserved": "held", "taken": "taken", "given_back": "taken", "disputed": "taken", "released": "let_go"}
MOVES = {"taken": "taken", "released": "let_go"}


class Outside(Till, People):
    """Buyers, the merchant's own hand, customers."""

    def hold(self, amount: Decimal, currency: str, *, order_id: str, email: str = "") -> str:
        """See TakesMoney."""
        return self.add_payment(amount, order=order_id, currency=currency)

    def take_by_hand(self, payment: str) -> None:
        """See TakesMoney."""
        self._capture(payment, self._one("payments", payment)["amount"])

    def let_go_by_hand(self, payment: str) -> None:
        """See TakesMoney."""
        self._release(payment)

    def money(self) -> dict[str, Money]:
        """See TakesMoney."""
        return {
            number: Money(
                amount=Decimal(one["amount"]), currency=one["currency"], state=STATES[one["state"]],
                order_id=one["order"], taken=Decimal(one["taken"]),
                given_back=sum((Decimal(refund["amount"]) for refund in one["refunds"]), Decimal(0)),
                is_disputed=one["state"] == "disputed",
            )
            for number, one in self.state["payments"].items()
            if one["state"] in STATES
        }  # fmt: skip

    def moves(self) -> list[Move]:
        """See TakesMoney."""
        found = []
        for entry in self.world.journal.entries(platform=self.slug, what="effect"):
            facts = entry.facts
            if entry.name == "refund" and facts["account"] == self.account:
                found.append(Move("given_back", facts["payment"], Decimal(facts["amount"])))
            elif entry.name == "payment" and facts["account"] == self.account and facts["state"] in MOVES:
                amount = Decimal(facts["amount"]) if facts["state"] == "taken" else Decimal(0)
                found.append(Move(MOVES[facts["state"]], facts["id"], amount))
        return found

    def meet(self, name: str, email: str) -> str:
        """See KnowsPeople."""
        return self.add_customer(email, name=name)

    def rename(self, customer: str, name: str) -> None:
        """See KnowsPeople."""
        self.change_customer(customer, name=name)

    def people(self) -> dict[str, Person]:
        """See KnowsPeople."""
        return {one["id"]: Person(one["name"], one["email"]) for one in self.state["customers"].values()}
