"""Sessions of people who are logged in: Django's in the database, but that what can be no key is not looked up."""

from __future__ import annotations

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import VALID_KEY_CHARS

LETTERS = frozenset(VALID_KEY_CHARS)


class SessionStore(db.SessionStore):
    """One session."""

    def _validate_session_key(self, key: str | None) -> bool:
        """Whether a browser may have it from us: a cookie can hold anything, and the database takes no NUL."""
        is_one = super()._validate_session_key(key)  # type: ignore[misc]  # the stubs do not name it
        return bool(is_one) and LETTERS.issuperset(key or "")
