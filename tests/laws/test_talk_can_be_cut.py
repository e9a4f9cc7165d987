"""Mail and talk: at every named failpoint of what comes in and goes out a worker is killed, and whoever comes after it
finds all of it: each person is written to once, each ticket opened once, each thing that was said counted once.

Every commit and every call to the outside has a failpoint directly before and after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path as File

import pytest

from finalmarket.customers.models import Consent
from finalmarket.integrations import notices, pull
from finalmarket.integrations import talk as talk_room
from finalmarket.integrations.models import DeadLetter, Ticket
from finalmarket.integrations.talk import finding
from finalmarket.integrations.talk.tickets import open_ticket
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney
from finalmarket.kernel import clock
from finalmarket.orders.models import Order
from finalmarket.stock import ledger
from tests.integrations.bureau import ANN, Bureau, opened_bureau
from tests.integrations.test_mails import arrive, wish
from tests.laws.cut_off import cut_off, ways_of_this_dose
from tests.laws.trail import Trail, watched

pytestmark = pytest.mark.committed_database
Act = Callable[[Bureau], object]


@dataclass(frozen=True)
class Way:
    """What happens, what the worker then does, and what has to stand at the end."""

    name: str
    happen: Act
    act: Act
    ends: Callable[[Bureau], bool]

    def __str__(self) -> str:
        return self.name


def told(bureau: Bureau) -> None:
    """A worker finds and tells."""
    notices.find(timedelta(hours=5))
    notices.tell(bureau.integration.pk)


def pulled(stream: str) -> Act:
    """A worker pulls a stream."""
    return lambda bureau: pull.pull(bureau.integration.pk, stream)


def an_order_was_sent(bureau: Bureau) -> None:
    """Somebody buys, and the parcel leaves."""
    bureau.ship(bureau.buy())


def somebody_wishes(bureau: Bureau) -> None:
    """What somebody wishes for is sold out, and has come back."""
    wish(bureau)
    finding.look_at_wishes()
    arrive(bureau)


def a_wish_is_gone_again(bureau: Bureau) -> None:
    """What came back was sold before anybody was told."""
    somebody_wishes(bureau)
    finding.look_at_wishes()
    notices.find(timedelta(hours=5))
    ledger.adjust(bureau.market.variants["POT"].pk, bureau.market.warehouse.pk, -3, reason="counted", actor="test")


def looked_and_told(bureau: Bureau) -> None:
    """What comes round every minute."""
    finding.look_at_wishes()
    told(bureau)


def a_ticket(bureau: Bureau) -> None:
    """A ticket is asked for."""
    open_ticket(bureau.buy().pk, subject="Broken", text="In two parts", key="k", actor="sue")


def asked_for(bureau: Bureau) -> None:
    """Somebody presses the button of one form."""
    open_ticket(Order.objects.get().pk, subject="Broken", text="In two parts", key="k", actor="sue")


def the_order_of_a_ticket_changes(bureau: Bureau) -> None:
    """The parcel leaves after agents were told of the order."""
    order = bureau.buy()
    open_ticket(order.pk, subject="Broken", text="In two parts", key="k", actor="sue")
    bureau.tell()
    bureau.ship(order)


def talk(bureau: Bureau) -> None:
    """Somebody writes, twice, and an agent solves one of them."""
    bureau.office.solve(bureau.office.say("Where is it?", email=ANN))
    bureau.office.say("And the other?", email=ANN)


def mail_is_read(bureau: Bureau) -> None:
    """Somebody reads mail, and wants no more of it."""
    bureau.office.interact("mail_opened", email=ANN)
    bureau.office.interact("mail_complaint", email=ANN)


def mails(*purposes: str) -> Callable[[Bureau], bool]:
    return lambda bureau: sorted(mail["purpose"] for mail in bureau.mails()) == sorted(purposes)


def notes(count: int) -> Callable[[Bureau], bool]:
    def end(bureau: Bureau) -> bool:
        (ticket,) = bureau.office.state["conversations"].values()
        return [message["from"] for message in ticket["messages"]].count("internal") == count

    return end


def two_journeys(bureau: Bureau) -> bool:
    states = sorted(CrossChannelJourney.objects.values_list("state", flat=True))
    return states == ["completed", "open"] and ChannelInteraction.objects.count() == 2


def no_more_mail(bureau: Bureau) -> bool:
    said = sorted(Consent.objects.values_list("purpose", "is_granted"))
    return said == [("mail", False), ("newsletter", False)] and ChannelInteraction.objects.count() == 1


WAYS = (
    Way("mails about orders and parcels", an_order_was_sent, told, mails("order_confirmed", "shipped")),
    Way("mails about wishes", somebody_wishes, looked_and_told, mails("back_in_stock")),
    Way("a wish that is gone again", a_wish_is_gone_again, told, mails()),
    Way("a ticket is asked for", lambda bureau: bureau.buy(), asked_for, lambda bureau: Ticket.objects.count() == 1),
    Way("a ticket is opened", a_ticket, told, notes(1)),
    Way("a note is left", the_order_of_a_ticket_changes, told, notes(2)),
    Way("conversations come in", talk, pulled("conversations"), two_journeys),
    Way("interactions come in", mail_is_read, pulled("interactions"), no_more_mail),
)
DUTIES = {
    "mails about orders and parcels": ("confirmations", "dispatches"), "mails about wishes": ("back_in_stock",),
    "a wish that is gone again": ("back_in_stock",), "a ticket is asked for": ("tickets",),
    "a ticket is opened": ("tickets",), "a note is left": ("tickets",),
}  # fmt: skip


@pytest.fixture
def bureaus(committed_database: object) -> Iterator[Callable[[Way], Bureau]]:
    """A bureau for a way, with its duties."""
    with ExitStack() as open_still:

        def made(way: Way) -> Bureau:
            bureau = open_still.enter_context(opened_bureau())
            bureau.give(*DUTIES.get(way.name, ()))
            return bureau

        yield made


def walked(bureau: Bureau, way: Way) -> Trail:
    """What a worker that nobody kills leaves behind."""
    way.happen(bureau)
    with watched() as trail:
        way.act(bureau)
    return trail


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_every_commit_and_every_call_has_a_failpoint_before_and_after_it(
    way: Way, bureaus: Callable[[Way], Bureau]
) -> None:
    bureau = bureaus(way)
    trail = walked(bureau, way)
    assert trail.steps()
    assert trail.bare() == []
    assert way.ends(bureau)


def names() -> list[tuple[Way, str]]:
    """Where workers are killed: what each way is about."""
    mine = {
        "mails about orders and parcels": ("talk.before_find", "talk.after_find", *NOTICES),
        "mails about wishes": ("talk.before_look", "talk.after_look", "talk.before_forget_wishes",
                               "talk.after_forget_wishes"),
        "a wish that is gone again": ("talk.before_forget_notice", "talk.after_forget_notice"),
        "a ticket is asked for": ("talk.before_open_ticket", "talk.after_open_ticket"),
        "a ticket is opened": ("talk.before_remember_ticket", "talk.after_remember_ticket",
                               "talk.after_remember_ticket@2", *NOTICES),
        "a note is left": ("talk.before_find_changed", "talk.after_find_changed", "talk.before_remember_ticket",
                           "talk.after_remember_ticket", *NOTICES),
        "conversations come in": PULLS,
        "interactions come in": PULLS,
    }  # fmt: skip
    return [(way, name) for way in WAYS for name in mine[way.name]]


NOTICES = ("notices.after_claim", "notices.before_send", "notices.after_send", "notices.within_settle",
           "notices.after_settle")  # fmt: skip
PULLS = ("pull.after_page", "pull.before_commit", "pull.after_commit")


def test_at_every_failpoint_of_the_room_a_worker_is_killed() -> None:
    room = File(talk_room.__file__).parent
    steps = {step for path in room.glob("*.py") for step in re.findall(r'around\("(talk\.\w+)"\)', path.read_text())}
    named = {step.replace(".", f".{side}_") for step in steps for side in ("before", "after")}
    assert named
    assert named - {name.partition("@")[0] for _, name in names()} == set()


@pytest.mark.slow
@pytest.mark.parametrize(("way", "name"), ways_of_this_dose(names(), "talk"), ids=str)
def test_a_worker_that_is_killed_there_loses_nothing_and_doubles_nothing(
    way: Way, name: str, bureaus: Callable[[Way], Bureau]
) -> None:
    bureau = bureaus(way)
    way.happen(bureau)
    assert cut_off(partial(way.act, bureau), name if "@" in name else f"{name}@1") == ""
    for minutes in (4, 30):  # claims end after three minutes
        with clock.steered(clock.now() + timedelta(minutes=minutes)):
            way.act(bureau)
    assert way.ends(bureau)
    assert DeadLetter.objects.count() == 0
