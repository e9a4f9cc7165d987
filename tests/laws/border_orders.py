"""Orders that were sold elsewhere are kept in a platform's books: each once, as it stands, with the parcels that left.

Books for a newsletter hear only of people who agreed to it; a parcel desk only of what is to be packed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from finalmarket.connectors.books import PushesOrders
from finalmarket.connectors.contract import PushesFulfilments
from finalmarket.integrations.books import records
from finalmarket.integrations.books.finding import books_of
from finalmarket.integrations.models import DueNotice, DueRecord
from finalmarket.orders.models import Order
from finalmarket.sandbox import abilities
from tests.laws.border_part import Part


class Orders(Part):
    """Orders go out."""

    needs = (PushesOrders,)
    ability = abilities.KeepsOrders
    jobs = (records.tell,)

    def open(self) -> None:
        self.shop = self.game.own_shop()

    def trade(self) -> None:
        """The shop's own trade is what is told."""

    def waits(self) -> Iterator[str]:
        return records_that_wait(self.game.integration.pk, DueRecord.What.ORDER)

    def wrong(self) -> Iterator[str]:
        kept: dict[str, list[abilities.KeptOrder]] = defaultdict(list)
        for one in self.there.kept_orders():
            kept[one.number].append(one)
        ours = {one.number: one for one in Order.objects.exclude(source=self.game.source)}
        yield from (f"order {name} is kept there and unknown here" for name in sorted(set(kept) - set(ours)))
        for number, order in sorted(ours.items()):
            rows = kept[number]
            if len(rows) > 1:
                yield f"order {number} is kept {len(rows)} times"
            elif rows:
                yield from self._order_wrong(order, rows[0])
            elif self._is_wanted(order):
                yield f"order {number} is not kept there"

    def _is_wanted(self, order: Order) -> bool:
        """Whether it has to be there: what is no longer to be packed when it is told is of no use to a parcel desk."""
        books = books_of(self.game.integration)
        if self.game.case.connector.kind == "shipping" and order.state != "open":
            return False
        return not books.is_for_agreed or order.email in self.shop.faithful

    def _order_wrong(self, order: Order, kept: abilities.KeptOrder) -> Iterator[str]:
        lines = [line for line in order.lines.all() if line.kind == "goods"]
        units = sum(line.quantity - line.cancelled_quantity for line in lines)
        if kept.is_waiting is not None:  # a parcel desk
            if kept.is_waiting is not (order.state == "open"):
                word = "waits" if kept.is_waiting else "does not wait"
                yield f"order {order.number} is {order.state} here, and {word} there"
            return
        if kept.is_cancelled is not (order.state == "cancelled"):
            yield f"order {order.number} is {order.state}, there {'cancelled' if kept.is_cancelled else 'open'}"
        elif not kept.is_cancelled and kept.units != units:
            yield f"order {order.number} has {units} units, there {kept.units}"
        left = sum(line.fulfilled_quantity for line in lines)
        is_told = kept.left is not None and issubclass(self.game.case.connector, PushesFulfilments)
        if is_told and kept.left != left and not self._is_aside(order):
            yield f"{left} units of order {order.number} have left, there {kept.left}"

    def _is_aside(self, order: Order) -> bool:
        """Whether a parcel of it was refused: then it lies in a letter, which is counted for itself."""
        rows = DueNotice.objects.filter(integration=self.game.integration, kind="fulfilment", state="refused")
        return rows.filter(local_id__in=order.fulfilments.values("pk")).exists()


def records_that_wait(integration_id: int, what: str) -> Iterator[str]:
    """What of these records is on its way."""
    for row in DueRecord.objects.filter(integration=integration_id, what=what):
        if row.version > row.settled_version or row.is_doubtful:
            yield f"{row}: {row.last_error}"
