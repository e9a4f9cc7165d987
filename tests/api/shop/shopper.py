"""A page, an app or a kiosk that calls the shopper's API."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field
from typing import Any

from django.core import mail
from django.http import HttpResponse
from django.test import Client

from finalmarket.access import shop_devices, shop_keys
from finalmarket.access.shop_models import ShopKey
from finalmarket.channels.models import SalesChannel
from finalmarket.customers import sign_in
from finalmarket.customers.models import SignInCode
from tests.api.calling import told

_tokens = itertools.count(1)


@dataclass
class Page:
    """Calls the API within this process, as the page of one shop."""

    channel: SalesChannel
    key: ShopKey = field(init=False)
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key = shop_keys.create(self.channel, calls_per_minute=6_000)
        self.headers["X-Shop-Key"] = self.key.key
        self.client = Client(raise_request_exception=False)

    def get(self, path: str, *, headers: dict[str, str] | None = None, **asked: Any) -> HttpResponse:
        """GET."""
        return self.client.get(f"/api/shop/v1{path}", asked, headers={**self.headers, **(headers or {})})  # type: ignore[return-value]

    def write(self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str) -> HttpResponse:
        """POST, PUT or DELETE, as JSON."""
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        sent |= {"Idempotency-Key": token} if token else {}
        text = body if isinstance(body, bytes) else (b"" if body is None else json.dumps(body).encode())
        return self.client.generic(  # type: ignore[return-value]
            method, f"/api/shop/v1{path}", text, content_type="application/json", headers=sent
        )

    def post(self, path: str, body: Any = None, **how: str) -> HttpResponse:
        """POST, as JSON."""
        return self.write("POST", path, body, **how)

    def cart(self, *goods: tuple[str, int]) -> str:
        """The token of a new cart with these goods."""
        token = str(told(self.post("/carts"), 201)["token"])
        for sku, units in goods:
            told(self.post(f"/carts/{token}/lines", {"sku": sku, "quantity": units}))
        return token

    def order(self, cart: str, *, token: str = "", **said: Any) -> HttpResponse:
        """Check a cart out."""
        body = {"name": "Ann Lee", "email": "ann@example.com", "pay": "test", "address": ADDRESS, **said}
        return self.post(f"/carts/{cart}/checkout", body, token=token or f"order-{next(_tokens)}")

    def sign_in(self, email: str, *, cart: str | None = None) -> Any:
        """Sign in by the code of the mail; calls are made as that person from then on."""
        assert self.post("/sign-in", {"email": email}).status_code == 204
        sign_in.mail_code(SignInCode.objects.order_by("-pk")[0].pk)
        body = {"email": email, "code": code_of_newest_mail()} | ({"cart": cart} if cart else {})
        answer = told(self.post("/sign-in/code", body))
        self.headers["Authorization"] = f"Bearer {answer['token']}"
        return answer


def kiosk(channel: SalesChannel, *, location_id: int | None = None) -> Page:
    """A kiosk that was paired."""
    page = Page(channel)
    _, code = shop_devices.open_pairing(channel, "At the door", location_id=location_id)
    page.headers["X-Shop-Device"] = told(page.post("/devices/pair", {"code": code}))["token"]
    return page


def code_of_newest_mail() -> str:
    """The six digits of the newest mail."""
    found = re.search(r"\b\d{6}\b", str(mail.outbox[-1].body))
    assert found is not None
    return found[0]


ADDRESS = {"street": "Hauptstr. 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
