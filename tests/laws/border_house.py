"""A house with one account on the practice platform, where workers may be cut off anywhere; and the reckoning after.

What happens is written down as it is expected to end, and compared with the platform's own journal and with our books.
Both sides share a clock that is moved by hand. What a cut-off worker left is found by what comes round by itself: the
jobs of every minute, and the queue.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.db.models import F

from finalmarket.catalog.models import Product, Variant
from finalmarket.channels.models import DueChange, SalesChannel
from finalmarket.connectors.platforms import fake as connector
from finalmarket.customers.models import OmnichannelCustomer, PrivacyRequest
from finalmarket.integrations import budget, connect, inbox, pull
from finalmarket.integrations.accounts import account_of
from finalmarket.integrations.models import (
    ChannelIntegration,
    DeadLetter,
    DueNotice,
    ListingLink,
    OutgoingDelivery,
    OutgoingEvent,
    StreamCursor,
    SyncRun,
    WebhookDelivery,
)
from finalmarket.integrations.outgoing import guard
from finalmarket.kernel import clock
from finalmarket.kernel.jobs import declared
from finalmarket.orders.models import Fulfilment, Order, OrderLine, Payment, Refund
from finalmarket.sandbox.platforms import fake
from finalmarket.sandbox.stand_in import Reply, Request
from finalmarket.sandbox.webhooks import Letter
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from finalmarket.stock import atp, ledger
from tests.connectors.cases import case_of
from tests.integrations import stalls
from tests.integrations.receivers import Receiver, receiving
from tests.waiting import arguments_of

UNITS = 1_000
PAGES = {"listings": 10}
PAGE = 2
"""So many records of the other streams the platform gives at once."""
TOKEN = "t" * 43
PUBLIC = "https://house.example"
ROUNDS = 12
TOPICS = {"stock.changed": "stock", "customer.gone": "erase", "shop.left": "uninstalled"}
"""What other platforms write of, and this one for the tests here."""
EFFECTS = {"fulfilment": "order", "refund": "order", "cancellation": "order", "payment": "id"}


@dataclass
class Elsewhere:
    """An account on another platform, whose tokens end."""

    integration: ChannelIntegration
    stand_in: Any


@dataclass
class House:
    """The account, the clock of both worlds, what the platform wrote to us, and what is expected to have happened."""

    account: stalls.Account
    time: clock.Steered
    letters: list[Letter] = field(default_factory=list)
    receivers: list[Receiver] = field(default_factory=list)
    put_in: Counter[str] = field(default_factory=Counter)
    sold_here: Counter[str] = field(default_factory=Counter)
    expected: Counter[tuple[str, str]] = field(default_factory=Counter)
    refusing: set[str] = field(default_factory=set)
    forgotten: set[int] = field(default_factory=set)
    set_aside: int = 0
    former_secret: str = ""
    count: int = 0
    other: Elsewhere | None = None
    open: ExitStack = field(default_factory=ExitStack)
    dice: random.Random = field(default_factory=lambda: random.Random(1))

    @property
    def number(self) -> int:
        """The number of the account."""
        return self.account.integration.pk

    @property
    def shop(self) -> fake.Fake:
        """The platform."""
        return self.account.shop

    def next(self) -> int:
        """A number that was not given before."""
        self.count += 1
        return self.count

    def pass_time(self, **span: float) -> None:
        """Move the clock of both worlds on."""
        self.time.advance(timedelta(**span))
        self.shop.world.clock.advance(timedelta(**span))

    def receive(self, sku: str, units: int = 1) -> None:
        """Goods arrive."""
        self.account.receive(sku, units)
        self.put_in[sku] += units

    def buy(self, *lines: tuple[str, int]) -> str:
        """Somebody buys on the platform; the order's number there."""
        with self.shop.lock:
            return self.shop.order(*(lines or (("TEA", 1),)))

    def sell(self, *lines: tuple[str, int]) -> Order:
        """Somebody bought on the platform, and the order has come in."""
        number = self.buy(*lines)
        self.pass_time(minutes=1)
        pull.pull(self.number, "orders")
        found: Order = Order.objects.get(external_id=number, source=f"integration:{self.number}")
        return found

    def deliver(self, letters: list[Letter] | None = None) -> None:
        """The platform brings its letters to the door, as often as it likes."""
        for letter in self.letters if letters is None else letters:
            inbox.receive(TOKEN, letter.url, dict(letter.headers), letter.body)

    def others_come_by(self) -> None:
        """What comes round by itself does its work, until nothing waits any more."""
        for _ in range(ROUNDS):
            self._minute_jobs()
            if not self.waits():
                return
            self.pass_time(minutes=4)

    def _minute_jobs(self) -> None:
        for job in declared().values():
            if (
                job.cron is not None
                and job.cron.startswith("*")
                and job.name.startswith(("integrations.", "outgoing."))
            ):
                job.run()
        self.carry_out()

    def carry_out(self) -> None:
        """Do what lies in the queue, until it is empty."""
        while True:
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM procrastinate_jobs RETURNING id, task_name, args")
                waiting = sorted(cursor.fetchall())
            if not waiting:
                return
            for _, name, args in waiting:
                declared()[name].run(**arguments_of(args))

    def waits(self) -> list[str]:
        """What has yet to be told, or worked on."""
        changes = DueChange.objects.filter(integration_id=self.number, version__gt=F("settled_version"))
        due = [f"{change.what} of {change.listing_id}" for change in changes]
        notices = DueNotice.objects.filter(state__in=["due", "doubtful"])
        letters = WebhookDelivery.objects.filter(handled_at=None)
        tellings = OutgoingDelivery.objects.filter(state="waiting", endpoint__is_active=True)
        runs = SyncRun.objects.filter(outcome="")  # the next one closes what was left open
        pulled = StreamCursor.objects.filter(stream="orders", pulled_at__gt=clock.now() - timedelta(seconds=55))
        if pulled.count() < (1 if self.other is None else 2):
            due.append("the newest orders")
        return [*due, *map(str, notices), *(f"webhook {one}" for one in letters), *map(str, tellings), *map(str, runs)]

    # The reckoning.

    def faults_of_the_books(self) -> list[str]:
        """What is lost, doubled or stale, in sentences; none when all is well."""
        return [
            *(f"{one} still waits" for one in self.waits()), *self._orders(), *self._stock(), *self._listings(),
            *self._effects(), *self._books(), *self._tellings(), *self._erasures(), *self._loose_ends(),
        ]  # fmt: skip

    def _orders(self) -> Iterator[str]:
        theirs = Counter(self.shop.sold().keys())
        for other in [self.other] if self.other is not None else []:
            theirs += Counter(other.stand_in.sold().keys())
        came = Order.objects.filter(source__startswith="integration:").values_list("external_id", flat=True)
        ours = Counter(came)
        for number in sorted(set(ours) | set(theirs)):
            if ours[number] != theirs[number]:
                yield f"order {number} stands {ours[number]} times in our books, {theirs[number]} times there"
        lines = Counter(
            OrderLine.objects.filter(order__external_id__in=theirs).values_list("order__external_id", flat=True)
        )
        paid = Counter(
            Payment.objects.filter(order__external_id__in=theirs).values_list("order__external_id", flat=True)
        )
        for number, order in self.shop.sold().items():
            if (lines[number], paid[number]) != (len(order["lines"]), 1):
                yield f"order {number} has {lines[number]} lines and {paid[number]} payments"

    def _stock(self) -> Iterator[str]:
        sold: Counter[str] = Counter(self.sold_here)
        for order in self.shop.sold().values():
            if not order["is_cancelled"]:
                for line in order["lines"]:
                    sold[line["sku"]] += line["quantity"]
        channel, shown = self.account.channel.pk, self.shop.shown_stock()
        levels = atp.levels([link.listing.variant_id for link in self._links()], [channel])
        for link in self._links():
            sku = link.external_sku
            free, should = levels[link.listing.variant_id, channel].offered, self.put_in[sku] - sold[sku]
            if free != should:
                yield f"{free} of {sku} are free, it should be {should}"
            if shown.get(sku) != free:
                yield f"{sku} shows {shown.get(sku)}, it should be {free}"

    def _links(self) -> list[ListingLink]:
        """The listings that are told and stand there."""
        linked = ListingLink.objects.filter(integration=self.number).exclude(ids={})
        linked = linked.select_related("listing__variant", "listing__sales_channel")
        return list(linked.prefetch_related("listing__prices", "listing__variant__prices"))

    def _listings(self) -> Iterator[str]:
        there = self.shop.state["listings"].values()
        for sku, count in Counter(one["sku"] for one in there).items():
            if count > 1:
                yield f"{sku} was put up {count} times"
        prices = {one["sku"]: Decimal(one["price"]) for one in there}
        for link in self._links():
            sku, price = link.external_sku, link.listing.price()
            if price is not None and prices.get(sku) != price:
                yield f"{sku} costs {prices.get(sku)} there, it should be {price}"

    def _effects(self) -> Iterator[str]:
        entries = self.shop.world.journal.entries(what="effect")
        happened = Counter((one.name, one.facts[EFFECTS[one.name]]) for one in entries if one.name in EFFECTS)
        for effect in sorted(set(happened) | set(self.expected)):
            if happened[effect] != self.expected[effect]:
                yield f"{effect} happened {happened[effect]} times there, it should be {self.expected[effect]}"

    def _books(self) -> Iterator[str]:
        """What was told comes back as an echo: it must not stand in our books twice."""
        parcels = Fulfilment.objects.filter(state__in=["shipped", "delivered"], order__source__startswith="integration")
        refunds = Refund.objects.exclude(key__startswith="cancelled:")
        ours = Counter(("fulfilment", name) for name in parcels.values_list("order__external_id", flat=True))
        ours += Counter(("refund", name) for name in refunds.values_list("order__external_id", flat=True))
        should = Counter({key: count for key, count in self.expected.items() if key[0] in ("fulfilment", "refund")})
        for key in sorted(set(ours) | set(should)):
            if ours[key] != should[key]:
                yield f"{key} stands {ours[key]} times in our books, it should be {should[key]}"

    def _tellings(self) -> Iterator[str]:
        """Our own webhooks: every event was taken, and came under one message id however often it was sent."""
        got: dict[str, set[bytes]] = {}
        for receiver in self.receivers:
            for headers, body in receiver.got:
                got.setdefault(f"{receiver.url} {headers['webhook-id']}", set()).add(body)
        yield from (f"{name} came with {len(bodies)} bodies" for name, bodies in got.items() if len(bodies) > 1)
        told = OutgoingDelivery.objects.filter(endpoint__is_active=True).select_related("endpoint")
        for one in told:
            if f"{one.endpoint.url} evt_{one.event_id}" not in got or one.state != "delivered":
                yield f"{one} did not arrive ({one.state} {one.last_error})"
        events = OutgoingEvent.objects.filter(prepared_at=None)
        yield from (f"{event} was not prepared" for event in events)

    def _erasures(self) -> Iterator[str]:
        """Whoever wanted to be erased is, by one request, and nobody else."""
        asked = Counter(PrivacyRequest.objects.filter(kind="erasure", state="done").values_list("person_id", flat=True))
        for person in sorted({*asked, *self.forgotten}):
            if asked[person] != (person in self.forgotten):
                yield f"customer {person} was erased {asked[person]} times"
        named = OmnichannelCustomer.objects.filter(pk__in=self.forgotten).exclude(name="")
        yield from (f"{person} is still known" for person in named)

    def _loose_ends(self) -> Iterator[str]:
        letters = DeadLetter.objects.filter(settled_at=None)
        if letters.count() != self.set_aside:
            yield f"{[str(one) for one in letters]} are set aside, it should be {self.set_aside}"
        yield from (f"{order} says {order.problem}" for order in Order.objects.exclude(problem=""))
        integration = self.account.refreshed()
        if integration.status != "active":
            yield f"the account is {integration.status}: {integration.status_reason}"
        hooks = {hook["url"]: hook["secret"] for hook in self.shop.state["hooks"]}
        known = account_of(integration).secrets
        if known.get("webhook_secret") != hooks.get(connect.hook_address(integration)):
            yield "webhooks are signed with a secret that we do not have"
        if self.former_secret and known.get("webhook_secret_previous") != self.former_secret:
            yield "webhooks that were signed before the secret changed are refused"


def elsewhere(house: House) -> Elsewhere:
    """The account on the other platform, connected when it is first asked for; it is told nothing."""
    if house.other is None:
        case = case_of("amazon")
        stand_in = case.stand_in(house.shop.world)
        (address,) = house.open.enter_context(served(stand_in))
        assert case.seed_listings is not None
        for ref in case.seed_listings(stand_in, 1):
            product = Product.objects.create(title=ref.sku, slug="elsewhere")
            variant = Variant.objects.create(product=product, sku=ref.sku)
            ledger.receive([ledger.Receipt(variant.pk, house.account.place.pk, UNITS)], actor="test")
        channel = SalesChannel.objects.create(name="Elsewhere", channel_type="marketplace", currency=case.currency)
        integration = ChannelIntegration.objects.create(
            sales_channel=channel, platform_name=case.connector.name, integration_type=case.connector.kind
        )
        account = case.account(address)
        integration.connect({**account.secrets, **account.settings, "base_url": address})
        house.other = Elsewhere(integration, stand_in)
    return house.other


def offered_units(house: House) -> dict[str, int]:
    """What the platform shows, and what shoppers there still wait for, by SKU."""
    units = Counter(house.shop.shown_stock())
    for order in house.shop.sold().values():
        if not order["is_cancelled"] and not order["fulfilments"]:
            for line in order["lines"]:
                units[line["sku"]] += line["quantity"]
    return units


def _one_or_refused(
    house: House, one: Callable[[str, str], dict[str, Any]], stream: str, number: str
) -> dict[str, Any]:
    """A record of the platform's; some are refused for now."""
    if number in house.refusing:
        raise fake.refusal(422, "locked", f"{number} is locked")
    return one(stream, number)


def _a_few(page: Callable[[Request, str], Reply], request: Request, stream: str) -> Reply:
    """A page of the platform's; a short one."""
    request.query["limit"] = str(PAGES.get(stream, PAGE))
    return page(request, stream)


@contextmanager
def house(patch: pytest.MonkeyPatch) -> Iterator[House]:
    """Within it the platform is served, the account is connected, and all three products are in step."""
    world = World(seed=1)
    shop = fake.Fake(world)
    patch.setenv(connect.PUBLIC_URL, PUBLIC)
    patch.setenv(guard.VARIABLE, "127.0.0.0/8")
    with served(shop, most_seconds_silent=0.2) as (address,), clock.steered() as time, receiving() as receiver:
        world.clock.stand_still(time.now())
        made = House(stalls.connect(shop, address, units=UNITS), time, receivers=[receiver])
        for patient in (budget.SharedBudget.__init__, pull.catch_up_orders):  # pauses pass in virtual time
            patch.setitem(patient.__kwdefaults__ or {}, "pause", lambda seconds: made.pass_time(seconds=seconds))
        patch.setattr(shop.sender, "send", made.letters.append)
        patch.setattr(shop, "_one", partial(_one_or_refused, made, shop._one))
        patch.setattr(shop, "_list", partial(_a_few, shop._list))
        for topic, kind in TOPICS.items():
            patch.setitem(connector.TOPICS, topic, kind)
        made.put_in.update(dict.fromkeys(stalls.SKUS, UNITS))
        integration = made.account.integration
        integration.webhook_token = TOKEN
        integration.save()
        connect.subscribe(integration)
        made.others_come_by()
        assert made.faults_of_the_books() == []
        with made.open:
            yield made
