"""Signed tokens are what their receivers can prove, and a key that cannot sign is said so without showing it."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from finalmarket.connectors.assertions import sign_jwt
from finalmarket.connectors.errors import NeedsAttention

CLAIMS = {"iss": "client-1", "exp": 1_800_000_000, "aud": "https://platform.example/token"}


def pem(key: Any) -> str:
    """A key as its owner would paste it."""
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    """Header, claims, signature and the signed text of a token."""
    head, body, signature = (urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split("."))
    return json.loads(head), json.loads(body), signature, token.rpartition(".")[0].encode()


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def test_an_rsa_key_signs_with_pss_where_the_platform_asks_for_it(rsa_key: rsa.RSAPrivateKey) -> None:
    header, claims, signature, message = parts(sign_jwt(CLAIMS, pem(rsa_key), key_id="c-1", rsa_algorithm="PS256"))
    assert (header, claims) == ({"alg": "PS256", "typ": "JWT", "kid": "c-1"}, CLAIMS)
    rsa_key.public_key().verify(signature, message, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())


def test_an_rsa_key_signs_by_the_older_padding_else(rsa_key: rsa.RSAPrivateKey) -> None:
    header, _, signature, message = parts(sign_jwt(CLAIMS, pem(rsa_key)))
    assert header == {"alg": "RS256", "typ": "JWT"}
    rsa_key.public_key().verify(signature, message, padding.PKCS1v15(), SHA256())
    with pytest.raises(InvalidSignature):
        rsa_key.public_key().verify(signature, message + b"x", padding.PKCS1v15(), SHA256())


def test_an_elliptic_key_signs_by_the_algorithm_of_its_curve() -> None:
    for curve, name, size, digest in ((ec.SECP256R1(), "ES256", 32, SHA256()), (ec.SECP384R1(), "ES384", 48, SHA384())):
        key = ec.generate_private_key(curve)
        header, _, signature, message = parts(sign_jwt(CLAIMS, pem(key)))
        assert header["alg"] == name
        assert len(signature) == 2 * size
        halves = (int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big"))
        key.public_key().verify(encode_dss_signature(*halves), message, ec.ECDSA(digest))


def test_of_a_signature_no_letter_is_lost_whatever_it_ends_with() -> None:
    text = pem(ec.generate_private_key(ec.SECP384R1()))  # 96 bytes are 128 letters, of which each may be the last
    signatures = {sign_jwt(CLAIMS | {"jti": number}, text).rpartition(".")[2] for number in range(600)}
    assert {len(signature) for signature in signatures} == {128}


def test_a_key_pasted_with_spaces_around_it_is_the_same_key(rsa_key: rsa.RSAPrivateKey) -> None:
    assert sign_jwt(CLAIMS, f"\n  {pem(rsa_key)}  \n") == sign_jwt(CLAIMS, pem(rsa_key))


@pytest.mark.parametrize(
    "text", ["", "no key at all", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
)  # fmt: skip
def test_what_is_no_key_needs_attention_and_is_not_shown(text: str) -> None:
    with pytest.raises(NeedsAttention) as caught:
        sign_jwt(CLAIMS, text)
    assert "AAAA" not in str(caught.value)


def test_keys_that_are_too_weak_or_of_another_kind_need_attention() -> None:
    weak = rsa.generate_private_key(65537, 1024)
    for key in (weak, ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256K1())):
        with pytest.raises(NeedsAttention):
            sign_jwt(CLAIMS, pem(key))
