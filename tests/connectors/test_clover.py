"""Clover, connector and stand-in, over HTTP; every exchange is judged by the objects of the vendor's own SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NeedsAttention, NotSupported, Rejected
from finalmarket.connectors.platforms.clover import REGIONS, Clover
from finalmarket.connectors.records import (
    Address,
    CustomerContent,
    Delivery,
    ListingContent,
    ListingRef,
    PriceLevel,
    RefundNotice,
)
from finalmarket.sandbox.platforms.clover.store import APP_ID, APP_SECRET, CODE, MERCHANT
from finalmarket.sandbox.webhooks import Letter
from tests.connectors.cases.clover import case, seed_listings, sku_of
from tests.connectors.conformance.stage import START, Stage, staged

HUB = "https://hub.example/hooks/clover-1"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def _letter(body: object) -> Delivery:
    return Delivery(HUB, {"Content-Type": "application/json"}, json.dumps(body).encode(), START)


# Orders.


def test_many_orders_of_one_moment_all_come_in(stage: Stage) -> None:
    at = stage.stand_in.now() - timedelta(minutes=1)
    sold = {stage.stand_in.order((sku_of(stage.stand_in), 1), at=at) for _ in range(130)}
    came = [record.external_id for page in stage.connector.pull_orders("", None) for record in page.records]
    assert (set(came), len(came)) == (sold, 130)


def test_an_order_that_was_opened_and_never_rung_up_is_none(stage: Stage) -> None:
    empty = stage.stand_in.order(is_paid=False)
    sold = stage.stand_in.order((sku_of(stage.stand_in), 1))
    came = [record.external_id for page in stage.connector.pull_orders("", None) for record in page.records]
    assert came == [sold]
    assert stage.connector.pull_order(empty).lines == ()


def test_an_order_that_is_paid_later_comes_in_again(stage: Stage) -> None:
    name = stage.stand_in.order((sku_of(stage.stand_in), 2), is_paid=False)
    (*_, page) = stage.connector.pull_orders("", None)
    before = page.records[-1]
    assert (before.handed_over, before.tenders) == (False, ())
    stage.time.advance(timedelta(minutes=20))
    stage.stand_in.pay(name)
    (*_, page) = stage.connector.pull_orders(page.cursor, None)
    after = page.records[-1]
    assert (after.external_id, after.handed_over, after.tenders[0].tender) == (name, True, "cash")
    assert after.version > before.version


# Inventory.


def test_a_new_listing_whose_sku_is_there_is_taken_for_that_item(stage: Stage) -> None:
    key = stage.stand_in.add_listing("TEA", "Tea", Decimal("4.00"), 3)
    content = ListingContent(
        ref=ListingRef(key="local-1", sku="TEA"), key="listing-1", title="Green tea", price=Decimal("4.50"),
        currency="USD",
    )  # fmt: skip
    assert stage.connector.push_listings([content]) == [ListingRef(key=key, sku="TEA", ids={"item": key})]
    item = stage.stand_in.state["items"][key]
    assert (item["name"], item["price"], item["itemStock"]["quantity"]) == ("Green tea", 450, 3)


def test_a_price_of_another_currency_is_refused_and_none_is_sent(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    level = PriceLevel(ref=ref, amount=Decimal("9.00"), currency="EUR", key="price-1")
    (refused,) = stage.connector.push_prices([level])
    assert (refused.key, refused.reason) == (ref.key, "the merchant sells in USD, not in EUR")
    assert stage.stand_in.state["items"][ref.key]["price"] == 1000


def test_parts_of_a_unit_show_the_whole_ones(stage: Stage) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    stage.stand_in.set_stock(ref.key, 160.5)
    (record,) = stage.connector.pull_stock([ref])
    assert record.quantity == 160
    stage.stand_in.set_stock(ref.key, -0.5)
    (record,) = stage.connector.pull_stock([ref])
    assert record.quantity == -1


# Money back.


def _notice(stage: Stage, order: str, amount: str, key: str, others: tuple[str, ...] = ()) -> RefundNotice:
    payment = stage.stand_in.state["orders"][order]["payments"][0]["id"]
    return RefundNotice(
        key=key, order_id=order, payment_id=payment, amount=Decimal(amount), currency="USD", others=others
    )


def test_two_refunds_of_one_amount_are_two_where_the_first_is_known(stage: Stage) -> None:
    order = stage.stand_in.order((sku_of(stage.stand_in), 3), online=True)
    first = stage.connector.push_refund(_notice(stage, order, "5.00", "refund-1"))
    assert stage.connector.push_refund(_notice(stage, order, "5.00", "refund-1")) == first
    second = stage.connector.push_refund(_notice(stage, order, "5.00", "refund-2", (first,)))
    assert second != first
    record = stage.connector.pull_order(order)
    assert [refund.external_id for refund in record.refunds] == [first, second]
    assert (record.handed_over, record.total) == (False, Decimal("30.00"))


def test_what_was_paid_at_the_till_is_given_back_at_the_till(stage: Stage) -> None:
    order = stage.stand_in.order((sku_of(stage.stand_in), 1))
    with pytest.raises(Rejected) as caught:
        stage.connector.push_refund(_notice(stage, order, "5.00", "refund-1"))
    assert (caught.value.key, caught.value.code) == ("refund-1", "resource_missing")


# Customers.


def test_a_customer_is_known_by_e_mail_and_gets_what_is_new(stage: Stage) -> None:
    content = CustomerContent(key="c-1", name="Ada King Lovelace", email="ada@example.org", accepts_email=True)
    name = stage.connector.push_customer(content)
    place = Address(street="1 High St", postcode="10115", city="Berlin", country="DE")
    again = replace(content, key="c-2", email="ADA@example.org", phone="+49 30 1", address=place)
    assert stage.connector.push_customer(again) == name
    record = stage.connector.pull_customer(name)
    assert (record.name, record.email, record.phone) == ("Ada King Lovelace", "ada@example.org", "+49 30 1")
    assert (record.address.city, record.accepts_email) == ("Berlin", True)
    assert len(stage.stand_in.state["customers"][name]["emailAddresses"]) == 1


def test_a_customer_without_e_mail_and_phone_could_be_made_twice_and_is_not_made(stage: Stage) -> None:
    with pytest.raises(Rejected):
        stage.connector.push_customer(CustomerContent(key="c-1", name="Nobody"))
    assert stage.stand_in.state["customers"] == {}


def test_customers_who_changed_come_in_within_a_day(stage: Stage) -> None:
    name = stage.stand_in.new_customer({"firstName": "Ada"})["id"]
    (*_, page) = stage.connector.pull_customers("", None)
    stage.time.advance(timedelta(hours=1))
    (*_, page) = stage.connector.pull_customers(page.cursor, None)
    stage.stand_in.state["customers"][name]["firstName"] = "Augusta"
    stage.time.advance(timedelta(hours=1))
    (*_, page) = stage.connector.pull_customers(page.cursor, None)
    assert page.records == ()
    stage.time.advance(timedelta(hours=23))
    (*_, page) = stage.connector.pull_customers(page.cursor, None)
    assert [record.name for record in page.records] == ["Augusta"]


# Being let in.


def _connected(stage: Stage, kept: dict[str, str]) -> Clover:
    """An account connected by OAuth."""
    account = Account({"access_token": "none-yet", "app_secret": APP_SECRET}, {"app_id": APP_ID}, stage.address)
    query = {"code": CODE, "merchant_id": MERCHANT, "state": "s"}
    given = stage.with_account(account).exchange(query, "https://hub.example/oauth", "")
    kept |= {name: value for name, value in given.items() if name != "merchant_id"}
    settings = {"app_id": APP_ID, "merchant_id": given["merchant_id"]}
    connected: Clover = stage.with_account(Account(kept, settings, stage.address, keep=kept.update))
    return connected


def test_a_round_trip_in_the_browser_lets_one_in_and_each_renewal_is_good_once(stage: Stage) -> None:
    kept: dict[str, str] = {}
    connector = _connected(stage, kept)
    assert connector.check() == f"Practice Shop ({MERCHANT})"
    first = dict(kept)
    stage.time.advance(timedelta(minutes=29))
    connector.check()
    assert kept["access_token"] != first["access_token"]
    assert kept["refresh_token"] != first["refresh_token"]
    assert kept["access_token_ends_at"] > first["access_token_ends_at"]
    late = stage.with_account(replace(connector.account, secrets={**first}))
    with pytest.raises(NeedsAttention):
        late.check()
    stage.time.advance(timedelta(minutes=29))
    connector.check()


def test_a_round_trip_without_a_code_or_with_a_wrong_one_connects_nobody(stage: Stage) -> None:
    account = Account({"access_token": "none-yet", "app_secret": "not-the-secret"}, {"app_id": APP_ID}, stage.address)
    connector = stage.with_account(account)
    for query in ({}, {"code": CODE}, {"code": "wrong", "merchant_id": MERCHANT}):
        with pytest.raises(NeedsAttention):
            connector.exchange(query, "https://hub.example/oauth", "")


@pytest.mark.parametrize("region", list(REGIONS))
def test_each_region_has_its_hosts(region: str) -> None:
    asked: list[httpx2.URL] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url)
        return httpx2.Response(200, json={"id": MERCHANT, "name": "Shop", "data": []})

    settings = {"merchant_id": MERCHANT, "region": region, "app_id": APP_ID}
    connector = Clover(Account({"access_token": "token-of-a-test"}, settings), transport=httpx2.MockTransport(handle))
    connector.check()
    notice = RefundNotice(key="r", order_id="o", payment_id="p", amount=Decimal("0.01"), currency="USD")
    connector.push_refund(notice)
    page = urlsplit(connector.authorization_url("https://hub.example/oauth", "state-1", ""))
    assert (asked[0].host, asked[1].host, page.netloc) == REGIONS[region]
    assert parse_qs(page.query)["state"] == ["state-1"]


def test_without_a_merchant_nothing_is_asked() -> None:
    with pytest.raises(NeedsAttention, match="Merchant ID"):
        Clover(Account({"access_token": "token-of-a-test"})).check()


# Webhooks.


def test_webhooks_are_set_up_by_hand_and_clovers_code_is_shown_until_they_are(stage: Stage) -> None:
    bare = stage.with_account(replace(stage.connector.account, secrets={"access_token": "token-of-a-test"}))
    with pytest.raises(NotSupported, match=HUB):
        bare.subscribe(HUB)
    letter = stage.stand_in.set_up_webhooks(HUB)
    delivery = Delivery(letter.url, letter.headers, letter.body, START)
    assert "ce7643c1-83ea-4218-abe6-da876c9c7a0a" in bare.question(delivery)
    assert stage.connector.question(delivery) == ""
    assert stage.connector.subscribe(HUB) == {}


@pytest.mark.parametrize(
    "body",
    [
        {"verificationCode": "<script>alert(1)</script>"},
        {"verificationCode": 17},
        {"verificationCode": ""},
        {"verificationCode": "ce7643c1-83ea-4218", "merchants": {}},
        {"merchants": {}},
        [],
        "ce7643c1-83ea-4218",
    ],
)
def test_what_is_no_code_of_clovers_is_no_question(body: object) -> None:
    assert Clover(Account({"access_token": "token-of-a-test"})).question(_letter(body)) == ""


def test_a_delivery_of_many_merchants_is_read_for_ours(stage: Stage) -> None:
    def change(name: str, what: str) -> dict[str, object]:
        return {"objectId": name, "type": what, "ts": 1_780_315_200_000}

    changes = [
        change("O:ORDER00000001", "UPDATE"),
        change("I:ITEM000000001", "UPDATE"),
        change("I:ITEM000000002", "CREATE"),
        change("C:PERSON0000001", "DELETE"),
        change("E:EMPLOYEE00001", "UPDATE"),
    ]
    body = {"appId": APP_ID, "merchants": {"SOMEONE_ELSE1": [change("O:NOT_OURS00001", "UPDATE")], MERCHANT: changes}}
    events = stage.connector.read_webhook(_letter(body))
    assert [(event.kind, event.external_id) for event in events] == [
        ("orders", "ORDER00000001"), ("stock", "ITEM000000001"), ("listings", "ITEM000000002"),
        ("customers", "PERSON0000001"), ("unknown", "EMPLOYEE00001"),
    ]  # fmt: skip
    assert {event.occurred_at for event in events} == {START}
    assert len({event.event_id for event in events}) == 5


def test_what_the_sandbox_sends_is_proved_and_leads_to_the_order(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    letters: list[Letter] = []
    monkeypatch.setattr(stage.stand_in.sender, "send", letters.append)
    stage.stand_in.set_up_webhooks(HUB)
    order = stage.stand_in.order((sku_of(stage.stand_in), 1))
    delivery = Delivery(letters[-1].url, letters[-1].headers, letters[-1].body, stage.world.clock.now())
    stage.connector.verify_webhook(delivery)
    (event,) = stage.connector.read_webhook(delivery)
    assert (event.kind, event.external_id) == ("orders", order)
