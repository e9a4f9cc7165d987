"""A platform that answers with what nobody means: each answer is served over a socket, asked for by a connector's way
to its platform, and what comes of it is written down with the most memory that the process ever took.

Run as a process of its own: `python -m tests.security.hostile_answers` prints one object of JSON.
"""

from __future__ import annotations

import gzip
import json
import socket
import sys
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2

from finalmarket.connectors.auth import TokenAuth, TokenRequest, place_bearer
from finalmarket.connectors.errors import ConnectorError
from finalmarket.connectors.http import MOST_BYTES, Answer, Http, scrubber

MEBI = 1024 * 1024
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LONGEST_SECONDS = 1.0
SENT_AT_MOST = 3 * MOST_BYTES
Parts = Iterable[bytes]


def whole(body: bytes, *headers: bytes) -> Parts:
    """An answer with its length."""
    lines = b"".join(header + b"\r\n" for header in headers)
    yield OK + lines + b"Content-Length: %d\r\n\r\n" % len(body)
    yield body


def endless(part: bytes, *headers: bytes) -> Parts:
    """An answer without an end (what is sent has one, lest a hole fills the disk of the machine)."""
    yield OK + b"".join(header + b"\r\n" for header in headers) + b"\r\n"
    sent = 0
    while sent < SENT_AT_MOST:
        yield part
        sent += len(part)


def dripping() -> Parts:
    """A byte now and then, for ever."""
    yield OK + b"\r\n"
    pause = threading.Event()
    for _ in range(2_000):
        pause.wait(0.02)
        yield b" "


def zipped(wbits: int = zlib.MAX_WBITS | 16) -> bytes:
    """A quarter of a gigabyte of spaces as gzip (or deflate): a thousandth of it goes over the wire."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join([*(packer.compress(b" " * MEBI) for _ in range(256)), packer.flush()])


def answers() -> dict[str, Callable[[], Parts]]:
    """The answers, by what is wrong with them."""
    bomb, deflated = zipped(), zipped(zlib.MAX_WBITS)
    twice = gzip.compress(bomb)
    return {
        "arrays 100,000 deep": lambda: whole(b"[" * 100_000 + b"]" * 100_000),
        "objects 100,000 deep": lambda: whole(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
        "arrays 500 deep": lambda: whole(b"[" * 500 + b"]" * 500),
        "NaN": lambda: whole(b'{"total": NaN}'),
        "Infinity": lambda: whole(b'{"total": -Infinity}'),
        "a whole number of 5,000 figures": lambda: whole(b'{"total": 1' + b"0" * 5_000 + b"}"),
        "a fraction of 5,000 figures": lambda: whole(b'{"total": 0.' + b"1" * 5_000 + b"}"),
        "an exponent of a billion": lambda: whole(b'{"total": 1e999999999}'),
        "a tiny exponent": lambda: whole(b'{"total": 1e-999999999}'),
        "zero with an exponent": lambda: whole(b'{"total": 0e999999999}'),
        "half a gigabyte announced": lambda: [OK + b"Content-Length: 536870912\r\n\r\n", b" " * MEBI],
        "no end": lambda: endless(b" " * MEBI),
        "no end, in pieces": lambda: endless(b"40\r\n" + b" " * 64 + b"\r\n", b"Transfer-Encoding: chunked"),
        "a byte now and then": dripping,
        "256 megabytes as gzip": lambda: whole(bomb, b"Content-Encoding: gzip"),
        "256 megabytes as deflate": lambda: whole(deflated, b"Content-Encoding: deflate"),
        "gzip within gzip": lambda: whole(twice, b"Content-Encoding: gzip, gzip"),
        "broken gzip": lambda: whole(bomb[:10] + b"\xff" * 4_000, b"Content-Encoding: gzip"),
        "brotli, which we do not speak": lambda: whole(b"\x8b\x02\x80" * 1_000, b"Content-Encoding: br"),
        "ten million empty objects": lambda: whole(b"[" + b"{}," * 10_000_000 + b"{}]"),
        "eight million fractions": lambda: whole(b"[" + b"1.5," * 7_900_000 + b"1.5]"),
        "200,000 headers": lambda: endless(b"X-Filler: 0123456789\r\n" * 1_000),
        "a header of 10 megabytes": lambda: [OK + b"X-Filler: " + b"x" * 10 * MEBI + b"\r\n\r\n{}"],
        "a status line without an end": lambda: [b"HTTP/1.1 200 " + b"x" * 10 * MEBI],
        "no HTTP at all": lambda: [b"SSH-2.0-OpenSSH_9.6\r\n" * 100],
        "a length that is none": lambda: [OK + b"Content-Length: -5\r\n\r\n{}"],
        "two lengths": lambda: [OK + b"Content-Length: 2\r\nContent-Length: 900\r\n\r\n{}"],
        "text that is no text": lambda: whole(b'{"name": "\xff\xfe\xfa"}'),
        "half a pair": lambda: whole(b'{"name": "\\ud800"}'),
        "a doctype that laughs": lambda: whole(LAUGHS, b"X-Kind: xml"),
    }


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">' + b"".join(
    b'<!ENTITY lol%d "%s">' % (level, b"&lol%d;" % (level - 1) * 10 if level > 1 else b"&lol;" * 10)
    for level in range(1, 10)
) + b"]><lolz>&lol9;</lolz>"  # fmt: skip
IS_AN_ANSWER = {"half a pair", "half a pair, under a token"}
"""What is JSON all the same, and harmless as such; what reads records judges it."""
REFUSED = b"HTTP/1.1 401 Unauthorized\r\n"


@contextmanager
def answering(parts: Callable[[], Parts]) -> Iterator[str]:
    """A server on this machine that answers one call so, and takes no other; its address."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(LONGEST_SECONDS * 2)
        thread = threading.Thread(target=_serve, args=(server, parts), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    thread.join(LONGEST_SECONDS)


def _serve(server: socket.socket, parts: Callable[[], Parts]) -> None:
    try:
        with server.accept()[0] as line:
            server.close()  # who asks again is told at once that nobody is there
            line.recv(65_536)
            for part in parts():
                line.sendall(part)
    except OSError:
        pass  # whoever asked has had enough


def ways(answer: Callable[[], Parts]) -> dict[str, tuple[Callable[[], Parts], Callable[[str], httpx2.Auth]]]:
    """Where such an answer may stand, by how that is said: what is answered there, and how the call is let in."""
    return {
        "": (answer, lambda address: httpx2.Auth()),
        ", under a token": (answer, lambda address: _with_token(address, "given")),
        ", in the place of a token": (answer, lambda address: _with_token(address, "")),
        ", to a token that is refused": (lambda: _refusing(answer()), lambda address: _with_token(address, "gone")),
    }


def _with_token(address: str, token: str) -> TokenAuth:
    return TokenAuth(TokenRequest(f"{address}/token", {}), place_bearer, token=token)


def _refusing(parts: Parts) -> Parts:
    for part in parts:
        yield part.replace(b"HTTP/1.1 200 OK\r\n", REFUSED)


def called(address: str, auth: httpx2.Auth) -> str:
    """The name of what comes of a call: that of an error, or "answer"."""
    http = Http(
        base_url=address, auth=auth, scrub=scrubber([]), explain=lambda answer: ("", ""),
        most_seconds=LONGEST_SECONDS, timeout=httpx2.Timeout(LONGEST_SECONDS), heed=lambda answer, bucket: None,
    )  # fmt: skip
    with closing(http):
        try:
            answer = http.call("GET", "/orders")
        except ConnectorError as error:
            return f"{type(error).__name__}: {error.reason[:100]}"
        except BaseException as error:
            return f"NOT MAPPED {type(error).__name__}"
    return _read(answer)


def _read(answer: Answer) -> str:
    return "answer" if answer.data is not None else "answer without JSON"


def peak_mebibytes() -> float:
    """The most memory that this process ever took as this program (getrusage counts what it was forked from, too)."""
    words = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()
    return int(words[0]) / 1024


def main() -> None:
    """Ask for all of them, in the order of the list."""
    asked = answers()
    came, peaks = {}, {}
    for name, answer in asked.items():
        for way, (parts, auth_at) in ways(answer).items():
            with answering(parts) as address:
                came[name + way] = called(address, auth_at(address))
            peaks[name + way] = round(peak_mebibytes())
    json.dump({"came": came, "peaks": peaks}, sys.stdout)


if __name__ == "__main__":
    main()
