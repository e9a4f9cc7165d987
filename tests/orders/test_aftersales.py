"""Cancelled, returned, exchanged, refunded: stock and money go back exactly once."""

from dataclasses import replace
from decimal import Decimal

import pytest

from finalmarket.kernel.errors import UserError
from finalmarket.orders import aftersales, fulfilment, payments, refunds, returns
from finalmarket.orders.drafts import LineDraft, OutOfStock, TenderDraft
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order, Payment, Refund, Return
from finalmarket.orders.returns import Back
from finalmarket.stock import ledger
from tests.orders.market import Market, at, draft, goods_line, line, on_hand, parcels, promised, together


def _shipped(market: Market, *lines: LineDraft, **given: object) -> Order:
    order = take(draft(market.web, "1", *lines, **given)).order
    for parcel in parcels(order):
        fulfilment.ship(parcel.pk, actor="ann")
    order.refresh_from_db()
    return order


def _fresh(order: Order) -> Order:
    found: Order = Order.objects.get(pk=order.pk)
    return found


def _booked(order: Order) -> dict[str, Decimal]:
    """What was given back, by the key under which it is booked."""
    return dict(Refund.objects.filter(order=order).values_list("key", "amount"))


def test_a_cancelled_order_gives_stock_and_all_its_money_back(market: Market) -> None:
    tea = market.goods("TEA", warehouse=5)
    postage = LineDraft(kind="shipping", unit_price=Decimal("4.90"))
    order = take(draft(market.web, "1", line("TEA", 2), postage)).order
    for _ in range(2):
        aftersales.cancel(order.pk, reason="changed my mind", actor="ann")
    order = _fresh(order)
    assert (order.state, order.payment_state, order.refunded) == ("cancelled", "refunded", Decimal("24.90"))
    assert (promised(tea), parcels(order)) == (0, [])
    assert Refund.objects.count() == 1


def test_a_cancelled_order_leaves_no_parcel_though_a_count_had_taken_its_goods(market: Market) -> None:
    tea = market.goods("TEA", warehouse=2)
    order = take(draft(market.web, "1", line("TEA", 2))).order
    ledger.set_on_hand(tea.pk, market.warehouse.pk, 0, reason="counted", actor="ann")
    aftersales.cancel(order.pk, reason="waited too long", actor="ann")
    assert parcels(order) == []
    market.receive(tea, 5, market.warehouse)
    assert promised(tea) == 0


def test_cancelling_after_a_part_has_left_cancels_the_rest(market: Market) -> None:
    tea = market.goods("TEA", warehouse=5)
    order = take(draft(market.web, "1", line("TEA", 3))).order
    parcel = parcels(order)[0]
    fulfilment.ship(parcel.pk, actor="ann", quantities={parcel.lines.get().pk: 1})
    order = aftersales.cancel(order.pk, reason="too late", actor="ann")
    assert (order.state, order.refunded) == ("fulfilled", Decimal("20.00"))
    assert (on_hand(tea), promised(tea)) == (4, 0)


def test_units_are_cancelled_once_by_their_key(market: Market) -> None:
    tea = market.goods("TEA", warehouse=5)
    order = take(draft(market.web, "1", line("TEA", 3))).order
    number = goods_line(order).pk
    for _ in range(2):
        aftersales.cancel_units(order.pk, {number: 1}, key="c1", reason="one too many", actor="ann")
    assert (promised(tea), _fresh(order).refunded) == (2, Decimal("10.00"))
    aftersales.cancel_units(order.pk, {number: 2}, key="c2", reason="all", actor="ann")
    assert (_fresh(order).state, _fresh(order).refunded, promised(tea)) == ("cancelled", Decimal("30.00"), 0)


def test_units_that_were_not_paid_yet_are_taken_off_the_total(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    order = take(draft(market.web, "1", line("TEA", 3), tenders=())).order
    payment = payments.authorise(order.pk, tender="card", amount=Decimal("30.00"), external_id="a", actor="psp")
    aftersales.cancel_units(order.pk, {goods_line(order).pk: 1}, key="c", reason="one too many", actor="ann")
    payments.capture(payment.pk, actor="psp")
    order = _fresh(order)
    assert (order.total, order.refunded, order.payment_state) == (Decimal("20.00"), Decimal(0), "paid")


def test_added_tax_goes_back_with_the_goods(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    taxed = line("TEA", 3, "10.00", tax_rate=Decimal("0.19"))
    card = (TenderDraft("card", Decimal("35.70")),)
    order = take(draft(market.web, "1", taxed, tenders=card, tax_included=False)).order
    aftersales.cancel_units(order.pk, {goods_line(order).pk: 1}, key="c", reason="one too many", actor="ann")
    assert _fresh(order).refunded == Decimal("11.90")


RATE = Decimal("0.19")


def test_goods_are_worth_no_more_than_they_cost_after_a_discount_that_was_taxed(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    lines = (
        line("TEA", 2, "50.00", tax_rate=RATE), LineDraft(kind="discount", discount=Decimal(10), tax_rate=RATE),
        LineDraft(kind="shipping", unit_price=Decimal(5), tax_rate=RATE),
    )  # fmt: skip
    card = (TenderDraft("card", Decimal("113.05")),)
    order = _shipped(market, *lines, tenders=card, tax_included=False)
    assert order.total == Decimal("113.05")
    for key in ("r1", "r2"):
        returns.take_return(order.pk, [Back(goods_line(order).pk, 1)], key=key, reason="hm", actor="ann")
    assert sorted(_booked(order).values()) == [Decimal("53.55"), Decimal("53.55")]
    assert _fresh(order).refunded == Decimal("107.10")


@pytest.mark.parametrize(
    ("included", "price", "sending"), [(True, "59.50", "11.90"), (False, "50.00", "10.00")],
    ids=["in the prices", "on top"],
)  # fmt: skip
def test_the_tax_of_shipping_stays_on_an_order_whose_goods_are_not_paid_for(
    market: Market, included: bool, price: str, sending: str
) -> None:
    market.goods("TEA", warehouse=5)
    postage = LineDraft(kind="shipping", unit_price=Decimal(sending), tax_rate=RATE)
    goods = line("TEA", 2, price, tax_rate=RATE)
    order = _shipped(market, goods, postage, tenders=(), tax_included=included)
    assert (order.tax, order.total) == (Decimal("20.90"), Decimal("130.90"))
    left = []
    for key in ("r1", "r2"):
        returns.take_return(order.pk, [Back(goods_line(order).pk, 1)], key=key, reason="hm", actor="ann")
        order = _fresh(order)
        left.append((order.goods, order.tax, order.total))
    assert left == [
        (Decimal(price), Decimal("11.40"), Decimal("71.40")),
        (Decimal(0), Decimal("1.90"), Decimal("11.90")),
    ]


def test_the_tax_of_shipping_stays_when_the_order_is_said_again_in_full(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    postage = LineDraft(kind="shipping", unit_price=Decimal("11.90"), tax_rate=RATE)
    said = draft(market.web, "1", line("TEA", 2, "59.50", tax_rate=RATE), postage, tenders=(), external_version="1")
    order = take(said).order
    aftersales.cancel_units(order.pk, {goods_line(order).pk: 1}, key="c", reason="one too many", actor="ann")
    for version in ("2", "3"):
        take(replace(said, external_version=version, email="ann@example.com"))
        order = _fresh(order)
        assert (order.goods, order.tax, order.total) == (Decimal("59.50"), Decimal("11.40"), Decimal("71.40"))


@pytest.mark.parametrize(
    ("said", "given"), [("10.005", "10.01"), ("10.004", "10.00"), ("0.004", "0"), ("99", "30.00")],
    ids=["rounded up", "rounded down", "less than a coin", "more than it cost"],
)  # fmt: skip
def test_what_is_given_back_for_a_return_is_whole_coins(market: Market, said: str, given: str) -> None:
    market.goods("TEA", warehouse=5)
    order = _shipped(market, line("TEA", 3))
    record = returns.request_return(order.pk, [Back(goods_line(order).pk, 3)], key="r", reason="hm", actor="ann")
    returns.receive_return(record.pk, actor="ann", refund=Decimal(said))
    assert _fresh(order).refunded == Decimal(given)
    assert sum(_booked(order).values()) == Decimal(given)


@pytest.mark.parametrize("said", ["-0.004", "-1", "NaN"])
def test_a_refund_that_is_none_is_refused_and_nothing_has_come_back(market: Market, said: str) -> None:
    tea = market.goods("TEA", warehouse=5)
    order = _shipped(market, line("TEA", 3))
    record = returns.request_return(order.pk, [Back(goods_line(order).pk, 3)], key="r", reason="hm", actor="ann")
    with pytest.raises(UserError, match=r"cannot be|not an amount"):
        returns.receive_return(record.pk, actor="ann", refund=Decimal(said))
    assert (on_hand(tea), _fresh(order).refunded) == (2, 0)


def test_a_return_goes_back_on_the_shelf_it_left_from(market: Market) -> None:
    tea = market.goods("TEA", north=5)
    order = _shipped(market, line("TEA", 3))
    for _ in range(2):
        returns.take_return(order.pk, [Back(goods_line(order).pk, 2)], key="r", reason="too bitter", actor="ann")
    order = _fresh(order)
    assert at(tea, market.north) == (4, 0)
    assert (order.refunded, order.payment_state) == (Decimal("20.00"), "partly_refunded")
    assert goods_line(order).returned_quantity == 2


def test_damaged_goods_are_credited_and_never_sold_again(market: Market) -> None:
    tea = market.goods("TEA", warehouse=5)
    order = _shipped(market, line("TEA", 3))
    number = goods_line(order).pk
    goods = [Back(number, 1, "damaged"), Back(number, 1, "scrap"), Back(number, 1, "restock", market.south.pk)]
    returns.take_return(order.pk, goods, key="r", reason="fell down", actor="ann")
    assert (on_hand(tea), at(tea, market.south)) == (3, (1, 0))
    assert _fresh(order).payment_state == "refunded"


def test_of_three_announced_two_arrive(market: Market) -> None:
    tea = market.goods("TEA", warehouse=5)
    order = _shipped(market, line("TEA", 3))
    number = goods_line(order).pk
    record = returns.request_return(order.pk, [Back(number, 3)], key="r", reason="too bitter", actor="ann")
    assert on_hand(tea) == 2
    with pytest.raises(UserError, match="0 can"):
        returns.request_return(order.pk, [Back(number, 1)], key="r2", reason="too bitter", actor="ann")
    row = record.lines.get()
    returns.receive_return(record.pk, arrived={row.pk: Back(number, 2)}, actor="ann")
    returns.receive_return(record.pk, actor="ann")
    assert (on_hand(tea), _fresh(order).refunded) == (4, Decimal("20.00"))


def test_a_return_that_is_given_up_frees_its_units_for_another(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    order = _shipped(market, line("TEA", 1))
    wish = [Back(goods_line(order).pk, 1)]
    record = returns.request_return(order.pk, wish, key="r", reason="hm", actor="ann")
    returns.cancel_return(record.pk, actor="ann")
    assert returns.take_return(order.pk, wish, key="r2", reason="now really", actor="ann").state == "received"
    with pytest.raises(UserError, match="is cancelled and cannot be received"):
        returns.receive_return(record.pk, actor="ann")


def test_a_returned_bundle_puts_its_parts_back(market: Market) -> None:
    tea, pot = market.goods("TEA", warehouse=9), market.goods("POT", warehouse=9)
    market.bundle("SET", TEA=2, POT=1)
    order = _shipped(market, line("SET", 2, "30.00"))
    returns.take_return(order.pk, [Back(goods_line(order).pk, 1)], key="r", reason="one too many", actor="ann")
    assert (on_hand(tea), on_hand(pot)) == (9 - 4 + 2, 9 - 2 + 1)


def test_units_returned_one_by_one_give_back_the_worth_of_all_to_the_cent(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    lines = (line("TEA", 3, "3.33"), LineDraft(kind="discount", discount=Decimal("1.00")))
    card = (TenderDraft("card", Decimal("8.99")),)
    order = _shipped(market, *lines, tenders=card)
    for n in range(3):
        returns.take_return(order.pk, [Back(goods_line(order).pk, 1)], key=f"r{n}", reason="hm", actor="ann")
    assert _fresh(order).refunded == Decimal("8.99")
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [
        Decimal("2.99"),
        Decimal("3.00"),
        Decimal("3.00"),
    ]


def test_gift_cards_get_their_money_back_first_unless_told_otherwise(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    tenders = (TenderDraft("card", Decimal("25.00")), TenderDraft("gift_card", Decimal("5.00")))
    order = _shipped(market, line("TEA", 3), tenders=tenders)
    aftersales.refund(order.pk, Decimal("8.00"), key="a", reason="sorry", actor="ann")
    given = dict(Payment.objects.values_list("tender", "refunded"))
    assert given == {"gift_card": Decimal("5.00"), "card": Decimal("3.00")}


def test_never_more_is_refunded_than_was_paid(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    order = _shipped(market, line("TEA", 3))
    refunds.refund(order.pk, Decimal("25.00"), key="a", reason="sorry", actor="ann")
    assert refunds.refund(order.pk, Decimal("25.00"), key="a", reason="sorry", actor="ann") == Decimal("25.00")
    with pytest.raises(UserError, match=r"6.00 cannot be refunded; 5.00 was paid"):
        refunds.refund(order.pk, Decimal("6.00"), key="b", reason="sorry again", actor="ann")
    returns.take_return(order.pk, [Back(goods_line(order).pk, 3)], key="r", reason="all", actor="ann")
    assert _fresh(order).refunded == Decimal("30.00")


def test_an_exchange_pays_the_new_order_with_what_came_back(market: Market) -> None:
    tea, pot = market.goods("TEA", warehouse=5), market.goods("POT", warehouse=5, price="25.00")
    order = _shipped(market, line("TEA", 3))
    new = [line("POT", 1, "25.00")]
    goods = [Back(goods_line(order).pk, 3)]
    record = returns.exchange(order.pk, goods, new, key="x", reason="rather a pot", actor="ann", received=True)
    again = returns.exchange(order.pk, goods, new, key="x", reason="rather a pot", actor="ann", received=True)
    assert again.pk == record.pk
    assert (on_hand(tea), promised(pot)) == (5, 1)
    instead = record.exchange_order
    assert instead is not None
    assert _fresh(instead).payment_state == "paid"
    assert _fresh(order).refunded == Decimal("30.00")
    assert _booked(order) == {f"exchange:{record.pk}/1": Decimal("25.00"), f"return:{record.pk}/1": Decimal("5.00")}
    assert Order.objects.count() == 2


def test_what_an_exchange_leaves_over_goes_to_the_gift_card_first(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    market.goods("POT", warehouse=5)
    tenders = (TenderDraft("card", Decimal("20.00")), TenderDraft("gift_card", Decimal("10.00")))
    order = _shipped(market, line("TEA", 3), tenders=tenders)
    goods, new = [Back(goods_line(order).pk, 3)], [line("POT", 1, "18.00")]
    record = returns.exchange(order.pk, goods, new, key="x", reason="rather a pot", actor="ann", received=True)
    left_over = Refund.objects.filter(key__startswith=f"return:{record.pk}/").order_by("key")
    assert list(left_over.values_list("payment__tender", "amount")) == [
        ("gift_card", Decimal("10.00")),
        ("card", Decimal("2.00")),
    ]


def test_an_exchange_that_is_not_sent_after_all_leaves_its_money_to_a_person(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    market.goods("POT", warehouse=5)
    order = _shipped(market, line("TEA", 1))
    goods, new = [Back(goods_line(order).pk, 1)], [line("POT", 1, "8.00")]
    record = returns.exchange(order.pk, goods, new, key="x", reason="rather a pot", actor="ann", received=True)
    assert record.exchange_order is not None
    instead = aftersales.cancel(record.exchange_order.pk, reason="neither", actor="ann")
    assert (instead.refunded, instead.problem) == (
        Decimal("8.00"),
        "8.00 that an exchange had paid is to be given back by hand",
    )


def test_what_comes_back_for_an_order_that_is_cancelled_by_then_is_refunded(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    market.goods("POT", warehouse=5)
    order = _shipped(market, line("TEA", 1))
    goods, new = [Back(goods_line(order).pk, 1)], [line("POT", 1, "8.00")]
    record = returns.exchange(order.pk, goods, new, key="x", reason="rather a pot", actor="ann")
    assert record.exchange_order is not None
    aftersales.cancel(record.exchange_order.pk, reason="neither", actor="ann")
    returns.receive_return(record.pk, actor="ann")
    assert _booked(order) == {f"return:{record.pk}/1": Decimal("10.00")}


def test_an_exchange_that_costs_more_leaves_the_rest_due(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    market.goods("POT", warehouse=5)
    order = _shipped(market, line("TEA", 1))
    record = returns.exchange(
        order.pk, [Back(goods_line(order).pk, 1)], [line("POT", 1, "25.00")], key="x", reason="a pot", actor="ann"
    )
    assert record.exchange_order is not None
    assert _fresh(record.exchange_order).payment_state == "unpaid"
    returns.receive_return(record.pk, actor="ann")
    instead = _fresh(record.exchange_order)
    assert (instead.payment_state, instead.payments.get().amount) == ("partly_paid", Decimal("10.00"))


def test_an_exchange_for_what_is_not_there_stores_nothing(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    market.goods("POT")
    order = _shipped(market, line("TEA", 1))
    with pytest.raises(OutOfStock):
        returns.exchange(order.pk, [Back(goods_line(order).pk, 1)], [line("POT")], key="x", reason="a pot", actor="ann")
    assert Return.objects.count() == 0


def test_what_cannot_come_back_is_refused_in_words(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    order = take(draft(market.web, "1", line("TEA", 2))).order
    number = goods_line(order).pk
    with pytest.raises(UserError, match="1 of TEA cannot come back; 0 can"):
        returns.take_return(order.pk, [Back(number, 1)], key="r", reason="never came", actor="ann")
    with pytest.raises(UserError, match="no line of goods with id 0"):
        returns.take_return(order.pk, [Back(0, 1)], key="r", reason="never came", actor="ann")
    with pytest.raises(UserError, match="nothing that becomes of a return"):
        returns.take_return(order.pk, [Back(number, 1, "eaten")], key="r", reason="never came", actor="ann")
    with pytest.raises(UserError, match="3 of TEA cannot be cancelled; 2 can"):
        aftersales.cancel_units(order.pk, {number: 3}, key="c", reason="?", actor="ann")


@pytest.mark.committed_database
def test_sixteen_at_once_return_one_parcel_once(busy_market: Market) -> None:
    tea = busy_market.goods("TEA", warehouse=5)
    order = _shipped(busy_market, line("TEA", 3))
    number = goods_line(order).pk
    back = together(
        lambda _: returns.take_return(order.pk, [Back(number, 2)], key="r", reason="hm", actor="ann").pk, 16
    )
    assert len(set(map(str, back))) == 1
    assert (on_hand(tea), _fresh(order).refunded) == (4, Decimal("20.00"))


@pytest.mark.committed_database
def test_cancels_refunds_and_returns_at_once_never_give_back_more_than_came_in(busy_market: Market) -> None:
    busy_market.goods("TEA", warehouse=20, north=20)
    order = take(draft(busy_market.web, "1", line("TEA", 6), line("TEA", 6))).order
    first = parcels(order)[0]
    fulfilment.ship(first.pk, actor="ann", quantities={part.pk: 3 for part in first.lines.all()})
    one, two = goods_line(order, 1).pk, goods_line(order, 2).pk

    def act(n: int) -> None:
        try:
            match n % 4:
                case 0:
                    refunds.refund(order.pk, Decimal("9.00"), key=f"g{n}", reason="sorry", actor="ann")
                case 1:
                    returns.take_return(order.pk, [Back(one, 1)], key=f"r{n}", reason="hm", actor="ann")
                case 2:
                    aftersales.cancel_units(order.pk, {two: 1}, key=f"c{n}", reason="hm", actor="ann")
                case _:
                    aftersales.cancel(order.pk, reason="hm", actor="ann")
        except UserError:
            return

    assert together(act, 24) == [None] * 24
