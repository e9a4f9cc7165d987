"""What a platform answers, and what the caller must do about it: on a wire that answers as told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import httpx2
import pytest

from finalmarket.connectors.books import PushesOrders
from finalmarket.connectors.contract import PullsCustomers, PullsListings, PullsOrders, PullsPayments, PullsStock
from finalmarket.connectors.errors import (
    ConnectorError,
    NeedsAttention,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    Unintelligible,
)
from finalmarket.connectors.http import Answer
from finalmarket.connectors.records import ListingRef
from finalmarket.connectors.shipping import Ships
from finalmarket.connectors.talk import (
    OpensTickets,
    PullsConversations,
    PullsFigures,
    PullsInteractions,
    SendsMessages,
)
from finalmarket.kernel import clock
from tests.connectors.cases import Case
from tests.connectors.conformance.stage import START, always, check, failing, on_a_double

READ: dict[int, type[ConnectorError]] = {
    401: NeedsAttention, 403: NeedsAttention, 408: RetryLater, 429: RetryLater, 400: Rejected, 404: Rejected,
    409: Rejected, 422: Rejected, 500: RetryLater, 502: RetryLater, 503: RetryLater, 504: RetryLater,
    301: Unintelligible, 302: Unintelligible, 307: Unintelligible,
}  # fmt: skip
WRITE = {**READ, 500: OutcomeUnknown, 502: OutcomeUnknown, 503: OutcomeUnknown, 504: OutcomeUnknown}


def _expected(case: Case, connector: Any, status: int, usual: type[ConnectorError]) -> type[ConnectorError]:
    """What a status stands for, unless the platform's own table says more of it."""
    code, _ = connector.error_code(Answer(status, {}, b"{}", {}))
    return case.connector.consequences.get(code, usual)


def _raised(call: Callable[[], Any]) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        call()
    return caught.value


def _read(connector: Any) -> ConnectorError:
    return _raised(lambda: connector.http.call("GET", "/anything"))


def _write(connector: Any, *, repeatable: bool | None = None) -> ConnectorError:
    return _raised(lambda: connector.http.call("POST", "/anything", json={}, repeatable=repeatable))


@check()
def each_status_of_a_read_has_its_consequence(case: Case) -> None:
    for status, usual in READ.items():
        connector = on_a_double(case, always(status))
        error = _read(connector)
        assert type(error) is _expected(case, connector, status, usual), f"{status} gives {type(error).__name__}"
        assert error.status == status


@check()
def each_status_of_a_write_has_its_consequence(case: Case) -> None:
    for status, usual in WRITE.items():
        connector = on_a_double(case, always(status))
        error = _write(connector)
        assert type(error) is _expected(case, connector, status, usual), f"{status} gives {type(error).__name__}"


@check()
def a_write_under_a_key_may_be_repeated_after_a_failure_of_the_platform(case: Case) -> None:
    for status in (500, 502, 503):
        connector = on_a_double(case, always(status))
        error = _write(connector, repeatable=True)
        assert type(error) is _expected(case, connector, status, RetryLater)


@check()
def the_check_itself_tells_trouble_from_wrong_credentials(case: Case) -> None:
    for status, kind in ((401, NeedsAttention), (429, RetryLater), (500, RetryLater), (503, RetryLater)):
        connector = on_a_double(case, always(status))
        error = _raised(connector.check)
        assert type(error) is _expected(case, connector, status, kind), f"{status} gives {type(error).__name__}"
    assert type(_raised(on_a_double(case, failing(httpx2.ReadTimeout)).check)) is RetryLater


@check()
def the_time_to_wait_is_read_as_seconds_and_as_a_date(case: Case) -> None:
    with clock.steered(START):
        for said, seconds in (("7", 7.0), ("Mon, 01 Jun 2026 12:00:30 GMT", 30.0), ("soon", None), ("-5", 0.0)):
            connector = on_a_double(case, always(429, headers={"Retry-After": said}))
            error = _read(connector)
            assert isinstance(error, RetryLater)
            assert error.retry_after == seconds, said


@check()
def a_broken_wire_leaves_the_outcome_of_a_write_unknown(case: Case) -> None:
    for broken in (httpx2.ReadTimeout, httpx2.ReadError, httpx2.RemoteProtocolError, httpx2.WriteError):
        connector = on_a_double(case, failing(broken))
        assert type(_read(connector)) is RetryLater
        assert type(_write(connector)) is OutcomeUnknown
        again = _write(connector, repeatable=True)
        assert type(again) is RetryLater


@check()
def what_was_never_sent_may_be_sent_again(case: Case) -> None:
    for broken in (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
        connector = on_a_double(case, failing(broken))
        assert type(_write(connector)) is RetryLater


@check()
def an_answer_that_is_no_json_is_unintelligible_and_a_write_then_of_unknown_outcome(case: Case) -> None:
    for body in (b'{"orders": [', b"<html>sorry</html>", b'{"amount": NaN}', b"[" * 100_000):
        connector = on_a_double(case, always(200, body))
        assert type(_read(connector)) is Unintelligible
        assert type(_write(connector)) is OutcomeUnknown


@check()
def an_answer_that_is_too_long_is_not_read_to_its_end(case: Case) -> None:
    connector = on_a_double(case, always(200, b'{"filler": "' + b"x" * 5_000 + b'"}'))
    connector.http.most_bytes = 1_000
    assert type(_read(connector)) is Unintelligible
    assert type(_write(connector)) is OutcomeUnknown


STRANGE = (
    b"{}", b"[]", b"null", b'"a text"', b"17", b"", b'{"data": null}', b'{"data": []}', b'{"errors": "x"}',
    b'{"error": 1}', b'{"errors": [1]}', b'{"errors": {"a": []}}', b'{"payload": []}',
    b'{"error": {"code": null, "message": {}}}',
)  # fmt: skip


@check()
def an_answer_of_another_shape_is_an_error_of_ours_or_nothing(case: Case) -> None:
    for body in STRANGE:
        for status in (200, 400, 500):
            for name, read in reads_of(case).items():
                connector = on_a_double(case, always(status, body))
                try:
                    read(connector)
                except ConnectorError:
                    continue
                assert status == 200, f"{name} takes {status} {body!r} for a success"
                assert name != "check" or body != b"", "the check is content with nothing"


def reads_of(case: Case) -> dict[str, Callable[[Any], Any]]:
    """The reads that a connector has."""
    ref = case.missing_ref or ListingRef(key="1", sku="1")
    found: dict[str, Callable[[Any], Any]] = {"check": lambda connector: connector.check()}
    for capability, plural, single in (
        (PullsOrders, "pull_orders", "pull_order"),
        (PullsCustomers, "pull_customers", "pull_customer"),
        (PullsPayments, "pull_payments", "pull_payment"),
        (PullsConversations, "pull_conversations", "pull_conversation"),
    ):
        if issubclass(case.connector, capability):
            found[plural] = partial(_pull_all, verb=plural)
            found[single] = partial(_ask_one, verb=single)
    if issubclass(case.connector, PullsInteractions):
        found["pull_interactions"] = partial(_pull_all, verb="pull_interactions")
    for asked, find in FINDS.items():
        if issubclass(case.connector, asked):
            found[find] = partial(_ask_one, verb=find)
    if issubclass(case.connector, PullsListings):
        found["pull_listings"] = lambda connector: list(connector.pull_listings(""))
    if issubclass(case.connector, PullsStock):
        found["pull_stock"] = lambda connector: connector.pull_stock([ref], case.location)
    if issubclass(case.connector, PullsFigures):
        found["pull_figures"] = lambda connector: connector.pull_figures(START.date(), START.date())
    if issubclass(case.connector, Ships):
        found["track"] = lambda connector: connector.track("1", "1", "1")
    return found


FINDS: dict[type, str] = {
    PushesOrders: "find_order", SendsMessages: "find_message", OpensTickets: "find_ticket", Ships: "find_label",
}  # fmt: skip


def _pull_all(connector: Any, verb: str) -> None:
    list(getattr(connector, verb)("", None))


def _ask_one(connector: Any, verb: str) -> None:
    getattr(connector, verb)("1")


SHAPES: tuple[Any, ...] = (
    None, 17, "text", [], [1], {}, {"errors": None}, {"errors": [None]}, {"error": []}, {"message": 1},
)  # fmt: skip


@check()
def error_answers_of_any_shape_can_be_read(case: Case) -> None:
    connector = on_a_double(case, always(200))
    for data in SHAPES:
        for status in (200, 400, 500):
            code, words = connector.error_code(Answer(status, {}, b"", data))
            assert isinstance(code, str)
            assert isinstance(words, str)
    with suppress(ConnectorError):
        connector.http.call("GET", "/anything")
