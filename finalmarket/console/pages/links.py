"""Adopting what an account sells already: look through it, confirm guesses, see what would change, then begin."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from finalmarket.catalog.models import Variant
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import attempt, back, page, show
from finalmarket.console.pages.integrations import CHANGE
from finalmarket.integrations import adopt, before_pushing
from finalmarket.integrations.models import ChannelIntegration, ItemLink, ListingLink, UnlinkedListing
from finalmarket.kernel.errors import UserError, sentence
from finalmarket.kernel.plural import plural
from finalmarket.stock.models import StockLocation

MOST_CHANGES = 500


class UnlinkedFilters(asked.Filters):
    """What the list of what stands there can be narrowed by."""

    state = asked.choice("State", "Not linked", [("ignored", "Ignored"), ("linked", "Linked")])
    q = asked.text("Search", "title or SKU on the platform")


@page("integrations.view_unlinkedlisting")
def links(request: HttpRequest, key: int) -> HttpResponse:
    """What stands on the platform and is not linked, the newest first, each with our best guess."""
    account = get_object_or_404(ChannelIntegration, pk=key)
    filters = UnlinkedFilters(request)
    found = UnlinkedListing.objects.filter(integration=account, state=filters.given.get("state", "open"))
    if text := filters.given.get("q"):
        found = found.filter(title__icontains=text) | found.filter(external_sku__icontains=text)
    rows = found.select_related("suggested_variant__product")
    context = {
        "account": account,
        "filters": filters,
        "linked": account.links.count(),
        "open": UnlinkedListing.objects.filter(integration=account, state="open").count(),
        "locations": StockLocation.objects.order_by("name"),
        "slice": cut(rows, ("-id",), request.GET, asked.PAGE_SIZE),
    }
    return show(request, "links.html", f"Listings on {account}", context)


@page("integrations.view_unlinkedlisting")
def dry_run(request: HttpRequest, key: int) -> HttpResponse:
    """What telling would change on the platform now; nothing is told."""
    account = get_object_or_404(ChannelIntegration, pk=key)
    changes: list[before_pushing.Change] = []
    trouble = ""
    try:
        changes = before_pushing.dry_run(account)
    except UserError as error:
        trouble = sentence(str(error))
    context = {"account": account, "changes": changes[:MOST_CHANGES], "count": len(changes), "trouble": trouble}
    return show(request, "dry_run.html", f"What would change on {account}", context)


@page(CHANGE, "POST")
def adopt_verb(request: HttpRequest, key: int, verb: str) -> HttpResponse:
    """Look through the account, or take over its stock."""
    account = get_object_or_404(ChannelIntegration, pk=key)
    verbs: dict[str, Callable[[], str]] = {
        "look-through": lambda: _look_through(account),
        "opening-stock": lambda: _opening_stock(request, account),
    }
    attempt(request, verbs.get(verb, lambda: _refuse(f"It cannot {verb}.")))
    return back(request, reverse("console:links", args=[key]))


@page("integrations.change_unlinkedlisting", "POST")
def link_verb(request: HttpRequest, key: int, verb: str) -> HttpResponse:
    """Link one listing, leave it alone, or make a product of it."""
    one = get_object_or_404(UnlinkedListing, pk=key)
    actor = request.user.get_username()
    verbs: dict[str, Callable[[], str]] = {
        "link": lambda: f"Linked to {_sku_of(adopt.link(one.pk, _named(request), actor=actor))}.",
        "ignore": lambda: f"{adopt.ignore(one.pk)} is left alone.",
        "create": lambda: f"{adopt.create_product_from(one.pk, actor=actor).sku} is a product of ours now, and linked.",
    }
    attempt(request, verbs.get(verb, lambda: _refuse(f"It cannot {verb}.")))
    return back(request, reverse("console:links", args=[one.integration_id]))


def _sku_of(link: ListingLink | ItemLink) -> str:
    variant = link.variant if isinstance(link, ItemLink) else link.listing.variant
    return str(variant.sku)


def _look_through(account: ChannelIntegration) -> str:
    found = adopt.look_through(account)
    return (
        f"{plural(found.seen, 'listing')} seen: {found.by_sku} linked by SKU, {found.by_barcode} by barcode, "
        f"{found.guessed} with a guess to confirm, {found.unknown} unknown."
    )


def _opening_stock(request: HttpRequest, account: ChannelIntegration) -> str:
    chosen = request.POST.get("location", "")
    location = StockLocation.objects.filter(pk=int(chosen)).first() if chosen.isascii() and chosen.isdigit() else None
    if location is None:
        raise ValidationError("Choose the location whose shelf is to be filled.")
    units = account.take_opening_stock(location, actor=request.user.get_username())
    return f"{plural(units, 'unit lies', 'units lie')} at {location} now, as the platform showed them."


def _named(request: HttpRequest) -> Variant | None:
    """The variant that was named in place of the guess, or None for the guess."""
    sku = request.POST.get("sku", "").strip()
    if not sku:
        return None
    variant = Variant.objects.filter(sku=sku).first()
    if variant is None:
        raise ValidationError(f"There is no variant with the SKU {sku}.")
    return variant


def _refuse(words: str) -> str:
    raise ValidationError(words)
