"""The parts that every connector is made of: one call, paging, signing, rates, the registry."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from finalmarket.connectors import registry
from finalmarket.connectors.auth import HeaderAuth, basic_header, bearer
from finalmarket.connectors.contract import Account, Connector, PullsOrders, ReceivesWebhooks, capabilities
from finalmarket.connectors.errors import (
    ConnectorError,
    NeedsAttention,
    NotSupported,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    Unintelligible,
    WebhookRefused,
)
from finalmarket.connectors.http import MOST_SECONDS_TO_WAIT, Answer, Http, retry_after, scrubber
from finalmarket.connectors.paging import read_cursor, read_each, read_one, read_text, walk, write_cursor
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import Delivery, Page
from finalmarket.connectors.signing import hmac_base64, hmac_hex, require_recent, require_signature
from finalmarket.kernel import clock, failpoints

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
TOKEN = "a-token-of-many-letters"


def told(answer: Answer) -> tuple[str, str]:
    """Errors as a plain platform writes them."""
    data = answer.data if isinstance(answer.data, dict) else {}
    return str(data.get("code", "")), str(data.get("message", ""))


def wired(answer: Callable[[httpx2.Request], httpx2.Response], **words: Any) -> Http:
    """A way to a platform that answers like this."""
    given: dict[str, Any] = {"base_url": "https://platform.example/v1", "auth": bearer(TOKEN), "explain": told, **words}
    return Http(scrub=scrubber([TOKEN]), transport=httpx2.MockTransport(answer), **given)


def replies(status: int = 200, data: Any = None, **headers: str) -> Callable[[httpx2.Request], httpx2.Response]:
    """Always the same answer."""
    return lambda request: httpx2.Response(status, json=data, headers=headers)


def noting(asked: list[str]) -> Callable[[httpx2.Request], httpx2.Response]:
    """Answer with nothing, and note the path."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        return httpx2.Response(200)

    return answer


class Taken:
    """A budget that remembers what was asked of it."""

    def __init__(self) -> None:
        self.takes: list[tuple[str, Rate, float]] = []
        self.learned: list[tuple[str, float | None]] = []

    def take(self, bucket: str, rate: Rate, cost: float) -> None:
        self.takes.append((bucket, rate, cost))

    def learn(
        self, bucket: str, *, per_second: float | None = None, capacity: float | None = None, left: float | None = None
    ) -> None:
        self.learned.append((bucket, left))


# One call.


def test_a_call_carries_its_credentials_headers_and_parameters() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={"ok": True})

    http = wired(answer, headers={"Version": "7", "Accept": "application/json"})
    http.call("GET", "/orders", params={"limit": 5}, headers={"Accept": "text/csv"})
    http.call("POST", "/orders", json={"sku": "A", "price": "9.99"})
    http.call("POST", "/orders", form={"amount": "999"})
    http.call("PUT", "https://elsewhere.example/upload", content=b"raw", is_authorized=False)
    read, written, form, upload = seen
    assert str(read.url) == "https://platform.example/v1/orders?limit=5"
    assert (read.headers["Authorization"], read.headers["Version"]) == (f"Bearer {TOKEN}", "7")
    assert read.headers["Accept"] == "text/csv"
    assert json.loads(written.content) == {"sku": "A", "price": "9.99"}
    assert form.content == b"amount=999"
    assert form.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert (str(upload.url), upload.content) == ("https://elsewhere.example/upload", b"raw")
    assert "Authorization" not in upload.headers


def test_numbers_come_in_exact_and_go_out_exact_or_not_at_all() -> None:
    text = b'{"price": 19.90, "tiny": 0.1, "big": 12345678901234567890.12, "count": 3}'
    http = wired(lambda request: httpx2.Response(200, content=text, headers={"Content-Type": "application/json"}))
    data = http.call("GET", "/price").data
    assert (data["price"], data["tiny"], data["count"]) == (Decimal("19.90"), Decimal("0.1"), 3)
    assert str(data["big"]) == "12345678901234567890.12"
    with pytest.raises(TypeError, match="Decimal"):
        http.call("POST", "/price", json={"lines": [{"price": Decimal("9.99")}]})


def test_the_budget_is_asked_before_the_call_and_no_call_is_made_when_it_refuses() -> None:
    asked: list[str] = []
    budget = Taken()
    rates = {"": Rate(calls=10), "slow": Rate(calls=1, per_seconds=60)}
    http = wired(noting(asked), budget=budget, rates=rates)
    http.call("GET", "/a")
    http.call("GET", "/b", bucket="slow", cost=3)
    assert budget.takes == [("", rates[""], 1.0), ("slow", rates["slow"], 3)]

    class Empty(Taken):
        def take(self, bucket: str, rate: Rate, cost: float) -> None:
            raise RetryLater("the budget is spent", retry_after=9)

    with pytest.raises(RetryLater) as caught:
        wired(noting(asked), budget=Empty()).call("POST", "/c")
    assert caught.value.retry_after == 9
    assert asked == ["/v1/a", "/v1/b"]


def test_every_answer_is_shown_to_who_heeds_the_limits() -> None:
    heeded: list[tuple[int, str]] = []

    def heed(answer: Answer, bucket: str) -> float | None:
        heeded.append((answer.status, bucket))
        return 42.0 if answer.status == 429 else None

    wired(replies(200), heed=heed).call("GET", "/a", bucket="slow")
    with pytest.raises(RetryLater) as caught:
        wired(replies(429), heed=heed).call("GET", "/a")
    assert caught.value.retry_after == 42.0
    assert heeded == [(200, "slow"), (429, "")]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "locked", RetryLater),
        (200, "throttled", RetryLater),
        (403, "scope", Rejected),
        (400, "else", Rejected),
        (200, "else", Rejected),
        (500, "gone", NeedsAttention),
    ],
)
def test_the_platforms_own_code_decides_where_the_status_would_not_tell(
    status: int, code: str, kind: type[ConnectorError]
) -> None:
    table = {"locked": RetryLater, "throttled": RetryLater, "scope": Rejected, "gone": NeedsAttention}
    http = wired(replies(status, {"code": code, "message": "its words"}), consequences=table)
    with pytest.raises(ConnectorError) as caught:
        http.call("POST", "/a")
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.status) == (code, status)
    assert caught.value.reason == f"{status} {code}: its words"


def test_a_code_that_leaves_the_outcome_open_is_a_retry_where_the_write_may_be_repeated() -> None:
    http = wired(replies(409, {"code": "busy"}), consequences={"busy": OutcomeUnknown})
    with pytest.raises(OutcomeUnknown):
        http.call("POST", "/a")
    with pytest.raises(RetryLater):
        http.call("POST", "/a", repeatable=True)


def test_a_redirect_is_not_followed_with_our_credentials() -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(302, headers={"Location": "https://thief.example/"})

    with pytest.raises(Unintelligible):
        wired(answer).call("GET", "/a")
    assert asked == ["https://platform.example/v1/a"]


def test_an_answer_without_a_body_and_one_that_is_no_json_are_answers() -> None:
    assert wired(lambda request: httpx2.Response(204)).call("DELETE", "/a").data is None
    csv = wired(lambda request: httpx2.Response(200, text="sku;units", headers={"Content-Type": "text/csv"}))
    assert (csv.call("GET", "/report").body, csv.call("GET", "/report").data) == (b"sku;units", None)


def test_a_failpoint_before_the_call_sends_nothing_and_one_after_it_loses_the_answer() -> None:
    asked: list[str] = []
    http = wired(noting(asked))
    with failpoints.armed("http.before_send:raise"), pytest.raises(failpoints.FailpointHit):
        http.call("POST", "/a")
    assert asked == []
    with failpoints.armed("http.after_send:raise"), pytest.raises(failpoints.FailpointHit):
        http.call("POST", "/a")
    assert asked == ["/v1/a"]


class Dripping(httpx2.SyncByteStream):
    """A body that comes piece by piece, so many seconds apart."""

    def __init__(self, body: bytes, seconds: float, time: clock.Steered) -> None:
        self._body, self._seconds, self._time = body, timedelta(seconds=seconds), time

    def __iter__(self) -> Iterator[bytes]:
        for index in range(len(self._body)):
            self._time.advance(self._seconds)
            yield self._body[index : index + 1]


@pytest.mark.parametrize(("repeatable", "consequence"), [(True, RetryLater), (False, OutcomeUnknown)])
def test_an_answer_that_drips_too_long_is_given_up(repeatable: bool, consequence: type[ConnectorError]) -> None:
    with clock.steered(NOON) as time:
        way = wired(lambda request: httpx2.Response(200, stream=Dripping(b'{"a": 1}', 10.0, time)))
        with pytest.raises(consequence, match="longer than 60 seconds"):
            way.call("POST", "/things", repeatable=repeatable)
        assert clock.now() - NOON == timedelta(seconds=70)
        patient = wired(lambda request: httpx2.Response(200, stream=Dripping(b"[1, 2]", 10.0, time)))
        assert patient.call("GET", "/things").data == [1, 2]


def test_a_closed_way_opens_again_at_the_next_call() -> None:
    http = wired(replies(200, {"ok": True}))
    http.call("GET", "/a")
    http.close()
    assert http.call("GET", "/a").data == {"ok": True}


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", None), ("5", 5.0), ("0.5", 0.5), ("-3", 0.0), ("nan", None), ("inf", MOST_SECONDS_TO_WAIT),
        ("99999999", MOST_SECONDS_TO_WAIT), ("Mon, 01 Jun 2026 12:01:00 GMT", 60.0),
        ("Mon, 01 Jun 2026 11:00:00 GMT", 0.0), ("Mon, 01 Jun 2026 14:01:00 +0200", 60.0), ("tomorrow", None),
    ],
)  # fmt: skip
def test_the_time_to_wait(value: str, seconds: float | None) -> None:
    with clock.steered(NOON):
        assert retry_after({"retry-AFTER": value} if value else {}) == seconds


def test_secrets_are_taken_out_of_texts_however_they_are_written() -> None:
    scrub = scrubber(["se/cret+1", "se/cret+1-and-more", "abc", 'with"quote'])
    assert scrub("se/cret+1-and-more, se/cret+1") == "***, ***"
    assert scrub("https://x.example/?key=se%2Fcret%2B1") == "https://x.example/?key=***"
    assert scrub('{"key": "with\\"quote"}') == '{"key": "***"}'
    assert scrub("abc is no secret") == "abc is no secret"
    assert "cret" not in repr(scrub)


def test_a_secret_that_the_platform_renewed_is_taken_out_too() -> None:
    kept: list[Mapping[str, str]] = []
    account = Account({"access_token": TOKEN}, base_url="http://x.example", keep=kept.append)
    connector = registry.find("fake")(Account({"token": TOKEN}, keep=account.keep))
    connector.account.keep({"access_token": "the-renewed-token", "access_token_ends_at": "2026-06-01"})
    assert kept == [{"access_token": "the-renewed-token", "access_token_ends_at": "2026-06-01"}]
    assert connector.http.scrub("the-renewed-token ends at 2026-06-01") == "*** ends at 2026-06-01"


def test_a_long_reason_is_cut() -> None:
    error = Rejected("x" * 10_000, key="k", code="c" * 1000)
    assert (len(error.reason), len(str(error)), len(error.code)) == (500, 500, 100)


# Credentials.


def test_credentials_in_headers() -> None:
    request = httpx2.Request("GET", "https://x.example")
    for auth in (HeaderAuth("X-Key", "k-1"), bearer("t-1")):
        next(auth.auth_flow(request))
    assert (request.headers["x-key"], request.headers["authorization"]) == ("k-1", "Bearer t-1")
    # RFC 7617, section 2.1.
    assert basic_header("test", "123£") == "Basic dGVzdDoxMjPCow=="


def test_an_account_never_shows_its_secrets() -> None:
    assert "hidden-token" not in repr(Account({"access_token": "hidden-token"}))
    assert repr(Account({"b": "hidden-token", "a": "hidden-token"})) == "Account(secrets of a, b)"


def test_a_stand_in_takes_the_place_of_the_host_and_keeps_the_path() -> None:
    real = registry.find("fake")(Account({"token": TOKEN}))
    assert real.address("https://api.x.example/v2/orders?a=1") == "https://api.x.example/v2/orders?a=1"
    stood_in = registry.find("fake")(Account({"token": TOKEN}, base_url="http://127.0.0.1:9/x/main/"))
    assert stood_in.address("https://api.x.example/v2/orders?a=1") == "http://127.0.0.1:9/x/main/v2/orders?a=1"


# Pages.


def page(cursor: str, *records: int, is_last: bool = False) -> Page[int]:
    return Page(records, cursor, is_last)


def test_a_walk_goes_from_cursor_to_cursor_to_the_last_page() -> None:
    book = {"": page("b", 1), "b": page("c", 2), "c": page("d", is_last=True)}
    assert list(walk(book.__getitem__, "")) == list(book.values())
    assert list(walk(book.__getitem__, "c")) == [book["c"]]


@pytest.mark.parametrize("second", ["b", "c", ""])
def test_a_walk_that_would_go_round_in_circles_ends(second: str) -> None:
    book = {"": page("b", 1), "b": page("c", 2), "c": page(second, 3)}
    walked: Iterator[Page[int]] = walk(book.__getitem__, "")
    assert [next(walked).records for _ in range(3)] == [(1,), (2,), (3,)]
    with pytest.raises(Unintelligible, match="second time"):
        next(walked)


def test_the_page_before_the_circle_is_delivered_before_it_is_noticed() -> None:
    fetched: list[str] = []

    def fetch(cursor: str) -> Page[int]:
        fetched.append(cursor)
        return page(cursor, 1)

    with pytest.raises(Unintelligible):
        list(walk(fetch, "x"))
    assert fetched == ["x"]


def test_a_bad_record_is_set_aside_and_the_others_stand() -> None:
    raws: list[Any] = [{"id": "1", "n": "5"}, {"id": "2"}, {"id": "3", "n": "x"}, "nonsense", {"id": "5", "n": "7"}]
    records, unreadable = read_each(raws, lambda raw: int(raw["n"]), lambda raw: raw["id"])
    assert records == (5, 7)
    assert [(bad.external_id, bad.reason.partition(":")[0]) for bad in unreadable] == [
        ("2", "KeyError"), ("3", "ValueError"), ("", "TypeError"),
    ]  # fmt: skip
    assert unreadable[0].raw == {"id": "2"}


def test_an_error_that_is_not_of_reading_is_not_swallowed() -> None:
    def read(raw: Any) -> int:
        raise MemoryError

    with pytest.raises(MemoryError):
        read_each([{}], read, lambda raw: "")


def test_one_record_is_read_or_unintelligible() -> None:
    assert read_one({"n": "5"}, lambda raw: int(raw["n"])) == 5
    with pytest.raises(Unintelligible, match="KeyError"):
        read_one({}, lambda raw: int(raw["n"]))


def test_a_text_is_a_text_or_a_number_and_nothing_that_would_pass_for_one() -> None:
    raw = {"name": "Ada", "number": 5, "price": Decimal("1.50"), "nothing": None}
    assert [read_text(raw, name) for name in (*raw, "unsaid")] == ["Ada", "5", "1.50", "", ""]
    for strange in ({"first": "Ada"}, ["Ada"], [], True):
        with pytest.raises(TypeError, match="'name' is no text"):
            read_text({"name": strange}, "name")


def test_cursors_are_read_back_and_strange_ones_refused() -> None:
    written = write_cursor(since="2026-01-01", page="", token=None, number=0)
    assert read_cursor(written) == {"since": "2026-01-01", "number": 0}
    assert read_cursor("") == {}
    for strange in ("x", "[1]", "17", '"text"', "{"):
        with pytest.raises(Unintelligible, match="not one of ours"):
            read_cursor(strange)


def test_equal_places_make_equal_cursors() -> None:
    assert write_cursor(b=1, a=2) == write_cursor(a=2, b=1)


# Signatures. The values are those of RFC 4231, test case 2.

KEY, MESSAGE = "Jefe", b"what do ya want for nothing?"
HEX = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def test_digests_are_those_of_the_standard() -> None:
    assert hmac_hex(KEY.encode(), MESSAGE).decode() == HEX
    assert hmac_base64(KEY.encode(), MESSAGE) == b"W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
    assert hmac_hex(KEY.encode(), MESSAGE, algorithm="sha512").startswith(b"164b7a7bfcf819e2e395fbe73b56e0a3")


def test_a_signature_under_any_secret_in_force_is_accepted() -> None:
    require_signature([HEX], [KEY], MESSAGE, hmac_hex)
    require_signature(["nonsense", HEX], ["the new one", KEY], MESSAGE, hmac_hex)


@pytest.mark.parametrize(
    ("given", "secrets", "message"),
    [
        ([HEX], ["other"], MESSAGE),
        ([HEX], [KEY], MESSAGE + b" "),
        ([HEX.upper()], [KEY], MESSAGE),
        ([HEX[:-1]], [KEY], MESSAGE),
        ([HEX + "0"], [KEY], MESSAGE),
        (["ü"], [KEY], MESSAGE),
        ([""], [KEY], MESSAGE),
        ([], [KEY], MESSAGE),
        ([HEX], [], MESSAGE),
        ([HEX], [""], MESSAGE),
        ([hmac_hex(b"", MESSAGE).decode()], [""], MESSAGE),
    ],
)
def test_any_other_signature_is_refused(given: list[str], secrets: list[str], message: bytes) -> None:
    with pytest.raises(WebhookRefused):
        require_signature(given, secrets, message, hmac_hex)


def test_a_delivery_is_recent_within_five_minutes_either_way() -> None:
    for minutes in (-5, 0, 5):
        require_recent(NOON, NOON + timedelta(minutes=minutes))
    for seconds in (-301, 301):
        with pytest.raises(WebhookRefused):
            require_recent(NOON, NOON + timedelta(seconds=seconds))


def test_headers_of_a_delivery_are_found_in_any_case() -> None:
    delivery = Delivery("https://hub.example", {"X-SIGN": "s"}, b"", NOON)
    assert (delivery.header("x-sign"), delivery.header("other")) == ("s", "")


# Rates.


def test_a_rate_says_its_pace_and_how_many_calls_may_follow_at_once() -> None:
    assert (Rate(calls=10).per_second, Rate(calls=10).capacity) == (10, 10)
    assert (Rate(calls=1, per_seconds=180).capacity, Rate(calls=0.0056, burst=20).capacity) == (1, 20)
    assert Rate(calls=1, per_seconds=4).per_second == 0.25


# The registry.


@pytest.mark.parametrize(
    ("word", "slug"),
    [
        ("shopify", "shopify"), ("Shopify", "shopify"), ("  SQUARE ", "square"), ("stripe", "stripe"),
        ("amazon", "amazon"), ("Amazon MWS", "amazon"), ("amazon mws", "amazon"),
    ],
)  # fmt: skip
def test_a_connector_is_found_by_slug_name_or_former_name(word: str, slug: str) -> None:
    assert registry.find(word).slug == slug


def test_what_is_not_there_is_said_with_what_is() -> None:
    with pytest.raises(NotSupported, match=r"no connector for 'Myspace'; known are .*Shopify"):
        registry.find("Myspace")


def test_no_two_connectors_answer_to_one_name() -> None:
    names = [
        word.lower()
        for connector in registry.connectors().values()
        for word in {connector.slug.lower(), connector.name.lower(), *map(str.lower, connector.former_names)}
    ]
    assert len(names) == len(set(names))


def test_connectors_stand_in_the_order_of_their_slugs() -> None:
    assert list(registry.connectors()) == sorted(registry.connectors())


def test_the_class_statement_declares_what_a_connector_can_do() -> None:
    class Small(Connector, ReceivesWebhooks, PullsOrders):
        pass

    declared: Any = Small
    assert capabilities(declared) == ("PullsOrders", "ReceivesWebhooks")


def test_threads_share_one_way_to_the_platform() -> None:
    connector = registry.find("fake")(
        Account({"token": TOKEN}), transport=httpx2.MockTransport(replies(200, {"name": "x", "locations": []}))
    )
    names: list[str] = []
    threads = [threading.Thread(target=lambda: names.append(connector.check())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names == ["x"] * 8
