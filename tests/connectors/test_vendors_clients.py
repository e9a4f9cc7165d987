"""Clients and stand-ins that others wrote judge ours: Stripe's and Square's own libraries, and localstripe.

Those of SendGrid and of Standard Webhooks (Etsy) are in test_sendgrid.py and test_etsy.py.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx2
import pytest
import square
import stripe
from square.core.api_error import ApiError
from square.utils.webhooks_helper import verify_signature

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import WebhookRefused
from finalmarket.connectors.http import trusted
from finalmarket.connectors.platforms.square import Square
from finalmarket.connectors.platforms.square.hooks import SIGNATURE
from finalmarket.connectors.platforms.stripe import Stripe
from finalmarket.connectors.records import CustomerContent, Delivery, RefundNotice
from finalmarket.kernel import clock
from finalmarket.sandbox.platforms.square import CREDENTIALS, MAIN
from finalmarket.sandbox.platforms.square import Square as SquareStandIn
from finalmarket.sandbox.platforms.stripe import Stripe as StripeStandIn
from finalmarket.sandbox.platforms.stripe.account import KEY
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.connectors.cases import square as square_case
from tests.connectors.cases import stripe as stripe_case
from tests.connectors.mailbox import mailbox

CARD = {"payment_method": "pm_card_visa", "payment_method_types": ["card"], "confirm": True}


# Stripe's library with our stand-in and our connector.


@pytest.fixture
def merchant() -> Iterator[tuple[Any, str]]:
    """Our stand-in and its address."""
    account = StripeStandIn(World())
    with served(account) as (address,):
        yield account, address


def stripe_client(address: str, key: str = KEY) -> stripe.StripeClient:
    return stripe.StripeClient(
        key, stripe_version=Stripe.api_version, base_addresses={"api": address}, max_network_retries=0
    )


def test_stripes_client_takes_a_payment_captures_part_of_it_and_gives_some_back(merchant: tuple[Any, str]) -> None:
    account, address = merchant
    client = stripe_client(address)
    made = client.v1.payment_intents.create(
        {"amount": 5000, "currency": "eur", "capture_method": "manual", "metadata": {"order_id": "A-1"}, **CARD}  # type: ignore[typeddict-item]
    )
    assert (made.status, made.amount_capturable, made.metadata["order_id"]) == ("requires_capture", 5000, "A-1")
    captured = client.v1.payment_intents.capture(made.id, {"amount_to_capture": 3000})
    assert (captured.status, captured.amount_received) == ("succeeded", 3000)
    refund = client.v1.refunds.create({"payment_intent": made.id, "amount": 500, "reason": "requested_by_customer"})
    assert (refund.status, refund.amount, refund.payment_intent) == ("succeeded", 500, made.id)
    held = client.v1.payment_intents.create({"amount": 700, "currency": "eur"})
    assert client.v1.payment_intents.cancel(held.id).status == "canceled"
    assert [entry.name for entry in account.world.journal.entries(what="effect")] == [
        "authorisation", "capture", "refund", "cancellation",
    ]  # fmt: skip


def test_stripes_client_reads_a_list_to_its_end_and_an_object_with_its_parts(merchant: tuple[Any, str]) -> None:
    account, address = merchant
    client = stripe_client(address)
    paid = [account.pay(1_000 + number) for number in range(5)]
    listed = [payment.id for payment in client.v1.payment_intents.list({"limit": 2}).auto_paging_iter()]
    assert sorted(listed) == sorted(paid)
    shown = client.v1.payment_intents.retrieve(paid[0], {"expand": ["latest_charge.refunds"]})
    assert isinstance(shown.latest_charge, stripe.Charge)
    assert shown.latest_charge.amount_captured == 1_000
    ada = client.v1.customers.create({"name": "Ada", "email": "ada@example.org", "metadata": {"shop": "7"}})
    assert [one.email for one in client.v1.customers.list().data] == ["ada@example.org"]
    assert client.v1.customers.update(ada.id, {"name": "Ada Lovelace"}).name == "Ada Lovelace"


def test_stripes_client_sees_a_key_heeded_and_errors_as_its_own(merchant: tuple[Any, str]) -> None:
    account, address = merchant
    client = stripe_client(address)
    name = account.pay(5_000)
    for _ in range(2):
        once = {"idempotency_key": "refund-1"}
        client.v1.refunds.create({"payment_intent": name, "amount": 500}, once)  # type: ignore[arg-type]
    assert len(client.v1.refunds.list({"payment_intent": name}).data) == 1
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.retrieve("pi_of_nobody")
    assert (refused.value.code, refused.value.http_status) == ("resource_missing", 404)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment_intent": name, "amount": 4_501})
    for wrong in ({"payment_method": "pm_of_nobody"}, {"confirm": True}, {"capture_method": "never"}, {"amount": 0}):
        begun: Any = {"amount": 500, "currency": "eur", **wrong}
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.payment_intents.create(begun)
    with pytest.raises(stripe.AuthenticationError):
        stripe_client(address, "sk_test_of_nobody").v1.balance.retrieve()


def test_stripes_library_accepts_what_the_stand_in_signs_and_nothing_else(merchant: tuple[Any, str]) -> None:
    account, address = merchant
    client = stripe_client(address)
    with mailbox() as (url, letters):
        topics: Any = ["payment_intent.succeeded"]
        secret = client.v1.webhook_endpoints.create({"url": url, "enabled_events": topics}).secret
        name = account.pay(5_000)
        assert account.sender.wait()
    (letter,) = letters
    assert secret
    header = letter.header("Stripe-Signature")
    event = stripe.Webhook.construct_event(letter.body, header, secret)
    assert (event.type, event.data.object.id) == ("payment_intent.succeeded", name)
    old = header.replace(header.partition(",")[0], "t=1500000000")
    forged = [(letter.body + b" ", header, secret), (letter.body, header, "whsec_x"), (letter.body, old, secret)]
    for body, signed, key in forged:
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, signed, key)


def test_our_verifier_accepts_what_stripes_library_signs_and_nothing_else() -> None:
    body = '{"id": "evt_1", "object": "event", "note": "Grüße"}'
    sign = stripe.WebhookSignature.generate_signature_header
    account = stripe_case.account("https://stripe.invalid")
    connector, secret = Stripe(account), account.secrets["webhook_secret"]

    def delivery(header: str) -> Delivery:
        return Delivery("https://hub.example/hooks", {"Stripe-Signature": header}, body.encode(), clock.now())

    connector.verify_webhook(delivery(sign(body, secret)))
    for header in (sign(body + " ", secret), sign(body, "whsec_x"), sign(body, secret, 1_500_000_000)):
        with pytest.raises(WebhookRefused):
            connector.verify_webhook(delivery(header))


# Our connector with localstripe, which somebody else wrote in Stripe's place (https://github.com/adrienverge/localstripe).
#
# It knows customers, payment intents (held, captured, cancelled) and refunds, and refuses every field that it does not
# know: that is what is tried here. It does not know: the moment of making as a filter of lists, and events by several
# types (so nothing is pulled page by page), the search of customers (it answers 404, which we take for "not found"),
# disputes, webhook endpoints, restricted keys, idempotency keys (two posts are two), and the balance as a list (so the
# check of the connection cannot be read). What was left when a part is captured it notes as a refund, as Stripe did
# years ago; so payments are captured whole here. And it captures what was let go.

SERVE = """
import socket
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda store: None
door = socket.create_server(("127.0.0.1", 0))
print(door.getsockname()[1], flush=True)
web.run_app(server.app, sock=door, print=None)
"""


class Completed(httpx2.BaseTransport):
    """Adds to a payment what localstripe leaves out of it and Stripe always tells: whether its charge is disputed (it
    never is there), and how much was captured (there, all or nothing)."""

    def __init__(self) -> None:
        self._wire = httpx2.HTTPTransport(verify=trusted())

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self._wire.handle_request(request)
        data = json.loads(response.read())
        charge = data.get("latest_charge")
        if isinstance(charge, dict):
            taken = charge["amount"] if charge["captured"] else 0
            charge |= {"disputed": False, "amount_captured": taken}
            data["amount_received"] = taken
        return httpx2.Response(response.status_code, json=data)


class Shop:
    """What a shop of its own does on localstripe, without us."""

    def __init__(self, address: str) -> None:
        self._client = httpx2.Client(base_url=address, auth=(KEY, ""), trust_env=False)

    def post(self, path: str, **fields: str) -> Any:
        """What is answered to a form."""
        return self._client.post(path, data=fields).raise_for_status().json()

    def hold(self, amount: int) -> str:
        """Have an amount held; the payment's id."""
        card = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2099", "cvc": "123"}
        method = self.post("/v1/payment_methods", type="card", **{f"card[{name}]": text for name, text in card.items()})
        about = {"amount": str(amount), "currency": "eur", "metadata[order_id]": "A-1", "confirm": "true"}
        made = self.post("/v1/payment_intents", **about, payment_method=method["id"], capture_method="manual")
        return str(made["id"])

    def refunds(self) -> list[Any]:
        """All refunds."""
        return list(self._client.get("/v1/refunds").raise_for_status().json()["data"])


@pytest.fixture(scope="module")
def localstripe() -> Iterator[str]:
    """The address of a localstripe that runs as long as these tests do, on this machine only."""
    with subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


@pytest.fixture
def connector(localstripe: str) -> Stripe:
    return Stripe(Account({"secret_key": KEY}, base_url=localstripe), transport=Completed())


def test_a_payment_of_localstripe_is_captured_and_given_back_once(localstripe: str, connector: Stripe) -> None:
    name = Shop(localstripe).hold(5_000)
    held = connector.pull_payment(name)
    assert held is not None
    assert (held.state, held.captured, held.order_id) == ("authorised", Decimal(0), "A-1")
    captured = connector.capture_payment(name, Decimal("50.00"), "EUR", "capture-1")
    assert (captured.state, captured.captured) == ("captured", Decimal("50.00"))
    notice = RefundNotice(key="refund-1", order_id="A-1", payment_id=name, amount=Decimal("10.00"), currency="EUR")
    refund = connector.push_refund(notice)
    assert connector.push_refund(notice) == refund  # found by its mark: localstripe heeds no idempotency key
    assert [(one["id"], one["amount"]) for one in Shop(localstripe).refunds()] == [(refund, 1_000)]
    after = connector.pull_payment(name)
    assert after is not None
    assert [(one.external_id, one.amount) for one in after.refunds] == [(refund, Decimal("10.00"))]
    assert held.version < captured.version < after.version


def test_a_payment_of_localstripe_is_let_go(localstripe: str, connector: Stripe) -> None:
    name = Shop(localstripe).hold(4_200)
    assert connector.cancel_payment(name, "cancel-1").state == "voided"
    assert connector.cancel_payment(name, "cancel-1").state == "voided"
    assert connector.pull_payment("pi_of_nobody") is None


def test_a_customer_is_made_and_changed_at_localstripe(localstripe: str, connector: Stripe) -> None:
    name = connector.push_customer(CustomerContent(key="c-1", name="Ada", email="ada@example.org", phone="+353 1 234"))
    content = CustomerContent(key="c-1", external_id=name, name="Ada Lovelace", email="ada@example.org")
    assert connector.push_customer(content) == name
    told = Shop(localstripe).post(f"/v1/customers/{name}", description="looked at")
    assert (told["name"], told["email"], told["phone"]) == ("Ada Lovelace", "ada@example.org", "+353 1 234")


# Square's library with our stand-in. It verifies and does not sign: what ours accepts of others is in test_square*.py.


@pytest.fixture
def seller() -> Iterator[tuple[Any, str]]:
    """Our stand-in and its address."""
    account = SquareStandIn(World())
    with served(account) as (address,):
        yield account, address


def square_client(address: str, secret: str = "access_token") -> square.Square:
    return square.Square(token=CREDENTIALS[secret], base_url=address)


def test_squares_library_accepts_what_the_stand_in_signs_and_nothing_else(seller: tuple[Any, str]) -> None:
    account, address = seller
    hooks = square_client(address, "application_token").webhooks.subscriptions
    with mailbox() as (url, letters):
        topics = ["customer.created"]
        wanted: Any = {"name": "Hub", "event_types": topics, "notification_url": url, "enabled": True}
        made = hooks.create(subscription=wanted, idempotency_key="hook-1").subscription
        assert made is not None
        person = account.new_customer({"given_name": "Ada"})
        assert account.sender.wait()
    (letter,) = letters
    key = str(made.signature_key)
    genuine = {
        "request_body": letter.body.decode(), "signature_header": letter.header(SIGNATURE), "signature_key": key,
        "notification_url": url,
    }  # fmt: skip
    assert json.loads(letter.body)["data"]["id"] == person["id"]
    assert verify_signature(**genuine)
    for name in genuine:
        assert not verify_signature(**{**genuine, name: genuine[name] + "x"}), name
    known = square_case.account(address)
    connector = Square(replace(known, secrets={**known.secrets, "webhook_signature_key": key}))
    connector.verify_webhook(replace(letter, url=url))


def test_squares_library_accepts_what_the_tests_of_ours_are_signed_with() -> None:
    account = square_case.account("https://square.invalid")
    letter = square_case.deliver(account, topic="order.updated", sent_at=clock.now())
    assert verify_signature(
        request_body=letter.body.decode(), signature_header=letter.header(SIGNATURE), notification_url=letter.url,
        signature_key=account.secrets["webhook_signature_key"],
    )  # fmt: skip


def test_squares_client_makes_customers_and_reads_what_the_stand_in_sells(seller: tuple[Any, str]) -> None:
    account, address = seller
    client = square_client(address)
    refs = square_case.seed_listings(account, 3)
    (place,) = client.locations.list().locations or []
    assert place.id == MAIN
    for _ in range(2):
        made = client.customers.create(given_name="Ada", email_address="ada@example.org", idempotency_key="c-1")
    assert made.customer is not None
    found = client.customers.search().customers or []
    assert [(one.id, one.email_address) for one in found] == [(made.customer.id, "ada@example.org")]
    items: Any = client.catalog.search(object_types=["ITEM"]).objects or []
    assert [one.item_data.variations[0].id for one in items] == [ref.key for ref in refs]
    counts = client.inventory.batch_get_counts(catalog_object_ids=[refs[0].key], location_ids=[MAIN])
    assert [(one.catalog_object_id, one.quantity) for one in counts] == [(refs[0].key, "5")]


def test_squares_client_reads_orders_and_gives_money_back(seller: tuple[Any, str]) -> None:
    account, address = seller
    client = square_client(address)
    first, second = square_case.seed_orders(account, 2)
    query: Any = {"sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"}}
    listed = client.orders.search(location_ids=[MAIN], query=query).orders or []
    assert [one.id for one in listed] == [first, second]
    order = client.orders.get(first).order
    assert order is not None
    (tender,) = order.tenders or []
    money: Any = {"amount": 250, "currency": "EUR"}
    told = client.refunds.refund_payment(
        idempotency_key="r-1", payment_id=tender.payment_id, amount_money=money, reason="cold"
    )
    assert told.refund is not None
    refund = client.refunds.get(str(told.refund.id)).refund
    assert refund is not None
    assert (refund.payment_id, refund.amount_money and refund.amount_money.amount) == (tender.payment_id, 250)
    with pytest.raises(ApiError) as refused:
        client.orders.get("no-such-order")
    assert refused.value.status_code == 404
