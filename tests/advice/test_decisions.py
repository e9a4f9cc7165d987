"""Decisions are logged with their propensities, answered, settled by what happened, and learned from."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from finalmarket.advice.models import ActionPolicy, NextAction
from finalmarket.advice.next_action.advising import EXPLORE
from finalmarket.advice.next_action.catalogue import NAMES
from finalmarket.advice.next_action.context import FIGURES
from finalmarket.advice.next_action.decisions import WINDOW, answer, decide, decide_due, settle
from finalmarket.advice.next_action.learning import Settled, judge, learn, verdict_on
from finalmarket.advice.policy.choosing import mixed, one_hot
from finalmarket.advice.policy.linear import LinearModel
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from tests.advice.shop import advice_for, buy, fill_cart, person, stocked
from tests.orders.market import Market

pytestmark = pytest.mark.django_db


def decided(market: Market, *names: str) -> dict[str, NextAction]:
    """A decision for somebody of each name, who has a cart."""
    (tea,) = stocked(market, "TEA", units=90)
    people = [person(name) for name in names]
    for who in people:
        fill_cart(market, who, tea)
    assert decide([who.pk for who in people]) == len(names)
    return {row.customer.name: row for row in NextAction.objects.select_related("customer")}


def test_a_decision_is_logged_with_what_was_possible_and_how_probable_it_was(market: Market) -> None:
    row = decided(market, "Ann")["Ann"]
    assert row.probabilities == {"cart_reminder": pytest.approx(0.95), "no_action": pytest.approx(0.05)}
    assert row.propensity == row.probabilities[row.action]
    assert (row.policy, row.by_rule, len(row.context)) == ("rules", "cart_reminder", len(FIGURES))
    assert row.is_trial == (row.action == "no_action")
    assert row.closes_at == row.decided_at + WINDOW


def test_chance_is_given_its_share_and_what_it_chose_is_shown_as_a_trial(market: Market) -> None:
    rows = decided(market, *(f"P{number}" for number in range(150)))
    trials = [row for row in rows.values() if row.is_trial]
    assert 1 <= len(trials) <= 20  # one in twenty, of a hundred and fifty
    step = trials[0].customer.unified_profile()["next_best_action"]
    assert step.action == "no_action"
    assert step.reasons[-1] == "chosen by chance, to learn what it brings"


def test_a_person_has_one_open_decision_and_it_stands(market: Market) -> None:
    row = decided(market, "Ann")["Ann"]
    assert decide([row.customer_id]) == 0
    assert NextAction.objects.count() == 1
    assert advice_for(row.customer).standing == row.pk


def test_a_decision_about_either_profile_stands_once_they_are_one_person(market: Market) -> None:
    at_the_till = person("Ann at the till")
    row = decided(market, "Ann")["Ann"]
    at_the_till.merge(row.customer, actor="olga")
    row.customer.refresh_from_db()
    assert row.customer.merged_into == at_the_till
    assert (decide_due(), decide([at_the_till.pk]), decide([row.customer.pk])) == (0, 0, 0)
    assert NextAction.objects.get() == row


def test_those_who_wait_longest_are_decided_about_first(market: Market) -> None:
    stocked(market, "TEA")
    ann, ben, eve = person("Ann"), person("Ben"), person("Eve")
    for who in (ann, ben):
        buy(market, who, 20, "TEA")
    buy(market, eve, 400, "TEA")
    assert decide_due(most=1) == 1
    assert NextAction.objects.get().customer == ann
    assert decide_due() == 1
    assert set(NextAction.objects.values_list("customer", flat=True)) == {
        ann.pk,
        ben.pk,
    }  # not who did nothing in a year


def test_what_happens_in_its_time_is_put_down_to_a_decision(market: Market) -> None:
    rows = decided(market, "Ann", "Ben", "Eve", "Joe", "Kim", "Lee")
    begun = clock.now()

    def after(days: float, verb: object) -> None:
        with clock.steered(begun + timedelta(days=days)):
            verb()  # type: ignore[operator]

    people = {name: row.customer for name, row in rows.items()}
    after(3, lambda: buy(market, people["Ann"], 0, "TEA"))
    after(3, lambda: buy(market, people["Ben"], 0, "TEA"))
    after(4, lambda: people["Ben"].withdraw_consent("newsletter", source="test"))
    after(5, lambda: people["Eve"].track_interaction(market.web, "email_click"))
    after(15, lambda: buy(market, people["Joe"], 0, "TEA"))  # too late
    second = person("Kim at the till", agrees=False)
    after(2, lambda: buy(market, second, 0, "TEA", channel=market.till))
    people["Kim"].merge(second, actor="olga")
    with clock.steered(begun + timedelta(days=13)):
        assert settle() == 0
    with clock.steered(begun + timedelta(days=15)):
        assert settle() == 6
    came = {row.customer.name: (row.outcome, row.reward) for row in NextAction.objects.select_related("customer")}
    assert came == {
        "Ann": ("order", 1), "Ben": ("unsubscribed", -1), "Eve": ("reply", 0.1), "Joe": ("nothing", 0),
        "Kim": ("order", 1), "Lee": ("nothing", 0),
    }  # fmt: skip


def test_an_answer_is_written_down_while_the_decision_is_open(market: Market) -> None:
    row = decided(market, "Ann")["Ann"]
    answer(row.pk, "accepted", actor="olga")
    row.refresh_from_db()
    assert (row.answer, row.answered_by) == ("accepted", "olga")
    for wrong, why in ((("later", "olga"), "accepted or dismissed"), (("accepted", " "), "who")):
        with pytest.raises(UserError, match=why):
            answer(row.pk, wrong[0], actor=wrong[1])
    with pytest.raises(UserError, match="no decision"):
        answer(row.pk + 1, "accepted", actor="olga")
    with clock.steered(row.closes_at), pytest.raises(UserError, match="closed"):
        answer(row.pk, "dismissed", actor="olga")


def test_what_was_settled_is_learned_once_and_kept(market: Market) -> None:
    rows = decided(market, "Ann", "Ben")
    buy(market, rows["Ann"].customer, 0, "TEA")
    with clock.steered(clock.now() + timedelta(days=15)):
        settle()
        assert (learn(), learn()) == (2, 0)
        verdict = judge()
    policy = ActionPolicy.objects.get()
    assert (policy.learned_rows, policy.version, policy.is_trusted) == (2, 1, False)
    assert sum(one["rows"] for one in policy.state["actions"].values()) == 2
    assert "2 decisions are settled" in verdict.text
    assert not verdict.is_trusted


# Whether what was learned is trusted.


def logged(rows: int, seed: int, *, cart_gain: float, else_gain: float) -> Settled:
    """A log of the rules, which recall every cart with nine parts in ten and let chance choose in the rest; some people
    have a cart that is alive (the last figure of their context), to the others a reminder brings `else_gain`."""
    chance = np.random.default_rng(seed)
    contexts = np.zeros((rows, len(FIGURES)))
    contexts[:, 0] = 1.0
    contexts[:, -1] = chance.random(rows) < 0.5
    first, idle = NAMES.index("cart_reminder"), NAMES.index("no_action")
    eligible = np.zeros((rows, len(NAMES)), bool)
    eligible[:, [first, idle]] = True
    by_rules = mixed(one_hot(np.full(rows, first), len(NAMES)), eligible, EXPLORE)
    done = np.where(chance.random(rows) < by_rules[:, first], first, idle)
    gains = np.where(contexts[:, -1] > 0, cart_gain, else_gain) * (done == first)
    rewards = (chance.random(rows) < np.abs(0.05 + gains)) * np.sign(0.05 + gains)
    return Settled(contexts, done, rewards, by_rules[np.arange(rows), done], eligible, by_rules)


def test_a_policy_that_learned_whom_to_leave_alone_is_trusted() -> None:
    verdict = verdict_on(logged(8_000, 1, cart_gain=0.2, else_gain=-0.3))
    assert verdict.is_trusted
    assert verdict.text.endswith("it decides")
    assert verdict.gains["snips"].low > 0
    assert verdict.estimates["learned"]["snips"].value > verdict.estimates["rules"]["snips"].value


def test_a_policy_that_brings_nothing_more_is_not() -> None:
    verdict = verdict_on(logged(8_000, 2, cart_gain=0.1, else_gain=0.1))
    assert not verdict.is_trusted
    assert "not distinguishable" in verdict.text or "less than" in verdict.text
    assert verdict.text.endswith("the rules decide")


def test_a_short_log_is_judged_by_nobody() -> None:
    assert not verdict_on(None).is_trusted
    short = verdict_on(logged(300, 3, cart_gain=0.2, else_gain=-0.3))
    assert not short.is_trusted
    assert "300 decisions are settled" in short.text


def test_a_trusted_policy_decides_with_its_own_probabilities(market: Market) -> None:
    row = decided(market, "Ann")["Ann"]
    with clock.steered(clock.now() + timedelta(days=15)):
        settle()
        learn()
        ActionPolicy.objects.update(is_trusted=True)
        (tea,) = (market.variants["TEA"],)
        fill_cart(market, row.customer, tea)
        assert decide([row.customer_id]) == 1
    second = NextAction.objects.exclude(pk=row.pk).get()
    assert (second.policy, second.policy_version, second.by_rule) == ("learned", 1, "cart_reminder")
    assert sum(second.probabilities.values()) == pytest.approx(1)
    assert min(second.probabilities.values()) >= 0.05 - 1e-9
    assert isinstance(second.decided_at, datetime)


def test_what_the_rules_would_choose_is_logged_whatever_the_model_has_learned(market: Market) -> None:
    (tea,) = stocked(market, "TEA", units=90)
    ann = person("Ann")
    buy(market, ann, 20, "TEA")
    fill_cart(market, ann, tea)
    by_assumption = advice_for(ann)
    model = LinearModel(len(FIGURES))
    for action, reward in (("cart_reminder", -1.0), ("no_action", 0.0)):
        model.of(action).learn_many(np.tile(by_assumption.context, (200, 1)), np.full(200, reward))
    ActionPolicy.objects.create(pk=1, version=1, state=model.state(), is_trusted=True)
    learned = advice_for(ann)
    harm = learned.option("cart_reminder")
    assert harm is not None
    assert harm.expected_value is not None
    assert harm.expected_value < 0
    assert (by_assumption.best.name, learned.best.name) == ("cart_reminder", "no_action")
    assert decide([ann.pk]) == 1
    row = NextAction.objects.get()
    assert (row.policy, row.by_rule) == ("learned", "cart_reminder")
    assert row.is_trial == (row.action != "no_action")
