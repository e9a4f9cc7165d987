"""A list in no known order is read in windows of time: nothing is lost, nothing comes out of order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finalmarket.connectors.drafts import MOST_DRAFTS, drafts_of, shows
from finalmarket.connectors.errors import Unintelligible
from finalmarket.connectors.records import Raw
from finalmarket.connectors.windows import DAY_SECONDS, OVERLAP_SECONDS, Windows, whole_window
from finalmarket.kernel import clock

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOW = int(NOON.timestamp())
EARLIEST = NOW - 1_000_000
PAGE = 5


def listed(rows: Sequence[Raw]) -> Callable[[int, int, int], list[Raw]]:
    """A list that gives a page of what lies in a window, in an order of its own."""

    def ask(start: int, end: int, offset: int) -> list[Raw]:
        within = [row for row in rows if start <= row["at"] < end]
        return sorted(within, key=lambda row: str(row["id"]))[offset : offset + PAGE]

    return ask


def walking(rows: Sequence[Raw], *, sweeps: bool = False) -> Windows:
    """A walk over these rows."""
    whole = partial(whole_window, listed(rows), size=PAGE, name=lambda row: str(row["id"]))
    return Windows(whole=whole, moment_of=lambda row: int(row["at"]), few=2, earliest=EARLIEST, sweeps=sweeps)


def rows_at(*moments: int) -> list[Raw]:
    """Rows made at these moments."""
    return [{"id": number, "at": at} for number, at in enumerate(moments)]


@settings(max_examples=60)
@given(st.lists(st.integers(EARLIEST, NOW), max_size=60), st.integers(0, 40))
def test_every_record_comes_once_and_in_order_however_they_lie(moments: list[int], crowd: int) -> None:
    rows = rows_at(*moments, *[NOW - 7_000] * crowd)
    with clock.steered(NOON):
        windows = list(walking(rows).pull("", None))
    found = [row["at"] for window in windows for row in window.records]
    assert found == sorted(row["at"] for row in rows)
    assert [window.is_last for window in windows] == [False] * (len(windows) - 1) + [True]


def test_a_later_pull_brings_what_is_new_and_what_may_have_come_late() -> None:
    with clock.steered(NOON) as time:
        first = list(walking(rows_at(NOW - 9_000, NOW - 10)).pull("", None))
        time.set(NOON + timedelta(hours=1))
        again = list(walking(rows_at(NOW - 9_000, NOW - 10, NOW - 60, NOW + 60)).pull(first[-1].cursor, None))
    assert [row["at"] for window in again for row in window.records] == [NOW - 60, NOW - 10, NOW + 60]


def test_a_cursor_of_any_window_goes_on_where_it_ended() -> None:
    rows = rows_at(*range(NOW - 90_000, NOW - OVERLAP_SECONDS, 3_000))
    with clock.steered(NOON):
        first, *_ = walking(rows).pull("", None)
        rest = [row["at"] for window in walking(rows).pull(first.cursor, None) for row in window.records]
    assert [row["at"] for row in first.records] + rest == [row["at"] for row in rows]


def test_what_tells_only_when_it_was_made_is_read_anew_once_a_day() -> None:
    rows = rows_at(NOW - 50_000)
    with clock.steered(NOON) as time:
        (*_, last) = walking(rows, sweeps=True).pull("", None)
        time.set(NOON + timedelta(hours=1))
        (*_, quiet) = walking(rows, sweeps=True).pull(last.cursor, None)
        assert not quiet.records
        time.set(NOON + timedelta(seconds=DAY_SECONDS + 60))
        assert [row["at"] for window in walking(rows, sweeps=True).pull(quiet.cursor, None) for row in window.records]


def test_a_list_that_repeats_itself_for_ever_is_given_up() -> None:
    same = [{"id": number, "at": 7} for number in range(PAGE)]
    with pytest.raises(Unintelligible, match="never end"):
        whole_window(lambda start, end, offset: same, 7, 8, size=PAGE, name=lambda row: str(row["id"]))


def test_a_cursor_that_is_not_ours_is_said_to_be_none() -> None:
    with pytest.raises(Unintelligible, match="not one of ours"):
        list(walking([]).pull('{"page": 2}', None))


def test_drafts_are_read_up_to_the_first_number_that_is_free() -> None:
    there: dict[int, Raw] = {1: {"id": 1}, 2: {"id": 2}, 4: {"id": 4}}
    assert [draft["id"] for draft in drafts_of(there.get)] == [1, 2]
    assert len(list(drafts_of(lambda number: {"id": number}))) == MOST_DRAFTS


def test_a_draft_shows_what_is_wanted_where_it_holds_all_of_it_and_perhaps_more() -> None:
    def is_same(shown: object, wanted: object) -> bool:
        return str(shown) == str(wanted)

    shown = {"to": {"city": "Berlin", "id": 7}, "items": [{"sku": "A", "count": "2"}]}
    assert shows(shown, {"to": {"city": "Berlin"}, "items": [{"sku": "A", "count": 2}]}, is_same)
    assert not shows(shown, {"to": {"city": "Bonn"}}, is_same)
    assert not shows(shown, {"items": []}, is_same)
    assert not shows(None, {"to": {}}, is_same)
