"""Stock that the books of a platform keep with us: what moves here is told there, once; what is sold there over the
counter comes in as a count, and a count never undoes a sale of ours that it did not know of.

The platform is the master of two places, and goods travel between them: it is told of them when they leave, and what is
on the road lies nowhere by our books. In the end both sides show what happened: the units of the beginning, all that
moved here, all that was sold there. Reckoned from what happened, not from either side's books.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.db.models import Sum

from finalmarket.catalog.models import Variant
from finalmarket.connectors.books import PushesMovements
from finalmarket.connectors.contract import PullsStock
from finalmarket.integrations.books import events
from finalmarket.integrations.master import counting
from finalmarket.integrations.models import DueEvent, PlaceMapping
from finalmarket.sandbox import abilities
from finalmarket.stock import ledger, transfers
from finalmarket.stock.models import StockItem, StockLocation, StockMovement, Transfer
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
        self._map(self.game.case.location or "main", self.shop.place)
        make = self.game.case.another_location
        assert make is not None, "a platform that keeps stock has two places in the game"
        self.behind = StockLocation.objects.create(code="behind", name="Behind the shop")
        self._map(make(self.there), self.behind)
        self.shop.places.append(self.behind)
        self.sold_there: Counter[str] = Counter()
        self.counted_at = 0.0

    def _map(self, place: str, ours: StockLocation) -> None:
        PlaceMapping.objects.create(integration=self.game.integration, place=place, stock_location=ours, is_master=True)

    def trade(self) -> None:
        dice = self.game.dice
        one, chance = dice.choice(self.shop.goods), dice.random()
        if chance < 0.3:
            ledger.receive([ledger.Receipt(one.pk, self.shop.place.pk, dice.randint(1, 9))], actor=ACTOR)
        elif chance < 0.5:
            ledger.adjust(one.pk, self.shop.place.pk, -dice.randint(1, 2), reason="broken", actor=ACTOR)
        self._travel(one)
        if dice.random() < 0.3:
            with self.game.stand_in.lock:
                sale = self.there.sell_over_counter(dice)
            if sale is not None:
                self.sold_there[sale[0]] += sale[1]

    def _travel(self, one: Variant) -> None:
        """Goods leave, or what is on the road for the longest arrives in part, is called off, or is given up."""
        dice, sent = self.game.dice, Transfer.objects.filter(state="in_transit").order_by("pk").first()
        if sent is None or dice.random() < 0.3:
            sent = transfers.draft(self.shop.place.pk, self.behind.pk, [(one.pk, dice.randint(1, 5))])
            transfers.ship(sent.pk, actor=ACTOR)
            return
        line = sent.lines.get()
        if dice.random() < 0.6:
            left = line.quantity - line.received_quantity
            transfers.receive(sent.pk, {line.variant_id: dice.randint(1, left)}, actor=ACTOR)
        elif line.received_quantity:
            transfers.close(sent.pk, reason="the rest broke", actor=ACTOR)
        else:
            transfers.cancel(sent.pk, actor=ACTOR)

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
        shown, on_the_road = self.there.shown_stock(), transfers.in_transit([one.pk for one in self.shop.goods])
        for one in self.shop.goods:
            should = {place: self._moved(one, place) for place in (self.shop.place, self.behind)}
            should[self.shop.place] += self.shop.opening[one.sku] - self.sold_there[one.sku]
            there = sum(should.values()) + on_the_road.get(one.pk, 0)
            if shown[one.sku] != there:
                yield f"{shown[one.sku]} of {one.sku} are there, it should be {there}"
            for place, right in should.items():
                here = StockItem.objects.filter(variant_id=one.pk, location_id=place.pk)
                units = sum(here.values_list("on_hand", flat=True))
                if units != right:
                    yield f"{units} of {one.sku} are in {place.code}, it should be {right}"

    def _moved(self, one: Variant, place: StockLocation) -> int:
        """The units that came and went by our ledger, without what was taken over from the platform."""
        lines = StockMovement.objects.filter(variant_id=one.pk, location_id=place.pk)
        lines = lines.exclude(reference=f"master:{self.game.integration.pk}")
        return lines.aggregate(units=Sum("on_hand_delta"))["units"] or 0
