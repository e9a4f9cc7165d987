"""The Node clients of three vendors, unchanged, over the same bad wire.

They are installed from their lock; without Node or the packages' registry these tests are skipped, loudly."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections

from tests.environment import ROOT
from tests.tracking.teller import Shop, forget_all, open_shop
from tests.tracking.test_python_clients import EVENTS, PEOPLE, assert_told_once
from tests.tracking.wire import bad_wire, served

HERE = Path(__file__).parent / "node"
INSTALL_SECONDS = 300
TELL_SECONDS = 240

pytestmark = pytest.mark.committed_database


@pytest.fixture(scope="module")
def clients() -> Path:
    """The folder in which the clients are installed, once per lock."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("no Node: the clients of Segment, RudderStack and PostHog for it are not tried")
    lock = (HERE / "package-lock.json").read_bytes()
    folder = ROOT / ".data-test" / f"node-clients-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            pytest.skip("the registry of Node's packages does not answer: its clients are not tried")
        if done.returncode != 0:
            pytest.skip(f"Node's clients cannot be installed: {done.stderr.strip()[-300:]}")
        (folder / "installed").touch()
    return folder


@pytest.fixture
def shop() -> Iterator[Shop]:
    yield open_shop()
    forget_all()
    connections.close_all()


@pytest.mark.parametrize("client", ["segment", "rudderstack", "posthog"])
def test_a_node_client(client: str, clients: Path, shop: Shop) -> None:
    with served() as port, bad_wire(port, every=6) as (address, did):
        done = subprocess.run(
            ["node", str(HERE / "tell.mjs"), client, address, shop.key, str(EVENTS), str(PEOPLE)],
            capture_output=True, text=True, timeout=TELL_SECONDS, env={**os.environ, "CLIENTS": str(clients)},
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert_told_once(shop, json.loads(done.stdout.strip().splitlines()[-1]))
    assert min(did[fate] for fate in ("lose_answer", "twice")) > 0, did
