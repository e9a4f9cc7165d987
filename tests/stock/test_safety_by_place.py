"""Safety stock belongs to its place: it stays there while another place has what is wanted."""

from __future__ import annotations

import pytest

from finalmarket.stock.policies import set_safety
from tests.stock import shelves

pytestmark = pytest.mark.django_db


def test_the_safety_stock_of_a_place_is_not_promised_while_another_has_free_units() -> None:
    good, web = shelves.new_variant(), shelves.new_channel()
    near, far = shelves.new_place(priority=1), shelves.new_place(priority=2)
    for place in (near, far):
        shelves.put(good, place, 5)
    set_safety(good.pk, near.pk, 4)
    taken = shelves.promise(web, good, 3)
    assert {line.location_id for line in shelves.lines_of(taken)} == {far.pk}
    rest = shelves.promise(web, good, 3)
    assert {line.location_id: line.quantity for line in shelves.lines_of(rest)} == {near.pk: 1, far.pk: 2}
    assert shelves.ask(web, (good, 1)).outcome == "refused"
    shelves.assert_books_agree()
