"""What the README quotes of the proof, and whether it stands in docs/proof.json.

Two ways of quoting are known. A row of a table that begins with the name of a figure in backquotes: its third cell
begins with the value, and its fourth, where it begins with a number and the figure has a baseline, with the ratio. And
anywhere in the text a number with a mark behind it, which is not seen on the page: `46,500 <!-- proof: hot_sku -->`,
`10.7 <!-- proof: hot_sku ratio -->`, `5,459 <!-- proof: border faults -->` (a step, and a sum of its laws),
`400 <!-- proof: fire test_under_fire requests -->` (the part of that sum which one file of tests has tried).

A number is quoted as roundly as one likes: 36,000 stands for 36,123. It must not be further off than half of its own
last digit, and never by more than a twentieth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tests.proof.result import Result

NUMBER = r"-?\d[\d,]*(?:\.\d+)?"
ROW = re.compile(r"^\| *`(?P<name>[\w.-]+)` *\|(?P<cells>.*)\|$", re.MULTILINE)
MARK = re.compile(rf"(?P<number>{NUMBER})[^\d\n]{{0,12}}<!-- proof: (?P<about>[^>]+?) -->")
MOST_OFF = 0.05


@dataclass(frozen=True, slots=True)
class Quote:
    """A number as it is quoted, and of what: a figure's value or ratio, or a sum of a step's laws."""

    number: str
    name: str
    measure: str
    step: str = ""

    def is_of(self, measured: float) -> bool:
        """Whether it says what was measured, as roundly as it is said."""
        told = float(self.number.replace(",", ""))
        return abs(told - measured) <= max(min(_half_of_last_digit(self.number), MOST_OFF * abs(measured)), 1e-9)


def _half_of_last_digit(number: str) -> float:
    plain = number.replace(",", "").lstrip("-")
    if "." in plain:
        return 0.5005 * 10.0 ** -len(plain.partition(".")[2])
    zeros = len(plain) - len(plain.rstrip("0")) if plain.strip("0") else 0
    return 0.5 * 10.0**zeros


def quotes(text: str) -> Iterator[Quote]:
    """All that is quoted in a text, in both ways."""
    for row in ROW.finditer(text):
        cells = [cell.strip() for cell in row["cells"].split("|")]
        for cell, measure in zip(cells[1:3], ("value", "ratio"), strict=False):
            if found := re.match(NUMBER, cell):
                yield Quote(found.group(), row["name"], measure)
    for mark in MARK.finditer(text):
        words = mark["about"].split(maxsplit=1)
        measure = words[1] if len(words) > 1 else "value"
        if measure in ("value", "ratio", "min", "max"):
            yield Quote(mark["number"], words[0], measure)
        else:
            yield Quote(mark["number"], measure, "value", step=words[0])


def wrong(text: str, known: Mapping[str, Result]) -> list[str]:
    """Sentences about what is quoted and does not stand in the proof, or stands there otherwise."""
    found = []
    for quote in quotes(text):
        measured = _measured(quote, known)
        if measured is None and quote.measure == "ratio" and _measured(_value_of(quote), known) is not None:
            continue  # a figure without a baseline: what stands in that cell is no ratio
        if measured is None:
            found.append(f"{quote.step} {quote.name} is quoted and was not measured".strip())
        elif not quote.is_of(measured):
            found.append(f"{quote.name} is quoted as {quote.number} ({quote.measure}) and was measured as {measured:,}")
    return found


def _value_of(quote: Quote) -> Quote:
    return Quote(quote.number, quote.name, "value", quote.step)


def _measured(quote: Quote, known: Mapping[str, Result]) -> float | None:
    for name, result in known.items():
        if quote.step in ("", name):
            measured = _of_a_file(quote, result) if quote.name.startswith("test_") else None
            measured = result.reading.measured(quote.name, quote.measure) if measured is None else measured
            if measured is not None:
                return measured
    return None


def _of_a_file(quote: Quote, result: Result) -> float | None:
    """The sum over the tests of one file."""
    file, _, name = quote.name.partition(" ")
    mine = [one for one in result.reading.populations if one.test.startswith(f"{file}::")]
    return replace(result.reading, figures=(), populations=mine).measured(name, quote.measure)
