"""What is heard live, by whom, and that nobody pays for it while nobody watches."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.test import Client

from finalmarket.console.live import door, listening
from finalmarket.console.live.audience import MOST_OF_ONE_USER
from finalmarket.console.live.words import MOST_IDS, WATCH_LOCK, read, together
from finalmarket.kernel.sql import open_connection
from finalmarket.orders.intake import take
from tests.orders.market import Market, draft, line, open_market

PATIENCE_SECONDS = 30
pytestmark = pytest.mark.committed_database


class Page:
    """An open page: what the door sends it, event by event."""

    def __init__(self, stream: door.Door, cookie: str, headers: dict[str, str]) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self._gone = asyncio.Event()
        told = {"host": "127.0.0.1:8200", "cookie": cookie, **headers}
        scope: dict[str, Any] = {
            "type": "http", "method": "GET", "path": "/live",
            "headers": [(name.encode(), value.encode()) for name, value in told.items()],
        }  # fmt: skip
        self.task = asyncio.create_task(stream(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self._pieces.put_nowait(message["body"])

    async def event(self) -> tuple[str, Any]:
        """The next event, beats left out."""
        while True:
            piece = await asyncio.wait_for(self._pieces.get(), PATIENCE_SECONDS)
            if piece.startswith(b"event: "):
                name, _, data = piece.decode().strip().partition("\n")
                return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))

    async def changed(self, topic: str) -> Any:
        """The ids of the next change of this topic; whatever else changes meanwhile is passed over."""
        while True:
            name, data = await self.event()
            assert name == "changed", name
            if topic in data:
                return data[topic]

    async def leave(self) -> None:
        self._gone.set()
        await self.task


class Hub:
    """The door, and pages before it."""

    def __init__(self) -> None:
        self.door = door.Door(web_port="8000")
        self.pages: list[Page] = []

    async def open(self, user: User | None, **headers: str) -> Page:
        """A page of this person, once it has been answered."""
        cookie = await asyncio.to_thread(_cookie, user) if user else ""
        page = Page(self.door, cookie, headers)
        self.pages.append(page)
        while not page.status:
            if page.task.done():
                await page.task
            await asyncio.sleep(0.01)
        return page

    async def watching(self, user: User) -> Page:
        """A page that has heard that it is listened for."""
        page = await self.open(user)
        assert (await page.event())[0] == "hello"
        return page


def _cookie(user: User) -> str:
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


@asynccontextmanager
async def hub() -> AsyncIterator[Hub]:
    found = Hub()
    try:
        yield found
    finally:
        for page in found.pages:
            await page.leave()
        await found.door.close()


def staged(story: Callable[[Hub], Awaitable[None]]) -> None:
    """Tell a story to a hub of its own."""

    async def told() -> None:
        async with hub() as found:
            await story(found)

    asyncio.run(told())


@pytest.fixture
def market() -> Market:
    market = open_market()
    market.goods("TEA", price="4.50", warehouse=500)
    return market


def clerk(name: str, *rights: str) -> User:
    user = User.objects.create_user(name, password="open sesame 3", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    return user


def off_the_loop(verb: Callable[[], Any]) -> Coroutine[Any, Any, Any]:
    """Carry out a verb as another process would: outside the loop."""
    from django.db import connections

    def carried_out() -> Any:
        try:
            return verb()
        finally:
            connections.close_all()

    return asyncio.to_thread(carried_out)


def test_an_order_is_told_to_those_who_may_see_orders_and_to_nobody_else(market: Market) -> None:
    seller, keeper = clerk("sam", "view_order"), clerk("kim", "view_stockitem")

    async def story(found: Hub) -> None:
        of_orders, of_stock = await found.watching(seller), await found.watching(keeper)
        taken = await off_the_loop(lambda: take(draft(market.web, "one", line("TEA", 2))))
        assert taken.order.pk in (await of_orders.changed("orders") or [taken.order.pk])
        name, told = await of_stock.event()
        assert (name, told) == ("changed", {"stock": [market.variants["TEA"].pk]})

    staged(story)


def test_what_happens_at_once_is_told_at_once(market: Market) -> None:
    seller = clerk("sam", "view_order")

    async def story(found: Hub) -> None:
        page = await found.watching(seller)
        for number in range(3):
            await off_the_loop(lambda number=number: take(draft(market.web, f"n-{number}", line("TEA"))))  # type: ignore[misc]
        told = 0
        while told < 3:
            ids = await page.changed("orders")
            told = 3 if ids is None else told + len(ids)

    staged(story)


def test_nobody_is_let_in_without_a_log_in_or_from_another_place(market: Market) -> None:
    seller = clerk("sam", "view_order")
    outsider = User.objects.create_user("otto", password="open sesame 4")

    async def story(found: Hub) -> None:
        assert (await found.open(None)).status == 401
        assert (await found.open(outsider)).status == 401
        assert (await found.open(seller, origin="https://elsewhere.example")).status == 403
        assert (await found.open(seller, origin="http://127.0.0.1:9999")).status == 403
        assert (await found.open(seller, host="elsewhere.example")).status == 403
        allowed = await found.open(seller, origin="http://127.0.0.1:8000")
        assert (allowed.status, allowed.headers["access-control-allow-origin"]) == (200, "http://127.0.0.1:8000")

    staged(story)


def test_a_person_has_so_many_open_pages_and_no_more(market: Market) -> None:
    seller, other = clerk("sam", "view_order"), clerk("kim", "view_order")

    async def story(found: Hub) -> None:
        for _ in range(MOST_OF_ONE_USER):
            await found.watching(seller)
        refused = await found.open(seller)
        assert (refused.status, refused.headers["retry-after"]) == (429, "60")
        assert (await found.open(other)).status == 200
        await found.pages[0].leave()
        assert (await found.open(seller)).status == 200

    staged(story)


def test_who_is_logged_out_hears_no_more(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(door, "BEATS_BETWEEN_CHECKS", 1)
    seller = clerk("sam", "view_order")

    async def story(found: Hub) -> None:
        page = await found.watching(seller)
        await off_the_loop(Session.objects.all().delete)
        assert (await page.event())[0] == "bye"

    staged(story)


def test_a_right_that_is_taken_away_is_heard_no_more(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(door, "BEATS_BETWEEN_CHECKS", 1)
    seller = clerk("sam", "view_order", "view_stockitem")

    async def story(found: Hub) -> None:
        page = await found.watching(seller)
        await off_the_loop(lambda: seller.user_permissions.remove(Permission.objects.get(codename="view_order")))
        listener = next(iter(found.door._audience._listeners))  # type: ignore[union-attr]
        while "orders" in listener.topics:
            await asyncio.sleep(0.01)
        await off_the_loop(lambda: take(draft(market.web, "one", line("TEA"))))
        assert (await page.event())[1].keys() == {"stock"}

    staged(story)


def test_after_the_database_was_away_all_may_have_changed(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "LONGEST_PAUSE_SECONDS", 0.05)
    seller = clerk("sam", "view_order")

    async def story(found: Hub) -> None:
        page = await found.watching(seller)
        await off_the_loop(_cut_the_ear_off)
        assert await page.changed("orders") is None
        taken = await off_the_loop(lambda: take(draft(market.web, "after", line("TEA"))))
        ids = await page.changed("orders")
        assert ids is None or taken.order.pk in ids

    staged(story)


def _cut_the_ear_off() -> None:
    with open_connection() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND query ILIKE 'LISTEN%%'"
        )


def test_whoever_watches_is_told_when_the_house_closes(market: Market) -> None:
    seller = clerk("sam", "view_order")

    async def story(found: Hub) -> None:
        page = await found.watching(seller)
        await found.door.close()
        assert (await page.event())[0] == "bye"

    staged(story)


def test_nothing_is_said_while_nobody_watches(market: Market) -> None:
    with open_connection() as ear, open_connection() as lock:
        ear.execute("LISTEN finalmarket_live")
        market.receive(market.variants["TEA"], 1, market.north)
        assert [said.payload for said in ear.notifies(timeout=0.2)] == []
        lock.execute("SELECT pg_advisory_lock(%s, %s)", WATCH_LOCK)
        market.receive(market.variants["TEA"], 1, market.north)
        assert f"stock:{market.variants['TEA'].pk}" in [said.payload for said in ear.notifies(timeout=0.2)]


def test_many_changes_at_once_are_not_told_one_by_one(market: Market) -> None:
    for number in range(120):
        market.goods(f"SKU-{number}")
    with open_connection() as ear, open_connection() as lock:
        ear.execute("LISTEN finalmarket_live")
        lock.execute("SELECT pg_advisory_lock(%s, %s)", WATCH_LOCK)
        ear.execute("UPDATE stock_pool SET safety = safety")
        assert [said.payload for said in ear.notifies(timeout=0.2)] == ["stock"]


def test_words_that_are_none_of_ours_are_passed_over() -> None:
    assert [read(text) for text in ("", "orders:x", "nothing:1", "orders:1,", "orders:-1")] == [None] * 5
    assert together(frozenset(range(MOST_IDS)), frozenset([MOST_IDS + 5])) is None
