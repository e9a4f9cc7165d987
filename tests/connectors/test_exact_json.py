"""Amounts keep their digits as numbers of JSON."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from finalmarket.connectors.exact_json import exact_json


def test_an_amount_is_a_number_with_just_its_own_digits() -> None:
    told = {"amount": Decimal("19.90"), "lines": [{"rate": Decimal("0.1")}, (Decimal("1E+3"),)]}
    assert exact_json(told) == b'{"amount":19.90,"lines":[{"rate":0.1},[1000]]}'


def test_long_amounts_lose_nothing() -> None:
    amount = Decimal("123456789012345678901234567890.12")
    assert json.loads(exact_json({"a": amount}), parse_float=Decimal) == {"a": amount}


def test_all_else_is_as_json_has_it() -> None:
    told: dict[str, object] = {"name": 'Zoë "Z"', "none": None, "yes": True, "count": 3, "empty": {}, "list": []}
    assert json.loads(exact_json(told)) == told


def test_floats_and_what_is_no_number_are_refused() -> None:
    with pytest.raises(TypeError):
        exact_json({"a": 0.1})
    for wrong in ("NaN", "Infinity"):
        with pytest.raises(ValueError, match="not a number"):
            exact_json([Decimal(wrong)])
