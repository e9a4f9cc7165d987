"""A cart is held whole or not at all, also for those who are settled in the same call."""

from __future__ import annotations

import pytest

from finalmarket.stock.reserve import Request, reserve
from tests.stock import shelves

pytestmark = pytest.mark.django_db


def test_a_refused_cart_leaves_its_goods_to_the_next_one_of_the_call() -> None:
    channel, place = shelves.new_channel(), shelves.new_place()
    tea, cup = shelves.new_variant(), shelves.new_variant()
    for good in (tea, cup):
        shelves.put(good, place, 5)
    carts = [((tea.pk, 5), (cup.pk, 6)), ((tea.pk, 2), (tea.pk, 4)), ((tea.pk, 5),), ((cup.pk, 5),)]
    settled = reserve([Request(f"cart {number}", channel.pk, lines) for number, lines in enumerate(carts)])
    assert [verdict.outcome for verdict in settled] == ["refused", "refused", "granted", "granted"]
    assert (settled[0].reason, settled[1].reason) == ("line 1: 6 wanted, 5 available", "line 1: 4 wanted, 3 available")
    shelves.assert_books_agree()
