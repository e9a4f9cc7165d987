"""What ends again and again is started again: a server that has served, and the processes of a house."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from finalmarket.cli import children
from finalmarket.kernel import keeper

TRIES = 3 * keeper.RESTARTS_A_MINUTE


class OneThatDies(keeper.Keeper):
    """A keeper whose server ends at once; after so many tries it is told to stop."""

    tries = 0

    def _start(self) -> subprocess.Popen[bytes]:
        self.starts.append(time.monotonic())
        self.tries += 1
        if self.tries == TRIES:
            self.events.put("stop")
        return subprocess.Popen(["false"])


@pytest.fixture
def dying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OneThatDies:
    monkeypatch.setattr(keeper, "PAUSE_SECONDS", 0.001)
    return OneThatDies(tmp_path, tmp_path, tmp_path, "")


def test_a_server_that_has_served_is_started_again_however_often_it_dies(dying: OneThatDies) -> None:
    dying.has_served = True
    assert dying._keep() == 0
    assert dying.tries == TRIES


def test_a_server_that_never_comes_up_is_given_up(dying: OneThatDies) -> None:
    assert dying._keep() == 1
    assert dying.tries == keeper.RESTARTS_A_MINUTE


def test_a_server_is_ready_by_its_own_word(tmp_path: Path) -> None:
    assert not keeper.is_ready(tmp_path)
    for word, is_so in (("starting", False), ("ready   ", True)):
        (tmp_path / "postmaster.pid").write_text(f"1\n{tmp_path}\n1\n5432\n{tmp_path}\n\n 0 0\n{word}\n")
        assert keeper.is_ready(tmp_path) is is_so


def test_a_process_that_ends_again_and_again_is_started_less_often_and_never_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1_000.0]
    monkeypatch.setattr("finalmarket.cli.children.time.monotonic", lambda: now[0])
    monkeypatch.setattr(sys, "executable", "false")
    child = children.Child("worker", [], {})
    child.start()
    for _ in range(children.RESTARTS_A_MINUTE - 1):
        ended(child)
        assert child.revive(), "at first it is started at once"
    ended(child)
    assert not child.revive(), "it waits"
    now[0] += children.PAUSE_SECONDS
    assert child.revive(), "and is started again"
    child.stop()


def ended(child: children.Child) -> None:
    """Wait until it has."""
    assert child._process is not None
    child._process.wait(30)
