"""What is compared, and what agreement and difference count.

Every comparison has levels, the closest first, the last for whatever else. `m` is the share of pairs of one person
that are on a level, `u` the share of pairs of two persons; the bits that a level counts are log2(m / u). The numbers
here are the default weights, for where there are too few customers to learn from. They are round on purpose: rough
shares for files with typing errors, moves and second e-mail addresses. What is the same is weighed by how common it is
(`term`): a Smith is less than a Featherstonehaugh.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Level:
    """How close two values are: the SQL that says so (`{0}` is the column), how it is told, and its default weight."""

    told: str
    condition: str
    m: float
    u: float
    term: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One thing that is compared, with its levels."""

    column: str
    label: str
    levels: tuple[Level, ...]


def _near(column: str, least: str) -> str:
    return f"jaro_winkler_similarity({column}_l, {column}_r) >= {least}"


def _slips(column: str, most: int) -> str:
    return f"damerau_levenshtein({column}_l, {column}_r) <= {most}"


def _same(column: str, label: str, m: float, u: float, *, is_weighed: bool = True) -> Level:
    return Level(f"same {label}", f"{column}_l = {column}_r", m, u, column if is_weighed else "")


def _other(label: str, m: float, u: float) -> Level:
    return Level(f"different {label}", "ELSE", m, u)


def _name(column: str, label: str, other: str, shares: tuple[tuple[float, float], ...]) -> Comparison:
    same, slip, near, similar, swapped, else_ = shares
    levels = (
        _same(column, label, *same),
        Level(f"{label} differs in one letter", f"{_slips(column, 1)} AND length({column}_l) > 3", *slip),
        Level(f"{label} nearly the same", _near(column, "0.92"), *near),
        Level(f"similar {label}", _near(column, "0.8"), *similar),
        Level("first name and surname change places", f"{column}_l = {other}_r OR {column}_r = {other}_l", *swapped),
        _other(label, *else_),
    )
    return Comparison(column, label, levels)


COMPARISONS = (
    _name("first_name", "first name", "surname",
          ((0.68, 0.01), (0.07, 0.004), (0.03, 0.004), (0.08, 0.03), (0.02, 0.0005), (0.12, 0.9515))),
    _name("surname", "surname", "first_name",
          ((0.73, 0.005), (0.07, 0.002), (0.02, 0.002), (0.05, 0.02), (0.02, 0.0005), (0.11, 0.9705))),
    Comparison("birth_date", "birth date", (
        _same("birth_date", "birth date", 0.85, 0.0005),
        Level("birth date differs in one digit", _slips("birth_date", 1), 0.07, 0.003),
        Level("same year of birth", "substr(birth_date_l, 1, 4) = substr(birth_date_r, 1, 4)", 0.03, 0.02),
        Level("birth date differs in two digits", _slips("birth_date", 2), 0.02, 0.02),
        _other("birth date", 0.03, 0.9565),
    )),
    Comparison("email", "e-mail", (
        _same("email", "e-mail", 0.25, 0.0001),
        Level("same name before the @", "email_name_l = email_name_r", 0.15, 0.001),
        Level("e-mail nearly the same", _near("email", "0.9"), 0.10, 0.001),
        Level("name before the @ nearly the same", _near("email_name", "0.9"), 0.10, 0.004),
        _other("e-mail", 0.40, 0.9939),
    )),
    Comparison("phone", "phone", (
        _same("phone", "phone", 0.50, 0.0005),
        Level("phone differs in one digit", _slips("phone", 1), 0.05, 0.0005),
        _other("phone", 0.45, 0.999),
    )),
    Comparison("postcode", "postcode", (
        _same("postcode", "postcode", 0.70, 0.002),
        Level("postcode differs in one place", _slips("postcode", 1), 0.05, 0.01),
        Level("same postal area", "substr(postcode_l, 1, 3) = substr(postcode_r, 1, 3)", 0.10, 0.02),
        _other("postcode", 0.15, 0.968),
    )),
    Comparison("city", "city", (
        _same("city", "city", 0.75, 0.03),
        Level("city nearly the same", _near("city", "0.88"), 0.08, 0.01),
        _other("city", 0.17, 0.96),
    )),
    Comparison("street", "street", (
        _same("street", "street", 0.60, 0.001),
        Level("street nearly the same", _near("street", "0.88"), 0.20, 0.01),
        _other("street", 0.20, 0.989),
    )),
    Comparison("country", "country", (
        _same("country", "country", 0.97, 0.6, is_weighed=False), _other("country", 0.03, 0.4),
    )),
)  # fmt: skip

PERSONS_WITH_A_DOUBLE = 0.05
"""By default one person in twenty is expected to be there twice."""
MOST_PRIOR = 0.01
FEWEST_PERSONS = 500
"""With fewer, nothing is learned from them."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts how much: the probability that two persons taken at random are one, and by column the (m, u) of each
    level. `learned` are the columns whose weights come from the merchant's own data; `notes` say what does not. Where
    there are few persons, how common a value is among them tells nothing, and is not weighed (`weighs_terms`)."""

    prior: float
    levels: Mapping[str, tuple[tuple[float, float], ...]]
    learned: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    weighs_terms: bool = True


def default_weights(persons: int, *notes: str) -> Weights:
    """The weights that are not learned, for so many persons."""
    shares = {one.column: tuple((level.m, level.u) for level in one.levels) for one in COMPARISONS}
    return Weights(default_prior(persons), shares, notes=notes, weighs_terms=persons >= FEWEST_PERSONS)


def default_prior(persons: int) -> float:
    """Two persons taken at random are one with this probability, if one in twenty is there twice."""
    return min(MOST_PRIOR, PERSONS_WITH_A_DOUBLE * 2 / max(persons - 1, 1))


def is_sane(shares: tuple[tuple[float, float], ...]) -> bool:
    """Whether agreement speaks for one person and difference against, as it does unless learning went astray."""
    in_range = all(0 < m < 1 and 0 < u < 1 for m, u in shares)
    return in_range and shares[0][0] > shares[0][1] and shares[-1][0] < shares[-1][1]
