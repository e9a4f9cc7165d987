"""Sessions: what an agent has in hand, from the first article to the end of it.

A cart holds nothing. A checkout holds its goods, for the channel's minutes, as long as all of it can be bought; every
change holds them anew, and giving it up gives them back. Nothing of it is anybody's before it is ordered: an address
that an agent names opens nobody's carts.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.agents.quoting import Quote, quote
from finalmarket.integrations.models import AgentSession
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders import cart as carts
from finalmarket.orders.drafts import MOST_UNITS, OutOfStock, plain, plain_data
from finalmarket.orders.models import Cart

State, Kind = AgentSession.State, AgentSession.Kind
LASTS: Mapping[str, timedelta] = {Kind.CART: timedelta(days=30), Kind.CHECKOUT: timedelta(hours=6)}
MOST_ITEMS, MOST_NOTES = 100, 5_000
KEPT, ROWS_AT_ONCE = timedelta(days=30), 10_000
ACTOR = "agent"
OUT_OF_STOCK = "out_of_stock"


class UnknownItem(UserError):
    """An article that the channel does not list; `index` says which of those that were said."""

    def __init__(self, index: int, name: str) -> None:
        super().__init__(f"The item ID {name[:100]!r} does not exist.")
        self.index = index


class NotThere(UserError):
    """The channel has no such session, or not any more."""


class Ended(UserError):
    """The session takes no changes any more; `state` says why."""

    def __init__(self, state: str) -> None:
        super().__init__(f"The session is {state.replace('_', ' ')}.")
        self.state = state


@dataclass(frozen=True, slots=True)
class Said:
    """What an agent says; None leaves what was said before. `items` are SKUs with their units, and replace all that
    were in it."""

    items: Sequence[tuple[str, int]] | None = None
    buyer: Mapping[str, Any] | None = None
    details: Mapping[str, Any] | None = None
    option: str | None = None
    notes: str | None = None
    locale: str | None = None
    attribution: Mapping[str, Any] = field(default_factory=dict)


def find(channel: SalesChannel, kind: str, token: str) -> AgentSession:
    """Return a session of the channel. Raises NotThere; a cart that ended is not there either."""
    try:
        key = uuid.UUID(token)
    except ValueError:
        raise NotThere("There is nothing of that id.") from None
    rows = AgentSession.objects.select_related("sales_channel", "cart__order")
    session = rows.filter(sales_channel=channel, kind=kind, token=key).first()
    if session is None or (kind == Kind.CART and standing(session) != State.OPEN):
        raise NotThere("There is nothing of that id.")
    session.cart.sales_channel = session.sales_channel = channel
    return session


def standing(session: AgentSession) -> str:
    """Say how it stands: its state, or expired."""
    is_over = session.state == State.OPEN and session.expires_at <= clock.now()
    return "expired" if is_over else str(session.state)


@transaction.atomic
def begin(channel: SalesChannel, kind: str, said: Said, *, key_name: str) -> tuple[AgentSession, Quote]:
    """Begin a cart or a checkout; return it with what it comes to. Raises UnknownItem."""
    items = _variants(channel, said.items or ())
    session = AgentSession(
        token=uuid.uuid4(), sales_channel=channel, kind=kind, cart=carts.open_cart(channel), key_name=key_name[:80],
        expires_at=clock.now() + LASTS[kind],
    )  # fmt: skip
    session.cart.sales_channel = channel
    return session, _write(session, said, items)


@transaction.atomic
def change(channel: SalesChannel, kind: str, token: str, said: Said) -> tuple[AgentSession, Quote]:
    """Change what an agent has in hand; return it with what it comes to now. Raises UnknownItem, NotThere, Ended."""
    session = locked(channel, kind, token)
    items = None if said.items is None else _variants(channel, said.items)
    return session, _write(session, said, items)


@transaction.atomic
def cancel(channel: SalesChannel, kind: str, token: str) -> AgentSession:
    """Give a session up: its goods are free for others. Raises NotThere, and Ended for one that ended already."""
    session = locked(channel, kind, token)
    carts.let_go(session.cart.token, actor=ACTOR)
    session.state = State.CANCELED
    session.save(update_fields=["state", "updated_at"])
    return session


def locked(channel: SalesChannel, kind: str, token: str) -> AgentSession:
    """Return an open session, locked until the end of the transaction. Raises NotThere, Ended."""
    found = find(channel, kind, token)
    AgentSession.objects.select_for_update().get(pk=found.pk)
    session = find(channel, kind, token)
    if standing(session) != State.OPEN:
        raise Ended(standing(session))
    return session


def show(channel: SalesChannel, token: str) -> tuple[AgentSession, Quote | None]:
    """Return a checkout, while it is open with what it comes to now: the agent has been shown that total from here on.
    Raises NotThere."""
    session = find(channel, Kind.CHECKOUT, token)
    if standing(session) != State.OPEN:
        return session, None
    reckoned = quote(session)
    if reckoned.parts.total != session.shown_total:
        AgentSession.objects.filter(pk=session.pk, state=State.OPEN).update(shown_total=reckoned.parts.total)
    return session, reckoned


def hold(session: AgentSession, reckoned: Quote) -> None:
    """Hold the goods of a checkout that can be bought; where they do not fit any more, the session says so."""
    session.trouble = ""
    if session.kind != Kind.CHECKOUT or reckoned.faults:
        return
    try:
        with transaction.atomic():
            carts.hold(session.cart.token, actor=ACTOR)
    except OutOfStock:
        session.trouble = OUT_OF_STOCK


def _write(session: AgentSession, said: Said, items: Mapping[int, int] | None) -> Quote:
    if said.buyer is not None:
        session.buyer = plain_data(said.buyer)
    if said.details is not None:
        session.details = plain_data(said.details)
    session.option = session.option if said.option is None else plain(said.option, 120)
    session.notes = session.notes if said.notes is None else plain(said.notes, MOST_NOTES)
    session.locale = session.locale if said.locale is None else plain(said.locale, 35)
    session.attribution = {**session.attribution, **plain_data(said.attribution)}
    if items is not None:
        _fill(session, items)
    reckoned = quote(session)
    hold(session, reckoned)
    session.shown_total = reckoned.parts.total
    session.save()
    return reckoned


def _fill(session: AgentSession, items: Mapping[int, int]) -> None:
    """Make the cart hold just these units."""
    token = session.cart.token
    there = dict(session.cart.lines.values_list("variant_id", "quantity"))
    for variant in there.keys() - items.keys():
        carts.remove(token, variant)
    for variant, units in items.items():
        if there.get(variant) != units:
            carts.change(token, variant, units)


def _variants(channel: SalesChannel, items: Sequence[tuple[str, int]]) -> dict[int, int]:
    """Return the units of the variants that these SKUs name; one that is named twice counts twice."""
    if len(items) > MOST_ITEMS:
        raise UserError(f"A session has at most {MOST_ITEMS} items.")
    names = {name for name, _ in items if "\x00" not in name}
    listed = Q(listings__sales_channel=channel)
    known = dict(Variant.objects.filter(listed, sku__in=names).values_list("sku", "pk"))
    units: dict[int, int] = {}
    for index, (name, count) in enumerate(items):
        if name not in known:
            raise UnknownItem(index, name)
        units[known[name]] = min(MOST_UNITS, units.get(known[name], 0) + count)
    return units


def tidy() -> int:
    """Forget what agents left a month ago and never ordered; return how many carts and checkouts."""
    left = AgentSession.objects.exclude(state__in=[State.COMPLETED, State.PAYING]).filter(
        expires_at__lt=clock.now() - KEPT
    )
    numbers = list(left.values_list("cart", flat=True)[:ROWS_AT_ONCE])
    Cart.objects.filter(pk__in=numbers, order=None).delete()
    return len(numbers)
