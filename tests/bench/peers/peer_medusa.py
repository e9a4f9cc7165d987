"""Medusa as a peer: its Store API over HTTP, with the locking provider of PostgreSQL that its guide allows for
production.

Pressing is POST /store/carts/{id}/complete: a workflow that authorises the payment, makes the order, and reserves
within a lock by inventory item (reserveInventoryStep), where the inventory module looks whether there is enough; where
there is not, the steps before are undone. Published source: packages/core/core-flows/src/cart/workflows/complete-cart,
cart/steps/reserve-inventory.ts, packages/modules/inventory, packages/modules/providers/locking-postgres.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from finalmarket.kernel.embedded import OWNER_ROLE
from tests.bench.peers import goods
from tests.bench.peers.crowd import Buyer, request
from tests.bench.peers.processes import (
    BUILD,
    Program,
    install_node,
    node_version,
    run,
    tidy,
)
from tests.bench.peers.shop import Shop

MIGRATE_SECONDS = 1_200.0


class Medusa(Shop):
    """Open from `open` to `close`."""

    name = "medusa"
    database = "peer_medusa"
    sold_lines = """
        SELECT line.variant_sku, item.quantity::int FROM order_item item
        JOIN order_line_item line ON line.id = item.item_id JOIN "order" bought ON bought.id = item.order_id
        WHERE line.variant_sku = ANY(%s) AND bought.status <> 'canceled'
          AND bought.deleted_at IS NULL AND item.deleted_at IS NULL"""
    settings = "locking by PostgreSQL, the rest its own defaults, one server process, production mode, no admin pages"

    def install(self) -> str:
        """Install what is locked, if it is not; return what is installed. Raises NotThere."""
        return node_version(install_node(self.name), "@medusajs/medusa")

    def open(self) -> None:
        """Make its tables, start it and fill it. Raises NotThere."""
        self._make_database()
        socket = quote(str(self._server.socket), safe="")
        where = f"postgres://{OWNER_ROLE}@{socket}:5432/{self.database}?sslmode=disable"
        settings = {"DATABASE_URL": where, "PEER_PORT": str(self.port), "NODE_ENV": "production"}
        settings |= {"MEDUSA_DISABLE_TELEMETRY": "true", "LOG_LEVEL": "warn"}
        folder = BUILD / self.name
        migrate = ["node", "node_modules/.bin/medusa", "db:migrate", "--execute-safe-links"]
        run(migrate, folder, folder / "migrate.log", settings, MIGRATE_SECONDS)
        self._program = Program(["node", "shop.js"], folder, folder / "server.log", settings, talks=True)
        self._stack.callback(self._program.close)
        self._key = str(self._program.ask(goods.catalogue())["key"])
        tidy(self._server, self.database)

    def carts(self, wanted: Sequence[int]) -> list[Buyer]:
        """Carts with a unit each, ready to be completed."""
        ids = self._program.ask({"wanted": [goods.sku(number) for number in wanted], "emails": self._emails(wanted)})
        headers = [("x-publishable-api-key", self._key)]
        return [Buyer((request("POST", f"/store/carts/{cart}/complete", b"{}", headers),)) for cart in ids]
