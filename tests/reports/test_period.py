"""The report of a period: what it says is what is stored, nothing in it runs, and it needs no other file."""

from __future__ import annotations

import csv
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from django.db import DatabaseError

from finalmarket.analytics import incremental
from finalmarket.analytics.rollup import restate
from finalmarket.bulk.period import write_report
from finalmarket.bulk.period.charts import line, stacked_bars
from finalmarket.bulk.period.figures import collect
from finalmarket.channels.models import SalesChannel
from finalmarket.cli.report import command
from finalmarket.kernel.errors import UserError
from tests.analytics import book

pytestmark = pytest.mark.django_db

MAY, END = date(2026, 5, 1), date(2026, 5, 31)


def told(name: str = "Shop", **facts: str) -> SalesChannel:
    """A channel with two orders in May, and one in April."""
    channel = book.channel(name, **facts)
    ann = book.customer("Ann")
    for day, goods in ((3, "10.00"), (20, "30.00")):
        book.order(channel, datetime(2026, 5, day, 12, tzinfo=UTC), goods=goods, buyer=ann)
    before = book.order(channel, datetime(2026, 4, 20, 12, tzinfo=UTC), goods="20.00", buyer=ann)
    book.journey(channel, before.placed_at + timedelta(days=20), ann)
    restate(channel, date(2026, 4, 1), END)
    return channel


class Elements(HTMLParser):
    """The tags of a page with their attributes, and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def page(path: Path) -> str:
    write_report(MAY, END, path)
    return path.read_text(encoding="utf-8")


def test_a_report_sums_a_period_beside_the_one_before() -> None:
    told()
    (only,) = collect(MAY, END).lines
    assert (only.now.counts["orders_count"], only.before.counts["orders_count"]) == (2, 1)
    assert (only.now.amounts["revenue"], only.before.amounts["revenue"]) == (Decimal(40), Decimal(20))
    assert only.now.average_order_value == Decimal("20.00")
    assert only.now.conversion_rate == 0


def test_a_page_needs_nothing_besides_itself_and_runs_nothing(tmp_path: Path) -> None:
    told()
    elements = Elements(page(tmp_path / "may.html"))
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in elements.tags}
    outside = [name for _, attrs in elements.tags for name in attrs if name in {"src", "href"} or name.startswith("on")]
    assert outside == []
    assert "url(" not in (tmp_path / "may.html").read_text(encoding="utf-8")


def test_a_channel_with_a_wicked_name_stays_text(tmp_path: Path) -> None:
    told("<script>alert(1)</script>", slug="wicked")
    text = page(tmp_path / "may.html")
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_charts_are_well_formed_and_say_what_they_show(tmp_path: Path) -> None:
    told()
    charts = re.findall(r"<svg.*?</svg>", page(tmp_path / "may.html"), re.DOTALL)
    assert len(charts) >= 3
    for chart in charts:
        root = ElementTree.fromstring(chart)
        title = root.find("title")
        assert title is not None and title.text == root.get("aria-label")


def test_bars_are_as_high_as_their_values() -> None:
    chart = ElementTree.fromstring(stacked_bars("Sales", ["a", "b"], [("Shop", [10.0, 20.0])]))
    low, high = (float(bar.get("height", "0")) for bar in chart.iter("rect"))
    assert high == pytest.approx(2 * low, abs=0.2)


def test_a_refund_beyond_the_sales_hangs_below_the_line() -> None:
    chart = ElementTree.fromstring(stacked_bars("Net", ["a", "b"], [("Shop", [10.0, -10.0])]))
    up, down = chart.iter("rect")
    bottom = float(up.get("y", "0")) + float(up.get("height", "0"))
    assert float(down.get("y", "0")) == pytest.approx(bottom, abs=0.2)


def test_a_line_is_broken_where_there_is_no_rate() -> None:
    chart = ElementTree.fromstring(line("Rate", list("abcde"), [0.1, 0.2, None, 0.3, 0.1]))
    assert len(list(chart.iter("polyline"))) == 2


def test_a_table_of_days_holds_the_stored_figures_in_csv_and_parquet(tmp_path: Path) -> None:
    channel = told()
    write_report(MAY, END, tmp_path / "may.csv")
    write_report(MAY, END, tmp_path / "may.parquet")
    with (tmp_path / "may.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 31
    assert {row["channel"] for row in rows} == {channel.slug}
    assert sum(Decimal(row["revenue"]) for row in rows) == Decimal(40)
    table = pq.read_table(tmp_path / "may.parquet")
    assert sum(value.as_py() for value in table["revenue"]) == Decimal(40)


def test_a_period_without_anything_says_so(tmp_path: Path) -> None:
    assert "Nothing was ordered" in page(tmp_path / "may.html")


@pytest.mark.parametrize("name", ["may.pdf", "missing/may.html"])
def test_a_report_that_cannot_be_written_is_refused_in_words(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=re.escape(name.rpartition("/")[0] or "ending")):
        write_report(MAY, END, tmp_path / name)
    with pytest.raises(UserError, match="before it begins"):
        write_report(END, MAY, tmp_path / "may.html")
    assert list(tmp_path.iterdir()) == []


def test_a_report_says_when_something_that_changed_is_not_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*given: object) -> None:
        raise DatabaseError

    told()
    words = ["--from", str(MAY), "--to", str(END), "--out", str(tmp_path / "may.csv")]
    with monkeypatch.context() as patch:
        patch.setattr(incremental, "_complete", stumble)
        late = CliRunner().invoke(command, words, catch_exceptions=False)
    whole = CliRunner().invoke(command, words, catch_exceptions=False)
    assert ["Not all that changed" in one.output for one in (late, whole)] == [True, False]
    assert (late.exit_code, whole.exit_code) == (0, 0)
