"""Every person is in the segment that the rules say, whoever they turn out to be, and it is told who moved and why."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from finalmarket.analytics import lifetime_value_stored, segments, segments_made
from finalmarket.analytics.models import CustomerValue, ExchangeRate, Merchant, Segment, SegmentChange, SegmentMember
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.kernel import clock
from finalmarket.orders.models import Order, OrderEvent
from tests.analytics import book

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _first_of_june() -> Any:
    with clock.steered(NOW) as steered:
        yield steered


@pytest.fixture
def shop() -> SalesChannel:
    return book.channel("Web shop", time_zone="UTC")


def came(days_ago: int) -> datetime:
    return NOW - timedelta(days=days_ago)


def buyer(shop: SalesChannel, name: str, *bought: tuple[int, str]) -> OmnichannelCustomer:
    """A person with an order for each (days ago, goods)."""
    person = resolve(Contact(email=f"{name}@example.com", name=name))
    assert person is not None
    for days_ago, goods in bought:
        book.order(shop, came(days_ago), goods=goods, buyer=person)
    return person


def segment_of(person: OmnichannelCustomer) -> str:
    return OmnichannelCustomer.objects.get(pk=person.pk).segment


def crowd(shop: SalesChannel, number: int = 20) -> list[OmnichannelCustomer]:
    """People who bought twice, ever more and ever more recently."""
    return [buyer(shop, f"p{n}", (300 - n, f"{10 + n}"), (200 - n, "10")) for n in range(number)]


def event(order: Order, kind: str = "taken") -> None:
    OrderEvent.objects.create(order=order, kind=kind, key=f"{kind}-{order.events.count()}", at=clock.now())


def test_the_built_in_segments_are_what_their_rules_say(shop: SalesChannel) -> None:
    people = crowd(shop)
    fresh, lone = buyer(shop, "fresh", (5, "1")), buyer(shop, "lone", (150, "1"))
    nobody = buyer(shop, "nobody")
    segments.restate()
    found = [segment_of(one) for one in people]
    assert found[-2:] == ["vip", "vip"]  # 22 buyers: a twentieth, rounded up
    assert found[-5:-2] == ["high_value"] * 3
    assert set(found[:-5]) == {"regular"}
    assert [segment_of(one) for one in (fresh, lone, nobody)] == ["new", "regular", "prospect"]


def test_equal_customers_score_equally_in_any_order_of_rows(shop: SalesChannel) -> None:
    chance = random.Random(3)
    kinds = [[(30, "20")], [(30, "20")], [(30, "20")], [(60, "20"), (10, "5")], [(200, "100")], [(90, "20"), (60, "5")]]
    wanted = [(n, kind) for n, kind in enumerate(kinds * 4)]
    scores = []
    for turn in range(3):
        chance.shuffle(wanted)
        people = {f"t{turn}k{n}": kind for n, kind in wanted}
        Order.objects.update(state="cancelled")
        found = {name: buyer(shop, name, *kind) for name, kind in people.items()}
        segments.restate()
        rows = CustomerValue.objects.in_bulk([one.pk for one in found.values()])
        by_kind: dict[str, set[tuple[int, int, int]]] = {}
        for name, person in found.items():
            row = rows[person.pk]
            by_kind.setdefault(str(people[name]), set()).add(
                (row.recency_score, row.frequency_score, row.monetary_score)
            )
        assert all(len(one) == 1 for one in by_kind.values())
        scores.append(by_kind)
    assert scores[0] == scores[1] == scores[2]
    assert scores[0][str(kinds[0])] == {(2, 1, 1)}  # a third lies below by last order: one whole fifth
    assert scores[0][str(kinds[4])] == {(1, 1, 5)}


def test_the_highest_part_is_never_more_than_it_says(shop: SalesChannel) -> None:
    for n in range(10):
        buyer(shop, f"p{n}", (100, "50"), (50, "50"))
    segments.restate()
    assert not OmnichannelCustomer.objects.filter(segment__in=["vip", "high_value"]).exists()  # ten equal ones


def test_value_is_net_revenue_in_the_merchants_currency_by_the_rate_of_the_day(shop: SalesChannel) -> None:
    abroad = book.channel("Zurich", currency="CHF", time_zone="UTC")
    Merchant.objects.create(currency="EUR")
    ExchangeRate.objects.create(base="CHF", quote="EUR", date=came(100).date(), rate=Decimal("0.9"))
    ann = buyer(shop, "ann", (90, "119.00"))
    order = Order.objects.get(customer=ann)
    Order.objects.filter(pk=order.pk).update(tax=Decimal("19.00"), refunded=Decimal("59.50"))
    book.order(abroad, came(50), goods="100", buyer=ann)
    book.order(abroad, came(400), goods="70", buyer=ann)  # before any rate
    segments.restate()
    row = CustomerValue.objects.get(person=ann)
    assert (row.currency, row.value, row.unpriced_orders) == ("EUR", Decimal("140.0000"), 1)
    assert (row.orders, row.order_days, row.value_year) == (3, 3, Decimal("140.0000"))


def test_orders_of_one_day_are_one_transaction(shop: SalesChannel) -> None:
    ann = buyer(shop, "ann", (90, "10"), (90, "20"), (30, "40"), (30, "5"))
    segments.restate()
    row = CustomerValue.objects.get(person=ann)
    assert (row.orders, row.order_days, row.repeat_mean) == (4, 2, Decimal("45.0000"))


def test_an_order_is_followed_without_counting_all_anew(shop: SalesChannel) -> None:
    ann = buyer(shop, "ann")
    crowd(shop, 5)
    segments.restate()
    before = CustomerValue.objects.filter(model=lifetime_value_stored.latest()).count()
    event(book.order(shop, came(0), goods="3", buyer=ann))
    assert segments.refresh() == 1
    assert segment_of(ann) == "new"
    assert before == 5
    change = SegmentChange.objects.filter(person=ann)[0]
    assert (change.was, change.becomes, change.cause) == ("prospect", "new", "orders")
    assert change.reason == (
        "an order came or changed; orders 1 (at most 1), days since the first order 0 (at most 90)"
    )


def test_a_cancelled_order_takes_its_buyer_back(shop: SalesChannel) -> None:
    ann = buyer(shop, "ann", (5, "10"))
    segments.restate()
    order = Order.objects.get(customer=ann)
    Order.objects.filter(pk=order.pk).update(state="cancelled")
    event(order, "cancelled")
    segments.refresh()
    assert segment_of(ann) == "prospect"
    assert not CustomerValue.objects.filter(person=ann).exists()


def test_time_makes_a_new_customer_a_regular_one_and_says_so(shop: SalesChannel, _first_of_june: Any) -> None:
    crowd(shop, 3)
    ann = buyer(shop, "ann", (85, "1"))
    segments.restate()
    assert segment_of(ann) == "new"
    _first_of_june.advance(timedelta(days=10))
    segments.resort()
    assert segment_of(ann) == "regular"
    reason = SegmentChange.objects.filter(person=ann).order_by("-pk")[0].reason
    assert reason == "looked at again; no longer New: days since the first order 95 (at most 90)"


def test_between_two_nights_nobody_leaves_the_highest_because_others_bought(shop: SalesChannel) -> None:
    people = crowd(shop)
    segments.restate()
    assert segment_of(people[-1]) == "vip"
    for other in people[:3]:
        event(book.order(shop, came(0), goods="900", buyer=other))
    segments.refresh()
    segments.resort()
    segments_made.change(Segment.objects.get(key="new"), rule={"field": "orders", "at_most": 1})
    assert {segment_of(one) for one in (people[-1], *people[:3])} == {"vip"}
    segments.restate()
    assert segment_of(people[-1]) != "vip"


def test_a_merge_sorts_the_person_anew_and_an_unmerge_puts_both_back(shop: SalesChannel) -> None:
    people = crowd(shop)
    ann, bob = buyer(shop, "ann", (20, "9")), buyer(shop, "bob", (10, "70"))
    segments.restate()
    before = [segment_of(one) for one in (*people, ann, bob)]
    worth = CustomerValue.objects.get(person=ann).value, CustomerValue.objects.get(person=bob).value
    ann.merge(bob, actor="olga")
    assert segments.follow() == 1
    assert segment_of(ann) == segment_of(bob) != "new"
    assert CustomerValue.objects.get(person=ann).value == sum(worth)
    assert not CustomerValue.objects.filter(person=bob).exists()
    assert "profiles were joined or parted" in SegmentChange.objects.filter(person=ann)[0].reason
    ann.unmerge(bob, actor="olga")
    assert segments.follow() == 1
    assert [segment_of(one) for one in (*people, ann, bob)] == before
    assert (CustomerValue.objects.get(person=ann).value, CustomerValue.objects.get(person=bob).value) == worth


@pytest.mark.parametrize("seed", [1, 2])
def test_kept_up_is_the_same_as_counted_from_scratch(shop: SalesChannel, seed: int) -> None:
    chance = random.Random(seed)
    other = book.channel("Till", time_zone="Asia/Tokyo")
    people = [
        buyer(shop, f"p{n}", *[(chance.randrange(400), str(chance.randrange(5, 90)))] * (n % 3)) for n in range(14)
    ]
    segments.restate()
    Segment.objects.create(key="often", name="Often", rule={"field": "orders", "at_least": "3"})
    model = lifetime_value_stored.latest()
    assert model is not None
    for _ in range(25):
        one, another = chance.sample(people, 2)
        happening = chance.random()
        if happening < 0.5:
            at = came(chance.randrange(300))
            event(book.order(chance.choice([shop, other]), at, goods=str(chance.randrange(5, 300)), buyer=one))
        elif happening < 0.65 and (order := Order.objects.filter(customer=one).first()):
            Order.objects.filter(pk=order.pk).update(state="cancelled")
            event(order, "cancelled")
        else:
            _say(one, another, joins=happening < 0.85)
        if chance.random() < 0.4:
            segments.refresh()
            segments.follow()
    segments.refresh()
    segments.follow()
    kept = _stand()
    CustomerValue.objects.all().delete()
    with segments.hold():
        lifetime_value_stored.refresh(model, list(OmnichannelCustomer.objects.values_list("pk", flat=True)))
        segments._sort(segments._Asked(None, "night", "EUR"))
    assert _stand() == kept


def _say(one: OmnichannelCustomer, another: OmnichannelCustomer, *, joins: bool) -> None:
    from finalmarket.kernel.errors import UserError

    try:
        if joins:
            one.merge(another, actor="olga")
        else:
            one.unmerge(another, actor="olga")
    except UserError:
        return


def _stand() -> Any:
    left_out = ("computed_at",)
    worth = {row.pk: {name: value for name, value in vars(row).items() if name[0] != "_" and name not in left_out}
             for row in CustomerValue.objects.all()}  # fmt: skip
    return (
        worth, dict(OmnichannelCustomer.objects.values_list("pk", "segment")),
        set(SegmentMember.objects.values_list("segment__key", "person")),
    )  # fmt: skip


def test_a_change_of_segment_wakes_what_platforms_are_told(shop: SalesChannel, _first_of_june: Any) -> None:
    ann, bob = buyer(shop, "ann", (5, "10")), buyer(shop, "bob", (5, "10"))
    segments.restate()
    OmnichannelCustomer.objects.update(updated_at=NOW)
    event(book.order(shop, came(0), buyer=ann))
    _first_of_june.advance(timedelta(minutes=1))
    segments.refresh()
    ann.refresh_from_db()
    bob.refresh_from_db()
    assert (segment_of(ann), segment_of(bob)) == ("regular", "new")
    assert (ann.updated_at, bob.updated_at) == (NOW + timedelta(minutes=1), NOW)


def test_who_was_erased_is_in_no_count(shop: SalesChannel) -> None:
    ann = buyer(shop, "ann", (5, "10"))
    OmnichannelCustomer.objects.filter(pk=ann.pk).update(erased_at=NOW)
    segments.restate()
    assert not CustomerValue.objects.exists()
    assert not SegmentChange.objects.exists()


def test_too_few_buyers_have_a_value_and_no_expectation(shop: SalesChannel) -> None:
    ann = buyer(shop, "ann", (50, "10"), (5, "10"))
    model = segments.restate()
    row = CustomerValue.objects.get(person=ann)
    assert (row.value, row.lifetime_value, row.expected_value, row.alive) == (20, 20, None, None)
    assert "Too few to learn from: 1 buyers" in model.learned["notes"][0]


def test_many_people_cost_as_many_queries_as_few(shop: SalesChannel, django_assert_num_queries: Any) -> None:
    from django.test.utils import CaptureQueriesContext

    counts = []
    for number in (3, 12):
        for n in range(number):
            buyer(shop, f"p{number}n{n}", (5, "10"))
        with CaptureQueriesContext(connection) as captured:
            segments.restate()
        counts.append(len(captured))
    assert counts[0] >= counts[1] - 3
