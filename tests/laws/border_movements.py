"""Stock that the books of a platform keep with us: what moves here is told there, once; what is sold there over the
counter comes in as a count, and a count never undoes a sale of ours that it did not know of.

The platform is the master of one place. In the end both sides show what happened: the units of the beginning, all that
moved here, all that was sold there. Reckoned from what happened, not from either side's books.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.db.models import Sum

from finalmarket.connectors.books import PushesMovements
from finalmarket.connectors.contract import PullsStock
from finalmarket.integrations.books import events
from finalmarket.integrations.master import counting
from finalmarket.integrations.models import DueEvent, PlaceMapping
from finalmarket.sandbox import abilities
from finalmarket.stock import ledger
from finalmarket.stock.models import StockItem, StockMovement
from tests.laws.border_part import Part

ACTOR = "game"
SECONDS_BETWEEN_COUNTS = 300.0
COUNTED = ("done",)


class Movements(Part):
    """Stock moves here and there."""

    needs = (PushesMovements, PullsStock)
    ability = abilities.CountsStock
    jobs = (events.tell,)

    def open(self) -> None:
        self.shop = self.game.own_shop()
        PlaceMapping.objects.create(
            integration=self.game.integration, place=self.game.case.location or "main", stock_location=self.shop.place,
            is_master=True,
        )  # fmt: skip
        self.sold_there: Counter[str] = Counter()
        self.counted_at = 0.0

    def trade(self) -> None:
        dice = self.game.dice
        one, chance = dice.choice(self.shop.goods), dice.random()
        if chance < 0.3:
            ledger.receive([ledger.Receipt(one.pk, self.shop.place.pk, dice.randint(1, 9))], actor=ACTOR)
        elif chance < 0.5:
            ledger.adjust(one.pk, self.shop.place.pk, -dice.randint(1, 2), reason="broken", actor=ACTOR)
        if dice.random() < 0.3:
            with self.game.stand_in.lock:
                sale = self.there.sell_over_counter(dice)
            if sale is not None:
                self.sold_there[sale[0]] += sale[1]

    def sync(self) -> None:
        if self.game.seconds - self.counted_at >= SECONDS_BETWEEN_COUNTS:
            self.hourly()

    def hourly(self) -> bool:
        self.counted_at = self.game.seconds
        events.verify(self.game.integration.pk)
        run = counting.count(self.game.integration.pk)
        return run is not None and run.outcome in COUNTED

    def waits(self) -> Iterator[str]:
        due = DueEvent.objects.filter(integration=self.game.integration, kind=DueEvent.Kind.MOVEMENT)
        yield from (f"{one}: {one.last_error}" for one in due.filter(state__in=["due", "doubtful"]))

    def wrong(self) -> Iterator[str]:
        shown = self.there.shown_stock()
        master = f"master:{self.game.integration.pk}"
        for one in self.shop.goods:
            moved = StockMovement.objects.filter(variant_id=one.pk, location_id=self.shop.place.pk)
            ours = moved.exclude(reference=master).aggregate(units=Sum("on_hand_delta"))["units"] or 0
            should = self.shop.opening[one.sku] + ours - self.sold_there[one.sku]
            if shown[one.sku] != should:
                yield f"{shown[one.sku]} of {one.sku} are there, it should be {should}"
            here = StockItem.objects.filter(variant_id=one.pk, location_id=self.shop.place.pk)
            units = sum(here.values_list("on_hand", flat=True))
            if units != should:
                yield f"{units} of {one.sku} are here, it should be {should}"
