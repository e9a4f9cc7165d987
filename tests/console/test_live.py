"""What is heard live, by whom, and that nobody pays for it while nobody watches."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.test import Client

from finalmarket.console.live import door, listening
from finalmarket.console.live.attention import QUERIES
from finalmarket.console.live.audience import MOST_OF_ONE_USER, Listener
from finalmarket.console.live.words import MOST_IDS, Word, read, together
from finalmarket.customers.models import OmnichannelCustomer
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
        self.answered = asyncio.Event()
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
            self.answered.set()
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
        answered = asyncio.create_task(page.answered.wait())
        await asyncio.wait({answered, page.task}, timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not answered.done():
            answered.cancel()
            await asyncio.wait_for(page.task, 0.0)  # it failed, or nothing came of it
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
    monkeypatch.setattr(door, "CHECK_SECONDS", 0.05)
    seller = clerk("sam", "view_order")

    async def story(found: Hub) -> None:
        page = await found.watching(seller)
        await off_the_loop(Session.objects.all().delete)
        assert (await page.event())[0] == "bye"

    staged(story)


def test_a_right_that_is_taken_away_is_heard_no_more(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(door, "CHECK_SECONDS", 0.05)
    seller, narrowed, look = clerk("sam", "view_order", "view_stockitem"), asyncio.Event(), door._may_stay

    async def looked(listener: Listener, cookies: str) -> bool:
        may_stay = await look(listener, cookies)
        if "orders" not in listener.topics:
            narrowed.set()
        return may_stay

    monkeypatch.setattr(door, "_may_stay", looked)

    async def story(found: Hub) -> None:
        page = await found.watching(seller)
        await off_the_loop(lambda: seller.user_permissions.remove(Permission.objects.get(codename="view_order")))
        await asyncio.wait_for(narrowed.wait(), PATIENCE_SECONDS)
        await off_the_loop(lambda: take(draft(market.web, "one", line("TEA"))))
        assert (await page.event())[1].keys() == {"stock"}

    staged(story)


def test_rights_are_looked_at_anew_however_much_happens(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "CHECK_SECONDS", 0.05)
    seller = clerk("sam", "view_order", "view_stockitem")
    words = [Word("orders", frozenset({1})), Word("stock", frozenset({1}))]

    async def story(found: Hub) -> None:
        page, audience = await found.watching(seller), found.door._open()
        await off_the_loop(lambda: seller.user_permissions.remove(Permission.objects.get(codename="view_order")))
        audience.tell(words)  # told within a beat: there is none in which nothing was said
        assert await page.event() == ("changed", {"stock": [1]})
        await off_the_loop(Session.objects.all().delete)
        audience.tell(words)
        assert (await page.event())[0] == "bye"

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


def said(ear: Any, until: str) -> list[str]:
    """What was said before a word of our own."""
    with open_connection() as connection:
        connection.execute("SELECT pg_notify('finalmarket_live', %s)", [until])
    heard: list[str] = []
    for one in ear.notifies(timeout=PATIENCE_SECONDS):
        if one.payload == until:
            return heard
        heard.append(one.payload)
    raise AssertionError(f"nothing was heard but {heard}")


@contextmanager
def asked(topic: str) -> Iterator[None]:
    """Within it writers are asked for a word of the topic."""
    with open_connection() as connection:
        assert connection.execute(QUERIES["ask"], [[topic]]).fetchall() == [(topic,)]
        yield


def test_nothing_is_said_unless_somebody_asks(market: Market) -> None:
    with open_connection() as ear:
        ear.execute("LISTEN finalmarket_live")
        market.receive(market.variants["TEA"], 1, market.north)
        assert said(ear, "nobody asked") == []
        with asked("stock"):
            market.receive(market.variants["TEA"], 1, market.north)
            assert f"stock:{market.variants['TEA'].pk}" in said(ear, "somebody asked")


def test_many_changes_at_once_are_not_told_one_by_one(market: Market) -> None:
    for number in range(120):
        market.goods(f"SKU-{number}")
    with open_connection() as ear, asked("stock"):
        ear.execute("LISTEN finalmarket_live")
        ear.execute("UPDATE stock_pool SET safety = safety")
        assert said(ear, "that is all") == ["stock"]


def test_what_is_committed_long_after_it_was_written_is_told_when_it_is(market: Market) -> None:
    keeper = clerk("kim", "view_stockitem")
    with open_connection() as writer:
        writer.execute("BEGIN")
        writer.execute("UPDATE stock_pool SET safety = safety")  # nobody watches yet: it is not told of

        async def story(found: Hub) -> None:
            page = await found.watching(keeper)
            await asyncio.to_thread(writer.execute, "COMMIT")
            assert await page.changed("stock") is None

        staged(story)


def change_often(writer: Any, times: int) -> None:
    for _ in range(times):
        writer.execute("UPDATE stock_pool SET safety = safety")


def test_however_much_happens_writers_are_asked_for_a_word_now_and_then(market: Market) -> None:
    keeper = clerk("kim", "view_stockitem")

    async def story(found: Hub) -> None:
        page = await found.watching(keeper)
        writer = await asyncio.to_thread(open_connection)
        ear = await asyncio.to_thread(open_connection)
        try:
            await asyncio.to_thread(ear.execute, "LISTEN finalmarket_live")
            await asyncio.to_thread(change_often, writer, 200)
            await page.changed("stock")
            words = await asyncio.to_thread(said, ear, "that is all")
            assert 1 <= len(words) <= 100, len(words)
        finally:
            await asyncio.to_thread(writer.close)
            await asyncio.to_thread(ear.close)

    staged(story)


def test_two_hubs_both_hear_of_everything(market: Market) -> None:
    keeper = clerk("kim", "view_stockitem")

    async def story(found: Hub) -> None:
        async with hub() as other:
            pages = [await found.watching(keeper), await other.watching(keeper)]
            for _ in range(3):
                await off_the_loop(lambda: market.receive(market.variants["TEA"], 1, market.north))
                for page in pages:
                    await page.changed("stock")

    staged(story)


def test_whoever_watches_a_customer_is_told_what_they_do(market: Market) -> None:
    ann = OmnichannelCustomer.objects.create(name="Ann")
    seller = clerk("sam", "view_omnichannelcustomer")

    async def story(found: Hub) -> None:
        page = await found.watching(seller)
        await off_the_loop(lambda: ann.track_interaction(market.web, "product_view"))
        assert await page.changed("customers") == [ann.pk]

    staged(story)


def test_words_that_are_none_of_ours_are_passed_over() -> None:
    assert [read(text) for text in ("", "orders:x", "nothing:1", "orders:1,", "orders:-1")] == [None] * 5
    assert together(frozenset(range(MOST_IDS)), frozenset([MOST_IDS + 5])) is None
