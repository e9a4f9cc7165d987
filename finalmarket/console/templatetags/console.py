"""How amounts, states and moments look."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from babel.numbers import format_currency
from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from finalmarket.console.people import may_see_people
from finalmarket.journeys.models import ChannelInteraction

register = template.Library()

ACTIONS = dict(ChannelInteraction.InteractionType.choices)

TONES = {
    # orders, payments, parcels, returns
    "open": "info",
    "partly_fulfilled": "busy",
    "fulfilled": "good",
    "cancelled": "quiet",
    "unpaid": "warn",
    "authorised": "info",
    "partly_paid": "warn",
    "paid": "good",
    "captured": "good",
    "partly_refunded": "busy",
    "refunded": "busy",
    "pending": "info",
    "shipped": "busy",
    "delivered": "good",
    "rejected": "bad",
    "failed": "bad",
    "voided": "quiet",
    "requested": "info",
    "received": "good",
    # labels, where parcels are, pages to pay on
    "buying": "warn",
    "bought": "good",
    "voiding": "warn",
    "label_made": "info",
    "under_way": "busy",
    "out_for_delivery": "busy",
    "waiting_for_pickup": "info",
    "returned": "bad",
    "starting": "warn",
    "started": "info",
    # channels, listings
    "active": "good",
    "inactive": "quiet",
    "archived": "quiet",
    "paused": "warn",
    "local": "quiet",
    "due": "warn",
    "synced": "good",
    "unlinked": "warn",
    # stock
    "in_stock": "good",
    "low": "warn",
    "out": "bad",
    "short": "bad",
    "held": "info",
    "confirmed": "busy",
    "expected": "info",
    "in_transit": "busy",
    # accounts, journeys, people, jobs, papers
    "new": "info",
    "needs_attention": "bad",
    "disconnected": "quiet",
    "completed": "good",
    "abandoned": "quiet",
    "vip": "busy",
    "high_value": "good",
    "regular": "info",
    "released": "quiet",
    "expired": "quiet",
    "closed": "good",
    "draft": "info",
    "applied": "good",
    "todo": "info",
    "doing": "busy",
    "succeeded": "good",
    "running": "busy",
    "done": "good",
    "waiting": "info",
    "ready": "busy",
    "collected": "good",
    "given_up": "quiet",
    "healthy": "good",
    "behind": "warn",
    "failing": "bad",
    "needs attention": "bad",
    "not connected": "quiet",
    "partly": "warn",
    "quiet": "warn",
    "troubled": "bad",
    "acknowledged": "good",
    "unknown": "warn",
    "later": "info",
    "sent": "good",
    "doubtful": "warn",
    # previews
    "add": "good",
    "change": "info",
    "refused": "bad",
    "same": "quiet",
}


@lru_cache(maxsize=4096)
def _written(amount: Decimal, currency: str) -> str:
    return format_currency(amount, currency, locale="en")


@register.simple_tag
def money(amount: Decimal | None, currency: str) -> str:
    """An amount with its currency: €1,234.50; a dash for none."""
    return "–" if amount is None else _written(Decimal(amount), currency)


@register.simple_tag
def pill(value: str, word: str = "") -> SafeString:
    """A state as a coloured word; the colour never stands alone."""
    tone = TONES.get(value, "quiet")
    return format_html('<span class="fm-pill fm-{}">{}</span>', tone, word or value.replace("_", " "))


@register.simple_tag
def cell(cell: dict[str, Any] | None, address: str, label: str) -> SafeString:
    """A cell of the stock matrix: how many units, in which state, and the panel that says why.

    There are hundreds on a page, so it is put together here and not by a template.
    """
    if cell is None:
        return format_html('<span class="fm-none">{}</span>', _("not listed"))
    return format_html(
        '<button type="button" class="fm-cell fm-{}" aria-expanded="false" aria-haspopup="dialog" '
        'aria-label="{}: {}, {}" title="{}" hx-get="{}" hx-target="#fm-panel-body">'
        "<span>{}</span> <small>{}</small></button>",
        cell["tone"], label, cell["units"], cell["word"], cell["hint"], address, f"{cell['units']:,}", cell["word"],
    )  # fmt: skip


@register.filter
def tone(value: str) -> str:
    """The tone of a state: good, warn, bad, info, busy or quiet."""
    return TONES.get(value, "quiet")


@register.simple_tag
def moment(at: datetime | None, zone: str = "UTC") -> SafeString | str:
    """A moment, short for the eye and whole for a machine and on hovering; times of the named zone."""
    if at is None:
        return "–"
    here = timezone.localtime(at, ZoneInfo(zone))
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        here.isoformat(timespec="seconds"),
        here.strftime("%A %d %B %Y, %H:%M:%S ") + zone,
        here.strftime("%d %b %Y %H:%M"),
    )


@register.filter
def lasting(span: timedelta | None) -> str:
    """How long something took, in its two largest units: 3 d 4 h, 12 min 5 s; a dash for none."""
    if span is None:
        return "–"
    left = max(0, round(span.total_seconds()))
    parts: list[str] = []
    for word, seconds in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, seconds)
        if count or (word == "s" and not parts):
            parts.append(f"{count:,} {word}")
        elif parts:
            break
    return " ".join(parts[:2])


@register.filter
def signed(number: int) -> str:
    """A number with its sign: +3, −2; nothing for zero."""
    return "" if not number else f"{number:+,}".replace("-", "−")


@register.filter
def grouped(number: int | Decimal | str | None) -> str:
    """A number in groups of three digits; a dash for none."""
    return "–" if number in (None, "") else f"{number:,}"


@register.filter
def one_or_more(count: int | str) -> int:
    """What decides between singular and plural, for a count in figures or in words (`more than 10,000`)."""
    return 1 if str(count) == "1" else 2


@register.simple_tag(takes_context=True)
def who(context: template.Context, person: Any) -> str:
    """A person by name, for those who may see people; for others by number."""
    return str(person) if may_see_people(context["request"].user) else _("Customer %(number)s") % {"number": person.pk}


@register.simple_tag
def behind(count: int, rows: str, *words: object) -> SafeString | str:
    """A number of journeys that leads to them: `rows` is the address of the list of those that were asked about, and
    `words` name the number (journeys/behind.py)."""
    if not count:
        return grouped(count)
    name = ":".join("-".join(map(str, word)) if isinstance(word, tuple) else str(word) for word in words)
    address = f"{rows}{'' if rows.endswith('?') else '&'}behind={quote(name, safe=':-')}"
    return format_html('<a href="{}" data-rows="{}">{}</a>', address, count, grouped(count))


@register.filter
def percent(share: Decimal | float | None) -> str:
    """A share between 0 and 1 as a percentage with one digit; a dash for none."""
    return "–" if share is None else f"{share * 100:.1f} %"


@register.filter
def order_key(reference: str) -> int | None:
    """The id of the order that a ledger line refers to ("order:12"), or None."""
    kind, _, key = reference.partition(":")
    return int(key) if kind == "order" and key.isascii() and key.isdigit() and len(key) < 19 else None


@register.filter
def entry(mapping: dict[Any, Any], key: Any) -> Any:
    """The value of `key` in `mapping`, or None."""
    return mapping.get(key)


@register.filter
def of(part: int, whole: int) -> float | None:
    """The share that `part` is of `whole`; None without a whole."""
    return part / whole if whole else None


@register.filter
def hundredths(share: Decimal | float | None) -> str:
    """A share as the width of a bar of 100."""
    return f"{max(0.0, min(1.0, float(share or 0))) * 100:.1f}"


@register.filter
def plain(number: float) -> str:
    """A place in a drawing: a number with a point, whatever the language."""
    return f"{number:.1f}"


@register.filter
def in_words(word: str) -> str:
    """What was done, as people say it: an interaction by its name, another word with blanks."""
    return str(ACTIONS.get(word) or word.replace("_", " ").capitalize())
