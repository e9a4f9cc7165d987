"""Amplitude's HTTP API V2 and batch upload (https://amplitude.com/docs/apis/analytics/http-v2)."""

from __future__ import annotations

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

NAME = "amplitude"
IDENTIFY = "$identify"
GROUPS = "$groupidentify"


def read(call: Call) -> Reading:
    """What a request to /2/httpapi or /batch says. Raises Unreadable where the whole of it cannot be taken."""
    told = an_object(parsed(call.body), "the body")
    batch = listed(told.get("events"), '"events"')
    shift = clock_shift(told.get("client_upload_time"), call.received_at)
    return read_all(Reading(call.key or text(told.get("api_key"))), batch, _heard, shift, call.received_at)


def _heard(raw: Any, shift: timedelta, received_at: datetime) -> Heard | None:
    get = an_object(raw).get
    name = text(get("event_type"), 200)
    if not name:
        raise Unreadable("it has no event_type")
    if name == GROUPS:
        return None  # it tells of a company
    given = words(get("user_properties"))
    traits = {**given, **words(given.get("$setOnce")), **words(given.get("$set"))}
    account, device = person_id(get("user_id")), person_id(get("device_id"))
    if not account and not device:
        raise Unreadable("it names nobody: neither user_id nor device_id is an id")
    kind = "" if name == IDENTIFY else kind_of(name)
    at = happened(get("time"), shift, received_at)
    kept = {} if kind == "" else details(name, words(get("event_properties")), session=text(get("session_id"), 100))
    who = Who(account, device, *contact(traits))
    return Heard(who, kind, name, message_id(get("insert_id")), at, kept)
