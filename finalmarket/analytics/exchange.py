"""What currencies are worth in each other, as `finalmarket import rates` was told. The rules stand in rates.sql."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection

from finalmarket.kernel.money import check_currency


@dataclass(frozen=True, slots=True)
class Rate:
    """Units of one currency for one of another. `since` is the day of the rate (the older of two), `via` the third
    currency through which it was crossed."""

    rate: Decimal
    since: date
    via: str = ""


def rate_on(source: str, target: str, day: date) -> Rate | None:
    """Return what one unit of `source` is worth in `target` on a day: by the last rate on or before it that was given
    (or its inverse), else crossed through a third currency, the merchant's if that can be. None where there is none.
    Raises UserError for an unknown currency."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rate, since, via FROM exchange_rate(%s, %s, %s)",
            [check_currency(source), check_currency(target), day],
        )
        rate, since, via = cursor.fetchone()
    return None if rate is None else Rate(rate, since, via)


def merchant_currency() -> str:
    """Return the currency in which the merchant counts: the one that is said, else that of the first channel."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT merchant_currency()")
        found: str = cursor.fetchone()[0]
    return found
