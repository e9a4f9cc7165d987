"""Goods on their way between locations: written down, sent, received in parts, closed."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, F, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from finalmarket.access.roles import may_work_at
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import actor, attempt, back, page, places, show
from finalmarket.console.typed import units_of
from finalmarket.console.typed_lines import units_by_variant
from finalmarket.stock import transfers as verbs
from finalmarket.stock.models import StockLocation, Transfer


class TransferForm(forms.Form):
    """What is to be sent, from where to where."""

    source = forms.ModelChoiceField(StockLocation.objects.filter(is_active=True), label="From")
    destination = forms.ModelChoiceField(StockLocation.objects.filter(is_active=True), label="To")
    reference = forms.CharField(label="Reference", max_length=100, required=False)
    lines = forms.CharField(
        label="SKUs and units, one a line", max_length=50_000,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "placeholder": "TEA-250 12"}),
    )  # fmt: skip


class TransferFilters(asked.Filters):
    """What the list can be narrowed by."""

    state = asked.choice("State", "All states", list(Transfer.State.choices))


@page("stock.view_transfer", is_of_places=True)
def transfers(request: HttpRequest) -> HttpResponse:
    """All transfers, newest first, and a form for one more."""
    return _listed(request, TransferForm())


def _listed(request: HttpRequest, form: TransferForm, *, status: int = 200) -> HttpResponse:
    filters = TransferFilters(request)
    chosen = _seen(request).select_related("source", "destination").annotate(
        skus=Count("lines"), units=Sum("lines__quantity"), arrived=Sum("lines__received_quantity")
    )  # fmt: skip
    if state := filters.given.get("state"):
        chosen = chosen.filter(state=state)
    context = {"filters": filters, "slice": cut(chosen, ("-id",), request.GET, asked.PAGE_SIZE), "form": form}
    return show(request, "transfers.html", "Transfers", context, status=status)


def _seen(request: HttpRequest) -> QuerySet[Transfer]:
    """Those that begin or end where the person works."""
    own = places(request)
    if own is None:
        return Transfer.objects.all()
    return Transfer.objects.filter(Q(source__in=sorted(own)) | Q(destination__in=sorted(own)))


@page("stock.add_transfer", "POST", is_of_places=True)
def draft_transfer(request: HttpRequest) -> HttpResponse:
    """Write a transfer down; nothing moves yet."""
    form = TransferForm(request.POST)
    made: list[int] = []

    def verb() -> str:
        if not form.is_valid():
            raise ValidationError(
                [f"{form[name].label}: {' '.join(map(str, texts))}" for name, texts in form.errors.items()]
            )
        given = form.cleaned_data
        source, destination = given["source"], given["destination"]
        if not (may_work_at(request.user, source.pk) or may_work_at(request.user, destination.pk)):
            raise PermissionDenied(f"{request.user} works at neither of them")
        lines = list(units_by_variant(given["lines"]).items())
        made.append(verbs.draft(source.pk, destination.pk, lines, reference=given["reference"]).pk)
        return "Written down. Nothing moves until it is sent."

    if attempt(request, verb):
        return HttpResponseRedirect(reverse("console:transfer", args=made))
    return _listed(request, form, status=400)


@page("stock.view_transfer", is_of_places=True)
def transfer(request: HttpRequest, key: int) -> HttpResponse:
    """One transfer with its lines, and what can be done with it now."""
    found = get_object_or_404(_seen(request).select_related("source", "destination"), pk=key)
    lines = list(found.lines.select_related("variant__product").annotate(left=F("quantity") - F("received_quantity")))
    context = {
        "transfer": found, "lines": lines, "sends": may_work_at(request.user, found.source_id),
        "receives": may_work_at(request.user, found.destination_id),
        "has_arrived": any(line.received_quantity for line in lines),
    }  # fmt: skip
    return show(request, "transfer.html", f"Transfer {found.pk}", context)


@page("stock.change_transfer", "POST", is_of_places=True)
def change_transfer(request: HttpRequest, key: int, verb: str) -> HttpResponse:
    """Carry out one of VERBS on a transfer: the source sends and takes back, the destination receives and closes."""
    if verb not in VERBS:
        raise Http404(f"there is no verb {verb}")
    found = get_object_or_404(_seen(request), pk=key)
    act, is_of_source = VERBS[verb]
    if not may_work_at(request.user, found.source_id if is_of_source else found.destination_id):
        raise PermissionDenied(f"{request.user} does not work there")
    attempt(request, lambda: act(request, found, actor(request)))
    return back(request, reverse("console:transfer", args=[key]))


def _send(request: HttpRequest, found: Transfer, who: str) -> str:
    verbs.ship(found.pk, actor=who)
    return "The goods have left and are on their way."


def _receive(request: HttpRequest, found: Transfer, who: str) -> str:
    variants = found.lines.values_list("variant_id", flat=True)
    arrived = {variant: units for variant in variants if (units := _units(request, f"arrived-{variant}"))}
    if not arrived:
        raise ValidationError("Say how many of each have arrived.")
    seen = {variant: _units(request, f"seen-{variant}") for variant in arrived}
    done = verbs.receive(found.pk, arrived, seen=seen, actor=who)
    rest = "" if done.state == Transfer.State.RECEIVED else " The rest is still on its way."
    units = sum(arrived.values())
    return f"{units} unit{' is' if units == 1 else 's are'} on the shelf.{rest}"


def _units(request: HttpRequest, name: str) -> int:
    return units_of(request.POST.get(name, "").strip() or "0")


def _close(request: HttpRequest, found: Transfer, who: str) -> str:
    verbs.close(found.pk, reason=request.POST.get("reason", ""), actor=who)
    return "Closed: what never came is written off."


def _cancel(request: HttpRequest, found: Transfer, who: str) -> str:
    verbs.cancel(found.pk, actor=who)
    return "Cancelled: what was on its way is back at the source."


Act = Callable[[HttpRequest, Transfer, str], str]
VERBS: dict[str, tuple[Act, bool]] = {
    "send": (_send, True),
    "receive": (_receive, False),
    "close": (_close, False),
    "cancel": (_cancel, True),
}
