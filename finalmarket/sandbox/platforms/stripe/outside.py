"""What is played around a Stripe account, in the words of every platform (sandbox/abilities.py), in whole units."""

from __future__ import annotations

from decimal import Decimal

from finalmarket.sandbox.abilities import Money, Move, Person
from finalmarket.sandbox.platforms.stripe.till import THREE_DECIMALS, Till

WITHOUT_DECIMALS = ("jpy",)
STATES = {"requires_capture": "held", "succeeded": "taken", "canceled": "let_go"}
MOVES = {"payment": "taken", "capture": "taken", "refund": "given_back", "cancellation": "let_go"}


class Outside(Till):
    """The floor above the till."""

    def hold(self, amount: Decimal, currency: str, *, order_id: str, email: str = "") -> str:
        """See TakesMoney."""
        return self.pay(_minor(amount, currency), currency.lower(), capture=False, order_id=order_id, email=email)

    def take_by_hand(self, payment: str) -> None:
        """See TakesMoney."""
        self.capture(payment)

    def let_go_by_hand(self, payment: str) -> None:
        """See TakesMoney."""
        self.cancel(payment, "requested_by_customer")

    def refund_by_hand(self, payment: str, amount: Decimal) -> str:
        """See TakesMoney."""
        return str(self.give_back(payment, _minor(amount, self.one("payment_intents", payment)["currency"]))["id"])

    def money(self) -> dict[str, Money]:
        """See TakesMoney: payment intents that a bank has agreed to."""
        return {
            name: Money(
                amount=_whole(facts["amount"], facts["currency"]), currency=facts["currency"].upper(),
                state=STATES[facts["status"]], order_id=facts["order_id"],
                taken=_whole(facts["captured"], facts["currency"]),
                given_back=_whole(facts["refunded"], facts["currency"]), is_disputed=bool(facts["disputes"]),
            )
            for name, facts in self.paid().items()
            if facts["status"] in STATES
        }  # fmt: skip

    def moves(self) -> list[Move]:
        """See TakesMoney."""
        return [
            Move(MOVES[entry.name], entry.facts["payment"], _whole(entry.facts["amount"], entry.facts["currency"]))
            if "amount" in entry.facts
            else Move(MOVES[entry.name], entry.facts["payment"])
            for entry in self.world.journal.entries(platform=self.slug, what="effect")
            if entry.name in MOVES and entry.facts["account"] == self.account
        ]

    def meet(self, name: str, email: str) -> str:
        """See KnowsPeople."""
        return str(self.sign_up({"name": name, "email": email})["id"])

    def rename(self, customer: str, name: str) -> None:
        """See KnowsPeople."""
        self.change_customer(customer, {"name": name})

    def people(self) -> dict[str, Person]:
        """See KnowsPeople."""
        customers = self.state["customers"].values()
        return {one["id"]: Person(one["name"] or "", one["email"] or "") for one in customers}


def _minor(amount: Decimal, currency: str) -> int:
    return int(amount * _parts(currency))


def _whole(minor: int, currency: str) -> Decimal:
    return Decimal(minor) / _parts(currency)


def _parts(currency: str) -> int:
    code = currency.lower()
    return 1 if code in WITHOUT_DECIMALS else 1000 if code in THREE_DECIMALS else 100
