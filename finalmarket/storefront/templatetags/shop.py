"""What pages of shops say about prices and stock."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from babel.numbers import format_currency
from django import template
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from finalmarket.stock.shelf import Goods

register = template.Library()


@register.simple_tag
def price(amount: Decimal, currency: str) -> str:
    """An amount as it is read."""
    return format_currency(amount, currency, locale="en")


@register.simple_tag
def availability(word: str) -> SafeString:
    """In stock, few left, sold out."""
    words = {"in_stock": _("In stock"), "few": _("Few left"), "out": _("Sold out")}
    return format_html('<span class="word word-{}">{}</span>', word, words[word])


@register.simple_tag
def choices(goods: Goods, name: str) -> SafeString:
    """What the page's script has to know of the variants, as data."""
    told: list[dict[str, Any]] = [
        {
            "variant": one.variant_id, "sku": one.sku, "title": one.title, "price": str(one.price),
            "availability": one.availability,
        }
        for one in goods.choices
    ]  # fmt: skip
    return json_script(told, name)
