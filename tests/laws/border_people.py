"""People who become known on a platform, and are called otherwise some day: here they are known as they are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from finalmarket.connectors.contract import PullsCustomers
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations.models import ExternalId
from finalmarket.sandbox import abilities
from tests.laws.border_part import Part


class People(Part):
    """Customers come in."""

    needs = (PullsCustomers,)
    ability = abilities.KnowsPeople

    def open(self) -> None:
        self.count = 0

    def trade(self) -> None:
        dice = self.game.dice
        with self.game.stand_in.lock:
            if dice.random() < 0.2:
                self._meet()
            elif dice.random() < 0.1 and self.count:
                known = sorted(self.there.people())
                self.there.rename(dice.choice(known), f"Somebody Else {dice.randint(1, 9999)}")

    def _meet(self) -> None:
        self.count += 1
        self.there.meet(f"Somebody {self.count}", f"somebody-{self.count}@example.com")

    def rush(self) -> None:
        with self.game.stand_in.lock:
            for _ in range(self.game.case.page_sizes["customers"] + 10):
                self._meet()

    def wrong(self) -> Iterator[str]:
        rows = ExternalId.objects.filter(integration=self.game.integration, kind="customer")
        known = dict(rows.values_list("external_id", "local_id"))
        names = dict(OmnichannelCustomer.objects.filter(pk__in=known.values()).values_list("pk", "name"))
        doubled = [person for person, count in Counter(known.values()).items() if count > 1]
        yield from (f"customer {person} stands for several people" for person in doubled)
        for name, person in self.there.people().items():
            if name not in known:
                yield f"customer {name} is not known"
            elif person.name and names.get(known[name]) != person.name:
                yield f"customer {name} is called {names.get(known[name])!r} here, {person.name!r} there"
