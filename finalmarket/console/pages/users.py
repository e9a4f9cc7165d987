"""Who may come in, as what, and where they work. For owners alone."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.mail import send_mail
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import never_cache

from finalmarket.access import roles, staff
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import attempt, back, page, show
from finalmarket.stock.models import StockLocation

CHANGE = "auth.change_user"
MOST_PLACES = 500
Link = tuple[str, str]


@never_cache
@page(CHANGE)
def users(request: HttpRequest) -> HttpResponse:
    """Everybody who can log in, and a form for one more."""
    _owner_only(request)
    return _shown(request)


@never_cache
@page(CHANGE, "POST")
def invite_user(request: HttpRequest) -> HttpResponse:
    """Make a log-in; its link is mailed where that can be, and shown this once."""
    _owner_only(request)
    made: list[str] = []

    def verb() -> str:
        user = staff.invite(
            request.POST.get("name", ""), request.POST.get("email", ""), request.POST.get("role", ""), _places(request)
        )
        made.append(_link(request, user, staff.password_link(user)))
        return f"{user} is invited."

    attempt(request, verb)
    return _shown(request, made[0]) if made else back(request, reverse("console:users"))


@never_cache
@page(CHANGE, "POST")
def change_user(request: HttpRequest, key: int, verb: str) -> HttpResponse:
    """Carry out one of VERBS on a log-in."""
    _owner_only(request)
    if verb not in VERBS:
        raise Http404(f"there is no verb {verb}")
    user = get_object_or_404(User, pk=key)
    made: list[str] = []
    attempt(request, lambda: VERBS[verb](request, user, made))
    return _shown(request, made[0]) if made else back(request, reverse("console:users"))


def _owner_only(request: HttpRequest) -> None:
    if not roles.is_owner(request.user):
        raise PermissionDenied(f"{request.user} is no owner")


def _shown(request: HttpRequest, link: str = "") -> HttpResponse:
    slice_ = cut(_people(), ("username", "id"), request.GET, asked.PAGE_SIZE)
    locations = list(StockLocation.objects.filter(is_active=True).order_by("priority", "id")[:MOST_PLACES])
    names = {place.pk: place.name for place in locations}
    rows = []
    for user in slice_.rows:
        known = [roles.BY_NAME[group.name] for group in user.groups.all() if group.name in roles.BY_NAME]
        own = [group.name for group in user.groups.all() if group.name not in roles.BY_NAME]
        binding = getattr(user, "binding", None)
        places = [names.get(place, f"location {place}") for place in (binding.location_ids if binding else [])]
        rows.append({
            "user": user, "role": known[0] if known else (roles.OWNER if user.is_superuser else None), "own": own,
            "places": places, "place_ids": binding.location_ids if binding else [],
            "waits": not user.has_usable_password(),
        })  # fmt: skip
    context = {
        "rows": rows, "slice": slice_, "roles": roles.ROLES, "locations": locations, "link": link,
        "filters": asked.Filters(request), "sends_mail": settings.MAIL_IS_SET,
    }  # fmt: skip
    return show(request, "users.html", "Users", context)


def _people() -> QuerySet[User]:
    return User.objects.filter(is_staff=True).select_related("binding").prefetch_related("groups")


def _link(request: HttpRequest, user: User, words: Link) -> str:
    """The address at which the person chooses a password; mailed to them where that can be."""
    address = request.build_absolute_uri(reverse("console:welcome", args=words))
    if user.email and settings.MAIL_IS_SET:
        text = f"Choose your password for The Final Market, within three days:\n\n{address}\n\nYour name is {user}.\n"
        send_mail("[The Final Market] Come in", text, None, [user.email], fail_silently=True)
    return address


def _places(request: HttpRequest) -> list[int]:
    given = [key for key in request.POST.getlist("place") if key.isascii() and key.isdigit() and len(key) < 19]
    return list(StockLocation.objects.filter(pk__in=[int(key) for key in given]).values_list("pk", flat=True))


def _assign(request: HttpRequest, user: User, made: list[str]) -> str:
    _not_oneself(request, user)
    role = request.POST.get("role", "")
    roles.assign(user, role, _places(request))
    return f"{user} is {roles.BY_KEY[role].name.lower()} now." if role else f"{user} has no role now."


def _let_go(request: HttpRequest, user: User, made: list[str]) -> str:
    _not_oneself(request, user)
    staff.let_go(user)
    return f"{user} is let in no more."


def _let_back(request: HttpRequest, user: User, made: list[str]) -> str:
    staff.let_back(user)
    return f"{user} may come in again."


def _reset(request: HttpRequest, user: User, made: list[str]) -> str:
    _not_oneself(request, user)
    made.append(_link(request, user, staff.reset_password(user)))
    return f"The password of {user} is of no use any more."


def _not_oneself(request: HttpRequest, user: User) -> None:
    if user.pk == request.user.pk:
        raise ValidationError("That is yourself: let another owner do it.")


VERBS: dict[str, Callable[[HttpRequest, User, list[str]], str]] = {
    "role": _assign,
    "let-go": _let_go,
    "let-back": _let_back,
    "reset": _reset,
}
