"""Alexa as a test plays it: an authority, a chain of certificates for echo-api.amazon.com, requests in her own shapes,
signed, and the published schemas that judge what is asked and answered."""

from __future__ import annotations

import base64
import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.test import Client
from jsonschema import Draft202012Validator

from finalmarket.api.alexa import genuine
from finalmarket.kernel import clock

CHAIN_URL = "https://s3.amazonaws.com/echo.api/echo-api-cert-12.pem"
APPLICATION = "amzn1.ask.skill.11111111-2222-3333-4444-555555555555"


@cache
def new_key(name: str) -> RSAPrivateKey:
    """A key of that name, the same for all tests of the process: they take long to make."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def certificate(
    name: str, *, of: str, by: str, issuer: str, at: datetime, is_authority: bool, days: int = 30,
    alternative: str = "",
) -> x509.Certificate:  # fmt: skip
    """A certificate for the key `of`, signed with the key `by`, valid from a day before `at`."""
    key, signer = new_key(of), new_key(by)
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_usage(is_authority), critical=True)
    )
    if not is_authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(alternative)]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _usage(is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority, content_commitment=False, key_encipherment=not is_authority,
        data_encipherment=False, key_agreement=False, key_cert_sign=is_authority, crl_sign=is_authority,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def pem(*certificates: x509.Certificate) -> bytes:
    """Certificates as a file holds them."""
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


@dataclass
class Alexa:
    """Amazon's side: what lies at the address of the chain, and who signs."""

    token: str = ""
    access_token: str = ""
    user: str = "amzn1.ask.account.ANN"
    locale: str = "en-US"
    chain: bytes = b""
    fetched: list[str] = field(default_factory=list)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    session: str = "amzn1.echo-api.session.1"

    def lay_chain(
        self, *, alternative: str = "echo-api.amazon.com", is_over: bool = False, issuer_key: str = "middle"
    ) -> None:
        """Put a chain where it is fetched: leaf and intermediate, under the authority that is trusted."""
        at = clock.now()
        leaf = certificate(
            alternative, of="leaf", by=issuer_key, issuer="Middle CA", at=at - timedelta(days=31 if is_over else 0),
            is_authority=False, alternative=alternative,
        )  # fmt: skip
        middle = certificate("Middle CA", of="middle", by="root", issuer="Test Root", at=at, is_authority=True)
        self.chain = pem(leaf, middle)

    def transport(self) -> httpx2.BaseTransport:
        """What fetches the chain."""

        def answer(request: httpx2.Request) -> httpx2.Response:
            self.fetched.append(str(request.url))
            return httpx2.Response(200, content=self.chain)

        return httpx2.MockTransport(answer)

    def signature(self, body: bytes) -> str:
        """Of the body, as it is sent."""
        return base64.b64encode(new_key("leaf").sign(body, PKCS1v15(), hashes.SHA256())).decode()

    def request(self, kind: str, *, request_id: str = "", at: datetime | None = None, **more: Any) -> dict[str, Any]:
        """A request of that type in Alexa's shape."""
        user = {"userId": self.user} | ({"accessToken": self.access_token} if self.access_token else {})
        told = {
            "type": kind, "requestId": request_id or f"amzn1.echo-api.request.{uuid.uuid4()}",
            "timestamp": (at or clock.now()).strftime("%Y-%m-%dT%H:%M:%SZ"), "locale": self.locale, **more,
        }  # fmt: skip
        system = {
            "application": {"applicationId": APPLICATION}, "user": user,
            "device": {"deviceId": "amzn1.ask.device.1", "supportedInterfaces": {}},
            "apiEndpoint": "https://api.amazonalexa.com", "apiAccessToken": "atza|...",
        }  # fmt: skip
        session = {
            "new": not self.attributes, "sessionId": self.session, "application": {"applicationId": APPLICATION},
            "user": user, "attributes": dict(self.attributes),
        }  # fmt: skip
        envelope = {"version": "1.0", "context": {"System": system}, "request": told}
        return envelope if kind.startswith("AlexaSkillEvent") else {**envelope, "session": session}

    def intent(self, name: str, *, request_id: str = "", ids: Any = None, **slots: str) -> Any:
        """The user says something; returns what they hear. `ids` are values of our model that Alexa recognised."""
        made = {slot: _slot(slot, said, (ids or {}).get(slot, "")) for slot, said in slots.items()}
        intent = {"name": name, "confirmationStatus": "NONE", "slots": made}
        return self.ask(self.request("IntentRequest", request_id=request_id, intent=intent, dialogState="STARTED"))

    def ask(self, envelope: Mapping[str, Any]) -> Any:
        """Send a genuine request; returns the answer, which Amazon's own schema has judged, and goes on with it."""
        judge("skill-request-envelope", envelope)
        answer = self.send(json.dumps(envelope).encode())
        assert answer.status_code == 200, answer.content
        told = answer.json()
        judge("skill-response-envelope", told)
        self.attributes = told["sessionAttributes"]
        return told["response"]

    def send_event(self, kind: str, **more: Any) -> None:
        """Tell of the skill itself; nobody says anything."""
        assert self.ask(self.request(kind, **more)) == {}

    def send(self, body: bytes, **headers: str) -> Any:
        """Send a body, signed unless told otherwise."""
        signed = {"SignatureCertChainUrl": CHAIN_URL, "Signature-256": self.signature(body), **headers}
        return Client().post(
            f"/voice/alexa/{self.token}/", body, content_type="application/json", headers=signed
        )  # fmt: skip


def _slot(name: str, said: str, recognised: str) -> dict[str, Any]:
    slot: dict[str, Any] = {"name": name, "value": said, "confirmationStatus": "NONE"}
    if recognised:
        value = {"value": {"name": said, "id": recognised}}
        resolved = {"authority": "amzn1.er-authority.1", "status": {"code": "ER_SUCCESS_MATCH"}, "values": [value]}
        slot["resolutions"] = {"resolutionsPerAuthority": [resolved]}
    return slot


@cache
def _validator(name: str) -> Draft202012Validator:
    folder = os.environ.get("FINALMARKET_VENDOR_APIS", "")
    path = Path(folder) / "alexa" / f"{name}.derived.schema.json"
    if not path.is_file():
        pytest.skip("no published descriptions: set FINALMARKET_VENDOR_APIS to their folder")
    return Draft202012Validator(json.loads(path.read_text()))


def judge(name: str, document: Any) -> None:
    """Let Amazon's own schema judge a request or an answer."""
    errors = [f"{'/'.join(map(str, one.path))}: {one.message}" for one in _validator(name).iter_errors(document)]
    assert not errors, errors


@pytest.fixture
def alexa(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Alexa:
    """Alexa with a chain that is good today, under an authority that the house trusts."""
    at = clock.now()
    root = certificate("Test Root", of="root", by="root", issuer="Test Root", at=at, is_authority=True)
    bundle = tmp_path / "trusted.pem"
    bundle.write_bytes(pem(root))
    monkeypatch.setenv(genuine.TRUSTED, str(bundle))
    made = Alexa()
    made.lay_chain()
    monkeypatch.setattr("finalmarket.api.alexa.skill.TRANSPORT", made.transport)
    genuine.forget()
    return made
