"""Mails that ask for goods: what was written beside what was read, corrected by a person, and ordered or rejected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.console import finding
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import actor, attempt, back, page, show
from finalmarket.console.pages.mail_shown import shown
from finalmarket.console.pages.order_terms import agreed_of, terms_of
from finalmarket.console.people import may_see_people
from finalmarket.console.typed import number_of, units_of
from finalmarket.integrations.connect import public_address
from finalmarket.integrations.talk import letters
from finalmarket.kernel.errors import UserError
from finalmarket.orders.mailed import doors, requests
from finalmarket.orders.mailed.requests import Chosen, Confirmed
from finalmarket.orders.models import MailDoor, OrderRequest

TAKES, DOORS = "orders.add_order", "orders.change_maildoor"
ORDER = ("-id",)

Given = Mapping[str, str]
Verb = Callable[[OrderRequest, Given, str], str]


class RequestFilters(asked.Filters):
    """What the requests can be narrowed by."""

    state = asked.choice("State", "To be looked at", [*OrderRequest.State.choices, ("all", "All of them")])
    channel = asked.ChannelField()


@page(TAKES)
def mail_requests(request: HttpRequest) -> HttpResponse:
    """Mails that wait for a person, the newest first."""
    _sees_people(request)
    filters = RequestFilters(request)
    rows = OrderRequest.objects.select_related("sales_channel", "order")
    state = filters.given.get("state", OrderRequest.State.WAITING)
    rows = rows if state == "all" else rows.filter(state=state)
    if channel := filters.given.get("channel"):
        rows = rows.filter(sales_channel=int(channel))
    slice_ = cut(rows, ORDER, request.GET, asked.PAGE_SIZE)
    context = {"filters": filters, "slice": slice_, "counts": _counts(slice_.rows), **_doors(request)}
    return show(request, "mail_requests.html", "Mail orders", context)


def _counts(rows: Any) -> dict[int, dict[str, int]]:
    """How many lines each request has, and how many of them are uncertain; one query for the page."""
    open_lines = Count("lines", filter=~Q(lines__certainty="sure"))
    counted = OrderRequest.objects.filter(pk__in=[one.pk for one in rows]).annotate(n=Count("lines"), open=open_lines)
    return {pk: {"lines": n, "open": unclear} for pk, n, unclear in counted.values_list("pk", "n", "open")}


def _doors(request: HttpRequest, made: str = "", of: int = 0) -> dict[str, Any]:
    """Where mail comes in, for those who may open doors; a new address is shown in this answer alone."""
    if not request.user.has_perm(DOORS):
        return {"channels": [], "may_open": False, "has_channel": _mail_channels().exists()}
    known = {door.sales_channel_id: door for door in MailDoor.objects.all()}
    channels = [(one, known.get(one.pk)) for one in _mail_channels().order_by("name")]
    return {"channels": channels, "may_open": True, "has_channel": bool(channels), "made": made, "made_for": of}


@never_cache
@page(DOORS, "POST")
def open_mail_door(request: HttpRequest, key: int) -> HttpResponse:
    """Make the address to which a mail service delivers, and show it this once; or close it."""
    channel = get_object_or_404(_mail_channels(), pk=key)
    if request.POST.get("close"):
        attempt(request, lambda: _closed(channel))
        return back(request, reverse("console:mail_requests"))
    secret = doors.open_door(channel, actor=actor(request))
    path = reverse("take_mail", args=[secret])
    address = public_address(path) or request.build_absolute_uri(path)
    context = {"filters": None, "slice": None, "counts": {}, **_doors(request, address, channel.pk)}
    return show(request, "mail_requests.html", "Mail orders", context)


def _closed(channel: SalesChannel) -> str:
    doors.close_door(channel)
    return f"Nobody delivers mail for {channel} any more."


@page(TAKES)
def mail_request(request: HttpRequest, key: int) -> HttpResponse:
    """One mail: what was written, what was read in it, and what becomes of it."""
    _sees_people(request)
    found = _request(key)
    context = shown(found, request.GET.get("q", ""), number_of(request.GET.get("customer", "")))
    return show(request, "mail_request.html", found.subject or f"Mail {found.pk}", context)


@page(TAKES, "POST")
def act(request: HttpRequest, key: int, verb: str) -> HttpResponse:
    """Carry out what a person decided of a mail, and return to it."""
    _sees_people(request)
    if verb not in VERBS:
        raise Http404(f"there is no verb {verb}")
    found = _request(key)
    attempt(request, lambda: VERBS[verb](found, request.POST.dict(), actor(request)))
    customer = number_of(request.POST.get("customer", ""))
    kept = f"?customer={customer}" if customer and verb == "correct" else ""
    return redirect(reverse("console:mail_request", args=[key]) + kept)


def _sees_people(request: HttpRequest) -> None:
    if not may_see_people(request.user):
        raise PermissionDenied(f"{request.user} may not see customers")


def _mail_channels() -> Any:
    return SalesChannel.objects.filter(channel_type=SalesChannel.ChannelType.EMAIL)


def _request(key: int) -> OrderRequest:
    rows = OrderRequest.objects.select_related("sales_channel", "order", "customer")
    found: OrderRequest = get_object_or_404(rows, pk=key)
    return found


def _correct(found: OrderRequest, given: Given, who: str) -> str:
    """Each line names its goods by a choice from the list, or by a SKU that was typed beside it, which goes first."""
    lines = {}
    for name, units in given.items():
        if name.startswith("units-"):
            number = number_of(name.removeprefix("units-"))
            typed = given.get(f"sku-{number}", "").strip()
            chosen = _variant(typed) if typed else number_of(given.get(f"variant-{number}", "")) or None
            lines[number] = Chosen(chosen, units_of(units or "0"))
    added = given.get("add-sku", "").strip()
    add = Chosen(_variant(added), units_of(given.get("add-units", ""))) if added else None
    requests.correct(found.pk, lines, add=add, actor=who)
    return "Noted."


def _variant(typed: str) -> int:
    """The goods of a SKU or a barcode. Raises ValidationError where that is none."""
    exact = Variant.objects.filter(sku__iexact=typed).values_list("pk", flat=True).first()
    ids = [exact] if exact else finding.variants(typed)
    if len(ids) != 1:
        many = "names nothing" if not ids else f"may be {len(ids)} things"
        raise ValidationError(f"{typed[:40]!r} {many} in the catalogue; type a whole SKU.")
    return int(ids[0])


def _confirm(found: OrderRequest, given: Given, who: str) -> str:
    said = Confirmed(
        terms_of(given, found.sales_channel), number_of(given.get("customer", "")) or None, agreed_of(given)
    )
    taken = requests.confirm(found.pk, said, actor=who)
    return f"Order {taken.order.number} is placed."


def _reject(found: OrderRequest, given: Given, who: str) -> str:
    if not given.get("reason", "").strip():
        raise UserError("say why it is rejected")
    requests.reject(found.pk, reason=given["reason"], actor=who)
    return "It is rejected; no order comes of it."


def _reply(found: OrderRequest, given: Given, who: str) -> str:
    sent = letters.reply(
        found.pk, subject=given.get("subject", ""), text=given.get("text", ""), key=given.get("form_key", "")[:40],
        actor=who,
    )  # fmt: skip
    return f"Your answer goes to {sent.email}."


VERBS: dict[str, Verb] = {"correct": _correct, "confirm": _confirm, "reject": _reject, "reply": _reply}
