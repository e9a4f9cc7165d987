"""Addresses that lead inside, written in all the ways that somebody has thought of, and genuine ones beside them.

Made by family, so that each family stands here as the trick that it is. `names` says what a name server answers; a name
that does not stand there is not known to it. Numbers are read as the machine's own resolver reads them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

INSIDE = (
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.100.100.200",
    "0.0.0.0",
    "192.0.0.8",
    "192.0.0.9",
)
INSIDE_6 = ("::1", "::", "fe80::1", "fd00::1", "fec0::1", "ff02::1", "fd00:ec2::254", "2001:db8::1", "3fff::1",
            "100::1", "5f00::1", "2001::1", "2001:1::1", "2001:10::1", "2001:20::1", "64:ff9b:1::1")  # fmt: skip
PUBLIC = "93.184.216.34"


def written_as_numbers() -> Iterator[str]:
    """Decimal, octal, hex, and fewer than four parts, as inet_aton reads them."""
    for text in INSIDE:
        whole = int(ipaddress.IPv4Address(text))
        parts = [int(part) for part in text.split(".")]
        yield f"http://{whole}/"
        yield f"http://{whole:#x}/"
        yield f"http://0{whole:o}/"
        yield "http://" + ".".join(f"{part:#x}" for part in parts) + "/"
        yield "http://" + ".".join(f"0{part:o}" for part in parts) + "/"
        yield "http://" + ".".join(f"000{part:o}" for part in parts) + "/"
        yield f"http://{parts[0]}.{(parts[1] << 16) | (parts[2] << 8) | parts[3]}/"
        yield f"http://{parts[0]:#x}.{parts[1]}.{(parts[2] << 8) | parts[3]:#x}/"


def plain() -> Iterator[str]:
    """As they are, with TLS, a port, a trailing dot, a path and a query."""
    for text in INSIDE:
        yield from (f"http://{text}/", f"https://{text}/", f"http://{text}:8080/x", f"http://{text}./",
                    f"http://{text}?a=b", f"http://{text}#@example.com/")  # fmt: skip
    yield from ("http://127.1/", "http://127.0.1/", "http://0/", "http://127.127.127.127/", "http://224.0.0.1/",
                "http://255.255.255.255/", "http://240.0.0.1/", "http://192.0.0.1/", "http://192.0.2.1/",
                "http://198.18.0.1/", "http://192.88.99.1/", "http://100.64.0.1/")  # fmt: skip


def written_in_ipv6() -> Iterator[str]:
    """IPv6 that stays inside, and every way in which IPv4 is written in it."""
    yield from (f"http://[{text}]/" for text in INSIDE_6)
    for text in INSIDE:
        high, low = divmod(int(ipaddress.IPv4Address(text)), 1 << 16)
        yield f"http://[::ffff:{text}]/"  # mapped
        yield f"http://[::ffff:{high:x}:{low:x}]/"
        yield f"http://[0:0:0:0:0:ffff:{text}]:8080/"
        yield f"http://[::{high:x}:{low:x}]/"  # compatible, RFC 4291
        yield f"http://[::ffff:0:{high:x}:{low:x}]/"  # translated, RFC 2765
        yield f"http://[64:ff9b::{high:x}:{low:x}]/"  # NAT64, RFC 6052
        yield f"http://[64:ff9b:1::{high:x}:{low:x}]/"  # NAT64 of one's own, RFC 8215
        yield f"http://[2002:{high:x}:{low:x}::1]/"  # 6to4
        yield f"http://[2001:0:{high:x}:{low:x}::1]/"  # Teredo
    yield from ("http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/", "http://[::1%25lo]/", "http://[fe80::1%251]/")


def two_readings() -> Iterator[str]:
    """User names, backslashes, control characters: what one reader takes for the host, another does not."""
    for inside in ("127.0.0.1", "169.254.169.254", "[::1]"):
        yield from (
            f"http://example.com@{inside}/", f"http://example.com:80@{inside}/", f"http://@{inside}/",
            f"http://example.com%40@{inside}/", f"http://{inside}\\@example.com/", f"http://example.com\\@{inside}/",
            f"http://{inside}@example.com/", f"http://a:b@{inside}:8080/", f"http:\\\\{inside}\\",
            f"http://example.com\t@{inside}/", f"http://{inside}\n/", f"http://{inside}\r\nHost: x/", f" http://{inside}/",
            f"http://{inside}\x00.example.com/", f"http://{inside} .example.com/", f"http:///{inside}/",
            f"http:{inside}/", f"//{inside}/", f"http://[::ffff:{inside}/",
        )  # fmt: skip


def other_signs() -> Iterator[str]:
    """Dots and figures of other scripts, which IDNA turns into ours."""
    yield from (
        "http://127。0。0。1/", "http://127．0．0．1/", "http://127｡0｡0｡1/", "http://１２７.０.０.１/", "http://①②⑦.⓪.⓪.①/",
        "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "http://loc\u00adalhost/", "http://localhoſt/", "http://LOCALHOST/", "http://localhost./",
        "http://１６９.２５４.１６９.２５４/", "http://169。254。169。254/", "http://%31%32%37.0.0.1/", "http://127%2e0%2e0%2e1/",
        "http://127.0.0.1%23.example.com/", "http://0x7f。1/", "http://２１３０７０６４３３/",
    )  # fmt: skip


def other_schemes() -> Iterator[str]:
    """What is no web address, and ports that no web server has."""
    yield from (
        f"{scheme}://127.0.0.1/x"
        for scheme in ("file", "ftp", "gopher", "dict", "ldap", "tftp", "jar", "netdoc", "phar", "ws", "unix",
                       "javascript", "data", "HTTP+unix", "ssh")
    )  # fmt: skip
    yield from ("file:///etc/passwd", "data:text/html,x", "javascript:alert(1)", "http://", "http:", "", "x",
                "http://:80/", "http://[]/", "http://[::1", "http://example.com:99999/",
                "http://example.com:-1/", "http://example.com:x/")  # fmt: skip
    yield from (
        f"http://example.com:{port}/" for port in (0, 21, 22, 23, 25, 53, 110, 111, 135, 139, 143, 389, 445, 587, 873)
    )


NAMES: dict[str, list[str]] = {
    **{f"n{number}.inside.example": [address] for number, address in enumerate((*INSIDE, *INSIDE_6))},
    "mixed.example": [PUBLIC, "127.0.0.1"], "mixed-6.example": [PUBLIC, "::1"], "first.example": ["10.0.0.1", PUBLIC],
    "mapped.example": ["::ffff:127.0.0.1"], "nat64.example": ["64:ff9b::7f00:1"], "zone.example": ["fe80::1%eth0"],
    "compatible.example": ["::7f00:1"], "6to4.example": ["2002:7f00:1::"], "localhost": ["127.0.0.1"],
    "localhost.localdomain": ["127.0.0.1"], "ip6-localhost": ["::1"], "metadata.google.internal": ["169.254.169.254"],
    "127.0.0.1.nip.example": ["127.0.0.1"], "nothing.example": [],
}  # fmt: skip
"""Names that lead inside."""
GENUINE: dict[str, list[str]] = {
    **{f"hooks{one}.example": [f"{one}.9.{one}.7"] for one in (1, 5, 8, 9, 13, 20, 34, 52, 104, 151, 185, 203)},
    "both.example": [PUBLIC, "2606:2800:220:1:248:1893:25c8:1946"], "six.example": ["2a00:1450:4001:80e::200e"],
    "münchen.example": [PUBLIC], "xn--mnchen-3ya.example": [PUBLIC], "a-b.example.co.uk": [PUBLIC],
    "nat64-outside.example": ["64:ff9b::808:808"], "6to4-outside.example": ["2002:808:808::1"],
}  # fmt: skip
"""Names that lead outside."""


def names() -> Iterator[str]:
    """Names that a name server has for something inside."""
    for name in NAMES:
        yield from (f"http://{name}/", f"https://{name}:8443/hook")


def hostile() -> list[str]:
    """All of them, each once."""
    families = (written_as_numbers, plain, written_in_ipv6, two_readings, other_signs, other_schemes, names)
    return list(dict.fromkeys(url for family in families for url in family()))


def genuine() -> list[str]:
    """Addresses that receivers really have."""
    written = [f"https://{name}/hook" for name in GENUINE]
    written += [f"http://{name}:8080/a/b?c=d%20e&f=g" for name in list(GENUINE)[:12]]
    return [*written, "https://8.8.8.8/x", "http://1.1.1.1:3000/", "https://[2606:4700:4700::1111]/x", "https://HOOKS1.example/",
            "https://hooks1.example./x", "https://hooks1.example:443/"]  # fmt: skip
