"""The one formula, number by number: what a channel may sell of what there is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from finalmarket.stock.formula import Facts, available, available_now, from_stock, room

# 100 on hand; 10 held, 20 promised, 5 safety, 7 withheld; 12 fenced, of which 3 are its own and 2 can be borrowed.
SHELF = Facts(
    on_hand=100, reserved=10, allocated=20, safety=5, buffer=7, fenced=12, own_fence=3, lendable=2, at_sources=99
)


def test_what_is_free_is_on_hand_less_all_that_is_kept_for_others() -> None:
    assert SHELF.foreign_fences == 7
    assert from_stock(SHELF) == 100 - 10 - 20 - 5 - 7 - 7


@pytest.mark.parametrize(
    ("changed", "units"),
    [
        ({"reserved": 11}, 50), ({"allocated": 21}, 50), ({"safety": 6}, 50), ({"buffer": 8}, 50), ({"fenced": 13}, 50),
        ({"own_fence": 4}, 52), ({"lendable": 3}, 52), ({"on_hand": 101}, 52), ({"used": 60}, 51), ({"beyond": 60}, 51),
    ],
)  # fmt: skip
def test_each_number_counts_once(changed: dict[str, int], units: int) -> None:
    assert from_stock(replace(SHELF, **changed)) == units  # type: ignore[arg-type]  # only whole numbers are changed


def test_a_channel_outside_the_pool_reaches_its_fence_and_what_it_may_borrow() -> None:
    assert from_stock(replace(SHELF, uses_pool=False)) == 3 + 2
    assert (
        from_stock(replace(SHELF, uses_pool=False, own_fence=60, fenced=60, lendable=0)) == 58
    )  # never what is not free


def test_only_what_lies_where_the_channel_sells_from_counts() -> None:
    assert from_stock(replace(SHELF, at_sources=50)) == 50
    assert from_stock(replace(SHELF, at_sources=0)) == 0
    assert from_stock(Facts(on_hand=3)) == 0


def test_promises_beyond_what_is_there_leave_nothing_and_no_less() -> None:
    assert from_stock(replace(SHELF, on_hand=40)) == 0
    assert available(replace(SHELF, on_hand=40)) == 0
    assert available(replace(SHELF, on_hand=40, beyond=6)) == 6


def test_without_a_cap_and_a_percentage_there_is_no_limit() -> None:
    assert room(replace(SHELF, used=70)) is None


@pytest.mark.parametrize(
    ("limits", "units"),
    [
        ({"cap": 10}, 10), ({"cap": 10, "used": 4}, 6), ({"cap": 0}, 0), ({"cap": 2, "used": 5}, -3),
        ({"percent": 30}, 30), ({"percent": 30, "on_hand": 99}, 29), ({"percent": 30, "used": 4}, 26),
        ({"percent": 0}, 0), ({"cap": 10, "percent": 30}, 10), ({"cap": 50, "percent": 30, "used": 4}, 26),
        ({"percent": 33, "on_hand": 10, "used": 4}, -1),
    ],
)  # fmt: skip
def test_cap_and_percentage_count_what_is_open_already(limits: dict[str, int], units: int) -> None:
    assert room(replace(SHELF, **limits)) == units  # type: ignore[arg-type]  # only whole numbers are changed


def test_what_can_be_promised_is_what_is_there_and_beyond_within_the_limit() -> None:
    assert available(SHELF) == 51
    assert available(replace(SHELF, beyond=9)) == 60
    assert available(replace(SHELF, beyond=9, cap=55)) == 55
    assert available(replace(SHELF, beyond=9, cap=70)) == 60
    assert available(replace(SHELF, cap=5, used=6)) == 0


def test_what_is_there_now_leaves_out_what_may_be_promised_beyond() -> None:
    assert available_now(replace(SHELF, beyond=9)) == 51
    assert available_now(replace(SHELF, beyond=9, cap=55)) == 51
    assert available_now(replace(SHELF, beyond=9, cap=20)) == 20
    assert available_now(replace(SHELF, cap=5, used=6)) == 0
