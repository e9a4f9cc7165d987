"""The daily figures of the British shop, straight from its file: plain Python over the rows, and nothing of the house
but its mapping's lists of countries and stock codes.

Said in words: an invoice is an order of the channel to which its country belongs, on the day that stands on it. Lines
below zero without a price, on invoices that are no cancellation, are corrections of the stock and no sale. Revenue is
goods less discounts, to the cent by invoice. A cancellation takes back the latest earlier sale of the same customer and
article that has units left, then the one before it; its money goes back as far as the invoice was paid.
"""

from __future__ import annotations

import fnmatch
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

CENT, FINE = Decimal("0.01"), Decimal("0.0001")
ELSEWHERE = "Online Retail"
Key = tuple[str, date]


def rounded(amount: Decimal, step: Decimal = CENT) -> Decimal:
    return amount.quantize(step, rounding=ROUND_HALF_UP)


@dataclass
class Line:
    """Units of one article on an invoice, and how many of them have not come back."""

    article: str
    is_goods: bool
    units: int
    open: int


@dataclass
class Invoice:
    """A sale with its sums, and what went back: by the cancellation that took it."""

    number: int
    channel: str
    at: datetime
    customer: str | None
    everything: Decimal = Decimal(0)
    services: Decimal = Decimal(0)
    lines: list[Line] = field(default_factory=list)
    back: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @property
    def revenue(self) -> Decimal:
        return rounded(self.everything) - rounded(self.services)

    @property
    def refund(self) -> Decimal:
        total = rounded(self.everything)
        paid = min(max(total, Decimal(0)), sum((rounded(amount) for amount in self.back.values()), Decimal(0)))
        return rounded(paid * self.revenue / total, FINE) if total else Decimal(0)


def moment(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(str(row["InvoiceDate"]))


class Shop:
    """The year as it is read, line by line."""

    def __init__(self, mapping: Path) -> None:
        rules = tomllib.loads(mapping.read_text())
        self.channels = {country: rule["channel"] for rule in rules["channels"]["rules"] for country in rule["values"]}
        self.kinds = {kind: rules["lines"][kind] for kind in ("shipping", "fee", "discount", "adjustment")}
        self.known: dict[str, str] = {}
        self.invoices: dict[tuple[str, str], Invoice] = {}
        self.sales: dict[tuple[str, str], list[tuple[Invoice, Line]]] = defaultdict(list)

    def kind(self, code: str) -> str:
        if code not in self.known:
            folded = code.casefold()  # gift_0001_80 is a voucher, too
            found = [
                kind for kind, codes in self.kinds.items()
                if any(fnmatch.fnmatchcase(folded, one.casefold()) for one in codes)
            ]  # fmt: skip
            self.known[code] = found[0] if found else "goods"
        return self.known[code]

    def read(self, row: dict[str, Any]) -> None:
        number, code, units = str(row["Invoice"]), str(row["StockCode"]).strip(), int(row["Quantity"])
        price = Decimal(str(row["Price"]))
        kind = "adjustment" if number.startswith("A") else self.kind(code)
        known = row["Customer ID"]
        customer = None if known is None or known != known else str(known)
        article = code.casefold() if kind == "goods" else code
        if units < 0 and number.startswith("C"):
            self.take_back(number, article, customer, -units, price, moment(row))
        elif not (units < 0 and kind == "goods"):
            self.sell(number, row, kind, article, customer, units, price)

    def sell(
        self,
        number: str,
        row: dict[str, Any],
        kind: str,
        article: str,
        customer: str | None,
        units: int,
        price: Decimal,
    ) -> None:
        channel = self.channels.get(row["Country"], ELSEWHERE)
        key = number, channel
        if key not in self.invoices:
            self.invoices[key] = Invoice(len(self.invoices), channel, moment(row), customer)
        invoice = self.invoices[key]
        invoice.everything += units * price
        if kind not in ("goods", "discount"):
            invoice.services += units * price
        line = Line(article, kind == "goods", units, max(units, 0))
        invoice.lines.append(line)
        if customer is not None:
            self.sales[customer, article].append((invoice, line))

    def take_back(
        self, number: str, article: str, customer: str | None, units: int, price: Decimal, at: datetime
    ) -> None:
        if customer is None:
            return
        known = self.sales[customer, article]
        for place in sorted(range(len(known)), key=lambda place: (known[place][0].at, place), reverse=True):
            invoice, line = known[place]
            if not units:
                return
            if invoice.at < at and line.open:
                taken = min(units, line.open)
                line.open -= taken
                units -= taken
                invoice.back[number] += taken * price


def figures(file: Path, mapping: Path) -> dict[Key, dict[str, Any]]:
    """The figures of each channel and day that had an order."""
    shop = Shop(mapping)
    for batch in pq.ParquetFile(file).iter_batches(50_000):
        for row in batch.to_pylist():
            shop.read(row)
    days: dict[Key, list[Invoice]] = defaultdict(list)
    for invoice in shop.invoices.values():
        days[invoice.channel, invoice.at.date()].append(invoice)
    first = first_invoices(shop, lambda invoice: "")
    first_here = first_invoices(shop, lambda invoice: invoice.channel)
    so_far: dict[str, int] = defaultdict(int)
    found = {}
    for (channel, day), invoices in sorted(days.items(), key=lambda item: item[0][1]):
        so_far[channel] += sum(1 for one in invoices if first_here.get((one.customer, channel)) is one)
        new = sum(1 for one in invoices if first.get((one.customer, "")) is one)
        found[channel, day] = sheet(invoices, new) | {"customer_count": so_far[channel]}
    return found


def first_invoices(shop: Shop, place: Any) -> dict[tuple[str | None, str], Invoice]:
    first: dict[tuple[str | None, str], Invoice] = {}
    for invoice in sorted(shop.invoices.values(), key=lambda one: (one.at, one.number)):
        if invoice.customer is not None:
            first.setdefault((invoice.customer, place(invoice)), invoice)
    return first


def sheet(invoices: list[Invoice], new: int) -> dict[str, Any]:
    revenue = sum((one.revenue for one in invoices), Decimal(0))
    refunds = sum((one.refund for one in invoices), Decimal(0))
    goods = [line for one in invoices for line in one.lines if line.is_goods]
    unique = len({one.customer for one in invoices} - {None})
    sold, back = sum(line.units for line in goods), sum(line.units - line.open for line in goods)
    return {
        "orders_count": len(invoices), "revenue": revenue, "refunds": refunds, "net_revenue": revenue - refunds,
        "average_order_value": rounded(revenue / len(invoices), FINE), "unique_customers": unique,
        "new_customers": new, "returning_customers": unique - new, "units_sold": sold, "units_returned": back,
        "return_rate": rounded(Decimal(back) / sold, Decimal("0.000001")) if sold else None,
    }  # fmt: skip
