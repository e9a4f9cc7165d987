"""What already happened is never refused: sales without stock, counts below what is promised."""

import pytest

from finalmarket.kernel.errors import UserError
from finalmarket.stock import ledger
from finalmarket.stock.models import ChannelInventory, Reservation, StockMovement
from finalmarket.stock.policies import set_policy, set_safety
from finalmarket.stock.reserve import Mode
from tests.stock.shelves import (
    OVER,
    ask,
    assert_books_agree,
    hold,
    lines_of,
    new_channel,
    new_place,
    new_variant,
    open_alert,
    pool,
    promise,
    put,
    sell,
    shelf,
)

pytestmark = pytest.mark.django_db


def short_of(reservation_id: int) -> int:
    return sum(line.short for line in lines_of(reservation_id))


def test_a_sale_that_happened_without_stock_is_booked_short_and_raises_an_alert() -> None:
    good, till, place = new_variant(), new_channel(), new_place()
    put(good, place, 2)
    sale = sell(till, good, 5)
    assert (short_of(sale), pool(good).allocated) == (3, 2)
    alert = open_alert(good)
    assert alert is not None
    assert (alert.level, alert.quantity, alert.sales_channel_id) == ("short", 3, till.pk)
    sell(till, good, 1)
    alert = open_alert(good)
    assert alert is not None
    assert alert.quantity == 4, "one open alert for a variant and a channel"
    assert_books_agree()


def test_a_sale_that_happened_takes_safety_stock_and_cuts_the_fences_of_others_the_last_channel_first() -> None:
    good, till, first, last, place = new_variant(), new_channel(), new_channel(), new_channel(), new_place()
    put(good, place, 10)
    set_policy(good.pk, first.pk, fence_quantity=4)
    set_policy(good.pk, last.pk, fence_quantity=3)
    set_safety(good.pk, place.pk, 1)
    sale = sell(till, good, 5)
    assert short_of(sale) == 0
    left = {row.sales_channel_id: row.fence_left for row in ChannelInventory.objects.filter(variant=good)}
    assert left == {till.pk: 0, first.pk: 4, last.pk: 1}
    assert StockMovement.objects.get(variant=good, kind="fence", fence_delta=-2).reason.startswith("cut by a sale")
    assert_books_agree()


def test_a_sale_on_a_paused_channel_is_booked_all_the_same() -> None:
    good, till = new_variant(), new_channel(is_paused=True)
    put(good, new_place(), 2)
    assert ask(till, (good, 1)).outcome == "refused"
    assert ask(till, (good, 1), mode=Mode.SALE).outcome == "granted"


def test_goods_that_arrive_meet_what_was_sold_short_and_it_can_be_shipped() -> None:
    good, till, place = new_variant(), new_channel(), new_place()
    sale = sell(till, good, 3)
    put(good, place, 2)
    assert (short_of(sale), pool(good).allocated) == (1, 2)
    shipped = ledger.close("fulfil", [(sale, line.position, None) for line in lines_of(sale)], actor="test")
    assert sum(shipped) == 2
    assert Reservation.objects.get(pk=sale).state == "confirmed", "it still waits for one"
    put(good, place, 2)
    assert (short_of(sale), pool(good).allocated, pool(good).on_hand) == (0, 1, 2)
    assert_books_agree()


def test_a_loss_below_what_is_promised_is_booked_and_the_hold_that_ends_last_gives_way() -> None:
    good, web, place = new_variant(), new_channel(), new_place()
    put(good, place, 10)
    order, early, late = promise(web, good, 3), hold(web, good, 3, seconds=60), hold(web, good, 3, seconds=900)
    assert ledger.adjust(good.pk, place.pk, -5, reason="water damage", actor="ann") == 5
    assert (short_of(order), short_of(early), short_of(late)) == (0, 1, 3)
    assert (shelf(good, place).reserved, shelf(good, place).allocated) == (2, 3)
    alert = open_alert(good)
    assert alert is not None
    assert (alert.level, alert.quantity, alert.location_id) == ("short", 4, place.pk)
    assert_books_agree()


def test_a_loss_takes_ended_holds_before_any_living_promise() -> None:
    good, web, place = new_variant(), new_channel(), new_place()
    put(good, place, 10)
    hold(web, good, 5, seconds=OVER)
    order = promise(web, good, 5)
    ledger.adjust(good.pk, place.pk, -5, reason="water damage", actor="ann")
    assert short_of(order) == 0
    assert open_alert(good) is None
    assert_books_agree()


def test_a_hold_that_fell_short_and_ends_waits_for_nothing() -> None:
    good, web, place = new_variant(), new_channel(), new_place()
    put(good, place, 3)
    taken = hold(web, good, 3, key="cart")
    ledger.adjust(good.pk, place.pk, -3, reason="stolen", actor="ann")
    assert short_of(taken) == 3
    ledger.release([taken], actor="test")
    assert (short_of(taken), Reservation.objects.get(pk=taken).state) == (0, "released")
    put(good, place, 3)
    assert pool(good).reserved == 0
    assert ask(web, (good, 3), key="cart").outcome == "granted"
    assert_books_agree()


def test_a_promise_that_fell_short_is_met_even_after_the_rest_has_left() -> None:
    good, web, place = new_variant(), new_channel(), new_place()
    put(good, place, 4)
    order = promise(web, good, 4)
    ledger.adjust(good.pk, place.pk, -1, reason="broken", actor="ann")
    ledger.close("fulfil", [(order, 0, None)], actor="test")
    put(good, place, 2)
    assert (short_of(order), pool(good).allocated) == (0, 1)
    assert_books_agree()


def test_a_loss_cuts_fences_to_what_is_there() -> None:
    good, app, place = new_variant(), new_channel(), new_place()
    put(good, place, 10)
    set_policy(good.pk, app.pk, fence_quantity=8)
    ledger.adjust(good.pk, place.pk, -7, reason="fire", actor="ann")
    assert ChannelInventory.objects.get(variant=good, sales_channel=app).fence_left == 3
    assert_books_agree()


def test_nobody_takes_away_more_than_is_there_or_without_a_reason() -> None:
    good, place = new_variant(), new_place()
    put(good, place, 2)
    with pytest.raises(UserError, match="cannot take 3 units away: 2 are on hand"):
        ledger.adjust(good.pk, place.pk, -3, reason="broken", actor="ann")
    with pytest.raises(UserError, match="needs a reason"):
        ledger.adjust(good.pk, place.pk, -1, reason=" ", actor="ann")
    with pytest.raises(UserError, match="2 units are on hand, not 5 as expected"):
        ledger.adjust(good.pk, place.pk, -1, reason="broken", actor="ann", expected=5)
    with pytest.raises(UserError, match="on hand cannot be -1"):
        ledger.set_on_hand(good.pk, place.pk, -1, reason="broken", actor="ann")


def test_goods_that_left_at_once_are_never_those_of_others() -> None:
    good, till, web, place = new_variant(), new_channel(), new_channel(), new_place()
    put(good, place, 5)
    hold(web, good, 2)
    with pytest.raises(UserError, match="cannot sell 4 of variant"):
        ledger.sell([ledger.Sale(good.pk, place.pk, 2, till.pk), ledger.Sale(good.pk, place.pk, 2, till.pk)], actor="t")
    ledger.sell([ledger.Sale(good.pk, place.pk, 3, till.pk, "invoice:1")], actor="test")
    assert (pool(good).on_hand, pool(good).reserved) == (2, 2)
    assert_books_agree()


@pytest.mark.parametrize("units", [0, -1, 10**10])
def test_a_quantity_that_makes_no_sense_is_refused_in_words(units: int) -> None:
    good, place = new_variant(), new_place()
    with pytest.raises(UserError, match="a quantity must be above zero"):
        ledger.receive([ledger.Receipt(good.pk, place.pk, units)], actor="test")


def test_what_does_not_exist_is_not_received() -> None:
    good, place = new_variant(), new_place()
    with pytest.raises(UserError, match="there is no variant"):
        ledger.receive([ledger.Receipt(good.pk + 1, place.pk, 1)], actor="test")
    with pytest.raises(UserError, match="there is no stock location"):
        ledger.receive([ledger.Receipt(good.pk, place.pk + 1, 1)], actor="test")
