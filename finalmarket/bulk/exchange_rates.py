"""Exchange rates by date: what one unit of a currency was worth in another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar

import pyarrow as pa

from finalmarket.bulk.columns import Column
from finalmarket.bulk.plan import Given, Importer, Plan, make_plan
from finalmarket.bulk.stage import Stage
from finalmarket.bulk.values import CURRENCY, Kind
from finalmarket.kernel import money
from finalmarket.kernel.errors import UserError

FINEST = Decimal("0.0000000001")
MOST = Decimal(10) ** 10
YEARS = range(1900, 2200)


def _read_day(cell: Any) -> date:
    try:
        day = cell if isinstance(cell, date) else date.fromisoformat(str(cell).strip())
    except ValueError:
        raise ValueError("is no day; write 2026-12-24") from None
    if isinstance(day, datetime):
        moment = day.astimezone(UTC) if day.tzinfo else day
        if (moment.hour, moment.minute, moment.second, moment.microsecond) != (0, 0, 0, 0):
            raise ValueError("has a time of day; a rate is for a whole day, such as 2026-12-24")
        day = moment.date()
    if day.year not in YEARS:
        raise ValueError(f"lies outside the years {YEARS.start} to {YEARS.stop - 1}")
    return day


def _read_rate(cell: Any) -> Decimal:
    if isinstance(cell, bool) or not isinstance(cell, (str, int, float, Decimal)):
        raise ValueError("is not a number")
    text = f"{cell:.10f}" if isinstance(cell, float) else str(cell)
    try:
        rate = money.parse(text)
    except UserError:
        hint = "; write a point, not a comma" if "," in text else ""
        raise ValueError(f"is not a rate: digits with a point are expected, such as 1.0842{hint}") from None
    if rate <= 0:
        raise ValueError("must be above zero")
    if rate >= MOST:
        raise ValueError("is beyond any rate: at most ten digits stand before the point")
    if rate.quantize(FINEST) != rate:
        raise ValueError("has more than ten digits after the point")
    return rate


DAY = Kind("date", _read_day, date.isoformat, pa.date32(), is_native=True)
RATE = Kind("numeric", _read_rate, lambda rate: f"{rate.normalize():f}", pa.decimal128(20, 10), is_native=True)


class ExchangeRates(Importer):
    """What one unit of the base is worth in the quote, from that day on until the next rate of the two."""

    name = "rates"
    key: ClassVar = ("date", "base", "quote")
    on: ClassVar = "old.date = new.date AND old.base = new.base AND old.quote = new.quote"
    columns: Sequence[Column] = (
        Column("date", DAY, "The day from which on the rate holds, until the next one: 2026-12-24.", is_required=True),
        Column("base", CURRENCY, "The currency of which one unit is meant, ISO 4217: USD.", is_required=True),
        Column("quote", CURRENCY, "The currency that it is worth; empty or absent: that of the merchant."),
        Column("rate", RATE, "Units of the quote for one unit of the base: 0.9124.", is_required=True),
    )

    def current(self) -> str:
        """The rates that are stored."""
        return "SELECT true AS found, date, base, quote, rate FROM exchange_rates"

    def check(self, stage: Stage) -> None:
        """Refuse a currency that is worth itself, and two rates for one day."""
        stage.run("UPDATE {stage} SET quote = merchant_currency() WHERE quote IS NULL")
        stage.refuse("quote", "'is the base itself; one ' || new.base || ' is one'", "new.base = new.quote")
        stage.refuse_contradictions(self.key, "day and currencies")

    def write(self, stage: Stage) -> None:
        """Store the rates; the figures from the earliest day on follow (analytics/changes.sql)."""
        stage.run(
            """INSERT INTO exchange_rates (date, base, quote, rate)
               SELECT date, base, quote, rate FROM {stage}
               WHERE action IN ('create', 'change') ORDER BY base, quote, date
               ON CONFLICT (base, quote, date) DO UPDATE SET rate = excluded.rate"""
        )


def plan(given: Given, **reading: Any) -> Plan:
    """Plan rates from a file or from rows; see `plan.py`. Raises UserError for a file that cannot be used."""
    return make_plan(ExchangeRates(), given, **reading)
