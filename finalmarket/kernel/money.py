"""Amounts of money: decimal numbers with a currency, rounded half up to the currency's smallest unit. Never floats."""

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from babel.numbers import get_currency_precision, list_currencies

from finalmarket.kernel.errors import UserError

# What a numeric(19, 4) column holds with room to spare; a longer amount is a mistake, not a price.
MOST_DIGITS = 15
MOST_DECIMALS = 12
_WRITTEN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)


@cache
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies())


def check_currency(currency: str) -> str:
    """The currency code itself. Raises UserError for one that ISO 4217 does not know (or that is not in capitals)."""
    if currency not in _currencies():
        raise UserError(f'unknown currency "{currency[:20]}"; use a three-letter code of ISO 4217 such as EUR')
    return currency


@cache
def minor_digits(currency: str) -> int:
    """How many digits the currency has after the point: EUR 2, JPY 0, KWD 3. Raises UserError for an unknown one."""
    return get_currency_precision(check_currency(currency))


def quantize(amount: Decimal, currency: str) -> Decimal:
    """The amount rounded half up to the currency's smallest unit.

    For totals, not for unit prices, which may be finer than a cent. Raises UserError for NaN, Infinity, or a currency
    unknown.
    """
    if not amount.is_finite():
        raise UserError(f"{amount} is not an amount of money")
    return amount.quantize(Decimal(1).scaleb(-minor_digits(currency)), rounding=ROUND_HALF_UP)


def money_words(amount: Decimal, currency: str) -> str:
    """The amount as people read it, in whole smallest units: `89.30 EUR`. Raises UserError as `quantize` does."""
    return f"{quantize(amount, currency)} {currency}"


def parse(text: str) -> Decimal:
    """The decimal number written in `text`: digits with a point, a sign if need be, as in -12.50.

    Raises UserError for anything else: NaN, Infinity, thousands separators, decimal commas, more than 15 digits before
    the point or 12 after it.
    """
    written = text.strip()
    if len(written) > 40 or _WRITTEN.fullmatch(written) is None:
        raise UserError(f'"{_shortened(written)}" is not an amount; write digits with a point, such as 12.50')
    amount = Decimal(written)
    exponent = amount.as_tuple().exponent
    if amount and (amount.adjusted() >= MOST_DIGITS or (isinstance(exponent, int) and -exponent > MOST_DECIMALS)):
        raise UserError(
            f'"{_shortened(written)}" is beyond any amount: at most {MOST_DIGITS} digits before the point '
            f"and {MOST_DECIMALS} after it"
        )
    return amount if amount else Decimal(0)


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
