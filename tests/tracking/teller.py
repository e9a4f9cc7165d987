"""Who tells: requests as clients make them, and what came of them."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.http import HttpResponse
from django.test import Client

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import CustomerIdentity
from finalmarket.journeys import whose, write_keys
from finalmarket.journeys.models import ChannelInteraction, SetAsideEvent, WriteKey

KEY = "WK123"


@dataclass
class Shop:
    """A channel with a write key, and a client that tells of it."""

    channel: SalesChannel
    key: str

    def tell(self, path: str, told: Any, **head: str) -> HttpResponse:
        """POST JSON under Segment's authorisation."""
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        head = {"Authorization": basic(self.key), "Content-Type": "application/json", **head}
        return send(path, body, head)

    def batch(self, *events: dict[str, Any], **more: Any) -> HttpResponse:
        """A batch of Segment's calls."""
        return self.tell("/v1/batch", {"batch": list(events), **more})

    def kinds(self) -> list[str]:
        """What is stored of the channel, in the order in which it happened."""
        seen = ChannelInteraction.objects.filter(sales_channel=self.channel).order_by("occurred_at", "id")
        return [one.interaction_type for one in seen]

    def set_aside(self) -> list[str]:
        """Why events were set aside."""
        return [one.reason for one in SetAsideEvent.objects.filter(sales_channel=self.channel).order_by("id")]


def open_shop(name: str = "Web shop", key: str = KEY) -> Shop:
    """A channel that can be told of."""
    forget_all()
    channel, _ = SalesChannel.objects.get_or_create(name=name, defaults={"channel_type": "web", "country": "DE"})
    WriteKey.objects.create(sales_channel=channel, key=key)
    return Shop(channel, key)


def forget_all() -> None:
    """What this process remembers of an earlier test's database."""
    whose.forget()
    write_keys.forget()


def send(path: str, body: bytes, head: dict[str, str], method: str = "POST") -> HttpResponse:
    """A request as it is, by its bytes."""
    names = {"content-type", "content-length"}
    extra = {
        f"HTTP_{word.upper().replace('-', '_')}": value for word, value in head.items() if word.lower() not in names
    }
    content_type = next((value for word, value in head.items() if word.lower() == "content-type"), "")
    client = Client(enforce_csrf_checks=True)
    if method == "GET":
        return client.get(path, **extra)  # type: ignore[return-value,arg-type]
    return client.generic(method, path, body, content_type=content_type, **extra)  # type: ignore[return-value,arg-type]


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


def zipped(told: Any) -> bytes:
    return gzip.compress(json.dumps(told).encode(), mtime=0)


def keys() -> int:
    """How many messages the table of keys knows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM interaction_keys")
        return int(cursor.fetchall()[0][0])


def known_by(kind: str, value: str) -> list[int]:
    """The profiles that were seen with this."""
    rows = CustomerIdentity.objects.filter(kind=kind, value=value)
    return list(rows.values_list("customer_id", flat=True))
