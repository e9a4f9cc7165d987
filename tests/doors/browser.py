"""A real browser before the house, which is served by threads as production serves it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections

from tests.tracking import wire

playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: install the development packages")

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
# The shell is the same engine without the windows around it, which nobody sees here: a fifth less work.
KNOWN = ("chromium-headless-shell", "chromium")
PATIENCE_MS = 30_000
PHONE = {"width": 390, "height": 844}
LAPTOP = {"width": 1280, "height": 900}


@contextmanager
def served() -> Iterator[str]:
    """Within it the house answers at this address."""
    with wire.served() as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def opened_browser() -> Iterator[Any]:
    """Within it Chromium is open; the test is skipped where there is none."""
    chromium = os.environ.get("FINALMARKET_CHROMIUM") or next(filter(None, map(shutil.which, KNOWN)), None)
    if not chromium:
        pytest.skip("no chromium: apt-get install chromium-headless-shell, or name a browser by FINALMARKET_CHROMIUM")
    # Playwright has a loop of its own in this thread; what Django guards against, two at one connection, is not done.
    with pytest.MonkeyPatch.context() as patch, playwright.sync_playwright() as started:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = started.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()
        connections.close_all()  # those of Playwright's loop, which nobody finds when it has ended
