"""A merchant and a platform that misbehaves: sales there, changes here, faults in between, and then the reckoning.

One seed is one history: the same shoppers, the same changes, the same faults at the same calls. Both sides share a
clock that the game moves, so that published limits and pauses cost no time. When all has calmed down, what the
platform's own journal says is compared with our books.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import ChannelProduct, DueChange, SalesChannel
from finalmarket.connectors.records import ListingRef
from finalmarket.integrations import budget, drift, links, notices, pull, push
from finalmarket.integrations.models import ChannelIntegration, DueNotice
from finalmarket.kernel import clock, randomness
from finalmarket.orders import fulfilment
from finalmarket.orders.models import Fulfilment, Order
from finalmarket.sandbox.faults import Fault, Faults
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from finalmarket.stock import atp, ledger
from finalmarket.stock.models import StockLocation
from tests.connectors.cases import case_of

UNITS = 40
CARRIER = "DHL"  # of the parcels that the merchant sends; what was handed over at a till has none
QUIET_ROUNDS = 60
HOUR_SECONDS = 3600.0
# A fault of TIME_OUT is held so long before the connection ends; the connector's patience is shorter still.
SILENT_SECONDS = 0.05


@dataclass
class Game:
    """One account, the stand-in it is connected to, and what was done so far."""

    stand_in: Any
    integration: ChannelIntegration
    channel: SalesChannel
    place: StockLocation
    time: clock.Steered
    dice: random.Random
    listings: list[ChannelProduct] = field(default_factory=list)
    unlooked: float = 0.0

    def play(self, rounds: int, faults: Faults) -> None:
        """Let that many rounds of trade pass under these faults, then calm down."""
        self.stand_in.faults = faults
        for _ in range(rounds):
            self._trade()
            self._sync()
            self.pass_time(self.dice.choice((1, 5, 20)))
        faults.stop()
        self.calm_down()

    def _trade(self) -> None:
        for _ in range(self.dice.randint(0, 2)):
            with self.stand_in.lock:
                self.stand_in.shop(self.dice)
        listing = self.dice.choice(self.listings)
        move = self.dice.random()
        if move < 0.4:
            ledger.receive([ledger.Receipt(listing.variant_id, self.place.pk, self.dice.randint(1, 5))], actor="game")
        elif move < 0.6:
            listing.set_price(Decimal(self.dice.randint(500, 2500)) / 100)
        elif move < 0.8:
            self._ship()

    def _ship(self) -> None:
        waiting = Fulfilment.objects.filter(state="pending", order__source=f"integration:{self.integration.pk}")
        parcel = waiting.order_by("pk").first()
        if parcel is not None:
            fulfilment.ship(parcel.pk, actor="game", carrier=CARRIER, tracking_number=f"T{parcel.pk}")

    def _sync(self) -> None:
        with self.stand_in.lock:
            self.stand_in.remember()  # what stale reads will show
        pull.pull(self.integration.pk, "orders")
        if self.unlooked >= HOUR_SECONDS:  # what a worker does every hour
            self.unlooked = 0.0
            pull.backfill(self.integration, clock.now() - pull.LOOK_BACK)
        notices.find(timedelta(days=2))
        notices.tell(self.integration.pk)
        push.push(self.integration.pk)

    def pass_time(self, seconds: float) -> None:
        """Move the clock of both worlds on."""
        self.time.advance(timedelta(seconds=seconds))
        self.unlooked += seconds
        self.stand_in.world.clock.advance(timedelta(seconds=seconds))

    def calm_down(self) -> None:
        """Sync until nothing is due any more; raises AssertionError when that never happens."""
        for _ in range(QUIET_ROUNDS):
            self._sync()
            if not self._waits():
                break
            self.pass_time(240)
        self.pass_time(notices.SHOWN_AFTER.total_seconds() + 60)
        notices.verify(self.integration.pk)
        pull.backfill(self.integration, clock.now() - pull.LOOK_BACK)
        drift.sweep(self.integration.pk)
        for _ in range(QUIET_ROUNDS):
            if not self._waits():
                return
            self.pass_time(240)
            self._sync()
        raise AssertionError(f"something stays due: {self._waits()}")

    def _waits(self) -> list[str]:
        due = DueChange.objects.filter(integration_id=self.integration.pk).select_related("listing__variant")
        waiting = [f"{row.what} of {row.listing}: {row.last_error}" for row in due if row.version > row.settled_version]
        untold = DueNotice.objects.filter(integration=self.integration, state__in=["due", "doubtful"])
        return [*waiting, *(f"{notice}: {notice.last_error}" for notice in untold)]

    def faults_of_the_books(self) -> list[str]:
        """What the platform and we disagree on, in sentences; none when all is well."""
        return [*self._orders_wrong(), *self._stock_wrong(), *self._told_twice()]

    def _orders_wrong(self) -> Iterator[str]:
        sold = set(self.stand_in.sold())
        ours = Counter(
            Order.objects.filter(source=f"integration:{self.integration.pk}").values_list("external_id", flat=True)
        )
        yield from (f"order {lost} is lost" for lost in sorted(sold - set(ours)))
        yield from (f"order {doubled} came in twice" for doubled, count in sorted(ours.items()) if count > 1)
        yield from (f"order {made_up} was never placed there" for made_up in sorted(set(ours) - sold))

    def _stock_wrong(self) -> Iterator[str]:
        shown = self.stand_in.shown_stock()
        levels = atp.levels([listing.variant_id for listing in self.listings], [self.channel.pk])
        for listing in self.listings:
            should = levels[listing.variant_id, self.channel.pk].offered
            if shown[listing.variant.sku] != should:
                yield f"{listing.variant.sku} shows {shown[listing.variant.sku]}, it should be {should}"

    def _told_twice(self) -> Iterator[str]:
        parcels = Counter(
            Fulfilment.objects.filter(state="shipped", order__source=f"integration:{self.integration.pk}").values_list(
                "order__external_id", flat=True
            )
        )
        effects = self.stand_in.world.journal.entries(platform=self.stand_in.slug, what="effect")
        told = Counter(entry.facts["order"] for entry in effects if entry.name in ("fulfilment", "shipment"))
        for order, count in sorted(parcels.items()):
            if told[order] != count:
                yield f"{count} parcels of order {order} were told {told[order]} times"


@contextmanager
def game(slug: str, seed: int, monkeypatch: pytest.MonkeyPatch, *, skus: int = 6) -> Iterator[Game]:
    """A connected account on the stand-in of a platform, with that many linked listings, in virtual time."""
    case = case_of(slug)
    world = World(seed)
    stand_in = case.stand_in(world)
    with (
        served(stand_in, most_seconds_silent=SILENT_SECONDS) as (address,),
        clock.steered() as time,
        randomness.seeded(seed),
    ):
        world.clock.stand_still(time.now())
        assert case.seed_listings is not None
        refs = case.seed_listings(stand_in, skus)
        time.set(world.clock.now())
        made = _account(case, address, stand_in, time, seed)
        for ref in refs:
            made.listings.append(_linked(made, ref, case.location))
        for patient in (budget.SharedBudget.__init__, pull.catch_up_orders):  # pauses pass in virtual time
            monkeypatch.setitem(patient.__kwdefaults__ or {}, "pause", made.pass_time)
        made.calm_down()
        yield made


def _account(case: Any, address: str, stand_in: Any, time: clock.Steered, seed: int) -> Game:
    account = case.account(address)
    channel = SalesChannel.objects.create(name=case.connector.name, channel_type="marketplace", currency=case.currency)
    integration = ChannelIntegration.objects.create(
        sales_channel=channel, platform_name=case.connector.name, integration_type=case.connector.kind
    )
    integration.connect({**account.secrets, **account.settings, "base_url": address})
    integration.push_from = clock.now()
    integration.save()
    place = StockLocation.objects.create(code="main", name="Main warehouse")
    return Game(stand_in, integration, channel, place, time, random.Random(seed))


def _linked(made: Game, ref: ListingRef, location: str) -> ChannelProduct:
    product = Product.objects.create(title=ref.sku, slug=ref.sku.lower())
    variant = Variant.objects.create(product=product, sku=ref.sku)
    VariantPrice.objects.create(variant=variant, currency=made.channel.currency, amount=Decimal("10.00"))
    (listing,) = made.channel.add_product(product)
    ledger.receive([ledger.Receipt(variant.pk, made.place.pk, UNITS)], actor="game")
    links.link_listing(made.integration, listing, ref, location=location, linked_by="game")
    return listing


def all_kinds(*but: Fault) -> tuple[Fault, ...]:
    """All faults that there are, but these."""
    return tuple(fault for fault in Fault if fault not in but)
