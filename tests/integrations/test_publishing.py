"""Listings of ours that a platform does not have yet are made there once, and nothing that stands there again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connections

from finalmarket.catalog.models import Product
from finalmarket.channels.models import ChannelProduct, SalesChannel
from finalmarket.integrations import adopt, before_pushing
from finalmarket.integrations.models import ChannelIntegration, UnlinkedListing
from finalmarket.integrations.publishing import MOST_AT_ONCE, can_publish, first_to_publish, publish, unpublished
from finalmarket.integrations.push import push
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from tests.integrations.stalls import Account


def there(account: Account) -> list[str]:
    """The SKUs that stand on the platform."""
    return sorted(one["sku"] for one in account.shop.state["listings"].values())


def everything(account: Account) -> list[int]:
    return list(unpublished(account.integration).values_list("pk", flat=True))


def test_what_is_published_is_made_there_with_its_words_its_price_and_its_stock(account: Account) -> None:
    adopt.look_through(account.integration)
    account.offer("JAR", 4, linked=False)
    account.offer("LID", 2, linked=False)
    done = publish(account.integration, [account.listings["JAR"].pk], actor="olga")
    assert (done.count, done.refused) == (1, {})
    push(account.integration.pk)
    made = account.shop.state["listings"][account.link("JAR").external_key]
    assert (made["title"], made["price"], made["stock"]) == ("The JAR", "5.00", {"main": 4})
    assert there(account) == ["CUP", "JAR", "POT", "TEA"]
    assert account.link("JAR").linked_by == "olga"
    assert everything(account) == [account.listings["LID"].pk]


def test_published_twice_it_is_made_once(account: Account) -> None:
    adopt.look_through(account.integration)
    listing = account.offer("JAR", 4, linked=False)
    assert publish(account.integration, [listing.pk, listing.pk], actor="olga").count == 1
    assert publish(account.integration, [listing.pk], actor="olga").count == 0
    push(account.integration.pk)
    push(account.integration.pk)
    assert there(account).count("JAR") == 1


def test_before_anybody_looked_what_stands_there_nothing_is_made(account: Account) -> None:
    listing = account.offer("JAR", linked=False)
    with pytest.raises(UserError, match=r"look through .* first"):
        publish(account.integration, [listing.pk], actor="olga")


def test_what_cannot_be_made_keeps_nothing_that_can_be_from_its_turn(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{first_to_publish.__module__}.MOST_AT_ONCE", 3)
    with account.shop.lock:
        account.shop.add_listing("MUG", "A mug of somebody's", Decimal("9.00"), 1)
    adopt.look_through(account.integration)
    older, newer, no_price, found = (account.offer(sku, linked=False) for sku in ("JAR", "LID", "RIM", "MUG"))
    no_price.variant.prices.all().delete()
    no_price.prices.all().delete()
    assert first_to_publish(account.integration, unpublished(account.integration)) == [
        newer.pk, older.pk, found.pk
    ]  # fmt: skip


@pytest.mark.parametrize("state", ["open", "ignored"])
def test_a_sku_that_stands_there_unlinked_is_not_made_a_second_time(account: Account, state: str) -> None:
    with account.shop.lock:
        account.shop.add_listing("JAR", "A jar of somebody's", Decimal("9.00"), 1)
    adopt.look_through(account.integration)
    UnlinkedListing.objects.update(state=state)
    listing = account.offer("JAR", linked=False)
    done = publish(account.integration, [listing.pk], actor="olga")
    assert done.count == 0
    assert done.refused == {"JAR": "A jar of somebody's stands there under this SKU; link it instead"}
    push(account.integration.pk)
    assert there(account).count("JAR") == 1


def test_one_that_cannot_be_published_keeps_no_other_from_it(account: Account) -> None:
    adopt.look_through(account.integration)
    listings = [account.offer(sku, linked=False) for sku in ("JAR", "LID")]
    account.variants["JAR"].prices.all().delete()
    done = publish(account.integration, [one.pk for one in listings], actor="olga")
    assert (done.count, done.refused) == (1, {"JAR": "it has no price in EUR"})


def test_what_is_off_or_of_another_channel_is_not_published(account: Account) -> None:
    adopt.look_through(account.integration)
    off, elsewhere = account.offer("JAR", linked=False), account.offer("LID", linked=False)
    type(off).objects.filter(pk=off.pk).update(is_available=False)
    type(off).objects.filter(pk=elsewhere.pk).update(
        sales_channel=SalesChannel.objects.create(name="Else", channel_type="web")
    )
    assert publish(account.integration, [off.pk, elsewhere.pk], actor="olga").count == 0
    assert everything(account) == []


def a_draft(listing: ChannelProduct) -> None:
    Product.objects.update(status="draft")


def archived(listing: ChannelProduct) -> None:
    Product.objects.update(status="archived")


def switched_off(listing: ChannelProduct) -> None:
    listing.variant.is_active = False
    listing.variant.save()


def over(listing: ChannelProduct) -> None:
    ChannelProduct.objects.filter(pk=listing.pk).update(publish_until=clock.now() - timedelta(hours=1))


@pytest.mark.parametrize("is_so", [a_draft, archived, switched_off, over])
def test_what_is_for_sale_nowhere_is_not_made_there(account: Account, is_so: Callable[[ChannelProduct], None]) -> None:
    adopt.look_through(account.integration)
    listing = account.offer("JAR", linked=False)
    assert everything(account) == [listing.pk]
    is_so(listing)
    assert everything(account) == []
    assert publish(account.integration, [listing.pk], actor="olga").count == 0


def test_two_who_publish_at_once_make_it_once_and_neither_fails(account: Account) -> None:
    adopt.look_through(account.integration)
    listings = [account.offer(f"JAR-{number}", linked=False).pk for number in range(20)]
    both = Barrier(2)

    def act(actor: str) -> int:
        both.wait(30)
        try:
            return publish(account.integration, listings, actor=actor).count
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(act, ("olga", "nils"))) == 20
    assert everything(account) == []


def test_an_account_that_is_paused_or_of_a_platform_that_takes_no_listings_is_refused(account: Account) -> None:
    mixpanel = ChannelIntegration(platform_name="mixpanel", sales_channel=account.channel, status="active")
    assert (can_publish(account.integration), can_publish(mixpanel)) == (True, False)
    with pytest.raises(UserError, match="takes no new listings"):
        publish(mixpanel, [1], actor="olga")
    account.integration.status = "paused"
    with pytest.raises(UserError, match="cannot be synced"):
        publish(account.integration, [1], actor="olga")


def test_more_than_a_handful_at_once_are_refused_before_anything_is_done(account: Account) -> None:
    with pytest.raises(UserError, match=f"at most {MOST_AT_ONCE}"):
        publish(account.integration, range(MOST_AT_ONCE + 1), actor="olga")


def test_the_dry_run_names_what_would_be_made(account: Account) -> None:
    push(account.integration.pk)
    adopt.look_through(account.integration)
    listing = account.offer("JAR", linked=False)
    publish(account.integration, [listing.pk], actor="olga")
    changes = before_pushing.dry_run(account.integration)
    assert [(one.sku, one.what, one.to_be) for one in changes] == [("JAR", "listing", "made new")]
