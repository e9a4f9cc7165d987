"""One record that cannot be read: it is set aside with its name and a reason, and the page stands."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import httpx2

from finalmarket.connectors.errors import ConnectorError
from tests.connectors.cases import Case
from tests.connectors.conformance.stage import Stream, check_each_stream, needed, staged

NONSENSE = {"oops": [True]}  # no text, no number, no moment
NO_PARTS = "oops"  # no object, no list
A_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}|/Date\(\d|PT\d")


class Spoiler(httpx2.BaseTransport):
    """Leaves of one record, in whatever list it stands with its fellows, nothing but its name; where it `keeps_place`,
    also its numbers and moments, by which a connector may have to put it in order. Where it stands in no such list, it
    is looked for deeper: as the only part of a thing that stands in a list with theirs."""

    def __init__(self, wire: httpx2.BaseTransport, name: str, fellows: set[str], *, keeps_place: bool) -> None:
        self._wire, self._name, self._fellows, self._keeps_place = wire, name, fellows, keeps_place
        self.spoilt = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self._wire.handle_request(request)
        body = response.read()
        try:
            data = json.loads(body)
        except ValueError:
            data = None
        is_spoilt = self._look_through(data, _names) or self._look_through(data, _holds)
        body = json.dumps(data).encode() if is_spoilt else body
        headers = [(name, value) for name, value in response.headers.items() if name != "content-length"]
        return httpx2.Response(response.status_code, headers=headers, content=body)

    def _look_through(self, data: Any, names: Callable[[Any, str], bool]) -> bool:
        """Spoil the record wherever it is found; whether it was."""
        if isinstance(data, dict):
            return sum(self._look_through(value, names) for value in data.values()) > 0
        if not isinstance(data, list):
            return False
        mine = [index for index, item in enumerate(data) if names(item, self._name)]
        if mine and any(names(item, fellow) for item in data for fellow in self._fellows):
            for index in mine:
                is_it = _names(data[index], self._name)
                data[index] = self._left_of(data[index]) if is_it else self._left_around(data[index])
            self.spoilt += len(mine)
            return True
        return sum(self._look_through(item, names) for item in data) > 0

    def _left_of(self, item: dict[str, Any]) -> dict[str, Any]:
        """What is left of a thing."""
        kept: dict[str, Any] = {}
        for field, value in item.items():
            if _is_name(value, self._name) or (self._keeps_place and _is_place(value)):
                kept[field] = value
            elif isinstance(value, dict) and _names({"": value}, self._name):
                kept[field] = self._left_of(value)
            else:
                kept[field] = NO_PARTS if isinstance(value, (dict, list)) else NONSENSE
        return kept

    def _left_around(self, thing: Any) -> Any:
        """A thing with the record in it spoilt, and all else as it was."""
        if _names(thing, self._name):
            return self._left_of(thing)
        if isinstance(thing, dict):
            return {field: self._left_around(value) for field, value in thing.items()}
        return [self._left_around(each) for each in thing] if isinstance(thing, list) else thing


def _names(item: Any, name: str) -> bool:
    """Whether a thing bears that name: in a field of its own, or of the one thing that it wraps."""
    if not isinstance(item, dict):
        return False
    return any(_is_name(value, name) for value in item.values()) or any(
        isinstance(value, dict) and any(_is_name(inner, name) for inner in value.values()) for value in item.values()
    )


def _holds(thing: Any, name: str) -> bool:
    """Whether a thing bears that name anywhere in it."""
    if isinstance(thing, (dict, list)):
        return any(_holds(each, name) for each in (thing.values() if isinstance(thing, dict) else thing))
    return _is_name(thing, name)


def _is_name(value: Any, name: str) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool) and str(value) == name


def _is_place(value: Any) -> bool:
    """Whether a value may be what puts a record in its place: a number, or a moment."""
    return isinstance(value, (int, float)) or (isinstance(value, str) and A_MOMENT.match(value) is not None)


@check_each_stream
def a_record_that_cannot_be_read_is_set_aside_and_the_others_stand(case: Case, stream: Stream) -> None:
    if stream.name in case.spoil:
        return _set_aside(case, stream, keeps_place=True)
    try:
        _set_aside(case, stream, keeps_place=True)
    except (AssertionError, ConnectorError):  # some connectors make do with little: then nothing but the name is left
        _set_aside(case, stream, keeps_place=False)
    return None


def _set_aside(case: Case, stream: Stream, *, keeps_place: bool) -> None:
    with staged(case) as stage:
        first, bad, last = stream.seed(stage, 3)
        connector, spoiler = stage.connector, Spoiler(stage.watched, bad, {first, last}, keeps_place=keeps_place)
        if stream.name in case.spoil:
            case.spoil[stream.name](stage.stand_in, bad)
        else:
            connector = case.connector(stage.connector.account, budget=stage.time, transport=spoiler)
        pages = list(stream.pages(connector))
        if stream.name not in case.spoil:
            needed(spoiler.spoilt or None, "spoil")  # the suite does not find the record on the wire
        assert sorted(stream.ids(pages)) == sorted([first, last])
        (aside,) = {each.external_id: each for page in pages for each in page.unreadable}.values()
        assert aside.external_id == bad
        assert aside.reason.strip()
