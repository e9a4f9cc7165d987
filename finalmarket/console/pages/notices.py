"""Notices: what an operator should know, unread until they say so, and what they want to hear of by mail."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from finalmarket.advice import notices, notices_mail
from finalmarket.advice.models import NoticeMail, NoticeWish
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import attempt, back, page, show
from finalmarket.kernel.plural import plural

# Who may see one kind of notices may see the page, with these alone.
PERMISSION = "stock.view_stockalert|integrations.view_channelintegration|analytics.view_channelanalytics"
PLACES = {"variant": "console:sku", "channel": "console:channel", "integration": "console:integration"}
MOST_KEY_DIGITS = 18


class NoticeFilters(asked.Filters):
    """What notices can be narrowed by."""

    kind = asked.choice("Kind", "Every kind", [])
    urgent = asked.choice("Urgency", "All", [(notices.URGENT, "Urgent"), (notices.NORMAL, "When you look")])
    state = asked.choice("State", "Open", [("unread", "Unread"), ("closed", "Not so any more")])

    def __init__(self, request: HttpRequest, kinds: list[tuple[str, str]]) -> None:
        super().__init__(request)
        self.fields["kind"] = asked.choice("Kind", "Every kind", kinds)
        self.full_clean()


@page(PERMISSION)
def list_notices(request: HttpRequest) -> HttpResponse:
    """The user's notices, newest first, and their wishes."""
    user = _user(request)
    kinds = [(kind, one.title) for kind, one in notices.sources().items() if user.has_perm(one.permission)]
    filters = NoticeFilters(request, kinds)
    state = filters.given.get("state")
    chosen = notices.notices_for(user, unread_only=state == "unread").filter(closed_at__isnull=state != "closed")
    if kind := filters.given.get("kind"):
        chosen = chosen.filter(kind=kind)
    if urgency := filters.given.get("urgent"):
        chosen = chosen.filter(urgency=urgency)
    found = cut(chosen, ("-opened_at", "-id"), request.GET, asked.PAGE_SIZE)
    wishes = {one.kind: one for one in NoticeWish.objects.filter(user_id=user.pk)}
    context = {
        "filters": filters, "slice": found, "rows": [(one, _address(one.about)) for one in found.rows],
        "kinds": dict(kinds), "wishes": [(kind, title, wishes.get(kind)) for kind, title in kinds],
        "ways": NoticeWish.Mail.choices, "can_mail": notices_mail.can_mail(), "address": user.email,
        "mails": NoticeMail.objects.filter(user_id=user.pk).order_by("-pk")[:5],
    }  # fmt: skip
    return show(request, "notices.html", "Notices", context)


@page(PERMISSION, "POST")
def read_notices(request: HttpRequest) -> HttpResponse:
    """Note the chosen notices as read, or all of the user's."""
    keys = [key for key in request.POST.getlist("notice") if key.isascii() and key.isdigit()]
    chosen = [int(key) for key in keys if len(key) <= MOST_KEY_DIGITS]
    wanted = None if "all" in request.POST else chosen
    attempt(request, lambda: plural(notices.mark_read(_user(request), wanted), "notice is read.", "notices are read."))
    return back(request, reverse("console:notices"))


@page(PERMISSION, "POST")
def wish_notices(request: HttpRequest, kind: str) -> HttpResponse:
    """Note what the user wants to hear of one kind."""
    known = notices.sources().get(kind)
    if known is None:
        raise Http404(f"there are no notices of the kind {kind}")
    if not request.user.has_perm(known.permission):
        raise PermissionDenied(f"{request.user} may not see {kind}")
    attempt(request, lambda: _wish(request, kind, known.title))
    return back(request, reverse("console:notices"))


def _wish(request: HttpRequest, kind: str, title: str) -> str:
    kept = notices.wish(
        _user(request), kind, mail=request.POST.get("mail", ""), is_muted=bool(request.POST.get("muted"))
    )
    said = "muted" if kept.is_muted else kept.get_mail_display().lower()
    return f"{title}: {said}."


def _user(request: HttpRequest) -> AbstractUser:
    return cast("AbstractUser", request.user)


def _address(about: str) -> str:
    """Where in the console the record is that a notice is about, "" where it has no page."""
    kind, _, key = about.partition(":")
    return reverse(PLACES[kind], args=[int(key)]) if kind in PLACES and key.isdigit() else ""
