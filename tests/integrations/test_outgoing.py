"""Our own webhooks: told once, signed, tried again, switched off when nobody listens, never to an inside address."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

import httpx2
import pytest
from django.db import transaction
from standardwebhooks import Webhook, WebhookVerificationError

from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations.lanes import lane
from finalmarket.integrations.models import OutgoingDelivery, OutgoingEvent, WebhookEndpoint
from finalmarket.integrations.outgoing import announce, endpoints, guard
from finalmarket.integrations.outgoing.deliver import LANE, PAUSES, deliver
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders.drafts import LineDraft, OrderDraft
from finalmarket.orders.intake import take
from finalmarket.stock import ledger, sweep
from finalmarket.stock.models import StockLocation
from tests.integrations.receivers import SILENT, Receiver, receiving

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_receivers_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(guard.VARIABLE, "127.0.0.0/8")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def place_order() -> Callable[[str], int]:
    """A shop with cups, and a way to order one."""
    channel = SalesChannel.objects.create(name="Web shop", channel_type="web")
    shelf = StockLocation.objects.create(code="main", name="Main warehouse")
    product = Product.objects.create(title="Cup", slug="cup")
    cup = Variant.objects.create(product=product, sku="CUP")
    VariantPrice.objects.create(variant=cup, currency="EUR", amount=Decimal("8.50"))
    ledger.receive([ledger.Receipt(cup.pk, shelf.pk, 20)], actor="test")
    channel.add_product(product)

    def place(number: str) -> int:
        line = LineDraft(sku="CUP", unit_price=Decimal("8.50"))
        return take(
            OrderDraft(channel_id=channel.pk, external_id=number, currency="EUR", placed_at=clock.now(), lines=(line,),
                       name="Ann Example", email="ann@example.com")
        ).order.pk  # fmt: skip

    return place


def tell() -> None:
    """Prepare what happened and send what is due."""
    announce.prepare()
    for endpoint in WebhookEndpoint.objects.all():
        deliver(endpoint.pk)


def topics(receiver: Receiver) -> list[str]:
    return [json.loads(body)["type"] for _, body in receiver.got]


def test_an_order_is_told_once_with_a_signature_that_the_standard_library_accepts(
    receiver: Receiver, place_order: Callable[[str], int]
) -> None:
    _, secret = endpoints.open_endpoint(receiver.url, ["order.*"])
    order = place_order("W-1")
    tell()
    tell()
    assert topics(receiver) == ["order.created"]
    headers, body = receiver.got[0]
    told = Webhook(secret).verify(body, headers)
    assert told["data"]["id"] == order
    assert told["data"]["total"] == "8.5000" or Decimal(told["data"]["total"]) == Decimal("8.50")
    assert [line["sku"] for line in told["data"]["lines"]] == ["CUP"]
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace(b"CUP", b"CAP"), headers)


def test_nothing_personal_goes_out(receiver: Receiver, place_order: Callable[[str], int]) -> None:
    endpoints.open_endpoint(receiver.url, ["*"])
    place_order("W-1")
    tell()
    assert {"order.created", "customer.created"} <= set(topics(receiver))
    everything = b"".join(body for _, body in receiver.got)
    assert b"ann@example.com" not in everything
    assert b"Ann Example" not in everything


def test_what_was_rolled_back_is_told_to_nobody(receiver: Receiver, place_order: Callable[[str], int]) -> None:
    endpoints.open_endpoint(receiver.url, ["*"])

    def change_of_mind() -> None:
        with transaction.atomic():
            place_order("W-1")
            raise RuntimeError("changed our mind")

    with pytest.raises(RuntimeError):
        change_of_mind()
    tell()
    assert receiver.got == []


def test_an_endpoint_hears_only_of_the_topics_it_asked_for(
    receiver: Receiver, place_order: Callable[[str], int]
) -> None:
    endpoints.open_endpoint(receiver.url, ["stock.changed"])
    place_order("W-1")
    sweep.refresh_alerts()
    tell()
    assert topics(receiver) == ["stock.changed"]
    data = json.loads(receiver.got[0][1])["data"]
    assert (data["sku"], data["on_hand"], data["allocated"]) == ("CUP", 20, 1)
    assert data["channels"] == [{"channel": "web-shop", "available": 19, "status": "in_stock"}]


def test_a_merge_or_a_new_segment_is_an_update_and_a_mere_touch_is_not(receiver: Receiver) -> None:
    endpoints.open_endpoint(receiver.url, ["customer.updated"])
    customer = OmnichannelCustomer.objects.create(name="Ann")
    customer.save()
    tell()
    assert receiver.got == []
    customer.segment = OmnichannelCustomer.Segment.VIP
    customer.save()
    tell()
    assert json.loads(receiver.got[0][1])["data"]["segment"] == "vip"


def test_nothing_is_noted_while_nobody_listens(place_order: Callable[[str], int]) -> None:
    place_order("W-1")
    assert not OutgoingEvent.objects.exists()


def test_a_failure_is_tried_again_later_under_the_same_message_id(place_order: Callable[[str], int]) -> None:
    with receiving(500, 503) as receiver, clock.steered() as time:
        endpoints.open_endpoint(receiver.url, ["order.created"])
        place_order("W-1")
        tell()
        tell()
        assert len(receiver.got) == 1  # the pause is not over
        for _ in range(2):
            time.advance(timedelta(minutes=10))
            tell()
        assert len(receiver.got) == 3
        assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
        delivery = OutgoingDelivery.objects.get()
        assert (delivery.state, delivery.attempts, delivery.last_status) == ("delivered", 3, 204)


def test_an_endpoint_that_does_not_answer_is_asked_once_and_what_else_waits_for_it_is_not_counted_as_tried(
    place_order: Callable[[str], int],
) -> None:
    with receiving(SILENT) as receiver, clock.steered() as time:
        endpoints.open_endpoint(receiver.url, ["order.created"])
        for number in ("W-1", "W-2", "W-3"):
            place_order(number)
        tell()
        assert len(receiver.got) == 1
        first, *others = OutgoingDelivery.objects.order_by("id")
        assert (first.attempts, first.last_status) == (1, None)
        assert {(one.state, one.attempts, one.next_try_at) for one in others} == {("waiting", 0, clock.now())}
        tell()
        assert len(receiver.got) == 3  # the others first
        time.advance(timedelta(minutes=1))
        tell()
        assert set(OutgoingDelivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_an_endpoint_that_is_slow_to_answer_lets_others_have_their_turn_after_a_minute(
    place_order: Callable[[str], int],
) -> None:
    endpoint, _ = endpoints.open_endpoint("https://slow.example/hook", ["order.created"])
    for number in range(5):
        place_order(f"W-{number}")
    announce.prepare()
    with clock.steered() as time:

        def answer(request: httpx2.Request) -> httpx2.Response:
            time.advance(timedelta(seconds=25))
            return httpx2.Response(204)

        assert [deliver(endpoint.pk, transport=httpx2.MockTransport(answer)) for _ in range(3)] == [3, 2, 0]


def test_one_worker_at_a_time_tells_an_endpoint_and_the_next_does_not_wait(
    receiver: Receiver, place_order: Callable[[str], int]
) -> None:
    endpoint, _ = endpoints.open_endpoint(receiver.url, ["order.created"])
    place_order("W-1")
    announce.prepare()
    with lane(endpoint.pk, LANE):
        assert (deliver(endpoint.pk), receiver.got) == (0, [])
    assert deliver(endpoint.pk) == 1


def test_a_late_failure_does_not_take_back_what_another_worker_has_told(place_order: Callable[[str], int]) -> None:
    endpoint, _ = endpoints.open_endpoint("https://late.example/hook", ["order.created"])
    place_order("W-1")
    announce.prepare()

    def answer(request: httpx2.Request) -> httpx2.Response:
        OutgoingDelivery.objects.update(state="delivered", attempts=1, last_status=204)
        return httpx2.Response(500)

    deliver(endpoint.pk, transport=httpx2.MockTransport(answer))
    told = OutgoingDelivery.objects.get()
    assert (told.state, told.attempts, told.last_status) == ("delivered", 1, 204)


def test_a_telling_is_given_up_after_its_last_pause_and_can_be_sent_again_by_hand(
    place_order: Callable[[str], int],
) -> None:
    with receiving(*[500] * (len(PAUSES) + 1)) as receiver, clock.steered() as time:
        endpoint, _ = endpoints.open_endpoint(receiver.url, ["order.created"])
        place_order("W-1")
        for pause in (timedelta(0), *PAUSES):
            time.advance(pause * 1.3)
            tell()
        endpoint.refresh_from_db()
        delivery = OutgoingDelivery.objects.get()
        assert delivery.state == "failed"
        assert endpoints.send_again([delivery.pk]) == 1
        endpoints.switch_on(endpoint)
        tell()
        delivery.refresh_from_db()
        assert delivery.state == "delivered"


def test_an_endpoint_that_says_it_is_gone_is_switched_off_and_says_why(place_order: Callable[[str], int]) -> None:
    with receiving(410) as receiver:
        endpoint, _ = endpoints.open_endpoint(receiver.url, ["order.created"])
        place_order("W-1")
        tell()
        endpoint.refresh_from_db()
        assert not endpoint.is_active
        assert "410" in endpoint.disabled_reason


def test_an_endpoint_that_fails_for_days_is_switched_off_and_one_success_in_between_saves_it(
    place_order: Callable[[str], int],
) -> None:
    with receiving(500, 204, 500, 500) as receiver, clock.steered() as time:
        endpoints.open_endpoint(receiver.url, ["order.created"])
        place_order("W-1")
        tell()
        time.advance(timedelta(days=2))
        tell()  # taken
        place_order("W-2")
        tell()
        time.advance(timedelta(days=2))
        assert WebhookEndpoint.objects.get().is_active
        time.advance(timedelta(days=2))
        tell()
        endpoint = WebhookEndpoint.objects.get()
        assert not endpoint.is_active
        assert "3 days" in endpoint.disabled_reason


def test_both_secrets_sign_while_one_is_replaced_and_the_old_one_ends(
    receiver: Receiver, place_order: Callable[[str], int]
) -> None:
    with clock.steered() as time:
        endpoint, old = endpoints.open_endpoint(receiver.url, ["order.created"])
        new = endpoints.rotate_secret(endpoint)
        place_order("W-1")
        tell()
        headers, body = receiver.got[0]
        for secret in (old, new):
            Webhook(secret).verify(body, headers)
        time.advance(timedelta(days=3))
        assert endpoints.secrets_in_force(WebhookEndpoint.objects.get()) == [new]


def test_a_secret_that_is_replaced_twice_in_a_row_leaves_the_receiver_the_one_that_it_knows() -> None:
    with clock.steered() as time:
        endpoint, known = endpoints.open_endpoint("https://example.com/hook", ["*"])
        seen_twice = WebhookEndpoint.objects.get()
        endpoints.rotate_secret(endpoint)
        second = endpoints.rotate_secret(seen_twice)
        assert endpoints.secrets_in_force(WebhookEndpoint.objects.get()) == [second, known]
        time.advance(timedelta(hours=1))
        third = endpoints.rotate_secret(endpoint)
        assert endpoints.secrets_in_force(WebhookEndpoint.objects.get()) == [third, second]


def test_a_secret_is_stored_encrypted_only() -> None:
    endpoint, secret = endpoints.open_endpoint("https://example.com/hook", ["*"])
    assert secret.encode() not in bytes(endpoint.secret)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x", "http://10.1.2.3/x", "http://192.168.0.9/x", "http://169.254.169.254/latest/meta-data",
        "http://[::1]/x", "http://[::ffff:127.0.0.1]/x", "http://[64:ff9b::7f00:1]/x", "http://[2002:7f00:1::]/x",
        "http://0.0.0.0/x", "http://[fd00::1]/x", "http://100.64.0.1/x", "ftp://example.com/x",
        "http://user:pass@example.com/x", "http:///x",
    ],
)  # fmt: skip
def test_an_endpoint_at_an_inside_address_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(guard.VARIABLE)
    with pytest.raises(UserError):
        endpoints.open_endpoint(url, ["*"])


def test_a_name_that_points_inside_is_refused_when_it_is_sent_to(
    receiver: Receiver, place_order: Callable[[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(guard.VARIABLE)
    port = receiver.url.split(":")[2]
    endpoints.open_endpoint(f"http://localhost:{port}", ["order.created"])
    place_order("W-1")
    tell()
    assert receiver.got == []
    assert "not a public address" in OutgoingDelivery.objects.get().last_error


def test_a_name_with_one_inside_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(guard.VARIABLE)
    with pytest.raises(guard.InsideAddress):
        guard.public_address("example.com", 443, lambda host, port: ["93.184.216.34", "10.0.0.1"])
    assert guard.public_address("example.com", 443, lambda host, port: ["93.184.216.34"]) == "93.184.216.34"


def test_the_connection_goes_to_the_address_that_was_checked_whatever_the_name_says_later(receiver: Receiver) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    port = int(receiver.url.split(":")[2].split("/")[0])
    transport = guard.GuardedTransport(httpx2.HTTPTransport(), lambda host, asked: next(answers))
    with httpx2.Client(transport=transport, trust_env=False) as client:
        answer = client.post(f"http://hooks.example.com:{port}/hook", content=b"{}")
    assert answer.status_code == 204
    assert receiver.got[0][0]["host"] == f"hooks.example.com:{port}"


def test_a_redirect_to_an_inside_address_is_not_followed(
    place_order: Callable[[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving(308) as outside, receiving() as inside:
        monkeypatch.setenv(guard.VARIABLE, "127.0.0.1/32")
        outside.location = inside.url.replace("127.0.0.1", "127.0.0.2")
        endpoints.open_endpoint(outside.url, ["order.created"])
        place_order("W-1")
        tell()
        assert inside.got == []
        assert "not a public address" in OutgoingDelivery.objects.get().last_error


def test_a_redirect_to_a_public_place_keeps_method_and_body(place_order: Callable[[str], int]) -> None:
    with receiving(307) as first, receiving() as second:
        first.location = second.url
        endpoints.open_endpoint(first.url, ["order.created"])
        place_order("W-1")
        tell()
        assert first.got[0][1] == second.got[0][1]
        assert OutgoingDelivery.objects.get().state == "delivered"


def test_an_unknown_topic_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UserError, match=r"order\.created.*not 'order\.eaten'"):
        endpoints.open_endpoint("https://example.com/hook", ["order.eaten"])
