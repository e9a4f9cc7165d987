"""What Facebook and Instagram share: errors, limits, pages, streams in order, signed webhooks and their question."""

from __future__ import annotations

import hmac
import json
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from finalmarket.connectors.answers import fields_in, if_there, rows_in
from finalmarket.connectors.contract import Connector, ReceivesWebhooks
from finalmarket.connectors.deliveries import name_of_body, read_delivery
from finalmarket.connectors.errors import (
    ConnectorError,
    NeedsAttention,
    OutcomeUnknown,
    Rejected,
    RetryLater,
)
from finalmarket.connectors.http import Answer, retry_after
from finalmarket.connectors.keyset import Place, cursor_after, place_of
from finalmarket.connectors.paging import READING_ERRORS, all_rows, read_each
from finalmarket.connectors.records import Delivery, Event, Page, Raw
from finalmarket.connectors.signing import hmac_hex, require_signature

VERSION = "v25.0"
Mapped = TypeVar("Mapped")
NOT_THERE = "100/33"
PROOF = "appsecret_proof"
USAGE = "x-business-use-case-usage"
SIGNATURE = "X-Hub-Signature-256"
# https://developers.facebook.com/docs/graph-api/guides/error-handling and .../rate-limiting
CONSEQUENCES: Mapping[str, type[ConnectorError]] = {
    **dict.fromkeys(("3", "10", "102", "190", "368", PROOF, *map(str, range(200, 300))), NeedsAttention),
    **dict.fromkeys(("4", "17", "32", "341", "613", *map(str, range(80000, 80015))), RetryLater),
    **dict.fromkeys(("1", "2"), OutcomeUnknown),  # something is wrong on their side
}


def told_error(answer: Answer) -> tuple[str, str]:
    """Code and words of an error; the code of what is not there has its subcode with it, for 100 alone says little."""
    told = answer.data.get("error") if isinstance(answer.data, dict) else None
    if not isinstance(told, dict):
        return "", ""
    words = str(told.get("error_user_msg") or told.get("message") or "")
    if PROOF in words:
        return PROOF, words
    code = str(told.get("code") or ("" if not answer.is_success else "error"))
    subcode = told.get("error_subcode")
    return (f"{code}/{subcode}" if code == "100" and subcode else code), words


def rows_of(answer: Answer) -> tuple[list[Raw], str]:
    """The rows of a page and the cursor of the next one, "" where none follows."""
    rows, paging = rows_in(answer, "data"), fields_in(answer).get("paging")
    cursors = paging.get("cursors") if isinstance(paging, dict) and paging.get("next") else None
    return rows, str(cursors.get("after") or "") if isinstance(cursors, dict) else ""


def name_of(raw: Raw) -> str:
    """The id of a node. Raises KeyError or ValueError."""
    name = raw["id"]
    if not isinstance(name, (str, int)) or isinstance(name, bool) or not str(name):
        raise ValueError("there is no id")
    return str(name)


def in_order(
    rows: Iterable[Raw], moment_of: Callable[[Raw], datetime], read: Callable[[Raw], Mapped], cursor: str,
    since: datetime | None, size: int,
) -> Iterator[Page[Mapped]]:  # fmt: skip
    """Pages of what lies behind a cursor, oldest first, of rows that Meta gives in an order of its own."""
    place = place_of(cursor, since)
    found: dict[str, tuple[datetime, str, Raw]] = {}
    for row in rows:
        at, name = _place(row, moment_of, place)
        if (at, name) > (place.at, place.after):
            found[name] = (at, name, row)
    rest = sorted(found.values(), key=lambda one: one[:2])
    while True:
        page, rest = rest[:size], rest[size:]
        records, unreadable = read_each([row for _, _, row in page], read, name_of)
        last = Place(page[-1][0], page[-1][1]) if page else None
        after = cursor_after(place, last, is_last=not rest)
        yield Page(records, after, is_last=not rest, unreadable=unreadable)
        if not rest:
            return
        place = last or place


def _place(row: Raw, moment_of: Callable[[Raw], datetime], place: Place) -> tuple[datetime, str]:
    """Where a row stands; one that does not say so comes first, to be set aside."""
    try:
        name = name_of(row)
    except READING_ERRORS:
        name = ""
    try:
        return moment_of(row), name
    except READING_ERRORS:
        return place.at, place.after + name + "\0"


class Graph(Connector, ReceivesWebhooks):
    """One account behind the Graph API."""

    api_version = VERSION
    consequences = CONSEQUENCES
    webhook_secrets: ClassVar[tuple[str, ...]] = ("app_secret",)
    webhook_object: ClassVar[str]

    def heed(self, answer: Answer, bucket: str) -> float | None:
        """See Connector: the header of usage says in how many minutes calls are taken again."""
        text = answer.header(USAGE)
        try:
            told = [one for uses in json.loads(text).values() for one in uses] if text else []
            minutes = max((int(one.get("estimated_time_to_regain_access") or 0) for one in told), default=0)
        except READING_ERRORS:
            minutes = 0
        return minutes * 60.0 if minutes else retry_after(answer.headers)

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """See Connector."""
        return told_error(answer)

    def rows(self, path: str, params: Mapping[str, Any]) -> Iterator[Raw]:
        """All rows of an edge. Raises Unintelligible where its pages go round in circles."""

        def fetch(after: str) -> tuple[list[Raw], str]:
            return rows_of(self.http.call("GET", path, params={**params, **({"after": after} if after else {})}))

        return all_rows(fetch)

    def node(self, name: str, params: Mapping[str, Any]) -> Raw | None:
        """One node; None where there is none of that id."""
        path = f"/{VERSION}/{name}"
        return if_there(lambda: fields_in(self.http.call("GET", path, params=params)), NOT_THERE, "803")

    def token_answer(self, method: str, path: str, **sent: Mapping[str, str]) -> Raw:
        """What a token endpoint answers. Raises NeedsAttention where it takes the code or token for none."""
        try:
            return fields_in(self.http.call(method, path, params=sent.get("params"), form=sent.get("form"),
                                         is_authorized=False))  # fmt: skip
        except Rejected as error:
            raise NeedsAttention(f"Meta gives no token: {error.reason}", code=error.code) from None

    # Webhooks.

    def answer_challenge(self, url: str, query: Mapping[str, str]) -> tuple[str, str] | None:
        """See ReceivesWebhooks: Meta asks once, with the verify token that the address was entered with."""
        token = query.get("hub.verify_token", "")
        if query.get("hub.mode") != "subscribe" or not query.get("hub.challenge") or not self.webhook_secret():
            return None
        is_known = hmac.compare_digest(token.encode(), self.verify_token(url).encode())
        return ("text/plain", query["hub.challenge"]) if is_known else None

    def verify_token(self, url: str) -> str:
        """The word by which Meta's question is known to be about our entry: the one that was set, else one made of the
        app secret and the address."""
        kept = self.account.secrets
        return kept.get("verify_token") or hmac_hex(kept.get("app_secret", "").encode(), url.encode()).decode()

    def verify_webhook(self, delivery: Delivery) -> None:
        """See ReceivesWebhooks: `sha256=` and the HMAC of the body under the app secret."""
        kind, _, given = delivery.header(SIGNATURE).partition("=")
        require_signature([given] if kind == "sha256" else [], self.webhook_secret(), delivery.body, hmac_hex)

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        """See ReceivesWebhooks: one delivery holds several entries, each with changes or messages."""
        digest = name_of_body(delivery)[:40]
        return read_delivery(delivery, lambda told: self._events(told, digest))

    def _events(self, told: Raw, digest: str) -> list[Event]:
        is_ours = told["object"] == self.webhook_object
        entries = [(entry, change) for entry in told["entry"] for change in _changes(entry)]
        events = [
            self.event_of(entry, change, f"{digest}-{number}") if is_ours else unknown(change, f"{digest}-{number}")
            for number, (entry, change) in enumerate(entries)
        ]
        return events or [Event(event_id=digest, topic=str(told["object"]), kind="unknown")]

    @abstractmethod
    def event_of(self, entry: Raw, change: Raw, event_id: str) -> Event:
        """What one change of an entry says. Raises what reading raises."""


def unknown(change: Raw, event_id: str) -> Event:
    """An event that is none of ours."""
    return Event(event_id=event_id, topic=str(change.get("field") or "unknown"), kind="unknown")


def _changes(entry: Raw) -> list[Raw]:
    """The changes of an entry; its messages are told as changes of the field `messages`."""
    messages = [{"field": "messages", "value": one} for one in entry.get("messaging") or []]
    return [*(entry.get("changes") or []), *messages]
