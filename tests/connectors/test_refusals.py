"""A refusal says which record it is about, and never takes others down."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from finalmarket.connectors.errors import Rejected, RetryLater, Unintelligible
from finalmarket.connectors.refusals import refused_as, taken, tell_each, tell_in_halves, try_each, understood


def itself(thing: str) -> str:
    """The key of a thing that is its own key."""
    return thing


def test_what_is_refused_within_is_refused_of_the_key_unless_it_names_one() -> None:
    with pytest.raises(Rejected) as plain, refused_as("order-7"):
        raise Rejected("no", code="c", status=422)
    assert (plain.value.key, plain.value.code, plain.value.status) == ("order-7", "c", 422)
    with pytest.raises(Rejected) as named, refused_as("order-7"):
        raise Rejected("no", key="line-1")
    assert named.value.key == "line-1"


def test_what_cannot_be_read_is_unintelligible_and_no_refusal_of_the_key() -> None:
    with pytest.raises(Unintelligible, match="KeyError"), understood("order-7"):
        raise KeyError("id")
    with pytest.raises(Rejected) as caught, understood("order-7"):
        raise Rejected("no")
    assert caught.value.key == "order-7"


def test_words_that_a_platform_cannot_take_are_refused_before_they_are_sent() -> None:
    assert taken(lambda: 7) == 7
    with pytest.raises(Rejected, match="invalid literal"):
        taken(lambda: int("seven"))


def test_each_is_told_and_the_refused_ones_are_named_in_their_order() -> None:
    told: list[str] = []

    def tell(thing: str) -> str:
        if thing in "bd":
            raise Rejected(f"no {thing}", status=422)
        told.append(thing)
        return thing.upper()

    refused = tell_each("abcd", tell, itself)
    assert told == ["a", "c"]
    assert [(one.key, one.reason, one.status) for one in refused] == [("b", "no b", 422), ("d", "no d", 422)]
    outcomes = try_each("abc", tell, itself)
    assert [outcome if isinstance(outcome, str) else outcome.key for outcome in outcomes] == ["A", "b", "C"]


def test_what_is_nobodys_fault_stops_all_of_them() -> None:
    def tell(thing: str) -> None:
        raise RetryLater("busy")

    with pytest.raises(RetryLater):
        tell_each("ab", tell, itself)


@pytest.mark.parametrize("bad", ["", "a", "g", "ch", "abcdefgh"])
def test_a_batch_that_is_taken_whole_or_not_at_all_is_told_in_halves_until_the_bad_ones_are_known(bad: str) -> None:
    taken_in: list[str] = []

    def tell(batch: Sequence[str]) -> None:
        if set(batch) & set(bad):
            raise Rejected("some are bad", code="SOME")
        taken_in.extend(batch)

    refused = tell_in_halves("abcdefgh", tell, itself, lambda error: error.code == "SOME")
    assert [one.key for one in refused] == list(bad)
    assert taken_in == [one for one in "abcdefgh" if one not in bad]


def test_a_refusal_that_is_not_of_single_records_is_raised_at_once() -> None:
    asked = []

    def tell(batch: Sequence[str]) -> None:
        asked.append(batch)
        raise Rejected("not you", code="PLAN")

    with pytest.raises(Rejected, match="not you"):
        tell_in_halves("abcd", tell, itself, lambda error: error.code == "SOME")
    assert asked == ["abcd"]
    assert tell_in_halves("", tell, itself) == []
