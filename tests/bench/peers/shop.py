"""What the shop systems beside ours have in common: a database of their own, and orders that are counted by rows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import ExitStack

from finalmarket.kernel.embedded import EmbeddedServer
from tests.bench.peers import goods
from tests.bench.peers.processes import drop_database, free_port, new_database, rows
from tests.bench.peers.tally import sold


class Shop:
    """Open from `open` to `close`. `sold_lines` asks for SKU and units of the lines of orders that stand, by SKUs."""

    name: str
    database: str
    sold_lines: str

    def __init__(self, server: EmbeddedServer) -> None:
        self._server = server
        self.port = free_port()
        self._serial = itertools.count(1)
        self._stack = ExitStack()

    def sold(self, wanted: Sequence[int]) -> dict[str, int]:
        """Units in lines of orders that stand, by SKU."""
        return sold(rows(self._server, self.database, self.sold_lines, [[goods.sku(number) for number in wanted]]))

    def close(self) -> None:
        """Stop it and drop its database."""
        self._stack.close()

    def _make_database(self) -> None:
        """An empty database, until it is closed."""
        new_database(self._server, self.database)
        self._stack.callback(drop_database, self._server, self.database)

    def _emails(self, wanted: Sequence[int]) -> list[str]:
        """An address that nobody had before, for each buyer."""
        return [goods.email(next(self._serial)) for _ in wanted]
