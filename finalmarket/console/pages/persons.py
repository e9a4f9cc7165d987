"""Who is one person: the profiles of one, what holds them together, merging with a preview, and unmerging."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from finalmarket.console import finding
from finalmarket.console.pages.frame import actor, attempt, back, page, show
from finalmarket.customers import merging
from finalmarket.customers.models import CustomerIdentity, OmnichannelCustomer, PersonChange
from finalmarket.customers.persons import members
from finalmarket.customers.preview import preview
from finalmarket.customers.survivorship import Shown, survive
from finalmarket.kernel.errors import UserError

SEEN = "customers.view_omnichannelcustomer"
DECIDED = "customers.add_customermerge"
MOST_FOUND, MOST_CHANGES = 20, 50


@page(SEEN)
def one_person(request: HttpRequest, key: int) -> HttpResponse:
    """The profiles of one person with what each is known by, what people said of them, and what evidence did."""
    profiles = _profiles(key)
    person = survive(profiles)
    known = CustomerIdentity.objects.filter(customer__in=person.profiles).order_by("-is_anchor", "kind", "value")
    by_profile: dict[int, list[CustomerIdentity]] = {}
    for identity in known:
        by_profile.setdefault(identity.customer_id, []).append(identity)
    wanted = request.GET.get("with", "").strip()
    context = {
        "person": person,
        "rows": [{"profile": profile, "identities": by_profile.get(profile.pk, [])} for profile in profiles],
        "decisions": merging.history(key)[:MOST_CHANGES],
        "changes": PersonChange.objects.filter(customer_id__in=person.profiles).order_by("-id")[:MOST_CHANGES],
        "wanted": wanted,
        "others": _others(wanted, person),
    }
    return show(request, "one_person.html", str(person), context)


def _profiles(key: int) -> list[OmnichannelCustomer]:
    found = list(OmnichannelCustomer.objects.filter(pk__in=members(key)).order_by("pk"))
    if not found:
        raise Http404(f"there is no customer {key}")
    return found


def _others(wanted: str, person: Shown) -> list[OmnichannelCustomer]:
    """Other persons that fit the words: a number of ours, an identity, a part of the name."""
    if not wanted:
        return []
    found = [pk for pk in finding.customers(wanted) if pk not in person.profiles]
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 19:
        found = [*members(int(wanted))[:1], *found]
    others = OmnichannelCustomer.objects.filter(pk__in=found, merged_into=None).exclude(pk__in=person.profiles)
    return list(others.order_by("pk")[:MOST_FOUND])


@page(DECIDED)
def merge_preview(request: HttpRequest, key: int, other: int) -> HttpResponse:
    """What a merge of two persons would make of them."""
    if not request.user.has_perm(SEEN):
        raise Http404("nothing to see here")
    try:
        context: dict[str, Any] = {"preview": preview(key, other), "key": key, "other": other}
    except UserError as error:
        raise Http404(str(error)) from error
    return show(request, "merge_preview.html", "One person?", context)


@page(DECIDED, "POST")
def merge(request: HttpRequest, key: int, other: int) -> HttpResponse:
    """Merge two persons."""
    attempt(request, lambda: _merge(request, key, other))
    return HttpResponseRedirect(reverse("console:one_person", args=[key]))


def _merge(request: HttpRequest, key: int, other: int) -> str:
    merging.merge(key, other, actor=actor(request), reason=request.POST.get("reason", ""))
    return "They are one person now. Nothing was moved or overwritten; unmerge them and all is as it was."


@page(DECIDED, "POST")
def unmerge(request: HttpRequest, key: int) -> HttpResponse:
    """Take profiles out of a person."""
    attempt(request, lambda: _unmerge(request, key))
    return back(request, reverse("console:one_person", args=[key]))


def _unmerge(request: HttpRequest, key: int) -> str:
    chosen = {int(text) for text in request.POST.getlist("profile") if text.isascii() and text.isdigit()}
    if not chosen:
        raise ValidationError("Choose the profiles that are somebody else.")
    staying = [profile for profile in members(key) if profile not in chosen]
    if not staying:
        raise ValidationError("Leave at least one profile; the others are then somebody else.")
    merging.unmerge(staying[0], chosen, actor=actor(request), reason=request.POST.get("reason", ""))
    return "They are two persons again, and stay so whatever evidence comes, until somebody merges them."
