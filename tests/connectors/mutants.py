"""Connectors that break the contract in one place: made of one that keeps it, by putting something around a method."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from finalmarket.connectors.errors import ConnectorError, OutcomeUnknown, Rejected, RetryLater
from tests.connectors.cases import Case, case_of

Breaks = Callable[[Case], Case]
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Mutant:
    """What is wrong with it, the check that finds it out, and how a case is broken so."""

    name: str
    check: str
    breaks: Breaks

    def case(self, slug: str) -> Case:
        """The case of a platform, broken."""
        return self.breaks(case_of(slug))


def around(method: str, act: Callable[..., Any]) -> Breaks:
    """A connector in which `act(real, *arguments)` stands for a method; `real` is the method as it was."""

    def breaks(case: Case) -> Case:
        real = getattr(case.connector, method)

        def mutated(connector: Any, *arguments: Any, **named: Any) -> Any:
            return act(partial(real, connector), *arguments, **named)

        return replace(case, connector=type("Mutant", (case.connector,), {method: mutated}))

    return breaks


def declaring(**fields: Any) -> Breaks:
    """A connector that declares something else."""
    return lambda case: replace(case, connector=type("Mutant", (case.connector,), fields))


def on_a_platform(method: str, act: Callable[..., Any]) -> Breaks:
    """A stand-in in which `act(real, *arguments)` stands for a method."""

    def breaks(case: Case) -> Case:
        real = getattr(case.stand_in, method)

        def mutated(stand_in: Any, *arguments: Any, **named: Any) -> Any:
            return act(partial(real, stand_in), *arguments, **named)

        return replace(case, stand_in=type("MutantStandIn", (case.stand_in,), {method: mutated}))

    return breaks


def renamed(field: str) -> Callable[..., Any]:
    """Tell it under another name every time."""

    def act(real: Any, record: Any, *rest: Any) -> Any:
        return real(replace(record, **{field: f"{getattr(record, field)}-{next(_numbers)}"}), *rest)

    return act


def renamed_each(field: str) -> Callable[..., Any]:
    """Tell all of a batch under other names every time."""

    def act(real: Any, records: Any) -> Any:
        return real([replace(one, **{field: f"{getattr(one, field)}-{next(_numbers)}"}) for one in records])

    return act


def again_and_again(real: Any, *arguments: Any) -> Any:
    """Try again blindly where the outcome is unknown."""
    for _ in range(3):
        try:
            return real(*arguments)
        except (RetryLater, OutcomeUnknown):
            continue
    raise AssertionError("never told")


def blaming_the_record(real: Any, *arguments: Any) -> Any:
    """Call a failure of the platform a fault of the record."""
    try:
        return real(*arguments)
    except (RetryLater, OutcomeUnknown) as error:
        raise Rejected(error.reason) from None


def content_with_anything(instead: Any) -> Callable[..., Any]:
    """Take every refusal for a success."""

    def act(real: Any, *arguments: Any) -> Any:
        try:
            return real(*arguments)
        except ConnectorError:
            return instead

    return act


def never(real: Any, *arguments: Any, **named: Any) -> None:
    """Find nothing."""


def pages_changed(change: Callable[[Any], Any]) -> Callable[..., Any]:
    """Change every page of a stream."""

    def act(real: Any, *arguments: Any) -> Iterator[Any]:
        return (change(page) for page in real(*arguments))

    return act


def records_changed(**changes: Callable[[Any], Any]) -> Callable[..., Any]:
    """Change these fields of every record of a stream."""

    def change(page: Any) -> Any:
        changed = [
            replace(record, **{name: new(record) for name, new in changes.items()}) for record in page.records
        ]  # fmt: skip
        return replace(page, records=tuple(changed))

    return pages_changed(change)
