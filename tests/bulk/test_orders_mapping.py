"""A mapping is read strictly: what is wrong is told with the file, the key, and what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from finalmarket.bulk.orders_mapping import SHIPPED, load
from finalmarket.kernel.errors import UserError

COLUMNS = '[columns]\norder = "o"\nsku = "s"\nquantity = "q"\nunit_price = "p"\nplaced_at = "d"\ncountry = "c"\n'
MISTAKES = {
    "no TOML": ("[columns\n", r"is no TOML: .*line 1"),
    "an unknown section": (f"{COLUMNS}[colours]\n", r"there is no section \[colours\]; a mapping has adjustments, "),
    "an unknown key": (f"{COLUMNS}[skus]\nfold = true\n", r"\[skus\] does not know the key 'fold'; it knows fold_case"),
    "an unknown field": (f'{COLUMNS}price = "x"\n', r"\[columns\] does not know the key 'price'; it knows order, sku"),
    "a missing field": (
        '[columns]\norder = "o"\n',
        r'lacks sku, quantity, unit_price, placed_at; write sku = "the col',
    ),
    "a number for a text": (f"{COLUMNS}[orders]\ntender = 7\n", r"\[orders\] tender must be text in quotes, not 7"),
    "a text for yes or no": (f'{COLUMNS}[skus]\nfold_case = "yes"\n', r"fold_case must be true or false, not 'yes'"),
    "an unknown currency": (f'{COLUMNS}[values]\ncurrency = "QQQ"\n', r"\[values\] currency = 'QQQ': unknown currency"),
    "a wrong time zone": (f'{COLUMNS}[dates]\ntime_zone = "London"\n', r"one such as Europe/London"),
    "a date without a year": (f'{COLUMNS}[dates]\nformats = ["%H:%M"]\n', r"does not tell year, month and day"),
    "an unknown fate": (f'{COLUMNS}[cancellations]\ndisposition = "burn"\n', r"write one of restock, damaged, scrap"),
    "rules without a field": (
        f'{COLUMNS}[[channels.rules]]\nchannel = "A"\nvalues = ["x"]\n',
        r"\[channels\] by must name the field that the rules look at",
    ),
    "a rule without values": (
        f'{COLUMNS}[channels]\nby = "country"\n[[channels.rules]]\nchannel = "A"\n',
        r'rule 1 of \[channels\] needs channel = "a name" and values',
    ),
    "a channel of an unknown type": (
        f'{COLUMNS}[channels]\nby = "country"\n[[channels.rules]]\nchannel = "A"\nvalues = ["x"]\ntype = "shop"\n',
        r"rule 1 of \[channels\], type = 'shop': write one of web, mobile",
    ),
    "a value of two channels": (
        f'{COLUMNS}[channels]\nby = "country"\n'
        '[[channels.rules]]\nchannel = "A"\nvalues = ["x"]\n[[channels.rules]]\nchannel = "B"\nvalues = ["x"]\n',
        r"gives 'x' to two channels, A and B",
    ),
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_in_a_mapping_is_told_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as told:
        load(path)
    assert str(path) in str(told.value)


def test_a_mapping_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(UserError, match=r"there is no mapping file nothing; those that come .*: online_retail_ii"):
        load("nothing")


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_every_mapping_that_comes_with_the_program_is_right(path: Path) -> None:
    assert load(path.stem).settings == load(path).settings
