"""What the page of a mail shows: its lines with what the channel has and asks now, and who may have written."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from finalmarket.catalog.models import Variant
from finalmarket.console.pages.order_terms import offered
from finalmarket.console.pages.phone_shown import people
from finalmarket.customers.unified import persons_of
from finalmarket.integrations.models import OwnLetter
from finalmarket.integrations.talk import letters
from finalmarket.orders.addresses import latest_addresses
from finalmarket.orders.models import OrderRequest, OrderRequestLine
from finalmarket.orders.one_cart import listings_of, not_sold
from finalmarket.stock.atp import levels


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its choices, and what the chosen goods cost and how many are there; `reason` says why they cannot be
    sold, "" if they can."""

    line: OrderRequestLine
    choices: tuple[Variant, ...]
    price: Decimal | None = None
    left: int | None = None
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether somebody has to say what is meant."""
        return bool(self.line.quantity) and (self.line.variant_id is None or self.line.certainty != "sure")


def shown(request: OrderRequest, text: str, customer_id: int) -> dict[str, Any]:
    """All that the page shows; a constant number of queries."""
    lines = _lines(request)
    agreed = sum((one.line.quantity * one.price for one in lines if one.price is not None), Decimal(0))
    wanted: dict[int, int] = {}
    for one in lines:
        if one.line.variant_id is not None and one.line.quantity:
            wanted[one.line.variant_id] = wanted.get(one.line.variant_id, 0) + one.line.quantity
    is_open = request.state == OrderRequest.State.WAITING
    return {
        "mail": request, "channel": request.sales_channel, "lines": lines, "agreed": agreed, "is_open": is_open,
        "unclear": sum(one.is_open for one in lines), "can_confirm": bool(wanted),
        "answers": list(OwnLetter.objects.filter(request=request).order_by("pk")), "form_key": secrets.token_hex(8),
        "can_answer": bool(request.email) and not request.unproved and bool(letters.writers()), "accounts": [],
        **offered(request.sales_channel, wanted if is_open else {}), **_who(request, text, customer_id),
    }  # fmt: skip


def _who(request: OrderRequest, text: str, customer_id: int) -> dict[str, Any]:
    """Whom the order will be of: whoever was chosen, else the sender's profile, if the address is known."""
    number = customer_id or request.customer_id or 0
    person = persons_of([number]).get(number) if number else None
    address = latest_addresses([person.id]).get(person.id, {}) if person else {}
    wanted = text.strip() or (request.email if person is None else "")
    found = people(wanted, request.sales_channel.country) if wanted and request.state == "waiting" else None
    return {"person": person, "chosen": number, "address": address, "q": text, "people": found}


def _lines(request: OrderRequest) -> list[Line]:
    rows = list(request.lines.select_related("variant__product").order_by("position"))
    ids = {row.variant_id for row in rows if row.variant_id is not None}
    ids |= {pk for row in rows for pk in row.candidates if isinstance(pk, int)}
    variants = Variant.objects.select_related("product").in_bulk(ids)
    channel = request.sales_channel
    listings = listings_of(channel, ids)
    known = levels(ids, [channel.pk]) if ids else {}
    return [_line(row, variants, listings, {pair[0]: level for pair, level in known.items()}) for row in rows]


def _line(
    row: OrderRequestLine, variants: Mapping[int, Variant], listings: Mapping[int, Any], known: Mapping[int, Any]
) -> Line:
    choices = _choices(row, variants)
    if row.variant_id is None:
        return Line(row, choices)
    listing, level = listings.get(row.variant_id), known.get(row.variant_id)
    price = listing.price() if listing else None
    reason = not_sold(listing) or ("" if price is not None else "has no price here")
    left = level.offered if level is not None else 0
    return Line(row, choices, price, left, reason)


def _choices(row: OrderRequestLine, variants: Mapping[int, Variant]) -> tuple[Variant, ...]:
    wanted: Sequence[int | None] = [row.variant_id, *row.candidates]
    return tuple(variants[pk] for pk in dict.fromkeys(wanted) if pk is not None and pk in variants)
