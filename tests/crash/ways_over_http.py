"""The ways on which programs change something over HTTP: what they ask, and how the books show it was done once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.test import Client

from finalmarket.access import shop_keys
from finalmarket.access.shop_models import ShopKey
from finalmarket.api.shop.orders import CHECKOUT
from finalmarket.channels.models import SalesChannel
from finalmarket.orders.mailed import doors
from tests.crash.house import NOTHING, Answer, Programs
from tests.crash.kept import Facts

MAIL = (
    "From: Ann <ann@example.com>\r\nTo: shop@example.com\r\nMessage-ID: <{word}@example.com>\r\nSubject: Order\r\n\r\n"
    "2 x TEA\r\n"
)


@dataclass
class Within(Programs):
    """Calls the house within this process: through all of Django's middleware and our doors, without a wire."""

    facts: Facts

    def call(
        self, method: str, path: str, body: Any = None, token: str = "", *, most_seconds: float = 60.0,
        headers: Mapping[str, str] = NOTHING,
    ) -> Answer:  # fmt: skip
        """One call."""
        text, sent = self.sent(body, token, headers)
        answer = Client(raise_request_exception=False).generic(
            method, path, text or b"", content_type=sent.pop("Content-Type"), headers=sent
        )
        told = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status_code, told, answer.content)


@dataclass(frozen=True)
class Way:
    """`before` gets ready what `act` is about and returns its name; `act` is the call that is cut off, and repeated by
    the same word; `count` says how often the books show it. Those that are `is_short` are cut in every run of the
    tests, the others in the proof."""

    name: str
    act: Callable[[Within, str, str], Answer]
    count: str
    before: Callable[[Within, str], str] = lambda programs, word: ""
    may_differ: bool = False
    is_short: bool = False

    def __str__(self) -> str:
        return self.name

    def stands(self, word: str, about: str) -> int:
        """How often it stands in the books."""
        with connection.cursor() as cursor:
            cursor.execute(self.count, {"word": word, "about": about})
            return int(cursor.fetchall()[0][0])


def _write(path: str, **body: Any) -> Callable[[Within, str, str], Answer]:
    """A write of the REST API about something."""
    return lambda programs, word, about: programs.call("POST", path.format(about=about), body, word)


def _cart(programs: Within, word: str) -> str:
    """An open cart; its token."""
    return str(
        programs.call("POST", "/api/v1/carts", {"channel": programs.facts.channel}, f"{word}-cart").told["token"]
    )


def _full_cart(programs: Within, word: str) -> str:
    """A cart with two teas in it; its token."""
    token = _cart(programs, word)
    assert programs.call("POST", f"/api/v1/carts/{token}/lines", {"sku": "TEA", "quantity": 2}, f"{word}-line").is_yes
    return token


def _held(programs: Within, word: str) -> str:
    """A reservation; its number."""
    return str(programs.reserve(f"{word}-held").told["id"])


def _shop_key(programs: Within) -> dict[str, str]:
    """The head of a shopper's call, who has not signed in."""
    channel = SalesChannel.objects.get(pk=programs.facts.channel)
    row = ShopKey.objects.filter(sales_channel=channel).first() or shop_keys.create(channel)
    return {"X-Shop-Key": row.key, "Authorization": ""}


def _shop_cart(programs: Within, word: str) -> str:
    """A shopper's cart with a tea in it, of a shop where one may pay for trying; its token."""
    SalesChannel.objects.filter(pk=programs.facts.channel).update(configuration={"test_payments": True})
    key = _shop_key(programs)
    token = str(programs.call("POST", "/api/shop/v1/carts", {}, str(uuid.uuid4()), headers=key).told["token"])
    line = {"sku": "TEA", "quantity": 1}
    assert programs.call("POST", f"/api/shop/v1/carts/{token}/lines", line, str(uuid.uuid4()), headers=key).is_yes
    return token


def _shop_line(programs: Within, word: str, about: str) -> Answer:
    path = f"/api/shop/v1/carts/{about}/lines"
    return programs.call("POST", path, {"sku": "TEA", "quantity": 3}, word, headers=_shop_key(programs))


def _shop_change(programs: Within, word: str, about: str) -> Answer:
    path = f"/api/shop/v1/carts/{about}/lines/{programs.facts.variant}"
    return programs.call("PUT", path, {"quantity": 5}, headers=_shop_key(programs))


def _shop_checkout(programs: Within, word: str, about: str) -> Answer:
    """By somebody new each time, who has to become known."""
    path, buyer = f"/api/shop/v1/carts/{about}/checkout", {"agreed": "5.00", "email": f"{word}@example.com"}
    return programs.call("POST", path, {**CHECKOUT, **buyer}, word, headers=_shop_key(programs))


def _mail_door(programs: Within, word: str) -> str:
    """The secret of the address to which mails are brought."""
    channel, _ = SalesChannel.objects.get_or_create(name="Mail", channel_type="email")
    return doors.open_door(channel, actor="test")


def _mail(programs: Within, word: str, about: str) -> Answer:
    return programs.call(
        "POST", f"/inbound/mail/{about}/", MAIL.format(word=word).encode(), headers={"Content-Type": "message/rfc822"}
    )


WAYS = (
    Way("a reservation is taken", lambda programs, word, about: programs.reserve(word),
        "SELECT count(*) FROM reservation WHERE split_part(key, ':', 2) = %(word)s", is_short=True),
    Way("many reservations are taken", lambda programs, word, about: programs.call(
            "POST", "/api/v1/stock/reservations/bulk",
            {"items": [{"channel": programs.facts.channel, "key": f"{word}-{n}",
                        "lines": [{"sku": "TEA", "quantity": 1}]} for n in range(3)]}, word),
        "SELECT count(*) / 3 FROM reservation WHERE split_part(key, ':', 2) LIKE %(word)s || '-%%'", may_differ=True),
    Way("a reservation is confirmed", _write("/api/v1/stock/reservations/{about}/confirm", reference="4711"),
        "SELECT count(*) FROM stock_movement WHERE reservation_id = %(about)s::int AND kind = 'allocate'",
        before=_held),
    Way("a reservation is released", _write("/api/v1/stock/reservations/{about}/release", reason="given up"),
        "SELECT count(*) FROM stock_movement WHERE reservation_id = %(about)s::int AND kind = 'release'",
        before=_held),
    Way("an order is placed", lambda programs, word, about: programs.order(word),
        "SELECT count(*) FROM orders JOIN order_lines ON order_id = orders.id WHERE orders.external_id = %(word)s",
        is_short=True),
    Way("many orders are placed", lambda programs, word, about: programs.call(
            "POST", "/api/v1/orders/bulk",
            {"items": [{"channel": programs.facts.channel, "external_id": f"{word}-{n}",
                        "lines": [{"sku": "TEA", "quantity": 1}]} for n in range(3)]}, word),
        "SELECT count(*) / 3 FROM orders WHERE external_id LIKE %(word)s || '-%%'", may_differ=True),
    Way("many listings are written", lambda programs, word, about: programs.call(
            "POST", "/api/v1/listings/bulk",
            {"items": [{"channel": programs.facts.channel, "sku": "TEA", "title": word}]}, word),
        "SELECT count(*) FROM channel_products WHERE title = %(word)s", may_differ=True),
    Way("a cart is opened", lambda programs, word, about: programs.call(
            "POST", "/api/v1/carts", {"channel": programs.facts.channel}, word),
        "SELECT count(*) FROM carts WHERE id > (SELECT id FROM carts WHERE token::text = %(about)s)",
        before=_cart),
    Way("goods go into a cart", _write("/api/v1/carts/{about}/lines", sku="TEA", quantity=4),
        "SELECT coalesce(max(quantity), 0) / 4 FROM cart_lines JOIN carts ON cart_id = carts.id"
        " WHERE token::text = %(about)s", before=_cart),
    Way("a cart is checked out", _write("/api/v1/carts/{about}/checkout"),
        "SELECT count(order_id) FROM carts WHERE token::text = %(about)s",
        before=_full_cart, is_short=True),
    Way("an event is told", lambda programs, word, about: programs.tell(word),
        "SELECT count(*) FROM channel_interactions WHERE message_id = %(word)s", is_short=True),
    Way("a webhook is brought", lambda programs, word, about: programs.bring(word),
        "SELECT count(*) FROM webhook_deliveries WHERE event_id = %(word)s", is_short=True),
    Way("a shopper puts goods into the cart", _shop_line,
        "SELECT sum(quantity) / 4 FROM cart_lines JOIN carts ON cart_id = carts.id WHERE token::text = %(about)s",
        before=_shop_cart),
    Way("a shopper wants another number", _shop_change,
        "SELECT count(*) FROM cart_lines JOIN carts ON cart_id = carts.id WHERE token::text = %(about)s"
        " AND quantity = 5", before=_shop_cart),
    Way("a shopper checks out", _shop_checkout,
        "SELECT count(order_id) FROM carts WHERE token::text = %(about)s", before=_shop_cart),
    Way("a mail with wishes is brought", _mail,
        "SELECT count(*) FROM order_requests WHERE message_id LIKE '%%' || %(word)s || '%%'", before=_mail_door,
        may_differ=True),
)  # fmt: skip
