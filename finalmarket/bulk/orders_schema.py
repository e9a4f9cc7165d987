"""What may stand in the mapping of an order import: its sections, their keys, what each may hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from finalmarket.bulk.values import COUNTRY
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.money import check_currency
from finalmarket.orders.models import ReturnLine

FIELDS = {
    "order": "number of the order or invoice that the line belongs to",
    "sku": "what was sold",
    "quantity": "units; below zero in cancellations and stock adjustments",
    "unit_price": "price of one unit, at most four digits after the point",
    "placed_at": "when the order was placed",
    "title": "what the line was called",
    "discount": "what was taken off the whole line",
    "currency": "ISO 4217; else [values] currency, else the channel's",
    "position": "the line's number within its order; else its turn in the file",
    "customer": "the customer's number",
    "name": "the customer's name",
    "email": "the customer's e-mail address",
    "phone": "the customer's phone number",
    "country": "where the order went: a name of [countries], an English name, or ISO 3166-1",
    "postcode": "where the order went",
    "city": "where the order went",
    "channel": "name of the sales channel; else a rule of [channels], else --channel",
}
REQUIRED = ("order", "sku", "quantity", "unit_price", "placed_at")
OF_THE_LINE = ("order", "sku", "quantity", "unit_price", "placed_at", "title", "discount", "position")
OF_THE_ORDER = ("currency", "customer", "name", "email", "phone", "country", "postcode", "city", "channel")
KINDS = ("shipping", "fee", "discount", "adjustment")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a key may hold: its type, what stands there by default, and a closer look that raises ValueError."""

    kind: type
    default: Any
    expected: str
    check: Callable[[Any], object] | None = None


def _text(default: str = "", check: Callable[[Any], object] | None = None) -> Setting:
    return Setting(str, default, "text in quotes", check)


def _flag(default: bool) -> Setting:
    return Setting(bool, default, "true or false")


def _texts(check: Callable[[Any], object] | None = None) -> Setting:
    def look(value: list[Any]) -> None:
        if not all(isinstance(item, str) and item for item in value):
            raise ValueError('write a list of texts, such as ["POST", "DOT"]')
        if check is not None:
            check(value)

    return Setting(list, [], 'a list of texts, such as ["POST", "DOT"]', look)


def _zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("is no time zone of the IANA database; write one such as Europe/London") from None


def _date_formats(formats: list[str]) -> None:
    for form in formats:
        moment = datetime(2009, 12, 31, 23, 59, 58, tzinfo=UTC)
        try:
            read = datetime.strptime(moment.strftime(form), form)  # noqa: DTZ007  only the day is looked at
        except ValueError:
            raise ValueError(f"{form!r} is no form of a date; write one such as %Y-%m-%d %H:%M:%S") from None
        if read.date() != moment.date():
            raise ValueError(f"{form!r} does not tell year, month and day; write one such as %d/%m/%Y %H:%M")


def _one_of(*words: str) -> Callable[[str], None]:
    def look(word: str) -> None:
        if word not in words:
            raise ValueError(f"write one of {', '.join(words)}")

    return look


def _short(limit: int) -> Callable[[str], None]:
    def look(word: str) -> None:
        if len(word) > limit or not word.isprintable():
            raise ValueError(f"write at most {limit} printable signs")

    return look


_DISPOSITION = _one_of(*ReturnLine.Disposition.values)
_KIND = Setting(list, [], "a list")

# section: {key: what it may hold}; None: any names with texts.
SCHEMA: dict[str, dict[str, Setting] | None] = {
    "file": {"encoding": _text("utf-8"), "delimiter": _text(), "decimal_comma": _flag(False)},
    "columns": {field: _text() for field in FIELDS},
    "values": {"currency": _text(check=check_currency), "source": _text("import", _short(60))},
    "dates": {"formats": _texts(_date_formats), "time_zone": _text("UTC", _zone)},
    "orders": {"number_prefix": _text(check=_short(20)), "tender": _text("invoice", _short(30))},
    "skus": {"fold_case": _flag(False)},
    "lines": {kind: _texts() for kind in KINDS},
    "cancellations": {
        "prefix": _text(),
        "disposition": _text("restock", _DISPOSITION),
        "unlinked_disposition": _text("restock", _DISPOSITION),
    },
    "adjustments": {"prefix": _text()},
    "stock_adjustments": {"negative_lines": _flag(False)},
    "customers": {"namespace": _text(check=_short(60))},
    "countries": None,
    "products": {"create": _flag(False)},
    "stock": {"location": _text(), "name": _text(), "create": _flag(False)},
    "channels": {"by": _text(), "create": _flag(False), "rules": _KIND},
}
RULE: dict[str, Setting] = {
    "channel": _text(check=_short(200)),
    "values": _texts(),
    "type": _text("web", _one_of(*SalesChannel.ChannelType.values)),
    "currency": _text(check=check_currency),
    "country": _text(check=COUNTRY.read),
    "time_zone": _text(check=_zone),
}
