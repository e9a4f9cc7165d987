"""What is answered. Customers are told of their own orders once they have proved who they are, by a code that is mailed
to the address which the platform shows, and of no other profile of their person; agents are told by notes that nobody
else sees. An order is placed after a yes to what was offered last, under the name of the message that asked for it: the
same message never orders twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Q

from finalmarket.access.shop_models import ShopKey
from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers import sign_in
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.persons import members
from finalmarket.integrations.chat import offers
from finalmarket.integrations.chat.commands import Command
from finalmarket.integrations.connect import is_reached_from, public_address
from finalmarket.integrations.models import ChatAnswer, ChatTalk
from finalmarket.integrations.talk.order_context import contexts
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import money_words
from finalmarket.orders import cart as carts
from finalmarket.orders import enquiries
from finalmarket.orders.addresses import latest_addresses
from finalmarket.orders.drafts import Address, OutOfStock
from finalmarket.orders.enquiries import Answer, OrderNews, Wish
from finalmarket.orders.models import Order
from finalmarket.orders.shopping import delivery_fee
from finalmarket.stock.models import StockItem
from finalmarket.stock.shelf import FEW

KNOWN_FOR = timedelta(hours=12)
MOST_FOUND, MOST_PLACES = 3, 6
ACTOR = "chat"
HELP = (
    "I answer these: is TEA-100 in stock? Where is my order 1001? Or commands: /stock TEA-100, /order 1001, "
    "/buy TEA-100 2. Everything else is for our team."
)
NOT_NOW = "Sorry, something went wrong here. Our team will answer you."


@dataclass(frozen=True)
class Turn:
    """One message that asks something, in its conversation."""

    row: ChatAnswer
    talk: ChatTalk
    channel: SalesChannel
    person: int | None
    command: Command

    @property
    def is_agents(self) -> bool:
        """Whether an agent asks: the answer is a note."""
        return self.row.author != "customer"

    @cached_property
    def known(self) -> OmnichannelCustomer | None:
        """The customer, if they have proved who they are in this conversation of late."""
        talk = self.talk
        if talk.customer is None or talk.known_until is None or talk.known_until <= clock.now():
            return None
        return None if talk.customer.erased_at is not None else talk.customer

    @property
    def key(self) -> str:
        """What an order is called that this message asks for."""
        return f"chat:{self.row.integration_id}:{self.row.conversation}:{self.row.message}"[:200]


def reply_to(turn: Turn) -> str:
    """Return what is answered; "" for nothing. Within the caller's transaction."""
    said: str = REPLIES[turn.command.name](turn)
    return said


# Stock.


def _stock(turn: Turn) -> str:
    found = enquiries.find_goods(turn.channel, turn.command.what, MOST_FOUND)
    if not found and turn.command.is_guessed:
        return ""  # it may be about something else: people will answer it
    if not found:
        return f"I know nothing called “{turn.command.what[:100]}” here." if turn.command.what else HELP
    return "\n".join(_in_stock(turn, enquiries.answer(turn.channel, one)) for one in found)


def _in_stock(turn: Turn, answer: Answer) -> str:
    head = f"{answer.name} ({answer.variant.sku})"
    if answer.price is None or answer.reason:
        return f"{head}: cannot be bought here now."
    price = _money(turn, answer.price)
    if turn.is_agents:
        return f"{head}: {answer.left} can be sold on {turn.channel}, {price}.{_places(answer.variant)}"
    if answer.left <= 0:
        return f"{head}: not in stock now."
    few = "in stock, but only a few are left" if answer.left <= FEW else "in stock"
    return f"{head}: {few}, {price}. To order it: /buy {answer.variant.sku}"


def _places(variant: Variant) -> str:
    items = StockItem.objects.filter(variant=variant, on_hand__gt=0).select_related("location")[:MOST_PLACES]
    lying = ", ".join(f"{one.location}: {one.on_hand - one.reserved - one.allocated} free" for one in items)
    return f" {lying}." if lying else ""


# Orders.


def _order(turn: Turn) -> str:
    if turn.is_agents:
        return _order_for_agents(turn)
    if turn.known is None:
        return _ask_for_code(turn)
    found = enquiries.news_of(turn.known.pk, number=turn.command.what)
    if not found:
        return "I find no such order of yours." if turn.command.what else "I find no order of yours."
    return _news(found[0])


def _order_for_agents(turn: Turn) -> str:
    if turn.person is None:
        return "Nobody knows yet who this customer is."
    orders = Order.objects.filter(customer__in=members(turn.person))
    if turn.command.what:
        said = turn.command.what
        orders = orders.filter(Q(number__iexact=said) | Q(number__endswith=f"-{said}"))
    order = orders.order_by("-placed_at", "-pk").first()
    if order is None:
        return "This customer has no such order." if turn.command.what else "This customer has no order."
    return contexts([order.pk])[order.pk]


def _news(news: OrderNews) -> str:
    order = news.order
    head = f"Order {order.number} of {order.placed_at:%Y-%m-%d}: "
    goods = ", ".join(news.titles[:MOST_FOUND])
    if order.state == Order.State.CANCELLED:
        return f"{head}cancelled."
    if order.state == Order.State.PARTLY_FULFILLED:
        return f"{head}{news.shipped} of {news.units} articles are on their way{_tracking(news)}."
    if order.state != Order.State.FULFILLED:
        return f"{head}{goods}: it is being prepared."
    if news.delivered_at:
        return f"{head}{goods}: delivered on {news.delivered_at:%Y-%m-%d}."
    return f"{head}{goods}: on its way{_tracking(news)}."


def _tracking(news: OrderNews) -> str:
    parcel = news.parcel
    if parcel is None:
        return ""
    shown = " ".join(part for part in (parcel.carrier, parcel.tracking_number, parcel.tracking_url) if part)
    return f" ({shown})" if shown else ""


# Who they are.


def _ask_for_code(turn: Turn) -> str:
    """Have a code mailed to the address that the platform shows; it is not believed before its code is entered."""
    address = turn.talk.address
    if not address:
        return "For that I have to know who you are, and I see no e-mail address of yours. Our team will answer you."
    try:
        sign_in.ask_for_code(turn.channel, address)
    except sign_in.TooManyCodes:
        return "A code is on its way to your address already; please use the newest."
    except UserError:
        return "For that I have to know who you are, and cannot mail you a code. Our team will answer you."
    return (
        "For that I have to know who you are: a code of six digits is on its way to the address that you gave us. "
        "Please send it here, then ask again."
    )


def _code(turn: Turn) -> str:
    if turn.is_agents or not turn.talk.address:
        return ""
    try:
        session, _ = sign_in.redeem(turn.channel, turn.talk.address, turn.command.what)
    except UserError:
        return "That code is not right, or not any more."
    sign_in.sign_out(session)  # the conversation is where they are known, not a page of the shop
    turn.talk.customer, turn.talk.known_until = session.customer, clock.now() + KNOWN_FOR
    return "Thank you, I know who you are now. What would you like to know?"


# Buying.


def _buy(turn: Turn) -> str:
    found = enquiries.find_goods(turn.channel, turn.command.what, 1)
    if not found:
        return f"I know nothing called “{turn.command.what[:100]}” here." if turn.command.what else HELP
    units, answer = turn.command.units, enquiries.answer(turn.channel, found[0])
    if not answer.can_be_bought or answer.price is None:
        return f"{answer.name} cannot be bought here now."
    if answer.left < units:
        return f"Not as many of {answer.name} are left."
    fee = delivery_fee(turn.channel, answer.price * units)
    total = answer.price * units + fee
    of_it = f", {_money(turn, fee)} of it for delivery" if fee else ""
    price = f"{units} × {answer.name}: {_money(turn, total)}{of_it}."
    link = _link(turn, answer.variant, units)
    ways = [f"Order it here: {link}"] if link else []
    if not turn.is_agents and turn.known is not None and (address := _address(turn.known.pk)) is not None:
        turn.talk.offer = offers.made_by(
            turn.row, key=turn.key, variant=answer.variant.pk, units=units, total=str(total),
            address=address.stored(), person=turn.known.pk,
        )  # fmt: skip
        ways.append(f"Or say yes, and I order it to {address.city or 'your address'}; you pay later.")
    elif not link and not turn.is_agents:
        return f"{price} {_ask_for_code(turn) if turn.known is None else 'Our team will order it with you.'}"
    return " ".join([price, *ways])


def _money(turn: Turn, amount: Decimal) -> str:
    return money_words(amount, turn.channel.currency)


def _link(turn: Turn, variant: Variant, units: int) -> str:
    """An address at which a cart with these goods lies ready; "" where the channel has no shop on the web, or none that
    is found from where the conversation is."""
    has_shop = ShopKey.objects.filter(sales_channel=turn.channel, kind=ShopKey.Kind.WEB, ends_at=None).exists()
    if not has_shop or not is_reached_from(turn.row.integration):
        return ""
    cart = carts.open_cart(turn.channel, own_only=True)
    carts.add(cart.token, variant.pk, units)
    return public_address(f"/shop/{turn.channel.slug}/cart/?cart={cart.token}")


def _address(customer_id: int) -> Address | None:
    known = latest_addresses([customer_id], own_only=True).get(customer_id)
    return Address(**known) if known else None


def _yes(turn: Turn) -> str:
    offer = turn.talk.offer
    if turn.is_agents or not offer:
        return ""
    if not offers.stands(offer, turn.row):
        turn.talk.offer = {}
        return "That offer does not stand any more; nothing was ordered. Please ask again."
    if turn.known is None or offer.get("person") != turn.known.pk:
        return _ask_for_code(turn)
    wish = Wish(
        int(offer["variant"]), int(offer["units"]), Decimal(str(offer["total"])), Address(**offer["address"]),
        str(offer["key"]),
    )  # fmt: skip
    turn.talk.offer = {}
    try:
        taken = enquiries.order_wish(turn.channel, turn.known.pk, wish, actor=ACTOR)
    except OutOfStock:
        return "Sorry, it is not there any more; nothing was ordered."
    except UserError:
        return "The price has changed, or it is not sold any more; nothing was ordered. Please ask again."
    order = taken.order
    total = money_words(order.total, order.currency)
    return f"Thank you: order {order.number}, {total}. We ask you for the payment by mail."


def _no(turn: Turn) -> str:
    if turn.is_agents or not turn.talk.offer:
        return ""
    turn.talk.offer = {}
    return "All right, nothing was ordered."


def _help(turn: Turn) -> str:
    return HELP


REPLIES: Mapping[str, Callable[[Turn], Any]] = {
    "stock": _stock, "order": _order, "buy": _buy, "code": _code, "yes": _yes, "no": _no, "help": _help,
}  # fmt: skip
