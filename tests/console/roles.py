"""People of each role, logged in, and every address of the console, read from its own list of addresses."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, reverse
from django.urls.converters import IntConverter, UUIDConverter

from finalmarket.access import roles
from finalmarket.console import urls

NOWHERE = 987_654_321  # no record has this number: who may enter is told that there is none, who may not is refused


@dataclass(frozen=True)
class Door:
    """An address of the console: `verbs` are the HTTP methods that are tried on it."""

    name: str
    address: str


def doors() -> Iterator[Door]:
    """Every address of the console, with numbers and words that no record has."""
    for pattern in urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        given = {name: _nothing(one) for name, one in pattern.pattern.converters.items()}
        yield Door(str(pattern.name), reverse(f"console:{pattern.name}", kwargs=given))


def _nothing(converter: object) -> object:
    if isinstance(converter, IntConverter):
        return NOWHERE
    return uuid.UUID(int=NOWHERE) if isinstance(converter, UUIDConverter) else "no-such-word"


def person(role: str, *location_ids: int) -> User:
    """Somebody of the staff with this role, "" for none."""
    user = User.objects.create_user(f"{role or 'nobody'}", password="open sesame 7", is_staff=True)
    roles.assign(user, role, location_ids)
    return user


def logged_in(user: User) -> Client:
    """A browser in which this person is logged in."""
    client = Client()
    client.force_login(user)
    return client
