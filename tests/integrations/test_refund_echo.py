"""Refunds that we asked for are known again, though the platform tells of the seller's part of them alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest

from finalmarket.connectors.records import RefundRecord
from finalmarket.integrations import notices
from finalmarket.integrations.models import DueNotice
from finalmarket.integrations.refund_echo import echoes
from finalmarket.orders.intake import take
from finalmarket.orders.refunds import refund
from tests.integrations.stalls import Account
from tests.orders.market import draft, line

pytestmark = pytest.mark.committed_database


@dataclass(frozen=True)
class Shown:
    """An order as the platform shows it."""

    external_id: str
    refunds: tuple[RefundRecord, ...]


@pytest.mark.parametrize(
    ("shown", "most", "is_ours"),
    [
        ("3.33", None, True),
        ("3.07", None, False),
        ("3.07", "3.89", True),
        ("3.40", "4.22", False),
        ("2.00", "2.8", False),
    ],
)
def test_a_refund_whose_answer_was_lost_is_known_again_by_what_is_shown_of_it(
    account: Account, shown: str, most: str | None, is_ours: bool
) -> None:
    order = take(
        draft(account.channel, "e-1", line("TEA", 4, "5.00"), source=f"integration:{account.integration.pk}")
    ).order
    refund(order.pk, Decimal("3.33"), key="k", reason="late", actor="ann")
    notices.find(timedelta(days=1))
    assert DueNotice.objects.filter(kind="refund", external_id="").exists()
    told = RefundRecord(external_id="r-1", amount=Decimal(shown), most=Decimal(most) if most else None)
    found = echoes(account.integration, {"e-1": order.pk}, [Shown("e-1", (told,))])
    assert found == ({"e-1": {"r-1"}} if is_ours else {})
