"""What all pages of a shop share: which channel it is, what the page is told of it, and what it may load.

A page is the same for everybody: who somebody is, their cart and their orders come by the shopper's API. So it may be
kept by an app, and nothing is read from a cookie.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from finalmarket.access import shop_keys
from finalmarket.access.shop_models import ShopKey
from finalmarket.channels.models import SalesChannel
from finalmarket.journeys.models import WriteKey

POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' https: data:",
        "connect-src 'self'", "manifest-src 'self'", "worker-src 'self'", "form-action 'self'", "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)  # fmt: skip
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=()"
KINDS = {"shop": ShopKey.Kind.WEB, "app": ShopKey.Kind.APP, "kiosk": ShopKey.Kind.DEVICE}
"""Under which address a shop is served, by the kind of its key."""


@dataclass(frozen=True, slots=True)
class Front:
    """One shop as it is served: its channel, its publishable key, and where (shop, app or kiosk)."""

    channel: SalesChannel
    key: str
    place: str

    def address(self, name: str, **named: Any) -> str:
        """The address of one of its pages."""
        return reverse(f"storefront:{name}", kwargs={"place": self.place, "slug": self.channel.slug, **named})


View = Callable[..., HttpResponse]


def front(view: View) -> View:
    """Serve a page of the shop that the address names, if its channel has a publishable key of that kind."""

    @require_safe
    @wraps(view)
    def opened(request: HttpRequest, slug: str, place: str = "kiosk", **named: Any) -> HttpResponse:
        answer = view(request, _front(slug, place), **named)
        answer.headers["Content-Security-Policy"] = POLICY
        answer.headers["Permissions-Policy"] = PERMISSIONS
        answer.headers.setdefault("Cache-Control", "no-cache")
        return answer

    return opened


def _front(slug: str, place: str) -> Front:
    found = SalesChannel.objects.filter(slug=slug).first()
    if found is None and slug.isascii() and slug.isdigit() and len(slug) < 19:
        found = SalesChannel.objects.filter(pk=int(slug)).first()
    key = shop_keys.working(found, KINDS[place]) if found is not None and found.status == "active" else None
    if found is None or key is None:
        raise Http404("there is no shop at this address")
    return Front(found, key.key, place)


def show(request: HttpRequest, shop: Front, page: str, title: str, **context: Any) -> HttpResponse:
    """Render a page of a shop."""
    write_key = WriteKey.objects.filter(sales_channel=shop.channel, ends_at=None).order_by("-id").first()
    around = {
        "shop": shop, "channel": shop.channel, "page": page, "title": title,
        "write_key": write_key.key if write_key else "", "is_app": shop.place == "app",
        "home": shop.address("catalogue") if shop.place != "kiosk" else "",
    }  # fmt: skip
    return render(request, f"storefront/{page}.html", {**around, **context})
