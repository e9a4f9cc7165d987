"""What moves at places that an account knows is posted there once, and its numbers come out right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from finalmarket.analytics.models import Merchant
from finalmarket.channels.models import SalesChannel
from finalmarket.integrations import dead_letters
from finalmarket.integrations.books import events, finding, movements
from finalmarket.integrations.models import DeadLetter
from finalmarket.kernel import failpoints
from finalmarket.orders.returns import Back, take_return
from finalmarket.sandbox.faults import Fault
from finalmarket.stock import ledger, transfers
from finalmarket.stock.models import StockMovement
from tests.integrations.office import Office, opened_office
from tests.orders.market import at

pytestmark = pytest.mark.committed_database


@pytest.fixture
def books(committed_database: object) -> Iterator[Office]:
    """An account that keeps movements of stock at the warehouse and in the north; the south it does not know."""
    with opened_office() as office:
        office.keep("movements")
        for place in (office.market.warehouse, office.market.north):
            office.map_place(place, f"{place.code}-there")
        office.tell_events()  # what was received when the market opened
        yield office


def shown(books: Office, sku: str = "CUP") -> dict[str, int]:
    """What the office shows of an article, by our places."""
    item = next(one for one in books.office.state["items"].values() if one["sku"] == sku)
    return {name.removesuffix("-there"): level["quantity"] for name, level in item["stock"].items() if name != "main"}


def right(books: Office, sku: str = "CUP") -> dict[str, int]:
    """What it should show."""
    market = books.market
    variant = market.variants[sku]
    found = {place.code: at(variant, place)[0] for place in (market.warehouse, market.north)}
    return {code: units for code, units in found.items() if units or code in shown(books, sku)}


def test_whatever_moves_the_books_show_what_is_there(books: Office) -> None:
    market, cup = books.market, books.market.variants["CUP"]
    order = books.buy("CUP", 3)
    books.ship(order)
    ledger.adjust(cup.pk, market.warehouse.pk, -2, reason="damaged", actor="test")
    ledger.adjust(cup.pk, market.warehouse.pk, 1, reason="found", actor="test")
    market.receive(cup, 5, market.south)
    books.tell_events()
    assert books.moved()[2:] == [
        ("sale", -3, "warehouse-there", ""), ("loss", -2, "warehouse-there", ""),
        ("adjust", 1, "warehouse-there", ""),
    ]  # fmt: skip
    sold = next(one for one in books.office.state["movements"].values() if one["kind"] == "sale")
    assert sold["order"] == order.number
    assert shown(books) == right(books) == {"warehouse": 496}


def test_a_movement_is_of_the_day_of_its_channel_and_else_of_the_merchants(books: Office) -> None:
    SalesChannel.objects.filter(pk=books.market.web.pk).update(time_zone="America/Los_Angeles")
    Merchant.objects.create(currency="EUR", time_zone="Asia/Tokyo")
    order = books.buy("CUP", 3)
    books.ship(order)
    ledger.adjust(books.market.variants["CUP"].pk, books.market.warehouse.pk, 1, reason="found", actor="test")
    rows = (
        StockMovement.objects.filter(kind__in=["fulfil", "sale", "adjust"]).order_by("id").values_list("id", flat=True)
    )
    told = movements.notices_of(books.integration, {number: number for number in rows})
    zones = {notice.kind: notice.time_zone for notice in told.values()}
    assert zones == {"sale": "America/Los_Angeles", "adjust": "Asia/Tokyo"}


def test_a_transfer_is_told_when_it_leaves_and_what_is_lost_when_that_is_known(books: Office) -> None:
    market, cup = books.market, books.market.variants["CUP"]
    sent = transfers.draft(market.warehouse.pk, market.north.pk, [(cup.pk, 10)])
    transfers.ship(sent.pk, actor="test")
    books.tell_events()
    assert shown(books) == {"warehouse": 490, "north": 10}
    transfers.receive(sent.pk, {cup.pk: 7}, actor="test")
    transfers.close(sent.pk, reason="three broke", actor="test")
    books.tell_events(1)
    assert books.moved()[2:] == [
        ("transfer", 10, "warehouse-there", "north-there"), ("loss", -3, "north-there", ""),
    ]  # fmt: skip
    assert shown(books) == right(books) == {"warehouse": 490, "north": 7}


def test_a_transfer_that_is_called_off_comes_back(books: Office) -> None:
    market, cup = books.market, books.market.variants["CUP"]
    sent = transfers.draft(market.warehouse.pk, market.north.pk, [(cup.pk, 10)])
    transfers.ship(sent.pk, actor="test")
    books.tell_events()
    transfers.cancel(sent.pk, actor="test")
    books.tell_events(1)
    assert shown(books) == {"warehouse": 500, "north": 0}


def test_goods_that_go_to_a_place_the_account_does_not_know_are_gone_and_come_back_from_it(books: Office) -> None:
    market, cup = books.market, books.market.variants["CUP"]
    away = transfers.draft(market.warehouse.pk, market.south.pk, [(cup.pk, 10)])
    transfers.ship(away.pk, actor="test")
    transfers.receive(away.pk, {cup.pk: 10}, actor="test")
    back = transfers.draft(market.south.pk, market.north.pk, [(cup.pk, 4)])
    transfers.ship(back.pk, actor="test")
    transfers.receive(back.pk, {cup.pk: 3}, actor="test")
    transfers.close(back.pk, reason="one broke", actor="test")
    books.tell_events()
    assert [kind for kind, *_ in books.moved()[2:]] == ["adjust", "receive"]
    assert shown(books) == right(books) == {"warehouse": 490, "north": 3}


def test_goods_that_leave_with_a_parcel_the_account_hears_of_are_not_posted_a_second_time(books: Office) -> None:
    books.keep("movements", "orders")
    order = books.buy("CUP", 2)
    books.tell()
    books.ship(order)
    books.tell_parcels()
    books.tell_events()
    assert len(books.there(order)["parcels"]) == 1
    assert books.moved()[2:] == []


def test_what_the_account_itself_brought_about_is_not_posted_back(books: Office) -> None:
    market, cup = books.market, books.market.variants["CUP"]
    ledger.adjust(
        cup.pk, market.warehouse.pk, 4, reason="counted there", actor=f"integration:{books.integration.pk}"
    )  # fmt: skip
    books.tell_events()
    assert books.moved()[2:] == []


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.TIME_OUT, Fault.TRUNCATED])
def test_movements_whose_answer_got_lost_are_posted_once(books: Office, fault: Fault) -> None:
    market, cup = books.market, books.market.variants["CUP"]
    for _ in range(25):
        market.receive(cup, 1, market.warehouse)
    books.office.faults.then(fault)
    for minutes in (0, 30):
        books.tell_events(minutes)
    assert shown(books) == {"warehouse": 525}
    assert {state for _, state in books.states()} == {"sent"}


@pytest.mark.parametrize(
    "place", ["after_claim", "before_send", "after_send", "within_settle", "after_settle", "after_drop"]
)
def test_a_worker_that_breaks_off_posts_nothing_twice_and_forgets_nothing(books: Office, place: str) -> None:
    market, cup = books.market, books.market.variants["CUP"]
    for _ in range(25):
        market.receive(cup, 1, market.warehouse)
    with failpoints.armed(f"events.{place}:raise"), pytest.raises(failpoints.FailpointHit):
        books.tell_events()
    books.tell_events(30)
    assert shown(books) == {"warehouse": 525}
    assert {state for _, state in books.states()} == {"sent"}


def test_a_movement_that_is_refused_is_set_aside_and_the_others_stand(books: Office) -> None:
    market = books.market
    jar = market.goods("JAR", warehouse=3)
    market.receive(market.variants["CUP"], 1, market.warehouse)
    books.tell_events()
    letter = DeadLetter.objects.get(stream="event_movement")
    assert "no item" in letter.reason
    assert shown(books) == {"warehouse": 501}
    with books.office.lock:
        books.office.add_listing("JAR", "The JAR", jar.prices.get().amount, 0)
    dead_letters.replay(letter.pk, actor="olga")
    books.tell_events(5)
    assert shown(books, "JAR") == {"warehouse": 3}
    letter.refresh_from_db()
    assert letter.settled_at is not None


def test_movements_at_a_place_that_was_taken_off_the_map_meanwhile_are_withheld(books: Office) -> None:
    market, cup = books.market, books.market.variants["CUP"]
    market.receive(cup, 1, market.warehouse)
    finding.find(timedelta(hours=1))
    books.integration.places.all().delete()
    events.tell(books.integration.pk)
    assert books.states()[-1] == ("movement", "withheld")
    assert shown(books) == {"warehouse": 500}


def test_goods_that_a_customer_brings_back_are_posted(books: Office) -> None:
    order = books.buy("CUP", 2)
    books.ship(order)
    back = [Back(order.lines.get().pk, 1)]
    take_return(order.pk, back, key="r1", reason="too small", actor="ann")
    books.tell_events()
    assert [kind for kind, *_ in books.moved()[2:]] == ["sale", "return"]
    assert shown(books) == right(books)
