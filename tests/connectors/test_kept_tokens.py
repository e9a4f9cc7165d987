"""Tokens that an account keeps from before, what becomes of them, and what is said of answers that hold none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from finalmarket.connectors.auth import (
    TokenAuth,
    TokenRequest,
    basic_header,
    bearer,
    end_of,
    new_state,
    new_verifier,
    place_bearer,
    read_token,
)
from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import ConnectorError, NeedsAttention, RetryLater, Unintelligible
from finalmarket.kernel import clock, failpoints

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ASK = TokenRequest(
    "https://platform.example/token", {"refresh_token": "old"}, fresh_fields=lambda: {"assertion": "now"}
)


def sent(auth: httpx2.Auth) -> list[httpx2.Request]:
    """What goes out for one call, tokens included; the platform gives the token "new" and lets everybody in."""
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={"access_token": "new", "refresh_token": "newer", "expires_in": "60"})

    with clock.steered(NOON), httpx2.Client(transport=httpx2.MockTransport(answer), auth=auth) as client:
        client.get("https://platform.example/orders")
    return seen


@pytest.mark.parametrize(
    ("ends_at", "token"),
    [
        (None, "kept"),
        ("2026-06-01T12:02:01+00:00", "kept"),
        ("2026-06-01T12:02:00+00:00", "new"),  # it would end on the way
        ("2026-06-01T11:00:00+00:00", "new"),
        ("2099-06-01T12:00:00", "new"),  # a moment without a zone has passed
        ("some day", "new"),
    ],
)
def test_a_kept_token_is_used_until_it_ends(ends_at: str | None, token: str) -> None:
    secrets = {"access_token": "kept", **({"access_token_ends_at": ends_at} if ends_at else {})}
    kept: list[Any] = []
    requests = sent(TokenAuth.of(ASK, Account(secrets, keep=kept.append)))
    assert requests[-1].headers["Authorization"] == f"Bearer {token}"
    assert len(kept) == (token == "new")
    if kept:
        assert kept[0] == {
            "access_token": "new", "refresh_token": "newer", "access_token_ends_at": "2026-06-01T12:01:00+00:00",
        }  # fmt: skip


def test_an_account_without_a_token_asks_for_one_with_what_is_good_for_one_request_only() -> None:
    placed: list[str] = []

    def place(request: httpx2.Request, token: str) -> None:
        placed.append(token)

    requests = sent(TokenAuth.of(ASK, Account({}), place))
    assert [request.method for request in requests] == ["POST", "GET"]
    assert (str(requests[0].url), requests[0].content) == (ASK.url, b"refresh_token=old&assertion=now")
    assert placed == ["new"]


def test_asking_for_a_token_can_be_cut_off_before_and_after() -> None:
    for place, asked in (("before", 0), ("after", 1)):
        seen: list[httpx2.Request] = []

        def answer(request: httpx2.Request, seen: list[httpx2.Request] = seen) -> httpx2.Response:
            seen.append(request)
            return httpx2.Response(200, json={"access_token": "new"})

        auth = TokenAuth.of(ASK, Account({}))
        with (
            httpx2.Client(transport=httpx2.MockTransport(answer), auth=auth) as client,
            failpoints.armed(f"auth.{place}_renew:raise"),
            pytest.raises(failpoints.FailpointHit),
        ):
            client.get("https://platform.example/orders")
        assert len(seen) == asked


def test_headers_let_in() -> None:
    request = httpx2.Request("GET", "https://platform.example")
    place_bearer(request, "t")
    assert request.headers["Authorization"] == "Bearer t"
    assert sent(bearer("b"))[0].headers["Authorization"] == "Bearer b"
    assert basic_header("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="  # RFC 7617


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ({"expires_in": 90}, NOON + timedelta(seconds=90)),
        ({"expires_in": "90", "expires_at": "2030-01-01T00:00:00Z"}, NOON + timedelta(seconds=90)),
        ({"expires_at": "2026-06-01T14:00:00+02:00"}, NOON),
        ({"expires_at": "2026-06-01T12:00:00"}, NOON),
        ({"expires_in": 0, "expires_at": "soon"}, None),
        ({}, None),
    ],
)
def test_the_end_of_a_token_is_read_as_platforms_write_it(given: dict[str, Any], moment: datetime | None) -> None:
    with clock.steered(NOON):
        found = end_of(given)
    assert found == moment
    assert found is None or found.tzinfo is not None


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason", "code"),
    [
        (500, {}, RetryLater, "no new access token: the platform answers 500", ""),
        (599, {}, RetryLater, "no new access token: the platform answers 599", ""),
        (408, {}, RetryLater, "no new access token: the platform answers 408", ""),
        (425, {}, RetryLater, "no new access token: the platform answers 425", ""),
        (429, {}, RetryLater, "no new access token: the platform answers 429", ""),
        (400, {"error": "invalid_grant"}, NeedsAttention,
         "the platform gives no access token (400 invalid_grant): connect the account anew", "invalid_grant"),
        (403, {"error": "s3cret"}, NeedsAttention,
         "the platform gives no access token (403): connect the account anew", ""),
        (401, {"error": 5}, NeedsAttention, "the platform gives no access token (401): connect the account anew", ""),
        (499, [], NeedsAttention, "the platform gives no access token (499): connect the account anew", ""),
        (200, [], Unintelligible, "the platform's token answer holds no access token", ""),
        (200, {}, Unintelligible, "the platform's token answer holds no access token", ""),
        (200, {"access_token": 7}, Unintelligible, "the platform's token answer holds no access token", ""),
    ],
)  # fmt: skip
def test_an_answer_without_a_token_says_what_to_do(
    status: int, body: Any, kind: type[ConnectorError], reason: str, code: str
) -> None:
    with pytest.raises(ConnectorError) as caught:
        read_token(httpx2.Response(status, json=body))
    assert (type(caught.value), caught.value.reason) == (kind, reason)
    assert (caught.value.status, caught.value.code) == (status, code)


def test_a_token_that_no_header_can_hold_is_neither_used_nor_kept() -> None:
    kept: list[Any] = []
    with pytest.raises(Unintelligible) as caught:
        TokenAuth.of(ASK, Account({}, keep=kept.append)).accept({"access_token": "t\u00f6k"})
    assert caught.value.reason == "the platform's token answer holds an access token that cannot be sent"
    assert kept == []


def test_an_answer_with_a_token_is_given_on() -> None:
    assert read_token(httpx2.Response(200, json={"access_token": "t", "scope": "all"})) == {
        "access_token": "t", "scope": "all",
    }  # fmt: skip
    with pytest.raises(Unintelligible):
        read_token(httpx2.Response(200, content=b"<html>"))


def test_what_ties_a_round_trip_together_is_long() -> None:
    assert (len(new_state()), len(new_verifier())) == (40, 64)
