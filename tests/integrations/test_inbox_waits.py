"""Letters that have to wait: a person's wish waits for nothing, and a platform that asks to be left alone is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from finalmarket.connectors.errors import NOT_ASKED, RetryLater
from finalmarket.connectors.platforms import fake
from finalmarket.connectors.platforms.fake import Fake
from finalmarket.connectors.records import Delivery, Event
from finalmarket.customers.models import OmnichannelCustomer, PrivacyRequest
from finalmarket.integrations import breaker, hints, inbox
from finalmarket.integrations.models import (
    ChannelIntegration,
    DeadLetter,
    ExternalId,
    IntegrationHealth,
    WebhookDelivery,
)
from finalmarket.kernel import clock
from finalmarket.orders.models import Order
from finalmarket.sandbox.faults import Fault
from tests.integrations.letterbox import Post

pytestmark = pytest.mark.committed_database
READ = Fake.read_webhook
ORDINARY = 7
"""More than two steps of three."""


def stop(post: Post, status: str = "paused") -> None:
    """The account works no more."""
    ChannelIntegration.objects.filter(pk=post.account.integration.pk).update(status=status)


def wish(post: Post, monkeypatch: pytest.MonkeyPatch, kind: str, name: str = "C7") -> None:
    """Behind seven ordinary letters comes one of somebody known, who wishes something; three are worked at once."""
    monkeypatch.setattr(inbox, "MOST_AT_ONCE", 3)
    monkeypatch.setitem(fake.TOPICS, "person.wishes", kind)
    person = OmnichannelCustomer.objects.create(name="Somebody Shy")
    integration = post.account.integration
    ExternalId.objects.create(integration=integration, kind="customer", external_id="C7", local_id=person.pk)
    for _ in range(ORDINARY):
        post.buy(("TEA", 1))
    post.write("person.wishes", name)
    post.deliver_all()


def requests_for(post: Post, name: str) -> int:
    """How often the platform was asked for an order."""
    return len(post.account.shop.world.journal.entries(what="request", name=f"GET /v1/orders/{name}"))


def rows() -> list[WebhookDelivery]:
    """What was delivered, the oldest first."""
    return list(WebhookDelivery.objects.order_by("pk"))


@pytest.mark.parametrize("status", ["paused", "needs_attention"])
@pytest.mark.parametrize(("kind", "asked"), [("erase", "erasure"), ("data_request", "export")])
def test_a_wish_of_a_stopped_account_is_read_behind_any_number_of_ordinary_deliveries(
    post: Post, monkeypatch: pytest.MonkeyPatch, kind: str, asked: str, status: str
) -> None:
    wish(post, monkeypatch, kind)
    stop(post, status)
    assert inbox.work(post.account.integration.pk) is False
    assert list(PrivacyRequest.objects.values_list("kind", flat=True)) == [asked]
    *ordinary, last = rows()
    assert last.handled_at is not None
    assert {(row.handled_at, row.attempts) for row in ordinary} == {(None, 0)}
    stop(post, "active")
    post.work()
    assert Order.objects.count() == ORDINARY


def test_what_waits_for_a_stopped_account_is_read_once_and_not_with_every_letter_that_comes(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish(post, monkeypatch, "erase")
    stop(post)
    read: list[bytes] = []

    def counted(there: Fake, delivery: Delivery) -> Sequence[Event]:
        read.append(delivery.body)
        return READ(there, delivery)

    inbox.work(post.account.integration.pk)
    post.buy(("TEA", 1))
    post.deliver_all()
    monkeypatch.setattr(Fake, "read_webhook", counted)
    inbox.work(post.account.integration.pk)
    assert len(read) == 1
    assert {row.outcome for row in rows() if row.handled_at is None} == {"waits until the account works again"}


def test_an_ended_accounts_copies_go_behind_any_number_of_ordinary_deliveries(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish(post, monkeypatch, "erase", name="")
    stop(post, "disconnected")
    inbox.work(post.account.integration.pk)
    assert {bytes(row.body) for row in rows()[:-1]} == {b""}
    assert not inbox.is_waiting(post.account.integration.pk)


def test_a_platform_that_asked_to_wait_is_not_asked_what_its_letters_are_about(post: Post) -> None:
    number = post.buy(("TEA", 1))
    post.deliver_all()
    with clock.steered() as time:
        breaker.note_failure(post.account.integration, RetryLater("slow down", retry_after=600.0, status=429))
        inbox.work(post.account.integration.pk)
        (row,) = rows()
        assert (requests_for(post, number), row.attempts, row.handled_at) == (0, 0, None)
        assert row.next_try_at == clock.now() + timedelta(seconds=600)
        assert row.outcome == "comes again: not asked: the platform is left alone for a while"
        time.advance(timedelta(seconds=600))
        post.work()
    assert Order.objects.get().external_id == number
    assert rows()[0].attempts == 1


def test_while_a_platform_is_down_its_letters_use_up_none_of_their_tries(post: Post) -> None:
    post.buy(("TEA", 1))
    post.deliver_all()
    WebhookDelivery.objects.update(attempts=hints.MOST_ATTEMPTS - 1)
    post.account.shop.faults.then(*[Fault.ERROR_BEFORE] * 5)
    with clock.steered():
        for _ in range(breaker.FAILURES_TO_OPEN):
            breaker.note_failure(post.account.integration, RetryLater("down"))
        inbox.work(post.account.integration.pk)
    (row,) = rows()
    assert (row.attempts, row.handled_at) == (hints.MOST_ATTEMPTS - 1, None)
    assert not DeadLetter.objects.exists()


@pytest.mark.parametrize("fault", [Fault.TOO_MANY_WAIT, Fault.ERROR_BEFORE])
def test_those_that_the_platform_was_not_asked_about_come_again_without_having_been_tried(
    post: Post, fault: Fault
) -> None:
    asked, not_asked = post.buy(("TEA", 1)), post.buy(("CUP", 1))
    post.deliver_all()
    post.account.shop.faults.then(fault)
    inbox.work(post.account.integration.pk)
    assert (requests_for(post, asked), requests_for(post, not_asked)) == (1, 0)
    assert [row.attempts for row in rows()] == [1, 0]
    assert {row.handled_at for row in rows()} == {None}


def test_letters_that_our_own_used_up_calls_keep_waiting_use_up_none_of_their_tries(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = post.buy(("TEA", 1))
    post.deliver_all()
    WebhookDelivery.objects.update(attempts=hints.MOST_ATTEMPTS - 1)
    used_up = RetryLater("used up", retry_after=170.0, code=NOT_ASKED)
    with clock.steered(), monkeypatch.context() as patch:
        patch.setattr(Fake, "pull_order", lambda *_: (_ for _ in ()).throw(used_up))
        inbox.work(post.account.integration.pk)
        (row,) = rows()
        assert (row.attempts, row.next_try_at) == (hints.MOST_ATTEMPTS - 1, clock.now() + timedelta(seconds=170))
    with clock.steered(clock.now() + timedelta(seconds=171)):
        post.work()
    assert Order.objects.get().external_id == number


def test_the_one_try_that_a_platform_gets_after_an_outage_is_given_back_by_a_letter_that_worked(post: Post) -> None:
    post.buy(("TEA", 1))
    post.deliver_all()
    with clock.steered() as time:
        for _ in range(breaker.FAILURES_TO_OPEN):
            breaker.note_failure(post.account.integration, RetryLater("down"))
        time.advance(timedelta(seconds=3))
        inbox.work(post.account.integration.pk)
        assert [breaker.may_call(post.account.integration.pk) for _ in range(2)] == [True, True]
    assert Order.objects.count() == 1
    assert IntegrationHealth.objects.get().failures_in_row == 0


def test_while_somebody_else_tries_a_platform_that_was_down_its_letters_wait_for_what_comes_of_it(post: Post) -> None:
    number = post.buy(("TEA", 1))
    post.deliver_all()
    with clock.steered() as time:
        for _ in range(breaker.FAILURES_TO_OPEN):
            breaker.note_failure(post.account.integration, RetryLater("down"))
        time.advance(timedelta(seconds=3))
        assert breaker.may_call(post.account.integration.pk)
        inbox.work(post.account.integration.pk)
    assert requests_for(post, number) == 0


def test_what_came_whole_in_a_letter_is_stored_while_the_platform_is_left_alone(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    def whole(there: Fake, delivery: Delivery) -> Sequence[Event]:
        (event,) = READ(there, delivery)
        return [replace(event, record=fake.order_record(dict(post.account.shop.state["orders"][event.external_id])))]

    number = post.buy(("TEA", 1))
    post.deliver_all()
    monkeypatch.setattr(Fake, "read_webhook", whole)
    with clock.steered():
        breaker.note_failure(post.account.integration, RetryLater("slow down", retry_after=600.0, status=429))
        inbox.work(post.account.integration.pk)
    assert Order.objects.get().external_id == number
    assert rows()[0].handled_at is not None
