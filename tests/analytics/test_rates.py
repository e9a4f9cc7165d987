"""What one currency is worth in another: by the last rate on or before the day, or not at all."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from finalmarket.analytics.exchange import Rate, merchant_currency, rate_on
from finalmarket.analytics.models import ExchangeRate, Merchant
from finalmarket.kernel.errors import UserError
from tests.analytics import book

pytestmark = pytest.mark.django_db
MONDAY, TUESDAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 1)


def given(base: str, quote: str, rate: str, day: date = MONDAY) -> None:
    ExchangeRate.objects.create(base=base, quote=quote, date=day, rate=Decimal(rate))


def test_a_rate_holds_until_the_next_one_and_never_before_its_day() -> None:
    given("EUR", "USD", "1.10")
    given("EUR", "USD", "1.20", date(2026, 3, 9))
    assert rate_on("EUR", "USD", MONDAY) == Rate(Decimal("1.10"), MONDAY)
    assert rate_on("EUR", "USD", date(2026, 3, 8)) == Rate(Decimal("1.10"), MONDAY)
    assert rate_on("EUR", "USD", date(2026, 3, 9)) == Rate(Decimal("1.20"), date(2026, 3, 9))
    assert rate_on("EUR", "USD", SUNDAY) is None


def test_a_rate_works_both_ways_and_the_newer_one_counts() -> None:
    given("EUR", "USD", "1.25")
    found = rate_on("USD", "EUR", TUESDAY)
    assert found is not None
    assert found.rate == Decimal("0.8")
    given("USD", "EUR", "0.79", TUESDAY)
    assert rate_on("USD", "EUR", TUESDAY) == Rate(Decimal("0.79"), TUESDAY)
    assert rate_on("USD", "EUR", MONDAY) == Rate(Decimal("0.8"), MONDAY)


def test_a_rate_that_is_not_given_is_crossed_through_the_merchants_currency() -> None:
    Merchant.objects.create(currency="EUR")
    given("EUR", "GBP", "0.80")
    given("EUR", "CHF", "0.96", SUNDAY)
    given("GBP", "USD", "1.30")
    given("CHF", "USD", "1.00")
    assert rate_on("GBP", "CHF", TUESDAY) == Rate(Decimal("1.2"), SUNDAY, "EUR")


def test_where_the_merchants_currency_is_no_bridge_another_one_is() -> None:
    Merchant.objects.create(currency="USD")
    given("EUR", "GBP", "0.80")
    given("EUR", "USD", "1.20")
    assert rate_on("GBP", "USD", TUESDAY) == Rate(Decimal("1.5"), MONDAY, "EUR")


def test_no_bridge_no_rate() -> None:
    given("EUR", "GBP", "0.80")
    given("USD", "CHF", "0.90")
    assert rate_on("GBP", "CHF", TUESDAY) is None
    assert rate_on("JPY", "EUR", TUESDAY) is None


def test_money_is_worth_itself() -> None:
    assert rate_on("JPY", "JPY", MONDAY) == Rate(Decimal(1), MONDAY)


def test_a_currency_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UserError, match="unknown currency"):
        rate_on("EUR", "XYQ", MONDAY)


def test_the_merchant_counts_as_the_first_channel_does_until_it_is_said() -> None:
    assert merchant_currency() == "EUR"
    book.channel("London", currency="GBP")
    book.channel("Zürich", currency="CHF")
    assert merchant_currency() == "GBP"
    Merchant.objects.create(currency="USD")
    assert merchant_currency() == "USD"
