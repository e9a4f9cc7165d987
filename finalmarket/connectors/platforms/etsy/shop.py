"""The account as the sections call it: a shop, with what Etsy's answers have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from finalmarket.connectors.answers import fields_in, rows_in
from finalmarket.connectors.errors import Unintelligible
from finalmarket.connectors.http import Answer, Http
from finalmarket.connectors.records import Raw

ROOT = "/v3/application"
PAGE = 100


@dataclass(frozen=True, slots=True)
class Shop:
    """One shop."""

    http: Http
    shop_id: str
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where the shop's own records are."""
        return f"{ROOT}/shops/{self.shop_id}"


def results(answer: Answer) -> tuple[int, list[Raw]]:
    """How many records there are in all, and those of this page. Raises Unintelligible for another form."""
    count = fields_in(answer).get("count")
    if not isinstance(count, int):
        raise Unintelligible("Etsy does not say how many results there are", status=answer.status)
    return count, rows_in(answer, "results")


def money(told: Any) -> Decimal:
    """A Money object as an amount, zero where there is none. Raises KeyError, TypeError or ArithmeticError."""
    return Decimal(int(told["amount"])) / Decimal(int(told["divisor"])) if told else Decimal(0)


def moment(seconds: Any) -> datetime:
    """A Unix timestamp as a moment. Raises TypeError, ValueError or OverflowError."""
    return datetime.fromtimestamp(int(seconds), UTC)
