"""What one channel may sell: pool, ring fence, percentage, cap, buffer, borrowing."""

from typing import Any

import pytest

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.errors import UserError
from finalmarket.stock import atp, ledger
from finalmarket.stock.models import ChannelInventory, ChannelSource, StockMovement
from finalmarket.stock.policies import set_low_stock_threshold, set_policy, set_safety
from finalmarket.stock.reserve import Mode
from tests.stock.shelves import (
    OVER,
    ask,
    assert_books_agree,
    hold,
    lines_of,
    new_bundle,
    new_channel,
    new_place,
    new_variant,
    pool,
    promise,
    put,
    sell,
    shelf,
)

pytestmark = pytest.mark.django_db


def fence_of(variant: Variant, channel: SalesChannel) -> int:
    return int(ChannelInventory.objects.get(variant=variant, sales_channel=channel).fence_left)


def may_sell(variant: Variant, channel: SalesChannel) -> int:
    return atp.level(variant.pk, channel.pk).available


def test_channels_share_the_pool_until_its_last_unit() -> None:
    good, web, app = new_variant(), new_channel(), new_channel()
    put(good, new_place(), 3)
    assert ask(web, (good, 2)).outcome == "granted"
    refused = ask(app, (good, 2))
    assert (refused.outcome, refused.available) == ("refused", 1)
    assert ask(app, (good, 1)).outcome == "granted"
    assert may_sell(good, web) == may_sell(good, app) == 0
    assert_books_agree()


def test_what_is_fenced_for_one_channel_no_other_can_take() -> None:
    good, web, app = new_variant(), new_channel(), new_channel()
    put(good, new_place(), 10)
    set_policy(good.pk, app.pk, fence_quantity=4)
    assert (may_sell(good, web), may_sell(good, app)) == (6, 10)
    assert ask(web, (good, 7)).outcome == "refused"
    hold(app, good, 3)
    assert (fence_of(good, app), may_sell(good, web)) == (1, 6), "the own fence goes first"
    hold(app, good, 2)
    assert (fence_of(good, app), may_sell(good, web)) == (0, 5), "then the pool"


def test_a_channel_outside_the_pool_sells_its_fence_only() -> None:
    good, web, market = new_variant(), new_channel(), new_channel()
    put(good, new_place(), 10)
    set_policy(good.pk, market.pk, fence_quantity=2, uses_pool=False)
    assert may_sell(good, market) == 2
    assert ask(market, (good, 3)).outcome == "refused"
    hold(market, good, 2)
    assert (may_sell(good, market), may_sell(good, web)) == (0, 8)


def test_a_released_hold_gives_back_to_its_fence_what_it_took_from_it() -> None:
    good, app = new_variant(), new_channel()
    put(good, new_place(), 10)
    set_policy(good.pk, app.pk, fence_quantity=4)
    taken = hold(app, good, 6)
    assert fence_of(good, app) == 0
    ledger.close("release", [(taken, 0, 3)], actor="test")
    assert fence_of(good, app) == 1, "pool units go back first"
    ledger.release([taken], actor="test")
    assert fence_of(good, app) == 4
    assert_books_agree()


def test_goods_that_left_do_not_refill_the_fence() -> None:
    good, app = new_variant(), new_channel()
    put(good, new_place(), 10)
    set_policy(good.pk, app.pk, fence_quantity=4)
    ledger.close("fulfil", [(promise(app, good, 3), 0, None)], actor="test")
    assert (fence_of(good, app), pool(good).on_hand) == (1, 7)
    assert_books_agree()


def test_a_cap_limits_open_units_and_leaves_room_again_when_they_have_left() -> None:
    good, web = new_variant(), new_channel()
    put(good, new_place(), 10)
    set_policy(good.pk, web.pk, cap=3)
    first = promise(web, good, 2)
    assert may_sell(good, web) == 1
    assert ask(web, (good, 2)).outcome == "refused"
    ledger.close("fulfil", [(first, 0, None)], actor="test")
    assert may_sell(good, web) == 3


def test_a_percentage_counts_whole_units_of_what_is_on_hand_less_what_the_channel_has_open() -> None:
    good, web, app = new_variant(), new_channel(), new_channel()
    put(good, new_place(), 9)
    set_policy(good.pk, web.pk, percent=50)
    assert may_sell(good, web) == 4
    hold(app, good, 3)
    assert may_sell(good, web) == 4, "what others hold is still on hand"
    hold(web, good, 3)
    assert may_sell(good, web) == 1
    set_policy(good.pk, web.pk, percent=0)
    assert may_sell(good, web) == 0


def test_a_percentage_of_very_much_stock_does_not_overflow() -> None:
    good, web = new_variant(), new_channel()
    put(good, new_place(), 900_000_000)
    set_policy(good.pk, web.pk, percent=99)
    assert may_sell(good, web) == 891_000_000
    assert ask(web, (good, 891_000_000)).outcome == "granted"


def test_a_buffer_is_withheld_from_its_channel_and_from_no_other() -> None:
    good, web, app = new_variant(), new_channel(), new_channel()
    put(good, new_place(), 5)
    set_policy(good.pk, web.pk, buffer=2)
    assert (may_sell(good, web), may_sell(good, app)) == (3, 5)
    assert ask(web, (good, 4)).outcome == "refused"
    assert ask(app, (good, 5)).outcome == "granted"


def test_borrowed_units_return_to_the_channel_that_lent_them() -> None:
    good, web, first, second = new_variant(), new_channel(), new_channel(), new_channel()
    put(good, new_place(), 10)
    set_policy(good.pk, first.pk, fence_quantity=3, lends=True)
    set_policy(good.pk, second.pk, fence_quantity=5, lends=True)
    set_policy(good.pk, web.pk, borrows=True)
    assert may_sell(good, web) == 10
    taken = hold(web, good, 6)
    assert [(line.quantity, line.lender_id) for line in lines_of(taken)] == [(2, None), (3, first.pk), (1, second.pk)]
    assert (fence_of(good, first), fence_of(good, second)) == (0, 4)
    ledger.release([taken], actor="test")
    assert (fence_of(good, first), fence_of(good, second)) == (3, 5)
    assert_books_agree()


def test_nobody_borrows_from_a_channel_that_does_not_lend() -> None:
    good, web, app = new_variant(), new_channel(), new_channel()
    put(good, new_place(), 5)
    set_policy(good.pk, app.pk, fence_quantity=5)
    set_policy(good.pk, web.pk, borrows=True)
    assert may_sell(good, web) == 0
    assert ask(web, (good, 1)).outcome == "refused"


def test_a_hold_that_ended_counts_as_given_back_to_the_lender_before_anybody_sweeps() -> None:
    good, web, app = new_variant(), new_channel(), new_channel()
    put(good, new_place(), 4)
    set_policy(good.pk, app.pk, fence_quantity=4, lends=True)
    set_policy(good.pk, web.pk, borrows=True)
    hold(web, good, 4, seconds=OVER)
    assert fence_of(good, app) == 0
    assert may_sell(good, app) == 4
    assert ask(app, (good, 4)).outcome == "granted"
    assert_books_agree()


def test_a_channel_sells_only_what_lies_at_its_sources_and_from_the_best_ranked_that_has_it_all() -> None:
    good, store = new_variant(), new_channel()
    near, far, elsewhere = new_place(), new_place(), new_place()
    for place, units in ((near, 2), (far, 5), (elsewhere, 9)):
        put(good, place, units)
    ChannelSource.objects.create(sales_channel=store, location=near, rank=1)
    ChannelSource.objects.create(sales_channel=store, location=far, rank=2)
    assert may_sell(good, store) == 7
    assert [line.location_id for line in lines_of(hold(store, good, 3))] == [far.pk]
    assert [(line.location_id, line.quantity) for line in lines_of(hold(store, good, 4))] == [(near.pk, 2), (far.pk, 2)]
    assert ask(store, (good, 1)).outcome == "refused"


def test_a_location_that_is_switched_off_sells_nothing() -> None:
    good, web, place = new_variant(), new_channel(), new_place(is_active=False)
    put(good, place, 5)
    assert may_sell(good, web) == 0
    assert ask(web, (good, 1)).outcome == "refused"


@pytest.mark.parametrize("mode", [Mode.HOLD, Mode.ALLOCATE])
def test_nor_does_it_to_whoever_names_it_unless_the_sale_already_happened(mode: Mode) -> None:
    good, web, place = new_variant(), new_channel(), new_place(is_active=False)
    put(good, place, 5)
    verdict = ask(web, (good, 1), place=place, mode=mode)
    assert (verdict.outcome, verdict.available) == ("refused", 0)
    sold = sell(web, good, 2, place=place)
    assert [(line.location_id, line.quantity) for line in lines_of(sold)] == [(place.pk, 2)]
    assert_books_agree()


def test_a_paused_or_inactive_channel_takes_no_holds_and_may_sell_nothing() -> None:
    good, paused, inactive = new_variant(), new_channel(is_paused=True), new_channel(status="inactive")
    put(good, new_place(), 5)
    for channel in (paused, inactive):
        assert ask(channel, (good, 1)).outcome == "refused"
        assert may_sell(good, channel) == 0


def test_safety_stock_is_never_promised_and_the_pool_knows_the_sum() -> None:
    good, web, one, two = new_variant(), new_channel(), new_place(), new_place()
    put(good, one, 5)
    put(good, two, 5)
    set_safety(good.pk, one.pk, 2, actor="ann", reason="window display")
    set_safety(good.pk, two.pk, 3)
    assert (pool(good).safety, may_sell(good, web)) == (5, 5)
    assert ask(web, (good, 6)).outcome == "refused"
    set_safety(good.pk, one.pk, 0)
    assert (pool(good).safety, may_sell(good, web)) == (3, 7)
    said = StockMovement.objects.filter(variant=good, actor="ann").get()
    assert said.reason == "safety stock 0 -> 2: window display"
    assert_books_agree()


def test_an_allotment_counts_what_is_still_held_out_of_it() -> None:
    good, app = new_variant(), new_channel()
    put(good, new_place(), 10)
    set_policy(good.pk, app.pk, fence_quantity=4)
    hold(app, good, 3)
    set_policy(good.pk, app.pk, fence_quantity=6)
    assert fence_of(good, app) == 3
    set_policy(good.pk, app.pk, fence_quantity=2)
    assert fence_of(good, app) == 0, "the hold stays, the rest of the fence is open to all"
    assert_books_agree()


def test_a_fence_larger_than_what_is_free_is_refused_in_words() -> None:
    good, app, web = new_variant("LAMP"), new_channel("App"), new_channel()
    place = new_place()
    put(good, place, 10)
    hold(web, good, 3)
    set_safety(good.pk, place.pk, 2)
    with pytest.raises(UserError, match=r"cannot fence 6 units of LAMP for App: that takes 6 more, and 5 are"):
        set_policy(good.pk, app.pk, fence_quantity=6)
    set_policy(good.pk, app.pk, fence_quantity=5)
    assert_books_agree()


def test_a_hold_that_ended_does_not_stand_in_the_way_of_a_fence() -> None:
    good, app, web = new_variant(), new_channel(), new_channel()
    put(good, new_place(), 5)
    hold(web, good, 5, seconds=OVER)
    set_policy(good.pk, app.pk, fence_quantity=5)
    assert fence_of(good, app) == 5
    assert_books_agree()


def test_every_decision_stands_in_the_ledger_with_who_and_why() -> None:
    good, web = new_variant(), new_channel()
    set_policy(good.pk, web.pk, cap=5, buffer=1, actor="ann", reason="fair week")
    line = StockMovement.objects.get(variant=good)
    assert (line.kind, line.actor, line.reason) == ("fence", "ann", "cap None -> 5, buffer 0 -> 1: fair week")
    set_policy(good.pk, web.pk, cap=5)
    assert StockMovement.objects.filter(variant=good).count() == 1, "what changes nothing is not written"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"fence_quantity": -1}, "fence_quantity must be a whole number"),
        ({"percent": 101}, "percent must be a whole number from 0 to 100"),
        ({"cap": 1.5}, "cap must be a whole number"),
        ({"uses_pool": "yes"}, "uses_pool is on or off"),
        ({"buffer": None}, "buffer must be a whole number"),
        ({"colour": 1}, "a policy has no colour"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_in_words(fields: dict[str, Any], says: str) -> None:
    good, web = new_variant(), new_channel()
    with pytest.raises(UserError, match=says):
        set_policy(good.pk, web.pk, **fields)


def test_a_bundle_has_neither_fence_nor_safety_stock() -> None:
    part, web, place = new_variant(), new_channel(), new_place()
    bundle = new_bundle({part: 2}, "PAIR")
    with pytest.raises(UserError, match="PAIR is a bundle"):
        set_policy(bundle.pk, web.pk, fence_quantity=1)
    with pytest.raises(UserError, match="PAIR is a bundle"):
        set_safety(bundle.pk, place.pk, 1)


def test_nobody_decides_about_what_does_not_exist() -> None:
    good, web, place = new_variant(), new_channel(), new_place()
    with pytest.raises(UserError, match="no sales channel"):
        set_policy(good.pk, web.pk + 1, cap=1)
    with pytest.raises(UserError, match="no variant"):
        set_policy(good.pk + 1, web.pk, cap=1)
    with pytest.raises(UserError, match="no stock location"):
        set_safety(good.pk, place.pk + 1, 1)
    with pytest.raises(UserError, match="the threshold must be"):
        set_low_stock_threshold(good.pk, place.pk, -1)


def test_a_threshold_belongs_to_a_place() -> None:
    good, place = new_variant(), new_place()
    set_low_stock_threshold(good.pk, place.pk, 7)
    assert shelf(good, place).low_stock_threshold == 7
    set_low_stock_threshold(good.pk, place.pk, None)
    assert shelf(good, place).low_stock_threshold is None
