"""Our keys as platforms take them: in headers, references and notes, so that what we made is known again."""

from __future__ import annotations

import hashlib
import re


def digest_of(key: str, most: int) -> str:
    """The SHA-256 digest of a key in so many small hexadecimal digits."""
    return hashlib.sha256(key.encode()).hexdigest()[:most]


def plain_or_digest(key: str, plain: str, most: int = 64) -> str:
    """The key itself where it is `plain` (a regular expression of all of it), else its digest: for fields that take
    neither long nor odd texts."""
    return key if re.fullmatch(plain, key) else digest_of(key, most)


def capital_mark(key: str, most: int) -> str:
    """A key as a reference of so many capital letters and digits: for fields that know no others."""
    return "FM" + digest_of(key, most - 2).upper()


def note_mark(key: str) -> str:
    """The end of a note of ours, by which it is known again."""
    return f"(The Final Market {digest_of(key, 12)})"
