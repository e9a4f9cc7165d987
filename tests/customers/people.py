"""People with known truth: the public sets of records of which one knows who is who, and how well pairs hit that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from finalmarket.customers.linkage.records import Record, record

FOLDER = "person-linkage"
QUERIES = {
    "fake_1000": "SELECT unique_id::VARCHAR AS id, cluster::VARCHAR AS truth, first_name, surname, dob AS birth_date, "
    "city, email FROM read_csv('{0}/fake_1000.csv.gz') ORDER BY unique_id",
    "febrl3": "SELECT trim(rec_id) AS id, split_part(trim(rec_id), '-', 2) AS truth, given_name AS first_name, "
    "surname, date_of_birth AS birth_date, postcode, suburb AS city, address_1 AS street "
    "FROM read_csv('{0}/febrl_dataset3.csv.gz', all_varchar = true) ORDER BY id",
    "historical_50k": "SELECT unique_id AS id, cluster AS truth, first_name, surname, dob AS birth_date, "
    "postcode_fake AS postcode, birth_place AS city "
    "FROM '{0}/historical_figures_with_errors_50k.parquet' ORDER BY id",
}


@dataclass(frozen=True)
class People:
    """Records numbered from 1, and who each of them is."""

    records: list[Record]
    truth: dict[int, str]

    @property
    def true_pairs(self) -> int:
        return sum(number * (number - 1) // 2 for number in Counter(self.truth.values()).values())

    def of_pairs(self, pairs: Iterable[tuple[int, int]]) -> Quality:
        """How well pairs hit the truth."""
        found = list(pairs)
        return Quality(sum(self.truth[one] == self.truth[other] for one, other in found), len(found), self.true_pairs)

    def of_groups(self, groups: Iterable[Collection[int]]) -> Quality:
        """How well all pairs within groups hit the truth."""
        right = told = 0
        for group in groups:
            told += len(group) * (len(group) - 1) // 2
            right += sum(n * (n - 1) // 2 for n in Counter(self.truth[one] for one in group).values())
        return Quality(right, told, self.true_pairs)


@dataclass(frozen=True)
class Quality:
    """Pairs that are right, that were told, and that are true."""

    right: int
    told: int
    true: int

    @property
    def precision(self) -> float:
        return self.right / self.told if self.told else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.true

    def __str__(self) -> str:
        return f"precision {self.precision:.4f}, recall {self.recall:.4f} ({self.told:,} pairs)"


def people(folder: Path, name: str) -> People:
    """Read one of the three sets."""
    with duckdb.connect() as connection:
        answer = connection.execute(QUERIES[name].format(folder / FOLDER))
        columns = [column[0] for column in answer.description]
        rows: Sequence[Sequence[Any]] = answer.fetchall()
    told = [dict(zip(columns, row, strict=True)) for row in rows]
    return People(
        [record(number, row) for number, row in enumerate(told, 1)],
        {number: row["truth"] for number, row in enumerate(told, 1)},
    )


def strung_together(pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Connected components, without any guard."""
    upper: dict[int, int] = {}

    def root(one: int) -> int:
        while upper.setdefault(one, one) != one:
            upper[one] = upper[upper[one]]
            one = upper[one]
        return one

    for one, other in pairs:
        upper[root(one)] = root(other)
    groups: dict[int, list[int]] = {}
    for one in upper:
        groups.setdefault(root(one), []).append(one)
    return list(groups.values())
