"""A platform says yes and does nothing: what it should have is looked for, or told once more, and stands there once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from finalmarket.integrations import notices
from finalmarket.integrations.books import events, records
from finalmarket.integrations.desk import labels
from finalmarket.integrations.models import DeadLetter, DueEvent, DueNotice, ShippingLabel
from finalmarket.integrations.talk.tickets import open_ticket
from finalmarket.kernel import clock
from finalmarket.orders.models import Fulfilment
from finalmarket.sandbox.faults import Fault
from finalmarket.stock import ledger
from tests.integrations.bureau import Bureau, opened_bureau
from tests.integrations.counter import Counter
from tests.integrations.office import Office, opened_office

pytestmark = pytest.mark.committed_database
HOUR = timedelta(hours=1)


@pytest.fixture
def books(committed_database: object) -> Iterator[Office]:
    """An account that keeps our orders and what moves in the warehouse."""
    with opened_office() as office:
        office.keep("orders", "movements")
        office.map_place(office.market.warehouse, "house")
        office.tell_events()
        yield office


@pytest.fixture
def bureau(committed_database: object) -> Iterator[Bureau]:
    with opened_bureau() as found:
        found.give("tickets")
        yield found


def test_a_change_of_an_order_that_was_only_said_to_be_taken_is_told_once_more(books: Office) -> None:
    order = books.buy()
    books.tell()
    books.ship(order)
    books.office.faults.then(Fault.NOT_APPLIED)
    books.tell(1)
    assert books.there(order)["state"] == "open"
    with clock.steered(clock.now() + HOUR):
        assert records.verify(books.integration.pk) == 0
    books.tell(61)
    assert books.there(order)["state"] == "fulfilled"


def test_somebody_who_was_only_said_to_be_made_is_made_when_they_change(books: Office) -> None:
    books.keep("customers")
    ann = books.person()
    books.office.faults.then(Fault.NOT_APPLIED)
    books.tell()
    assert books.customers() == []
    ann.name = "Ann Other"
    ann.save()
    books.tell(5)
    assert books.customers() == []
    books.tell(11)
    assert [one["name"] for one in books.customers()] == ["Ann Other"]
    assert not DeadLetter.objects.exists()


def test_what_stands_as_it_was_told_is_told_once_more_and_then_left_alone(books: Office) -> None:
    order = books.buy()
    books.tell()
    for hours in (1, 2, 3):
        with clock.steered(clock.now() + hours * HOUR):
            records.verify(books.integration.pk)
        books.tell(60 * hours + 1)
    assert books.requests("POST /v1/orders") == 2
    assert len(books.effects("order")) == 1
    assert not books.effects("order_changed")
    assert books.there(order)["state"] == "open"


@pytest.mark.parametrize("lies", [1, 2])
def test_a_movement_that_was_only_said_to_be_posted_is_posted_once(books: Office, lies: int) -> None:
    cup = books.market.variants["CUP"]
    ledger.adjust(cup.pk, books.market.warehouse.pk, -2, reason="damaged", actor="test")
    books.office.faults.then(*[Fault.NOT_APPLIED] * lies)
    books.tell_events(1)
    assert [kind for kind, *_ in books.moved()].count("loss") == 0
    for hours in (1, 2, 3):
        with clock.steered(clock.now() + hours * HOUR):
            events.verify(books.integration.pk)
    assert [kind for kind, *_ in books.moved()].count("loss") == 1
    assert not DueEvent.objects.filter(state="sent", verified_at=None).exists()


def test_movements_are_told_once_more_while_they_are_young_and_then_left_alone(books: Office) -> None:
    for hours in (1, 3):
        with clock.steered(clock.now() + hours * HOUR):
            assert events.verify(books.integration.pk) > 0
            assert events.verify(books.integration.pk) == 0
    with clock.steered(clock.now() + 5 * HOUR):
        assert events.verify(books.integration.pk) == 0


@pytest.mark.parametrize("lies", [1, 2])
def test_a_parcel_that_books_only_said_to_have_noted_is_noted_once(books: Office, lies: int) -> None:
    order = books.buy()
    books.tell()
    books.ship(order)
    books.office.faults.then(*[Fault.NOT_APPLIED] * lies)
    books.tell_parcels(1)
    assert books.there(order)["parcels"] == []
    for hours in (1, 2, 3):
        with clock.steered(clock.now() + hours * HOUR):
            notices.verify(books.integration.pk)
    assert len(books.there(order)["parcels"]) == 1
    assert not DueNotice.objects.filter(state="sent", verified_at=None).exists()


@pytest.mark.parametrize("lies", [1, 2])
def test_a_ticket_that_is_not_there_is_opened_anew(bureau: Bureau, lies: int) -> None:
    open_ticket(bureau.buy().pk, subject="Broken", text="In two parts", key="k", actor="sue")
    bureau.office.faults.then(*[Fault.NOT_APPLIED] * lies)
    bureau.tell()
    assert not bureau.office.state["conversations"]
    for lie in range(1, lies + 1):
        with clock.steered(clock.now() + lie * HOUR):
            assert notices.verify(bureau.integration.pk) == 1
        bureau.tell(70 * lie)
    assert [one["subject"] for one in bureau.office.state["conversations"].values()] == ["Broken"]


def test_a_note_that_is_not_there_is_left_once(bureau: Bureau) -> None:
    order = bureau.buy()
    open_ticket(order.pk, subject="Broken", text="In two parts", key="k", actor="sue")
    bureau.tell()
    bureau.ship(order)
    bureau.office.faults.then(Fault.NOT_APPLIED)
    bureau.tell(1)
    for hours in (1, 2):
        with clock.steered(clock.now() + hours * HOUR):
            notices.verify(bureau.integration.pk)
    (ticket,) = bureau.office.state["conversations"].values()
    assert [said["from"] for said in ticket["messages"]].count("internal") == 2


def test_a_label_that_the_platform_does_not_know_is_off_its_parcel_and_can_be_bought(counter: Counter) -> None:
    parcel = counter.parcel()
    rate = counter.cheapest(parcel)
    counter.office.faults.then(Fault.NOT_APPLIED)
    labels.buy_label(parcel.pk, counter.integration, rate, actor="ann")
    assert counter.office.labels() == []
    counter.look(minutes=90)
    assert [one.state for one in ShippingLabel.objects.all()] == ["failed"]
    parcel = Fulfilment.objects.select_related("order").get(pk=parcel.pk)
    assert parcel.tracking_number == ""
    assert "buy another" in parcel.order.problem
    labels.buy_label(parcel.pk, counter.integration, counter.cheapest(parcel), actor="ann")
    assert len(counter.effects("label")) == 1


def test_a_label_that_was_only_said_to_be_taken_back_is_given_back_once_more(counter: Counter) -> None:
    label = counter.label(counter.parcel())
    counter.office.faults.then(Fault.NOT_APPLIED)
    labels.void_label(label.pk, actor="ann")
    assert counter.effects("label_voided") == []
    counter.look(minutes=40)
    counter.look(minutes=80)
    assert len(counter.effects("label_voided")) == 1
    assert ShippingLabel.objects.get().next_look_at is None


def test_a_parcel_of_an_order_that_does_not_show_there_yet_is_told_a_little_later(books: Office) -> None:
    order = books.buy()
    books.tell()
    books.ship(order)
    hidden = books.office.state["orders"].pop(books.there(order)["id"])
    books.tell_parcels(1)
    books.office.state["orders"][hidden["id"]] = hidden
    books.tell_parcels(4)
    assert len(books.there(order)["parcels"]) == 1
    assert not DeadLetter.objects.exists()


def test_a_parcel_that_was_refused_is_told_to_the_order_that_is_made_anew(books: Office) -> None:
    order = books.buy()
    books.office.faults.then(Fault.NOT_APPLIED)
    books.tell()
    books.ship(order)
    books.tell_parcels(30)
    assert DeadLetter.objects.filter(settled_at=None).count() == 1
    with clock.steered(clock.now() + HOUR):
        assert records.verify(books.integration.pk) == 1
    books.tell(70)
    books.tell_parcels(75)
    assert len(books.there(order)["parcels"]) == 1
    assert not DeadLetter.objects.filter(settled_at=None).exists()


def test_a_parcel_that_was_refused_is_told_to_the_order_whose_change_made_it_anew(books: Office) -> None:
    order = books.buy()
    books.office.faults.then(Fault.NOT_APPLIED)
    books.tell()
    books.ship(order)
    books.tell_parcels(30)
    books.tell(31)  # the order has changed, and is told under the name that nothing bears
    books.tell_parcels(40)
    assert len(books.there(order)["parcels"]) == 1
    assert not DeadLetter.objects.filter(settled_at=None).exists()
