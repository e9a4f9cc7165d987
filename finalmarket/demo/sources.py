"""What the demo is made of: the files in `data/`, and chance."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

DATA = Path(__file__).with_name("data")


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product of the catalogue. `options` are names with their values and what each value adds to the price (EUR)."""

    category: str
    title: str
    brand: str
    price: Decimal
    cost_percent: int
    grams: int
    size_mm: tuple[int, int, int]
    origin: str
    hs_code: str
    tax_class: str
    season: str
    options: tuple[tuple[str, tuple[tuple[str, Decimal], ...]], ...]
    description: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where postcodes that begin with `prefix` lie; `weight` says how many customers live there, 0: a whole country."""

    country: str
    prefix: str
    city: str
    latitude: float
    longitude: float
    weight: int


@dataclass(frozen=True, slots=True)
class Names:
    """The names and streets of a country."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    streets: tuple[str, ...]


def chance(seed: int, part: str) -> random.Random:
    """Return the generator of one part of the demo."""
    return random.Random(f"finalmarket demo {seed} {part}")  # noqa: S311  chance, not secrecy


@cache
def product_rows() -> tuple[ProductRow, ...]:
    """Return the catalogue."""
    return tuple(
        ProductRow(
            category=row["category"],
            title=row["title"],
            brand=row["brand"],
            price=Decimal(row["price"]),
            cost_percent=int(row["cost"]),
            grams=int(row["grams"]),
            size_mm=_size(row["size"]),
            origin=row["origin"],
            hs_code=row["hs"],
            tax_class=row["tax"],
            season=row["season"],
            options=tuple(_option(text) for text in row["options"].split(", ")),
            description=row["description"],
        )
        for row in _rows("products.csv")
    )


@cache
def places() -> tuple[Place, ...]:
    """Return the postcode table."""
    return tuple(
        Place(
            row["country"],
            row["prefix"],
            row["city"],
            float(row["latitude"]),
            float(row["longitude"]),
            int(row["weight"]),
        )
        for row in _rows("places.csv")
    )


@cache
def names() -> dict[str, Names]:
    """Return the names of each country."""
    return {
        row["country"]: Names(_words(row["given"]), _words(row["family"]), _words(row["streets"]))
        for row in _rows("people.csv")
    }


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter=";", strict=True)


def _size(text: str) -> tuple[int, int, int]:
    length, width, height = (int(part) for part in text.split("x"))
    return length, width, height


def _option(text: str) -> tuple[str, tuple[tuple[str, Decimal], ...]]:
    """Read `Size: Small/Large+20`."""
    name, values = text.split(": ")
    found = []
    for value in values.split("/"):
        label, _, more = value.partition("+")
        found.append((label, Decimal(more or 0)))
    return name, tuple(found)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("|") if "|" in text else text.split())


def pick_weighted(dice: random.Random, choices: Sequence[tuple[str, int]]) -> str:
    """Return one of the names, by their weights."""
    return dice.choices([name for name, _ in choices], [weight for _, weight in choices])[0]
