"""What a person may ask of us: to see all that is kept of them, to be erased, and to say yes or no."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse

from finalmarket.channels.models import SalesChannel
from finalmarket.console.pages.frame import actor, attempt, page, show
from finalmarket.console.typed import number_of
from finalmarket.customers import consents
from finalmarket.customers.models import Consent, OmnichannelCustomer, PrivacyRequest
from finalmarket.customers.persons import members
from finalmarket.customers.preferences import view
from finalmarket.customers.survivorship import shown
from finalmarket.integrations.privacy import erase, export
from finalmarket.kernel.errors import UserError

SEEN = "customers.view_omnichannelcustomer"
ASKED = "customers.add_privacyrequest"
ERASED = "customers.delete_omnichannelcustomer"
CONSENTED = "customers.add_consent"
MOST_SHOWN = 50


@page(SEEN)
def privacy(request: HttpRequest, key: int) -> HttpResponse:
    """Consents and preferences of a person, what was asked for, and the verbs."""
    profiles = members(key)
    if not profiles:
        raise Http404(f"there is no customer {key}")
    said = Consent.objects.filter(customer__in=profiles).select_related("sales_channel")
    context: dict[str, Any] = {
        "person": shown(key),
        "erased_at": OmnichannelCustomer.objects.get(pk=profiles[0]).erased_at,
        "preferences": sorted(view(key).items()),
        "consents": said.order_by("-at", "-pk")[:MOST_SHOWN],
        "requests": PrivacyRequest.objects.filter(person_id__in=profiles)[:MOST_SHOWN],
        "channels": SalesChannel.objects.order_by("name"),
        "may_ask": request.user.has_perm(ASKED),
        "may_erase": request.user.has_perm(ASKED) and request.user.has_perm(ERASED),
        "may_consent": request.user.has_perm(CONSENTED),
    }
    return show(request, "privacy.html", f"{context['person']}: privacy", context)


@page(ASKED, "POST")
def export_person(request: HttpRequest, key: int) -> StreamingHttpResponse:
    """Everything about a person as a JSON file; written down with who asked for it."""
    try:
        pieces = export.export(key, actor=actor(request), source="console")
    except UserError as error:
        raise Http404(str(error)) from error
    ready = PrivacyRequest.objects.filter(
        kind=PrivacyRequest.Kind.EXPORT, state=PrivacyRequest.State.READY, person_id__in=members(key)
    )
    ready.update(state=PrivacyRequest.State.DONE)
    headers = {"Content-Disposition": f'attachment; filename="customer-{key}.json"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(pieces, content_type="application/json", headers=headers)


@page(ASKED, "GET", "HEAD", "POST")
def erase_person(request: HttpRequest, key: int) -> HttpResponse:
    """The second look: what goes and what stays; then, when the number is typed again, the erasure itself."""
    if not request.user.has_perm(ERASED):
        raise PermissionDenied(f"{request.user} may not {ERASED}")
    if not members(key):
        raise Http404(f"there is no customer {key}")
    if request.method != "POST":
        return show(request, "erase.html", "Erase for good?", {"person": shown(key), "key": key})
    attempt(request, lambda: _erase(request, key), is_whole=False)
    return HttpResponseRedirect(reverse("console:privacy", args=[key]))


def _erase(request: HttpRequest, key: int) -> str:
    if request.POST.get("number", "").strip() != str(key):
        raise ValidationError(f"Type the customer's number, {key}, to erase them.")
    at_once = request.POST.get("at_once") == "on"
    done = erase.erase(key, actor=actor(request), source="console", at_once=at_once)
    orders = erase.waits_for(done)
    if orders:
        return f"Written down: it waits for {orders}, and is then done by itself."
    return "Erased. The books stay; the person is gone."


@page(CONSENTED, "POST")
def say_consent(request: HttpRequest, key: int) -> HttpResponse:
    """Write into the ledger what a person said to somebody of the staff."""
    if not members(key):
        raise Http404(f"there is no customer {key}")
    attempt(request, lambda: _say(request, key))
    return HttpResponseRedirect(reverse("console:privacy", args=[key]))


def _say(request: HttpRequest, key: int) -> str:
    chosen, proof = request.POST.get("channel", ""), request.POST.get("proof", "").strip()
    channel = number_of(chosen)
    if chosen and not SalesChannel.objects.filter(pk=channel).exists():
        raise ValidationError("There is no such channel.")
    if not proof:
        raise ValidationError("Say what proves it: a letter, a call with its date.")
    is_granted = request.POST.get("word") == "yes"
    consents.say(
        key, request.POST.get("purpose", ""), is_granted, channel_id=channel or None,
        source=f"console: {actor(request)}", proof={"words": proof[:500]},
    )  # fmt: skip
    return "Written down."
