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
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2

from finalmarket.kernel.errors import UserError

VARIABLE = "FINALMARKET_WEBHOOK_NETWORKS"
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
WEB_PORTS, LEAST_FREE_PORT = (80, 443), 1024
TWO_READINGS = frozenset(" \\\u3000")  # what one reader takes for a part of the host, and another for its end
UNICAST = ipaddress.ip_network("2000::/3")
NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Kept for protocols and examples (RFC 6890, 2928, 9637, 7526). Which of them are called global depends on the Python.
NO_MACHINES = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "2001::/23", "3fff::/20", "192.88.99.0/24")))
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


@dataclass(frozen=True, slots=True)
class Allowed:
    """Networks (CIDR, parted by commas) that may be called besides the public net: those that the operator of the house
    names in a variable, and `besides`."""

    variable: str = VARIABLE
    besides: str = ""

    def networks(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """The networks. Raises UserError where the variable holds something else."""
        texts = f"{os.environ.get(self.variable, '')},{self.besides}".split(",")
        try:
            return [ipaddress.ip_network(text.strip()) for text in texts if text.strip()]
        except ValueError as error:
            raise UserError(f"{self.variable} holds something that is no network: {error}") from error


RECEIVERS = Allowed()
"""Receivers of one's own: FINALMARKET_WEBHOOK_NETWORKS."""


def public_address(host: str, port: int, resolving: Resolve = resolve, allowed: Allowed = RECEIVERS) -> str:
    """The one address to connect to. Raises InsideAddress when any address of the host is neither public nor allowed
    besides."""
    addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in resolving(host, port)]
    if not addresses:
        raise UserError(f"the name {host!r} has no address")
    for address in addresses:
        if not _is_allowed(address, allowed):
            raise InsideAddress(
                f"{host} is {address}, which is not a public address; if it is one of your own, name its network in "
                f"{allowed.variable}"
            )
    return str(addresses[0])


def check_url(url: str) -> None:
    """Raise UserError for what is no http(s) address, could be read in two ways, carries a user name, asks for a port
    that no web server has, or names an inside address outright."""
    host = host_of(url)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    if not _is_allowed(address, RECEIVERS):
        raise InsideAddress(f"{address} is not a public address; name its network in {VARIABLE} if it is your own")


def host_of(url: str) -> str:
    """The host that an address names. Raises UserError as `check_url` does, but for inside addresses."""
    if not url.isprintable() or TWO_READINGS & set(url):
        raise UserError("an address holds no spaces, backslashes or control characters")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise UserError(f"{url[:100]!r} is no address: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise UserError(f"{url[:100]!r} is no http or https address")
    if "@" in parts.netloc:
        raise UserError("an address with a user name in it is not accepted: receivers check the signature instead")
    if port is not None and port < LEAST_FREE_PORT and port not in WEB_PORTS:
        raise UserError(f"port {port} is no web server's: use 80, 443, or one from {LEAST_FREE_PORT} on")
    return host


def _is_allowed(address: IPAddress, allowed: Allowed) -> bool:
    inner = _embedded(address)
    if any(one in network for one in {address, inner} for network in allowed.networks()):
        return True
    return _is_public(inner)


def _is_public(address: IPAddress) -> bool:
    """Whether the address is one of the public net's machines. Of IPv6 only 2000::/3 is given out to such (IANA); the
    rest, further ways in which IPv4 is written in it among them, reaches what nobody can say."""
    if isinstance(address, ipaddress.IPv6Address) and address not in UNICAST:
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in NO_MACHINES)


def _embedded(address: IPAddress) -> IPAddress:
    """The IPv4 address that an IPv6 one stands for (mapped, 6to4, NAT64 of RFC 6052), else the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address.sixtofour:
            return address.sixtofour
        if address in NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


class GuardedTransport(httpx2.BaseTransport):
    """Sends each request to the address that was checked, under the name that was asked for (Host, TLS)."""

    def __init__(self, inner: httpx2.BaseTransport, resolving: Resolve = resolve, allowed: Allowed = RECEIVERS) -> None:
        self._inner, self._resolving, self._allowed = inner, resolving, allowed

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Resolve, check, pin, send."""
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        address = public_address(host, port, self._resolving, self._allowed)
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=address)  # the Host header was set from the name before
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Give the connections back."""
        self._inner.close()
