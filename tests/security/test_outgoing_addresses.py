"""Where a person or a platform may say where to call, nothing inside is called: endpoints of our webhooks, their
redirects, and accounts whose address is entered."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import RetryLater
from finalmarket.connectors.platforms.fake import Fake
from finalmarket.integrations import wire
from finalmarket.integrations.outgoing import deliver, guard
from finalmarket.integrations.outgoing.dialects import Letter
from finalmarket.kernel.errors import UserError
from tests.security.addresses import GENUINE, NAMES, PUBLIC, genuine, hostile

Reached = list[str]


@pytest.fixture(autouse=True)
def _no_network_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (guard.VARIABLE, wire.VARIABLE):
        monkeypatch.delenv(variable, raising=False)


def resolve(host: str, port: int) -> list[str]:
    """A name server that knows our names, and the machine's own reading of numbers."""
    plain = host.lower().rstrip(".")
    known = {**NAMES, **GENUINE, **{name.encode("idna").decode(): found for name, found in GENUINE.items()}}
    if plain in known:
        return known[plain]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError) as error:
        raise UserError(f"the name {host!r} cannot be resolved") from error
    return [str(entry[4][0]) for entry in found]


def way(reached: Reached, answer: Callable[[httpx2.Request], httpx2.Response] | None = None) -> guard.GuardedTransport:
    """A guarded way on which every request that gets out is noted, by the address that it went to."""

    def take(request: httpx2.Request) -> httpx2.Response:
        reached.append(request.url.host)
        return answer(request) if answer else httpx2.Response(204)

    return guard.GuardedTransport(httpx2.MockTransport(take), resolve)


def sent(url: str) -> tuple[deliver.Told, Reached]:
    """Enter an address and send a telling to it, as endpoints do."""
    reached: Reached = []
    try:
        guard.check_url(url)
    except UserError as error:
        return deliver.Told(None, str(error)), reached
    with httpx2.Client(transport=way(reached), trust_env=False, follow_redirects=False) as client:
        return deliver._send(client, SimpleNamespace(url=url), SimpleNamespace(event=None)), reached  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _one_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "written", lambda *_: Letter("{}", {}))


def test_no_address_that_leads_inside_is_called_however_it_is_written(
    record_property: Callable[[str, Any], None],
) -> None:
    payloads = hostile()
    called = {url: reached for url in payloads if (reached := sent(url)[1])}
    assert called == {}
    assert len(payloads) >= 250
    record_property("population", f"{len(payloads)} hostile addresses, called 0")


def test_every_refusal_is_told_in_words() -> None:
    assert [url for url in hostile() if not sent(url)[0].error] == []


def test_genuine_receivers_are_called(record_property: Callable[[str, Any], None]) -> None:
    payloads = genuine()
    refused = {url: told.error for url in payloads for told, reached in [sent(url)] if told.error or not reached}
    assert refused == {}
    assert len(payloads) >= 30
    record_property("population", f"{len(payloads)} genuine addresses, refused 0")


def redirecting(location: str) -> tuple[deliver.Told, Reached]:
    reached: Reached = []
    turns = iter([httpx2.Response(307, headers={"location": location})])
    with httpx2.Client(transport=way(reached, lambda _: next(turns, httpx2.Response(204))), trust_env=False) as client:
        endpoint, delivery = SimpleNamespace(url="https://both.example/hook"), SimpleNamespace(event=None)
        return deliver._send(client, endpoint, delivery), reached  # type: ignore[arg-type]


def _location_can_say_it(url: str) -> bool:
    return url.isascii() and url.isprintable() and url.startswith(("http://", "https://", "file:", "ftp:", "//"))


def test_no_redirect_leads_inside() -> None:
    tried = [url for url in hostile() if _location_can_say_it(url)]
    told = {url: redirecting(url) for url in tried}
    assert len(tried) > 150
    assert {url: reached for url, (_, reached) in told.items() if reached != [PUBLIC]} == {}
    assert [url for url, (said, _) in told.items() if not said.error] == []


def test_a_redirect_from_tls_to_plain_http_is_not_followed() -> None:
    told, reached = redirecting("http://hooks1.example/x")
    assert (told.error, reached) == ("it redirects from https to http", [PUBLIC])
    assert redirecting("https://hooks1.example/x")[1] == [PUBLIC, "1.9.1.7"]


def test_a_name_that_answers_differently_the_second_time_gains_nothing() -> None:
    reached: Reached = []
    answers = iter([[PUBLIC], ["127.0.0.1"]])

    def take(request: httpx2.Request) -> httpx2.Response:
        reached.append(request.url.host)
        return httpx2.Response(204)

    transport = guard.GuardedTransport(httpx2.MockTransport(take), lambda *_: next(answers))
    with httpx2.Client(transport=transport, trust_env=False) as client:
        client.post("http://rebinding.example/")
        with pytest.raises(guard.InsideAddress):
            client.post("http://rebinding.example/")
    assert reached == [PUBLIC]


@pytest.fixture
def house_on_the_net(settings: Any) -> Iterator[None]:
    """A house that others than this machine come into."""
    settings.IS_OF_THIS_MACHINE = False
    yield


def called(base_url: str) -> str:
    """What comes of a call to an account at an entered address: "" where it got out."""
    account = Account({"token": "x"}, base_url=base_url)
    transport = wire.GuardedWire(httpx2.MockTransport(lambda _: httpx2.Response(200, json={})), resolve, wire.allowed())
    there = Fake(account, transport=transport)
    try:
        there.http.call("GET", "/shop")
    except RetryLater as error:
        return error.reason
    except Exception as error:
        assert isinstance(error, (ValueError, httpx2.InvalidURL, UnicodeError)), type(error)
        return f"{type(error).__name__}: {error}"
    return ""


@pytest.mark.usefixtures("house_on_the_net")
def test_no_account_is_called_at_an_inside_address() -> None:
    tried = [url for url in hostile() if url.startswith(("http://", "https://")) and "@" not in url and "#" not in url]
    ports = {f"http://example.com:{port}/" for port in range(1024)}
    assert [url for url in tried if url not in ports and not called(url)] == []
    assert [url for url in genuine() if called(url)] == []


def test_a_sandbox_on_this_machine_is_called_while_nobody_else_comes_into_the_house(settings: Any) -> None:
    assert called("http://127.0.0.1:8700/shop") == ""
    settings.IS_OF_THIS_MACHINE = False
    assert "name its network in FINALMARKET_PLATFORM_NETWORKS" in called("http://127.0.0.1:8700/shop")
    assert called("http://169.254.169.254/latest") != ""


@pytest.mark.usefixtures("house_on_the_net")
def test_an_erp_in_a_network_that_the_keeper_names_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    assert called("https://10.0.0.1/odata") != ""
    monkeypatch.setenv(wire.VARIABLE, "10.0.0.0/24")
    assert called("https://10.0.0.1/odata") == ""
    assert called("https://10.0.1.1/odata") != ""


@pytest.mark.parametrize(("base_url", "is_guarded"), [("http://127.0.0.1:1/x", True), ("", False)])
def test_the_guard_stands_where_an_address_was_entered(base_url: str, is_guarded: bool) -> None:
    found = wire.wire_to(Fake, Account({"token": "x"}, base_url=base_url))
    assert isinstance(found, wire.GuardedWire) is is_guarded
