"""Every platform that takes money for us: what it only said to have taken is taken before it goes back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from finalmarket.connectors.contract import PullsPayments, PushesRefunds, TakesPayments
from finalmarket.kernel import clock
from finalmarket.orders import returns
from finalmarket.orders.drafts import TenderDraft
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order
from finalmarket.sandbox import abilities
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.stand_in import StandIn
from tests.integrations.every_kind import ANN, PRICE, SKU, Shop, opened_shop, platforms
from tests.laws.town import Account
from tests.orders.market import draft, line

pytestmark = pytest.mark.committed_database
UNITS = 2
TOTAL = UNITS * PRICE


def bought(shop: Shop, account: Account) -> Order:
    """Somebody bought two cups here, and the platform holds the money."""
    with account.there.lock:
        payment = account.there.hold(TOTAL, "EUR", order_id="web-1", email=ANN)
    cups = draft(
        shop.market.web, "web-1", line(SKU, UNITS, str(PRICE)), email=ANN,
        tenders=(TenderDraft("card", TOTAL, payment, "authorised"),),
    )  # fmt: skip
    return take(replace(cups, placed_at=clock.now()), actor="test").order


def moved(account: Account, what: str) -> Decimal:
    """How much was taken, or given back, there."""
    with account.there.lock:
        return sum((one.amount for one in account.there.moves() if one.what == what), Decimal(0))


@pytest.mark.parametrize("platform", platforms(TakesPayments, PullsPayments, PushesRefunds))
def test_money_that_goes_back_before_its_capture_has_shown_waits_for_it(
    platform: type[StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not issubclass(platform, abilities.TakesMoney):
        pytest.skip(f"{platform.slug} takes money for its own orders alone")
    with opened_shop(monkeypatch) as shop:
        account = shop.connect(platform)
        order = bought(shop, account)
        shop.town.live(2)
        shop.ship(order)
        account.there.faults.then(Fault.NOT_APPLIED)
        shop.town.live(1)
        assert moved(account, "taken") == 0
        was_said = order.payments.get().state == "captured"  # some show in their answer that nothing was taken
        returns.take_return(
            order.pk, [returns.Back(order.lines.get().pk, UNITS)], key="back", reason="too small", actor="olga"
        )
        shop.town.live(2)
        assert moved(account, "given_back") == 0
        for _ in range(3):
            shop.town.bring_letters()  # what lies for an hour is let in no more
            shop.town.pass_time(3600)
            shop.town.live(3)
        assert (moved(account, "taken"), moved(account, "given_back")) == ((TOTAL, TOTAL) if was_said else (0, 0))
        assert shop.town.complaints() == []
