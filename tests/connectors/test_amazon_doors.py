"""How Amazon lets in, and how it calls back through AWS."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import jsonschema
import pytest

pytest.register_assert_rewrite("tests.connectors.conformance", "tests.connectors.amazon_stage")

from finalmarket.connectors.contract import Account  # noqa: E402
from finalmarket.connectors.errors import (  # noqa: E402
    NeedsAttention,
    NotSupported,
    Rejected,
    Unintelligible,
    WebhookRefused,
)
from finalmarket.connectors.platforms.amazon import Amazon  # noqa: E402
from finalmarket.connectors.records import (  # noqa: E402
    Delivery,
)
from finalmarket.sandbox.platforms.amazon.account import MAIN_SHOP, WEBHOOK_SECRET  # noqa: E402
from finalmarket.sandbox.webhooks import Letter  # noqa: E402
from tests.connectors.amazon_stage import amazon, stock  # noqa: E402
from tests.connectors.cases.amazon import seed_listings  # noqa: E402
from tests.connectors.conformance.stage import START, Stage  # noqa: E402
from tests.connectors.descriptions import vendor_apis  # noqa: E402

# Being let in.


def test_a_token_lasts_an_hour_and_is_renewed_before_it_ends() -> None:
    with amazon() as stage:
        for _ in range(4):
            stage.connector.check()
            stage.time.advance(timedelta(minutes=59))
        assert {one.status for one in stage.watched.exchanges} == {200}


def test_a_kept_token_that_amazon_has_dropped_is_renewed_once() -> None:
    with amazon() as stage:
        kept: list[Any] = []
        told = stage.connector.account
        secrets = {**told.secrets, "access_token": "Atza|dropped", "access_token_ends_at": "2027-01-01T00:00:00+00:00"}
        connector = stage.with_account(Account(secrets, told.settings, told.base_url, kept.append))
        connector.check()
        assert [one.status for one in stage.watched.exchanges] == [403, 200, 200]
        assert kept[-1]["access_token"].startswith("Atza|sandbox")
        connector.close()


def test_an_account_is_connected_by_a_round_trip_over_seller_central() -> None:
    with amazon() as stage:
        back = "https://hub.example/connect"
        url = stage.connector.authorization_url(back, "state-1", "")
        assert urlsplit(url).path.endswith("/apps/authorize/consent")
        answer = httpx2.get(url, follow_redirects=False)
        came = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
        assert came["state"] == "state-1"
        given = stage.connector.exchange(came, back, "")
        told = stage.connector.account
        assert given["seller_id"] == told.settings["seller_id"]
        connector = stage.with_account(replace(told, secrets={**told.secrets, "refresh_token": given["refresh_token"]}))
        assert "Amazon.de" in connector.check()
        with pytest.raises(NeedsAttention):
            connector.exchange(came, back, "")
        with pytest.raises(NeedsAttention):
            connector.exchange({**came, "selling_partner_id": "A2SOMEBODYELSE"}, back, "")
        connector.close()


def test_the_consent_page_is_that_of_the_sellers_own_marketplace() -> None:
    settings = {"region": "fe", "seller_id": "A1", "marketplace_ids": "A1VC38T7YXB528", "application_id": "amzn1.sp.1"}
    connector = Amazon(Account({}, {**settings, "is_draft": "yes"}))
    url = urlsplit(connector.authorization_url("https://hub.example/connect", "s", ""))
    assert (url.netloc, dict(parse_qsl(url.query))["version"]) == ("sellercentral.amazon.co.jp", "beta")
    assert connector.http.base_url == "https://sellingpartnerapi-fe.amazon.com"


@pytest.mark.parametrize(
    "settings",
    [
        {"seller_id": "A1", "marketplace_ids": ""},
        {"seller_id": "", "marketplace_ids": MAIN_SHOP},
        {"seller_id": "A1", "marketplace_ids": MAIN_SHOP, "region": "na"},
    ],
)
def test_settings_that_cannot_be_right_need_attention(settings: dict[str, str]) -> None:
    with pytest.raises(NeedsAttention):
        Amazon(Account({}, settings)).check()


def test_an_account_that_does_not_sell_where_it_should_needs_attention() -> None:
    with amazon(marketplace_ids="APJ6JRA9NG5V4") as stage, pytest.raises(NeedsAttention, match="APJ6JRA9NG5V4"):
        stage.connector.check()


# Being called.


def test_notifications_go_to_the_bus_or_to_the_queue_as_amazon_has_them() -> None:
    with amazon() as stage:
        stage.connector.subscribe("https://hub.example/hooks/1")
        stage.connector.subscribe("https://hub.example/hooks/1")
        kinds = {one["destinationId"]: next(iter(one["resource"])) for one in stage.stand_in.state["destinations"]}
        assert sorted(kinds.values()) == ["eventBridge", "sqs"]
        found = {topic: kinds[one["destinationId"]] for topic, one in stage.stand_in.state["subscriptions"].items()}
        assert set(found) == set(Amazon.webhook_topics)
        assert (found["ORDER_CHANGE"], found["LISTINGS_ITEM_STATUS_CHANGE"]) == ("sqs", "eventBridge")
        assert stage.effects() == {"destination": 2, "subscription": 6}


def test_a_topic_that_goes_elsewhere_already_is_left_to_the_person() -> None:
    with amazon() as stage:
        stage.connector.subscribe("https://hub.example/hooks/1")
        other = {**stage.connector.account.settings, "sqs_queue_arn": "arn:aws:sqs:eu-central-1:123456789012:other"}
        connector = stage.with_account(replace(stage.connector.account, settings=other))
        with pytest.raises(Rejected, match="ORDER_CHANGE"):
            connector.subscribe("https://hub.example/hooks/1")
        connector.close()


def test_without_aws_there_is_nothing_to_subscribe() -> None:
    with amazon(aws_account_id="", sqs_queue_arn="") as stage, pytest.raises(NotSupported):
        stage.connector.subscribe("https://hub.example/hooks/1")


SCHEMAS = {
    "ORDER_CHANGE": "OrderChangeNotification.json",
    "LISTINGS_ITEM_MFN_QUANTITY_CHANGE": "ListingsItemMfnQuantityChange.json",
    "LISTINGS_ITEM_STATUS_CHANGE": "ListingsItemStatusChangeNotification.json",
    "FBA_INVENTORY_AVAILABILITY_CHANGES": "FBAInventoryAvailabilityChangeNotification.json",
    "FEED_PROCESSING_FINISHED": "FeedProcessingFinishedNotification.json",
}


def letters_of(stage: Stage) -> list[Letter]:
    """What the stand-in sends from here on, caught before the wire."""
    caught: list[Letter] = []
    stage.connector.subscribe("https://hub.example/hooks/1")
    stage.stand_in.connect_aws("https://hub.example/hooks/1", WEBHOOK_SECRET)
    stage.stand_in.sender.send = caught.append
    return caught


def test_what_happens_on_amazon_is_told_as_its_schemas_have_it_and_understood() -> None:
    with amazon() as stage:
        letters = letters_of(stage)
        refs = seed_listings(stage.stand_in, 30)
        stage.stand_in.add_listing("FBA-1", "Kettle", Decimal("49.00"), 1, is_fba=True)
        own, fba = stage.stand_in.order((refs[0].sku, 5)), stage.stand_in.order(("FBA-1", 1))
        stage.connector.push_stock(stock(refs))
        topics = {letter.name for letter in letters}
        assert topics == set(SCHEMAS)
        told = set()
        for letter in letters:
            body = json.loads(letter.body)
            _judge_notification(letter.name, body.get("detail", body))
            delivery = Delivery(letter.url, letter.headers, letter.body, stage.world.clock.now())
            stage.connector.verify_webhook(delivery)
            told |= {(event.topic, event.kind, event.external_id) for event in stage.connector.read_webhook(delivery)}
        assert {
            ("ORDER_CHANGE", "orders", own),
            ("ORDER_CHANGE", "orders", fba),
            ("LISTINGS_ITEM_MFN_QUANTITY_CHANGE", "stock", refs[0].sku),
            ("LISTINGS_ITEM_STATUS_CHANGE", "listings", refs[0].sku),
            ("FBA_INVENTORY_AVAILABILITY_CHANGES", "stock", "FBA-1"),
            ("FEED_PROCESSING_FINISHED", "stock", ""),
        } <= told


def _judge_notification(topic: str, body: dict[str, Any]) -> None:
    file = vendor_apis() / "amazon" / "notification-schemas" / SCHEMAS[topic]
    schema = json.loads(file.read_text(encoding="utf-8"))
    if topic == "LISTINGS_ITEM_STATUS_CHANGE":
        # The schema's enum says ..._CHANGED, against its own example and against the name that is subscribed to.
        del schema["properties"]["NotificationType"]["enum"]
    jsonschema.Draft7Validator(schema).validate(body)


def test_a_secret_in_another_header_opens_nothing() -> None:
    with amazon() as stage:
        letters = letters_of(stage)
        (ref,) = seed_listings(stage.stand_in, 1)
        stage.stand_in.order((ref.sku, 1))
        letter = letters[0]
        for headers in ({"authorization": WEBHOOK_SECRET}, {"x-api-key": WEBHOOK_SECRET.upper()}, {"x-api-key": " "}):
            with pytest.raises(WebhookRefused):
                stage.connector.verify_webhook(Delivery(letter.url, headers, letter.body, stage.world.clock.now()))


def test_a_notification_brings_no_record_so_that_an_altered_one_can_only_ask() -> None:
    with amazon() as stage:
        letters = letters_of(stage)
        (ref,) = seed_listings(stage.stand_in, 1)
        stage.stand_in.order((ref.sku, 1))
        for letter in letters:
            forged = letter.body.replace(b'"Quantity": 4', b'"Quantity": 4000')
            delivery = Delivery(letter.url, letter.headers, forged, stage.world.clock.now())
            assert all(event.record is None for event in stage.connector.read_webhook(delivery))


def test_a_notification_wrapped_without_end_is_unintelligible() -> None:
    connector = Amazon(Account({}, {}))
    body: Any = {"NotificationType": "ORDER_CHANGE"}
    for _ in range(10):
        body = [{"messageId": "m", "body": json.dumps(body)}]
    delivery = Delivery("https://hub.example", {}, json.dumps(body).encode(), START)
    with pytest.raises(Unintelligible):
        connector.read_webhook(delivery)
