"""The calls an account has left are counted once for all who call."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connections, transaction

from finalmarket.connectors.errors import RetryLater
from finalmarket.connectors.rates import Rate
from finalmarket.integrations.budget import SharedBudget
from finalmarket.integrations.models import RateBudget
from finalmarket.kernel import clock
from tests.integrations.stalls import Account

TEN_A_SECOND = Rate(calls=10)


def never(seconds: float) -> None:
    raise AssertionError(f"had to wait {seconds} s")


def budget_of(account: Account, pause: Callable[[float], None] = never) -> SharedBudget:
    return SharedBudget(account.integration.pk, pause=pause)


def test_as_many_calls_go_out_at_once_as_the_platform_allows_and_the_next_waits_its_turn(account: Account) -> None:
    waits: list[float] = []
    with clock.steered():
        for _ in range(9):
            budget_of(account).take("", TEN_A_SECOND, 1.0)
        for _ in range(3):
            budget_of(account, waits.append).take("", TEN_A_SECOND, 1.0)
    # The tenth would fit too if it took as long to the platform as the first; half a call's time makes that sure.
    assert waits == pytest.approx([0.05, 0.15, 0.25])


def test_whoever_would_wait_long_is_sent_away_with_the_seconds_until_it_is_worth_coming_back(account: Account) -> None:
    slow = Rate(calls=1, per_seconds=180)
    with clock.steered() as time:
        budget_of(account).take("reports", slow, 1.0)
        with pytest.raises(RetryLater) as refused:
            budget_of(account).take("reports", slow, 1.0)
        assert refused.value.retry_after == pytest.approx(180)
        time.advance(timedelta(seconds=180))
        budget_of(account).take("reports", slow, 1.0)


def test_buckets_of_one_account_do_not_eat_each_others_calls(account: Account) -> None:
    with clock.steered():
        for _ in range(9):
            budget_of(account).take("orders", TEN_A_SECOND, 1.0)
        budget_of(account).take("stock", TEN_A_SECOND, 1.0)


def test_a_call_that_costs_more_than_the_bucket_holds_is_paid_with_all_of_it(account: Account) -> None:
    waits: list[float] = []
    with clock.steered():
        budget_of(account, waits.append).take("", TEN_A_SECOND, 50.0)
        budget_of(account, waits.append).take("", TEN_A_SECOND, 10.0)
    assert waits == pytest.approx([0.05, 1.05])


def test_what_an_answer_tells_goes_before_what_the_connector_declares(account: Account) -> None:
    with clock.steered() as time:
        budget_of(account).take("", TEN_A_SECOND, 1.0)
        budget_of(account).learn("", per_second=1.0, capacity=4.0)
        waits: list[float] = []
        for _ in range(5):
            budget_of(account, waits.append).take("", TEN_A_SECOND, 1.0)
        assert waits == pytest.approx([0.05, 1.05])
        time.advance(timedelta(seconds=3))
        budget_of(account).learn("", left=0.0)
        budget_of(account, waits.append).take("", TEN_A_SECOND, 1.0)
    assert waits == pytest.approx([0.05, 1.05, 1.0])


def test_what_is_told_of_points_left_opens_the_bucket_again(account: Account) -> None:
    with clock.steered():
        budget_of(account).take("", TEN_A_SECOND, 9.0)
        budget_of(account).learn("", left=8.0)  # the call cost less than it was said to
        budget_of(account).take("", TEN_A_SECOND, 8.0)


def test_a_pace_declared_anew_counts_where_the_platform_told_none(account: Account) -> None:
    with clock.steered():
        budget_of(account).take("", TEN_A_SECOND, 9.5)
        waits: list[float] = []
        budget_of(account, waits.append).take("", Rate(calls=20), 1.0)
        budget_of(account, waits.append).take("", Rate(calls=20), 1.0)
    assert waits == pytest.approx([0.05, 0.1])


def test_many_workers_at_once_spend_no_call_twice(account: Account) -> None:
    granted: list[float] = []

    def spend() -> None:
        try:
            for _ in range(10):
                SharedBudget(account.integration.pk, pause=granted.append).take("", Rate(calls=40), 1.0)
        finally:
            connections.close_all()

    with clock.steered():
        workers = [threading.Thread(target=spend) for _ in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(30)
    # 80 calls, 38 of them at once; the 42 others each have a turn of their own.
    assert sorted(granted) == pytest.approx([turn / 40 for turn in range(1, 43)])


def test_taking_a_call_neither_waits_for_nor_joins_the_callers_transaction(account: Account) -> None:
    with clock.steered(), pytest.raises(ZeroDivisionError), transaction.atomic():
        budget_of(account).take("", TEN_A_SECOND, 1.0)
        raise ZeroDivisionError
    assert RateBudget.objects.get(integration=account.integration).tokens == pytest.approx(8.5)
