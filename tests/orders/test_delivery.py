"""What sending costs, and its tax: the same at every door that asks where to, and what was said is what is charged."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.kernel.errors import UserError
from finalmarket.orders import calls, enquiries, shopping
from finalmarket.orders import cart as carts
from finalmarket.orders.drafts import Address
from finalmarket.orders.enquiries import Wish
from finalmarket.orders.models import Cart, Order, TaxRate
from tests.orders.market import Market

HOME = Address(name="Ann Lee", street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE")
VIENNA = replace(HOME, city="Wien", postcode="1010", country="AT")


@pytest.fixture
def shop(market: Market) -> SalesChannel:
    """Ten tea for 11.90 each, sent for 11.90; 19 per cent tax at home and 20 in Austria."""
    market.goods("TEA", price="11.90", warehouse=10)
    market.web.configuration |= {"delivery_fee": "11.90", "free_delivery_from": "35"}
    market.web.save()
    market.web.add_product(market.product)
    TaxRate.objects.create(country="DE", rate=Decimal("0.19"))
    TaxRate.objects.create(country="AT", rate=Decimal("0.20"))
    return market.web


def bought(shop: SalesChannel, market: Market, units: int = 1, **said: Any) -> Order:
    """What a shopper orders."""
    cart = carts.open_cart(shop)
    carts.add(cart.token, market.variants["TEA"].pk, units)
    given = shopping.Purchase(**{"name": "Ann Lee", "email": "ann@example.com", "address": HOME, **said})
    return shopping.buy(Cart.objects.get(pk=cart.pk), given, actor="shopper").order


def wished(market: Market, units: int, agreed: str, address: Address = HOME) -> Wish:
    return Wish(market.variants["TEA"].pk, units, Decimal(agreed), address, f"w:{units}:{agreed}:{address.country}")


def lines_of(order: Order) -> list[tuple[str, Decimal, Decimal, Decimal | None]]:
    return list(order.lines.order_by("position").values_list("kind", "total", "tax", "tax_rate"))


def test_a_shopper_pays_the_tax_of_delivery_as_a_caller_does(shop: SalesChannel, market: Market) -> None:
    order = bought(shop, market, agreed=Decimal("23.80"))
    assert (order.total, order.shipping, order.tax) == (Decimal("23.80"), Decimal("11.90"), Decimal("3.80"))
    (by_phone,) = calls.charges("DE", shipping=Decimal("11.90"))
    assert lines_of(order)[1] == ("shipping", Decimal("11.90"), Decimal("1.90"), by_phone.tax_rate)


def test_delivery_is_taxed_where_the_goods_are(shop: SalesChannel, market: Market) -> None:
    order = bought(shop, market, address=VIENNA)
    assert [rate for *_, rate in lines_of(order)] == [Decimal("0.20"), Decimal("0.20")]
    nowhere = bought(shop, market, address=replace(HOME, country="FR"))
    assert [(tax, rate) for *_, tax, rate in lines_of(nowhere)] == [(Decimal(0), None)] * 2
    assert nowhere.total == Decimal("23.80")


def test_what_is_sent_for_nothing_has_no_line_of_delivery(shop: SalesChannel, market: Market) -> None:
    order = bought(shop, market, 3)
    assert [kind for kind, *_ in lines_of(order)] == ["goods"]
    assert (order.total, order.tax) == (Decimal("35.70"), Decimal("5.70"))


@pytest.mark.parametrize(
    ("units", "agreed", "address", "shipping", "tax"),
    [
        (1, "23.80", HOME, "11.90", "3.80"), (2, "35.70", VIENNA, "11.90", "5.95"), (3, "35.70", HOME, "0", "5.70"),
        (1, "23.80", replace(HOME, country=""), "11.90", "3.80"),
    ],
    ids=["at home", "abroad", "for nothing", "wherever it is"],
)  # fmt: skip
def test_what_a_customer_says_yes_to_is_charged_with_its_delivery(
    shop: SalesChannel, market: Market, units: int, agreed: str, address: Address, shipping: str, tax: str
) -> None:
    ann = resolve(Contact(name="Ann", email="ann@example.com"))
    assert ann is not None
    order = enquiries.order_wish(shop, ann.pk, wished(market, units, agreed, address), actor="voice").order
    assert (order.total, order.shipping, order.tax) == (Decimal(agreed), Decimal(shipping), Decimal(tax))


def test_a_yes_to_the_goods_alone_or_to_another_fee_orders_nothing(shop: SalesChannel, market: Market) -> None:
    ann = resolve(Contact(name="Ann", email="ann@example.com"))
    assert ann is not None
    for agreed in ("11.90", "16.80"):
        with pytest.raises(UserError, match="the price has changed"):
            enquiries.order_wish(shop, ann.pk, wished(market, 1, agreed), actor="voice")
    assert not Order.objects.exists()
