"""What may be done for whom, what is best, and why."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finalmarket.advice.models import NextAction
from finalmarket.advice.next_action import advising
from finalmarket.advice.next_action.decisions import answer, decide
from finalmarket.advice.recommending.refresh import refresh
from finalmarket.customers.models import CustomerIdentity, OmnichannelCustomer
from finalmarket.customers.unified import Members, profiles_of
from finalmarket.integrations.models import ChannelIntegration, DueNotice
from finalmarket.kernel import clock
from finalmarket.orders.models import Fulfilment
from finalmarket.stock import ledger
from tests.advice.shop import actions, advice_for, buy, fill_cart, person, stocked, wish
from tests.orders.market import Market


def test_a_cart_that_was_left_is_recalled_with_its_value_and_reasons(market: Market) -> None:
    (tea,) = stocked(market, "TEA")
    ann = person()
    fill_cart(market, ann, tea, 2)
    advice = advice_for(ann)
    assert advice.best.name == "cart_reminder"
    assert advice.best.reasons == ("2 units lie in their cart", "Web shop can sell all of it now")
    assert (advice.best.expected_value, advice.best.currency) == (Decimal("1.00"), "EUR")  # 5 % of two at 10.00
    assert advice.best.variant == tea.pk
    step = ann.unified_profile()["next_best_action"]
    assert (step.action, step.reasons) == ("cart_reminder", advice.best.reasons)
    assert step.expected_value == Decimal("1.00")


def test_a_cart_is_not_recalled_while_it_is_being_filled_nor_when_it_cannot_be_sold(market: Market) -> None:
    tea, cup = stocked(market, "TEA", "CUP", units=2)
    ann, ben = person(), person("Ben")
    fill_cart(market, ann, tea, days_ago=0.01)
    assert actions(ann) == ["no_action"]
    fill_cart(market, ben, cup)
    assert actions(ben) == ["cart_reminder", "no_action"]
    ledger.adjust(cup.pk, market.warehouse.pk, -2, actor="test", reason="broken")
    assert actions(ben) == ["no_action"]


def test_whoever_waits_for_help_is_helped_and_nothing_is_sold(market: Market) -> None:
    (tea,) = stocked(market, "TEA")
    ann = person()
    fill_cart(market, ann, tea)
    ann.start_journey(market.web, "support")
    advice = advice_for(ann)
    assert [one.name for one in advice.options] == ["service_call"]
    assert advice.probabilities == {"service_call": 1.0}
    assert "a support journey is open" in advice.best.reasons[0]


def test_without_a_consent_nothing_is_sold_and_it_is_said_why(market: Market) -> None:
    (tea,) = stocked(market, "TEA")
    ann, ben, eve = person(agrees=False), person("Ben"), person("Eve", email="")
    for who in (ann, ben, eve):
        fill_cart(market, who, tea)
    ben.withdraw_consent("newsletter", source="test")
    told = {who.name: advice_for(who).best for who in (ann, ben, eve)}
    assert {one.name for one in told.values()} == {"no_action"}
    assert told["Ann"].reasons == ("they have not agreed to be written to",)
    assert told["Ben"].reasons == ("they may not be written to",)
    assert told["Eve"].reasons == ("there is no address, or no channel that may write to them",)


def test_a_consent_counts_on_its_own_channel_alone(market: Market) -> None:
    (tea,) = stocked(market, "TEA")
    ann, ben = person(agrees=False), person("Ben", agrees=False)
    for who, channel in ((ann, market.till), (ben, market.web)):
        who.grant_consent("newsletter", channel, source="test")
        buy(market, who, 20, "TEA")
        fill_cart(market, who, tea)
    assert "cart_reminder" not in actions(ann)
    assert "cart_reminder" in actions(ben)


def test_a_bounce_bars_everything_that_is_written(market: Market) -> None:
    (tea,) = stocked(market, "TEA")
    ann = person()
    wish(ann, tea)
    assert "back_in_stock" in actions(ann)
    ann.withdraw_consent("mail", source="test")
    assert actions(ann) == ["no_action"]


def test_a_wish_needs_no_other_consent_and_is_told_only_when_it_can_be_sold(market: Market) -> None:
    (tea,) = stocked(market, "TEA", units=0)
    ann = person(agrees=False)
    wish(ann, tea)
    assert actions(ann) == ["no_action"]
    market.receive(tea, 3, market.warehouse)
    advice = advice_for(ann)
    assert advice.best.name == "back_in_stock"
    assert "they wish for Things (TEA)" in advice.best.reasons[0]
    ann.withdraw_consent("back_in_stock", source="test")
    assert actions(ann) == ["no_action"]


def test_what_is_bought_by_habit_is_recalled_when_it_is_due(market: Market) -> None:
    stocked(market, "TEA", "CUP")
    ann, ben = person(), person("Ben")
    for days in (94, 64, 34):
        buy(market, ann, days, "TEA")
    for days in (70, 40, 10):
        buy(market, ben, days, "TEA")
    advice = advice_for(ann)
    reorder = advice.option("reorder_reminder")
    assert reorder is not None
    assert reorder.reasons == ("they bought Things (TEA) 3 times, every 30 days, last 34 days ago",)
    assert advice.best.name == "reorder_reminder"
    assert "reorder_reminder" not in actions(ben)  # ten days ago: not due yet


def test_those_who_stayed_away_are_asked_back(market: Market) -> None:
    stocked(market, "TEA")
    ann, ben = person(), person("Ben")
    buy(market, ann, 200, "TEA")
    buy(market, ben, 100, "TEA")
    assert advice_for(ann).best.name == "win_back"
    assert "nothing was bought for 200 days, after 1 order" in advice_for(ann).best.reasons[0]
    assert "win_back" not in actions(ben)


def test_a_review_is_asked_for_once_a_parcel_has_arrived(market: Market) -> None:
    stocked(market, "TEA")
    ann = person()
    order = buy(market, ann, 12, "TEA")
    assert "review_request" not in actions(ann)
    arrived = clock.now() - timedelta(days=8)
    Fulfilment.objects.filter(order=order).update(state="delivered", delivered_at=arrived)
    assert "review_request" in actions(ann)
    ann.track_interaction(market.web, "review_submit")
    assert "review_request" not in actions(ann)
    Fulfilment.objects.filter(order=order).update(state="pending", delivered_at=None)


def test_the_club_is_for_those_who_come_back_and_are_not_in_it(market: Market) -> None:
    stocked(market, "TEA", "CUP", "POT")
    ann = person()
    for days, sku in ((50, "TEA"), (30, "CUP"), (10, "POT")):
        buy(market, ann, days, sku)
    assert "loyalty_invitation" in actions(ann)
    CustomerIdentity.objects.create(customer=ann, kind="loyalty", value="club:1")
    assert "loyalty_invitation" not in actions(ann)


def test_what_goes_with_their_things_is_shown_if_the_channel_can_sell_it(market: Market) -> None:
    tea, pot, cup = stocked(market, "TEA", "POT", "CUP", units=20)
    for number in range(4):
        buy(market, person(f"P{number}"), 20, "TEA", "POT", *(("CUP",) if number < 2 else ()))
    refresh()
    ann = person()
    buy(market, ann, 10, "TEA")
    found = advice_for(ann).option("cross_sell")
    assert found is not None
    assert found.variant == pot.pk
    assert found.reasons == ("Things (POT) goes with Things (TEA), which they know", "Web shop can sell it now")
    market.web.listings.filter(variant=pot).update(is_available=False)
    again = advice_for(ann).option("cross_sell")
    assert again is not None
    assert again.variant == cup.pk
    assert tea.pk not in [one.goods for one in advice_for(ann).picks]  # bought ten days ago, and no habit


def test_nobody_hears_from_us_too_often(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    (tea,) = stocked(market, "TEA")
    ann, ben, eve = person(), person("Ben"), person("Eve")
    for who in (ann, ben, eve):
        fill_cart(market, who, tea)
    decide([ann.pk])
    NextAction.objects.update(action="cart_reminder")
    answer(NextAction.objects.get().pk, "accepted", actor="olga")
    assert actions(ann) == ["no_action"]
    assert advice_for(ann).best.reasons == ("they heard from us as often as is good",)
    sent = {ben.pk: [timedelta(days=2)], eve.pk: [timedelta(days=9), timedelta(days=15)]}

    def mails(people: Members, now: object) -> dict[int, list[object]]:
        return {who: [clock.now() - ago for ago in sent.get(who, ())] for who in people}

    monkeypatch.setattr(advising, "CONTACTS", [mails])
    assert actions(ben) == ["no_action"]
    assert "cart_reminder" in actions(eve)
    sent[eve.pk].append(timedelta(days=20))
    assert actions(eve) == ["no_action"]


def test_what_was_dismissed_is_not_advised_again_for_a_month(market: Market) -> None:
    (tea,) = stocked(market, "TEA")
    ann = person()
    fill_cart(market, ann, tea)
    decide([ann.pk])
    NextAction.objects.update(action="cart_reminder")
    answer(NextAction.objects.get().pk, "dismissed", actor="olga")
    assert actions(ann) == ["no_action"]
    with clock.steered(clock.now() + timedelta(days=31)):
        assert "cart_reminder" in actions(ann)


def test_nobody_who_was_erased_is_advised_about(market: Market) -> None:
    (tea,) = stocked(market, "TEA")
    ann = person()
    fill_cart(market, ann, tea)
    OmnichannelCustomer.objects.filter(pk=ann.pk).update(erased_at=clock.now())
    advice = advice_for(ann)
    assert [one.name for one in advice.options] == ["no_action"]
    assert advice.best.reasons == ("they were erased",)
    decide([ann.pk])
    assert not NextAction.objects.exists()


def test_the_person_is_advised_about_and_not_the_profile(market: Market) -> None:
    (tea,) = stocked(market, "TEA")
    ann, till = person(), person("Ann at the till", agrees=False, email="")
    fill_cart(market, till, tea)
    assert actions(ann) == ["no_action"]
    ann.merge(till, actor="olga")
    assert actions(ann) == actions(till) == ["cart_reminder", "no_action"]
    ann.unmerge(till, actor="olga")
    assert actions(till) == ["no_action"]


def test_many_are_advised_in_as_many_queries_as_one(market: Market) -> None:
    tea, cup = stocked(market, "TEA", "CUP", units=90)
    people = [person(f"P{number}") for number in range(9)]
    for number, who in enumerate(people):
        buy(market, who, 200 if number % 2 else 20, "TEA", "CUP", channel=market.till if number % 3 else None)
        fill_cart(market, who, tea)
        wish(who, cup)
    refresh()
    decide([who.pk for who in people])
    counts = []
    for some in (people[:1], people):
        with CaptureQueriesContext(connection) as asked:
            found = profiles_of([who.pk for who in some])
        assert all(one["next_best_action"].action for one in found.values())
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 24


def test_a_mail_that_was_sent_counts_as_having_been_written_to(market: Market) -> None:
    (tea,) = stocked(market, "TEA")
    ann = person()
    wish(ann, tea)
    fill_cart(market, ann, tea)
    mails = ChannelIntegration.objects.create(platform_name="SendGrid", integration_type="email")
    notice = DueNotice.objects.create(integration=mails, kind="back_in_stock", local_id=ann.wishlist.get().pk, key="w")
    assert "cart_reminder" in actions(ann)
    DueNotice.objects.filter(pk=notice.pk).update(state="sent", sent_at=clock.now() - timedelta(days=1))
    assert actions(ann) == ["no_action"]
    DueNotice.objects.filter(pk=notice.pk).update(sent_at=clock.now() - timedelta(days=8))
    assert "cart_reminder" in actions(ann)
