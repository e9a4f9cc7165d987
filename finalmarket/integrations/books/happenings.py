"""What customers do and buy, in a connector's words: only what they agreed to, under a pseudonym.

The agreement is asked for when an event is about to be sent. Of what a shop wrote down along with it only plain facts
of the visit go out: no address, no name, no part of a link behind its path.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from finalmarket.connectors.talk import AnalyticsEvent, EventItem
from finalmarket.customers.consents import ADS, ANALYTICS, words_of
from finalmarket.integrations.models import ChannelIntegration, DueEvent
from finalmarket.integrations.telling import from_json, key_of
from finalmarket.kernel import clock
from finalmarket.kernel.money import quantize
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("events.sql"))
NAMES = {"product_view": "view_item", "checkout_start": "begin_checkout"}
VALUES = ("search_term", "query", "category", "source", "medium", "campaign", "list", "rating", "method")
"""What of an interaction's context may go out as it stands."""
NO_CONSENT = "no consent to analytics"
NOBODY = "nobody is known who could have agreed"
GONE = "it is not there any more"
MOST_LETTERS = 200
Kind = DueEvent.Kind
Row = tuple[Any, ...]
QUERY_OF: Mapping[str, str] = {Kind.INTERACTION: "interactions", Kind.PURCHASE: "purchases", Kind.REFUND: "refunds"}


@dataclass(slots=True)
class Happenings:
    """Events on their way to one account, by the id of the due event; `withheld` says which are not told, and why."""

    events: dict[int, AnalyticsEvent] = field(default_factory=dict)
    withheld: dict[int, str] = field(default_factory=dict)


def read(
    integration: ChannelIntegration, due: Sequence[tuple[int, str, int]], most_age: timedelta | None
) -> Happenings:
    """What the account is told of these (id, kind, our record) now: the same few queries, however many there are."""
    facts = {kind: _rows(query, due, kind) for kind, query in QUERY_OF.items()}
    consents = words_of(sorted({row[3] for found in facts.values() for row in found if row[3] is not None}))
    made = _Making(integration, consents, most_age)
    told: dict[str, list[Row]] = {kind: [row for row in found if made.is_told(row)] for kind, found in facts.items()}
    made.read_around(told)
    done = Happenings(withheld=made.withheld)
    numbers = {event: local_id for event, _, local_id in due}
    for kind, found in told.items():
        for row in found:
            done.events[row[0]] = made.event(kind, row, numbers[row[0]])
    done.withheld |= {event: GONE for event, _, _ in due if event not in done.events and event not in made.withheld}
    return done


def _rows(query: str, due: Sequence[tuple[int, str, int]], kind: str) -> list[Row]:
    mine = [(event, local_id) for event, its, local_id in due if its == kind]
    if not mine:
        return []
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[query], {"events": [one for one, _ in mine], "rows": [one for _, one in mine]})
        return list(cursor.fetchall())


class _Making:
    """What is needed to make events of what was read."""

    def __init__(
        self, integration: ChannelIntegration, consents: Mapping[int, Mapping[str, bool]], most_age: timedelta | None
    ) -> None:
        self._integration, self._consents = integration, consents
        self._oldest = clock.now() - most_age if most_age else None
        self._items: Mapping[int, list[EventItem]] = {}
        self._articles: Mapping[str, _Article] = {}
        self.withheld: dict[int, str] = {}

    def is_told(self, row: Row) -> bool:
        """Whether this may go out; if not, why is kept. Rows begin with event, record or type, moment and person."""
        event, _, at, person = row[:4]
        if person is None:
            self.withheld[event] = NOBODY
        elif not self._consents.get(person, {}).get(ANALYTICS):
            self.withheld[event] = NO_CONSENT
        elif self._oldest is not None and at < self._oldest:
            self.withheld[event] = f"it happened at {at:%Y-%m-%d %H:%M} UTC: too old for the platform"
        else:
            return True
        return False

    def read_around(self, told: Mapping[str, Sequence[Row]]) -> None:
        """Read the lines of the orders and the articles that were looked at."""
        orders = [row[1] for row in told[Kind.PURCHASE]]
        skus = {sku for row in told[Kind.INTERACTION] for sku in _skus(from_json(row[6]))}
        self._items = _items(orders) if orders else {}
        self._articles = _articles(sorted(skus)) if skus else {}

    def event(self, kind: str, row: Row, local_id: int) -> AnalyticsEvent:
        """The event that a row is."""
        _, _, at, person, channel, currency = row[:6]
        common: dict[str, Any] = {
            "key": key_of(self._integration, kind, local_id), "at": at, "client_id": pseudonym(person),
            "allows_ads": self._consents[person].get(ADS) is True, "channel": channel, "currency": currency,
        }  # fmt: skip
        if kind == Kind.INTERACTION:
            return self._interaction(row[1], from_json(row[6]), common)
        if kind == Kind.REFUND:
            return AnalyticsEvent(name="refund", order_number=row[6], amount=quantize(row[7], currency), **common)
        number, total, tax, shipping = row[6:10]
        return AnalyticsEvent(
            name="purchase", order_number=number, amount=quantize(total, currency), tax=quantize(tax, currency),
            shipping=quantize(shipping, currency), items=tuple(self._items.get(row[1], ())), **common,
        )  # fmt: skip

    def _interaction(self, kind: str, context: Mapping[str, Any], common: Mapping[str, Any]) -> AnalyticsEvent:
        values = {name: _impersonal(context.get(name)) for name in VALUES}
        values["page"] = _impersonal(_path(context.get("page") or context.get("url")))
        items = tuple(self._item(sku, context, common["currency"]) for sku in _skus(context))
        return AnalyticsEvent(
            name=NAMES.get(kind, kind), session_id=_text(context.get("session_id") or context.get("session")),
            device=_text(context.get("device")), items=items,
            values={name: value for name, value in values.items() if value}, **common,
        )  # fmt: skip

    def _item(self, sku: str, context: Mapping[str, Any], currency: str) -> EventItem:
        article = self._articles.get(sku, _Article())
        price = _amount(context.get("price"))
        return EventItem(
            sku=sku, title=article.title, brand=article.brand, quantity=_units(context.get("quantity")),
            unit_price=article.prices.get(currency, Decimal(0)) if price is None else price,
        )  # fmt: skip


def pseudonym(person: int) -> str:
    """The name under which platforms know a person: always the same, and nothing that one could get back from it
    without the secret of this installation."""
    digest = hmac.new(settings.SECRET_KEY.encode(), f"finalmarket.pseudonym:{person}".encode(), "sha256").hexdigest()
    return digest[:32]


@dataclass(frozen=True, slots=True)
class _Article:
    title: str = ""
    brand: str = ""
    prices: Mapping[str, Decimal] = field(default_factory=dict)


def _items(orders: Sequence[int]) -> Mapping[int, list[EventItem]]:
    found: dict[int, list[EventItem]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["items"], {"orders": list(orders)})
        for order, sku, title, quantity, unit_price, brand in cursor.fetchall():
            found[order].append(
                EventItem(sku=sku, title=title, quantity=quantity, unit_price=Decimal(unit_price), brand=brand)
            )
    return found


def _articles(skus: Sequence[str]) -> Mapping[str, _Article]:
    found: dict[str, _Article] = {}
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["articles"], {"skus": list(skus)})
        for sku, title, brand, currency, amount in cursor.fetchall():
            known = found.get(sku, _Article(title, brand))
            prices = {**known.prices, currency: amount} if currency else known.prices
            found[sku] = _Article(title, brand, prices)
    return found


def _skus(context: Mapping[str, Any]) -> list[str]:
    given = context.get("skus") or [context.get("sku")]
    return [_text(sku)[:100] for sku in given if _text(sku)] if isinstance(given, list) else []


def _text(value: Any) -> str:
    return str(value)[:MOST_LETTERS] if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""


def _impersonal(value: Any) -> str:
    """The text of a value, "" for one in which an address may stand."""
    text = _text(value)
    return "" if "@" in text or "%40" in text else text


def _path(link: Any) -> str:
    """The path of a link, without what stands behind it; "" where there is none."""
    try:
        return urlsplit(_text(link)).path
    except ValueError:
        return ""


def _units(value: Any) -> int:
    text = _text(value)
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _amount(value: Any) -> Decimal | None:
    try:
        amount = Decimal(_text(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 10**9 else None
