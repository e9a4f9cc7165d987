"""Whatever a stranger writes into an address that anybody may ask, the house answers: it does not break."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

GIVEN = re.compile(r"<(?:(\w+):)?\w+>")
OF_OTHER_KINDS = {"int": "1", "uuid": "00000000-0000-0000-0000-000000000000"}


def addresses(given: str) -> Iterator[str]:
    """Every address of the house that takes a text, with this one."""
    for route in sorted(set(_routes(get_resolver(), "/"))):
        if any(kind not in OF_OTHER_KINDS for kind in GIVEN.findall(route)):
            yield GIVEN.sub(lambda found: OF_OTHER_KINDS.get(found[1] or "", given), route)


def _routes(resolver: URLResolver, before: str) -> Iterator[str]:
    for one in resolver.url_patterns:
        if isinstance(one.pattern, RoutePattern):
            route = before + str(one.pattern)
            yield from _routes(one, route) if isinstance(one, URLResolver) else [route]


def test_the_doors_without_a_log_in_are_among_the_addresses() -> None:
    assert set(addresses("x")) >= {
        "/hooks/x/", "/voice/alexa/x/", "/voice/alexa/x/link", "/voice/alexa/x/token", "/inbound/mail/x/",
        "/pay/x/return", "/acp/carts/x", "/welcome/x/x/", "/kiosk/x/", "/api/shop/v1/carts/x",
    }  # fmt: skip


@pytest.mark.parametrize("given", ["%00", "%FF", "x" * 2_000])
def test_a_strange_word_in_an_address_is_answered_as_one_of_nobodys(db: None, given: str) -> None:
    stranger = Client(raise_request_exception=False)
    broken = [
        (method, address) for address in addresses(given) for method in ("GET", "POST", "PUT")
        if stranger.generic(method, address).status_code >= 500
    ]  # fmt: skip
    assert broken == []


@pytest.mark.parametrize("token", ["%00", "t%00" + "t" * 42])
def test_a_token_with_a_nul_names_no_door(db: None, token: str) -> None:
    stranger = Client()
    for address in (f"/hooks/{token}/", f"/voice/alexa/{token}/", f"/voice/alexa/{token}/link"):
        assert stranger.post(address).status_code == 404
        assert stranger.get(address).status_code == 404
