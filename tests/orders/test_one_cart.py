"""The cart that follows its customer: from device to device, into the store, and apart again."""

from __future__ import annotations

import itertools
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finalmarket.catalog.models import Product, VariantPrice
from finalmarket.channels.models import ChannelProduct, SalesChannel
from finalmarket.customers import merging
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.persons import settle
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations.privacy import erase
from finalmarket.kernel.errors import UserError
from finalmarket.orders import cart as carts
from finalmarket.orders.drafts import OutOfStock
from finalmarket.orders.models import Cart, CartLine, Order
from finalmarket.orders.one_cart import carried, open_cart_of, opened
from finalmarket.orders.pricing import prices_for
from finalmarket.orders.take_over import take_over
from finalmarket.orders.wishes import wish, wishes
from finalmarket.stock.models import StockItem
from tests.orders.market import Market, together


def device(name: str) -> Contact:
    return Contact(device=name)


def in_cart(customer_id: int, channel: SalesChannel) -> dict[str, int]:
    return {line.sku: line.wanted.quantity for line in open_cart_of(customer_id, channel).lines}


def two_devices(market: Market) -> tuple[Cart, Cart]:
    """A cart on a phone and one on a laptop, of two visitors who turn out to be Ann."""
    phone = carts.open_cart(market.web, contact=device("phone"))
    laptop = carts.open_cart(market.web, contact=Contact(email="ann@example.com"))
    return phone, laptop


def join(one: Cart, other: Cart) -> None:
    assert one.customer_id and other.customer_id
    merging.merge(one.customer_id, other.customer_id, actor="olga")


def test_a_cart_belongs_to_the_device_until_the_device_is_somebodys(market: Market) -> None:
    tea = market.goods("TEA", warehouse=9)
    market.web.add_product(market.product)
    cart = carts.open_cart(market.web, contact=device("phone"))
    carts.add(cart.token, tea.pk)
    order = carts.check_out(cart.token, email="ann@example.com", name="Ann").order
    settle()
    assert order.customer is not None
    order.customer.refresh_from_db()
    assert order.customer.email == "ann@example.com"
    assert cart.customer_id != order.customer_id
    assert cart.customer is not None
    assert cart.customer.person().id == order.customer.person().id


def test_whoever_was_erased_and_shops_again_begins_anew(market: Market) -> None:
    tea = market.goods("TEA", warehouse=9)
    market.web.add_product(market.product)
    ann = resolve(Contact(email="ann@example.com"))
    assert ann is not None
    erase.erase(ann.pk, actor="olga", at_once=True)
    on_phone = carts.open_cart(market.web, contact=device("phone"))
    carts.add(on_phone.token, tea.pk)
    order = carts.check_out(on_phone.token, email="ann@example.com").order
    cart = carts.open_cart(market.web, contact=Contact(email="ann@example.com"))
    assert order.customer_id == cart.customer_id != ann.pk


def test_of_one_variant_the_newest_word_counts_and_nothing_is_added_up(market: Market) -> None:
    tea, pot = market.goods("TEA", warehouse=9), market.goods("POT", warehouse=9)
    market.web.add_product(market.product)
    phone, laptop = two_devices(market)
    carts.add(laptop.token, tea.pk, 3)
    carts.add(laptop.token, pot.pk, 1)
    carts.add(phone.token, tea.pk, 1)
    join(phone, laptop)
    assert laptop.customer_id
    assert in_cart(laptop.customer_id, market.web) == {"TEA": 1, "POT": 1}
    assert {line.sku for line in opened(phone).lines} == {"TEA", "POT"}
    carts.add(phone.token, pot.pk, 1)
    assert in_cart(laptop.customer_id, market.web) == {"TEA": 1, "POT": 2}


def test_what_is_taken_out_on_one_device_is_out_on_all_and_an_unmerge_gives_it_back(market: Market) -> None:
    tea, pot = market.goods("TEA", warehouse=9), market.goods("POT", warehouse=9)
    market.web.add_product(market.product)
    phone, laptop = two_devices(market)
    carts.add(laptop.token, tea.pk, 3)
    carts.add(laptop.token, pot.pk, 1)
    before = list(CartLine.objects.filter(cart=laptop).order_by("pk").values())
    join(phone, laptop)
    carts.remove(phone.token, tea.pk)
    carts.change(phone.token, pot.pk, 5)
    assert phone.customer_id and laptop.customer_id
    assert in_cart(laptop.customer_id, market.web) == {"POT": 5}
    merging.unmerge(laptop.customer_id, [phone.customer_id], actor="olga")
    assert list(CartLine.objects.filter(cart=laptop).order_by("pk").values()) == before
    assert in_cart(laptop.customer_id, market.web) == {"TEA": 3, "POT": 1}
    assert in_cart(phone.customer_id, market.web) == {"POT": 5}


def test_the_order_of_reading_has_no_say_in_what_counts(market: Market) -> None:
    tea, pot = market.goods("TEA", warehouse=9), market.goods("POT", warehouse=9)
    phone, laptop = two_devices(market)
    for cart, variant, units in ((phone, tea, 1), (laptop, tea, 2), (laptop, pot, 3), (phone, pot, 4)):
        carts.add(cart.token, variant.pk, units)
    lines = list(CartLine.objects.select_related("cart__sales_channel"))
    now = max(line.changed_at for line in lines)
    results = {
        tuple((one.variant_id, one.quantity) for one in carried(some, now)) for some in itertools.permutations(lines)
    }
    assert results == {((tea.pk, 2), (pot.pk, 4))}


def test_an_old_word_stays_in_its_cart_and_follows_no_more(market: Market) -> None:
    tea = market.goods("TEA", warehouse=9)
    market.web.add_product(market.product)
    phone, laptop = two_devices(market)
    line = carts.add(laptop.token, tea.pk, 3)
    CartLine.objects.filter(pk=line.pk).update(changed_at=line.changed_at - timedelta(days=91))
    join(phone, laptop)
    assert opened(phone).lines == ()
    assert [one.wanted.quantity for one in opened(laptop).lines] == [3]


def test_an_old_word_is_left_in_its_cart_when_the_other_device_orders(market: Market) -> None:
    tea, pot, cup = (market.goods(sku, warehouse=9) for sku in ("TEA", "POT", "CUP"))
    market.web.add_product(market.product)
    phone, laptop = two_devices(market)
    line = carts.add(laptop.token, tea.pk, 3)
    CartLine.objects.filter(pk=line.pk).update(changed_at=line.changed_at - timedelta(days=91))
    carts.add(laptop.token, cup.pk)
    join(phone, laptop)
    carts.add(phone.token, pot.pk)
    carts.remove(phone.token, cup.pk)
    order = carts.check_out(phone.token).order
    assert [one.sku for one in order.lines.all()] == ["POT"]
    assert {line.sku: line.wanted.quantity for line in opened(laptop).lines} == {"TEA": 3}
    assert carts.check_out(laptop.token).outcome == "created"


def test_both_devices_order_what_is_in_the_one_cart_exactly_once(market: Market) -> None:
    tea, pot = market.goods("TEA", warehouse=9), market.goods("POT", warehouse=9)
    market.web.add_product(market.product)
    phone, laptop = two_devices(market)
    carts.add(laptop.token, tea.pk, 3)
    carts.hold(laptop.token)
    join(phone, laptop)
    carts.add(phone.token, pot.pk, 2)
    first = carts.check_out(phone.token)
    again = carts.check_out(laptop.token)
    assert (first.outcome, again.outcome, again.order.pk) == ("created", "unchanged", first.order.pk)
    assert sorted(first.order.lines.values_list("sku", "quantity")) == [("POT", 2), ("TEA", 3)]
    items = StockItem.objects.filter(variant__in=[tea, pot])
    assert sum(items.values_list("reserved", flat=True)) == 0
    assert Order.objects.count() == 1


def test_a_hold_on_one_device_gives_way_to_a_hold_on_the_other(market: Market) -> None:
    tea = market.goods("TEA", warehouse=3)
    market.web.add_product(market.product)
    phone, laptop = two_devices(market)
    carts.add(laptop.token, tea.pk, 3)
    carts.hold(laptop.token)
    join(phone, laptop)
    assert opened(phone).differences == []
    carts.hold(phone.token)
    assert StockItem.objects.get(variant=tea).reserved == 3
    carts.let_go(laptop.token)
    assert StockItem.objects.get(variant=tea).reserved == 0


def test_a_cart_of_nobody_can_be_claimed_once(market: Market) -> None:
    cart = carts.open_cart(market.web)
    ann, bob = (OmnichannelCustomer.objects.create(name=name) for name in ("Ann", "Bob"))
    assert carts.claim(cart.token, ann.pk).customer_id == ann.pk
    carts.claim(cart.token, ann.pk)
    with pytest.raises(UserError, match="somebody else's"):
        carts.claim(cart.token, bob.pk)


def differing(market: Market) -> tuple[OmnichannelCustomer, SalesChannel]:
    """Ann's cart of the web shop, and a store in Zurich where all is a little different."""
    zurich = SalesChannel.objects.create(name="Zurich store", channel_type="store", country="CH", currency="CHF")
    goods = {sku: market.goods(sku) for sku in ("SAME", "FEW", "GONE", "OFF", "FREE")}
    for sku, units in (("SAME", 9), ("FEW", 2), ("OFF", 9), ("FREE", 9)):
        market.receive(goods[sku], units, market.warehouse)
    market.web.add_product(market.product)
    zurich.add_product(market.product)
    for sku, variant in goods.items():
        if sku != "FREE":
            VariantPrice.objects.create(variant=variant, currency="CHF", amount=Decimal("11.00"))
    ChannelProduct.objects.filter(sales_channel=zurich, variant=goods["OFF"]).update(is_available=False)
    ann = OmnichannelCustomer.objects.create(name="Ann", email="ann@example.com")
    cart = carts.open_cart(market.web, customer_id=ann.pk)
    for variant in goods.values():
        carts.add(cart.token, variant.pk, 3)
    return ann, zurich


def test_what_is_different_on_another_channel_is_said(market: Market) -> None:
    ann, zurich = differing(market)
    cart = open_cart_of(ann.pk, zurich)
    kinds = {line.sku: [one.kind for one in line.differences] for line in cart.lines}
    assert kinds == {
        "SAME": ["currency"], "FEW": ["currency", "few"], "GONE": ["currency", "sold_out"], "OFF": ["not_sold"],
        "FREE": ["no_price"],
    }  # fmt: skip
    said = {difference.kind: difference for _, difference in cart.differences}
    assert said["currency"].text == "cost 10 EUR on Web shop, is sold for 11 CHF here"
    assert (said["few"].text, said["few"].was, said["few"].now) == ("only 2 left", "3", "2")
    assert cart.total == Decimal("33.00")


def test_a_price_that_changed_meanwhile_is_said_with_both_prices(market: Market) -> None:
    tea = market.goods("TEA", warehouse=9)
    market.web.add_product(market.product)
    cart = carts.open_cart(market.web)
    carts.add(cart.token, tea.pk)
    ChannelProduct.objects.get(variant=tea).set_price(Decimal("8.50"))
    ((sku, said),) = opened(cart).differences
    assert (sku, said.kind, said.was, said.now) == ("TEA", "price", "10 EUR", "8.5 EUR")


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_what_is_not_on_sale_any_more_is_ordered_from_no_cart_and_has_no_price(market: Market, status: str) -> None:
    tea = market.goods("TEA", warehouse=9)
    market.web.add_product(market.product)
    cart = carts.open_cart(market.web)
    carts.add(cart.token, tea.pk)
    Product.objects.update(status=status)
    ((sku, said),) = opened(cart).differences
    assert (sku, said.kind, said.text) == ("TEA", "not_sold", "is not available on Web shop")
    with pytest.raises(UserError, match="TEA is not available"):
        carts.check_out(cart.token, email="ann@example.com")
    with pytest.raises(UserError, match="is not available on Web shop"):
        prices_for(market.web, [tea.pk], "EUR")
    assert not Order.objects.exists()


def test_a_cart_is_opened_in_as_many_queries_whatever_is_in_it(market: Market) -> None:
    market.goods("FIRST", warehouse=9)
    market.web.add_product(market.product)
    cart = carts.open_cart(market.web, customer_id=OmnichannelCustomer.objects.create(name="Ann").pk)
    counts = []
    for number in range(2):
        for sku in [f"S{number}{one}" for one in range(6)]:
            carts.add(cart.token, market.goods(sku, warehouse=9).pk)
        market.web.add_product(market.product)
        with CaptureQueriesContext(connection) as asked:
            assert len(opened(Cart.objects.get(pk=cart.pk)).lines) == 6 * (number + 1)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_staff_takes_over_what_its_channel_sells_and_the_rest_stays(market: Market) -> None:
    ann, zurich = differing(market)
    shown = {line.sku: line for line in open_cart_of(ann.pk, zurich).lines}
    wanted = {shown["SAME"].wanted.variant_id: 3, shown["FEW"].wanted.variant_id: 2}
    taken = take_over(ann.pk, zurich, actor="clara", key="form-1", quantities=wanted, agreed=Decimal("55.00"))
    again = take_over(ann.pk, zurich, actor="clara", key="form-1", quantities=wanted, agreed=Decimal("55.00"))
    assert (taken.outcome, again.outcome, again.order.pk) == ("created", "unchanged", taken.order.pk)
    assert (taken.order.customer_id, taken.order.currency, taken.order.goods) == (ann.pk, "CHF", Decimal("55.00"))
    assert in_cart(ann.pk, market.web) == {"FEW": 1, "GONE": 3, "OFF": 3, "FREE": 3}


def test_what_was_not_said_is_not_ordered(market: Market) -> None:
    ann, zurich = differing(market)
    shown = {line.sku: line.wanted.variant_id for line in open_cart_of(ann.pk, zurich).lines}
    with pytest.raises(UserError, match=r"cost 33\.00 CHF now and not 30\.00 as was said"):
        take_over(ann.pk, zurich, actor="c", key="1", quantities={shown["SAME"]: 3}, agreed=Decimal("30.00"))
    with pytest.raises(UserError, match="changed the cart meanwhile"):
        take_over(ann.pk, zurich, actor="c", key="1", quantities={shown["SAME"]: 4})
    with pytest.raises(UserError, match="OFF is not available"):
        take_over(ann.pk, zurich, actor="c", key="1")
    with pytest.raises(OutOfStock):
        take_over(ann.pk, zurich, actor="c", key="1", quantities={shown["FEW"]: 3})
    assert not Order.objects.exists()
    assert len(in_cart(ann.pk, market.web)) == 5


def test_wishes_follow_the_customer_and_are_one_wish_each(market: Market) -> None:
    tea, pot = market.goods("TEA"), market.goods("POT")
    ann, anna = (OmnichannelCustomer.objects.create(name=name) for name in ("Ann", "Anna"))
    wish(ann.pk, tea.pk)
    wish(anna.pk, tea.pk)
    wish(anna.pk, pot.pk)
    ann.merge(anna, actor="olga")
    assert [one.variant_id for one in wishes(ann.pk)] == [tea.pk, pot.pk]
    assert wish(ann.pk, pot.pk).customer_id == anna.pk
    ann.unmerge(anna, actor="olga")
    assert [[one.variant_id for one in wishes(who.pk)] for who in (ann, anna)] == [[tea.pk], [tea.pk, pot.pk]]


@pytest.mark.committed_database
def test_two_devices_at_once_never_wait_for_each_other_for_ever(busy_market: Market) -> None:
    tea = busy_market.goods("TEA", warehouse=500)
    busy_market.web.add_product(busy_market.product)
    pair = two_devices(busy_market)
    join(*pair)
    done = together(lambda number: carts.add(pair[number % 2].token, tea.pk), 8)
    assert [one for one in done if isinstance(one, BaseException)] == []
    assert [line.wanted.quantity for line in opened(pair[0]).lines] == [8]
    ordered = together(lambda number: carts.check_out(pair[number % 2].token), 8)
    assert [one for one in ordered if isinstance(one, BaseException)] == []
    assert Order.objects.count() == 1
