"""The page about tracking says what the tables say."""

import re
from pathlib import Path

from finalmarket.journeys.dialects.names import ECOMMERCE

PAGE = Path(__file__).parents[2] / "docs" / "tracking.md"


def test_the_table_of_events_is_the_one_in_force() -> None:
    rows = dict(re.findall(r"^\| ([A-Z][^|]+?) \| (\w+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert rows == {name: kind or "none" for name, kind in ECOMMERCE.items()}
