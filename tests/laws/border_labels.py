"""Parcels of our shop are labelled at a carrier's platform: each has one paid label at most, none is paid for nothing,
a label of a parcel that stays is given back, and where parcels are becomes known here.

A person presses the button, and presses it again where they are told that the answer got lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from finalmarket.connectors.shipping import ParcelSize, Ships
from finalmarket.integrations.desk import label_book, labels, looking
from finalmarket.integrations.models import ShippingLabel
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import Fulfilment
from finalmarket.sandbox import abilities
from tests.laws.border_part import Part

ACTOR = "game"
BOX = ParcelSize(weight_g=900, length_mm=300, width_mm=200, height_mm=100)
State = ShippingLabel.State


class Labels(Part):
    """Labels bought, used, given back."""

    needs = (Ships,)
    ability = abilities.MovesParcels
    jobs = (looking.look,)

    def open(self) -> None:
        self.shop = self.game.own_shop()
        self.shop.has_labels = True
        self.unhanded: set[str] = set()  # parcels under way, by their numbers
        self.arrived: set[str] = set()
        self.gone: set[str] = set()

    def trade(self) -> None:
        dice = self.game.dice
        if dice.random() < 0.7:
            self._buy()
        if dice.random() < 0.15:
            self._give_back()
        with self.game.stand_in.lock:
            if dice.random() < 0.4 and self.unhanded:
                number = dice.choice(sorted(self.unhanded))
                self.there.hand_over(number)
                self.unhanded.remove(number)
                self.arrived.add(number)
            if dice.random() < 0.4:
                self._carry()

    def rush(self) -> None:
        """Nothing of it comes in lists."""

    def _buy(self) -> None:
        parcel = self.shop.parcels().exclude(labels__state=State.BOUGHT).first()
        if parcel is None:
            return
        try:
            rates = labels.get_rates(parcel.pk, self.game.integration, BOX)
            labels.buy_label(parcel.pk, self.game.integration, self.game.dice.choice(rates), BOX, actor=ACTOR)
        except UserError:
            return  # they press again

    def _give_back(self) -> None:
        mine = ShippingLabel.objects.filter(integration=self.game.integration, state=State.BOUGHT)
        label = mine.filter(fulfilment__state="pending").exclude(tracking_number__in=self.gone).order_by("pk").last()
        if label is not None:
            try:
                labels.void_label(label.pk, actor=ACTOR)
            except UserError:
                return

    def _carry(self) -> None:
        """A carrier comes for what bears a label, if it is one that is good there."""
        good = {one.number for one in self.there.paid_labels().values() if not one.is_given_back}
        mine = ShippingLabel.objects.filter(
            integration=self.game.integration, state=State.BOUGHT, fulfilment__state="pending"
        )
        label = mine.filter(tracking_number__in=good - self.gone).order_by("pk").first()
        if label is not None:
            self.there.carry(label.tracking_number)
            self.unhanded.add(label.tracking_number)
            self.gone.add(label.tracking_number)

    def waits(self) -> Iterator[str]:
        mine = ShippingLabel.objects.filter(integration=self.game.integration)
        soon = clock.now() + label_book.ONCE_MORE
        open_ones = mine.filter(state__in=[State.BUYING, State.VOIDING]) | mine.filter(
            state__in=[State.FAILED, State.VOIDED], next_look_at__lte=soon
        )
        yield from (f"label {one.pk} is {one.state}: {one.last_error}" for one in open_ones)
        unseen = mine.filter(state=State.BOUGHT, tracking_state="")
        yield from (f"a first look at label {one.pk}" for one in unseen)
        for label in mine.filter(state=State.BOUGHT, tracking_number__in=self.gone).select_related("fulfilment"):
            wanted = "delivered" if label.tracking_number in self.arrived else "shipped"
            if label.fulfilment.state not in (wanted, "delivered"):
                yield f"the news that parcel {label.tracking_number} is {wanted}"

    def wrong(self) -> Iterator[str]:
        there = self.there.paid_labels()
        ours = ShippingLabel.objects.filter(integration=self.game.integration).select_related("fulfilment")
        known = {one.label_id: one for one in ours if one.label_id}
        for name, paid in sorted(there.items()):
            row = known.get(name)
            if row is None:
                yield f"label {name} ({paid.number}) was paid for and is known to nobody"
            elif paid.is_given_back is not (row.state == State.VOIDED):
                word = "given back" if paid.is_given_back else "paid for"
                yield f"label {name} ({paid.number}) is {word} there and {row.state} here"
        for row in ours:
            if row.state == State.BOUGHT and row.label_id not in there:
                yield f"label {row.label_id} of parcel {row.fulfilment_id} was never bought there"
        good = [name for name, paid in there.items() if not paid.is_given_back and name in known]
        for parcel, count in Counter(known[name].fulfilment_id for name in good).items():
            if count > 1:
                yield f"{count} labels were paid for parcel {parcel}"
        yield from self._tracking_wrong()
        asked = self.shop.orders().exclude(problem="")
        for order in asked.exclude(problem__contains="buy another"):  # it said yes and did nothing: a person looks
            yield f"order {order.external_id} says: {order.problem}"

    def _tracking_wrong(self) -> Iterator[str]:
        for number in sorted(self.gone):
            parcel = Fulfilment.objects.filter(tracking_number=number).first()
            wanted = "delivered" if number in self.arrived else "shipped"
            if parcel is None or parcel.state != wanted:
                yield f"parcel {number} is {wanted} there, and {parcel.state if parcel else 'unknown'} here"
