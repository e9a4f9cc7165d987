"""What goes out: contents, prices and stock; notices of parcels and money; what a platform took and does not show."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from finalmarket.catalog.models import Product
from finalmarket.channels.due import mark_due
from finalmarket.connectors.records import ListingRef
from finalmarket.integrations import dead_letters, jobs, links, push, telling
from finalmarket.integrations.models import DeadLetter, ExternalId
from finalmarket.orders import fulfilment, payments
from finalmarket.orders.aftersales import cancel
from finalmarket.orders.models import Payment
from finalmarket.orders.refunds import refund
from finalmarket.sandbox.faults import Fault
from tests.laws.border_house import House
from tests.laws.sync_path import Path, both, failing, later
from tests.laws.ways_in import an_order_that_cannot_be_taken, mended, own_order, pulled, put_right, replayed

# What goes out.


def a_new_product(house: House, title: str = "The JAR") -> str:
    """One more listing, which the platform has to make; its SKU."""
    sku = f"JAR{house.next()}"
    listing = house.account.offer(sku, 4, linked=False)
    house.put_in[sku] += 4
    Product.objects.filter(variants__sku=sku).update(title=title)
    links.link_listing(house.account.integration, listing, ListingRef(key=sku, sku=sku))
    return sku


def all_changes(house: House) -> None:
    """A product is new, one has a new price, of one more has come."""
    a_new_product(house)
    house.account.listings["CUP"].set_price(Decimal(house.next()))
    house.receive("POT")


def more_stock(house: House) -> None:
    """Goods arrive."""
    house.receive("TEA")


def pushed(house: House) -> None:
    """A worker tells what is due."""
    jobs.push(house.number)


def a_doubt(house: House) -> None:
    """A new product was told, and nobody knows what became of it."""
    all_changes(house)
    failing(Fault.ERROR_AFTER)(house)
    house.pass_time(minutes=1)
    pushed(house)
    house.pass_time(minutes=6)


def a_product_without_a_title(house: House) -> None:
    """A product is put up that the platform does not take."""
    a_new_product(house, title="")


def titled(house: House) -> None:
    """Somebody gives the product a title."""
    Product.objects.filter(title="").update(title="The JAR")


def a_new_price(house: House) -> None:
    """A product has a new price."""
    house.account.listings["CUP"].set_price(Decimal(house.next()))


def a_price_that_was_only_said_to_be_taken(house: House) -> None:
    """The platform said yes to a price, and shows another; those told before were looked at."""
    house.pass_time(minutes=15)
    looked_at_prices(house)
    a_new_price(house)
    pushed(house)
    with house.shop.lock:
        for listing in house.shop.state["listings"].values():
            if listing["sku"] == "CUP":
                listing["price"] = "0.01"
    house.pass_time(minutes=15)


def looked_at_prices(house: House) -> None:
    """A worker looks whether the prices are shown that were told."""
    jobs.look_at_prices(house.number)


def a_price_for_one_who_takes_none(house: House) -> None:
    """A price is due (the one that stands there) on a platform that is told no prices any more."""
    mark_due("listings", [house.account.listings["CUP"].pk], "price")


def pushed_without_prices(house: House) -> None:
    """A worker tells what is due to a platform that is told no prices."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(push, "can", lambda there, ware: ware.what != "price" and telling.can(there, ware))
        jobs.push(house.number)


def looked_at_prices_twice(house: House) -> None:
    """Hours later they are looked at again: what was told once more in between, too."""
    house.pass_time(minutes=3)
    looked_at_prices(house)
    pushed(house)
    house.pass_time(minutes=15)
    looked_at_prices(house)


def drifted(house: House) -> None:
    """A number was changed there."""
    with house.shop.lock:
        house.shop.show("TEA", 99_000 + house.next())
    house.pass_time(minutes=5)


def looked_for_drift(house: House) -> None:
    """A worker compares what is shown with what should be."""
    jobs.look_for_drift(house.number)


# Notices.


def shipped(house: House) -> str:
    """An order from there leaves in one parcel; the order's number there."""
    order = house.sell()
    (parcel,) = order.fulfilments.filter(state="pending")
    fulfilment.ship(parcel.pk, actor="ann", carrier="DHL", tracking_number=f"T{parcel.pk}")
    house.expected["fulfilment", order.external_id] += 1
    return order.external_id


def refunded(house: House) -> None:
    """Some money of an order from there goes back."""
    order = house.sell()
    refund(order.pk, Decimal("3.00"), key="scratched", reason="scratched", actor="ann")
    house.expected["refund", order.external_id] += 1


def called_off(house: House) -> None:
    """An order from there will not be served."""
    order = house.sell()
    cancel(order.pk, reason="broken", actor="ann")
    house.expected["cancellation", order.external_id] += 1


def authorised(house: House) -> Payment:
    """An order of our own shop, paid by an authorisation that stands at the platform."""
    order = own_order(house)
    with house.shop.lock:
        number = house.shop.add_payment(Decimal("5.00"))
    payment = payments.authorise(order.pk, tender="card", amount=Decimal("5.00"), external_id=number, actor="checkout")
    ExternalId.objects.create(
        integration=house.account.integration, kind="payment", external_id=number, local_id=payment.pk
    )
    house.expected["payment", number] += 1
    return payment


def to_capture(house: House) -> None:
    """Goods that were paid by an authorisation leave."""
    (parcel,) = authorised(house).order.fulfilments.filter(state="pending")
    fulfilment.ship(parcel.pk, actor="ann")


def to_let_go(house: House) -> None:
    """An order that was paid by an authorisation is called off."""
    cancel(authorised(house).order_id, reason="broken", actor="ann")
    house.sold_here["TEA"] -= 1


def noticed(house: House) -> None:
    """A worker finds what happened, and another tells it."""
    jobs.wake()
    jobs.tell_notices(house.number)


def a_parcel_of_what_is_locked(house: House) -> None:
    """A parcel leaves of an order that the platform does not let be touched."""
    house.refusing.add(shipped(house))


def a_doubtful_parcel(house: House) -> None:
    """A parcel was told, and the answer got lost."""
    shipped(house)
    failing(Fault.ERROR_AFTER)(house)
    noticed(house)
    house.pass_time(minutes=10)


def a_parcel_that_was_only_said_to_be_noted(house: House) -> None:
    """The platform said yes to a parcel and did nothing."""
    shipped(house)
    failing(Fault.NOT_APPLIED)(house)
    noticed(house)
    house.pass_time(minutes=15)


def a_note(house: House) -> None:
    """Something is set aside that only a person can deal with."""
    dead_letters.set_aside(house.account.integration, "erase", f"N{house.next()}", "look at it", {})


def dropped(house: House) -> None:
    """A person has dealt with it."""
    for letter in DeadLetter.objects.filter(settled_at=None, reason="look at it"):
        dead_letters.drop(letter.pk, actor="ann")


SENDING = "notices.before_send notices.after_send notices.within_settle http.after_send"
"""What every kind of notice is cut at; the first kind at all else too."""

WHAT_GOES_OUT: Mapping[str, tuple[Path, ...]] = {
    "pushing": (
        Path("everything is pushed", "push http", all_changes, pushed),
        Path("a push gets no answer", "push.before_put_off push.after_put_off push.before_settle breaker",
             both(all_changes, failing(Fault.ERROR_AFTER)), pushed),
        Path("a push that may be repeated gets no answer", "push.before_put_off push.after_put_off",
             both(a_new_price, failing(Fault.ERROR_AFTER)), pushed),
        Path("a push asks what became of the last one", "push.before_ask push.after_ask push.after_send http",
             a_doubt, pushed),
        Path("a push is refused", "push.after_send push.within_settle push.after_settle dead_letters",
             a_product_without_a_title, pushed, both(titled, replayed)),
        Path("what cannot be told is dropped", "push", a_price_for_one_who_takes_none, pushed_without_prices),
    ),
    "notices": (
        Path("a parcel is told", "notices http", shipped, noticed),
        Path("a refund is told", SENDING, refunded, noticed),
        Path("a cancellation is told", SENDING, called_off, noticed),
        Path("a capture is told", SENDING, to_capture, noticed),
        Path("a void is told", SENDING, to_let_go, noticed),
        Path("a notice is refused", "notices.within_refuse notices.after_refuse dead_letters",
             a_parcel_of_what_is_locked, noticed, put_right),
        Path("a notice gets no answer", "notices.before_put_off notices.after_put_off breaker",
             both(shipped, failing(Fault.ERROR_AFTER)), noticed),
        Path("a doubtful notice is asked for", SENDING, a_doubtful_parcel, noticed),
    ),
    "what is not shown": (
        Path("what was only said to be done is told again", "notices.before_verify notices.after_verify",
             a_parcel_that_was_only_said_to_be_noted, looked_for_drift, later(looked_for_drift)),
        Path("a price that was only said to be taken is told again", "prices", a_price_that_was_only_said_to_be_taken,
             looked_at_prices, looked_at_prices_twice),
        Path("drift is found and mended", "drift runs", drifted, looked_for_drift, later(looked_for_drift)),
    ),
    "what was set aside": (
        Path("a refused order is tried again", "dead_letters http",
             both(an_order_that_cannot_be_taken, pulled("orders"), mended), replayed, replayed),
        Path("a refused order is tried again in vain", "dead_letters",
             both(an_order_that_cannot_be_taken, pulled("orders")), replayed, put_right),
        Path("a refused push is tried again", "push dead_letters",
             both(a_product_without_a_title, pushed, titled), replayed, replayed),
        Path("a refused notice is tried again", "notices dead_letters",
             both(a_parcel_of_what_is_locked, noticed, mended), replayed, replayed),
        Path("what a person dealt with is closed", "dead_letters", a_note, dropped, dropped),
    ),
}  # fmt: skip
