"""From where a call comes: what is counted of those who have shown nothing yet."""

from __future__ import annotations

from ipaddress import IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

HOUSEHOLD_BITS = 64
NOWHERE = "nowhere"


def address_of(request: HttpRequest) -> str:
    """From where a call comes: behind a proxy of the operator's, what that proxy says; of IPv6 a household's network,
    within which anybody takes as many addresses as they like."""
    given = str(request.META.get("REMOTE_ADDR", ""))
    if settings.SECURE_PROXY_SSL_HEADER:
        given = (request.headers.get("X-Forwarded-For") or given).rpartition(",")[2].strip()
    try:
        address = ip_address(given)
    except ValueError:
        return NOWHERE
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), HOUSEHOLD_BITS), strict=False))
