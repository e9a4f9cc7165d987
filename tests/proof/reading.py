"""Reads the reports of steps: what a bench prints with --json, and pytest's JUnit XML with what tests recorded."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.proof.result import Population, Reading, Value

SHOWN_CHARACTERS = 200
PLACES = re.compile(r"(?<![\w.])/(?:[^/\s'\"]+/)+")
"""Folders of this machine, which are of no interest to others; what is left of a path is its name."""
FIGURE = {"name", "value", "unit", "baseline_name", "baseline", "ratio", "runs", "min", "max"}


class Unreadable(Exception):
    """The report is not there, or is not what it should be; says why."""


def read_figures(report: Path) -> Reading:
    """Read what `finalmarket bench NAME --json` printed. Raises Unreadable."""
    try:
        told = json.loads(report.read_text(encoding="utf-8"))
        figures = told["figures"]
        wrong = [one for one in figures if set(one) != FIGURE]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error
    if wrong or not figures:
        raise Unreadable(f"a figure has other fields than it should: {wrong[0]}" if wrong else "there is no figure")
    return Reading(figures=figures, seed=told.get("seed"), machine=told.get("machine", {}))


def read_laws(report: Path) -> Reading:
    """Read pytest's JUnit XML. Raises Unreadable."""
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    complaints, skipped, populations = [], [], []
    for case in cases:
        name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
        outcome, words = _outcome(case)
        counts[outcome] += 1
        if outcome == "failed":
            complaints.append(f"{name}: {words}")
        elif outcome == "skipped":
            skipped.append(f"{name}: {words}")
        if values := dict(_values(case)):
            populations.append(Population(name, values))
    return Reading(populations=populations, counts=counts, complaints=complaints, skipped=skipped)


def _outcome(case: ElementTree.Element) -> tuple[str, str]:
    for tag, outcome in (("failure", "failed"), ("error", "failed"), ("skipped", "skipped")):
        found = case.find(tag)
        if found is not None:
            words = (found.get("message") or found.text or "").strip().splitlines()
            return outcome, PLACES.sub("", words[0] if words else tag)[:SHOWN_CHARACTERS]
    return "passed", ""


def _values(case: ElementTree.Element) -> Iterator[tuple[str, Value]]:
    """What the test recorded; a dictionary, as JSON or as Python prints it, is taken apart."""
    for one in case.iter("property"):
        name, value = one.get("name", ""), _value(one.get("value", ""))
        if isinstance(value, Mapping):
            yield from ((f"{name}: {key}", _plain(inner)) for key, inner in value.items())
        else:
            yield name, _plain(value)


def _value(text: str) -> Any:
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text.replace(",", "") if text.replace(",", "").isdigit() else text)
        except (ValueError, SyntaxError):
            continue
    return text


def _plain(value: Any) -> Value:
    return value if isinstance(value, int | float | str) and not isinstance(value, bool) else str(value)
