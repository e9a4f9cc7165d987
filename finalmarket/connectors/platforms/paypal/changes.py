"""Which payments changed. PayPal lists no orders, so three sources tell of them, together:

- the transaction report (three years; up to three hours behind; tells itself how fresh it is),
- the events of the last days, at once, where webhooks are subscribed to,
- the disputes, which the report tells nothing of until money moves.

Each is asked for a window of time, which ends where the report's most (31 days) does.
(https://developer.paypal.com/docs/api/transaction-search/v1/, .../webhooks/v1/, .../customer-disputes/v1/)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from finalmarket.connectors.answers import rows_in
from finalmarket.connectors.errors import Rejected, Unintelligible
from finalmarket.connectors.moments import to_second, utc
from finalmarket.connectors.paging import READING_ERRORS, all_rows, read_cursor, read_each, read_text, write_cursor
from finalmarket.connectors.platforms.paypal import words
from finalmarket.connectors.records import Raw, Unreadable
from finalmarket.kernel import clock

Ask = Callable[[str, Mapping[str, Any]], Any]

REPORT, EVENTS, DISPUTES = "/v1/reporting/transactions", "/v1/notifications/webhooks-events", "/v1/customer/disputes"
ROWS_A_PAGE, EVENTS_A_PAGE, DISPUTES_A_PAGE = 500, 100, 50  # the first and the last are the most
MOST_ROWS = 10_000  # of one question to the report
TOO_MANY_ROWS = "RESULTSET_TOO_LARGE"
SUBJECTS_A_PAGE = 50
REPORT_WINDOW = timedelta(days=31)
REPORT_KEPT = timedelta(days=3 * 365 - 1)
REPORT_BEHIND = timedelta(hours=3)
EVENTS_KEPT = timedelta(days=29)
DISPUTES_KEPT = timedelta(days=179)  # a day less than may be asked for
OVERLAP = timedelta(minutes=5)  # what reaches a list late is not lost
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """Something happened at that moment to an order, capture or authorisation."""

    at: datetime
    subject: str


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a pull: what changed, what could not be read, the cursor behind it, and whether it is the last."""

    changes: Sequence[Change]
    unreadable: tuple[Unreadable, ...]
    cursor: str
    is_last: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pull stands: all that the report shows before `at` was told, and all else before `told`."""

    at: datetime
    told: datetime

    def write(self) -> str:
        """As a cursor."""
        return write_cursor(at=to_second(self.at), told=to_second(self.told))


def find_place(cursor: str, since: datetime | None, now: datetime) -> Place:
    """The place that a cursor names; without one, the place to begin. Raises Unintelligible for a foreign cursor."""
    parts, earliest = read_cursor(cursor), now - REPORT_KEPT
    if not parts:
        began = max(since or earliest, earliest)
        return Place(began, began)
    try:
        at, told = utc(parts["at"]), utc(parts["told"])
    except READING_ERRORS:
        raise Unintelligible("the stored cursor is not one of ours; pull from a date instead") from None
    return Place(max(at, earliest), max(told, earliest))


def pull(ask: Ask, cursor: str, since: datetime | None) -> Iterator[Step]:
    """Yield what changed since the cursor, oldest change first; each subject comes once in a window of time."""
    now = clock.now().replace(microsecond=0) + SECOND
    place = find_place(cursor, since, now)
    fresh = _freshness(ask, now) - OVERLAP
    settled, start = max(place.at, fresh), place.at
    while True:
        end = min(start + REPORT_WINDOW, now)
        changes, unreadable = _changes(ask, start, max(start, place.told), end, fresh)
        is_last_window = end >= now
        for number in range(0, max(len(changes), 1 if is_last_window or unreadable else 0), SUBJECTS_A_PAGE):
            part = changes[number : number + SUBJECTS_A_PAGE]
            is_last = is_last_window and number + SUBJECTS_A_PAGE >= len(changes)
            reached = now if is_last else part[-1].at if part else end
            following = Place(min(reached, settled), max(place.told, min(reached, now - OVERLAP)))
            yield Step(part, unreadable if number == 0 else (), following.write(), is_last)
        if is_last_window:
            return
        start = end


def _changes(
    ask: Ask, start: datetime, told: datetime, end: datetime, fresh: datetime
) -> tuple[list[Change], tuple[Unreadable, ...]]:
    """The latest change of each subject in a window, and what could not be read of it."""
    # The report refuses a beginning that it has nothing of yet, so it is asked from further back.
    rows = list(_rows(ask, min(start, fresh), end))
    reported, bad_rows = read_each(rows, change_of, lambda row: _row_name(row)[0])
    events, bad_events = read_each(_events(ask, told, end), _change_of_event, lambda event: event["id"])
    contested, bad_disputes = read_each(
        _disputed(ask, told, end), _change_of_dispute, lambda dispute: dispute["dispute_id"]
    )
    latest: dict[str, Change] = {}
    for change in sorted([*(one for one in reported if one.at >= start), *events, *contested]):
        if change.subject:
            latest[change.subject] = change
    return sorted(latest.values()), (*bad_rows, *bad_events, *bad_disputes)


# The report.


def _freshness(ask: Ask, now: datetime) -> datetime:
    """Up to when the report is whole: it says so itself, whatever it is asked for; else, as far as it may be behind."""
    try:
        page = ask(REPORT, _report_query(now - REPORT_WINDOW, now, page_size=1))
        return min(now, utc(page["last_refreshed_datetime"]))
    except READING_ERRORS:
        return now - REPORT_BEHIND
    except Rejected as error:
        if error.code != TOO_MANY_ROWS:
            raise
        return now - REPORT_BEHIND


def _report_query(start: datetime, end: datetime, *, page: int = 1, page_size: int = ROWS_A_PAGE) -> dict[str, Any]:
    return {
        "start_date": to_second(start), "end_date": to_second(end), "fields": "transaction_info",
        "balance_affecting_records_only": "N", "page": page, "page_size": page_size,
    }  # fmt: skip


def _rows(ask: Ask, start: datetime, end: datetime) -> Iterator[Raw]:
    """The rows of a window; one that holds too many is halved."""
    try:
        first = ask(REPORT, _report_query(start, end))
        is_too_large = _whole(first, "total_items") > MOST_ROWS
    except Rejected as error:
        if error.code != TOO_MANY_ROWS:
            raise
        is_too_large = True
    if is_too_large and end - start > SECOND:
        middle = (start + (end - start) / 2).replace(microsecond=0)
        yield from _rows(ask, start, middle)
        yield from _rows(ask, middle, end)
        return
    seen: set[tuple[str, str]] = set()
    for number in range(1, max(1, _whole(first, "total_pages")) + 1):
        rows = rows_in(
            first if number == 1 else ask(REPORT, _report_query(start, end, page=number)), ROWS, is_left_out=True
        )  # fmt: skip
        names = {_row_name(row) for row in rows}
        if rows and names <= seen:
            raise Unintelligible("the platform's report goes on, but brings nothing new; this would never end")
        seen |= names
        yield from rows


def change_of(row: Raw) -> Change:
    """What a row of the report tells: the payment it belongs to; nobody for fees, payouts and the like.

    The event codes: T00 payments, T11 reversals (T1107 refunds), T12 chargebacks, T13 holds.
    """
    info = row["transaction_info"]
    code, reference = read_text(info, "transaction_event_code"), read_text(info, "paypal_reference_id")
    kind = read_text(info, "paypal_reference_id_type")
    told = info.get("transaction_updated_date") or info["transaction_initiation_date"]
    at = max(utc(told), utc(info["transaction_initiation_date"]))
    subject = ""
    if code.startswith("T13") or (code.startswith("T00") and words.amount_of(info["transaction_amount"]) > 0):
        subject = reference if kind == "ODR" and reference else str(info["transaction_id"])
    elif code.startswith(("T11", "T12")) and kind in ("TXN", "ODR"):
        subject = reference
    return Change(at, subject)


ROWS = "transaction_details"


def _row_name(row: Raw) -> tuple[str, str]:
    """What a row is called, whatever stands in it: its transaction, else what that belongs to; and what happened."""
    info = row.get("transaction_info")
    told = {name: value for name, value in info.items() if isinstance(value, str)} if isinstance(info, dict) else {}
    name = told.get("transaction_id") or told.get("paypal_reference_id", "")
    return name, told.get("transaction_event_code", "")


# Events and disputes.


def _events(ask: Ask, start: datetime, end: datetime) -> list[Raw]:
    """The events of a window, as far back as there are any. Neither their order nor how to go on to a next page is
    documented: a window with more than one page is halved."""
    start = max(start, clock.now() - EVENTS_KEPT)
    if start >= end:
        return []
    query = {"start_time": to_second(start), "end_time": to_second(end), "page_size": EVENTS_A_PAGE}
    page = ask(EVENTS, query)
    events = rows_in(page, "events", is_left_out=True)
    if (len(events) >= EVENTS_A_PAGE or _next(page)) and end - start > SECOND:
        middle = (start + (end - start) / 2).replace(microsecond=0)
        return [*_events(ask, start, middle), *_events(ask, middle, end)]
    return events


def _change_of_event(event: Raw) -> Change:
    return Change(utc(event["create_time"]), words.concern_of(event)[1])


def _disputed(ask: Ask, start: datetime, end: datetime) -> list[Raw]:
    """The disputes that changed. A list shows summaries, which name no payment, so each is asked for by itself."""
    start = max(start, clock.now() - DISPUTES_KEPT)
    if start >= end:
        return []
    listed = disputes(ask, update_time_after=to_second(start), update_time_before=to_second(end))
    return [
        ask(f"{DISPUTES}/{quote(str(dispute['dispute_id']), safe='')}", {})
        for dispute in listed
        if dispute.get("dispute_id")
    ]


def _change_of_dispute(dispute: Raw) -> Change:
    return Change(utc(dispute["update_time"]), words.disputed_by(dispute))


def disputes(ask: Ask, **chosen: str) -> Iterator[Raw]:
    """The disputes that are chosen, as summaries, page by page."""

    def fetch(token: str) -> tuple[list[Raw], str]:
        page = ask(DISPUTES, {**chosen, "page_size": DISPUTES_A_PAGE, **({"next_page_token": token} if token else {})})
        following = parse_qs(urlsplit(_next(page)).query).get("next_page_token", [""])[0]
        return rows_in(page, "items", is_left_out=True), following

    return all_rows(fetch)


def _next(page: Any) -> str:
    links = [link for link in page.get("links") or () if isinstance(link, dict)]
    return str(next((link.get("href") for link in links if link.get("rel") == "next"), ""))


def _whole(page: Any, name: str) -> int:
    number = page.get(name) if isinstance(page, dict) else None
    return number if isinstance(number, int) else 0
