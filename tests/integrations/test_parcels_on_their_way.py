"""Where parcels are: what the carrier saw moves our books, once, in whatever order and from whichever account it is
told, and the channel that sold the goods hears of it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from finalmarket.connectors.shipping import TrackingRecord
from finalmarket.integrations import dead_letters, notices
from finalmarket.integrations.accounts import open_connector
from finalmarket.integrations.desk import labels, looking, tracking_in
from finalmarket.integrations.models import DeadLetter, ShippingLabel, WebhookDelivery
from finalmarket.kernel import clock, failpoints
from finalmarket.orders import fulfilment
from finalmarket.orders.aftersales import cancel
from finalmarket.orders.models import Fulfilment, Order, OrderEvent
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.fake import Fake
from finalmarket.sandbox.platforms.practice_office import PracticeOffice
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.integrations import stalls
from tests.integrations.counter import HOME, Counter, history, open_counter, read
from tests.orders.market import together


@pytest.fixture
def label(counter: Counter) -> ShippingLabel:
    """A label of a parcel that waits."""
    return counter.label(counter.parcel())


def seen(label: ShippingLabel) -> tuple[str, str]:
    """Where the carrier says the parcel is, and what our books say."""
    row = ShippingLabel.objects.select_related("fulfilment").get(pk=label.pk)
    return row.tracking_state, row.fulfilment.state


def words(counter: Counter) -> list[TrackingRecord]:
    """What the letters that the platform wrote say of parcels."""
    there = open_connector(counter.integration)
    found = [event.record for letter in counter.letters for event in there.read_webhook(read(letter))]  # type: ignore[attr-defined]
    return [one for one in found if isinstance(one, TrackingRecord)]


def go(counter: Counter, label: ShippingLabel, *states: str) -> None:
    """The parcel goes on, step by step."""
    for state in states:
        counter.office.move_parcel(label.tracking_number, state, place="Hannover")


def test_a_parcel_that_the_carrier_saw_has_left(counter: Counter, label: ShippingLabel) -> None:
    go(counter, label, "moving")
    counter.deliver()
    assert seen(label) == ("under_way", "shipped")
    parcel = label.fulfilment
    parcel.refresh_from_db()
    assert (parcel.carrier, parcel.tracking_number) == ("Green Post", label.tracking_number)
    assert Order.objects.get(pk=parcel.order_id).state == "fulfilled"
    assert [row.outcome for row in WebhookDelivery.objects.all()] == [f"parcel {label.tracking_number}: updated"]


def test_a_parcel_that_arrived_has_arrived_when_the_carrier_says_so(counter: Counter, label: ShippingLabel) -> None:
    go(counter, label, "moving", "in_the_van", "delivered")
    counter.deliver()
    assert seen(label) == ("delivered", "delivered")
    row = ShippingLabel.objects.get(pk=label.pk)
    assert row.next_look_at is None
    assert [step["words"] for step in row.tracking_steps] == ["moving", "in the van", "delivered"]
    parcel = Fulfilment.objects.get(pk=label.fulfilment_id)
    assert parcel.shipped_at is not None
    assert parcel.delivered_at is not None
    assert parcel.shipped_at <= parcel.delivered_at


@pytest.mark.parametrize("seed", range(5))
def test_words_that_come_twice_and_out_of_order_say_the_same_in_the_end(
    counter: Counter, label: ShippingLabel, seed: int
) -> None:
    go(counter, label, "moving", "at_the_shop", "delivered")
    told = words(counter) * 2
    random.Random(seed).shuffle(told)
    for one in told:
        tracking_in.take_alone(counter.integration, one)
    assert seen(label) == ("delivered", "delivered")
    order = label.fulfilment.order
    assert len(history(order, "shipped")) == len(history(order, "delivered")) == 1


def test_an_older_word_changes_nothing(counter: Counter, label: ShippingLabel) -> None:
    go(counter, label, "moving", "in_the_van")
    first, second = words(counter)
    tracking_in.take_alone(counter.integration, second)
    before = ShippingLabel.objects.values().get(pk=label.pk)
    assert tracking_in.take_alone(counter.integration, first) == "unchanged"
    assert ShippingLabel.objects.values().get(pk=label.pk) == before


def test_a_label_that_lies_there_has_not_left(counter: Counter, label: ShippingLabel) -> None:
    counter.look(hours=2)
    assert seen(label) == ("label_made", "pending")


@pytest.mark.parametrize(("there", "here"), [("sent_back", "comes back"), ("lost", "is lost or cannot be delivered")])
def test_a_parcel_that_comes_back_or_is_lost_is_put_before_a_person_once(
    counter: Counter, label: ShippingLabel, there: str, here: str
) -> None:
    go(counter, label, "moving", there)
    counter.deliver()
    counter.look(days=3)
    order = Order.objects.get(pk=label.fulfilment.order_id)
    assert here in order.problem
    assert len(history(order, "problem")) == 1
    assert seen(label)[1] == "shipped"


def test_a_parcel_whose_letters_got_lost_is_asked_after(counter: Counter, label: ShippingLabel) -> None:
    go(counter, label, "moving", "delivered")
    counter.look(minutes=30)
    assert seen(label) == ("", "pending")
    counter.look(minutes=61)
    assert seen(label) == ("delivered", "delivered")
    asked = len(counter.office.world.journal.entries(what="request"))
    counter.look(days=30)
    assert len(counter.office.world.journal.entries(what="request")) == asked


def test_a_parcel_is_not_asked_after_for_ever(counter: Counter, label: ShippingLabel) -> None:
    counter.look(days=61)
    assert ShippingLabel.objects.get(pk=label.pk).next_look_at is None


def test_what_was_called_off_here_and_left_all_the_same_is_put_before_a_person(
    counter: Counter, label: ShippingLabel
) -> None:
    cancel(label.fulfilment.order_id, reason="changed their mind", actor="ann")
    go(counter, label, "moving", "in_the_van")
    counter.deliver()
    order = Order.objects.get(pk=label.fulfilment.order_id)
    assert f"the carrier has parcel {label.fulfilment_id}, which is cancelled here" in order.problem
    assert len(history(order, "problem")) == 1
    assert DeadLetter.objects.count() == 0


def test_a_label_that_was_given_back_and_travels_is_put_before_a_person(counter: Counter, label: ShippingLabel) -> None:
    labels.void_label(label.pk, actor="ann")
    go(counter, label, "moving")
    counter.deliver()
    assert "which was given back" in Order.objects.get(pk=label.fulfilment.order_id).problem
    assert seen(label) == ("under_way", "pending")


def test_a_parcel_of_nobodys_changes_nothing(counter: Counter) -> None:
    counter.office.add_parcel("XX1")
    counter.office.move_parcel("XX1")
    counter.deliver()
    assert OrderEvent.objects.count() == 0
    assert DeadLetter.objects.count() == 0


def test_a_number_that_a_person_typed_is_followed_too(counter: Counter) -> None:
    parcel = counter.parcel()
    counter.office.add_parcel("XX1")
    fulfilment.ship(parcel.pk, actor="ann", carrier="Green Post", tracking_number="XX1")
    counter.office.move_parcel("XX1", "delivered")
    counter.deliver()
    parcel.refresh_from_db()
    assert parcel.state == "delivered"


def test_a_word_that_brings_nothing_along_has_the_parcel_asked_after(counter: Counter, label: ShippingLabel) -> None:
    go(counter, label, "moving")
    assert tracking_in.take_hint(counter.integration, None, label.tracking_number).endswith("is asked after")
    counter.look(seconds=1)
    assert seen(label) == ("under_way", "shipped")
    assert tracking_in.take_hint(counter.integration, None, "XX9").endswith("none of ours")


def test_a_carrier_account_that_did_not_sell_the_label_may_tell_of_it(
    counter: Counter, label: ShippingLabel, world: World
) -> None:
    other = PracticeOffice(world, account="second")
    with served(other, most_seconds_silent=0.2) as (address,):
        second = open_counter(other, address)
        other.add_parcel(label.tracking_number)
        for state in ("moving", "delivered", "moving"):
            other.move_parcel(label.tracking_number, state)
        assert [tracking_in.take_alone(second.integration, one) for one in words(second)] == [
            "updated", "updated", "unchanged",
        ]  # fmt: skip
    assert seen(label) == ("delivered", "delivered")
    go(counter, label, "moving")
    counter.deliver()
    assert len(history(label.fulfilment.order, "delivered")) == 1


def test_words_from_two_accounts_at_once_let_a_parcel_leave_once(
    counter: Counter, label: ShippingLabel, world: World
) -> None:
    other = PracticeOffice(world, account="second")
    with served(other, most_seconds_silent=0.2) as (address,):
        second = open_counter(other, address)
        go(counter, label, "moving", "delivered")
        other.add_parcel(label.tracking_number)
        other.move_parcel(label.tracking_number, "delivered")
        mine, theirs = words(counter), words(second)
        told = [(counter.integration, mine[0]), (second.integration, theirs[0]), (counter.integration, mine[1])] * 2
        ended = together(lambda number: tracking_in.take_alone(*told[number]), len(told))
    assert {type(one) for one in ended} == {str}
    assert seen(label)[1] == "delivered"
    order = label.fulfilment.order
    assert len(history(order, "shipped")) == len(history(order, "delivered")) == 1


@pytest.mark.parametrize(
    "place", ["tracking.before_take", "tracking.after_take", "inbox.before_note", "inbox.after_note"]
)
def test_a_worker_that_breaks_off_takes_a_word_once(counter: Counter, label: ShippingLabel, place: str) -> None:
    go(counter, label, "moving")
    with failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
        counter.deliver()
    with clock.steered(clock.now() + timedelta(minutes=5)):
        counter.deliver()
    assert seen(label) == ("under_way", "shipped")
    assert len(history(label.fulfilment.order, "shipped")) == 1


def test_one_word_that_cannot_be_taken_does_not_keep_the_next_from_it(
    counter: Counter, label: ShippingLabel, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = counter.label(counter.parcel())
    follow = tracking_in._follow

    def stumble(parcel: Fulfilment, *rest: object) -> None:
        if parcel.pk == label.fulfilment_id:
            raise ValueError("not this one")
        follow(parcel, *rest)  # type: ignore[arg-type]

    go(counter, label, "moving")
    go(counter, other, "moving")
    with monkeypatch.context() as patch:
        patch.setattr(tracking_in, "_follow", stumble)
        counter.deliver()
    assert (seen(label)[1], seen(other)[1]) == ("pending", "shipped")
    letter = DeadLetter.objects.get()
    assert (letter.stream, letter.external_id) == ("tracking", label.label_id)
    dead_letters.replay(letter.pk, actor="ann")
    counter.look(seconds=1)
    assert seen(label) == ("under_way", "shipped")


def test_a_parcel_that_cannot_be_asked_after_does_not_keep_the_next_from_it(
    counter: Counter, label: ShippingLabel
) -> None:
    other = counter.label(counter.parcel())
    del counter.office.state["parcels"][label.tracking_number]["state"]
    go(counter, other, "moving")
    counter.look(hours=2)
    assert seen(other)[1] == "shipped"
    assert "cannot be read" in ShippingLabel.objects.get(pk=label.pk).last_error


def test_a_platform_that_is_down_is_left_alone_and_asked_later(counter: Counter, label: ShippingLabel) -> None:
    go(counter, label, "moving")
    counter.office.faults.then(*[Fault.ERROR_BEFORE] * 3)
    counter.look(hours=2)
    assert seen(label)[1] == "pending"
    counter.office.faults.stop()
    counter.look(hours=3)
    assert seen(label)[1] == "shipped"


def test_two_workers_who_look_ask_after_each_parcel_once(counter: Counter, label: ShippingLabel) -> None:
    for _ in range(3):
        counter.label(counter.parcel())
    with clock.steered(clock.now() + timedelta(hours=2)):
        before = len(counter.office.world.journal.entries(what="request"))
        together(lambda _: looking.look(counter.integration.pk), 3)
        assert len(counter.office.world.journal.entries(what="request")) - before == 4


def test_what_the_carrier_saw_reaches_the_channel_that_sold_the_goods(counter: Counter, world: World) -> None:
    shop = Fake(world)
    with served(shop, most_seconds_silent=0.2) as (address,):
        stall = stalls.connect(shop, address, skus=())
        order = counter.order()
        Order.objects.filter(pk=order.pk).update(source=f"integration:{stall.integration.pk}")
        with shop.lock:
            there = shop.order()
        Order.objects.filter(pk=order.pk).update(external_id=there)
        line = order.lines.get(kind="goods")
        with shop.lock:
            shop.state["orders"][there]["lines"] = [
                {"id": "l1", "sku": "TEA", "title": "", "quantity": 1, "price": "10.00", "cancelled": 0}
            ]
        order.lines.filter(pk=line.pk).update(external_id="l1")
        label = counter.label(counter.parcel(order))
        go(counter, label, "moving", "delivered")
        counter.deliver()
        for _ in range(2):
            notices.find(timedelta(hours=1))
            notices.tell(stall.integration.pk)
        (told,) = shop.state["orders"][there]["fulfilments"]
    assert (told["carrier"], told["tracking_number"]) == ("Green Post", label.tracking_number)
    assert HOME.name not in str(told)


def test_a_word_from_the_future_does_not_date_a_parcel_ahead(counter: Counter, label: ShippingLabel) -> None:
    go(counter, label, "moving")
    (told,) = words(counter)
    tracking_in.take_alone(counter.integration, replace(told, shipped_at=clock.now() + timedelta(days=400)))
    shipped_at = Fulfilment.objects.get(pk=label.fulfilment_id).shipped_at
    assert shipped_at is not None
    assert shipped_at <= clock.now()
