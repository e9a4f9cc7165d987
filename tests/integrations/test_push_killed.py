"""A worker that dies while it pushes, anywhere, loses nothing and doubles nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connections

from finalmarket.connectors.records import ListingRef
from finalmarket.integrations import pull
from finalmarket.integrations.links import link_listing
from finalmarket.integrations.push import push
from finalmarket.kernel import clock, failpoints
from finalmarket.sandbox.faults import Fault
from tests.integrations.stalls import Account

PLACES = (
    "push.after_claim", "push.after_begin", "push.before_send", "push.after_send", "push.before_settle",
    "push.within_settle", "push.after_settle", "http.before_send", "http.after_send",
)  # fmt: skip
KILLED_AT = ("push.after_claim", "push.before_send", "push.after_send", "push.within_settle", "push.after_settle")
PUSH = "from finalmarket.integrations.push import push; push({number})"


def new_listing(account: Account) -> None:
    """One more listing, which the platform has to make."""
    link_listing(account.integration, account.offer("JAR", 4, linked=False), ListingRef(key="JAR", sku="JAR"))


def all_is_told_once(account: Account) -> None:
    """The platform shows what there is, and no listing was made twice."""
    assert account.shop.shown_stock() == {"TEA": 10, "CUP": 10, "POT": 10, "JAR": 4}
    assert len(account.shop.state["listings"]) == 4
    assert account.waits() == account.waits("price") == account.waits("content") == set()
    assert {one["price"] for one in account.shop.state["listings"].values()} == {"5.00"}
    assert Decimal(account.link("JAR").told_price or 0) == Decimal("5.00")


def go_on(account: Account) -> None:
    """Other workers come by, now and when the pauses are over."""
    push(account.integration.pk)
    for minutes in (10, 20):
        with clock.steered(clock.now() + timedelta(minutes=minutes)):
            push(account.integration.pk)


@pytest.mark.parametrize("visit", [1, 2, 3])
@pytest.mark.parametrize("place", PLACES)
def test_a_push_that_breaks_off_anywhere_is_taken_up_where_it_ended(account: Account, place: str, visit: int) -> None:
    new_listing(account)
    pull.catch_up_orders(account.integration)
    with failpoints.armed(f"{place}:raise@{visit}"), pytest.raises(failpoints.FailpointHit):
        push(account.integration.pk)
        pytest.fail(f"{place} was not passed {visit} times")
    go_on(account)
    all_is_told_once(account)


@pytest.mark.parametrize("place", ["push.before_ask", "push.after_ask"])
def test_a_worker_that_breaks_off_while_it_asks_leaves_the_doubt_to_the_next(account: Account, place: str) -> None:
    new_listing(account)
    pull.catch_up_orders(account.integration)
    account.shop.faults.then(Fault.ERROR_AFTER)
    push(account.integration.pk)
    later = clock.steered(clock.now() + timedelta(minutes=5))
    with later, failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
        push(account.integration.pk)
    go_on(account)
    all_is_told_once(account)


@pytest.mark.parametrize("place", ["push.before_put_off", "push.after_put_off"])
def test_a_worker_that_breaks_off_while_it_writes_a_failure_down_has_not_told_twice(
    account: Account, place: str
) -> None:
    new_listing(account)
    pull.catch_up_orders(account.integration)
    account.shop.faults.then(Fault.ERROR_AFTER)
    with failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
        push(account.integration.pk)
    go_on(account)
    all_is_told_once(account)


@pytest.mark.parametrize("place", KILLED_AT)
def test_a_killed_worker_is_replaced_at_once(account: Account, place: str) -> None:
    new_listing(account)
    killed = run_worker(account, f"{place}:kill")
    assert killed == -signal.SIGKILL
    assert run_worker(account, "") == 0
    go_on(account)
    all_is_told_once(account)


def run_worker(account: Account, failpoint: str) -> int:
    """Push in another process, on this test's database; returns how it ended."""
    name = connections["default"].settings_dict["NAME"]
    program = (
        "import django; from django.db import connections; django.setup(); "
        f"connections['default'].settings_dict['NAME'] = {name!r}; " + PUSH.format(number=account.integration.pk)
    )
    environment = {**os.environ, failpoints.VARIABLE: failpoint}
    return subprocess.run([sys.executable, "-c", program], env=environment, check=False, timeout=120).returncode


def test_a_worker_that_breaks_off_before_it_claims_has_changed_nothing(account: Account) -> None:
    new_listing(account)
    with failpoints.armed("push.after_drop:raise"), pytest.raises(failpoints.FailpointHit):
        push(account.integration.pk)
    go_on(account)
    all_is_told_once(account)
