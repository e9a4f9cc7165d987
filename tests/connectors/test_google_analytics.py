"""Google Analytics 4 beyond the suite: events as Google's own schema wants them, consent, sizes, reports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NeedsAttention, NotSupported, OutcomeUnknown, Rejected, RetryLater
from finalmarket.connectors.http import Answer
from finalmarket.connectors.platforms.google_analytics import MOST_BYTES, GoogleAnalytics
from finalmarket.connectors.talk import AnalyticsEvent, EventItem, FigureRecord
from finalmarket.kernel import clock
from finalmarket.sandbox.faults import Fault
from tests.connectors.cases.google_analytics import account, analytics_events, case
from tests.connectors.conformance.stage import START, Stage, on_a_double, staged


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def an_event(stage: Stage, **changes: Any) -> AnalyticsEvent:
    """A purchase, otherwise as said."""
    (event,) = analytics_events(stage.stand_in, 1)
    return replace(event, **changes)


def told(stage: Stage, number: int = -1) -> Any:
    """The body of a request that told events, and its query."""
    made = [one for one in stage.watched.exchanges if one.path == "/mp/collect"]
    return json.loads(made[number].request_body)


# Events.


def test_a_purchase_is_told_with_its_order_amounts_and_articles(stage: Stage) -> None:
    event = an_event(stage)
    assert list(stage.connector.send_events([event])) == []
    body = told(stage)
    (sent,) = body["events"]
    assert body["client_id"] == "visitor-1"
    assert sent["name"] == "purchase"
    assert sent["timestamp_micros"] == int((START - timedelta(minutes=1)).timestamp()) * 1_000_000
    assert sent["params"] == {
        "event_id": event.key, "session_id": "session-1", "transaction_id": event.order_number, "affiliation": "web",
        "value": 24.9, "currency": "EUR", "tax": 3.98, "shipping": 3.9, "coupon": "SPRING", "engagement_time_msec": 1,
        "items": [{"item_id": "TEA", "item_name": "Tea", "item_brand": "Hills", "item_category": "Drinks",
                   "price": 10.5, "quantity": 2}],
    }  # fmt: skip
    exchange = stage.watched.exchanges[-1]
    assert dict(exchange.query)["measurement_id"] == "G-SANDBOX001"
    assert "authorization" not in exchange.request_headers


def test_events_of_different_people_devices_and_consents_go_in_requests_of_their_own(stage: Stage) -> None:
    events = [
        an_event(stage), an_event(stage, client_id="visitor-2"), an_event(stage, allows_ads=True),
        an_event(stage, device="mobile"), an_event(stage),
    ]  # fmt: skip
    assert list(stage.connector.send_events(events)) == []
    bodies = [told(stage, number) for number in range(4)]
    assert [len(body["events"]) for body in bodies] == [2, 1, 1, 1]
    assert [body["consent"]["ad_user_data"] for body in bodies] == ["DENIED", "DENIED", "GRANTED", "DENIED"]
    assert [body["consent"]["ad_personalization"] for body in bodies] == ["DENIED", "DENIED", "GRANTED", "DENIED"]
    assert bodies[3]["device"] == {"category": "mobile"}


def test_a_purchase_that_is_told_twice_counts_once(stage: Stage) -> None:
    event = an_event(stage)
    stage.connector.send_events([event])
    stage.connector.send_events([event])
    assert stage.effects()["event"] == 1


def test_an_event_without_an_amount_takes_that_of_its_articles(stage: Stage) -> None:
    items = (EventItem(sku="A", quantity=3, unit_price=Decimal("1.10")), EventItem(sku="B", unit_price=Decimal("2")))
    seen = an_event(stage, name="product_view", amount=None, order_number="", items=items)
    assert list(stage.connector.send_events([seen])) == []
    (sent,) = told(stage)["events"]
    assert (sent["name"], sent["params"]["value"]) == ("view_item", 5.3)
    assert b"5.30" in stage.watched.exchanges[-1].request_body


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"items": ()}, "purchase without items"),
        ({"order_number": ""}, "purchase without transaction_id"),
        ({"name": "refund", "amount": None}, "refund without value"),
        ({"name": "search"}, "search without search_term"),
        ({"name": "session_start"}, "no event of the name"),
        ({"name": "ga_mine"}, "no event of the name"),
        ({"name": "e-mail opened"}, "no event of the name"),
        ({"name": "x" * 41}, "no event of the name"),
        ({"client_id": ""}, "client id"),
        ({"items": (EventItem(sku="x" * 100, title="ü" * 100),) * 200, "values": {}}, "longer than"),
    ],
)  # fmt: skip
def test_what_google_would_pass_over_in_silence_comes_back_refused(
    stage: Stage, changes: dict[str, Any], words: str
) -> None:
    bad, good = an_event(stage, **changes), an_event(stage)
    if "longer" in words:
        bad = replace(bad, items=tuple(replace(item, brand="ü" * 100, category="ü" * 100) for item in bad.items))
    (refused,) = stage.connector.send_events([bad, good])
    assert refused.key == bad.key
    assert words in refused.reason
    assert stage.effects()["event"] == 1


def test_a_lead_without_an_amount_is_worth_nothing_in_the_chosen_currency(stage: Stage) -> None:
    lead = an_event(stage, name="generate_lead", amount=None, currency="", items=(), order_number="")
    settings = {**stage.connector.account.settings, "currency": "SEK"}
    connector = stage.with_account(replace(stage.connector.account, settings=settings))
    assert list(connector.send_events([lead])) == []
    params = told(stage)["events"][0]["params"]
    assert (params["value"], params["currency"]) == (0, "SEK")


def test_a_search_tells_its_words_and_an_own_event_its_values(stage: Stage) -> None:
    search = an_event(stage, name="search", amount=None, items=(), values={"query": "green tea"})
    opened = an_event(stage, name="email_open", amount=None, items=(), values={"campaign": "x" * 150, "bad name": "y"})
    assert list(stage.connector.send_events([search, opened])) == []
    first, second = (event["params"] for event in told(stage)["events"])
    assert first["search_term"] == "green tea"
    assert second["campaign"] == "x" * 100
    assert "bad name" not in second


def test_a_request_that_would_be_too_long_is_divided(stage: Stage) -> None:
    many = tuple(EventItem(sku=f"SKU-{number}", title="t" * 90, unit_price=Decimal(1)) for number in range(150))
    events = [an_event(stage, items=many) for _ in range(8)]
    assert list(stage.connector.send_events(events)) == []
    sizes = [len(one.request_body) for one in stage.watched.exchanges if one.path == "/mp/collect"]
    assert len(sizes) == 2
    assert max(sizes) <= MOST_BYTES
    assert stage.effects()["event"] == 8


def test_once_a_part_of_a_batch_is_told_nobody_says_that_nothing_happened(stage: Stage) -> None:
    stage.watched.answers_may_break = True
    both = [an_event(stage), an_event(stage, client_id="visitor-2")]
    stage.stand_in.faults.then(Fault.TOO_MANY)
    with pytest.raises(RetryLater):
        stage.connector.send_events(both)
    stage.stand_in.faults.then(Fault.CLOCK_SKEW, Fault.TOO_MANY)  # the first request is answered, the second is not
    with pytest.raises(OutcomeUnknown):
        stage.connector.send_events(both)


def test_events_go_to_the_european_address_where_that_is_chosen() -> None:
    hosts: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        hosts.append(request.url.host)
        return httpx2.Response(204)

    with clock.steered(START):
        for region in ("", "eu"):
            chosen = replace(account(""), settings={"measurement_id": "G-1", "region": region})
            connector = on_a_double(case(), answer, account=chosen)
            connector.send_events([AnalyticsEvent(key="1", name="page_view", at=START, client_id="c")])
    assert hosts == ["www.google-analytics.com", "region1.google-analytics.com"]


# Reports.


def test_figures_come_by_day_and_source_in_the_propertys_currency(stage: Stage) -> None:
    stage.stand_in.comes_from("visitor-2", "google / organic")
    first, second, third = (an_event(stage) for _ in range(3))
    earlier = replace(third, client_id="visitor-2", session_id="session-2", at=START - timedelta(days=1, minutes=1))
    assert list(stage.connector.send_events([first, second, earlier])) == []
    today = START.date()
    assert stage.connector.pull_figures(today - timedelta(days=3), today) == [
        FigureRecord(day=date(2026, 5, 31), source="google / organic", sessions=1, users=1, purchases=1,
                     revenue=Decimal("24.90"), currency="EUR"),
        FigureRecord(day=date(2026, 6, 1), source="(direct) / (none)", sessions=1, users=1, purchases=2,
                     revenue=Decimal("49.80"), currency="EUR"),
    ]  # fmt: skip
    assert stage.connector.pull_figures(today, today)[0].purchases == 2


def test_a_long_report_is_read_page_by_page(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finalmarket.connectors.platforms.google_analytics.MOST_ROWS", 2)
    events = [an_event(stage, at=START - timedelta(hours=12 * number, minutes=1)) for number in range(5)]
    assert list(stage.connector.send_events(events)) == []
    found = stage.connector.pull_figures(START.date() - timedelta(days=5), START.date())
    assert [row.purchases for row in found] == [2, 2, 1]  # two halves of a day before, two of another, this noon
    assert [json.loads(one.request_body)["offset"] for one in stage.watched.exchanges if "runReport" in one.path] == [
        "0", "2",
    ]  # fmt: skip


def test_a_token_is_asked_for_once_and_kept(stage: Stage) -> None:
    kept: dict[str, str] = {}
    connector = stage.with_account(replace(stage.connector.account, keep=kept.update))
    for _ in range(3):
        connector.pull_figures(START.date(), START.date())
    assert sum(one.path == "/token" for one in stage.watched.exchanges) == 1
    assert set(kept) == {"access_token", "access_token_ends_at"}
    again = replace(stage.connector.account, secrets={**stage.connector.account.secrets, **kept})
    stage.with_account(again).pull_figures(START.date(), START.date())
    assert sum(one.path == "/token" for one in stage.watched.exchanges) == 1


def test_without_a_service_account_events_go_out_and_figures_are_not_offered(stage: Stage) -> None:
    bare = Account({"api_secret": stage.connector.account.secrets["api_secret"]}, stage.connector.account.settings,
                   base_url=stage.address)  # fmt: skip
    connector = stage.with_account(bare)
    assert "does not say" in connector.check()
    assert list(connector.send_events([an_event(stage)])) == []
    with pytest.raises(NotSupported, match="service account"):
        connector.pull_figures(START.date(), START.date())


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"client_email": "a", "private_key": "b", "private_key_id": "c"}'])
def test_a_key_that_is_no_service_account_needs_attention(stage: Stage, text: str) -> None:
    secrets = {**stage.connector.account.secrets, "service_account": text or "nonsense"}
    with pytest.raises(NeedsAttention):
        stage.with_account(replace(stage.connector.account, secrets=secrets)).check()


def test_another_property_than_the_service_account_may_read_needs_attention(stage: Stage) -> None:
    settings = {**stage.connector.account.settings, "property_id": "987654321"}
    with pytest.raises(NeedsAttention, match="permissions"):
        stage.with_account(replace(stage.connector.account, settings=settings)).check()


def test_the_token_is_for_reading_only_and_signed_by_the_service_account(stage: Stage) -> None:
    stage.connector.check()
    asked = next(one for one in stage.watched.exchanges if one.path == "/token")
    assert b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer" in asked.request_body
    assert list(stage.stand_in.state["tokens"]) == ["sandbox-token-1"]


def test_an_error_of_the_data_api_tells_its_status() -> None:
    told = {"error": {"code": 400, "message": "A field is not valid.", "status": "INVALID_ARGUMENT"}}
    code = GoogleAnalytics(account("")).error_code(Answer(400, {}, b"", told))
    assert code == ("INVALID_ARGUMENT", "A field is not valid.")


def test_a_bad_event_is_no_rejection_of_the_good_ones(stage: Stage) -> None:
    bad = an_event(stage, name="session_start")
    refused = list(stage.connector.send_events([bad]))
    assert [type(one) for one in refused] == [Rejected]
    assert not [one for one in stage.watched.exchanges if one.path == "/mp/collect"]
