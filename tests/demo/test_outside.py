"""The demo's accounts are connected to the sandbox, whatever their platforms sell or do not sell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from finalmarket.demo.fill import fill
from finalmarket.demo.outside import open_accounts
from finalmarket.integrations.models import ChannelIntegration, ListingLink
from finalmarket.sandbox.house import Sandbox

pytestmark = pytest.mark.committed_database


@pytest.fixture
def sandbox() -> Iterator[str]:
    """The address of a sandbox with all platforms, where nobody shops."""
    opened = Sandbox(seed=7)
    opened.open()
    yield f"http://127.0.0.1:{opened.wire.port}"
    opened.close()


def test_every_account_of_the_demo_is_connected_and_those_that_sell_show_its_listings(sandbox: str) -> None:
    fill(seed=7, scale=0.05, now=datetime.now(UTC))
    accounts = ChannelIntegration.objects.order_by("platform_name")
    assert open_accounts(sandbox) == len(accounts)
    assert {account.platform_name: account.status for account in accounts} == {
        account.platform_name: "active" for account in accounts
    }
    linked = set(ListingLink.objects.values_list("integration__platform_name", flat=True))
    assert linked == {"Amazon", "Shopify", "Square"}
    assert open_accounts(sandbox) == len(accounts)
