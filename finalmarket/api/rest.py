"""The REST API as it is served under /api/v1: its resources, its description, and its page to read and try it.

The page of the documentation is served with scripts of our own house; nothing is loaded from outside.
"""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path
from ninja import NinjaAPI, Swagger
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as Misshapen
from ninja.parser import Parser

from finalmarket.api.document import ABOUT, enrich
from finalmarket.api.door import at_the_door
from finalmarket.api.problems import Problem, answered, handle
from finalmarket.api.v1 import (
    advice,
    agreements,
    analytics,
    audit,
    carts,
    catalogue,
    channels,
    counts,
    customers,
    expected,
    integrations,
    interactions,
    journeys,
    keys,
    listings,
    locations,
    order_money,
    orders,
    parcels,
    policies,
    privacy,
    reservations,
    segments,
    stock,
    stock_moves,
    suggestions,
    transfers,
    webhooks,
)


class StrictJson(Parser):
    """JSON as the standard has it: no NaN, no half characters, no endless depth."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return what the body says. Raises ValueError for what is no JSON."""
        return orjson.loads(request.body)


class Rest(NinjaAPI):
    """Ninja's API with our description."""

    def get_openapi_schema(self, **named: Any) -> Any:
        """Return the description of the API."""
        return enrich(super().get_openapi_schema(**named))


api = Rest(
    title="The Final Market", version="1", description=ABOUT, urls_namespace="rest", parser=StrictJson(),
    docs=Swagger(settings={"persistAuthorization": False, "defaultModelsExpandDepth": 0}),
)  # fmt: skip
OF_DEEDS = (journeys, interactions, carts, advice, analytics)
OF_PERSONS = (customers, agreements, suggestions, privacy, segments)
OF_STOCK = (stock, locations, reservations, stock_moves, expected, transfers, counts, policies)
OF_ORDERS = (orders, parcels, order_money)
OF_CHANNELS = (channels, listings, catalogue)
OF_THE_HOUSE = (integrations, webhooks, keys, audit)
for module in (*OF_STOCK, *OF_ORDERS, *OF_CHANNELS, *OF_PERSONS, *OF_DEEDS, *OF_THE_HOUSE):
    api.add_router("", module.router)
for error in (Exception, HttpError, AuthenticationError, Misshapen):
    api.add_exception_handler(error, handle)


def nowhere(request: HttpRequest, **named: Any) -> HttpResponse:
    """Where the API has no address."""
    return answered(Problem("not-found", f"The API has no address {request.path[:200]}."))


def addresses() -> list[URLPattern]:
    """Return the addresses of the API, each behind the door."""
    found = [one for one in api.urls[0] if isinstance(one, URLPattern)]
    found.sort(key=lambda one: "<" in str(one.pattern))  # a word of ours is no number: /orders/bulk is no order
    for one in found:
        one.callback = at_the_door(one.callback)
    return [*found, re_path(r"^.*$", at_the_door(nowhere))]


urlpatterns = addresses()
app_name = "rest"
