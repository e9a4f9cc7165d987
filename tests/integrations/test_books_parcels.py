"""What left for an order of ours reaches the accounts that keep it, in their names, once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from finalmarket.integrations import dead_letters
from finalmarket.integrations.models import DeadLetter, DueNotice, DueRecord, PlaceMapping
from finalmarket.kernel import failpoints
from finalmarket.orders import fulfilment
from finalmarket.sandbox.faults import Fault
from tests.integrations.office import Office, opened_office

pytestmark = pytest.mark.committed_database


@pytest.fixture
def books(committed_database: object) -> Iterator[Office]:
    """An account that keeps our orders."""
    with opened_office() as office:
        office.keep("orders")
        yield office


def test_a_parcel_is_told_in_the_names_that_the_account_gave_the_order(books: Office) -> None:
    PlaceMapping.objects.create(integration=books.integration, place="main", stock_location=books.market.warehouse)
    order = books.buy("CUP", 3)
    books.tell()
    (parcel,) = order.fulfilments.filter(state="pending")
    fulfilment.ship(
        parcel.pk, actor="ann", carrier="DHL", tracking_number="JJD0001", quantities={parcel.lines.get().pk: 2}
    )
    books.ship(order, "JJD0002")
    for minutes in (0, 30):
        books.tell_parcels(minutes)
    there = books.there(order)
    (line,) = there["lines"]
    assert [(one["number"], one["location"], one["lines"]) for one in there["parcels"]] == [
        ("JJD0001", "main", [{"id": line["id"], "quantity": 2}]),
        ("JJD0002", "main", [{"id": line["id"], "quantity": 1}]),
    ]


def test_a_parcel_that_left_before_the_account_knew_the_order_is_told_when_it_does(books: Office) -> None:
    order = books.buy()
    books.ship(order)
    books.tell_parcels()
    assert DueNotice.objects.count() == 0
    books.tell()
    books.tell_parcels(1)
    assert [one["number"] for one in books.there(order)["parcels"]] == ["JJD0001"]


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.TIME_OUT])
def test_a_parcel_whose_answer_got_lost_is_told_once(books: Office, fault: Fault) -> None:
    order = books.buy()
    books.tell()
    books.ship(order)
    books.office.faults.then(fault)
    books.tell_parcels()
    books.tell_parcels(30)
    assert len(books.there(order)["parcels"]) == 1


def test_a_worker_that_breaks_off_after_an_order_got_its_name_forgets_no_parcel(books: Office) -> None:
    order = books.buy()
    books.ship(order)
    with failpoints.armed("records.within_settle:raise"), pytest.raises(failpoints.FailpointHit):
        books.tell()
    books.tell(10)
    books.tell_parcels(11)
    assert len(books.effects("fulfilment")) == 1


def test_a_line_for_which_the_account_gave_no_name_is_set_aside_with_its_parcel(books: Office) -> None:
    order = books.buy()
    books.tell()
    DueRecord.objects.update(line_ids={})
    books.ship(order)
    books.tell_parcels()
    letter = DeadLetter.objects.get(stream="notice_fulfilment")
    assert "what it calls a line" in letter.reason
    books.tell(5)  # the order changed when it was shipped: told again, the account names its lines again
    dead_letters.replay(letter.pk, actor="olga")
    books.tell_parcels(10)
    assert len(books.there(order)["parcels"]) == 1
