"""Mixpanel: events of customers and their profiles go out, purchases that it counted come in
(https://developer.mixpanel.com/reference).

Every event carries its own id: Mixpanel takes out what it has already, so that events may be told again. A batch of
which some events are refused is told again in halves, until it is known which they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2

from finalmarket.connectors.auth import HeaderAuth, basic_header
from finalmarket.connectors.contract import Checked, Connector, ErasesCustomers, PushesCustomers, Setting
from finalmarket.connectors.errors import Rejected, Unintelligible
from finalmarket.connectors.exact_json import read_json
from finalmarket.connectors.http import Answer
from finalmarket.connectors.own_keys import digest_of, plain_or_digest
from finalmarket.connectors.paging import READING_ERRORS, in_parts, read_one
from finalmarket.connectors.people import said_of
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import ZERO, CustomerContent, Raw
from finalmarket.connectors.refusals import refused_as, tell_in_halves, try_each
from finalmarket.connectors.talk import AnalyticsEvent, EventItem, FigureRecord, PullsFigures, SendsEvents
from finalmarket.connectors.vocabulary import cut
from finalmarket.kernel import clock

API = {"us": "https://api.mixpanel.com", "eu": "https://api-eu.mixpanel.com", "in": "https://api-in.mixpanel.com"}
DATA = {"us": "https://data.mixpanel.com", "eu": "https://data-eu.mixpanel.com", "in": "https://data-in.mixpanel.com"}
PURCHASE = "purchase"
SOME_FAILED = "SOME_FAILED"  # our word for an answer that lists the events that were refused
MOST_LETTERS = 255  # of a value
MOST_PARTS = 250  # of an event, and of its list of articles: fewer than 255 are taken
EARLIEST = datetime(1971, 1, 1, tzinfo=UTC)
ONE_DAY = timedelta(days=1)


class Mixpanel(Connector, PushesCustomers, ErasesCustomers, SendsEvents, PullsFigures):
    """One Mixpanel project."""

    # Who we are.

    slug = "mixpanel"
    name = "Mixpanel"
    kind = "analytics"
    docs = "https://developer.mixpanel.com/reference/overview"
    api_version = "2.0"
    base_url = API["us"]
    # Import is limited by bytes and events a minute, far beyond this; exports by the hour.
    rate = Rate(calls=10)
    rates = {"export": Rate(calls=60, per_seconds=3600, burst=3)}
    secrets = ("service_account_user", "service_account_secret", "project_token")
    settings = (
        Setting("project_id", "Project ID", "The number in Settings, Overview."),
        Setting(
            "region", "Where the project is kept", is_required=False, default="us",
            choices=(("us", "United States"), ("eu", "European Union"), ("in", "India")),
        ),
    )  # fmt: skip
    described_in = ("mixpanel",)
    checked_against = Checked("published description, of 2026-08-21", on="2026-11-25")
    event_batch_limit = 2_000

    # How we are let in.

    def auth(self) -> httpx2.Auth:
        """See Connector: a service account. Profiles are let in by the project's token in their body instead."""
        secrets = self.account.secrets
        return HeaderAuth(
            "Authorization", basic_header(secrets["service_account_user"], secrets["service_account_secret"])
        )

    def check(self) -> str:
        """See Connector. Whether the project's token is right, Mixpanel tells nobody."""
        answer = self.http.call(
            "GET", self._at(API, "/lookup-tables"), params={"project_id": self.setting("project_id")}
        )
        read_one(answer.data, lambda raw: list(raw["results"]))
        return f"the Mixpanel project {self.setting('project_id')}"

    def _at(self, hosts: Mapping[str, str], path: str) -> str:
        return self.address(hosts.get(self.setting("region"), hosts["us"]) + path)

    # What goes out.

    def push_customer(self, content: CustomerContent) -> str:
        """See PushesCustomers. The whole of what we know is set; what we do not know stays as it is there."""
        name = content.external_id or profile_id(content)
        update = {"$token": self.account.secrets["project_token"], "$distinct_id": name, "$set": profile_of(content)}
        with refused_as(content.key):
            self.http.call(
                "POST", self._at(API, "/engage"), params={"ip": "0"}, exact=[update], is_authorized=False,
                repeatable=True,
            )  # fmt: skip
        return name

    def erase_customer(self, external_id: str) -> None:
        """See ErasesCustomers: the profile is deleted. Events hold nothing but its name, and stay."""
        update = {"$token": self.account.secrets["project_token"], "$distinct_id": external_id, "$delete": "null"}
        self.http.call("POST", self._at(API, "/engage"), json=[update], is_authorized=False, repeatable=True)

    def send_events(self, events: Sequence[AnalyticsEvent]) -> Sequence[Rejected]:
        """See SendsEvents."""
        told = try_each(events, lambda event: (event.key, event_of(event)), lambda event: event.key)
        refused = [one for one in told if isinstance(one, Rejected)]
        for some in in_parts([one for one in told if not isinstance(one, Rejected)], self.event_batch_limit):
            # What Mixpanel took already it knows by its id.
            refused += tell_in_halves(some, self._import, lambda pair: pair[0], _is_of_some)
        return refused

    def _import(self, batch: Sequence[tuple[str, Raw]]) -> None:
        params = {"strict": "1", "project_id": self.setting("project_id")}
        events = [event for _, event in batch]
        self.http.call("POST", self._at(API, "/import"), params=params, exact=events, repeatable=True)

    # What comes in.

    def pull_figures(self, first: date, last: date) -> Sequence[FigureRecord]:
        """See PullsFigures: purchases and revenue by channel, added up from the raw events and so exact. Sessions and
        visitors are not asked for: that would take all events of the project."""
        today = clock.now().date()
        if first > min(last, today):
            return []
        # Days of a project from before 2023 are those of its own time zone: hours of ours lie in the days beside them.
        # Days to come are refused.
        asked = self._purchases(first - ONE_DAY, min(last + ONE_DAY, today))
        return figures_of(asked, first, last)

    def _purchases(self, first: date, last: date) -> list[Raw]:
        """The raw purchases of these days of the project's; an answer that is too long is asked for in halves."""
        asked = {
            "project_id": self.setting("project_id"), "from_date": first.isoformat(), "to_date": last.isoformat(),
            "event": json.dumps([PURCHASE]),
        }  # fmt: skip
        try:
            answer = self.http.call(
                "GET", self._at(DATA, "/api/2.0/export"), params=asked, bucket="export",
                headers={"Accept": "text/plain", "Accept-Encoding": "gzip"},
            )  # fmt: skip
        except Unintelligible:
            if first == last:
                raise
            middle = first + timedelta(days=(last - first).days // 2)
            return self._purchases(first, middle) + self._purchases(middle + ONE_DAY, last)
        return read_one(answer.body, lambda body: [read_json(line) for line in body.splitlines()])

    # What its errors mean.

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """See Connector: `{"error", "status", "failed_records"}`; for profiles the text `0`, with a status of 200."""
        told = answer.data
        if answer.is_success:
            return ("NOTHING_TAKEN", "Mixpanel took nothing of it") if told == 0 and told is not False else ("", "")
        if not isinstance(told, dict):
            return "", ""
        listed = told.get("failed_records")
        records = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        parts = [f"{one.get('field', '')} {one.get('message', '')}".strip() for one in records]
        words = "; ".join(part for part in (str(told.get("error") or ""), *parts) if part)
        return SOME_FAILED if records else str(told.get("status") or ""), words


def _is_of_some(error: Rejected) -> bool:
    """Whether some events are refused, or the batch is too long."""
    return error.code == SOME_FAILED or error.status == 413


# From our words to its own, and back.


def event_of(event: AnalyticsEvent) -> dict[str, Any]:
    """One event. Raises Rejected for one that Mixpanel would refuse whatever stands beside it."""
    if not (event.user_id or event.client_id):
        raise Rejected("an event needs a client id", key=event.key)
    if event.at < EARLIEST:
        raise Rejected("Mixpanel takes no event from before 1971", key=event.key)
    texts = {
        "session_id": event.session_id, "device": event.device, "channel": event.channel,
        "order_number": event.order_number, "currency": event.currency,
    }  # fmt: skip
    properties: dict[str, Any] = {
        "time": int(event.at.timestamp()) * 1000 + event.at.microsecond // 1000, "$insert_id": insert_id(event.key),
        "distinct_id": event.user_id or f"$device:{event.client_id}", "$device_id": event.client_id,
        **({"$user_id": event.user_id} if event.user_id else {}), "allows_ads": event.allows_ads,
        **cut(texts, MOST_LETTERS),
        **{name: amount for name, amount in (("amount", event.amount), ("tax", event.tax), ("shipping", event.shipping))
           if amount is not None},
    }  # fmt: skip
    if event.items:
        properties["items"] = [item_of(item) for item in event.items[:MOST_PARTS]]
    for name, value in event.values.items():
        if len(properties) < MOST_PARTS and name not in properties:
            properties[name[:MOST_LETTERS]] = value[:MOST_LETTERS]
    return {"event": event.name, "properties": properties}


def item_of(item: EventItem) -> dict[str, Any]:
    """One article."""
    texts = {"sku": item.sku, "title": item.title, "brand": item.brand, "category": item.category}
    return {**cut(texts, MOST_LETTERS), "quantity": item.quantity, "unit_price": item.unit_price}


def insert_id(key: str) -> str:
    """The id of an event by which Mixpanel knows it again: our key, or its digest where it is long or odd."""
    return plain_or_digest(key, "[A-Za-z0-9-]{1,36}", 36)


def profile_id(content: CustomerContent) -> str:
    """The name of a profile that Mixpanel does not have yet: the same for the same person, and no address."""
    named = content.email.strip().casefold() or content.key
    return f"fm-{digest_of(named, 32)}"


def profile_of(content: CustomerContent) -> dict[str, Any]:
    """What a profile is to say."""
    address = content.address
    texts = {
        "$name": content.name, "$email": content.email, "$phone": content.phone, "language": content.language,
        "$country_code": address.country, "$region": address.region, "$city": address.city,
        "currency": content.currency,
        "last_order_at": content.last_order_at.astimezone(UTC).isoformat() if content.last_order_at else "",
    }  # fmt: skip
    return {
        **cut(texts, MOST_LETTERS), **{f"accepts_{purpose}": answer for purpose, answer in said_of(content).items()},
        "segments": [segment[:MOST_LETTERS] for segment in content.segments[:MOST_PARTS]],
        "order_count": content.order_count, "spent": content.spent,
    }  # fmt: skip


def figures_of(events: Iterable[Raw], first: date, last: date) -> list[FigureRecord]:
    """Raw purchases, each once, added up by day (in UTC), channel and currency. Where a channel has sold in several
    currencies on one day, its name says which. Raises Unintelligible for what cannot be read."""
    try:
        sales = {_identity(raw["properties"]): _sale(raw["properties"]) for raw in events}
    except READING_ERRORS as error:
        raise Unintelligible(f"an exported event cannot be read: {type(error).__name__} {error}") from None
    totals: dict[tuple[date, str, str], tuple[int, Decimal]] = {}
    for day, channel, currency, amount in sales.values():
        if first <= day <= last:
            count, revenue = totals.get((day, channel, currency), (0, ZERO))
            totals[day, channel, currency] = (count + 1, revenue + amount)
    currencies: dict[tuple[date, str], int] = {}
    for day, channel, _ in totals:
        currencies[day, channel] = currencies.get((day, channel), 0) + 1
    return [
        FigureRecord(
            day=day, source=f"{channel} ({currency})".strip() if currencies[day, channel] > 1 else channel,
            purchases=count, revenue=revenue, currency=currency,
        )
        for (day, channel, currency), (count, revenue) in sorted(totals.items())
    ]  # fmt: skip


def _identity(properties: Raw) -> tuple[str, ...]:
    """What tells one event from another: exports hold doubles until Mixpanel has taken them out."""
    return tuple(str(properties.get(name, "")) for name in ("time", "distinct_id", "$insert_id"))


def _sale(properties: Raw) -> tuple[date, str, str, Decimal]:
    seconds = int(properties["time"])
    amount = properties.get("amount", 0)
    if isinstance(amount, bool) or not isinstance(amount, (int, Decimal)):
        raise ValueError(f"{amount!r} is no amount")
    day = datetime.fromtimestamp(seconds, UTC).date()
    return day, str(properties.get("channel") or ""), str(properties.get("currency") or "").upper(), Decimal(amount)
