"""The call centre: who is on the phone, what they have and want, and the order that comes of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.contract import StartsPayments
from finalmarket.console.pages import phone_shown
from finalmarket.console.pages.frame import actor, attempt, page, show
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations.desk import pages
from finalmarket.integrations.desk.asking import accounts_that
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import parse
from finalmarket.orders import calls
from finalmarket.orders.cart import Terms
from finalmarket.orders.drafts import Address
from finalmarket.orders.models import PhoneCall

TAKES, PEOPLE = "orders.add_order", "customers.view_omnichannelcustomer"
ASKS_MONEY = "integrations.add_paymentpage"
MOST_CALLS_SHOWN = 20
ADDRESS = ("name", "company", "street", "street2", "postcode", "city", "region", "country")

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
        channel = _phone_channels().filter(pk=_number(given.get("channel", ""))).first()
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
    rows = PhoneCall.objects.select_related("sales_channel", "cart", "order", "customer")
    found: PhoneCall = get_object_or_404(rows, token=token)
    return found


def _phone_channels() -> Any:
    active = SalesChannel.objects.filter(channel_type=SalesChannel.ChannelType.PHONE)
    return active.filter(status=SalesChannel.Status.ACTIVE).order_by("name")


# What is done on the phone.


def _is(found: PhoneCall, given: Given, who: str) -> str:
    calls.say_who(found.token, _number(given.get("customer", "")))
    return "Noted who is on the phone."


def _is_not(found: PhoneCall, given: Given, who: str) -> str:
    calls.say_who(found.token, None)
    return "It is not known who is on the phone."


def _make(found: PhoneCall, given: Given, who: str) -> str:
    """A customer who is new, or known by that address or number already: then it is them."""
    channel = found.sales_channel
    contact = Contact(
        name=given.get("name", "").strip(), email=given.get("email", ""), phone=given.get("phone", "")
    )  # fmt: skip
    profile = resolve(contact, country=channel.country, source=channel.slug)
    if profile is None:
        raise ValidationError("Give an e-mail address or a phone number that is one: they are known by it.")
    calls.say_who(found.token, profile.pk)
    return f"{profile} is on the phone."


def _want(found: PhoneCall, given: Given, who: str) -> str:
    units = given.get("units", "").strip()
    if not (units.isascii() and units.isdigit() and len(units) < 8):
        raise ValidationError(f"{units[:20]!r} is no number of units.")
    calls.want(found.token, _number(given.get("variant", "")), int(units))
    return "It is held for the caller." if int(units) else "It is out of the order."


def _hold(found: PhoneCall, given: Given, who: str) -> str:
    calls.hold_again(found.token)
    return "Held for another while."


def _end(found: PhoneCall, given: Given, who: str) -> str:
    calls.end(found.token, actor=who, said=given.get("note", ""), keeps_cart=bool(given.get("keep")))
    return "The call has ended, and is in the customer's history."


VERBS: dict[str, Verb] = {
    "is": _is, "is-not": _is_not, "make": _make, "want": _want, "hold": _hold, "end": _end,
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
    delivery = given.get("delivery", "send")
    store = None if delivery == "send" else _number(delivery)
    sent_to = _address(given)
    country = sent_to.country.upper() or found.sales_channel.country
    discount, shipping = _amount(given, "discount"), _amount(given, "shipping")
    terms = Terms(
        name=sent_to.name, email=given.get("email", "").strip(), phone=given.get("phone", "").strip(),
        shipping_address=None if store else _checked(sent_to, country), collect_at=store,
        charges=calls.charges(country, shipping=shipping, discount=discount, why=given.get("why", "")),
    )  # fmt: skip
    agreed = parse(given["agreed"]) if given.get("agreed") else None
    wish = calls.Wish(terms, agreed, given.get("payment", ""))
    taken = calls.place(found.token, wish, actor=who)
    return f"Order {taken.order.number} is placed."


def _address(given: Given) -> Address:
    words: dict[str, Any] = {name: given.get(name, "").strip() for name in ADDRESS}
    return Address(**words)


def _checked(address: Address, country: str) -> Address:
    """An address that a parcel can be sent to."""
    missing = [word for word in ("name", "street", "postcode", "city") if not getattr(address, word)]
    if missing:
        raise ValidationError(f"Ask for the rest of the address: {', '.join(missing)}.")
    if not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise ValidationError("A country is two letters, such as DE.")
    return replace(address, country=country)


def _amount(given: Given, name: str) -> Decimal:
    text = given.get(name, "").strip()
    amount = parse(text) if text else Decimal(0)
    if amount < 0:
        raise UserError(f"{name} cannot be below nothing; it is {amount}")
    return amount


def _ask_for_payment(request: HttpRequest, found: PhoneCall) -> None:
    if not request.user.has_perm(ASKS_MONEY):
        raise PermissionDenied(f"{request.user} may not {ASKS_MONEY}")

    def ask() -> str:
        account = ChannelIntegration.objects.filter(pk=_number(request.POST.get("account", ""))).first()
        if account is None or found.order_id is None:
            raise ValidationError("Choose at which account it is paid.")
        pages.start_payment(found.order_id, account, actor=actor(request))
        return "The caller can pay now: send them the address below, or read it out."

    attempt(request, ask, is_whole=False)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
