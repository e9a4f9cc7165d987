"""A merchant and a platform that misbehaves: trade there, changes here, faults in between, and then the reckoning.

One seed is one history: the same shoppers, the same changes, the same faults at the same calls. Both sides share a
clock that the game moves, so that published limits, pauses and silence cost no time. When all has calmed down, what the
platform's own journal says is compared with our books. What is played follows from what the connector can do: PARTS.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.books import PushesMovements, PushesOrders
from finalmarket.connectors.contract import (
    Connector,
    PullsOrders,
    PullsStock,
    PushesListings,
    PushesPrices,
    PushesStock,
)
from finalmarket.connectors.registry import connectors
from finalmarket.connectors.shipping import Ships
from finalmarket.connectors.talk import OpensTickets, PullsFigures, SendsEvents, SendsMessages
from finalmarket.integrations import budget, connect, dead_letters, duties, jobs, notices, pull
from finalmarket.integrations.books import finding, records
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, DueNotice, DueRecord, StreamCursor
from finalmarket.integrations.notice_words import kinds_of
from finalmarket.integrations.streams import streams_of
from finalmarket.integrations.told_again import SHOWN_AFTER
from finalmarket.kernel import clock, randomness
from finalmarket.sandbox.faults import PAGES_ONLY, READS_ONLY, WRITES_ONLY, Fault, Faults
from finalmarket.sandbox.house import stand_ins
from finalmarket.sandbox.stand_in import StandIn
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from finalmarket.stock.models import StockLocation
from tests.connectors.cases import Case, case_of
from tests.laws.border_customers import Customers
from tests.laws.border_deeds import Deeds
from tests.laws.border_events import Events
from tests.laws.border_labels import Labels
from tests.laws.border_mail import Caught, Mail
from tests.laws.border_messages import Messages
from tests.laws.border_movements import Movements
from tests.laws.border_orders import Orders
from tests.laws.border_part import Part
from tests.laws.border_payments import Payments
from tests.laws.border_people import People
from tests.laws.border_sales import Cancellations, Offers, Refunds, Sales
from tests.laws.border_shop import Shop
from tests.laws.border_talks import Talks
from tests.laws.border_tickets import Tickets

# What is sold has to be there first, and who buys it.
PARTS: tuple[type[Part], ...] = (
    Offers, Sales, Refunds, Cancellations, Payments, People, Movements, Customers, Orders, Labels, Events, Messages,
    Deeds, Talks, Tickets,
)  # fmt: skip
# What a platform is told besides notices of orders and payments, and what it is asked besides streams.
TOLD = (
    PushesStock, PushesPrices, PushesListings, PushesOrders, PushesMovements, SendsEvents, SendsMessages, OpensTickets,
    Ships,
)  # fmt: skip
ASKED = (PullsStock, PullsFigures, Ships)
QUIET_ROUNDS = 60
HOUR_SECONDS = 3600.0
SECONDS_A_ROUND = (1, 5, 20, 20, 200)
SECONDS_BETWEEN_RETRIES = 300.0
SECONDS_BETWEEN_PULLS = 20.0
WHOLE = ("done", "partly")  # outcomes of a pull that went to the end
HOUSE = "https://house.example"
# In the time of the game: how long a platform is silent before the connection ends, and how long an answer drips. The
# last of its pieces, and only that, comes later than a connector waits for a whole answer.
SILENT_SECONDS = 60.0
DRIP_SECONDS, DRIPS = 75.0, 4


def parts_of(connector: type[Connector], stand_in: type[StandIn]) -> list[type[Part]]:
    """The parts that a platform plays: those of its kind for which its stand-in has the ability."""
    return [part for part in PARTS if part.fits(connector) and issubclass(stand_in, part.ability)]


def platforms() -> list[str]:
    """The platforms that play any part."""
    known = connectors()
    return [one.slug for one in stand_ins() if one.slug in known and parts_of(known[one.slug], one)]


def kinds_that_meet(connector: type[Connector]) -> set[Fault]:
    """The faults that a platform can show: where nothing is told to it none of writes, where nothing is read none of
    reads, where nothing comes in page by page none of pages."""
    kinds, has_pages = set(Fault), bool(streams_of(connector))
    if not (kinds_of(connector) or issubclass(connector, TOLD)):
        kinds -= WRITES_ONLY
    if not (has_pages or issubclass(connector, ASKED)):
        kinds -= READS_ONLY
    return kinds if has_pages else kinds - PAGES_ONLY


@dataclass
class Game:
    """One account, the stand-in it is connected to, and what was done so far."""

    case: Case
    world: World
    stand_in: StandIn
    integration: ChannelIntegration
    channel: SalesChannel
    place: StockLocation
    time: clock.Steered
    dice: random.Random
    mail: Mail
    skus: int = 6
    parts: list[Part] = field(default_factory=list)
    seconds: float = 0.0
    traded_at: datetime | None = None
    pulled_at: dict[str, float] = field(default_factory=dict)
    looked_at: float = 0.0
    look_since: datetime = field(default_factory=clock.now)
    unlooked: set[str] = field(default_factory=set)
    undone: list[Part] = field(default_factory=list)
    retried_at: float = 0.0
    is_calming: bool = False
    has_rushed: bool = False
    helped: int = 0
    shop: Shop | None = None

    @property
    def streams(self) -> list[str]:
        """What comes in."""
        return [stream.name for stream in streams_of(self.case.connector)]

    @property
    def source(self) -> str:
        """Where the orders of this account come from."""
        return f"integration:{self.integration.pk}"

    def own_shop(self) -> Shop:
        """Our own web shop, where a part needs one: opened when all parts are."""
        self.shop = self.shop or Shop(self)
        return self.shop

    def give_duty(self, name: str) -> None:
        """The account is told this from now on, whatever else it is for."""
        has = [duty.name for duty in duties.possible(self.integration) if duties.does(self.integration, duty.name)]
        duties.switch(self.integration, [*has, name], actor="game")

    def follow_the_world(self) -> None:
        """Time has passed outside: let it have passed here, too."""
        now = self.stand_in.world.clock.now()
        self.seconds += (now - clock.now()).total_seconds()
        self.time.set(now)

    def was_ignored(self, at: datetime | None) -> bool:
        """Whether the platform, at that moment, said yes to a call and did nothing."""
        requests = self.world.journal.entries(platform=self.stand_in.slug, what="request")
        return any(one.facts["fault"] == Fault.NOT_APPLIED.name and one.at == at for one in requests)

    def play(self, rounds: int, faults: Faults, *, rush: bool = False) -> None:
        """Let that many rounds of trade pass under these faults, then calm down. With `rush`, so much has happened in
        the last hours that lists of it take more than one page, and they are looked through at once."""
        self.stand_in.faults = faults
        if rush:
            self._rush()
            self.hourly()
        for _ in range(rounds):
            self.trade()
            self.sync()
            self.pass_time(self.dice.choice(SECONDS_A_ROUND))
        faults.stop()
        self.calm_down()

    def _rush(self) -> None:
        """Once, and slowly enough for platforms that can be asked but seldom."""
        if not self.has_rushed:
            self.has_rushed, self.traded_at = True, clock.now()
            for player in self._players():
                player.rush()
            self.mail.bring(self.integration)
            self.pass_time(HOUR_SECONDS / 2)

    def trade(self) -> None:
        """Something happens, here and there."""
        self.traded_at = clock.now()
        for player in self._players():
            player.trade()

    def _players(self) -> list[Part | Shop]:
        return [*([self.shop] if self.shop else []), *self.parts]

    def sync(self) -> None:
        """What workers do every minute, every five, and every hour."""
        self._help()
        self.mail.bring(self.integration, all_of_it=self.is_calming)
        for stream in self.streams:
            if self.is_calming or self.seconds - self.pulled_at.get(stream, 0.0) >= SECONDS_BETWEEN_PULLS:
                self.pulled_at[stream] = self.seconds
                pull.pull(self.integration.pk, stream)
        finding.find(timedelta(days=2))
        for job in dict.fromkeys(job for part in self.parts for job in part.jobs):
            job(self.integration.pk)
        for part in self.parts:
            part.sync()
        notices.find(timedelta(days=2))
        notices.tell(self.integration.pk)
        if self.seconds - self.retried_at >= SECONDS_BETWEEN_RETRIES:
            self.retried_at = self.seconds
            jobs.retry_waiting()
        self._look_again()
        if self.seconds - self.looked_at >= HOUR_SECONDS:
            self.hourly()
        self.stand_in.remember()  # what stale reads will show until the next time

    def hourly(self) -> None:
        """Look again at what should be settled."""
        self.looked_at, self.look_since = self.seconds, clock.now() - pull.LOOK_BACK
        self.unlooked, self.undone = set(self.streams), list(self.parts)
        self._verify()
        self._look_again()

    def _verify(self) -> None:
        """Ask whether the platform shows what it was told."""
        notices.verify(self.integration.pk)
        records.verify(self.integration.pk)

    def _look_again(self) -> None:
        """Go on with what looks again every hour, where the platform broke it off."""
        for stream in sorted(self.unlooked):
            run = pull.backfill(self.integration, self.look_since, stream)
            if run is not None and run.outcome in WHOLE:
                self.unlooked.discard(stream)
        if self.is_calming:
            self._verify()
        self.undone = [part for part in self.undone if not part.hourly()]

    def _help(self) -> None:
        """Where the platform refused the token twice, a person looks and finds that all is well."""
        self.integration.refresh_from_db()
        if self.integration.status == ChannelIntegration.Status.NEEDS_ATTENTION:
            self.helped += 1
            connect.resume(self.integration)

    def pass_time(self, seconds: float) -> None:
        """Move the clock of both worlds on."""
        self.time.advance(timedelta(seconds=seconds))
        self.world.clock.advance(timedelta(seconds=seconds))
        self.seconds += seconds

    def calm_down(self) -> None:
        """Sync until nothing is due any more; raises AssertionError when that never happens."""
        self.is_calming = True
        self._settle()
        self.pass_time(SHOWN_AFTER.total_seconds() + 60)
        self.hourly()
        waiting = self._settle()
        self.is_calming = False
        assert not waiting, f"something stays due: {waiting}"

    def _settle(self) -> list[str]:
        waiting: list[str] = []
        for _ in range(QUIET_ROUNDS):
            self.sync()
            waiting = self.waits()
            if not waiting:
                break
            self.pass_time(240)
        return waiting

    def waits(self) -> list[str]:
        """What is on its way."""
        ours = DueNotice.objects.filter(integration=self.integration)
        untold = ours.filter(state__in=["due", "doubtful"])
        unseen = ours.filter(state="sent", verified_at=None, sent_at__lt=clock.now() - SHOWN_AFTER)
        unsure = DueRecord.objects.filter(
            integration=self.integration, verified_at=None, told_at__lt=clock.now() - SHOWN_AFTER, last_error=""
        ).exclude(external_id="")
        waiting = [line for part in self.parts for line in part.waits()]
        return [
            *waiting, *(f"{one}: {one.last_error}" for one in untold), *self.mail.waits(self.integration),
            *(f"a look for {one}" for one in (*unseen, *unsure)),
            *(f"the newest {name}" for name in self._unpulled()), *(f"a look at {name}" for name in self.unlooked),
            *(f"a look of {type(part).__name__}" for part in self.undone),
        ]  # fmt: skip

    def _unpulled(self) -> set[str]:
        """The streams of which not all is known: some platforms can be asked but seldom."""
        known = StreamCursor.objects.filter(integration=self.integration, pulled_at__gte=self.traded_at or clock.now())
        return set(self.streams) - set(known.values_list("stream", flat=True))

    def faults_of_the_books(self) -> list[str]:
        """What the platform and we disagree on, in sentences; none when all is well."""
        letters = DeadLetter.objects.filter(pk__in=dead_letters.open_letters(self.integration.pk))
        aside = [
            f"{one.stream} {one.external_id} is set aside: {one.reason}"
            for one in letters
            if not any(part.explains(one) for part in self.parts)
        ]
        return [*aside, *(line for part in self.parts for line in part.wrong())]


@contextmanager
def game(slug: str, seed: int, monkeypatch: pytest.MonkeyPatch, *, skus: int = 6) -> Iterator[Game]:
    """A connected account on the stand-in of a platform, in virtual time, with all the parts that it plays."""
    case, world, made = case_of(slug), World(seed), list[Game]()
    stand_in = case.stand_in(world)
    caught = stand_in.sender = Caught(world, slug)

    def pass_time(seconds: float) -> None:
        made[0].pass_time(seconds)

    monkeypatch.setenv(connect.PUBLIC_URL, HOUSE)
    for patient in (budget.SharedBudget.__init__, pull.catch_up_orders):  # pauses pass in virtual time
        monkeypatch.setitem(patient.__kwdefaults__ or {}, "pause", pass_time)
    silence = {"most_seconds_silent": SILENT_SECONDS, "drip_seconds": DRIP_SECONDS}
    with (
        served(stand_in, **silence, drips=DRIPS, pause=pass_time) as (address,),
        clock.steered() as time,
        randomness.seeded(seed),
    ):
        world.clock.stand_still(time.now())
        made.append(_account(case, world, stand_in, time, seed, Mail(caught, random.Random(seed)), skus))
        played = made[0]
        _connect(played, address)
        for kind in parts_of(case.connector, case.stand_in):
            played.parts.append(kind(played))
            played.parts[-1].open()
        if played.shop is not None:
            played.shop.open()
        played.traded_at = clock.now()
        played.calm_down()
        yield played


def _account(
    case: Case, world: World, stand_in: StandIn, time: clock.Steered, seed: int, mail: Mail, skus: int
) -> Game:  # fmt: skip
    is_shop = issubclass(case.connector, (PullsOrders, PushesStock))
    channel = SalesChannel.objects.create(
        name=case.connector.name if is_shop else "Web shop", channel_type="marketplace" if is_shop else "web",
        currency=case.currency,
    )  # fmt: skip
    integration = ChannelIntegration.objects.create(
        sales_channel=channel if is_shop else None, platform_name=case.connector.name,
        integration_type=case.connector.kind,
    )  # fmt: skip
    place = StockLocation.objects.create(code="main", name="Main warehouse")
    return Game(case, world, stand_in, integration, channel, place, time, random.Random(seed), mail, skus)


def _connect(played: Game, address: str) -> None:
    account = played.case.account(address)
    played.integration.connect({**account.secrets, **account.settings, "base_url": address})
    played.integration.push_from = clock.now()
    played.integration.save()
