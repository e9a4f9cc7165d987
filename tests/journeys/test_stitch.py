"""What a person did becomes journeys: by lanes, with an intent, an end and a reason for each."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from finalmarket.journeys.facts import LEFT, RECOGNISED, Booked, Called, CalledTouch, Placed
from finalmarket.journeys.spans import DEFAULTS
from tests.journeys.tales import BEN, NOON, PHONE, STORE, WEB, Story, at


@pytest.fixture
def story() -> Story:
    return Story()


def bought(story: Story, when: float = 0, number: str = "FM-1", *, cancelled: bool = False) -> Placed:
    """An order so many minutes after noon."""
    order = Placed(len(story.facts.orders) + 1, at(minutes=when), number, Decimal("40.00"), "EUR", cancelled)
    story.facts.orders.append(order)
    return order


def test_looking_around_is_browsing_and_is_given_up_after_a_week(story: Story) -> None:
    story.does("page_view", at())
    story.does("product_view", at(minutes=2), sku="CUP")
    assert story.ends(now=at(days=7, minutes=2)) == [("browse", "open", "")]
    assert story.ends(now=at(days=7, minutes=3)) == [("browse", "abandoned", "left")]


def test_who_comes_back_to_the_goods_is_researching(story: Story) -> None:
    story.does("product_view", at(), sku="CUP")
    story.does("product_view", at(minutes=90), sku="CUP")
    (journey,) = story.told().journeys
    assert (journey.intent, journey.reason, journey.visits) == ("research", "they came back to look again", 2)


def test_the_cart_makes_it_a_purchase_and_an_emptied_cart_makes_it_research_again(story: Story) -> None:
    story.does("product_view", at(), sku="CUP")
    story.does("add_to_cart", at(minutes=1), sku="CUP")
    assert story.ends(now=at(minutes=2)) == [("purchase", "open", "")]
    story.does("remove_from_cart", at(minutes=3), sku="CUP")
    (journey,) = story.told(at(minutes=4)).journeys
    assert (journey.intent, journey.reason, journey.step) == (
        "research",
        "something was in the cart",
        "remove_from_cart",
    )


def test_an_order_completes_what_led_to_it(story: Story) -> None:
    story.does("search", at(), WEB)
    story.does("store_visit", at(days=3), STORE)
    bought(story, 3 * 1440 + 20)
    (journey,) = story.told().journeys
    assert (journey.intent, journey.state, journey.outcome, journey.order_id) == ("purchase", "completed", "ordered", 1)
    assert (journey.reason, journey.value, journey.currency) == ("order FM-1 was placed", Decimal(40), "EUR")
    assert journey.ended_at == at(days=3, minutes=20)


def test_the_browsers_word_for_an_order_completes_nothing(story: Story) -> None:
    story.does("add_to_cart", at())
    story.does("checkout_start", at(minutes=1))
    story.does("checkout_complete", at(minutes=2))
    assert story.ends(now=at(minutes=3)) == [("purchase", "open", "")]
    assert story.ends() == [("purchase", "abandoned", "unconfirmed")]


def test_an_order_without_anything_before_it_is_no_journey(story: Story) -> None:
    bought(story)
    assert story.ends() == []


def test_an_order_that_is_cancelled_was_led_to_all_the_same_but_is_worth_nothing(story: Story) -> None:
    story.does("add_to_cart", at())
    bought(story, 5, cancelled=True)
    (journey,) = story.told().journeys
    assert (journey.state, journey.outcome, journey.order_id) == ("completed", "order_cancelled", 1)
    assert journey.value == Decimal(0)


def test_the_page_that_thanks_for_the_order_is_no_new_journey(story: Story) -> None:
    story.does("checkout_start", at())
    bought(story, 5)
    story.does("checkout_complete", at(minutes=6))
    story.does("page_view", at(minutes=20))
    story.does("page_view", at(minutes=45))
    assert story.ends() == [("purchase", "completed", "ordered")]
    assert [row.action for row in story.told().touches] == ["checkout_start"]


def test_whoever_goes_on_shopping_after_an_order_is_on_another_journey(story: Story) -> None:
    story.does("checkout_start", at())
    bought(story, 5)
    story.does("product_view", at(minutes=7), sku="BOWL")
    assert story.ends(now=at(minutes=8)) == [("purchase", "completed", "ordered"), ("browse", "open", "")]


def test_a_cart_that_is_left_is_a_step_of_its_own(story: Story) -> None:
    first = story.does("add_to_cart", at(), sku="CUP")
    story.does("page_view", at(minutes=3))
    told = story.told()
    (journey,) = told.journeys
    assert (journey.state, journey.outcome, journey.step) == ("abandoned", "cart_left", "add_to_cart")
    assert journey.ended_at == at(minutes=3)
    assert journey.score == 5 + 1 - 5
    last = told.touches[-1]
    assert (last.id, last.action, last.interaction_id, last.occurred_at) == (
        LEFT + first.id, "cart_abandonment", None, at(minutes=3),
    )  # fmt: skip


def test_a_checkout_that_is_left_says_so(story: Story) -> None:
    story.does("add_to_cart", at())
    story.does("checkout_start", at(minutes=3))
    (journey,) = story.told().journeys
    assert (journey.outcome, journey.step) == ("checkout_left", "checkout_start")


def test_a_case_during_a_purchase_is_a_second_journey(story: Story) -> None:
    story.does("add_to_cart", at())
    story.does("customer_service", at(minutes=5), PHONE)
    story.does("checkout_start", at(minutes=9))
    bought(story, 12)
    assert story.ends(now=at(minutes=20)) == [("purchase", "completed", "ordered"), ("support", "open", "")]


def test_questions_before_buying_belong_to_the_purchase(story: Story) -> None:
    story.does("product_view", at(), sku="CUP")
    story.does("page_view", at(minutes=1), words="/help/returns")
    story.does("phone_call", at(minutes=5), PHONE)
    assert [row.intent for row in story.told().journeys] == ["research"]


def test_the_same_page_begins_a_case_where_nobody_is_buying(story: Story) -> None:
    story.does("page_view", at(), words="/help/returns")
    assert story.ends(now=at(minutes=1)) == [("return", "open", "")]
    story.facts.returns.append(Booked(7, at(days=2), order=1))
    (journey,) = story.told().journeys
    assert (journey.state, journey.outcome, journey.reason) == ("completed", "return_booked", "a return was booked")


def test_contact_lenses_are_goods(story: Story) -> None:
    story.does("page_view", at(), words="/contact-lenses/monthly")
    assert story.ends(now=at(minutes=1)) == [("browse", "open", "")]


def test_a_review_completes_itself(story: Story) -> None:
    story.does("email_click", at(), words="how was it? write a review")
    story.does("review_submit", at(minutes=4), sku="CUP")
    (journey,) = story.told().journeys
    assert (journey.intent, journey.outcome, journey.started_at) == ("review", "review_sent", NOON)


def test_a_mail_that_is_opened_begins_nothing_and_keeps_nothing_open(story: Story) -> None:
    story.does("email_open", at(days=-1))
    story.does("product_view", at(), sku="CUP")
    story.does("email_open", at(days=6))
    assert story.ends(now=at(days=7, minutes=1)) == [("browse", "abandoned", "left")]
    assert [row.action for row in story.told().touches] == ["product_view", "email_open"]


def test_a_change_of_channel_is_marked_on_the_step_after_it(story: Story) -> None:
    for minutes, channel in ((0, WEB), (5, WEB), (9, STORE), (12, WEB)):
        story.does("product_view", at(minutes=minutes), channel)
    assert [row.switched_from_id for row in story.told().touches] == [None, None, WEB, STORE]


def test_a_journey_has_the_number_and_the_profile_of_its_first_interaction(story: Story) -> None:
    story.does("product_view", at(minutes=5))
    early = story.does("product_view", at(), STORE, customer=BEN)
    (journey,) = story.told().journeys
    assert (journey.id, journey.customer_id, journey.start_channel_id) == (RECOGNISED + early.id, BEN, STORE)


def test_a_journey_becomes_neither_longer_nor_fuller_than_its_limits(story: Story) -> None:
    for days in range(0, 120, 5):
        story.does("product_view", at(days=days), sku="CUP")
    starts = [row.started_at for row in story.told().journeys]
    assert starts == [NOON, at(days=95)]


def test_a_full_journey_gives_way_to_the_next(story: Story) -> None:
    for number in range(DEFAULTS.most_touches + 1):
        story.does("page_view", NOON + timedelta(seconds=number))
    told = story.told()
    full, rest = (row.id for row in told.journeys)
    assert [row.journey_id for row in told.touches] == [full] * DEFAULTS.most_touches + [rest]


def called(story: Story, intent: str, begun: float, ended: float | None = None, state: str = "completed") -> None:
    """A journey that a call starts, and perhaps ends, so many minutes after noon."""
    if ended is None:
        story.facts.called.append(Called(4, intent, at(minutes=begun)))
    else:
        story.facts.called.append(Called(4, intent, at(minutes=begun), at(minutes=ended), state, "success"))


def test_what_is_done_while_a_called_journey_is_open_joins_it(story: Story) -> None:
    called(story, "purchase", 0, 60)
    story.does("product_view", at(minutes=10))
    story.does("customer_service", at(minutes=20), PHONE)
    story.does("product_view", at(minutes=90))
    told = story.told(at(minutes=91))
    assert [(row.interaction_id, row.journey_id) for row in told.touches] == [
        (1, 4), (2, RECOGNISED + 2), (3, RECOGNISED + 3),
    ]  # fmt: skip


def test_an_order_during_a_called_purchase_is_the_callers_to_name(story: Story) -> None:
    called(story, "purchase", 0)
    story.does("add_to_cart", at(minutes=10))
    bought(story, 12)
    assert story.ends() == []


def test_what_was_recognised_goes_on_in_the_journey_that_a_call_starts(story: Story) -> None:
    story.does("product_view", at())
    called(story, "purchase", 5)
    story.does("add_to_cart", at(minutes=7))
    assert story.ends() == [("browse", "completed", "continued")]


def test_a_called_journey_that_nobody_goes_on_with_takes_nothing_more(story: Story) -> None:
    called(story, "browse", 0)
    story.does("product_view", at(days=8))
    assert story.ends(now=at(days=8, minutes=1)) == [("browse", "open", "")]


def test_a_step_that_a_call_adds_keeps_a_called_journey_open(story: Story) -> None:
    one = Called(4, "browse", NOON, touches=(CalledTouch(9, at(days=5), WEB), CalledTouch(8, at(days=11), STORE)))
    story.facts.called.append(one)
    story.does("product_view", at(days=14), STORE)
    told = story.told()
    assert told.journeys == []
    assert [(note.id, note.switched_from_id, note.visit) for note in told.switches] == [(8, WEB, 2), (9, None, 1)]
    assert told.called[0].closes_at == at(days=21)


def test_a_case_ends_with_the_ticket_that_was_opened_for_it(story: Story) -> None:
    story.does("customer_service", at(), PHONE)
    called(story, "support", 5, 60 * 24 * 20)
    assert story.ends() == [("support", "completed", "success")]
    assert story.told().journeys[0].ended_at == at(days=20)


def test_a_ticket_that_is_given_up_leaves_its_case_to_its_own_time(story: Story) -> None:
    story.does("customer_service", at(), PHONE)
    called(story, "support", 5, 60, state="abandoned")
    assert story.ends(now=at(days=14)) == [("support", "open", "")]
    assert story.ends(now=at(days=15)) == [("support", "abandoned", "left")]
