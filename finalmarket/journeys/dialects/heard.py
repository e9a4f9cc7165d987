"""What a request of a client says, in our words; the same for all languages of clients. Nothing here knows the
database."""

from __future__ import annotations

import hashlib
import json
import math
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson

NOBODY_IDS = frozenset(
    {
        "", "null", "none", "nil", "undefined", "nan", "true", "false", "0", "-1", "anonymous", "guest", "unknown",
        "anonymoususer", "not_authenticated", "notset", "(not set)", "[object object]",
        "00000000-0000-0000-0000-000000000000", "id", "userid", "user_id", "distinct_id", "distinctid", "email",
    }
)  # fmt: skip
"""What clients send in place of an id where they have none. Taken as one, each would glue strangers together."""
MOST_ID_CHARACTERS = 200
MOST_WORD_CHARACTERS = 300
MOST_MESSAGE_ID_CHARACTERS = 100
MOST_EVENTS = 2_500
MOST_FIELDS = 1_000
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
CLOCK_AHEAD = timedelta(seconds=5)
"""A client whose clock says a later time than ours by more than this is set right."""
CLOCK_BEHIND = timedelta(hours=24)
"""So is one that says to have sent a request longer ago than any client holds one back."""
NO_SHIFT = timedelta(0)
NOTHING: Mapping[str, Any] = {}


class Unreadable(ValueError):
    """An event, or a whole request, that cannot be taken; the message is the reason and quotes no value."""


class TooLarge(Unreadable):
    """More than a request may hold."""


class Who(NamedTuple):
    """Whom an event is of, as the client says: ids without their space, contact data unchecked."""

    account: str = ""
    device: str = ""
    email: str = ""
    phone: str = ""
    name: str = ""
    language: str = ""
    loyalty: str = ""
    other: str = ""
    """A second id that the client says is the same person's; of which kind, it does not say."""


class Heard(NamedTuple):
    """One event. `kind` is one of the sixteen types, "" for what only tells who somebody is, None for a name that is
    none of them by itself."""

    who: Who
    kind: str | None
    name: str
    message_id: str
    occurred_at: datetime
    context: Mapping[str, Any]


class Refused(NamedTuple):
    """An event that could not be read, as it came, and why."""

    raw: Any
    reason: str


@dataclass(slots=True)
class Call:
    """A request of a client, unpacked."""

    body: bytes
    received_at: datetime
    key: str = ""
    """The write key that its head names, if any."""
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"

    def asks(self, word: str) -> str:
        """What the request says under this word, in its form or its address."""
        return self.form.get(word) or self.query.get(word, "")


@dataclass(slots=True)
class Reading:
    """What a request says."""

    key: str
    events: list[Heard] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def parsed(body: bytes) -> Any:
    """The JSON of a body. What the strict reader refuses and a lenient one takes (NaN, halves of characters) goes on:
    only the event that holds it may suffer. Raises Unreadable."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            return json.loads(body.decode("utf-8", "replace"))
        except (ValueError, RecursionError) as error:
            raise Unreadable("the body is no JSON") from error


def fields(told: str, most: int = MOST_FIELDS) -> dict[str, str]:
    """The fields of a form or of an address. Raises Unreadable for more than `most`, before any of them is read."""
    try:
        return dict(parse_qsl(told, keep_blank_values=True, max_num_fields=most))
    except ValueError as error:
        raise Unreadable(f"it has more than {most} fields") from error


def listed(value: Any, what: str) -> list[Any]:
    """The events of a batch. Raises Unreadable where it is no list, and TooLarge for more than 2,500."""
    if type(value) is not list:
        raise Unreadable(f"{what} has to be a list of events")
    if len(value) > MOST_EVENTS:
        raise TooLarge(f"{what} holds more than {MOST_EVENTS} events")
    return value


def read_all(reading: Reading, batch: Iterable[Any], read_one: Callable[..., Heard | None], *context: Any) -> Reading:
    """Read each event of a batch with `read_one(event, *context)`; one that cannot be read stands alone."""
    events, refused = reading.events, reading.refused
    for raw in batch:
        try:
            heard = read_one(raw, *context)
        except Unreadable as error:
            refused.append(Refused(raw, str(error)))
        else:
            if heard is not None:
                events.append(heard)
    return reading


def an_object(value: Any, what: str = "an event") -> dict[str, Any]:
    """The object. Raises Unreadable for anything else."""
    if type(value) is not dict:
        raise Unreadable(f"{what} has to be an object")
    return value


def words(value: Any) -> Mapping[str, Any]:
    """The object, or nothing where it is none: context and properties may be left out, or null."""
    return value if type(value) is dict else NOTHING


def text(value: Any, most: int = MOST_WORD_CHARACTERS) -> str:
    """A text or a number as text, cut at `most` characters; "" for anything else."""
    if type(value) is str:
        return value[:most] if "\x00" not in value else value.replace("\x00", "")[:most]
    if type(value) in (int, float):
        return str(value)[:most]
    return ""


def person_id(value: Any) -> str:
    """An id as the client gave it; "" where it stands for nobody. Longer ones than 200 characters are none."""
    if type(value) is str:
        if len(value) > MOST_ID_CHARACTERS or "\x00" in value:
            return ""
        found = value.strip()
    elif type(value) is int:
        found = str(value)
    else:
        return ""
    return "" if found.casefold() in NOBODY_IDS else found


def contact(traits: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """E-mail address, phone number, name and language among what is told of a person."""
    if not traits:
        return "", "", "", ""
    name = text(traits.get("name"))
    if not name:
        first = text(traits.get("firstName") or traits.get("first_name"))
        last = text(traits.get("lastName") or traits.get("last_name"))
        name = f"{first} {last}".strip()
    return (
        text(traits.get("email") or traits.get("$email"), 320),
        text(traits.get("phone") or traits.get("$phone"), 40),
        name or text(traits.get("$name")),
        text(traits.get("language") or traits.get("locale"), 12),
    )


def message_id(value: Any) -> str:
    """By what a message is known when it comes again. One that has no id is always new; of one with more than 100
    characters the digest is taken."""
    found = str(value) if type(value) is int else value
    if type(found) is not str or not found or "\x00" in found:
        return uuid.uuid4().hex
    if len(found) > MOST_MESSAGE_ID_CHARACTERS:
        return f"sha256:{hashlib.sha256(found.encode('utf-8', 'replace')).hexdigest()}"
    return found


def details(name: str, properties: Mapping[str, Any], url: Any = "", agent: Any = "", **more: Any) -> dict[str, Any]:
    """What is kept of an event: its name, all of its properties, and under one name for all languages what the house
    looks for; `more` as far as it says anything. Neither internet address nor the browser's own name is kept."""
    kept: dict[str, Any] = {"event": name}
    if properties:
        kept["properties"] = properties
        get = properties.get
        sku = get("sku") or get("product_id") or get("item_id")
        if sku:
            kept["sku"] = text(sku, 100)
        query = get("query") or get("search_term")
        if query:
            kept["query"] = text(query)
        order = get("order_id") or get("transaction_id")
        if order:
            kept["order_id"] = text(order, 100)
        url = url or get("url")
    if url:
        kept["url"] = text(url, 1_000)
    device = device_of(agent) if type(agent) is str and agent else ""
    if device:
        kept["device"] = device
    for word, value in more.items():
        if value:
            kept[word] = value
    return kept


_COUNT = re.compile(r"[0-9]{9,}(\.[0-9]*)?")


def moment(value: Any) -> datetime:
    """A moment as clients write it: ISO 8601 (UTC where it names no zone), or seconds, milliseconds or microseconds
    since 1970. More than eight digits are such a count, though Python may read a date and a time in them. Raises
    Unreadable."""
    if type(value) is str and _COUNT.fullmatch(value) is None:
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return _counted(value)
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return _counted(value)


def _counted(value: Any) -> datetime:
    try:
        seconds = float(value)
        # 1e11 is the year 5138 in seconds: what is more is a smaller unit. Infinity stays infinite, however often it is
        # divided, and is no moment.
        while 1e11 < seconds < math.inf:
            seconds /= 1000
        return datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise Unreadable("its timestamp is no moment") from error


def clock_shift(sent_at: Any, received_at: datetime) -> timedelta:
    """What has to be added to a client's moments: nothing, unless its clock is evidently wrong."""
    if not sent_at:
        return NO_SHIFT
    try:
        behind = received_at - moment(sent_at)
    except Unreadable:
        return NO_SHIFT
    return behind if behind < -CLOCK_AHEAD or behind > CLOCK_BEHIND else NO_SHIFT


def happened(value: Any, shift: timedelta, received_at: datetime) -> datetime:
    """When it happened: never after it was told, nor before the year 2000. Raises Unreadable."""
    if value is None or value == "":
        return received_at
    at = moment(value)
    try:
        if shift:
            at += shift
        if at < EARLIEST:
            raise Unreadable("it is said to have happened before the year 2000")
    except OverflowError as error:
        raise Unreadable("its timestamp is no moment") from error
    return at if at < received_at else received_at


_PHONE = re.compile(r"iphone|ipod|windows phone|(android.*mobile)", re.IGNORECASE)
_TABLET = re.compile(r"ipad|tablet|android", re.IGNORECASE)
_BROWSER = re.compile(r"mozilla|opera", re.IGNORECASE)


@lru_cache(maxsize=4096)
def device_of(agent: str) -> str:
    """Mobile, tablet or desktop, as far as the name of a browser tells; "" for programs."""
    if _PHONE.search(agent):
        return "mobile"
    if _TABLET.search(agent):
        return "tablet"
    return "desktop" if _BROWSER.search(agent) else ""
