"""Requests that came by mail: taken in once, corrected, and confirmed into an order or rejected by a person.

Lock order: the request, then as carts do (orders/cart.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import CustomerIdentity, OmnichannelCustomer
from finalmarket.customers.resolve import identity
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders import cart as carts
from finalmarket.orders.cart import Terms
from finalmarket.orders.drafts import MOST_UNITS, plain
from finalmarket.orders.intake import Taken
from finalmarket.orders.mailed.matching import Understood, understand
from finalmarket.orders.mailed.message import Mail
from finalmarket.orders.mailed.quoted import own_words
from finalmarket.orders.mailed.rules import wishes_in
from finalmarket.orders.models import Cart, OrderRequest, OrderRequestLine
from finalmarket.orders.one_cart import agreed_cost, together

State = OrderRequest.State
MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a person says of a line: which variant (None: none of the catalogue's), and how many units (0: left out)."""

    variant_id: int | None
    quantity: int


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What an order is confirmed with. `agreed` is what the goods cost as the person saw it (None: not said)."""

    terms: Terms = field(default_factory=Terms)
    customer_id: int | None = None
    agreed: Decimal | None = None


def take_in(channel: SalesChannel, mail: Mail) -> tuple[OrderRequest, bool]:
    """Read a message into a request that waits for a person; return it, and whether it is new. One Message-ID makes
    one request on a channel, however often it is delivered. Raises UserError for a channel of another type."""
    if channel.channel_type != SalesChannel.ChannelType.EMAIL:
        raise UserError(f"{channel.name} is no e-mail channel")
    known = OrderRequest.objects.filter(sales_channel=channel, message_id=mail.message_id).first()
    if known is not None:
        return known, False
    text, is_quoted = own_words(mail.text)
    read = understand(channel, wishes_in(text, mail.rows), text)
    warnings = [*mail.warnings, *(["Read from a message that was passed on or quoted."] if is_quoted else [])]
    with failpoints.around("mailed.take_in"), transaction.atomic():
        made = OrderRequest.objects.bulk_create([_request(channel, mail, warnings)], ignore_conflicts=True)
        request = OrderRequest.objects.get(sales_channel=channel, message_id=made[0].message_id)
        locked = OrderRequest.objects.select_for_update().get(pk=request.pk)
        if locked.lines.exists() or locked.state != State.WAITING:
            return locked, False  # the same message was being delivered twice
        OrderRequestLine.objects.bulk_create(_lines(locked, read))
    return locked, True


def _request(channel: SalesChannel, mail: Mail, warnings: Sequence[str]) -> OrderRequest:
    return OrderRequest(
        sales_channel=channel, message_id=mail.message_id, email=mail.email, name=mail.name, subject=mail.subject,
        text=mail.text, unproved=mail.unproved[:200], warnings=list(warnings), sent_at=mail.sent_at,
        customer_id=None if mail.unproved else _whose(mail.email),
    )  # fmt: skip


def _whose(email: str) -> int | None:
    """The profile that is known by an address. Nobody is made, joined or changed by a mail that merely came in."""
    named = identity("email", email)
    if named is None:
        return None
    rows = CustomerIdentity.objects.filter(kind=named[0], value=named[1], customer__erased_at=None)
    return rows.order_by("-is_anchor", "pk").values_list("customer", flat=True).first()


def _lines(request: OrderRequest, read: Sequence[Understood]) -> list[OrderRequestLine]:
    return [
        OrderRequestLine(
            request=request, position=position, text=one.wish.text[:400], named=one.wish.what[:200],
            quantity=min(one.wish.units or 0, MOST_UNITS), variant_id=one.variant_id, certainty=one.certainty,
            why=one.why, candidates=list(one.candidates),
        )
        for position, one in enumerate(read[:MOST_LINES])
    ]  # fmt: skip


@transaction.atomic
def correct(request_id: int, lines: Mapping[int, Chosen], *, add: Chosen | None = None, actor: str) -> OrderRequest:
    """Write what a person says of the lines (by id), and add one. Raises UserError for lines, variants and quantities
    that are none, and for a request that was decided."""
    request = _waiting(request_id)
    known = {line.pk: line for line in request.lines.all()}
    chosen = [one for one in [*lines.values(), add] if one is not None]
    there = set(Variant.objects.filter(pk__in=[one.variant_id for one in chosen]).values_list("pk", flat=True))
    for one in chosen:
        if one.variant_id is not None and one.variant_id not in there:
            raise UserError(f"there is no variant with id {one.variant_id}")
        if not 0 <= one.quantity <= MOST_UNITS:
            raise UserError(f"a quantity is a whole number from 0 to {MOST_UNITS}, not {one.quantity}")
    for line_id, one in lines.items():
        if line_id not in known:
            raise UserError(f"the request has no line {line_id}")
        _choose(known[line_id], one)
    if add is not None and add.variant_id is not None and add.quantity:
        if len(known) >= MOST_LINES:
            raise UserError(f"a request has at most {MOST_LINES} lines")
        position = max((line.position for line in known.values()), default=-1) + 1
        OrderRequestLine.objects.create(
            request=request, position=position, text=f"added by {actor}"[:400], quantity=add.quantity,
            variant_id=add.variant_id, certainty=OrderRequestLine.Certainty.SURE,
        )  # fmt: skip
    return request


def _choose(line: OrderRequestLine, chosen: Chosen) -> None:
    """A line of which a person said which goods and how many is uncertain no more."""
    if (line.variant_id, line.quantity) == (chosen.variant_id, chosen.quantity) and chosen.variant_id is None:
        return
    line.variant_id, line.quantity = chosen.variant_id, chosen.quantity
    if chosen.variant_id is not None:
        line.certainty, line.why = OrderRequestLine.Certainty.SURE, ""
    line.save(update_fields=["variant", "quantity", "certainty", "why"])


@transaction.atomic
def confirm(request_id: int, said: Confirmed, *, actor: str) -> Taken:
    """Make the request an order of its channel, once: the second time the same order is returned.

    The order is of the customer that is named, of the sender's profile, or of whoever the address that is given lands
    on. Raises OutOfStock or UserError, and then nothing is changed: lines are open, nothing is ordered, or the goods
    cost something else than was seen.
    """
    request = _locked(request_id)
    if request.state == State.CONFIRMED and request.order is not None:
        return Taken(request.order, "unchanged", request.order.problem)
    _refuse_decided(request)
    wanted = _wanted(request)
    agreed_cost(request.sales_channel, wanted, said.agreed, "as was shown; look at them again")
    customer_id = said.customer_id or request.customer_id
    if customer_id is not None and not OmnichannelCustomer.objects.filter(pk=customer_id, erased_at=None).exists():
        raise UserError(f"there is no customer {customer_id}")
    if customer_id is None and not (said.terms.email or said.terms.phone):
        raise UserError("say who orders: choose the customer, or give an address or a number that they are known by")
    taken = _order(request, wanted, customer_id, said.terms, actor)
    request.order, request.customer_id = taken.order, taken.order.customer_id
    _decide(request, State.CONFIRMED, actor)
    return taken


def _wanted(request: OrderRequest) -> dict[int, int]:
    wanted: dict[int, int] = {}
    doubtful = []
    for line in request.lines.order_by("position"):
        if line.quantity and (line.variant_id is None or line.certainty != OrderRequestLine.Certainty.SURE):
            doubtful.append(line.named or line.text[:60])
        elif line.variant_id is not None and line.quantity:
            wanted[line.variant_id] = wanted.get(line.variant_id, 0) + line.quantity
    if doubtful:
        raise UserError(f"choose what is meant first, or leave it out (0 units): {', '.join(doubtful[:10])}")
    if not wanted:
        raise UserError("nothing is ordered; choose goods, or reject the request")
    return wanted


def _order(
    request: OrderRequest, wanted: Mapping[int, int], customer_id: int | None, terms: Terms, actor: str
) -> Taken:
    """Through a cart of its own, that is nobody's until now: what the customer has in theirs is left alone."""
    cart = carts.open_cart(request.sales_channel)
    for variant_id, units in wanted.items():
        carts.change(cart.token, variant_id, units)
    Cart.objects.filter(pk=cart.pk).update(customer_id=customer_id)
    cart.customer_id = customer_id
    everything = together(cart, locked=True)
    mine = next(one for one in everything if one.pk == cart.pk)
    return carts.order(mine, everything, dict(wanted), terms, actor=actor)


@transaction.atomic
def reject(request_id: int, *, reason: str, actor: str) -> OrderRequest:
    """No order comes of it, and why. One that was rejected is returned as it is. Raises UserError without a reason, and
    for one that was confirmed."""
    request = _locked(request_id)
    if request.state == State.REJECTED:
        return request
    _refuse_decided(request)
    if not reason.strip():
        raise UserError("say why it is rejected")
    request.reason = plain(reason, 300)
    _decide(request, State.REJECTED, actor)
    return request


def _decide(request: OrderRequest, state: OrderRequest.State, actor: str) -> None:
    """Write it down. A mail of somebody who is known is something that they did, when they sent it: whoever orders by
    mail begins to buy (see journeys/record.py)."""
    request.state, request.decided_by, request.decided_at = state, actor[:100], clock.now()
    request.save()
    if request.customer_id is not None:
        customer = OmnichannelCustomer.objects.get(pk=request.customer_id)
        kind = "checkout_start" if state == State.CONFIRMED else "customer_service"
        customer.track_interaction(
            request.sales_channel, kind, occurred_at=request.sent_at,
            message_id=f"mail-request:{request.pk}", subject=request.subject, outcome=str(state),
        )  # fmt: skip


def _locked(request_id: int) -> OrderRequest:
    rows = OrderRequest.objects.select_for_update(of=("self",)).select_related("sales_channel", "order")
    request: OrderRequest | None = rows.filter(pk=request_id).first()
    if request is None:
        raise UserError(f"there is no request {request_id}")
    return request


def _waiting(request_id: int) -> OrderRequest:
    request = _locked(request_id)
    _refuse_decided(request)
    return request


def _refuse_decided(request: OrderRequest) -> None:
    if request.state != State.WAITING:
        raise UserError(f"the request is {request.get_state_display().lower()} already, by {request.decided_by}")
