"""The page about customers names every key of a unified profile."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from finalmarket.customers.resolve import Contact, resolve

PAGE = Path(__file__).parents[2] / "docs" / "customers.md"
ONCE_EXPECTED = {"lifetime_value_currency"}
"""What stands in a profile only where an expectation does (analytics/segments_profile.py)."""


@pytest.mark.django_db
def test_every_key_of_a_profile_stands_in_the_table() -> None:
    part = PAGE.read_text(encoding="utf-8").partition("\n## The unified profile\n")[2].partition("\n## ")[0]
    told = {key for cell in re.findall(r"^\| (`[^|]+) \|", part, re.MULTILINE) for key in re.findall(r"`(\w+)`", cell)}
    ann = resolve(Contact(email="ann@example.com", name="Ann Lee"), source="docs")
    assert ann is not None
    assert told == set(ann.unified_profile()) | ONCE_EXPECTED
