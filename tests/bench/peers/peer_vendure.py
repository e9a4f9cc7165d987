"""Vendure as a peer: its Shop API over HTTP, its own defaults.

Pressing is what its storefronts send at the end: transitionOrderToState(ArrangingPayment), which looks whether the
stock suffices (getSaleableStockLevel, a plain read), then addPaymentToOrder, which takes payment and, as the order
becomes PaymentSettled, allocates: it reads the stock level and writes back the sum (StockLevelService), unlocked.
Published source: packages/core/src/config/order/default-order-process.ts, service/services/stock-movement.service.ts,
service/services/stock-level.service.ts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from tests.bench.peers import goods
from tests.bench.peers.crowd import Buyer, request
from tests.bench.peers.processes import (
    BUILD,
    Program,
    address,
    install_node,
    node_version,
    tidy,
)
from tests.bench.peers.shop import Shop

ARRANGE = 'mutation { transitionOrderToState(state: "ArrangingPayment") { __typename ... on ErrorResult { message } } }'
PAY = """mutation { addPaymentToOrder(input: { method: "trying", metadata: {} }) {
    __typename ... on Order { code state } ... on ErrorResult { message } } }"""


class Vendure(Shop):
    """Open from `open` to `close`."""

    name = "vendure"
    database = "peer_vendure"
    sold_lines = """
        SELECT variant.sku, line.quantity FROM order_line line JOIN "order" bought ON bought.id = line."orderId"
        JOIN product_variant variant ON variant.id = line."productVariantId"
        WHERE variant.sku = ANY(%s) AND bought.state IN ('PaymentAuthorized', 'PaymentSettled')"""
    settings = "its own defaults (stock required at ArrangingPayment, tracked), one server process, production mode"

    def install(self) -> str:
        """Install what is locked, if it is not; return what is installed. Raises NotThere."""
        return node_version(install_node(self.name), "@vendure/core")

    def open(self) -> None:
        """Start it on an empty database and fill it. Raises NotThere."""
        self._make_database()
        settings = {**address(self._server), "PEER_DATABASE": self.database, "PEER_PORT": str(self.port)}
        settings |= {"NODE_ENV": "production", "VENDURE_DISABLE_TELEMETRY": "true"}
        folder = BUILD / self.name
        self._program = Program(["node", "shop.js"], folder, folder / "server.log", settings, talks=True)
        self._stack.callback(self._program.close)
        self._program.ask(goods.catalogue())
        tidy(self._server, self.database)

    def carts(self, wanted: Sequence[int]) -> list[Buyer]:
        """Orders in AddingItems with a unit each, customer, address and shipping set."""
        tokens = self._program.ask({"wanted": [goods.sku(number) for number in wanted], "emails": self._emails(wanted)})
        return [Buyer(tuple(_call(query, token) for query in (ARRANGE, PAY))) for token in tokens]


def _call(query: str, token: str) -> bytes:
    return request("POST", "/shop-api", json.dumps({"query": query}).encode(), [("Authorization", f"Bearer {token}")])
