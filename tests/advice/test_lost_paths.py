"""Where journeys are lost: each once, at its last step, with what it cost and what the others did instead."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest

from finalmarket.advice import lost_paths
from finalmarket.advice.models import LostStep
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys.behind import journeys
from finalmarket.journeys.models import CrossChannelJourney, JourneyTouchpoint
from finalmarket.journeys.paths_asked import Asked
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import Order

pytestmark = pytest.mark.django_db
_numbers = count(1)


@pytest.fixture
def web(db: None) -> SalesChannel:
    return SalesChannel.objects.create(name="Web shop", channel_type="web")


@pytest.fixture
def store(db: None) -> SalesChannel:
    return SalesChannel.objects.create(name="Store", channel_type="store")


def walk(*steps: tuple[SalesChannel, str], spends: str = "", times: int = 1, state: str = "", intent: str = "purchase",
         days_ago: int = 10) -> None:  # fmt: skip
    """Journeys over these steps, a minute apart; they ended in an order of that value, or were given up."""
    began = clock.now() - timedelta(days=days_ago)
    for _ in range(times):
        number = next(_numbers)
        customer = OmnichannelCustomer.objects.create()
        order = None
        if spends:
            order = Order.objects.create(
                number=f"J-{number}", sales_channel=steps[0][0], external_id=f"J-{number}", currency="EUR",
                placed_at=began, goods=Decimal(spends), total=Decimal(spends),
            )  # fmt: skip
        journey = CrossChannelJourney.objects.create(
            customer=customer, start_channel=steps[0][0], intent=intent, order=order, started_at=began,
            state=state or ("completed" if spends else "abandoned"), ended_at=began + timedelta(hours=1),
        )  # fmt: skip
        JourneyTouchpoint.objects.bulk_create(
            [
                JourneyTouchpoint(
                    journey=journey, sales_channel=channel, action=action, occurred_at=began + timedelta(minutes=turn)
                )
                for turn, (channel, action) in enumerate(steps)
            ]
        )


def test_a_drop_off_costs_those_who_left_times_the_chance_and_the_value_of_the_others(
    web: SalesChannel, store: SalesChannel
) -> None:
    look, cart, pay = (web, "product_view"), (web, "add_to_cart"), (web, "checkout_complete")
    walk(look, cart, times=8)
    walk(look, cart, pay, spends="50.00", times=3)
    walk(look, cart, (store, "store_visit"), spends="80.00", times=1)
    walk(look, cart, look, times=2)  # went on, and was lost at a product
    assert lost_paths.refresh() == 1  # two lost at a product are too few to tell of
    (step,) = LostStep.objects.all()
    assert (step.sales_channel, step.action) == (web, "add_to_cart")
    assert (step.came_by, step.left, step.ordered) == (14, 8, 4)
    # Of the six that went on four ordered, for (3 x 50 + 80) / 4 = 57.50: 8 x 4/6 x 57.50.
    assert step.lost_value == Decimal("306.67")
    assert step.lost_low < step.lost_value < step.lost_high
    assert [(one["action"], one["channel"], one["share"]) for one in step.instead] == [
        ("checkout_complete", web.pk, 0.75), ("store_visit", store.pk, 0.25),
    ]  # fmt: skip
    assert "8 of 14 journeys that came by “Put in the cart” on Web shop ended there." in step.reason
    assert "Checkout completed on Web shop (75%), Store visit on Store (25%)." in step.reason


def test_each_lost_journey_is_counted_once(web: SalesChannel) -> None:
    look, cart = (web, "product_view"), (web, "add_to_cart")
    walk(look, cart, look, cart, times=6)
    walk(look, times=7)
    walk(look, cart, (web, "checkout_complete"), spends="10.00", times=2)
    lost_paths.refresh()
    assert dict(LostStep.objects.values_list("action", "left")) == {"product_view": 7, "add_to_cart": 6}


def test_support_open_journeys_and_old_ones_are_not_lost_sales(web: SalesChannel) -> None:
    look = (web, "product_view")
    walk(look, (web, "checkout_complete"), spends="10.00")
    walk(look, times=6, intent="support")
    walk(look, times=6, state="open")
    walk(look, times=6, days_ago=lost_paths.DAYS + 2)
    assert lost_paths.refresh() == 0


def test_behind_each_step_stand_the_journeys_that_it_counts(web: SalesChannel, store: SalesChannel) -> None:
    look, cart, pay = (web, "product_view"), (web, "add_to_cart"), (web, "checkout_complete")
    walk(look, cart, times=6)
    walk(look, cart, (web, "cart_abandonment"), times=2, intent="browse")
    walk(look, cart, look, cart, pay, spends="50.00", times=3)
    walk(look, cart, (store, "store_visit"), times=5)
    walk((store, "store_visit"), look, spends="80.00", times=2)
    walk(look, cart, times=4, intent="support")
    walk(look, cart, times=4, days_ago=lost_paths.DAYS + 2)
    Order.objects.filter(pk=Order.objects.latest("pk").pk).update(state="cancelled")
    lost_paths.refresh()
    steps = LostStep.objects.all()
    assert {(step.sales_channel, step.action) for step in steps} == {cart, (store, "store_visit")}
    for step in steps:
        words = f"lost:{step.sales_channel_id}:{step.action}"
        assert len(journeys(Asked(), f"{words}:came:{step.since}:{step.until}")) == step.came_by
        assert len(journeys(Asked(), f"{words}:left:{step.since}:{step.until}")) == step.left
    with pytest.raises(UserError, match="no number is named"):
        journeys(Asked(), "lost:1:add_to_cart:left:2026-02-30:2026-03-01")


def test_that_a_cart_was_left_is_no_step_of_its_own(web: SalesChannel) -> None:
    walk((web, "add_to_cart"), (web, "cart_abandonment"), times=6)
    walk((web, "add_to_cart"), (web, "checkout_complete"), spends="10.00")
    lost_paths.refresh()
    assert LostStep.objects.get().action == "add_to_cart"


def test_an_order_that_was_cancelled_is_no_order(web: SalesChannel) -> None:
    walk((web, "add_to_cart"), times=6)
    walk((web, "add_to_cart"), (web, "checkout_complete"), spends="10.00", times=3)
    Order.objects.filter(pk=Order.objects.first().pk).update(state="cancelled")  # type: ignore[union-attr]
    lost_paths.refresh()
    assert LostStep.objects.get().ordered == 2


def test_a_step_that_is_put_off_stays_so_and_one_that_is_mended_goes(web: SalesChannel) -> None:
    walk((web, "add_to_cart"), times=6)
    walk((web, "add_to_cart"), (web, "checkout_complete"), spends="10.00")
    lost_paths.refresh()
    lost_paths.mute(LostStep.objects.get().pk, 30, actor="olga")
    lost_paths.refresh()
    step = LostStep.objects.get()
    assert step.muted_until is not None
    assert step.decided_by == "olga"
    with clock.steered(clock.now() + timedelta(days=lost_paths.DAYS)):
        lost_paths.refresh()
    assert not LostStep.objects.exists()
    with pytest.raises(UserError, match="not among the lost ones"):
        lost_paths.mute(step.pk, 30, actor="olga")


def test_the_interval_of_a_share_is_wilsons() -> None:
    # The published example of 10 in 20: 0.299 to 0.701.
    assert lost_paths.share(10, 20) == pytest.approx((0.5, 0.299, 0.701), abs=0.001)
    assert lost_paths.share(0, 10)[1:] == pytest.approx((0.0, 0.278), abs=0.001)
