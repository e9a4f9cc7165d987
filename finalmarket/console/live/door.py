"""The address of the live stream, as an ASGI application: GET /live, server-sent events.

A page is let in by the session of the console, from the console's own origin. It is told at most three times a second,
in one event, what changed meanwhile; a comment every 20 s keeps proxies from closing the line and shows us who has
gone. Rights are looked at anew every minute, so that who is logged out or put off hears no more.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, MutableMapping
from types import FrameType
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http.request import split_domain_port, validate_host

from finalmarket.console.live.audience import Audience, Full, Listener
from finalmarket.console.live.listening import listen
from finalmarket.console.live.watchers import Watcher, watcher_of
from finalmarket.console.live.words import Ids

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

GATHER_SECONDS = 0.3
BEAT_SECONDS = 20.0
CHECK_SECONDS = 60.0
EAR_SECONDS = 5.0
AGAIN_AFTER_SECONDS = 60


class Door:
    """The ASGI application."""

    def __init__(self, web_port: str = "") -> None:
        self._web_port = web_port
        self._audience: Audience | None = None
        self._listening: asyncio.Task[None] | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or the server's own beginning and end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._open()
                self._close_when_told()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _open(self) -> Audience:
        if self._audience is None:
            self._audience = Audience()
            self._listening = asyncio.create_task(listen(self._audience))
        return self._audience

    def _close_when_told(self) -> None:
        """Send everybody home at SIGTERM, before the server waits for answers under way: these have no end."""
        loop, before = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)

        def told(number: int, frame: FrameType | None) -> None:
            if self._audience is not None:
                loop.call_soon_threadsafe(self._audience.close)
            if callable(before):
                before(number, frame)

        signal.signal(signal.SIGTERM, told)

    async def close(self) -> None:
        """Send everybody home and stop listening."""
        if self._audience is not None:
            self._audience.close()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        self._audience = self._listening = None

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        headers: dict[str, str] = {}
        for raw_name, value in scope["headers"]:
            name, text = raw_name.decode("latin-1").lower(), value.decode("latin-1")
            # HTTP/2 may send cookies one by one.
            headers[name] = f"{headers[name]}; {text}" if name == "cookie" and name in headers else text
        if scope["path"] == "/health":
            return await _say(send, 200, "ok")
        if scope["path"].rstrip("/") != "/live":
            return await _say(send, 404, "the live stream is at /live")
        if scope["method"] != "GET":
            return await _say(send, 405, "GET only")
        try:
            origin = self._origin(headers)
        except DisallowedHost as error:
            return await _say(send, 403, str(error))
        watcher = await asyncio.to_thread(watcher_of, headers.get("cookie", ""))
        if watcher is None:
            return await _say(send, 401, "log in to the console first", origin)
        return await self._let_in(watcher, headers.get("cookie", ""), origin, receive, send)

    def _origin(self, headers: dict[str, str]) -> str:
        """The origin that the page is of, "" when it is of ours. Raises DisallowedHost.

        The console's web server has the same host and another port, or, behind a proxy, the same port.
        """
        host = headers.get("host", "")
        name, port = split_domain_port(host)
        if not name or not validate_host(name, settings.ALLOWED_HOSTS):
            raise DisallowedHost("this host is not ours; add it to FINALMARKET_HOSTS")
        origin = headers.get("origin", "")
        if not origin or origin in settings.CSRF_TRUSTED_ORIGINS:
            return origin
        scheme, _, theirs = origin.partition("://")
        their_name, their_port = split_domain_port(theirs)
        if scheme not in ("http", "https") or their_name != name or their_port not in (port, self._web_port):
            raise DisallowedHost("pages of other origins hear nothing")
        return origin

    async def _let_in(self, watcher: Watcher, cookies: str, origin: str, receive: Receive, send: Send) -> None:
        audience = self._open()
        try:
            listener = audience.enter(watcher.user_id, watcher.topics)
        except Full as error:
            return await _say(send, 429 if error.of_one else 503, str(error), origin)
        stream = asyncio.create_task(_tell(audience, listener, cookies, origin, send))
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await asyncio.wait({stream, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            audience.leave(listener)
            for task in (stream, gone):
                task.cancel()
            await asyncio.gather(stream, gone, return_exceptions=True)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


async def _tell(audience: Audience, listener: Listener, cookies: str, origin: str, send: Send) -> None:
    """Tell one page what changes, until it is let go or may hear no more."""
    await send({"type": "http.response.start", "status": 200, "headers": _headers("text/event-stream", origin)})
    try:
        await asyncio.wait_for(audience.can_hear.wait(), EAR_SECONDS)
    except TimeoutError:
        await _write(send, "deaf", {})  # the database is away: the page looks for itself meanwhile
    listener.take()  # what was said before the page has heard that it listens is no news to it
    await _write(send, "hello", {"topics": sorted(listener.topics)})
    now = asyncio.get_running_loop().time
    looked_at = now()
    while not listener.is_closing:
        is_woken = await _is_woken(listener)
        if now() - looked_at >= CHECK_SECONDS:  # however much there is to tell
            if not await _may_stay(listener, cookies):
                break
            looked_at = now()
        if not is_woken:
            await send({"type": "http.response.body", "body": b": beat\n\n", "more_body": True})
        elif untold := listener.take():
            await _write(send, "changed", {topic: _listed(ids) for topic, ids in untold.items()})
    await _write(send, "bye", {})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _is_woken(listener: Listener) -> bool:
    """Wait for something to tell, and for what else comes at once; False after a while in which there was nothing."""
    try:
        await asyncio.wait_for(listener.wait(), BEAT_SECONDS)
    except TimeoutError:
        return False
    if not listener.is_closing:
        await asyncio.sleep(GATHER_SECONDS)
    return True


async def _may_stay(listener: Listener, cookies: str) -> bool:
    watcher = await asyncio.to_thread(watcher_of, cookies)
    if watcher is None or watcher.user_id != listener.user_id:
        return False
    listener.topics = watcher.topics
    return True


def _listed(ids: Ids) -> list[int] | None:
    return None if ids is None else sorted(ids)


async def _write(send: Send, event: str, data: dict[str, Any]) -> None:
    body = b"event: " + event.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _say(send: Send, status: int, words: str, origin: str = "") -> None:
    headers = _headers("text/plain; charset=utf-8", origin)
    if status in (429, 503):
        headers.append((b"retry-after", str(AGAIN_AFTER_SECONDS).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{words}\n".encode(), "more_body": False})


def _headers(kind: str, origin: str) -> list[tuple[bytes, bytes]]:
    """`origin` is let read the answer. Proxies are asked not to gather it up."""
    headers = [
        (b"content-type", kind.encode()),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        (b"x-content-type-options", b"nosniff"),
        (b"vary", b"Origin, Cookie"),
    ]
    if origin:
        headers += [(b"access-control-allow-origin", origin.encode()), (b"access-control-allow-credentials", b"true")]
    return headers
