"""Tokens that shopping agents grant, at Stripe, over HTTP. The published description holds what is generally there and
does not know them: they are in preview, so nothing but the stand-in judges here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.platforms.stripe import Stripe
from finalmarket.connectors.records import TokenCharge
from finalmarket.sandbox.platforms.stripe import Stripe as Bank
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World


@pytest.fixture
def bank() -> Bank:
    return Bank(World())


@pytest.fixture
def stripe(bank: Bank) -> Iterator[Stripe]:
    with served(bank) as (address,):
        made = Stripe(Account(bank.credentials(), {}, address))
        yield made
        made.close()


def _charge(token: str, **told: Any) -> TokenCharge:
    made = TokenCharge(key="acp:1:1", token=token, order_id="cart:1", amount=Decimal("13.90"), currency="EUR")
    return replace(made, **told)


def test_a_token_is_reserved_for_our_order_and_told_twice_it_is_one_payment(bank: Bank, stripe: Stripe) -> None:
    token = bank.grant(1_390)
    first = stripe.charge_token(_charge(token, email="ann@example.com"))
    assert (first.state, first.amount, first.currency) == ("authorised", Decimal("13.90"), "EUR")
    assert (first.order_id, first.email) == ("cart:1", "ann@example.com")
    again = stripe.charge_token(_charge(token, email="ann@example.com"))
    assert again.external_id == first.external_id
    assert [one.state for one in bank.money().values()] == ["held"]
    taken = stripe.capture_payment(first.external_id, Decimal("13.90"), "EUR", "k")
    assert taken.state == "captured"


@pytest.mark.parametrize("wrong", ["unknown", "used", "too_little", "other_currency", "declined"])
def test_a_token_that_is_not_good_for_it_is_refused(bank: Bank, stripe: Stripe, wrong: str) -> None:
    token = bank.grant(
        1_000 if wrong == "too_little" else 1_390, "usd" if wrong == "other_currency" else "eur",
        is_declined=wrong == "declined",
    )  # fmt: skip
    if wrong == "used":
        stripe.charge_token(_charge(token))
    with pytest.raises(Rejected) as caught:
        stripe.charge_token(_charge("spt_nobody" if wrong == "unknown" else token, key="acp:1:2"))
    assert (caught.value.code == "card_declined") is (wrong == "declined")
    assert len(bank.money()) == (1 if wrong == "used" else 0)
    assert token not in str(caught.value)


def test_a_token_is_never_shown() -> None:
    assert "spt_secret" not in repr(_charge("spt_secret"))
