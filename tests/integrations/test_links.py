"""Linking our listings to the platform's."""

import pytest

from finalmarket.connectors.records import ListingRef
from finalmarket.integrations.accounts import account_of, connector_class, keep_secrets, open_connector
from finalmarket.integrations.links import link_listing, unlink
from finalmarket.integrations.models import Credential, ListingLink
from finalmarket.kernel.errors import UserError
from tests.integrations.stalls import Account, connect


def test_a_linked_listing_is_due_in_stock_price_and_content(account: Account) -> None:
    for what in ("stock", "price", "content"):
        row = account.due("TEA", what)
        assert row.version > row.settled_version
        assert row.integration_id == account.integration.pk
    account.listings["TEA"].refresh_from_db()
    assert account.listings["TEA"].sync_state == "due"


def test_an_unlinked_listing_is_told_nothing_more(account: Account) -> None:
    unlink(account.listings["TEA"])
    account.receive("TEA", 5)
    assert "TEA" not in account.waits()
    assert not ListingLink.objects.filter(listing=account.listings["TEA"]).exists()
    account.listings["TEA"].refresh_from_db()
    assert account.listings["TEA"].sync_state == "unlinked"


def test_one_listing_is_told_by_one_account(account: Account) -> None:
    other = connect(account.shop, account.integration.base_url, skus=(), label="second")
    with pytest.raises(UserError, match="unlink it there first"):
        link_listing(other.integration, account.listings["TEA"], ListingRef(key="L99"))


def test_one_listing_of_the_platform_is_one_of_ours(account: Account) -> None:
    with pytest.raises(UserError, match="unlink that first"):
        link_listing(account.integration, account.listings["CUP"], ListingRef(key=account.link("TEA").external_key))


def test_linking_to_another_of_their_listings_forgets_what_the_former_one_was_told(account: Account) -> None:
    ListingLink.objects.filter(listing=account.listings["TEA"]).update(told_quantity=7, told_places={"main": 7})
    link_listing(account.integration, account.listings["TEA"], ListingRef(key="L99"))
    link = account.link("TEA")
    assert (link.external_key, link.told_quantity, link.told_places) == ("L99", None, {})


def test_secrets_are_kept_encrypted_and_renewed_ones_replace_them(account: Account) -> None:
    keep_secrets(account.integration, {"token": "renewed", "webhook_secret": "hush"})
    stored = b"".join(bytes(row.encrypted) for row in Credential.objects.all())
    assert b"renewed" not in stored
    assert b"hush" not in stored
    assert dict(account_of(account.integration).secrets) == {"token": "renewed", "webhook_secret": "hush"}


def test_a_connector_opened_for_the_account_is_let_in(account: Account) -> None:
    connector = open_connector(account.integration)
    try:
        assert connector.check() == "Practice shop main"
        assert connector_class(account.integration) is type(connector)
    finally:
        connector.close()
