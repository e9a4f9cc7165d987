"""Mixpanel's ingestion API (https://developer.mixpanel.com/reference/ingestion-api)."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any

from finalmarket.journeys.dialects.heard import (
    NO_SHIFT,
    Call,
    Heard,
    Reading,
    Unreadable,
    Who,
    an_object,
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

NAME = "mixpanel"
DEVICE = "$device:"
ALIAS, IDENTIFY, MERGE = "$create_alias", "$identify", "$merge"
OWN_WORDS = ("token", "distinct_id", "time", "mp_lib", "ip")


def read(call: Call, what: str) -> Reading:
    """What a request to /track, /import or /engage says. Raises Unreadable where the whole of it cannot be taken."""
    batch = _batch(call)
    key = _key_within(batch) or call.key
    if what == "groups":
        return Reading(key)  # it tells of companies
    if what == "engage":
        return read_all(Reading(key), batch, _profile, call.received_at)
    return read_all(Reading(key), batch, _heard, call.received_at)


def _batch(call: Call) -> list[Any]:
    data = call.form.get("data") or call.query.get("data")
    body = call.body if data is None else _plain(data)
    if data is None and b"\n{" in body.strip() and body.lstrip()[:1] == b"{":
        lines = listed([line for line in body.splitlines() if line.strip()], "the body")  # one a line
        return [parsed(line) for line in lines]
    told = parsed(body)
    return listed(told, "the body") if type(told) is list else [told]


def _plain(data: str) -> bytes:
    if data.lstrip()[:1] in ("{", "["):
        return data.encode()
    try:
        return base64.b64decode(data.replace(" ", "+"))
    except (binascii.Error, ValueError) as error:
        raise Unreadable("its data are neither JSON nor base64") from error


def _key_within(batch: list[Any]) -> str:
    first = words(batch[0]) if batch else {}
    return text(first.get("$token") or words(first.get("properties")).get("token"))


def _heard(raw: Any, received_at: datetime) -> Heard:
    get = an_object(raw).get
    name, properties = text(get("event"), 200), words(get("properties"))
    if not name:
        raise Unreadable("it has no name")
    at = happened(properties.get("time"), NO_SHIFT, received_at)
    kind = "" if name in (ALIAS, IDENTIFY, MERGE) else kind_of(name)
    own = {word: value for word, value in properties.items() if word[:1] != "$" and word not in OWN_WORDS}
    kept = {} if kind == "" else details(name, own, properties.get("$current_url"))
    return Heard(_who(name, properties), kind, name, message_id(properties.get("$insert_id")), at, kept)


def _who(name: str, properties: Any) -> Who:
    other = ""
    if name == IDENTIFY:
        account, other = person_id(properties.get("$identified_id")), person_id(properties.get("$anon_id"))
    elif name == MERGE:
        pair = properties.get("$distinct_ids")
        one, two = pair if type(pair) is list and len(pair) == 2 else ("", "")
        account, other = person_id(one), person_id(two)
    else:
        account = person_id(properties.get("distinct_id"))
        other = person_id(properties.get("alias")) if name == ALIAS else ""
    device = person_id(properties.get("$device_id"))
    account = person_id(properties.get("$user_id")) or account
    if account.startswith(DEVICE):
        account, device = "", device or account.removeprefix(DEVICE)
    elif account == device:
        account = ""
    if not account and not device:
        raise Unreadable("it names nobody: distinct_id is no id")
    return Who(account, device, other=other.removeprefix(DEVICE))


def _profile(raw: Any, received_at: datetime) -> Heard:
    get = an_object(raw).get
    account = person_id(get("$distinct_id"))
    device = person_id(get("$device_id"))
    if account.startswith(DEVICE):
        account, device = "", account.removeprefix(DEVICE)
    if not account and not device:
        raise Unreadable("it names nobody: $distinct_id is no id")
    told = {**words(get("$set_once")), **words(get("$set"))}
    traits = {word.removeprefix("$"): value for word, value in told.items()}
    return Heard(Who(account, device, *contact(traits)), "", "engage", message_id(None), received_at, {})
