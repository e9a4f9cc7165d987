"""No figure is quoted that the proof does not hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.proof import keeping, where
from tests.proof.readme import Quote, quotes, wrong
from tests.proof.result import Population, Reading, Result

FIGURE = {"name": "hot_sku", "value": 36123.4, "ratio": 8.03, "min": 35000.0, "max": 37000.5}
PEAK: Mapping[str, Any] = {"name": "peak_mb", "value": 203.2, "ratio": None, "min": 199.0, "max": 203.2}


def result(name: str, reading: Reading) -> Result:
    return Result(name, "It holds.", "", "held", [], 1.0, 1.0, "", "", 0.0, {}, reading)


MET = [
    Population("test_border::test_it[amazon]", {"faults": 5_000}),
    Population("test_border::test_it[ebay]", {"faults": 400}),
    Population("test_storm::test_it", {"faults": 59}),
]
KNOWN = {
    "stock": result("stock", Reading(figures=[FIGURE, PEAK])),
    "border": result("border", Reading(populations=MET)),
}
GOOD = """
| `hot_sku` | reservations/s | 36,000 | 8.0 times the barest statement, best of 4 |
| `peak_mb` | memory | 200 MB | beside 3 others |
Reservations: 36,100 a second <!-- proof: hot_sku -->, 8.03 times <!-- proof: hot_sku ratio --> the barest; of
5,459 faults <!-- proof: border faults --> none did harm, nor of 5,400 <!-- proof: border test_border faults -->.
"""


def test_what_is_quoted_roundly_stands_in_the_proof() -> None:
    assert wrong(GOOD, KNOWN) == []
    assert len(list(quotes(GOOD))) == 7


@pytest.mark.parametrize(
    "text",
    [
        "| `hot_sku` | reservations/s | 37,000 | 8.0 times |",
        "| `hot_sku` | reservations/s | 36,000 | 9.0 times |",
        "| `gone` | never measured | 5 | |",
        "36,500 <!-- proof: hot_sku -->",
        "5,480 faults <!-- proof: border faults -->",
        "5,459 faults <!-- proof: stock faults -->",
        "5,459 faults <!-- proof: border test_border faults -->",
        "59 faults <!-- proof: border test_gone faults -->",
        "40,000 <!-- proof: hot_sku -->",
    ],
)
def test_what_was_not_measured_so_is_found(text: str) -> None:
    assert len(wrong(text, KNOWN)) == 1


def test_a_round_number_is_no_excuse_for_much() -> None:
    assert not Quote("400", "a", "value").is_of(440)
    assert Quote("0.46", "a", "value").is_of(0.4649)
    assert not Quote("0.46", "a", "value").is_of(0.47)
    assert Quote("0", "a", "value").is_of(0)
    assert not Quote("0", "a", "value").is_of(1)


@pytest.mark.parametrize("page", ["README.md", "docs/scaling.md"])
def test_every_figure_that_a_page_quotes_stands_in_the_proof(page: str) -> None:
    known = keeping.load(where.ROOT / "docs")
    if not known:
        pytest.skip("docs/proof.json is not there: make proof")
    text = (where.ROOT / page).read_text("utf-8")
    assert list(quotes(text))
    assert wrong(text, known) == []
