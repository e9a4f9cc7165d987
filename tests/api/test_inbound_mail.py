"""The door of mail services: whoever knows the secret hands in mails, and nothing else."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from finalmarket.channels.models import SalesChannel
from finalmarket.orders.mailed import doors, forms
from finalmarket.orders.models import OrderRequest
from tests.orders.mailed.letters import letter
from tests.orders.market import open_market

pytestmark = pytest.mark.django_db


@pytest.fixture
def address() -> str:
    """The address of an e-mail channel that sells tea."""
    market = open_market()
    market.goods("TEA", warehouse=10)
    channel = SalesChannel.objects.create(name="Mail", channel_type="email")
    channel.add_product(market.product)
    return f"/inbound/mail/{doors.open_door(channel, actor='olga')}/"


def _form(**fields: bytes) -> tuple[bytes, str]:
    """A form as mail services post it."""
    parts = [
        b'--xYzZY\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), content)
        for name, content in fields.items()
    ]
    return b"".join(parts) + b"--xYzZY--\r\n", "multipart/form-data; boundary=xYzZY"


def test_a_raw_message_becomes_a_request_once(address: str) -> None:
    client = Client(enforce_csrf_checks=True)
    for is_new in (True, False):
        answer = client.post(address, letter("3 x TEA"), content_type="message/rfc822")
        assert (answer.status_code, answer.json()["is_new"]) == (200, is_new)
    request = OrderRequest.objects.get()
    assert [(one.quantity, one.certainty) for one in request.lines.all()] == [(3, "sure")]


def test_a_form_with_the_whole_message_is_read(address: str) -> None:
    body, kind = _form(
        to=b"orders@shop.example", email=letter("zwei Stück TEA", charset="iso-8859-1"), subject=b"other"
    )
    assert Client().post(address, body, content_type=kind).status_code == 200
    assert OrderRequest.objects.get().text == "zwei Stück TEA"


def test_a_form_of_parts_is_read_in_the_charset_that_it_names(address: str) -> None:
    body, kind = _form(
        **{"from": b"Ann <ann@example.com>"}, subject=b"tea", text="2 x TEA für Jürgen".encode("iso-8859-1"),
        charsets=json.dumps({"text": "iso-8859-1"}).encode(), SPF=b"pass",
    )  # fmt: skip
    for _ in range(2):
        assert Client().post(address, body, content_type=kind).status_code == 200
    request = OrderRequest.objects.get()
    assert (request.email, request.text, request.unproved) == ("ann@example.com", "2 x TEA für Jürgen", "")


@pytest.mark.parametrize("secret", ["", "x" * 43, "%00", "../admin"])
def test_whoever_does_not_know_the_secret_is_not_answered(address: str, secret: str) -> None:
    answer = Client().post(f"/inbound/mail/{secret}/", letter("3 x TEA"), content_type="message/rfc822")
    assert answer.status_code == 404
    assert not OrderRequest.objects.exists()


def test_only_mails_are_taken_and_only_by_post(address: str) -> None:
    assert Client().get(address).status_code == 405
    for body, kind in (
        (b"{}", "application/json"),
        (b"nothing", "message/rfc822"),
        (b"--a\r\n", "multipart/form-data"),
        _form(to=b"orders@shop.example"),
        (b"\xff" * 1000, "multipart/form-data; boundary=a"),
    ):
        answer = Client().post(address, body, content_type=kind)
        assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert not OrderRequest.objects.exists()


def test_what_is_too_large_is_not_read(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "MOST_BYTES", 2_000)
    assert Client().post(address, letter("TEA" * 1000), content_type="message/rfc822").status_code == 413
