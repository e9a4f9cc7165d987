"""The kinds of values that stand in cells: how each is read, written and stored.

Reading takes a cell that is not empty (text from CSV, any type from Parquet or from a form) and raises ValueError with
the reason for a person. Emptiness is the column's affair, see `columns.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
from babel import Locale

from finalmarket.customers.resolve import folded_email
from finalmarket.kernel import money
from finalmarket.kernel.errors import UserError

MOST_UNITS = 2_147_483_647  # what the database's integer holds
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BROKEN = re.compile(r"[\x00\ud800-\udfff]")
_TERRITORIES = [str(code) for code in Locale("en").territories]
_COUNTRIES = frozenset(code for code in _TERRITORIES if len(code) == 2 and code.isalpha()) - {"EU", "UN", "ZZ"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: its type in SQL, how a cell is read, how a value is written, its type in Parquet.

    `is_native`: Parquet holds the value itself; otherwise it holds the written text, as CSV does.
    """

    sql: str
    read: Callable[[Any], Any]
    write: Callable[[Any], str] = str
    arrow: pa.DataType = pa.string()  # noqa: RUF009 (types of Arrow are immutable)
    is_native: bool = False


def _text(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool) or cell is None or isinstance(cell, (dict, list, bytes)):
        raise ValueError("is not text")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # a number column of a spreadsheet that holds codes
    return str(cell)


def line_of_text(limit: int, pattern: str | None = None, rule: str = "") -> Kind:
    """Text on one line of at most `limit` characters: every printable sign is fine, emoji too; no control characters.

    With `pattern` it must match that as a whole, else `rule` says what is expected.
    """
    expected = re.compile(pattern) if pattern else None

    def read(cell: Any) -> str:
        text = _text(cell).strip()
        if len(text) > limit:
            raise ValueError(f"is longer than {limit} characters")
        if not text.isprintable() and (_CONTROL.search(text) or _BROKEN.search(text)):
            raise ValueError("holds control characters; any printable sign is fine")
        if expected and not expected.fullmatch(text):
            raise ValueError(rule)
        return text

    return Kind("text", read)


def _read_prose(cell: Any) -> str:
    text = _text(cell).replace("\r\n", "\n")
    if _BROKEN.search(text):
        raise ValueError("holds characters that are not text")
    return text


def whole_number(most: int = MOST_UNITS, what: str = "a whole number from 0") -> Kind:
    """A whole number from 0 to `most`."""

    def read(cell: Any) -> int:
        if isinstance(cell, str) and cell.isascii() and cell.isdigit() and len(cell) < 16:
            number = int(cell)
        else:
            try:
                exact = _decimal(cell)
            except ValueError as error:
                wrong = "beyond any amount" if "beyond" in str(error) else f"not {what}"
                raise ValueError(f"is {wrong}") from None
            if exact != exact.to_integral_value():
                raise ValueError(f"must be {what}, without fractions")
            number = int(exact)
        if number < 0:
            raise ValueError(f"is negative; it must be {what}")
        if number > most:
            raise ValueError(f"is more than {most:,}")
        return number

    return Kind("bigint", read, str, pa.int64(), is_native=True)


def _decimal(cell: Any) -> Decimal:
    if isinstance(cell, bool) or not isinstance(cell, (str, int, float, Decimal)):
        raise ValueError("is not a number")
    text = repr(cell) if isinstance(cell, float) else str(cell).strip()
    try:
        return money.parse(text)
    except UserError as error:
        hint = "; write a point, not a comma" if re.fullmatch(r"-?\d+,\d+", text) else ""
        word = "is not an amount" if "beyond" not in str(error) else "is beyond any amount"
        raise ValueError(f"{word}: digits with a point are expected, such as 12.50{hint}") from None


def _read_amount(cell: Any) -> Decimal:
    amount = _decimal(cell)
    if amount < 0:
        raise ValueError("is negative; an amount of money here is 0 or more")
    if amount >= Decimal(10) ** 10:
        raise ValueError("is beyond any price: at most ten digits stand before the point")
    if amount.quantize(Decimal("0.0001")) != amount:
        raise ValueError("has more than four digits after the point")
    return amount


def write_amount(amount: Decimal) -> str:
    """The amount without needless zeros, but with two digits after the point at least: 9.50, 0.125."""
    exact = amount.normalize()
    digits = exact.as_tuple().exponent
    return f"{exact:f}" if isinstance(digits, int) and digits < -2 else f"{amount:.2f}"


def _read_currency(cell: Any) -> str:
    try:
        return money.check_currency(_text(cell).strip().upper())
    except UserError as error:
        raise ValueError(str(error)) from None


def _read_country(cell: Any) -> str:
    code = _text(cell).strip().upper()
    if code not in _COUNTRIES:
        raise ValueError("is no country; two letters of ISO 3166-1 are expected, such as DE")
    return code


def _read_flag(cell: Any) -> bool:
    word = str(cell).strip().casefold()
    if word in {"yes", "true", "1", "on", "y", "t"}:
        return True
    if word in {"no", "false", "0", "off", "n", "f"}:
        return False
    raise ValueError("must be yes or no")


def _read_moment(cell: Any) -> datetime:
    try:
        moment = cell if isinstance(cell, (datetime, date)) else datetime.fromisoformat(_text(cell).strip())
    except ValueError:
        raise ValueError("is no moment; write 2026-12-24 or 2026-12-24T18:00+01:00") from None
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError("is beyond the calendar") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"holds {name}, which is no value of JSON")


def _read_object(cell: Any) -> str:
    """A JSON object, returned as the text that the database stores as jsonb: numbers stay as exact as they are."""
    try:
        value = cell if isinstance(cell, Mapping) else json.loads(_text(cell), parse_constant=_refuse_constant)
        if not isinstance(value, Mapping):
            raise ValueError('is not a JSON object such as {"material": "cotton"}')
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (json.JSONDecodeError, RecursionError, TypeError):
        raise ValueError('is not a JSON object such as {"material": "cotton"}') from None
    if _BROKEN.search(text) or "\\u0000" in text:
        raise ValueError("holds characters that are not text")
    return text if isinstance(cell, Mapping) else _text(cell)


def _write_object(text: str) -> str:
    """The text of an object as the database gives it; an empty one as an empty cell."""
    return "" if text == "{}" else text


def pairs(mark: str, read_value: Callable[[str], Any], example: str) -> Kind:
    """Names with values, `A{mark}1; B{mark}2` or a JSON object, stored as a JSON object."""

    def split(part: str) -> tuple[str, Any]:
        name, found, value = part.rpartition(mark) if mark == "*" else part.partition(mark)
        if not found and mark == "*":
            name, value = part, "1"
        elif not found:
            raise ValueError(f"is not of the form {example}")
        return name.strip(), read_value(value.strip())

    def read(cell: Any) -> str:
        if isinstance(cell, Mapping) or str(cell).lstrip().startswith("{"):
            held = json.loads(_read_object(cell))
            if any(isinstance(value, (dict, list)) for value in held.values()):
                raise ValueError(f"holds values within values; write {example}")
            given = [(name, read_value(str(value))) for name, value in held.items()]
        else:
            given = [split(part) for part in _text(cell).split(";") if part.strip()]
        if any(not name for name, _ in given) or len(dict(given)) < len(given):
            raise ValueError(f"names something twice, or nothing; write {example}")
        return _read_object(dict(given))

    def write(text: str) -> str:
        value: dict[str, Any] = json.loads(text)
        if any(not _plain(str(word), mark) for item in value.items() for word in item):
            return text
        return "; ".join(f"{name}{mark}{_word(held)}" for name, held in value.items())

    return Kind("jsonb", read, write)


def _plain(word: str, mark: str) -> bool:
    return bool(word) and word == word.strip() and not word.startswith("{") and ";" not in word and mark not in word


def _word(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _read_unit_count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) <= 1_000_000:
        raise ValueError("counts a component with something else than a whole number from 1 to 1,000,000")
    return int(text)


def _read_addresses(cell: Any) -> list[str]:
    """Web addresses, parted by blanks."""
    addresses = list(cell) if isinstance(cell, (list, tuple)) else _text(cell).split()
    for address in addresses:
        try:
            parts = urlsplit(str(address))
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in {"http", "https"} or not parts.hostname or len(address) > 1000:
            raise ValueError("is no list of web addresses (http or https, at most 1,000 characters), blanks between")
        if not str(address).isprintable():
            raise ValueError("holds control characters")
    if len(set(addresses)) < len(addresses):
        raise ValueError("names an address twice")
    return addresses


def _read_category(cell: Any) -> str:
    """A category as a path of names from the root."""
    steps = [step.strip() for step in _LINE.read(cell).split(">")]
    if not all(steps) or max(map(len, steps)) > 200:
        raise ValueError("is no path of categories such as Home > Kitchen, with at most 200 characters a name")
    return " > ".join(steps)


def _read_email(cell: Any) -> str:
    address = folded_email(_LINE.read(cell))
    if not address or len(address) > 320:
        raise ValueError("is no e-mail address")
    return address


def _read_words(cell: Any) -> list[str]:
    """Words parted by semicolons, each once, in order."""
    words = {_IDENTITY.read(word) for word in (cell if isinstance(cell, (list, tuple)) else _text(cell).split(";"))}
    return sorted(words - {""})


def choice(*words: str) -> Kind:
    """One of a few words."""

    def read(cell: Any) -> str:
        word = _text(cell).strip().casefold()
        if word not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return word

    return Kind("text", read)


_LINE = line_of_text(2000)
_IDENTITY = line_of_text(320)
EMAIL = Kind("text", _read_email)
WORDS = Kind("text[]", _read_words, "; ".join)
CATEGORY = Kind("text", _read_category)
HS_CODE = line_of_text(12, r"[0-9]{6,12}", "must be 6 to 12 digits, without dots")
PROSE = Kind("text", _read_prose)
SKU = line_of_text(100)
AMOUNT = Kind("numeric", _read_amount, write_amount, pa.decimal128(14, 4), is_native=True)
CURRENCY = Kind("text", _read_currency)
COUNTRY = Kind("text", _read_country)
FLAG = Kind("boolean", _read_flag, lambda flag: "yes" if flag else "no", pa.bool_(), is_native=True)
MOMENT = Kind(
    "timestamptz",
    _read_moment,
    lambda moment: moment.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    pa.timestamp("us", tz="UTC"),
    is_native=True,
)
OBJECT = Kind("jsonb", _read_object, _write_object)
OPTIONS = pairs("=", str, "Size=M; Colour=Red")
COMPONENTS = pairs("*", _read_unit_count, "CUP*6; TRAY*1")
CONSENTS = pairs("=", _read_flag, "newsletter=yes; sms=no")
ADDRESSES = Kind("text[]", _read_addresses, " ".join)
