"""What a platform does not take: of which record it was said, and how the others of a batch are told all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from finalmarket.connectors.errors import Rejected, Unintelligible
from finalmarket.connectors.paging import READING_ERRORS

Thing = TypeVar("Thing")
Made = TypeVar("Made")


@contextmanager
def refused_as(key: str) -> Iterator[None]:
    """What is refused within is refused of this key."""
    try:
        yield
    except Rejected as error:
        error.key = error.key or key
        raise


@contextmanager
def understood(key: str = "") -> Iterator[None]:
    """What is refused within is refused of this key; an answer that cannot be read is Unintelligible."""
    with refused_as(key):
        try:
            yield
        except READING_ERRORS as error:
            raise Unintelligible(f"the platform's answer cannot be read: {type(error).__name__} {error}") from None


def taken(make: Callable[[], Made]) -> Made:
    """What `make` makes of our words. Raises Rejected where it raises ValueError: for what the platform cannot take."""
    try:
        return make()
    except ValueError as error:
        raise Rejected(str(error)) from None


def tell_each(
    things: Iterable[Thing], tell: Callable[[Thing], object], key_of: Callable[[Thing], str]
) -> list[Rejected]:
    """Tell one after the other; those that were refused, each with its key."""
    told = try_each(things, tell, key_of)
    return [outcome for outcome in told if isinstance(outcome, Rejected)]


def try_each(
    things: Iterable[Thing], tell: Callable[[Thing], Made], key_of: Callable[[Thing], str]
) -> list[Made | Rejected]:
    """What came of each, in their order: what `tell` returned, or its refusal with the key."""
    outcomes: list[Made | Rejected] = []
    for thing in things:
        try:
            outcomes.append(tell(thing))
        except Rejected as error:
            outcomes.append(keyed(error, key_of(thing)))
    return outcomes


def tell_in_halves(
    batch: Sequence[Thing], tell: Callable[[Sequence[Thing]], object], key_of: Callable[[Thing], str],
    is_of_some: Callable[[Rejected], bool] = lambda error: True,
) -> list[Rejected]:  # fmt: skip
    """Tell a batch that the platform takes whole or not at all. One that it refuses is told again in halves, until it
    is known which of it are refused; a refusal that `is_of_some` says is not of single records is raised."""
    if not batch:
        return []
    try:
        tell(batch)
    except Rejected as error:
        if not is_of_some(error):
            raise
        if len(batch) == 1:
            return [keyed(error, key_of(batch[0]))]
        middle = len(batch) // 2
        first = tell_in_halves(batch[:middle], tell, key_of, is_of_some)
        return first + tell_in_halves(batch[middle:], tell, key_of, is_of_some)
    return []


def keyed(error: Rejected, key: str) -> Rejected:
    """The refusal, as one of the record of this key where it names none."""
    return error if error.key else error_of(error, key)


def error_of(error: Rejected, key: str) -> Rejected:
    """The same refusal, of the record of this key."""
    return Rejected(error.reason, key=key, code=error.code, status=error.status)
