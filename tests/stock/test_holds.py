"""Holds and promises: their end, their keys, their confirmation."""

from uuid import uuid4

import pytest

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.stock import atp, ledger
from finalmarket.stock.models import Reservation, StockMovement
from finalmarket.stock.reserve import Mode, Request, reserve
from tests.stock.shelves import (
    OVER,
    ask,
    assert_books_agree,
    hold,
    lines_of,
    new_channel,
    new_place,
    new_variant,
    pool,
    promise,
    put,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def web() -> SalesChannel:
    return new_channel()


@pytest.fixture
def good() -> Variant:
    variant = new_variant()
    put(variant, new_place(), 5)
    return variant


def test_two_lines_of_one_cart_never_share_the_last_unit(web: SalesChannel, good: Variant) -> None:
    refused = ask(web, (good, 3), (good, 3))
    assert (refused.outcome, refused.available, refused.reason) == ("refused", 2, "line 1: 3 wanted, 2 available")
    assert pool(good).reserved == 0, "all lines or none"
    assert ask(web, (good, 3), (good, 2)).outcome == "granted"
    assert_books_agree()


def test_a_refused_request_does_not_block_a_smaller_one_after_it(web: SalesChannel, good: Variant) -> None:
    requests = [Request(f"cart-{n}", web.pk, ((good.pk, units),)) for n, units in enumerate((9, 2, 4, 3))]
    assert [verdict.outcome for verdict in reserve(requests)] == ["refused", "granted", "refused", "granted"]


def test_an_ended_hold_is_free_for_the_next_buyer_without_anybody_sweeping(web: SalesChannel, good: Variant) -> None:
    hold(web, good, 5, seconds=OVER)
    level = atp.level(good.pk, web.pk)
    assert (level.available, level.reserved, pool(good).reserved) == (5, 0, 5)
    assert ask(web, (good, 5)).outcome == "granted"
    assert StockMovement.objects.filter(variant=good, kind="expire", reserved_delta=-5).count() == 1
    assert_books_agree()


def test_more_ended_holds_than_one_call_lets_go_never_refuse_a_buyer(web: SalesChannel) -> None:
    good = new_variant()
    put(good, new_place(), 1100)
    reserve([Request(f"old-{n}", web.pk, ((good.pk, 1),), hold_seconds=OVER) for n in range(1100)])
    assert ask(web, (good, 1100)).outcome == "granted"
    assert_books_agree()


def test_an_ended_hold_that_nobody_let_go_is_still_confirmed(web: SalesChannel, good: Variant) -> None:
    taken = hold(web, good, 5, seconds=OVER)
    assert ledger.confirm([taken], actor="test") == {taken: "confirmed"}
    assert (pool(good).reserved, pool(good).allocated) == (0, 5)
    assert ask(web, (good, 1)).outcome == "refused"
    assert_books_agree()


def test_a_hold_that_was_let_go_is_confirmed_anew_while_its_units_are_free(web: SalesChannel, good: Variant) -> None:
    taken = hold(web, good, 4, seconds=OVER)
    ledger.expire_holds()
    assert pool(good).reserved == 0
    assert ledger.confirm([taken], actor="test") == {taken: "confirmed"}
    open_lines = [line for line in lines_of(taken) if line.quantity]
    assert [(line.state, line.quantity, line.line) for line in open_lines] == [("confirmed", 4, 0)]
    assert Reservation.objects.get(pk=taken).state == "confirmed"
    assert pool(good).allocated == 4
    assert_books_agree()


def test_a_hold_that_was_let_go_is_refused_when_somebody_else_has_its_units(web: SalesChannel, good: Variant) -> None:
    taken = hold(web, good, 4, seconds=OVER)
    hold(web, good, 3)
    assert ledger.confirm([taken], actor="test")[taken] == "refused: line 0: 4 wanted, 2 available"
    assert_books_agree()


def test_a_hold_that_lost_one_of_its_lines_is_confirmed_whole_or_not_at_all(web: SalesChannel, good: Variant) -> None:
    other = new_variant()
    put(other, new_place(), 5)
    taken = ask(web, (good, 5), (other, 5), seconds=OVER).reservation_id
    assert taken is not None
    hold(web, good, 1)
    assert {line.state for line in lines_of(taken)} == {"expired", "held"}
    assert ledger.confirm([taken], actor="test")[taken].startswith("refused")
    assert (pool(other).reserved, pool(other).allocated) == (0, 0), "no partial hold"
    assert_books_agree()


def test_a_hold_that_lost_a_line_takes_it_anew_when_it_is_free_again(web: SalesChannel, good: Variant) -> None:
    other = new_variant()
    put(other, new_place(), 5)
    taken = ask(web, (good, 5), (other, 5), seconds=OVER).reservation_id
    assert taken is not None
    ledger.release([hold(web, good, 1)], actor="test")
    assert ledger.confirm([taken], actor="test") == {taken: "confirmed"}
    promised = {(line.line, line.variant_id): line.quantity for line in lines_of(taken) if line.quantity}
    assert promised == {(0, good.pk): 5, (1, other.pk): 5}
    assert_books_agree()


def test_a_line_given_back_on_purpose_is_not_taken_again_by_confirming(web: SalesChannel, good: Variant) -> None:
    other = new_variant()
    put(other, new_place(), 5)
    taken = ask(web, (good, 2), (other, 2)).reservation_id
    assert taken is not None
    ledger.close("release", [(taken, 1, None)], actor="test")
    assert ledger.confirm([taken], actor="test") == {taken: "confirmed"}
    assert (pool(good).allocated, pool(other).allocated) == (2, 0)
    assert_books_agree()


def test_confirming_twice_changes_nothing(web: SalesChannel, good: Variant) -> None:
    taken = hold(web, good, 2)
    assert ledger.confirm([taken], actor="test") == ledger.confirm([taken], actor="test") == {taken: "confirmed"}
    assert pool(good).allocated == 2


def test_what_does_not_exist_is_not_confirmed() -> None:
    assert ledger.confirm([999], actor="test") == {999: "refused: there is no such reservation"}


def test_the_same_request_sent_again_gets_the_same_answer_and_takes_nothing(web: SalesChannel, good: Variant) -> None:
    first = ask(web, (good, 2), key="cart")
    again = ask(web, (good, 2), key="cart")
    assert (again.outcome, again.reservation_id) == ("duplicate", first.reservation_id)
    assert pool(good).reserved == 2


def test_a_key_that_stands_for_another_request_is_refused(web: SalesChannel, good: Variant) -> None:
    first = ask(web, (good, 2), key="cart")
    other = ask(web, (good, 1), key="cart")
    assert (other.outcome, other.reservation_id) == ("key_reused", first.reservation_id)


def test_duplicates_within_one_call_take_once(web: SalesChannel, good: Variant) -> None:
    request = Request("cart", web.pk, ((good.pk, 2),))
    stranger = Request("cart", web.pk, ((good.pk, 1),))
    first, second, third = reserve([request, request, stranger])
    assert [first.outcome, second.outcome, third.outcome] == ["granted", "duplicate", "key_reused"]
    assert first.reservation_id == second.reservation_id == third.reservation_id
    assert pool(good).reserved == 2


@pytest.mark.parametrize("end", ["refused", "released", "ended"])
def test_a_key_is_free_again_when_nothing_is_held_under_it(web: SalesChannel, good: Variant, end: str) -> None:
    if end == "refused":
        assert ask(web, (good, 9), key="cart").outcome == "refused"
    elif end == "released":
        ledger.release([hold(web, good, 3, key="cart")], actor="test")
    else:
        hold(web, good, 3, key="cart", seconds=OVER)
    assert ask(web, (good, 5), key="cart").outcome == "granted"
    assert_books_agree()


def test_the_key_of_an_order_that_has_left_still_stands_for_it(web: SalesChannel, good: Variant) -> None:
    request = Request("order", web.pk, ((good.pk, 2),), Mode.ALLOCATE)
    (first,) = reserve([request])
    ledger.close("fulfil", [(first.reservation_id or 0, 0, None)], actor="test")
    (again,) = reserve([request])
    assert (again.outcome, again.reservation_id) == ("duplicate", first.reservation_id)
    assert pool(good).on_hand == 3


def test_a_request_that_makes_no_sense_is_called_invalid_and_spoils_no_other(web: SalesChannel, good: Variant) -> None:
    def outcome(*lines: tuple[int, int], channel: int = web.pk) -> tuple[str, str]:
        (verdict, neighbour) = reserve(
            [Request(str(uuid4()), channel, lines), Request(str(uuid4()), web.pk, ((good.pk, 1),))]
        )
        assert neighbour.outcome == "granted"
        return verdict.outcome, verdict.reason

    assert outcome((good.pk, 0)) == ("invalid", "line 0: the quantity is not between 1 and 1000000000")
    assert outcome((good.pk, 1), (10**9, 1)) == ("invalid", "line 1: there is no such variant")
    assert outcome() == ("invalid", "the request has no lines")
    assert outcome((good.pk, 1), channel=10**9) == ("invalid", "there is no such channel")
    assert_books_agree()


def test_shipping_a_part_leaves_the_rest_promised(web: SalesChannel, good: Variant) -> None:
    order = promise(web, good, 4)
    assert ledger.close("fulfil", [(order, 0, 3)], actor="test", reference="order:7") == [3]
    assert (pool(good).on_hand, pool(good).allocated) == (2, 1)
    assert ledger.close("deallocate", [(order, 0, 9)], actor="test") == [1]
    assert Reservation.objects.get(pk=order).state == "closed"
    assert_books_agree()


def test_a_line_that_is_asked_twice_in_one_call_ends_once(web: SalesChannel, good: Variant) -> None:
    order = promise(web, good, 4)
    assert ledger.close("fulfil", [(order, 0, 3), (order, 0, 3)], actor="test") == [4, 0]
    assert pool(good).on_hand == 1
    assert_books_agree()


def test_a_promise_moves_only_as_far_as_the_other_place_has_free_units(web: SalesChannel, good: Variant) -> None:
    target = new_place()
    put(good, target, 3)
    order = promise(web, good, 5)
    hold(web, good, 1)
    assert ledger.move_promise(order, 0, target.pk, 5, actor="test", reason="nearer to the customer") == 2
    assert sorted((line.location_id == target.pk, line.quantity) for line in lines_of(order)) == [(False, 3), (True, 2)]
    assert_books_agree()
