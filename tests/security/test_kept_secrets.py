"""Secrets that are kept go where they were entered for, and nowhere else, whoever says another address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from finalmarket.integrations.accounts import account_of, keep_secrets
from finalmarket.integrations.authorize import begin_authorization, finish_authorization
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.kernel.errors import UserError
from finalmarket.sandbox.platforms.fake import TOKEN, Fake
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.integrations.conftest import Shop, shop, world

pytestmark = pytest.mark.committed_database
__all__ = ["shop", "world"]


@pytest.fixture
def integration(committed_database: object) -> ChannelIntegration:
    return ChannelIntegration.objects.create(platform_name="fake", integration_type="marketplace")


@pytest.fixture
def stranger() -> Iterator[Shop]:
    """A platform of somebody else's, who reads whatever is sent there."""
    stand_in = Fake(World(seed=2))
    with served(stand_in) as (address,):
        yield Shop(stand_in, address)


def asked(of: Shop) -> int:
    return len(of.stand_in.world.journal.entries(platform="fake"))


def test_kept_secrets_are_sent_to_no_other_address(integration: ChannelIntegration, shop: Shop, stranger: Shop) -> None:
    integration.connect({"token": TOKEN, "base_url": shop.address})
    for blank in ({}, {"token": " "}):
        with pytest.raises(UserError, match=r"another base_url.*enter the secrets anew \(token\)"):
            integration.connect({"base_url": stranger.address, **blank})
    assert (asked(stranger), ChannelIntegration.objects.get().base_url) == (0, shop.address)
    integration.connect({"base_url": shop.address})
    integration.connect({"token": TOKEN, "base_url": stranger.address})
    assert ChannelIntegration.objects.get().base_url == stranger.address


def test_a_round_trip_that_was_begun_before_the_account_was_connected_leads_its_secrets_nowhere_else(
    committed_database: object,
) -> None:
    account = ChannelIntegration.objects.create(platform_name="salesforce", integration_type="crm")
    session: dict[str, Any] = {}
    entered = {"host": "stranger.example", "client_id": "app", "client_secret": "theirs"}
    there = begin_authorization(account, "https://house.example/back", session, entered)
    keep_secrets(account, {"client_id": "app", "client_secret": "ours"})
    ChannelIntegration.objects.filter(pk=account.pk).update(settings={"host": "ours.my.salesforce.com"})
    state = parse_qs(urlsplit(there).query)["state"][0]
    with pytest.raises(UserError, match="another host"):
        finish_authorization({"state": state, "code": "good"}, session)


def test_a_kept_webhook_secret_goes_to_no_other_address(
    integration: ChannelIntegration, shop: Shop, stranger: Shop
) -> None:
    integration.connect({"token": TOKEN, "base_url": shop.address})
    keep_secrets(integration, {"webhook_secret": "of the former place"})
    integration.connect({"base_url": shop.address})
    assert set(account_of(integration).secrets) == {"token", "webhook_secret"}
    integration.connect({"token": TOKEN, "base_url": stranger.address})
    assert set(account_of(integration).secrets) == {"token"}


@pytest.mark.parametrize("where", [{"host": "stranger.invalid"}, {"token_url": "https://stranger.invalid/token"}])
def test_kept_secrets_are_sent_to_no_other_host_where_a_person_enters_it(
    committed_database: object, where: Mapping[str, str]
) -> None:
    settings = {"host": "erp.invalid", "sales_organization": "1010"}
    erp = ChannelIntegration.objects.create(
        platform_name="sap", integration_type="erp", status="active", settings=settings
    )
    keep_secrets(erp, {"user": "hub", "password": "very-secret"})
    with pytest.raises(UserError, match=r"enter the secrets anew \(password, user\)"):
        erp.connect(where)
    with pytest.raises(UserError, match="cannot be reached"):  # it is the same place, and was asked
        erp.connect({"host": "erp.invalid", "division": "00"})
