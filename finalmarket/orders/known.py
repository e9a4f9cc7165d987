"""An order that is in the books, with what verbs need to know of it: read when it is first asked for, or at once for
many. Its row is locked, so nobody else changes any of it meanwhile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from finalmarket.channels.models import SalesChannel
from finalmarket.orders.drafts import OrderDraft
from finalmarket.orders.models import Order, OrderLine, Payment
from finalmarket.orders.standing import Standing


class Known:
    """A locked order, its lines by position, its payments, and how it stands. Whoever changes one of them through
    another door says so by `forget`."""

    def __init__(
        self, order: Order, lines: list[OrderLine] | None = None, payments: list[Payment] | None = None
    ) -> None:
        self.order = order
        self._lines = lines
        self._payments = payments
        self._standing: Standing | None = None

    @property
    def lines(self) -> list[OrderLine]:
        """All lines, by position."""
        if self._lines is None:
            self._lines = list(OrderLine.objects.filter(order=self.order).order_by("position"))
        return self._lines

    @property
    def goods(self) -> list[OrderLine]:
        """The lines of goods, by position."""
        return [line for line in self.lines if line.kind == OrderLine.Kind.GOODS]

    @property
    def payments(self) -> list[Payment]:
        """All tenders, in the order in which they came in."""
        if self._payments is None:
            self._payments = list(Payment.objects.filter(order=self.order).order_by("pk"))
        return self._payments

    @property
    def standing(self) -> Standing:
        """How it stands, of the same lines."""
        if self._standing is None:
            self._standing = Standing(self.order, self.goods)
        return self._standing

    def is_meant_by(self, draft: OrderDraft) -> bool:
        """Whether a draft is one of this order."""
        order = self.order
        there = (order.sales_channel_id, order.source, order.external_id)
        return there == (draft.channel_id, draft.source, draft.external_id)

    def forget(self) -> None:
        """Read everything but the order's own row anew."""
        self._lines = self._payments = self._standing = None

    @classmethod
    def read(cls, order_ids: Iterable[int]) -> dict[int, Known]:
        """Lock the rows of these orders, in the order of their ids, and read their lines and payments; four queries,
        however many they are. An order that is not there is left out."""
        rows = Order.objects.filter(pk__in=set(order_ids)).order_by("pk").select_for_update(of=("self",))
        found = {order.pk: cls(order) for order in rows}
        if not found:
            return {}
        channels = SalesChannel.objects.in_bulk({known.order.sales_channel_id for known in found.values()})
        lines, payments = _by_order(OrderLine, found, "position"), _by_order(Payment, found, "pk")
        for pk, known in found.items():
            known.order.sales_channel = channels[known.order.sales_channel_id]
            known._lines, known._payments = lines[pk], payments[pk]
        return found

    @staticmethod
    def read_standings(orders: Collection[Known]) -> None:
        """Read at once how these orders stand. The caller has locked their stock: others may change it until then."""
        if orders:
            Standing.read_all([known.standing for known in orders])


def _by_order(model: type[OrderLine] | type[Payment], order_ids: Iterable[int], rank: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in model._default_manager.filter(order__in=list(order_ids)).order_by(rank):
        found[row.order_id].append(row)
    return found
