"""Tokens of an account that several share: what one has renewed, the others take over; a refresh token is used once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from finalmarket.connectors import registry
from finalmarket.connectors.auth import TokenAuth, TokenRequest, kept_token
from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import RetryLater
from finalmarket.connectors.http import Http, scrubber
from finalmarket.kernel import clock
from tests.connectors.test_tokens import ADDRESS, NOON, Platform, together


class Shared:
    """What is kept of an account, for everybody who opens it; and what happens to it, in order."""

    def __init__(self, **secrets: str) -> None:
        self.secrets = {"refresh_token": "refresh-0", **secrets}
        self.seen: list[str] = []
        self.lock = threading.Lock()

    @contextmanager
    def renewing(self) -> Iterator[Mapping[str, str]]:
        with self.lock:
            self.seen.append("in")
            yield dict(self.secrets)
            self.seen.append("out")

    def keep(self, secrets: Mapping[str, str]) -> None:
        self.seen.append("kept")
        self.secrets.update(secrets)

    def open(self, platform: Platform) -> Http:
        """The account as it is kept now."""
        fields = {"grant_type": "refresh_token", "refresh_token": self.secrets["refresh_token"]}
        account = Account(dict(self.secrets), keep=self.keep, renewing=self.renewing)
        return Http(
            base_url="https://platform.example", auth=TokenAuth.of(TokenRequest(ADDRESS, fields), account),
            scrub=scrubber([]), explain=lambda answer: ("", ""), transport=httpx2.MockTransport(platform),
        )  # fmt: skip


def asked_with(platform: Platform) -> list[str]:
    """The refresh tokens that were used."""
    return [asked["refresh_token"] for asked in platform.asked]


def test_what_another_one_has_renewed_is_taken_over_instead_of_asked_for() -> None:
    platform, shared = Platform(), Shared()
    with clock.steered(NOON) as time:
        one, other = shared.open(platform), shared.open(platform)
        for here in (one, other):
            assert here.call("GET", "/a").data == {"ok": True}
        assert (platform.calls, asked_with(platform)) == (["access-1", "access-1"], ["refresh-0"])
        time.advance(timedelta(minutes=59))
        for here in (other, one, other):
            here.call("GET", "/a")
    assert asked_with(platform) == ["refresh-0", "refresh-1"]
    assert platform.calls[2:] == ["access-2"] * 3


def test_the_refresh_token_of_another_ones_renewal_is_used_where_its_access_token_has_ended_too() -> None:
    platform, shared = Platform(), Shared()
    with clock.steered(NOON) as time:
        one, other = shared.open(platform), shared.open(platform)
        one.call("GET", "/a")
        time.advance(timedelta(hours=2))
        assert other.call("GET", "/a").data == {"ok": True}
    assert asked_with(platform) == ["refresh-0", "refresh-1"]


def test_a_token_that_was_refused_is_replaced_by_what_another_one_got_in_its_place() -> None:
    platform, shared = Platform(), Shared(access_token="withdrawn")
    one, other = shared.open(platform), shared.open(platform)
    for here in (one, other):
        assert here.call("POST", "/a", json={}).data == {"ok": True}
    assert asked_with(platform) == ["refresh-0"]
    assert platform.calls == ["withdrawn", "access-1", "withdrawn", "access-1"]


def test_a_refresh_token_that_is_kept_without_an_access_token_takes_the_place_of_the_former_one() -> None:
    platform, shared = Platform(), Shared(access_token="withdrawn")
    platform.refresh = "entered-anew"
    here = shared.open(platform)
    del shared.secrets["access_token"]
    shared.secrets["refresh_token"] = "entered-anew"
    here.call("GET", "/a")
    assert asked_with(platform) == ["entered-anew"]


def test_several_that_need_a_token_at_once_ask_for_one() -> None:
    platform, shared = Platform(), Shared(access_token="ended", access_token_ends_at="2026-06-01T11:00:00+00:00")
    each = iter([shared.open(platform) for _ in range(6)])
    with clock.steered(NOON):
        brought = together(6, lambda: next(each).call("GET", "/a").data)
    assert brought == [{"ok": True}] * 6
    assert asked_with(platform) == ["refresh-0"]


def test_what_was_given_is_kept_before_the_next_one_looks() -> None:
    shared = Shared()
    shared.open(Platform()).call("GET", "/a")
    assert shared.seen == ["in", "kept", "out"]


def test_a_token_that_is_good_asks_nobody_and_waits_for_nobody() -> None:
    platform, shared = Platform(), Shared(access_token="stored", access_token_ends_at="2026-06-01T13:00:00+00:00")
    platform.good = {"stored"}
    with clock.steered(NOON), shared.lock:
        assert shared.open(platform).call("GET", "/a").data == {"ok": True}
    assert shared.seen == []


def test_who_waits_too_long_for_another_one_makes_its_call_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy() -> AbstractContextManager[Mapping[str, str]]:
        raise RetryLater("busy")

    platform, shared = Platform(), Shared()
    monkeypatch.setattr(shared, "renewing", busy)
    with pytest.raises(RetryLater, match="busy"):
        shared.open(platform).call("GET", "/a")
    assert (platform.calls, platform.asked) == ([], [])


def test_what_another_one_has_renewed_is_never_shown_either() -> None:
    shared = Shared(access_token="renewed-elsewhere", access_token_ends_at="2026-06-01")
    connector: Any = registry.find("fake")(Account({"token": "t"}, renewing=shared.renewing))
    with connector.account.renewing() as kept:
        assert kept == shared.secrets
    assert connector.http.scrub("renewed-elsewhere ends at 2026-06-01") == "*** ends at 2026-06-01"
    assert shared.seen == ["in", "out"]


def test_an_account_that_keeps_nothing_holds_no_token() -> None:
    assert kept_token({}) == ("", None)
