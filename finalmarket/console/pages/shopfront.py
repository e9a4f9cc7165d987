"""The shop of a channel: its publishable keys, and its kiosks."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import never_cache

from finalmarket.access import shop_devices, shop_keys
from finalmarket.access.models import ShopDevice, ShopKey
from finalmarket.channels.models import SalesChannel
from finalmarket.console.pages.frame import actor, attempt, back, page, show
from finalmarket.integrations.connect import public_address
from finalmarket.stock.models import StockLocation

VIEW, CHANGE = "access.view_shopkey", "access.change_shopkey"
MOST_ROWS = 100
MOST_DIGITS = 18
PLACES = {ShopKey.Kind.WEB: "shop", ShopKey.Kind.APP: "app", ShopKey.Kind.DEVICE: "kiosk"}


@never_cache
@page(VIEW)
def shopfront(request: HttpRequest, key: int) -> HttpResponse:
    """The keys of a channel, and the kiosks that were paired with it."""
    return _shown(request, get_object_or_404(SalesChannel, pk=key))


@never_cache
@page(CHANGE, "POST")
def change_shopfront(request: HttpRequest, key: int, verb: str) -> HttpResponse:
    """Carry out one of VERBS. A code is shown in this answer alone, not in a message that would wait in a cookie."""
    channel = get_object_or_404(SalesChannel, pk=key)
    made: list[str] = []
    attempt(request, lambda: VERBS[verb](request, channel, made) if verb in VERBS else _unknown(verb))
    return _shown(request, channel, made[0]) if made else back(request, reverse("console:shopfront", args=[key]))


def address_of(channel: SalesChannel) -> str:
    """Where the channel's own shop is served; "" where it has none. One query."""
    row = shop_keys.working(channel) if channel.status == SalesChannel.Status.ACTIVE else None
    return f"/{PLACES[ShopKey.Kind(row.kind)]}/{channel.slug}/" if row else ""


def _shown(request: HttpRequest, channel: SalesChannel, code: str = "") -> HttpResponse:
    places = dict(StockLocation.objects.filter(is_active=True).order_by("name").values_list("pk", "name"))
    keys = ShopKey.objects.filter(sales_channel=channel)[:MOST_ROWS]
    devices = ShopDevice.objects.filter(sales_channel=channel).order_by("-id")[:MOST_ROWS]
    context = {
        "channel": channel, "code": code, "keys": [{"row": one, "is_over": shop_keys.is_over(one)} for one in keys],
        "kinds": ShopKey.Kind.choices, "kind": shop_keys.KIND_OF_TYPE.get(channel.channel_type, ShopKey.Kind.WEB),
        "devices": [
            {"row": one, "state": shop_devices.state_of(one), "place": places.get(one.location_id or 0, "")}
            for one in devices
        ],
        "places": places.items(), "address": address_of(channel),
        "api": (public_address("") or f"{request.scheme}://{request.get_host()}") + "/api/shop/v1",
    }  # fmt: skip
    return show(request, "shopfront.html", f"Shop of {channel}", context)


def _open(request: HttpRequest, channel: SalesChannel, made: list[str]) -> str:
    origins = [one for one in request.POST.get("origins", "").split() if one]
    row = shop_keys.create(channel, kind=request.POST.get("kind", ""), origins=origins, actor=actor(request))
    return f"{row.get_kind_display()} of {channel} sell by {row.key} from now on."


def _end(request: HttpRequest, channel: SalesChannel, made: list[str]) -> str:
    row = get_object_or_404(ShopKey, pk=_number(request, "key"), sales_channel=channel)
    return f"{shop_keys.end(row.pk).key} is of no use any more."


def _pair(request: HttpRequest, channel: SalesChannel, made: list[str]) -> str:
    place = _number(request, "place") if request.POST.get("place") else None
    if place is not None and not StockLocation.objects.filter(pk=place, is_active=True).exists():
        raise ValidationError("Choose a location from the list.")
    name = request.POST.get("name", "")
    row, code = shop_devices.open_pairing(channel, name, location_id=place, actor=actor(request))
    made.append(code)
    return f"{row} waits for its code."


def _code(request: HttpRequest, channel: SalesChannel, made: list[str]) -> str:
    row, code = shop_devices.new_code(_device(request, channel).pk)
    made.append(code)
    return f"{row} waits for its new code."


def _end_device(request: HttpRequest, channel: SalesChannel, made: list[str]) -> str:
    return f"{shop_devices.end(_device(request, channel).pk)} is let in no more."


def _unknown(verb: str) -> str:
    raise ValidationError(f"The shop of a channel cannot be told to {verb}.")


def _device(request: HttpRequest, channel: SalesChannel) -> ShopDevice:
    return get_object_or_404(ShopDevice, pk=_number(request, "device"), sales_channel=channel)


def _number(request: HttpRequest, name: str) -> int:
    given = request.POST.get(name, "")
    if not (given.isascii() and given.isdigit() and len(given) <= MOST_DIGITS):
        raise ValidationError("Choose one from the list.")
    return int(given)


Verb = Callable[[HttpRequest, SalesChannel, list[str]], str]
VERBS: dict[str, Verb] = {"open": _open, "end": _end, "pair": _pair, "code": _code, "end-device": _end_device}
