"""A house in which everything that a call can name is there, once: for tests that go through all calls.

Everything lies on the web channel. Nothing of it is of the till's: a key that is bound to the till may see none.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django.db import transaction

from finalmarket.analytics import segments
from finalmarket.api.rest import api
from finalmarket.catalog.models import VariantPrice
from finalmarket.customers import suggestions
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations.accounts import keep_secrets
from finalmarket.integrations.models import (
    ChannelIntegration,
    DeadLetter,
    DriftFinding,
    OutgoingDelivery,
    OutgoingEvent,
    SyncRun,
    WebhookEndpoint,
)
from tests.api.calling import Program, told
from tests.api.conftest import House
from tests.stock.shelves import new_place, new_variant, put

NOWHERE = "http://127.0.0.1:9/fake/main"


def described() -> dict[str, Any]:
    """The description of the API as programs read it."""
    found: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema()))
    return found


@dataclass(frozen=True)
class Call:
    """A call of the description."""

    name: str
    method: str
    path: str
    operation: Mapping[str, Any] = field(repr=False)

    @property
    def scope(self) -> str:
        """What a key needs for it."""
        return str(self.operation["x-scope"])

    @property
    def words(self) -> list[str]:
        """The names in its address."""
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def example(self) -> Any:
        """The body that the description shows; None where it has none."""
        body = self.operation.get("requestBody")
        return body["content"]["application/json"]["example"] if body else None


def calls() -> dict[str, Call]:
    """All calls, by name."""
    return {
        operation["operationId"]: Call(operation["operationId"], method.upper(), path, operation)
        for path, methods in described()["paths"].items()
        for method, operation in methods.items()
    }


class Furnished:
    """A house with one of everything. `named` is what stands for a word in an address, `asked` for one of a query."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.web, self.till, self.ann = house.web, house.till, house.ann
        self.named: dict[str, Any] = {"channel": house.web.pk, "customer": house.ann.pk, "name": "size"}
        self._office = Program(name="office")
        self._stock()
        self._sales()
        self._people()
        self._border()
        self.asked: dict[str, Any] = {
            **self.named, "other": self.lee, "email": "ann@example.com", "variants": self.tea.pk, "sku": "TEA-100",
        }  # fmt: skip

    def _made(self, path: str, body: Any = None, status: int = 201) -> dict[str, Any]:
        made: dict[str, Any] = told(self._office.post(path, body), status)
        return made

    def _stock(self) -> None:
        self.tea, self.cup = new_variant("TEA-100"), new_variant("TEA-200")
        self.north, self.south = new_place("north"), new_place("south")
        for variant in (self.tea, self.cup):
            put(variant, self.north, 500)
            VariantPrice.objects.create(variant=variant, currency="EUR", amount=Decimal("5.00"))
            self.web.add_product(variant.product)
        wish = {"channel": self.web.pk, "lines": [{"sku": "TEA-100", "quantity": 1}]}
        coming = {"sku": "TEA-100", "location": self.north.pk, "quantity": 9, "expected_at": "2030-06-01T08:00:00Z"}
        moved = {"source": self.north.pk, "destination": self.south.pk, "lines": [{"sku": "TEA-100", "quantity": 2}]}
        self.named |= {
            "category": self._made("/categories", {"name": "Drinks"})["id"],
            "product": self.tea.product_id, "listing": self.web.listings.get(variant=self.tea).pk,
            "variant": self.tea.pk, "location": self.north.pk,
            "reservation": _number(self._made("/stock/reservations", wish)),
            "delivery": _number(self._made("/stock/expected", coming)),
            "transfer": _number(self._made("/stock/transfers", moved)),
            "count": _number(self._made("/stock/counts", {"location": self.south.pk})),
        }  # fmt: skip

    def _sales(self) -> None:
        line = {"sku": "TEA-100", "quantity": 4}
        paid = {"tender": "card", "amount": "20.00", "external_id": "pi_1"}
        order = self._made(
            "/orders",
            {"channel": self.web.pk, "external_id": "W-1", "email": "ann@example.com", "lines": [line],
             "payments": [paid]},
        )  # fmt: skip
        self.line = order["lines"][0]["id"]
        back = {"lines": [{"line": self.line, "quantity": 1}], "reason": "too small"}
        self._made(f"/orders/{order['id']}/parcels/{order['parcels'][0]['id']}/ship", {"carrier": "DHL"}, 200)
        returned = self._made(f"/orders/{order['id']}/returns", back)["returns"][0]["id"]
        start = {"customer": self.ann.pk, "channel": self.web.pk, "intent": "browse"}
        cart = {"channel": self.web.pk, "customer": self.ann.pk}
        self.named |= {
            "order": order["id"], "parcel": order["parcels"][0]["id"], "payment": order["payments"][0]["id"],
            "number": returned, "journey": self._made("/journeys", start)["id"],
            "token": self._made("/carts", cart)["token"],
        }  # fmt: skip
        self._made(f"/carts/{self.named['token']}/lines", {"sku": "TEA-100", "quantity": 1}, 200)

    def _people(self) -> None:
        other = resolve(Contact(name="A. Lee", email="lee@example.com"), source="test")
        assert other is not None
        self.lee = other.pk
        suggestions.suggest(self.ann.pk, other.pk, source="desk", evidence={"name": "alike"})
        segments.restate()
        made = self._made("/segments", {"name": "Regulars", "rule": {"field": "orders", "at_least": 1}})
        (found,) = told(self._office.get("/merge-suggestions"))["items"]
        self.named |= {"key": made["key"], "suggestion": found["id"]}

    def _border(self) -> None:
        account = ChannelIntegration.objects.create(
            platform_name="fake", integration_type="marketplace", sales_channel=self.web, status="active",
            base_url=NOWHERE, webhook_token="t" * 43,
        )  # fmt: skip
        keep_secrets(account, {"token": "wrong"})
        letter = DeadLetter.objects.create(integration=account, stream="orders", external_id="O1", reason="bad")
        run = SyncRun.objects.create(integration=account, stream="orders", outcome="failed", error="bad")
        listing = self.web.listings.all()[0]
        DriftFinding.objects.create(integration=account, run=run, listing=listing, shown=9, should=7)
        hook = self._made("/webhooks", {"url": "https://erp.example/hooks", "topics": ["order.*"]})["id"]
        event = OutgoingEvent.objects.create(topic="order.created", subject_id=1, data={})
        telling = OutgoingDelivery.objects.create(endpoint=WebhookEndpoint.objects.get(pk=hook), event=event)
        self.telling = telling.pk
        self.named |= {"integration": account.pk, "letter": letter.pk, "webhook": hook}

    def address(self, call: Call, **others: Any) -> str:
        """Where a call goes: what it names is of this house, unless `others` say so."""
        named = {**self.named, **others}
        return re.sub(r"\{(\w+)\}", lambda found: quote(str(named[found[1]]), safe=""), call.path)

    def real(self, body: Any, word: str = "") -> Any:
        """The numbers of an example become those of this house."""
        if isinstance(body, dict):
            return {name: self.real(value, name) for name, value in body.items()}
        if isinstance(body, list):
            return [self.real(one, word) for one in body]
        if type(body) is int:
            return self._numbers().get(word, {}).get(body, body)
        return body

    def _numbers(self) -> dict[str, dict[int, Any]]:
        ann, tea, line = {4: self.ann.pk, 9: self.lee}, {7: self.tea.pk}, {31: self.line, 12: self.line}
        places = {1: self.north.pk, 2: self.south.pk}
        return {
            "channel": {1: self.web.pk, 2: self.till.pk}, "customer": ann, "profiles": {4: self.ann.pk}, "other": ann,
            "variant": tea, "location": places, "source": places, "destination": places, "line": line,
            "deliveries": {91: self.telling},
        }  # fmt: skip

    def send(
        self, program: Program, call: Call, *, asked: Mapping[str, Any] | None = None, under: str = "", **others: Any
    ) -> Any:  # fmt: skip
        """Make a call as its example shows it, about things of this house; what it writes is undone."""
        address = self.address(call, **others)
        needed = [one for one in call.operation["parameters"] if one["in"] == "query" and one["required"]]
        words = {one["name"]: self.asked[one["name"]] for one in needed} | ASKED.get(call.name, {}) | dict(asked or {})
        with transaction.atomic():
            if call.method == "GET":
                answer = program.get(address, **words)
            else:
                answer = program.write(call.method, address, self.real(call.example), token=under)
            transaction.set_rollback(True)
        return answer


ASKED: dict[str, dict[str, Any]] = {"find_customers": {"email": "ann@example.com"}}
"""Words of a query without which a call says nothing."""


def _number(made: Mapping[str, Any]) -> Any:
    return made.get("id") or made.get("reservation")


def absent(word: str) -> Any:
    """What a word in an address may be that names nothing."""
    return {"token": uuid.UUID(int=7), "key": "nobody", "name": "size"}.get(word, 987_654_321)
