"""Canaries: secrets and a person that are nowhere else, led through real flows and then looked for where they must not
be: in logs at DEBUG, errors, answers, reports, and the whole database."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from typing import Any

import click.testing
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from psycopg import sql

from finalmarket.access import audit, rates
from finalmarket.cli import cli
from finalmarket.connectors.errors import ConnectorError
from finalmarket.integrations import inbox, pull
from finalmarket.integrations.models import DeadLetter, SyncRun
from finalmarket.integrations.outgoing import announce, deliver, endpoints
from finalmarket.integrations.privacy.lists import TABLES
from finalmarket.kernel.errors import UserError
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.fake import TOKEN
from tests.api.calling import Program, told
from tests.integrations.conftest import Shop, shop, world
from tests.integrations.stalls import connect
from tests.operations.test_addresses_in_lines import formatter_for_json

__all__ = ["shop", "world"]
HOOK_SECRET = "whsec-canary-7f3a9e51c2"
WRONG_TOKEN = "token-canary-4410bd7716"
PERSON = {"name": "Canaria Kanarienvogel", "email": "canary.6b1f@example.com", "street": "Käfigweg 4471"}


@pytest.fixture(autouse=True)
def _full_buckets() -> Iterator[None]:
    rates.forget()
    yield
    rates.forget()


def dumped() -> Iterator[tuple[str, str]]:
    """Every row of every table as text (bytes as hex), by the name of its table; partitions by that of their parent."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT class.relname FROM pg_class class WHERE class.relnamespace = 'public'::regnamespace
               AND class.relkind IN ('r', 'p') AND NOT class.relispartition ORDER BY 1"""
        )
        names = [name for (name,) in cursor.fetchall()]
        for name in names:
            cursor.execute(sql.SQL("SELECT whole::text FROM {} whole").format(sql.Identifier(name)))
            yield from ((name, text) for (text,) in cursor.fetchall())


def holding(*words: str) -> set[str]:
    """The tables of which a row holds one of these words, as it is or as bytes."""
    wanted = [form.lower() for word in words for form in (word, word.encode().hex())]
    return {table for table, text in dumped() if any(word in text.lower() for word in wanted)}


def said_by_commands() -> str:
    """What commands print of the state of the house."""
    runner, text = click.testing.CliRunner(), io.StringIO()
    for words in (["doctor"], ["check", "stock"], ["secrets", "state"], ["apikey", "list"], ["notices"]):
        text.write(runner.invoke(cli, words).output)
    return text.getvalue()


def _broken(*_: object, **__: object) -> None:
    card = "local-canary-5566778899"
    raise RuntimeError(f"something of ours broke near a card of {len(card)} figures")


@pytest.mark.committed_database
def test_no_canary_is_found_where_it_must_not_be(
    shop: Shop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, Any], None],
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    account = connect(shop.stand_in, shop.address)
    account.integration.connect({"token": TOKEN, "base_url": shop.address, "webhook_secret": HOOK_SECRET})
    try:
        account.integration.connect({"token": WRONG_TOKEN})
    except (UserError, ConnectorError) as error:
        said.append(str(error))
    account.shop.faults.then(Fault.ERROR_BEFORE, Fault.TOO_MANY, Fault.MALFORMED, Fault.ERROR_BEFORE)
    for stream in ("orders", "customers", "payments", "orders"):
        pull.pull(account.integration.pk, stream)
    headers = {"X-Practice-Signature": "forged", "Authorization": f"Bearer {WRONG_TOKEN}"}
    inbox.receive(account.refreshed().webhook_token, "https://house.example/hooks/x/", headers, b'{"id": "E1"}')

    program = Program()
    endpoint, hook = endpoints.open_endpoint("https://127.0.0.1.invalid/x", ["*"])
    line = {"sku": "TEA", "quantity": 1, "unit_price": "5.00"}
    address = {"street": PERSON["street"], "city": "Berlin", "postcode": "10115", "country": "DE"}
    order = {
        "channel": account.channel.pk, "external_id": "C-1", "name": PERSON["name"], "email": PERSON["email"],
        "lines": [line], "shipping_address": address,
    }  # fmt: skip
    answer = program.post("/orders", order)
    if answer.status_code == 422:  # the address has another name there
        order.pop("shipping_address")
        answer = program.post("/orders", order)
    told(answer, 201)
    said.append(program.post("/orders", {**order, "lines": "nonsense"}).content.decode())
    announce.prepare()
    deliver.deliver(endpoint.pk)
    with monkeypatch.context() as broken:
        broken.setattr(audit, "note", _broken)
        crashed = program.post("/orders", {**order, "external_id": "C-2"})
    assert crashed.status_code == 500
    said.append(crashed.content.decode())

    User.objects.create_superuser("olga", password="canary password 99")
    Client().post("/admin/login/", {"username": "olga", "password": "canary password 99 wrong"})
    said.append(said_by_commands())
    said += [*SyncRun.objects.values_list("error", flat=True), *DeadLetter.objects.values_list("reason", flat=True)]

    secrets_ = (TOKEN, HOOK_SECRET, WRONG_TOKEN, program.key, hook, "canary password 99", "local-canary-5566778899")
    as_json = formatter_for_json()
    everything = caplog.text + "".join(said) + "".join(as_json.format(record) for record in caplog.records)
    assert len(caplog.records) > 50
    assert [word for word in secrets_ if word in everything] == []
    assert [word for word in PERSON.values() if word in everything] == []
    assert {word: tables for word in secrets_ if (tables := holding(word))} == {}
    personal = {table.name for table in TABLES if table.erased or table.searched or table.is_deleted}
    found = holding(*PERSON.values())
    assert "orders" in found
    assert found <= personal, "a table that no list of personal data names"
    record_property(
        "population", f"{len(secrets_)} secrets and {len(PERSON)} words of a person, {len(caplog.records)} log lines"
    )
