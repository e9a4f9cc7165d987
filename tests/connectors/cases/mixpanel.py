"""Mixpanel under the conformance suite."""

from __future__ import annotations

import copy
import itertools
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.mixpanel import Mixpanel
from finalmarket.connectors.talk import AnalyticsEvent, EventItem
from finalmarket.sandbox.platforms.mixpanel import PROJECT, SECRET, TOKEN, USER
from finalmarket.sandbox.platforms.mixpanel import Mixpanel as StandIn
from tests.connectors.cases import Case
from tests.connectors.descriptions import vendor_apis
from tests.connectors.descriptions.dialect import Document
from tests.connectors.descriptions.files import read_description
from tests.connectors.descriptions.resources import Resources

ERRORS = {"type": "object", "required": ["error"]}
_count = itertools.count(1)


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    secrets = {"service_account_user": USER, "service_account_secret": SECRET, "project_token": TOKEN}
    return Account(secrets, {"project_id": PROJECT}, base_url=address)


@cache
def description() -> Resources:
    """The published descriptions. Operations at one address are told apart by a fragment of it, which no request
    carries: of profiles, setting and deleting are those that we use."""
    folder = vendor_apis() / "mixpanel"
    taken_in = copy.deepcopy(read_description(folder / "ingestion.openapi.yaml"))
    paths = taken_in["paths"]
    profile = paths["/engage#profile-set"]
    updates = [_updates(paths[f"/engage#profile-{name}"]) for name in ("set", "delete")]
    updates[0]["items"] = {"anyOf": [dict(one["items"]) for one in updates]}
    taken_in["paths"] = {path: item for path, item in paths.items() if "#" not in path} | {"/engage": profile}
    return Resources([Document(taken_in), Document(read_description(folder / "export.openapi.yaml"))], ERRORS)


def _updates(item: dict[str, Any]) -> dict[str, Any]:
    """What the body of a call for profiles has to look like."""
    found: dict[str, Any] = item["post"]["requestBody"]["content"]["application/json"]["schema"]
    return found


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
        connector=Mixpanel,
        stand_in=StandIn,
        account=account,
        describe=description,
        analytics_events=analytics_events,
    )
