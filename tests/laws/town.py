"""A house with accounts on many platforms at once, all of one world and under one clock; and a worker, who does what
comes round by itself and what lies in the queue. The post between them goes through the door, and comes twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.registry import connectors
from finalmarket.integrations import budget, connect, dead_letters, pull
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, DueEvent, DueNotice, DueRecord
from finalmarket.kernel import clock
from finalmarket.kernel.jobs import Job, declared
from finalmarket.orders.models import Order
from finalmarket.sandbox.stand_in import StandIn
from finalmarket.sandbox.webhooks import Letter
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.laws.border_mail import Caught
from tests.waiting import arguments_of

HOUSE = "https://house.example"
BEHIND = timedelta(hours=6)
COPIES = 2
OPEN = ("due", "doubtful")


@dataclass
class Account:
    """A connected account: the stand-in that it is connected to, what that wrote, and our record of it."""

    there: Any
    post: Caught
    integration: ChannelIntegration

    @property
    def number(self) -> int:
        """The number of the account."""
        return self.integration.pk

    def effects(self, name: str, **facts: Any) -> list[dict[str, Any]]:
        """What really changed there, by the journal."""
        entries = self.there.world.journal.entries(platform=self.there.slug, what="effect", name=name)
        return [one.facts for one in entries if all(one.facts.get(key) == value for key, value in facts.items())]


@dataclass
class Town:
    """The world, the clock of both sides, the accounts by their slugs, and the worker, who goes round the whole house
    or some `rooms` of it."""

    world: World
    time: clock.Steered
    open: ExitStack
    accounts: dict[str, Account] = field(default_factory=dict)
    door: Client = field(default_factory=Client)
    looked_at: datetime = field(default_factory=clock.now)
    rooms: frozenset[str] | None = None

    def connect(self, platform: type[StandIn], channel: SalesChannel | None = None, **settings: str) -> Account:
        """Connect an account as a person does; the platform is asked to write to us. Nothing is told to it yet."""
        there = platform(self.world)
        post = there.sender = Caught(self.world, there.slug)
        (address,) = self.open.enter_context(served(there, most_seconds_silent=0.2))
        connector = connectors()[there.slug]
        integration = ChannelIntegration.objects.create(
            sales_channel=channel, platform_name=connector.name, integration_type=connector.kind
        )
        integration.connect({**there.credentials(), **settings, "base_url": address}, actor="olga")
        self.accounts[there.slug] = Account(there, post, integration)
        return self.accounts[there.slug]

    def pass_time(self, seconds: float) -> None:
        """Move the clock of both worlds on."""
        self.time.advance(timedelta(seconds=seconds))
        self.world.clock.advance(timedelta(seconds=seconds))

    def live(self, minutes: int = 6) -> None:
        """So many minutes pass, and in each the post comes and the worker goes round."""
        for _ in range(minutes):
            self.pass_time(60)
            self.bring_letters()
            self.come_round()

    def bring_letters(self) -> None:
        """What the platforms wrote is brought to the door, twice."""
        for account in self.accounts.values():
            letters, account.post.letters = account.post.letters, []
            for letter in letters * COPIES:
                assert self._put_in(letter) == 200, f"{account.there.slug}: {letter.name} was not let in"

    def _put_in(self, letter: Letter) -> int:
        kind = next((value for name, value in letter.headers.items() if name.lower() == "content-type"), "")
        others = {name: value for name, value in letter.headers.items() if name.lower() != "content-type"}
        path = urlsplit(letter.url).path
        return int(self.door.post(path, data=letter.body, content_type=kind, headers=others, secure=True).status_code)

    def come_round(self) -> None:
        """Do what the worker does by itself every minute and every hour, if its time has come, and what lies in the
        queue. What is done at night is left out: when the test runs must make no difference."""
        now = clock.now()
        for job in declared().values():
            if self._is_visited(job) and _is_due(job, self.looked_at, now):
                job.run()
        self.looked_at = now
        carry_out()

    def _is_visited(self, job: Job) -> bool:
        return self.rooms is None or job.name.partition(".")[0] in self.rooms

    # The reckoning.

    def complaints(self) -> list[str]:
        """What is set aside, left over, or puts an account out of order, in sentences."""
        letters = DeadLetter.objects.filter(pk__in=dead_letters.open_letters())
        left = [f"{one} waits: {one.last_error}" for one in DueNotice.objects.filter(state__in=OPEN)]
        left += [f"{one} waits: {one.last_error}" for one in DueEvent.objects.filter(state__in=OPEN)]
        untold = DueRecord.objects.filter(version__gt=F("settled_version"))
        health = [(name, account.integration.health()) for name, account in self._refreshed().items()]
        return [
            *(f"{one.stream} {one.external_id} is set aside: {one.reason}" for one in letters),
            *left, *(f"{one} waits: {one.last_error}" for one in untold),
            *(f"order {one.external_id} says {one.problem}" for one in Order.objects.exclude(problem="")),
            *(f"{name} is {word}" for name, word in health if word.word != "healthy"),
        ]  # fmt: skip

    def _refreshed(self) -> Mapping[str, Account]:
        for account in self.accounts.values():
            account.integration.refresh_from_db()
        return self.accounts


def _is_due(job: Job, since: datetime, now: datetime) -> bool:
    minute, hour, *_ = (job.cron or "- -").split()
    begun = since.replace(second=0, microsecond=0)
    passed = (begun + timedelta(minutes=number) for number in range(1, (now - begun) // timedelta(minutes=1) + 1))
    return hour == "*" and any(_falls_on(minute, at.minute) for at in passed)


def _falls_on(told: str, minute: int) -> bool:
    if "," in told:
        return any(_falls_on(one, minute) for one in told.split(","))
    every = told.removeprefix("*/")
    return told == "*" or (minute % int(every) == 0 if every != told else minute == int(told))


def carry_out() -> None:
    """Do what lies in the queue and may be done now, until nothing does."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM procrastinate_jobs WHERE scheduled_at IS NULL OR scheduled_at <= %s"
                " RETURNING id, task_name, args",
                [clock.now()],
            )
            waiting = sorted(cursor.fetchall())
        if not waiting:
            return
        for _, name, args in waiting:
            declared()[name].run(**arguments_of(args))


@contextmanager
def town(
    patch: pytest.MonkeyPatch, *, behind: timedelta = BEHIND, rooms: frozenset[str] | None = None
) -> Iterator[Town]:
    """Within it platforms can be connected, and can call us at HOUSE; pauses for their limits take no real time. What
    comes round by itself is done in all rooms of the house, or in these `rooms` (by the first word of its name).

    The clock of both sides begins so far `behind` the database's own, by which some rows are dated: what is looked for
    within the last minutes is then found however much time has been passed by hand. It begins half a minute past the
    hour (with the database's own clock, if `behind` is nothing), so that what comes round at its minute of every hour
    comes in the same place whenever the test runs.
    """
    world = World(seed=1)
    begin = clock.now() - behind
    if behind:
        begin = begin.replace(minute=0, second=30, microsecond=0)
    patch.setenv(connect.PUBLIC_URL, HOUSE)
    with ExitStack() as stack, clock.steered(begin) as time:
        world.clock.stand_still(time.now())
        made = Town(world, time, stack, rooms=rooms)
        for patient in (budget.SharedBudget.__init__, pull.catch_up_orders):
            patch.setitem(patient.__kwdefaults__ or {}, "pause", made.pass_time)
        yield made
