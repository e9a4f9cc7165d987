"""Advice by REST: what to do next for a customer, and which goods to show."""

from __future__ import annotations

import pytest

from finalmarket.advice.models import NextAction
from finalmarket.advice.next_action.decisions import decide
from finalmarket.advice.recommending.refresh import refresh
from tests.advice.shop import buy, fill_cart, person, stocked
from tests.api.calling import Program, problem, told
from tests.orders.market import Market, broken_laws, open_market


@pytest.fixture
def market(db: None) -> Market:
    return open_market()


@pytest.fixture
def program(market: Market) -> Program:
    return Program(name="crm")


def test_what_to_do_next_is_told_with_all_that_may_be_done(market: Market, program: Program) -> None:
    (tea,) = stocked(market, "TEA")
    ann = person()
    fill_cart(market, ann, tea, 2)
    told_of = told(program.get(f"/customers/{ann.pk}/advice"))
    assert (told_of["action"], told_of["decision"], told_of["policy"]) == ("cart_reminder", None, "rules")
    assert told_of["expected_value"] == "1.00"
    assert [one["action"] for one in told_of["options"]] == ["cart_reminder", "no_action"]
    assert sum(one["probability"] for one in told_of["options"]) == pytest.approx(1)
    assert not NextAction.objects.exists()  # to ask decides nothing
    decide([ann.pk])
    row = NextAction.objects.get()
    again = told(program.get(f"/customers/{ann.pk}/advice"))
    assert (again["decision"], again["action"], again["is_trial"]) == (row.pk, row.action, row.is_trial)


def test_goods_are_recommended_that_the_channel_can_sell(market: Market, program: Program) -> None:
    tea, pot = stocked(market, "TEA", "POT", units=30)
    for number in range(3):
        buy(market, person(f"P{number}"), 20, "TEA", "POT")
    refresh()
    ann = person()
    buy(market, ann, 10, "TEA")
    found = told(program.get(f"/customers/{ann.pk}/recommendations", limit=5))
    assert found["channel"] == market.web.pk
    shown = [(one["sku"], one["because"]) for one in found["items"]]
    assert shown == [("POT", "TEA")]
    assert found["items"][0]["available"] > 0
    assert told(program.get(f"/customers/{ann.pk}/recommendations", channel=market.till.pk))["items"] == []
    assert (tea.pk, pot.pk) == (market.variants["TEA"].pk, found["items"][0]["variant"])
    assert broken_laws() == []


def test_nobody_is_advised_about_who_is_not_there(market: Market, program: Program) -> None:
    problem(program.get("/customers/999999/advice"), "not-found", 404)
    problem(program.get("/customers/999999/recommendations"), "not-found", 404)
    ann = person()
    problem(program.get(f"/customers/{ann.pk}/recommendations", limit=0), "invalid", 422)
    problem(program.get(f"/customers/{ann.pk}/recommendations", channel=999999), "invalid", 422)
