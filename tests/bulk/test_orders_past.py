"""Orders and returns that already happened are written many at once, exactly once, and never below zero."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from finalmarket.catalog.models import BundleComponent, Product, Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import FulfilmentLine, Order, OrderLine, Payment, Refund, Return
from finalmarket.orders.past import HistoricOrders, PastLine, PastOrder, Tender, Written, write
from finalmarket.orders.past_returns import HistoricReturns, PastReturn, PastReturnLine, WrittenReturns, write_returns
from finalmarket.stock import ledger
from finalmarket.stock.models import StockAlert, StockItem, StockLocation, StockMovement
from finalmarket.stock.reserve import Mode, Request, reserve

pytestmark = pytest.mark.django_db

LAST_YEAR = datetime(2024, 5, 1, 10, 0, tzinfo=UTC)


class Shop:
    """A channel, a shelf, and a cup of which ten lie there."""

    def __init__(self) -> None:
        self.channel = SalesChannel.objects.create(name="Past shop", channel_type="web", currency="GBP")
        self.shelf = StockLocation.objects.create(code="past-shelf", name="Shelf")
        self.product = Product.objects.create(title="Cup", slug="past-cup")
        self.cup = self.add("PAST-CUP", 10)

    def add(self, sku: str, units: int) -> Variant:
        variant = Variant.objects.create(product=self.product, sku=sku)
        if units:
            ledger.receive([ledger.Receipt(variant.pk, self.shelf.pk, units)], actor="test")
        return variant

    def order(self, external_id: str = "A1", **given: Any) -> PastOrder:
        return PastOrder(self.channel.pk, external_id, LAST_YEAR, "GBP", location_id=self.shelf.pk)._replace(**given)

    def line(self, quantity: int = 1, price: str = "2.50", position: int = 0, order: int = 0) -> PastLine:
        return PastLine(order, position, quantity, Decimal(price), variant_id=self.cup.pk, sku=self.cup.sku)

    def on_hand(self, variant: Variant | None = None) -> int:
        return StockItem.objects.get(variant=variant or self.cup, location=self.shelf).on_hand


@pytest.fixture
def shop() -> Shop:
    return Shop()


def one(order: PastOrder, *lines: PastLine) -> Written:
    return write(HistoricOrders([order], lines))


def test_a_past_order_is_fulfilled_and_paid_and_its_goods_have_left(shop: Shop) -> None:
    one(shop.order(), shop.line(3), PastLine(0, 1, 1, Decimal("4.00"), kind="shipping", title="Postage"))
    order = Order.objects.get(external_id="A1")
    assert (order.state, order.payment_state) == ("fulfilled", "paid")
    assert (order.goods, order.shipping, order.total) == (Decimal("7.50"), Decimal("4.00"), Decimal("11.50"))
    assert order.placed_at == LAST_YEAR
    assert order.number.startswith("PS-")
    assert Payment.objects.get(order=order).amount == Decimal("11.50")
    packed = FulfilmentLine.objects.get(fulfilment__order=order)
    assert (packed.quantity, packed.fulfilment.shipped_at) == (3, LAST_YEAR)
    assert shop.on_hand() == 7
    movement = StockMovement.objects.get(variant=shop.cup, kind="sale")
    assert (movement.on_hand_delta, movement.reference) == (-3, f"order:{order.pk}")


def test_writing_a_batch_again_changes_nothing(shop: Shop) -> None:
    first = one(shop.order(), shop.line(3), shop.line(1, position=1))
    again = one(shop.order(), shop.line(3), shop.line(1, position=1))
    assert (again.orders, again.lines) == (0, 0)
    assert (again.order_ids, again.line_ids) == (first.order_ids, first.line_ids)
    assert shop.on_hand() == 6
    assert StockMovement.objects.filter(kind="sale").count() == 2
    assert Payment.objects.get().amount == Decimal("10.00")


def test_a_line_that_comes_late_joins_its_order(shop: Shop) -> None:
    one(shop.order(), shop.line(1))
    late = one(shop.order(), shop.line(1), shop.line(2, "1.00", position=1))
    order = Order.objects.get()
    assert (late.orders, late.lines) == (0, 1)
    assert (order.goods, order.total, order.payment_state) == (Decimal("4.50"), Decimal("4.50"), "paid")
    assert Payment.objects.get().amount == Decimal("4.50")
    assert order.fulfilments.count() == 1
    assert shop.on_hand() == 7


def test_identical_lines_are_two_lines(shop: Shop) -> None:
    one(shop.order(), shop.line(1), shop.line(1, position=1))
    assert OrderLine.objects.count() == 2
    assert shop.on_hand() == 8


def test_the_total_is_rounded_and_its_lines_are_not(shop: Shop) -> None:
    one(shop.order(), *(shop.line(1, "0.004", position) for position in range(3)))
    order = Order.objects.get()
    assert order.lines.aggregate(whole=Sum("total"))["whole"] == Decimal("0.012")
    assert order.total == Decimal("0.01")


def test_what_is_not_there_is_short_and_raises_an_alert_and_nothing_goes_below_zero(shop: Shop) -> None:
    written = one(shop.order(), shop.line(8), shop.line(5, position=1))
    first, second = OrderLine.objects.order_by("position")
    assert (first.short_quantity, second.short_quantity, written.short_units) == (0, 3, 3)
    assert second.fulfilled_quantity == 5
    assert shop.on_hand() == 0
    alert = StockAlert.objects.get(variant=shop.cup, level="short")
    assert (alert.quantity, alert.sales_channel_id) == (3, shop.channel.pk)


def test_units_promised_to_others_are_never_taken(shop: Shop) -> None:
    reserve([Request("cart", shop.channel.pk, ((shop.cup.pk, 4),), Mode.HOLD)])
    assert one(shop.order(), shop.line(8)).short_units == 2
    assert shop.on_hand() == 4


def test_a_bundle_takes_its_components_and_brings_them_back(shop: Shop) -> None:
    tray, gift = shop.add("PAST-TRAY", 5), shop.add("PAST-GIFT", 0)
    BundleComponent.objects.create(bundle=gift, component=shop.cup, quantity=2)
    BundleComponent.objects.create(bundle=gift, component=tray, quantity=1)
    written = one(shop.order(), PastLine(0, 0, 3, Decimal("20.00"), variant_id=gift.pk, sku=gift.sku))
    assert (shop.on_hand(), shop.on_hand(tray)) == (4, 2)
    assert FulfilmentLine.objects.count() == 2
    back = PastReturnLine(
        0, 0, 1, Decimal("20.00"), written.line_ids[0], gift.pk, gift.sku, location_id=shop.shelf.pk
    )  # fmt: skip
    write_returns(HistoricReturns([PastReturn(shop.channel.pk, "R1", LAST_YEAR, written.order_ids[0])], [back]))
    assert (shop.on_hand(), shop.on_hand(tray)) == (6, 3)


def test_a_customer_is_known_since_the_first_past_order(shop: Shop) -> None:
    customer = OmnichannelCustomer.objects.create(name="Ann")
    one(shop.order(customer_id=customer.pk), shop.line())
    customer.refresh_from_db()
    assert customer.first_seen_at == LAST_YEAR


def test_tenders_share_the_total(shop: Shop) -> None:
    tenders = (Tender("gift_card", Decimal("3.00"), "card-1"), Tender("card"))
    one(shop.order(tenders=tenders), shop.line(4))
    amounts = dict(Payment.objects.values_list("tender", "amount"))
    assert amounts == {"gift_card": Decimal("3.00"), "card": Decimal("7.00")}


def test_an_order_without_a_location_takes_nothing_off_the_stock(shop: Shop) -> None:
    one(shop.order(location_id=None), shop.line(4))
    assert shop.on_hand() == 10
    assert Order.objects.get().fulfilments.count() == 0


def test_a_number_that_another_order_bears_is_refused(shop: Shop) -> None:
    one(shop.order(number="PAST-1"), shop.line())
    with pytest.raises(UserError, match="PAST-1 is borne by another order"):
        one(shop.order("A2", number="PAST-1"), shop.line())


def test_a_sale_of_nothing_is_refused_with_the_order_and_the_line(shop: Shop) -> None:
    with pytest.raises(UserError, match="order A1, line 0: 0 units of PAST-CUP are no sale"):
        one(shop.order(), shop.line(0))


def taken_back(shop: Shop, written: Written, units: int, refund: str, key: str = "R1", **given: Any) -> WrittenReturns:
    line = PastReturnLine(
        0, 0, units, Decimal(refund), written.line_ids[0], shop.cup.pk, shop.cup.sku, location_id=shop.shelf.pk
    )._replace(**given)
    return write_returns(HistoricReturns([PastReturn(shop.channel.pk, key, LAST_YEAR, written.order_ids[0])], [line]))


def test_a_past_return_puts_goods_and_money_back_exactly_once(shop: Shop) -> None:
    written = one(shop.order(), shop.line(4))
    for _ in range(2):
        taken_back(shop, written, 3, "7.50")
    order = Order.objects.get()
    assert (order.refunded, order.payment_state) == (Decimal("7.50"), "partly_refunded")
    assert OrderLine.objects.get().returned_quantity == 3
    assert Refund.objects.get().amount == Decimal("7.50")
    assert Payment.objects.get().refunded == Decimal("7.50")
    assert shop.on_hand() == 9


def test_more_than_was_paid_is_not_paid_back(shop: Shop) -> None:
    written = one(shop.order(), shop.line(4))
    result = taken_back(shop, written, 4, "12.00")
    assert (result.refunded, result.uncovered) == (Decimal("10.00"), Decimal("2.00"))
    assert Order.objects.get().payment_state == "refunded"


def test_more_units_than_had_left_cannot_come_back(shop: Shop) -> None:
    written = one(shop.order(), shop.line(4))
    taken_back(shop, written, 3, "1.00")
    with pytest.raises(UserError, match="5 units of PAST-CUP cannot have come back, 4 had left"):
        taken_back(shop, written, 2, "1.00", key="R2")


def test_damaged_goods_do_not_go_back_on_the_shelf(shop: Shop) -> None:
    written = one(shop.order(), shop.line(4))
    taken_back(shop, written, 1, "2.50", disposition="damaged")
    assert shop.on_hand() == 6


def test_a_credit_without_a_known_sale_names_no_order(shop: Shop) -> None:
    line = PastReturnLine(0, 0, 2, Decimal("5.00"), None, shop.cup.pk, shop.cup.sku, location_id=shop.shelf.pk)
    write_returns(HistoricReturns([PastReturn(shop.channel.pk, "R9", LAST_YEAR)], [line]))
    record = Return.objects.get()
    assert (record.is_linked, record.order_id) == (False, None)
    assert Refund.objects.count() == 0
    assert shop.on_hand() == 12
