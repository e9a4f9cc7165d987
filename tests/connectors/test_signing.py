"""Proving where a webhook comes from: in constant time, with headers and moments as platforms write them."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta

import pytest

from finalmarket.connectors.errors import WebhookRefused
from finalmarket.connectors.signing import (
    hmac_hex,
    require_recent,
    require_sent_recently,
    require_signature,
    timed_parts,
)

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECONDS = int(NOON.timestamp())
MESSAGE = b"a parcel has left"


def test_every_pair_of_signature_and_secret_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def noting(ours: bytes, theirs: bytes) -> bool:
        compared.append((ours, theirs))
        return real(ours, theirs)

    monkeypatch.setattr(hmac, "compare_digest", noting)
    right = hmac_hex(b"new", MESSAGE).decode()
    require_signature([right, "nonsense"], ["new", "old"], MESSAGE, hmac_hex)
    by_secret = [hmac_hex(secret, MESSAGE) for secret in (b"new", b"old")]
    assert compared == [(ours, theirs) for ours in by_secret for theirs in (right.encode(), b"nonsense")]


def test_a_refusal_says_what_to_do_and_nothing_of_the_secret() -> None:
    told = {}
    for given, secrets in (([], ["key of ours"]), (["x"], []), (["x"], ["key of ours"])):
        with pytest.raises(WebhookRefused) as caught:
            require_signature(given, secrets, MESSAGE)
        told[len(given), len(secrets)] = caught.value.reason
    assert told == {
        (0, 1): "the delivery carries no signature",
        (1, 0): "no webhook secret is set for this account: enter it in the integration's settings",
        (1, 1): "the signature does not fit the body",
    }


@pytest.mark.parametrize(
    ("header", "seconds", "signatures"),
    [
        ("t=1780315200,v1=aa", "1780315200", ["aa"]),
        ("t=1780315200,v1=aa,v1=bb,v0=cc", "1780315200", ["aa", "bb"]),
        (" t = 17 , v1 = a=b ", "17", ["a=b"]),
        ("t=1,t=2,v1=aa", "1", ["aa"]),
        ("v1=aa", "", ["aa"]),
        ("", "", []),
    ],
)
def test_time_and_signatures_are_read_from_one_header(header: str, seconds: str, signatures: list[str]) -> None:
    assert timed_parts(header) == (seconds, signatures)


@pytest.mark.parametrize(
    ("count", "per_second"),
    [(str(SECONDS), 1), (str(SECONDS * 1000), 1000), (str(SECONDS - 300), 1), (f" {SECONDS} ", 1)],
)
def test_a_count_since_1970_is_a_moment(count: str, per_second: int) -> None:
    require_sent_recently(count, NOON, per_second=per_second)
    if per_second == 1:
        require_sent_recently(count, NOON)


@pytest.mark.parametrize(
    ("count", "per_second"), [(str(SECONDS), 1000), (str(SECONDS - 301), 1), (str(SECONDS + 301), 1)]
)
def test_a_count_of_another_time_is_refused(count: str, per_second: int) -> None:
    with pytest.raises(WebhookRefused, match="too far from the present"):
        require_sent_recently(count, NOON, per_second=per_second)


@pytest.mark.parametrize("count", ["", "soon", "1e3", "9" * 30, "-" + "9" * 18])
def test_a_delivery_that_says_no_moment_is_refused(count: str) -> None:
    with pytest.raises(WebhookRefused) as caught:
        require_sent_recently(count, NOON)
    assert caught.value.reason == "the delivery does not say when it was signed"


def test_the_refusal_names_the_moment_that_was_signed() -> None:
    sent = NOON - timedelta(minutes=6)
    with pytest.raises(WebhookRefused) as caught:
        require_recent(sent, NOON)
    assert caught.value.reason == "the delivery was signed at 2026-06-01T11:54:00+00:00, too far from the present"
    require_recent(sent, NOON, tolerance=timedelta(minutes=6))
