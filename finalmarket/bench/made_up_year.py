"""A year of order lines that nobody sold, of the shape of a real shop's: for benches where no real one is at hand."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

LINES, SKUS, CUSTOMERS = 500_000, 4_500, 4_400
COUNTRIES = (("United Kingdom", 90), ("EIRE", 3), ("Germany", 3), ("France", 2), ("Japan", 1), ("Unspecified", 1))
COLUMNS = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country")


def made_up_year(seed: int, lines: int = LINES) -> pa.Table:
    """Return `lines` order lines in the columns of Online Retail II; the same ones for the same seed.

    One order in five is nobody's, one in six takes back what an earlier one sold, and one line in 250 corrects stock.
    """
    chance = random.Random(seed)  # noqa: S311  not for secrets
    prices = [round(chance.lognormvariate(0.8, 0.8), 2) + 0.01 for _ in range(SKUS)]
    at = datetime(2009, 12, 1, 8, 0, tzinfo=UTC)
    rows: list[tuple[Any, ...]] = []
    number = 489_000
    while len(rows) < lines:
        number += 1
        at += timedelta(seconds=chance.randrange(1, 2 * 365 * 86_400 * 18 // lines))
        customer = float(12_000 + int(CUSTOMERS * chance.random() ** 2)) if chance.random() < 0.8 else None
        country = chance.choices([name for name, _ in COUNTRIES], [weight for _, weight in COUNTRIES])[0]
        head = (at.strftime("%Y-%m-%d %H:%M:%S"), customer, country)
        kind = chance.random()
        if rows and kind < 0.16:
            sold = [row for row in chance.choices(rows, k=2) if row[3] > 0 and row[6] is not None]
            rows += [(f"C{number}", *row[1:3], -row[3], head[0], row[5], row[6], row[7]) for row in sold]
        elif kind < 0.23:
            sku = chance.randrange(SKUS)
            rows.append((str(number), _code(sku), "damaged", -chance.randrange(1, 20), head[0], 0.0, None, country))
        else:
            rows += _order(chance, str(number), head, prices)
    columns = list(zip(*rows[:lines], strict=True))
    return pa.table(dict(zip(COLUMNS, map(list, columns), strict=True)))


def _order(chance: random.Random, number: str, head: tuple[Any, ...], prices: list[float]) -> list[tuple[Any, ...]]:
    """The lines of one order: a few best-sellers, many others, now and then postage."""
    at, customer, country = head
    rows: list[tuple[Any, ...]] = []
    for _ in range(min(400, 1 + int(chance.expovariate(1 / 24)))):
        sku = int(SKUS * chance.random() ** 2)
        units = chance.choice((1, 1, 2, 3, 4, 6, 12, 24))
        rows.append((number, _code(sku), f"THING NO. {sku}", units, at, prices[sku], customer, country))
    if chance.random() < 0.05:
        rows.append((number, "POST", "POSTAGE", 1, at, 18.0, customer, country))
    return rows


def _code(sku: int) -> str:
    return str(20_000 + sku)
