"""Segment's HTTP tracking API, which RudderStack's and Jitsu's clients speak too.

Published at https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from finalmarket.journeys.dialects.heard import (
    NO_SHIFT,
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

NAME = "segment"
SHORT: Mapping[str, str] = {
    "i": "identify", "t": "track", "p": "page", "s": "screen", "g": "group", "a": "alias", "b": "batch",
}  # fmt: skip
CALLS = ("identify", "track", "page", "screen", "group", "alias", "batch", "import")
BATCHES = ("batch", "import")
Met: TypeAlias = dict[tuple[str, str], Who]
"""Who was met in a batch already, by user and anonymous id."""


def read(call: Call, what: str) -> Reading:
    """What a request to /v1/<what> says. Raises Unreadable where the whole of it cannot be taken."""
    told = an_object(parsed(call.body), "the body")
    reading = Reading(call.key or text(told.get("writeKey")))
    what = SHORT.get(what, what)
    if what in BATCHES:
        batch, alone = listed(told.get("batch"), '"batch"'), ""
    else:
        batch, alone = [told], what
    # What is imported happened long ago, by whatever clock: it is taken at its word.
    shift = NO_SHIFT if what == "import" else clock_shift(told.get("sentAt"), call.received_at)
    outer = words(told.get("context")) if not alone else {}
    return read_all(reading, batch, _heard, alone, outer, shift, call.received_at, {})


def _heard(
    raw: Any, alone: str, outer: Mapping[str, Any], shift: timedelta, received_at: datetime, met: Met
) -> Heard:  # fmt: skip
    get = an_object(raw).get
    what = alone or get("type")
    context = words(get("context")) or outer
    traits = (words(get("traits")) if what == "identify" else None) or words(context.get("traits"))
    who = _who(get, what, traits) if traits or what == "alias" else _met(get, met)
    properties = words(get("properties"))
    kind: str | None
    if what == "track":
        name = text(get("event"), 200)
        if not name:
            raise Unreadable("a track call needs the name of its event")
        kind = kind_of(name)
    elif what == "page" or what == "screen":
        name, kind = text(get("name") or properties.get("name"), 200) or what, "page_view"
    elif what == "identify" or what == "alias" or what == "group":
        name, kind = what, ""
    else:
        raise Unreadable(f"its type is none of {', '.join(CALLS[:6])}")
    at = happened(get("timestamp") or get("originalTimestamp"), shift, received_at)
    return Heard(who, kind, name, message_id(get("messageId")), at, _kept(name, kind, properties, context))


def _met(get: Any, met: Met) -> Who:
    """Whoever is known by these two ids alone: a batch is mostly of few people, each several times."""
    account, device = get("userId"), get("anonymousId")
    if type(account) is not str or type(device) is not str:
        return _who(get, "", {})
    found = met.get((account, device))
    if found is None:
        found = met[account, device] = _who(get, "", {})
    return found


def _who(get: Any, what: Any, traits: Mapping[str, Any]) -> Who:
    account, device = person_id(get("userId")), person_id(get("anonymousId"))
    other = person_id(get("previousId")) if what == "alias" else ""
    if not account and not device:
        raise Unreadable("it names nobody: neither userId nor anonymousId is an id")
    if what == "alias" and not other:
        raise Unreadable("an alias needs its previousId")
    if not traits:
        return Who(account, device, other=other) if other else Who(account, device)
    return Who(account, device, *contact(traits), other=other)


def _kept(name: str, kind: str | None, properties: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "":
        return {}
    page, campaign = words(context.get("page")), context.get("campaign")
    kept = details(name, properties, page.get("url"), context.get("userAgent"))
    referrer = page.get("referrer")
    if referrer:
        kept["referrer"] = text(referrer, 1_000)
    if campaign and type(campaign) is dict:
        kept["campaign"] = campaign
    session = context.get("sessionId")
    if session:
        kept["session"] = text(session, 100)
    return kept
