"""Every commit and every call with which books are told has a failpoint before and after it, and a worker that is
killed at any of them loses nothing and doubles nothing."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from finalmarket.integrations import dead_letters, notices
from finalmarket.integrations.books import events, finding, jobs
from finalmarket.integrations.models import DeadLetter, DueEvent, DueNotice, DueRecord
from finalmarket.journeys.models import ChannelInteraction
from finalmarket.kernel import clock
from finalmarket.orders.history import note
from finalmarket.orders.models import Fulfilment, Order
from finalmarket.sandbox.faults import Fault
from tests.integrations.office import Office, opened_office
from tests.laws.cut_off import cut_off, in_this_dose, ways_of_this_dose
from tests.laws.trail import Trail, watched
from tests.orders.market import at

pytestmark = pytest.mark.committed_database
LONG = timedelta(days=10)
"""The database's own clock is not moved."""
DUTIES = ("orders", "customers", "movements", "events")


@dataclass
class Desk:
    """The account, the clock of the house, and what has happened so far."""

    books: Office
    time: clock.Steered
    dice: random.Random
    count: int = 0

    def address(self) -> str:
        """An address that nobody had before."""
        self.count += 1
        return f"buyer{self.count}@example.com"

    def find_and_tell(self) -> None:
        """A worker looks, and tells what is due."""
        finding.find(LONG)
        jobs.tell_records(self.books.integration.pk)
        jobs.tell_events(self.books.integration.pk)

    def others_come_by(self) -> None:
        """What comes round by itself, until nothing waits."""
        for _ in range(8):
            self.time.advance(timedelta(minutes=7))
            self.find_and_tell()
            notices.find(LONG)
            notices.tell(self.books.integration.pk)
            if not waiting():
                break
        jobs.verify_books(self.books.integration.pk)
        self.find_and_tell()


Act = Callable[[Desk], object]


@dataclass(frozen=True)
class Way:
    """What happens, what a worker then does, and what a person does again where it was cut off. `about` are the steps
    that it is about: what it shares with other ways is cut on those."""

    name: str
    about: tuple[str, ...]
    happen: Act
    act: Act = Desk.find_and_tell
    again: Act = lambda desk: None

    def __str__(self) -> str:
        return self.name


def bought(desk: Desk) -> Order:
    """Somebody buys, agreed to everything, and gets the parcel; stock moves, things are looked at."""
    books, email = desk.books, desk.address()
    for purpose in ("analytics", "newsletter"):
        books.agrees(purpose, email=email)
    order = books.buy("CUP", 2, email=email)
    books.ship(order, f"T{desk.count}")
    books.market.receive(books.market.variants["POT"], 1, books.market.warehouse)
    books.person(email).track_interaction(books.market.web, "page_view")
    return order


def failing(fault: Fault) -> Act:
    """Somebody buys, and the platform misbehaves when it is told."""

    def happen(desk: Desk) -> None:
        bought(desk)
        desk.books.office.faults.then(fault)

    return happen


def told_in_vain(desk: Desk) -> None:
    """An order was told, and nobody knows what became of that."""
    desk.books.keep("orders")
    desk.books.buy(email=desk.address())
    desk.books.office.faults.then(Fault.TIME_OUT)
    desk.find_and_tell()
    desk.time.advance(timedelta(minutes=10))


def people_too(desk: Desk) -> None:
    """A person wants people told as well: orders follow with their names."""
    desk.books.keep(*DUTIES)
    DueRecord.objects.filter(what="order").update(settled_version=0)


def only_said(desk: Desk) -> None:
    """The platform said yes to somebody new and did nothing."""
    desk.books.agrees("newsletter", email=desk.address())
    desk.books.office.faults.then(Fault.NOT_APPLIED)
    desk.find_and_tell()
    desk.time.advance(timedelta(minutes=15))


def verified(desk: Desk) -> None:
    """A worker asks for what was told a while ago."""
    jobs.verify_books(desk.books.integration.pk)


def moved_a_while_ago(desk: Desk) -> None:
    """What moved was told, and time has passed."""
    bought(desk)
    desk.find_and_tell()
    desk.time.advance(timedelta(minutes=15))


def refused(desk: Desk) -> None:
    """An order is invoiced there before it changes here, and goods move that the office does not know."""
    order = desk.books.buy(email=desk.address())
    desk.find_and_tell()
    desk.books.office.invoice(order.number)
    desk.books.ship(order)
    desk.books.market.goods(f"NEW{desk.count}", warehouse=3)
    desk.time.advance(timedelta(minutes=1))


def taken_now(desk: Desk) -> None:
    """The office knows all items and gave up its invoices, and a person tries everything again."""
    office = desk.books.office
    for sku, variant in desk.books.market.variants.items():
        if sku not in office.listings():
            office.add_listing(sku, sku, variant.prices.get().amount, 0)
    for order in office.orders().values():
        order["is_invoiced"] = False
    for letter in DeadLetter.objects.filter(settled_at=None):
        dead_letters.replay(letter.pk, actor="olga")


def refused_and_told(desk: Desk) -> None:
    """What the office does not take was set aside."""
    refused(desk)
    desk.time.advance(timedelta(minutes=1))
    desk.find_and_tell()


def events_without_answer(desk: Desk) -> None:
    """Things are looked at, and the platform will not answer."""
    bought(desk)
    finding.find(LONG)
    desk.books.office.faults.then(Fault.TIME_OUT)


def tell_events(desk: Desk) -> None:
    """A worker tells events."""
    jobs.tell_events(desk.books.integration.pk)


def nothing_new(desk: Desk) -> None:
    """Something is noted with an order that no book has to know, and somebody without consent looks around."""
    order = bought(desk)
    desk.find_and_tell()
    note(order, "updated", "looked at once more", actor="test")
    desk.books.person(desk.address()).track_interaction(desk.books.market.web, "page_view")
    desk.time.advance(timedelta(minutes=1))


def past(desk: Desk) -> None:
    """Somebody bought long before the account was connected."""
    desk.books.buy(email=desk.address(), at=clock.now() - timedelta(days=40))


def past_sent(desk: Desk) -> None:
    """A person has all sent that is there."""
    finding.send_what_is_there(desk.books.integration, "orders")
    jobs.tell_records(desk.books.integration.pk)


def switched_off(desk: Desk) -> None:
    """Everything is due to an account that is to hear nothing any more."""
    bought(desk)
    finding.find(LONG)
    desk.books.keep()


def told_nothing(desk: Desk) -> None:
    """A worker comes while the account has no duty."""
    jobs.tell_records(desk.books.integration.pk)
    jobs.tell_events(desk.books.integration.pk)


def switched_on(desk: Desk) -> None:
    """A person had second thoughts: what was dropped is told after all."""
    desk.books.keep(*DUTIES)
    DueRecord.objects.update(settled_version=0)
    DueEvent.objects.filter(last_error=events.NOT_TOLD).update(state="due", last_error="")


def long_ago(desk: Desk) -> None:
    """Events were told a long time ago."""
    bought(desk)
    desk.others_come_by()


def tidied(desk: Desk) -> None:
    """A worker forgets old events."""
    with clock.steered(clock.now() + timedelta(days=100)):
        jobs.tidy_events()


WAYS = (
    Way("people are found and told", ("books.find_orders", "books.find_customers", "records.persons", "records.wait",
                                      "records.claim", "records.send", "records.settle"), bought),
    Way("events are found and told", ("books.find_movements", "books.find_interactions", "books.find_purchases",
                                      "events.claim", "events.send", "events.settle"), bought),
    Way("an answer gets lost", ("records.put_off",), failing(Fault.ERROR_AFTER)),
    Way("events get no answer", ("events.put_off",), events_without_answer, tell_events),
    Way("what is in doubt is asked for", ("records.ask",), told_in_vain, again=people_too),
    Way("nothing is new", ("records.settle_quietly", "events.withhold"), nothing_new),
    Way("it is refused", ("records.refuse", "events.settle"), refused, again=taken_now),
    Way("it is tried again", ("records.replay", "events.replay"), refused_and_told, taken_now, taken_now),
    Way("it was only said to be done", ("records.verify",), only_said, verified, verified),
    Way("what moved is told once more", ("events.verify", "events.verify_send"), moved_a_while_ago, verified),
    Way("the past is sent", ("books.send_past",), past, past_sent, past_sent),
    Way("a duty is switched off", ("records.drop", "events.drop"), switched_off, told_nothing, switched_on),
    Way("old events are forgotten", ("events.forget",), long_ago, tidied),
)  # fmt: skip


@pytest.fixture
def desk(committed_database: object) -> Iterator[Desk]:
    """An account that keeps everything; the clock stands still between one step and the next."""
    with opened_office() as books, clock.steered() as time:
        books.office.world.clock.stand_still(time.now())
        books.map_place(books.market.warehouse, "house")
        books.keep(*DUTIES)
        made = Desk(books, time, random.Random(1))
        made.others_come_by()
        assert faults(books) == []
        yield made


@pytest.mark.parametrize("way", ways_of_this_dose(WAYS, "books"), ids=str)
def test_a_worker_that_is_killed_anywhere_loses_nothing_and_doubles_nothing(desk: Desk, way: Way) -> None:
    way.happen(desk)
    with watched() as trail:
        way.act(desk)
    assert trail.bare() == []
    come_after(desk, way)
    assert faults(desk.books) == []
    for name in in_this_dose(cuts(way, trail), way):
        way.happen(desk)
        assert cut_off(partial(way.act, desk), f"{name}@1") == ""
        come_after(desk, way)
        assert faults(desk.books) == [], f"killed at {name}"


def cuts(way: Way, trail: Trail) -> list[str]:
    """Where the worker is killed on this way. Raises AssertionError for a step that it does not come by."""
    passed = list(dict.fromkeys(trail.points()))
    mine = [name for name in passed if step_of(name) in way.about]
    assert {step_of(name) for name in mine} == set(way.about)
    return mine


def step_of(failpoint: str) -> str:
    """The step that a failpoint stands before, within or after."""
    room, _, name = failpoint.partition(".")
    return f"{room}.{name.partition('_')[2]}"


def test_no_step_is_left_out() -> None:
    named = re.compile(r'failpoints\.(hit|around)\("(\w+\.\w+)"\)')
    found = {
        step_of(name) if kind == "hit" else name
        for path in Path(finding.__file__).parent.glob("*.py")
        for kind, name in named.findall(path.read_text())
    }
    assert found == {step for way in WAYS for step in way.about}


def come_after(desk: Desk, way: Way) -> None:
    """Whoever asked for it comes again, then what comes round by itself."""
    desk.others_come_by()
    way.again(desk)
    desk.others_come_by()


def faults(books: Office) -> list[str]:
    """What is lost, doubled or stale, in sentences; none when all is well."""
    letters = [f"{row.stream}: {row} is set aside" for row in DeadLetter.objects.filter(settled_at=None)]
    return [*waiting(), *letters, *_orders(books), *_people(books), *_events(books), *_stock(books)]


def waiting() -> list[str]:
    """What has yet to be told."""
    records = [row for row in DueRecord.objects.all() if row.version > row.settled_version or row.is_doubtful]
    open_still = {"state__in": ["due", "doubtful"]}
    rows = [*records, *DueEvent.objects.filter(**open_still), *DueNotice.objects.filter(**open_still)]
    return [f"{row} waits" for row in rows]


def _orders(books: Office) -> Iterator[str]:
    there, made = books.office.orders(), Counter(entry["number"] for entry in books.effects("order"))
    parcels = Fulfilment.objects.filter(state="shipped")
    for order in Order.objects.filter(number__in=told_orders()):
        if made[order.number] != 1 or order.number not in there:
            yield f"order {order} was written {made[order.number]} times"
            continue
        if there[order.number]["state"] != ("fulfilled" if order.state == "fulfilled" else "open"):
            yield f"order {order} is {there[order.number]['state']} there"
        if len(there[order.number]["parcels"]) != parcels.filter(order=order).count():
            yield f"order {order} has {len(there[order.number]['parcels'])} parcels"


def told_orders() -> list[str]:
    """The orders that the account is to know."""
    known = DueRecord.objects.filter(what="order").values_list("local_id", flat=True)
    return list(Order.objects.filter(pk__in=known).values_list("number", flat=True))


def _people(books: Office) -> Iterator[str]:
    for email, count in Counter(one["email"] for one in books.customers()).items():
        if count > 1:
            yield f"{email} stands there {count} times"
    names = {one["id"]: one["email"] for one in books.customers()}
    for number, order in books.office.orders().items():
        if names.get(order["customer"]) != order["email"]:
            yield f"order {number} is said to be of {names.get(order['customer'])}"


def _events(books: Office) -> Iterator[str]:
    seen = [f"interaction-{pk}" for pk in ChannelInteraction.objects.values_list("pk", flat=True)]
    states = dict(DueEvent.objects.values_list("key", "state"))
    told = Counter(entry["event"] for entry in books.effects("event"))
    sent = sum(state == "sent" for key, state in states.items() if key in seen)
    if told["page_view"] < sent:
        yield f"{sent} looks were told, {told['page_view']} came"


def _stock(books: Office) -> Iterator[str]:
    shown = books.office.shown_stock()
    for sku, variant in books.market.variants.items():
        units, _ = at(variant, books.market.warehouse)
        if sku in shown and shown[sku] != units:
            yield f"{shown[sku]} of {sku} are shown, it should be {units}"
