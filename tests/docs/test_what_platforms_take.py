"""What the documents say of single platforms is what their connectors can do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from finalmarket.connectors.contract import (
    PullsOrders,
    PushesCancellations,
    PushesFulfilments,
    PushesListings,
    PushesRefunds,
    PushesStock,
    StartsPayments,
    TakesPayments,
)
from finalmarket.connectors.registry import real_connectors
from finalmarket.connectors.talk import SendsMessages

ROOT = Path(__file__).parents[2]
DOORS = (ROOT / "docs" / "doors.md").read_text(encoding="utf-8")


def able(capability: type, kind: str = "") -> set[str]:
    """The names of the platforms, of one kind or of all, that have a capability."""
    return {one.name for one in real_connectors().values() if issubclass(one, capability) and kind in ("", one.kind)}


def section(heading: str) -> str:
    """A section of the page about the doors, on one line."""
    part = DOORS.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    assert part, f"there is no section {heading}"
    return " ".join(part.split())


def test_the_doors_say_what_marketplaces_are_told_back() -> None:
    told = section("3. Marketplace")
    assert able(PushesFulfilments, "marketplace") == able(PullsOrders, "marketplace") == {"Amazon", "eBay", "Etsy"}
    assert able(PushesRefunds, "marketplace") == {"eBay"} and "so are refunds, at eBay." in told
    assert not able(PushesCancellations, "marketplace") and "none of the three takes a cancellation" in told


def test_the_doors_say_what_each_social_platform_can_do() -> None:
    tiktok, facebook, instagram = re.findall(r"- \*\*(.*?)(?= - \*\*| What people)", section("4. Social"))
    assert able(PullsOrders, "social_commerce") == able(PushesStock, "social_commerce") == {"Facebook", "TikTok"}
    assert able(PushesListings, "social_commerce") == {"Facebook"}
    assert able(PushesCancellations, "social_commerce") == {"TikTok"}
    assert "orders, stock, prices, parcels and cancellations" in tiktok and "New listings are made in Seller" in tiktok
    assert "listings, prices and stock go there" in facebook and "Orders come in where" in facebook
    assert "no call for orders, stock or prices" in instagram


@pytest.mark.parametrize("page", ["README.md", "docs/integrations.md", "docs/doors.md"])
def test_payment_pages_and_mails_are_named_by_the_platforms_that_have_them(page: str) -> None:
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    assert able(StartsPayments) == {"PayPal"} and "PayPal" in text
    assert able(SendsMessages) == {"SendGrid"} and "SendGrid" in text
    assert able(TakesPayments) == {"PayPal", "Stripe"}
    assert "account that takes payments" not in text and "an account sends mails" not in text
