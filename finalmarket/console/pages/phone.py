"""The call centre: who is on the phone, what they have and want, and the order that comes of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.contract import StartsPayments
from finalmarket.console.pages import phone_shown
from finalmarket.console.pages.frame import actor, attempt, page, show
from finalmarket.console.pages.order_terms import agreed_of, terms_of
from finalmarket.console.typed import number_of, units_of
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations.desk import pages
from finalmarket.integrations.desk.asking import accounts_that
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.integrations.talk import letters
from finalmarket.kernel import clock
from finalmarket.orders import calls
from finalmarket.orders.models import PhoneCall

TAKES, PEOPLE = "orders.add_order", "customers.view_omnichannelcustomer"
ASKS_MONEY = "integrations.add_paymentpage"
MOST_CALLS_SHOWN = 20

Given = Mapping[str, str]
Verb = Callable[[PhoneCall, Given, str], str]


@page(TAKES)
def phone(request: HttpRequest) -> HttpResponse:
    """Begin a call, or go back to one."""
    _sees_people(request)
    mine = PhoneCall.objects.filter(agent=actor(request)).select_related("customer", "order", "sales_channel")
    context = {
        "channels": list(_phone_channels()), "calls": list(mine.order_by("-id")[:MOST_CALLS_SHOWN]),
        "token": uuid.uuid4(), "directions": PhoneCall.Direction.choices,
    }  # fmt: skip
    return show(request, "phone.html", "Phone", context)


@page(TAKES, "POST")
def begin(request: HttpRequest) -> HttpResponse:
    """A call begins; the same form sent twice begins one."""
    _sees_people(request)
    given, begun = request.POST, list[PhoneCall]()

    def start() -> str:
        channel = _phone_channels().filter(pk=number_of(given.get("channel", ""))).first()
        if channel is None:
            raise ValidationError("Choose the phone channel that the call is on.")
        begun.append(
            calls.begin(
                channel, agent=actor(request), direction=given.get("direction", "inbound"),
                number=given.get("number", ""), token=_uuid(given.get("token", "")),
            )
        )  # fmt: skip
        return "The call has begun; what you note is kept when you end it."

    if not attempt(request, start):
        return redirect("console:phone")
    return redirect("console:call", token=begun[0].token)


@page(TAKES)
def call(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
    """The screen of one call: the caller on one side, what they order on the other."""
    _sees_people(request)
    found = _call(token)
    asks_money = request.user.has_perm(ASKS_MONEY)
    context = {
        "call": found, "channel": found.sales_channel, "is_open": found.ended_at is None,
        "segments": phone_shown.SEGMENT_WORDS,
        **phone_shown.who(found, request.GET.get("q", "")), **phone_shown.goods(found, request.GET.get("goods", "")),
        **phone_shown.money(found, accounts_that(StartsPayments)[0] if asks_money else []),
    }  # fmt: skip
    return show(request, "call.html", "Call", context)


@page(TAKES, "POST")
def act(request: HttpRequest, token: uuid.UUID, verb: str) -> HttpResponse:
    """Carry out what was agreed, and return to the call."""
    _sees_people(request)
    found = _call(token)
    if verb == "place":
        _place_and_ask(request, found)
    elif verb == "ask-for-payment":
        _ask_for_payment(request, found)
    elif verb in VERBS:
        attempt(request, lambda: VERBS[verb](found, request.POST.dict(), actor(request)))
    else:
        raise Http404(f"there is no verb {verb}")
    anchor = {"want": "#order", "hold": "#order"}.get(verb, "")
    kept = f"?goods={request.POST['goods']}" if verb == "want" and request.POST.get("goods", "").isalnum() else ""
    return redirect(reverse("console:call", args=[token]) + kept + anchor)


def _sees_people(request: HttpRequest) -> None:
    if not request.user.has_perm(PEOPLE):
        raise PermissionDenied(f"{request.user} may not see customers")


def _call(token: uuid.UUID) -> PhoneCall:
    rows = PhoneCall.objects.select_related("sales_channel", "cart", "order__pickup__location", "customer")
    found: PhoneCall = get_object_or_404(rows, token=token)
    return found


def _phone_channels() -> Any:
    active = SalesChannel.objects.filter(channel_type=SalesChannel.ChannelType.PHONE)
    return active.filter(status=SalesChannel.Status.ACTIVE).order_by("name")


# What is done on the phone.


def _is(found: PhoneCall, given: Given, who: str) -> str:
    calls.say_who(found.token, number_of(given.get("customer", "")))
    return "Noted who is on the phone."


def _is_not(found: PhoneCall, given: Given, who: str) -> str:
    calls.say_who(found.token, None)
    return "It is not known who is on the phone."


def _make(found: PhoneCall, given: Given, who: str) -> str:
    """A customer who is new, or known by that address or number already: then it is them."""
    channel = found.sales_channel
    contact = Contact(
        name=given.get("name", "").strip(), email=given.get("email", ""), phone=given.get("phone", ""), at=clock.now()
    )  # fmt: skip
    profile = resolve(contact, country=channel.country, source=channel.slug)
    if profile is None:
        raise ValidationError("Give an e-mail address or a phone number that is one: they are known by it.")
    calls.say_who(found.token, profile.pk)
    return f"{profile} is on the phone."


def _want(found: PhoneCall, given: Given, who: str) -> str:
    units = units_of(given.get("units", ""))
    calls.want(found.token, number_of(given.get("variant", "")), units)
    return "It is held for the caller." if units else "It is out of the order."


def _hold(found: PhoneCall, given: Given, who: str) -> str:
    calls.hold_again(found.token)
    return "Held for another while."


def _end(found: PhoneCall, given: Given, who: str) -> str:
    calls.end(found.token, actor=who, said=given.get("note", ""), keeps_cart=bool(given.get("keep")))
    return "The call has ended, and is in the customer's history."


def _send_link(found: PhoneCall, given: Given, who: str) -> str:
    opened = found.order.payment_pages.filter(pk=number_of(given.get("page", ""))).first() if found.order else None
    if opened is None:
        raise ValidationError("There is no page to pay on; open one first.")
    return f"The link is mailed to {letters.send_payment_link(opened.pk, actor=who).email}."


VERBS: dict[str, Verb] = {
    "send-link": _send_link, "is": _is, "is-not": _is_not, "make": _make, "want": _want, "hold": _hold, "end": _end,
}  # fmt: skip


# The order, and its money.


def _place_and_ask(request: HttpRequest, found: PhoneCall) -> None:
    """The order first; then, where it is paid by link, the page to pay on: a platform is asked outside of the order's
    transaction, and may say no without undoing it."""
    given = request.POST.dict()
    if attempt(request, lambda: _place(found, given, actor(request))) and given.get("payment") == "link":
        found.refresh_from_db()
        _ask_for_payment(request, found)


def _place(found: PhoneCall, given: Given, who: str) -> str:
    wish = calls.Wish(terms_of(given, found.sales_channel), agreed_of(given), given.get("payment", ""))
    taken = calls.place(found.token, wish, actor=who)
    return f"Order {taken.order.number} is placed."


def _ask_for_payment(request: HttpRequest, found: PhoneCall) -> None:
    if not request.user.has_perm(ASKS_MONEY):
        raise PermissionDenied(f"{request.user} may not {ASKS_MONEY}")

    def ask() -> str:
        account = ChannelIntegration.objects.filter(pk=number_of(request.POST.get("account", ""))).first()
        if account is None or found.order_id is None:
            raise ValidationError("Choose at which account it is paid.")
        pages.start_payment(found.order_id, account, actor=actor(request))
        return "The caller can pay now: send them the address below, or read it out."

    attempt(request, ask, is_whole=False)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
