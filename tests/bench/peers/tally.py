"""How an oversell is counted, and the shape of the report. Pure: order rows and figures in, numbers out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from finalmarket.bench.report import Figure


@dataclass(frozen=True, slots=True)
class Races:
    """What came of races for last units. Counted from order rows, whatever the buyers were told.

    `oversold_units` are units sold beyond what was there, `oversold_rounds` the races with any, `worst_round` the most
    in one; `unsold_rounds` are races that ended with the last unit sold to nobody.
    """

    rounds: int
    buyers: int
    oversold_units: int
    oversold_rounds: int
    worst_round: int
    unsold_rounds: int


def sold(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Add up order rows (SKU, units ordered and not cancelled) by SKU."""
    found: dict[str, int] = {}
    for sku, units in rows:
        found[sku] = found.get(sku, 0) + units
    return found


def races(stock: Mapping[str, int], units_sold: Mapping[str, int], buyers: int) -> Races:
    """Judge races: what there was of each SKU that was raced for, and what was sold of it.

    Raises ValueError where something was sold that nobody raced for: then the rows are not those of the races.
    """
    if strange := sorted(set(units_sold) - set(stock)):
        raise ValueError(f"order rows name SKUs that were not raced for: {', '.join(strange[:5])}")
    beyond = [max(0, units_sold.get(sku, 0) - there) for sku, there in stock.items()]
    return Races(
        rounds=len(stock),
        buyers=buyers,
        oversold_units=sum(beyond),
        oversold_rounds=sum(1 for units in beyond if units),
        worst_round=max(beyond, default=0),
        unsold_rounds=sum(1 for sku in stock if not units_sold.get(sku, 0)),
    )


@dataclass
class Result:
    """What was found of one peer, or why nothing was (`problem`)."""

    peer: str
    version: str = ""
    settings: str = ""
    problem: str = ""
    figures: list[Figure] = field(default_factory=list)
    races: Races | None = None
    our_races: Races | None = None
    answers: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


def report(machine: Mapping[str, Any], results: Iterable[Result], callers: int) -> dict[str, Any]:
    """The one object that is written: the shape of every bench, and beside its figures what each peer is and sold."""
    found = list(results)
    return {
        "bench": "peers",
        "machine": dict(machine),
        "seed": 1,
        "callers": callers,
        "figures": [asdict(one) for result in found for one in [*result.figures, *_race_figures(result)]],
        "peers": {
            result.peer: {key: value for key, value in asdict(result).items() if key not in ("peer", "figures")}
            for result in found
        },
    }


def _race_figures(result: Result) -> list[Figure]:
    if result.races is None or result.our_races is None:
        return []
    theirs, ours = result.races, result.our_races
    unit = f"units in {theirs.rounds} races of {theirs.buyers} for a last unit"
    name = f"{result.peer}_oversold"
    beside, units = "ours, the same races", theirs.oversold_units
    return [Figure(name, units, unit, beside, ours.oversold_units, None, 1, units, units)]
