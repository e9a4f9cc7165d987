"""When something happened, as clients of every language write it: dates, counts, and what is no moment at all."""

from __future__ import annotations

import base64
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse

from finalmarket.journeys.models import ChannelInteraction
from finalmarket.kernel import clock
from tests.tracking.teller import KEY, Shop, send

COUNTED = "1775050710539"
"""Milliseconds since 1970. Python reads a date in it, too: the seventh of May 1775, at 05:39."""
AT = datetime(2026, 4, 1, 13, 38, 30, 539_000, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)
JSON = {"Content-Type": "application/json"}
PATIENCE_SECONDS = 20


@contextmanager
def answered() -> Iterator[None]:
    """Within it whoever reads for ever is interrupted, and the test fails."""

    def give_up(*_: object) -> None:
        pytest.fail(f"it is still being read after {PATIENCE_SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def two(dialect: str, at: Any) -> tuple[str, dict[str, Any]]:
    """The path and the body by which a client of this dialect tells of two views, the first of which was then."""
    name = "Product Viewed"
    told: dict[str, tuple[str, dict[str, Any]]] = {
        "segment": ("/v1/batch", {"writeKey": KEY, "batch": [
            {"type": "track", "event": name, "userId": "u1", "timestamp": at},
            {"type": "track", "event": name, "userId": "u1"}]}),
        "amplitude": ("/2/httpapi", {"api_key": KEY, "events": [
            {"event_type": name, "user_id": "u1", "time": at}, {"event_type": name, "user_id": "u1"}]}),
        "mixpanel": ("/track", {"data": [
            {"event": name, "properties": {"token": KEY, "distinct_id": "u1", "time": at}},
            {"event": name, "properties": {"token": KEY, "distinct_id": "u1"}}]}),
        "snowplow": ("/com.snowplowanalytics.snowplow/tp2", {"data": [
            {"aid": KEY, "e": "pv", "uid": "u1", "dtm": at}, {"aid": KEY, "e": "pv", "uid": "u1"}]}),
        "matomo": ("/matomo.php", {"requests": [
            {"idsite": KEY, "uid": "u1", "cdt": at}, {"idsite": KEY, "uid": "u1"}]}),
        "posthog": ("/batch/", {"api_key": KEY, "batch": [
            {"event": name, "distinct_id": "u1", "timestamp": at}, {"event": name, "distinct_id": "u1"}]}),
    }  # fmt: skip
    return told[dialect]


DIALECTS = ("segment", "amplitude", "mixpanel", "snowplow", "matomo", "posthog")


def tell(dialect: str, at: Any) -> HttpResponse:
    path, told = two(dialect, at)
    return send(path, json.dumps(told["data"] if dialect == "mixpanel" else told).encode(), JSON)


@pytest.mark.parametrize("at", ["inf", "-Infinity", "nan", float("inf")], ids=["inf", "-Infinity", "nan", "bare"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_moment_that_never_comes_is_answered_and_set_aside_alone(shop: Shop, dialect: str, at: Any) -> None:
    with answered():
        assert tell(dialect, at).status_code == 200
    assert len(shop.kinds()) == 1
    assert shop.set_aside() == ["its timestamp is no moment"]


@pytest.mark.parametrize("sent_at", ["inf", float("inf")])
def test_a_clock_that_shows_infinity_shifts_nothing(shop: Shop, sent_at: Any) -> None:
    told = {"type": "track", "event": "Product Viewed", "userId": "u1", "timestamp": AT.isoformat()}
    with answered(), clock.steered(LATER):
        assert shop.batch(told, sentAt=sent_at).status_code == 200
    assert ChannelInteraction.objects.get().occurred_at == AT


@pytest.mark.parametrize("at", [COUNTED, int(COUNTED), COUNTED[:10] + ".539", COUNTED + "000", COUNTED + ".0"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_count_since_1970_is_no_date_of_1775(shop: Shop, dialect: str, at: Any) -> None:
    with clock.steered(LATER):
        tell(dialect, at)
    assert shop.set_aside() == []
    assert sorted(ChannelInteraction.objects.values_list("occurred_at", flat=True)) == [AT, LATER]


def test_the_clock_of_a_snowplow_tracker_is_set_right_by_a_count_too(shop: Shop) -> None:
    event = {"aid": KEY, "e": "pv", "uid": "u1"}
    behind = str(int(COUNTED) - 90_000_000)  # its clock is 25 hours behind
    with clock.steered(LATER):
        told = {"data": [{**event, "dtm": behind, "stm": behind}]}
        send("/com.snowplowanalytics.snowplow/tp2", json.dumps(told).encode(), JSON)
        assert ChannelInteraction.objects.get().occurred_at == LATER
        ChannelInteraction.objects.all().delete()
        told = {
            "data": [{**event, "dtm": COUNTED, "stm": COUNTED}]
        }  # five minutes on its way: the client's word counts
        send("/com.snowplowanalytics.snowplow/tp2", json.dumps(told).encode(), JSON)
    assert ChannelInteraction.objects.get().occurred_at == AT


@pytest.mark.parametrize("day", ["20260401", "2026-04-01"])
def test_eight_digits_are_a_day(shop: Shop, day: str) -> None:
    with clock.steered(LATER):
        tell("snowplow", day)
    assert min(ChannelInteraction.objects.values_list("occurred_at", flat=True)) == datetime(2026, 4, 1, tzinfo=UTC)


def test_so_says_an_address_and_a_form(shop: Shop) -> None:
    event = {"event": "Product Viewed", "properties": {"token": KEY, "distinct_id": "u1", "time": "inf"}}
    data = base64.b64encode(json.dumps(event).encode()).decode()
    with answered():
        send(f"/track?data={data}", b"", {}, "GET")
        send(f"/matomo.php?idsite={KEY}&uid=u1&cdt=inf", b"", {}, "GET")
        send(f"/i?aid={KEY}&e=pv&uid=u1&dtm=inf&stm=inf", b"", {}, "GET")
    assert shop.kinds() == []
    assert shop.set_aside() == ["its timestamp is no moment"] * 3
