"""Addresses may hold secrets: whatever becomes of a request, its lines in the log name its route alone."""

from __future__ import annotations

import io
import logging
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.test import Client

from finalmarket.api import inbound
from finalmarket.channels.models import SalesChannel
from finalmarket.config.lines import NOWHERE, Lines
from finalmarket.orders.mailed import doors, forms

SECRET = "k7-Qx_secret-of-somebody"
OF_MAIL = "/inbound/mail/<str:secret>/"


@pytest.fixture(params=["words", "json"])
def written(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the house's own handler writes of requests, in each of the two forms in which lines may be wanted."""
    handler = of_house("django")
    if request.param == "json":
        monkeypatch.setattr(handler, "formatter", formatter_for_json())
    stream = io.StringIO()
    monkeypatch.setattr(handler, "stream", stream)  # what it wrote to before may be closed by now
    return stream


def of_house(logger: str) -> Lines:
    """The handler that the settings gave this logger; pytest may have added some of its own."""
    (handler,) = [one for one in logging.getLogger(logger).handlers if not type(one).__module__.startswith("_pytest.")]
    assert isinstance(handler, Lines)
    return handler


def formatter_for_json() -> structlog.stdlib.ProcessorFormatter:
    """The one of the settings, as it is with FINALMARKET_LOG=json."""
    told: Any = settings.LOGGING["formatters"]
    first = told["lines"]["processors"][0]
    ends = [first, *settings.LINES_AS_JSON]
    return structlog.stdlib.ProcessorFormatter(processors=ends, foreign_pre_chain=told["lines"]["foreign_pre_chain"])


@pytest.fixture
def secret(db: None) -> str:
    """What opens the door of an e-mail channel."""
    return doors.open_door(SalesChannel.objects.create(name="Mail", channel_type="email"), actor="olga")


def test_the_secret_of_a_door_for_mails_is_in_no_line_when_a_mail_cannot_be_read(
    secret: str, written: io.StringIO
) -> None:
    answer = Client().post(f"/inbound/mail/{secret}/", b"nonsense", content_type="text/plain")
    assert answer.status_code == 400
    assert f"Bad Request: {OF_MAIL}" in written.getvalue()
    assert secret not in written.getvalue()


def test_nor_when_the_house_breaks_over_it_which_still_shows_where(
    secret: str, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "take_in", lambda *given: 1 / 0)
    monkeypatch.setattr(forms, "message_of", lambda *given: b"")
    answer = Client(raise_request_exception=False).post(f"/inbound/mail/{secret}/", b"", content_type="text/plain")
    assert answer.status_code == 500
    assert f"Internal Server Error: {OF_MAIL}" in written.getvalue()
    assert "ZeroDivisionError" in written.getvalue()
    assert secret not in written.getvalue()


@pytest.mark.parametrize(
    ("address", "route"),
    [
        (f"/hooks/{SECRET}/", "/hooks/<token:token>/"),
        (f"/pay/{SECRET}/return?PayerID=9", "/pay/<str:token>/return"),
        (f"/pay/{SECRET}%0A%C3%A4/return", "/pay/<str:token>/return"),
        (f"/no/such/door/{SECRET}", NOWHERE),
    ],
)
def test_what_is_in_the_address_of_a_request_that_is_refused_is_in_no_line(
    db: None, written: io.StringIO, address: str, route: str
) -> None:
    assert Client().post(address, b"{", content_type="application/json").status_code >= 400
    assert f": {route}" in written.getvalue()
    assert SECRET not in written.getvalue()


def test_a_form_from_elsewhere_is_told_with_its_route_and_with_no_more_than_the_host_that_it_came_from(
    db: None, written: io.StringIO
) -> None:
    stranger = Client(enforce_csrf_checks=True)
    came_from = {"referer": f"https://elsewhere.example/letters/{SECRET}"}
    answer = stranger.post(f"/welcome/MQ/{SECRET}/", {"password": "x"}, headers=came_from, secure=True)
    assert answer.status_code == 403
    assert "https://elsewhere.example does not match" in written.getvalue()
    assert ": /welcome/<" in written.getvalue()
    assert SECRET not in written.getvalue()


def test_a_host_that_is_none_of_ours_is_told_and_what_it_was_asked_for_is_not(
    db: None, written: io.StringIO, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["shop.example.com"]
    assert Client().get(f"/hooks/{SECRET}/", headers={"host": "elsewhere.example"}).status_code == 400
    assert "elsewhere.example" in written.getvalue()
    assert SECRET not in written.getvalue()


def test_the_server_for_trying_things_out_writes_by_the_same_handler_and_no_address(written: io.StringIO) -> None:
    told = (f"GET /hooks/{SECRET}/?a=/b HTTP/1.1", "404", "9")
    line = logging.LogRecord("django.server", logging.WARNING, __file__, 1, '"%s" %s %s', told, None)
    assert of_house("django.server") is of_house("django")
    of_house("django.server").handle(line)
    assert "GET (an address) HTTP/1.1" in written.getvalue()
    assert SECRET not in written.getvalue()


def test_what_others_do_with_the_line_is_not_disturbed(secret: str, written: io.StringIO) -> None:
    seen: list[str] = []
    other = logging.Handler()
    other.emit = lambda record: seen.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("django.request")
    logger.addHandler(other)
    try:
        Client().post(f"/inbound/mail/{secret}/", b"nonsense", content_type="text/plain")
    finally:
        logger.removeHandler(other)
    assert seen == [f"Bad Request: /inbound/mail/{secret}/"]
    assert OF_MAIL in written.getvalue()
