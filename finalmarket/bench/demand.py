"""How good the forecasts of demand are, on a year of real orders read straight from their file: no database is asked.

The last weeks are kept apart: methods are chosen on what came before them, and judged on these weeks alone. Every
figure stands beside the naive forecast (a week is like the last one) and the moving average of four weeks.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from finalmarket.advice import demand
from finalmarket.advice.demand_methods import BASELINES, METHODS, WEEK, Array, known_mean
from finalmarket.bench.report import Figure, figure
from finalmarket.kernel.errors import UserError

COLUMNS = ["Invoice", "StockCode", "Quantity", "InvoiceDate", "Price"]
JUDGED_WEEKS = 12
FEWEST_WEEKS = 16  # of sale before the weeks that are judged
LEVELS = (0.80, 0.95)


@dataclass(frozen=True, slots=True)
class Series:
    """Units sold by product and day; NaN before a product's first sale. The last column is `last_day`."""

    units: Array
    last_day: date


def read(path: Path) -> Series:
    """Read the daily sales of each product out of the file: invoices only, no cancellations, fees or postage.

    Raises UserError when the file is not there or has other columns.
    """
    if not path.is_file():
        raise UserError(f"there is no file {path}; name one with --file, or set FINALMARKET_TEST_DATA")
    try:
        table = pq.read_table(path, columns=COLUMNS)
    except (KeyError, ValueError) as error:
        raise UserError(f"{path.name} cannot be read as invoice lines: {error}") from error
    is_sale = pc.match_substring_regex(table["Invoice"], "^[0-9]")
    is_product = pc.match_substring_regex(table["StockCode"], "^[0-9]{5}")
    for condition in (is_product, pc.greater(table["Quantity"], 0), pc.greater(table["Price"], 0)):
        is_sale = pc.and_(is_sale, condition)
    table = table.filter(is_sale)
    days = np.array(table["InvoiceDate"].to_pylist(), dtype="datetime64[D]")
    codes = pc.dictionary_encode(table["StockCode"].combine_chunks())
    return _series(codes.indices.to_numpy(), days, table["Quantity"].to_numpy().astype(float), len(codes.dictionary))


def _series(product: Any, days: Any, quantity: Array, count: int) -> Series:
    """Sum up by product and day, in whole weeks from the first day on."""
    first = days.min()
    number = (days - first).astype(int)
    length = (int(number.max()) + 1) // WEEK * WEEK
    units = np.zeros((count, length))
    inside = number < length
    np.add.at(units, (product[inside], number[inside]), quantity[inside])
    began = np.where((units > 0).any(axis=1), (units > 0).argmax(axis=1), length)
    units[np.arange(length)[None] < began[:, None]] = np.nan
    return Series(units, first.astype(object) + timedelta(days=length - 1))


def measure(series: Series) -> list[Figure]:
    """Choose on the weeks before, judge on the last JUDGED_WEEKS, and say how that compares."""
    judged = WEEK * JUDGED_WEEKS
    before = series.units[:, :-judged]
    has_enough = (~np.isnan(before)).sum(axis=1) >= WEEK * FEWEST_WEEKS
    units, before = series.units[has_enough], before[has_enough]
    began = time.perf_counter()
    told = demand.forecast(before, series.last_day - timedelta(days=judged))
    seconds = time.perf_counter() - began
    scale = demand.naive_scale(before, 0)
    with_scale = scale > 0
    errors, biases = _judged(units, before, told, series.last_day)
    mase = {name: error[with_scale] / scale[with_scale] for name, error in errors.items()}
    is_rare = demand.rare(before)[with_scale]
    figures = [
        *_accuracy("mase", mase),
        *_accuracy("mase_rare", mase, is_rare),
        *_accuracy("mase_steady", mase, ~is_rare),
    ]
    figures += _others(told)
    figures += [figure(f"bias_{_word(name)}", "share of demand", [bias]) for name, bias in biases.items()]
    figures += _coverage(units, told)
    figures.append(figure("series", "products", [float(with_scale.sum())]))
    figures.append(figure("forecast_1000_series_s", "s", [seconds / len(units) * 1000]))
    return figures


def _judged(
    units: Array, before: Array, told: demand.Forecast, last_day: date
) -> tuple[dict[str, Array], dict[str, float]]:
    """The mean absolute error of a week, and the bias, of what was chosen and of both baselines, on the last weeks."""
    first_weekday = (last_day.weekday() - units.shape[1] + 1) % WEEK
    answers = {name: method.tell(units) for name, method in METHODS.items()}
    flat = np.ones_like(told.profile)
    origins = JUDGED_WEEKS - demand.HORIZON_WEEKS + 1
    own = demand.backtest(units, answers, told.profile, first_weekday, origins=origins)
    plain = {name: method.tell(units) for name, method in BASELINES.items()}
    base = demand.backtest(units, plain, flat, first_weekday, origins=origins)
    names = list(METHODS)
    best = np.array([names.index(name) if name in names else 0 for name in told.method])
    rows = np.arange(len(units))
    errors = {"chosen": known_mean(own.week_error, 1)[best, rows]}
    sums = {"chosen": own.sum_error[best, :, rows]}
    for number, name in enumerate(plain):
        errors[name], sums[name] = known_mean(base.week_error, 1)[number], base.sum_error[number].T
    came = np.nansum(own.sum_came[0])
    return errors, {name: float(-np.nansum(off) / came) for name, off in sums.items()}


def _accuracy(name: str, mase: dict[str, Array], of: Any = slice(None)) -> list[Figure]:
    """Medians over the products, beside each baseline."""
    chosen = float(np.median(mase["chosen"][of]))
    return [
        figure(f"{name}_median_over_{_word(other)}", "MASE", [chosen], baseline_name=other,
               baselines=[float(np.median(mase[other][of]))])
        for other in BASELINES
    ]  # fmt: skip


def _others(told: demand.Forecast) -> list[Figure]:
    """How many products each method was chosen for."""
    return [
        figure(f"chosen_{_word(name)}", "products", [float(told.method.count(name))])
        for name in METHODS if name in told.method
    ]  # fmt: skip


def _coverage(units: Array, told: demand.Forecast) -> list[Figure]:
    """How often the demand of the first four judged weeks lay within its interval, told before them."""
    days = WEEK * demand.HORIZON_WEEKS
    end = units.shape[1] - WEEK * JUDGED_WEEKS
    came = np.nansum(units[:, end : end + days], axis=1)
    mean, spread = told.over(days)
    found = []
    for level in LEVELS:
        low = demand.quantile(mean, spread, (1 - level) / 2)
        high = demand.quantile(mean, spread, (1 + level) / 2)
        inside = float(((came >= low) & (came <= high)).mean())
        found.append(figure(f"interval_{level:.0%}".replace("%", "") + "_held", "share of products", [inside]))
    met = float((came <= demand.quantile(mean, spread, 0.95)).mean())
    return [*found, figure("service_95_held", "share of products", [met])]


def _word(name: str) -> str:
    return name.lower().replace(" ", "_").replace(".", "")
