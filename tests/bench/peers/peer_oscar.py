"""django-oscar as a peer: its own checkout views over HTTP, served by the WSGI server that serves ours.

Pressing is the last POST of its checkout (checkout/preview/ with action=place_order): it looks whether the basket is
still valid (StockRequired.is_purchase_permitted, a plain read), freezes it, takes payment (nothing to do by default),
writes the order and adds to `num_allocated` by one UPDATE without a condition (StockRecord.allocate), all in one
transaction.
Published source: oscar/apps/checkout/session.py, checkout/views.py, order/utils.py, partner/abstract_models.py.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

from finalmarket.bench.ingest_house import THREADS
from tests.bench.peers import goods
from tests.bench.peers.crowd import Buyer, request
from tests.bench.peers.processes import (
    BUILD,
    CHECKOUT,
    Program,
    address,
    mark,
    marked,
    put_mark,
    run,
    tidy,
)
from tests.bench.peers.shop import Shop

FOLDER = Path(__file__).parent
VENV = CHECKOUT / ".venv-peers"
PYTHON = VENV / "bin" / "python"
LOCK = FOLDER / "oscar_shop" / "requirements.txt"
TOKEN = "t" * 32
"""Of the form: a browser sends the same one as cookie and as field."""


class Oscar(Shop):
    """Open from `open` to `close`."""

    name = "oscar"
    database = "peer_oscar"
    sold_lines = """
        SELECT line.partner_sku, line.quantity FROM order_line line JOIN order_order bought ON bought.id = line.order_id
        WHERE line.partner_sku = ANY(%s) AND bought.status <> 'Cancelled'"""
    settings = f"its own defaults, guests, ATOMIC_REQUESTS as its guide says; granian, 1 process, {THREADS} threads"

    def install(self) -> str:
        """Install what is locked, if it is not; return what is installed. Raises NotThere."""
        if marked(VENV) != mark(LOCK):
            log = BUILD / "oscar" / "install.log"
            run([sys.executable, "-m", "venv", str(VENV)], CHECKOUT, log, {}, 120)
            pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(LOCK)]
            run(pip, CHECKOUT, log, {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}, 900)
            put_mark(VENV, LOCK)
        asked = "from importlib.metadata import version as v; print(v('django-oscar'), 'on Django', v('django'))"
        return subprocess.run([PYTHON, "-c", asked], check=True, capture_output=True, text=True).stdout.strip()

    def open(self) -> None:
        """Make its tables, fill it, and start its web process. Raises NotThere."""
        self._make_database()
        settings = {**address(self._server), "PEER_DATABASE": self.database, "PYTHONPATH": str(FOLDER)}
        settings["DJANGO_SETTINGS_MODULE"] = "oscar_shop.settings"
        log = BUILD / "oscar" / "server.log"
        python = str(PYTHON)
        run([python, "-m", "django", "migrate", "-v", "0"], FOLDER, BUILD / "oscar" / "migrate.log", settings, 180)
        self._fill(python, settings)
        tidy(self._server, self.database)
        command = [
            python, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port),
            "--workers", "1", "--blocking-threads", str(THREADS), "--no-ws", "--log-level", "warning",
            "oscar_shop.web:application",
        ]  # fmt: skip
        program = Program(command, FOLDER, log, settings)
        self._stack.callback(program.close)
        program.wait_for(self.port, 60)

    def carts(self, wanted: Sequence[int]) -> list[Buyer]:
        """Baskets with a unit each, their buyers before the last page."""
        cookies = self._filler.ask({"wanted": [goods.sku(number) for number in wanted], "emails": self._emails(wanted)})
        return [_buyer(one) for one in cookies]

    def _fill(self, python: str, settings: dict[str, str]) -> None:
        log = BUILD / "oscar" / "fill.log"
        self._filler = Program([python, "-m", "oscar_shop.fill"], FOLDER, log, settings, talks=True)
        self._stack.callback(self._filler.close)
        self._filler.ask(goods.catalogue())


def _buyer(cookies: dict[str, str]) -> Buyer:
    shown = "; ".join(f"{name}={value}" for name, value in {**cookies, "csrftoken": TOKEN}.items())
    body = urlencode({"action": "place_order", "csrfmiddlewaretoken": TOKEN}).encode()
    headers = (("Cookie", shown), ("Content-Type", "application/x-www-form-urlencoded"))
    return Buyer((request("POST", "/checkout/preview/", body, headers),))
