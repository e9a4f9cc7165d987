"""The pages of advice for customers: who, what, why, accepting and dismissing, and who decides."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from finalmarket.advice.models import NextAction
from finalmarket.advice.next_action.decisions import decide, settle
from finalmarket.advice.next_action.learning import judge
from finalmarket.advice.recommending.refresh import refresh
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.kernel import clock
from tests.advice.shop import buy, fill_cart, person, stocked
from tests.console.reading import read, told
from tests.orders.market import Market

ADVICE = reverse("console:advice")


@pytest.fixture
def ann(market: Market) -> OmnichannelCustomer:
    """Somebody with a cart, about whom it was decided to remind them of it."""
    (tea,) = stocked(market, "TEA", units=90)
    found = person("Ann")
    fill_cart(market, found, tea, 2)
    decide([found.pk])
    NextAction.objects.update(action="cart_reminder", propensity=0.95, is_trial=False)
    return found


def page_of(who: OmnichannelCustomer) -> str:
    return reverse("console:customer_advice", args=[who.pk])


def test_an_empty_house_teaches(operator: Client) -> None:
    page = read(operator, ADVICE)
    assert "No advice waits for an answer." in page
    assert "The rules decide" in page
    assert "No decision matches" in read(operator, f"{ADVICE}?state=settled")


def test_who_what_why_and_how_much(operator: Client, ann: OmnichannelCustomer) -> None:
    page = read(operator, ADVICE)
    assert "Ann Cart reminder" in page
    assert "2 units lie in their cart, Web shop can sell all of it now" in page
    assert "€1.00" in page
    assert "Accept Dismiss" in page


def test_advice_is_accepted_and_dismissed(operator: Client, ann: OmnichannelCustomer) -> None:
    row = NextAction.objects.get()
    address = reverse("console:answer_advice", args=[row.pk])
    done = operator.post(address, {"answer": "accepted", "next": ADVICE}, follow=True)
    assert "Cart reminder: accepted" in told(done)[0]
    row.refresh_from_db()
    assert (row.answer, row.answered_by) == ("accepted", "olga")
    assert "No advice waits" in read(operator, ADVICE)
    assert "Accepted olga" in read(operator, f"{ADVICE}?state=open")
    assert "dismissed" in told(operator.post(address, {"answer": "dismissed"}, follow=True))[0]
    assert "Accept the advice or dismiss it" in told(operator.post(address, {"answer": "x"}, follow=True))[0]


def test_a_person_s_page_shows_the_next_step_and_leads_to_all_that_may_be_done(
    operator: Client, market: Market, ann: OmnichannelCustomer
) -> None:
    own = operator.get(reverse("console:customer", args=[ann.pk])).content.decode()
    assert "Remind them of their cart" in own
    assert "2 units lie in their cart" in own
    assert page_of(ann) in own
    stocked(market, "POT")
    for number in range(3):
        buy(market, person(f"P{number}"), 20, "TEA", "POT")
    refresh()
    buy(market, ann, 10, "TEA")
    page = read(operator, page_of(ann))
    assert "All that may be done now" in page
    assert "No action" in page
    assert "POT Things goes with TEA" in page
    assert operator.get(reverse("console:customer_advice", args=[ann.pk + 999])).status_code == 404


def test_what_came_of_it_and_who_decides_is_told(operator: Client, market: Market, ann: OmnichannelCustomer) -> None:
    buy(market, ann, 0, "TEA")
    with clock.steered(clock.now() + timedelta(days=15)):
        settle()
        judge()
        page = read(operator, f"{ADVICE}?state=settled")
    assert "Cart reminder 1 0 0 1 1 0 0" in page
    assert "An order" in page
    assert "1 decision is settled; the rules decide until there are 500 to judge by" in page


def test_whoever_may_not_see_people_sees_no_names(ann: OmnichannelCustomer) -> None:
    clerk = User.objects.create_user("carl", password="open sesame 3", is_staff=True)
    client = Client()
    client.force_login(clerk)
    assert client.get(ADVICE).status_code == 403
    clerk.user_permissions.add(Permission.objects.get(codename="view_nextaction"))
    page = read(client, ADVICE)
    assert f"Customer {ann.pk} Cart reminder" in page
    assert "Ann" not in page
    assert "Ann" not in read(client, page_of(ann))
    assert "Accept Dismiss " not in page
    row = NextAction.objects.get()
    assert client.post(reverse("console:answer_advice", args=[row.pk]), {"answer": "accepted"}).status_code == 403


@pytest.mark.parametrize("state", ["", "?state=open"])
def test_many_decisions_take_as_many_questions_as_few(
    operator: Client, market: Market, ann: OmnichannelCustomer, state: str
) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert operator.get(ADVICE + state).status_code == 200
        return len(asked)

    few = questions()
    people = [person(f"P{number}") for number in range(12)]
    for who in people:
        fill_cart(market, who, market.variants["TEA"])
    decide([who.pk for who in people])
    NextAction.objects.update(action="cart_reminder")
    assert questions() == few <= 20
