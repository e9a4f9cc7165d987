"""Places in a list that is in the order of change: nothing is passed over, and a quiet list is not read for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from finalmarket.connectors.errors import Unintelligible
from finalmarket.connectors.keyset import LATE, LONG_AGO, Place, cursor_after, place_of
from finalmarket.kernel import clock

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_the_first_place_is_the_moment_asked_for_or_before_everything() -> None:
    assert place_of("", NOON) == Place(NOON)
    assert place_of("", None) == Place(LONG_AGO)


def test_within_a_run_the_next_page_begins_behind_the_last_record() -> None:
    with clock.steered(NOON):
        last = Place(NOON - SECOND, "4711")
        assert place_of(cursor_after(Place(LONG_AGO), last, is_last=False), None) == last


def test_what_is_young_at_the_end_of_a_run_is_asked_for_again_and_what_is_old_is_not() -> None:
    with clock.steered(NOON):
        young, old = Place(NOON - SECOND, "2"), Place(NOON - LATE - SECOND, "1")
        assert place_of(cursor_after(Place(LONG_AGO), young, is_last=True), None).at <= NOON - LATE
        assert place_of(cursor_after(Place(LONG_AGO), old, is_last=True), None) == old


def test_an_empty_page_keeps_its_place() -> None:
    with clock.steered(NOON):
        place = Place(NOON - timedelta(hours=1), "7")
        assert place_of(cursor_after(place, None, is_last=True), None) == place


def test_no_run_goes_back_behind_the_moment_that_was_asked_for() -> None:
    with clock.steered(NOON):
        asked = Place(NOON - 10 * SECOND)
        assert place_of(cursor_after(asked, Place(NOON, "9"), is_last=True), None) == asked


def test_runs_in_a_row_pass_over_no_record_that_turns_up_late() -> None:
    """Every second a record is changed, but seen only two minutes later; a run every seven seconds brings them all."""
    found: set[str] = set()
    cursor = ""
    with clock.steered(NOON) as time:
        for second in range(300):
            time.set(NOON + second * SECOND)
            if second % 7:
                continue
            place = place_of(cursor, NOON)
            seen = [
                Place(NOON + made * SECOND, f"{made:04d}")
                for made in range(second + 1)
                if made + (LATE.seconds if made % 3 == 0 else 0) <= second
            ]
            page = [one for one in seen if (one.at, one.after) > (place.at, place.after)]
            found |= {one.after for one in page}
            cursor = cursor_after(place, page[-1] if page else None, is_last=True)
    due = {f"{made:04d}" for made in range(294) if made + (LATE.seconds if made % 3 == 0 else 0) <= 294}
    assert due <= found


def test_a_cursor_of_another_kind_is_refused() -> None:
    for strange in ('{"offset": 3}', '{"at": "noon"}', '{"at": 5}'):
        with pytest.raises(Unintelligible):
            place_of(strange, None)
