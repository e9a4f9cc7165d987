"""Mixpanel beyond the suite: events with ids of their own, batches with bad ones in them, profiles, exact figures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from finalmarket.connectors.errors import Rejected, Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.platforms.mixpanel import Mixpanel, insert_id, profile_id
from finalmarket.connectors.records import Address, CustomerContent
from finalmarket.connectors.talk import AnalyticsEvent, EventItem, FigureRecord
from finalmarket.kernel import clock
from tests.connectors.cases.mixpanel import account, analytics_events, case
from tests.connectors.conformance.stage import START, Stage, always, on_a_double, staged

ADA = CustomerContent(
    key="customer-1", name="Ada Lovelace", email="Ada@Example.org", phone="+49 30 1", language="de",
    address=Address(street="Hauptstr. 1", city="Berlin", region="BE", country="DE"), accepts_email=True,
    consents={"sms": False}, segments=("vip", "tea"), order_count=3, spent=Decimal("74.70"), currency="EUR",
    last_order_at=datetime(2026, 5, 30, 12, tzinfo=UTC),
)  # fmt: skip


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def an_event(stage: Stage, **changes: Any) -> AnalyticsEvent:
    """A purchase, otherwise as said."""
    (event,) = analytics_events(stage.stand_in, 1)
    return replace(event, **changes)


def imports(stage: Stage) -> list[Any]:
    """The batches that were sent."""
    return [json.loads(one.request_body) for one in stage.watched.exchanges if one.path == "/import"]


# Events.


def test_a_purchase_is_told_with_its_order_amounts_and_articles(stage: Stage) -> None:
    event = an_event(stage, user_id="customer-7", device="mobile")
    assert list(stage.connector.send_events([event])) == []
    ((sent,),) = imports(stage)
    assert sent == {"event": "purchase", "properties": {
        "time": int((START - timedelta(minutes=1)).timestamp()) * 1000, "$insert_id": event.key,
        "distinct_id": "customer-7", "$device_id": "visitor-1", "$user_id": "customer-7", "allows_ads": False,
        "session_id": "session-1", "device": "mobile", "channel": "web", "order_number": event.order_number,
        "currency": "EUR", "amount": 24.9, "tax": 3.98, "shipping": 3.9, "coupon": "SPRING",
        "items": [{"sku": "TEA", "title": "Tea", "brand": "Hills", "category": "Drinks", "quantity": 2,
                   "unit_price": 10.5}],
    }}  # fmt: skip
    assert b"10.50" in stage.watched.exchanges[-1].request_body
    assert dict(stage.watched.exchanges[-1].query) == {"strict": "1", "project_id": "2468013"}


def test_a_visitor_who_is_not_known_is_named_by_the_device(stage: Stage) -> None:
    assert list(stage.connector.send_events([an_event(stage)])) == []
    ((sent,),) = imports(stage)
    assert sent["properties"]["distinct_id"] == "$device:visitor-1"
    assert "$user_id" not in sent["properties"]


def test_an_odd_key_becomes_an_id_of_36_letters_that_stays_the_same() -> None:
    assert insert_id("event-7") == "event-7"
    for odd in ("x" * 37, "a/b", "ü", "a_b"):
        assert len(insert_id(odd)) == 36
        assert insert_id(odd) == insert_id(odd).lower() != insert_id(odd + "x")


def test_in_a_batch_with_bad_events_the_good_ones_count_once_and_the_bad_ones_are_named(stage: Stage) -> None:
    events = [an_event(stage) for _ in range(12)]
    events[3] = replace(events[3], at=START + timedelta(days=2))
    events[10] = replace(events[10], at=START + timedelta(days=2))
    refused = list(stage.connector.send_events(events))
    assert sorted(error.key for error in refused) == sorted([events[3].key, events[10].key])
    assert all("properties.time" in error.reason for error in refused)
    assert stage.effects()["event"] == 10


def test_a_batch_that_is_too_long_is_told_in_halves(stage: Stage) -> None:
    long = tuple(EventItem(sku=f"{number:0255d}", title="t" * 255, brand="b" * 255) for number in range(250))
    events = [an_event(stage, items=long) for _ in range(64)]
    assert list(stage.connector.send_events(events)) == []
    assert stage.effects()["event"] == 64
    assert len(imports(stage)) > 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"client_id": ""}, "client id"), ({"at": datetime(1970, 6, 1, tzinfo=UTC)}, "1971")],
)
def test_what_mixpanel_never_takes_is_refused_here(stage: Stage, changes: dict[str, Any], words: str) -> None:
    bad, good = an_event(stage, **changes), an_event(stage)
    (refused,) = stage.connector.send_events([bad, good])
    assert (refused.key, words in refused.reason) == (bad.key, True)
    assert [len(batch) for batch in imports(stage)] == [1]


def test_long_values_are_cut_and_more_than_there_is_room_for_are_left_out(stage: Stage) -> None:
    many = {f"value-{number}": "x" * 300 for number in range(400)}
    assert list(stage.connector.send_events([an_event(stage, values=many)])) == []
    ((sent,),) = imports(stage)
    assert len(sent["properties"]) < 255
    assert {len(value) for name, value in sent["properties"].items() if name.startswith("value-")} == {255}


def test_a_request_that_is_wrong_as_a_whole_blames_no_event() -> None:
    told = b'{"code": 400, "error": "request is not JSON", "status": "Bad Request"}'
    connector = on_a_double(case(), always(400, told))
    with pytest.raises(Rejected, match="not JSON"):
        connector.send_events([AnalyticsEvent(key="1", name="page_view", at=START, client_id="c")])


@pytest.mark.parametrize(
    ("region", "hosts"),
    [
        ("", ["api.mixpanel.com", "data.mixpanel.com"]), ("eu", ["api-eu.mixpanel.com", "data-eu.mixpanel.com"]),
        ("in", ["api-in.mixpanel.com", "data-in.mixpanel.com"]),
    ],
)  # fmt: skip
def test_a_project_is_asked_where_it_is_kept(region: str, hosts: list[str]) -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.host)
        return (
            httpx2.Response(200, json={"results": []}) if request.url.path == "/lookup-tables" else httpx2.Response(200)
        )

    chosen = replace(account(""), settings={"project_id": "1", "region": region})
    connector = on_a_double(case(), answer, account=chosen)
    connector.check()
    connector.pull_figures(date(2026, 1, 1), date(2026, 1, 2))
    assert asked == hosts


# Profiles.


def test_a_customer_becomes_a_profile_under_a_name_that_is_no_address(stage: Stage) -> None:
    name = stage.connector.push_customer(ADA)
    assert "ada" not in name
    assert stage.stand_in.state["profiles"] == {name: {
        "$name": "Ada Lovelace", "$email": "Ada@Example.org", "$phone": "+49 30 1", "language": "de",
        "$country_code": "DE", "$region": "BE", "$city": "Berlin", "currency": "EUR",
        "last_order_at": "2026-05-30T12:00:00+00:00", "accepts_email": True, "accepts_sms": False,
        "segments": ["vip", "tea"], "order_count": 3, "spent": 74.7,
    }}  # fmt: skip
    exchange = stage.watched.exchanges[-1]
    assert dict(exchange.query) == {"ip": "0"}
    assert "authorization" not in exchange.request_headers


def test_a_changed_customer_keeps_the_profile_and_loses_old_segments(stage: Stage) -> None:
    name = stage.connector.push_customer(ADA)
    changed = replace(ADA, key="customer-2", external_id=name, email="ada@other.example", segments=("tea",))
    assert stage.connector.push_customer(changed) == name
    (profile,) = stage.stand_in.state["profiles"].values()
    assert (profile["$email"], profile["segments"]) == ("ada@other.example", ["tea"])


def test_one_address_has_one_name_however_it_is_written() -> None:
    assert profile_id(ADA) == profile_id(replace(ADA, key="another", email=" ada@example.ORG"))
    assert profile_id(replace(ADA, email="")) != profile_id(replace(ADA, email="", key="another"))


def test_a_profile_of_which_nothing_is_taken_is_rejected() -> None:
    for body, kind in ((b"0", "text/plain"), (b"0", "application/json")):
        connector = on_a_double(case(), always(200, body, {"Content-Type": kind}))
        with pytest.raises(Rejected) as caught:
            connector.push_customer(ADA)
        assert caught.value.key == ADA.key


# Figures.


def test_figures_are_added_up_exactly_by_day_and_channel(stage: Stage) -> None:
    events = [
        an_event(stage, amount=Decimal("0.10")), an_event(stage, amount=Decimal("0.20")),
        an_event(stage, channel="app"), an_event(stage, at=START - timedelta(days=1)),
        an_event(stage, name="page_view"),
    ]  # fmt: skip
    assert list(stage.connector.send_events([*events, events[0]])) == []
    today = START.date()
    assert stage.connector.pull_figures(today - timedelta(days=5), today + timedelta(days=5)) == [
        FigureRecord(day=date(2026, 5, 31), source="web", purchases=1, revenue=Decimal("24.90"), currency="EUR"),
        FigureRecord(day=date(2026, 6, 1), source="app", purchases=1, revenue=Decimal("24.90"), currency="EUR"),
        FigureRecord(day=date(2026, 6, 1), source="web", purchases=2, revenue=Decimal("0.30"), currency="EUR"),
    ]  # fmt: skip


def test_two_currencies_of_one_channel_are_never_added(stage: Stage) -> None:
    assert list(stage.connector.send_events([an_event(stage), an_event(stage, currency="SEK")])) == []
    found = stage.connector.pull_figures(START.date(), START.date())
    assert [(row.source, row.currency, row.purchases) for row in found] == [
        ("web (EUR)", "EUR", 1), ("web (SEK)", "SEK", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("hours", [-8, 0, 9], ids=["Los Angeles", "UTC", "Tokyo"])
def test_a_day_is_whole_wherever_the_days_of_the_project_begin(stage: Stage, hours: int) -> None:
    stage.stand_in.state["hours"] = hours
    noon = START.replace(hour=12) - timedelta(days=3)
    for at in (noon - timedelta(hours=11), noon, noon + timedelta(hours=11)):
        assert list(stage.connector.send_events([an_event(stage, at=at)])) == []
    (row,) = stage.connector.pull_figures(noon.date(), noon.date())
    assert (row.day, row.purchases) == (noon.date(), 3)


def test_days_that_are_still_to_come_are_not_asked_for(stage: Stage) -> None:
    tomorrow = START.date() + timedelta(days=1)
    assert stage.connector.pull_figures(tomorrow, tomorrow) == []
    assert stage.watched.exchanges == []


def test_doubles_in_an_export_count_once_and_an_amount_that_is_none_is_noticed() -> None:
    properties = {"time": int(START.timestamp()), "distinct_id": "a", "$insert_id": "1", "amount": 5, "currency": "EUR"}
    twice = (json.dumps({"event": "purchase", "properties": properties}) + "\n") * 2
    with clock.steered(START):
        connector = on_a_double(case(), always(200, twice.encode(), {"Content-Type": "text/plain"}))
        (row,) = connector.pull_figures(START.date(), START.date())
        assert (row.purchases, row.revenue, row.source) == (1, Decimal(5), "")
        for bad in ('{"event": "purchase"}', twice.replace("5,", '"five",'), "<html>"):
            connector = on_a_double(case(), always(200, bad.encode(), {"Content-Type": "text/plain"}))
            with pytest.raises(Unintelligible):
                connector.pull_figures(START.date(), START.date())


def test_an_export_that_is_too_long_is_asked_for_in_halves(stage: Stage) -> None:
    events = [an_event(stage, at=START - timedelta(days=number)) for number in range(4)]
    assert list(stage.connector.send_events(events)) == []
    stage.connector.http.most_bytes = 1_200
    found = stage.connector.pull_figures(START.date() - timedelta(days=3), START.date())
    assert [row.purchases for row in found] == [1, 1, 1, 1]
    assert sum(one.path == "/api/2.0/export" for one in stage.watched.exchanges) > 1


def test_an_error_tells_which_fields_are_wrong() -> None:
    told = {"code": 400, "status": "Bad Request", "error": "some failed",
            "failed_records": [{"index": 0, "field": "properties.time", "message": "out of range"}, 7]}  # fmt: skip
    code, words = Mixpanel(account("")).error_code(Answer(400, {}, b"", told))
    assert (code, words) == ("SOME_FAILED", "some failed; properties.time out of range")
