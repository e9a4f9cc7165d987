"""Scores pairs of persons: how probable it is that they are one, and what each thing that was compared says."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from tempfile import TemporaryDirectory
from typing import Any

from finalmarket.customers.linkage.pairs import BLOCKS, PAIRS_PER_PERSON, affordable
from finalmarket.customers.linkage.records import COLUMNS, Record, columns_of
from finalmarket.customers.linkage.training import learn, linker_of
from finalmarket.customers.linkage.weights import COMPARISONS, Weights
from finalmarket.kernel.errors import UserError

FLOOR = 0.1
"""Pairs below this probability are forgotten; those above it, too weak to be suggested, still support others."""
RECORDS_AT_ONCE = 10_000
THREADS = 2
MEMORY = "2GB"
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Pair:
    """Two persons, the smaller number first, and the probability that they are one. `levels` has the level of each of
    `COMPARISONS`, 0 being the closest, UNKNOWN where it could not be compared."""

    one: int
    other: int
    probability: float
    levels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scored:
    """All pairs above the floor in the order of their numbers, how many persons were read, and what counted."""

    persons: int
    pairs: list[Pair]
    weights: Weights


def is_installed() -> bool:
    """Whether the extra is there."""
    return all(importlib.util.find_spec(name) is not None for name in ("splink", "duckdb"))


def score(records: Iterable[Record], *, threads: int = THREADS) -> Scored:
    """Compare persons with each other as far as `pairs.py` goes. Raises UserError where the extra is not installed.

    The records are read once, in portions; DuckDB keeps them, and what does not fit 2 GB of memory goes to disk.
    """
    if not is_installed():
        raise UserError("scored suggestions need Splink; install it with: pip install 'finalmarket[linkage]'")
    import duckdb

    with TemporaryDirectory() as place, duckdb.connect(config=_settings(threads, place)) as connection:
        persons = _load(connection, records)
        columns = _filled(connection)
        weights = learn(connection, persons, columns)
        rules = affordable(connection, BLOCKS, columns, PAIRS_PER_PERSON * persons)
        if not rules:
            return Scored(persons, [], weights)
        linker = linker_of(connection, weights, rules, columns)
        found = linker.inference.predict(threshold_match_probability=FLOOR, warning_mode="never")
        return Scored(persons, list(_pairs(connection, found.physical_name, columns)), weights)


def _settings(threads: int, place: str) -> dict[str, Any]:
    return {"threads": threads, "memory_limit": MEMORY, "temp_directory": place}


def _load(connection: Any, records: Iterable[Record]) -> int:
    import pyarrow

    others = ", ".join(f"{name} VARCHAR" for name in COLUMNS if name != "person")
    connection.execute(f"CREATE TABLE records (person BIGINT, {others})").fetchall()
    schema = pyarrow.schema([(name, pyarrow.int64() if name == "person" else pyarrow.string()) for name in COLUMNS])
    waiting = iter(records)
    loaded = 0
    while portion := list(islice(waiting, RECORDS_AT_ONCE)):
        connection.register("portion", pyarrow.table(columns_of(portion), schema=schema))
        connection.execute("INSERT INTO records SELECT * FROM portion").fetchall()
        connection.unregister("portion")
        loaded += len(portion)
    return loaded


def _filled(connection: Any) -> set[str]:
    """The columns in which two persons can be compared."""
    counts = ", ".join(f"count({name})" for name in COLUMNS)
    counted = connection.execute(f"SELECT {counts} FROM records").fetchall()  # noqa: S608
    return {name for name, number in zip(COLUMNS, counted[0], strict=True) if number > 1}


def _pairs(connection: Any, table: str, columns: set[str]) -> Iterator[Pair]:
    gammas = [
        f"CASE WHEN gamma_{one.column} < 0 THEN {UNKNOWN} ELSE {len(one.levels) - 1} - gamma_{one.column} END"
        if one.column in columns
        else str(UNKNOWN)
        for one in COMPARISONS
    ]
    rows = connection.execute(
        f"SELECT least(person_l, person_r), greatest(person_l, person_r), match_probability, {', '.join(gammas)} "  # noqa: S608
        f"FROM {table} ORDER BY 1, 2"
    ).fetchall()
    return (Pair(one, other, probability, tuple(levels)) for one, other, probability, *levels in rows)
