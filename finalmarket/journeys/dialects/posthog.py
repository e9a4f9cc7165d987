"""PostHog's capture API (https://posthog.com/docs/api/capture).

All its ids are of one kind: nothing says which is an account and which a browser, but what the client knows of the
browser itself. `$create_alias` names two ids of one person; which of them stands where differs between its own
clients, so both are taken alike.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from typing import Any

from finalmarket.journeys.dialects.heard import (
    Call,
    Heard,
    Reading,
    Unreadable,
    Who,
    an_object,
    clock_shift,
    contact,
    details,
    happened,
    listed,
    message_id,
    parsed,
    person_id,
    read_all,
    text,
    words,
)
from finalmarket.journeys.dialects.names import kind_of

NAME = "posthog"
GROUPS = "$groupidentify"
MOST_OFFSET_MS = 86_400_000
"""Browsers say how long ago something was instead of when; more than a day they do not keep it."""
ALIASES = {"$create_alias", "$merge_dangerously"}
TELLS_WHO = {"$identify", "$set", *ALIASES}


def read(call: Call) -> Reading:
    """What a request to /batch/, /capture/ or /e/ says. Raises Unreadable where the whole of it cannot be taken."""
    told = parsed(_plain(call))
    if type(told) is list:
        batch, frame = listed(told, "the body"), {}
    else:
        frame = an_object(told, "the body")
        batch = listed(frame["batch"], '"batch"') if "batch" in frame else [frame]
    key = call.key or text(frame.get("api_key") or frame.get("token")) or _key_within(batch)
    shift = clock_shift(frame.get("sent_at") or call.query.get("_"), call.received_at)
    return read_all(Reading(key), batch, _heard, shift, call.received_at)


def _plain(call: Call) -> bytes:
    """The JSON: the body as it is, or what a browser put into `data`, with or without base64."""
    data = call.form.get("data") or call.query.get("data")
    if data is None:
        return call.body
    if data.lstrip()[:1] in ("{", "["):
        return data.encode()
    try:
        return base64.b64decode(data.replace(" ", "+"))
    except (binascii.Error, ValueError) as error:
        raise Unreadable("its data are neither JSON nor base64") from error


def _key_within(batch: list[Any]) -> str:
    first = words(batch[0]) if batch else {}
    properties = words(first.get("properties"))
    return text(first.get("api_key") or first.get("token") or properties.get("token"))


def _heard(raw: Any, shift: timedelta, received_at: datetime) -> Heard | None:
    get = an_object(raw).get
    name = text(get("event"), 200)
    if not name:
        raise Unreadable("it has no name")
    if name == GROUPS:
        return None  # it tells of a company, under an id that is nobody's
    properties = words(get("properties"))
    who = _who(get, name, properties)
    kind = "" if name in TELLS_WHO else kind_of(name)
    told_at, offset_ms = get("timestamp"), get("offset")
    if told_at is None and isinstance(offset_ms, int | float) and 0 <= offset_ms < MOST_OFFSET_MS:
        told_at = (received_at - timedelta(milliseconds=offset_ms)).isoformat()
    at = happened(told_at, shift, received_at)
    kept = {} if kind == "" else _kept(name, properties)
    return Heard(who, kind, name, message_id(get("uuid") or properties.get("$insert_id")), at, kept)


def _who(get: Any, name: str, properties: Any) -> Who:
    given = person_id(get("distinct_id")) or person_id(properties.get("distinct_id"))
    device = person_id(properties.get("$anon_distinct_id")) or person_id(properties.get("$device_id"))
    is_nobody = given == device or properties.get("$is_identified") is False
    if is_nobody or properties.get("$process_person_profile") is False:
        account, device = "", device or given
    else:
        account = given
    other = person_id(properties.get("alias")) if name in ALIASES else ""
    if not account and not device:
        raise Unreadable("it names nobody: distinct_id is no id")
    if name in ALIASES and not other:
        raise Unreadable("an alias needs its second id")
    traits = {**words(properties.get("$set_once")), **words(get("$set")), **words(properties.get("$set"))}
    return Who(account, device, *contact(traits), other=other)


def _kept(name: str, properties: Any) -> dict[str, Any]:
    """What the merchant's own code said; what the client says of itself and of the browser is left out."""
    own = {
        word: value for word, value in properties.items() if word[:1] != "$" and word not in ("token", "distinct_id")
    }
    return details(
        name,
        own,
        properties.get("$current_url"),
        properties.get("$raw_user_agent"),
        referrer=text(properties.get("$referrer"), 1_000),
        session=text(properties.get("$session_id"), 100),
    )
