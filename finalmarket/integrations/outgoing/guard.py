"""No request of ours reaches an inside address, whatever an endpoint's name resolves to.

The name is resolved once, every address it has must be a public one, and the connection goes to exactly that address:
a name that answers differently a second time (DNS rebinding) gains nothing. Redirects are not followed by the client;
deliver.py sends them through here again.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx2

from finalmarket.kernel.errors import UserError

VARIABLE = "FINALMARKET_WEBHOOK_NETWORKS"
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]


class InsideAddress(UserError):
    """The address lies inside the merchant's own network, or is none that the public can reach."""


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host. Raises UserError when it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UserError(f"the name {host!r} cannot be resolved: {error}") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def public_address(host: str, port: int, resolving: Resolve = resolve) -> str:
    """The one address to connect to. Raises InsideAddress when any address of the host is not public.

    Networks named in FINALMARKET_WEBHOOK_NETWORKS (CIDR, parted by commas) are allowed besides: receivers of one's own.
    """
    addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in resolving(host, port)]
    if not addresses:
        raise UserError(f"the name {host!r} has no address")
    for address in addresses:
        if not _is_allowed(address):
            raise InsideAddress(
                f"{host} is {address}, which is not a public address; if it is a receiver of your own, name its "
                f"network in {VARIABLE}"
            )
    return str(addresses[0])


def check_url(url: str) -> None:
    """Raise UserError for what is no http(s) address, carries a user name, or names an inside address outright."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"{url!r} is no http or https address")
    if parts.username or parts.password:
        raise UserError("an address with a user name in it is not accepted: receivers check the signature instead")
    try:
        address = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return
    if not _is_allowed(address):
        raise InsideAddress(f"{address} is not a public address; name its network in {VARIABLE} if it is your own")


def _is_allowed(address: IPAddress) -> bool:
    inner = _embedded(address)
    if any(address in network or inner in network for network in _own_networks()):
        return True
    return all(one.is_global and not one.is_multicast for one in (address, inner))


def _embedded(address: IPAddress) -> IPAddress:
    """The IPv4 address that an IPv6 one stands for (mapped, 6to4, NAT64 of RFC 6052), else the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address.sixtofour:
            return address.sixtofour
        if address in ipaddress.ip_network("64:ff9b::/96"):
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _own_networks() -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    named = [text.strip() for text in os.environ.get(VARIABLE, "").split(",") if text.strip()]
    try:
        return [ipaddress.ip_network(text) for text in named]
    except ValueError as error:
        raise UserError(f"{VARIABLE} holds something that is no network: {error}") from error


class GuardedTransport(httpx2.BaseTransport):
    """Sends each request to the address that was checked, under the name that was asked for (Host, TLS)."""

    def __init__(self, inner: httpx2.BaseTransport, resolving: Resolve = resolve) -> None:
        self._inner, self._resolving = inner, resolving

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Resolve, check, pin, send."""
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        address = public_address(host, port, self._resolving)
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=address)  # the Host header was set from the name before
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Give the connections back."""
        self._inner.close()
