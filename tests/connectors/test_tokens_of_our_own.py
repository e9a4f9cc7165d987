"""Tokens that we sign, letter by letter as the standard writes them (RFC 7515, section 3.1)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from finalmarket.connectors.assertions import sign_jwt
from finalmarket.connectors.errors import NeedsAttention


@pytest.fixture(scope="module")
def pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_a_token_is_written_without_blanks_and_without_filling(pem: str) -> None:
    header, claims, signature = sign_jwt({"iss": "me", "n": 1}, pem).split(".")
    assert header == "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9"  # {"alg":"RS256","typ":"JWT"}
    assert claims == "eyJpc3MiOiJtZSIsIm4iOjF9"  # {"iss":"me","n":1}
    assert "=" not in signature and len(signature) == 342


def test_whatever_the_length_of_the_claims_nothing_is_filled_up(pem: str) -> None:
    for letters in range(1, 4):
        token = sign_jwt({"a": "x" * letters}, pem, key_id="k")
        assert "=" not in token
        header, claims, _ = token.split(".")
        assert json.loads(urlsafe_b64decode(claims + "==")) == {"a": "x" * letters}
        assert json.loads(urlsafe_b64decode(header + "==")) == {"alg": "RS256", "typ": "JWT", "kid": "k"}


def test_a_key_that_cannot_be_used_is_told_by_what_to_do() -> None:
    no_curve_of_ours = Ed25519PrivateKey.generate()
    other = no_curve_of_ours.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    told = []
    for text in ("no key at all", other):
        with pytest.raises(NeedsAttention) as caught:
            sign_jwt({}, text)
        told.append(caught.value.reason)
    assert told == [
        "the private key cannot be read: paste the whole PEM file, without a password",
        "the private key is neither RSA of 2048 bits or more nor of the curves P-256, P-384, P-521",
    ]
