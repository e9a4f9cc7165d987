"""Schemathesis against the description of the shopper's API, with all of its checks, by every kind of caller: no error
of ours, nothing that is not described, nobody let in without a key."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as some
from schemathesis.generation import GenerationMode

from finalmarket.access import rates
from tests.api.calling import told
from tests.api.shop.conftest import Shops, open_shops
from tests.api.shop.shopper import kiosk

DOSE = 120
CALLS = int(os.environ.get("FINALMARKET_API_CALLS", 0)) * 2 // 10 or DOSE  # of all cases together
PARTS = max(1, CALLS // 900)
SEED = int(os.environ.get("FINALMARKET_API_SEED", 0 if CALLS == DOSE else time.time_ns() // 10**9))
ANSWERS_TO_WHAT_FITS = ["2xx", "400", "401", "403", "404", "409", "422", "429"]
ANSWERS_TO_WHAT_DOES_NOT = ["400", "401", "403", "404", "405", "409", "415", "422", "429"]
QUIETLY = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
MODES = [GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@dataclass
class There:
    """Shops that stand: their description, and everybody who may call."""

    schema: Any
    callers: dict[str, dict[str, str]]


@pytest.fixture
def there(committed_database: object, settings: Any) -> Iterator[There]:
    """Set up. A request must not end the connection of the transaction that undoes it, as it would."""
    settings.MAIL_IS_SET = True
    shops = open_shops()
    made = There(_description(shops), _callers(shops))
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)  # after the last call of a test's client, which connects it again
    yield made
    for signal in (signals.request_started, signals.request_finished):
        signal.connect(close_old_connections)


def _named(shops: Shops) -> dict[str, list[Any]]:
    """For words in addresses: what is there, and what is not."""
    cart = shops.web.cart(("TEA", 2))
    ordered = shops.web.cart(("TEA", 1))
    order = told(shops.web.order(ordered), 201)["token"]
    tea = shops.market.variants["TEA"].pk
    return {
        "cart": [cart, ordered, "0f0e6a3c-2f0b-4c53-9d53-8d3a6c1e7b11"], "order": [order, "1.nothing"],
        "variant": [tea, 2**63 - 1], "slug": ["things", "nothing"],
    }  # fmt: skip


def _description(shops: Shops) -> Any:
    application = get_wsgi_application()
    raw = schemathesis.openapi.from_wsgi("/api/shop/v1/openapi.json", application).raw_schema
    raw["components"].pop("securitySchemes")
    named = _named(shops)
    for path, methods in raw["paths"].items():
        for operation in methods.values():  # who calls is said by us
            operation.pop("security")
            operation["parameters"] = [one for one in operation["parameters"] if not one["name"].startswith("X-Shop-")]
        for one in (one for operation in methods.values() for one in operation["parameters"] if one["in"] == "path"):
            name = ("cart" if "/carts/" in path else "order") if one["name"] == "token" else one["name"]
            one["schema"] = {"enum": named[name]}
    made = schemathesis.openapi.from_dict(raw)
    made.app = application
    made.config.checks.positive_data_acceptance.expected_statuses = ANSWERS_TO_WHAT_FITS
    made.config.checks.negative_data_rejection.expected_statuses = ANSWERS_TO_WHAT_DOES_NOT
    return made


def _callers(shops: Shops) -> dict[str, dict[str, str]]:
    """Everybody who may call, by the headers that they send."""
    web = dict(shops.web.headers)
    shops.web.sign_in("ann@example.com")
    return {
        "visitor": web, "shopper": dict(shops.web.headers), "app": dict(shops.app.headers),
        "kiosk": kiosk(shops.kiosk, location_id=shops.market.north.pk).headers,
        "nobody": {}, "wrong": {"X-Shop-Key": "pk_nobody-has-this"},
    }  # fmt: skip


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_is_said_is_answered_as_described_whoever_says_it(
    there: There, tried: Counter[str], record_property: Callable[[str, object], None], part: int
) -> None:
    record_property("seed", SEED)
    operations = [found.ok() for found in there.schema.get_all_operations()]
    weighed = [*["visitor", "shopper", "kiosk"] * 3, *there.callers]

    @seed(SEED + part)
    @settings(
        max_examples=CALLS // PARTS, database=None, suppress_health_check=QUIETLY,
        phases=[Phase.generate],
    )  # fmt: skip
    @given(data=some.data())
    def say(data: some.DataObject) -> None:
        note(f"again with FINALMARKET_API_SEED={SEED}")
        operation = data.draw(some.sampled_from(operations))
        case = data.draw(operation.as_strategy(generation_mode=data.draw(some.sampled_from(MODES))))
        caller = data.draw(some.sampled_from(weighed))
        rates.forget()
        with transaction.atomic():
            answer = case.call_and_validate(headers={"Host": "localhost", **there.callers[caller]})
            transaction.set_rollback(True)
        tried["calls"] += 1
        tried[f"as {caller}"] += 1
        if caller in ("nobody", "wrong"):
            assert answer.status_code in (401, 405), (caller, operation.label, answer.status_code)

    say()
