"""What platforms that keep books have yet to be told is found by looking at our own records, so that none is forgotten:
those that changed within a window. A short window is looked through every second, longer ones every minute, hour and
night, for what was committed late or while no worker ran.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection

from finalmarket.connectors.contract import PushesFulfilments
from finalmarket.connectors.errors import NotSupported
from finalmarket.integrations import duties
from finalmarket.integrations.accounts import connector_class
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.integrations.notices import KNOWN
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("finding.sql"))
EACH_SECOND = timedelta(seconds=20)
EACH_MINUTE = timedelta(minutes=10)
EACH_HOUR = timedelta(days=1)
EACH_NIGHT = timedelta(days=60)
MOST_EVENT_AGE = timedelta(days=14)
"""Events are looked for so far back, and no further; see `events.KEPT_DAYS`."""
RECORDS = ("orders", "customers", "audience")
"""The duties of which there is a past that can be sent."""
ALL = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Books:
    """An account that keeps books: what for, and from when on each is its business. `is_for_agreed` accounts hear only
    of people who agreed to the newsletter; `hears_parcels` says that parcels of orders are told it."""

    integration: ChannelIntegration
    orders: datetime | None
    customers: datetime | None
    movements: datetime | None
    events: datetime | None
    is_for_agreed: bool
    hears_parcels: bool


def books_of(integration: ChannelIntegration) -> Books:
    """What an account keeps."""
    has = {name: duties.does(integration, name) for name in ("orders", "customers", "audience", "movements", "events")}
    people = "customers" if has["customers"] else "audience"
    return Books(
        integration,
        orders=begun(integration, "orders") if has["orders"] else None,
        customers=begun(integration, people) if has[people] else None,
        movements=duties.since(integration, "movements") if has["movements"] else None,
        events=duties.since(integration, "events") if has["events"] else None,
        is_for_agreed=has["audience"] and not has["customers"],
        hears_parcels=has["orders"] and issubclass(_connector(integration), PushesFulfilments),
    )


def begun(integration: ChannelIntegration, duty: str) -> datetime:
    """From when on records are told by themselves: since the duty was switched on, else since the account was
    connected."""
    said = integration.duties.get(duty)
    if isinstance(said, str):
        return datetime.fromisoformat(said)
    return integration.connected_at or integration.created_at


def all_books() -> list[Books]:
    """What every account keeps that may be told of anything, now or later."""
    return [books_of(one) for one in ChannelIntegration.objects.filter(status__in=KNOWN).order_by("pk")]


def find(within: timedelta = EACH_SECOND, *, is_thorough: bool = False) -> int:
    """Find what accounts have yet to be told of what changed within that time; return how much. `is_thorough` also
    looks for changes that left no entry in an order's history."""
    books = all_books()
    found = _find_records(books, clock.now() - within, is_thorough=is_thorough)
    return found + _find_events(books, clock.now() - min(within, MOST_EVENT_AGE))


def _find_records(books: Sequence[Books], since: datetime, *, is_thorough: bool) -> int:
    given = {"since": since, "is_thorough": is_thorough}
    found = 0
    orders = [(one.integration.pk, one.orders) for one in books if one.orders]
    if orders:
        with failpoints.around("books.find_orders"):
            found += _run("orders", **given, **_columns(orders, "accounts", "begun"))
    people = [(one.integration.pk, one.customers, one.is_for_agreed) for one in books if one.customers]
    if people:
        with failpoints.around("books.find_customers"):
            found += _run("customers", **given, only=None, **_columns(people, "accounts", "begun", "agreed"))
    return found


def _find_events(books: Sequence[Books], since: datetime) -> int:
    found = 0
    moving = [(one.integration.pk, one.movements, one.hears_parcels) for one in books if one.movements]
    if moving:
        with failpoints.around("books.find_movements"):
            found += _run("movements", since=since, **_columns(moving, "accounts", "begun", "parcels"))
    hearing = [(one.integration.pk, one.events) for one in books if one.events]
    if hearing:
        columns = _columns(hearing, "accounts", "begun")
        with failpoints.around("books.find_interactions"):
            found += _run("interactions", since=since, **columns)
        with failpoints.around("books.find_purchases"):
            found += _run("purchases", since=since, **columns)
    return found


def find_people(books: Books, people: Sequence[int]) -> None:
    """Find whether the account has yet to be told something of these people (by their canonical profiles), now."""
    if books.customers and people:
        columns = _columns(
            [(books.integration.pk, books.customers, books.is_for_agreed)], "accounts", "begun", "agreed"
        )
        _run("customers", since=clock.now() - EACH_SECOND, is_thorough=False, only=list(people), **columns)


def send_what_is_there(integration: ChannelIntegration, duty: str, since: datetime | None = None) -> int:
    """Have everything of a duty (orders, customers or audience) told that there is since a moment (None: all); return
    how many records were not known to the account yet.

    Raises UserError for an account that does not have that duty, or whose duty tells of no records.
    """
    books = books_of(integration)
    if duty not in RECORDS:
        raise UserError(f"there is no past of {duty or 'nothing'} to be sent: choose {', '.join(RECORDS)}")
    if not duties.does(integration, duty):
        raise UserError(f"{integration} is not told {duty}; switch that on first")
    name = "past_orders" if duty == "orders" else "past_customers"
    with failpoints.around("books.send_past"):
        return _run(name, integration=integration.pk, begun=since or ALL, is_for_agreed=books.is_for_agreed)


def _run(query: str, **values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[query], {"now": clock.held(), **values})
        return int(cursor.rowcount)


def _columns(rows: Iterable[tuple[Any, ...]], *names: str) -> dict[str, list[Any]]:
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def _connector(integration: ChannelIntegration) -> type:
    try:
        return connector_class(integration)
    except NotSupported:
        return object  # its health says so
