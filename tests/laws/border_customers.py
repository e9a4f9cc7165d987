"""Customers of our shop are kept on a platform: each once, by the name that they have, and with their word on
newsletters.

Where only an audience is kept (a mailing platform), those who agreed are in it, and who took that back gets none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from finalmarket.connectors.contract import Connector, PushesCustomers
from finalmarket.customers.models import Consent
from finalmarket.integrations.books import records
from finalmarket.integrations.books.finding import books_of
from finalmarket.integrations.duties import DUTIES
from finalmarket.integrations.models import DueRecord
from finalmarket.kernel import clock
from finalmarket.sandbox import abilities
from tests.laws.border_orders import records_that_wait
from tests.laws.border_part import Part
from tests.laws.border_shop import PEOPLE, email_of

KINDS = (*DUTIES["customers"].kinds, *DUTIES["audience"].kinds)


class Customers(Part):
    """Customers go out."""

    needs = (PushesCustomers,)
    ability = abilities.HoldsPeople
    jobs = (records.tell,)

    @classmethod
    def fits(cls, connector: type[Connector]) -> bool:
        """Whether an account of this kind keeps customers, unless a person says otherwise."""
        return super().fits(connector) and connector.kind in KINDS

    def open(self) -> None:
        self.shop = self.game.own_shop()
        for number in range(PEOPLE // 3):
            self._say(number, is_granted=True)
            self.shop.faithful.add(email_of(number))

    def trade(self) -> None:
        if self.game.dice.random() < 0.2:
            number = self.game.dice.randrange(PEOPLE // 3, PEOPLE)
            self._say(number, is_granted=self._word_of(number) is not True)

    def _say(self, number: int, *, is_granted: bool) -> None:
        """Somebody says yes or no to the newsletter."""
        Consent.objects.create(
            customer=self.shop.person(number), purpose="newsletter", is_granted=is_granted, source="form",
            at=clock.now(),
        )  # fmt: skip

    def _word_of(self, number: int) -> bool | None:
        last = (
            Consent.objects.filter(customer=self.shop.person(number), purpose="newsletter").order_by("at", "pk").last()
        )
        return last.is_granted if last else None

    def waits(self) -> Iterator[str]:
        return records_that_wait(self.game.integration.pk, DueRecord.What.CUSTOMER)

    def wrong(self) -> Iterator[str]:
        there = list(self.there.people().values())
        times = Counter(one.email.lower() for one in there if one.email)
        yield from (f"{email} is kept {count} times" for email, count in sorted(times.items()) if count > 1)
        by_email = {one.email.lower(): one for one in there}
        is_for_agreed = books_of(self.game.integration).is_for_agreed
        for number in range(PEOPLE):
            email, word = email_of(number), self._word_of(number)
            one = by_email.get(email)
            if one is None:
                if word or not is_for_agreed:
                    yield f"{email} is not kept there"
                continue
            name = self.shop.person(number).name
            if one.name != name and (word or not is_for_agreed):
                yield f"{email} is called {one.name!r} there, {name!r} here"
            if one.wants_mail is not None and one.wants_mail is not bool(word):
                yield f"{email} said {word} to the newsletter, there stands {one.wants_mail}"
