"""TikTok beyond the suite: signatures, tokens, warehouses, parcels of others, what a person is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NeedsAttention, NotSupported, Rejected
from finalmarket.connectors.platforms.tiktok import TOKEN_HEADER, signature
from finalmarket.connectors.records import ListingRef, PriceLevel, StockLevel
from finalmarket.sandbox.platforms import tiktok as ids
from tests.connectors.cases.tiktok import account, an_order, analytics_events, case, deliver, fulfilment, seed_listings
from tests.connectors.conformance.stage import DOUBLE, START, Stage, always, on_a_double, staged


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def level(ref: ListingRef, units: int, location: str = ids.HOUSE) -> StockLevel:
    """So many units are to be shown."""
    return StockLevel(ref=ref, quantity=units, key=f"stock-{ref.key}", location=location)


# Letting in.


def test_a_signature_is_over_path_sorted_parameters_and_body_between_the_secret() -> None:
    # openssl sha256 -hmac helloworld, of: helloworld/api/ordersapp_key38abcdtimestamp1696909648{"a":1}helloworld
    query = {"timestamp": "1696909648", "app_key": "38abcd", "sign": "old", "access_token": "never signed"}
    made = signature("/api/orders", query, b'{"a":1}', "helloworld")
    assert made == "ac8295e901914a9f575b7a2962e50f161d58d13270ea18d331702acccafe3a7f"


def test_an_ended_token_is_renewed_once_and_kept(stage: Stage) -> None:
    kept: dict[str, str] = {}
    stage.stand_in.state["token"] = "another-token-by-now"
    secrets = dict(stage.connector.account.secrets)
    connector = stage.with_account(Account(secrets, stage.connector.account.settings, stage.address, kept.update))
    assert "Sandbox shop" in connector.check()
    assert kept["access_token"] == stage.stand_in.state["token"]
    assert (
        timedelta(days=6) < datetime.fromisoformat(kept["access_token_ends_at"]) - START <= timedelta(days=7, minutes=1)
    )
    assert stage.watched.exchanges[-1].request_headers[TOKEN_HEADER] == kept["access_token"]


def test_the_browser_brings_a_refresh_token(stage: Stage) -> None:
    assert stage.connector.exchange({"code": "sandbox-code"}, "", "") == {"refresh_token": ids.REFRESH}
    with pytest.raises(NeedsAttention):
        stage.connector.exchange({"code": "spent"}, "", "")


def test_an_account_with_several_shops_has_to_say_which() -> None:
    shops = [{"id": "1", "name": "One", "cipher": "a"}, {"id": "2", "name": "Two", "cipher": "b"}]
    body = json.dumps({"code": 0, "message": "", "request_id": "1", "data": {"shops": shops}}).encode()
    unsaid = replace(account(DOUBLE), settings={})
    with pytest.raises(NeedsAttention, match=r"1 \(One\), 2 \(Two\)"):
        on_a_double(case(), always(200, body), account=unsaid).check()
    chosen = replace(account(DOUBLE), settings={"shop_id": "2"})
    assert on_a_double(case(), always(200, body), account=chosen).check().startswith("Two")


# Goods.


def test_other_warehouses_keep_what_they_show(stage: Stage) -> None:
    stage.stand_in.state["houses"] = [ids.HOUSE, "6955002"]
    (ref,) = seed_listings(stage.stand_in, 1)
    assert stage.connector.push_stock([level(ref, 3)]) == []
    shown = {one["warehouse_id"]: one["quantity"] for one in stage.stand_in.sku(ref.key)[0]["inventory"]}
    assert shown == {ids.HOUSE: 3, "6955002": 5}
    (refused,) = stage.connector.push_stock([level(ref, 3, location="")])
    assert "several warehouses" in refused.reason


def test_one_price_that_is_refused_stops_no_other_of_its_product(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    gone = replace(ref, key="no-such-sku")
    prices = [
        PriceLevel(ref=one, amount=Decimal("12.50"), currency="EUR", key=f"price-{one.key}") for one in (ref, gone)
    ]
    (refused,) = stage.connector.push_prices(prices)
    assert refused.key == "no-such-sku"
    assert stage.stand_in.sku(ref.key)[0]["price"]["tax_exclusive_price"] == "12.50"


def test_the_price_that_buyers_see_is_told_to_a_shop_that_sells_from_another_country(stage: Stage) -> None:
    stage.stand_in.state["seller_type"] = "CROSS_BORDER"
    (ref,) = seed_listings(stage.stand_in, 1)
    level = PriceLevel(ref=ref, amount=Decimal("12.50"), currency="EUR", key="price-1")
    assert stage.connector.push_prices([level]) == []
    (record,) = [one for page in stage.connector.pull_listings("") for one in page.records]
    assert (record.ref.key, record.price) == (ref.key, Decimal("12.50"))
    assert stage.stand_in.sku(ref.key)[0]["price"]["tax_exclusive_price"] == "10.00"


# Orders.


def test_each_article_is_a_line_and_what_went_back_stands_beside(stage: Stage) -> None:
    name = an_order(stage.stand_in, units=2)
    stage.stand_in.give_back(name, Decimal("10.00"))
    order = stage.connector.pull_order(name)
    assert [(line.kind, line.quantity, line.unit_price) for line in order.lines] == [
        ("goods", 1, Decimal("10.00")), ("goods", 1, Decimal("10.00")), ("shipping", 1, Decimal("4.90")),
    ]  # fmt: skip
    assert [refund.amount for refund in order.refunds] == [Decimal("10.00")]
    assert (order.total, order.tax_included, order.shipping_address.region) == (Decimal("24.90"), True, "Leinster")


def test_orders_of_one_second_all_come_however_many_they_are(stage: Stage) -> None:
    stage.stand_in.add_listing("A", "A", Decimal("1.00"), 1000)
    made = {stage.stand_in.order([("A", 1)]) for _ in range(120)}
    later = an_order(stage.stand_in)
    came = {record.external_id for page in stage.connector.pull_orders("", None) for record in page.records}
    assert came == made | {later}


def test_a_parcel_under_tiktoks_label_and_a_carrier_that_is_not_offered_are_refused(stage: Stage) -> None:
    notice = fulfilment(stage.stand_in)
    with pytest.raises(Rejected, match="An Post, DHL, UPS"):
        stage.connector.push_fulfilment(replace(notice, carrier="Green Post"))
    stage.stand_in.state["orders"][notice.order_id]["shipping_type"] = "TIKTOK"
    with pytest.raises(Rejected, match="own label"):
        stage.connector.push_fulfilment(notice)


def test_a_parcel_that_was_told_is_seen_in_the_order(stage: Stage) -> None:
    notice = fulfilment(stage.stand_in)
    name = stage.connector.push_fulfilment(notice)
    (parcel,) = stage.connector.pull_order(notice.order_id).fulfilments
    assert (parcel.external_id, parcel.tracking_number, len(parcel.lines)) == (name, notice.tracking_number, 2)


# Events and webhooks.


def test_of_whom_did_not_agree_to_advertising_tiktok_hears_nothing(stage: Stage) -> None:
    agreed, other = analytics_events(stage.stand_in, 2)
    (refused,) = stage.connector.send_events([agreed, replace(other, allows_ads=False)])
    assert refused.key == other.key
    assert [event["event_id"] for event in stage.stand_in.state["events"].values()] == [agreed.key]
    bare = replace(stage.connector.account, settings={"shop_id": ids.SHOP})
    with pytest.raises(NotSupported):
        stage.with_account(bare).send_events([agreed])


def test_one_delivery_about_parcels_is_an_event_for_each_order_and_another_shop_is_none_of_ours() -> None:
    connector = on_a_double(case(), always(500))
    genuine = deliver(account(DOUBLE), topic="PACKAGE_UPDATE", sent_at=START)
    told = json.loads(genuine.body)
    told["data"] = {"package_list": [{"package_id": "1", "order_id_list": ["5", "6"]}]}
    events = connector.read_webhook(replace(genuine, body=json.dumps(told).encode()))
    assert [(event.kind, event.external_id) for event in events] == [("orders", "5"), ("orders", "6")]
    assert len({event.event_id for event in events}) == 2
    (other,) = connector.read_webhook(replace(genuine, body=json.dumps({**told, "shop_id": "1", "data": {}}).encode()))
    assert other.kind == "unknown"
