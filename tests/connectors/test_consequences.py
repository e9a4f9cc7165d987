"""What each status of a platform means for us, where the platform has no words of its own for it."""

from __future__ import annotations

import httpx2
import pytest

from finalmarket.connectors.errors import (
    ConnectorError,
    NeedsAttention,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    Unintelligible,
)
from tests.connectors.test_contract import replies, wired


def raised_by(status: int, method: str) -> type[ConnectorError]:
    """What a call ends in that is answered so."""
    with pytest.raises(ConnectorError) as caught:
        wired(replies(status, {"message": "its words"})).call(method, "/things")
    assert caught.value.status == status
    return type(caught.value)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [400, 404, 405, 409, 410, 413, 422, 451, 499])
def test_what_is_refused_for_good_is_not_tried_again(status: int, method: str) -> None:
    assert raised_by(status, method) is Rejected


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [408, 425, 429])
def test_what_comes_too_soon_is_tried_again(status: int, method: str) -> None:
    assert raised_by(status, method) is RetryLater


@pytest.mark.parametrize("status", [401, 403])
def test_who_is_not_let_in_needs_a_person(status: int) -> None:
    assert raised_by(status, "POST") is NeedsAttention


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_a_failure_of_the_platform_leaves_it_open_whether_a_write_was_done(status: int) -> None:
    assert raised_by(status, "GET") is RetryLater
    assert raised_by(status, "POST") is OutcomeUnknown


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_is_nothing_that_can_be_understood(status: int) -> None:
    assert raised_by(status, "GET") is Unintelligible


def test_a_secret_in_the_words_of_a_platform_is_taken_out_of_the_error() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(400, json={"code": "bad", "message": request.headers["Authorization"]})

    with pytest.raises(Rejected) as caught:
        wired(answer).call("GET", "/things")
    assert caught.value.reason == "400 bad: Bearer ***"
