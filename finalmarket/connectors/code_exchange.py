"""The last step of connecting in the browser: the code that came back is exchanged for tokens (RFC 6749, 4.1.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from finalmarket.connectors.auth import end_of
from finalmarket.connectors.errors import NeedsAttention, Rejected
from finalmarket.connectors.http import Http
from finalmarket.connectors.paging import read_one
from finalmarket.connectors.records import Raw

TOKENS = ("access_token", "refresh_token")


def tokens_for_code(
    http: Http, query: Mapping[str, str], url: str, fields: Mapping[str, str], *, as_json: bool = False,
    headers: Mapping[str, str] | None = None, bucket: str = "", token_names: Sequence[str] = ("access_token",),
) -> Raw:  # fmt: skip
    """What is given for the code in `query`, asked for with these fields beside it, as a form or as JSON; its tokens
    are never shown from then on. `token_names` are the fields that may hold the access token. Raises NeedsAttention
    where nobody agreed, or no access token is given."""
    if not query.get("code"):
        said = query.get("error_description") or query.get("error") or "no authorization code came back"
        raise NeedsAttention(f"connect the account anew: {said}"[:200])
    body = {"code": query["code"], **fields}
    try:
        given = http.call(
            "POST", url, json=body if as_json else None, form=None if as_json else body, headers=headers,
            bucket=bucket, is_authorized=False,
        ).data  # fmt: skip
    except Rejected as refused:
        raise NeedsAttention(f"connect the account anew: {refused.reason}", code=refused.code) from None
    told = given if isinstance(given, dict) else {}
    token = next((told[name] for name in token_names if told.get(name)), None)
    if not isinstance(token, str):
        raise NeedsAttention("connect the account anew: the platform gave no access token")
    told = {**told, "access_token": token}
    http.scrub.learn(str(told[name]) for name in TOKENS if told.get(name))
    return told


def kept_of(given: Raw) -> dict[str, str]:
    """The secrets to keep of what was given: the tokens, and when the access token ends if that is told."""
    kept = {name: str(given[name]) for name in TOKENS if given.get(name)}
    ends_at = read_one(given, end_of)
    return {**kept, **({"access_token_ends_at": ends_at.isoformat()} if ends_at else {})}
