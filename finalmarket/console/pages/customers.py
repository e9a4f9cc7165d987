"""Customers: all persons as a list, and the page of one with everything that is known of them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from finalmarket.channels.models import SalesChannel
from finalmarket.console import finding
from finalmarket.console.counting import counted_together
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.customer_timeline import KIND_WORDS, told
from finalmarket.console.pages.customer_worth import worth
from finalmarket.console.pages.frame import actor, attempt, back, page, show
from finalmarket.console.people import PEOPLE, may_see_people
from finalmarket.customers.models import CustomerIdentity, MergeSuggestion, OmnichannelCustomer
from finalmarket.customers.survivorship import SEGMENTS, Shown
from finalmarket.customers.unified import persons_of, profiles_of
from finalmarket.integrations.timeline import timeline
from finalmarket.orders.models import Order
from finalmarket.orders.one_cart import Opened, carts_of, open_cart_of, wanted_in
from finalmarket.orders.profile import bought_by
from finalmarket.orders.take_over import take_over
from finalmarket.orders.wishes import wishes

SEEN = f"{PEOPLE}|analytics.view_channelanalytics"
"""Whoever sees people sees all of it; whoever sees figures alone sees persons without anything that names them."""
TAKEN = "orders.add_order"
PAGES = ("orders.view_order", "journeys.view_crosschanneljourney")
LEFT = ("cart_left", "checkout_left")
SEGMENT_WORDS = dict(OmnichannelCustomer.Segment.choices)
ORDER = ("-id",)
MOST_IDENTITIES, MOST_SUGGESTIONS, MOST_KEY_CHARACTERS = 100, 20, 40


class CustomerFilters(asked.Filters):
    """What the list of customers can be narrowed by."""

    q = asked.text("Search", "Name, or a whole e-mail address, phone or order number")
    segment = asked.choice("Segment", "All segments", list(OmnichannelCustomer.Segment.choices))


class LifeFilters(asked.Filters):
    """What the timeline of a person can be narrowed by."""

    kind = asked.choice("What", "Everything", list(KIND_WORDS.items()))
    channel = asked.ChannelField()


@dataclass(frozen=True, slots=True)
class Row:
    """A person on the list."""

    person: Shown
    bought: dict[str, Any]


@page(SEEN)
def customers(request: HttpRequest) -> HttpResponse:
    """All persons, the newest first, by what they bought; narrowed by a search and a segment."""
    filters = CustomerFilters(request)
    sees_people = may_see_people(request.user)
    parts = _narrowed(filters.given, sees_people)
    count = counted_together(parts)
    slice_ = cut(_page_of(parts, request), ORDER, request.GET, asked.PAGE_SIZE)
    found = persons_of([row.pk for row in slice_.rows])
    bought = bought_by({person.id: person.profiles for person in found.values()})
    context = {
        "filters": filters, "slice": slice_, "count": count, "sees_people": sees_people, "segments": SEGMENT_WORDS,
        "people": [Row(found[row.pk], bought[row.pk]) for row in slice_.rows],
    }  # fmt: skip
    return show(request, "customers.html", "Customers", context)


def _narrowed(given: dict[str, Any], sees_people: bool) -> list[QuerySet[OmnichannelCustomer]]:
    """Apply the filters; return the persons in parts that have nobody in common, each of which an index serves.

    Whoever sees no people finds them by the number of an order alone: to find is to see.
    """
    everybody = OmnichannelCustomer.objects
    chosen: QuerySet[OmnichannelCustomer] = everybody.filter(merged_into=None)
    if text := given.get("q"):
        if sees_people:
            found = finding.customers(text)
        else:
            found = list(Order.objects.filter(number=text.strip()).values_list("customer", flat=True))
        persons = everybody.filter(pk__in=found).values_list(Coalesce("merged_into_id", "pk"), flat=True)
        chosen = chosen.filter(pk__in=list(persons))
    segment = given.get("segment")
    return _of_segment(chosen, segment) if segment else [chosen]


def _of_segment(chosen: QuerySet[OmnichannelCustomer], segment: str) -> list[QuerySet[OmnichannelCustomer]]:
    """A person has the highest segment of their profiles (customers/survivorship.py): of the oldest, in the order of
    the list until the page is full; or of a merged one, and those are few and read as a whole."""
    place = SEGMENTS.index(segment)
    higher, lower = SEGMENTS[:place], SEGMENTS[place + 1 :]
    merged = OmnichannelCustomer.objects.exclude(merged_into=None)
    if higher:
        chosen = chosen.exclude(Exists(merged.filter(merged_into=OuterRef("pk"), segment__in=higher)))
    theirs = merged.filter(segment=segment).values_list("merged_into", flat=True).distinct()
    return [chosen.filter(segment=segment), chosen.filter(segment__in=lower, pk__in=list(theirs))]


def _page_of(parts: list[QuerySet[OmnichannelCustomer]], request: HttpRequest) -> QuerySet[OmnichannelCustomer]:
    """Return persons among whom the page asked for is sure to be."""
    if len(parts) == 1:
        return parts[0].only("pk")
    cuts = [cut(part.only("pk"), ORDER, request.GET, asked.PAGE_SIZE + 1) for part in parts]
    return OmnichannelCustomer.objects.filter(pk__in=[row.pk for one in cuts for row in one.rows]).only("pk")


@page(SEEN)
def customer(request: HttpRequest, key: int) -> HttpResponse:
    """Everything that is known of one person: who they are, what they bought and mean to buy, what happened."""
    found = profiles_of([key])
    if key not in found:
        raise Http404(f"there is no customer {key}")
    profile, sees_people = found[key], may_see_people(request.user)
    filters = LifeFilters(request)
    kind, channel = filters.given.get("kind", ""), filters.given.get("channel", "")
    life = timeline(
        key, kinds=[kind] if kind else (), channel_id=int(channel) if channel else None,
        after=request.GET.get("after", ""),
    )  # fmt: skip
    channels = {one.pk: one for one in SalesChannel.objects.order_by("name")}
    context = {
        "heard": f"customers:{','.join(map(str, profile['profiles']))}",
        "profile": profile, "person": profile["customer"], "sees_people": sees_people,
        "is_merged": len(profile["profiles"]) > 1, "segments": SEGMENT_WORDS,
        "may": {one for one in PAGES if request.user.has_perm(one)}, "may_take": sees_people and _may_take(request),
        "is_left": (profile["last_journey"] or {}).get("outcome") in LEFT,
        "identities": _identities(profile["profiles"]) if sees_people else [],
        "suggestions": _suggestions(request, profile["profiles"]),
        "wishes": wishes(key), "channels": channels.values(), "filters": filters, "life": life,
        "entries": [told(entry, channels, sees_people) for entry in life.entries], "zone": _zone(profile, channels),
        **_cart(request, key, channels), **worth(profile),
    }  # fmt: skip
    title = profile["name"] if sees_people else f"Customer {profile['customer']}"
    return show(request, "customer.html", title, context)


def _zone(profile: dict[str, Any], channels: dict[int, SalesChannel]) -> str:
    """The time zone in which the page tells its moments: that of the channel which they buy on most."""
    favourite = (one.time_zone for one in channels.values() if one.name == profile["favorite_channel"])
    return next(favourite, "UTC")


def _identities(profiles: Sequence[int]) -> list[CustomerIdentity]:
    known = CustomerIdentity.objects.filter(customer__in=profiles).order_by("kind", "value", "created_at", "pk")
    return list(known[:MOST_IDENTITIES])


def _suggestions(request: HttpRequest, profiles: Sequence[int]) -> list[MergeSuggestion]:
    """Who may be the same person, and is not yet; for those who may see that."""
    if not request.user.has_perm("customers.view_mergesuggestion"):
        return []
    waiting = MergeSuggestion.objects.filter(state=MergeSuggestion.State.OPEN)
    concerned = waiting.filter(first__in=profiles) | waiting.filter(second__in=profiles)
    others = concerned.exclude(first__in=profiles, second__in=profiles).select_related("first", "second")
    return list(others.order_by("-id")[:MOST_SUGGESTIONS])


def _cart(request: HttpRequest, key: int, channels: dict[int, SalesChannel]) -> dict[str, Any]:
    """The person's one cart, opened on the channel that is asked for, else where a line was put in last."""
    wanted = wanted_in(carts_of([key])[key])
    if not wanted:
        return {"cart": None}
    chosen = request.GET.get("cart", "")
    number = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 else 0
    channel = channels.get(number) or channels[max(wanted, key=lambda line: line.at).channel_id]
    cart: Opened = open_cart_of(key, channel)
    return {
        "cart": cart, "can_take": any(line.most for line in cart.lines), "form_key": secrets.token_hex(8)
    }  # fmt: skip


def _may_take(request: HttpRequest) -> bool:
    return request.user.has_perm(TAKEN)


@page(TAKEN, "POST")
def order_cart(request: HttpRequest, key: int) -> HttpResponse:
    """Take the person's cart over into an order of the channel on which it was opened."""
    if not may_see_people(request.user):
        raise PermissionDenied(f"{request.user} may not see customers")
    customer = get_object_or_404(OmnichannelCustomer, pk=key)
    taken: list[int] = []
    attempt(request, lambda: _take(request, customer, taken))
    otherwise = reverse("console:order", args=taken) if taken else reverse("console:customer", args=[key])
    return back(request, otherwise)


def _take(request: HttpRequest, customer: OmnichannelCustomer, taken: list[int]) -> str:
    given = request.POST
    form_key = given.get("form_key", "").strip()[:MOST_KEY_CHARACTERS]
    channel = SalesChannel.objects.filter(pk=_number(given.get("channel", ""))).first()
    if not form_key or channel is None:
        raise ValidationError("The form was not complete; open the page of the customer again.")
    units = {
        _number(name.removeprefix("units-")): _number(given.get(name, ""))
        for name in given if name.startswith("units-")
    }  # fmt: skip
    agreed = _agreed(given)
    done = take_over(customer.pk, channel, actor=actor(request), key=form_key, quantities=units, agreed=agreed)
    taken.append(done.order.pk)
    return f"The cart is order {done.order.number} of {channel.name} now."


def _agreed(given: Any) -> Decimal:
    """What the goods cost as they stood in the form: the prices that were shown times the units that were typed in."""
    total = Decimal(0)
    try:
        for name, value in given.items():
            if name.startswith("price-"):
                total += Decimal(value) * _number(given.get(f"units-{name.removeprefix('price-')}", "0"))
    except InvalidOperation as error:
        raise ValidationError("The form was not complete; open the page of the customer again.") from error
    return total


def _number(text: str) -> int:
    wanted = text.strip()
    if not wanted.isascii() or not wanted.isdigit() or len(wanted) > 18:
        raise ValidationError(f"{text[:20]!r} is no whole number.")
    return int(wanted)
