"""A shop to advise in: a channel that lists and sells, people with what they bought, wish for and agreed to."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from finalmarket.advice.next_action.advising import Advice, advise
from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.unified import profiles_of
from finalmarket.kernel import clock
from finalmarket.orders import cart as carts
from finalmarket.orders.drafts import LineDraft, OrderDraft
from finalmarket.orders.intake import take
from finalmarket.orders.models import CartLine, Order, Wishlist
from tests.orders.market import Market


def person(name: str = "Ann", *, agrees: bool = True, **given: Any) -> OmnichannelCustomer:
    """Somebody with an address, who agrees to be written to unless told otherwise."""
    given.setdefault("email", f"{name.lower()}@example.com")
    found = OmnichannelCustomer.objects.create(name=name, **given)
    if agrees:
        found.grant_consent("newsletter", source="test")
    return found


def stocked(market: Market, *skus: str, price: str = "10.00", units: int = 50) -> list[Variant]:
    """Goods that lie in the warehouse and are listed in the web shop."""
    on_hand = {"warehouse": units} if units else {}
    found = [market.goods(sku, price=price, **on_hand) for sku in skus]
    for variant in found:
        market.web.listings.get_or_create(variant=variant)
    return found


def buy(
    market: Market, who: OmnichannelCustomer | None, days_ago: float, *skus: str, channel: SalesChannel | None = None
) -> Order:
    """An order of one unit of each, so many days ago."""
    place = channel or market.web
    lines = tuple(LineDraft(sku=sku, quantity=1, unit_price=Decimal("10.00")) for sku in skus)
    at = clock.now() - timedelta(days=days_ago)
    number = f"{who.pk if who else 'nobody'}-{at.timestamp()}-{'-'.join(skus)}"
    taken = take(
        OrderDraft(
            channel_id=place.pk, external_id=number, currency="EUR", placed_at=at, lines=lines,
            customer_id=who.pk if who else None,
        )
    )  # fmt: skip
    order: Order = Order.objects.get(pk=taken.order.pk)
    return order


def fill_cart(
    market: Market, who: OmnichannelCustomer, variant: Variant, units: int = 1, *, days_ago: float = 1
) -> None:
    """Units in a cart of the web shop, put there so many days ago."""
    cart = carts.open_cart(market.web, customer_id=who.pk)
    carts.add(cart.token, variant.pk, units)
    CartLine.objects.filter(cart=cart).update(changed_at=clock.now() - timedelta(days=days_ago))


def wish(who: OmnichannelCustomer, variant: Variant, at: datetime | None = None) -> None:
    """A wish."""
    row = Wishlist.objects.create(customer=who, variant=variant)
    Wishlist.objects.filter(pk=row.pk).update(added_at=at or clock.now() - timedelta(days=2))


def advice_for(who: OmnichannelCustomer) -> Advice:
    """What is advised for somebody now."""
    profile = profiles_of([who.pk])[who.pk]
    return advise({profile["customer"]: profile})[profile["customer"]]


def actions(who: OmnichannelCustomer) -> list[str]:
    """The names of what may be done for somebody now."""
    return [one.name for one in advice_for(who).options]
