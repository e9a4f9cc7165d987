"""A price that a platform said yes to is looked for once, and told once more where it is not shown."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from finalmarket.integrations import jobs
from finalmarket.integrations.models import SyncRun
from finalmarket.integrations.price_look import look
from finalmarket.integrations.push import push
from finalmarket.kernel import clock
from finalmarket.sandbox.faults import Fault
from tests.integrations.stalls import Account

pytestmark = pytest.mark.committed_database


def prices(account: Account) -> dict[str, str]:
    """What the platform asks for its listings."""
    return {one["sku"]: one["price"] for one in account.shop.state["listings"].values()}


def asked(account: Account) -> int:
    """How often the platform was asked for its listings."""
    return len(account.shop.world.journal.entries(what="request", name="GET /v1/listings"))


def later(account: Account, minutes: int) -> SyncRun | None:
    """Look, so many minutes from now."""
    with clock.steered(clock.now() + timedelta(minutes=minutes)):
        run = look(account.integration.pk)
        push(account.integration.pk)
        return run


@pytest.fixture
def untold(account: Account) -> Account:
    """The platform took a new price of the tea, and did nothing."""
    push(account.integration.pk)
    later(account, 15)
    with clock.steered(clock.now() + timedelta(minutes=20)):
        account.listings["TEA"].set_price(Decimal("7.50"))
        account.shop.faults.then(Fault.NOT_APPLIED)
        push(account.integration.pk)
    assert prices(account) == {"TEA": "5.00", "CUP": "5.00", "POT": "5.00"}
    assert account.waits("price") == set()
    return account


def test_a_price_that_was_taken_and_is_not_shown_is_told_once_more(untold: Account) -> None:
    assert later(untold, 25) is None  # the platform has ten minutes to show it
    run = later(untold, 40)
    assert run is not None
    assert (run.outcome, run.seen_count, run.changed_count) == ("done", 1, 1)
    assert prices(untold)["TEA"] == "7.50"
    again = later(untold, 60)
    assert again is not None
    assert again.changed_count == 0


def test_where_no_price_was_told_nobody_is_asked(untold: Account) -> None:
    later(untold, 40)
    later(untold, 60)
    before = asked(untold)
    assert later(untold, 90) is None
    assert asked(untold) == before


def test_a_price_that_somebody_sets_over_there_is_not_fought(account: Account) -> None:
    push(account.integration.pk)
    later(account, 15)
    with account.shop.lock:
        next(iter(account.shop.state["listings"].values()))["price"] = "1.00"
    assert later(account, 30) is None
    assert "1.00" in prices(account).values()


def test_a_look_that_failed_is_made_again(untold: Account) -> None:
    untold.shop.faults.then(Fault.ERROR_BEFORE)
    failed = later(untold, 40)
    assert failed is not None
    assert failed.outcome == "failed"
    assert later(untold, 41) is not None
    assert prices(untold)["TEA"] == "7.50"


def test_every_active_account_gets_its_turn(account: Account) -> None:
    jobs.look_for_prices()
    jobs.look_at_prices(account.integration.pk)
    assert not SyncRun.objects.filter(stream="prices").exists()  # nothing was told yet
