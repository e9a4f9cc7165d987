"""Systems that every company has for itself (ERP): at which host, and how one is let in there."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx2

from finalmarket.connectors.auth import HeaderAuth, HoldsTokens, TokenAuth, TokenRequest, basic_header
from finalmarket.connectors.errors import NeedsAttention

HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?")
USER_SECRETS = ("user", "password")
TOKEN_SECRETS = ("access_token", "access_token_ends_at")  # kept for the next process


def host_of(given: str, example: str) -> str:
    """The host that a person entered. Raises NeedsAttention where it is none: a password is sent there and nowhere
    else."""
    host = given.strip().lower().removeprefix("https://").rstrip("/")
    if not HOST.fullmatch(host):
        raise NeedsAttention(f"{host[:60]!r} is no host: enter one such as {example}")
    return host


def basic_or_token(
    account: HoldsTokens, token_url: str, *, address: Callable[[str], str], scope: str = ""
) -> httpx2.Auth:  # fmt: skip
    """Basic with user and password; or, where there is a `token_url`, a token that is asked for with them (RFC 6749,
    section 4.4). Raises NeedsAttention where the token's address is not encrypted."""
    basic = basic_header(account.secrets["user"], account.secrets["password"])
    if not token_url:
        return HeaderAuth("Authorization", basic)
    if not token_url.startswith("https://"):
        raise NeedsAttention("the token address has to begin with https://")
    fields = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
    return TokenAuth.of(TokenRequest(address(token_url), fields, {"Authorization": basic}), account)
