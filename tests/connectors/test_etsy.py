"""Etsy, in what the conformance suite cannot know: seconds, variations, drafts, keys, quotas and the webhook portal."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest
from standardwebhooks import Webhook

from finalmarket.connectors.auth import new_verifier
from finalmarket.connectors.errors import (
    NeedsAttention,
    NotSupported,
    Rejected,
    Unintelligible,
    WebhookRefused,
)
from finalmarket.connectors.platforms.etsy import Etsy
from finalmarket.connectors.platforms.etsy.receipts import order_record
from finalmarket.connectors.records import FulfilmentNotice
from tests.connectors.cases import etsy
from tests.connectors.conformance.stage import START, Stage, always, changed, on_a_double, staged

CALLBACK = "https://hub.example/back"
TEN = Decimal("10.00")


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(etsy.case()) as made:
        yield made


# Orders.


def test_orders_of_one_second_all_come_though_they_fill_more_than_a_page(stage: Stage) -> None:
    sown = [stage.stand_in.order((etsy.plenty(stage.stand_in), 1)) for _ in range(230)]
    came = [record.external_id for page in stage.connector.pull_orders("", None) for record in page.records]
    assert sorted(set(came)) == sorted(sown)


def test_two_changes_within_a_second_are_two_versions(stage: Stage) -> None:
    (order,) = etsy.seed_orders(stage.stand_in, 1)
    before = stage.connector.pull_order(order)
    stage.stand_in.give_back(order, Decimal("1.00"))
    refunded = stage.connector.pull_order(order)
    stage.stand_in.cancel_order(order)
    cancelled = stage.connector.pull_order(order)
    assert before.version < refunded.version < cancelled.version
    assert cancelled.is_cancelled
    assert [one.amount for one in refunded.refunds] == [Decimal("1.00")]


def test_a_platform_that_gives_what_was_not_asked_for_ends_the_pull() -> None:
    receipt = {"receipt_id": 1, "updated_timestamp": 1_700_000_000}
    answers = iter([{"count": 9, "results": [receipt]}, {"count": 9, "results": [{**receipt, "updated_timestamp": 5}]}])
    connector = on_a_double(etsy.case(), lambda request: httpx2.Response(200, json=next(answers)))
    with pytest.raises(Unintelligible):
        list(connector.pull_orders("", None))


def eur(cents: int) -> dict[str, Any]:
    return {"amount": cents, "divisor": 100, "currency_code": "EUR"}


def receipt(**more: Any) -> dict[str, Any]:
    """Two of 12.50 and one of 9.99, 4.50 shipping, less 5.00."""
    line = {"transaction_id": 11, "listing_id": 7, "title": "Cup", "sku": "CUP", "quantity": 2, "price": eur(1250)}
    return {
        "receipt_id": 1, "status": "paid", "payment_method": "klarna", "is_paid": True, "is_shipped": False,
        "created_timestamp": 1_780_000_000, "updated_timestamp": 1_780_000_100, "grandtotal": eur(3449),
        "total_shipping_cost": eur(450), "total_tax_cost": eur(0), "total_vat_cost": eur(0), "discount_amt": eur(500),
        "gift_wrap_price": eur(0), "shipments": [], "refunds": [],
        "transactions": [
            line,
            {
                **line, "transaction_id": 12, "quantity": 1, "price": eur(999), "sku": None,
                "product_data": [{"property_id": 100, "value_ids": [5, 3]}],
            },
        ], **more,
    }  # fmt: skip


def total_of(record: Any) -> Decimal:
    parts = sum((line.unit_price * line.quantity - line.discount for line in record.lines), Decimal(0))
    return Decimal(parts + (0 if record.tax_included else record.tax or 0))


def test_the_parts_of_an_order_add_up_to_its_total() -> None:
    record = order_record(receipt())
    assert record.total == Decimal("34.49") == total_of(record)
    assert [(line.kind, line.listing_id) for line in record.lines] == [
        ("goods", "7"), ("goods", "7:3-5"), ("shipping", ""), ("discount", ""),
    ]  # fmt: skip
    assert (record.tax, record.tenders[0].tender, record.unknown) == (None, "invoice", ())


@pytest.mark.parametrize(
    ("told", "tax", "is_included"),
    [
        ({"total_tax_cost": eur(300), "grandtotal": eur(3749)}, "3.00", False),
        ({"total_vat_cost": eur(550)}, "5.50", True),
        ({"total_vat_cost": eur(550), "grandtotal": eur(3999)}, "5.50", False),
    ],
)
def test_sales_tax_is_added_and_value_added_tax_is_in_the_prices_unless_the_total_says_otherwise(
    told: dict[str, Any], tax: str, is_included: bool
) -> None:
    record = order_record(receipt(**told))
    assert (record.tax, record.tax_included) == (Decimal(tax), is_included)
    assert record.total == total_of(record)


def test_what_no_part_explains_is_an_adjustment() -> None:
    record = order_record(receipt(grandtotal=eur(3399)))
    assert [(line.kind, line.unit_price) for line in record.lines if line.kind == "adjustment"] == [
        ("adjustment", Decimal("-0.50"))
    ]


def test_files_leave_with_the_buyer() -> None:
    lines = [{**one, "is_digital": True} for one in receipt()["transactions"]]
    assert order_record(receipt(transactions=lines)).handed_over


def test_moments_and_words() -> None:
    record = order_record(receipt(status="Teleported", payment_method="shells"))
    assert record.placed_at == datetime.fromtimestamp(1_780_000_000, UTC)
    assert record.unknown == ("status: teleported", "payment_method: shells")


# Parcels.


def notice(stage: Stage, **more: Any) -> FulfilmentNotice:
    return replace(etsy.fulfilment(stage.stand_in), **more)


def test_a_parcel_marks_the_order_as_shipped_with_its_number(stage: Stage) -> None:
    told = notice(stage, carrier="Sparrow Post")
    name = stage.connector.push_fulfilment(told)
    record = stage.connector.pull_order(told.order_id)
    (parcel,) = record.fulfilments
    assert (parcel.external_id, parcel.tracking_number, parcel.carrier) == (name, told.tracking_number, "other")
    assert parcel.lines == told.lines


def test_a_second_parcel_of_an_order_is_told_too(stage: Stage) -> None:
    first = notice(stage)
    names = [
        stage.connector.push_fulfilment(first),
        stage.connector.push_fulfilment(replace(first, key="two", tracking_number="OTHER1")),
    ]
    assert len(set(names)) == 2
    assert stage.effects()["fulfilment"] == 2


def test_an_order_without_a_tracking_number_is_marked_as_shipped_once(stage: Stage) -> None:
    told = notice(stage, tracking_number="", carrier="")
    assert stage.connector.push_fulfilment(told) == stage.connector.push_fulfilment(told) != ""
    assert stage.effects()["fulfilment"] == 1


# Listings.


def test_a_new_listing_is_a_draft_with_sku_and_price(stage: Stage) -> None:
    (content,) = etsy.new_listings(stage.stand_in, 1)
    (ref,) = stage.connector.push_listings([content])
    (record,) = [record for page in stage.connector.pull_listings("") for record in page.records]
    assert record.ref == ref
    assert (record.title, record.price, record.is_available) == (content.title, TEN, False)
    assert stage.stand_in.listing(ref.key)["state"] == "draft"


def test_a_draft_with_a_picture_is_published(stage: Stage) -> None:
    (content,) = etsy.new_listings(stage.stand_in, 1)
    (ref,) = stage.connector.push_listings([replace(content, attributes={"image_ids": ["77"]})])
    assert stage.stand_in.listing(ref.key)["state"] == "active"


def test_a_draft_of_which_the_news_was_lost_is_taken_up(stage: Stage) -> None:
    (content,) = etsy.new_listings(stage.stand_in, 1)
    left = stage.stand_in._new_listing(content.title, content.description, TEN, 1, state="draft")
    (ref,) = stage.connector.push_listings([content])
    assert ref.key == str(left["listing_id"])
    assert len(stage.stand_in.state["listings"]) == 1


def test_a_listing_says_what_the_settings_lack(stage: Stage) -> None:
    account = replace(stage.connector.account, settings={"shop_id": stage.connector.account.settings["shop_id"]})
    (content,) = etsy.new_listings(stage.stand_in, 1)
    (refused,) = stage.with_account(account).push_listings([content])
    assert isinstance(refused, Rejected)
    assert "who_made, when_made, taxonomy_id" in refused.reason


def test_a_listing_goes_off_sale_and_comes_back(stage: Stage) -> None:
    (ref,) = etsy.seed_listings(stage.stand_in, 1)
    (content,) = etsy.new_listings(stage.stand_in, 1)
    for is_available, state in ((False, "inactive"), (True, "active")):
        told = replace(content, ref=ref, title="Another", is_available=is_available)
        assert stage.connector.push_listings([told]) == [ref]
        assert (stage.stand_in.listing(ref.key)["state"], stage.stand_in.listing(ref.key)["title"]) == (
            state,
            "Another",
        )


def test_a_variation_goes_off_sale_alone_and_the_words_stay(stage: Stage) -> None:
    name, refs = etsy.shirts(stage)
    (content,) = etsy.new_listings(stage.stand_in, 1)
    told = replace(content, ref=refs["SHIRT-S"], title="Shirt in S", is_available=False)
    assert stage.connector.push_listings([told]) == [refs["SHIRT-S"]]
    listing = stage.stand_in.listing(name)
    assert (listing["title"], listing["state"]) == ("Shirt", "active")
    enabled = {one["sku"]: one["offerings"][0]["is_enabled"] for _, one in stage.stand_in.products()}
    assert enabled == {"SHIRT-S": False, "SHIRT-M": True}


# Keys, tokens, quotas.


def test_a_seller_who_agrees_is_connected(stage: Stage) -> None:
    verifier = new_verifier()
    address = stage.connector.authorization_url(CALLBACK, "state-1", verifier)
    assert "transactions_w" in parse_qs(urlsplit(address).query)["scope"][0].split()
    query = dict(parse_qsl(urlsplit(httpx2.get(address, follow_redirects=False).headers["Location"]).query))
    assert query["state"] == "state-1"
    given = stage.connector.exchange(query, CALLBACK, verifier)
    settings = {"shop_id": given["shop_id"]}
    account = replace(changed(stage.connector.account, refresh_token=given["refresh_token"]), settings=settings)
    assert stage.with_account(account).check() == "SandboxMain (EUR)"


def test_a_code_is_worth_nothing_without_its_verifier(stage: Stage) -> None:
    address = stage.connector.authorization_url(CALLBACK, "state-1", new_verifier())
    query = dict(parse_qsl(urlsplit(httpx2.get(address, follow_redirects=False).headers["Location"]).query))
    with pytest.raises(NeedsAttention):
        stage.connector.exchange(query, CALLBACK, new_verifier())


def test_etsy_is_asked_which_shop_it_is_where_nobody_said(stage: Stage) -> None:
    assert stage.with_account(replace(stage.connector.account, settings={})).check() == "SandboxMain (EUR)"


def test_each_refresh_token_is_replaced_by_the_next(stage: Stage) -> None:
    kept: dict[str, str] = {}
    connector = stage.with_account(replace(stage.connector.account, keep=kept.update))
    connector.check()
    first = dict(kept)
    stage.time.advance(timedelta(hours=2))
    connector.check()
    assert kept["access_token"] != first["access_token"]
    assert kept["refresh_token"] != first["refresh_token"]


def test_what_an_answer_tells_of_the_quota_is_taken_over(stage: Stage) -> None:
    learned: list[dict[str, Any]] = []

    class Listening:
        def take(self, bucket: str, rate: Any, cost: float) -> None:
            """Spend nothing."""

        def learn(self, bucket: str, **told: Any) -> None:
            learned.append(told)

    headers = {"x-limit-per-second": "150", "x-remaining-this-second": "149", "x-remaining-today": "7"}
    transport = httpx2.MockTransport(
        lambda request: httpx2.Response(
            200, headers=headers, json={"access_token": "t", "expires_in": 60, "shop_name": "A", "refresh_token": "r"}
        )
    )
    Etsy(etsy.account("http://platform.invalid"), budget=Listening(), transport=transport).check()
    assert learned == [{"per_second": 150, "capacity": 150, "left": 7}]


# Webhooks.


def test_another_library_accepts_what_the_sandbox_signs_and_we_accept_what_it_signs(stage: Stage) -> None:
    now = datetime.now(UTC)
    account = stage.connector.account
    delivery = etsy.deliver(account, topic="order.paid", sent_at=now)
    library = Webhook(account.secrets["webhook_secret"])
    assert library.verify(delivery.body, dict(delivery.headers))["event_type"] == "order.paid"
    theirs = library.sign("msg_1", now, delivery.body.decode())
    headers = {
        "webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": f"v1,AAAA {theirs}",
    }  # fmt: skip
    stage.connector.verify_webhook(replace(delivery, headers=headers))


def test_a_signature_without_its_version_is_understood(stage: Stage) -> None:
    delivery = etsy.deliver(stage.connector.account, topic="order.paid", sent_at=START)
    bare = {**delivery.headers, "webhook-signature": delivery.headers["webhook-signature"].removeprefix("v1,")}
    stage.connector.verify_webhook(replace(delivery, headers=bare))


def test_what_the_portal_sends_is_an_order_of_ours(stage: Stage) -> None:
    (order,) = etsy.seed_orders(stage.stand_in, 1)
    body = json.dumps(
        {
            "event_type": "order.canceled", "shop_id": int(stage.connector.account.settings["shop_id"]),
            "resource_url": f"https://openapi.etsy.com/v3/application/shops/50000001/receipts/{order}",
        }
    ).encode()  # fmt: skip
    delivery = replace(etsy.deliver(stage.connector.account, topic="order.paid", sent_at=START), body=body)
    (event,) = stage.connector.read_webhook(delivery)
    assert (event.kind, event.external_id, event.topic) == ("orders", order, "order.canceled")
    other = replace(stage.connector.account, settings={"shop_id": "1"})
    (strange,) = stage.with_account(other).read_webhook(delivery)
    assert strange.kind == "unknown"


def test_a_person_is_told_where_to_enter_the_address(stage: Stage) -> None:
    with pytest.raises(NotSupported, match=r"https://hub\.example/hooks/1 in the webhook portal"):
        stage.connector.subscribe("https://hub.example/hooks/1")


def test_a_secret_that_is_not_as_etsy_writes_it_lets_nothing_in(stage: Stage) -> None:
    account = changed(stage.connector.account, webhook_secret="whsec_" + b64encode(b"x").decode() + "?")
    delivery = etsy.deliver(stage.connector.account, topic="order.paid", sent_at=START)
    with pytest.raises(WebhookRefused, match="copy it anew"):
        stage.with_account(account).verify_webhook(delivery)


def test_etsys_sentences_are_told(stage: Stage) -> None:
    connector = on_a_double(etsy.case(), always(400, b'{"error": "Missing fields: title."}'))
    with pytest.raises(Rejected, match=r"Missing fields: title\."):
        connector.http.call("POST", "/anything")
