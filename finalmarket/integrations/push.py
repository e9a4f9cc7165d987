"""Telling a platform what changed here: the drain of the due rows.

Due rows are claimed by their state, the newest absolute value is read for all of them at once, sent in the platform's
batch size, and each row is settled by the version that was claimed. Delivery is at least once; since the values are
absolute and every try has the same key, the effect is exactly once. The job that calls this is only a wake-up call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from finalmarket.channels.due import EVERYTHING, mark_due
from finalmarket.connectors.contract import Connector
from finalmarket.connectors.errors import (
    ConnectorError,
    NotSupported,
    OutcomeUnknown,
    Rejected,
    RetryLater,
)
from finalmarket.connectors.paging import READING_ERRORS
from finalmarket.integrations import breaker, pull, settling
from finalmarket.integrations.accounts import open_connector
from finalmarket.integrations.connect import need_attention
from finalmarket.integrations.lanes import Lane, lane
from finalmarket.integrations.models import ChannelIntegration, DeadLetter
from finalmarket.integrations.telling import QUERIES, Claim, Telling, Ware, can, linked, rows
from finalmarket.integrations.telling_content import Contents
from finalmarket.integrations.telling_prices import Prices
from finalmarket.integrations.telling_stock import Stock, newest, places_of
from finalmarket.kernel import clock, failpoints, measures
from finalmarket.kernel.errors import UserError

LANE = "push"
MOST_BATCHES = 200
"""So many batches one run sends at most before it lets another job have the worker; the next run goes on."""
MOST_CALLS_TOGETHER = 20
SECONDS_TOGETHER = 0.25
"""As many calls as went out in so short a time are claimed, read and settled together: a backlog goes out as fast as
the platform allows, and no number is older than that when it is sent."""
TRIES_TOGETHER = 2
"""A row that failed so often with others is told alone: if it is what fails, the others are free of it."""


@dataclass
class Pushed:
    """What a run did: listings that were told, refused and put off. `reason` says why it stopped or did nothing."""

    told: int = 0
    refused: int = 0
    put_off: int = 0
    reason: str = ""


def wares() -> tuple[Ware[Any], ...]:
    """What platforms are told, in this order: a listing is made before it has stock and a price."""
    return (Contents(), Prices(), Stock())


def push(integration_id: int) -> Pushed:
    """Tell the platform all that is due, if nobody else is doing so; nothing while the account is not active, its
    breaker is open, or `push_from` has not come. Raises nothing that a platform did: it is written down instead."""
    integration = ChannelIntegration.objects.get(pk=integration_id)
    reason = reason_not_to_push(integration)
    if reason:
        return Pushed(reason=reason)
    with lane(integration_id, LANE) as held:
        if held is None:
            return Pushed(reason="somebody else is at it")
        with opened(integration) as connector:
            if connector is None:
                return Pushed(reason=integration.status_reason)
            done = _Drain(integration, connector, held).run()
    measures.count_pushed(str(integration), done.told, done.refused, done.put_off)
    return done


@contextmanager
def opened(integration: ChannelIntegration) -> Iterator[Connector | None]:
    """A connector for the account, closed at the end; None where none can be opened, and then a person is asked: the
    platform has no connector any more, or a stored secret cannot be read."""
    try:
        connector = open_connector(integration)
    except (NotSupported, UserError) as error:
        need_attention(integration, str(error))
        yield None
        return
    try:
        yield connector
    finally:
        connector.close()


def reason_not_to_push(integration: ChannelIntegration) -> str:
    """Why nothing may be told to this account now, "" when it may."""
    if integration.status != ChannelIntegration.Status.ACTIVE:
        return f"the account is {integration.get_status_display().lower()}"
    if integration.push_from is None or integration.push_from > clock.now():
        return "pushing has not begun"
    return ""


def replay(integration: ChannelIntegration, letter: DeadLetter) -> None:
    """Have a refused listing told again, with its newest value."""
    listing_id, what = letter.payload.get("listing"), letter.payload.get("what")
    if isinstance(listing_id, int) and what in EVERYTHING:
        with failpoints.around("push.replay"):
            mark_due("listings", [listing_id], what)


def forget(before: datetime, *, most: int) -> int:
    """Remove the oldest records of tellings before that moment, at most so many; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["tidy"], {"before": before, "most": most})
        return int(cursor.rowcount)


REPLAYS = {f"push_{ware.what}": replay for ware in wares()}
"""How refused tellings are tried again, by the stream of their dead letters."""


@dataclass
class _Batch:
    """Some tellings of one ware on their way, and what the platform said of them so far. `trying` are the listings of
    the call under way."""

    ware: Ware[Any]
    tellings: list[Telling[Any]]
    trying: set[int] = field(default_factory=set)
    records: dict[int, int] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    answered: set[int] = field(default_factory=set)

    def open(self) -> list[Telling[Any]]:
        """Those of which nothing is known yet."""
        return [telling for telling in self.tellings if telling.claim.listing_id not in self.answered]

    def closed(self) -> list[Telling[Any]]:
        """Those of which the platform said something."""
        return [telling for telling in self.tellings if telling.claim.listing_id in self.answered]


class _Drain:
    """One run for one account."""

    def __init__(self, integration: ChannelIntegration, connector: Connector, held: Lane) -> None:
        self._integration, self._connector, self._lane = integration, connector, held
        self._done = Pushed()
        self._calls_together = 1

    def run(self) -> Pushed:
        chosen = [ware for ware in wares() if can(self._connector, ware)]
        try:
            self._drop_untold(chosen)
            self._run(chosen)
        except ConnectorError as error:
            breaker.note_failure(self._integration, error)
            self._done.reason = str(error)
        except _LaneLost:
            self._done.reason = "the lane was lost"
        return self._done

    def _run(self, chosen: Sequence[Ware[Any]]) -> None:
        """Where orders are caught up with, that is also how it is found out whether the platform is back."""
        waiting = [ware.what for ware in chosen if self._waits(ware)]
        if not waiting:
            return
        is_caught_up = Stock.what not in waiting or pull.catch_up_orders(self._integration)
        if not breaker.may_call(self._integration.pk):
            self._done.reason = "the platform is left alone for a while"
            return
        for ware in chosen:
            if ware.what != Stock.what or is_caught_up:
                self._drain(ware)

    def _drop_untold(self, chosen: Sequence[Ware[Any]]) -> None:
        with transaction.atomic():
            told = [ware.what for ware in chosen]
            dropped = rows("drop_untold", integration=self._integration.pk, told=told)
            self._let_stock_follow([listing_id for (listing_id,) in dropped])
            failpoints.hit("push.before_drop")
        failpoints.hit("push.after_drop")

    def _let_stock_follow(self, listing_ids: Sequence[int]) -> None:
        """What is switched off, or has lost its price, is sold out there: whoever changed it marked only that."""
        if not listing_ids or not can(self._connector, Stock()):
            return
        links = list(linked(listing_ids).values())
        units = newest(self._integration, links, places_of(self._integration))
        differing = [link.listing_id for link in links if sum(units[link.listing_id].values()) != link.told_quantity]
        if differing:
            with failpoints.around("push.follow"):
                mark_due("listings", differing, "stock")

    def _drain(self, ware: Ware[Any]) -> None:
        self._calls_together = 1
        for _ in range(MOST_BATCHES):
            if ware.what == Stock.what and self._waits(ware) and not pull.catch_up_orders(self._integration):
                self._done.reason = "the newest orders of the channel are not known; no number is told without them"
                return
            with failpoints.around("push.claim"):
                claims = self._claim(ware)
            if not claims:
                return
            if ware.what != Stock.what:
                self._let_stock_follow([claim.listing_id for claim in claims])
            began = time.monotonic()
            for group in _groups(claims):
                self._tell(_Batch(ware, ware.read(self._integration, group)))
            in_time = self._calls_together * SECONDS_TOGETHER / max(time.monotonic() - began, 1e-6)
            self._calls_together = max(1, min(MOST_CALLS_TOGETHER, int(in_time)))

    def _waits(self, ware: Ware[Any]) -> bool:
        return bool(rows("waits", integration=self._integration.pk, what=ware.what))

    def _claim(self, ware: Ware[Any]) -> list[Claim]:
        found = rows(
            "claim", integration=self._integration.pk, what=ware.what, seconds=settling.CLAIM_SECONDS,
            limit=self._most(ware) * self._calls_together,
        )  # fmt: skip
        # Who failed least often comes first: one at which the platform always breaks ends each run when its turn comes.
        return sorted((Claim(*row) for row in found), key=lambda one: (one.attempts, one.due_since, one.listing_id))

    def _most(self, ware: Ware[Any]) -> int:
        return ware.most(self._integration, self._connector)

    def _tell(self, batch: _Batch) -> None:
        """Send a batch and settle it. What the platform did not answer is put off, and the failure goes on upwards."""
        try:
            self._ask(batch)
            self._say_refusals(batch)
            self._send(batch)
        except ConnectorError as error:
            self._settle(batch)
            self._put_off(batch, error)
            raise
        except _LaneLost:
            self._settle(batch)
            raise
        self._settle(batch)
        breaker.note_success(self._integration.pk, stream="push")

    def _put_off(self, batch: _Batch, error: ConnectorError) -> None:
        """What the failed call was about may have happened; what was not reached certainly did not, and is not counted
        as tried."""
        waiting = batch.open()
        tried = [telling for telling in waiting if telling.claim.listing_id in batch.trying]
        others = [telling for telling in waiting if telling.claim.listing_id not in batch.trying]
        settling.put_off(self._integration, batch.ware, tried, batch.records, error)
        wait = error.retry_after if isinstance(error, RetryLater) and error.retry_after else 0.0
        not_reached = RetryLater(f"not reached: {error}", retry_after=wait)
        settling.put_off(self._integration, batch.ware, others, batch.records, not_reached)
        self._done.put_off += len(waiting)

    def _ask(self, batch: _Batch) -> None:
        """Find out what became of earlier tryings that ended without a word."""
        doubtful = [telling for telling in batch.tellings if telling.claim.was_claimed]
        if not doubtful:
            return
        batch.trying = {telling.claim.listing_id for telling in doubtful}
        failpoints.hit("push.before_ask")
        again, there = batch.ware.ask(self._connector, doubtful)
        failpoints.hit("push.after_ask")
        shown = [telling for telling in doubtful if telling.claim.listing_id in there]
        settling.settle(self._integration, batch.ware, shown, {}, {}, reason=settling.ASKED)
        certain = [telling for telling in batch.tellings if not telling.claim.was_claimed]
        batch.tellings = [*certain, *again]
        self._done.told += len(shown)

    def _say_refusals(self, batch: _Batch) -> None:
        """Set aside what there is nothing to tell of."""
        for telling in batch.tellings:
            if telling.refusal:
                batch.refused[telling.claim.listing_id] = telling.refusal
                batch.answered.add(telling.claim.listing_id)

    def _send(self, batch: _Batch) -> None:
        saying = batch.open()
        if not saying:
            return
        batch.trying = set()
        with failpoints.around("push.begin"):
            batch.records = settling.begin(self._integration, batch.ware, saying)
        most = self._most(batch.ware)
        for start in range(0, len(saying), most):
            self._send_part(batch, saying[start : start + most])

    def _send_part(self, batch: _Batch, part: Sequence[Telling[Any]]) -> None:
        """Send as much as goes into one call, of what nobody else has taken over meanwhile."""
        if not self._lane.is_held():
            raise _LaneLost
        ours = settling.renewed(self._integration, batch.ware, part)
        failpoints.hit("push.before_send")
        kept = {telling.claim.listing_id for telling in ours}
        lost = {telling.claim.listing_id for telling in part} - kept
        batch.tellings = [telling for telling in batch.tellings if telling.claim.listing_id not in lost]
        if not ours:
            return
        batch.trying = kept
        _deliver(batch, ours, lambda some: batch.ware.send(self._connector, some))
        failpoints.hit("push.after_send")

    def _settle(self, batch: _Batch) -> None:
        closed = batch.closed()
        settling.settle(self._integration, batch.ware, closed, batch.refused, batch.records)
        self._done.refused += len(batch.refused)
        self._done.told += len(closed) - len(batch.refused)


class _LaneLost(Exception):
    """The database forgot that we hold the lane: somebody else may be sending."""


def _deliver(batch: _Batch, part: Sequence[Telling[Any]], send: Callable[[Sequence[Telling[Any]]], Any]) -> None:
    """Send a part of a batch. Where the platform refuses it as a whole, its halves are sent for themselves, until the
    one that is refused stands alone."""
    try:
        refused = {listing_id: str(error) for listing_id, error in send(part).items()}
    except (Rejected, NotSupported, *READING_ERRORS) as error:
        if len(part) > 1:
            middle = len(part) // 2
            _deliver(batch, part[:middle], send)
            _deliver(batch, part[middle:], send)
            return
        (alone,) = part
        if not isinstance(error, ConnectorError) and not alone.ref.ids:
            raise OutcomeUnknown(f"{type(error).__name__}: {error}") from error  # it may stand there now
        words = str(error) if isinstance(error, ConnectorError) else f"{type(error).__name__}: {error}"
        refused = {alone.claim.listing_id: words}
    batch.refused |= {listing_id: words or "refused without a reason" for listing_id, words in refused.items()}
    batch.answered |= {telling.claim.listing_id for telling in part}


def _groups(claims: Sequence[Claim]) -> list[list[Claim]]:
    """All together, but those alone that failed with others before."""
    together = [claim for claim in claims if claim.attempts < TRIES_TOGETHER]
    return [group for group in (together, *([claim] for claim in claims if claim.attempts >= TRIES_TOGETHER)) if group]
