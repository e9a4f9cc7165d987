"""How much a platform's listing looks like one of our variants: pure, from 0 to 1, with the reasons in words.

Titles are compared by whole words and by triples of letters, so that plurals and typing errors count for little; how
much of the shorter one stands in the longer one counts, because platforms' titles are stuffed with words. What
contradicts (another size) weighs more than what agrees.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

TITLE, BRAND, OPTIONS, PRICE = 0.62, 0.1, 0.2, 0.08
CONTRADICTION = 0.35
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Described:
    """What is said of a thing on either side. `options` are what sets a variant apart, such as {"colour": "red"}."""

    title: str
    brand: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    price: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """From 0 (nothing in common) to 1, and why."""

    value: float
    reasons: tuple[str, ...]


def score(there: Described, ours: Described) -> Score:
    """How much `there` looks like `ours`. What one side does not say counts neither way."""
    similar = _similar(there.title, ours.title)
    reasons = [f"titles agree by {round(similar * 100)} %"]
    weights, points = TITLE, TITLE * similar
    brand = _agreement(there.brand, ours.brand)
    if brand is not None:
        weights, points = weights + BRAND, points + BRAND * brand
        reasons.append(f"same brand {ours.brand}" if brand >= 1 else f"brand {there.brand}, ours is {ours.brand}")
    contradictions = 0
    options = _options(there, ours)
    for name, option, agrees in options:
        weights, points = weights + OPTIONS / len(options), points + (OPTIONS / len(options) if agrees else 0.0)
        contradictions += not agrees
        reasons.append(f"{name} {option} {'named there too' if agrees else 'is another there'}")
    if there.price and ours.price and there.currency == ours.currency:
        near = max(0.0, 1.0 - abs(_ratio(there.price, ours.price) - 1.0))
        weights, points = weights + PRICE, points + PRICE * near
        reasons.append(f"priced {there.price}, ours {ours.price} {ours.currency}")
    value = points / weights * (1 - CONTRADICTION) ** contradictions
    return Score(round(min(1.0, value), 3), tuple(reasons))


def words(text: str) -> list[str]:
    """The words of a text in small letters, without accents."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return _WORD.findall(plain)


def _similar(first: str, second: str) -> float:
    mine, theirs = words(first), words(second)
    if not mine or not theirs:
        return 0.0
    shared = len(set(mine) & set(theirs)) / min(len(set(mine)), len(set(theirs)))
    first_triples, second_triples = _triples(mine), _triples(theirs)
    common = len(first_triples & second_triples)
    within = common / min(len(first_triples), len(second_triples))
    whole = 2 * common / (len(first_triples) + len(second_triples))
    return (shared + within + whole) / 3


def _triples(text: Iterable[str]) -> set[str]:
    return {f"  {word} "[index : index + 3] for word in text for index in range(len(word) + 1)}


def _agreement(first: str, second: str) -> float | None:
    """1 when both say the same, 0 when they do not, None when one says nothing."""
    mine, theirs = words(first), words(second)
    if not mine or not theirs:
        return None
    return 1.0 if mine == theirs else 0.0


def _options(there: Described, ours: Described) -> list[tuple[str, str, bool]]:
    """What sets our variant apart, and whether the listing says the same: by name where it names it, else anywhere in
    its title or values. An option of which it says nothing is left out."""
    named = {" ".join(words(name)): words(value) for name, value in there.options.items()}
    said = {*words(there.title), *(word for value in named.values() for word in value)}
    found = []
    for name, value in ours.options.items():
        wanted = words(value)
        told = named.get(" ".join(words(name)))
        if told is not None:
            found.append((name, value, told == wanted))
        elif wanted and set(wanted) <= said:
            found.append((name, value, True))
    return found


def _ratio(first: Decimal, second: Decimal) -> float:
    return float(max(first, second) / min(first, second))
