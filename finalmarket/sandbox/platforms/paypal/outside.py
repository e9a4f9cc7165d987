"""What is played around a PayPal account, in the words of every platform (sandbox/abilities.py). A payment is called by
the order that the buyer agreed to."""

from __future__ import annotations

from decimal import Decimal

from finalmarket.sandbox.abilities import Money, Move
from finalmarket.sandbox.platforms.paypal.account import Object
from finalmarket.sandbox.platforms.paypal.till import OPEN_HOLDS, TAKEN, Till

MOVES = {"capture": "taken", "refund": "given_back", "void": "let_go"}


class Outside(Till):
    """The floor above the till."""

    def hold(self, amount: Decimal, currency: str, *, order_id: str, email: str = "") -> str:
        """See TakesMoney."""
        buyer = email or "buyer@example.com"
        return self.pay(f"{amount:.2f}", currency, capture=False, order_number=order_id, email=buyer)

    def take_by_hand(self, payment: str) -> None:
        """See TakesMoney."""
        self.capture(self._parts_of(payment, "authorizations")[0]["id"], is_final=True)

    def let_go_by_hand(self, payment: str) -> None:
        """See TakesMoney."""
        self.void(self._parts_of(payment, "authorizations")[0]["id"])

    def refund_by_hand(self, payment: str, amount: Decimal) -> str:
        """See TakesMoney: of the first capture that has so much left."""
        unit = self.order(payment)["purchase_units"][0]
        for capture in self._parts_of(payment, "captures"):
            if Decimal(capture["amount"]["value"]) - self._given(unit, capture["id"]) >= amount:
                return str(self.give_back(capture["id"], {**capture["amount"], "value": f"{amount:.2f}"})["id"])
        raise ValueError(f"no capture of {payment} has {amount} left")

    def money(self) -> dict[str, Money]:
        """See TakesMoney."""
        return {name: self._stands(name) for name in self.state["orders"] if self._parts_of(name, "authorizations")}

    def _stands(self, name: str) -> Money:
        (hold,) = self._parts_of(name, "authorizations")
        taken = [one for one in self._parts_of(name, "captures") if one["status"] in TAKEN]
        given = [one for one in self._parts_of(name, "refunds") if one["status"] == "COMPLETED"]
        state = "taken" if taken else "held" if hold["status"] in OPEN_HOLDS else "let_go"
        disputed = {part["seller_transaction_id"] for one in self.state["disputes"].values()
                    for part in one["disputed_transactions"]}  # fmt: skip
        return Money(
            amount=_value(hold), currency=hold["amount"]["currency_code"], state=state,
            order_id=hold.get("custom_id", ""), taken=sum(map(_value, taken), Decimal(0)),
            given_back=sum(map(_value, given), Decimal(0)), is_disputed=any(one["id"] in disputed for one in taken),
        )  # fmt: skip

    def moves(self) -> list[Move]:
        """See TakesMoney."""
        return [
            Move(MOVES[entry.name], entry.facts["order"], Decimal(entry.facts.get("amount", 0)))
            for entry in self.world.journal.entries(platform=self.slug, what="effect")
            if entry.name in MOVES and entry.facts["account"] == self.account
        ]

    def _parts_of(self, payment: str, kind: str) -> list[Object]:
        found: list[Object] = self.order(payment)["purchase_units"][0].get("payments", {}).get(kind, [])
        return found


def _value(part: Object) -> Decimal:
    return Decimal(part["amount"]["value"])
