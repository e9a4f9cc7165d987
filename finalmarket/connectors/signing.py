"""Proving that a webhook comes from the platform: constant-time, failing closed, with two secrets while one rotates."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from finalmarket.connectors.errors import WebhookRefused

Digest = Callable[[bytes, bytes], bytes]


def hmac_base64(secret: bytes, message: bytes, *, algorithm: str = "sha256") -> bytes:
    """The HMAC of the message in base64."""
    return b64encode(hmac.digest(secret, message, algorithm))


def hmac_hex(secret: bytes, message: bytes, *, algorithm: str = "sha256") -> bytes:
    """The HMAC of the message in lower-case hexadecimal digits."""
    return hmac.digest(secret, message, algorithm).hex().encode()


def require_signature(given: Iterable[str], secrets: Iterable[str], message: bytes, sign: Digest = hmac_base64) -> None:
    """Raise WebhookRefused unless one of the signatures `given` is that of `message` under one of `secrets`.

    All pairs are compared, each in constant time, so that the time taken tells nothing. An empty secret or signature
    matches nothing.
    """
    usable = [secret.encode() for secret in secrets if secret]
    if not usable:
        raise WebhookRefused("no webhook secret is set for this account: enter it in the integration's settings")
    signatures = [signature.encode() for signature in given if signature]
    if not signatures:
        raise WebhookRefused("the delivery carries no signature")
    matches = [hmac.compare_digest(sign(secret, message), signature) for secret in usable for signature in signatures]
    if not any(matches):
        raise WebhookRefused("the signature does not fit the body")


def timed_parts(header: str) -> tuple[str, list[str]]:
    """Time and signatures of a header such as `t=<seconds>,v1=<hex>`; several v1 while a secret is rolled."""
    parts = [part.partition("=") for part in header.split(",")]
    seconds = next((value.strip() for name, _, value in parts if name.strip() == "t"), "")
    return seconds, [value.strip() for name, _, value in parts if name.strip() == "v1"]


def require_sent_recently(count: str, received_at: datetime, *, per_second: int = 1) -> None:
    """As require_recent, of a moment told as a count since 1970, of seconds or of so many parts of one."""
    try:
        sent_at = datetime.fromtimestamp(int(count) / per_second, UTC)
    except (ValueError, OverflowError, OSError):
        raise WebhookRefused("the delivery does not say when it was signed") from None
    require_recent(sent_at, received_at)


def require_recent(sent_at: datetime, received_at: datetime, *, tolerance: timedelta = timedelta(minutes=5)) -> None:
    """Raise WebhookRefused for a delivery signed too long ago, or in the future: it may be a recording."""
    if abs(received_at - sent_at) > tolerance:
        raise WebhookRefused(f"the delivery was signed at {sent_at.isoformat()}, too far from the present")
