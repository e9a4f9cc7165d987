"""What comes in: whole, in order, from any cursor on, under faults, exact."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from finalmarket.connectors.contract import (
    PullsCustomers,
    PullsListings,
    PullsOrders,
    PullsPayments,
    PullsStock,
)
from finalmarket.connectors.errors import ConnectorError, NeedsAttention, RetryLater, Unintelligible
from finalmarket.connectors.records import Page
from finalmarket.connectors.talk import PullsConversations, PullsInteractions
from finalmarket.sandbox.faults import Fault
from tests.connectors.cases import Case
from tests.connectors.conformance.stage import (
    IS_PROOF,
    MOST_CALLS,
    NthCall,
    Stage,
    Stream,
    check,
    check_each_stream,
    in_this_dose,
    needed,
    staged,
)

READ_FAULTS = (
    Fault.TOO_MANY, Fault.TOO_MANY_WAIT, Fault.ERROR_BEFORE, Fault.RESET_BEFORE, Fault.TIME_OUT, Fault.TRUNCATED,
    Fault.MALFORMED, Fault.SLOW_DRIP, Fault.CURSOR_EXPIRED, Fault.TOKEN_EXPIRED,
)  # fmt: skip


@check_each_stream
def all_of_a_stream_comes_in_oldest_change_first(case: Case, stream: Stream) -> None:
    with staged(case) as stage:
        sown = stream.seed_pages(stage)
        pages = list(stream.pages(stage.connector))
        assert [bad for page in pages for bad in page.unreadable] == []
        came = stream.ids(pages)
        assert (came if stream.is_changing else sorted(came)) == (sown if stream.is_changing else sorted(sown))
        assert len(pages) > 1, "page_sizes tells more than one page holds"
        assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]


@check_each_stream
def pages_resume_from_any_cursor(case: Case, stream: Stream) -> None:
    with staged(case) as stage:
        stream.seed_pages(stage)
        pages = list(stream.pages(stage.connector))
        for number, page in enumerate(pages[:-1]):
            before, after = set(stream.ids(pages[: number + 1])), stream.ids(pages[number + 1 :])
            again = stream.ids(stream.pages(stage.connector, page.cursor))
            assert [name for name in again if name not in before] == [name for name in after if name not in before]


@check_each_stream
def what_is_new_comes_in_from_the_last_cursor(case: Case, stream: Stream) -> None:
    if not stream.is_changing:
        return
    with staged(case) as stage:
        old = stream.seed(stage, 3)
        *_, last = stream.pages(stage.connector)
        assert set(stream.ids(stream.pages(stage.connector, last.cursor))) <= set(old)
        stage.time.advance(timedelta(minutes=10))
        new = stream.seed(stage, 2)
        *_, later = pages = list(stream.pages(stage.connector, last.cursor))
        assert [name for name in stream.ids(pages) if name not in old] == new
        stage.time.advance(timedelta(minutes=10))
        newest = stream.seed(stage, 1)
        assert newest[0] in stream.ids(stream.pages(stage.connector, later.cursor))


@check_each_stream
def an_empty_stream_has_one_last_page_and_a_cursor_to_go_on_from(case: Case, stream: Stream) -> None:
    with staged(case) as stage:
        (page,) = stream.pages(stage.connector)
        assert page.records == ()
        assert page.is_last
        if stream.is_changing:
            stage.time.advance(timedelta(minutes=10))
            new = stream.seed(stage, 1)
            assert stream.ids(stream.pages(stage.connector, page.cursor)) == new


@check_each_stream
def a_pull_begins_at_the_moment_it_is_given(case: Case, stream: Stream) -> None:
    if not stream.is_changing:
        return
    with staged(case) as stage:
        old = stream.seed(stage, 2)
        stage.time.advance(timedelta(days=2))
        since = stage.world.clock.now()
        stage.time.advance(timedelta(hours=1))
        new = stream.seed(stage, 2)
        stage.time.advance(timedelta(hours=1))
        came = stream.ids(stream.pages(stage.connector, "", since))
        assert [name for name in came if name not in old] == new
        assert not set(old) & set(came), "what was last changed two days before is no part of it"


class _Loop(httpx2.BaseTransport):
    """Lets every question be answered once by the platform, and ever after by that same answer."""

    def __init__(self, wire: httpx2.BaseTransport) -> None:
        self._wire = wire
        self._answers: dict[tuple[str, str, str], tuple[int, list[tuple[str, str]], bytes]] = {}
        self.calls = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.calls += 1
        assert self.calls < MOST_CALLS, "the connector goes round in circles and does not notice"
        key = (request.method, request.url.path, _document(request.read()))
        if key not in self._answers:
            response = self._wire.handle_request(request)
            body = response.read()
            headers = [(name, value) for name, value in response.headers.items() if name != "content-length"]
            self._answers[key] = (response.status_code, headers, body)
        status, headers, body = self._answers[key]
        return httpx2.Response(status, headers=headers, content=body)


def _document(body: bytes) -> str:
    """What a GraphQL request asks, without the place at which it goes on; "" for other bodies."""
    try:
        sent = json.loads(body)
    except ValueError:
        return ""
    return str(sent.get("query", "")) if isinstance(sent, dict) and isinstance(sent.get("query"), str) else ""


@check_each_stream
def a_cursor_that_comes_a_second_time_is_noticed(case: Case, stream: Stream) -> None:
    with staged(case) as stage:
        stream.seed_pages(stage)
        connector = case.connector(
            stage.connector.account, budget=stage.time, transport=_Loop(stage.watched)
        )  # fmt: skip
        with pytest.raises(Unintelligible):
            list(stream.pages(connector))


@check_each_stream
def faults_on_the_way_lose_nothing(case: Case, stream: Stream) -> None:
    for fault in in_this_dose(READ_FAULTS, case, stream.pull):
        for nth in (1, 2) if IS_PROOF else (1 + READ_FAULTS.index(fault) % 2,):
            with staged(case, faults=NthCall(fault, nth, writes=False)) as stage:
                sown = stream.seed_pages(stage)
                came = _pull_through(stage, stream, fault)
                assert sorted(came) == sorted(sown), f"{fault.name} on read {nth}"


def _pull_through(stage: Stage, stream: Stream, fault: Fault) -> list[str]:
    """Pull, and go on from the last good cursor where a fault came between."""
    pages: list[Page[Any]] = []
    for _ in range(4):
        cursor = pages[-1].cursor if pages else ""
        try:
            for page in stream.pages(stage.connector, cursor):
                pages.append(page)
        except RetryLater:
            stage.time.advance(timedelta(seconds=5))
        except Unintelligible:
            assert fault is Fault.MALFORMED
        except NeedsAttention:
            assert fault is Fault.TOKEN_EXPIRED
        except ConnectorError:
            assert fault is Fault.CURSOR_EXPIRED
            pages = []  # the caller begins anew: what it has already is known by its id
        else:
            return stream.ids(pages)
    raise AssertionError(f"{stream.pull} does not get through after {fault.name}")


@check_each_stream
def records_that_come_twice_are_whole_all_the_same(case: Case, stream: Stream) -> None:
    with staged(case, faults=NthCall(Fault.DUPLICATE_PAGE, 2, writes=False)) as stage:
        sown = stream.seed_pages(stage)
        assert sorted(stream.ids(stream.pages(stage.connector))) == sorted(sown)


@check_each_stream
def amounts_are_exact_and_moments_aware(case: Case, stream: Stream) -> None:
    with staged(case) as stage:
        stream.seed(stage, 3)
        for page in stream.pages(stage.connector):
            for record in page.records:
                walk_through(record, type(record).__name__)
                if hasattr(record, "version"):
                    assert record.version
                if hasattr(record, "currency") and getattr(record, "price", 0) is not None:  # no price, no currency
                    assert record.currency == record.currency.upper() != ""


def walk_through(value: Any, where: str) -> None:
    """Look at all there is within a record."""
    assert not isinstance(value, float), f"{where} is a float: {value}"
    if isinstance(value, datetime):
        assert value.utcoffset() == timedelta(0), f"{where} is not in UTC: {value}"
    elif isinstance(value, Decimal):
        assert value.is_finite(), where
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            walk_through(getattr(value, field.name), f"{where}.{field.name}")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            walk_through(item, f"{where}[{key!r}]")
    elif isinstance(value, (list, tuple)):
        for item in value:
            walk_through(item, f"{where}[]")


ONE: dict[type, str] = {
    PullsOrders: "pull_order", PullsCustomers: "pull_customer", PullsPayments: "pull_payment",
    PullsConversations: "pull_conversation",
}  # fmt: skip


@check_each_stream
def one_record_is_what_the_stream_brings_and_none_for_an_unknown_id(case: Case, stream: Stream) -> None:
    if stream.capability not in ONE:
        return
    with staged(case) as stage:
        sown = stream.seed(stage, 2)
        pull_one = getattr(stage.connector, ONE[stream.capability])
        came = {record.external_id: record for page in stream.pages(stage.connector) for record in page.records}
        for name in sown:
            alone = pull_one(name)
            assert dataclasses.replace(alone, raw={}) == dataclasses.replace(came[name], raw={})
        assert pull_one(_missing(sown)) is None


def _missing(known: list[str]) -> str:
    """An id of the same making that the platform does not have."""
    last = known[-1]
    digits = "0123456789" if last[-1].isdigit() else "abcdefghijklmnopqrstuvwxyz"
    return next(last[:-1] + digit for digit in digits if last[:-1] + digit not in known)


@check(PullsOrders)
def a_word_that_no_documentation_knows_survives_in_an_order(case: Case) -> None:
    if "orders" in case.wordless:
        return
    seed = needed(case.seed_unknown_order, "seed_unknown_order")
    _unknown_survives(case, seed, "pull_orders")


@check(PullsPayments)
def a_word_that_no_documentation_knows_survives_in_a_payment(case: Case) -> None:
    if "payments" in case.wordless:
        return
    seed = needed(case.seed_unknown_payment, "seed_unknown_payment")
    _unknown_survives(case, seed, "pull_payments")


@check(PullsConversations)
def a_word_that_no_documentation_knows_survives_in_a_conversation(case: Case) -> None:
    if "conversations" in case.wordless:
        return
    seed = needed(case.seed_unknown_conversation, "seed_unknown_conversation")
    _unknown_survives(case, seed, "pull_conversations")


@check(PullsInteractions)
def a_word_that_no_documentation_knows_survives_in_an_interaction(case: Case) -> None:
    if "interactions" in case.wordless:
        return
    seed = needed(case.seed_unknown_interaction, "seed_unknown_interaction")
    _unknown_survives(case, seed, "pull_interactions")


def _unknown_survives(case: Case, seed: Any, pull: str) -> None:
    unjudged = dataclasses.replace(case, describe=None)  # the word is against the description, and meant to be
    with staged(unjudged) as stage:
        name, word = seed(stage.stand_in)
        pages = list(getattr(stage.connector, pull)("", None))
        assert [bad for page in pages for bad in page.unreadable] == []
        (record,) = [record for page in pages for record in page.records if record.external_id == name]
        assert any(word in told for told in record.unknown), f"{word!r} is not among {record.unknown}"


@check(PullsStock)
def what_the_platform_shows_can_be_asked_for(case: Case) -> None:
    with staged(case) as stage:
        refs = list(needed(case.seed_listings, "seed_listings")(stage.stand_in, 3))
        missing = needed(case.missing_ref, "missing_ref")
        shown = stage.connector.pull_stock([*refs, missing], case.location)
        assert {record.key: record.quantity for record in shown} == {ref.key: 5 for ref in refs}
        assert list(stage.connector.pull_stock([], case.location)) == []


@check(PullsStock)
def stock_is_read_in_full_batches(case: Case) -> None:
    with staged(case) as stage:
        limit = stage.connector.stock_read_limit
        refs = list(needed(case.seed_listings, "seed_listings")(stage.stand_in, limit))
        assert {record.key for record in stage.connector.pull_stock(refs, case.location)} == {ref.key for ref in refs}


@check(PullsListings)
def listings_come_with_what_further_calls_need(case: Case) -> None:
    with staged(case) as stage:
        sown = {ref.key: ref for ref in needed(case.seed_listings, "seed_listings")(stage.stand_in, 2)}
        came = [record for page in stage.connector.pull_listings("") for record in page.records]
        assert {record.ref.key: dict(record.ref.ids) for record in came} == {
            key: dict(ref.ids) for key, ref in sown.items()
        }
        assert all(record.ref.ids for record in came), "a ref without ids stands for a listing that is not there yet"
        assert all(record.price == Decimal(10) for record in came if record.price is not None)
