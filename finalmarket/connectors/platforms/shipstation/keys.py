"""Proving that a webhook comes from ShipStation: RSA signatures (SHA-256, PKCS #1 v1.5) under its published keys.

The keys are a set (JWKS, RFC 7517) at one address for all accounts; each delivery names the one that signed it.
"""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Iterable
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from finalmarket.connectors.errors import WebhookRefused

LEAST_BITS = 2048


def require_rsa_signature(key_sets: Iterable[str], key_id: str, signature: str, message: bytes) -> None:
    """Raise WebhookRefused unless `signature`, in base64, is that of `message` by the key of that id in the sets."""
    texts = [text for text in key_sets if text]
    if not texts:
        raise WebhookRefused("ShipStation's public keys are not there: subscribe to webhooks again")
    keys = [key for text in texts for name, key in _keys_of(text) if name == key_id]
    if not key_id or not keys:
        raise WebhookRefused("the delivery names a key that is not ShipStation's, or a new one: subscribe again")
    try:
        signed = b64decode(signature, validate=True)
    except ValueError:
        raise WebhookRefused("the signature is not base64") from None
    if not any(_fits(key, signed, message) for key in keys):
        raise WebhookRefused("the signature does not fit the body")


def are_keys(text: str) -> bool:
    """Whether a text is a set that holds a key of use."""
    return bool(_keys_of(text))


def _keys_of(text: str) -> list[tuple[str, RSAPublicKey]]:
    """The RSA keys of a set by their ids; what cannot be read is none."""
    try:
        told = json.loads(text)["keys"]
        return [(str(one["kid"]), _key(one)) for one in told if one.get("kty") == "RSA"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _key(told: dict[str, Any]) -> RSAPublicKey:
    number, exponent = (int.from_bytes(urlsafe_b64decode(told[part] + "=="), "big") for part in ("n", "e"))
    if number.bit_length() < LEAST_BITS:
        raise ValueError("the key is too short")
    return RSAPublicNumbers(exponent, number).public_key()


def _fits(key: RSAPublicKey, signed: bytes, message: bytes) -> bool:
    try:
        key.verify(signed, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
