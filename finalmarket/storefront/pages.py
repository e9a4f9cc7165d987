"""The pages of a shop, as web pages and as an app: catalogue, product, cart, checkout, order, account."""

from __future__ import annotations

from typing import Any

from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.utils.translation import gettext as _

from finalmarket import __version__
from finalmarket.stock import shelf
from finalmarket.storefront.frame import Front, front, show

PAGE_SIZE = 24
MOST_DIGITS = 18
ACCENT = "#1f6f4a"


@front
def catalogue(request: HttpRequest, shop: Front) -> HttpResponse:
    """The goods of the shop, by category or by what is searched for."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[: shelf.LONGEST_TEXT]
    category, after = _number(request, "category"), _number(request, "after")
    rows = shelf.products_of(shop.channel, text=text, category=category).filter(pk__gt=after or 0).order_by("pk")
    products = list(rows[: PAGE_SIZE + 1])
    categories = shelf.categories_of(shop.channel)
    chosen = next((one for one in categories if one.pk == category), None)
    return show(
        request, shop, "catalogue", chosen.name if chosen else text or shop.channel.name,
        goods=shelf.goods(shop.channel, products[:PAGE_SIZE]), text=text, chosen=chosen,
        categories=[one for one in categories if one.parent_id == category],
        after=products[PAGE_SIZE - 1].pk if len(products) > PAGE_SIZE else None,
    )  # fmt: skip


@front
def product(request: HttpRequest, shop: Front, product: str) -> HttpResponse:
    """One product, with what can be put into the cart."""
    found = shelf.goods(shop.channel, list(shelf.products_of(shop.channel).filter(slug=product)))
    if not found:
        raise Http404("the shop does not sell this now")
    return show(request, shop, "product", found[0].title, one=found[0])


@front
def cart(request: HttpRequest, shop: Front) -> HttpResponse:
    """The cart."""
    return show(request, shop, "cart", _("Cart"))


@front
def checkout(request: HttpRequest, shop: Front) -> HttpResponse:
    """Address, delivery and payment."""
    return show(request, shop, "checkout", _("Checkout"))


@front
def order(request: HttpRequest, shop: Front) -> HttpResponse:
    """Thanks, and how the order stands. Which order it is stands behind the # of the address, and is not sent to us."""
    return show(request, shop, "order", _("Your order"))


@front
def account(request: HttpRequest, shop: Front) -> HttpResponse:
    """Signing in, wishes, orders."""
    return show(request, shop, "account", _("Account"))


@front
def offline(request: HttpRequest, shop: Front) -> HttpResponse:
    """What the app shows without a network, of pages that it has not seen yet."""
    return show(request, shop, "offline", _("No network"))


@front
def manifest(request: HttpRequest, shop: Front) -> HttpResponse:
    """What a phone has to know to install the app."""
    home = shop.address("catalogue")
    icons: list[dict[str, Any]] = [
        {"src": static("storefront/icon.svg"), "sizes": "any", "type": "image/svg+xml"},
        {"src": static("storefront/icon-192.png"), "sizes": "192x192", "type": "image/png"},
        {"src": static("storefront/icon-512.png"), "sizes": "512x512", "type": "image/png", "purpose": "any maskable"},
    ]
    told = {
        "id": home, "name": shop.channel.name, "short_name": shop.channel.name[:12], "start_url": home, "scope": home,
        "display": "standalone", "theme_color": ACCENT, "background_color": "#faf9f6", "icons": icons,
    }  # fmt: skip
    return JsonResponse(told, content_type="application/manifest+json")


@front
def worker(request: HttpRequest, shop: Front) -> HttpResponse:
    """The script that keeps the app's shell; it stands below the app's address, which is all that it may look at."""
    path = finders.find("storefront/worker.js")
    with open(str(path), encoding="utf-8") as file:
        script = file.read().replace("VERSION_OF_THE_HOUSE", __version__)
    return HttpResponse(script, content_type="text/javascript; charset=utf-8")


@front
def kiosk(request: HttpRequest, shop: Front) -> HttpResponse:
    """The touch page of a kiosk; everything in it happens by the shopper's API."""
    return show(request, shop, "kiosk", shop.channel.name)


def _number(request: HttpRequest, name: str) -> int | None:
    given = request.GET.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= MOST_DIGITS else None
