"""What went wrong is said as a sentence, and names keep the letters they have."""

import pytest

from finalmarket.kernel.errors import sentence


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("choose the listings first", "Choose the listings first."),
        ("prices.csv is no UTF-8", "prices.csv is no UTF-8."),
        ("tea-1 is sold out", "tea-1 is sold out."),
        ("first, choose a store", "First, choose a store."),
        ("is that so?", "Is that so?"),
        ("  ", "It cannot be done."),
    ],
)
def test_an_error_is_a_sentence_and_names_keep_their_letters(words: str, said: str) -> None:
    assert sentence(words) == said
