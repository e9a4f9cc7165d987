"""Who may watch: whoever is logged in to the console, and what of it they may hear."""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections
from django.http import HttpRequest

from finalmarket.console.live.words import TOPICS


@dataclass(frozen=True, slots=True)
class Watcher:
    """A person of the console, and the topics that they may hear of."""

    user_id: int
    topics: frozenset[str]


def watcher_of(cookies: str) -> Watcher | None:
    """Return who sent these cookies (the Cookie header), or None when that is nobody who may enter the console.

    Asks the database, so it is to be called outside the event loop.
    """
    key = _session_key(cookies)
    if not key:
        return None
    close_old_connections()
    try:
        request = HttpRequest()
        request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
        user = get_user(request)
        if user.pk is None or not user.is_active or not user.is_staff:
            return None
        topics = [name for name, needs in TOPICS.items() if any(user.has_perm(one) for one in needs.split("|"))]
        return Watcher(user.pk, frozenset(topics))
    finally:
        close_old_connections()


def _session_key(cookies: str) -> str:
    try:
        found = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return ""
    return found.value if found else ""
