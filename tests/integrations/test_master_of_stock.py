"""An ERP is the master of a warehouse: what it counts is taken over, and what it cannot know of is not undone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest

from finalmarket.integrations import adopt, duties
from finalmarket.integrations.accounts import keep_secrets
from finalmarket.integrations.books import events, finding
from finalmarket.integrations.master import counting
from finalmarket.integrations.models import ChannelIntegration, DueEvent, ItemLink, PlaceMapping, UnlinkedListing
from finalmarket.kernel import clock
from finalmarket.orders.intake import take
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.practice_office import TOKEN, PracticeOffice
from finalmarket.sandbox.platforms.practice_office.desk import MAIN
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from finalmarket.stock import ledger, transfers
from finalmarket.stock.models import StockItem, StockLocation
from tests.orders.market import Market, draft, line, open_market

HOUR = timedelta(hours=1)


@dataclass
class Books:
    """Our market with 10 cups, and an office that is master of the warehouse and knows its items."""

    market: Market
    office: PracticeOffice
    integration: ChannelIntegration

    def count(self) -> None:
        """A worker takes over what the office counts."""
        run = counting.count(self.integration.pk)
        assert run is not None
        assert run.outcome == "done", run.error

    def hear(self, *, minutes: int = 0) -> None:
        """A worker tells the office what moved here."""
        with clock.steered(clock.now() + timedelta(minutes=minutes)):
            finding.find(HOUR)
            events.tell(self.integration.pk)

    def count_later(self) -> None:
        """A worker does so in an hour."""
        with clock.steered(clock.now() + HOUR):
            self.count()

    def on_hand(self, sku: str = "CUP", place: StockLocation | None = None) -> int:
        """What lies in the warehouse, or at another place, by our books."""
        found = StockItem.objects.filter(variant__sku=sku, location=place or self.market.warehouse)
        return sum(found.values_list("on_hand", flat=True))

    def lies(self) -> tuple[int, int]:
        """The cups in the warehouse and in the north."""
        return self.on_hand(), self.on_hand(place=self.market.north)

    def know_the_north(self) -> None:
        """The office is master of the north, too, and counted two cups there."""
        self.office.add_location("north")
        PlaceMapping.objects.create(
            integration=self.integration, place="north", stock_location=self.market.north, is_master=True
        )
        self.office.count("CUP", 2, location="north")
        self.count()
        assert self.lies() == (10, 2)

    def send(self, units: int) -> int:
        """So many cups leave the warehouse for the north; returns the transfer."""
        cup, market = self.market.variants["CUP"], self.market
        sent = transfers.draft(market.warehouse.pk, market.north.pk, [(cup.pk, units)])
        return transfers.ship(sent.pk, actor="ann").pk

    def arrive(self, transfer: int, units: int) -> None:
        """So many cups of it arrive."""
        transfers.receive(transfer, {self.market.variants["CUP"].pk: units}, actor="ann")

    def sell(self, units: int) -> None:
        """So many cups are sold and leave the warehouse at once."""
        cup = self.market.variants["CUP"]
        ledger.adjust(cup.pk, self.market.warehouse.pk, -units, reason="sold at the door", actor="ann")


@pytest.fixture
def books(committed_database: object) -> Iterator[Books]:
    """Ten cups here and in the office's books, as of an hour ago."""
    world = World(seed=1)
    office = PracticeOffice(world)
    with served(office, most_seconds_silent=0.2) as (address,):
        market = open_market()
        market.goods("CUP", warehouse=10)
        integration = ChannelIntegration.objects.create(
            platform_name=office.slug, integration_type="erp", account_label="Office", status="active",
            base_url=address, connected_at=clock.now(), push_from=clock.now(), duties={"movements": True},
        )  # fmt: skip
        keep_secrets(integration, {"token": TOKEN})
        PlaceMapping.objects.create(
            integration=integration, place=MAIN, stock_location=market.warehouse, is_master=True
        )
        office.add_listing("CUP", "Cup, white", Decimal("5.00"), 10)
        adopt.look_through(integration)
        yield Books(market, office, integration)


def test_what_the_master_counts_is_what_lies_there(books: Books) -> None:
    books.office.count("CUP", 17)
    books.count()
    assert books.on_hand() == 17
    books.count()
    assert books.on_hand() == 17


def test_a_sale_that_the_master_has_not_heard_of_is_not_undone(books: Books) -> None:
    books.count()
    books.sell(3)
    books.count()
    assert books.on_hand() == 7


def test_a_sale_that_it_was_told_of_counts_once(books: Books) -> None:
    books.sell(3)
    books.hear()
    assert books.office.shown_stock()["CUP"] == 7
    with clock.steered(clock.now() + HOUR):
        books.count()
    assert books.on_hand() == 7


def test_a_count_from_before_a_sale_never_overwrites_it(books: Books) -> None:
    books.sell(4)
    books.office.count("CUP", 12, at=clock.now() - HOUR)
    books.count()
    assert books.on_hand() == 8


def test_a_number_older_than_one_that_was_taken_changes_nothing(books: Books) -> None:
    books.office.count("CUP", 20, at=clock.now() + timedelta(seconds=1))
    books.count()
    books.office.count("CUP", 5, at=clock.now() - HOUR)
    books.count()
    assert books.on_hand() == 20


def test_what_the_master_counted_is_not_told_to_it_again(books: Books) -> None:
    books.office.count("CUP", 17)
    books.count()
    books.hear()
    assert not DueEvent.objects.filter(integration=books.integration).exists()


def test_a_movement_on_its_way_leaves_the_item_for_the_next_look(books: Books) -> None:
    books.sell(3)
    books.office.faults.then(Fault.RESET_AFTER)
    books.hear()
    assert DueEvent.objects.get(integration=books.integration).sent_at is None
    assert books.office.shown_stock()["CUP"] == 7  # it arrived, and we do not know
    books.count()
    assert books.on_hand() == 7
    books.hear(minutes=10)
    with clock.steered(clock.now() + HOUR):
        books.count()
    assert (books.on_hand(), books.office.shown_stock()["CUP"]) == (7, 7)


def test_a_count_below_what_is_promised_makes_the_promise_short_and_is_taken(books: Books) -> None:
    take(draft(books.market.web, "w-1", line("CUP", 8)), actor="test")
    books.office.count("CUP", 5)
    books.count()
    assert books.on_hand() == 5
    promised = StockItem.objects.get(variant__sku="CUP", location=books.market.warehouse)
    assert promised.reserved + promised.allocated == 5


def test_items_are_linked_by_sku_and_the_others_are_listed(books: Books) -> None:
    books.office.add_listing("SPOON", "Spoon", Decimal("2.00"), 4)
    found = adopt.look_through(books.integration)
    assert (found.seen, found.by_sku, found.unknown) == (2, 0, 1)
    assert ItemLink.objects.get().variant == books.market.variants["CUP"]
    (waiting,) = UnlinkedListing.objects.filter(state="open")
    adopt.create_product_from(waiting.pk, actor="olga")
    books.count()
    assert books.on_hand("SPOON") == 4


def test_an_item_that_is_ignored_stays_so_though_a_variant_of_its_name_is_made(books: Books) -> None:
    books.office.add_listing("SPOON", "Spoon", Decimal("2.00"), 4)
    adopt.look_through(books.integration)
    adopt.ignore(UnlinkedListing.objects.get(state="open").pk)
    books.market.goods("SPOON")
    adopt.look_through(books.integration)
    assert not ItemLink.objects.filter(variant__sku="SPOON").exists()
    assert UnlinkedListing.objects.get(external_sku="SPOON").state == "ignored"


def test_a_bundle_among_the_items_of_the_master_stops_no_count(books: Books) -> None:
    books.market.bundle("SET", CUP=2)
    books.office.add_listing("SET", "Two cups", Decimal("9.00"), 5)
    adopt.look_through(books.integration)
    assert ItemLink.objects.filter(variant__sku="SET").exists()  # orders of it are told by that name
    books.office.count("CUP", 17)
    books.office.count("SET", 8)
    books.count()
    assert (books.on_hand(), books.on_hand("SET")) == (17, 0)


def test_a_number_that_cannot_be_taken_is_said_and_the_others_stand(books: Books) -> None:
    books.market.goods("POT", warehouse=4)
    books.office.add_listing("POT", "Pot", Decimal("25.00"), 4)
    adopt.look_through(books.integration)
    books.office.count("POT", 5_000_000_000)
    books.office.count("CUP", 17)
    run = counting.count(books.integration.pk)
    assert run is not None
    assert (run.outcome, run.failed_count, run.changed_count) == ("partly", 1, 1)
    assert run.error.startswith("5000000000 units cannot lie at a place")
    assert (books.on_hand(), books.on_hand("POT")) == (17, 4)


def test_a_place_that_it_is_no_master_of_is_left_alone(books: Books) -> None:
    PlaceMapping.objects.update(is_master=False)
    books.office.count("CUP", 99)
    assert counting.count(books.integration.pk) is None
    assert books.on_hand() == 10


def test_an_account_without_the_duty_of_movements_is_believed_up_to_its_moment(books: Books) -> None:
    duties.switch(books.integration, [], actor="olga")
    books.office.count("CUP", 9, at=clock.now() - HOUR)
    books.sell(2)
    books.count()
    assert books.on_hand() == 7


def test_a_transfer_that_the_master_was_told_of_when_it_left_is_there_when_it_arrives(books: Books) -> None:
    books.know_the_north()
    sent = books.send(5)
    books.hear()
    books.count_later()
    assert books.lies() == (5, 2)  # the office has all five in the north already
    books.arrive(sent, 3)
    books.count_later()
    assert books.lies() == (5, 5)
    transfers.close(sent, reason="two broke", actor="ann")
    books.count_later()
    assert books.lies() == (5, 5)  # it was not told of the loss yet
    books.hear()
    books.count_later()
    assert books.lies() == (5, 5)
    assert books.office.shown_stock()["CUP"] == 10


def test_a_transfer_that_the_master_has_not_heard_of_counts_by_what_arrived(books: Books) -> None:
    books.know_the_north()
    books.arrive(books.send(5), 3)
    books.count_later()
    assert books.lies() == (5, 5)


def test_a_transfer_that_is_called_off_was_never_there(books: Books) -> None:
    books.know_the_north()
    sent = books.send(5)
    books.hear()
    transfers.cancel(sent, actor="ann")
    books.count_later()
    assert books.lies() == (10, 2)
    books.hear()
    books.count_later()
    assert books.lies() == (10, 2)


def test_goods_from_a_place_that_the_master_does_not_know_count_when_they_arrive(books: Books) -> None:
    market, cup = books.market, books.market.variants["CUP"]
    market.receive(cup, 6, market.south)
    sent = transfers.draft(market.south.pk, market.warehouse.pk, [(cup.pk, 6)])
    transfers.ship(sent.pk, actor="ann")
    books.hear()
    books.count_later()
    assert books.on_hand() == 10
    books.arrive(sent.pk, 6)
    books.count_later()
    assert books.on_hand() == 16
    books.hear()
    books.count_later()
    assert books.on_hand() == 16


def test_what_moved_before_the_duty_was_switched_on_is_believed_by_its_moment(books: Books) -> None:
    duties.switch(books.integration, [], actor="olga")
    books.sell(4)
    books.office.count("CUP", 6)
    books.count()
    assert books.on_hand() == 6
    duties.switch(books.integration, ["movements"], actor="olga")
    books.hear()
    books.count_later()
    assert books.on_hand() == 6
    books.sell(1)
    books.count_later()
    assert books.on_hand() == 5  # of that it has yet to hear
