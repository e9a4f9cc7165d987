"""The account as the sections call it: a shop, with what Etsy's answers have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

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


def fields(answer: Answer) -> Raw:
    """The object of an answer. Raises Unintelligible where there is none."""
    if not isinstance(answer.data, dict):
        raise Unintelligible("Etsy's answer is no object", status=answer.status)
    return answer.data


def results(answer: Answer) -> tuple[int, list[Raw]]:
    """How many records there are in all, and those of this page. Raises Unintelligible for another form."""
    told = fields(answer)
    count, listed = told.get("count"), told.get("results")
    if not isinstance(count, int) or not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise Unintelligible("Etsy's answer is no list of results", status=answer.status)
    return count, listed


def money(told: Any) -> Decimal:
    """A Money object as an amount, zero where there is none. Raises KeyError, TypeError or ArithmeticError."""
    return Decimal(int(told["amount"])) / Decimal(int(told["divisor"])) if told else Decimal(0)


def moment(seconds: Any) -> datetime:
    """A Unix timestamp as a moment. Raises TypeError, ValueError or OverflowError."""
    return datetime.fromtimestamp(int(seconds), UTC)
