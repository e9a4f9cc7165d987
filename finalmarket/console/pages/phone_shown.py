"""What the screen of a call shows: the caller with all that is known of them, goods with what is there now, money."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.models.functions import Coalesce

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.console import finding
from finalmarket.console.pages.customer_timeline import told
from finalmarket.console.pages.order_terms import offered
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.persons import members
from finalmarket.customers.unified import persons_of, profiles_of
from finalmarket.integrations.models import ChannelIntegration, OwnLetter, PaymentPage
from finalmarket.integrations.talk import letters
from finalmarket.integrations.timeline import timeline
from finalmarket.orders import calls
from finalmarket.orders.addresses import latest_addresses
from finalmarket.orders.models import Order, PhoneCall
from finalmarket.orders.one_cart import listings_of, not_sold, open_cart_of, opened
from finalmarket.orders.profile import bought_by
from finalmarket.stock.atp import levels

MOST_PEOPLE, MOST_GOODS, MOST_ENTRIES, MOST_ORDERS = 12, 12, 12, 5
SEGMENT_WORDS = dict(OmnichannelCustomer.Segment.choices)


def who(call: PhoneCall, text: str) -> dict[str, Any]:
    """The caller; while nobody said who it is, who it may be: by what was typed, else by the number that called."""
    if call.customer_id is not None:
        return {"person": _person(call), "q": text}
    asked = text.strip() or call.number
    return {"person": None, "q": asked, "people": people(asked, call.sales_channel.country) if asked else None}


def people(text: str, country: str) -> list[dict[str, Any]]:
    """Persons by what is known of them, the best matches first, with what they bought."""
    ids = finding.customers(text, country)[: MOST_PEOPLE * 4]
    rows = OmnichannelCustomer.objects.filter(pk__in=ids, erased_at=None)
    canonical = dict(rows.values_list("pk", Coalesce("merged_into_id", "pk")))
    wanted = list(dict.fromkeys(canonical[one] for one in ids if one in canonical))[:MOST_PEOPLE]
    found = persons_of(wanted)
    bought = bought_by({person.id: person.profiles for person in found.values()})
    return [{"shown": found[one], "bought": bought[one]} for one in wanted if one in found]


def _person(call: PhoneCall) -> dict[str, Any]:
    number = call.customer_id or 0
    profile = profiles_of([number])[number]
    channels = {one.pk: one for one in SalesChannel.objects.all()}
    life = timeline(number, size=MOST_ENTRIES)
    orders = Order.objects.filter(customer__in=members(number)).select_related("sales_channel").defer("raw")
    return {
        "profile": profile, "entries": [told(entry, channels, True) for entry in life.entries],
        "orders": list(orders.order_by("-placed_at", "-id")[:MOST_ORDERS]),
        "cart": open_cart_of(number, call.sales_channel) if calls.carts_elsewhere(call) else None,
        "address": latest_addresses([profile["customer"]]).get(profile["customer"], {}),
    }  # fmt: skip


def goods(call: PhoneCall, text: str) -> dict[str, Any]:
    """What is in the order so far, and what was searched for: prices of the channel, and what it can sell now."""
    cart = opened(call.cart) if call.cart is not None and call.order_id is None else None
    wanted = {line.wanted.variant_id: line.wanted.quantity for line in cart.lines} if cart else {}
    priced = ((line.wanted.quantity, line.price) for line in cart.lines) if cart else ()
    amount = sum((units * price for units, price in priced if price is not None), Decimal(0))
    return {
        "cart": cart, "goods": text, "agreed": amount, "found": _found(call, text) if text.strip() else None,
        "held_until": calls.held_until(call) if cart else None,
        **offered(call.sales_channel, wanted),
    }  # fmt: skip


def _found(call: PhoneCall, text: str) -> list[dict[str, Any]]:
    """Goods by SKU, title or barcode, those that the channel sells before the others."""
    channel = call.sales_channel
    ids = finding.variants(text)[: MOST_GOODS * 4]
    listings, known = listings_of(channel, ids), levels(ids, [channel.pk]) if ids else {}
    variants = Variant.objects.select_related("product").in_bulk(ids)
    rows = []
    for number in ids:
        listing = listings.get(number)
        price, level = listing.price() if listing else None, known[number, channel.pk]
        reason = not_sold(listing) or ("" if price is not None else f"has no price in {channel.currency}")
        rows.append(
            {
                "variant": variants[number], "price": price, "left": 0 if reason else level.offered,
                "reason": reason or level.reason, "state": level.status,
            }
        )  # fmt: skip
    return sorted(rows, key=lambda row: bool(row["reason"]))[:MOST_GOODS]


def money(call: PhoneCall, accounts: Sequence[ChannelIntegration]) -> dict[str, Any]:
    """Where the caller can pay, and the page that was opened for them."""
    opened_pages = PaymentPage.objects.filter(order=call.order_id or 0).select_related("integration").order_by("pk")
    sent = OwnLetter.objects.filter(order=call.order_id or 0, kind=OwnLetter.Kind.PAYMENT_LINK).order_by("pk")
    return {
        "accounts": [(one.pk, str(one)) for one in accounts], "pages": list(opened_pages),
        "can_mail": bool(call.order_id) and bool(letters.writers()), "letters": list(sent),
    }  # fmt: skip
