"""What happens here to a platform's orders and payments is told it once, whatever breaks off in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.platforms.fake import Fake
from finalmarket.connectors.records import FulfilmentNotice, RefundNotice
from finalmarket.integrations import notices, pull
from finalmarket.integrations.models import DeadLetter, DueNotice, ExternalId, PlaceMapping
from finalmarket.integrations.push import push
from finalmarket.kernel import clock, failpoints
from finalmarket.orders import fulfilment, payments
from finalmarket.orders.aftersales import cancel
from finalmarket.orders.models import Order, Payment
from finalmarket.orders.refunds import refund
from finalmarket.sandbox.faults import Fault
from tests.integrations.stalls import Account
from tests.orders.market import draft, line

Verb = Callable[[Account, Order], Any]


@pytest.fixture
def sold(account: Account) -> Order:
    """Somebody bought two of one and one of another on the platform, and the order came in."""
    push(account.integration.pk)
    with account.shop.lock:
        account.shop.order(("TEA", 2), ("CUP", 1))
    take_in(account)
    order: Order = Order.objects.get(source=f"integration:{account.integration.pk}")
    return order


def take_in(account: Account) -> None:
    """Pull the orders and payments."""
    for stream in ("orders", "payments"):
        run = pull.pull(account.integration.pk, stream)
        assert run is not None
        assert run.outcome == "done", run.error


def tell(account: Account, minutes: int = 0) -> None:
    """Let a worker find and tell, so many minutes from now."""
    with clock.steered(clock.now() + timedelta(minutes=minutes)):
        notices.find(timedelta(hours=5))
        notices.tell(account.integration.pk)


def states(account: Account) -> list[tuple[str, str]]:
    """The notices and how they stand."""
    rows = DueNotice.objects.filter(integration=account.integration).exclude(external_id="heard")
    return list(rows.order_by("id").values_list("kind", "state"))


def ship(account: Account, order: Order) -> Any:
    """All of it leaves in one parcel."""
    (parcel,) = order.fulfilments.filter(state="pending")
    return fulfilment.ship(parcel.pk, actor="ann", carrier="DHL", tracking_number="JJD0001")


def give_back(account: Account, order: Order) -> Any:
    """Some money goes back."""
    return refund(order.pk, Decimal("3.00"), key="scratched", reason="scratched", actor="ann")


def call_off(account: Account, order: Order) -> Any:
    """The order will not be served."""
    return cancel(order.pk, reason="broken on the way", actor="ann")


HAPPENINGS: tuple[tuple[Verb, str], ...] = (
    (ship, "fulfilment"), (give_back, "refund"), (call_off, "cancellation"),
)  # fmt: skip


def authorised(account: Account, amount: str = "20.00") -> Payment:
    """An order of our own shop, paid by an authorisation that stands at the platform as a payment provider."""
    from finalmarket.orders.intake import take

    with account.shop.lock:
        number = account.shop.add_payment(Decimal(amount))
    taken = take(draft(account.channel, "own-1", line("TEA", 4, "5.00"), tenders=()))
    payment = payments.authorise(
        taken.order.pk, tender="card", amount=Decimal(amount), external_id=number, actor="checkout"
    )
    ExternalId.objects.create(
        integration=account.integration, kind="payment", external_id=number, local_id=payment.pk
    )  # fmt: skip
    return payment


@pytest.mark.parametrize(("happen", "effect"), HAPPENINGS)
def test_it_is_told_once(account: Account, sold: Order, happen: Verb, effect: str) -> None:
    happen(account, sold)
    for minutes in (0, 1, 30):
        tell(account, minutes)
    assert len(account.effects(effect)) == 1
    assert (effect, "sent") in states(account)
    assert DeadLetter.objects.count() == 0


@pytest.mark.parametrize(("happen", "effect"), HAPPENINGS)
def test_what_was_told_comes_back_as_an_echo_and_changes_nothing(
    account: Account, sold: Order, happen: Verb, effect: str
) -> None:
    happen(account, sold)
    tell(account)
    before = Order.objects.values("state", "refunded", "total", "problem").get(pk=sold.pk)
    take_in(account)
    assert Order.objects.values("state", "refunded", "total", "problem").get(pk=sold.pk) == before
    tell(account, 5)
    assert len(account.effects(effect)) == 1


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.TIME_OUT, Fault.TRUNCATED])
@pytest.mark.parametrize(("happen", "effect"), HAPPENINGS)
def test_after_an_answer_that_got_lost_it_is_asked_for_and_not_done_twice(
    account: Account, sold: Order, happen: Verb, effect: str, fault: Fault
) -> None:
    happen(account, sold)
    account.shop.faults.then(fault)
    tell(account)
    assert dict(states(account))[effect] in ("due", "doubtful")
    tell(account, 30)
    assert len(account.effects(effect)) == 1
    assert (effect, "sent") in states(account)


@pytest.mark.parametrize("place", ["after_claim", "before_send", "after_send", "within_settle", "after_settle"])
@pytest.mark.parametrize(("happen", "effect"), HAPPENINGS)
def test_a_worker_that_breaks_off_tells_nothing_twice_and_forgets_nothing(
    account: Account, sold: Order, happen: Verb, effect: str, place: str
) -> None:
    happen(account, sold)
    with failpoints.armed(f"notices.{place}:raise"), pytest.raises(failpoints.FailpointHit):
        tell(account)
    tell(account, 30)
    assert len(account.effects(effect)) == 1
    assert (effect, "sent") in states(account)


def test_a_parcel_is_told_with_its_lines_its_tracking_and_the_place_it_left_from(account: Account, sold: Order) -> None:
    PlaceMapping.objects.create(integration=account.integration, place="main", stock_location=account.place)
    parcel = ship(account, sold)
    tell(account)
    (there,) = account.shop.state["orders"][sold.external_id]["fulfilments"]
    assert (there["carrier"], there["tracking_number"]) == ("DHL", "JJD0001")
    assert there["lines"] == [
        {"id": f"{sold.external_id}-1", "quantity": 2}, {"id": f"{sold.external_id}-2", "quantity": 1},
    ]  # fmt: skip
    known = ExternalId.objects.get(integration=account.integration, kind="fulfilment")
    assert (known.external_id, known.local_id) == (there["id"], parcel.pk)


def test_two_parcels_of_one_order_are_told_with_what_each_holds(account: Account, sold: Order) -> None:
    (parcel,) = sold.fulfilments.filter(state="pending")
    tea = parcel.lines.get(variant=account.variants["TEA"])
    fulfilment.ship(parcel.pk, actor="ann", quantities={tea.pk: 1}, tracking_number="JJD0001")
    (rest,) = sold.fulfilments.filter(state="pending")
    fulfilment.ship(rest.pk, actor="ann", tracking_number="JJD0002")
    tell(account)
    told = account.shop.state["orders"][sold.external_id]["fulfilments"]
    assert [[line["quantity"] for line in one["lines"]] for one in told] == [[1], [1, 1]]


def test_a_parcel_is_told_with_how_many_like_it_the_platform_knows(
    account: Account, sold: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[FulfilmentNotice] = []
    push_fulfilment = Fake.push_fulfilment

    def noting(self: Fake, notice: FulfilmentNotice) -> str:
        told.append(notice)
        return push_fulfilment(self, notice)

    monkeypatch.setattr(Fake, "push_fulfilment", noting)
    (parcel,) = sold.fulfilments.filter(state="pending")
    tea = parcel.lines.get(variant=account.variants["TEA"])
    fulfilment.ship(parcel.pk, actor="ann", quantities={tea.pk: 1})
    (rest,) = sold.fulfilments.filter(state="pending")
    fulfilment.ship(rest.pk, actor="ann", quantities={rest.lines.get(variant=account.variants["TEA"]).pk: 1})
    (last,) = sold.fulfilments.filter(state="pending")
    fulfilment.ship(last.pk, actor="ann")
    tell(account)
    assert [(notice.lines[0][1], notice.alike) for notice in told] == [(1, 0), (1, 1), (1, 0)]


def test_what_the_platform_did_itself_is_not_told_back(account: Account, sold: Order) -> None:
    with account.shop.lock:
        order = account.shop.state["orders"][sold.external_id]
        order["fulfilments"].append(
            {"id": "F99", "lines": [{"id": f"{sold.external_id}-1", "quantity": 2}], "carrier": "UPS",
             "tracking_number": "1Z", "tracking_url": "", "shipped_at": clock.now().isoformat()}
        )  # fmt: skip
        order["refunds"].append({"id": "R99", "amount": "2.00", "reason": "late"})
        account.shop._changed("order", order)
    take_in(account)
    assert Order.objects.get(pk=sold.pk).refunded == Decimal("2.00")
    for minutes in (0, 30):
        tell(account, minutes)
    assert account.effects("fulfilment") == account.effects("refund") == account.effects("payment") == []


def test_a_refund_is_told_with_the_names_of_the_orders_other_refunds(
    account: Account, sold: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[RefundNotice] = []
    push_refund = Fake.push_refund

    def noting(self: Fake, notice: RefundNotice) -> str:
        told.append(notice)
        return push_refund(self, notice)

    monkeypatch.setattr(Fake, "push_refund", noting)
    with account.shop.lock:
        order = account.shop.state["orders"][sold.external_id]
        order["refunds"].append({"id": "R99", "amount": "2.00", "reason": "late"})
        account.shop._changed("order", order)
    take_in(account)
    give_back(account, sold)
    tell(account)
    (first,) = (one for one in DueNotice.objects.values_list("external_id", flat=True) if one not in ("R99", "heard"))
    refund(sold.pk, Decimal("3.00"), key="again", reason="again", actor="ann")
    tell(account)
    assert [{"R99", first} & set(notice.others) for notice in told] == [{"R99"}, {"R99", first}]


def test_an_order_that_the_shopper_called_off_there_is_not_called_off_back(account: Account, sold: Order) -> None:
    with account.shop.lock:
        account.shop.cancel_order(sold.external_id)
    take_in(account)
    assert Order.objects.get(pk=sold.pk).state == "cancelled"
    for minutes in (0, 30):
        tell(account, minutes)
    assert account.effects("cancellation") == account.effects("refund") == []


def test_money_of_an_order_that_is_called_off_goes_back_with_the_cancellation(account: Account, sold: Order) -> None:
    call_off(account, sold)
    for minutes in (0, 30):
        tell(account, minutes)
    assert len(account.effects("cancellation")) == 1
    assert account.effects("refund") == []


def test_what_the_platform_does_not_take_is_set_aside_and_can_be_told_again(account: Account, sold: Order) -> None:
    ship(account, sold)
    with account.shop.lock:
        hidden = account.shop.state["orders"].pop(sold.external_id)
    tell(account)
    letter = DeadLetter.objects.get(stream="notice_fulfilment")
    assert "there is no" in letter.reason
    assert states(account)[-1] == ("fulfilment", "refused")
    with account.shop.lock:
        account.shop.state["orders"][sold.external_id] = hidden
    notices.replay(account.integration, letter)
    tell(account)
    assert len(account.effects("fulfilment")) == 1
    letter.refresh_from_db()
    assert letter.settled_by == "push"


@pytest.mark.parametrize("place", ["within_refuse", "after_refuse"])
def test_a_worker_that_breaks_off_while_it_sets_a_notice_aside_leaves_one_letter(
    account: Account, sold: Order, place: str
) -> None:
    ship(account, sold)
    with account.shop.lock:
        account.shop.state["orders"].pop(sold.external_id)
    with failpoints.armed(f"notices.{place}:raise"), pytest.raises(failpoints.FailpointHit):
        tell(account)
    tell(account, 30)
    assert DeadLetter.objects.filter(stream="notice_fulfilment", settled_at=None).count() == 1
    assert states(account)[-1] == ("fulfilment", "refused")


def test_a_worker_that_breaks_off_while_it_puts_a_notice_off_asks_before_it_tells_again(
    account: Account, sold: Order
) -> None:
    ship(account, sold)
    account.shop.faults.then(Fault.ERROR_AFTER)
    with failpoints.armed("notices.before_put_off:raise"), pytest.raises(failpoints.FailpointHit):
        tell(account)
    tell(account, 30)
    assert len(account.effects("fulfilment")) == 1


def test_one_notice_that_is_refused_does_not_keep_the_next_from_being_told(account: Account, sold: Order) -> None:
    with account.shop.lock:
        account.shop.order(("POT", 1))
    take_in(account)
    ship(account, sold)
    with account.shop.lock:
        account.shop.state["orders"].pop(sold.external_id)
    other = Order.objects.exclude(pk=sold.pk).get(source=sold.source)
    ship(account, other)
    tell(account)
    assert [one["order"] for one in account.effects("fulfilment")] == [other.external_id]


def test_an_authorisation_is_used_when_goods_leave_and_our_books_follow(account: Account) -> None:
    payment = authorised(account)
    tell(account)
    assert account.effects("payment") == []
    ship(account, payment.order)
    for minutes in (0, 30):
        tell(account, minutes)
    assert [(one["state"], one["amount"]) for one in account.effects("payment")] == [("captured", "20.00")]
    payment.refresh_from_db()
    assert payment.state == "captured"


def test_a_capture_that_a_person_noted_here_is_made_at_the_provider(account: Account) -> None:
    payment = authorised(account)
    payments.capture(payment.pk, actor="ann")
    for minutes in (0, 30):
        tell(account, minutes)
    assert [one["state"] for one in account.effects("payment")] == ["captured"]


@pytest.mark.parametrize(("happen", "effect"), [HAPPENINGS[0], HAPPENINGS[2]])
def test_what_the_platform_said_yes_to_and_did_not_do_is_told_once_more(
    account: Account, sold: Order, happen: Verb, effect: str
) -> None:
    happen(account, sold)
    account.shop.faults.then(Fault.NOT_APPLIED)
    tell(account)
    assert account.effects(effect) == []
    with clock.steered(clock.now() + timedelta(hours=1)):
        assert notices.verify(account.integration.pk) == 1
    tell(account, 90)
    with clock.steered(clock.now() + timedelta(hours=3)):
        assert notices.verify(account.integration.pk) == 0
    assert len(account.effects(effect)) == 1


@pytest.mark.parametrize(("happen", "effect"), HAPPENINGS)
def test_what_the_platform_shows_is_asked_for_once(account: Account, sold: Order, happen: Verb, effect: str) -> None:
    happen(account, sold)
    tell(account)
    with clock.steered(clock.now() + timedelta(hours=1)):
        assert notices.verify(account.integration.pk) == 0
        asked = len(account.shop.world.journal.entries(what="request"))
        notices.verify(account.integration.pk)
    assert len(account.shop.world.journal.entries(what="request")) == asked


def test_a_capture_that_the_provider_only_said_it_made_is_made(account: Account) -> None:
    payment = authorised(account)
    ship(account, payment.order)
    account.shop.faults.then(Fault.NOT_APPLIED)
    tell(account)
    with clock.steered(clock.now() + timedelta(hours=1)):
        assert notices.verify(account.integration.pk) == 1
    tell(account, 90)
    assert [one["state"] for one in account.effects("payment")] == ["captured"]


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.TIME_OUT])
def test_a_capture_whose_answer_got_lost_is_not_made_twice(account: Account, fault: Fault) -> None:
    payment = authorised(account)
    ship(account, payment.order)
    account.shop.faults.then(fault)
    tell(account)
    tell(account, 30)
    assert len(account.effects("payment")) == 1
    payment.refresh_from_db()
    assert payment.state == "captured"


def test_an_authorisation_of_an_order_that_is_called_off_is_let_go(account: Account) -> None:
    payment = authorised(account)
    call_off(account, payment.order)
    for minutes in (0, 30):
        tell(account, minutes)
    assert [one["state"] for one in account.effects("payment")] == ["voided"]


def test_nothing_is_told_of_orders_of_another_account_or_of_our_own_shop(account: Account) -> None:
    from finalmarket.orders.intake import take

    taken = take(draft(account.channel, "own-1", line("TEA", 1, "5.00")))
    ship(account, taken.order)
    call_off(account, take(draft(account.channel, "own-2", line("TEA", 1, "5.00"))).order)
    tell(account)
    assert DueNotice.objects.count() == 0
