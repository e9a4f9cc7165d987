"""A checkout is completed: paid by a token that the buyer's assistant was granted, and ordered, each exactly once.

The payment is asked for outside of any transaction, after it was written down what is asked, and of which account; the
order is placed when the amount is reserved, and taken when the goods leave. Whoever dies in between leaves a session
that is being paid: asked again, or by the worker, the payment is the same one (its key is), and so is the order. Once
it may have been asked for, the session is being paid until that account has said what came of it. Where the order
cannot be placed after all, the reservation is let go.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.db import transaction

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.contract import ChargesTokens, TakesPayments
from finalmarket.connectors.errors import ConnectorError
from finalmarket.connectors.paging import READING_ERRORS
from finalmarket.connectors.records import PaymentRecord, TokenCharge
from finalmarket.integrations.agents import sessions
from finalmarket.integrations.agents.quoting import Quote, address_of, charges_of, quote
from finalmarket.integrations.desk.asking import is_refusal, opened_for, said_no, stand_alone
from finalmarket.integrations.models import AgentDoor, AgentSession, ChannelIntegration
from finalmarket.integrations.payments_in import take_payments
from finalmarket.integrations.storing import intake, patiently
from finalmarket.kernel import clock, failpoints, secrets
from finalmarket.kernel.errors import UserError
from finalmarket.orders import cart as carts
from finalmarket.orders import history
from finalmarket.orders.drafts import Address, TenderDraft, plain, plain_data
from finalmarket.orders.intake import Taken
from finalmarket.orders.models import Cart, Order
from finalmarket.orders.shopping import allows_test_payments

State, Kind = AgentSession.State, AgentSession.Kind
LEASE = timedelta(minutes=2)
CARD, TEST = "card_tokenized", "test"
TEST_PAID, TEST_DECLINED = "test_paid", "test_declined"
DECLINED, CHANGED = "payment_declined", "price_changed"
MOST_AT_ONCE = 50
log = structlog.get_logger(__name__)


class NotReady(UserError):
    """It cannot be ordered as it stands; `code` and `param` are the protocol's."""

    def __init__(self, code: str, param: str, text: str) -> None:
        super().__init__(text)
        self.code, self.param = code, param


class UnderWay(UserError):
    """Somebody else is completing it."""


class Unknown(UserError):
    """It is not known yet whether the payment was made: to be asked again under the same key."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What an agent pays by: a handler of ours, and the token that it was granted."""

    handler: str
    token: str


def complete(
    channel: SalesChannel, token: str, payment: Payment, *, buyer: Mapping[str, Any] | None = None,
    billing: Mapping[str, Any] | None = None, attribution: Mapping[str, Any] | None = None, notes: str | None = None,
    call: str = "",
) -> AgentSession:  # fmt: skip
    """Charge and order a checkout; return it, also where the same `call` (its digest) has completed it. Raises
    NotThere, Ended, NotReady (nothing was charged, or it was let go), UnderWay and Unknown. Must not be called within
    a transaction."""
    stand_alone("completing a checkout")
    said = {"buyer": buyer, "billing": billing, "attribution": attribution or {}, "notes": notes}
    session = _write_down(channel, token, payment, said, call)
    return session if session.state == State.COMPLETED else _go_on(session)


@transaction.atomic
def _write_down(
    channel: SalesChannel, token: str, payment: Payment, said: Mapping[str, Any], call: str
) -> AgentSession:  # fmt: skip
    """Note what is about to be charged; nobody else completes the session while the lease lasts. One whose charge is
    not known goes on as it was begun."""
    session = sessions.find(channel, Kind.CHECKOUT, token)
    AgentSession.objects.select_for_update().get(pk=session.pk)
    session = sessions.find(channel, Kind.CHECKOUT, token)
    if session.state == State.PAYING:
        _take_lease(session)
        return session
    if session.state == State.COMPLETED and call and session.completing_call == call:
        return session
    if sessions.standing(session) != State.OPEN:
        raise sessions.Ended(sessions.standing(session))
    _check_payment(channel, payment)
    session.buyer = {**session.buyer, **plain_data(said["buyer"] or {})}
    session.attribution = {**session.attribution, **plain_data(said["attribution"])}
    session.notes = session.notes if said["notes"] is None else plain(said["notes"], sessions.MOST_NOTES)
    reckoned = quote(session)
    _check_ready(session, reckoned)
    sessions.hold(session, reckoned)
    if session.trouble:
        raise NotReady(sessions.OUT_OF_STOCK, "$.line_items", "Not all of it is there any more.")
    payer = _payer(channel)
    asked = {
        "handler": payment.handler, "token": payment.token, "billing": plain_data(said["billing"] or {}),
        "total": str(reckoned.parts.total), "payer": payer.pk if payer else None, "may_be_charged": False,
    }  # fmt: skip
    session.encrypted = _sealed(asked)
    session.attempts += 1
    session.completing_call = call
    session.state, session.option = State.PAYING, reckoned.way.name if reckoned.way else ""
    session.paying_until = clock.now() + LEASE
    session.save()
    return session


def _sealed(asked: Mapping[str, Any]) -> bytes:
    """What is asked of whom, as it is kept."""
    return secrets.encrypt(json.dumps(asked)).encode()


def _take_lease(session: AgentSession) -> None:
    if session.paying_until is not None and session.paying_until > clock.now():
        raise UnderWay("The checkout is being completed.")
    session.paying_until = clock.now() + LEASE
    session.save(update_fields=["paying_until", "updated_at"])


def _check_payment(channel: SalesChannel, payment: Payment) -> None:
    param = "$.payment_data.handler_id"
    if payment.handler == TEST:
        if not allows_test_payments(channel):
            raise NotReady("unsupported", param, "This shop takes no payments for trying.")
        if payment.token not in (TEST_PAID, TEST_DECLINED):
            wrong = "$.payment_data.instrument.credential.token"
            raise NotReady("invalid", wrong, f"A payment for trying is {TEST_PAID} or {TEST_DECLINED}.")
    elif payment.handler != CARD or _payer(channel) is None:
        raise NotReady("unsupported", param, "The shop takes no payments of this handler.")


def _check_ready(session: AgentSession, reckoned: Quote) -> None:
    """Refuse what cannot be ordered, and a total that the agent has not been shown."""
    for fault in reckoned.faults:
        raise NotReady(fault.code, fault.param, fault.text)
    if not (session.buyer.get("email") or session.details.get("email")):
        raise NotReady("missing", "$.buyer.email", "Say whose order it is by their e-mail address.")
    if session.shown_total is not None and reckoned.parts.total != session.shown_total:
        raise NotReady(CHANGED, "$.totals", "It comes to another total than was shown; retrieve the session again.")


def _payer(channel: SalesChannel) -> ChannelIntegration | None:
    door = AgentDoor.objects.select_related("payment").filter(sales_channel=channel).first()
    return door.payment if door else None


def _go_on(session: AgentSession) -> AgentSession:
    """Charge, then order; whatever was done of it before is not done again."""
    asked = _asked(session)
    amount = Decimal(asked["total"])
    record: PaymentRecord | None = None
    payer = ChannelIntegration.objects.filter(pk=asked["payer"]).first()
    if amount > 0 and asked["handler"] == CARD:
        if payer is None:
            raise _not_asked(session, asked, UserError("the account that charges is gone"))
        record = _charge(session, payer, asked, amount)
    elif amount > 0 and asked["token"] != TEST_PAID:
        _not_ordered(session, DECLINED)
        raise NotReady(DECLINED, "$.payment_data", "The payment was declined.")
    failpoints.hit("agents.after_charge")
    try:
        patiently(lambda: [_order(session, asked, amount, record)])
    except UserError as error:
        _let_go(session, payer, record)
        raise NotReady(sessions.OUT_OF_STOCK, "$.line_items", str(error)) from error
    if payer is not None and record is not None:
        found = record
        patiently(lambda: _store(payer, found))
    return sessions.find(session.sales_channel, Kind.CHECKOUT, str(session.token))


def _asked(session: AgentSession) -> dict[str, Any]:
    """What was asked of whom. Sessions from before that was written down may have been charged, by their door's
    account."""
    asked = json.loads(secrets.decrypt(bytes(session.encrypted or b"").decode()))
    if "payer" not in asked:
        payer = _payer(session.sales_channel)
        asked |= {"payer": payer.pk if payer else None, "may_be_charged": True}
    return dict(asked)


def _charge(
    session: AgentSession, payer: ChannelIntegration, asked: Mapping[str, Any], amount: Decimal
) -> PaymentRecord:  # fmt: skip
    try:
        with opened_for(payer, ChargesTokens) as there:
            charge = TokenCharge(
                key=_key(session), token=asked["token"], order_id=f"cart:{session.cart.token}", amount=amount,
                currency=session.sales_channel.currency, email=_email(session),
            )  # fmt: skip
            _note_charged(session, asked)
            failpoints.hit("agents.before_charge")
            record: PaymentRecord = there.charge_token(charge)
            return record
    except (ConnectorError, *READING_ERRORS) as error:
        if is_refusal(error):
            _not_ordered(session, DECLINED)
            raise NotReady(DECLINED, "$.payment_data", "The payment was declined.") from error
        raise _unknown(session, said_no(payer, error)) from error
    except UserError as error:  # the account is paused, or left alone for a while
        raise _not_asked(session, asked, error) from error


def _not_asked(session: AgentSession, asked: Mapping[str, Any], reason: UserError) -> UserError:
    """What is said where this try could ask nothing: one before may have."""
    if asked["may_be_charged"]:
        return _unknown(session, reason)
    _not_ordered(session, "payment_unavailable")
    return NotReady("payment_unavailable", "$.payment_data", "Payments cannot be taken just now.")


def _note_charged(session: AgentSession, asked: Mapping[str, Any]) -> None:
    """Write down that the amount may be reserved from now on, whether or not an answer comes."""
    if not asked["may_be_charged"]:
        this_one = AgentSession.objects.filter(pk=session.pk, state=State.PAYING, attempts=session.attempts)
        this_one.update(encrypted=_sealed({**asked, "may_be_charged": True}))


def _unknown(session: AgentSession, reason: UserError) -> Unknown:
    log.warning("a charge is not known", session=session.pk, reason=str(reason))
    return Unknown("It is not known yet whether the payment was made.")


def _key(session: AgentSession) -> str:
    """The same for every try of one attempt."""
    return f"agent:{session.token}:{session.attempts}"


def _email(session: AgentSession) -> str:
    return str(session.buyer.get("email") or session.details.get("email") or "")[:320]


@transaction.atomic
def _order(session: AgentSession, asked: Mapping[str, Any], amount: Decimal, record: PaymentRecord | None) -> Taken:
    """Place the order and end the session, in one transaction."""
    AgentSession.objects.select_for_update().get(pk=session.pk)
    cart = Cart.objects.select_related("order").get(pk=session.cart_id)
    if cart.order is not None:
        return Taken(cart.order, "unchanged", cart.order.problem)
    reckoned = quote(session)
    if reckoned.parts.total != amount:
        raise UserError("The price has changed while it was paid.")
    way, to = reckoned.way, address_of(session)
    place = way.place if way else None
    taken = carts.check_out(
        cart.token, name=_name(session), email=_email(session), phone=_phone(session),
        shipping_address=None if place else to, billing_address=_billing(asked["billing"]),
        charges=charges_of(way), tenders=_tenders(session, asked["handler"], amount, record),
        collect_at=place.pk if place else None, actor=sessions.ACTOR,
    )  # fmt: skip
    if taken.outcome == "created":
        _tell(taken.order, session)
        _note(taken.order, session)
    session.state, session.encrypted, session.paying_until, session.trouble = State.COMPLETED, None, None, ""
    session.save(update_fields=["state", "encrypted", "paying_until", "trouble", "updated_at"])
    return taken


def _tenders(
    session: AgentSession, handler: str, amount: Decimal, record: PaymentRecord | None
) -> tuple[TenderDraft, ...]:  # fmt: skip
    if record is not None:
        return (TenderDraft("card", amount, external_id=record.external_id, state=record.state),)
    if amount > 0 and handler == TEST:
        return (TenderDraft(TEST, amount, external_id=_key(session)),)
    return ()


def _name(session: AgentSession) -> str:
    buyer = session.buyer
    both = " ".join(part for part in (buyer.get("first_name", ""), buyer.get("last_name", "")) if part)
    return str(buyer.get("full_name") or both or session.details.get("name") or "")[:300]


def _phone(session: AgentSession) -> str:
    return str(session.buyer.get("phone_number") or session.details.get("phone_number") or "")[:50]


def _billing(given: Mapping[str, Any]) -> Address | None:
    if not given:
        return None
    return Address(
        name=given.get("name", ""), street=given.get("line_one", ""), street2=given.get("line_two", ""),
        postcode=given.get("postal_code", ""), city=given.get("city", ""), region=given.get("state", ""),
        country=given.get("country", ""),
    )  # fmt: skip


def _tell(order: Order, session: AgentSession) -> None:
    """What the assistant put together is told as what its buyer did, so that a journey leads to the order."""
    if order.customer is None:
        return
    for line in order.lines.filter(kind="goods"):
        order.customer.track_interaction(  # see journeys/record.py
            session.sales_channel, "add_to_cart", occurred_at=session.created_at, sku=line.sku, quantity=line.quantity,
            price=line.unit_price, currency=order.currency, by="agent",
        )  # fmt: skip


def _note(order: Order, session: AgentSession) -> None:
    """What the buyer wants to be known stands in the history of the order, in as many entries as it takes."""
    most = history.MOST_ENTRY_CHARACTERS
    for start in range(0, len(session.notes), most):
        history.note(order, "note", session.notes[start : start + most], actor=sessions.ACTOR)


def _store(integration: ChannelIntegration, record: PaymentRecord) -> list[Any]:
    """Take the payment as every payment is taken, so that it is captured when the goods leave."""
    with intake(integration, "payments"):
        return list(take_payments(integration, [record]))


def _not_ordered(session: AgentSession, trouble: str) -> None:
    """The session is open again; the goods stay held for their minutes."""
    AgentSession.objects.filter(pk=session.pk, state=State.PAYING).update(
        state=State.OPEN, encrypted=None, paying_until=None, trouble=trouble
    )


def _let_go(session: AgentSession, payer: ChannelIntegration | None, record: PaymentRecord | None) -> None:
    """What was reserved for an order that cannot be placed is given back; where that fails, the worker tries again, as
    the session is being paid still."""
    if payer is not None and record is not None:
        try:
            with opened_for(payer, TakesPayments) as there:
                there.cancel_payment(record.external_id, f"{_key(session)}:void")
        except (ConnectorError, UserError, *READING_ERRORS) as error:
            log.warning("a reservation could not be let go", session=session.pk, reason=str(error))
            raise Unknown("The payment could not be let go yet.") from error
    _not_ordered(session, sessions.OUT_OF_STOCK)


def go_on() -> int:
    """Complete what somebody left while it was being paid; return how many sessions were looked at."""
    left = AgentSession.objects.filter(state=State.PAYING, paying_until__lte=clock.now())
    found = list(left.select_related("sales_channel", "cart").order_by("paying_until")[:MOST_AT_ONCE])
    for session in found:
        with transaction.atomic():
            row = AgentSession.objects.select_for_update().get(pk=session.pk)
            if row.state != State.PAYING or (row.paying_until and row.paying_until > clock.now()):
                continue
            _take_lease(row)
        try:
            _go_on(sessions.find(session.sales_channel, Kind.CHECKOUT, str(session.token)))
        except UserError as error:
            log.info("a checkout that was left was not completed", session=session.pk, reason=str(error))
    return len(found)
