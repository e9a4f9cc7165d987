"""Shopify: how accounts are connected, tokens renewed, and webhooks told from forgeries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NeedsAttention, WebhookRefused
from finalmarket.connectors.platforms.shopify import Shopify
from finalmarket.connectors.platforms.shopify.webhooks import PRIVACY_TOPICS
from finalmarket.connectors.records import Delivery
from finalmarket.sandbox.platforms.shopify import letters
from finalmarket.sandbox.platforms.shopify.server import CLIENT_ID, CLIENT_SECRET
from finalmarket.sandbox.webhooks import Letter
from tests.connectors.cases.shopify import DOMAIN, case, deliver, seed_customers, seed_listings
from tests.connectors.conformance.stage import START, Stage, staged

REDIRECT = "https://hub.example/integrations/7/connected"
HOOK = "https://hub.example/hooks/1"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def app_only(stage: Stage, **secrets: str) -> Account:
    """What a person enters: the app's own credentials and the shop."""
    given = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **secrets}
    return Account(given, {"shop": DOMAIN}, base_url=stage.address)


# The round trip in the browser.


def agreed(stage: Stage, connector: Any) -> dict[str, str]:
    """What comes back when the merchant agrees."""
    url = connector.authorization_url(REDIRECT, "state-of-this-person", "")
    answer = httpx2.get(url, follow_redirects=False, trust_env=False)
    assert answer.status_code == 302
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == REDIRECT
    return dict(parse_qsl(back.query))


def test_an_account_is_connected_by_a_round_trip(stage: Stage) -> None:
    connector = stage.with_account(app_only(stage))
    query = agreed(stage, connector)
    assert query["state"] == "state-of-this-person"
    secrets = connector.exchange(query, REDIRECT, "")
    assert set(secrets) == {"access_token", "refresh_token", "access_token_ends_at"}
    assert stage.with_account(app_only(stage, **secrets)).check().strip()


def test_the_merchant_is_asked_for_what_we_need_at_the_shops_own_address() -> None:
    connector = Shopify(Account({"client_id": "id-of-the-app", "client_secret": "s" * 9}, {"shop": DOMAIN}))
    url = urlsplit(connector.authorization_url(REDIRECT, "a state", ""))
    asked = dict(parse_qsl(url.query))
    assert (url.scheme, url.netloc, url.path) == ("https", DOMAIN, "/admin/oauth/authorize")
    assert asked["redirect_uri"] == REDIRECT
    assert asked["state"] == "a state"
    assert "write_inventory" in asked["scope"].split(",")


@pytest.mark.parametrize("field", ["code", "shop", "state", "timestamp", "host", "hmac"])
def test_a_redirect_that_was_altered_is_not_genuine(stage: Stage, field: str) -> None:
    connector = stage.with_account(app_only(stage))
    query = agreed(stage, connector)
    for other in ({**query, field: query[field] + "1"}, {k: v for k, v in query.items() if k != field}):
        with pytest.raises(NeedsAttention):
            connector.exchange(other, REDIRECT, "")
    assert connector.exchange(query, REDIRECT, "")


def test_a_redirect_with_something_added_is_not_genuine(stage: Stage) -> None:
    connector = stage.with_account(app_only(stage))
    with pytest.raises(NeedsAttention):
        connector.exchange({**agreed(stage, connector), "added": "x"}, REDIRECT, "")


def test_a_redirect_for_another_shop_is_refused(stage: Stage) -> None:
    connector = stage.with_account(app_only(stage))
    query = agreed(stage, connector)
    other = replace(app_only(stage), settings={"shop": "other-shop.myshopify.com"})
    with pytest.raises(NeedsAttention, match="another shop"):
        stage.with_account(other).exchange(query, REDIRECT, "")


def test_an_old_redirect_and_a_code_that_was_used_give_no_token(stage: Stage) -> None:
    connector = stage.with_account(app_only(stage))
    query = agreed(stage, connector)
    assert connector.exchange(query, REDIRECT, "")
    with pytest.raises(NeedsAttention, match="no access token"):
        connector.exchange(query, REDIRECT, "")
    late = agreed(stage, connector)
    stage.time.advance(timedelta(hours=2))
    with pytest.raises(NeedsAttention, match="too old"):
        connector.exchange(late, REDIRECT, "")


def test_without_the_apps_secret_nothing_is_genuine(stage: Stage) -> None:
    connector = stage.with_account(app_only(stage))
    query = agreed(stage, connector)
    with pytest.raises(NeedsAttention):
        stage.with_account(app_only(stage, client_secret="")).exchange({**query, "hmac": ""}, REDIRECT, "")


# Tokens.


def test_a_token_that_ends_is_renewed_and_kept(stage: Stage) -> None:
    connector = stage.with_account(app_only(stage))
    secrets = connector.exchange(agreed(stage, connector), REDIRECT, "")
    kept: dict[str, str] = {}
    connector = stage.with_account(replace(app_only(stage, **secrets), keep=kept.update))
    stage.time.advance(timedelta(minutes=30))
    assert connector.check() and not kept
    stage.time.advance(timedelta(minutes=31))
    assert connector.check()
    assert set(kept) == {"access_token", "refresh_token", "access_token_ends_at"}
    assert kept["access_token"] != secrets["access_token"]
    assert kept["refresh_token"] != secrets["refresh_token"]
    assert stage.with_account(app_only(stage, **kept)).check()


def test_an_app_of_the_merchants_own_needs_no_round_trip(stage: Stage) -> None:
    kept: dict[str, str] = {}
    connector = stage.with_account(replace(app_only(stage), keep=kept.update))
    assert connector.check()
    assert "refresh_token" not in kept
    ended = {**kept, "access_token_ends_at": "2020-01-01T00:00:00+00:00"}
    again = stage.with_account(replace(app_only(stage, **ended), keep=kept.update))
    assert again.check()


def test_an_end_that_cannot_be_read_means_that_the_token_has_ended(stage: Stage) -> None:
    for text in ("soon", "2999-01-01T00:00:00"):
        connector = stage.with_account(app_only(stage, access_token="gone-long-ago", access_token_ends_at=text))
        assert connector.check()


# Webhooks.


@pytest.fixture
def hooked(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[Letter]:
    """The letters that the shop sends to those who subscribed."""
    stage.connector.subscribe(HOOK)
    sent: list[Letter] = []
    monkeypatch.setattr(stage.stand_in.sender, "send", sent.append)
    return sent


def events(stage: Stage, letters: list[Letter]) -> list[tuple[str, str, str]]:
    """What was delivered, proved and read: topic, kind, id."""
    found = []
    for letter in letters:
        delivery = Delivery(letter.url, letter.headers, letter.body, received_at=stage.world.clock.now())
        stage.connector.verify_webhook(delivery)
        found += [(each.topic, each.kind, each.external_id) for each in stage.connector.read_webhook(delivery)]
    return found


def test_every_topic_is_subscribed_to_once(stage: Stage) -> None:
    for _ in range(2):
        assert stage.connector.subscribe(HOOK) == {}
    stage.connector.subscribe(HOOK + "0")
    topics = [(each["topic"], each["uri"]) for each in stage.stand_in.state.subscriptions.values()]
    assert len(topics) == len(set(topics)) == 2 * len(Shopify.webhook_topics)
    assert ("INVENTORY_LEVELS_UPDATE", HOOK) in topics


def test_a_sale_is_told_as_an_order_and_as_the_stock_of_its_item(stage: Stage, hooked: list[Letter]) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    hooked.clear()
    order_id = stage.stand_in.order((ref.sku, 1))
    assert events(stage, hooked) == [
        ("orders/create", "orders", order_id),
        ("inventory_levels/update", "stock", ref.ids["item"]),
    ]
    assert stage.connector.pull_order(order_id) is not None


def test_what_follows_an_order_names_the_order(stage: Stage, hooked: list[Letter]) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    order_id = stage.stand_in.order((ref.sku, 1))
    hooked.clear()
    stage.stand_in.refund_order(order_id)
    stage.stand_in.cancel_order(order_id)
    told = events(stage, hooked)
    assert {name for _, kind, name in told if kind == "orders"} == {order_id}
    assert {topic for topic, _, _ in told} >= {"refunds/create", "orders/updated", "orders/cancelled"}


def test_a_changed_product_names_each_of_its_listings(stage: Stage, hooked: list[Letter]) -> None:
    (ref,) = seed_listings(stage.stand_in, 1)
    product = stage.stand_in.state.products[ref.ids["product"]]
    sister = stage.stand_in.state.add_variant(product, sku="SISTER")
    hooked.clear()
    stage.stand_in.tell_product(product)
    assert events(stage, hooked) == [
        ("products/update", "listings", ref.key),
        ("products/update", "listings", sister["id"]),
    ]
    (letter,) = hooked
    delivery = Delivery(letter.url, letter.headers, letter.body, received_at=START)
    ids = [each.event_id for each in stage.connector.read_webhook(delivery)]
    assert len(set(ids)) == 2


def test_what_we_changed_ourselves_is_told_as_well(stage: Stage, hooked: list[Letter]) -> None:
    from finalmarket.connectors.records import PriceLevel

    (ref,) = seed_listings(stage.stand_in, 1)
    hooked.clear()
    stage.connector.push_prices([PriceLevel(ref=ref, amount=Decimal("9"), currency="EUR", key="p")])
    assert events(stage, hooked) == [("products/update", "listings", ref.key)]


def test_a_person_who_wants_their_data_erased_is_named(stage: Stage, hooked: list[Letter]) -> None:
    (customer_id,) = seed_customers(stage.stand_in, 1)
    hooked.clear()
    stage.stand_in.ask_to_erase(customer_id)
    assert events(stage, hooked) == [("customers/redact", "erase", customer_id)]


def read(topic: str, body: Mapping[str, Any], **headers: str) -> list[tuple[str, str]]:
    """What a delivery of that body is read as."""
    account = case().account("")
    told, written = letters.letter(account.secrets["client_secret"], DOMAIN, topic, dict(body), START, 7)
    connector = Shopify(account)
    delivery = Delivery(HOOK, {**told, **headers}, written, received_at=START)
    connector.verify_webhook(delivery)
    return [(each.kind, each.external_id) for each in connector.read_webhook(delivery)]


@pytest.mark.parametrize("topic", sorted(PRIVACY_TOPICS))
def test_privacy_topics_are_requests_of_a_person_or_for_the_whole_shop(topic: str) -> None:
    body = {"shop_domain": DOMAIN, "customer": {"id": 41, "email": "ada@example.org"}}
    whom = "" if topic == "shop/redact" else "gid://shopify/Customer/41"
    told = {"shop_domain": DOMAIN} if topic == "shop/redact" else body
    wish = "data_request" if topic == "customers/data_request" else "erase"
    assert read(topic, told) == [(wish, whom)]


def test_ids_beyond_what_a_float_can_hold_are_read_whole() -> None:
    assert read("refunds/create", {"id": 1, "order_id": 9007199254740993}) == [
        ("orders", "gid://shopify/Order/9007199254740993")
    ]


def test_a_product_of_very_many_variants_names_them_all() -> None:
    many = [{"admin_graphql_api_id": f"gid://shopify/ProductVariant/{n}"} for n in range(300)]
    assert len(read("products/update", {"id": 1, "variant_gids": many, "variants": many[:100]})) == 300


def test_an_uninstalled_app_is_told_as_such() -> None:
    assert read("app/uninstalled", {"id": 1, "domain": DOMAIN}) == [("uninstalled", "")]


def test_an_event_carries_its_moment_and_the_platforms_own_id() -> None:
    account = case().account("")
    delivery = deliver(account, topic="orders/create", sent_at=START)
    (event,) = Shopify(account).read_webhook(delivery)
    assert event.occurred_at == START
    assert event.event_id == delivery.header("X-Shopify-Webhook-Id")
    unnamed = replace(delivery, headers={k: v for k, v in delivery.headers.items() if k != "X-Shopify-Webhook-Id"})
    (first,), (again,) = (Shopify(account).read_webhook(unnamed) for _ in range(2))
    assert first.event_id == again.event_id != event.event_id


def test_a_delivery_for_another_shop_of_the_same_app_is_refused() -> None:
    account = case().account("")
    told, written = letters.letter(CLIENT_SECRET, "other-shop.myshopify.com", "orders/create", {"id": 1}, START, 1)
    with pytest.raises(WebhookRefused):
        Shopify(account).verify_webhook(Delivery(HOOK, told, written, received_at=START))


def test_a_body_that_says_the_same_in_other_bytes_is_refused() -> None:
    account = case().account("")
    delivery = deliver(account, topic="products/update", sent_at=START)
    same = json.dumps(json.loads(delivery.body), separators=(",", ":")).encode()
    assert same != delivery.body
    with pytest.raises(WebhookRefused):
        Shopify(account).verify_webhook(replace(delivery, body=same))
