"""How TikTok Shop lets one in: every call is signed, tokens end after seven days and are renewed by a GET.

Sources: TikTok Shop Partner Center, "Sign your API request" and "Authorization".
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2

from finalmarket.connectors import answers
from finalmarket.connectors.auth import TokenAuth, TokenRequest, kept_token
from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NeedsAttention, OutcomeUnknown, RetryLater, Unintelligible
from finalmarket.connectors.exact_json import read_json
from finalmarket.connectors.http import Answer
from finalmarket.connectors.records import Raw
from finalmarket.kernel import clock

TOKEN = "https://auth.tiktok-shops.com/api/v2/token"  # noqa: S105  an address
TOKEN_HEADER = "x-tts-access-token"  # noqa: S105  a header
Call = Callable[..., Answer]
# Codes of the gate before all calls, and of a failure within; the rest is about what was asked.
CONSEQUENCES = {
    **dict.fromkeys(("105000", "105001", "105002", "105005", "106001", "106011", "10006402"), NeedsAttention),
    **dict.fromkeys(("40001", "40102", "40104", "40105"), NeedsAttention),  # of the Business API
    **dict.fromkeys(("36009002", "36009029", "40016", "40100"), RetryLater),
    **dict.fromkeys(("36009003", "11001027", "11001031", "50000"), OutcomeUnknown),
}


def signature(path: str, query: Mapping[str, str], body: bytes, secret: str) -> str:
    """The signature of a request: HMAC-SHA256 over path, sorted parameters and body, between the secret twice."""
    signed = "".join(f"{name}{query[name]}" for name in sorted(query) if name not in ("sign", "access_token"))
    key = secret.encode()
    return hmac.digest(key, key + path.encode() + signed.encode() + body + key, "sha256").hex()


class SignedAuth(TokenAuth):
    """The access token in a header of its own, and a signature over everything else."""

    def __init__(self, account: Account, token_url: str) -> None:
        kept = account.secrets
        self._app_key, self._app_secret = kept.get("app_key", ""), kept.get("app_secret", "")
        self._prefix = urlsplit(account.base_url).path.rstrip("/")
        fields = {
            "app_key": self._app_key, "app_secret": self._app_secret, "grant_type": "refresh_token",
            "refresh_token": kept.get("refresh_token", ""),
        }  # fmt: skip
        token, ends_at = kept_token(kept)
        super().__init__(
            TokenRequest(token_url, fields), self._sign, token=token, ends_at=ends_at, keep=account.keep,
            renewing=account.renewing,
        )  # fmt: skip

    def _sign(self, request: httpx2.Request, token: str) -> None:
        kept = {name: value for name, value in request.url.params.multi_items() if name != "sign"}
        query = {**kept, "app_key": self._app_key, "timestamp": str(int(clock.now().timestamp()))}
        path = request.url.path.removeprefix(self._prefix)
        query["sign"] = signature(path, query, request.read(), self._app_secret)
        request.url = request.url.copy_with(params=query)
        request.headers[TOKEN_HEADER] = token

    def renewal(self) -> httpx2.Request:
        """See TokenAuth: TikTok wants a GET."""
        return httpx2.Request("GET", self._request.url, params=dict(self._request.fields))

    def given(self, response: httpx2.Response) -> Raw:
        """See TokenAuth: TikTok's answers have a form of their own."""
        response.read()
        if response.status_code in (408, 425, 429) or response.status_code >= 500:
            raise RetryLater(f"no new access token: TikTok answers {response.status_code}", status=response.status_code)
        try:
            told = read_json(response.content)
        except ValueError:
            told = None
        return given_in(told, response.status_code)


def given_in(told: Any, status: int) -> Raw:
    """What a token answer gives, its end as seconds from now. Raises NeedsAttention where it gives nothing."""
    data = told.get("data") if isinstance(told, dict) else None
    token = data.get("access_token") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(token, str) or not token:
        raise NeedsAttention("TikTok gives no access token: connect the account anew", status=status)
    ends = data.get("access_token_expire_in")  # the moment itself, in Unix seconds
    left = int(ends) - int(clock.now().timestamp()) if isinstance(ends, int) and not isinstance(ends, bool) else 0
    return {**data, "access_token": token, "expires_in": max(0, left)}


def told_error(answer: Answer) -> tuple[str, str]:
    """Code and words of an answer; TikTok answers all in one form, with the code 0 for a success."""
    told = answer.data if isinstance(answer.data, dict) else {}
    code = told.get("code")
    if code in (None, "", 0):
        return "", str(told.get("message") or "") if not answer.is_success else ""
    return str(code), str(told.get("message") or "")


def data_of(answer: Answer) -> Raw:
    """What stands in an answer. Raises Unintelligible where nothing does."""
    told = answer.data if isinstance(answer.data, dict) else {}
    if told.get("code") != 0 or not isinstance(told.get("data") or {}, dict):
        raise Unintelligible("TikTok's answer is not in its own form", status=answer.status)
    data: Raw = told.get("data") or {}
    return data


def rows_in(data: Raw, name: str) -> list[Raw]:
    """The rows of that name, none where it is left out. Raises Unintelligible where they are no rows."""
    return answers.rows_in(data, name, is_left_out=True)
