"""The clerk behind the desk (stock/desk.py): carries batches to the database over a connection of its own.

What can go wrong on the way ends here. A deadlock is tried again. A connection that dies is replaced and the batch is
sent again under the same keys, so that nothing is held twice and nothing that was granted is lost. A batch that the
database refuses is halved until the one at fault stands alone.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any, NamedTuple

import psycopg
from django.db import connections
from psycopg import errors
from psycopg.abc import PQGen

from finalmarket.kernel import failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import open_connection
from finalmarket.kernel.trouble import FULL, READ_ONLY, trouble_of
from finalmarket.stock.bells import Bell
from finalmarket.stock.reserve import RESERVE_SQL, Request, Verdict, verdicts

Connection = psycopg.Connection[tuple[Any, ...]]

APPLICATION_NAME = "finalmarket desk"
MOST_RETRIES = 20
PATIENCE_SECONDS = 30.0
# A connection that lives long keeps plans that were made while tables were small: they are made anew after so many
# calls, and then each time eight times as many have gone by.
FIRST_PLANNING = 8
TRANSIENT = (errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable, errors.QueryCanceled)
# A peer that vanished without a word is noticed after 25 s instead of two hours.
KEEPALIVES = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}


class DeskDown(RuntimeError):
    """The database could not be reached for PATIENCE_SECONDS. Whether a request was settled is not known: ask again
    under the same key."""


# What goes into each array of `stock_reserve` for one request, but the numbers of its lines.
Spelled = tuple[str, ...]


class Ticket:
    """One wish of a caller, and what became of it: an answer or an error."""

    __slots__ = (
        "answer", "bell", "error", "lines", "since", "spelled", "submissions", "taken", "was_lost", "wish", "withdrawn",
    )  # fmt: skip

    def __init__(self, wish: Any, bell: Bell, lines: int = 1, spelled: Spelled = ()) -> None:
        self.wish = wish
        self.bell = bell
        self.lines = lines
        self.spelled = spelled
        self.since = time.monotonic()
        self.answer: Any = None
        self.error: Exception | None = None
        self.submissions = 0
        self.taken = False
        self.withdrawn = False
        self.was_lost = False


class Errand(NamedTuple):
    """What tickets of one batch have in common: the verb, and on whose behalf."""

    carry_out: Callable[[Connection, Sequence[Ticket], str], Sequence[Any]]
    actor: str


@dataclass(slots=True)
class Clerk:
    """One connection and the patience to use it. Belongs to one thread."""

    pause: Callable[[float], None] = time.sleep
    _connection: Connection | None = None
    _calls: int = 0
    _next_planning: int = FIRST_PLANNING
    _once_sent: Callable[[], None] | None = None

    def settle(self, errand: Errand, tickets: Sequence[Ticket], once_sent: Callable[[], None] | None = None) -> None:
        """Give every ticket its answer or its error; raises nothing.

        Calls `once_sent` when the database is at work, or cannot be reached at once, or in the end.
        """
        self._once_sent = once_sent
        self._settle(errand, tickets)
        self._tell()

    def _settle(self, errand: Errand, tickets: Sequence[Ticket]) -> None:
        try:
            answers = self._carry(errand, tickets)
        except DeskDown as down:
            for ticket in tickets:
                ticket.error = down
        except Exception as error:
            if len(tickets) == 1 or trouble_of(error) in (FULL, READ_ONLY):  # no request is at fault
                for ticket in tickets:
                    ticket.error = error
                return
            middle = len(tickets) // 2
            self._settle(errand, tickets[:middle])
            self._settle(errand, tickets[middle:])
        else:
            for ticket, answer in zip(tickets, answers, strict=True):
                ticket.answer = answer

    def close(self) -> None:
        """Close the connection; the next batch opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _carry(self, errand: Errand, tickets: Sequence[Ticket]) -> Sequence[Any]:
        """Send the batch until it is answered. Raises DeskDown, or what the database has against it."""
        retries = 0
        while True:
            connection = self._connect()
            try:
                self._plan_anew(connection)
                failpoints.hit("desk.before_send")
                answers = errand.carry_out(connection, tickets, errand.actor)
                failpoints.hit("desk.before_answer")
                return answers
            except TRANSIENT:
                retries += 1
                if connection.broken or retries > MOST_RETRIES:
                    raise
                self.pause(random.uniform(0, 0.002 * retries))  # noqa: S311  spreads the rivals, no secret
            except Exception:
                if not connection.broken:
                    raise
                # It may have been settled or not: the keys will tell.
                self.close()
                retries += 1
                if retries > MOST_RETRIES:
                    raise
                for ticket in tickets:
                    ticket.was_lost = True

    def _plan_anew(self, connection: Connection) -> None:
        self._calls += 1
        if self._calls >= self._next_planning:
            self._next_planning *= 8
            connection.execute("DISCARD PLANS")

    def _listen(self, connection: Connection) -> None:
        """Have `once_sent` called when an errand has been sent, before its answer is waited for."""
        wait = connection.wait

        def wait_and_tell(talk: PQGen[Any], *arguments: Any, **named: Any) -> Any:
            return wait(talk if self._once_sent is None else self._telling(talk), *arguments, **named)

        connection.wait = wait_and_tell  # type: ignore[assignment,method-assign]

    def _telling(self, talk: PQGen[Any]) -> PQGen[Any]:
        """As `talk`, which pauses each time that it has to wait for the server; tells at the first pause."""
        try:
            wanted = next(talk)
            self._tell()
            while True:
                wanted = talk.send((yield wanted))
        except StopIteration as end:
            return end.value

    def _tell(self) -> None:
        tell, self._once_sent = self._once_sent, None
        if tell is not None:
            tell()

    def _connect(self) -> Connection:
        """The connection, opened anew when there is none. Raises DeskDown after PATIENCE_SECONDS of trying."""
        if self._connection is not None and not self._connection.closed:
            return self._connection
        self._tell()
        waited, wait = 0.0, 0.05
        while True:
            try:
                self._connection = _open()
                self._listen(self._connection)
                self._calls, self._next_planning = 0, FIRST_PLANNING
                return self._connection
            except (UserError, psycopg.OperationalError) as error:
                if waited >= PATIENCE_SECONDS:
                    raise DeskDown(f"the stock desk has lost the database: {error}") from error
            self.pause(wait)
            waited += wait
            wait = min(1.0, wait * 2)


def _open() -> Connection:
    settings = connections["default"].settings_dict
    options = {**KEEPALIVES, **settings["OPTIONS"], "application_name": APPLICATION_NAME}
    return open_connection({**settings, "OPTIONS": options})


def carry_reservations(connection: Connection, tickets: Sequence[Ticket], actor: str) -> list[Verdict]:
    """Settle requests by one call of `stock_reserve`, in the order of the tickets."""
    row = connection.execute(RESERVE_SQL, (*_literals(tickets), actor)).fetchone()
    answers = verdicts(row or ((), (), (), ()))
    if any(ticket.was_lost for ticket in tickets):
        _own_up(tickets, answers)
    return answers


def _own_up(tickets: Sequence[Ticket], answers: list[Verdict]) -> None:
    """After a lost connection, the first "duplicate" under a key is our own grant whose answer was lost."""
    seen: set[str] = set()
    for n, (ticket, answer) in enumerate(zip(tickets, answers, strict=True)):
        if answer.outcome == "duplicate" and ticket.was_lost and ticket.wish.key not in seen:
            answers[n] = answer._replace(outcome="granted")
        seen.add(ticket.wish.key)


def carry_confirmations(connection: Connection, tickets: Sequence[Ticket], actor: str) -> list[bool]:
    """Turn holds into promises by one call of `stock_confirm`; True for each that is one now, or was before."""
    numbers = [ticket.wish for ticket in tickets]
    connection.execute("SELECT stock_confirm(%s::bigint[], %s, '')", [numbers, actor])
    return _in_state(connection, numbers, ["confirmed", "closed"])


def carry_releases(connection: Connection, tickets: Sequence[Ticket], actor: str) -> list[bool]:
    """Give back holds by one call of `stock_close`; True for each whose units are back now, or were before."""
    numbers = [ticket.wish for ticket in tickets]
    with connection.transaction():
        connection.execute(
            """SELECT stock_close('release', array_agg(reservation_id), array_agg(position), array_agg(NULL::int), %s,
                                  array_agg(''::text), 'given back')
               FROM reservation_line WHERE reservation_id = ANY (%s::bigint[]) HAVING count(*) > 0""",
            [actor, numbers],
        )
        connection.execute(
            """SELECT stock_backfill(array_agg(DISTINCT variant_id), %s)
               FROM reservation_line WHERE reservation_id = ANY (%s::bigint[]) HAVING count(*) > 0""",
            [actor, numbers],
        )
    return _in_state(connection, numbers, ["released", "expired"])


def _in_state(connection: Connection, numbers: list[int], states: list[str]) -> list[bool]:
    rows = connection.execute(
        "SELECT id FROM reservation WHERE id = ANY (%s::bigint[]) AND state = ANY (%s)", [numbers, states]
    )
    found = {row[0] for row in rows}
    return [number in found for number in numbers]


def spell(request: Request) -> Spelled:
    """A request as PostgreSQL writes elements of arrays; raises TypeError for what is no whole number.

    Five times as fast as adapting each element, and done by its caller, while the database is at work for others.
    """
    return (
        _quoted(request.key),
        str(request.body_hash),
        str(index(request.channel_id)),
        str(index(request.mode)),
        str(index(request.hold_seconds)),
        "NULL" if request.location_id is None else str(index(request.location_id)),
        ",".join([str(index(variant)) for variant, _ in request.lines]),
        ",".join([str(index(units)) for _, units in request.lines]),
    )


def _literals(tickets: Sequence[Ticket]) -> tuple[str, ...]:
    """The arrays of `stock_reserve`: six of requests, then three of lines, of which a request may have none."""
    spelled = [ticket.spelled for ticket in tickets]
    requests = ["{" + ",".join([one[n] for one in spelled]) + "}" for n in range(6)]
    numbers = [",".join([str(n)] * ticket.lines) for n, ticket in enumerate(tickets, 1) if ticket.lines]
    lines = [[one[n] for one in spelled if one[n]] for n in (6, 7)]
    return (*requests, *["{" + ",".join(array) + "}" for array in (numbers, *lines)])


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
