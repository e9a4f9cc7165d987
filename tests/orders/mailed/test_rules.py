"""Plain rules read wishes: how many of what."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finalmarket.orders.mailed.quoted import own_words
from finalmarket.orders.mailed.rules import wishes_in

READ = {
    "3 x COAT-M": [(3, "COAT-M")],
    "3x COAT-M": [(3, "COAT-M")],
    "COAT-M: 3": [(3, "COAT-M")],
    "COAT-M x3": [(3, "COAT-M")],
    "COAT-M (3 pcs)": [(3, "COAT-M")],
    "COAT-M, qty 3": [(3, "COAT-M")],
    "COAT-M - 3 Stück": [(3, "COAT-M")],
    "3 pcs. of COAT-M": [(3, "COAT-M")],
    "- 12 bottles of red wine": [(12, "red wine")],
    "two blue coats": [(2, "blue coats")],
    "a dozen cups": [(12, "cups")],
    "please send me two of the blue coat": [(2, "blue coat")],
    "I would like to order 3 blue coats, 2x TEA-1 and a red scarf.": [
        (3, "blue coats"),
        (2, "TEA-1"),
        (1, "red scarf"),
    ],
    "Bitte schicken Sie mir zwei Stück vom grünen Tee und drei Tassen bis Freitag.": [(2, "grünen Tee"), (3, "Tassen")],
    "We need 10 pcs TEA @ 4.50 EUR each and\n2 of the large cups, please.": [(10, "TEA"), (2, "large cups")],
    "I'd like COAT-M (2 pcs) and TEA x4": [(2, "COAT-M"), (4, "TEA")],
    "1. COAT-M, qty 4\n2. Blue coat (2)": [(4, "COAT-M"), (2, "Blue coat")],
    "1. COAT-M\n2. 3 x TEA": [(None, "COAT-M"), (3, "TEA")],
    "| Pos | SKU | Qty |\n| 1 | COAT-M | 3 |\n| 2 | TEA | 12 |": [(3, "COAT-M"), (12, "TEA")],
    "Artikel\tBezeichnung\tMenge\nCOAT-M\tMantel\t3": [(3, "COAT-M")],
    "COAT-M;3\nTEA;4": [(3, "COAT-M"), (4, "TEA")],
    "COAT-M     3     12,50": [(3, "COAT-M")],
}
NOTHING = [
    "I ordered two weeks ago and nothing came.",
    "Can you tell me when you open on 24 December?",
    "My number is 040 123456.",
    "Postcode: 20095\nTel: 1234567\nOrder no: 17",
    "Thank you, that was quick!",
    "The invoice says 12.50 and not 3,000.00.",
    "We meet at 12:30 for 2 hours.",
]


@pytest.mark.parametrize("text", READ)
def test_a_wish_is_read(text: str) -> None:
    assert [(wish.units, wish.what) for wish in wishes_in(own_words(text)[0])] == READ[text]


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_no_wish_is_not_read_as_one_for_sure(text: str) -> None:
    assert [wish for wish in wishes_in(text) if wish.is_plain] == []


def test_a_column_of_names_stands_beside_that_of_skus() -> None:
    (wish,) = wishes_in("", [("sku", "title", "qty"), ("C-1", "Blue coat", "3")])
    assert (wish.what, wish.also, wish.units) == ("C-1", "Blue coat", 3)


@settings(max_examples=60)
@given(st.text(alphabet="3 x×*-:;,|\t\n()ab.@Cto und and of", max_size=4000))
def test_any_text_is_read_within_a_moment_and_units_are_numbers_that_can_be_ordered(text: str) -> None:
    began = time.process_time()
    found = wishes_in(own_words(text)[0])
    assert time.process_time() - began < 2
    assert all(wish.units is None or 1 <= wish.units <= 1_000_000 for wish in found)
    assert len(found) <= 100
