"""Webhooks: only genuine ones come in, each is stored once, and however often and in whatever order they come, the same
stands in the books afterwards."""

from __future__ import annotations

import hmac
import json
import os
import random
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from finalmarket.connectors.errors import WebhookRefused
from finalmarket.connectors.platforms.fake import Fake
from finalmarket.connectors.records import Delivery
from finalmarket.integrations import hints, inbox
from finalmarket.integrations.accounts import account_of, open_connector
from finalmarket.integrations.models import DeadLetter, IntegrationHealth, WebhookDelivery
from finalmarket.kernel import clock, failpoints
from finalmarket.orders.models import Order
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.webhooks import Letter
from finalmarket.stock.models import StockPool
from tests.integrations.letterbox import Post

pytestmark = pytest.mark.committed_database

FORGERIES = int(os.environ.get("FINALMARKET_PROOF_FORGERIES", "2000"))


def buy(post: Post, *lines: tuple[str, int]) -> str:
    """Somebody buys; the platform writes a letter."""
    with post.account.shop.lock:
        return post.account.shop.order(*lines)


def test_a_sale_comes_in_by_its_letter(post: Post) -> None:
    number = buy(post, ("TEA", 2))
    assert post.deliver(post.letters[-1]) == 200
    assert Order.objects.count() == 0  # answered first, worked on later
    post.work()
    assert Order.objects.get().external_id == number
    row = WebhookDelivery.objects.get()
    assert (row.topic, row.outcome) == ("order.changed", f"orders {number}: created")


def test_the_door_is_an_address_that_platforms_can_post_to(post: Post) -> None:
    buy(post, ("TEA", 1))
    letter = post.letters[-1]
    client = Client(enforce_csrf_checks=True)
    headers = {name: value for name, value in letter.headers.items() if name != "Content-Type"}

    def send(token: str, body: bytes) -> int:
        answer = client.post(f"/hooks/{token}/", body, content_type="application/json", headers=headers)
        return int(answer.status_code)

    assert send(post.token, letter.body) == 200
    assert send(post.token, letter.body) == 200
    assert send("nobody", letter.body) == 404
    assert send(post.token, letter.body + b" ") == 401
    assert send(post.token, b"x" * (inbox.MOST_BYTES + 1)) == 413
    assert client.get(f"/hooks/{post.token}/").status_code == 405
    assert WebhookDelivery.objects.count() == 1
    assert "sessionid" not in client.cookies


def test_the_same_letter_is_stored_once_and_answered_as_taken(post: Post) -> None:
    buy(post, ("TEA", 1))
    assert [post.deliver(post.letters[-1]) for _ in range(3)] == [200, 200, 200]
    assert WebhookDelivery.objects.count() == 1


def test_a_letter_is_taken_in_by_two_statements(post: Post) -> None:
    buy(post, ("TEA", 1))
    letter = post.letters[-1]
    post.deliver(letter)  # a job waits from now on
    with CaptureQueriesContext(connection) as captured:
        assert inbox.receive("t" * 43, letter.url, dict(letter.headers), letter.body) == 200
    assert len([query for query in captured if query["sql"] not in ("BEGIN", "COMMIT")]) == 2


def test_many_hints_on_one_order_become_one_question(post: Post) -> None:
    number = buy(post, ("TEA", 1))
    with post.account.shop.lock:
        for _ in range(9):
            post.account.shop._changed("order", post.account.shop.state["orders"][number])
    for letter in post.letters:
        post.deliver(letter)
    post.work()
    asked = post.account.shop.world.journal.entries(what="request", name=f"GET /v1/orders/{number}")
    assert len(asked) == 1
    assert WebhookDelivery.objects.filter(handled_at=None).count() == 0


def test_a_refused_letter_leaves_nothing_but_that_it_came(post: Post) -> None:
    buy(post, ("TEA", 1))
    forged = {**post.letters[-1].headers, "Fake-Signature": "bm8="}
    assert post.deliver(post.letters[-1], headers=forged) == 401
    assert WebhookDelivery.objects.count() == 0
    health = IntegrationHealth.objects.get()
    assert (health.refused_webhook_count, health.last_refused_webhook) == (1, "the signature does not fit the body")


def test_what_a_platform_asks_before_it_can_prove_anything_is_answered_and_shown(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    def question(there: Fake, delivery: Delivery) -> str:
        return "enter the code 17 there" if delivery.body == b"17" else ""

    monkeypatch.setattr(Fake, "question", question)
    buy(post, ("TEA", 1))
    assert post.deliver(post.letters[-1], body=b"17", headers={}) == 200
    assert post.deliver(post.letters[-1], body=b"18", headers={}) == 401
    assert post.deliver(post.letters[-1], body=b"17", headers={}) == 200
    assert WebhookDelivery.objects.count() == 0
    pulse = IntegrationHealth.objects.get()
    assert (pulse.refused_webhook_count, pulse.last_refused_webhook) == (1, "enter the code 17 there")


def test_a_question_is_shown_where_one_looks_after_webhooks(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fake, "question", lambda there, delivery: "enter the code 17 there")
    assert post.deliver(Letter("https://house.example/hooks/t/", {}, b"17")) == 200
    assert "enter the code 17 there" in post.account.refreshed().health().reason


def test_without_a_secret_every_letter_is_refused(post: Post) -> None:
    buy(post, ("TEA", 1))
    post.account.integration.credentials.filter(name="webhook_secret").delete()
    assert post.deliver(post.letters[-1]) == 401


def test_what_no_description_knows_is_stored_and_never_raised(post: Post) -> None:
    with post.account.shop.lock:
        post.account.shop._call("weather.changed", "W1")
    assert post.deliver(post.letters[-1]) == 200
    post.work()
    row = WebhookDelivery.objects.get()
    assert row.outcome == "unknown topic weather.changed: kept, nothing done"
    assert row.handled_at is not None


def test_a_platform_that_cannot_be_asked_is_asked_again_later(post: Post) -> None:
    number = buy(post, ("TEA", 1))
    post.deliver(post.letters[-1])
    post.account.shop.faults.then(Fault.ERROR_BEFORE)
    inbox.work(post.account.integration.pk)
    row = WebhookDelivery.objects.get()
    assert (row.handled_at, row.attempts) == (None, 1)
    assert row.outcome.startswith("comes again: 500")
    assert not inbox.is_waiting(post.account.integration.pk)
    with clock.steered(clock.now() + timedelta(seconds=5)):
        inbox.work(post.account.integration.pk)
    assert Order.objects.get().external_id == number


def test_a_hint_that_fails_for_good_is_set_aside_after_a_dozen_tries(post: Post) -> None:
    buy(post, ("TEA", 1))
    post.deliver(post.letters[-1])
    WebhookDelivery.objects.update(attempts=hints.MOST_ATTEMPTS - 1)
    post.account.shop.faults.then(Fault.ERROR_BEFORE)
    inbox.work(post.account.integration.pk)
    assert WebhookDelivery.objects.get().handled_at is not None
    assert "given up after 12 tries" in DeadLetter.objects.get().reason


def test_what_a_killed_worker_held_comes_back(post: Post) -> None:
    buy(post, ("TEA", 1))
    post.deliver(post.letters[-1])
    with failpoints.armed("inbox.after_claim:raise"), pytest.raises(failpoints.FailpointHit):
        inbox.work(post.account.integration.pk)
    assert not inbox.is_waiting(post.account.integration.pk)
    with clock.steered(clock.now() + inbox.LEASE + timedelta(seconds=1)):
        post.work()
    assert Order.objects.count() == 1


@pytest.mark.parametrize("place", ["inbox.before_take", "inbox.after_take", "inbox.after_settle"])
def test_a_worker_that_breaks_off_anywhere_loses_and_doubles_nothing(post: Post, place: str) -> None:
    buy(post, ("TEA", 1))
    post.deliver(post.letters[-1])
    with failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
        inbox.work(post.account.integration.pk)
    with clock.steered(clock.now() + inbox.LEASE + timedelta(seconds=1)):
        post.work()
    assert Order.objects.count() == 1
    assert StockPool.objects.get(variant=post.account.variants["TEA"]).allocated == 1


def test_a_wake_up_call_is_put_off_with_the_letter(post: Post) -> None:
    from procrastinate.contrib.django.models import ProcrastinateJob

    buy(post, ("TEA", 1))
    buy(post, ("TEA", 1))
    for letter in post.letters:
        post.deliver(letter)
    assert ProcrastinateJob.objects.filter(task_name="integrations.inbox", status="todo").count() == 1


@pytest.mark.parametrize("kind", ["erase", "data_request"])
def test_what_a_person_wishes_whom_nobody_knows_is_answered_and_nothing_is_done(
    post: Post, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    from finalmarket.connectors.platforms import fake

    monkeypatch.setitem(fake.TOPICS, "person.wishes", kind)
    with post.account.shop.lock:
        post.account.shop._call("person.wishes", "C7")
    post.deliver(post.letters[-1])
    post.work()
    assert WebhookDelivery.objects.get().outcome.startswith("nobody is known here by that name")
    assert not DeadLetter.objects.exists()


def test_an_account_that_removed_us_needs_attention(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    from finalmarket.connectors.platforms import fake

    monkeypatch.setitem(fake.TOPICS, "app.removed", "uninstalled")
    with post.account.shop.lock:
        post.account.shop._call("app.removed", "main")
    post.deliver(post.letters[-1])
    post.work()
    assert post.account.refreshed().status == "needs_attention"


def test_no_secret_is_kept_with_a_letter(post: Post) -> None:
    buy(post, ("TEA", 1))
    token = account_of(post.account.integration).secrets["token"]
    letter = post.letters[-1]
    post.deliver(
        letter, headers={**letter.headers, "Authorization": f"Bearer {token}", "X-Echo": token, "Cookie": "a=b"}
    )
    kept = WebhookDelivery.objects.get().headers
    assert {"Authorization", "Cookie"}.isdisjoint(kept)
    assert token not in json.dumps(kept)


def test_both_secrets_are_good_while_one_takes_the_others_place(post: Post) -> None:
    buy(post, ("TEA", 1))
    before = account_of(post.account.integration).secrets["webhook_secret"]
    post.account.integration.rotate_webhook_secret("the-next-webhook-secret")
    assert post.deliver(post.letters[-1]) == 200
    with post.account.shop.lock:
        post.account.shop.state["hooks"][0]["secret"] = "the-next-webhook-secret"
        post.account.shop.order(("TEA", 1))
    assert post.deliver(post.letters[-1]) == 200
    post.account.integration.rotate_webhook_secret("a-third-webhook-secret")
    buy(post, ("TEA", 1))
    assert post.deliver(post.letters[-1]) == 200  # signed with the second, which is the former one now
    with post.account.shop.lock:
        post.account.shop.state["hooks"][0]["secret"] = before
        post.account.shop.order(("TEA", 1))
    assert post.deliver(post.letters[-1]) == 401


def test_no_forgery_is_let_in_and_nothing_genuine_is_refused(post: Post, tried: Counter[str]) -> None:
    """Bit flips, old times, another account's signature, a body that was written anew: refused, all of them; every
    fiftieth is brought to the door itself."""
    dice = random.Random(7)
    for _ in range(20):
        buy(post, ("TEA", 1))
    secret = account_of(post.account.integration).secrets["webhook_secret"]
    let_in = genuine = 0
    with clock.steered(clock.now()), closing(open_connector(post.account.integration)) as there:
        assert isinstance(there, Fake)
        for number in range(FORGERIES):
            letter = post.letters[number % len(post.letters)]
            headers, body = FORGED[number % len(FORGED)](letter, dice, secret)
            let_in += not is_refused(there, Delivery(letter.url, headers, body, clock.now()))
            if number % 50 == 0:
                let_in += post.deliver(letter, headers=headers, body=body) != 401
        for letter in post.letters:
            genuine += post.deliver(letter) == 200
    tried.update({"forgeries": FORGERIES, "let in": let_in, "genuine": genuine})
    assert (let_in, genuine) == (0, len(post.letters))
    assert WebhookDelivery.objects.count() == len(post.letters)
    assert IntegrationHealth.objects.get().refused_webhook_count == len(range(0, FORGERIES, 50))


def is_refused(there: Fake, delivery: Delivery) -> bool:
    try:
        there.verify_webhook(delivery)
    except WebhookRefused:
        return True
    return False


Forged = tuple[dict[str, str], bytes]


def _signed(body: bytes, at: int, secret: str) -> dict[str, str]:
    signature = hmac.digest(secret.encode(), f"{at}.".encode() + body, "sha256")
    return {"Fake-Time": str(at), "Fake-Signature": b64encode(signature).decode()}


def _flipped(text: bytes, dice: random.Random) -> bytes:
    flipped = bytearray(text)
    flipped[dice.randrange(len(flipped))] ^= 1 << dice.randrange(7)
    return bytes(flipped)


def _flipped_body(letter: Letter, dice: random.Random, secret: str) -> Forged:
    return dict(letter.headers), _flipped(letter.body, dice)


def _flipped_signature(letter: Letter, dice: random.Random, secret: str) -> Forged:
    # The last letters before the padding hold bits that base64 does not use; a flip there may be no change.
    signature = letter.headers["Fake-Signature"]
    flipped = _flipped(signature[:40].encode(), dice).decode("latin-1")
    return {**letter.headers, "Fake-Signature": flipped + signature[40:]}, letter.body


def _recorded(letter: Letter, dice: random.Random, secret: str) -> Forged:
    """A genuine one, played again after more than five minutes, or dated into the future."""
    away = dice.choice([-1, 1]) * dice.randint(301, 10_000)
    return _signed(letter.body, int(clock.now().timestamp()) + away, secret), letter.body


def _dated_anew(letter: Letter, dice: random.Random, secret: str) -> Forged:
    """The time is what is signed: another one does not fit."""
    shifted = int(letter.headers["Fake-Time"]) + dice.choice([-2, -1, 1, 2])
    return {**letter.headers, "Fake-Time": str(shifted)}, letter.body


def _of_another_account(letter: Letter, dice: random.Random, secret: str) -> Forged:
    return _signed(letter.body, int(clock.now().timestamp()), f"another account's secret {dice.random()}"), letter.body


def _written_anew(letter: Letter, dice: random.Random, secret: str) -> Forged:
    """The same JSON in other bytes."""
    return dict(letter.headers), json.dumps(json.loads(letter.body), indent=dice.choice([0, 1, 2])).encode()


def _unsigned(letter: Letter, dice: random.Random, secret: str) -> Forged:
    missing = dice.choice(["Fake-Time", "Fake-Signature"])
    return {name: value for name, value in letter.headers.items() if name != missing}, letter.body


FORGED: list[Callable[[Letter, random.Random, str], Forged]] = [
    _flipped_body, _flipped_signature, _recorded, _dated_anew, _of_another_account, _written_anew, _unsigned,
]  # fmt: skip


def test_a_letter_that_could_not_be_stored_is_not_acknowledged(post: Post) -> None:
    buy(post, ("TEA", 1))
    with failpoints.armed("inbox.before_commit:raise"), pytest.raises(failpoints.FailpointHit):
        post.deliver(post.letters[-1])
    assert WebhookDelivery.objects.count() == 0
    assert post.deliver(post.letters[-1]) == 200
    assert WebhookDelivery.objects.count() == 1


def test_a_letter_that_cannot_be_proved_for_whatever_reason_stays_outside(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise RuntimeError("nobody has foreseen this")

    buy(post, ("TEA", 1))
    monkeypatch.setattr(Fake, "verify_webhook", stumble)
    assert post.deliver(post.letters[-1]) == 401
    assert not WebhookDelivery.objects.exists()
    assert IntegrationHealth.objects.get().last_refused_webhook == "could not be proved: RuntimeError"
