"""Proving that a webhook comes from PayPal: its signature is checked with PayPal's certificate, on our side.

The text that is signed: transmission id, its moment, the id of our webhook, and the CRC-32 of the body, joined by bars.
The certificate is fetched from where the delivery says, but from PayPal's own hosts only.
(https://developer.paypal.com/api/rest/webhooks/rest/#link-verifymessagesignature)
"""

from __future__ import annotations

import binascii
import re
import zlib
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from finalmarket.connectors.errors import WebhookRefused
from finalmarket.connectors.moments import utc
from finalmarket.connectors.records import Delivery
from finalmarket.connectors.signing import require_recent

HOSTS = ("api.paypal.com", "api-m.paypal.com", "api.sandbox.paypal.com", "api-m.sandbox.paypal.com")
PATH = re.compile(r"/v1/notifications/certs/[A-Za-z0-9_-]{1,100}")
OWNER = ".paypal.com"
ALGORITHM = "SHA256withRSA"
MOST_BYTES_OF_CERTIFICATES = 100_000


@dataclass(frozen=True, slots=True)
class Transmission:
    """What the headers of a delivery say of its signature."""

    name: str
    moment: str
    signature: bytes
    certificate_url: str


def transmission_of(delivery: Delivery) -> Transmission:
    """The signature of a delivery, its certificate's address looked at. Raises WebhookRefused for what is incomplete,
    of another algorithm, too old, or points to a host that is not PayPal's."""
    name, moment = delivery.header("PAYPAL-TRANSMISSION-ID"), delivery.header("PAYPAL-TRANSMISSION-TIME")
    if not name or not moment:
        raise WebhookRefused("the delivery does not say which transmission it is, or of when")
    if delivery.header("PAYPAL-AUTH-ALGO") != ALGORITHM:
        raise WebhookRefused(f"the delivery is not signed by {ALGORITHM}")
    url = delivery.header("PAYPAL-CERT-URL")
    if not is_of_paypal(url):
        raise WebhookRefused("the certificate's address is not one of PayPal's")
    try:
        signature = b64decode(delivery.header("PAYPAL-TRANSMISSION-SIG").encode("ascii"), validate=True)
        require_recent(utc(moment), delivery.received_at)
    except (ValueError, binascii.Error):
        raise WebhookRefused("the delivery's signature or its moment cannot be read") from None
    return Transmission(name, moment, signature, url)


def is_of_paypal(url: str) -> bool:
    """Whether a certificate may be fetched from there: https, a host of PayPal's API, its place of certificates."""
    try:
        parts = urlsplit(url)
        plain = f"https://{parts.hostname}{parts.path}"
    except ValueError:
        return False
    return url == plain and parts.hostname in HOSTS and PATH.fullmatch(parts.path) is not None


def key_of(pem: bytes, at: datetime) -> RSAPublicKey:
    """The key of PayPal's certificate. Raises WebhookRefused for what is none, is not PayPal's, or not valid then."""
    try:
        certificate = x509.load_pem_x509_certificates(pem[:MOST_BYTES_OF_CERTIFICATES])[0]
        key = certificate.public_key()
        owners = [str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        is_valid = certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
    except ValueError:
        raise WebhookRefused("what came from the certificate's address is no certificate") from None
    if not isinstance(key, RSAPublicKey) or not is_valid:
        raise WebhookRefused("the certificate is not valid, or holds no RSA key")
    if not any(owner.lower().endswith(OWNER) for owner in owners):
        raise WebhookRefused("the certificate is not PayPal's")
    return key


def require_signed(told: Transmission, key: RSAPublicKey, webhook_ids: Iterable[str], body: bytes) -> None:
    """Raise WebhookRefused unless the delivery was signed for one of our webhooks, with this key."""
    for webhook_id in webhook_ids:
        text = f"{told.name}|{told.moment}|{webhook_id}|{zlib.crc32(body)}"
        try:
            key.verify(told.signature, text.encode(), PKCS1v15(), SHA256())
        except (InvalidSignature, ValueError):
            continue
        return
    raise WebhookRefused("the signature does not fit the delivery")
