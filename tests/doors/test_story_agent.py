"""Shopping agents: an assistant looks at what there is, fills a checkout, pays by a token, and one sale comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.access import rates
from finalmarket.access.models import AuditEntry
from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.agents import sessions
from finalmarket.integrations.agents.quoting import quote
from finalmarket.integrations.models import AgentDoor, AgentSession
from finalmarket.kernel import clock
from finalmarket.orders.intake import take
from finalmarket.orders.models import Cart, Order, Pickup, TaxRate
from finalmarket.stock.atp import level
from tests.doors.agent import BUYER, CART, CHECKOUT, FEED, HOME, Agent, examples, judge, let_in, total_of
from tests.doors.stories import assert_one_sale, stand
from tests.orders.market import Market, draft, line, open_market

pytestmark = pytest.mark.django_db
ELSEWHERE = {"address": HOME, "name": "Ann Lee", "email": "ann@example.com"}


@dataclass
class Shop:
    """A shop on which an agent buys."""

    market: Market
    channel: SalesChannel
    agent: Agent
    door: AgentDoor
    coat: Variant

    def left(self) -> int:
        """What others can buy of the coat."""
        return level(self.coat.pk, self.channel.pk).offered


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """Coats and scarves, 19 per cent tax, delivery for 4.90."""
    rates.forget()
    monkeypatch.setattr("finalmarket.access.idempotency.alone", _alone)
    monkeypatch.setattr("finalmarket.integrations.agents.completing.stand_alone", lambda verb: None)
    monkeypatch.setenv("FINALMARKET_PUBLIC_URL", "https://hub.example")
    market = open_market()
    channel = SalesChannel.objects.create(
        name="Assistants", channel_type="chat", country="DE",
        configuration={"test_payments": True, "delivery_fee": "4.90", "hold_minutes": 15},
    )  # fmt: skip
    TaxRate.objects.create(country="DE", rate=Decimal("0.19"))
    coat = market.goods("COAT-M", price="119.00", warehouse=5, north=2)
    market.goods("SCARF", price="11.90", warehouse=50)
    channel.add_product(market.product)
    agent, door = let_in(channel)
    yield Shop(market, channel, agent, door, coat)
    rates.forget()


class _alone:
    """Within a test's transaction there is nobody else."""

    def __init__(self, family: Any, token: str, digest: str) -> None:
        from finalmarket.access import idempotency
        from finalmarket.access.models import IdempotentCall

        found = IdempotentCall.objects.filter(family=family, token=token).first()
        self.found = idempotency._checked(found, digest) if found else None

    def __enter__(self) -> Any:
        return self.found

    def __exit__(self, *caught: object) -> None:
        return None


def test_an_assistant_buys_two_coats(shop: Shop) -> None:
    before = stand(shop.channel, "COAT-M")
    begun = shop.agent.begin("COAT-M", "COAT-M", fulfillment_details=ELSEWHERE)
    assert begun["status"] == "ready_for_payment"
    assert [(one["quantity"], one["unit_amount"]) for one in begun["line_items"]] == [(2, 11_900)]
    assert total_of(begun) == 2 * 11_900 + 490
    assert shop.left() == 5  # of seven, two are held for the assistant
    done = shop.agent.complete(begun["id"])
    order = assert_one_sale(shop.channel, "COAT-M", 2, before=before, customer="ann@example.com")
    assert done["order"]["order_number"] == order.number
    assert done["order"]["permalink_url"].startswith("https://hub.example/acp/orders/")
    assert (order.total, order.tax, order.shipping) == (Decimal("242.90"), Decimal("38.78"), Decimal("4.90"))
    assert total_of(done) == total_of(begun)
    assert order.payment_state == Order.PaymentState.PAID
    assert order.shipping_address["city"] == "Berlin"
    page = shop.agent.client.get(done["order"]["permalink_url"].removeprefix("https://hub.example"))
    assert order.number in page.content.decode()
    assert "ann" not in page.content.decode().lower()


def test_delivery_is_quoted_and_ordered_with_the_tax_of_the_country_that_the_goods_go_to(shop: Shop) -> None:
    TaxRate.objects.create(country="AT", rate=Decimal("0.20"))
    shop.channel.configuration |= {"delivery_fee": "12.00"}
    shop.channel.save()
    for country, tax in (("AT", "21.83"), ("DE", "20.92")):
        to = {**ELSEWHERE, "address": {**HOME, "country": country}}
        begun = shop.agent.begin("COAT-M", fulfillment_details=to)
        quoted = quote(AgentSession.objects.get(token=begun["id"]))
        assert (quoted.parts.tax, quoted.parts.total) == (Decimal(tax), Decimal("131.00"))
        shop.agent.complete(begun["id"])
        order = Order.objects.latest("pk")
        assert (order.tax, order.total) == (quoted.parts.tax, quoted.parts.total)


def test_a_checkout_is_completed_once_however_often_it_is_asked_for(shop: Shop) -> None:
    before = stand(shop.channel, "COAT-M")
    begun = shop.agent.begin("COAT-M", fulfillment_details=ELSEWHERE)
    first = shop.agent.complete(begun["id"], key="k-1")
    assert shop.agent.complete(begun["id"], key="k-1") == first
    assert shop.agent.complete(begun["id"], status=405)["code"] == "session_completed"
    assert shop.agent.complete(begun["id"], "other", key="k-1", status=422)["code"] == "idempotency_conflict"
    assert shop.agent.show(begun["id"])["order"]["id"] == first["order"]["id"]
    assert_one_sale(shop.channel, "COAT-M", 1, before=before, customer="ann@example.com")


def notes_of(order: Order) -> list[tuple[str, str]]:
    return list(order.events.filter(kind="note").order_by("pk").values_list("actor", "text"))


def test_what_the_buyer_wants_to_be_known_stands_in_the_history_of_the_order(shop: Shop) -> None:
    begun = shop.agent.begin("SCARF", fulfillment_details=ELSEWHERE)
    shop.agent.change(begun["id"], order_notes="Ring at the back door.")
    shop.agent.complete(begun["id"])
    assert notes_of(Order.objects.get()) == [("agent", "Ring at the back door.")]


def test_what_is_said_of_an_order_with_the_payment_counts_and_nothing_of_it_is_cut_off(shop: Shop) -> None:
    begun = shop.agent.begin("SCARF", fulfillment_details=ELSEWHERE)
    shop.agent.change(begun["id"], order_notes="A first thought.")
    wish = "Write on the card: " + "for Ann, " * 90 + "from Bob."
    shop.agent.complete(begun["id"], order_notes=wish)
    texts = [text for _, text in notes_of(Order.objects.get())]
    assert ("".join(texts), len(texts)) == (wish, 2)


def test_a_declined_payment_orders_nothing_and_another_one_does(shop: Shop) -> None:
    before = stand(shop.channel, "SCARF")
    begun = shop.agent.begin("SCARF", fulfillment_details=ELSEWHERE)
    refused = shop.agent.complete(begun["id"], "test_declined", status=402)
    assert (refused["code"], refused["param"]) == ("payment_declined", "$.payment_data")
    assert [one["code"] for one in shop.agent.show(begun["id"])["messages"]] == ["payment_declined"]
    assert shop.agent.show(begun["id"])["status"] == "ready_for_payment"
    shop.agent.complete(begun["id"])
    assert_one_sale(shop.channel, "SCARF", 1, before=before, customer="ann@example.com")


def test_goods_are_held_until_it_is_given_up_or_over(shop: Shop) -> None:
    with clock.steered() as time:
        begun = shop.agent.begin(*["COAT-M"] * 7, fulfillment_details=ELSEWHERE)
        assert shop.left() == 0
        second = shop.agent.begin("COAT-M", fulfillment_details=ELSEWHERE)
        assert second["status"] == "not_ready_for_payment"
        assert [one["code"] for one in second["messages"]] == ["out_of_stock"]
        assert shop.agent.complete(second["id"], status=409)["code"] == "out_of_stock"
        assert shop.agent.cancel(begun["id"])["status"] == "canceled"
        assert shop.left() == 7
        assert shop.agent.cancel(begun["id"], status=405)["code"] == "session_canceled"
        assert shop.agent.change(second["id"], line_items=[{"id": "COAT-M"}] * 7)["status"] == "ready_for_payment"
        time.advance(timedelta(hours=7))
        assert shop.agent.show(second["id"])["status"] == "expired"
        assert shop.agent.complete(second["id"], status=409)["code"] == "session_expired"
    assert not Order.objects.exists()


def test_a_hold_that_ran_out_is_taken_anew_if_it_can_be(shop: Shop) -> None:
    with clock.steered() as time:
        before = stand(shop.channel, "COAT-M")
        begun = shop.agent.begin("COAT-M", fulfillment_details=ELSEWHERE)
        time.advance(timedelta(minutes=30))
        shop.agent.complete(begun["id"])
        assert_one_sale(shop.channel, "COAT-M", 1, before=before, customer="ann@example.com")


def test_another_total_than_was_shown_is_never_charged(shop: Shop) -> None:
    begun = shop.agent.begin("COAT-M", fulfillment_details=ELSEWHERE)
    VariantPrice.objects.filter(variant=shop.coat).update(amount=Decimal("129.00"))
    for _ in range(2):
        assert shop.agent.complete(begun["id"], status=409)["code"] == "price_changed"
    assert not Order.objects.exists()


def test_a_checkout_whose_price_has_changed_is_completed_once_its_new_total_was_shown(shop: Shop) -> None:
    before = stand(shop.channel, "COAT-M")
    begun = shop.agent.begin("COAT-M", fulfillment_details=ELSEWHERE)
    VariantPrice.objects.filter(variant=shop.coat).update(amount=Decimal("178.50"))
    assert shop.agent.complete(begun["id"], status=409)["code"] == "price_changed"
    assert total_of(shop.agent.show(begun["id"])) == 17_850 + 490
    assert total_of(shop.agent.complete(begun["id"])) == 17_850 + 490
    order = assert_one_sale(shop.channel, "COAT-M", 1, before=before, customer="ann@example.com")
    assert order.total == Decimal("183.40")


def test_a_checkout_is_filled_step_by_step(shop: Shop) -> None:
    begun = shop.agent.begin("SCARF")
    assert begun["status"] == "not_ready_for_payment"
    assert begun["fulfillment_options"] == []
    assert shop.agent.complete(begun["id"], status=400)["param"] == "$.fulfillment_details.address"
    changed = shop.agent.change(begun["id"], fulfillment_details=ELSEWHERE)
    assert (changed["status"], total_of(changed)) == ("ready_for_payment", 1_190 + 490)
    changed = shop.agent.change(begun["id"], line_items=[{"id": "COAT-M"}, {"id": "SCARF"}, {"id": "SCARF"}])
    assert total_of(changed) == 11_900 + 2 * 1_190 + 490
    assert {one["item"]["id"]: one["quantity"] for one in changed["line_items"]} == {"COAT-M": 1, "SCARF": 2}
    assert changed["fulfillment_details"]["address"] == HOME
    assert shop.agent.show(begun["id"])["totals"] == changed["totals"]


def test_goods_are_collected_at_a_store_that_has_them(shop: Shop) -> None:
    shop.market.north.can_hand_over = True
    shop.market.north.save()
    begun = shop.agent.begin("COAT-M")
    assert [one["id"] for one in begun["fulfillment_options"]] == ["pickup:north"]
    chosen = [{"type": "pickup", "option_id": "pickup:north", "item_ids": ["COAT-M"]}]
    changed = shop.agent.change(begun["id"], selected_fulfillment_options=chosen)
    assert (changed["status"], total_of(changed)) == ("ready_for_payment", 11_900)
    done = shop.agent.complete(begun["id"])
    assert Pickup.objects.get().location == shop.market.north
    assert done["order"]["fulfillments"][0]["type"] == "pickup"
    assert shop.agent.change(
        shop.agent.begin("SCARF", fulfillment_details=ELSEWHERE)["id"], selected_fulfillment_options=chosen
    )["status"] == "not_ready_for_payment"  # fmt: skip


def test_an_address_that_an_agent_names_opens_nobodys_cart(shop: Shop) -> None:
    ann = take(replace(draft(shop.market.web, "w1", line("SCARF"), email="ann@example.com"), happened=False)).order
    Cart.objects.create(
        customer=ann.customer, sales_channel=shop.market.web, token="11111111-1111-4111-8111-111111111111"
    ).lines.create(variant=shop.coat, quantity=3)
    before = stand(shop.channel, "SCARF")
    begun = shop.agent.begin("SCARF", buyer=BUYER, fulfillment_details=ELSEWHERE)
    assert [one["item"]["id"] for one in begun["line_items"]] == ["SCARF"]
    shop.agent.complete(begun["id"])
    assert_one_sale(shop.channel, "SCARF", 1, before=before, customer="ann@example.com")


@pytest.mark.parametrize(
    ("said", "status", "code", "param"),
    [
        ({"line_items": [{"id": "SCARF"}, {"id": "NOTHING"}]}, 400, "invalid_item_id", "$.line_items[1].id"),
        ({"line_items": []}, 400, "invalid", "$.line_items"),
        ({"line_items": [{"id": "SCARF", "quantity": 0}]}, 400, "invalid", "$.line_items[0].quantity"),
        ({"line_items": [{"id": "SCARF", "quantity": 2.5}]}, 400, "invalid", "$.line_items[0].quantity"),
        ({"currency": "usd"}, 400, "unsupported_currency", "$.currency"),
        ({"buyer": {"email": "ann"}}, 400, "invalid", "$.buyer.email"),
        ({"fulfillment_details": {"address": {**HOME, "country": "Germany"}}}, 400, "invalid",
         "$.fulfillment_details.address.country"),
        ({"line_items": [{"id": "SCARF"}] * 101}, 400, "invalid", None),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_place(
    shop: Shop, said: dict[str, Any], status: int, code: str, param: str | None
) -> None:
    body = {"line_items": [{"id": "SCARF"}], "currency": "eur", "capabilities": {}, **said}
    answer = shop.agent.call("POST", "checkout_sessions", body)
    assert (answer.status, answer.body["code"], answer.body.get("param")) == (status, code, param)


def test_units_may_be_said_as_a_number(shop: Shop) -> None:
    body = {"line_items": [{"id": "SCARF", "quantity": 3}], "currency": "eur", "capabilities": {}}
    assert shop.agent.call("POST", "checkout_sessions", body).body["line_items"][0]["quantity"] == 3


def test_carts_hold_nothing_and_are_gone_when_they_are_given_up(shop: Shop) -> None:
    said = {"line_items": [{"id": "COAT-M"}, {"id": "COAT-M"}], "buyer": BUYER}
    judge(f"{CART}CartCreateRequest", said)
    made = shop.agent.call("POST", "carts", said)
    assert made.status == 201
    judge(f"{CART}Cart", made.body)
    assert shop.left() == 7
    place = f"carts/{made.body['id']}"
    changed = shop.agent.call("PUT", place, {"line_items": [{"id": "SCARF"}]})
    judge(f"{CART}Cart", changed.body)
    assert [one["item"]["id"] for one in changed.body["line_items"]] == ["SCARF"]
    shown = shop.agent.call("GET", place)
    assert shown.body["totals"] == changed.body["totals"]
    judge(f"{CART}Cart", shop.agent.call("POST", f"{place}/cancel", {}).body)
    for method in ("GET", "PUT"):
        again = shop.agent.call(method, place, None if method == "GET" else {"line_items": [{"id": "SCARF"}]})
        assert (again.status, again.body["code"]) == (404, "not_found")


def test_a_cart_of_nothing_that_can_be_bought_is_none(shop: Shop) -> None:
    gone = shop.market.goods("GONE")
    shop.channel.add_product(shop.market.product)
    answer = shop.agent.call("POST", "carts", {"line_items": [{"id": gone.sku}]})
    assert (answer.status, answer.body["code"]) == (422, "out_of_stock")
    assert not AgentSession.objects.exists()


def test_the_feed_holds_what_the_channel_sells(shop: Shop) -> None:
    made = shop.agent.call("POST", "feeds", {"target_country": "DE"})
    judge(f"{FEED}FeedMetadata", made.body)
    place = f"feeds/{made.body['id']}"
    judge(f"{FEED}FeedMetadata", shop.agent.call("GET", place).body)
    shown = shop.agent.call("GET", f"{place}/products").body
    judge(f"{FEED}ProductsResponse", shown)
    variants = {one["id"]: one for product in shown["products"] for one in product["variants"]}
    assert variants["COAT-M"]["price"] == {"amount": 11_900, "currency": "EUR"}
    assert variants["COAT-M"]["availability"] == {"available": True, "status": "in_stock"}
    assert shop.agent.call("PATCH", f"{place}/products", {"products": []}).body["code"] == "read_only_feed"
    assert shop.agent.call("GET", "feeds/feed_other").body["code"] == "feed_not_found"


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_what_is_not_on_sale_any_more_is_in_no_feed_and_no_agent_buys_it(shop: Shop, status: str) -> None:
    begun = shop.agent.begin("SCARF", fulfillment_details=ELSEWHERE)
    feed = shop.agent.call("POST", "feeds", {"target_country": "DE"}).body["id"]
    Product.objects.update(status=status)
    assert shop.agent.call("GET", f"feeds/{feed}/products").body["products"] == []
    refused = shop.agent.complete(begun["id"], status=400)
    assert (refused["code"], refused["param"]) == ("invalid", "$.line_items[0]")
    assert not Order.objects.exists()


def test_whoever_looks_finds_that_agents_buy_here(shop: Shop) -> None:
    found = shop.agent.client.get("/.well-known/acp.json")
    judge(f"{CHECKOUT}DiscoveryResponse", found.json())
    assert found.json()["api_base_url"] == "https://hub.example/acp"
    AgentDoor.objects.update(is_active=False)
    assert shop.agent.client.get("/.well-known/acp.json").status_code == 404


def test_the_published_examples_are_understood(monkeypatch: pytest.MonkeyPatch, shop: Shop) -> None:
    """An American shop that sells item_123, which the examples ask for."""
    said = examples("examples.agentic_checkout.json")
    channel = SalesChannel.objects.create(
        name="America", channel_type="chat", country="US", currency="USD", configuration={"test_payments": True}
    )
    denim = Product.objects.create(title="Vintage Denim Jacket", slug="denim")
    variant = Variant.objects.create(product=denim, sku="item_123")
    VariantPrice.objects.create(variant=variant, currency="USD", amount=Decimal("3.00"))
    shop.market.receive(variant, 9, shop.market.warehouse)
    channel.add_product(denim)
    agent, _ = let_in(channel)
    before = stand(channel, "item_123")
    made = agent.call("POST", "checkout_sessions", said["create_checkout_session_request"])
    assert (made.status, made.body["status"], total_of(made.body)) == (201, "ready_for_payment", 300)
    touched = agent.call(
        "POST", "checkout_sessions", said["create_checkout_session_request_with_first_touch_attribution"]
    )
    assert touched.status == 201
    kept = AgentSession.objects.get(token=touched.body["id"]).attribution
    assert kept["first"]["publisher_id"] == "pub_123"
    assert "atp_01J8Z3WXYZ9ABC" not in str(kept)
    canceled = agent.call(
        "POST", f"checkout_sessions/{touched.body['id']}/cancel", said["cancel_checkout_session_request"]
    )
    assert (canceled.status, canceled.body["messages"]) == (200, said["cancel_checkout_session_response"]["messages"])
    complete = said["complete_checkout_session_request_with_last_touch_attribution"]
    paid = {"handler_id": "test", "instrument": {"type": "card", "credential": {"type": "spt", "token": "test_paid"}}}
    place = f"checkout_sessions/{made.body['id']}"
    assert agent.call("POST", f"{place}/complete", complete).body["code"] == "unsupported"  # it takes no cards yet
    done = agent.call("POST", f"{place}/complete", {**complete, "payment_data": {**complete["payment_data"], **paid}})
    assert (done.status, done.body["status"]) == (200, "completed")
    assert_one_sale(channel, "item_123", 1, before=before, customer="johnsmith@mail.com")


def test_what_was_left_a_month_ago_is_forgotten_and_what_was_ordered_is_not(shop: Shop) -> None:
    shop.agent.complete(shop.agent.begin("SCARF", fulfillment_details=ELSEWHERE)["id"])
    left = shop.agent.begin("SCARF", buyer=BUYER)
    assert sessions.tidy() == 0
    with clock.steered(clock.now() + timedelta(days=31)):
        assert sessions.tidy() == 1
    assert not AgentSession.objects.filter(token=left["id"]).exists()
    assert (AgentSession.objects.count(), Cart.objects.count()) == (1, 1)


def test_what_agents_write_is_noted(shop: Shop) -> None:
    begun = shop.agent.begin("SCARF", fulfillment_details=ELSEWHERE)
    shop.agent.complete(begun["id"])
    assert [one.operation for one in AuditEntry.objects.order_by("pk")] == [
        "acp_create_checkout",
        "acp_complete_checkout",
    ]
