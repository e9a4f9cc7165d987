"""A journey while it is being told: what has joined it so far, and how it would stand."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from finalmarket.journeys.facts import (
    LEFT,
    RECOGNISED,
    Called,
    CalledNote,
    CalledTouch,
    JourneyRow,
    Placed,
    SwitchNote,
    Touch,
    TouchRow,
)
from finalmarket.journeys.intent import LANES, PASSIVE, Evidence, Lane, recognise
from finalmarket.journeys.spans import Spans

ORDERED, ORDER_CANCELLED = "ordered", "order_cancelled"
CART_LEFT, CHECKOUT_LEFT, UNCONFIRMED, LEFT_OFF = "cart_left", "checkout_left", "unconfirmed", "left"
"""How a journey that is given up ends: with goods in the cart, within the checkout, with a browser's word for an order
that our books do not know, or before any of it."""
GIVEN_UP_AS = {"checkout_complete": UNCONFIRMED, "checkout_start": CHECKOUT_LEFT, "add_to_cart": CART_LEFT}
CART_ABANDONMENT = "cart_abandonment"
SCORE_OF_A_LEFT_CART = -5
OPEN, COMPLETED, ABANDONED = "open", "completed", "abandoned"


class Trail:
    """Steps in order: each knows the visit that it belongs to, and whether the channel changed before it."""

    def __init__(self) -> None:
        self.visit = 0
        self._channel: int | None = None
        self._last: datetime | None = None

    def step(self, channel: int, at: datetime, pause: timedelta) -> int | None:
        """Go on to a step; return the channel that it came from, where that is another one."""
        if self._last is None or at - self._last > pause:
            self.visit += 1
        before = self._channel if self._channel != channel else None
        self._channel, self._last = channel, at
        return before


class Draft:
    """A recognised journey."""

    def __init__(self, lane: Lane, first: Touch, spans: Spans) -> None:
        self.seen = Evidence()
        self.closes_at = first.at
        self._lane, self._first, self._spans = lane, first, spans
        self._id = RECOGNISED + first.id
        self._trail = Trail()
        self._rows: list[TouchRow] = []
        self._score = 0
        self._intent, self._reason = recognise(lane, self.seen)
        self._last_active = self._last_touch = first.at
        self._ended_at: datetime | None = None
        self._outcome = ""
        self._order: Placed | None = None
        self._waits_for: int | None = None
        self.join(first)

    def takes(self, at: datetime) -> bool:
        """Whether it is under way still at a moment that is no earlier than all it has seen."""
        return self._ended_at is None and at <= self.closes_at and len(self._rows) < self._spans.most_touches

    def join(self, touch: Touch) -> None:
        """Take another interaction in."""
        pause = self._spans.by_intent[self._intent].pause
        before = self._trail.step(touch.channel, touch.at, pause)
        row = _joined(touch, self._id, before, self._trail.visit)
        self._rows.append(row)
        self._score += touch.score
        self._last_touch = touch.at
        self.seen.add(touch, self._trail.visit)
        if touch.kind not in PASSIVE:
            self._last_active = touch.at
        self._look()

    def complete(self, at: datetime, outcome: str) -> None:
        """End it: it has come to what it was for."""
        self._ended_at, self._outcome, self._waits_for = at, outcome, None
        self._look()

    def complete_by_order(self, order: Placed) -> None:
        """End it with the order that it led to; one that was cancelled later is worth nothing."""
        self._order, self.seen.order = order, order.number
        self.complete(order.at, outcome_of(order))

    def wait_for(self, called: Called) -> None:
        """Stay open as long as that one."""
        self._waits_for = called.id
        self._look()

    def stop_waiting(self, called: Called, at: datetime) -> None:
        """That one was given up: wait on for what the person does."""
        if self._waits_for == called.id:
            self._waits_for, self._last_active = None, at
            self._look()

    def echoes(self, at: datetime) -> bool:
        """Whether it has ended, but its visit has not."""
        return self._ended_at is not None and at <= self.closes_at

    def echo(self, at: datetime) -> None:
        """Its visit goes on."""
        self.closes_at = at + self._spans.by_intent[self._intent].pause

    def row(self, now: datetime) -> JourneyRow:
        """How it stands at a moment."""
        state, outcome, ended_at = self._end(now)
        order = self._order
        is_cart_left = leaves_cart(state, outcome)
        return JourneyRow(
            self._id, self._first.customer, self._first.channel, self._intent, state, outcome,
            order.id if order else None, self._first.at, ended_at, self._reason, self.seen.step, self._trail.visit,
            self._score + (SCORE_OF_A_LEFT_CART if is_cart_left else 0), value_of(order),
            order.currency if order else "", self._last_touch, self.closes_at,
        )  # fmt: skip

    def touch_rows(self, now: datetime) -> list[TouchRow]:
        """Its touchpoints at a moment; that a cart was left is one of them."""
        state, outcome, _ = self._end(now)
        if not leaves_cart(state, outcome):
            return self._rows
        left = left_cart(self._id, self._rows[-1].sales_channel_id, self._last_touch, self._trail.visit)
        return [*self._rows, left]

    def _look(self) -> None:
        """Say anew what it is about, and until when something may join it."""
        self._intent, self._reason = recognise(self._lane, self.seen)
        span = self._spans.by_intent[self._intent]
        longest = self._first.at + self._spans.longest
        if self._ended_at is not None:
            self.closes_at = self._ended_at + span.pause
        elif self._waits_for is not None:
            self.closes_at = longest
        else:
            self.closes_at = min(self._last_active + span.time_out, longest)
        self.closes_at = max(self.closes_at, self._last_touch)

    def _end(self, now: datetime) -> tuple[str, str, datetime | None]:
        """State, outcome and end. One that is given up ends with what was done last."""
        if self._ended_at is not None:
            return COMPLETED, self._outcome, self._ended_at
        if now <= self.closes_at:
            return OPEN, "", None
        return ABANDONED, given_up_as(self.seen.step), self._last_touch


class Window:
    """A journey that was started by a call, and what joins it while it is open."""

    def __init__(self, called: Called, spans: Spans) -> None:
        self.called, self.lane = called, LANES[called.intent]
        self.joined: list[TouchRow] = []
        self.switches: list[SwitchNote] = []
        self._span = spans.by_intent[called.intent]
        self._trail = Trail()
        self._last_active = called.started_at

    @property
    def note(self) -> CalledNote:
        """What is noted on the journey itself."""
        closes_at = self.called.ended_at or self._last_active + self._span.time_out
        return CalledNote(self.called.id, self._last_active, max(closes_at, self._last_active))

    def takes(self, at: datetime) -> bool:
        """Whether something that happens at a moment joins it."""
        ended_at = self.called.ended_at
        return (ended_at is None or at <= ended_at) and at <= self._last_active + self._span.time_out

    def join(self, touch: Touch) -> None:
        """An interaction joins it."""
        before = self._trail.step(touch.channel, touch.at, self._span.pause)
        self.joined.append(_joined(touch, self.called.id, before, self._trail.visit))
        if touch.kind not in PASSIVE:
            self._last_active = touch.at

    def add(self, touch: CalledTouch) -> None:
        """A call adds something to it."""
        before = self._trail.step(touch.channel, touch.at, self._span.pause)
        self.switches.append(SwitchNote(touch.id, before, self._trail.visit))
        self._last_active = max(self._last_active, touch.at)


def _joined(touch: Touch, journey: int, before: int | None, visit: int) -> TouchRow:
    return TouchRow(
        RECOGNISED + touch.id, journey, touch.channel, touch.id, touch.kind, touch.sku, touch.at, before, visit
    )


def given_up_as(step: str) -> str:
    """The outcome of a journey that is given up, by the furthest step that it reached."""
    return GIVEN_UP_AS.get(step, LEFT_OFF)


def leaves_cart(state: str, outcome: str) -> bool:
    """Whether a journey that stands so has left a cart behind, which is a step of its own."""
    return state == ABANDONED and outcome in (CART_LEFT, CHECKOUT_LEFT)


def left_cart(journey: int, channel: int, at: datetime, visit: int) -> TouchRow:
    """The step that a cart was left at the end of a journey, on the channel of its last step."""
    number = LEFT - RECOGNISED + journey
    return TouchRow(number, journey, channel, None, CART_ABANDONMENT, "", at, None, visit)


def outcome_of(order: Placed) -> str:
    """How a journey ends that led to an order."""
    return ORDER_CANCELLED if order.is_cancelled else ORDERED


def value_of(order: Placed | None) -> Decimal | None:
    """What a journey came to: the order's goods after discount, nothing where it was cancelled."""
    if order is None:
        return None
    return Decimal(0) if order.is_cancelled else order.value
