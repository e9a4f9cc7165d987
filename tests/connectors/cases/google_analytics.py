"""Google Analytics 4 under the conformance suite."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.google_analytics import GoogleAnalytics
from finalmarket.connectors.talk import AnalyticsEvent, EventItem
from finalmarket.sandbox.platforms.google_analytics import PROPERTY, SECRET, STREAM, new_key, service_account
from finalmarket.sandbox.platforms.google_analytics import GoogleAnalytics as StandIn
from tests.connectors.cases import Case
from tests.connectors.descriptions import vendor_apis
from tests.connectors.descriptions.dialect import Document
from tests.connectors.descriptions.discovery import openapi_of
from tests.connectors.descriptions.files import read_description
from tests.connectors.descriptions.resources import Resources

ERRORS = {"type": "object", "required": ["error"]}
_count = itertools.count(1)


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    secrets = {"api_secret": SECRET, "service_account": service_account(new_key())}
    return Account(secrets, {"measurement_id": STREAM, "property_id": PROPERTY}, base_url=address)


@cache
def description() -> Resources:
    """The Data API's discovery document, and Google's own schema of events as the body of the Measurement Protocol."""
    folder = vendor_apis() / "ga4"
    reports = openapi_of(read_description(folder / "analyticsdata.v1beta.json"))
    schema = _in_2020(json.loads((folder / "measurement-protocol.schema.json").read_text()))
    granted = {"enum": ["GRANTED", "DENIED"]}
    schema["properties"]["consent"] = {  # newer than the schema
        "type": "object", "properties": {"ad_user_data": granted, "ad_personalization": granted},
    }  # fmt: skip
    message = {"properties": {name: {"type": "string"} for name in ("fieldPath", "description", "validationCode")}}
    told = {
        "properties": {"validationMessages": {"type": "array", "items": message}},
        "required": ["validationMessages"],
    }
    events = {
        "openapi": "3.1.0",
        "paths": {
            "/mp/collect": {"post": _collect(schema, {"204": {"description": ""}})},
            "/debug/mp/collect": {
                "post": _collect(schema, {"200": {"content": {"application/json": {"schema": told}}}})
            },
        },
    }
    return Resources([Document(reports), Document(events)], ERRORS)


def _collect(schema: Any, responses: dict[str, Any]) -> dict[str, Any]:
    names = ("api_secret", "measurement_id")
    return {
        "parameters": [{"name": one, "in": "query", "required": True, "schema": {"type": "string"}} for one in names],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": responses,
    }  # fmt: skip


def _in_2020(node: Any, *, is_part: bool = False) -> Any:
    """A schema of draft 7 in the words of 2020-12. What it leaves open stays open: a condition, and what it leads to,
    speak of some fields only, and an object whose names have a pattern may have further ones."""
    if isinstance(node, list):
        return [_in_2020(part) for part in node]
    if not isinstance(node, dict):
        return node
    made = {name: _in_2020(part, is_part=name in ("if", "then")) for name, part in node.items() if name != "$schema"}
    if "dependencies" in made:
        made["dependentRequired"] = made.pop("dependencies")
    if made.get("format") == "currency_type":
        made["pattern"] = "^[A-Z]{3}$"
    if is_part or "propertyNames" in made:
        made.setdefault("additionalProperties", True)
    return made


def analytics_events(stand_in: Any, count: int) -> list[AnalyticsEvent]:
    """Purchases of one visitor; others at every call."""
    at = stand_in.now() - timedelta(minutes=1)
    tea = EventItem(sku="TEA", title="Tea", quantity=2, unit_price=Decimal("10.50"), brand="Hills", category="Drinks")
    numbers = [next(_count) for _ in range(count)]
    return [
        AnalyticsEvent(
            key=f"event-{number}", name="purchase", at=at, client_id="visitor-1", session_id="session-1",
            channel="web", order_number=f"FM-{number}", amount=Decimal("24.90"), tax=Decimal("3.98"),
            shipping=Decimal("3.90"), currency="EUR", items=(tea,), values={"coupon": "SPRING"},
        )
        for number in numbers
    ]  # fmt: skip


def case() -> Case:
    """See cases."""
    return Case(
        connector=GoogleAnalytics,
        stand_in=StandIn,
        account=account,
        describe=description,
        ignore=("/token",),
        analytics_events=analytics_events,
        counts_events_once=False,  # only purchases are known again
    )
