"""What members did with mails: opened, clicked, left; and mails that did not reach them.

Mailchimp tells it of one member at a time. So the audience is walked through in rounds, in the order in which people
came to it; a page is what some members did since the round before. Members who never opened or clicked anything are not
asked for, nor those who left long ago. Within a page it is the oldest first; what was told already comes again for a
day. Some members of a page stand on the next one, too, since members before them may go meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from finalmarket.connectors.answers import fields_in, if_there, rows_in
from finalmarket.connectors.errors import Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.moments import utc
from finalmarket.connectors.paging import READING_ERRORS, read_cursor, read_each, write_cursor
from finalmarket.connectors.platforms.mailchimp.words import interaction_id, written
from finalmarket.connectors.records import Page, Raw
from finalmarket.connectors.talk import InteractionRecord
from finalmarket.kernel import clock

Call = Callable[..., Answer]

MEMBERS_A_PAGE, READ_TWICE = 20, 2
ACTIVITIES_A_PAGE, MOST_PAGES = 1_000, 50
OVERLAP = timedelta(days=1)  # rates and activities may show late
EARLIEST = datetime(2001, 1, 1, tzinfo=UTC)
KINDS = {"open": "email_open", "click": "email_click", "bounce": "email_bounce", "unsub": "unsubscribe"}
LEFT = frozenset({"unsubscribed", "cleaned"})
MEMBER, EMAIL = "finalmarket_member", "finalmarket_email"  # whose activity it is, which it does not say itself


def page(call: Call, path: str, cursor: str, since: datetime | None) -> Page[InteractionRecord]:
    """What the next members did. The cursor tells since when, when the round began, how many members were passed, and
    the last of them."""
    place = _place(cursor, since)
    params = {
        "count": str(MEMBERS_A_PAGE), "offset": str(place["passed"]), "sort_field": "timestamp_signup",
        "sort_dir": "ASC", "fields": "members.id,members.email_address,members.status,members.stats,"
        "members.last_changed,total_items",
    }  # fmt: skip
    answer = call("GET", f"{path}/members", params=params)
    rows = rows_in(answer, "members")
    last = str(rows[-1].get("id")) if rows else ""
    if last and last == place["last"]:
        raise Unintelligible("the platform gave the same members a second time; going on would never end")
    passed = int(place["passed"]) + len(rows)
    is_last = not rows or passed >= int(fields_in(answer, "total_items")["total_items"])
    start = utc(place["since"])
    found = [one for row in rows if _is_asked_for(row, start) for one in _of_member(call, path, row, start)]
    found.sort(key=lambda raw: _at(raw) or start)
    records, unreadable = read_each(found, interaction_record, _name)
    return Page(records, _following(place, passed, last, is_last=is_last), is_last, unreadable)


def _place(cursor: str, since: datetime | None) -> dict[str, Any]:
    """Where a cursor stands; "" stands before all members."""
    parts = read_cursor(cursor)
    if not parts:
        begun = clock.now()
        return {"since": written(since or EARLIEST), "begun": written(begun), "passed": 0, "last": ""}
    try:
        utc(parts["since"])
        begun = utc(parts["begun"]) if parts.get("begun") else clock.now()
        return {
            "since": parts["since"], "begun": written(begun), "passed": int(parts.get("passed", 0)),
            "last": str(parts.get("last", "")),
        }  # fmt: skip
    except (KeyError, TypeError, ValueError):
        raise Unintelligible("the stored cursor is not one of ours; pull from a date instead") from None


def _following(place: dict[str, Any], passed: int, last: str, *, is_last: bool) -> str:
    """The cursor behind a page. After the last members the next round begins, which asks for what happened since this
    one began, and a little before."""
    if not is_last:
        return write_cursor(since=place["since"], begun=place["begun"], passed=passed - READ_TWICE, last=last)
    return write_cursor(since=written(max(utc(place["since"]), utc(place["begun"]) - OVERLAP)))


def _is_asked_for(row: Raw, start: datetime) -> bool:
    """Whether a member may have done anything since then."""
    status = row.get("status")
    if status in LEFT:
        try:
            return utc(row.get("last_changed")) >= start - OVERLAP
        except (TypeError, ValueError):
            return True
    stats = row.get("stats")
    rates = [stats.get(name) for name in ("avg_open_rate", "avg_click_rate")] if isinstance(stats, dict) else [1]
    return status == "subscribed" and any(rates)


def _of_member(call: Call, path: str, row: Raw, start: datetime) -> list[Raw]:
    """What a member did since then, the newest first as Mailchimp lists it."""
    name, email = str(row.get("id")), str(row.get("email_address"))
    found: list[Raw] = []
    for number in range(MOST_PAGES):
        params = {
            "count": str(ACTIVITIES_A_PAGE), "offset": str(number * ACTIVITIES_A_PAGE),
            "activity_filters": ",".join(KINDS),
        }  # fmt: skip
        asking = partial(call, "GET", f"{path}/members/{name}/activity-feed", params=params, bucket="activity")
        answer = if_there(asking)
        if answer is None:  # gone meanwhile
            return found
        rows = rows_in(answer, "activity")
        found += [{**one, MEMBER: name, EMAIL: email} for one in rows if (_at(one) or start) >= start]
        if len(rows) < ACTIVITIES_A_PAGE or _is_past(rows, start):
            return found
    raise Unintelligible("what a member did never ends")


def _is_past(rows: Iterable[Raw], start: datetime) -> bool:
    return any((_at(one) or start) < start for one in rows)


def _at(raw: Raw) -> datetime | None:
    try:
        return utc(raw.get("created_at_timestamp"))
    except READING_ERRORS:
        return None


def _name(raw: Raw) -> str:
    return _named(raw, KINDS.get(raw["activity_type"], "unknown"), utc(raw["created_at_timestamp"]))


def _named(raw: Raw, kind: str, at: datetime) -> str:
    """The name of an activity. One that a webhook tells, too, is named as there: by member and moment alone."""
    if kind in ("unsubscribe", "email_bounce"):
        return interaction_id(kind, raw[MEMBER], at)
    more = (raw["activity_type"], str(raw.get("campaign_id") or ""), str(raw.get("link_clicked") or ""))
    return interaction_id(kind, raw[MEMBER], at, *more)


def interaction_record(raw: Raw) -> InteractionRecord:
    """One thing that a member did. Only a bounce for good says that the address is none."""
    kind, at = KINDS.get(raw["activity_type"], "unknown"), utc(raw["created_at_timestamp"])
    name, unknown = _named(raw, kind, at), [] if kind != "unknown" else [str(raw["activity_type"])]
    if kind == "email_bounce" and raw["bounce_type"] != "hard":
        kind = "unknown"
        unknown += [] if raw["bounce_type"] == "soft" else [f"bounce {raw['bounce_type']}"]
    return InteractionRecord(
        external_id=name, kind=kind, at=at, email=raw[EMAIL], customer_id=raw[MEMBER],
        url=str(raw.get("link_clicked") or ""), subject=str(raw.get("campaign_title") or ""), unknown=tuple(unknown),
        raw={key: value for key, value in raw.items() if key not in (MEMBER, EMAIL)},
    )  # fmt: skip
