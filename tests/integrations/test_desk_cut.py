"""Every commit and every call with which labels are bought, parcels followed and payments made has a failpoint before
and after it, and a worker that is killed at any of them loses nothing and doubles nothing."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from finalmarket.catalog.models import Variant
from finalmarket.connectors.shipping import ShippingRate
from finalmarket.integrations import inbox, jobs, notices
from finalmarket.integrations.connect import PUBLIC_URL
from finalmarket.integrations.desk import jobs as desk_jobs
from finalmarket.integrations.desk import labels, pages, tracking_in
from finalmarket.integrations.models import DeadLetter, PaymentPage, ShippingLabel
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders import fulfilment
from finalmarket.orders.aftersales import cancel, cancel_units
from finalmarket.orders.models import Fulfilment, Order
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.practice_office import PracticeOffice
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from finalmarket.stock import ledger
from tests.integrations.counter import Counter, open_counter
from tests.laws.cut_off import cut_off, in_this_dose, ways_of_this_dose
from tests.laws.trail import watched

pytestmark = pytest.mark.committed_database
ROOM = Path(labels.__file__).parent
MINE = ("labels.", "tracking.", "pages.")
RATE = ShippingRate(
    rate_id="green-letter", carrier="Green Post", service="Letter", amount=Decimal("2.90"), currency="EUR", days=3
)  # fmt: skip


@dataclass
class House:
    """The account, the clock, and the parcel, label or page that is being worked on."""

    counter: Counter
    time: clock.Steered
    parcel: Fulfilment = field(init=False)
    page: PaymentPage = field(init=False)

    @property
    def label(self) -> ShippingLabel:
        """The newest label of the parcel."""
        found = ShippingLabel.objects.filter(fulfilment=self.parcel).order_by("-pk").first()
        assert found is not None
        return found

    def pass_time(self, **span: float) -> None:
        """So much time goes by, here and there."""
        self.time.advance(timedelta(**span))
        self.counter.office.world.clock.advance(timedelta(**span))

    def others_come_by(self) -> None:
        """What comes round by itself, until nothing waits."""
        for _ in range(2):
            self.pass_time(minutes=40)
            self.counter.deliver()
            self.rounds()
            notices.find(timedelta(days=1))
            notices.tell(self.counter.integration.pk)

    def rounds(self) -> None:
        """The jobs of every minute, and what they put off."""
        desk_jobs.look(self.counter.integration.pk)
        desk_jobs.look_at_pages()
        self.pass_time(seconds=10)
        self.counter.finish_pages(seconds=0)


Act = Callable[[House], object]


@dataclass(frozen=True)
class Way:
    """What happens, what is then done, and what the person who asked for it does again where it was cut off."""

    name: str
    happen: Act
    act: Act
    again: Act = lambda house: None

    def __str__(self) -> str:
        return self.name


def a_parcel(house: House) -> None:
    """Somebody buys, and the parcel waits; what sending it costs is known."""
    house.parcel = house.counter.parcel()
    assert RATE in labels.get_rates(house.parcel.pk, house.counter.integration)


def bought(house: House) -> None:
    """A person presses the button; what the platform did not say is known by and by."""
    try:
        labels.buy_label(house.parcel.pk, house.counter.integration, RATE, actor="ann")
    except UserError:
        pass


def failing(*faults: Fault) -> Act:
    """The platform misbehaves at the next writes."""
    return lambda house: house.counter.office.faults.then(*faults)


def both(*acts: Act) -> Act:
    """One after the other."""

    def act(house: House) -> None:
        for one in acts:
            one(house)

    return act


def buying_in_vain(*faults: Fault) -> Act:
    """A label was bought, and nobody knows what became of it; some minutes went by."""

    def happen(house: House) -> None:
        a_parcel(house)
        failing(*faults)(house)
        bought(house)
        house.pass_time(minutes=5)

    return happen


def looked(house: House) -> None:
    """A worker asks after labels."""
    desk_jobs.look(house.counter.integration.pk)


def not_there(house: House) -> None:
    """A label was asked for in vain, and it is time to ask once more."""
    buying_in_vain(Fault.RESET_BEFORE)(house)
    looked(house)
    house.pass_time(minutes=31)


def sold_in_words_only(house: House) -> None:
    """The platform said yes to a label and did nothing, and the time to look has come."""
    a_parcel(house)
    failing(Fault.NOT_APPLIED)(house)
    bought(house)
    house.pass_time(hours=2)


def a_word_of_what_moved(house: House) -> None:
    """The platform says that something is new with a parcel, and not what."""
    a_used_label(house)


def heard(house: House) -> None:
    """A worker reads it, and asks."""
    tracking_in.take_hint(house.counter.integration, None, house.label.tracking_number)
    looked(house)


def too_heavy(house: House) -> None:
    """Nobody takes the parcel as a letter."""
    a_parcel(house)
    Variant.objects.filter(sku="TEA").update(weight_grams=5_000)


def light_again(house: House) -> None:
    """It was a mistake of the scales."""
    Variant.objects.filter(sku="TEA").update(weight_grams=250)
    bought(house)


def a_label(house: House) -> None:
    """A parcel has its label."""
    a_parcel(house)
    bought(house)


def given_back(house: House) -> None:
    """A person gives the label back."""
    try:
        labels.void_label(house.label.pk, actor="ann")
    except UserError:
        pass


def giving_back_in_vain(house: House) -> None:
    """A label was given back, and nobody knows what became of it."""
    a_label(house)
    failing(Fault.ERROR_AFTER)(house)
    given_back(house)
    house.pass_time(minutes=5)


def a_used_label(house: House) -> None:
    """A label is given back, and the carrier has the parcel."""
    a_label(house)
    house.counter.office.move_parcel(house.label.tracking_number)
    house.counter.letters.clear()


def moved(house: House) -> None:
    """The carrier sees the parcel, and a word of it lies in the inbox."""
    a_label(house)
    house.counter.office.move_parcel(house.label.tracking_number)
    take_letters_in(house)


def take_letters_in(house: House) -> None:
    """The letters of the platform are brought to the door."""
    for letter in house.counter.letters:
        inbox.receive(house.counter.integration.webhook_token, letter.url, dict(letter.headers), letter.body)
    house.counter.letters.clear()


def moved_without_a_word(house: House) -> None:
    """The carrier delivers the parcel, and nobody is told."""
    a_label(house)
    for state in ("moving", "delivered"):
        house.counter.office.move_parcel(house.label.tracking_number, state)
    house.counter.letters.clear()
    house.pass_time(hours=2)


def called_off(house: House) -> None:
    """A parcel has its label and is not sent."""
    a_label(house)
    cancel(house.parcel.order_id, reason="changed their mind", actor="ann")
    house.pass_time(hours=2)


def an_unreadable_parcel(house: House) -> None:
    """The platform says nothing sensible of a parcel."""
    a_label(house)
    house.counter.office.state["parcels"][house.label.tracking_number]["steps"] = None
    house.pass_time(hours=2)


def readable_again(house: House) -> None:
    """The platform has come to its senses, and the time to ask has come."""
    for parcel in house.counter.office.state["parcels"].values():
        parcel["steps"] = parcel["steps"] or []
    house.pass_time(hours=7)


def an_unpaid_order(house: House) -> None:
    """Somebody bought and has not paid."""
    house.parcel = house.counter.parcel(house.counter.order(("TEA", 2)))


def asked_for(house: House) -> None:
    """A person asks for what the order costs."""
    try:
        house.page = pages.start_payment(house.parcel.order_id, house.counter.integration, actor="ann")
    except UserError:
        pass


def another_amount(house: House) -> None:
    """An order was asked for, and then became cheaper."""
    agreed(house, come=False)
    line = house.parcel.order.lines.get()
    cancel_units(house.parcel.order_id, {line.pk: 1}, key="one", reason="one is enough", actor="ann")


def agreed(house: House, *, come: bool = True) -> None:
    """The buyer has agreed on the platform's page."""
    an_unpaid_order(house)
    asked_for(house)
    if come:
        house.counter.office.approve(house.page.external_id)


def came_back(house: House) -> None:
    """The buyer comes back."""
    pages.come_back(house.page.token)


def agreed_and_told(house: House) -> None:
    """The buyer has agreed, and the platform's word of it lies in the inbox."""
    agreed(house)
    take_letters_in(house)


def worked(house: House) -> None:
    """A worker works on the inbox, and what it puts off is done."""
    jobs.work_inbox(house.counter.integration.pk)
    desk_jobs.finish_page(house.page.pk)


def gave_up(house: House) -> None:
    """The buyer comes back by the other door."""
    pages.come_back(house.page.token, has_given_up=True)


def not_agreed(house: House) -> None:
    """The buyer has not agreed."""
    agreed(house, come=False)


def they_agree(house: House) -> None:
    """The buyer agrees after all, and comes back."""
    house.counter.office.approve(house.page.external_id)
    house.pass_time(seconds=10)
    came_back(house)


def agreed_long_ago(house: House) -> None:
    """The buyer agreed, and nobody told us."""
    agreed(house)
    house.counter.letters.clear()
    house.pass_time(minutes=3)


WAYS = (
    Way("a label is bought", a_parcel, bought, bought),
    Way("the answer gets lost", both(a_parcel, failing(Fault.ERROR_AFTER)), bought, bought),
    Way("nobody takes the parcel", too_heavy, bought, light_again),
    Way("a worker asks whether it was bought", buying_in_vain(Fault.ERROR_AFTER), looked, bought),
    Way("a worker learns that it was not", buying_in_vain(Fault.RESET_BEFORE), looked, bought),
    Way("a worker asks once more", not_there, looked, bought),
    Way("a worker learns that the platform knows nothing of it", sold_in_words_only, looked, bought),
    Way("a word that brings nothing along", a_word_of_what_moved, heard, heard),
    Way("a label is given back", a_label, given_back, both(given_back, bought)),
    Way("news of giving back gets lost", both(a_label, failing(Fault.ERROR_AFTER)), given_back,
        both(given_back, bought)),
    Way("a worker asks whether it was given back", giving_back_in_vain, looked, bought),
    Way("the carrier keeps it", a_used_label, given_back),
    Way("a word on a parcel is worked on", moved, lambda house: jobs.work_inbox(house.counter.integration.pk)),
    Way("a worker asks where it is", moved_without_a_word, looked),
    Way("a label that nobody needs", called_off, looked),
    Way("a parcel of which nothing sensible is said", an_unreadable_parcel, looked, readable_again),
    Way("a page is opened", an_unpaid_order, asked_for, both(asked_for, they_agree)),
    Way("news of the page gets lost", both(an_unpaid_order, failing(Fault.ERROR_AFTER)), asked_for,
        both(asked_for, they_agree)),
    Way("a page takes the place of another", another_amount, asked_for, both(asked_for, they_agree)),
    Way("the buyer comes back", agreed, came_back),
    Way("the buyer comes back and the platform fails", both(agreed, failing(Fault.ERROR_AFTER)), came_back),
    Way("the buyer has not agreed", not_agreed, came_back, they_agree),
    Way("the buyer gives up", not_agreed, gave_up, they_agree),
    Way("the webhook comes first", agreed_and_told, worked),
    Way("a worker asks about the page", agreed_long_ago, House.rounds),
)  # fmt: skip


@pytest.fixture
def house(committed_database: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """An account, plenty of tea, and a clock that stands still between one step and the next."""
    monkeypatch.setenv(PUBLIC_URL, "https://house.example")
    office = PracticeOffice(World(seed=1))
    with served(office, most_seconds_silent=0.2) as (address,), clock.steered() as time:
        office.world.clock.stand_still(time.now())
        counter = open_counter(office, address, skus=("TEA",))
        ledger.receive(
            [ledger.Receipt(Variant.objects.get(sku="TEA").pk, counter.place.pk, 500)], actor="test"
        )  # fmt: skip
        yield House(counter, time)


@pytest.mark.parametrize("way", ways_of_this_dose(WAYS, "desk"), ids=str)
def test_a_worker_that_is_killed_anywhere_loses_nothing_and_doubles_nothing(house: House, way: Way) -> None:
    way.happen(house)
    with watched() as trail:
        way.act(house)
    assert trail.bare() == []
    come_after(house, way)
    assert faults(house) == []
    passed = [name for name in dict.fromkeys(trail.points()) if name.startswith(MINE)]
    assert passed
    for name in in_this_dose(passed, way):
        way.happen(house)
        assert cut_off(partial(way.act, house), f"{name}@1") == ""
        come_after(house, way)
        assert faults(house) == [], f"killed at {name}"


def test_the_ways_pass_every_failpoint_of_the_desk(house: House) -> None:
    passed: set[str] = set()
    for way in WAYS:
        way.happen(house)
        with watched() as trail:
            way.act(house)
        come_after(house, way)
        passed.update(trail.points())
    assert sorted(one for one in set(named()) - passed if one.startswith(MINE)) == []


def named() -> Iterator[str]:
    """The failpoints of the room; those of captures have their own tests (test_captures_in_parts.py)."""
    for path in sorted(ROOM.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("failpoints.hit", "failpoints.around"):
                name = ast.literal_eval(node.args[0])
                room, _, step = name.partition(".")
                is_around = ast.unparse(node.func).endswith("around")
                yield from (f"{room}.before_{step}", f"{room}.after_{step}") if is_around else (name,)


def come_after(house: House, way: Way) -> None:
    """What comes round by itself, then whoever asked for it comes again."""
    house.others_come_by()
    house.counter.office.faults.stop()
    way.again(house)
    house.others_come_by()


def faults(house: House) -> list[str]:
    """What is lost or doubled, in sentences; none when all is well."""
    found = [f"{letter.stream}: {letter.reason}" for letter in DeadLetter.objects.filter(settled_at=None)]
    return [*found, *_labels(house), *_parcels(house), *_payments(house)]


def _labels(house: House) -> Iterator[str]:
    there = {one["reference"]: one for one in house.counter.office.labels()}
    known = {label.key: label for label in ShippingLabel.objects.select_related("fulfilment")}
    for key, one in there.items():
        label = known.get(key)
        wanted = {"paid": "bought", "given_back": "voided"}[one["state"]]
        if label is None or (label.state, label.label_id) != (wanted, one["id"]):
            yield f"the label {one['id']} is {one['state']} there and {label and label.state} here"
        elif label.state == "bought" and label.fulfilment.tracking_number != one["number"]:
            yield f"the parcel of label {one['id']} does not carry its number"
    for label in known.values():
        if label.state in ("buying", "voiding"):
            yield f"label {label.pk} is {label.state} for good"
    per_parcel = [label.fulfilment_id for label in known.values() if label.state == "bought"]
    if len(per_parcel) != len(set(per_parcel)):
        yield "a parcel has two labels"


def _parcels(house: House) -> Iterator[str]:
    wanted = {"printed": ("pending", "cancelled"), "moving": ("shipped",), "delivered": ("delivered",)}
    for parcel in house.counter.office.state["parcels"].values():
        label = ShippingLabel.objects.filter(tracking_number=parcel["number"]).select_related("fulfilment").get()
        if label.state == "bought" and label.fulfilment.state not in wanted[parcel["state"]]:
            yield f"parcel {parcel['number']} is {parcel['state']} there and {label.fulfilment.state} here"
    for order in Order.objects.all():
        for kind in ("shipped", "delivered", "problem"):
            if order.events.filter(kind=kind).count() > 1:
                yield f"order {order} is {kind} more than once"


def _payments(house: House) -> Iterator[str]:
    states = {"reserved": "authorised", "taken": "captured"}
    there: dict[str, list[Any]] = {}
    for one in house.counter.office.state["payments"].values():
        if one["state"] in states:
            there.setdefault(one["order"], []).append((one["id"], states[one["state"]], Decimal(one["amount"])))
    for order in Order.objects.filter(payment_pages__isnull=False).distinct():
        here = list(order.payments.values_list("external_id", "state", "amount"))
        if here != there.get(order.number, []) or len(here) > 1:
            yield f"order {order} was paid {there.get(order.number)} there and {here} here"
        done = [page.external_id for page in PaymentPage.objects.filter(order=order, state="done")]
        if done != [name for name, _, _ in here]:
            yield f"order {order} has the pages {done} and the payments {here}"


def test_the_faults_are_seen(house: House) -> None:
    a_label(house)
    ShippingLabel.objects.update(state="buying")
    assert any("for good" in sentence for sentence in faults(house))
    ShippingLabel.objects.update(state="bought")
    fulfilment.ship(house.parcel.pk, actor="ann")
    assert any("printed there and shipped here" in sentence for sentence in faults(house))
    agreed(house)
    house.counter.office.state["payments"][house.page.external_id]["state"] = "reserved"
    assert any("was paid" in sentence for sentence in faults(house))
