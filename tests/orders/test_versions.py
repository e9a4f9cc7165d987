"""Which of two versions of an order is newer: counters, moments, and plain words."""

import pytest

from finalmarket.orders.versions import is_older


@pytest.mark.parametrize(("older", "newer"), [("9", "10"), ("1", "2"), ("99", "100"), ("0", "7")])
def test_counters_are_compared_as_numbers(older: str, newer: str) -> None:
    assert is_older(older, newer)
    assert not is_older(newer, older)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2026-06-01T12:00:00Z", "2026-06-01T12:00:01Z"),
        ("2026-06-01T13:59:00+02:00", "2026-06-01T12:00:00Z"),  # as text it is the later one
        ("2026-06-01T11:00:00", "2026-06-01T14:00:00+02:00"),  # without a zone: of Greenwich
    ],
)
def test_moments_are_compared_as_moments_whatever_their_zone(older: str, newer: str) -> None:
    assert is_older(older, newer)
    assert not is_older(newer, older)


def test_other_words_are_compared_as_text() -> None:
    assert is_older("rev-a", "rev-b")
    assert not is_older("rev-b", "rev-a")
    assert is_older("12", "rev-1")  # a counter beside a word is a word
    assert is_older("²", "³")  # no digits that could be counted with
    assert is_older("2026-06-01T12:00:00Z", "rev-1")  # nor is a moment beside a word a moment
    assert not is_older("rev-1", "2026-06-01T12:00:00Z")


@pytest.mark.parametrize("version", ["", "7", "2026-06-01T12:00:00Z", "rev-a"])
def test_a_version_is_not_older_than_itself(version: str) -> None:
    assert not is_older(version, version)


def test_no_version_is_older_than_any() -> None:
    assert is_older("", "1")
    assert not is_older("1", "")
