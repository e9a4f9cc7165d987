"""What customers of our shop did and bought is told to a platform that counts it: each event of somebody who agreed,
once.

Where no API says whether an event came before (`counts_events_once` of the case), an answer that got lost leaves a
doubt that nobody can resolve: Google's Measurement Protocol answers 204 to everything, takes no key, and cannot be
asked for an event. There the house tells again, so that nothing is lost; a purchase is known again by its order's
number, and all else carries our key, by which reports can be cleaned. A doubled event is excused there only if its
first try ended in that doubt. And where a platform says yes and throws an event away, nobody can ask for it: what was
told in that very moment is excused, and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from finalmarket.connectors.talk import SendsEvents
from finalmarket.integrations import duties
from finalmarket.integrations.books import events
from finalmarket.integrations.master import figures
from finalmarket.integrations.models import DueEvent, OutsideFigure
from finalmarket.integrations.telling import key_of
from finalmarket.journeys.models import ChannelInteraction
from finalmarket.kernel import clock
from finalmarket.sandbox import abilities
from tests.laws.border_part import Part
from tests.laws.border_shop import PEOPLE

KINDS = (DueEvent.Kind.INTERACTION, DueEvent.Kind.PURCHASE, DueEvent.Kind.REFUND)
DEEDS = ("product_view", "add_to_cart", "page_view")
DEEDS_IN_A_RUSH = 30
SECONDS_BETWEEN_FIGURES = 120.0


class Events(Part):
    """Events of customers."""

    needs = (SendsEvents,)
    ability = abilities.CountsEvents
    jobs = (events.tell,)

    def open(self) -> None:
        self.shop = self.game.own_shop()
        self.count = 0
        self.fetched_at = 0.0
        self.game.give_duty("events")

    def trade(self) -> None:
        for _ in range(self.game.dice.randint(0, 2)):
            self._look_around()

    def rush(self) -> None:
        for _ in range(DEEDS_IN_A_RUSH):
            self._look_around()

    def _look_around(self) -> None:
        """Somebody looks at something in the shop."""
        self.count += 1
        dice = self.game.dice
        ChannelInteraction.objects.create(
            customer=self.shop.person(dice.randrange(PEOPLE)), sales_channel=self.shop.channel,
            interaction_type=dice.choice(DEEDS), message_id=f"deed-{self.count}", occurred_at=clock.now(),
            context={"sku": dice.choice(self.shop.goods).sku, "price": "10.00", "page": "/"},
        )  # fmt: skip

    def waits(self) -> Iterator[str]:
        due = DueEvent.objects.filter(integration=self.game.integration, kind__in=KINDS)
        yield from (f"event {one}: {one.last_error}" for one in due.filter(state__in=["due", "doubtful"]))

    def sync(self) -> None:
        if self.game.seconds - self.fetched_at >= SECONDS_BETWEEN_FIGURES:
            self.hourly()

    def hourly(self) -> bool:
        self.fetched_at = self.game.seconds
        if not duties.does(self.game.integration, "figures"):
            return True
        run = figures.fetch(self.game.integration.pk)
        return run is not None and run.outcome == "done"

    def wrong(self) -> Iterator[str]:
        assert duties.does(self.game.integration, "events")
        counted = Counter(self.there.counted_events())
        rows = DueEvent.objects.filter(integration=self.game.integration, kind__in=KINDS)
        ours = {key_of(self.game.integration, one.kind, one.local_id): one for one in rows}
        yield from (f"event {key} was counted and never told" for key in sorted(set(counted) - set(ours)))
        for key, one in sorted(ours.items()):
            times = counted[key]
            if one.state == DueEvent.State.SENT and not times and not self.game.was_ignored(one.sent_at):
                yield f"{one} was lost"
            if one.state == DueEvent.State.WITHHELD and times:
                yield f"{one} was told, though {one.last_error}"
            if times > 1 and not self._is_in_doubt(one, times):
                yield f"{one} was counted {times} times"
        found = rows.values_list("kind", "local_id")
        yield from self._figures_wrong(counted)
        for number in self._undiscovered({local_id for kind, local_id in found if kind == DueEvent.Kind.PURCHASE}):
            yield f"nobody was told of the purchase {number}"

    def _figures_wrong(self, counted: Counter[str]) -> Iterator[str]:
        """What the platform counted of our purchases, held against what it says that it counted."""
        if not duties.does(self.game.integration, "figures"):
            return
        bought = DueEvent.objects.filter(integration=self.game.integration, kind=DueEvent.Kind.PURCHASE)
        there = sum(counted[key_of(self.game.integration, one.kind, one.local_id)] > 0 for one in bought)
        mine = OutsideFigure.objects.filter(integration=self.game.integration)
        here = sum(mine.values_list("purchases", flat=True))
        if there != here:
            yield f"{there} purchases were counted, and the figures say {here}"

    def _is_in_doubt(self, one: DueEvent, times: int) -> bool:
        """Whether the platform cannot tell that it came before, and was told so often because answers got lost."""
        is_known_again = self.game.case.counts_events_once or one.kind == DueEvent.Kind.PURCHASE
        return not is_known_again and times <= one.attempts

    def _undiscovered(self, known: set[int]) -> list[str]:
        return list(self.shop.orders().exclude(pk__in=known).values_list("external_id", flat=True))
