"""Google Analytics 4: events go out by the Measurement Protocol, figures come in by the Data API
(https://developers.google.com/analytics).

The Measurement Protocol answers 204 to everything and tells of no error: what Google would pass over in silence is
refused here. Reports are read with a service account's own key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

import httpx2

from finalmarket.connectors.assertions import sign_jwt
from finalmarket.connectors.auth import TokenAuth, TokenRequest
from finalmarket.connectors.contract import Checked, Connector, Setting
from finalmarket.connectors.errors import NeedsAttention, NotSupported, OutcomeUnknown, Rejected, RetryLater
from finalmarket.connectors.exact_json import exact_json
from finalmarket.connectors.http import Answer
from finalmarket.connectors.paging import read_one
from finalmarket.connectors.platforms.google_analytics import words
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.refusals import tell_each
from finalmarket.connectors.talk import AnalyticsEvent, FigureRecord, PullsFigures, SendsEvents
from finalmarket.kernel import clock

COLLECT = {"global": "https://www.google-analytics.com", "eu": "https://region1.google-analytics.com"}
REPORTS = "https://analyticsdata.googleapis.com/v1beta"
SCOPE = "https://www.googleapis.com/auth/analytics.readonly"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN = "https://oauth2.googleapis.com/token"  # noqa: S105  an address
ASSERTION_SECONDS = 3600
MOST_BYTES = 130_000
MOST_ROWS = 100_000
MOST_EVENTS = 25


class GoogleAnalytics(Connector, SendsEvents, PullsFigures):
    """One property with one of its data streams."""

    # Who we are.

    slug = "google_analytics"
    name = "Google Analytics 4"
    kind = "analytics"
    docs = "https://developers.google.com/analytics/devguides/collection/protocol/ga4"
    api_version = "v1beta"
    base_url = COLLECT["global"]
    # No figure is published for the Measurement Protocol; the Data API counts tokens, told with each report.
    rate = Rate(calls=20)
    rates = {"reports": Rate(calls=1, burst=5)}
    secrets = ("api_secret",)
    optional_secrets = ("service_account", "access_token", "access_token_ends_at")
    settings = (
        Setting("measurement_id", "Measurement ID", "Of the web data stream: G-..."),
        Setting("property_id", "Property ID", "Nine digits or so; needed for figures.", is_required=False),
        Setting(
            "region", "Where events are taken in", is_required=False, default="global",
            choices=(("global", "Worldwide"), ("eu", "In the European Union")),
        ),
        Setting(
            "currency", "Currency", "Of events that have none, such as a lead.", is_required=False, default="EUR"
        ),
    )  # fmt: skip
    described_in = ("ga4",)
    checked_against = Checked(
        "published description, Data API of 2026-10-06 and Google's event schema", on="2026-11-25"
    )
    former_names = ("Google Analytics",)
    event_batch_limit = MOST_EVENTS
    most_event_age = timedelta(hours=72)

    # How we are let in.

    def auth(self) -> httpx2.Auth:
        """A bearer token for reports, given for an assertion that the service account's key signs."""
        request = TokenRequest(self.address(TOKEN), {"grant_type": GRANT}, fresh_fields=self._assertion)
        return TokenAuth.of(request, self.account)

    def _assertion(self) -> Mapping[str, str]:
        try:
            told = json.loads(self.account.secrets.get("service_account", ""))
            email, key, key_id = (str(told[part]) for part in ("client_email", "private_key", "private_key_id"))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise NeedsAttention("the service account's key cannot be read: paste the whole JSON file") from None
        self._scrub.learn([key])
        issued = int(clock.now().timestamp())
        claims = {"iss": email, "scope": SCOPE, "aud": TOKEN, "iat": issued, "exp": issued + ASSERTION_SECONDS}
        return {"assertion": sign_jwt(claims, key, key_id=key_id)}

    def check(self) -> str:
        """See Connector. Google tells of no secret of a data stream whether it is right: only reports can be tried."""
        stream = self.setting("measurement_id")
        if self._can_report():
            today = clock.now().date()
            report = self._report(today, today, limit=1, offset=0)
            currency = read_one(report, lambda raw: str(raw["metadata"]["currencyCode"]))
            return f"the Google Analytics property {self._property()} in {currency}, with the data stream {stream}"
        body = {"client_id": "connection.test", "events": [{"name": "connection_test", "params": {}}]}
        told = self._collect("/debug/mp/collect", body)
        messages = read_one(told.data, lambda raw: [str(one["description"]) for one in raw["validationMessages"]])
        if messages:
            raise NeedsAttention(f"Google does not take events of this data stream: {self._scrub('; '.join(messages))}")
        return f"the data stream {stream}; Google does not say whether the secret is right"

    # What goes out.

    def send_events(self, events: Sequence[AnalyticsEvent]) -> Sequence[Rejected]:
        """See SendsEvents. Google knows a purchase again by its order's number; other events told twice count twice."""
        refused = tell_each(events, self._require_takeable, lambda event: event.key)
        keys = {error.key for error in refused}
        good = [event for event in events if event.key not in keys]
        is_begun = False
        for group in _by_person(good):
            for part in self._parts(group):
                try:
                    self._collect("/mp/collect", part)
                except RetryLater as error:
                    if is_begun:  # of the whole batch it is no longer true that nothing happened
                        raise OutcomeUnknown(error.reason, code=error.code, status=error.status) from None
                    raise
                is_begun = True
        return refused

    def _require_takeable(self, event: AnalyticsEvent) -> None:
        if not event.client_id:
            raise Rejected("an event needs a client id", key=event.key)
        if event.at < clock.now() - self.most_event_age:
            raise Rejected("Google takes events of the last 72 hours only", key=event.key)
        if len(exact_json(words.payload_of([event], self.setting("currency")))) > MOST_BYTES:
            raise Rejected(f"the event is longer than {MOST_BYTES} bytes", key=event.key)

    def _parts(self, group: Sequence[AnalyticsEvent]) -> Iterator[dict[str, Any]]:
        """The events of one person in as many requests as their size asks for."""
        payload = words.payload_of(group, self.setting("currency"))
        if len(group) <= MOST_EVENTS and len(exact_json(payload)) <= MOST_BYTES:
            yield payload
            return
        middle = len(group) // 2
        yield from self._parts(group[:middle])
        yield from self._parts(group[middle:])

    def _collect(self, path: str, body: Mapping[str, Any]) -> Answer:
        host = COLLECT.get(self.setting("region"), COLLECT["global"])
        query = {
            "api_secret": self.account.secrets["api_secret"], "measurement_id": self.setting("measurement_id"),
        }  # fmt: skip
        return self.http.call(
            "POST", self.address(host + path), params=query, exact=dict(body), is_authorized=False,
            repeatable=path.startswith("/debug"),
        )  # fmt: skip

    # What comes in.

    def pull_figures(self, first: date, last: date) -> Sequence[FigureRecord]:
        """See PullsFigures. The days are those of the property's time zone; Google completes them for two days."""
        if not self._can_report():
            raise NotSupported("figures need the property's ID and a service account: enter both in the settings")
        found: list[FigureRecord] = []
        while True:
            report = self._report(first, last, limit=MOST_ROWS, offset=len(found))
            rows = read_one(report, words.figures_of)
            found += rows
            if not rows or len(found) >= read_one(report, lambda raw: int(raw.get("rowCount") or 0)):
                return found

    def _report(self, first: date, last: date, *, limit: int, offset: int) -> Any:
        body = {
            "dateRanges": [{"startDate": first.isoformat(), "endDate": last.isoformat()}],
            "dimensions": [{"name": "date"}, {"name": "sessionSourceMedium"}],
            "metrics": [
                {"name": name} for name in ("sessions", "totalUsers", "ecommercePurchases", "purchaseRevenue")
            ],
            "orderBys": [{"dimension": {"dimensionName": name}} for name in ("date", "sessionSourceMedium")],
            "limit": str(limit), "offset": str(offset),
        }  # fmt: skip
        path = f"{REPORTS}/properties/{quote(self._property(), safe='')}:runReport"
        return self.http.call("POST", self.address(path), json=body, bucket="reports", repeatable=True).data

    def _property(self) -> str:
        return self.setting("property_id").removeprefix("properties/")

    def _can_report(self) -> bool:
        return bool(self._property() and self.account.secrets.get("service_account"))

    # What its errors mean.

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """See Connector: `{"error": {"status", "message"}}` of the Data API; the other one reports none."""
        told = answer.data.get("error") if isinstance(answer.data, dict) else None
        if answer.is_success or not isinstance(told, dict):
            return "", ""
        return str(told.get("status") or ""), str(told.get("message") or "")


def _by_person(events: Sequence[AnalyticsEvent]) -> Iterator[list[AnalyticsEvent]]:
    """The events by what a request says once: the person, the device, the consent."""
    groups: dict[tuple[str, str, str, bool], list[AnalyticsEvent]] = {}
    for event in events:
        groups.setdefault((event.client_id, event.user_id, event.device, event.allows_ads), []).append(event)
    yield from groups.values()
