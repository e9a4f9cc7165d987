"""Proving that a request comes from Alexa: its signature is checked with Amazon's certificate, on our side.

Headers SignatureCertChainUrl and Signature-256: RSA PKCS#1 v1.5 with SHA-256 over the body as it came. The chain is
fetched from Amazon's own place of certificates alone, must lead to an authority that this machine trusts, and must be
for echo-api.amazon.com. The rules:
https://developer.amazon.com/docs/alexa/custom-skills/host-a-custom-skill-as-a-web-service.html
"""

from __future__ import annotations

import binascii
import os
import posixpath
import re
import ssl
import threading
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from finalmarket.integrations.outgoing.guard import GuardedTransport
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError

HOST, PORT, PATH = "s3.amazonaws.com", 443, "/echo.api/"
NAME = "echo-api.amazon.com"
TRUSTED = "FINALMARKET_ALEXA_CA"
"""A file of certificates in PEM that are trusted in place of the machine's own authorities."""
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
WITHIN, EVENTS_WITHIN = timedelta(seconds=150), timedelta(seconds=3600)
KEPT_FOR = timedelta(hours=24)
MOST_CHAINS, MOST_BYTES, MOST_URL_CHARACTERS = 20, 100_000, 500
PEM = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")
TIMEOUT = httpx2.Timeout(3.0)  # Alexa waits for eight seconds in all
Transport = Callable[[], httpx2.BaseTransport]


class NotGenuine(Exception):
    """The request was not proved to come from Alexa, or not just now."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain that was verified, and until when that need not be done again."""

    key: RSAPublicKey
    good_until: datetime


_chains: dict[str, Chain] = {}
_mutex = threading.Lock()


def guarded() -> httpx2.BaseTransport:
    """What fetches the chain: no request of it reaches an inside address."""
    return GuardedTransport(httpx2.HTTPTransport())


def require_genuine(url: str, signature: str, body: bytes, transport: Transport = guarded) -> None:
    """Raise NotGenuine unless `body` was signed with Amazon's key, whose chain is at `url`."""
    key = _key_at(checked_url(url), transport)
    try:
        key.verify(b64decode(signature.encode("ascii"), validate=True), body, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError, binascii.Error):
        raise NotGenuine("the signature does not fit the body") from None


def require_recent(told: str, *, is_event: bool) -> None:
    """Raise NotGenuine for a request that was made more than 150 seconds ago, or ahead of us; skill events may come
    within the hour, as they are repeated that long."""
    try:
        made = datetime.fromisoformat(told)
    except (TypeError, ValueError):
        raise NotGenuine("the request does not say when it was made") from None
    made = made if made.tzinfo else made.replace(tzinfo=UTC)
    if abs(clock.now() - made) > (EVENTS_WITHIN if is_event else WITHIN):
        raise NotGenuine("the request was not made just now")


def checked_url(url: str) -> str:
    """Return the address of a chain in its plain form. Raises NotGenuine for one that is not Amazon's: scheme, host,
    port and the folder (its capitals count) are given."""
    try:
        parts = urlsplit(url[:MOST_URL_CHARACTERS])
        port = parts.port
    except ValueError:
        raise NotGenuine("the address of the certificates cannot be read") from None
    path = posixpath.normpath(parts.path)
    is_amazons = parts.scheme.lower() == "https" and (parts.hostname or "") == HOST and port in (None, PORT)
    if not is_amazons or parts.username or parts.password or not path.startswith(PATH) or "%" in path or "\\" in path:
        raise NotGenuine("the address of the certificates is not Amazon's")
    return f"https://{HOST}{path}"


def forget() -> None:
    """Forget the chains that were verified."""
    with _mutex:
        _chains.clear()


def _key_at(url: str, transport: Transport) -> RSAPublicKey:
    now = clock.now()
    with _mutex:
        known = _chains.get(url)
    if known is None or known.good_until <= now:
        known = verified(_fetched(url, transport), now)
        with _mutex:
            if len(_chains) >= MOST_CHAINS:
                _chains.clear()
            _chains[url] = known
    return known.key


def _fetched(url: str, transport: Transport) -> bytes:
    try:
        with (
            httpx2.Client(transport=transport(), timeout=TIMEOUT, trust_env=False, follow_redirects=False) as client,
            client.stream("GET", url) as answer,
        ):
            if answer.status_code != 200:
                raise NotGenuine(f"the certificates are not there: answered {answer.status_code}")
            found = b""
            for part in answer.iter_bytes():
                found += part
                if len(found) > MOST_BYTES:
                    raise NotGenuine("what is at the address of the certificates is too large")
            return found
    except (httpx2.HTTPError, httpx2.InvalidURL, UserError) as error:
        raise NotGenuine(f"the certificates cannot be fetched: {type(error).__name__}") from error


def verified(pem: bytes, at: datetime) -> Chain:
    """Return the key of a chain that leads to an authority we trust, is valid at that moment and for Alexa's name.
    Raises NotGenuine."""
    try:
        leaf, *others = x509.load_pem_x509_certificates(pem)
        verifier = PolicyBuilder().store(trusted()).time(at).build_server_verifier(x509.DNSName(NAME))
        chain = verifier.verify(leaf, others)
        key = leaf.public_key()
    except (ValueError, VerificationError, x509.ExtensionNotFound):
        raise NotGenuine(f"the certificates do not prove {NAME}") from None
    if not isinstance(key, RSAPublicKey):
        raise NotGenuine("the certificate holds no RSA key")
    ends = min(one.not_valid_after_utc for one in chain)
    return Chain(key, min(ends, at + KEPT_FOR))


def trusted() -> Store:
    """The authorities that are trusted: those of FINALMARKET_ALEXA_CA, else the machine's own."""
    paths = ssl.get_default_verify_paths()
    own = next((path for path in (paths.cafile, paths.openssl_cafile, *BUNDLES) if path and Path(path).is_file()), "")
    return _store(os.environ.get(TRUSTED, "") or own)


@lru_cache(maxsize=4)
def _store(path: str) -> Store:
    try:
        return Store([one for pem in PEM.findall(Path(path).read_bytes()) if (one := _certificate(pem))])
    except (OSError, ValueError) as error:
        raise NotGenuine(f"{path or 'this machine'} has no certificates to trust: name a file in {TRUSTED}") from error


def _certificate(pem: bytes) -> x509.Certificate | None:
    """One of a bundle; None for an old one that breaks today's rules: it spoils no other."""
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        return None
