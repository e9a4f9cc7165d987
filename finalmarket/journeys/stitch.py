"""From what a person did to their journeys: a pure function of the facts, whatever order they came in.

Facts are taken in the order of time; equal moments by what they say, so that nothing depends on who stored what first.
Each lane has at most one recognised journey under way (see intent.py). Nothing that happens later changes where an
earlier fact belongs: telling anew from a moment at which nothing was under way gives what telling from the beginning
gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from finalmarket.journeys.drafts import Draft, Window
from finalmarket.journeys.facts import (
    Booked,
    Called,
    CalledTouch,
    Facts,
    JourneyRow,
    Placed,
    Told,
    Touch,
    TouchRow,
)
from finalmarket.journeys.intent import ECHOES, LANES, PASSIVE, STEP_PLACES, Lane, lane_of
from finalmarket.journeys.spans import Spans

SOLVED = "solved"
CONTINUED = "continued"
RETURN_BOOKED = "return_booked"
REVIEW_SENT = "review_sent"


class Start(NamedTuple):
    """A journey is started by a call."""

    called: Called


class Added(NamedTuple):
    """Something is added to it by a call."""

    called: Called
    touch: CalledTouch


class End(NamedTuple):
    """It is ended by a call."""

    called: Called


Fact = Touch | Placed | Booked | Start | Added | End
Key = tuple[datetime, int, int, int, str, str, str, int]


def stitch(facts: Facts, spans: Spans, now: datetime) -> Told:
    """Return a person's journeys as they stand at `now`. The facts are those from a moment on at which no journey of
    the person was under way."""
    loom = _Loom(spans)
    for _, fact in sorted(_keyed(facts), key=_key):
        loom.take(fact)
    return loom.finish(now)


def _keyed(facts: Facts) -> Iterator[tuple[Key, Fact]]:
    """All facts, each with what it is sorted by: its moment, then what comes first of one moment."""
    for touch in facts.touches:
        yield _touch_key(touch), touch
    for order in facts.orders:
        yield (order.at, 2, 0, 0, order.number, "", "", order.id), order
    for booked in facts.returns:
        yield (booked.at, 3, 0, 0, "", "", "", booked.id), booked
    for called in facts.called:
        yield (called.started_at, 0, 0, 0, "", "", "", called.id), Start(called)
        for added in called.touches:
            yield (max(added.at, called.started_at), 1, -1, 0, "", "", "", added.id), Added(called, added)
        if called.ended_at is not None:
            yield (max(called.ended_at, called.started_at), 4, 0, 0, "", "", "", called.id), End(called)


def _key(pair: tuple[Key, Fact]) -> Key:
    return pair[0]


def _touch_key(touch: Touch) -> Key:
    """At one moment the earlier step comes first; the number of the row decides only between equals."""
    place = STEP_PLACES.get(touch.kind, 0)
    return (touch.at, 1, place, touch.channel, touch.message_id, touch.sku, touch.words, touch.id)


class _Loom:
    """What is under way while facts are taken one after the other."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans
        self._drafts: dict[Lane, Draft] = {}
        self._windows: dict[int, Window] = {}
        self._finished: list[Draft] = []

    def take(self, fact: Fact) -> None:
        """Take the next fact."""
        match fact:
            case Touch():
                self._touch(fact)
            case Placed():
                self._order(fact)
            case Booked():
                self._return(fact)
            case Start(called):
                self._start(called)
            case Added(called, touch):
                self._windows[called.id].add(touch)
            case End(called):
                self._end(called)

    def finish(self, now: datetime) -> Told:
        """All journeys as they stand at `now`, by their numbers."""
        drafts = [*self._finished, *self._drafts.values()]
        rows: list[JourneyRow] = []
        touches: list[TouchRow] = []
        for draft in drafts:
            rows.append(draft.row(now))
            touches += draft.touch_rows(now)
        windows = self._windows.values()
        touches += [row for window in windows for row in window.joined]
        return Told(
            sorted(rows), sorted(touches), sorted(window.note for window in windows),
            sorted(note for window in windows for note in window.switches),
        )  # fmt: skip

    def _touch(self, touch: Touch) -> None:
        lane = lane_of(touch, lambda lane: bool(self._draft(lane, touch.at) or self._window(lane, touch.at)))
        window = self._window(lane, touch.at)
        draft = self._draft(lane, touch.at)
        if window is not None:
            window.join(touch)
        elif draft is not None:
            draft.join(touch)
        elif touch.kind in PASSIVE or self._is_echo(touch):
            return
        else:
            self._begin(lane, touch)
        if touch.kind == "review_submit" and (sent := self._draft(lane, touch.at)) is not None and window is None:
            sent.complete(touch.at, REVIEW_SENT)

    def _begin(self, lane: Lane, touch: Touch) -> None:
        if lane in self._drafts:
            self._finished.append(self._drafts[lane])
        self._drafts[lane] = Draft(lane, touch, self._spans)

    def _order(self, order: Placed) -> None:
        """An order ends what led to it, unless that was started by a call: then the caller ends it."""
        draft = self._draft(Lane.SHOPPING, order.at)
        if draft is not None and self._window(Lane.SHOPPING, order.at) is None:
            draft.complete_by_order(order)

    def _return(self, booked: Booked) -> None:
        draft = self._draft(Lane.CARE, booked.at)
        if draft is not None and self._window(Lane.CARE, booked.at) is None:
            draft.seen.is_returned = True
            draft.complete(booked.at, RETURN_BOOKED)

    def _start(self, called: Called) -> None:
        """What was recognised goes on in the journey that a call starts: a case stays open as long as that one, all
        else has done its part."""
        lane = LANES[called.intent]
        draft = self._draft(lane, called.started_at)
        if draft is not None and lane == Lane.CARE:
            draft.wait_for(called)
        elif draft is not None:
            draft.complete(called.started_at, CONTINUED)
        self._windows[called.id] = Window(called, self._spans)

    def _end(self, called: Called) -> None:
        """A case that is solved solves what was recognised of it."""
        at = max(called.ended_at or called.started_at, called.started_at)
        draft = self._draft(Lane.CARE, at)
        if draft is None or LANES[called.intent] != Lane.CARE:
            return
        if called.state == "completed":
            draft.complete(at, called.outcome or SOLVED)
        else:
            draft.stop_waiting(called, at)

    def _draft(self, lane: Lane, at: datetime) -> Draft | None:
        """The recognised journey that is under way in a lane."""
        draft = self._drafts.get(lane)
        return draft if draft is not None and draft.takes(at) else None

    def _window(self, lane: Lane, at: datetime) -> Window | None:
        """The journey started by a call that takes what happens in the lane at a moment: the newest of them."""
        if not self._windows:
            return None
        return newest(window for window in self._windows.values() if window.lane == lane and window.takes(at))

    def _is_echo(self, touch: Touch) -> bool:
        """Whether this is the last of a visit whose journey has ended: it belongs to nothing any more."""
        if touch.kind not in ECHOES:
            return False
        ended = [draft for draft in self._drafts.values() if draft.echoes(touch.at)]
        for draft in ended:
            draft.echo(touch.at)
        return bool(ended)


def newest(windows: Iterable[Window]) -> Window | None:
    """The one that was started last."""
    return max(windows, key=lambda window: (window.called.started_at, window.called.id), default=None)
