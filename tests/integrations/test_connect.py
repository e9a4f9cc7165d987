"""Connecting an account: by name, confirmed by the platform before anything is kept, and never shown again."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.contract import Authorizes
from finalmarket.connectors.errors import NeedsAttention
from finalmarket.connectors.platforms.fake import Fake as Practice
from finalmarket.integrations import authorize, connect, pull
from finalmarket.integrations.accounts import account_of
from finalmarket.integrations.models import ChannelIntegration, Credential, SyncRun
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import Order
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.fake import TOKEN
from tests.integrations.conftest import Shop
from tests.integrations.stalls import Account

pytestmark = pytest.mark.committed_database
WRONG = "a-token-of-somebody-else"


@pytest.fixture
def integration(committed_database: object) -> ChannelIntegration:
    channel = SalesChannel.objects.create(name="Bazaar", channel_type="marketplace")
    return ChannelIntegration.objects.create(
        sales_channel=channel, platform_name="Practice platform", integration_type="marketplace"
    )


def test_an_account_is_connected_when_the_platform_confirms_it(integration: ChannelIntegration, shop: Shop) -> None:
    integration.connect({"token": TOKEN, "base_url": shop.address})
    stored = ChannelIntegration.objects.get()
    assert (stored.status, stored.account_name) == ("active", "Practice shop main")
    assert stored.connected_at is not None
    assert len(stored.webhook_token) >= 43
    assert integration.test_connection() == "Practice platform knows us as Practice shop main."


def test_when_the_platform_says_no_nothing_is_kept(integration: ChannelIntegration, shop: Shop) -> None:
    with pytest.raises(UserError, match="does not let us in") as caught:
        integration.connect({"token": WRONG, "base_url": shop.address})
    assert WRONG not in str(caught.value)
    stored = ChannelIntegration.objects.get()
    assert (stored.status, stored.base_url, stored.account_name) == ("new", "", "")
    assert not Credential.objects.exists()


def test_when_the_platform_says_no_to_new_credentials_the_old_ones_stay(
    integration: ChannelIntegration, shop: Shop
) -> None:
    integration.connect({"token": TOKEN, "base_url": shop.address})
    with pytest.raises(UserError):
        integration.connect({"token": WRONG})
    assert account_of(integration).secrets == {"token": TOKEN}
    assert ChannelIntegration.objects.get().status == "active"


def test_a_platform_that_cannot_be_reached_connects_nobody(integration: ChannelIntegration) -> None:
    with pytest.raises(UserError, match="cannot be reached"):
        integration.connect({"token": TOKEN, "base_url": "http://127.0.0.1:9/fake/main"})
    assert not Credential.objects.exists()


@pytest.mark.parametrize(
    ("credentials", "words"),
    [
        ({}, "missing: token"),
        ({"token": ""}, "missing: token"),
        ({"token": TOKEN, "tokn": WRONG}, "unknown: tokn"),
        ({"token": TOKEN, "base_url": "ftp://example.com"}, "base_url must be an address"),
        ({"token": TOKEN, "base_url": "http://user:pw@example.com"}, "without a log-in"),
    ],
)
def test_a_wrong_name_is_told_and_no_value_is_repeated(
    integration: ChannelIntegration, credentials: Mapping[str, str], words: str
) -> None:
    with pytest.raises(UserError, match=words) as caught:
        integration.connect(credentials)
    assert TOKEN not in str(caught.value)
    assert WRONG not in str(caught.value)


@pytest.mark.parametrize("name", ["fake", "Fake", "PRACTICE PLATFORM", " practice platform "])
def test_a_platform_goes_by_its_slug_and_its_name_in_any_case(
    integration: ChannelIntegration, shop: Shop, name: str
) -> None:
    integration.platform_name = name
    integration.connect({"token": TOKEN, "base_url": shop.address})
    assert ChannelIntegration.objects.get().status == "active"


def test_a_platform_that_nobody_knows_is_refused(integration: ChannelIntegration) -> None:
    integration.platform_name = "Nowhere"
    with pytest.raises(UserError, match="there is no connector for 'Nowhere'"):
        integration.connect({"token": TOKEN})


def test_an_account_of_another_type_is_refused(integration: ChannelIntegration) -> None:
    integration.integration_type = "pos"
    with pytest.raises(UserError, match="is of the type 'marketplace', not 'pos'"):
        integration.connect({"token": TOKEN})


def test_a_sync_pulls_everything_and_keeps_its_runs(account: Account) -> None:
    with account.shop.lock:
        account.shop.order(("TEA", 1))
    runs = account.integration.sync()
    assert {run.stream: run.outcome for run in runs} == {
        "orders": "done", "customers": "done", "payments": "done", "push": "done",
    }  # fmt: skip
    assert Order.objects.count() == 1
    assert account.shop.shown_stock() == {"TEA": 9, "CUP": 10, "POT": 10}
    assert SyncRun.objects.count() == 4


def test_a_sync_is_put_off_once(account: Account) -> None:
    from procrastinate.contrib.django.models import ProcrastinateJob

    account.integration.sync_later()
    account.integration.sync_later()
    assert ProcrastinateJob.objects.filter(task_name="integrations.sync").count() == 1


def test_a_paused_account_is_neither_pulled_nor_told_and_goes_on_where_it_was(account: Account) -> None:
    with account.shop.lock:
        account.shop.order(("TEA", 1))
    with pytest.raises(UserError, match="say why"):
        account.integration.pause(" ")
    account.integration.pause("stock-taking")
    with pytest.raises(UserError, match="it is paused: stock-taking"):
        account.integration.sync()
    assert account.shop.shown_stock()["CUP"] == 0
    account.integration.resume()
    account.integration.sync()
    assert account.shop.shown_stock()["CUP"] == 10
    assert Order.objects.count() == 1


def test_who_is_disconnected_keeps_links_and_forgets_secrets(account: Account) -> None:
    account.integration.webhook_token = "t" * 43
    account.integration.disconnect()
    stored = account.refreshed()
    assert (stored.status, stored.webhook_token, stored.push_from) == ("disconnected", "", None)
    assert not Credential.objects.exists()
    assert account.link("TEA").integration_id == stored.pk
    with pytest.raises(UserError, match="not connected"):
        stored.test_connection()
    with pytest.raises(UserError, match="connect it first"):
        stored.resume()


def test_an_account_whose_token_ended_needs_attention_and_is_connected_anew(account: Account, shop: Shop) -> None:
    account.integration.connect({"token": TOKEN, "base_url": shop.address})
    Credential.objects.filter(name="token").delete()
    from finalmarket.integrations.accounts import keep_secrets

    keep_secrets(account.integration, {"token": WRONG})
    run = pull.pull(account.integration.pk, "orders")
    assert run is not None
    assert run.outcome == "failed"
    assert account.refreshed().status == "needs_attention"
    account.refreshed().connect({"token": TOKEN})
    assert account.refreshed().status == "active"


def test_one_spurious_refusal_pauses_nobody(account: Account) -> None:
    account.shop.faults.then(Fault.TOKEN_EXPIRED)
    pull.pull(account.integration.pk, "orders")
    assert account.refreshed().status == "active"


def test_the_platform_is_asked_to_call_where_the_house_is_known(
    integration: ChannelIntegration, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration.connect({"token": TOKEN, "base_url": shop.address})
    assert ChannelIntegration.objects.get().subscribed_at is None
    assert "asked every minute" in integration.health().reason
    monkeypatch.setenv(connect.PUBLIC_URL, "https://house.example/")
    integration.connect({"token": TOKEN})
    stored = ChannelIntegration.objects.get()
    assert stored.subscribed_at is not None
    (hook,) = shop.stand_in.state["hooks"]
    assert hook["url"] == f"https://house.example/hooks/{stored.webhook_token}/"
    assert account_of(stored).secrets["webhook_secret"] == hook["secret"]


def test_a_house_that_this_machine_alone_reaches_asks_stand_ins_to_call_and_no_platform_outside(
    integration: ChannelIntegration, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(connect.PUBLIC_URL, "http://127.0.0.1:8000")
    integration.connect({"token": TOKEN, "base_url": shop.address})
    (hook,) = shop.stand_in.state["hooks"]
    assert hook["url"].startswith("http://127.0.0.1:8000/hooks/")
    integration.base_url = "https://platform.example"
    for here in ("http://127.0.0.1:8000", "http://[::1]:8000", "http://localhost"):
        monkeypatch.setenv(connect.PUBLIC_URL, here)
        assert connect.PUBLIC_URL in connect.subscribe(integration)
    assert shop.stand_in.state["hooks"] == [hook]


def test_a_platform_that_takes_no_subscription_is_connected_all_the_same(
    integration: ChannelIntegration, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(connect.PUBLIC_URL, "https://house.example")
    monkeypatch.setattr(Practice, "subscribe", _refuse)
    integration.connect({"token": TOKEN, "base_url": shop.address})
    stored = ChannelIntegration.objects.get()
    assert (stored.status, stored.subscribed_at) == ("active", None)


def _refuse(connector: Practice, url: str) -> Mapping[str, str]:
    raise NeedsAttention("this plan has no webhooks")


class Guided(Practice, Authorizes):
    """The practice platform, connected in the browser."""

    slug = "guided"
    name = "Guided practice"
    former_names = ("Formerly guided",)
    asked: list[tuple[str, str, str]] = []

    def authorization_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        self.asked.append((redirect_uri, state, verifier))
        return f"https://platform.example/authorize?state={state}"

    def exchange(self, query: Mapping[str, str], redirect_uri: str, verifier: str) -> Mapping[str, str]:
        if query.get("code") != "good" or (redirect_uri, query["state"], verifier) not in self.asked:
            raise NeedsAttention("the code is not genuine")
        return {"token": TOKEN}


@pytest.fixture
def guided(
    integration: ChannelIntegration, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ChannelIntegration]:
    """An account of a platform that is connected in the browser."""
    found = {"guided": Guided, "fake": Practice}
    monkeypatch.setattr("finalmarket.connectors.registry.connectors", lambda: found)
    integration.platform_name, integration.base_url = "Formerly guided", shop.address
    integration.save()
    yield integration


BACK = "https://house.example/back"


def begin(integration: ChannelIntegration, session: dict[str, Any]) -> str:
    """Send the person away; the state that the platform will bring back."""
    url = authorize.begin_authorization(integration, BACK, session)
    return parse_qs(urlsplit(url).query)["state"][0]


def test_a_round_trip_in_the_browser_connects_the_account_once(guided: ChannelIntegration) -> None:
    session: dict[str, Any] = {}
    state = begin(guided, session)
    back = {"state": state, "code": "good"}
    assert authorize.finish_authorization(back, session).status == "active"
    with pytest.raises(UserError, match="was not begun here"):
        authorize.finish_authorization(back, session)


def test_who_comes_back_in_another_session_or_too_late_is_refused(guided: ChannelIntegration) -> None:
    session: dict[str, Any] = {}
    state = begin(guided, session)
    strangers: list[dict[str, Any]] = [{}, {authorize.PLACE: {}}]
    for stranger in strangers:
        with pytest.raises(UserError, match="was not begun here"):
            authorize.finish_authorization({"state": state, "code": "good"}, stranger)
    with clock.steered(clock.now() + timedelta(minutes=11)), pytest.raises(UserError, match="too long ago"):
        authorize.finish_authorization({"state": state, "code": "good"}, session)
    assert ChannelIntegration.objects.get().status == "new"


def test_a_person_who_says_no_and_a_code_that_is_not_genuine_connect_nothing(guided: ChannelIntegration) -> None:
    session: dict[str, Any] = {}
    with pytest.raises(UserError, match="did not authorize us: access_denied"):
        authorize.finish_authorization({"state": begin(guided, session), "error": "access_denied"}, session)
    with pytest.raises(UserError, match="the code is not genuine"):
        authorize.finish_authorization({"state": begin(guided, session), "code": "bad"}, session)
    assert not Credential.objects.exists()


def test_a_look_into_the_session_gives_neither_state_nor_verifier_away(guided: ChannelIntegration) -> None:
    session: dict[str, Any] = {}
    state = begin(guided, session)
    verifier = Guided.asked[-1][2]
    assert state not in str(session)
    assert verifier not in str(session)


def test_a_platform_that_is_not_connected_in_the_browser_says_so(integration: ChannelIntegration) -> None:
    with pytest.raises(UserError, match="by entering its credentials"):
        authorize.begin_authorization(integration, BACK, {})


def test_no_secret_stands_in_any_log_error_text_or_page(
    account: Account, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    account.integration.connect({"token": TOKEN, "base_url": shop.address, "webhook_secret": "whsec-very-secret"})
    account.shop.faults.then(Fault.ERROR_BEFORE, Fault.TOO_MANY, Fault.MALFORMED)
    for stream in ("orders", "customers", "payments"):
        pull.pull(account.integration.pk, stream)
    told = io.StringIO()
    told.write(caplog.text)
    told.write(repr(account_of(account.integration)) + repr(account.refreshed()))
    told.write("".join(SyncRun.objects.values_list("error", flat=True)))
    User.objects.create_superuser("ann", password="a-long-password")
    client = Client()
    assert client.login(username="ann", password="a-long-password")
    for page in (
        f"channelintegration/{account.integration.pk}/change/",
        "credential/",
        "syncrun/",
        "integrationhealth/",
    ):
        answer = client.get(f"/admin/integrations/{page}", follow=True)
        assert answer.status_code == 200, page
        told.write(answer.content.decode())
    assert Credential.objects.count() == 2
    for secret in (TOKEN, "whsec-very-secret", account.refreshed().webhook_token):
        assert secret not in told.getvalue()


@pytest.mark.parametrize(
    "model",
    [
        "channelintegration", "credential", "integrationhealth", "ratebudget", "externalid", "listinglink",
        "unlinkedlisting", "syncrun", "webhookdelivery", "deadletter", "duenotice", "pushrecord", "driftfinding",
        "webhookendpoint", "outgoingevent", "outgoingdelivery",
    ],
)  # fmt: skip
def test_every_record_has_its_page(account: Account, model: str) -> None:
    User.objects.create_superuser("ann", password="a-long-password")
    client = Client()
    assert client.login(username="ann", password="a-long-password")
    assert client.get(f"/admin/integrations/{model}/").status_code == 200


def test_a_token_that_is_renewed_during_a_disconnect_is_not_kept(account: Account) -> None:
    known = account_of(account.integration)
    account.integration.disconnect()
    known.keep({"access_token": "renewed-too-late"})
    assert not Credential.objects.filter(integration=account.integration).exists()
