"""People who buy, for the tests of lifetime value: the 2,357 of CDNOW, and others made up by the model itself."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from finalmarket.bench import lifetime

Floats = NDArray[np.float64]
END_OF_CALIBRATION = date(1997, 9, 30)
END_OF_TIME = date(1998, 6, 30)


@dataclass(frozen=True)
class Buyers:
    """People by x, t_x and T in weeks, and the mean amount of their repeat orders."""

    x: Floats
    t_x: Floats
    age: Floats
    mean: Floats


def shipped(folder: Path) -> Buyers:
    """The people of the paper, as its authors summed them up."""
    with gzip.open(folder / "cdnow_customers_summary_with_transactions.csv.gz", "rt") as file:
        rows = [[float(one) for one in row[1:5]] for row in list(csv.reader(file))[1:]]
    return Buyers(*np.array(rows).T)


def purchases(folder: Path) -> dict[int, dict[date, Decimal]]:
    """What each of the same people bought on which day; purchases of one day are one."""
    found: dict[int, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    with gzip.open(folder / "CDNOW_sample.txt.gz", "rt") as file:
        for line in file:
            _, person, day, _, dollars = line.split()
            when = datetime.strptime(day, "%Y%m%d").date()  # noqa: DTZ007  # a day
            found[int(person)][when] += Decimal(dollars)
    return found


def summed_up(bought: dict[int, dict[date, Decimal]], end: date = END_OF_CALIBRATION) -> Buyers:
    """People by what they bought up to a day."""
    rows = []
    for days in bought.values():
        known = sorted(day for day in days if day <= end)
        if known:
            amounts = [float(days[day]) for day in known[1:]]
            last, age = (known[-1] - known[0]).days / 7, (end - known[0]).days / 7
            rows.append((len(known) - 1, last, age, sum(amounts) / len(amounts) if amounts else 0.0))
    return Buyers(*np.array(rows, dtype=float).T)


def made_up(people: int, seed: int, parameters: tuple[float, ...] = (0.243, 4.414, 0.793, 2.426)) -> Buyers:
    """People who buy as the models say, as the bench makes them up."""
    found = lifetime.made_up(people, seed, parameters)
    return Buyers(found.x, found.t_x, found.age, found.mean)
