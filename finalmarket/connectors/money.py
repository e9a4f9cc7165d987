"""Amounts as platforms write them: whole numbers of a currency's smallest unit, and Decimals of the house.

The exponents are those of ISO 4217, list one, with the codes withdrawn of late that old orders may still carry. What
is customary in a country may differ (no fils are handed out for an Iraqi dinar): platforms go by the standard.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

MOST_DIGITS = 30  # before the point: no amount of money is longer

_BY_DIGITS: Mapping[int, str] = {
    0: "BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE "
        "CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD "
        "HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL LTL LVL MAD MDL MGA MKD MMK "
        "MNT MOP MRO MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB "
        "SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STD STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD "
        "USN USS UYU UZS VED VEF VES WST XAD XCD XCG YER ZAR ZMK ZMW ZWG ZWL"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_DIGITS: Mapping[str, int] = {code: digits for digits, codes in _BY_DIGITS.items() for code in codes.split()}


def minor_units(currency: str) -> int:
    """How many digits the currency has after the point (ISO 4217): EUR 2, JPY 0, KWD 3, whatever the case.

    Raises ValueError for a code that names no money with a smallest unit: a wrong guess would be wrong by a hundred.
    """
    digits = _DIGITS.get(currency.upper())
    if digits is None:
        raise ValueError(f"{currency[:20]!r} is no currency of ISO 4217 with a smallest unit")
    return digits


def from_minor(amount: int, currency: str) -> Decimal:
    """The amount in whole units of the currency: 1999 EUR cents are 19.99, 1999 JPY are 1999.

    Raises ValueError for an unknown currency, TypeError for an amount that is no whole number.
    """
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise TypeError(f"{amount!r} is no whole number of the smallest unit")
    sign, figures, _ = Decimal(amount).as_tuple()
    return Decimal((sign, figures, -minor_units(currency)))


def to_minor(amount: Decimal, currency: str) -> int:
    """The amount in the currency's smallest unit: 19.99 EUR are 1999. Raises ValueError where digits would be lost."""
    digits = minor_units(currency)
    if not amount.is_finite() or amount.adjusted() > MOST_DIGITS:
        raise ValueError(f"{amount} is not an amount of money")
    sign, figures, exponent = amount.as_tuple()
    moved = Decimal((sign, figures, int(exponent) + digits))
    whole = int(moved)
    if moved != whole:
        raise ValueError(f"{amount} is finer than the smallest unit of {currency.upper()}")
    return whole
