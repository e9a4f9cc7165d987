"""Analytics hears what people agreed to, and nothing else: once, in batches, under a pseudonym."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finalmarket.integrations import dead_letters
from finalmarket.integrations.books import events, finding
from finalmarket.integrations.models import DeadLetter, DueEvent
from finalmarket.journeys.models import ChannelInteraction
from finalmarket.kernel import clock, failpoints
from finalmarket.orders.refunds import refund
from finalmarket.sandbox.faults import Fault
from tests.integrations.office import ANN, Office, opened_office

pytestmark = pytest.mark.committed_database


@pytest.fixture
def books(committed_database: object) -> Iterator[Office]:
    """An account that hears events, and Ann, who agreed to it."""
    with opened_office() as office:
        office.keep("events")
        office.agrees("analytics")
        yield office


def look(books: Office, email: str = ANN, kind: str = "product_view", **context: object) -> ChannelInteraction:
    """Somebody looks at something in the web shop."""
    seen: ChannelInteraction = books.person(email).track_interaction(books.market.web, kind, **context)
    return seen


def many(books: Office, count: int) -> None:
    """Ann does a lot."""
    person, channel = books.person(), books.market.web
    ChannelInteraction.objects.bulk_create(
        [
            ChannelInteraction(
                customer=person, sales_channel=channel, interaction_type="page_view", occurred_at=clock.now()
            )
            for _ in range(count)
        ]
    )  # fmt: skip


def test_what_somebody_did_is_told_under_a_pseudonym_and_without_what_could_name_them(books: Office) -> None:
    look(
        books, sku="CUP", session_id="s-1", device="mobile", url="https://shop.example.com/cup?mail=ann@example.com",
        email=ANN, query="ann@example.com", campaign="spring",
    )  # fmt: skip
    books.tell_events()
    (told,) = books.told_events()
    assert (told["name"], told["session"], told["device"], told["channel"]) == (
        "view_item", "s-1", "mobile", "Web shop",
    )  # fmt: skip
    assert told["items"] == [
        {"sku": "CUP", "title": "Things", "quantity": 1, "price": "10.0000", "brand": "", "category": ""}
    ]
    assert told["values"] == {"campaign": "spring", "page": "/cup"}
    assert ANN not in json.dumps(told)
    assert str(books.person().pk) != told["client"]
    assert len(told["client"]) == 32


def test_the_pseudonym_is_the_same_for_all_profiles_of_a_person_and_another_for_others(books: Office) -> None:
    books.agrees("analytics", email="bea@example.com")
    other = books.person("ann@work.example.com")
    other.merged_into = books.person()
    other.save()
    for email in (ANN, "ann@work.example.com", "bea@example.com"):
        look(books, email)
    books.tell_events()
    first, second, third = (one["client"] for one in books.told_events())
    assert first == second != third


def test_nothing_of_somebody_who_did_not_agree_is_told(books: Office) -> None:
    look(books, "bea@example.com")
    books.buy(email="bea@example.com")
    look(books)
    books.tell_events()
    assert len(books.told_events()) == 1
    rows = DueEvent.objects.filter(state="withheld")
    assert {row.last_error for row in rows} == {"no consent to analytics"}
    assert rows.count() == 2


def test_consent_counts_at_the_moment_of_sending(books: Office) -> None:
    look(books)
    finding.find(timedelta(hours=1))
    books.agrees("analytics", to=False)
    events.tell(books.integration.pk)
    assert (books.told_events(), books.states()) == ([], [("interaction", "withheld")])


def test_consent_to_ads_goes_along(books: Office) -> None:
    look(books)
    books.tell_events()
    books.agrees("ads")
    look(books)
    books.tell_events(1)
    assert [one["allows_ads"] for one in books.told_events()] == [False, True]


def test_a_purchase_and_a_refund_are_told_with_their_amounts_and_a_completed_checkout_is_not_told_twice(
    books: Office,
) -> None:
    order = books.buy("CUP", 2)
    look(books, kind="checkout_complete")
    refund(order.pk, Decimal("3.00"), key="scratched", reason="scratched", actor="ann")
    for minutes in (0, 30):
        books.tell_events(minutes)
    bought, back = books.told_events("purchase") + books.told_events("refund")
    assert (bought["order"], bought["amount"], bought["currency"], bought["shipping"]) == (
        order.number, "20.00", "EUR", "0.00",
    )  # fmt: skip
    assert [(item["sku"], item["quantity"]) for item in bought["items"]] == [("CUP", 2)]
    assert (back["order"], back["amount"]) == (order.number, "3.00")
    assert len(books.told_events()) == 2


def test_what_is_too_old_for_the_platform_is_withheld_with_the_reason(books: Office) -> None:
    books.integration.push_from = clock.now() - timedelta(days=30)
    books.integration.save()
    books.keep("events", since=clock.now() - timedelta(days=30))
    seen = look(books)
    ChannelInteraction.objects.filter(pk=seen.pk).update(occurred_at=clock.now() - timedelta(days=4))
    books.tell_events()
    row = DueEvent.objects.get()
    assert row.state == "withheld"
    assert "too old" in row.last_error


def test_what_happened_before_the_account_heard_events_is_none_of_its_business(books: Office) -> None:
    seen = look(books)
    ChannelInteraction.objects.filter(pk=seen.pk).update(occurred_at=clock.now() - timedelta(hours=1))
    books.tell_events()
    assert books.states() == []


def test_what_came_from_the_account_itself_is_not_told_back(books: Office) -> None:
    books.person().track_interaction(
        books.market.web, "email_open", message_id=f"integration:{books.integration.pk}:M1"
    )
    books.tell_events()
    assert books.states() == []


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.TIME_OUT, Fault.TRUNCATED])
def test_events_whose_answer_got_lost_count_once(books: Office, fault: Fault) -> None:
    many(books, 60)
    books.office.faults.then(fault)
    for minutes in (0, 30):
        books.tell_events(minutes)
    assert len(books.effects("event")) == 60
    assert {state for _, state in books.states()} == {"sent"}


@pytest.mark.parametrize(
    "place",
    ["events.after_claim", "events.before_send", "events.after_send", "events.within_settle", "events.after_settle",
     "events.after_drop", "books.after_find_interactions", "books.before_find_purchases"],
)  # fmt: skip
def test_a_worker_that_breaks_off_tells_nothing_twice_and_forgets_nothing(books: Office, place: str) -> None:
    many(books, 60)
    with failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
        books.tell_events()
    books.tell_events(30)
    assert len(books.effects("event")) == 60
    assert {state for _, state in books.states()} == {"sent"}


def test_one_event_that_is_refused_is_set_aside_and_the_others_stand(books: Office) -> None:
    many(books, 3)
    look(books)
    moments = iter(ChannelInteraction.objects.order_by("id"))
    late = next(moments)
    finding.find(timedelta(hours=1))
    with books.office.lock:
        books.office.world.clock.stand_still(clock.now() + timedelta(days=3, minutes=5))
    ChannelInteraction.objects.exclude(pk=late.pk).update(occurred_at=clock.now() + timedelta(hours=1))
    events.tell(books.integration.pk)
    assert len(books.told_events()) == 3
    letter = DeadLetter.objects.get(stream="event_interaction")
    assert letter.external_id == f"interaction-{late.pk}"
    with books.office.lock:
        books.office.world.clock.stand_still(clock.now())
    dead_letters.replay(letter.pk, actor="olga")
    events.tell(books.integration.pk)
    assert len(books.told_events()) == 4


def test_many_events_take_a_number_of_queries_that_grows_with_the_calls_alone(books: Office) -> None:
    spent = []
    for count in (50, 200):
        many(books, count)
        finding.find(timedelta(hours=1))
        with clock.steered(), CaptureQueriesContext(connection) as found:
            done = events.tell(books.integration.pk)
        assert done.told == count
        spent.append(len(found) / (count / 25))
    assert spent[1] <= spent[0]
    assert spent[1] < 12


def test_a_duty_that_is_switched_off_leaves_nothing_waiting(books: Office) -> None:
    look(books)
    finding.find(timedelta(hours=1))
    books.keep()
    events.tell(books.integration.pk)
    assert (books.told_events(), books.states()) == ([], [("interaction", "withheld")])


def test_events_that_need_nobody_any_more_are_forgotten_in_time(books: Office) -> None:
    many(books, 5)
    books.tell_events()
    look(books)
    finding.find(timedelta(hours=1))
    assert events.forget(clock.now() + timedelta(minutes=1), most=100) == 5
    assert books.states() == [("interaction", "due")]
