"""The exponents are those of the growth, and the pictures can be read by everybody."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.scale.__main__ import PARTS, load, save
from tests.scale.curve import Plot, Point, Series, number, short
from tests.scale.drawing import HEIGHT, WIDTH, described, svg
from tests.scale.page import Part

SVG = "{http://www.w3.org/2000/svg}"
SIZES = (1_000, 10_000, 100_000)


def growing(power: float, shake: float = 0.0) -> Series:
    points = [Point(size, [size**power * (1 - shake), size**power, size**power * (1 + shake)]) for size in SIZES]
    return Series(f"power {power}", points)


PLOT = Plot(
    "toy", "Goods & prices", "What a toy <costs>.", "SKUs", "s",
    [growing(1), growing(0.5), Series("bare reading", [Point(size, [size / 100]) for size in SIZES], is_limit=True)],
)  # fmt: skip


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0, -0.3])
def test_the_exponent_of_a_power_is_found_within_its_interval(power: float) -> None:
    exponent = growing(power, shake=0.1).exponent()
    assert exponent is not None
    assert exponent.low <= power <= exponent.high
    assert exponent.value == pytest.approx(power, abs=0.02)
    assert exponent.tenfold == pytest.approx(10**power, rel=0.05)


def test_the_interval_widens_where_the_runs_disagree() -> None:
    calm, wild = growing(1, shake=0.01).exponent(), growing(1, shake=0.5).exponent()
    assert calm is not None
    assert wild is not None
    assert wild.high - wild.low > 5 * (calm.high - calm.low)


def test_two_points_have_no_exponent() -> None:
    assert Series("two", [Point(1, [1.0]), Point(10, [10.0])]).exponent() is None


def test_a_picture_tells_who_does_not_see_it_what_it_shows_and_follows_light_and_dark() -> None:
    drawn = ElementTree.fromstring(svg(PLOT))
    assert drawn.get("role") == "img"
    assert drawn.findtext(f"{SVG}title") == "Goods & prices"
    told = drawn.findtext(f"{SVG}desc") or ""
    assert told == described(PLOT)
    assert "power 1: 1,000 at 1k, 10,000 at 10k, 100,000 at 100k, exponent +1.00" in told
    assert "prefers-color-scheme: dark" in (drawn.findtext(f"{SVG}style") or "")


def test_lines_stay_within_the_picture_and_rise_where_cost_grows() -> None:
    drawn = ElementTree.fromstring(svg(PLOT))
    lines = [one.get("points") or "" for one in drawn.iter(f"{SVG}polyline")]
    places = [[tuple(map(float, pair.split(","))) for pair in line.split()] for line in lines]
    assert len(places) == 3
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for line in places for x, y in line)
    (_, first), (_, middle), (_, last) = places[0]
    assert first - middle == pytest.approx(middle - last, abs=0.2)  # in proportion is straight
    assert first > middle > last


def test_names_at_the_ends_do_not_lie_on_each_other() -> None:
    lines = [Series(f"line {n}", [Point(1, [1 + n / 1000]), Point(10, [1 + n / 1000])]) for n in range(4)]
    close = Plot("close", "Close", "", "SKUs", "s", lines)
    ends = sorted(float(y) for y in re.findall(r'style="fill: var\(--own\)" x="\d+" y="([\d.]+)"', svg(close)))
    assert len(ends) == 4
    assert all(after - before >= 14 for before, after in pairwise(ends))


def test_the_page_and_the_numbers_of_a_part_are_kept_when_another_is_measured(tmp_path: Path) -> None:
    first, second = list(PARTS)[:2]
    machine = {"processor": "Toy", "cpus": 2, "memory_mb": 1024, "system": "Linux", "python": "3.11"}
    parts = {
        name: Part(name, PARTS[name].says, "now", "0123456789", 0.5, 90.0, 100_000, machine, [PLOT])
        for name in (first, second)
    }
    save(tmp_path, {second: parts[second]})
    save(tmp_path, {**load(tmp_path), first: parts[first]})
    assert list(load(tmp_path)) == [first, second]
    page = (tmp_path / "scale.md").read_text("utf-8")
    assert page.index(PARTS[first].says) < page.index(PARTS[second].says)
    assert "| power 1 | 1,000 | 10,000 | 100,000 | +1.00 (+1.00 to +1.00) | x 10.00 |" in page
    assert "| *bare reading* | 10.0 | 100 | 1,000 |" in page
    assert json.loads((tmp_path / "scale.json").read_text("utf-8"))[0]["plots"][0]["series"][0]["exponent"]
    assert (tmp_path / "pictures/scale/toy.svg").exists()


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.0123, "0.0123"), (1.0, "1.00"), (12.34, "12.3"), (123.4, "123"), (46_512, "46,500"), (0, "0")],
)
def test_numbers_show_three_digits_that_count(value: float, told: str) -> None:
    assert number(value) == told


def test_axes_show_round_numbers_shortly() -> None:
    assert [short(value) for value in (1, 20, 1_000, 10_000, 1e6, 1e8)] == ["1", "20", "1k", "10k", "1M", "100M"]
