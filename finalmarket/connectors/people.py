"""People in the words of platforms: their names, what they said of being written to, where they live.

How a platform calls the parts of an address is a table of its own words, by ours: it is read, and written, by one
table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from finalmarket.connectors.paging import read_text
from finalmarket.connectors.records import Address, CustomerContent, Raw


def full_name(*parts: Any) -> str:
    """The parts of a name that there are, as one."""
    return " ".join(str(part) for part in parts if part)


def split_name(name: str) -> tuple[str, str]:
    """First and last name: what stands before and behind the last space. A single word is a first name."""
    first, _, last = name.strip().rpartition(" ")
    return (first, last) if first else (last, "")


def said_of(content: CustomerContent) -> dict[str, bool]:
    """All that somebody said of being written to, by purpose, e-mail included."""
    email = {} if content.accepts_email is None else {"email": content.accepts_email}
    return {**email, **content.consents}


def country_code(text: str) -> str:
    """The ISO 3166-1 code in a field where people type what they like; "" for what is no code of two letters."""
    code = text.strip().upper()
    return code if len(code) == 2 and code.isalpha() else ""


def read_address(raw: Raw, words: Mapping[str, str], **known: str) -> Address:
    """An address by a table of the platform's words for its parts; `known` are parts that stand elsewhere, such as the
    name. Nothing but its name and company is no address. Raises TypeError for a part that is no text."""
    told = {ours: read_text(raw, theirs) for ours, theirs in words.items()}
    return Address(**{**known, **told}) if any(told.values()) else Address()


def address_fields(address: Address, words: Mapping[str, str]) -> dict[str, str]:
    """The parts of an address that there are, in the platform's words by the same table."""
    return {theirs: getattr(address, ours) for ours, theirs in words.items() if getattr(address, ours)}
