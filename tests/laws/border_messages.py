"""Mails about orders and wishes of our shop leave through a platform: each once, and none to somebody barred.

A platform may take a mail as often as it is told, and know no key (SendGrid: its API has neither a key of idempotency
nor a question after a mail; its feed of what was sent is sold apart, and published nowhere). There a mail whose answer
got lost is not sent on a guess: it is set aside, and a person decides. The game has it lie there, and says so of every
mail that is missing; one that went out twice is wrong everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from finalmarket.connectors.talk import SendsMessages
from finalmarket.customers.consents import is_barred
from finalmarket.integrations import dead_letters
from finalmarket.integrations.models import DeadLetter, DueNotice
from finalmarket.integrations.talk.kinds import MAILS
from finalmarket.orders.models import Fulfilment
from finalmarket.sandbox import abilities
from tests.laws.border_part import Part

DUTIES = ("confirmations", "dispatches")


class Messages(Part):
    """Mails to single persons."""

    needs = (SendsMessages,)
    ability = abilities.Mails

    def open(self) -> None:
        self.shop = self.game.own_shop()
        for name in DUTIES:
            self.game.give_duty(name)

    def trade(self) -> None:
        """The shop's own trade is what is written about."""

    def _rows(self) -> list[DueNotice]:
        mine = DueNotice.objects.filter(integration=self.game.integration, kind__in=list(MAILS))
        return list(mine.order_by("pk"))

    def explains(self, letter: DeadLetter) -> bool:
        """What nobody knows of is put before a person: only where a call for it really ended without an answer."""
        rows = DueNotice.objects.filter(pk=letter.payload.get("notice") or 0, kind__in=list(MAILS))
        return any(one.attempts > 1 and not self._can_be_asked() for one in rows)

    def _can_be_asked(self) -> bool:
        return not any("cannot be asked" in one.last_error for one in self._rows())

    def wrong(self) -> Iterator[str]:
        went = Counter(self.there.mailed())
        rows = {one.key: one for one in self._rows()}
        yield from (f"mail {key} went out and was never written" for key in sorted(set(went) - set(rows)))
        aside = {
            letter.payload.get("notice") for letter in
            DeadLetter.objects.filter(pk__in=dead_letters.open_letters(self.game.integration.pk))
        }  # fmt: skip
        for key, one in sorted(rows.items()):
            if went[key] > 1:
                yield f"{one.kind} {one.local_id} went out {went[key]} times"
            if not went[key] and one.pk not in aside and not self._is_idle(one):
                yield f"{one.kind} {one.local_id} never went out"
        yield from self._unwritten(rows)

    def _is_idle(self, one: DueNotice) -> bool:
        """Whether there was nothing to be sent: what it is about is off, its reader is barred, or the platform said yes
        and threw it away, which nobody can see."""
        if self.game.was_ignored(one.sent_at):
            return True
        if one.kind == DueNotice.Kind.CONFIRMATION:
            order = self.game.own_shop().orders().filter(pk=one.local_id).first()
            return order is None or order.state == "cancelled" or is_barred(order.email, order.customer_id)
        parcel = Fulfilment.objects.select_related("order").get(pk=one.local_id)
        return is_barred(parcel.order.email, parcel.order.customer_id)

    def _unwritten(self, rows: dict[str, DueNotice]) -> Iterator[str]:
        known = {(one.kind, one.local_id) for one in rows.values()}
        for order in self.shop.orders().exclude(state="cancelled"):
            if (DueNotice.Kind.CONFIRMATION, order.pk) not in known:
                yield f"order {order.external_id} was never confirmed"
        sent = Fulfilment.objects.filter(order__in=self.shop.orders(), state__in=["shipped", "delivered"])
        for parcel in sent:
            if (DueNotice.Kind.DISPATCH, parcel.pk) not in known:
                yield f"nobody was written to about parcel {parcel.pk}"
