"""A stage for Amazon: connector and stand-in over HTTP, judged by the models; waiting moves both clocks on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from finalmarket.connectors.platforms.amazon import Amazon
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import OrderRecord, StockLevel
from finalmarket.sandbox.faults import Faults
from finalmarket.sandbox.platforms.amazon import Amazon as AmazonStandIn
from tests.connectors.cases.amazon import case
from tests.connectors.conformance.stage import Stage, staged


@contextmanager
def amazon(
    kind: type[AmazonStandIn] = AmazonStandIn, *, faults: Faults | None = None, **settings: str
) -> Iterator[Stage]:
    """A stage on which waiting moves both clocks, for an account with these settings besides its own."""
    with staged(replace(case(), stand_in=kind), faults=faults) as stage:
        if settings:
            stage.connector.close()
            told = stage.connector.account
            stage.connector = stage.with_account(replace(told, settings={**told.settings, **settings}))
        stage.connector.pause = lambda seconds: stage.time.advance(timedelta(seconds=seconds))
        yield stage
        stage.connector.close()


class Spendthrift:
    """A budget that lets every call go at once, and remembers what was learned."""

    def __init__(self) -> None:
        self.learned: list[tuple[str, float | None, float | None]] = []

    def take(self, bucket: str, rate: Rate, cost: float) -> None:
        """Wait for nothing."""

    def learn(
        self, bucket: str, *, per_second: float | None = None, capacity: float | None = None, left: float | None = None
    ) -> None:
        """Remember it."""
        self.learned.append((bucket, per_second, left))


def hasty(stage: Stage) -> tuple[Any, Spendthrift]:
    """The connector again, without a budget that holds it back."""
    budget = Spendthrift()
    return Amazon(stage.connector.account, budget=budget, transport=stage.watched), budget


def stock(refs: Any, quantity: int = 7) -> list[StockLevel]:
    """The same quantity for each."""
    return [StockLevel(ref=ref, quantity=quantity, key=f"stock-{ref.key}") for ref in refs]


def sent_to(stage: Stage, method: str, start: str) -> list[Any]:
    """The bodies of the requests of a method whose path begins so."""
    found = [one for one in stage.watched.exchanges if one.method == method and one.path.startswith(start)]
    return [json.loads(one.request_body, parse_float=Decimal) for one in found]


def pulled(stage: Stage, cursor: str = "") -> list[OrderRecord]:
    """All orders from a cursor on."""
    return [record for page in stage.connector.pull_orders(cursor, None) for record in page.records]
