"""What changed, from Intercom's searches: sorted by the moment of change, but asked for by the day.

Searches know days only, in the time zone of the workspace: one begins a little more than a day before the place from
which to go on, and what lies before the place is passed over. New records may take minutes until a search finds them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from finalmarket.connectors.answers import fields_in, rows_in
from finalmarket.connectors.http import Http
from finalmarket.connectors.keyset import Place
from finalmarket.connectors.paging import all_rows
from finalmarket.connectors.records import Raw, Unreadable

PAGE = 50
BEFORE = timedelta(hours=26)  # a day in any time zone, and the longest that there are


@dataclass(frozen=True, slots=True)
class Found:
    """A record that a search found: `name` is ours of it."""

    place: Place
    name: str
    raw: Raw


@dataclass(frozen=True, slots=True)
class Search:
    """One kind of records: where it is searched, the field in which they come, what our names of them begin with."""

    path: str
    field: str
    prefix: str = ""


def changed_after(
    http: Http, searches: Mapping[str, Search], place: Place
) -> tuple[list[Found], bool, tuple[Unreadable, ...]]:
    """The next records of all these kinds together, the oldest change first; whether more follow; and those whose place
    nobody can tell."""
    found: list[Found] = []
    unreadable: list[Unreadable] = []
    for search in searches.values():
        found += _first(_changed(http, search, place, unreadable))
    found.sort(key=lambda one: (one.place.at, one.place.after))
    return found[:PAGE], len(found) > PAGE, tuple(unreadable)


def _first(changed: Iterator[Found]) -> Iterator[Found]:
    """As many as one page takes, and one to see whether more follow: what comes first of all kinds is among them. The
    second of the last one is read to its end, since Intercom lists what changed within a second in an order of its own,
    and we go by names there."""
    last = None
    for number, one in enumerate(changed):
        if last is not None and number > PAGE and one.place.at > last:
            return
        last = one.place.at
        yield one


def _changed(http: Http, search: Search, place: Place, unreadable: list[Unreadable]) -> Iterator[Found]:
    for raw in _rows(http, search, place.at - BEFORE):
        name, at = raw.get("id"), raw.get("updated_at")
        if not isinstance(name, str) or isinstance(at, bool) or not isinstance(at, int):
            unreadable.append(Unreadable(f"{search.prefix}{name}"[:200], "it does not say when it was changed", raw))
            continue
        named = search.prefix + name
        here = Place(datetime.fromtimestamp(at, UTC), named)
        if (here.at, here.after) > (place.at, place.after):
            yield Found(here, named, raw)


def _rows(http: Http, search: Search, since: datetime) -> Iterator[Raw]:
    """All rows of a search from that moment's day on. Raises Unintelligible where it goes round in circles."""
    query = {"field": "updated_at", "operator": ">", "value": max(0, int(since.timestamp()))}
    body = {"query": query, "sort": {"field": "updated_at", "order": "ascending"}}

    def fetch(cursor: str) -> tuple[list[Raw], str]:
        pagination = {"per_page": PAGE, **({"starting_after": cursor} if cursor else {})}
        answer = http.call("POST", search.path, json={**body, "pagination": pagination}, repeatable=True)
        return page_of(answer.data, search.field)

    return all_rows(fetch)


def page_of(data: object, field: str) -> tuple[list[Raw], str]:
    """The rows of a page, and the cursor of the next one ("" for none). Raises Unintelligible."""
    rows, pages = rows_in(data, field), fields_in(data).get("pages")
    following = pages.get("next") if isinstance(pages, dict) else None
    return rows, str(following.get("starting_after") or "") if isinstance(following, dict) else ""
