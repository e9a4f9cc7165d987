"""What the conformance suite cannot know of the practice office: what comes of it when its outside world is played."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx2
import pytest

from finalmarket.connectors.books import MovementNotice
from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import OutcomeUnknown, Rejected
from finalmarket.connectors.platforms.practice_office import PracticeOffice
from finalmarket.connectors.records import CustomerContent, Delivery, Event, ListingRef, StockRecord
from finalmarket.connectors.shipping import TrackingRecord
from finalmarket.connectors.talk import InteractionRecord
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.practice_office import TOKEN
from finalmarket.sandbox.platforms.practice_office import PracticeOffice as Office
from finalmarket.sandbox.webhooks import Letter
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.connectors.cases import practice_office as case

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class Desk:
    """The connector and the office that it is connected to, at noon."""

    office: Office
    connector: PracticeOffice

    def later(self, minutes: int = 1) -> datetime:
        """Let time pass there; the moment it is then."""
        self.office.world.clock.advance(minutes * MINUTE)
        return self.office.now()

    def stock(self, ref: ListingRef) -> StockRecord:
        """What the books show at the main location."""
        (record,) = self.connector.pull_stock([ref], "main")
        return record

    def sell(self, ref: ListingRef, units: int, at: datetime, key: str) -> None:
        """Tell the books of a sale."""
        notice = MovementNotice(key=key, kind="sale", sku=ref.sku, item_id=ref.key, quantity=-units, at=at)
        assert list(self.connector.push_movements([notice])) == []


@pytest.fixture
def desk() -> Iterator[Desk]:
    """An office at noon."""
    with opened() as opened_desk:
        yield opened_desk


@contextmanager
def opened() -> Iterator[Desk]:
    world = World()
    world.clock.stand_still(NOON)
    office = Office(world)
    with served(office, most_seconds_silent=0.02) as (address,):
        connector = PracticeOffice(Account({"token": TOKEN}, base_url=address))
        try:
            yield Desk(office, connector)
        finally:
            connector.close()


# Stock that the office is master of.


def test_a_number_says_up_to_when_it_knows_what_happened(desk: Desk) -> None:
    (ref,) = case.seed_listings(desk.office, 1)
    assert desk.stock(ref).counted_at == NOON
    sold_at = desk.later()
    desk.sell(ref, 2, sold_at, "sale-1")
    assert (desk.stock(ref).quantity, desk.stock(ref).counted_at) == (3, sold_at)


def test_a_sale_from_before_a_count_is_not_taken_off_once_more(desk: Desk) -> None:
    (ref,) = case.seed_listings(desk.office, 1)
    sold_at = desk.later()
    counted_at = desk.later()
    desk.office.count(ref.sku, 7)
    desk.sell(ref, 2, sold_at, "sale-1")
    assert (desk.stock(ref).quantity, desk.stock(ref).counted_at) == (7, counted_at)
    desk.sell(ref, 1, desk.later(), "sale-2")
    assert desk.stock(ref).quantity == 6


def test_a_transfer_leaves_one_place_for_another_and_the_sum_knows_what_its_oldest_part_knows(desk: Desk) -> None:
    (ref,) = case.seed_listings(desk.office, 1)
    desk.office.add_location("shop")
    moved = MovementNotice(
        key="t-1", kind="transfer", sku=ref.sku, item_id=ref.key, quantity=2, at=desk.later(), location="main",
        to_location="shop",
    )  # fmt: skip
    nowhere = replace(moved, key="t-2", to_location="the moon")
    (refused,) = desk.connector.push_movements([moved, nowhere])
    assert (refused.key, refused.code) == ("t-2", "no_location")
    counted_at = desk.later()
    desk.office.count(ref.key, 4, location="main")
    (total,) = desk.connector.pull_stock([ref])
    assert (total.quantity, total.counted_at) == (6, counted_at - MINUTE)


# Books.


def test_an_order_that_is_invoiced_cannot_be_changed_but_told_again(desk: Desk) -> None:
    content = case.order_content(desk.office)
    names = desk.connector.push_order(content)
    desk.office.invoice(content.number)
    assert desk.connector.push_order(content) == names
    with pytest.raises(Rejected, match="invoiced"):
        desk.connector.push_order(replace(content, state="cancelled"))
    assert desk.office.orders()[content.number]["state"] == "open"


def test_a_parcel_of_a_pushed_order_is_noted_by_the_names_of_its_lines(desk: Desk) -> None:
    content = case.order_content(desk.office)
    names = desk.connector.push_order(content)
    goods = names.lines[content.lines[0].line_id]
    notice = replace(case.fulfilment(desk.office), order_id=names.external_id, lines=((goods, 2),))
    assert desk.connector.push_fulfilment(notice)
    with pytest.raises(Rejected, match="not_open"):
        desk.connector.push_fulfilment(replace(notice, key="another", lines=((goods, 1),)))


# People.


def test_consents_and_segments_go_out_and_consents_and_merges_come_in(desk: Desk) -> None:
    content = CustomerContent(
        key="c-1", name="Ada", email="ada@example.org", accepts_email=True, consents={"sms": False, "ads": True},
        segments=("vip", "new"), order_count=3, spent=Decimal("59.97"), currency="EUR",
    )  # fmt: skip
    kept = desk.connector.push_customer(content)
    assert desk.office.state["customers"][kept]["segments"] == ["vip", "new"]
    assert desk.office.state["customers"][kept]["spent"] == "59.97"
    other, third = desk.office.add_customer("ada@example.com"), desk.office.add_customer("a@example.com")
    desk.office.merge_customers(other, third)
    desk.office.merge_customers(kept, other)
    record = desk.connector.pull_customer(kept)
    assert record is not None
    assert (record.accepts_email, dict(record.consents)) == (True, {"sms": False, "ads": True})
    assert set(record.merged_ids) == {other, third}
    assert desk.connector.pull_customer(other) is None


def test_a_conversation_that_was_closed_opens_again_when_the_customer_writes(desk: Desk) -> None:
    number = desk.office.say("Where is it?", email="a@example.com", order="FM-7", channel="mail")
    desk.office.solve(number, rating="bad")
    closed = desk.connector.pull_conversation(number)
    desk.office.say("Still not here!", conversation=number)
    again = desk.connector.pull_conversation(number)
    assert closed is not None
    assert again is not None
    assert (closed.state, closed.rating, closed.closed_at) == ("closed", "bad", NOON)
    assert (again.state, again.closed_at, again.medium, again.order_number) == ("open", None, "email", "FM-7")
    assert again.version > closed.version
    assert [message.text for message in again.messages] == ["Where is it?", "Still not here!"]


def test_what_people_do_with_a_message_names_the_key_it_was_sent_under(desk: Desk) -> None:
    content = case.message(desk.office)
    sent = desk.connector.send_message(content)
    desk.office.open_mail(sent)
    desk.office.click_mail(content.key, "https://shop.example.org/track")
    desk.office.leave_list(content.to_email)
    (page,) = desk.connector.pull_interactions("", None)
    told = [(seen.kind, seen.message_key, seen.email) for seen in page.records]
    assert told == [
        ("email_open", content.key, content.to_email),
        ("email_click", content.key, content.to_email),
        ("unsubscribe", "", content.to_email),
    ]


def test_a_message_sent_again_blindly_is_two_messages_so_one_asks(desk: Desk) -> None:
    content = case.message(desk.office)
    desk.office.faults.then(Fault.RESET_AFTER)
    with pytest.raises(OutcomeUnknown):
        desk.connector.send_message(content)
    found = desk.connector.find_message(content.key)
    assert [message["id"] for message in desk.office.messages(content.to_email)] == [found]
    desk.connector.send_message(content)
    assert len(desk.office.messages(content.to_email)) == 2


# Payments.


def test_the_payment_page_takes_the_buyers_yes_and_sends_them_back(desk: Desk) -> None:
    request = case.payment_request(desk.office)
    started = desk.connector.start_payment(request)
    gave_up = httpx2.get(f"{started.approve_url}?answer=no", follow_redirects=False)
    assert gave_up.headers["Location"] == request.cancel_url
    with pytest.raises(Rejected, match="not_approved"):
        desk.connector.finish_payment(started.external_id, "f-1")
    said_yes = httpx2.get(started.approve_url, follow_redirects=False)
    assert (said_yes.status_code, said_yes.headers["Location"]) == (303, request.return_url)
    assert desk.connector.finish_payment(started.external_id, "f-1").state == "authorised"


def test_a_dispute_and_its_end_come_in(desk: Desk) -> None:
    payment = desk.office.add_payment(Decimal("22.90"), state="taken", order="FM-1")
    states = []
    for happens in (desk.office.dispute, desk.office.win_dispute, desk.office.dispute, desk.office.lose_dispute):
        happens(payment)
        record = desk.connector.pull_payment(payment)
        assert record is not None
        states.append(record.state)
    assert states == ["disputed", "captured", "disputed", "refunded"]


def test_money_given_back_by_hand_comes_in_beside_ours(desk: Desk) -> None:
    notice = case.refund(desk.office)
    ours = desk.connector.push_refund(notice)
    theirs = desk.office.refund_by_hand(notice.payment_id, Decimal("6.00"))
    record = desk.connector.pull_payment(notice.payment_id)
    assert record is not None
    assert [(refund.external_id, refund.amount) for refund in record.refunds] == [
        (ours, Decimal("4.00")), (theirs, Decimal("6.00")),
    ]  # fmt: skip
    assert record.state == "refunded"


# Parcels and webhooks.


def test_a_parcel_on_its_way_keeps_its_label(desk: Desk) -> None:
    shipment = case.shipment(desk.office)
    label = desk.connector.buy_label(shipment, desk.connector.get_rates(shipment)[0])
    shipped_at = desk.later()
    desk.office.move_parcel(label.label_id)
    with pytest.raises(Rejected, match="used"):
        desk.connector.void_label(label.label_id)
    delivered_at = desk.later()
    desk.office.move_parcel(label.tracking_number, "delivered", words="Left with a neighbour", place="Berlin")
    record = desk.connector.track("", label.tracking_number, label.carrier)
    assert record is not None
    assert (record.state, record.shipped_at, record.delivered_at) == ("delivered", shipped_at, delivered_at)
    assert [(step.words, step.place) for step in record.steps] == [
        ("moving", ""), ("Left with a neighbour", "Berlin"),
    ]  # fmt: skip


def test_what_the_office_calls_about_is_proved_and_brings_its_record_along(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Letter] = []
    monkeypatch.setattr(desk.office.sender, "send", sent.append)
    secrets = desk.connector.subscribe("https://hub.example/hooks/1")
    connector = PracticeOffice(Account({"token": TOKEN, **secrets}))
    desk.office.say("Hello?", email="a@example.com")
    desk.office.interact("product_seen", email="a@example.com", sku="TEA")
    desk.office.add_parcel("ELSEWHERE-1")
    desk.office.move_parcel("ELSEWHERE-1")
    desk.office.count(case.seed_listings(desk.office, 1)[0].sku, 9)
    desk.office.add_customer("b@example.com")
    desk.office.add_payment(Decimal(5))
    events: list[Event] = []
    for letter in sent:
        delivery = Delivery(letter.url, letter.headers, letter.body, received_at=NOON)
        connector.verify_webhook(delivery)
        events += connector.read_webhook(delivery)
    kinds = [event.kind for event in events]
    assert kinds == ["conversations", "interactions", "tracking", "stock", "customers", "payments"]
    assert isinstance(events[1].record, InteractionRecord)
    assert (events[1].record.kind, events[1].record.sku) == ("product_view", "TEA")
    assert isinstance(events[2].record, TrackingRecord)
    assert (events[2].record.tracking_number, events[2].record.state) == ("ELSEWHERE-1", "under_way")
    assert [event.record for event in events if event.kind not in ("interactions", "tracking")] == [None] * 4
    assert json.loads(sent[0].body)["topic"] == "conversation.changed"
