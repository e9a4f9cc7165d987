"""The conversation: what was asked becomes a question or a verb of the rooms below, and the facts become sentences.

What changes something is done after a yes alone. An offer is remembered in the session under the id of the request in
which it was made; however often Alexa hears yes to it, it is ordered once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from django.utils.dateparse import parse_datetime

from finalmarket.api.alexa.envelope import LINK_CARD, Asked, Reply, simple_card
from finalmarket.api.alexa.words import Tongue, tongue
from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations.models import VoiceLink, VoiceSkill
from finalmarket.integrations.voice import links
from finalmarket.kernel.errors import UserError
from finalmarket.orders import enquiries
from finalmarket.orders.drafts import Address, OutOfStock
from finalmarket.orders.enquiries import OrderNews, Usual, Wish
from finalmarket.orders.models import Fulfilment, Order
from finalmarket.orders.shopping import delivery_fee
from finalmarket.stock.shelf import FEW

MOST_NAMES = 3
MOST_UNITS_AT_ONCE = 99
ACTOR = "voice"
OFFER = "offer"


@dataclass(frozen=True)
class Turn:
    """One request of a genuine Alexa, with the skill that it is for."""

    skill: VoiceSkill
    asked: Asked

    @cached_property
    def link(self) -> VoiceLink | None:
        """The linked account of whoever speaks."""
        return links.whose(self.skill, self.asked.access_token)

    @property
    def person(self) -> OmnichannelCustomer | None:
        """Who speaks: the profile that they have proved to be. None for somebody we do not know."""
        return None if self.link is None else self.link.customer

    @cached_property
    def tongue(self) -> Tongue:
        """How to speak to them."""
        return tongue(self.asked.locale)

    @property
    def channel(self) -> SalesChannel:
        """Where the skill sells."""
        return self.skill.sales_channel

    def note(self, interaction_type: str, **context: Any) -> None:
        """Record on the person's timeline what they asked for, once for each request."""
        if self.person is not None:
            self.person.track_interaction(  # see journeys/record.py
                self.channel, interaction_type, message_id=self.asked.request_id[:100], **context
            )

    def say(self, name: str, /, **values: object) -> str:
        """A sentence in the language of the device."""
        return self.tongue.say(name, **values)

    def asks_on(self, speech: str) -> Reply:
        """Say this, and let them go on."""
        return Reply(f"{speech} {self.say('what')}", self.say("what"))


def reply_to(turn: Turn) -> Reply:
    """Return what is answered. Nothing is raised that the asker could not help."""
    kind = turn.asked.kind
    if kind == "LaunchRequest":
        return Reply(turn.say("welcome", shop=turn.channel.name), turn.say("what"))
    if kind == "IntentRequest":
        return INTENTS.get(turn.asked.intent, _not_understood)(turn)
    if kind == "AlexaSkillEvent.SkillAccountLinked":
        return _account_linked(turn)
    if kind == "AlexaSkillEvent.SkillDisabled":
        links.end_of_user(turn.skill, turn.asked.user_id)
    return Reply()  # SessionEndedRequest, and whatever else Alexa tells and does not ask


def _account_linked(turn: Turn) -> Reply:
    """The event holds the token that was given a moment ago, and the user that has it from now on."""
    token = turn.asked.raw.get("request", {}).get("body", {})
    given = token.get("accessToken", "") if isinstance(token, Mapping) else ""
    link = turn.link or links.whose(turn.skill, given if isinstance(given, str) else "")
    if link is not None and turn.asked.user_id:
        links.name_user(link, turn.asked.user_id)
    return Reply()


# Stock.


def _stock(turn: Turn) -> Reply:
    """Is something in stock, on the channel or at a store?"""
    said, place_said = turn.asked.slot("product"), turn.asked.slot("store")
    if not said:
        question = turn.say("which_goods")
        return Reply(question, question, elicits="product")
    found = _recognised(turn) or enquiries.find_goods(turn.channel, said, MOST_NAMES)
    if not found:
        return turn.asks_on(turn.say("unknown_goods", said=said))
    if len(found) > 1 and len({one.label for one in found}) > 1 and not _is_meant(found[0], said):
        question = turn.say("which_of", names=turn.tongue.listed([one.label for one in found]))
        return Reply(question, question, elicits="product")
    turn.note("product_view", sku=found[0].sku)
    return turn.asks_on(_in_stock(turn, found[0], place_said))


def _recognised(turn: Turn) -> list[Variant]:
    """The variant whose id stands in our interaction model, if Alexa recognised one."""
    number = turn.asked.slot_id("product")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return []
    listed = Variant.objects.filter(Variant.on_sale(), pk=int(number), listings__sales_channel=turn.channel)
    return list(listed.select_related("product")[:1])


def _is_meant(first: Variant, said: str) -> bool:
    """Whether what was said is all of the name of the likeliest one."""
    return {word.casefold() for word in first.label.replace("(", " ").replace(")", " ").split()} <= {
        word.casefold() for word in said.split()
    }


def _in_stock(turn: Turn, variant: Variant, place_said: str) -> str:
    answer = enquiries.answer(turn.channel, variant)
    if answer.price is None or answer.reason:
        return turn.say("not_sold", name=answer.name)
    if place_said:
        return _there(turn, variant, place_said)
    if answer.left <= 0:
        return turn.say("not_in_stock", name=answer.name)
    name = "in_stock" if answer.left > FEW else "one_left" if answer.left == 1 else "few_left"
    price = turn.tongue.money(answer.price, turn.channel.currency)
    return turn.say(name, name=answer.name, left=answer.left, price=price)


def _there(turn: Turn, variant: Variant, said: str) -> str:
    """How many units there are is the merchant's business, unless they are few."""
    place = enquiries.find_place(turn.channel, said)
    if place is None:
        return turn.say("unknown_place", said=said)
    left = enquiries.units_at(variant, place)
    name = "at_place" if left > FEW else {0: "not_at_place", 1: "one_at_place"}.get(left, "few_at_place")
    return turn.say(name, place=place.name, name=variant.label, left=left)


# Orders.


def _order_status(turn: Turn) -> Reply:
    """Where is my order, the last one or that of a number?"""
    if turn.person is None:
        return _link_first(turn)
    number = turn.asked.slot("number")
    found = enquiries.news_of(turn.person.pk, number=number)
    turn.note("customer_service", about="order")
    if not found:
        return turn.asks_on(turn.say("no_such_order", number=number) if number else turn.say("no_orders"))
    return turn.asks_on(_news(turn, found[0]))


def _news(turn: Turn, news: OrderNews) -> str:
    order, zone = news.order, turn.channel.time_zone
    values = {"number": order.number, "day": turn.tongue.day(order.placed_at, zone), "goods": _goods(turn, news)}
    if order.state == Order.State.CANCELLED:
        return turn.say("order_cancelled", **values)
    if order.state == Order.State.PARTLY_FULFILLED:
        return turn.say("order_partly", shipped=news.shipped, units=news.units, **values)
    if order.state != Order.State.FULFILLED:
        return turn.say("order_waits", **values)
    if news.parcel is not None and news.parcel.state == Fulfilment.State.DELIVERED and news.delivered_at:
        return turn.say("order_delivered", delivered=turn.tongue.day(news.delivered_at, zone), **values)
    carrier = news.parcel.carrier if news.parcel else ""
    return turn.say("order_shipped", carrier=turn.say("by_carrier", carrier=carrier) if carrier else "", **values)


def _goods(turn: Turn, news: OrderNews) -> str:
    titles = news.titles
    if len(titles) <= MOST_NAMES:
        return turn.tongue.listed(titles)
    return turn.say("and_more", first=", ".join(titles[:MOST_NAMES]), more=len(titles) - MOST_NAMES)


# The usual.


def _reorder(turn: Turn) -> Reply:
    """Offer what they buy most often; nothing is ordered yet."""
    if turn.person is None:
        return _link_first(turn)
    found = enquiries.usual(turn.person.pk, turn.channel, turn.asked.slot("product"))
    if found is None:
        return turn.asks_on(turn.say("no_usual"))
    if not (found.address.city or found.address.street):
        return turn.asks_on(turn.say("no_address"))
    answer = enquiries.answer(turn.channel, found.variant)
    units = _units(turn, found)
    if answer.price is None or not answer.can_be_bought or answer.left < units:
        return turn.asks_on(turn.say("not_in_stock" if answer.left < units else "not_sold", name=answer.name))
    fee = delivery_fee(turn.channel, answer.price * units)
    total = answer.price * units + fee
    offer = {
        "key": turn.asked.request_id, "variant": found.variant.pk, "units": units, "total": str(total),
        "address": found.address.stored(), "person": turn.person.pk, "at": turn.asked.timestamp,
    }  # fmt: skip
    speech = turn.say(
        "offer_one" if units == 1 else "offer", units=units, name=answer.name,
        price=turn.tongue.money(total, turn.channel.currency), delivery=turn.say("with_delivery") if fee else "",
        where=found.address.city or turn.say("your_address"),
    )  # fmt: skip
    return Reply(speech, speech, {OFFER: offer})


def _units(turn: Turn, usual: Usual) -> int:
    said = turn.asked.slot("count")
    wanted = int(said) if said.isascii() and said.isdigit() and len(said) < 4 else usual.units
    return max(1, min(wanted, MOST_UNITS_AT_ONCE))


def _yes(turn: Turn) -> Reply:
    """Order what was offered in this session; the second yes to it finds the order made."""
    if turn.person is None:
        return _link_first(turn)
    offer = turn.asked.attributes.get(OFFER)
    wish = _wish(offer, turn.person.pk)
    if wish is None:
        return turn.asks_on(turn.say("nothing_asked"))
    variant = Variant.objects.select_related("product").get(pk=wish.variant_id)
    try:
        taken = enquiries.order_wish(turn.channel, turn.person.pk, wish, actor=ACTOR)
    except OutOfStock:
        return Reply(turn.say("sold_out", name=variant.label))
    except UserError:
        return Reply(turn.say("price_changed"))
    speech = turn.say("ordered", name=variant.label, number=taken.order.number)
    return Reply(speech, card=simple_card(turn.channel.name, speech))


def _wish(offer: Any, person: int) -> Wish | None:
    """What was offered to this very person; None for nothing, or what cannot be read."""
    if not isinstance(offer, Mapping) or offer.get("person") != person:
        return None
    try:
        address = Address(**offer["address"])
        made = parse_datetime(str(offer["at"]))
        total, variant, units = Decimal(str(offer["total"])), int(offer["variant"]), int(offer["units"])
    except (KeyError, TypeError, ValueError, InvalidOperation):
        return None
    key = str(offer.get("key", ""))
    return Wish(variant, units, total, address, f"voice:{key}"[:200]) if key and made is not None else None


def _no(turn: Turn) -> Reply:
    if OFFER in turn.asked.attributes:
        return turn.asks_on(turn.say("not_ordered"))
    return Reply(turn.say("bye"))


def _link_first(turn: Turn) -> Reply:
    return Reply(turn.say("link_first"), card=LINK_CARD)


def _help(turn: Turn) -> Reply:
    return Reply(turn.say("help"), turn.say("what"), turn.asked.attributes)


def _stop(turn: Turn) -> Reply:
    return Reply(turn.say("bye"))


def _not_understood(turn: Turn) -> Reply:
    """What is offered stays offered."""
    return Reply(turn.say("fallback"), turn.say("what"), turn.asked.attributes)


INTENTS: Mapping[str, Callable[[Turn], Reply]] = {
    "StockIntent": _stock,
    "OrderStatusIntent": _order_status,
    "ReorderIntent": _reorder,
    "AMAZON.YesIntent": _yes,
    "AMAZON.NoIntent": _no,
    "AMAZON.HelpIntent": _help,
    "AMAZON.StopIntent": _stop,
    "AMAZON.CancelIntent": _stop,
    "AMAZON.NavigateHomeIntent": _stop,
    "AMAZON.FallbackIntent": _not_understood,
}
