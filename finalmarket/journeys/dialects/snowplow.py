"""Snowplow's tracker protocol (https://docs.snowplow.io/docs/events/going-deeper/http-requests/).

The application id (`aid`) is the write key, or the tracker's name (`tna`) where there is none.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from finalmarket.journeys.dialects.heard import (
    Call,
    Heard,
    Reading,
    Unreadable,
    Who,
    an_object,
    clock_shift,
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

NAME = "snowplow"
_SCHEMA = re.compile(r"iglu:[^/]+/(?P<name>[^/]+)/")
Deed = tuple[str, str | None, Mapping[str, Any]]


def read(call: Call) -> Reading:
    """What a POST to .../tp2 or a GET of /i says. Raises Unreadable where the whole of it cannot be taken."""
    told = an_object(parsed(call.body), "the body") if call.body else {"data": [dict(call.query)]}
    batch = listed(told.get("data"), '"data"')
    first = words(batch[0]) if batch else {}
    key = call.key or text(first.get("aid") or first.get("tna"))
    shift = clock_shift(first.get("stm"), call.received_at)
    return read_all(Reading(key), batch, _heard, shift, call.received_at)


def _heard(raw: Any, shift: timedelta, received_at: datetime) -> Heard:
    get = an_object(raw).get
    account = person_id(get("uid"))
    device = person_id(get("duid")) or person_id(get("tnuid")) or person_id(get("nuid"))
    if not account and not device:
        raise Unreadable("it names nobody: neither uid nor duid is an id")
    name, kind, properties = _deed(raw)
    at = happened(get("ttm") or get("dtm"), shift, received_at)
    kept = {} if kind == "" else details(
        name, properties, get("url"), get("ua"), referrer=text(get("refr"), 1_000), session=text(get("sid"), 100)
    )  # fmt: skip
    return Heard(Who(account, device), kind, name, message_id(get("eid")), at, kept)


def _deed(raw: Mapping[str, Any]) -> Deed:
    """Its name, which of the sixteen it is, and its details."""
    get = raw.get
    event = get("e")
    if event == "pv":
        return text(get("page"), 200) or "page", "page_view", {}
    if event == "ue":
        return _of_schema(_inner(raw))
    if event == "se":
        name = text(get("se_ac"), 200)
        if not name:
            raise Unreadable("a structured event needs its action")
        details_of = {"category": get("se_ca"), "label": get("se_la"), "property": get("se_pr"), "value": get("se_va")}
        return name, kind_of(name), {word: text(value) for word, value in details_of.items() if value}
    if event == "tr":
        return (
            "Order Completed",
            "checkout_complete",
            {"order_id": text(get("tr_id"), 100), "total": text(get("tr_tt"), 40)},
        )
    if event in ("ti", "pp"):
        return str(event), "", {}  # a line of an order that was told already; somebody is still there
    raise Unreadable("it is of no kind that is known")


def _inner(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The self-describing event within, as JSON or as base64 of either alphabet."""
    told = raw.get("ue_pr")
    try:
        if told is None:
            packed = str(raw["ue_px"]).replace("-", "+").replace("_", "/").rstrip("=")
            told = base64.b64decode(packed + "=" * (-len(packed) % 4))
        return an_object(words(orjson.loads(told)).get("data"), "the event within")
    except (KeyError, TypeError, binascii.Error, orjson.JSONDecodeError) as error:
        raise Unreadable("the event within cannot be read") from error


def _of_schema(inner: Mapping[str, Any]) -> Deed:
    found = _SCHEMA.match(text(inner.get("schema")))
    if found is None:
        raise Unreadable("the event within names no schema")
    return found["name"], kind_of(found["name"]), words(inner.get("data"))
