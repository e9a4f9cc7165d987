"""The page about the REST API is true: its examples are run, in order, over HTTP, and its tables are those in force."""

from __future__ import annotations

import http.client
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finalmarket.access import keys
from finalmarket.api.problems import KINDS
from finalmarket.api.rest import api
from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve
from tests.conftest import TestDatabase
from tests.tracking.wire import served

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
ANY = "…"
NOT_YET = {
    "rates": "rates?",
    "files": "imports?|exports?|files?|reports?",
    "what stands on a platform": "look-through|links?|adopt|publish|duties",
    "labels and pages": "shipping-rates|labels|payment-pages?|ask-for-payment",
    "counter and telephone": "pick-?ups?|collect|calls|mail-requests?|requests|devices",
    "tickets": "tickets?",
    "advice on stock, lost journeys, notices": "advice|stock-advice|lost-journeys|lost|notices",
    "paths, funnels, attribution": "paths|funnels?|attribution|abandonment",
    "write keys and publishable keys": "write-keys?|shop-keys?|publishable-keys?",
    "people": "users?|roles?|people|merchant",
}
"""What the page says that no call does yet, and by which words of an address one would be known."""
OF_SOMETHING_ELSE = {"/customers/{customer}/advice", "/customers/{customer}/export", "/privacy/requests"}


def exchanges() -> list[tuple[str, str]]:
    blocks = re.findall(r"```http\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return list(zip(blocks[::2], blocks[1::2], strict=True))


def parted(block: str) -> tuple[str, dict[str, str], str]:
    """First line, headers, body."""
    head, _, body = block.partition("\n\n")
    first, *lines = head.strip().splitlines()
    return first, dict(line.split(": ", 1) for line in lines), body.strip()


def send(port: int, block: str, key: str) -> tuple[int, dict[str, str], Any]:
    first, headers, body = parted(block.replace("$KEY", key))
    method, path, _ = first.split(" ")
    house = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        house.request(method, path, body.encode() or None, headers)
        answer = house.getresponse()
        text = answer.read()
        return answer.status, dict(answer.headers), json.loads(text) if text else None
    finally:
        house.close()


def holds(said: Any, promised: Any) -> bool:
    """Whether an answer is as the page promises: it may hold more fields."""
    if promised == ANY:
        return True
    if isinstance(promised, dict):
        return isinstance(said, dict) and all(name in said and holds(said[name], promised[name]) for name in promised)
    if isinstance(promised, list):
        return isinstance(said, list) and len(said) == len(promised) and all(map(holds, said, promised))
    return bool(said == promised)


@pytest.mark.committed_database
def test_every_example_is_answered_as_the_page_says(committed_database: TestDatabase) -> None:
    committed_database.renew()  # the numbers of the examples begin at one
    SalesChannel.objects.create(name="Web shop", channel_type="web", country="DE")
    SalesChannel.objects.create(name="Store", channel_type="store", country="DE")
    tea = Product.objects.create(title="Tea", slug="tea")
    VariantPrice.objects.create(
        variant=Variant.objects.create(product=tea, sku="TEA-100"), currency="EUR", amount=Decimal("5.00")
    )
    for email in ("ann@example.com", "lee@example.com"):
        resolve(Contact(email=email, name="Ann Lee"))
    assert list(OmnichannelCustomer.objects.values_list("pk", flat=True)) == [1, 2]
    _, key = keys.create("docs", list(keys.SCOPES))
    with served() as port:
        for request, promised in exchanges():
            status, headers, said = send(port, request, key)
            first, named, body = parted(promised)
            assert first.split(" ")[1] == str(status), (request, said)
            assert holds(headers, named), (request, headers)
            assert holds(said, json.loads(body) if body else None), (request, said)


def test_the_scopes_and_problems_of_the_page_are_those_in_force() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert dict(re.findall(r"^\| `([a-z]+:[a-z]+)` \| (.+) \|$", text, re.MULTILINE)) == keys.SCOPES
    told = {
        kind: (int(status), do) for kind, status, do in re.findall(r"^\| `([a-z-]+)` \| (\d+) \| (.+) \|$", text, re.M)
    }
    assert told == {name: (kind.status, kind.what_to_do) for name, kind in KINDS.items()}


def test_what_the_page_says_is_not_there_is_not_there() -> None:
    part = PAGE.read_text(encoding="utf-8").partition("\n## Not by REST yet\n")[2].partition("\n## ")[0]
    assert re.findall(r"^- \*\*(.+?)\*\*", part, re.MULTILINE) == list(NOT_YET)
    paths = {path.removeprefix("/api/v1") for path in api.get_openapi_schema()["paths"]} - OF_SOMETHING_ELSE
    assert "/orders/{order}" in paths
    words = {name: re.compile(rf"/({known})(?=/|$)") for name, known in NOT_YET.items()}
    assert [(name, path) for name, known in words.items() for path in paths if known.search(path)] == []
