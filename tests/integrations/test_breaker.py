"""A platform that fails again and again is left alone for a while; a merchant is not paused for nothing."""

from datetime import timedelta

import pytest

from finalmarket.connectors.errors import (
    NOT_ASKED,
    ConnectorError,
    NeedsAttention,
    OutcomeUnknown,
    RetryLater,
    Unintelligible,
)
from finalmarket.integrations import breaker
from finalmarket.integrations.accounts import keep_secrets
from finalmarket.integrations.connect import start_anew
from finalmarket.integrations.models import IntegrationHealth
from finalmarket.kernel import clock, randomness
from finalmarket.sandbox.faults import Fault
from tests.integrations.stalls import Account, connect

FAILURES: tuple[ConnectorError, ...] = (RetryLater("down"), OutcomeUnknown("lost"), Unintelligible("what?"))


def seconds_open(account: Account) -> float:
    """How long the breaker stays open from now on."""
    until = IntegrationHealth.objects.get(integration=account.integration).breaker_open_until
    return (until - clock.now()).total_seconds() if until else 0.0


def test_three_failures_in_a_row_open_it_and_two_do_not(account: Account) -> None:
    with clock.steered():
        for error in FAILURES[:2]:
            breaker.note_failure(account.integration, error)
            assert breaker.may_call(account.integration.pk)
        breaker.note_failure(account.integration, FAILURES[2])
        assert not breaker.may_call(account.integration.pk)


def test_a_success_in_between_starts_the_count_anew(account: Account) -> None:
    with clock.steered():
        for error in FAILURES[:2]:
            breaker.note_failure(account.integration, error)
        breaker.note_success(account.integration.pk, stream="push")
        breaker.note_failure(account.integration, FAILURES[2])
        assert breaker.may_call(account.integration.pk)


def test_every_further_failure_opens_it_for_longer_up_to_five_minutes_and_never_to_the_second(account: Account) -> None:
    spans = []
    with clock.steered(), randomness.seeded(7):
        for _ in range(20):
            breaker.note_failure(account.integration, RetryLater("down"))
            spans.append(seconds_open(account))
    opened = spans[2:]
    assert all(2.0 * 2**n * 0.5 <= span <= 2.0 * 2**n for n, span in enumerate(opened[:7]))
    assert all(150.0 <= span <= 300.0 for span in opened[8:])
    assert len(set(opened[8:])) > 5


def test_when_its_time_is_over_exactly_one_caller_may_try(account: Account) -> None:
    with clock.steered() as time:
        for _ in range(3):
            breaker.note_failure(account.integration, RetryLater("down"))
        time.advance(timedelta(seconds=3))
        asked = [breaker.may_call(account.integration.pk) for _ in range(5)]
        assert asked == [True, False, False, False, False]
        breaker.note_success(account.integration.pk)
        assert breaker.may_call(account.integration.pk)


def test_a_caller_that_was_killed_while_it_tried_is_replaced(account: Account) -> None:
    with clock.steered() as time:
        for _ in range(3):
            breaker.note_failure(account.integration, RetryLater("down"))
        time.advance(timedelta(seconds=3))
        assert breaker.may_call(account.integration.pk)
        time.advance(timedelta(seconds=breaker.PROBE_SECONDS))
        assert breaker.may_call(account.integration.pk)


def test_the_platforms_own_wait_is_obeyed_from_the_first_time_on_by_everybody(account: Account) -> None:
    with clock.steered() as time:
        breaker.note_failure(account.integration, RetryLater("slow down", retry_after=30.0, status=429))
        assert seconds_open(account) == pytest.approx(30.0)
        time.advance(timedelta(seconds=29))
        assert not breaker.may_call(account.integration.pk)
        time.advance(timedelta(seconds=1))
        assert breaker.may_call(account.integration.pk)


def test_a_call_that_was_under_way_does_not_shorten_the_platforms_own_wait(account: Account) -> None:
    with clock.steered() as time:
        breaker.note_failure(account.integration, RetryLater("slow down", retry_after=600.0, status=429))
        for _ in range(breaker.FAILURES_TO_OPEN + 1):
            breaker.note_failure(account.integration, OutcomeUnknown("lost"))
            assert seconds_open(account) == pytest.approx(600.0)
        breaker.note_failure(account.integration, RetryLater("slow down", retry_after=5.0, status=429))
        breaker.note_success(account.integration.pk, stream="push")
        assert seconds_open(account) == pytest.approx(600.0)
        time.advance(timedelta(seconds=599))
        assert not breaker.may_call(account.integration.pk)
        time.advance(timedelta(seconds=1))
        assert breaker.may_call(account.integration.pk)
        breaker.note_success(account.integration.pk)
        assert breaker.may_call(account.integration.pk)


def test_whoever_tries_after_the_platforms_own_wait_and_fails_keeps_nobody_waiting_for_it(account: Account) -> None:
    with clock.steered() as time:
        breaker.note_failure(account.integration, RetryLater("slow down", retry_after=30.0, status=429))
        time.advance(timedelta(seconds=30))
        assert [breaker.may_call(account.integration.pk) for _ in range(2)] == [True, False]
        breaker.note_failure(account.integration, OutcomeUnknown("lost"))
        assert breaker.may_call(account.integration.pk)


def test_a_platform_that_is_connected_anew_is_called_at_once(account: Account) -> None:
    breaker.note_failure(account.integration, RetryLater("slow down", retry_after=600.0, status=429))
    start_anew(account.integration)
    breaker.note_success(account.integration.pk)
    assert breaker.may_call(account.integration.pk)


def test_our_own_used_up_budget_says_nothing_of_the_platform(account: Account) -> None:
    for _ in range(5):
        breaker.note_failure(account.integration, RetryLater("used up", retry_after=9.0, code=NOT_ASKED))
    assert breaker.may_call(account.integration.pk)
    assert not IntegrationHealth.objects.filter(integration=account.integration).exists()


def test_one_account_that_fails_does_not_close_the_way_for_another(account: Account) -> None:
    other = connect(account.shop, account.integration.base_url, skus=(), label="second")
    with clock.steered():
        for _ in range(3):
            breaker.note_failure(account.integration, RetryLater("down"))
        assert breaker.may_call(other.integration.pk)


def test_a_spurious_refusal_pauses_no_merchant(account: Account) -> None:
    assert breaker.note_failure(account.integration, NeedsAttention("401", status=401)) is False
    assert account.refreshed().status == "active"
    assert IntegrationHealth.objects.get(integration=account.integration).failures_in_row == 1


def test_a_refusal_that_is_confirmed_asks_for_a_person_with_its_reason(account: Account) -> None:
    keep_secrets(account.integration, {"token": "revoked"})
    assert breaker.note_failure(account.integration, NeedsAttention("401", status=401)) is True
    integration = account.refreshed()
    assert integration.status == "needs_attention"
    assert "not_let_in" in integration.status_reason


def test_a_platform_that_cannot_be_asked_has_confirmed_nothing(account: Account) -> None:
    account.shop.faults.then(Fault.ERROR_BEFORE)
    assert breaker.note_failure(account.integration, NeedsAttention("401", status=401)) is False
    assert account.refreshed().status == "active"
