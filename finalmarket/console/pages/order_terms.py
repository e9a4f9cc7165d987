"""How an order that a person takes down is delivered, what is added and taken off, and how it is paid: the same form on
the phone and for mails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from finalmarket.channels.models import SalesChannel
from finalmarket.console.typed import number_of
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import minor_digits, parse
from finalmarket.orders import calls, collecting
from finalmarket.orders.cart import Terms
from finalmarket.orders.drafts import Address

Given = Mapping[str, str]
ADDRESS = ("name", "company", "street", "street2", "postcode", "city", "region", "country")
NEEDED = ("name", "street", "postcode", "city")


def offered(channel: SalesChannel, wanted: Mapping[int, int]) -> dict[str, Any]:
    """What the form offers: the stores where all of it could be collected, and the smallest amount of money."""
    return {
        "stores": collecting.offers(channel, wanted) if wanted else [],
        "step": Decimal(1).scaleb(-minor_digits(channel.currency)),
    }  # fmt: skip


def terms_of(given: Given, channel: SalesChannel) -> Terms:
    """What was filled in. Raises ValidationError for an address that no parcel can be sent to, UserError for amounts
    that are none."""
    delivery = given.get("delivery", "send")
    store = None if delivery == "send" else number_of(delivery)
    words: dict[str, Any] = {name: given.get(name, "").strip() for name in ADDRESS}
    sent_to = Address(**words)
    country = sent_to.country.upper() or channel.country
    discount, shipping = _amount(given, "discount"), _amount(given, "shipping")
    return Terms(
        name=sent_to.name, email=given.get("email", "").strip(), phone=given.get("phone", "").strip(),
        shipping_address=_checked(sent_to, country) if store is None else None, collect_at=store,
        charges=calls.charges(country, shipping=shipping, discount=discount, why=given.get("why", "")),
    )  # fmt: skip


def agreed_of(given: Given) -> Decimal | None:
    """What the goods cost as they were shown with the form."""
    return parse(given["agreed"]) if given.get("agreed") else None


def _checked(address: Address, country: str) -> Address:
    missing = [word for word in NEEDED if not getattr(address, word)]
    if missing:
        raise ValidationError(f"Ask for the rest of the address: {', '.join(missing)}.")
    if not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise ValidationError("A country is two letters, such as DE.")
    return replace(address, country=country)


def _amount(given: Given, name: str) -> Decimal:
    text = given.get(name, "").strip()
    amount = parse(text) if text else Decimal(0)
    if amount < 0:
        raise UserError(f"{name} cannot be below nothing; it is {amount}")
    return amount
