import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest

from finalmarket.kernel import clock, randomness

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_steered_clock_moves_only_when_told() -> None:
    with clock.steered(NOON) as steered:
        assert clock.now() == NOON
        steered.advance(timedelta(minutes=15))
        assert clock.now() == NOON + timedelta(minutes=15)


def test_spans_are_measured_with_the_steered_clock_too() -> None:
    running = clock.ticks()
    assert clock.ticks() >= running
    with clock.steered(NOON) as steered:
        began = clock.ticks()
        steered.advance(timedelta(seconds=90))
        assert clock.ticks() - began == 90


def test_all_threads_see_the_steered_clock() -> None:
    seen = []
    with clock.steered(NOON):
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
    assert seen == [NOON]


def test_steering_ends_with_its_block_and_the_outer_one_holds_again() -> None:
    with clock.steered(NOON):
        with clock.steered(NOON + timedelta(days=1)):
            assert clock.now().day == 2
        assert clock.now() == NOON
    assert clock.now() > NOON


def test_moments_are_told_in_utc_and_a_moment_without_a_zone_is_refused() -> None:
    with clock.steered(datetime(2026, 3, 1, 13, tzinfo=timezone(timedelta(hours=1)))):
        assert clock.now() == NOON
        assert clock.now().tzinfo is UTC
    with pytest.raises(ValueError, match="time zone"), clock.steered(datetime(2026, 3, 1)):  # noqa: DTZ001
        clock.now()


def test_the_same_seed_draws_the_same_lots() -> None:
    def draw() -> list[float]:
        with randomness.seeded(7):
            return [randomness.source().random() for _ in range(3)]

    assert draw() == draw()
