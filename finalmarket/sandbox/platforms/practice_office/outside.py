"""What is played around the practice office, in the words of every platform (sandbox/abilities.py)."""

from __future__ import annotations

import random
from decimal import Decimal

from finalmarket.sandbox.abilities import Deed, KeptOrder, Money, Move, PaidLabel, Person, TicketThere
from finalmarket.sandbox.platforms.practice_office.books import Books
from finalmarket.sandbox.platforms.practice_office.desk import MAIN, Fields
from finalmarket.sandbox.platforms.practice_office.mail import Mail
from finalmarket.sandbox.platforms.practice_office.parcels import Parcels
from finalmarket.sandbox.platforms.practice_office.people import People
from finalmarket.sandbox.platforms.practice_office.till import Till

STATES = {"reserved": "held", "taken": "taken", "given_back": "taken", "disputed": "taken", "released": "let_go"}
MOVES = {"taken": "taken", "released": "let_go"}


class Outside(Till, People, Books, Mail, Parcels):
    """Buyers, the merchant's own hand, customers, carriers, readers."""

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

    def paid_labels(self) -> dict[str, PaidLabel]:
        """See MovesParcels."""
        return {
            number: PaidLabel(one["number"], one["state"] == "given_back")
            for number, one in self.state["labels"].items()
        }

    def carry(self, number: str) -> None:
        """See MovesParcels."""
        self.move_parcel(number, "moving")

    def hand_over(self, number: str) -> None:
        """See MovesParcels."""
        self.move_parcel(number, "delivered")

    def mailed(self) -> list[str]:
        """See Mails."""
        return [one["reference"] for one in self.effects("message")]

    def told_by_letter(self) -> frozenset[str]:
        """See SeesDeeds."""
        return frozenset()

    def do_something(self, chance: random.Random) -> Deed | None:
        """See SeesDeeds."""
        if chance.random() < 0.3:
            email = f"reader-{chance.randint(1, 999_999)}@example.com"
            kind, word = chance.choice((("unsubscribe", "left_list"), ("email_complaint", "mail_complaint")))
            self.interact(word, email=email)
            return Deed(kind, email)
        mails = self.messages()
        if not mails:
            return None
        mail = chance.choice(mails)
        if chance.random() < 0.5:
            self.open_mail(mail["id"])
            return Deed("email_open", mail["to"])
        self.click_mail(mail["id"], "https://shop.example/tea")
        return Deed("email_click", mail["to"])

    def counted_events(self) -> list[str]:
        """See CountsEvents."""
        return [one["key"] for one in self.effects("event")]

    def begin_talk(self, text: str, email: str) -> str:
        """See Talks."""
        return self.say(text, email=email)

    def go_on(self, talk: str, text: str) -> None:
        """See Talks."""
        self.say(text, conversation=talk)

    def answer_back(self, talk: str, text: str) -> None:
        """See Talks."""
        self.say(text, conversation=talk, author="agent")

    def close_talk(self, talk: str) -> None:
        """See ClosesTalks."""
        self.solve(talk)

    def tickets_there(self) -> list[TicketThere]:
        """See TakesTickets."""
        return [
            TicketThere(one["subject"], tuple(said["text"] for said in one["messages"] if said["from"] == "internal"))
            for one in self.state["conversations"].values()
            if one["is_ticket"]
        ]

    def kept_orders(self) -> list[KeptOrder]:
        """See KeepsOrders."""
        return [
            KeptOrder(
                one["number"], sum(line["quantity"] - line["cancelled"] for line in goods_of(one)),
                one["state"] == "cancelled",
                sum(line["quantity"] for parcel in one["parcels"] for line in parcel["lines"]),
            )
            for one in self.state["orders"].values()
        ]  # fmt: skip

    def sell_over_counter(self, chance: random.Random) -> tuple[str, int] | None:
        """See CountsStock."""
        there = [item for item in self.state["items"].values() if item["stock"].get(MAIN, {}).get("quantity", 0) > 0]
        if not there:
            return None
        item = chance.choice(there)
        self._move(item, MAIN, -1, self.now().isoformat())
        return item["sku"], 1


def goods_of(order: Fields) -> list[Fields]:
    """The lines of goods of an order."""
    return [line for line in order["lines"] if line["kind"] == "goods"]
