"""Trade on a platform that sells: orders come in, what becomes of them is told, stock and prices are shown there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import ChannelProduct, DueChange
from finalmarket.connectors.contract import (
    PullsOrders,
    PullsStock,
    PushesCancellations,
    PushesFulfilments,
    PushesPrices,
    PushesRefunds,
    PushesStock,
)
from finalmarket.connectors.records import ListingRef
from finalmarket.integrations import drift, links, price_look, push
from finalmarket.integrations.models import DeadLetter
from finalmarket.orders import aftersales, fulfilment, refunds
from finalmarket.orders.models import Fulfilment, Order, Refund
from finalmarket.sandbox import abilities
from finalmarket.stock import atp, ledger
from tests.laws.border_part import Part

UNITS = 40
CARRIER = "DHL"  # of the parcels that the merchant sends; what was handed over at a till has none
MORE_THAN_A_PAGE = 10
WHOLE = ("done", "partly")  # outcomes of what went to the end


class Offers(Part):
    """What the merchant has is offered there."""

    needs = (PushesStock,)
    ability = abilities.ShowsStock

    def open(self) -> None:
        assert self.game.case.seed_listings is not None
        refs = self.game.case.seed_listings(self.there, self.game.skus)
        self.game.time.set(self.game.stand_in.world.clock.now())
        self.refs: dict[int, ListingRef] = {}
        self.listings = [self._linked(ref) for ref in refs]

    def _linked(self, ref: ListingRef) -> ChannelProduct:
        game = self.game
        product = Product.objects.create(title=ref.sku, slug=ref.sku.lower())
        variant = Variant.objects.create(product=product, sku=ref.sku)
        VariantPrice.objects.create(variant=variant, currency=game.channel.currency, amount=Decimal("10.00"))
        (listing,) = game.channel.add_product(product)
        self._receive(listing, UNITS)
        links.link_listing(game.integration, listing, ref, location=game.case.location, linked_by="game")
        self.refs[listing.pk] = ref
        return listing

    def _receive(self, listing: ChannelProduct, units: int) -> None:
        ledger.receive([ledger.Receipt(listing.variant_id, self.game.place.pk, units)], actor="game")

    def trade(self) -> None:
        dice = self.game.dice
        listing, move = dice.choice(self.listings), dice.random()
        if move < 0.4:
            self._receive(listing, dice.randint(1, 5))
        elif move < 0.6:
            listing.set_price(Decimal(dice.randint(500, 2500)) / 100)

    def rush(self) -> None:
        for listing in self.listings:
            self._receive(listing, 2 * UNITS)
        self.sync()

    def sync(self) -> None:
        push.push(self.game.integration.pk)

    def hourly(self) -> bool:
        look = price_look.look(self.game.integration.pk)
        sweep = drift.sweep(self.game.integration.pk)
        was_swept = sweep is not None if issubclass(self.game.case.connector, PullsStock) else True
        return was_swept and all(run is None or run.outcome in WHOLE for run in (look, sweep))

    def waits(self) -> Iterator[str]:
        due = DueChange.objects.filter(integration_id=self.game.integration.pk).select_related("listing__variant")
        for row in due:
            if row.version > row.settled_version:
                yield f"{row.what} of {row.listing}: {row.last_error}"

    def wrong(self) -> Iterator[str]:
        shown, channel = self.there.shown_stock(), self.game.channel.pk
        levels = atp.levels([listing.variant_id for listing in self.listings], [channel])
        for listing in self.listings:
            sku, should = listing.variant.sku, levels[listing.variant_id, channel].offered
            if shown[sku] != should:
                yield f"{sku} shows {shown[sku]}, it should be {should}"
        price_of = self.game.case.price_of
        if issubclass(self.game.case.connector, PushesPrices) and price_of is not None:
            for listing in ChannelProduct.objects.filter(pk__in=self.refs):
                there = price_of(self.there, self.refs[listing.pk])
                if there != listing.price():
                    yield f"{self.refs[listing.pk].sku} costs {there}, it should be {listing.price()}"


class Sales(Part):
    """People buy there."""

    needs = (PullsOrders,)
    ability = abilities.Sells

    def trade(self) -> None:
        for _ in range(self.game.dice.randint(0, 2)):
            with self.game.stand_in.lock:
                self.there.shop(self.game.dice)
        if self.game.dice.random() < 0.2:
            self._ship()

    def rush(self) -> None:
        for _ in range(self.game.case.page_sizes["orders"] + MORE_THAN_A_PAGE):
            with self.game.stand_in.lock:
                self.there.shop(self.game.dice)

    def _ship(self) -> None:
        waiting = Fulfilment.objects.filter(state="pending", order__source=self.game.source)
        parcel = waiting.order_by("pk").first()
        if parcel is not None:
            fulfilment.ship(parcel.pk, actor="game", carrier=CARRIER, tracking_number=f"T{parcel.pk}")

    def wrong(self) -> Iterator[str]:
        sold = set(self.there.sold())
        ours = Counter(Order.objects.filter(source=self.game.source).values_list("external_id", flat=True))
        yield from (f"order {lost} is lost" for lost in sorted(sold - set(ours)))
        yield from (f"order {doubled} came in twice" for doubled, count in sorted(ours.items()) if count > 1)
        yield from (f"order {made_up} was never placed there" for made_up in sorted(set(ours) - sold))
        for order in Order.objects.filter(source=self.game.source, problem="", external_id__in=self.crossed()):
            yield f"nobody says that order {order.external_id} was called off there after it had left here"
        if issubclass(self.game.case.connector, PushesFulfilments):
            yield from self._parcels_wrong()

    def crossed(self) -> set[str]:
        """Orders that their buyers called off there when they had left here already."""
        effects = self.game.world.journal.entries(platform=self.game.stand_in.slug, name="shopper_cancellation")
        left = Fulfilment.objects.filter(
            state="shipped", order__external_id__in=[one.facts["order"] for one in effects]
        )
        return set(left.values_list("order__external_id", flat=True))

    def explains(self, letter: DeadLetter) -> bool:
        kind, number = letter.payload.get("kind"), letter.payload.get("local_id")
        records: dict[object, Any] = {"fulfilment": Fulfilment.objects, "refund": Refund.objects}
        if kind not in records:
            return False
        return bool(records[kind].filter(pk=number, order__external_id__in=self.crossed()).exists())

    def _parcels_wrong(self) -> Iterator[str]:
        parcels = Fulfilment.objects.filter(state="shipped", order__source=self.game.source)
        left = Counter(parcels.values_list("order__external_id", flat=True))
        effects = self.game.world.journal.entries(platform=self.game.stand_in.slug, what="effect")
        told = Counter(entry.facts["order"] for entry in effects if entry.name in ("fulfilment", "shipment"))
        crossed = self.crossed()
        for order, count in sorted(left.items()):
            if told[order] != count and order not in crossed:
                yield f"{count} parcels of order {order} were told {told[order]} times"


class Refunds(Part):
    """Buyers there get money back for what was scratched."""

    needs = (PullsOrders, PushesRefunds)
    ability = abilities.Sells

    def open(self) -> None:
        self.given: Counter[str] = Counter()

    def trade(self) -> None:
        if self.game.dice.random() < 0.15:
            sent = Order.objects.filter(source=self.game.source, state="fulfilled", refunded=0).order_by("pk")
            order = sent.filter(fulfilments__carrier=CARRIER).last()
            if order is not None and not self.given[order.external_id] and refunds.refundable_of(order) >= 1:
                self.given[order.external_id] += 1
                refunds.refund(order.pk, Decimal("1.00"), key="game", reason="scratched", actor="game")

    def wrong(self) -> Iterator[str]:
        effects = self.game.world.journal.entries(platform=self.game.stand_in.slug, what="effect")
        made = Counter(entry.facts.get("order") for entry in effects if entry.name in ("refund", "shopper_refund"))
        booked = Refund.objects.filter(order__source=self.game.source, order__external_id__in=self.given)
        known = Counter(booked.values_list("order__external_id", flat=True))
        crossed = Sales(self.game).crossed()
        for order in sorted(self.given):
            if made[order] != known[order] and order not in crossed:
                yield f"{known[order]} refunds of order {order} were made {made[order]} times"


class Cancellations(Part):
    """Orders from there that will not be served."""

    needs = (PullsOrders, PushesCancellations)
    ability = abilities.Sells

    def open(self) -> None:
        self.called_off: set[str] = set()

    def trade(self) -> None:
        if self.game.dice.random() < 0.1:
            waiting = Fulfilment.objects.filter(state="pending", order__source=self.game.source, order__state="open")
            parcel = waiting.select_related("order").order_by("pk").last()
            if parcel is not None:
                aftersales.cancel(parcel.order_id, reason="broken on the way", actor="game")
                self.called_off.add(parcel.order.external_id)

    def wrong(self) -> Iterator[str]:
        effects = self.game.world.journal.entries(platform=self.game.stand_in.slug, what="effect")
        ended = Counter(
            entry.facts.get("order") for entry in effects if entry.name in ("cancellation", "shopper_cancellation")
        )
        unanswered = Order.objects.filter(source=self.game.source, events__kind="cancelled", events__actor="game")
        for order in sorted(self.called_off.union(unanswered.values_list("external_id", flat=True))):
            if ended[order] != 1:
                yield f"order {order} was called off {ended[order]} times"
