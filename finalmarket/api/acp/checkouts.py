"""Checkouts and carts of agents."""

from __future__ import annotations

from typing import Any

from finalmarket.api.acp.door import Call, Refused, Told, agents, outside
from finalmarket.api.acp.refusals import answered
from finalmarket.api.acp.shapes import CartSaid, Complete, Create, Update
from finalmarket.integrations.agents import completing, sessions
from finalmarket.integrations.agents.completing import Payment
from finalmarket.integrations.agents.quoting import quote
from finalmarket.integrations.agents.session_words import cart_words, session_words
from finalmarket.integrations.models import AgentSession

CART, CHECKOUT = AgentSession.Kind.CART, AgentSession.Kind.CHECKOUT


def create_checkout(call: Call) -> Told:
    """Begin a checkout."""
    told = call.body(Create)
    currency = call.channel.currency
    if told.currency.upper() != currency:
        raise Refused(400, "unsupported_currency", f"This shop sells in {currency.lower()}.", param="$.currency")
    with answered():
        session, reckoned = sessions.begin(call.channel, CHECKOUT, told.said(), key_name=call.caller.name)
    return _told(session, 201, reckoned)


def update_checkout(call: Call, token: str) -> Told:
    """Change a checkout."""
    told = call.body(Update)
    with answered():
        session, reckoned = sessions.change(call.channel, CHECKOUT, token, told.said())
    return _told(session, 200, reckoned)


def show_checkout(call: Call, token: str) -> Told:
    """Show a checkout as it stands."""
    with answered():
        session, reckoned = sessions.show(call.channel, token)
    return _told(session, 200, reckoned)


@outside
def complete_checkout(call: Call, token: str) -> Told:
    """Charge and order a checkout."""
    told = call.body(Complete)
    paid = told.payment_data
    with answered():
        session = completing.complete(
            call.channel, token,
            Payment(paid.handler_id or "", paid.instrument.credential.token if paid.instrument else ""),
            buyer=told.buyer.model_dump(exclude_none=True) if told.buyer else None,
            billing=paid.billing_address.model_dump() if paid.billing_address else None,
            attribution=told.affiliate_attribution.kept() if told.affiliate_attribution else None,
            notes=told.order_notes, call=call.digest,
        )  # fmt: skip
    return _told(session, 200)


def cancel_checkout(call: Call, token: str) -> Told:
    """Give a checkout up."""
    with answered():
        return _told(sessions.cancel(call.channel, CHECKOUT, token), 200)


def create_cart(call: Call) -> Told:
    """Begin a cart."""
    told = call.body(CartSaid)
    with answered():
        session, reckoned = sessions.begin(call.channel, CART, told.said(), key_name=call.caller.name)
    if reckoned.shown and all(not one.can_be_sold for one in reckoned.shown):
        raise Refused(422, "out_of_stock", "Nothing of it can be bought now.", param="$.line_items")
    return Told(201, cart_words(session, reckoned), f"agent session {session.pk}")


def show_cart(call: Call, token: str) -> Told:
    """Show a cart."""
    with answered():
        session = sessions.find(call.channel, CART, token)
    return Told(200, cart_words(session, quote(session)))


def replace_cart(call: Call, token: str) -> Told:
    """Say anew what a cart holds."""
    told = call.body(CartSaid)
    with answered():
        session, reckoned = sessions.change(call.channel, CART, token, told.said())
    return Told(200, cart_words(session, reckoned), f"agent session {session.pk}")


def cancel_cart(call: Call, token: str) -> Told:
    """Give a cart up; it is shown as it was."""
    with answered():
        session = sessions.find(call.channel, CART, token)
        shown = cart_words(session, quote(session))
        sessions.cancel(call.channel, CART, token)
    return Told(200, shown, f"agent session {session.pk}")


def _told(session: AgentSession, status: int, reckoned: Any = None) -> Told:
    return Told(status, session_words(session, reckoned), f"agent session {session.pk}")


checkouts = agents(POST=create_checkout)
checkout = agents(GET=show_checkout, POST=update_checkout)
completion = agents(POST=complete_checkout)
cancellation = agents(POST=cancel_checkout)
carts = agents(POST=create_cart)
cart = agents(GET=show_cart, PUT=replace_cart)
cart_cancellation = agents(POST=cancel_cart)
