"""What makes a request another one: everything that it asks for, and not only how many units."""

from __future__ import annotations

import pytest

from finalmarket.stock.reserve import Mode, Request, reserve
from tests.stock import shelves

pytestmark = pytest.mark.django_db


def test_as_many_units_of_other_goods_elsewhere_or_otherwise_are_another_request() -> None:
    web, app, place, other = shelves.new_channel(), shelves.new_channel(), shelves.new_place(), shelves.new_place()
    tea, cup = shelves.new_variant(), shelves.new_variant()
    for good in (tea, cup):
        shelves.put(good, place, 9)
    first = Request("cart", web.pk, ((tea.pk, 2), (cup.pk, 1)))
    others = [
        Request("cart", web.pk, ((cup.pk, 2), (tea.pk, 1))),
        Request("cart", web.pk, ((tea.pk, 3),)),
        Request("cart", app.pk, first.lines),
        Request("cart", web.pk, first.lines, Mode.ALLOCATE),
        Request("cart", web.pk, first.lines, location_id=place.pk),
        Request("cart", web.pk, first.lines, location_id=other.pk),
    ]
    assert reserve([first])[0].outcome == "granted"
    assert {verdict.outcome for verdict in reserve(others)} == {"key_reused"}
    assert reserve([Request("cart", web.pk, first.lines, hold_seconds=60)])[0].outcome == "duplicate"
    assert [shelves.pool(good).reserved for good in (tea, cup)] == [2, 1]
