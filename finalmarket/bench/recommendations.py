"""Whether recommendations find what people bought afterwards better than the best-seller list does: a year of a real
shop, parted at a day (Online Retail II, Chen 2019), read from its file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as compute
import pyarrow.parquet as parquet
from numpy.typing import NDArray

from finalmarket.advice.recommending.affinity import (
    Ids,
    Numbers,
    Pick,
    Touches,
    affinities,
    best_sellers,
    decayed,
    recommend,
)
from finalmarket.kernel.errors import UserError

PATTERN = "online_retail*.parquet"
DAYS, SHOWN = 30, 20
HABIT_ORDERS, JUST_DAYS = 2, 30


@dataclass(frozen=True, slots=True)
class Purchases:
    """Lines of goods that known customers bought: who, what, on which order, on which day since 1970."""

    persons: Ids
    goods: Ids
    orders: Ids
    days: Numbers

    def rows(self, chosen: NDArray[np.bool_]) -> Purchases:
        """Return a part of them."""
        return Purchases(self.persons[chosen], self.goods[chosen], self.orders[chosen], self.days[chosen])


def evaluate(folder: Path, *, until: date | None = None, days: int = DAYS, people: int | None = None) -> dict[str, Any]:
    """Learn from all that was bought up to `days` before `until` (by default the end), recommend, and look what was
    bought in those days. `people` values only so many. Raises UserError where no such file lies in `folder`."""
    path = next(iter(sorted(folder.glob(PATTERN))), None)
    if path is None:
        raise UserError(f"{folder} holds no file {PATTERN}")
    bought = read(path)
    end = np.floor(bought.days.max()) + 1 if until is None else (until - date(1970, 1, 1)).days
    split = end - days
    before, after = bought.rows(bought.days < split), bought.rows((bought.days >= split) & (bought.days < end))
    wanted = _sets(after, np.intersect1d(before.persons, after.persons)[:people])
    touches = Touches(before.persons, before.goods, decayed(split - before.days))
    known, popular = affinities(touches), best_sellers(touches)
    had, habits = _sets(before, wanted), habits_of(before, wanted, split)
    mine = np.isin(before.persons, np.array(sorted(wanted), np.int64))
    own = Touches(before.persons[mine], before.goods[mine], touches.weights[mine])
    lately = _sets(before.rows(before.days >= split - JUST_DAYS), wanted)
    barred = {person: goods - habits.get(person, set()) for person, goods in lately.items()}
    new = {person: goods - had[person] for person, goods in wanted.items() if goods - had[person]}
    shown = {
        "everything bought": (wanted, recommend(own, known, popular, most=SHOWN, barred=barred), {}),
        "never bought before": (new, recommend(own, known, popular, most=SHOWN, barred=had), had),
    }
    return {
        "data": folder.name, "learned_until": str(_day(split)), "held_out_until": str(_day(end)), "shown": SHOWN,
        "recall": [
            _compared(name, truth, picks, popular, not_shown) for name, (truth, picks, not_shown) in shown.items()
        ],
    }  # fmt: skip


def read(path: Path) -> Purchases:
    """Read the lines that were sold: no cancellations, no adjustments, with a customer, a price and a quantity."""
    table = parquet.read_table(
        path, columns=["Invoice", "StockCode", "Quantity", "InvoiceDate", "Price", "Customer ID"]
    )
    table = table.filter(
        (compute.field("Quantity") > 0) & (compute.field("Price") > 0) & compute.field("Customer ID").is_valid()
        & ~compute.field("Customer ID").is_nan() & ~compute.starts_with(compute.field("Invoice"), "C")
        & ~compute.starts_with(compute.field("Invoice"), "A")
    )  # fmt: skip
    moments = np.array(table.column("InvoiceDate").to_pylist(), "datetime64[s]")
    codes = compute.utf8_upper(table.column("StockCode")).to_numpy()
    return Purchases(
        table.column("Customer ID").to_numpy().astype(np.int64), _numbered(codes),
        _numbered(table.column("Invoice").to_numpy()), moments.astype(np.int64) / 86_400,
    )  # fmt: skip


def habits_of(bought: Purchases, people: Collection[int], now: float) -> dict[int, set[int]]:
    """Return what each of these people buys again and again, and may buy now: on two orders at least, the last of them
    half of their usual gap ago or longer."""
    mine = bought.rows(np.isin(bought.persons, np.array(sorted(people), np.int64)))
    keys = np.stack([mine.persons, mine.goods, mine.orders])
    order = np.lexsort((mine.days, mine.goods, mine.persons))
    found: dict[tuple[int, int], list[float]] = {}
    seen: set[tuple[int, int, int]] = set()
    for person, goods, number, day in zip(*keys[:, order].tolist(), mine.days[order].tolist(), strict=True):
        if (person, goods, number) not in seen:
            seen.add((person, goods, number))
            found.setdefault((person, goods), []).append(day)
    habits: dict[int, set[int]] = {}
    for (person, goods), moments in found.items():
        if len(moments) >= HABIT_ORDERS:
            gap = (moments[-1] - moments[0]) / (len(moments) - 1)
            if now - moments[-1] >= gap / 2:
                habits.setdefault(person, set()).add(goods)
    return habits


def recall(picks: Mapping[int, Collection[int]], wanted: Mapping[int, set[int]]) -> tuple[float, float]:
    """Return the mean share of what each person bought that was shown to them, and its standard error."""
    shares = np.array([len(goods.intersection(picks.get(person, ()))) / len(goods) for person, goods in wanted.items()])
    return float(shares.mean()), float(shares.std(ddof=1) / np.sqrt(shares.size))


def _compared(
    name: str, wanted: Mapping[int, set[int]], picks: Mapping[int, list[Pick]], popular: Mapping[int, float],
    not_shown: Mapping[int, set[int]],
) -> dict[str, Any]:  # fmt: skip
    """Our recall beside that of the best sellers, which leave out the same goods."""
    sellers = list(popular)
    charts = {
        person: [goods for goods in sellers if goods not in not_shown.get(person, ())][:SHOWN] for person in wanted
    }
    ours, error = recall({person: [one.goods for one in picks[person]] for person in wanted}, wanted)
    theirs, their_error = recall(charts, wanted)
    return {
        "of": name, "people": len(wanted), "recall": ours, "standard_error": error, "popularity": theirs,
        "popularity_standard_error": their_error, "ratio": ours / theirs if theirs else None,
    }  # fmt: skip


def _sets(bought: Purchases, people: Collection[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {int(person): set() for person in people}
    for person, goods in zip(bought.persons.tolist(), bought.goods.tolist(), strict=True):
        if person in found:
            found[person].add(goods)
    return found


def _numbered(words: NDArray[Any]) -> Ids:
    return np.unique(words.astype(str), return_inverse=True)[1].astype(np.int64)


def _day(number: float) -> date:
    return date(1970, 1, 1) + timedelta(days=int(number))


def print_found(found: Mapping[str, Any], say: Callable[[str], Any]) -> None:
    """Tell what was found, for a reader."""
    say(f"{found['data']}: learned until {found['learned_until']}, held out until {found['held_out_until']}")
    say(f"{'recall@' + str(found['shown']):24s} {'people':>7s} {'ours':>16s} {'best sellers':>16s} {'ratio':>6s}")
    for one in found["recall"]:
        say(
            f"{one['of']:24s} {one['people']:7,d} {one['recall']:8.4f} ±{one['standard_error']:.4f} "
            f"{one['popularity']:8.4f} ±{one['popularity_standard_error']:.4f} {one['ratio']:6.2f}"
        )
