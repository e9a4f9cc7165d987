"""What workers do inside the house, without any platform: what is to be worked on, the work, and what the books say
when it is done. It is the same whether nobody was killed on the way or somebody was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from finalmarket.advice.models import AdviceRefresh, GoodsAffinity, NextAction
from finalmarket.advice.next_action.decisions import WINDOW, decide, settle
from finalmarket.advice.recommending.refresh import refresh
from finalmarket.analytics import incremental, segments
from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.customers import persons
from finalmarket.customers.models import CustomerIdentity, OmnichannelCustomer, PrivacyRequest
from finalmarket.customers.resolve import Contact, add_identities, resolve
from finalmarket.integrations.privacy import erase
from finalmarket.journeys import stitching, sweep
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.kernel import clock
from finalmarket.orders.models import Order
from tests.advice.shop import buy, fill_cart, stocked
from tests.analytics import book
from tests.orders.market import Market, open_market

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER = timedelta(days=40)
"""By then every journey has passed."""


@dataclass
class House:
    """A market, and how often it was worked on."""

    market: Market
    turn: int = 0

    def name(self) -> str:
        """Somebody of this turn."""
        return f"ann{self.turn}"

    def ann(self) -> OmnichannelCustomer:
        """A person of this turn who is known by her address."""
        found = resolve(Contact(email=f"{self.name()}@example.com", name="Ann"))
        assert found is not None
        return found


@dataclass(frozen=True)
class Work:
    """`before` gets ready what is worked on and returns its number; `told` is what the books say of it afterwards, as
    `expected`. `steps` are those on the way that have a failpoint before and after them; `points` are single ones."""

    name: str
    before: Callable[[House], int]
    act: Callable[[House, int], object]
    told: Callable[[House, int], Any]
    expected: Any
    steps: tuple[str, ...] = ()
    points: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name

    def failpoints(self) -> set[str]:
        """The names of all failpoints on the way."""
        parted = [step.partition(".") for step in self.steps]
        return {f"{room}.{word}_{step}" for room, _, step in parted for word in ("before", "after")} | {*self.points}


@contextmanager
def opened() -> Iterator[House]:
    """A house at noon."""
    with clock.steered(NOON):
        yield House(open_market())


def _visit(house: House) -> int:
    ann = house.ann()
    ann.track_interaction(house.market.web, "search", occurred_at=NOON - timedelta(minutes=5))
    ann.track_interaction(house.market.web, "add_to_cart", occurred_at=NOON, sku="TEA")
    return ann.pk


def _tell_journeys(house: House, person: int) -> None:
    stitching.mark_everybody()
    stitching.run(now=NOON + timedelta(minutes=1))
    sweep.mark_passed(NOON + LATER)
    stitching.run(now=NOON + LATER)
    sweep.forget_strangers()


def _journeys(house: House, person: int) -> list[tuple[Any, ...]]:
    rows = CrossChannelJourney.objects.filter(customer=person).order_by("started_at")
    return [(one.intent, one.state, one.outcome, one.touchpoints.count()) for one in rows]


def _sold(house: House) -> int:
    shop = book.channel(f"Shop {house.turn}", time_zone="UTC")
    for days in (1, 3):
        book.order(shop, NOON - timedelta(days=days), buyer=house.ann())
    return shop.pk


def _keep_figures(house: House, shop: int) -> None:
    incremental.restate_marked()
    incremental.keep_days()


def _figures(house: House, shop: int) -> list[tuple[int, Decimal]]:
    rows = ChannelAnalytics.objects.filter(sales_channel=shop).order_by("date")
    return list(rows.values_list("orders_count", "revenue"))


def _buyer(house: House) -> int:
    ann = house.ann()
    others = [resolve(Contact(email=f"{house.name()}-{number}@example.com")) for number in range(2)]
    for person in (ann, *others):  # who is not worth more than others is none of the best
        book.order(house.market.web, NOON - timedelta(days=5), goods="40.00", buyer=person)
    return ann.pk


def _segment(house: House, person: int) -> str:
    return OmnichannelCustomer.objects.get(pk=person).segment


def _together(house: House) -> int:
    """Three people bought the same two things."""
    goods = stocked(house.market, f"CUP-{house.turn}", f"POT-{house.turn}", units=50)
    for number in range(3):
        person = resolve(Contact(email=f"{house.name()}-{number}@example.com"))
        assert person is not None
        buy(house.market, person, number, *(one.sku for one in goods))
    return goods[0].pk


def _affinities(house: House, variant: int) -> tuple[int, int, int]:
    rows = GoodsAffinity.objects.filter(variant=variant)
    return (
        AdviceRefresh.objects.count(),
        rows.count(),
        GoodsAffinity.objects.count() - AdviceRefresh.objects.get().pairs,
    )


def _has_a_cart(house: House) -> int:
    (tea,) = stocked(house.market, f"TEA-{house.turn}", units=9)
    ann = house.ann()
    fill_cart(house.market, ann, tea)
    return ann.pk


def _is_decided(house: House) -> int:
    person = _has_a_cart(house)
    assert decide([person]) == 1
    return person


def _settle_decisions(house: House, person: int) -> None:
    with clock.steered(NOON + WINDOW + timedelta(minutes=1)):
        settle()


def _decisions(house: House, person: int) -> list[bool]:
    return [one.settled_at is not None for one in NextAction.objects.filter(customer=person)]


def _leaves_words(house: House) -> int:
    ann = house.ann()
    placed = book.order(house.market.web, NOON - timedelta(days=60), buyer=ann)
    Order.objects.filter(pk=placed.pk).update(email=f"{house.name()}@example.com", state=Order.State.FULFILLED)
    return ann.pk


def _erase(house: House, person: int) -> None:
    erase.erase(person, actor="olga", at_once=True)
    erase.go_on()


def _words(house: House, person: int) -> tuple[Any, ...]:
    requests = PrivacyRequest.objects.filter(person_id=person).values_list("state", flat=True)
    addresses = Order.objects.filter(customer=person).values_list("email", flat=True)
    known = CustomerIdentity.objects.filter(customer=person).count()
    return list(requests), list(addresses), known, OmnichannelCustomer.objects.get(pk=person).name


def _two(house: House) -> int:
    ann, other = house.ann(), resolve(Contact(phone=f"+4930{1000000 + house.turn}"))
    assert other is not None
    return ann.pk * 1_000_000 + other.pk


def _are_one(house: House, both: int) -> None:
    ann, other = divmod(both, 1_000_000)
    with transaction.atomic():
        add_identities([(one, "account", f"account-{ann}") for one in (ann, other)], source="test")
    persons.settle()


def _persons(house: House, both: int) -> int:
    return len(persons.members(both // 1_000_000))


WORKS = (
    Work("journeys are told, and given up when their time has passed", _visit, _tell_journeys, _journeys,
         [("purchase", "abandoned", "cart_left", 3)],
         ("journeys.mark_all", "journeys.gather", "journeys.tell", "journeys.mark_passed", "journeys.forget_strangers"),
         ("journeys.before_commit",)),
    Work("daily figures are kept", _sold, _keep_figures, _figures,
         [(1, Decimal(10)), (0, Decimal(0)), (1, Decimal(10)), (0, Decimal(0))],
         ("analytics.expand", "analytics.restate", "analytics.keep_days"), ("analytics.before_commit",)),
    Work("customers are sorted into segments", _buyer, lambda house, person: segments.restate(), _segment, "new",
         ("segments.sort",)),
    Work("recommendations are computed", _together, lambda house, variant: refresh(), _affinities, (1, 1, 0),
         ("advice.refresh",)),
    Work("it is decided what to do next", _has_a_cart, lambda house, person: decide([person]), _decisions, [False],
         ("advice.decide",)),
    Work("decisions are settled", _is_decided, _settle_decisions, _decisions, [True], ("advice.settle",)),
    Work("a person is erased", _leaves_words, _erase, _words, (["done"], [""], 0, ""), (),
         ("privacy.before_begin", "privacy.after_table", "privacy.before_commit")),
    Work("two profiles become one person", _two, _are_one, _persons, 2, ("persons.settle",)),
)  # fmt: skip
