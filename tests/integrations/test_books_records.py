"""Orders and customers stand in the books of accounts that keep them: once, as they are now, whatever breaks off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations import dead_letters, pull
from finalmarket.integrations.books import finding, records
from finalmarket.integrations.models import DeadLetter, DueRecord, ExternalId
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders.aftersales import cancel
from finalmarket.orders.drafts import OrderDraft
from finalmarket.orders.intake import take
from finalmarket.orders.models import OrderEvent
from finalmarket.orders.refunds import refund
from finalmarket.sandbox.faults import Fault
from tests.integrations.office import ANN, Office, opened_office
from tests.orders.market import draft, line

pytestmark = pytest.mark.committed_database
LOST = [Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.TIME_OUT, Fault.TRUNCATED]


@pytest.fixture
def books(committed_database: object) -> Iterator[Office]:
    """An account that keeps our orders and customers."""
    with opened_office() as office:
        office.keep("orders", "customers")
        yield office


def test_an_order_stands_in_the_books_with_its_lines_and_its_buyer_who_was_told_first(books: Office) -> None:
    order = books.buy("CUP", 2, tip=Decimal("1.50"), total=Decimal("21.50"), tenders=())
    books.tell()
    there = books.there(order)
    assert (there["total"], there["currency"], there["state"], there["payment_state"]) == (
        "21.50", "EUR", "open", "unpaid",
    )  # fmt: skip
    cup, tip = there["lines"]
    assert (cup["sku"], cup["quantity"], cup["price"], cup["kind"]) == ("CUP", 2, "10.00", "goods")
    assert (tip["title"], tip["price"], tip["kind"]) == ("Tip", "1.50", "fee")
    (buyer,) = books.customers()
    assert (there["customer"], buyer["email"], buyer["name"]) == (buyer["id"], ANN, "Ann Example")
    assert (buyer["orders"], buyer["spent"], buyer["address"]["city"]) == (1, "21.50", "Hamburg")
    record = books.record("order", order.pk)
    assert record.external_id == there["id"]
    assert record.line_ids[str(order.lines.get().pk)] == cup["id"]


def test_an_order_that_changes_is_told_again_and_one_that_does_not_is_not(books: Office) -> None:
    order = books.buy("CUP", 2)
    books.tell()
    for minutes in (1, 2, 30):
        books.tell(minutes)
    assert books.requests("POST /v1/orders") == 1
    refund(order.pk, Decimal("3.00"), key="scratched", reason="scratched", actor="ann")
    books.ship(order)
    books.tell(40)
    there = books.there(order)
    assert (there["refunded"], there["state"], there["tracking_number"]) == ("3.00", "fulfilled", "JJD0001")
    assert len(books.effects("order")) == 1
    cancelled = books.buy()
    books.tell(50)
    cancel(cancelled.pk, reason="changed my mind", actor="ann")
    books.tell(60)
    assert books.there(cancelled)["state"] == "cancelled"


@pytest.mark.parametrize("fault", LOST)
def test_an_order_whose_answer_got_lost_stands_once(books: Office, fault: Fault) -> None:
    books.keep("orders")
    order = books.buy()
    books.office.faults.then(fault)
    books.tell()
    assert books.record("order", order.pk).is_doubtful
    cancel(order.pk, reason="changed my mind", actor="ann")
    books.tell(30)
    assert len(books.effects("order")) == 1
    assert books.there(order)["state"] == "cancelled"
    assert books.requests("GET /v1/order") == 1
    assert not books.record("order", order.pk).is_doubtful


@pytest.mark.parametrize("fault", LOST)
def test_a_customer_whose_answer_got_lost_is_made_once_and_stands_as_they_are_now(books: Office, fault: Fault) -> None:
    person = books.person()
    books.office.faults.then(fault)
    books.tell()
    person.name = "Ann Other"
    person.save()
    books.tell(30)
    assert [one["name"] for one in books.customers()] == ["Ann Other"]
    record = books.record("customer", person.pk)
    assert (record.external_id, record.settled_version) == (books.customers()[0]["id"], record.version)


CUTS = [
    "records.after_drop", "records.after_claim", "records.before_send", "records.after_send", "records.within_settle",
    "records.after_settle", "records.after_persons", "records.after_wait", "books.after_find_orders",
    "books.after_find_customers",
]  # fmt: skip


@pytest.mark.parametrize("place", CUTS)
def test_a_worker_that_breaks_off_writes_nothing_twice_and_forgets_nothing(books: Office, place: str) -> None:
    order = books.buy()
    with failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
        books.tell()
    for minutes in (10, 20):
        books.tell(minutes)
    assert len(books.effects("order")) == 1
    assert len(books.customers()) == 1
    assert books.there(order)["customer"] == books.customers()[0]["id"]


@pytest.mark.parametrize("place", ["records.before_ask", "records.after_ask"])
def test_a_worker_that_breaks_off_while_it_asks_asks_again(books: Office, place: str) -> None:
    books.keep("orders")
    order = books.buy()
    books.office.faults.then(Fault.ERROR_AFTER)
    books.tell()
    with failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
        books.tell(10)
    books.tell(20)
    assert len(books.effects("order")) == 1
    assert books.record("order", order.pk).external_id == books.there(order)["id"]


def test_an_order_that_the_books_do_not_take_is_set_aside_and_told_again_by_a_person(books: Office) -> None:
    order = books.buy()
    books.tell()
    books.office.invoice(order.number)
    other = books.buy()
    cancel(order.pk, reason="changed my mind", actor="ann")
    books.tell(5)
    letter = DeadLetter.objects.get(stream="record_order", settled_at=None)
    assert "invoiced" in letter.reason
    assert books.there(other)["state"] == "open"
    books.office.orders()[order.number]["is_invoiced"] = False
    dead_letters.replay(letter.pk, actor="olga")
    books.tell(10)
    assert books.there(order)["state"] == "cancelled"


def test_a_customer_who_is_gone_there_is_made_anew_when_a_person_says_so(books: Office) -> None:
    person = books.person()
    books.tell()
    with clock.steered(clock.now() + timedelta(hours=1)):
        assert records.verify(books.integration.pk) == 0  # it was there
    books.tell(61)
    with books.office.lock:
        books.office.state["customers"].clear()
    person.name = "Ann Other"
    person.save()
    books.tell(65)
    assert books.customers() == []
    letter = DeadLetter.objects.get(stream="record_customer", settled_at=None)
    dead_letters.replay(letter.pk, actor="olga")
    books.tell(70)
    assert [one["name"] for one in books.customers()] == ["Ann Other"]


def test_an_order_waits_for_a_buyer_whom_the_platform_could_not_take_yet(books: Office) -> None:
    order = books.buy()
    books.office.faults.then(Fault.ERROR_BEFORE)
    books.tell()
    assert books.office.orders() == {}
    books.tell(0.01)
    assert books.office.orders() == {}
    books.tell(5)
    assert books.there(order)["customer"] == books.customers()[0]["id"]


def test_customers_carry_their_last_word_on_each_purpose_over_all_their_profiles(books: Office) -> None:
    books.agrees("newsletter")
    books.agrees("ads")
    other = books.person("ann@work.example.com")
    other.merged_into = books.person()
    other.save()
    books.agrees("newsletter", to=False, email="ann@work.example.com")
    books.buy(email="ann@work.example.com")
    books.tell()
    (there,) = books.customers()
    assert (there["accepts_email"], there["consents"]) == (False, {"email": False, "ads": True})
    assert there["email"] == ANN
    assert not DueRecord.objects.filter(what="customer", local_id=other.pk).exists()


def test_what_an_account_told_us_of_a_person_is_not_told_back_but_what_we_know_besides_is(books: Office) -> None:
    with books.office.lock:
        number = books.office.add_customer("bea@example.com", name="Bea", accepts_email=True)
    pull.pull(books.integration.pk, "customers")
    books.tell()
    with books.office.lock:
        books.office.change_customer(number, name="Bea Other", accepts_email=False)
    pull.pull(books.integration.pk, "customers")
    for minutes in (1, 30):
        books.tell(minutes)
    assert books.requests("POST /v1/customers") == 0
    order = books.buy(email="bea@example.com")
    books.tell(40)
    (there,) = books.customers()
    assert (there["id"], there["orders"], books.there(order)["customer"]) == (number, 1, number)


def test_somebody_who_came_from_there_and_was_deleted_there_is_not_made_anew_by_a_change_here(books: Office) -> None:
    with books.office.lock:
        number = books.office.add_customer("bea@example.com", name="Bea", accepts_email=True)
    pull.pull(books.integration.pk, "customers")
    with books.office.lock:
        del books.office.state["customers"][number]
    books.buy(email="bea@example.com")
    for minutes in (1, 15, 30):
        books.tell(minutes)
    assert books.customers() == []
    assert DeadLetter.objects.filter(stream="record_customer").count() == 1


def test_news_of_a_person_of_whom_something_is_still_to_be_told_swallows_nothing(books: Office) -> None:
    order = books.buy(email="bea@example.com")
    books.tell()
    (there,) = books.customers()
    refund(order.pk, Decimal("4.00"), key="late", reason="late", actor="ann")
    with books.office.lock:
        books.office.change_customer(there["id"], name="Bea Other")
    pull.pull(books.integration.pk, "customers")
    books.tell(5)
    (there,) = books.customers()
    assert (there["name"], there["spent"]) == ("Bea Other", "6.00")


def test_a_mailing_account_hears_of_those_who_agreed_and_afterwards_that_they_do_not(books: Office) -> None:
    books.keep("audience", "orders")
    quiet, willing = books.buy(email="quiet@example.com"), books.buy(email=ANN)
    books.agrees("newsletter")
    books.tell()
    assert [(one["email"], one["accepts_email"]) for one in books.customers()] == [(ANN, True)]
    assert list(books.office.orders()) == [willing.number]
    books.agrees("newsletter", to=False)
    books.tell(5)
    (there,) = books.customers()
    assert (there["accepts_email"], there["consents"], there["orders"]) == (False, {"email": False}, 0)
    told = books.requests("POST /v1/customers")
    books.buy(email=ANN)
    books.tell(10)
    assert books.requests("POST /v1/customers") == told
    assert quiet.number not in books.office.orders()


def test_consent_withdrawn_after_it_was_found_and_before_it_is_told_is_not_told(books: Office) -> None:
    books.keep("audience")
    books.agrees("newsletter")
    finding.find(timedelta(hours=1))
    books.agrees("newsletter", to=False)
    records.tell(books.integration.pk)
    assert books.customers() == []


def test_what_was_there_before_the_account_is_told_only_when_a_person_wants_it(books: Office) -> None:
    long_ago = clock.now() - timedelta(days=9)
    old, older = books.buy(at=long_ago), books.buy(at=long_ago - timedelta(days=90))
    books.tell()
    assert books.office.orders() == {}
    assert finding.send_what_is_there(books.integration, "orders", long_ago - timedelta(days=1)) == 1
    books.tell(5)
    assert list(books.office.orders()) == [old.number]
    assert books.there(old)["customer"] == books.customers()[0]["id"]
    assert finding.send_what_is_there(books.integration, "orders") == 1
    books.tell(10)
    assert set(books.office.orders()) == {old.number, older.number}
    books.keep("customers")
    with pytest.raises(UserError, match="switch that on"):
        finding.send_what_is_there(books.integration, "orders")


def test_people_who_were_there_are_sent_when_a_person_wants_it(books: Office) -> None:
    books.person()
    OmnichannelCustomer.objects.update(updated_at=clock.now() - timedelta(days=5))
    books.tell()
    assert books.customers() == []
    assert finding.send_what_is_there(books.integration, "customers") == 1
    books.tell(5)
    assert [one["email"] for one in books.customers()] == [ANN]


def test_orders_that_came_from_the_account_itself_are_not_told_it(books: Office) -> None:
    given = draft(books.market.bazaar, "theirs-1", line("CUP"), source=f"integration:{books.integration.pk}")
    take(_now(given))
    books.tell()
    assert books.office.orders() == {}


def test_a_change_that_is_committed_late_is_not_overlooked(books: Office) -> None:
    """The rows of one person's orders change in any order: none of the changes hides behind the moment of another."""
    order = books.buy()
    books.tell()
    with clock.steered(clock.now() - timedelta(seconds=90)):
        refund(order.pk, Decimal("3.00"), key="late", reason="late", actor="ann")
    books.tell(5)
    assert books.there(order)["refunded"] == "3.00"
    assert books.customers()[0]["spent"] == "7.00"


def test_an_entry_of_an_order_that_is_committed_late_hides_behind_no_newer_one(books: Office) -> None:
    """A transaction that began before another may end after it: its entry bears the older moment."""
    order = books.buy()
    books.tell()
    refund(order.pk, Decimal("3.00"), key="late", reason="late", actor="ann")
    late = OrderEvent.objects.filter(order=order, kind="refunded")
    assert late.update(at=order.placed_at - timedelta(minutes=1)) == 1
    books.tell(5)
    assert books.there(order)["refunded"] == "3.00"


def test_what_the_platform_said_yes_to_and_does_not_have_is_told_anew(books: Office) -> None:
    order = books.buy()
    books.office.faults.then(Fault.NOT_APPLIED)
    books.tell()
    assert books.customers() == []
    with clock.steered(clock.now() + timedelta(hours=1)):
        assert records.verify(books.integration.pk) == 1
    books.tell(90)
    with clock.steered(clock.now() + timedelta(hours=3)):
        assert records.verify(books.integration.pk) == 0
    assert [one["email"] for one in books.customers()] == [ANN]
    assert books.there(order)["number"] == order.number


def test_a_duty_that_is_switched_off_leaves_nothing_waiting(books: Office) -> None:
    order = books.buy()
    finding.find(timedelta(hours=1))
    books.keep()
    records.tell(books.integration.pk)
    record = books.record("order", order.pk)
    assert (record.settled_version, books.office.orders()) == (record.version, {})


def test_an_account_whose_books_wait_for_long_is_behind(books: Office) -> None:
    books.buy()
    finding.find(timedelta(hours=1))
    assert books.integration.sync_statistics().due == 2
    with clock.steered(clock.now() + timedelta(hours=1)):
        assert books.integration.health().word == "behind"
    books.tell()
    assert books.integration.sync_statistics().due == 0
    assert books.integration.health().word == "healthy"


def test_a_backlog_does_not_hold_up_what_happens_now(books: Office) -> None:
    books.keep("orders")
    old = [books.buy(at=clock.now() - timedelta(days=9)) for _ in range(20)]
    finding.send_what_is_there(books.integration, "orders")
    fresh = books.buy()
    books.tell()
    told = [entry["number"] for entry in books.effects("order")]
    assert fresh.number in told[:2]
    assert set(told) == {fresh.number, *(order.number for order in old)}


def test_many_records_are_read_with_no_more_queries_than_few(books: Office) -> None:
    books.keep("orders")
    counts = []
    for many in (2, 20):
        for number in range(many):
            books.buy(email=f"buyer{number}-{many}@example.com")
        finding.find(timedelta(hours=1))
        integration = books.integration
        dues = [due.local_id for due in DueRecord.objects.filter(what="order").order_by("-id")[:many]]
        from finalmarket.integrations.books import orders

        with CaptureQueriesContext(
            connection,
        ) as found:
            assert len(orders.contents_of(integration, dues)) == many
        counts.append(len(found))
    assert counts[0] == counts[1]


def test_a_customer_who_was_told_is_known_when_the_account_writes_of_them(books: Office) -> None:
    person = books.person()
    books.tell()
    (there,) = books.customers()
    with books.office.lock:
        books.office.change_customer(there["id"], email="new@example.com", name="Ann New")
    pull.pull(books.integration.pk, "customers")
    (profile, later) = OmnichannelCustomer.objects.order_by("pk")
    assert (profile.pk, profile.name) == (person.pk, "Ann New")
    assert (later.email, later.merged_into_id) == ("new@example.com", person.pk)
    assert ExternalId.objects.get(kind="customer").local_id == person.pk


def _now(given: OrderDraft) -> OrderDraft:
    from dataclasses import replace

    return replace(given, placed_at=clock.now())
