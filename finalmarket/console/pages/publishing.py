"""Publishing: our listings that an account's platform does not have yet, and having them made there."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from finalmarket.channels.listing import with_prices
from finalmarket.channels.models import ChannelProduct
from finalmarket.console import finding
from finalmarket.console.counting import bounded_count
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import attempt, back, page, show
from finalmarket.console.pages.integrations import CHANGE
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.integrations.publishing import MOST_AT_ONCE, can_publish, first_to_publish, publish, unpublished

MOST_NAMED = 5


class UnpublishedFilters(asked.Filters):
    """What the list of what is not there yet can be narrowed by."""

    q = asked.text("Search", "SKU, barcode or product title")


@page("integrations.view_unlinkedlisting")
def to_publish(request: HttpRequest, key: int) -> HttpResponse:
    """Our listings that do not stand on the platform, the newest first."""
    account = get_object_or_404(ChannelIntegration.objects.select_related("sales_channel"), pk=key)
    filters = UnpublishedFilters(request)
    rows = _matching(account, filters.given.get("q", ""))
    _, count = bounded_count(rows)
    related = rows.select_related("variant__product", "sales_channel").prefetch_related(*with_prices())
    context = {
        "account": account,
        "filters": filters,
        "count": count,
        "most": MOST_AT_ONCE,
        "takes_new": can_publish(account),
        "slice": cut(related, ("-id",), request.GET, asked.PAGE_SIZE),
    }
    return show(request, "to_publish.html", f"Not on {account} yet", context)


@page(CHANGE, "POST")
def publish_listings(request: HttpRequest, key: int) -> HttpResponse:
    """Have the chosen listings made there, or the newest of all that match and can be made."""
    account = get_object_or_404(ChannelIntegration, pk=key)
    attempt(request, lambda: _publish(request, account))
    return back(request, reverse("console:to_publish", args=[key]))


def _matching(account: ChannelIntegration, text: str) -> QuerySet[ChannelProduct]:
    found = unpublished(account)
    return found.filter(variant__in=finding.variants(text)) if text else found


def _publish(request: HttpRequest, account: ChannelIntegration) -> str:
    keys = request.POST.getlist("listing")[: asked.PAGE_SIZE]
    if "all" in request.POST:
        text = request.POST.get("q", "").replace("\x00", "")
        chosen = first_to_publish(account, _matching(account, text))
    elif keys and all(key.isascii() and key.isdigit() and len(key) < 19 for key in keys):
        chosen = [int(key) for key in keys]
    else:
        raise ValidationError("Choose the listings first.")
    done = publish(account, chosen, actor=request.user.get_username())
    moment = "a worker makes them there now" if account.push_from else "they are made there once telling has begun"
    words = f"On the way: {done.count}; {moment}." if done.count else "Nothing is on the way."
    refused = [f"{sku}: {reason}" for sku, reason in done.refused.items()]
    if refused:
        words += f" Not published: {len(refused)}. " + "; ".join(refused[:MOST_NAMED])
    return words + (" ..." if len(refused) > MOST_NAMED else "")
