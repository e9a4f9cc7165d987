"""Tokens that we sign ourselves to be let in (JWT, RFC 7519 and 7523), with RSA or elliptic keys (RFC 7518)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from finalmarket.connectors.errors import NeedsAttention

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
LEAST_BITS = 2048
# The algorithm that belongs to each curve (RFC 7518, section 3.4).
CURVES: Mapping[str, tuple[str, HashAlgorithm]] = {
    "secp256r1": ("ES256", SHA256()), "secp384r1": ("ES384", SHA384()), "secp521r1": ("ES512", SHA512()),
}  # fmt: skip


def sign_jwt(claims: Mapping[str, Any], private_key: str, *, key_id: str = "", rsa_algorithm: str = "RS256") -> str:
    """The claims as a signed token. `private_key` is PEM without a password; an RSA key signs by `rsa_algorithm` (RS256
    or PS256), an elliptic one by the algorithm of its curve. Raises NeedsAttention for a key that cannot be used."""
    key = read_key(private_key)
    algorithm = rsa_algorithm if isinstance(key, rsa.RSAPrivateKey) else CURVES[key.curve.name][0]
    header = {"alg": algorithm, "typ": "JWT", **({"kid": key_id} if key_id else {})}
    message = b".".join(_coded(json.dumps(part, separators=(",", ":")).encode()) for part in (header, dict(claims)))
    return (message + b"." + _coded(_signature(key, message, algorithm))).decode()


def _read_key(private_key: str) -> PrivateKey:
    """The key of a PEM text. Raises NeedsAttention, without a word of the key, where it is none that can sign."""
    try:
        key = load_pem_private_key(private_key.strip().encode() + b"\n", password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise NeedsAttention("the private key cannot be read: paste the whole PEM file, without a password") from None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= LEAST_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in CURVES:
        return key
    raise NeedsAttention("the private key is neither RSA of 2048 bits or more nor of the curves P-256, P-384, P-521")


# To read one takes ten times as long as to sign with it. Decorated, it would be passed over by `make mutants`.
read_key = lru_cache(maxsize=64)(_read_key)


def _signature(key: PrivateKey, message: bytes, algorithm: str) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        if algorithm == "PS256":
            return key.sign(message, padding.PSS(padding.MGF1(SHA256()), SHA256().digest_size), SHA256())
        return key.sign(message, padding.PKCS1v15(), SHA256())
    first, second = decode_dss_signature(key.sign(message, ec.ECDSA(CURVES[key.curve.name][1])))
    size = (key.curve.key_size + 7) // 8
    return first.to_bytes(size, "big") + second.to_bytes(size, "big")


def _coded(part: bytes) -> bytes:
    return urlsafe_b64encode(part).rstrip(b"=")
