"""Tickets about orders of our shop are opened at a platform, once each, and its agents know how the order stands: what
changes is left as a note, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from finalmarket.connectors.talk import OpensTickets
from finalmarket.integrations.models import Ticket
from finalmarket.integrations.talk.order_context import contexts
from finalmarket.integrations.talk.tickets import digest_of, open_ticket
from finalmarket.sandbox import abilities
from tests.laws.border_part import Part

ACTOR = "game"


class Tickets(Part):
    """Tickets go out, and notes."""

    needs = (OpensTickets,)
    ability = abilities.TakesTickets

    def open(self) -> None:
        self.shop = self.game.own_shop()
        self.opened: list[str] = []
        self.game.give_duty("tickets")

    def trade(self) -> None:
        if self.game.dice.random() < 0.25:
            order = self.shop.orders().last()
            if order is not None:
                subject = f"Complaint {len(self.opened) + 1} about {order.number}"
                self.opened.append(subject)
                for _ in range(2):  # the button is pressed twice
                    open_ticket(
                        order.pk, subject=subject, text="It is broken.", key=subject, actor=ACTOR,
                        integration_id=self.game.integration.pk,
                    )  # fmt: skip

    def wrong(self) -> Iterator[str]:
        there = self.there.tickets_there()
        times = Counter(one.subject for one in there)
        for subject in self.opened:
            if times[subject] != 1:
                yield f"ticket {subject!r} was opened {times[subject]} times"
        notes = {one.subject: one.notes for one in there}
        rows = list(Ticket.objects.filter(integration=self.game.integration).select_related("order"))
        texts = contexts([one.order_id for one in rows if one.order_id])
        for one in rows:
            standing = texts[one.order_id or 0]
            if one.noted_digest != digest_of(standing):
                yield f"the agents of {one.subject!r} do not know how its order stands"
            yield from self._notes_wrong(one, notes.get(one.subject, ()), standing)

    def _notes_wrong(self, one: Ticket, notes: tuple[str, ...], standing: str) -> Iterator[str]:
        last = [line for line in standing.splitlines() if line][-1]
        seen = [note for note in notes if _plain(last) in _plain(note)]
        if not seen:
            yield f"no note of {one.subject!r} says {last!r}"
        for note, count in Counter(notes).items():
            if count > 1 and "The Final Market" in note:
                yield f"a note of {one.subject!r} was left {count} times"


def _plain(text: str) -> str:
    """The letters and digits of a text, whatever marks stand between them."""
    return "".join(letter for letter in text if letter.isalnum())
