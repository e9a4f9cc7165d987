"""What the web server tells its workers when it is told to stop."""

from __future__ import annotations

import os
import signal
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from finalmarket.cli.web import _Server
from finalmarket.operations import draining

WORKER = 4711


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server with one worker; the signals that it sends are gathered in `sent`."""
    made: Any = object.__new__(_Server)
    made.wrks, made.main_loop_interrupt, made.sent = (
        [SimpleNamespace(inner=SimpleNamespace(pid=WORKER))],
        threading.Event(),
        [],
    )
    monkeypatch.setattr(os, "kill", lambda pid, number: made.sent.append((pid, number)))
    return made


def test_a_worker_that_is_to_stop_at_once_gets_no_other_signal_beside_the_one_that_stops_it(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(draining.VARIABLE, raising=False)
    server.signal_handler_interrupt()
    assert server.main_loop_interrupt.is_set()
    assert server.sent == []


def test_a_worker_that_drains_is_told_so_and_stopped_later(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(draining.VARIABLE, "0.05")
    server.signal_handler_interrupt()
    assert server.sent == [(WORKER, signal.SIGUSR1)]
    assert server.main_loop_interrupt.wait(30)


def test_told_a_second_time_it_stops_at_once(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(draining.VARIABLE, "1")
    server.signal_handler_interrupt()
    server.signal_handler_interrupt()
    assert server.main_loop_interrupt.is_set()
    assert server.sent == [(WORKER, signal.SIGUSR1)]
