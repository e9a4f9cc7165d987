"""Access tokens that end: renewed before they do and once when refused, kept, and never asked for twice at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import pytest

from finalmarket.connectors.auth import TokenAuth, TokenRequest, challenge, new_state, new_verifier
from finalmarket.connectors.errors import ConnectorError, NeedsAttention, OutcomeUnknown, RetryLater, Unintelligible
from finalmarket.connectors.http import Answer, Http, scrubber
from finalmarket.kernel import clock

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ADDRESS = "https://platform.example/token"


class Platform:
    """Gives tokens that end after an hour; a refresh token may be used once, and brings the next one."""

    def __init__(self, *, rotates: bool = True) -> None:
        self.rotates = rotates
        self.given = 0
        self.good: set[str] = set()
        self.refresh = "refresh-0"
        self.asked: list[Mapping[str, str]] = []
        self.calls: list[str] = []
        self.lock = threading.Lock()
        self.before_token: Callable[[], None] = lambda: None
        self.token_answer: httpx2.Response | None = None

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if str(request.url) == ADDRESS:
            self.before_token()
            return self.token_answer or self._token(dict(parse_qsl(request.content.decode())))
        token = request.headers["Authorization"].removeprefix("Bearer ")
        with self.lock:
            self.calls.append(token)
            return httpx2.Response(200 if token in self.good else 401, json={"ok": token in self.good})

    def _token(self, asked: Mapping[str, str]) -> httpx2.Response:
        with self.lock:
            self.asked.append(asked)
            if asked["refresh_token"] != self.refresh:
                return httpx2.Response(400, json={"error": "invalid_grant"})
            self.given += 1
            token = f"access-{self.given}"
            self.good = {token}
            answer: dict[str, Any] = {"access_token": token, "expires_in": 3600}
            if self.rotates:
                self.refresh = answer["refresh_token"] = f"refresh-{self.given}"
            return httpx2.Response(200, json=answer)


class Kept(list[Mapping[str, str]]):
    """What was stored."""


def place(request: httpx2.Request, token: str) -> None:
    request.headers["Authorization"] = f"Bearer {token}"


def wired(platform: Platform, kept: Kept | None = None, **words: Any) -> Http:
    fields = {"grant_type": "refresh_token", "refresh_token": "refresh-0", "client_secret": "client-secret-1"}
    keep = (kept if kept is not None else Kept()).append
    auth = TokenAuth(TokenRequest(ADDRESS, fields), place, keep=keep, **words)

    def explain(answer: Answer) -> tuple[str, str]:
        return "", ""

    return Http(
        base_url="https://platform.example", auth=auth, scrub=scrubber(["client-secret-1"]), explain=explain,
        transport=httpx2.MockTransport(platform),
    )  # fmt: skip


def test_a_token_is_asked_for_when_there_is_none_and_used_until_it_ends() -> None:
    platform, kept = Platform(), Kept()
    with clock.steered(NOON) as time:
        http = wired(platform, kept)
        http.call("GET", "/a")
        time.advance(timedelta(minutes=57))
        http.call("GET", "/a")
        assert platform.calls == ["access-1", "access-1"]
        time.advance(timedelta(minutes=2))  # it would end on the way
        http.call("GET", "/a")
    assert platform.calls == ["access-1", "access-1", "access-2"]
    assert kept[0] == {
        "access_token": "access-1", "refresh_token": "refresh-1", "access_token_ends_at": "2026-06-01T13:00:00+00:00",
    }  # fmt: skip


def test_a_stored_token_is_used_as_long_as_it_is_good() -> None:
    platform = Platform()
    platform.good = {"stored"}
    with clock.steered(NOON):
        wired(platform, token="stored", ends_at=NOON + timedelta(hours=1)).call("GET", "/a")
        wired(platform, token="stored").call("GET", "/a")
        assert (platform.calls, platform.asked) == (["stored", "stored"], [])
        wired(platform, token="stored", ends_at=NOON).call("GET", "/a")
    assert platform.calls[-1] == "access-1"


def test_each_new_refresh_token_takes_the_place_of_the_one_before() -> None:
    platform, kept = Platform(), Kept()
    with clock.steered(NOON) as time:
        http = wired(platform, kept)
        for _ in range(3):
            http.call("GET", "/a")
            time.advance(timedelta(hours=2))
    assert [asked["refresh_token"] for asked in platform.asked] == ["refresh-0", "refresh-1", "refresh-2"]
    assert [each["refresh_token"] for each in kept] == ["refresh-1", "refresh-2", "refresh-3"]


def test_a_refresh_token_that_stays_is_used_again() -> None:
    platform, kept = Platform(rotates=False), Kept()
    with clock.steered(NOON) as time:
        http = wired(platform, kept)
        http.call("GET", "/a")
        time.advance(timedelta(hours=2))
        http.call("GET", "/a")
    assert [asked["refresh_token"] for asked in platform.asked] == ["refresh-0", "refresh-0"]
    assert "refresh_token" not in kept[0]


def test_a_refused_token_is_renewed_once_and_the_call_made_again() -> None:
    platform = Platform()
    http = wired(platform, token="withdrawn")
    assert http.call("POST", "/a", json={}).data == {"ok": True}
    assert platform.calls == ["withdrawn", "access-1"]


def test_a_token_that_was_refused_by_mistake_is_used_again_where_no_other_is_given() -> None:
    platform = Platform()
    http = wired(platform, token="stored")
    platform.token_answer = httpx2.Response(503)
    with pytest.raises(RetryLater):
        http.call("GET", "/a")
    platform.good = {"stored"}
    assert http.call("GET", "/a").data == {"ok": True}
    assert platform.calls == ["stored", "stored"]


def test_a_token_that_is_refused_though_it_is_new_needs_attention() -> None:
    platform = Platform()
    http = wired(platform)
    platform.token_answer = httpx2.Response(200, json={"access_token": "never good", "expires_in": 3600})
    with pytest.raises(NeedsAttention):
        http.call("GET", "/a")
    assert platform.calls == ["never good"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx2.Response(400, json={"error": "invalid_grant"}), NeedsAttention),
        (httpx2.Response(401, json={"error": "client-secret-1"}), NeedsAttention),
        (httpx2.Response(429, json={}), RetryLater),
        (httpx2.Response(503, text="<html>"), RetryLater),
        (httpx2.Response(200, json={"token": "?"}), Unintelligible),
        (httpx2.Response(200, json=["?"]), Unintelligible),
        (httpx2.Response(200, text="<html>"), Unintelligible),
        (httpx2.Response(200, json={"access_token": None}), Unintelligible),
        (httpx2.Response(200, json={"access_token": "tök"}), Unintelligible),
        (httpx2.Response(200, json={"access_token": "t", "expires_in": "soon"}), Unintelligible),
        (httpx2.Response(200, json={"access_token": "t", "expires_in": 10**30}), Unintelligible),
    ],
)
def test_a_token_that_is_not_given_is_told_by_what_to_do(answer: httpx2.Response, kind: type[Exception]) -> None:
    platform, kept = Platform(), Kept()
    platform.token_answer = answer
    with pytest.raises(kind) as caught:
        wired(platform, kept).call("POST", "/a")
    assert "client-secret-1" not in f"{caught.value!r} {vars(caught.value)}"
    assert (platform.calls, kept) == ([], [])


def test_a_token_that_was_lost_on_the_way_leaves_no_doubt_about_the_write() -> None:
    platform = Platform()

    def lose() -> None:
        raise httpx2.ReadTimeout("no answer")

    platform.before_token = lose
    with pytest.raises(RetryLater):
        wired(platform).call("POST", "/a", json={})
    assert platform.calls == []


def test_a_write_that_is_lost_after_its_token_came_is_of_unknown_outcome() -> None:
    platform = Platform()

    def answer(request: httpx2.Request) -> httpx2.Response:
        if str(request.url) == ADDRESS:
            return platform(request)
        raise httpx2.ReadTimeout("no answer")

    http = wired(platform)
    http.transport = httpx2.MockTransport(answer)
    with pytest.raises(OutcomeUnknown):
        http.call("POST", "/a", json={})


class Endless(httpx2.SyncByteStream):
    """A body without an end, as far as anybody reads it."""

    def __init__(self) -> None:
        self.read = 0

    def __iter__(self) -> Iterator[bytes]:
        while self.read < 1_000:
            self.read += 1
            yield b" " * 1024


@pytest.mark.parametrize(
    ("token", "status", "kind", "reason"),
    [
        ("", 200, Unintelligible, "no new access token: the answer is longer than 4096 bytes"),
        ("stored", 200, OutcomeUnknown, "the answer is longer than 4096 bytes"),
        ("withdrawn", 401, OutcomeUnknown, "the answer is longer than 4096 bytes"),
    ],
)
def test_an_answer_without_an_end_is_not_read_to_its_end_wherever_it_stands(
    token: str, status: int, kind: type[ConnectorError], reason: str
) -> None:
    endless = Endless()
    http = wired(Platform(), token=token)
    http.transport = httpx2.MockTransport(lambda request: httpx2.Response(status, stream=endless))
    http.most_bytes = 4096
    with pytest.raises(kind) as caught:
        http.call("POST", "/a", json={})
    assert (caught.value.reason, endless.read) == (reason, 5)


def test_each_answer_has_a_time_of_its_own_and_none_has_more() -> None:
    platform, seconds = Platform(), [50, 50]
    with clock.steered(NOON) as time:

        def slow(request: httpx2.Request) -> httpx2.Response:
            time.advance(timedelta(seconds=seconds.pop(0)))
            return platform(request)

        http = wired(platform)
        http.transport = httpx2.MockTransport(slow)
        assert http.call("POST", "/a", json={}).data == {"ok": True}
        seconds[:] = [61]
        time.advance(timedelta(hours=2))
        with pytest.raises(RetryLater, match="no new access token: the answer takes longer than 60 seconds"):
            http.call("POST", "/a", json={})


def together(count: int, call: Callable[[], Any]) -> list[Any]:
    """What so many threads bring, that begin at once."""
    gate, brought = threading.Barrier(count), []

    def run() -> None:
        gate.wait(10)
        try:
            brought.append(call())
        except Exception as error:
            brought.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return brought


def test_threads_that_need_a_token_at_once_ask_for_one() -> None:
    platform, kept = Platform(), Kept()
    http = wired(platform, kept)
    brought = together(8, lambda: http.call("GET", "/a").data)
    assert brought == [{"ok": True}] * 8
    assert len(platform.asked) == len(kept) == 1


def test_threads_whose_token_is_refused_at_once_ask_for_one() -> None:
    platform = Platform()
    http = wired(platform, token="withdrawn")
    seen = threading.Barrier(4)

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.headers.get("Authorization") == "Bearer withdrawn":
            seen.wait(10)  # all of them are refused before one can renew
        return platform(request)

    http.transport = httpx2.MockTransport(answer)
    brought = together(4, lambda: http.call("GET", "/a").data)
    assert brought == [{"ok": True}] * 4
    assert [asked["refresh_token"] for asked in platform.asked] == ["refresh-0"]


def test_when_asking_fails_the_next_thread_may_ask() -> None:
    platform = Platform()
    platform.token_answer = httpx2.Response(503)
    http = wired(platform)
    with pytest.raises(RetryLater):
        http.call("GET", "/a")
    platform.token_answer = None
    assert http.call("GET", "/a").data == {"ok": True}


def test_the_end_of_a_token_may_be_told_as_a_moment() -> None:
    platform, kept = Platform(), Kept()
    platform.good = {"dated"}
    platform.token_answer = httpx2.Response(200, json={"access_token": "dated", "expires_at": "2026-06-01T13:00:00Z"})
    with clock.steered(NOON):
        wired(platform, kept).call("GET", "/a")
    assert kept[0]["access_token_ends_at"] == "2026-06-01T13:00:00+00:00"


def test_tokens_are_asked_for_as_json_where_the_platform_wants_it() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={"access_token": "t"})

    auth = TokenAuth(TokenRequest(ADDRESS, {"a": "b"}, {"Version": "7"}, as_json=True), place)
    with httpx2.Client(transport=httpx2.MockTransport(answer), auth=auth) as client:
        client.get("https://platform.example/a")
    assert (seen[0].content, seen[0].headers["Version"]) == (b'{"a":"b"}', "7")
    assert seen[1].headers["Authorization"] == "Bearer t"


def test_a_challenge_is_that_of_the_standard_and_states_differ() -> None:
    # RFC 7636, appendix B.
    assert challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert len({new_state() for _ in range(100)}) == 100
    assert 43 <= len(new_verifier()) <= 128
