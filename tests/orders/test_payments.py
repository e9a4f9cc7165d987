"""Payments, and the order's payment state that follows them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from finalmarket.kernel.errors import UserError
from finalmarket.orders import aftersales, payments
from finalmarket.orders.drafts import RefundDraft, TenderDraft
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order
from tests.orders.market import Market, draft, line, together


def _unpaid(market: Market) -> Order:
    market.goods("TEA", warehouse=5)
    return take(draft(market.web, "1", line("TEA", 3), tenders=())).order


def _state(order: Order) -> str:
    return str(Order.objects.get(pk=order.pk).payment_state)


def test_an_order_is_unpaid_then_authorised_then_paid(market: Market) -> None:
    order = _unpaid(market)
    assert _state(order) == "unpaid"
    payment = payments.authorise(order.pk, tender="card", amount=Decimal("30.00"), external_id="a", actor="psp")
    assert _state(order) == "authorised"
    for _ in range(2):
        payments.capture(payment.pk, actor="psp")
    assert _state(order) == "paid"


def test_a_part_is_captured_and_the_rest_let_go(market: Market) -> None:
    order = _unpaid(market)
    payment = payments.authorise(order.pk, tender="card", amount=Decimal("30.00"), external_id="a", actor="psp")
    payments.capture(payment.pk, amount=Decimal("12.50"), actor="psp")
    assert _state(order) == "partly_paid"
    payments.receive(order.pk, tender="cash", amount=Decimal("17.50"), external_id="till", actor="ann")
    assert _state(order) == "paid"


def test_what_two_payments_took_too_much_goes_back_once(market: Market) -> None:
    market.goods("TEA", warehouse=10)
    order = take(draft(market.web, "1", line("TEA", 10), tenders=())).order
    halves = [
        payments.authorise(order.pk, tender="card", amount=Decimal("50.00"), external_id=name, actor="psp")
        for name in ("a", "b")
    ]
    aftersales.cancel_units(order.pk, {order.lines.get().pk: 6}, key="c", reason="fewer", actor="ann")
    back = []
    for half in halves:
        payments.capture(half.pk, happened=True, actor="psp")
        back += [aftersales.refund_surplus(order.pk, key=str(half.pk), actor="psp") for _ in range(2)]
    assert back == [Decimal(10), 0, Decimal(50), 0]
    assert Order.objects.get(pk=order.pk).refunded == Decimal(60)


def test_what_the_channel_gave_back_for_goods_that_it_left_out_is_not_given_back_once_more(market: Market) -> None:
    market.goods("TEA", warehouse=20)
    ten = draft(market.web, "1", line("TEA", 10), tenders=(TenderDraft("card", Decimal(100), external_id="a"),))
    order = take(ten).order
    six = replace(
        ten, happened=True, external_version="2", lines=(line("TEA", 6),),
        refunds=(RefundDraft(external_id="r", amount=Decimal("40.00"), reason="fewer"),),
    )  # fmt: skip
    nine = replace(six, external_version="3", lines=(line("TEA", 9),))
    for newer in (six, nine):
        order = take(newer).order
    assert (order.total, order.refunded, order.surplus_refunded) == (Decimal(90), Decimal(40), Decimal(40))
    paid = payments.authorise(order.pk, tender="card", amount=Decimal("30.00"), external_id="b", actor="psp")
    payments.capture(paid.pk, happened=True, actor="psp")
    assert aftersales.refund_surplus(order.pk, key="b", actor="psp") == 0


def test_what_was_given_back_for_cancelled_units_is_no_surplus_when_the_channel_leaves_them_out(market: Market) -> None:
    market.goods("TEA", warehouse=20)
    ten = draft(market.web, "1", line("TEA", 10), tenders=(TenderDraft("card", Decimal(100), external_id="a"),))
    order = take(ten).order
    aftersales.cancel_units(order.pk, {order.lines.get().pk: 4}, key="c", reason="fewer", actor="ann")
    order = take(replace(ten, happened=True, external_version="2", lines=(line("TEA", 6),))).order
    assert (order.total, order.refunded, order.surplus_refunded) == (Decimal(60), Decimal(40), Decimal(40))
    assert aftersales.refund_surplus(order.pk, key="late", actor="psp") == 0


def test_a_failed_or_voided_payment_pays_nothing(market: Market) -> None:
    order = _unpaid(market)
    failed = payments.authorise(order.pk, tender="card", amount=Decimal("30.00"), external_id="a", actor="psp")
    payments.fail(failed.pk, reason="declined", actor="psp")
    voided = payments.authorise(order.pk, tender="card", amount=Decimal("30.00"), external_id="b", actor="psp")
    payments.void(voided.pk, actor="psp")
    assert _state(order) == "unpaid"
    with pytest.raises(UserError, match="is failed and cannot be captured"):
        payments.capture(failed.pk, actor="psp")


def test_no_payment_goes_beyond_what_is_due(market: Market) -> None:
    order = _unpaid(market)
    payments.receive(order.pk, tender="cash", amount=Decimal("20.00"), external_id="1", actor="ann")
    with pytest.raises(UserError, match=r"10.01 does not fit; 10.00 is due"):
        payments.receive(order.pk, tender="cash", amount=Decimal("10.01"), external_id="2", actor="ann")
    with pytest.raises(UserError, match="is not an amount of money"):
        payments.receive(order.pk, tender="cash", amount=Decimal("NaN"), external_id="2", actor="ann")


def test_cancelling_lets_authorisations_go_and_takes_no_more_money(market: Market) -> None:
    order = _unpaid(market)
    payment = payments.authorise(order.pk, tender="card", amount=Decimal("30.00"), external_id="a", actor="psp")
    aftersales.cancel(order.pk, reason="changed my mind", actor="ann")
    payment.refresh_from_db()
    assert payment.state == "voided"
    with pytest.raises(UserError, match="is cancelled and takes no payment"):
        payments.receive(order.pk, tender="cash", amount=Decimal("1.00"), external_id="2", actor="ann")


@pytest.mark.committed_database
def test_sixteen_at_once_note_one_payment_once(busy_market: Market) -> None:
    order = _unpaid(busy_market)
    paid = together(
        lambda _: payments.receive(
            order.pk, tender="card", amount=Decimal("30.00"), external_id="a", actor="psp"
        ).pk,
        16,
    )  # fmt: skip
    assert len(set(map(str, paid))) == 1
    assert _state(order) == "paid"
