"""Talk from the console: what an account is for, tickets from an order, and customers who may be one person."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import actor, attempt, back, page, show
from finalmarket.customers import suggestions
from finalmarket.customers.models import MergeSuggestion
from finalmarket.integrations import duties
from finalmarket.integrations.models import ChannelIntegration, DueNotice, Ticket
from finalmarket.integrations.talk import tickets
from finalmarket.orders.models import Order

MOST_KEY_CHARACTERS = 40
SEES, OPENS = "integrations.view_ticket", "integrations.add_ticket"


# What an account is for.


def duties_of(account: ChannelIntegration) -> list[dict[str, Any]]:
    """What the account's platform is able to do for us, and whether it is its duty."""
    return [
        {"name": duty.name, "label": duty.label, "help": duty.help, "is_on": duties.does(account, duty.name)}
        for duty in duties.possible(account)
    ]


def change_duties(request: HttpRequest, account: ChannelIntegration) -> str:
    """Give the account the duties that are ticked."""
    changed = duties.switch(account, request.POST.getlist("duty"), actor=actor(request))
    if not changed:
        return f"{account} is for what it was for before."
    later = "" if account.push_from else " It is told nothing before you start telling."
    return f"Changed: {', '.join(duties.DUTIES[name].label for name in changed)}.{later}"


# Tickets of an order.


def tickets_of(order: Order, user: Any) -> dict[str, Any]:
    """The tickets about an order with how they stand, for whoever may see tickets, and the accounts at which this user
    can have one more opened."""
    seen = Ticket.objects.filter(order=order) if user.has_perm(SEES) else Ticket.objects.none()
    rows = list(seen.select_related("integration").order_by("-pk"))
    notices = DueNotice.objects.filter(kind=DueNotice.Kind.TICKET, local_id__in=[row.pk for row in rows])
    states = {(one.integration_id, one.local_id): one for one in notices}
    return {
        "rows": [{"ticket": row, "notice": states.get((row.integration_id, row.pk))} for row in rows],
        "desks": [(desk.pk, str(desk)) for desk in tickets.desks()] if user.has_perm(OPENS) else [],
        "priorities": tickets.PRIORITIES,
    }


@page(OPENS, "POST")
def open_ticket(request: HttpRequest, key: int) -> HttpResponse:
    """Have a ticket opened about an order, by whoever may see it."""
    if not request.user.has_perm("orders.view_order"):
        raise PermissionDenied(f"{request.user} may not see orders")
    order = get_object_or_404(Order, pk=key)
    attempt(request, lambda: _open_ticket(request, order))
    return back(request, reverse("console:order", args=[key]))


def _open_ticket(request: HttpRequest, order: Order) -> str:
    given = request.POST
    form_key, desk = given.get("form_key", "").strip()[:MOST_KEY_CHARACTERS], given.get("desk", "")
    if not form_key:
        raise ValidationError("The form was not complete; open the page of the order again.")
    ticket = tickets.open_ticket(
        order.pk, subject=given.get("subject", ""), text=given.get("text", ""),
        priority=given.get("priority", "normal"), key=form_key, actor=actor(request),
        integration_id=int(desk) if desk.isascii() and desk.isdigit() and len(desk) < 19 else None,
    )  # fmt: skip
    return f"A ticket is opened at {ticket.integration}; agents see what the order is about."


# Customers who may be one person.


@page("customers.view_mergesuggestion")
def merges(request: HttpRequest) -> HttpResponse:
    """Pairs of profiles that somebody holds for one person, the newest first; not those that are one meanwhile."""
    person = {name: Coalesce(f"{name}__merged_into", f"{name}_id") for name in ("first", "second")}
    waiting = MergeSuggestion.objects.filter(state=MergeSuggestion.State.OPEN).select_related("first", "second")
    waiting = waiting.alias(one=person["first"], other=person["second"]).exclude(one=F("other"))
    context = {"slice": cut(waiting, ("-id",), request.GET, asked.PAGE_SIZE), "filters": asked.Filters(request)}
    return show(request, "merges.html", "One person?", context)


@page("customers.change_mergesuggestion", "POST")
def decide_merge(request: HttpRequest, key: int, verb: str) -> HttpResponse:
    """Say whether two profiles are one person; whoever merges or parts them needs the right to."""
    if verb not in DECISIONS:
        raise Http404(f"there is no verb {verb}")
    if verb != "reject" and not request.user.has_perm("customers.add_customermerge"):
        raise PermissionDenied(f"{request.user} may not merge customers")
    attempt(request, lambda: _decide(key, verb, actor(request)))
    return back(request, reverse("console:merges"))


DECISIONS = {
    "accept": "They are one person now. Nothing was moved or overwritten; unmerge them and all is as it was.",
    "reject": "Noted; this pair is not suggested again. Better evidence may still join them.",
    "keep-apart": "Noted as two persons; no evidence joins them, and this pair is not suggested again.",
}


def _decide(key: int, verb: str, who: str) -> str:
    suggestions.decide(key, are_one=verb == "accept", actor=who, keep_apart=verb == "keep-apart")
    return DECISIONS[verb]
