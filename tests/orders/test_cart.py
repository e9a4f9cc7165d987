"""Carts: put together, held, checked out once; and wishlists."""

from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from finalmarket.channels.models import ChannelProduct, DueChange
from finalmarket.customers.resolve import Contact, resolve_many
from finalmarket.kernel.errors import UserError
from finalmarket.orders import cart as carts
from finalmarket.orders.drafts import Address, LineDraft, OutOfStock, TenderDraft
from finalmarket.orders.intake import Taken, take
from finalmarket.orders.models import Cart, Order, TaxRate
from finalmarket.orders.wishes import unwish, wish
from finalmarket.stock.models import Reservation, StockItem, StockPool
from tests.orders.market import Market, draft, line, promised, somebody_else, together
from tests.patience import PATIENCE_SECONDS


def _listed(market: Market) -> None:
    market.web.add_product(market.product)


def _reserved(market: Market, sku: str) -> int:
    return sum(StockItem.objects.filter(variant=market.variants[sku]).values_list("reserved", flat=True))


def test_a_cart_holds_its_goods_and_its_order_gets_them(market: Market) -> None:
    tea = market.goods("TEA", warehouse=2)
    _listed(market)
    cart = carts.open_cart(market.web)
    carts.add(cart.token, tea.pk)
    carts.add(cart.token, tea.pk)
    carts.hold(cart.token)
    assert _reserved(market, "TEA") == 2
    with pytest.raises(OutOfStock):
        take(draft(market.web, "other", line("TEA")))
    card = (TenderDraft("card", Decimal("24.90")),)
    postage = [LineDraft(kind="shipping", unit_price=Decimal("4.90"))]
    taken = carts.check_out(cart.token, email="ann@example.com", tenders=card, charges=postage)
    assert (taken.outcome, taken.order.total, taken.order.payment_state) == ("created", Decimal("24.90"), "paid")
    assert (_reserved(market, "TEA"), promised(tea)) == (0, 2)


def test_a_cart_is_checked_out_once(market: Market) -> None:
    tea = market.goods("TEA", warehouse=9)
    _listed(market)
    cart = carts.open_cart(market.web)
    carts.add(cart.token, tea.pk)
    first = carts.check_out(cart.token)
    again = carts.check_out(cart.token)
    assert (again.outcome, again.order.pk) == ("unchanged", first.order.pk)
    with pytest.raises(UserError, match="was checked out"):
        carts.add(cart.token, tea.pk)


def test_a_changed_cart_is_held_anew_and_a_refused_hold_leaves_the_earlier_one(market: Market) -> None:
    tea = market.goods("TEA", warehouse=3)
    cart = carts.open_cart(market.web)
    carts.add(cart.token, tea.pk, 2)
    carts.hold(cart.token)
    carts.change(cart.token, tea.pk, 3)
    carts.hold(cart.token)
    assert _reserved(market, "TEA") == 3
    carts.change(cart.token, tea.pk, 4)
    with pytest.raises(OutOfStock, match="TEA: 4 wanted, 3 available"):
        carts.hold(cart.token)
    assert _reserved(market, "TEA") == 3
    carts.let_go(cart.token)
    assert _reserved(market, "TEA") == 0


def test_a_hold_that_was_let_go_is_taken_anew_at_check_out_or_refused(market: Market) -> None:
    tea = market.goods("TEA", warehouse=2)
    _listed(market)
    first, second = carts.open_cart(market.web), carts.open_cart(market.web)
    for cart in (first, second):
        carts.add(cart.token, tea.pk, 2)
    carts.hold(first.token)
    carts.let_go(first.token)
    assert carts.check_out(first.token).order.state == "open"
    with pytest.raises(OutOfStock):
        carts.check_out(second.token)
    assert Cart.objects.get(pk=second.pk).lines.count() == 1


def test_what_the_cart_gained_after_its_hold_is_promised_too(market: Market) -> None:
    tea, pot = market.goods("TEA", warehouse=5), market.goods("POT", warehouse=5)
    market.bundle("SET", TEA=1, POT=1)
    _listed(market)
    cart = carts.open_cart(market.web)
    carts.add(cart.token, market.variants["SET"].pk, 2)
    carts.add(cart.token, tea.pk, 1)
    carts.hold(cart.token)
    carts.change(cart.token, tea.pk, 2)
    carts.check_out(cart.token)
    assert (promised(tea), promised(pot)) == (4, 2)
    assert Reservation.objects.filter(state="held").count() == 0


def test_what_was_put_in_after_the_hold_parts_no_hold_from_its_order(market: Market) -> None:
    pot, tea = market.goods("POT", warehouse=1), market.goods("TEA", warehouse=2)
    _listed(market)
    cart = carts.open_cart(market.web)
    carts.add(cart.token, tea.pk, 2)
    held = carts.hold(cart.token)
    carts.add(cart.token, pot.pk)
    order = carts.check_out(cart.token).order
    assert (promised(pot), promised(tea)) == (1, 2)
    assert set(order.lines.values_list("promises__reservation__state", flat=True)) == {"confirmed"}
    assert order.lines.get(sku="TEA").promises.get().reservation_id == held.pk


def test_what_was_taken_out_after_the_hold_goes_back_and_the_rest_is_kept_for_its_order(market: Market) -> None:
    tea, pot = market.goods("TEA", warehouse=3), market.goods("POT", warehouse=2)
    market.bundle("SET", TEA=1, POT=1)
    _listed(market)
    cart = carts.open_cart(market.web)
    for variant, units in ((tea, 1), (pot, 1), (market.variants["SET"], 1)):
        carts.add(cart.token, variant.pk, units)
    carts.hold(cart.token)
    carts.remove(cart.token, tea.pk)
    take(draft(market.bazaar, "waits", line("SET", 2)))  # for goods that must not come from the hold
    order = carts.check_out(cart.token).order
    assert [(one.sku, one.short_quantity) for one in order.lines.all()] == [("POT", 0), ("SET", 0)]
    assert (promised(tea), promised(pot), _reserved(market, "TEA")) == (3, 2, 0)


def test_a_cart_of_quite_other_goods_than_it_held_is_ordered_all_the_same(market: Market) -> None:
    tea, pot = market.goods("TEA", warehouse=2), market.goods("POT", warehouse=2)
    _listed(market)
    cart = carts.open_cart(market.web)
    carts.add(cart.token, tea.pk)
    held = carts.hold(cart.token)
    carts.remove(cart.token, tea.pk)
    carts.add(cart.token, pot.pk)
    carts.check_out(cart.token)
    held.refresh_from_db()
    assert (held.state, promised(tea), promised(pot)) == ("released", 0, 1)


def test_prices_are_the_listings_and_taxes_the_operators(market: Market) -> None:
    tea = market.goods("TEA", warehouse=5)
    _listed(market)
    ChannelProduct.objects.get(variant=tea).set_price(Decimal("8.50"))
    TaxRate.objects.create(country="AT", tax_class="standard", rate=Decimal("0.20"))
    cart = carts.open_cart(market.web)
    carts.add(cart.token, tea.pk, 2)
    order = carts.check_out(cart.token, shipping_address=Address(country="AT"), tax_included=False).order
    assert (order.goods, order.tax, order.total) == (Decimal("17.00"), Decimal("3.40"), Decimal("20.40"))


def test_what_the_channel_does_not_sell_is_named_with_the_reason(market: Market) -> None:
    tea, pot = market.goods("TEA", warehouse=5), market.goods("POT", warehouse=5)
    _listed(market)
    unlisted = market.goods("CUP", warehouse=5)
    ChannelProduct.objects.filter(variant=tea).update(is_available=False)
    pot.prices.all().delete()
    cart = carts.open_cart(market.web)
    for variant in (tea, pot, unlisted):
        carts.add(cart.token, variant.pk)
    with pytest.raises(UserError, match="TEA is not available; POT has no price in EUR; CUP is not listed"):
        carts.check_out(cart.token)


def test_an_empty_cart_and_an_unknown_one_are_refused(market: Market) -> None:
    cart = carts.open_cart(market.web)
    with pytest.raises(UserError, match="the cart is empty"):
        carts.check_out(cart.token)
    with pytest.raises(UserError, match="from 1 to"):
        carts.add(cart.token, 1, 0)
    with pytest.raises(UserError, match="no variant with id 0"):
        carts.add(cart.token, 0)


def test_wishing_twice_is_one_wish(market: Market) -> None:
    from finalmarket.customers.models import OmnichannelCustomer

    tea = market.goods("TEA")
    ann = OmnichannelCustomer.objects.create(name="Ann")
    assert wish(ann.pk, tea.pk, channel_id=market.web.pk).pk == wish(ann.pk, tea.pk).pk
    unwish(ann.pk, tea.pk)
    assert ann.wishlist.count() == 0


@pytest.mark.committed_database
def test_sixteen_clicks_on_order_make_one_order(busy_market: Market) -> None:
    tea = busy_market.goods("TEA", warehouse=5)
    _listed(busy_market)
    cart = carts.open_cart(busy_market.web)
    carts.add(cart.token, tea.pk, 2)
    carts.hold(cart.token)
    clicks = together(lambda _: carts.check_out(cart.token), 16)
    assert sorted(one.outcome for one in clicks if isinstance(one, Taken)) == ["created"] + ["unchanged"] * 15
    assert Order.objects.count() == 1
    assert promised(tea) == 2


@pytest.mark.committed_database
def test_a_held_cart_and_an_order_from_elsewhere_never_wait_crosswise_for_buyer_and_goods(busy_market: Market) -> None:
    tea = busy_market.goods("TEA", warehouse=5)
    _listed(busy_market)
    cart = carts.open_cart(busy_market.web)
    carts.add(cart.token, tea.pk)
    carts.hold(cart.token)
    with somebody_else() as begin:
        with transaction.atomic():  # an order from elsewhere: first whose it is, then the goods
            resolve_many([Contact(email="ann@example.com")])
            checking_out = begin(lambda: carts.check_out(cart.token, email="ann@example.com"))
            goods = StockPool.objects.filter(variant=tea).select_for_update(skip_locked=True)
            assert list(goods), "the cart holds the goods while it waits for us: nobody gets on"
        assert checking_out.result(PATIENCE_SECONDS).order.reservation is not None
    assert promised(tea) == 1


@pytest.mark.committed_database
def test_a_cart_that_is_held_anew_never_waits_crosswise_for_the_bundles_of_its_goods(busy_market: Market) -> None:
    pot, tea = (busy_market.goods(sku, warehouse=5) for sku in ("POT", "TEA"))
    busy_market.goods("CUP", warehouse=5)
    for bundle, parts in (("SERVICE", {"POT": 1, "CUP": 1}), ("GIFT", {"TEA": 1, "CUP": 1})):
        busy_market.bundle(bundle, **parts)
    _listed(busy_market)
    cart = carts.open_cart(busy_market.web)
    carts.add(cart.token, tea.pk)
    carts.hold(cart.token)
    carts.add(cart.token, pot.pk)
    with somebody_else() as begin:
        with transaction.atomic():
            service, gift = (
                DueChange.objects.filter(what="stock", listing__variant__sku=sku).select_for_update(skip_locked=True)
                for sku in ("SERVICE", "GIFT")
            )
            assert list(service)
            holding = begin(lambda: carts.hold(cart.token))
            assert list(gift), "what the cart waits for comes before what it has locked: nobody gets on"
        assert holding.result(PATIENCE_SECONDS).state == "held"


def test_goods_without_a_hold_are_locked_only_after_the_order_is_written(market: Market) -> None:
    tea = market.goods("TEA", warehouse=5)
    _listed(market)
    cart = carts.open_cart(market.web)
    carts.add(cart.token, tea.pk)
    with CaptureQueriesContext(connection) as asked:
        carts.check_out(cart.token, email="ann@example.com")
    verbs = [one["sql"] for one in asked.captured_queries]
    locks = [number for number, sql in enumerate(verbs) if "stock_lock(" in sql]
    written = [number for number, sql in enumerate(verbs) if 'INTO "order_lines"' in sql]
    assert len(locks) == 1
    assert written < locks
