"""Facebook beyond the suite: what Meta refuses later, consent, the question of webhooks, tokens, orders as they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.errors import NeedsAttention, NotSupported, Rejected, RetryLater
from finalmarket.connectors.http import Answer
from finalmarket.connectors.platforms.meta.goods import price_in, written
from finalmarket.connectors.records import ListingRef, StockLevel
from finalmarket.sandbox.platforms.meta import facebook as ids
from tests.connectors.cases.facebook import (
    account,
    an_order,
    analytics_events,
    case,
    content,
    deliver,
    fulfilment,
    seed_listings,
)
from tests.connectors.conformance.stage import DOUBLE, START, Stage, always, changed, on_a_double, staged

URL = "https://hub.example/hooks/facebook-1"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def level(ref: ListingRef, units: int) -> StockLevel:
    """So many units are to be shown."""
    return StockLevel(ref=ref, quantity=units, key=f"stock-{ref.key}")


# Goods.


def test_a_batch_that_is_worked_off_later_is_asked_about_until_it_is(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    stage.stand_in.state["work_seconds"] = 5
    assert stage.connector.push_stock([level(ref, 3)]) == []
    asked = [one for one in stage.watched.exchanges if one.path.endswith("check_batch_request_status")]
    assert len(asked) == 3  # every two seconds


def test_a_batch_that_takes_for_ever_is_told_again_later(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    stage.stand_in.state["work_seconds"] = 3600
    with pytest.raises(RetryLater, match="not worked the batch off"):
        stage.connector.push_stock([level(ref, 3)])


def test_what_is_sold_out_is_told_to_be_out_of_stock(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    stage.connector.push_stock([level(ref, 0)])
    assert stage.stand_in.state["items"][ref.key]["availability"] == "out of stock"


def test_a_new_item_without_an_address_is_refused_before_facebook_is_asked(stage: Stage) -> None:
    bare = replace(stage.connector.account, settings={**stage.connector.account.settings, "link": ""})
    (refused,) = stage.with_account(bare).push_listings([content("NEW-1")])
    assert isinstance(refused, Rejected)
    assert "a link" in refused.reason
    assert stage.watched.exchanges == []


def test_prices_are_written_exact_and_read_as_people_see_them() -> None:
    assert written(Decimal("9.9"), "eur") == "9.90 EUR"
    assert written(Decimal("1000"), "JPY") == "1000 JPY"
    assert price_in("€1,234.50") == Decimal("1234.50")
    assert price_in("free") is None


# Orders.


def test_an_order_says_what_was_bought_paid_and_where_it_goes(stage: Stage) -> None:
    order = stage.connector.pull_order(an_order(stage.stand_in))
    assert [(line.kind, line.sku, line.quantity, line.unit_price) for line in order.lines] == [
        ("goods", "PLENTY", 2, Decimal("10.00")), ("shipping", "", 1, Decimal("4.90")),
    ]  # fmt: skip
    assert (order.total, order.tax, order.tax_included, order.currency) == (
        Decimal("25.09"), Decimal("0.19"), False, "EUR",
    )  # fmt: skip
    assert (order.email, order.shipping_address.city, order.place) == ("ada@example.org", "Berlin", "facebook")


def test_units_of_a_cancelled_order_are_free_and_what_is_unclear_is_named(stage: Stage) -> None:
    name = an_order(stage.stand_in)
    raw = stage.stand_in.state["orders"][name]
    raw["cancellations"] = {"data": [{"id": "c1", "items": {"data": [{"retailer_id": "PLENTY", "quantity": 2}]}}]}
    assert stage.connector.pull_order(name).is_cancelled
    raw["cancellations"] = {"data": [{"id": "c1"}]}
    raw["refunds"] = {"data": [{"id": "r1"}]}
    order = stage.connector.pull_order(name)
    assert not order.is_cancelled
    assert set(order.unknown) == {"cancellation c1", "refund r1"}


def test_an_order_that_facebook_still_looks_at_is_not_taken_in(stage: Stage) -> None:
    stage.stand_in.state["orders"][an_order(stage.stand_in)]["order_status"] = {"state": "FB_PROCESSING"}
    (page,) = stage.connector.pull_orders("", None)
    assert page.records == ()


def test_a_carrier_that_facebook_does_not_know_is_another_one(stage: Stage) -> None:
    stage.connector.push_fulfilment(replace(fulfilment(stage.stand_in), carrier="Green Post"))
    sent = json.loads(stage.watched.exchanges[-1].request_body)
    assert sent["tracking_info"] | {"tracking_number": ""} == {
        "carrier": "OTHER", "shipping_method_name": "Green Post", "tracking_number": "",
    }  # fmt: skip


def test_without_a_commerce_account_orders_are_not_asked_for(stage: Stage) -> None:
    settings = {**stage.connector.account.settings, "commerce_id": ""}
    with pytest.raises(NotSupported, match="Commerce account id"):
        list(stage.with_account(replace(stage.connector.account, settings=settings)).pull_orders("", None))


# Events.


def test_of_whom_did_not_agree_to_advertising_meta_hears_nothing(stage: Stage) -> None:
    agreed, other = analytics_events(stage.stand_in, 2)
    (refused,) = stage.connector.send_events([agreed, replace(other, allows_ads=False)])
    assert refused.key == other.key
    ((_, event),) = stage.stand_in.state["events"].items()
    assert event["event_id"] == agreed.key
    assert event["user_data"] == {"external_id": [hashlib.sha256(b"visitor-1").hexdigest()]}


def test_one_bad_event_stops_no_other(stage: Stage) -> None:
    events = analytics_events(stage.stand_in, 5)
    events[2] = replace(events[2], at=stage.stand_in.now() + timedelta(hours=1))
    (refused,) = stage.connector.send_events(events)
    assert refused.key == events[2].key
    assert len(stage.stand_in.state["events"]) == 4


# Letting in, errors, webhooks.


def test_a_wrong_app_secret_needs_a_person(stage: Stage) -> None:
    wrong = stage.with_account(changed(stage.connector.account, app_secret="another-secret-altogether"))
    with pytest.raises(NeedsAttention):
        wrong.check()


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"code": 190, "error_subcode": 463, "message": "expired"}, "190"),
        ({"code": 100, "error_subcode": 33, "message": "gone"}, "100/33"),
        ({"code": 80014, "message": "slow down"}, "80014"),
    ],
)
def test_the_code_decides_what_an_error_means(told: dict[str, Any], code: str) -> None:
    assert on_a_double(case(), always(200)).error_code(Answer(400, {}, b"", {"error": told}))[0] == code


def test_the_header_of_usage_says_how_long_to_wait() -> None:
    usage = json.dumps({"1": [{"type": "catalog_batch", "estimated_time_to_regain_access": 7}]})
    body = json.dumps({"error": {"code": 80014, "message": "slow down"}}).encode()
    connector = on_a_double(case(), always(400, body, {"X-Business-Use-Case-Usage": usage}))
    with pytest.raises(RetryLater) as caught:
        connector.check()
    assert caught.value.retry_after == 420.0


def test_the_browser_brings_a_token_of_sixty_days(stage: Stage) -> None:
    given = stage.connector.exchange({"code": "sandbox-code"}, "https://hub.example/back", "")
    with pytest.raises(NeedsAttention):
        stage.connector.exchange({"code": "spent"}, "https://hub.example/back", "")
    assert given == {"access_token": ids.TOKEN}


def test_metas_question_is_answered_only_when_it_is_about_our_entry() -> None:
    connector = on_a_double(case(), always(500))
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": connector.verify_token(URL)}
    assert connector.answer_challenge(URL, asked) == ("text/plain", "1158201444")
    assert connector.answer_challenge(f"{URL}2", asked) is None
    assert connector.answer_challenge(URL, {**asked, "hub.verify_token": "ü"}) is None
    chosen = on_a_double(case(), always(500), account=changed(account(DOUBLE), verify_token="chosen-by-hand"))
    assert chosen.answer_challenge(URL, {**asked, "hub.verify_token": "chosen-by-hand"}) is not None


def test_the_app_says_where_to_and_the_page_that_it_wants_to(stage: Stage) -> None:
    stage.connector.subscribe(URL)
    stage.connector.subscribe(URL)
    assert (stage.stand_in.state["hook"], stage.stand_in.state["hook_page"]) == (URL, True)
    assert stage.effects()["subscription"] == 1


def test_a_comment_comes_along_with_its_delivery() -> None:
    (event,) = on_a_double(case(), always(500)).read_webhook(deliver(account(DOUBLE), topic="feed", sent_at=START))
    assert (event.kind, event.record.external_id, event.record.kind) == (
        "interactions", "940001_7", "social_engagement",
    )  # fmt: skip
