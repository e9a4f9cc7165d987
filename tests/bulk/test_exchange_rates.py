"""Exchange rates come in by date, whatever wrote the file; what cannot be a rate is refused by name."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finalmarket import cli
from finalmarket.analytics.models import ExchangeRate, Merchant
from finalmarket.bulk import exchange_rates
from finalmarket.bulk.plan import Counts
from tests.bulk.conftest import WriteFile

pytestmark = pytest.mark.django_db


def stored() -> list[tuple[date, str, str, Decimal]]:
    rows = ExchangeRate.objects.order_by("date", "base", "quote")
    return list(rows.values_list("date", "base", "quote", "rate"))


def test_rates_come_in_by_the_command_and_change_by_it(write: WriteFile, capsys: pytest.CaptureFixture[str]) -> None:
    first = write("rates.csv", "date,base,quote,rate", "2026-03-02,EUR,USD,1.0842", "2026-03-03,EUR,USD,1.09")
    assert cli.run(["import", "rates", str(first)]) == 0
    assert "2 created" in capsys.readouterr().out
    second = write("more.csv", "Date;Base;Quote;Rate", "2026-03-03;eur;usd;1.0901", "2026-03-02;EUR;USD;1.0842")
    assert cli.run(["import", "rates", str(second)]) == 0
    assert "1 changed, 1 unchanged" in capsys.readouterr().out
    assert stored() == [
        (date(2026, 3, 2), "EUR", "USD", Decimal("1.0842")),
        (date(2026, 3, 3), "EUR", "USD", Decimal("1.0901")),
    ]


def test_a_parquet_file_of_days_and_floats_is_read_as_it_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "rates.parquet"
    pq.write_table(pa.table({"date": [date(2026, 3, 2)], "base": ["GBP"], "quote": ["JPY"], "rate": [191.1]}), path)
    with exchange_rates.plan(path) as plan:
        assert plan.apply() == Counts(created=1)
    assert stored() == [(date(2026, 3, 2), "GBP", "JPY", Decimal("191.1"))]


def test_without_a_quote_the_merchants_currency_is_meant() -> None:
    Merchant.objects.create(currency="SEK")
    with exchange_rates.plan([{"date": "2026-03-02", "base": "EUR", "rate": "11.2"}]) as plan:
        plan.apply()
    assert stored() == [(date(2026, 3, 2), "EUR", "SEK", Decimal("11.2"))]


@pytest.mark.parametrize(("row", "column", "reason"), [
    ({"rate": "0"}, "rate", "above zero"), ({"rate": "-1.2"}, "rate", "above zero"),
    ({"rate": "1,08"}, "rate", "a point, not a comma"), ({"rate": "NaN"}, "rate", "is not a rate"),
    ({"rate": ""}, "rate", "is empty"), ({"rate": "1.00000000001"}, "rate", "ten digits after the point"),
    ({"rate": "99999999999"}, "rate", "beyond any rate"), ({"date": "02.03.2026"}, "date", "is no day"),
    ({"date": "2026-02-30"}, "date", "is no day"), ({"date": "0001-01-01"}, "date", "outside the years"),
    ({"base": "EURO"}, "base", "unknown currency"), ({"quote": "EUR"}, "quote", "is the base itself"),
])  # fmt: skip
def test_what_cannot_be_a_rate_is_refused(row: dict[str, str], column: str, reason: str) -> None:
    good = {"date": "2026-03-02", "base": "EUR", "quote": "USD", "rate": "1.08"}
    with exchange_rates.plan([good | row, good | {"date": "2026-03-04"}]) as plan:
        ((_, problem),) = plan.refusals()
        plan.apply()
    assert (problem.column, reason in problem.reason) == (column, True), problem.reason
    assert len(stored()) == 1


def test_two_rates_for_one_day_are_both_refused() -> None:
    row = {"date": "2026-03-02", "base": "EUR", "quote": "USD"}
    with exchange_rates.plan(
        [row | {"rate": "1.08"}, row | {"rate": "1.09"}, row | {"base": "GBP", "rate": "1.3"}]
    ) as plan:
        assert [line for line, _ in plan.refusals()] == [1, 2]
        assert plan.apply().created == 1
