"""What a platform was told is remembered of the link that was told it, and of none that took its place meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.channels.models import DueChange
from finalmarket.connectors.platforms.fake import Fake as FakeConnector
from finalmarket.connectors.records import ListingRef
from finalmarket.integrations import adopt
from finalmarket.integrations.links import link_listing, unlink
from finalmarket.integrations.publishing import publish
from finalmarket.integrations.push import push
from finalmarket.kernel import clock
from finalmarket.sandbox.platforms.fake import Fake
from finalmarket.sandbox.wire import served
from tests.integrations.stalls import Account, connect

pytestmark = pytest.mark.committed_database
CALLS = {"content": "push_listings", "price": "push_prices", "stock": "push_stock"}


@pytest.fixture
def other(account: Account) -> Iterator[Account]:
    """A second account on the platform."""
    second = Fake(account.shop.world, account="second")
    with served(second) as (address,):
        yield connect(second, address, skus=("JUG",), label="second")


def meanwhile(monkeypatch: pytest.MonkeyPatch, what: str, happens: Callable[[], object]) -> None:
    """While the platform is told something the first time, something happens here."""
    told = getattr(FakeConnector, CALLS[what])

    def tell(self: FakeConnector, said: Any) -> object:
        answer = told(self, said)
        monkeypatch.setattr(FakeConnector, CALLS[what], told)
        happens()
        return answer

    monkeypatch.setattr(FakeConnector, CALLS[what], tell)


def only(account: Account, what: str) -> None:
    """Nothing else is due."""
    DueChange.objects.exclude(listing=account.listings["POT"], what=what).update(integration_id=None)


def another(account: Account, sku: str = "POT-2") -> ListingRef:
    """Another listing that stands on the platform."""
    with account.shop.lock:
        key = account.shop.add_listing(sku, f"The {sku}", Decimal("5.00"), 0)
    return ListingRef(key=key, sku=sku, ids={"key": key})


@pytest.mark.parametrize("what", CALLS)
def test_a_listing_that_is_linked_anew_while_it_is_told_stays_linked_as_it_was_and_is_told_again(
    account: Account, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    only(account, what)
    ref = another(account)
    listing = account.listings["POT"]

    def relink() -> None:
        link_listing(account.integration, listing, ref)
        DueChange.objects.filter(listing=listing).update(claimed_until=clock.now() + timedelta(hours=1))

    meanwhile(monkeypatch, what, relink)
    push(account.integration.pk)
    link = account.link("POT")
    assert (link.ids, link.external_key, link.told_quantity, link.told_price) == ({"key": ref.key}, ref.key, None, None)
    with clock.steered(clock.now() + timedelta(hours=2)):
        push(account.integration.pk)
    assert account.shop.state["listings"][ref.key]["stock"] == {"main": 10}
    assert account.link("POT").external_key == ref.key


@pytest.mark.parametrize("what", CALLS)
def test_what_one_account_was_told_is_not_written_on_the_link_of_another(
    account: Account, other: Account, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    only(account, what)
    listing, ref = account.listings["POT"], another(other)

    def move() -> None:
        unlink(listing)
        link_listing(other.integration, listing, ref)

    meanwhile(monkeypatch, what, move)
    push(account.integration.pk)
    link = account.link("POT")
    assert (link.integration, link.external_key, link.ids) == (other.integration, ref.key, {"key": ref.key})
    assert (link.told_quantity, link.told_price, link.told_at) == (None, None, None)


def test_what_is_called_alike_there_is_not_mixed_up_with_what_another_account_calls_so(
    account: Account, other: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(account, "stock")
    listing, key = account.listings["POT"], account.link("POT").external_key

    def move() -> None:
        unlink(listing)
        link_listing(other.integration, listing, ListingRef(key=key, sku="POT", ids={"key": key}))

    meanwhile(monkeypatch, "stock", move)
    push(account.integration.pk)
    assert account.link("POT").told_quantity is None


def test_a_listing_that_is_linked_by_hand_while_it_is_made_there_stays_linked_by_hand(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopt.look_through(account.integration)
    listing = account.offer("JAR", 4, linked=False)
    publish(account.integration, [listing.pk], actor="olga")
    ref = another(account, "JAR-OLD")
    meanwhile(monkeypatch, "content", lambda: link_listing(account.integration, listing, ref, linked_by="ann"))
    push(account.integration.pk)
    link = account.link("JAR")
    assert (link.external_key, link.linked_by) == (ref.key, "ann")
